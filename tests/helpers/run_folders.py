"""Run folders written by hand: what a comparison reads, without training."""

import json
from itertools import count

import yaml

from lenetctl import specs
from lenetctl.runs.folder import Run

_number = count(1)


def run(
    root,
    name,
    last,
    best=None,
    *,
    seed=0,
    status="FINISHED",
    outcome="",
    also=(),
    experiment="lenet",
    metric="test/accuracy",
    digest="d" * 64,
    validation=None,
    data=(),
    model=(),
    training=(),
):
    """Write a run of two epochs, the first one its best, with `metric` at `last` and `best`.

    With `validation`, accuracies of the last and the best epoch, images were held out: the test set
    was read once, so `metric` is at `last`. `also`: other metrics of both epochs.
    """
    number = next(_number)
    path = root / f"{name}-s{seed}-{number}"
    path.mkdir(parents=True)
    data = {"validation": 100, **dict(data)} if validation else dict(data)
    spec = {"name": name, "data": data, "model": dict(model)}
    spec["training"] = {"seed": seed, "epochs": 2, **dict(training)}
    (path / "spec.yaml").write_text(yaml.safe_dump(spec))
    resolved = specs.load_spec(path / "spec.yaml")
    record = {
        "name": f"{name}-s{seed}",
        "spec_sha256": specs.sha256(resolved),
        "spec": resolved.model_dump(mode="json", exclude_none=True),
        "created": number,
        "experiment": experiment,
        "data": {"name": spec["data"].get("dataset", "fashion_mnist"), "digest": digest},
    }
    (path / "run.json").write_text(json.dumps(record))
    (path / "status.json").write_text(json.dumps({"status": status, "outcome": outcome}))
    scores = (last, last if best is None else best)  # last epoch, best epoch
    finals = [{metric: score, **dict(also)} for score in scores]
    epochs = finals
    if validation:
        epochs = [{"validation/accuracy": accuracy} for accuracy in validation]
        finals = [{metric: last} | epoch for epoch in epochs]
    lines = [{"epoch": 1, **epochs[1]}, {"epoch": 2, **epochs[0]}]
    (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    if status == "FINISHED":
        result = {"final": finals[0], "best": {"epoch": 1, **finals[1]}}
        (path / "result.json").write_text(json.dumps(result))
    return Run(path)


def seeds(root, name, values, start=0, **kwargs):
    """Write a run for each of `values`, the seeds counted from `start`."""
    return [run(root, name, value, seed=seed, **kwargs) for seed, value in enumerate(values, start)]

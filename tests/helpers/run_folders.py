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
    experiment="lenet",
    metric="test/accuracy",
    digest="d" * 64,
    data=(),
    model=(),
    training=(),
):
    """Write a run of two epochs, the first one its best, with `metric` at `last` and `best`."""
    number = next(_number)
    path = root / f"{name}-s{seed}-{number}"
    path.mkdir(parents=True)
    spec = {"name": name, "data": dict(data), "model": dict(model)}
    spec["training"] = {"seed": seed, "epochs": 2, **dict(training)}
    (path / "spec.yaml").write_text(yaml.safe_dump(spec))
    record = {
        "name": f"{name}-s{seed}",
        "spec_sha256": specs.sha256(specs.load_spec(path / "spec.yaml")),
        "created": number,
        "experiment": experiment,
        "data": {"digest": digest},
    }
    (path / "run.json").write_text(json.dumps(record))
    (path / "status.json").write_text(json.dumps({"status": status}))
    best = last if best is None else best
    lines = [{"epoch": 1, metric: best}, {"epoch": 2, metric: last}]
    (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    if status == "FINISHED":
        result = {"final": {metric: last}, "best": {"epoch": 1, metric: best}}
        (path / "result.json").write_text(json.dumps(result))
    return Run(path)


def seeds(root, name, values, start=0, **kwargs):
    """Write a run for each of `values`, the seeds counted from `start`."""
    return [run(root, name, value, seed=seed, **kwargs) for seed, value in enumerate(values, start)]

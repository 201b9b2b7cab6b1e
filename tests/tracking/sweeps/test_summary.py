import shutil
from pathlib import Path

import pytest

from lenetctl.runs.folder import Run
from lenetctl.tracking.sweeps.parent import find_parent, sweep_of
from lenetctl.tracking.sweeps.summary import BEST, PARAMS_NOW, log_sweep
from lenetctl.tracking.writer import Writer


@pytest.fixture
def sweep(finished, tmp_path):
    """Three runs of one sweep, one of which failed."""
    folder = tmp_path / "mlruns/lenetctl"
    made = []
    for number, lr in enumerate(("0.1", "0.2", "0.3"), 1):
        run = Run(Path(shutil.copytree(finished.path, folder / f"quick-{number}")))
        text = (run.path / "spec.yaml").read_text()
        (run.path / "spec.yaml").write_text(text.replace("lr: 0.1", f"lr: {lr}"))
        changes = {"created": 1000 * number, "spec_sha256": str(number) * 64, "spec": None}
        run.write_record(run.record.model_copy(update=changes))
        made.append(run)
    made[2].set_status("FAILED", "diverged", "DivergedError")
    better = {"test/accuracy": 0.99, "train/loss": 0.01}
    made[1].write_record(made[1].result.model_copy(update={"final": better}))
    return made


def publish_all(uri, runs):
    warnings = []
    writer = Writer(uri, lambda run: None, warnings.append)
    for run in runs:
        writer.notify(run)
    writer.close()
    assert warnings == []


def parent_of(client, run):
    experiment = client.get_run(run.published.run_id).info.experiment_id
    return find_parent(client, experiment, sweep_of(run).name)


def test_the_parent_tells_of_its_runs(client, uri, sweep):
    publish_all(uri, sweep)
    parent = parent_of(client, sweep[0])
    counts = {key: n for key, n in parent.data.metrics.items() if key.startswith("runs/")}
    assert counts in (
        {"runs/finished": 2, "runs/diverged": 1},
        {"runs/plateau": 2, "runs/diverged": 1},
    )
    assert parent.data.metrics["best/test/accuracy"] == 0.99
    assert parent.data.tags[BEST] == "quick-2"
    assert parent.data.params["model.activation"] == "relu"
    assert "training.optimizer.lr" not in parent.data.params
    assert (parent.info.status, parent.info.start_time) == ("FINISHED", 1000)
    assert parent.info.end_time == max(run.status.ended for run in sweep)


def test_publishing_the_sweep_again_changes_nothing(client, uri, sweep):
    publish_all(uri, sweep)
    before = parent_of(client, sweep[0]).to_dictionary()
    for run in sweep:
        (run.path / "published.json").unlink()
    publish_all(uri, sweep)
    after = parent_of(client, sweep[0]).to_dictionary()
    assert after == before


def test_a_sweep_that_goes_on_is_told_anew(client, uri, sweep):
    first, second, third = sweep
    aside = second.path.rename(second.path.parent.parent / "aside")
    publish_all(uri, [first, third])
    before = parent_of(client, first)
    assert before.data.tags[BEST] == "quick-1"
    aside.rename(second.path)
    publish_all(uri, [second])
    after = parent_of(client, first)
    assert after.info.run_id == before.info.run_id
    assert after.data.metrics["runs/diverged"] == 1
    assert sum(n for key, n in after.data.metrics.items() if key.startswith("runs/")) == 3
    assert (after.data.metrics["best/test/accuracy"], after.data.tags[BEST]) == (0.99, "quick-2")


def test_a_param_that_has_become_untrue_is_corrected_by_a_tag(client, uri, sweep):
    first, second, third = sweep
    for run in (second, third):
        run.path.rename(run.path.parent.parent / run.path.name)
    publish_all(uri, [first])
    assert parent_of(client, first).data.params["training.optimizer.lr"] == "0.1"
    (second.path.parent.parent / second.path.name).rename(second.path)
    publish_all(uri, [second])
    assert parent_of(client, first).data.tags[PARAMS_NOW] == "training.optimizer.lr 0.1, 0.2"
    shutil.rmtree(second.path)
    log_sweep(client, sweep_of(first))
    assert parent_of(client, first).data.tags[PARAMS_NOW] == ""


def test_what_is_deleted_is_no_longer_counted(client, uri, sweep):
    publish_all(uri, sweep)
    first, second, third = sweep
    of_sweep, parent = sweep_of(first), parent_of(client, first).info.run_id
    for run in (second, third):
        shutil.rmtree(run.path)
    log_sweep(client, of_sweep)
    now = client.get_run(parent)
    assert (now.data.metrics["runs/diverged"], now.data.tags[BEST]) == (0, "quick-1")
    assert now.data.metrics["best/test/accuracy"] == first.result.final["test/accuracy"]
    assert now.info.end_time == first.status.ended
    shutil.rmtree(first.path)
    log_sweep(client, of_sweep)
    assert client.get_run(parent).info.lifecycle_stage == "deleted"

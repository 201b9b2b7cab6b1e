import shutil
from pathlib import Path

import pytest

from lenetctl.runs.folder import Run
from lenetctl.tracking.sweep_parent import parent_of
from lenetctl.tracking.sweep_summary import BEST
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


def test_the_parent_tells_of_its_runs(client, uri, sweep):
    publish_all(uri, sweep)
    parent = client.get_run(parent_of(client, sweep))
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
    before = client.get_run(parent_of(client, sweep)).to_dictionary()
    for run in sweep:
        (run.path / "published.json").unlink()
    publish_all(uri, sweep)
    after = client.get_run(parent_of(client, sweep)).to_dictionary()
    assert after == before

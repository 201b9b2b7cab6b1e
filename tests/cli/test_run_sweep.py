from pathlib import Path

import pytest

from lenetctl.cli.errors import UNPUBLISHED
from lenetctl.runs.store import RunStore

TINY = """\
data: {dataset: digits, limit: 128, batch_size: 64}
model: {conv: [{channels: 3, kernel: 5, stride: 2}], dense: [12]}
training: {epochs: 1, optimizer: {kind: sgd, lr: 0.1}}
"""


@pytest.fixture
def sweep(lenetctl, write):
    path = write(TINY)
    return lambda *options: lenetctl("sweep", path, "--device", "cpu", *options)


def test_a_fleet_trains_a_sweep_and_says_what_it_is_for(sweep):
    trials = ("-g", "model.dense=[12],[13]", "--seeds", "0,1", "--jobs", "2")
    result = sweep("--executor", "fleet", *trials, "--json")
    assert result.code in (0, UNPUBLISHED), result.err  # on a busy machine MLflow comes later
    assert result.json["counts"] == {"finished": 4}
    assert "a fleet is for a GPU" in result.err
    assert {run.record.engine for run in RunStore(Path("mlruns/lenetctl")).all()} == {"fleet"}

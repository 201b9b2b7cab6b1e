import json

import pytest
from helpers.searches import SPACE, SPEC

from lenetctl.runs.folder import Run
from lenetctl.sweeps.grid import parse_grid_option
from lenetctl.sweeps.search.definition import Search
from lenetctl.sweeps.search.study import open_study
from lenetctl.training.metrics import VALIDATION_ACCURACY


@pytest.fixture
def study(tmp_path):
    """Open the study of a search over one spec, in one database."""

    def make(*space, trials=5, sampler="random", pruner="none", spec=SPEC, seeds=1):
        (tmp_path / "spec.yaml").write_text(spec)
        axes = {axis.key: axis for axis in map(parse_grid_option, space or SPACE)}
        search = Search.of(tmp_path / "spec.yaml", axes, (), trials, seeds)
        return open_study(search, tmp_path / "optuna.db", sampler, pruner)

    return make


@pytest.fixture
def ran(tmp_path):
    """A run by hand, with the validation accuracy of each epoch."""

    def make(trial, *accuracies):
        run = Run(tmp_path / trial.sha256)
        run.path.mkdir(exist_ok=True)
        run.write_epochs(
            [{"epoch": n, VALIDATION_ACCURACY: v} for n, v in enumerate(accuracies, 1)]
        )
        run.set_status("FINISHED")
        best = {VALIDATION_ACCURACY: max(accuracies)}
        (run.path / "result.json").write_text(json.dumps({"final": {}, "best": best}))
        return run

    return make

import pytest
from helpers.run_fixtures import digits, elsewhere, finished, validated  # noqa: F401

from lenetctl import specs
from lenetctl.runs.options import RunOptions
from lenetctl.sweeps.claims import make_claims_folder
from lenetctl.sweeps.trial import Trial

DIVERGES = {"kind": "sgd", "lr": 1e30}


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # in workers, too: the same threads, the same bits
    make_claims_folder(tmp_path)
    return RunOptions(tmp_path, device="cpu", tags={"lenetctl.sweep": "study"})


@pytest.fixture
def trials(digits, tmp_path):  # noqa: F811
    """Make a trial for each seed given, and one that diverges for None."""

    def make(*seeds, **training):
        changes = [{"optimizer": DIVERGES} if seed is None else {"seed": seed} for seed in seeds]
        made = [digits(**training, **change) for change in changes]
        return [Trial(spec, specs.sha256(spec), tmp_path / "quick.yaml", {}) for spec in made]

    return make

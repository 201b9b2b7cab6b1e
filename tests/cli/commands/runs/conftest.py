import pytest
from helpers import run_folders

from lenetctl.runs.store import ROOT


@pytest.fixture
def project(tmp_path):
    """Four runs: three that finished, of two specs, and one that diverged."""
    root = tmp_path / ROOT
    seen = {"train/loss": 0.5}
    return [
        *run_folders.seeds(root, "baseline", [0.7, 0.72], also=seen),
        run_folders.run(root, "max", 0.91, 0.92, model={"pool": {"kind": "max"}}, also=seen),
        run_folders.run(
            root,
            "hot",
            float("nan"),
            status="FAILED",
            outcome="diverged",
            training={"optimizer": {"kind": "sgd", "lr": 9}},
        ),
    ]

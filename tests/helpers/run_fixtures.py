"""Fixtures of tests that need runs."""

from collections.abc import Callable

import pytest

from lenetctl.runs.execute import execute
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.specs.schema import Spec


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def digits() -> Callable[..., Spec]:
    """Make a spec on the embedded digits; keywords go to its sections."""

    def make(name="quick", data=(), model=(), **training):
        return Spec.model_validate(
            {
                "name": name,
                "data": {"dataset": "digits", "limit": 512, "batch_size": 128, **dict(data)},
                "model": {"activation": "relu", "pool": {"kind": "max"}, **dict(model)},
                "training": {"epochs": 2, "optimizer": {"kind": "sgd", "lr": 0.1}, **training},
            }
        )

    return make


@pytest.fixture(scope="session")
def finished(digits, tmp_path_factory) -> Run:
    """A run that nobody may change."""
    return execute(digits(), RunOptions(tmp_path_factory.mktemp("finished"), device="cpu"))


@pytest.fixture(scope="session")
def validated(digits, tmp_path_factory) -> Run:
    """A run with a validation split."""
    spec = digits("validated", data={"validation": 200}, epochs=3)
    return execute(spec, RunOptions(tmp_path_factory.mktemp("validated"), device="cpu"))

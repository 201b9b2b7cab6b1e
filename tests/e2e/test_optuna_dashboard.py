"""The study of a search is Optuna's own: its dashboard opens it as it is."""

import json
import socket
import urllib.request

import pytest
from helpers.waiting import wait_for

from lenetctl.sweeps.events import TrialEvent
from lenetctl.sweeps.grid import parse_grid_option
from lenetctl.sweeps.search.definition import Search
from lenetctl.sweeps.search.study import open_study

SPEC = "data: {dataset: digits, validation: 100}\n"


@pytest.fixture
def searched(project):
    """The database of a search whose trials all failed, as no training is needed here."""
    (project / "spec.yaml").write_text(SPEC)
    key = parse_grid_option("training.optimizer.lr={low: 0.01, high: 1.0, log: true}")
    search = Search.of(project / "spec.yaml", {key.key: key}, (), 3)
    with open_study(search, project / "optuna.db", "random", "none") as study:
        for trial in study:
            study.on_event(TrialEvent(trial.sha256, "failed"))
    return search


def test_the_dashboard_shows_the_trials(searched, project, start):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = start("optuna-dashboard", "sqlite:///optuna.db", "--port", port)

    def ask(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return json.load(answer)

    def answers():
        assert server.poll() is None, server.communicate()
        try:
            return bool(ask("/api/studies"))
        except OSError:
            return False

    wait_for(answers)
    (study,) = ask("/api/studies")["study_summaries"]
    assert study["study_name"] == searched.identity
    shown = ask(f"/api/studies/{study['study_id']}?after=0")
    assert len(shown["trials"]) == 3
    names = {param["name"] for trial in shown["trials"] for param in trial["params"]}
    assert names == {"training.optimizer.lr"}

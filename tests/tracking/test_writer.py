import http.server
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from lenetctl.runs.folder import Run
from lenetctl.tracking import writer as module
from lenetctl.tracking.publish import is_current, publish
from lenetctl.tracking.writer import Writer, outstanding

REFUSED = "http://ann:secret@127.0.0.1:1"  # nothing listens on port 1


@pytest.fixture
def write(monkeypatch):
    """Make a writer that draws nothing, with what it warns of."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    def make(uri):
        warnings = []
        return Writer(uri, lambda run: None, warnings.append), warnings

    return make


@pytest.fixture
def server():
    """Start a server that answers all with one status and body; None: it never answers."""
    started, end = [], threading.Event()

    def start(status, body=""):
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.headers)
                if status is None:
                    end.wait()
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=made.serve_forever, daemon=True).start()
        started.append(made)
        return f"http://127.0.0.1:{made.server_port}", asked

    yield start
    end.set()
    for made in started:
        made.shutdown()
        made.server_close()


def test_what_it_is_told_of_is_published_by_the_time_it_closes(write, client, uri, copied):
    writing, warnings = write(uri)
    for _ in range(5):
        writing.notify(copied)
    writing.close()
    assert is_current(copied, uri)
    assert outstanding([copied], uri) == []
    assert warnings == []


def test_news_that_come_while_it_publishes_are_not_lost(write, monkeypatch, uri, copied):
    publishing, go_on = threading.Event(), threading.Event()
    seen = []

    def slow(client, tracking_uri, run, prepare):
        seen.append(run.status.state)
        publishing.set()
        assert go_on.wait(30)

    monkeypatch.setattr(module, "open_client", lambda uri: None)
    monkeypatch.setattr(module, "publish", slow)
    copied.set_status("RUNNING")
    writing, _ = write(uri)
    writing.notify(copied)
    assert publishing.wait(30)
    copied.set_status("FINISHED", "finished")
    writing.notify(copied)
    threading.Timer(0.2, go_on.set).start()
    writing.close()
    assert seen == ["RUNNING", "FINISHED"]


def test_a_finished_run_is_drawn_before_it_is_published(client, uri, copied):
    drawn = []
    writing = Writer(uri, drawn.append, print)
    writing.notify(copied)
    writing.close()
    assert drawn == [copied]


def test_a_refused_server_warns_once_and_is_waited_for_within_bounds(write, client, uri, copied):
    writing, warnings = write(REFUSED)
    writing.notify(copied)
    writing.notify(copied)
    started = time.monotonic()
    writing.close(patience=2)
    assert time.monotonic() - started < 20
    assert len(warnings) == 1
    assert "127.0.0.1:1 is behind" in warnings[0]
    assert "secret" not in warnings[0]
    assert outstanding([copied], REFUSED) == [copied]

    later, told = write(uri)
    later.notify(copied)
    later.close()
    assert outstanding([copied], uri) == []
    assert told == []


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", ["", "not you", '{"detail": "not you"}'])
def test_a_refusal_is_not_tried_again(write, server, copied, monkeypatch, status, body):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "hush-hush")
    uri, asked = server(status, body)
    writing, warnings = write(uri)
    writing.notify(copied)
    writing._thread.join(30)
    assert not writing._thread.is_alive()
    assert len(asked) <= 2
    assert asked[0]["Authorization"] == "Bearer hush-hush"
    (warning,) = warnings
    assert "hush" not in warning
    writing.close()
    assert outstanding([copied], uri) == [copied]


@pytest.mark.parametrize("body", ["", "oops", '{"error_code": "INTERNAL_ERROR", "message": "x"}'])
def test_a_server_that_answers_500_is_asked_again_within_bounds(write, server, copied, body):
    uri, asked = server(500, body)
    writing, warnings = write(uri)
    writing.notify(copied)
    started = time.monotonic()
    writing.close(patience=1)
    assert time.monotonic() - started < 20
    assert len(asked) >= 2
    assert len(warnings) == 1


def test_a_server_that_hangs_is_waited_for_within_bounds(write, server, copied, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    uri, asked = server(None)
    writing, warnings = write(uri)
    started = time.monotonic()
    writing.notify(copied)
    assert time.monotonic() - started < 1  # training goes on at once
    writing.close(patience=1)
    assert time.monotonic() - started < 20
    assert asked
    (warning,) = warnings
    assert "is behind, training goes on" in warning


def test_a_slow_store_is_waited_for_as_long_as_it_gets_on(write, monkeypatch, uri, copied):
    done = []

    def slow(client, tracking_uri, run, prepare):
        time.sleep(0.3)
        done.append(run)

    monkeypatch.setattr(module, "open_client", lambda uri: None)
    monkeypatch.setattr(module, "publish", slow)
    writing, _ = write(uri)
    runs = [Run(copied.path.parent / str(number)) for number in range(5)]
    for run in runs:
        shutil.copytree(copied.path, run.path)
        writing.notify(run)
    writing.close(patience=0.5)
    assert done == runs


def test_numbers_that_look_like_a_refusal_are_none(write, monkeypatch, uri, copied):
    attempts = []

    def publish(client, tracking_uri, run, prepare):
        attempts.append(run)
        if len(attempts) == 1:
            raise OSError("database is locked: run 5401c403")

    monkeypatch.setattr(module, "open_client", lambda uri: None)
    monkeypatch.setattr(module, "publish", publish)
    writing, _ = write(uri)
    writing.notify(copied)
    writing.close()
    assert attempts == [copied, copied]


def test_closing_an_idle_writer_opens_no_store(write, tmp_path):
    writing, warnings = write(f"sqlite:///{tmp_path / 'new.db'}")
    writing.close()
    assert not (tmp_path / "new.db").exists()
    assert warnings == []


def test_the_end_of_a_run_is_published_even_in_a_hurry(write, client, uri, copied):
    writing, _ = write(uri)
    writing.notify(copied)
    writing.stop(within=30)
    assert outstanding([copied], uri) == []


def test_a_run_that_was_deleted_in_mlflow_keeps_no_other_waiting(client, uri, copied, tmp_path):
    publish(client, uri, copied)
    client.delete_run(copied.published.run_id)
    (copied.path / "evaluations").mkdir()
    (copied.path / "activations").mkdir()
    (copied.path / "activations" / "late.png").touch()  # so that it is behind
    other = Run(Path(shutil.copytree(copied.path, tmp_path / "other-s0-1")))
    (other.path / "published.json").unlink()
    warnings = []
    writer = Writer(uri, lambda _: None, warnings.append)
    writer.notify(copied)
    writer.notify(other)
    started = time.monotonic()
    writer.close(patience=20)
    assert time.monotonic() - started < 20
    assert is_current(other, uri)
    (warning,) = warnings
    assert copied.path.name in warning
    assert f"mlflow runs restore --run-id {copied.published.run_id}" in warning
    client.restore_run(copied.published.run_id)
    publish(client, uri, copied)
    assert is_current(copied, uri)


def test_a_deleted_experiment_is_told_with_the_way_back(client, uri, copied):
    publish(client, uri, copied)
    experiment = client.get_run(copied.published.run_id).info.experiment_id
    client.delete_experiment(experiment)
    (copied.path / "published.json").unlink()
    warnings = []
    writer = Writer(uri, lambda _: None, warnings.append)
    writer.notify(copied)
    writer.close(patience=20)
    assert f"mlflow experiments restore --experiment-id {experiment}" in warnings[0]


def test_what_waiting_does_not_mend_is_not_tried_again(write, copied, empty_database, tmp_path):
    database = shutil.copy(empty_database, tmp_path / "mlflow.db")
    with sqlite3.connect(database) as made:
        made.execute("UPDATE alembic_version SET version_num = 'f5a4f2784254'")
    writing, warnings = write(f"sqlite:///{database}")
    started = time.monotonic()
    writing.notify(copied)
    writing.close(patience=30)
    assert time.monotonic() - started < 15
    (warning,) = warnings
    assert "out-of-date database schema" in warning

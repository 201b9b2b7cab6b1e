import http.server
import threading
import time

import pytest

from lenetctl.tracking import writer as module
from lenetctl.tracking.publish import is_current
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
def unauthorised():
    """A server that answers 401 to everything, with the number of requests so far."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(401)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


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

    def slow(client, tracking_uri, run):
        seen.append(run.status["status"])
        publishing.set()
        assert go_on.wait(30)

    monkeypatch.setattr(module, "client", lambda uri: None)
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


def test_a_refusal_is_not_tried_again(write, unauthorised, copied):
    uri, asked = unauthorised
    writing, warnings = write(uri)
    writing.notify(copied)
    writing._thread.join(30)
    assert not writing._thread.is_alive()
    assert len(asked) <= 2
    assert len(warnings) == 1
    writing.close()
    assert outstanding([copied], uri) == [copied]


def test_numbers_that_look_like_a_refusal_are_none(write, monkeypatch, uri, copied):
    attempts = []

    def publish(client, tracking_uri, run):
        attempts.append(run)
        if len(attempts) == 1:
            raise OSError("database is locked: run 5401c403")

    monkeypatch.setattr(module, "client", lambda uri: None)
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

import re
import socket
import subprocess
import sys

from lenetctl.cli.commands import ui


def test_a_port_that_is_taken_is_2_with_a_free_one(lenetctl, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = lenetctl("ui", "--port", port)
    assert result.code == 2
    told = re.fullmatch(rf"error: --port {port}: .*; --port (\d+) is free\n", result.err)
    assert told
    socket.create_server(("127.0.0.1", int(told[1]))).close()
    assert list(tmp_path.iterdir()) == []


def test_a_browser_shows_it_once_the_server_answers(monkeypatch):
    shown = []
    monkeypatch.setattr(ui.typer, "launch", shown.append)
    wait = [sys.executable, "-c", "input()"]
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        subprocess.Popen(wait, stdin=subprocess.PIPE) as process,
    ):
        ui._launch(process, server.getsockname()[1], "http://address")
        process.communicate(b"\n")
    assert shown == ["http://address"]


def test_no_browser_is_shown_where_the_server_ended(monkeypatch):
    monkeypatch.setattr(ui.typer, "launch", lambda _: 1 / 0)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        ui._launch(process, port, "http://address")
    assert process.returncode == 0

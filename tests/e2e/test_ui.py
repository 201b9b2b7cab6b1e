"""MLflow's UI on a store that lenetctl filled, seen by a real browser."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest

pytestmark = pytest.mark.browser

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(command, port, folder):
    """Run a server until the context ends; yields its address once it answers."""
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, cwd=folder, start_new_session=True, **silent)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5)
                break
            except OSError:
                assert server.poll() is None, "the server ended"
                time.sleep(0.5)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # MLflow's own children, too
        server.wait(20)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project folder with one finished run in MLflow's default store."""
    folder = tmp_path_factory.mktemp("project")
    spec = folder / "digits.yaml"
    spec.write_text("data: {dataset: digits}\ntraining: {epochs: 2}\n")
    subprocess.run(
        [sys.executable, "-m", "lenetctl", "train", spec.name, "-q"], cwd=folder, check=True
    )
    return folder


@pytest.mark.parametrize("command", ["mlflow ui", "lenetctl ui"])
def test_the_ui_shows_the_run_its_metrics_and_its_curves(project, command):
    from playwright.sync_api import sync_playwright

    port = free_port()
    arguments = [sys.executable, "-m", *command.split(), "--port", str(port)]
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with served(arguments, port, project) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{address}/#/experiments/1/runs")
        page.get_by_text("digits-s0").first.click()
        page.get_by_text("final/test/accuracy").first.wait_for()
        page.goto(page.url.split("?")[0] + "/artifacts")
        page.get_by_text("curves.png").first.click()
        page.locator("img[src*='curves.png'], img[src^='blob:']").first.wait_for()
        browser.close()

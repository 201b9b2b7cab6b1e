"""MLflow's UI on a store that lenetctl filled, seen by a real browser.

LENETCTL_PROJECT=FOLDER shows the finished sweep of exercise 1 of that project, and
LENETCTL_SCREENSHOTS=FOLDER keeps what was seen: so the pictures of docs/tracking.md were made.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SETTINGS = (
    "data.dataset=digits",
    "data.validation=200",
    "model.activation=relu",
    "training.optimizer.lr=0.1",
    "training.epochs=2",
)
RUNS = ("baseline-s0", "max-s0")
PATIENCE = 120  # seconds for a page to show what it should


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


@contextmanager
def browsed(browser, address):
    """Yield a page of Chromium, as of a user who was never here."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(address)
    yield page
    page.close()


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project folder whose default store has the sweep of exercise 1, finished."""
    if "LENETCTL_PROJECT" in os.environ:
        return Path(os.environ["LENETCTL_PROJECT"])
    folder = tmp_path_factory.mktemp("project")
    options = [word for setting in SETTINGS for word in ("-s", setting)]
    command = [sys.executable, "-m", "lenetctl", "sweep", EXPERIMENTS / "exercise1", "--seeds", "0"]
    subprocess.run([*command, *options, "-q"], cwd=folder, check=True)
    return folder


@pytest.fixture
def keep():
    """Keep a screenshot where LENETCTL_SCREENSHOTS says, without the machine's own paths."""

    def shoot(page, name):
        if "LENETCTL_SCREENSHOTS" in os.environ:
            page.mouse.move(0, 0)
            time.sleep(1)  # for what fades in
            file = Path(os.environ["LENETCTL_SCREENSHOTS"]) / f"mlflow-{name}.png"
            page.screenshot(path=file, mask=[page.get_by_text("Path:")], mask_color="white")

    return shoot


def open_sweep(page):
    """Go to the runs of exercise 1, which are folded below the sweep's own."""
    page.get_by_text("exercise1").first.click()
    page.locator("[role=gridcell] button").first.click()
    page.get_by_text(RUNS[0]).first.wait_for()


def test_the_ui_shows_a_sweep_its_runs_their_comparison_and_their_pictures(browser, project, keep):
    port = free_port()
    command = [sys.executable, "-m", "lenetctl", "ui", "--port", str(port)]
    with served(command, port, project) as address, browsed(browser, f"{address}/training") as page:
        open_sweep(page)
        keep(page, "runs")

        for name in RUNS:
            page.locator(".ag-row", has_text=name).get_by_role("checkbox").first.click()
        page.get_by_role("button", name="Compare").first.click()
        page.locator(".js-plotly-plot svg").first.wait_for()
        text = page.inner_text("body")
        for part in ("Comparing 2 Runs", *RUNS, "model.pool.kind", "final/test/accuracy"):
            assert part in text
        keep(page, "compare")

        page.get_by_role("link", name=re.compile("^[0-9a-f]{32}$")).last.click()  # of max-s0
        page.get_by_text("final/test/accuracy").first.wait_for()
        text = page.inner_text("body")
        assert re.search(r"final/test/accuracy\s+0\.\d+", text)
        assert re.search(r"model\.pool\.kind\s+max\s", text)

        run = page.url.split("?")[0]
        page.goto(run + "/model-metrics")
        page.get_by_placeholder("Search metric charts").fill("^train|^validation")
        page.get_by_text(f"{RUNS[1]} (train/accuracy)").first.wait_for()
        assert page.get_by_text("best/test").count() == 0
        keep(page, "charts")

        page.goto(run + "/artifacts")
        page.get_by_text("curves.png").first.click()
        page.locator("img[src*='curves.png'], img[src^='blob:']").first.wait_for()
        keep(page, "curves")

        page.get_by_role("link", name="Models", exact=True).first.click()
        page.get_by_role("link", name="model", exact=True).first.wait_for()
        page.get_by_text(RUNS[0]).first.wait_for()
        keep(page, "models")


def test_a_plain_mlflow_ui_shows_the_runs(browser, project):
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "ui", "--port", str(port)]
    with served(command, port, project) as address, browsed(browser, address) as page:
        page.get_by_text("Model training").first.click()
        page.get_by_role("button", name="Close").last.click()  # MLflow's assistant
        page.goto(f"{address}/#/experiments")
        open_sweep(page)
        page.get_by_text(RUNS[1]).first.wait_for()

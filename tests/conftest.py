"""Which tests run where, and that none is skipped where it must not be."""

import os
import shutil
import signal

import pytest

# tests run side by side; two torches with two threads each on two cores wait for each other
os.environ.setdefault("OMP_NUM_THREADS", "1")

# LENETCTL_WITHOUT_POSIX=1: names that Windows lacks are taken away before anything looks for them
POSIX_ONLY = {
    os: ("nice", "killpg", "getpgid", "setsid", "statvfs", "mkfifo"),
    signal: ("pthread_sigmask", "SIG_BLOCK", "SIG_SETMASK", "SIGHUP", "SIGUSR1", "alarm"),
}
if os.environ.get("LENETCTL_WITHOUT_POSIX"):
    for module, names in POSIX_ONLY.items():
        for name in names:
            delattr(module, name)

# LENETCTL_NO_SKIPS=realdata,browser: there a skipped test of these markers is a failure
UNSKIPPABLE = set(filter(None, os.environ.get("LENETCTL_NO_SKIPS", "").split(",")))


CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _missing() -> dict[str, str]:
    """Return why the tests of a marker cannot run here, by marker."""
    reasons = {}
    if "LENETCTL_DATA" not in os.environ:
        reasons["realdata"] = "LENETCTL_DATA is not set: the folder with the real Fashion-MNIST"
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        reasons["browser"] = "no Chromium here"
    return reasons


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    reasons = _missing()
    for item in items:
        for marker, reason in reasons.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))
    if "slow" not in config.getoption("-m"):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device here")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    marked = {marker.name for marker in item.iter_markers()} & UNSKIPPABLE
    if report.skipped and marked:
        report.outcome = "failed"
        report.longrepr = f"a {', '.join(marked)} test must not be skipped here: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def browser():
    """Chromium, one for all tests of a process: Playwright cannot be started twice in one."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield found
        found.close()

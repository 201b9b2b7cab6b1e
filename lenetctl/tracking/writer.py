"""The one writer to MLflow of a process: a thread that training never waits for."""

import queue
import threading
import time
from collections.abc import Callable

from lenetctl.runs.folder import Run
from lenetctl.tracking.publish import is_current, publish
from lenetctl.tracking.store import client, redacted

LONGEST_PAUSE = 10.0  # seconds between two attempts
# what another attempt does not mend: HTTP 401 and 403 as MLflow names them
REFUSALS = ("UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED", "PERMISSION_DENIED")


class Writer:
    """Publishes the runs that it is told of; what fails is tried again until `close`."""

    def __init__(
        self, tracking_uri: str, prepare: Callable[[Run], None], warn: Callable[[str], None]
    ) -> None:
        """`prepare` draws what a finished run's folder still lacks; `warn` tells the user once."""
        self.tracking_uri = tracking_uri
        self._prepare, self._warn = prepare, warn
        self._told: queue.SimpleQueue[Run | None] = queue.SimpleQueue()
        self._waiting: dict[str, Run] = {}
        self._closing: float | None = None  # time.monotonic() until which to go on trying
        self._warned = False
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def notify(self, run: Run) -> None:
        """Say that `run` has something new; returns at once."""
        self._told.put(run)

    def close(self, patience: float = 30.0, last_attempt: float = 30.0) -> None:
        """Publish what is left: begin attempts for `patience` seconds, end the last one in time."""
        self._closing = time.monotonic() + patience
        self._told.put(None)
        self._thread.join(patience + last_attempt)

    def _work(self) -> None:
        made, pause = None, 0.5
        while True:
            self._collect(timeout=pause if self._waiting else None)
            try:
                for name, run in list(self._waiting.items()):
                    made = made or client(self.tracking_uri)
                    if run.status["status"] == "FINISHED":
                        self._prepare(run)
                    publish(made, self.tracking_uri, run)
                    del self._waiting[name]
                pause = 0.5
            except Exception as error:  # noqa: BLE001  a store may fail in any way
                self._say(error)
                pause = min(2 * pause, LONGEST_PAUSE)
                if getattr(error, "error_code", None) in REFUSALS:
                    return
            done = not self._waiting and self._told.empty()
            if self._closing and (done or time.monotonic() > self._closing):
                return

    def _collect(self, timeout: float | None) -> None:
        """Wait for news, then take all there is."""
        try:
            told = self._told.get(timeout=timeout)
            while True:
                if told:
                    self._waiting[told.path.name] = told
                told = self._told.get_nowait()
        except queue.Empty:
            return

    def _say(self, error: Exception) -> None:
        if not self._warned:
            first = redacted(str(error)).strip().splitlines()[0] if str(error).strip() else ""
            where = redacted(self.tracking_uri)
            self._warn(f"tracking at {where} is behind, training goes on: {first[:200]}")
        self._warned = True


def outstanding(runs: list[Run], tracking_uri: str) -> list[Run]:
    """Return those of `runs` that MLflow does not have in full."""
    return [run for run in runs if not is_current(run, tracking_uri)]

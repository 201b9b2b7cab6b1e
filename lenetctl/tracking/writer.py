"""The one writer to MLflow: a thread that nobody waits for."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from lenetctl.runs.folder import Run
from lenetctl.tracking.failures import concerns_one_run, is_full, useful_line, will_not_mend
from lenetctl.tracking.publish import is_current, publish
from lenetctl.tracking.store import open_client
from lenetctl.tracking.sweeps.parent import Sweep, sweep_of
from lenetctl.tracking.uri import redacted

if TYPE_CHECKING:
    from mlflow import MlflowClient

LONGEST_PAUSE = 10.0  # seconds between two attempts


class Writer:
    """Publishes the runs that it is told of; what fails is tried again until `close`."""

    def __init__(
        self, tracking_uri: str, prepare: Callable[[Run], None], warn: Callable[[str], None]
    ) -> None:
        """`prepare` draws what a finished run's folder still lacks; `warn` tells the user once."""
        self.tracking_uri = tracking_uri
        self._prepare, self.warn = prepare, warn
        self._inbox: queue.SimpleQueue[Run | None] = queue.SimpleQueue()
        self._waiting: dict[str, Run] = {}
        self._sweeps: set[Sweep] = set()  # of runs that it published
        self._patience: float | None = None  # seconds without a success, once it is closing
        self._success = 0.0  # time.monotonic() of the last one, or of closing
        self._warned = False
        self.disk_is_full = False  # as the last attempt met it
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def notify(self, run: Run) -> None:
        """Say that `run` has something new; returns at once."""
        self._inbox.put(run)

    def close(self, patience: float = 30.0, last_attempt: float = 30.0) -> None:
        """Publish what is left, unless no run gets published for `patience` seconds.

        An attempt begun by then has `last_attempt` seconds to end.
        """
        self._success = time.monotonic()
        self._patience = patience  # last: the thread compares the two once this is set
        self._inbox.put(None)
        while self._thread.is_alive():
            left = self._success + patience + last_attempt - time.monotonic()
            if left <= 0:
                return
            self._thread.join(left)

    def stop(self, within: float) -> None:
        """Publish what can be published `within` so many seconds; `sync` publishes the rest."""
        self._success = time.monotonic()
        self._patience = within
        self._inbox.put(None)
        self._thread.join(within)

    def _work(self) -> None:
        made, pause = None, 0.5
        while True:
            self._collect(timeout=pause if self._waiting else None)
            try:
                for name, run in list(self._waiting.items()):
                    made = made or open_client(self.tracking_uri)
                    self._publish(made, name, run)
                    self._success, self.disk_is_full = time.monotonic(), False
                pause = 0.5
            except Exception as error:  # noqa: BLE001  a store may fail in any way
                self._say(error)
                self.disk_is_full = is_full(error)
                pause = min(2 * pause, LONGEST_PAUSE)
                if will_not_mend(self.tracking_uri, error):
                    return
            done = not self._waiting and self._inbox.empty()
            if done and self._patience is not None and made:
                self._end_sweeps(made)
            late = time.monotonic() > self._success + (self._patience or 0)
            if self._patience is not None and (done or late):
                return

    def _publish(self, client: MlflowClient, name: str, run: Run) -> None:
        """Publish one run; what is wrong with it alone is told, and keeps no other waiting."""
        try:
            publish(client, self.tracking_uri, run, self._prepare)
            if sweep := sweep_of(run):
                self._sweeps.add(sweep)
        except Exception as error:
            if not concerns_one_run(error):
                raise
            self.warn(f"{name} is not published: {useful_line(error)}")
        del self._waiting[name]

    def _end_sweeps(self, client: MlflowClient) -> None:
        """Let the parents of the sweeps tell of them, once and not with each of their runs."""
        from lenetctl.tracking.sweeps.summary import log_sweep  # noqa: PLC0415  SciPy

        for sweep in self._sweeps:
            try:
                log_sweep(client, sweep)
            except Exception as error:  # noqa: BLE001  a store may fail in any way
                self.warn(f"the sweep {sweep.name} has its runs, no summary: {useful_line(error)}")

    def _collect(self, timeout: float | None) -> None:
        """Wait for news, then take all there is."""
        try:
            run = self._inbox.get(timeout=timeout)
            while True:
                if run:
                    self._waiting[run.path.name] = run
                run = self._inbox.get_nowait()
        except queue.Empty:
            return

    def _say(self, error: Exception) -> None:
        if not self._warned:
            where = redacted(self.tracking_uri)
            self.warn(f"tracking at {where} is behind, training goes on: {useful_line(error)}")
        self._warned = True


def outstanding(runs: list[Run], tracking_uri: str) -> list[Run]:
    """Return those of `runs` that MLflow does not have in full."""
    return [run for run in runs if not is_current(run, tracking_uri)]

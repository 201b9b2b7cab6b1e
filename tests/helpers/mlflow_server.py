"""A real MLflow server, to be killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

PATIENCE = 600  # seconds for the server to answer at all, on a busy machine


class Server:
    """`mlflow server` with its artifacts below `folder`, always on the same port.

    Its `database` is there, too, unless another one is named.
    """

    def __init__(self, folder: Path, database: str = "sqlite:///server.db") -> None:
        folder.mkdir()
        self._folder, self._database = folder, database
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        """Start it and wait for its first answer."""
        log = self._folder / "log.txt"
        with log.open("a") as output:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
                    *("--host", "127.0.0.1", "--port", str(self._port)),
                    *("--backend-store-uri", self._database),
                    *("--artifacts-destination", "./artifacts"),
                ],
                cwd=self._folder,
                stdout=output,
                stderr=output,
                env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"},
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=5):
                    return
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.kill()
                    raise RuntimeError(log.read_text()) from None
                time.sleep(0.1)

    def kill(self) -> None:
        """Kill it and all its workers, as a machine that is switched off."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

"""One contender in its own process: trains an epoch for each line on stdin, says its seconds."""

import importlib
import os
import sys
import time
from pathlib import Path


def main(module: str, variant: str) -> None:
    """Run `contenders/MODULE.py` until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    started: float | None = None

    def begin() -> None:
        nonlocal started
        if started is not None:
            print(time.perf_counter() - started, file=answers, flush=True)
        if not sys.stdin.readline():
            os._exit(0)
        started = time.perf_counter()

    sys.path.insert(0, str(Path(__file__).parent / "contenders"))
    importlib.import_module(module).run(begin, variant)


if __name__ == "__main__":
    main(*sys.argv[1:])

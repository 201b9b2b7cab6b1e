"""How a run is shown: live while it trains, then the closing lines as the book prints them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from types import TracebackType
from typing import Any

import rich.progress
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

from lenetctl.cli.console import Console
from lenetctl.cli.views.sparkline import sparkline
from lenetctl.runs.callbacks import RunCallback
from lenetctl.runs.folder import Run
from lenetctl.specs.schema import Spec
from lenetctl.tracking.uri import DEFAULT, redacted
from lenetctl.tracking.writer_process import WriterProcess
from lenetctl.training.metrics import (
    EPOCH_SECONDS,
    TEST_ACCURACY,
    TRAIN_ACCURACY,
    TRAIN_LOSS,
    VALIDATION_ACCURACY,
    EpochResult,
    Progress,
    accuracy_of,
    loss_of,
)

MOST_BLOCKS = 40  # of a sparkline; of more epochs neighbours are averaged


class RunView(RunCallback):
    """Shows a bar on a terminal and a line an epoch everywhere, and tells the writer."""

    def __init__(self, console: Console, writing: WriterProcess) -> None:
        self.run: Run | None = None
        self._console, self._writing = console, writing
        live = console.rich.is_terminal and not console.quiet
        columns = (TextColumn("{task.description}"), BarColumn(None), TimeRemainingColumn())
        self._bar = (
            rich.progress.Progress(*columns, console=console.rich, transient=True) if live else None
        )
        self._task = self._bar.add_task("starting", total=None) if self._bar else None

    def __enter__(self) -> None:
        (self._bar or nullcontext()).__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        (self._bar or nullcontext()).__exit__(kind, error, trace)

    def on_start(self, run: Run, spec: Spec, epochs_done: int) -> None:
        """Say which run starts, or from where it goes on."""
        self.run, self._epochs = run, spec.training.epochs
        self._writing.notify(run)
        record = run.record
        parameters = f"{record.parameters:,} parameters"
        self._console.say(f"{record.name}: {parameters}, {record.device}, {record.engine}")
        if epochs_done:
            self._console.say(f"resumed after epoch {epochs_done}")

    def on_progress(self, progress: Progress) -> None:
        """Move the bar."""
        done = progress.epoch - 1 + progress.step / progress.steps
        self._move(progress.epoch, done, progress.loss, progress.accuracy)

    def on_epoch_end(self, run: Run, result: EpochResult) -> None:
        """Print the epoch's line."""
        self._writing.notify(run)
        metrics = result.metrics
        watched = _watched(metrics)
        self._move(result.epoch, result.epoch, metrics[TRAIN_LOSS], metrics[TRAIN_ACCURACY])
        self._console.say(
            f"epoch {result.epoch:>{len(str(self._epochs))}}/{self._epochs}: "
            f"loss {metrics[TRAIN_LOSS]:.3f}, train acc {metrics[TRAIN_ACCURACY]:.3f}, "
            f"{watched} loss {metrics[loss_of(watched)]:.3f}, "
            f"{watched} acc {metrics[accuracy_of(watched)]:.3f}, "
            f"{metrics[EPOCH_SECONDS]:.1f} s"
        )

    def on_warning(self, message: str) -> None:
        """Pass a warning on."""
        self._console.warn(message)

    def _move(self, epoch: int, done: float, loss: float, accuracy: float) -> None:
        if self._bar is not None and self._task is not None:
            said = f"epoch {epoch}/{self._epochs}  loss {loss:.3f}  acc {accuracy:.3f}"
            self._bar.update(self._task, description=said, total=self._epochs, completed=done)


def train_document(run: Run, tracking_uri: str) -> dict[str, Any]:
    """Return what `train --json` prints."""
    record, result = run.record, run.result
    return {
        "name": record.name,
        "run_id": run.published.run_id,
        "status": run.status.state,
        "outcome": run.status.outcome,
        "spec_sha256": record.spec_sha256,
        "folder": str(run.path),
        "tracking_uri": redacted(tracking_uri),
        "parameters": record.parameters,
        "examples_per_second": result.examples_per_second,
        "metrics": result.final,
        "best": result.best,
        "epochs": run.epochs(),
    }


def summary(run: Run, tracking_uri: str, command: str, *, blocks: bool) -> str:
    """Return the closing lines: the first two are the book's; with `blocks`, sparklines."""
    record, result = run.record, run.result
    final, best = result.final, result.best
    ui = "lenetctl ui"
    if tracking_uri != DEFAULT:
        ui += f" --tracking-uri {shlex.quote(redacted(tracking_uri))}"
    return "\n".join(
        (
            (
                f"loss {final[TRAIN_LOSS]:.3f}, train acc {final[TRAIN_ACCURACY]:.3f}, "
                f"test acc {final[TEST_ACCURACY]:.3f}"
            ),
            f"{result.examples_per_second:.1f} examples/sec on {record.device}",
            f"best epoch {best['epoch']}, test acc {best[TEST_ACCURACY]:.3f}",
            *(_curves(run.epochs()) if blocks else ()),
            f"run      {record.name}  {run.published.run_id or 'not in MLflow yet'}",
            f"folder   {run.path}",
            f"compare  {ui}",
            f"repeat   {command}",
        )
    )


def _curves(epochs: list[dict[str, float]]) -> Iterator[str]:
    """Yield a sparkline of the loss and one of the accuracy that was watched."""
    watched = _watched(epochs[0])
    shown = {"loss": TRAIN_LOSS, f"{watched} acc": accuracy_of(watched)}
    for title, (words, key) in zip(("curves", ""), shown.items(), strict=True):
        values = [line[key] for line in epochs]
        line = sparkline(values, MOST_BLOCKS)
        yield f"{title:<8} {line}  {words} {values[0]:.3f} to {values[-1]:.3f}"


def _watched(metrics: Mapping[str, float]) -> str:
    """Return the split that was measured after every epoch."""
    return "validation" if VALIDATION_ACCURACY in metrics else "test"

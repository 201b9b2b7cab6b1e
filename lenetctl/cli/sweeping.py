"""The parts of `lenetctl sweep` that follow its plan: data, runs, ranking."""

from collections.abc import Callable, Sequence
from pathlib import Path

from lenetctl.cli.leaderboard import leaderboard, print_leaderboard
from lenetctl.cli.screen import Screen
from lenetctl.cli.sweep_view import Board
from lenetctl.data import fetch as fetching
from lenetctl.data import store
from lenetctl.data.catalog import CATALOG
from lenetctl.runs.collection import ROOT, settle
from lenetctl.runs.plan import Trial
from lenetctl.runs.sweep import News, Tell
from lenetctl.tracking.writer import Writer


def go_through(work: Callable[[Tell], None], board: Board, writing: Writer) -> None:
    """Do the work; where it is stopped, MLflow still hears of what was in training."""

    def tell(news: News) -> None:
        board.tell(news)
        if news.run:
            writing.notify(news.run)

    try:
        with board:
            work(tell)
    except KeyboardInterrupt:
        for run in settle(ROOT):
            writing.notify(run)
        for row in board.rows.values():
            if row.status == "running" and row.run:
                writing.notify(row.run)
        writing.close(patience=1)  # `sync` publishes what this leaves
        board.screen.warn(f"stopped: {board.said()}; the same command goes on")
        raise


def fetch(trials: Sequence[Trial], data_dir: Path | None) -> None:
    """Fetch what is missing once, here, and not in every worker."""
    where = store.data_dir(data_dir)
    for name in sorted({trial.spec.data.dataset for trial in trials} & CATALOG.keys()):
        if not store.complete(name, where):
            fetching.fetch(name, where)


def conclude(board: Board, screen: Screen) -> None:
    """Print the ranking of what is done."""
    done = [
        (row.trial.spec.name, row.run)
        for row in board.rows.values()
        if row.run and row.status in ("finished", "skipped")
    ]
    ranking = leaderboard(done) if done else None
    if ranking and not screen.as_json:
        print_leaderboard(ranking, screen.console)
    screen.result(board.document() | {"leaderboard": ranking}, board.said())

"""What a search chooses from: the values of a list, or a range of numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lenetctl.errors import Problem, SpecError
from lenetctl.sweeps.grid import SweptKey

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

KEYS = ("low", "high", "log", "step")
DIGITS = 3  # of a number between low and high: enough to tell rates apart, few enough to read


@dataclass(frozen=True)
class Choices:
    """One of several values, of any kind that YAML has."""

    key: str
    extremes: tuple[Any, ...]  # all of them

    def __str__(self) -> str:
        """`model.pool.kind: "avg", "max"`."""
        return f"{self.key}: {', '.join(self._words)}"

    def suggest(self, trial: BaseTrial) -> Any:
        """Return the value that `trial` is to have."""
        return json.loads(trial.suggest_categorical(self.key, sorted(self._words)))

    @property
    def meaning(self) -> str:
        """The choices in one order, however they are written: another order is no other choice."""
        return f"{self.key}: {', '.join(sorted(self._words))}"

    @property
    def _words(self) -> list[str]:
        # as JSON, because Optuna knows no lists
        return [json.dumps(value, ensure_ascii=False) for value in self.extremes]


@dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, both included; whole numbers where both ends are."""

    key: str
    low: float
    high: float
    log: bool = False  # as likely from 0.01 to 0.1 as from 0.1 to 1
    step: float | None = None

    @property
    def extremes(self) -> tuple[float, float]:
        """The ends."""
        return (self.low, self.high)

    def __str__(self) -> str:
        """`training.optimizer.lr: 0.01 to 1, log`."""
        step = f", step {self.step}" if self.step else ""
        return f"{self.key}: {self.low} to {self.high}{', log' if self.log else ''}{step}"

    @property
    def meaning(self) -> str:
        """As it is written."""
        return str(self)

    def suggest(self, trial: BaseTrial) -> float:
        """Return the number that `trial` is to have, rounded to three digits if not whole."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(
                self.key, self.low, self.high, step=int(self.step or 1), log=self.log
            )
        value = trial.suggest_float(self.key, self.low, self.high, step=self.step, log=self.log)
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)


def search_dimension(axis: SweptKey) -> Choices | Range:
    """Return what `axis` lets a search choose from: `{low: …, high: …}` is a range, else its list.

    Raises:
        SpecError: a range that has no numbers in it.

    """
    first, *others = axis.values
    if others or not isinstance(first, dict) or not {"low", "high"} <= first.keys():
        return Choices(axis.key, tuple(axis.values))
    if problem := _problem(**first):
        raise SpecError([Problem(axis.origin.file, axis.origin.line, axis.key, problem)])
    return Range(axis.key, **first)


def _problem(low: Any, high: Any, log: Any = False, step: Any = None, **unknown: Any) -> str | None:
    """Return what is wrong with a range, if anything."""
    if unknown:
        return f"{', '.join(unknown)}: unknown (a range has {', '.join(KEYS)})"
    numbers = (low, high, 1 if step is None else step)
    if any(isinstance(n, bool) or not isinstance(n, int | float) for n in numbers):
        return "low, high and step must be numbers"
    whole = isinstance(low, int) and isinstance(high, int)
    wrong = {
        "log must be true or false": not isinstance(log, bool),
        f"low {low} must be below high {high}": low >= high,
        "a log range begins above 0 and has no step": log and (low <= 0 or step is not None),
        "step must be above 0": numbers[2] <= 0,
        "step must be whole, as low and high are": whole and not isinstance(numbers[2], int),
    }
    return next((message for message, so in wrong.items() if so), None)

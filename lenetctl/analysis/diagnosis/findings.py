"""From what was measured of a spec to what is likely to go wrong with it, and what helps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from lenetctl.errors import Problem
from lenetctl.specs.schema import Spec
from lenetctl.specs.yaml import KeyPath, Origin, dotted
from lenetctl.training.diagnostics.first_steps import STEPS
from lenetctl.training.diagnostics.layers import LayerStatistics
from lenetctl.training.diagnostics.range_test import RangeTest

# Nats that the loss is to fall by, to first order: with less, a net stays at guessing.
# Measured by benchmarks/diagnose.py.
LEAST_FALL = 0.002
MOSTLY_DEAD = 0.5  # share of a layer's channels or neurons
RATE: KeyPath = ("training", "optimizer", "lr")

Locate = Callable[[KeyPath], Origin]  # where a key of the spec is written


@dataclass(frozen=True)
class Beginning:
    """A net as training begins with it, from one seed."""

    seed: int
    layers: list[LayerStatistics]
    expected_fall: float  # of the loss over the training, to first order, in nats

    @property
    def stays_at_guessing(self) -> bool:
        """Whether too little of the images gets through for the net to learn in its epochs."""
        return self.expected_fall < LEAST_FALL


@dataclass(frozen=True)
class Finding:
    """A likely cause, told like a problem of the spec, and what usually helps."""

    problem: Problem
    remedies: tuple[str, ...]  # each the settings of some `-s`, separated by spaces

    def __str__(self) -> str:
        """`relu.yaml:7: training.optimizer.lr: …; try -s training.optimizer.lr=0.1`."""
        return f"{self.problem}; try {' or '.join(self.arguments)}"

    @property
    def arguments(self) -> list[str]:
        """The remedies as a command takes them."""
        return [" ".join(f"-s {one}" for one in remedy.split()) for remedy in self.remedies]

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as `--json` shows it."""
        return {**asdict(self.problem), "try": self.arguments}


def find_causes(
    spec: Spec,
    beginnings: Sequence[Beginning],
    after_first_steps: float,
    tested: RangeTest,
    locate: Locate,
) -> list[Finding]:
    """Return what is likely to keep `spec` from learning; nothing where it should learn.

    Args:
        spec: what would be trained.
        beginnings: its nets from some seeds, its own first.
        after_first_steps: the expected fall once its own net has done its first steps, in nats.
        tested: its range test.
        locate: where a key of it is written.

    """

    def finding(path: KeyPath, message: str, *remedies: str) -> Finding:
        origin = locate(path)
        return Finding(Problem(origin.file, origin.line, dotted(path), message), remedies)

    rules = (
        _rate_too_large(spec, beginnings[0], after_first_steps, tested),
        _no_signal(spec, beginnings, tested),
        _dead(beginnings),
    )
    return [finding(*found) for rule in rules for found in rule]


_Found = tuple[Any, ...]  # a key's path, a message, and remedies


def _rate_too_large(
    spec: Spec, beginning: Beginning, after_first_steps: float, tested: RangeTest
) -> Iterator[_Found]:
    if beginning.stays_at_guessing or after_first_steps >= LEAST_FALL:
        return
    rate = spec.training.optimizer.lr
    smaller = min(tested.suggestion, float(f"{rate / 10:.2g}"))
    yield (
        RATE,
        f"{rate:g} is too large: {STEPS} steps at it leave a net that answers all images alike",
        f"training.optimizer.lr={smaller:g}",
    )


def _no_signal(spec: Spec, beginnings: Sequence[Beginning], tested: RangeTest) -> Iterator[_Found]:
    stuck = [one for one in beginnings if one.stays_at_guessing]
    if not stuck:
        return
    fall = median(one.expected_fall for one in stuck)
    first = stuck[0].layers[0]
    seeds = ", ".join(str(one.seed) for one in stuck)
    measured = (
        f"it will stay at guessing with seed {seeds}: so little of the images gets through that "
        f"{spec.training.epochs} epochs take {fall:.2g} nats off the loss to first order, where "
        f"{LEAST_FALL:g} are needed"
    )
    needed = spec.training.optimizer.lr * LEAST_FALL / fall if fall > 0 else float("inf")
    if 2 * needed <= tested.largest_stable:
        yield RATE, measured, f"training.optimizer.lr={2 * needed:.2g}"
        return
    lost = f"; the gradient of {first.name} is {first.gradient_ratio:.2g} of the last layer's"
    yield ("model", "activation"), measured + lost, *_more_signal(spec)


def _more_signal(spec: Spec) -> Iterator[str]:
    if not spec.model.init.startswith("kaiming"):
        yield "model.init=kaiming_uniform"
    if spec.model.norm == "none" and spec.model.conv:
        yield "model.norm=batch"
    if spec.model.activation != "tanh":
        yield "model.activation=tanh training.optimizer.lr=0.1"


def _dead(beginnings: Sequence[Beginning]) -> Iterator[_Found]:
    for layer in beginnings[0].layers:
        if layer.dead > MOSTLY_DEAD:
            units = f"{len(layer.dead_units)} units of {layer.name}"
            message = f"{units} are saturated for every image before training begins"
            yield ("model", "init"), message, "model.init=xavier_uniform model.bias_init=zeros"

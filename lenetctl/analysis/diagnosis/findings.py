"""From what was measured of a spec to what is likely to go wrong with it, and what helps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from math import inf
from typing import Any

from lenetctl import specs
from lenetctl.errors import Problem, SpecError
from lenetctl.specs.schema import Spec
from lenetctl.specs.yaml import KeyPath, Origin, dotted
from lenetctl.training.diagnostics.layers import LayerStatistics
from lenetctl.training.diagnostics.range_test import RangeTest
from lenetctl.training.diagnostics.rehearsal import ENOUGH, Rehearsal

SPOILT = 100  # times less fall to expect after the rehearsal: its steps were too large
MOSTLY_DEAD = 0.5  # share of a layer's channels or neurons
RATE: KeyPath = ("training", "optimizer", "lr")

Locate = Callable[[KeyPath], Origin]  # where a key of the spec is written


@dataclass(frozen=True)
class Beginning:
    """A net as training begins with it, from one seed."""

    seed: int
    layers: list[LayerStatistics]
    expected_fall: float  # of the loss over the training, to first order, in nats


@dataclass(frozen=True)
class Finding:
    """A likely cause, told like a problem of the spec, and what usually helps."""

    problem: Problem
    remedies: tuple[str, ...]  # each the settings of some `-s`, separated by spaces

    def __str__(self) -> str:
        """`relu.yaml:7: training.optimizer.lr: …; try -s training.optimizer.lr=0.1`."""
        remedies = " or ".join(self.arguments)
        return f"{self.problem}; try {remedies}" if remedies else str(self.problem)

    @property
    def arguments(self) -> list[str]:
        """The remedies as a command takes them."""
        return [" ".join(f"-s {one}" for one in remedy.split()) for remedy in self.remedies]

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as `--json` shows it."""
        return {**asdict(self.problem), "try": self.arguments}


def find_causes(
    spec: Spec, beginning: Beginning, rehearsal: Rehearsal, tested: RangeTest, locate: Locate
) -> list[Finding]:
    """Return what is likely to keep `spec` from learning; nothing where it should learn.

    Args:
        spec: what would be trained.
        beginning: its net, from its own seed.
        rehearsal: what becomes of this net in few steps.
        tested: its range test.
        locate: where a key of it is written.

    """

    def finding(path: KeyPath, message: str, *remedies: str) -> Finding:
        origin = locate(path)
        problem = Problem(origin.file, origin.line, dotted(path), message)
        return Finding(problem, tuple(one for one in remedies if _is_possible(spec, one)))

    causes = (_stuck(spec, beginning, rehearsal, tested), _dead(beginning))
    return [finding(*found) for rule in causes for found in rule]


_Found = tuple[Any, ...]  # a key's path, a message, and remedies


def _stuck(
    spec: Spec, beginning: Beginning, rehearsal: Rehearsal, tested: RangeTest
) -> Iterator[_Found]:
    if not rehearsal.stays_at_guessing:
        return
    rate, diverged = spec.training.optimizer.lr, rehearsal.loss == inf
    if diverged or rehearsal.after.fall * SPOILT < beginning.expected_fall:
        smaller = min(tested.suggestion, float(f"{rate / 10:.2g}"))
        spoilt = "diverge" if diverged else "leave a net that answers all images alike"
        message = f"{rate:g} is too large: {rehearsal.steps} steps of the rehearsal {spoilt}"
        yield RATE, message, f"training.optimizer.lr={smaller:g}"
        return
    message = (
        f"it will stay at guessing with seed {beginning.seed}: {rehearsal.steps} of its "
        f"{rehearsal.total} steps end at a loss of {rehearsal.loss:.4g}, and the others take "
        f"{rehearsal.to_come:.2g} nats off, where {ENOUGH * rehearsal.needed:.2g} are needed"
    )
    if larger := _large_enough(rate, rehearsal, tested):
        yield RATE, message, f"training.optimizer.lr={larger:.2g}"
        return
    first = beginning.layers[0]
    lost = f"; the gradient of {first.name} is {first.gradient_ratio:.2g} of the last layer's"
    yield ("model", "activation"), message + lost, *_more_signal(spec)


def _large_enough(rate: float, rehearsal: Rehearsal, tested: RangeTest) -> float | None:
    """Return a larger rate with which the net would learn; None where it stands no such rate."""
    if tested.left_guessing:
        return tested.suggestion if tested.suggestion > 2 * rate else None
    fall = rehearsal.after.fall  # grows with the rate
    larger = 2 * rate * rehearsal.needed / fall if fall else inf
    return larger if 2 * rate < larger <= tested.largest_stable else None


def _more_signal(spec: Spec) -> Iterator[str]:
    if not spec.model.init.startswith("kaiming"):
        yield "model.init=kaiming_uniform"
    if spec.model.norm == "none" and spec.model.conv:
        yield "model.norm=batch"
    if spec.model.activation != "tanh":
        rate = " training.optimizer.lr=0.1" if spec.training.optimizer.kind == "sgd" else ""
        yield f"model.activation=tanh{rate}"


def _is_possible(spec: Spec, remedy: str) -> bool:
    """Return whether `spec` is one with it, too: not every net goes with batch norm."""
    try:
        specs.load_spec(spec.model_dump(mode="json"), remedy.split())
    except SpecError:
        return False
    return True


def _dead(beginning: Beginning) -> Iterator[_Found]:
    for layer in beginning.layers:
        if layer.dead > MOSTLY_DEAD:
            units = f"{len(layer.dead_units)} units of {layer.name}"
            message = f"{units} are saturated for every image before training begins"
            yield ("model", "init"), message, "model.init=xavier_uniform model.bias_init=zeros"

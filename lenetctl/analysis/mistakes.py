"""Images of a split that a net gets wrong, is unsure of, or that no seed's net gets right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lenetctl.analysis.groups import SEED, ComparedRun
from lenetctl.errors import UsageError
from lenetctl.runs.folder import Run
from lenetctl.runs.mistakes import find_mistakes
from lenetctl.runs.store import RunStore

Show = Literal["wrong", "unsure", "suspects"]
Probabilities = NDArray[np.float32]  # (N, 10)


@dataclass(frozen=True)
class Verdict:
    """What a net says of an image."""

    index: int  # in the split, from 0
    truth: int  # class, from 0
    prediction: int
    probability: float  # of the prediction


def verdicts(
    probabilities: Sequence[Probabilities],
    labels: NDArray[Any],
    show: Show,
    truth: int | None = None,
    prediction: int | None = None,
) -> list[Verdict]:
    """Return the images that `show` asks for, the most telling first.

    `wrong`: by the first net, the most confident first. `unsure`: right by the first net, the least
    confident first. `suspects`: wrong by every net, those to whose label all of them together give
    least first; what is named is the class that they give most.

    Args:
        probabilities: of each net; only suspects look at more than the first.
        labels: (N,) the true classes.
        show: which.
        truth: only images of this class.
        prediction: only images that are taken for this class.

    """
    chosen = probabilities[0] if show != "suspects" else np.mean(probabilities, axis=0)
    predicted, confidence = chosen.argmax(1), chosen.max(1)
    if show == "wrong":
        order = find_mistakes(chosen, labels)
    elif show == "unsure":
        right = np.flatnonzero(predicted == labels)
        order = right[np.argsort(confidence[right], kind="stable")]
    else:
        lost = np.all([one.argmax(1) != labels for one in probabilities], axis=0).nonzero()[0]
        order = lost[np.argsort(chosen[lost, labels[lost]], kind="stable")]
    found = (
        Verdict(i, int(labels[i]), int(predicted[i]), float(confidence[i])) for i in order.tolist()
    )
    return [
        verdict
        for verdict in found
        if truth in (None, verdict.truth) and prediction in (None, verdict.prediction)
    ]


def same_but_for_seed(run: Run, warn: Callable[[str], None]) -> list[Run]:
    """Return `run` and the newest finished run of each other seed, on the same data.

    Raises:
        UsageError: there is no other seed.

    """
    own = ComparedRun.of(run)
    seeds = {}
    for other in RunStore().all():
        if other.is_finished and (compared := ComparedRun.of(other)).keys.keys() == own.keys.keys():
            differing = {key for key in own.keys if own.keys[key] != compared.keys[key]}
            if differing == {SEED}:
                seeds[compared.keys[SEED]] = other
    if not seeds:
        remedy = f"lenetctl sweep SPEC --seeds 0,1,2 of {own.name}'s spec gives more"
        raise UsageError(f"--show suspects: no finished run has another seed; {remedy}")
    if len(seeds) == 1:
        warn("two seeds are few: that both get an image wrong says little of its label")
    return [run, *seeds.values()]

"""Two variants image by image: what flips between them beyond what seeds flip.

An image flips between two nets if one of them alone gets it right. Let a variant get an image right
with probability p over its seeds: two of its own nets flip it with probability 2p(1 - p), and the
flips between two variants exceed the mean of both variants' own by (p - p')², an image at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from lenetctl.analysis.exact import mcnemar
from lenetctl.analysis.groups import SEED, Group
from lenetctl.runs.mistakes import read_predictions

Right = NDArray[np.bool_]  # (N,): the images that a net gets right
Draws = NDArray[np.float64]

DRAWS = 1000  # of the bootstrap
AT_ONCE = 250  # draws: their counts of images take 20 MB


@dataclass(frozen=True)
class Estimate:
    """A share of the images, with its 95 % bootstrap interval over images and seeds."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Pair:
    """Two nets of one seed: images that the second alone gets right, and that the first alone."""

    gained: int
    lost: int
    p: float  # McNemar's, exact


@dataclass(frozen=True, eq=False)
class ImageComparison:
    """How the nets of a variant differ from those of the control, image by image."""

    images: int
    gained: float  # share of images, mean over all pairs of a net of each
    lost: float
    by_seeds: float | None  # share that two seeds of one variant flip; None: too few seeds
    beyond: Estimate | None  # flips between the variants beyond these
    difference: Estimate | None  # of the accuracies
    pairs: Mapping[int, Pair]  # by seed, of those that both have
    always: NDArray[np.int64]  # images that every net of the variant gets, the control's never
    never: NDArray[np.int64]  # the other way round


def compare_images(
    variant: Mapping[int, Right], control: Mapping[int, Right], draws: int = DRAWS
) -> ImageComparison:
    """Compare two variants by the images that their nets get right, by seed.

    Both have one net or more; the bootstrap takes two of each. The same nets, the same interval.
    """
    ours, theirs = np.stack([*variant.values()]), np.stack([*control.values()])
    between = [
        (int((one & ~other).sum()), int((other & ~one).sum()))
        for one, other in product(ours, theirs)
    ]
    gained, lost = (float(np.mean(side)) / ours.shape[1] for side in zip(*between, strict=True))
    several = min(len(ours), len(theirs)) > 1
    own = (_flips(ours) + _flips(theirs)) / 2 if several else None
    beyond = difference = None
    if own is not None:
        drawn = _bootstrap(ours, theirs, draws)
        beyond = _estimate(gained + lost - own, drawn[0])
        difference = _estimate(gained - lost, drawn[1])
    return ImageComparison(
        ours.shape[1],
        gained,
        lost,
        own,
        beyond,
        difference,
        {seed: _pair(variant[seed], control[seed]) for seed in sorted(variant.keys() & control)},
        np.flatnonzero(ours.all(0) & ~theirs.any(0)),
        np.flatnonzero(theirs.all(0) & ~ours.any(0)),
    )


def images_right(group: Group, labels: NDArray[np.int64]) -> dict[int, Right]:
    """Return the test images that each net of a group gets right, by seed; `labels`: (N,).

    Raises:
        NotFoundError: a run keeps no predictions.

    """
    return {
        int(run.keys[SEED]): read_predictions(run.run, len(labels)) == labels
        for run in group.runs.values()
    }


def _pair(one: Right, other: Right) -> Pair:
    gained, lost = int((one & ~other).sum()), int((other & ~one).sum())
    return Pair(gained, lost, mcnemar(gained, lost))


def _flips(nets: NDArray[np.bool_]) -> float:
    """Return the mean share of images that two of the nets (n, N) flip."""
    return float(np.mean([(one != other).mean() for one, other in combinations(nets, 2)]))


def _bootstrap(
    ours: NDArray[np.bool_], theirs: NDArray[np.bool_], draws: int
) -> tuple[Draws, Draws]:
    """Return the excess of flips and the difference of accuracies in each draw.

    Images and seeds are drawn with replacement. Two seeds of one variant are compared where they
    are two: a net never flips an image against itself.
    """
    random = np.random.default_rng(0)
    nets = np.concatenate([ours, theirs]).astype(np.float32)  # (n + m, N)
    n, m, images = len(ours), len(theirs), ours.shape[1]
    excess, gap = np.empty(draws), np.empty(draws)
    for first in range(0, draws, AT_ONCE):
        size = min(AT_ONCE, draws - first)
        counts = random.multinomial(images, np.full(images, 1 / images), size)  # (size, N)
        weighed = counts.astype(np.float32) / images
        # flips of each two nets: right of one + right of other - 2 right of both
        both = np.einsum("dN,aN,bN->dab", weighed, nets, nets, optimize=True)
        right = np.einsum("daa->da", both)
        flips = right[:, :, None] + right[:, None, :] - 2 * both  # (size, n + m, n + m)
        for d in range(size):
            a, b = _two(random, n), n + _two(random, m)
            between = flips[d][np.ix_(a, b)].mean()
            within = [_apart(flips[d], own) for own in (a, b)]
            excess[first + d] = between - sum(within) / 2
            gap[first + d] = right[d, a].mean() - right[d, b].mean()
    return excess, gap


def _two(random: np.random.Generator, seeds: int) -> NDArray[np.int64]:
    """Draw so many seeds with replacement, two different ones at least."""
    while True:
        drawn = random.integers(seeds, size=seeds)
        if len(set(drawn.tolist())) > 1:
            return drawn


def _apart(flips: Draws, drawn: NDArray[np.int64]) -> float:
    """Return the mean flips of two seeds that are drawn, different ones."""
    pairs = [(a, b) for a, b in combinations(drawn.tolist(), 2) if a != b]
    return float(np.mean([flips[pair] for pair in pairs]))


def _estimate(value: float, drawn: Draws) -> Estimate:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Estimate(value, float(low), float(high))

"""Exact inference on counts: how many runs of a few did not learn."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

ROUNDING = 1e-7  # probabilities this close, relative to each other, count as equal


@dataclass(frozen=True)
class Share:
    """`count` of `of`, with the 95 % interval of Clopper and Pearson (Biometrika 26, 1934)."""

    count: int
    of: int
    low: float
    high: float

    @classmethod
    def exact(cls, count: int, of: int, level: float = 0.95) -> Share:
        """Return the share with its interval, which covers the truth in `level` of cases or more.

        `of` is 1 or more.
        """
        tail = (1 - level) / 2
        if count in (0, of):  # as most are; even scipy.special takes half a second to import
            high = 1 - tail ** (1 / of)
            return cls(count, of, 0.0, high) if count == 0 else cls(count, of, 1 - high, 1.0)
        # scipy.stats has the same numbers, and takes a second and more to import
        from scipy.special import betaincinv  # type: ignore[import-untyped]  # noqa: PLC0415

        low = betaincinv(count, of - count + 1, tail)
        high = betaincinv(count + 1, of - count, 1 - tail)
        return cls(count, of, float(low), float(high))

    def __str__(self) -> str:
        """`2 of 3 (95 %: 0.09 to 0.99)`."""
        return f"{self.count} of {self.of} (95 %: {self.low:.2f} to {self.high:.2f})"


def fisher(count: int, of: int, other: int, of_other: int) -> float:
    """Return Fisher's exact two-sided p that `count` of `of` and `other` of `of_other` are alike.

    It adds up the tables with the same margins that are no more likely than the one seen.
    """
    total = count + other
    ways = [
        comb(of, k) * comb(of_other, total - k)
        for k in range(max(0, total - of_other), min(of, total) + 1)
    ]
    seen = comb(of, count) * comb(of_other, other)
    return min(1.0, sum(way for way in ways if way <= seen * (1 + ROUNDING)) / sum(ways))


def mcnemar(gained: int, lost: int) -> float:
    """Return McNemar's exact two-sided p (Psychometrika 12, 1947): of two nets none is better.

    Of the images that one net alone gets right, it is binomial how many each gets.
    """
    from scipy.special import bdtr  # noqa: PLC0415

    return min(1.0, float(2 * bdtr(min(gained, lost), gained + lost, 0.5)))

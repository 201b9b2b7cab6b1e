"""Sweeps whose trials Optuna chooses, and by which rules. Light: no Optuna."""

from enum import StrEnum


class SamplerName(StrEnum):
    """How a search chooses what to try next."""

    tpe = "tpe"
    random = "random"


class PrunerName(StrEnum):
    """When a search gives a run up."""

    none = "none"
    median = "median"
    hyperband = "hyperband"

"""Training, evaluation and checkpoints. What stands in this file needs no torch."""

from typing import Literal

EngineName = Literal["eager", "compiled", "graph"]  # the keys of `engines.ENGINES`

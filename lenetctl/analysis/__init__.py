"""What finished runs say: comparison, statistics, activations. This file imports nothing."""

CONTROL = "baseline"  # the group that others are measured against, unless another is named

"""What two runs must have in common to be the same run."""

import torch

CLOCK = {"epoch_seconds", "examples_per_second"}  # what differs between two equal runs


def measured(results):
    return [{k: v for k, v in r.metrics.items() if k not in CLOCK} for r in results]


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    assert [name for name in found if not torch.equal(found[name], expected[name])] == []

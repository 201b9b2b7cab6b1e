"""What two runs must have in common to be the same run, and what an epoch must not do."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from lenetctl.training.metrics import CLOCK_READINGS as CLOCK


def metrics(run):
    """What a run's journal says, but for clock readings."""
    return [{k: v for k, v in line.items() if k not in CLOCK | {"time"}} for line in run.epochs()]


def measured(results):
    return [{k: v for k, v in r.metrics.items() if k not in CLOCK} for r in results]


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    assert [name for name in found if not torch.equal(found[name], expected[name])] == []


class Waits(TorchDispatchMode):
    """Counts operations after which the host must wait for the device."""

    KINDS = ("_local_scalar_dense", "item", "is_nonzero", "nonzero", "masked_select")

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func.overloadpacket.__name__ in self.KINDS
        return func(*args, **(kwargs or {}))

"""What does `train --diagnostics` cost of an epoch?

    OMP_NUM_THREADS=1 python benchmarks/diagnostics_cost.py [SPEC]

Prints CPU seconds, which other work on the machine changes less than the clock's: of an epoch's
training, from some of its steps, and of measuring the layers once, the median of some.
"""

import statistics
import sys
import time
from itertools import islice

import torch
from machine import sentence

from lenetctl import specs
from lenetctl.data.dataset import load_dataset
from lenetctl.data.device import DeviceDataset
from lenetctl.training.device import numerics
from lenetctl.training.diagnostics.watch import LayerWatch
from lenetctl.training.metrics import EpochResult
from lenetctl.training.state import initial_state
from lenetctl.training.steps import eager

STEPS, TIMES = 20, 7


def main() -> None:
    """Measure one spec."""
    spec = specs.load_spec(sys.argv[1] if len(sys.argv) > 1 else "baseline")
    where = torch.device("cpu")
    splits = DeviceDataset.of(load_dataset(spec.data), spec.data, where)
    state = initial_state(spec, where)
    step = eager(state.net, state.optimizer, spec)
    watch, result = LayerWatch(spec, splits.train), EpochResult(1, {}, is_best=True)
    batches = splits.train.shuffled_batches(spec.data.batch_size, 0, 1, spec.data.augment)
    with numerics(spec.training):
        step(*next(batches))  # warms up
        started = time.process_time()
        for batch in islice(batches, STEPS):
            step(*batch)
        epoch = (
            (time.process_time() - started) / STEPS * splits.steps_per_epoch(spec.data.batch_size)
        )
        seconds = []
        for _ in range(TIMES):
            started = time.process_time()
            watch.added(result, state)
            seconds.append(time.process_time() - started)
    measured = statistics.median(seconds)
    print(sentence())
    print(f"epoch {epoch:.2f} s, layers {measured:.3f} s: {measured / epoch:.1%}")


if __name__ == "__main__":
    main()

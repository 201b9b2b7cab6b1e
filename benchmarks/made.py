"""What benchmarks train: noise, which costs what pictures cost, and fleets of one spec."""

import torch

from lenetctl.data.dataset import Split
from lenetctl.specs.schema import Spec
from lenetctl.training.fleet.loop import FleetModel
from lenetctl.training.state import initial_state


def noise(count: int, seed: int) -> Split:
    """Return random images with random labels."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 28, 28), generator=generator, dtype=torch.uint8)
    return Split(images, torch.randint(0, 10, (count,), generator=generator))


def fleet_models(spec: Spec, models: int, where: torch.device) -> dict[int, FleetModel]:
    """Return the models of a fleet that differ in their seeds."""
    seeds = [spec.training.model_copy(update={"seed": seed}) for seed in range(models)]
    own = [spec.model_copy(update={"training": training}) for training in seeds]
    return {n: (initial_state(one, where), one) for n, one in enumerate(own)}

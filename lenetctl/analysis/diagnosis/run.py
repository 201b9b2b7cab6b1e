"""Why has a run not learned? Its trained net beside the one that it began with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from lenetctl import specs
from lenetctl.analysis.diagnosis.findings import MOSTLY_DEAD
from lenetctl.analysis.diagnosis.spec import SEEDS, Diagnosis, diagnose
from lenetctl.data.dataset import Dataset, load_dataset
from lenetctl.data.device import DeviceSplit
from lenetctl.runs.folder import Run
from lenetctl.runs.weights import load_net
from lenetctl.specs.yaml import nearest_origin
from lenetctl.training.device import numerics
from lenetctl.training.diagnostics.layers import (
    LayerStatistics,
    balanced_batch,
    expendable_copy,
    measure_layers,
)
from lenetctl.training.optimizers import build_optimizer
from lenetctl.training.state import initial_net

UNMOVED = 1e-3  # of the norm of a layer's weights


@dataclass(frozen=True)
class TrainedLayer:
    """A layer at the end of a run."""

    statistics: LayerStatistics
    moved: float  # norm of what training added to the weights, by their norm before

    @property
    def dead_units(self) -> list[str]:
        """The channels or neurons that are saturated for every image: `conv2.3`, from 0."""
        return [f"{self.statistics.name}.{unit}" for unit in self.statistics.dead_units]


@dataclass(frozen=True)
class RunDiagnosis:
    """A run's spec before training, and its net after it."""

    spec: Diagnosis
    outcome: str  # finished, plateau, diverged, …
    trained: list[TrainedLayer]  # none where no epoch was done

    @property
    def unmoved(self) -> list[str]:
        """The layers whose weights are almost what they were."""
        return [layer.statistics.name for layer in self.trained if layer.moved < UNMOVED]

    @property
    def reason(self) -> str:
        """What the plateau or the divergence came from, in one line."""
        if self.spec.findings:
            return str(self.spec.findings[0])
        for layer in self.trained:
            if layer.statistics.dead > MOSTLY_DEAD:
                units = f"{len(layer.dead_units)} units of {layer.statistics.name}"
                rate = f"training.optimizer.lr={self.spec.range_test.suggestion:g}"
                return f"{units} became dead in training: try -s {rate}"
        if self.unmoved:
            return f"the weights of {', '.join(self.unmoved)} did not move"
        return "nothing in its beginning, nor in its layers now, explains it"


def diagnose_run(
    run: Run, data_dir: Path | None, device: torch.device, seeds: int = SEEDS
) -> RunDiagnosis:
    """Measure the spec of `run` as `diagnose` does, and its last weights.

    Raises:
        DataError: its images are missing or damaged.
        CheckpointError: its weights are damaged or of another net.

    """
    file = run.path / "spec.yaml"
    spec, origins = specs.load_with_origins(file)
    dataset = load_dataset(spec.data, data_dir)
    found = diagnose(
        spec, dataset, lambda key: nearest_origin(origins, key, str(file)), device, seeds
    )
    trained = _trained(run, dataset, device) if any(run.checkpoints.glob("*.safetensors")) else []
    return RunDiagnosis(found, run.status.outcome, trained)


def _trained(run: Run, dataset: Dataset, device: torch.device) -> list[TrainedLayer]:
    spec = run.spec()
    split = DeviceSplit(dataset.train, device, run.record.data.mean, run.record.data.std)
    first, last = initial_net(spec, device), load_net(run, "last", device)
    begun = first.state_dict()
    moved = {
        name: float((value - begun[name]).norm() / begun[name].norm())
        for name, value in last.state_dict().items()
        if name.endswith(".weight")
    }
    copy = expendable_copy(last)
    optimizer = build_optimizer(copy.parameters(), spec.training.optimizer)
    with numerics(spec.training):
        layers = measure_layers(copy, optimizer, *balanced_batch(split), spec.training)
    return [TrainedLayer(layer, moved[f"{layer.name}.weight"]) for layer in layers]

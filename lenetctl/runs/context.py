"""What a run is trained on: the device, and the data on it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from lenetctl import specs
from lenetctl.data.data_dir import convention_of
from lenetctl.data.dataset import Dataset, Split, load_dataset
from lenetctl.data.device import DeviceDataset
from lenetctl.data.images import ImageConvention
from lenetctl.runs.environment import describe_environment, user_name
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.runs.records import DataRecord, RunRecord
from lenetctl.specs.layers import net_size
from lenetctl.specs.schema import Spec
from lenetctl.training.device import describe_device, select_device

NO_IMAGES = Split(torch.empty((0, 28, 28), dtype=torch.uint8), torch.empty(0, dtype=torch.int64))


@dataclass(frozen=True, eq=False)
class RunContext:
    """What all runs with the same data on the same device share."""

    device: torch.device
    dataset: Dataset
    splits: DeviceDataset

    @classmethod
    def of(cls, spec: Spec, options: RunOptions, earlier: Run | None = None) -> RunContext:
        """Load the data of `spec` onto the device, as `earlier` had them if that goes on.

        Raises:
            DataError: the data are missing or damaged.
            UsageError: there is no such device, or nothing to train on.

        """
        device = select_device(options.device)
        keeps = earlier.record.data.limit_keeps if earlier else "share"
        dataset = load_dataset(spec.data, options.data_dir, limit_keeps=keeps)
        return cls(device, dataset, DeviceDataset.of(dataset, spec.data, device))

    def record(self, spec: Spec, options: RunOptions, engine: str) -> RunRecord:
        """Return what is written down of a run that begins here and now."""
        dataset = self.dataset
        mean, std = dataset.normalisation(spec.data)
        return RunRecord(
            name=f"{spec.name}-s{spec.training.seed}",
            spec_sha256=specs.sha256(spec),
            spec=spec.model_dump(mode="json", exclude_none=True),
            user=user_name(),
            experiment=options.experiment,
            command=options.command,
            tags=options.tags,
            data=DataRecord(
                name=dataset.name,
                classes=dataset.classes,
                digest=dataset.digest,
                train=len(dataset.train.labels),
                validation=len(dataset.validation.labels) if dataset.validation else 0,
                test=len(dataset.test.labels),
                limit_keeps="share",
                mean=mean,
                std=std,
                fit=dataset.convention.fit,
                background=dataset.convention.background,
                inverts=dataset.convention.inverts,
            ),
            device=describe_device(self.device),
            device_index=self.device.index,
            parameters=net_size(spec.model)[0],
            environment=describe_environment(),
            engine=engine,
            keep_epochs=options.keep_epochs,
        )


def known_dataset(run: Run) -> Dataset | None:
    """Return the data set of `run` without images; None where an older version knew too little."""
    data, spec = run.record.data, run.spec().data
    if data.fit:
        convention = ImageConvention(data.fit, data.background, data.inverts)
    elif spec.folder is None:
        convention = convention_of(spec.dataset)
    else:
        return None
    if not run.classes:
        return None
    return Dataset(
        name=data.name,
        classes=run.classes,
        train=NO_IMAGES,
        validation=None,
        test=NO_IMAGES,
        digest=data.digest,
        mean=data.mean,
        std=data.std,
        convention=convention,
    )

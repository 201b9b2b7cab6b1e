"""How a run is done, which is not part of what it is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from lenetctl.runs.store import ROOT, RunStore


@dataclass(frozen=True)
class RunOptions:
    """What a run needs to know beside its spec; none of it changes what is computed."""

    root: Path = ROOT
    data_dir: Path | None = None
    device: str = "auto"
    engine: str = "auto"
    experiment: str = "lenet"
    command: str = ""  # what repeats the run
    diagnostics: bool = False  # measure every layer after each epoch
    keep_epochs: bool = False  # the weights of each epoch, the untrained ones too
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def store(self) -> RunStore:
        """Where the run's folder is."""
        return RunStore(self.root)

    def absolute(self) -> RunOptions:
        """Return these options with paths that mean the same in another folder."""
        data_dir = self.data_dir.resolve() if self.data_dir else None
        return replace(self, root=self.root.resolve(), data_dir=data_dir)

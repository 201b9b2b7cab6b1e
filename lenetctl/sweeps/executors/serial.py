"""One trial after another, in this process."""

from collections.abc import Iterable
from dataclasses import dataclass

from lenetctl.sweeps.events import Listener
from lenetctl.sweeps.executors.base import ExecutorSettings
from lenetctl.sweeps.run_trial import run_trial
from lenetctl.sweeps.trial import Trial


@dataclass(frozen=True)
class SerialExecutor:
    """Gives each trial all threads of this process."""

    settings: ExecutorSettings

    def run(self, trials: Iterable[Trial], listener: Listener) -> None:
        """Run the trials."""
        how = self.settings
        for trial in trials:
            run_trial(trial, how.options, listener, force=how.force, draw=how.draw)

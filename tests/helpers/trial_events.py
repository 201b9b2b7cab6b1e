"""What the tests of executors share."""

from lenetctl.sweeps.trial import FailedFast
from lenetctl.training.metrics import CLOCK_READINGS

TIMINGS = CLOCK_READINGS | {"time"}


class Ear:
    """Hears the news of a sweep; `act` is called with each."""

    def __init__(self, act=lambda news: None):
        self.act, self.heard = act, []

    def __call__(self, news):
        self.heard.append(news)
        self.act(news)

    def of(self, trial):
        """Return the states that `trial` went through, each once."""
        states = [news.status for news in self.heard if news.sha256 == trial.sha256]
        return [s for before, s in zip([None, *states], states, strict=False) if s != before]


def fail_fast(news):
    if news.status == "failed":
        raise FailedFast


def metrics(run):
    return [{k: v for k, v in line.items() if k not in TIMINGS} for line in run.epochs()]

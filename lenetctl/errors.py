"""The one exception hierarchy. `lenetctl.cli.errors` maps each class to its exit code."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one key of one file: what the user mends."""

    file: str
    line: int | None  # 1-based; None where the key came from the command line
    key: str  # dotted path, "" for the file as a whole
    message: str

    def __str__(self) -> str:
        """`experiments/relu.yaml:7: model.pool.kind: …`, which editors can jump to."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        line = ": ".join(part for part in (where, self.key, self.message) if part)
        return printable(line[:1000])  # a key or a file name can be long

    def as_dict(self) -> dict[str, object]:
        """Return the problem as the `--json` error document shows it."""
        return asdict(self)


def printable(line: str) -> str:
    """Return `line` with no line break, terminal code or half character of a stranger's name."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


class LenetctlError(Exception):
    """What the user can mend: one line that names the thing and the remedy."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        """Keep the message for people and the problems, if any, for machines."""
        super().__init__(message if problems else printable(message))
        self.problems = tuple(problems)


class UsageError(LenetctlError):
    """A wrong argument, or a folder that cannot be written."""


class SpecError(UsageError):
    """A spec that does not describe a possible experiment; carries every problem at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Say every problem on a line of its own."""
        super().__init__("\n".join(str(problem) for problem in problems), problems)


class DataError(LenetctlError):
    """Images or labels that are missing, damaged or do not fit together."""


class NotFoundError(LenetctlError):
    """No such run, checkpoint or model, or one that is not valid."""


class CheckpointError(NotFoundError):
    """A checkpoint that is torn, altered, hostile, or of another model."""


class ResourceError(LenetctlError):
    """Disk or memory ran out."""


class TrackingError(LenetctlError):
    """MLflow does not have all of a run, for its store cannot be reached or written."""


class DivergedError(LenetctlError):
    """The loss stopped being a number."""


class PrunedError(LenetctlError):
    """A search has seen enough of a run that will not be its best."""


class BusyError(LenetctlError):
    """Another process is training this very run."""

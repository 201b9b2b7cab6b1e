"""What each key of a spec does, as its page says."""

from dataclasses import dataclass
from difflib import get_close_matches

from lenetctl.errors import UsageError
from lenetctl.specs.reference.shipped import keys_page


@dataclass(frozen=True)
class KeyReference:
    """A row of the page, of the section under whose heading it stands."""

    section: str  # "", `data`, `training.optimizer of kind sgd`
    key: str
    type: str
    default: str
    meaning: str

    @property
    def path(self) -> str:
        """The dotted path: `training.optimizer.lr`."""
        return f"{self.section.partition(' of kind ')[0]}.{self.key}".lstrip(".")


def key_references() -> list[KeyReference]:
    """Return every key in the order of the page."""
    found, section = [], ""
    for line in keys_page().read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ").replace("`", "")
            section = "" if heading == "Top level" else heading
        elif line.startswith("| `") and line.count("|") == 5:
            key, *cells = (cell.strip().replace("`", "") for cell in line.strip("|").split("|"))
            found.append(KeyReference(section, key, *cells))
    return found


def namesakes(path: str) -> list[str]:
    """Return the paths of all keys that are called as the last part of `path`: `optimizer.lr`."""
    name = path.rpartition(".")[2]
    paths = (row.path for row in key_references())
    return list(dict.fromkeys(found for found in paths if found.rpartition(".")[2] == name))


def find_keys(wanted: str) -> list[KeyReference]:
    """Return the key of this path, of each kind that has it, or all keys of the section.

    Numbers of list entries may be written: `model.conv.0.channels`.

    Raises:
        UsageError: there is no such key.

    """
    path = ".".join(part for part in wanted.split(".") if not part.isdecimal())
    rows = key_references()
    named = [row for row in rows if row.path == path]
    inside = [row for row in rows if row.path.startswith(f"{path}.")]
    if found := inside or named:
        return found
    close = namesakes(path) or get_close_matches(path, (row.path for row in rows), n=3)
    meant = f"; did you mean {' or '.join(close)}?" if close else ""
    raise UsageError(f"{wanted}: a spec has no such key{meant}")

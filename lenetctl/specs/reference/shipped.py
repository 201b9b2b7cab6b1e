"""What comes with lenetctl beside its code: specs, and the page that says what each key does.

A wheel has them inside the package; an installation from a clone finds them in the clone.
"""

from difflib import get_close_matches
from pathlib import Path

PACKAGE = Path(__file__).parents[2]
SWEEP_FILE = "sweep.yaml"
SWEEP_KEYS = ("base", "seeds", "grid", "search")


def shipped_folder() -> Path:
    """Return the folder of the shipped specs."""
    return _beside_code("experiments")


def keys_page() -> Path:
    """Return the page that lists every key of a spec."""
    return _beside_code("docs") / "specs.md"


def shipped_specs() -> dict[str, Path]:
    """Return the file of each shipped spec by its name, such as `book/d2l-java`."""
    folder = shipped_folder()
    files = sorted(path for path in folder.rglob("*.yaml") if path.name != SWEEP_FILE)
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in files}


def find_shipped(source: Path) -> Path:
    """Return `source` where it is there, else what is shipped under that name: a spec or a folder.

    Where there is neither, `source` as it is.
    """
    if source.exists() or source.is_absolute() or ".." in source.parts:
        return source
    name = source.as_posix().removesuffix(".yaml").removeprefix("experiments/")
    folder = shipped_folder() / name
    return shipped_specs().get(name, folder if name and folder.is_dir() else source)


def suggestion(source: Path) -> str:
    """Return the shipped spec that `source`, which is not there, may have meant, in words."""
    close = get_close_matches(source.with_suffix("").as_posix(), shipped_specs(), n=1)
    return f"; did you mean the shipped spec {close[0]}?" if close else ""


def _beside_code(name: str) -> Path:
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name

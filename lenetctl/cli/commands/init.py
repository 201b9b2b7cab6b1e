"""`lenetctl init`: a course folder, with no clone."""

from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli.errors import guarded

README = """\
# A LeNet laboratory

    lenetctl train experiments/quickstart.yaml      # seconds, offline
    lenetctl train experiments/baseline.yaml        # the chapter's net on Fashion-MNIST
    lenetctl sweep experiments/exercise1/           # average against max pooling, with seeds
    lenetctl compare experiments/exercise1/
    lenetctl ui                                     # MLflow's pages on all runs

Change a copy of a spec, or write one that says only what differs:

    extends: baseline.yaml
    model: {activation: relu}

`lenetctl specs explain model` tells the keys, `lenetctl specs show SPEC` where each value is from.
Runs are kept in `mlruns/`, MLflow's database in `mlflow.db`.
"""
IGNORED = "/mlruns/\n/mlflow.db*\n/optuna.db*\n"


@guarded
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Made where it is not there.")
    ] = Path(),
) -> None:
    """Lay out a course folder: the shipped specs, a README, a .gitignore. Overwrites nothing."""
    from lenetctl.cli.console import echo
    from lenetctl.errors import UsageError
    from lenetctl.files import write_whole
    from lenetctl.specs.reference.shipped import shipped_folder

    shipped = shipped_folder()
    sources = sorted(path for path in shipped.rglob("*") if path.suffix in (".yaml", ".json"))
    contents = {
        **{Path("experiments") / path.relative_to(shipped): path.read_bytes() for path in sources},
        Path("README.md"): README.encode(),
        Path(".gitignore"): IGNORED.encode(),
    }
    kept = [path for path in contents if (folder / path).exists()]
    try:
        for path, content in contents.items():
            if path not in kept:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                write_whole(folder / path, content)
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{error.filename}: cannot be written: {error.strerror}") from error
    echo(f"{folder}: {len(contents) - len(kept)} files written, {len(kept)} there before")
    echo(f"next: cd {folder} && lenetctl train experiments/quickstart.yaml")

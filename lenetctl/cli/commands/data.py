"""`lenetctl data`: fetch, verify and list the data sets."""

from collections.abc import Sequence
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded
from lenetctl.errors import DataError, UsageError

app = typer.Typer(no_args_is_help=True, help="Fetch, verify and list the data sets.")
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[DATASET]...", help="Default: those of the chapter.")
]


def _known(names: Sequence[str] | None, default: Sequence[str]) -> Sequence[str]:
    from lenetctl.data.catalog import CATALOG

    unknown = [name for name in names or () if name not in CATALOG]
    if unknown:
        raise UsageError(f"{unknown[0]}: no such data set (allowed: {', '.join(CATALOG)})")
    return names or default


@app.command()
@guarded
def fetch(
    datasets: Names = None,
    data_dir: options.DataDir = None,
    mirror: Annotated[
        str | None, typer.Option("--mirror", help="URL of a folder that holds the same archives.")
    ] = None,
) -> None:
    """Download data sets, checked against their published digests."""
    from lenetctl.data.data_dir import choose_data_dir
    from lenetctl.data.fetch import fetch_dataset

    where = choose_data_dir(data_dir)
    for name in _known(datasets, ("fashion_mnist", "mnist")):
        fetch_dataset(name, where, mirror)
        typer.echo(f"{name}: complete in {where}")


@app.command()
@guarded
def verify(
    datasets: Names = None, data_dir: options.DataDir = None, as_json: options.Json = False
) -> None:
    """Read every file and check its digest; exit 3 where one is missing or damaged."""
    names = _known(datasets, ("fashion_mnist", "mnist"))
    if _show(names, data_dir, as_json=as_json):
        raise DataError(f"not whole; fetch again with: lenetctl data fetch {' '.join(names)}")


@app.command("list")
@guarded
def list_(data_dir: options.DataDir = None, as_json: options.Json = False) -> None:
    """Say what is where."""
    from lenetctl.data.catalog import CATALOG

    _show(list(CATALOG), data_dir, as_json=as_json)


def _show(names: Sequence[str], data_dir: options.DataDir, *, as_json: bool) -> bool:
    """Print how each file fares; return whether any is missing or damaged."""
    from lenetctl.cli.console import Console
    from lenetctl.data.data_dir import choose_data_dir, file_states

    where = choose_data_dir(data_dir)
    files = {name: file_states(name, where) for name in names}
    document = {
        name: [{"path": str(f.path), "state": f.state, "bytes": f.bytes} for f in found]
        for name, found in files.items()
    }
    lines = [
        f"{name:<14} {f.state:<10} {f.bytes or 0:>11,} B  {f.path}"
        for name, found in files.items()
        for f in found
    ]
    Console(as_json=as_json).result(document, "\n".join(lines))
    return any(f.state in ("missing", "damaged") for found in files.values() for f in found)

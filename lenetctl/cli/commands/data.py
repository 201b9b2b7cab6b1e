"""`lenetctl data`: fetch, verify, list and show the data sets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded
from lenetctl.errors import DataError, UsageError

app = typer.Typer(no_args_is_help=True, help="Fetch, verify, list and show the data sets.")
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
    from lenetctl.cli.console import echo
    from lenetctl.data.data_dir import choose_data_dir
    from lenetctl.data.fetch import fetch_dataset

    where = choose_data_dir(data_dir)
    for name in _known(datasets, ("fashion_mnist", "mnist")):
        echo(f"{name}: looked for in {where}")
        fetch_dataset(name, where, mirror)
        echo(f"{name}: complete in {where}")


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


@app.command()
@guarded
def show(
    spec: options.SpecPath,
    overrides: options.Set = None,
    per_class: Annotated[
        int, typer.Option("--per-class", min=1, max=20, help="Images of each class.")
    ] = 2,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="FILE.png or FILE.svg.")
    ] = Path("data.png"),
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Draw training images as the net gets them, each augmentation drawn three times over."""
    from lenetctl import specs

    loaded = specs.load_spec(spec, overrides or [])

    from lenetctl.cli.console import Console
    from lenetctl.data.dataset import load_dataset
    from lenetctl.data.examples import training_examples
    from lenetctl.figures.examples import examples
    from lenetctl.figures.style import save

    dataset = load_dataset(loaded.data, data_dir)
    found = training_examples(dataset, loaded, per_class)
    title = f"{loaded.name}: {dataset.name}, {len(dataset.train.labels):,} to train on"
    save(examples(found.images, found.classes, found.columns, title), output)
    counts = dataset.train.labels.bincount().tolist()
    classes = dict(zip(dataset.classes, counts, strict=False))
    document = {
        "name": loaded.name,
        "dataset": dataset.name,
        "classes": classes,
        "pixels": [float(found.images.min()), float(found.images.max())],
        "columns": found.columns,
        "picture": str(output),
    }
    lines = [f"{count:>7,}  {name}" for name, count in classes.items()]
    Console(as_json=as_json, quiet=quiet).result(document, "\n".join([*lines, f"{output} written"]))


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

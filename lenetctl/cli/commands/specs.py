"""`lenetctl specs`: the shipped specs, and what a spec says and may say."""

import json
from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded
from lenetctl.errors import UsageError

MODELINE = "# yaml-language-server:"  # by which an editor finds the schema beside the shipped specs

app = typer.Typer(no_args_is_help=True, help="List, copy and explain specs.")


@app.command("ls")
@guarded
def list_(as_json: options.Json = False) -> None:
    """List the shipped specs, which all commands take by name."""
    from lenetctl import specs
    from lenetctl.cli.console import Console
    from lenetctl.specs.reference.shipped import shipped_specs

    found = {name: specs.load_spec(path).description for name, path in shipped_specs().items()}
    width = max(map(len, found))
    lines = [f"{name:<{width}}  {description}" for name, description in found.items()]
    Console(as_json=as_json).result(found, "\n".join(lines))


@app.command()
@guarded
def cp(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `specs ls` lists it.")],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Default: the name's last part .yaml.")
    ] = None,
) -> None:
    """Copy a shipped spec to change it; one that extends others is written out whole."""
    from lenetctl import specs
    from lenetctl.cli.console import echo
    from lenetctl.files import write_whole
    from lenetctl.specs.reference.shipped import shipped_specs

    shipped = shipped_specs()
    if name not in shipped:
        raise UsageError(f"{name}: no such shipped spec (there are {', '.join(shipped)})")
    source = shipped[name]
    target = file or Path(f"{source.stem}.yaml")
    if target.exists():
        raise UsageError(f"{target} is there already: name another FILE")
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(MODELINE))
    if "extends" in {origin[0] for origin in specs.load_with_origins(source)[1] if origin}:
        text = f"# {name}, written out whole\n{specs.to_yaml(specs.load_spec(source))}"
    write_whole(target, text)
    echo(f"{target} written")


@app.command()
@guarded
def show(
    spec: options.SpecPath, overrides: options.Set = None, as_json: options.Json = False
) -> None:
    """Print every value of a spec, and the file and line that it comes from."""
    from lenetctl import specs
    from lenetctl.cli.console import echo
    from lenetctl.cli.views.specs import print_values, values_document

    values = specs.values_with_origins(spec, overrides or [])
    if as_json:
        echo(json.dumps(values_document(values)))
    else:
        print_values(values)


@app.command()
@guarded
def schema() -> None:
    """Print the JSON Schema of a spec file, by which editors check and complete it."""
    from lenetctl.cli.console import echo
    from lenetctl.specs.reference.json_schema import json_schema

    echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@app.command()
@guarded
def explain(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Such as training.optimizer.lr.")],
) -> None:
    """Print what a key does, its type and its default; of a section, all its keys."""
    from lenetctl.cli.views.specs import print_keys
    from lenetctl.specs.reference.keys import find_keys

    print_keys(find_keys(key))

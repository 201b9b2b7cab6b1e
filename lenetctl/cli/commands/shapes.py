"""`lenetctl shapes`: every layer's output shape, without torch."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lenetctl.cli import options
from lenetctl.cli.errors import guarded


class Format(StrEnum):
    """How the layers are written."""

    table = "table"
    book = "book"
    markdown = "markdown"
    json = "json"


@guarded
def shapes(
    spec: options.SpecPath,
    overrides: options.Set = None,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Images at a time.")] = 1,
    style: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
    as_json: options.Json = False,
    diagram: Annotated[
        Path | None, typer.Option("--diagram", help="Draw the net: FILE.svg or FILE.png.")
    ] = None,
) -> None:
    """Print each layer's output shape, parameters and multiply-accumulates."""
    from lenetctl import specs
    from lenetctl.cli.console import echo
    from lenetctl.cli.views.tables import print_table
    from lenetctl.specs.layer_formats import book_lines, layers_document, layers_markdown

    planned = specs.plan_layers(specs.load_spec(spec, overrides or []).model)
    if diagram:
        from lenetctl.figures.diagrams.diagram import diagram as drawn
        from lenetctl.figures.style import save

        save(drawn(planned), diagram)
        echo(f"{diagram} drawn", err=True)
    if as_json or style is Format.json:
        echo(json.dumps(layers_document(planned, batch)))
    elif style is Format.table:
        print_table(planned, batch)
    else:
        write = {Format.book: book_lines, Format.markdown: layers_markdown}[style]
        echo(write(planned, batch))

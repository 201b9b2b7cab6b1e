"""`lenetctl runs`: the runs of this project."""

import typer

from lenetctl.cli.commands.runs.import_ import import_runs

app = typer.Typer(no_args_is_help=True, help="The runs of this project.")
app.command("import")(import_runs)

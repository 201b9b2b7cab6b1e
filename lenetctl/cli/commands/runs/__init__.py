"""`lenetctl runs`: the runs of this project."""

import typer

from lenetctl.cli.commands.runs.diff import diff
from lenetctl.cli.commands.runs.export import export
from lenetctl.cli.commands.runs.import_ import import_runs
from lenetctl.cli.commands.runs.ls import ls
from lenetctl.cli.commands.runs.rm import rm
from lenetctl.cli.commands.runs.show import show
from lenetctl.cli.commands.runs.tag import tag

app = typer.Typer(no_args_is_help=True, help="The runs of this project.")
app.command("ls")(ls)
app.command("show")(show)
app.command("diff")(diff)
app.command("rm")(rm)
app.command("tag")(tag)
app.command("export")(export)
app.command("import")(import_runs)

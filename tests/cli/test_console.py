import json
import subprocess
import sys

import pytest
from helpers.terminal import Terminal
from rich.table import Table

from lenetctl.cli.console import Console

POOR = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PATH": ""}


def test_a_result_is_a_document_or_a_text(capsys):
    Console(as_json=True).result({"name": "größe"}, "text")
    assert json.loads(capsys.readouterr().out) == {"name": "größe"}
    Console().result({}, "[bold]text[/bold]")
    assert capsys.readouterr().out == "[bold]text[/bold]\n"


def test_names_in_tables_and_lines_are_no_markup(capsys):
    console = Console()
    table = Table()
    table.add_column("[dim]class")
    table.add_row("[/odd] :cat:")
    console.rich.print(table, "[bold]")
    out = capsys.readouterr().out
    assert all(word in out for word in ("[dim]class", "[/odd] :cat:", "[bold]"))


def test_on_the_way_to_a_document_everything_else_goes_to_stderr(capsys):
    Console(as_json=True).say("epoch 1")
    Console().warn("careful")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "epoch 1\nwarning: careful\n"


def test_quiet_silences_all_but_results_and_warnings(capsys):
    console = Console(quiet=True)
    console.say("epoch 1")
    console.warn("careful")
    console.result({}, "text")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("text\n", "warning: careful\n")


def test_work_goes_on_when_the_reader_is_gone():
    code = (
        "import sys; from lenetctl.cli.streams import make_streams_endure; make_streams_endure()\n"
        "from lenetctl.cli.console import Console; console = Console()\n"
        "for i in range(1000): console.say('line ' * 20)\n"
        "print('done', file=sys.stderr)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b"done\n"
    assert process.wait(60) == 0


@pytest.mark.parametrize("as_json", ["True", "False"])
def test_a_locale_without_the_letters_breaks_nothing(as_json):
    code = (
        "from lenetctl.cli import app; from lenetctl.cli.console import Console\n"
        "name = 'gr\\xf6\\xdfe'\n"
        f"app.app = lambda **_: Console(as_json={as_json}).result({{'name': name}}, name)\n"
        "app.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=POOR, check=False)
    assert done.stderr == b""
    assert done.stdout.isascii()
    assert as_json == "False" or json.loads(done.stdout) == {"name": "größe"}


STOPPED = """
import sys

class Stop:
    def find_spec(self, name, path=None, target=None):
        if name in NAMES:
            raise SystemExit(0)

sys.meta_path.insert(0, Stop())
from lenetctl.cli.app import main
main()
"""


@pytest.mark.parametrize(
    "arguments", ["train quick.yaml", "sweep quick.yaml", "eval latest", "diagnose quick.yaml"]
)
def test_a_terminal_shows_a_sign_of_life_before_torch_is_there(write, arguments):
    write()
    seen = []
    stopped = STOPPED.replace("NAMES", "('torch', 'mlflow')")
    command = [sys.executable, "-c", stopped, *arguments.split()]
    terminal = Terminal(command, 80, seen=lambda now: seen.append("\n".join(now.shown)))
    assert any("one moment" in shown for shown in seen)
    assert "one moment" not in "\n".join(terminal.shown), "it makes room for what comes next"
    assert terminal.code == 0, terminal.shown


def test_the_sign_is_there_before_what_moves_it():
    stopped = STOPPED.replace("NAMES", "('rich.console',)")
    assert Terminal([sys.executable, "-c", stopped, "sync"], 80).shown == ["one moment"]


def test_a_warning_is_seen_above_a_bar():
    code = (
        "import time; from rich.progress import Progress\n"
        "from lenetctl.cli.console import Console; console = Console()\n"
        "with Progress(console=console.rich, transient=True) as bar:\n"
        "    bar.add_task('at work')\n"
        "    time.sleep(0.3); console.warn('careful'); time.sleep(0.3)\n"
        "console.say('done')\n"
    )
    assert Terminal([sys.executable, "-c", code], 60).shown == ["warning: careful", "done"]

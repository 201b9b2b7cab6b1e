import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from lenetctl.data.catalog import CATALOG
from lenetctl.runs.store import RunStore

HEAVY = {"torch", "torchvision", "mlflow", "matplotlib", "sklearn", "pandas"}
LOADED = """
import atexit, sys
atexit.register(lambda: print("\\n".join(sys.modules), file=open("modules.txt", "w")))
from lenetctl.cli.app import main
main()
"""
RUN = "from lenetctl.cli.app import main; main()"


def modules(*arguments):
    subprocess.run([sys.executable, "-c", LOADED, *arguments], check=True, capture_output=True)
    return set(Path("modules.txt").read_text(encoding="utf-8").split())


def test_help_brings_in_nothing_heavy():
    assert not modules("--help") & (HEAVY | {"pydantic"})


def test_version_names_what_a_result_depends_on_and_brings_in_nothing_heavy(process):
    assert not modules("--version") & (HEAVY | {"pydantic"})
    lines = process("--version").out.splitlines()
    assert lines == [f"{name} {metadata.version(name)}" for name in ("lenetctl", "torch", "mlflow")]


@pytest.mark.parametrize("style", ["table", "book", "markdown", "json"])
def test_shapes_bring_in_nothing_heavy(write, style):
    assert not modules("shapes", str(write()), "--format", style) & HEAVY


def test_a_mistake_is_told_before_torch_is_imported(write):
    spec = write("model: {pol: none}")
    done = subprocess.run([sys.executable, "-c", LOADED, "train", str(spec)], check=False)
    assert done.returncode == 2
    assert not set(Path("modules.txt").read_text(encoding="utf-8").split()) & HEAVY


def test_every_command_has_its_help(lenetctl):
    overview = lenetctl("--help")
    for command in ("train", "eval", "shapes", "ui", "data", "sync"):
        assert command in overview.out
        assert lenetctl(command, "--help").code == 0


@pytest.mark.parametrize(
    "arguments", ["shapes quick.yaml", "shapes quick.yaml --json", "data list"]
)
def test_a_closed_stdout_ends_quietly(write, arguments):
    write()
    started = subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    started.stdout.close()  # before it has written anything
    errors = started.stderr.read()
    started.wait(60)
    assert errors == b""
    assert started.returncode == 0


@pytest.mark.parametrize(
    "environment",
    [
        {"NO_COLOR": "1"},
        {"COLUMNS": "40"},
        {"COLUMNS": "0"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"TERM": "dumb"},
    ],
    ids=lambda environment: "=".join(next(iter(environment.items()))),
)
def test_no_terminal_is_too_poor(process, write, environment):
    write("model: {pool: {kind: größer}}", "größe.yaml")
    for arguments in (["--help"], ["shapes", write()], ["data", "list"]):
        result = process(*arguments, **environment)
        assert result.code == 0, result.err
        assert "\x1b" not in result.out
        assert result.err == ""
        assert len(result.out) > 100
    wrong = process("shapes", "größe.yaml", **environment)
    assert wrong.code == 2
    assert "Traceback" not in wrong.err


def test_data_are_listed_and_verified(lenetctl, tmp_path):
    listed = lenetctl("data", "list", "--json")
    assert listed.code == 0
    assert listed.json.keys() == CATALOG.keys()
    assert {f["state"] for files in listed.json.values() for f in files} == {"missing"}
    result = lenetctl("data", "verify", "mnist", "--json")
    assert result.code == 3
    assert json.loads(result.out)["mnist"][0]["state"] == "missing"
    assert json.loads(result.err)["error"]["code"] == 3
    assert str(tmp_path) in json.loads(result.out)["mnist"][0]["path"]


def test_a_key_given_as_an_option_is_told_how_to_be_set(lenetctl, write):
    refused = lenetctl("train", write(), "--batch-size", 64)
    assert refused.code == 2
    assert "-s data.batch_size=…" in refused.err
    assert "a key of a spec" not in lenetctl("ui", "--batch-size", 64).err


def test_a_download_that_fails_is_told_in_one_line(process):
    result = process("data", "fetch", "kmnist", "--mirror", "http://127.0.0.1:9", no_proxy="*")
    assert result.code == 3
    (line,) = result.err.splitlines()
    assert "fetching it failed" in line


NOBODY = """
import pwd

def getpwuid(_):
    raise KeyError

pwd.getpwuid = getpwuid
from lenetctl.cli.app import main
main()
"""


def test_a_user_without_a_home_trains_on_what_needs_no_cache(write, monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME", "LENETCTL_DATA"):
        monkeypatch.delenv(name, raising=False)
    write()

    def run(*arguments):
        command = [sys.executable, "-c", NOBODY, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    train = run("train", "quick.yaml", "--smoke", "-q")
    assert train.returncode == 0, train.stderr
    assert train.stderr == ""
    fetch = run("data", "fetch", "kmnist")
    assert fetch.returncode == 3
    assert "choose another folder with --data-dir or LENETCTL_DATA" in fetch.stderr
    assert fetch.stderr.count("\n") == 1


def test_a_home_that_cannot_be_written_is_no_word_worth(write, monkeypatch):
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "LENETCTL_DATA", "MPLCONFIGDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", os.devnull)
    command = [sys.executable, "-m", "lenetctl", "train", write(), "--smoke", "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (RunStore().find("latest").figures / "curves.png").exists()


GONE = """
import os

os.mkdir("gone")
os.chdir("gone")
os.rmdir("../gone")
from lenetctl.cli.app import main
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a folder that is worked in")
@pytest.mark.parametrize("command", ["train quickstart", "compare", "ui --port 4999"])
def test_a_working_directory_that_is_gone_is_told_in_one_line(command):
    done = subprocess.run(
        [sys.executable, "-c", GONE, *command.split()], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: the working directory is gone or cannot be read: cd into another\n"
    )

"""`docs/cli.md` has every command, option, exit code and environment variable, and no other."""

import re
from enum import Enum
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import pytest
import typer

from lenetctl.cli import errors
from lenetctl.cli.app import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text()
PACKAGE = "".join(path.read_text() for path in sorted((ROOT / "lenetctl").rglob("*.py")))
OPTION = re.compile(r"(?<![\w-])(?:--[a-z][a-z-]*|-[a-z])(?![\w-])")
SHARED, CODES, ENVIRONMENT = "Options for all", "Exit codes", "Environment variables"


def sections(text):
    _, *found = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(found[::2], found[1::2], strict=True))


CLI = sections(PAGE)


def all_commands(command=None, path=()):
    command = command or typer.main.get_command(app)
    below = getattr(command, "commands", {})
    if not below:
        yield " ".join(path), command
    for name, inner in below.items():
        yield from all_commands(inner, (*path, name))


COMMANDS = dict(all_commands())
each_command = pytest.mark.parametrize("name", COMMANDS)


def options_of(command):
    return [param for param in command.params if param.param_type_name == "option"]


def names_of(options):
    return {name for option in options for name in (*option.opts, *option.secondary_opts)}


def choices_of(hint):
    """The words that an option takes, if it takes some only."""
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {member.value for member in hint}
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return set().union(*map(choices_of, get_args(hint)))


def rows(section):
    """The cells of each row of a section's tables, by the code in its first cell."""
    lines = [line for line in CLI[section].splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {name: row for row in cells for name in re.findall(r"`([^`]+)`", row[0])}


def test_every_command_has_a_section_and_a_line_in_the_list():
    assert CLI.keys() - {SHARED, CODES, ENVIRONMENT} == COMMANDS.keys()
    listed = PAGE.partition("\n## ")[0]
    assert re.findall(r"^\| \[`(.+?)`\]", listed, re.MULTILINE) == list(COMMANDS)


@each_command
def test_every_argument_and_option_is_in_the_section_and_no_other(name):
    section, shared = CLI[name], set(OPTION.findall(CLI[SHARED]))
    options, named = options_of(COMMANDS[name]), set(OPTION.findall(CLI[name]))
    assert named <= names_of(options)
    for option in options:
        assert named & set(option.opts), option.opts
        assert set(option.opts + option.secondary_opts) <= named | shared
    for argument in COMMANDS[name].params:
        if argument.param_type_name == "argument":
            assert re.search(rf"\b{re.escape(argument.metavar.strip('[].'))}\b", section)


def test_the_options_of_lenetctl_by_itself():
    top = names_of(options_of(typer.main.get_command(app)))
    inner = set().union(*(names_of(options_of(command)) for command in COMMANDS.values()))
    named = set(OPTION.findall(CLI[SHARED]))
    assert top <= named <= top | inner | {"--help"}


@each_command
def test_every_default_and_every_choice(name):
    hints = get_type_hints(COMMANDS[name].callback)
    for option in options_of(COMMANDS[name]):
        row = (rows(SHARED) | rows(name))[option.opts[0]]
        if isinstance(option.default, str | int) and not isinstance(option.default, bool):
            assert row[1] == f"`{option.default}`", option.opts
        choices = choices_of(hints[option.name])
        assert not choices or set(re.findall(r"`([a-z]+)`", " ".join(row[1:]))) == choices, name


def test_every_exit_code():
    ours = {n for name, n in vars(errors).items() if name.isupper() and isinstance(n, int)}
    codes = re.findall(r"^\| (\d+) \|", CLI[CODES], re.MULTILINE)
    assert list(map(int, codes)) == sorted({0, 1, *errors.CODES.values(), *ours})


def test_every_environment_variable():
    _, read, of_libraries, set_unless_set = CLI[ENVIRONMENT].split("| --- |\n")
    named = re.findall(r"^\| `(\w+)`", f"{read}\n{set_unless_set}", re.MULTILINE)
    uses = set(re.findall(r'(?:environ|getenv|envvar)\W[^"\n]*"(\w+)"', PACKAGE))
    assert sorted(named) == sorted(uses)
    assert not uses & set(re.findall(r"`(\w+)`", of_libraries))

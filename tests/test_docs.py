"""What the pages name is there: links, files, commands, markers, versions."""

import doctest
import re
import shlex
import time
import tomllib
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest
import typer
import yaml
from nbclient import NotebookClient

from lenetctl.cli.app import app, main

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md"))]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAMED = {  # how pages name files: pattern, folders where they are, what is left out of the name
    "path": (r"(?<![\w/])(?<!--plot )((?:benchmarks|docs|experiments|tests)/[\w./-]*\w)", [""], ""),
    "room": (r"`(?!mlruns)((?:[a-z_]+/)+(?:[a-z_]+\.(?:py|cpp))?)`", ["", "lenetctl"], ""),
    "test": (r"`((?:[a-z0-9]+/)+test_\w+)`", ["tests"], ".py"),
}

each_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)


def prose(page):
    return FENCED.sub("", page.read_text())


def anchors(page):
    """The headings as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page):
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if "://" not in link]


@each_page
def test_every_link_leads_somewhere(page):
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_index_has_every_page():
    pages = {page.name for page in DOCS.iterdir() if page.suffix in (".md", ".ipynb")}
    index = DOCS / "README.md"
    assert {link for link in links(index) if "/" not in link} == pages - {index.name}


@each_page
@pytest.mark.parametrize("kind", NAMED)
def test_every_file_that_is_named_exists(page, kind):
    pattern, folders, suffix = NAMED[kind]
    for name in re.findall(pattern, page.read_text()):
        assert any((ROOT / folder / f"{name}{suffix}").exists() for folder in folders), name


def commands_of(page):
    """The words after `lenetctl` of each line of the page's code, where none is left out."""
    for language, block in FENCED.findall(page.read_text()):
        for line in block.replace("\\\n", " ").splitlines() if language == "sh" else ():
            words = [] if "…" in line else shlex.split(line, comments=True)
            if "lenetctl" in words[:-1]:
                yield words[words.index("lenetctl") + 1 :]


@each_page
def test_every_command_is_one_that_the_app_takes(page, capsys):
    top = typer.main.get_command(app)
    for words in commands_of(page):
        command, left = top, list(words)
        while left and left[0] in getattr(command, "commands", {}):
            command = command.commands[left.pop(0)]
        if left[-1:] == ["--resume"]:  # may stand without a value
            left[-1] = "--resume="
        with suppress(typer.Exit):  # of --help and --version
            command.make_context("lenetctl", left)
    for word in re.findall(r"`lenetctl (\w+)", prose(page)):
        assert word in top.commands


def test_the_examples_of_python_print_what_the_page_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    page = DOCS / "python.md"
    blocks = [block for language, block in FENCED.findall(page.read_text()) if language == "python"]
    examples = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, page.name, 0)
    told = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(examples, out=told.append)
    assert runner.tries > 20
    assert not runner.failures, "".join(told)


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(tmp_path, monkeypatch, record_property):
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # where it keeps its runs
    notebook = nbformat.read(DOCS / "lenet.ipynb", as_version=4)
    begin = time.perf_counter()
    # raises where a cell does
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": tmp_path}}).execute()
    record_property("seconds", time.perf_counter() - begin)  # the page says: under two minutes


def test_the_notebook_is_shown_as_it_ran():
    file = DOCS / "lenet.ipynb"
    notebook = nbformat.read(file, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 4
    assert not [output for output in outputs if output.output_type == "error"]
    assert file.stat().st_size < 300_000


def test_the_readme_prints_what_shapes_prints(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["lenetctl", "shapes", str(ROOT / "experiments/baseline.yaml")])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out in (ROOT / "README.md").read_text()


def test_architecture_draws_every_room():
    tree = FENCED.search((DOCS / "architecture.md").read_text())[2]
    rooms = [path.parent.name for path in (ROOT / "lenetctl").rglob("*/__init__.py")]
    assert sorted(re.findall(r"^ +(\w+)/", tree, re.MULTILINE)) == sorted(rooms)


def test_contributing_has_every_marker_and_every_variable_of_the_tests():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    markers = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]
    ours = {line.partition(":")[0] for line in markers["ini_options"]["markers"]}
    assert set(re.findall(r"^\| `([a-z]+)` \|", text, re.MULTILINE)) == ours
    files = [ROOT / ".ci" / "run", *(ROOT / "tests").rglob("*.py")]
    used = {name for file in files for name in re.findall(r"LENETCTL_[A-Z_]+", file.read_text())}
    assert set(re.findall(r"LENETCTL_[A-Z_]+", text)) == used


def test_citation_and_changelog_know_the_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()

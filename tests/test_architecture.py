"""The house as `docs/architecture.md` draws it: who may import whom."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from importlib.util import find_spec
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "lenetctl"
FILES = sorted(HOUSE.rglob("*.py"))
MAX_LINES, MAX_FILES = 250, 15
BESIDE = {"errors", "files", "processes"}  # stand beside the rooms, for all of them
MAY_IMPORT = {
    "specs": set(),
    "data": {"specs"},
    "model": {"specs"},
    "training": {"specs", "data", "model"},
    "runs": {"specs", "data", "model", "training"},
    "sweeps": {"specs", "data", "model", "training", "runs"},
    "analysis": {"specs", "data", "model", "training", "runs", "sweeps"},
    "figures": {"specs"},
    "report": set(),
    "explain": {"specs", "data", "model", "runs", "training", "analysis"},
    "tracking": {"specs", "model", "training", "runs", "sweeps", "analysis"},
    "artifacts": {"specs", "runs", "analysis", "figures"},
    "cli": {
        *("specs", "data", "model", "training", "runs", "sweeps", "analysis", "figures"),
        *("explain", "report", "tracking", "artifacts"),
    },
    "api": {
        *("specs", "data", "model", "training", "runs", "sweeps", "analysis", "figures"),
        *("tracking", "artifacts"),
    },
    "__main__": {"cli"},
    "legacy": {"specs", "model", "training"},
    "__init__": {"api", "figures", "legacy"},
    "errors": set(),
    "files": set(),
    "processes": set(),
}

each_file = pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(HOUSE).as_posix())


def imports(path):
    """The full names of all that `path` imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: a relative import"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def packages(path):
    return {name.partition(".")[0] for name in imports(path)}


def module_name(path):
    parts = path.relative_to(HOUSE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def room_of(path):
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


@each_file
def test_arrows_go_one_way(path):
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("lenetctl.")}
    rooms = {name for name in ours if find_spec(f"lenetctl.{name}")}  # not lenetctl.__version__
    room = room_of(path)
    assert rooms <= MAY_IMPORT[room] | {room} | BESIDE


def test_no_modules_import_each_other():
    """Not even for type checkers alone."""
    modules = {module_name(path): imports(path) for path in FILES}
    graph = {
        module: {name if name in modules else name.rpartition(".")[0] for name in names} - {module}
        for module, names in modules.items()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize(
    "folder",
    sorted({path.parent for path in FILES}),
    ids=lambda p: p.relative_to(HOUSE.parent),
)
def test_a_folder_is_taken_in_at_a_glance(folder):
    files = [path for path in folder.iterdir() if path.is_file() and path.suffix != ".pyc"]
    assert len(files) <= MAX_FILES


@each_file
def test_mlflow_and_matplotlib_have_one_room_each(path):
    room = room_of(path)
    assert "mlflow" not in packages(path) or room == "tracking"
    assert "matplotlib" not in packages(path) or room == "figures"


@each_file
def test_a_file_is_one_idea(path):
    assert len(path.read_text().splitlines()) <= MAX_LINES


def test_help_waits_for_nothing_heavy():
    if not find_spec("lenetctl.cli.app"):
        pytest.skip("no commands yet")
    program = "import sys, lenetctl.cli.app; print(*{n.partition('.')[0] for n in sys.modules})"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    heavy = {"torch", "torchvision", "mlflow", "matplotlib", "sklearn", "pandas", "pydantic"}
    assert not set(ran.stdout.split()) & heavy


def test_runs_are_compared_without_arrays():
    modules = "lenetctl.cli.commands.compare, lenetctl.cli.views.comparison_table"
    program = f"import sys, {modules}; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not set(ran.stdout.split()) & {"numpy", "matplotlib", "torch"}


@pytest.mark.parametrize("own", [None, "5"])
def test_threads_do_not_spin_unless_the_user_wants_it(own, monkeypatch):
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    if own:
        monkeypatch.setenv("GOMP_SPINCOUNT", own)
    program = "import lenetctl, os; print(os.environ['GOMP_SPINCOUNT'])"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == (own or "1000")

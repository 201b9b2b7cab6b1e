"""Files, the files they extend, and that reading them costs neither torch nor MLflow."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from lenetctl import specs
from lenetctl.errors import SpecError
from lenetctl.specs.load import MAX_EXTENDS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(**files):
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(dedent(text))

    return write


def said(path):
    with pytest.raises(SpecError) as refused:
        specs.load_spec(path)
    return str(refused.value).splitlines()


def test_an_empty_file_is_the_chapter(folder):
    folder(x="# nothing\n")
    assert specs.load_spec("x.yaml") == specs.Spec(name="x")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("relu.yaml", "relu"),
        ("größe.yaml", "größe"),
        ("lr 0.1 (new).yaml", "lr-0.1--new-"),
        ("lr².yaml", "lr-"),
        ("-x.yaml", "x"),
        ("....yaml", "spec"),
        ("e" * 120 + ".yaml", "e" * 91 + "-6e18f27b"),
        (b"\xff.yaml".decode("utf-8", "surrogateescape"), "spec"),
    ],
)
def test_the_name_is_the_files(tmp_path, file, name):
    (tmp_path / file).write_text("name: null")
    assert specs.load_spec(tmp_path / file).name == name


def test_what_a_file_extends_shows_through(folder):
    folder(
        base="""
            name: base
            description: of the base
            data: {batch_size: 2}
            model: {pool: {kind: max, size: 3}, dense: [1, 2, 3]}
            training: {ema: 0.5, optimizer: {kind: adam, lr: 0.1}}
        """,
        middle="{extends: base.yaml, data: {limit: 3}}",
        x="""
            extends: middle.yaml
            model: {pool: {size: 2}, dense: [4]}
            training: {ema: null, optimizer: null}
        """,
    )
    loaded = specs.load_spec("x.yaml")
    assert (loaded.name, loaded.description) == ("x", "")
    assert (loaded.data.batch_size, loaded.data.limit) == (2, 3)
    assert (loaded.model.pool.kind, loaded.model.pool.size) == ("max", 2)
    assert loaded.model.dense == (4,)
    assert loaded.training == specs.Spec(name="x").training


def test_another_kind_of_optimizer_begins_anew(folder):
    folder(
        base="training: {optimizer: {lr: 0.5, momentum: 0.9, weight_decay: 0.1}}",
        x="{extends: base.yaml, training: {optimizer: {kind: adam, eps: 0.1}}}",
    )
    optimizer = specs.load_spec("x.yaml").training.optimizer
    assert (optimizer.lr, optimizer.eps, optimizer.weight_decay) == (0.001, 0.1, 0.1)


def test_problems_are_placed_in_the_file_that_holds_them(folder):
    folder(
        base="model:\n  conv:\n    - {channels: 6, kernel: 5}\n  initt: torch\n",
        x="extends: base.yaml\nmodel:\n  pool: {kind: maxx}\n  conv:\n    - {channels: 6}\n",
    )
    lines = said("x.yaml")
    assert [line.split(": ")[:2] for line in lines] == [
        ["base.yaml:4", "model.initt"],
        ["x.yaml:3", "model.pool.kind"],
        ["x.yaml:5", "model.conv.0.kernel"],
    ]


@pytest.mark.parametrize(
    ("base", "problem"),
    [
        ("nope.yaml", "there is no file nope.yaml"),
        ("..", "there is no file .."),
        ("x" * 5000, "there is no file xxx"),
        ("'a\\0b'", "there is no file a"),
        ("/etc/passwd", "must be the path of a spec, relative to this file"),
        ("[a.yaml]", "must be the path of a spec, relative to this file"),
        ("''", "must be the path of a spec, relative to this file"),
        ("x.yaml", "a cycle: x.yaml → x.yaml"),
    ],
)
def test_a_base_that_is_none(folder, base, problem):
    folder(x=f"modle: 1\nextends: {base}\n")
    unknown, extends = said("x.yaml")
    assert unknown.startswith("x.yaml:1: modle: unknown key")
    assert extends.startswith(f"x.yaml:2: extends: {problem}")


def test_a_base_with_problems_of_its_own(folder):
    folder(base="a: [", middle="b: 1\nextends: base.yaml\n", x="c: 1\nextends: middle.yaml\n")
    places = [line.split(": ")[0] for line in said("x.yaml")]
    assert places == ["base.yaml:2", "middle.yaml:1", "x.yaml:1"]


def test_a_cycle(folder):
    folder(a="extends: b.yaml", b="extends: c.yaml", c="extends: a.yaml")
    assert said("a.yaml") == ["c.yaml:1: extends: a cycle: a.yaml → b.yaml → c.yaml → a.yaml"]


def test_a_chain_has_an_end(folder):
    folder(**{f"f{n}": f"extends: f{n + 1}.yaml" for n in range(MAX_EXTENDS + 1)})
    folder(**{f"f{MAX_EXTENDS + 1}": ""})
    assert specs.load_spec("f2.yaml").name == "f2"
    assert said("f0.yaml")[0].endswith(f"more than {MAX_EXTENDS} files, each extending the next")


@pytest.mark.parametrize("text", ["- 1", "words", "3", "false", "[]", "''"])
def test_a_file_that_is_no_mapping(folder, text):
    folder(x=text)
    assert said("x.yaml") == ["x.yaml:1: a spec is a mapping of keys to values"]


HEAVY = {"torch", "torchvision", "mlflow", "matplotlib", "sklearn", "pandas", "numpy"}


@pytest.mark.parametrize("text", ["", "modle: 1\nmodel: {conv: [{channels: 1, kernel: 99}]}\n"])
def test_reading_brings_in_nothing_heavy(tmp_path, text):
    (tmp_path / "x.yaml").write_text(text)
    program = """
        import sys
        from lenetctl import specs
        from lenetctl.errors import SpecError
        try:
            loaded = specs.load_spec(sys.argv[1])
            specs.plan_layers(loaded.model), specs.sha256(loaded), specs.to_yaml(loaded)
        except SpecError as error:
            print(error, file=sys.stderr)
        print(*{name.partition(".")[0] for name in sys.modules})
    """
    command = [sys.executable, "-c", dedent(program), str(tmp_path / "x.yaml")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    modules = set(ran.stdout.split())
    assert "pydantic" in modules
    assert not modules & HEAVY
    assert bool(ran.stderr) == bool(text)


def test_a_mapping_is_a_spec_and_is_left_as_it_was():
    given = {"name": "relu", "model": {"activation": "relu", "dense": [84]}}
    loaded = specs.load_spec(given, ["model.dense.0=10"])
    assert (loaded.name, loaded.model.dense) == ("relu-dense.0=10", (10,))
    assert given["model"]["dense"] == [84]
    assert specs.load_spec({}).name == "spec"


def test_all_problems_of_a_mapping_are_told_at_once():
    with pytest.raises(SpecError) as told:
        specs.load_spec({"model": {"activaton": "relu"}, "training": {"epochs": 0}})
    assert {problem.key for problem in told.value.problems} == {
        "model.activaton",
        "training.epochs",
    }


@pytest.mark.parametrize("name", ["exercise1", "study/sweep.yaml"])
def test_a_sweep_is_not_a_spec(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path("study").mkdir()
    Path("study/sweep.yaml").write_text("seeds: [0, 1]", encoding="utf-8")
    with pytest.raises(SpecError, match=f"is for many runs, not one spec: lenetctl sweep {name}"):
        specs.load_spec(name)

"""Whatever the text: a spec or a SpecError, and each problem on a line of its own."""

import copy
import json
from pathlib import Path

import pytest
from helpers.strategies import FUZZ, any_spec
from hypothesis import given, settings
from hypothesis import strategies as st

from lenetctl import specs
from lenetctl.errors import SpecError
from lenetctl.specs import Spec

pytestmark = pytest.mark.fuzz
EXPERIMENTS = Path(__file__).parents[2] / "experiments"
TEXTS = [path.read_text() for path in sorted(EXPERIMENTS.rglob("*.yaml"))]
TEXTS.append(specs.to_yaml(Spec(name="everything")))
TOKENS = [
    *("{", "}", "[", "]", ":", ": ", ",", "- ", "\n", "  ", "\t", "#", "'", '"', "|", ">", "?"),
    *("&a ", "*a", "!", "!!python/object:os.system ", "<<: ", "---\n", "%", "@", "`", "~", "\\"),
    *("null", "true", "no", ".nan", "-.inf", "1e999", "-1", "0", "010", "1_0", 5000 * "9", "é"),
    *("kind", "extends: x.yaml", "extends: ..", "pool: ", "conv: ", "sgd", "name: ..", "\0", "\r"),
    *("\x85", "\u2028", "\ufeff", "\x1b", "\U0001f600", 30 * "[", 30 * "{a: "),
]
VALUES = [
    None,
    True,
    0,
    -1,
    10**50,
    0.5,
    -0.0,
    1e300,
    "",
    "x",
    "max",
    [],
    [1],
    {},
    {"kind": "adam"},
]
MANY = settings(max_examples=3 * FUZZ, deadline=None)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("specs") / "x.yaml"


@st.composite
def broken_texts(draw):
    """A shipped spec with some pieces cut out, repeated or put in."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 30))
        token = draw(st.sampled_from(TOKENS) | st.text(max_size=5) | st.just(text[start:end]))
        text = text[:start] + token + text[draw(st.sampled_from([start, end])) :]
    return text


@MANY
@given(text=broken_texts())
def test_broken_texts(file, text):
    file.write_bytes(text.encode(errors="replace"))
    check(file)


@MANY
@given(content=st.binary(max_size=200))
def test_any_bytes(file, content):
    file.write_bytes(content)
    check(file)


@st.composite
def odd_trees(draw):
    """A valid spec in which some values are of another type, gone, or under another key."""
    tree = draw(any_spec()).model_dump(mode="json")
    for _ in range(draw(st.integers(1, 5))):
        node = tree
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(node[key], dict | list) and draw(st.booleans()):
                node = node[key]
                continue
            node[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
            if isinstance(node, dict) and draw(st.booleans()):
                node[draw(st.sampled_from(["kind", "lr", "conv", "x", f"{key}s"]))] = node.pop(key)
            break
    return tree


@settings(max_examples=FUZZ, deadline=None)
@given(tree=odd_trees())
def test_odd_trees(file, tree):
    file.write_text(json.dumps(tree))
    check(file)


@MANY
@given(
    path=st.lists(
        st.sampled_from(["data", "model", "conv", "pool", "kind", "training", "optimizer", "betas"])
        | st.sampled_from(["0", "1", "9", "-1", "extends", "name", "", "lr", "\n", "x"]),
        min_size=1,
        max_size=5,
    ),
    value=st.sampled_from([*TOKENS, *map(json.dumps, VALUES)]) | st.text(max_size=9),
    text=st.sampled_from(
        ["", "model: {conv: [3]}", "training: {optimizer: {kind: adam}}", "data: 1"]
    ),
)
def test_any_override(file, path, value, text):
    file.write_text(text)
    check(file, f"{'.'.join(path)}={value}", value)


def check(file, *overrides):
    try:
        loaded = specs.load_spec(file, overrides)
    except SpecError as error:
        problems = error.problems
    else:
        specs.sha256(loaded)
        file.write_text(specs.to_yaml(loaded), encoding="utf-8", newline="")
        assert specs.load_spec(file) == loaded
        return
    assert problems
    for problem in problems:
        line = str(problem)
        assert line.isprintable()
        assert "Input" not in line
        assert "Tuple" not in line
        assert problem.line or problem.file.startswith("-s ") or problem.message.endswith("here")

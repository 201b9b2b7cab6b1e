"""YAML from strangers: what it means, and what is refused at once."""

import math
import os
import time
from pathlib import Path

import pytest

from lenetctl.errors import SpecError
from lenetctl.specs import yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 100_000.0),
        ("-.5", -0.5),
        ("3.", 3.0),
        ("010", 10),
        ("-7", -7),
        ("+7", 7),
        ("12:30", "12:30"),
        ("on", "on"),
        ("yes", "yes"),
        ("0x1F", 31),
        ("0o17", 15),
        ("0o8", "0o8"),
        ("-0x10", "-0x10"),
        ("1_000", "1_000"),
        ("2026-11-24", "2026-11-24"),
        ("٣", "٣"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("|\n  1\n", "1\n"),
        ("-.inf", -math.inf),
        ("-0.0", 0.0),
    ],
)
def test_scalars_of_yaml_1_2(text, value):
    read = yaml.parse_yaml(f"key: {text}", "x").value["key"]
    assert (type(read), repr(read)) == (type(value), repr(value))


def test_not_a_number():
    assert math.isnan(yaml.parse_yaml(".nan", "x").value)


def test_origins():
    text = "a: 1\nb:\n  - c: 2\n    d: 3\n"
    origins = yaml.parse_yaml(text, "x.yaml").origins
    lines = {path: origin.line for path, origin in origins.items()}
    assert lines == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 0, "c"): 3,
        ("b", 0, "d"): 4,
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [("a:\n\tb: 1\n", 2), ("a: 1\n\tb: 2\n", 2), ("a:\n  b: 1\n\tc: 2\n", 3), ("- \tb: 1\n", 1)],
)
def test_a_tab_is_called_a_tab(text, line):
    with pytest.raises(SpecError, match=rf"x:{line}: not valid YAML: a tab .*spaces"):
        yaml.parse_yaml(text, "x")


def test_keys_written_twice():
    document = yaml.parse_yaml("a: 1\nb: {c: 1, c: 2}\na: 3\n", "x.yaml")
    assert [str(problem) for problem in document.problems] == [
        "x.yaml:2: b.c: written twice, first in line 2",
        "x.yaml:3: a: written twice, first in line 1",
    ]
    assert document.value == {"a": 1, "b": {"c": 1}}


def test_aliases_are_written_out():
    assert yaml.parse_yaml("a: &x [1]\nb: *x\n", "x").value == {"a": [1], "b": [1]}


LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join(9 * [f'*a{i - 1}'])}]\n" for i in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, "too many values, or nested too deeply, once its aliases are written out"),
        ("a: &a [*a]", "too many values, or nested too deeply, once its aliases are written out"),
        ("a: &a {b: *a}", "too many values, or nested too deeply, once its aliases"),
        ("a: *b", "found undefined alias"),
        (10_000 * "[", "nest"),  # too deeply for us, or for libyaml before
        ("".join(" " * i + "a:\n" for i in range(500)), "nested too deeply"),
        ("!!python/object/apply:os.system [id]", "python/object/apply:os.system is refused"),
        ("!!python/name:os.system", "is refused"),
        ("%TAG ! tag:yaml.org,2002:python/\n---\n!name:os.system", "is refused"),
        ("!!int '3'", "is refused: specs are plain data"),
        ("! 3", "is refused"),
        ("!" + 100_000 * "a" + " 3", "is refused"),
        ("a: [", "not valid YAML"),
        ("a: 1\n---\nb: 2", "not valid YAML: expected a single document"),
        ("a:\n\tb: 1", "not valid YAML"),
        ("a: 'b", "not valid YAML"),
        ("a: b\0c", "not valid YAML: control characters are not allowed"),
        ('a: "\\uD800"', "not valid YAML"),
        ("a: \udce9", "not valid YAML: surrogates not allowed"),
    ],
)
def test_refused(text, said):
    started = time.process_time()
    with pytest.raises(SpecError) as refused:
        yaml.parse_yaml(text, "x.yaml")
    assert time.process_time() - started < 1  # seconds
    line = str(refused.value)
    assert said in line
    assert line.startswith("x.yaml:")
    assert len(line) < 200
    assert "\n" not in line


def test_too_many_values_are_refused_before_a_tree_is_built():
    with pytest.raises(SpecError, match=r"^x:\d+: too many values$"):
        yaml.parse_yaml("- x\n" * 20_000, "x")


def test_a_key_that_is_a_list():
    document = yaml.parse_yaml("? [a, b]\n: 1\nc: 2\n", "x")
    assert document.value == {"c": 2}
    assert [problem.message for problem in document.problems] == ["a key must be a word"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"#" * (yaml.MAX_BYTES + 1), "f: larger than 1,000,000 bytes"),
        ("é".encode() * yaml.MAX_BYTES, "f: larger than 1,000,000 bytes"),
        (b"a: 1\nb: \xff\n", "f:2: not UTF-8 text"),
        ("a: 1".encode("utf-16"), "f:1: not UTF-8 text"),
    ],
)
def test_files_that_are_no_text(tmp_path, monkeypatch, content, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f").write_bytes(content)
    assert refusal("f") == said


def test_files_that_are_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    assert refusal("pipe") == "pipe: is not a file"
    assert refusal(".") == ".: is not a file"
    assert refusal("/dev/zero") == "/dev/zero: is not a file"
    assert refusal("none") == "none: No such file or directory"
    assert refusal("loop") == "loop: Too many levels of symbolic links"
    assert refusal("a\0b") == "a\\x00b: embedded null byte"


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    path = tmp_path / "windows.yaml"
    path.write_bytes("a: 1\r\nb: 2\r\n".encode("utf-8-sig"))
    assert yaml.read_yaml_file(path).value == {"a": 1, "b": 2}


def refusal(path):
    with pytest.raises(SpecError) as refused:
        yaml.read_yaml_file(Path(path))
    return str(refused.value)

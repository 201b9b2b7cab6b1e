import json

from lenetctl.errors import CheckpointError, Problem, SpecError


def test_a_problem_is_a_line_that_editors_can_jump_to():
    problem = Problem("a.yaml", 7, "model.pool.kind", "is needed")
    assert str(problem) == "a.yaml:7: model.pool.kind: is needed"
    assert str(Problem("-s x", None, "", "is needed")) == "-s x: is needed"


def test_no_problem_breaks_the_line_or_the_terminal():
    line = str(Problem("\udce9\n\x1b[31m", 1, "a\u2028\rb", "é → ×" + 5000 * "x"))
    assert line.startswith("\\udce9\\n\\x1b[31m:1: a\\u2028\\rb: é → ×x")
    assert line.isprintable()
    assert len(line) < 1100


def test_no_error_breaks_the_line_or_the_terminal():
    assert str(CheckpointError("a\x1b[31m\nerror: b")) == "a\\x1b[31m\\nerror: b"


def test_a_spec_error_says_every_problem():
    problems = [Problem("a", 1, "b", "c"), Problem("a", 2, "d", "e")]
    error = SpecError(problems)
    assert str(error) == "a:1: b: c\na:2: d: e"
    assert json.loads(json.dumps([one.as_dict() for one in error.problems]))[1] == {
        "file": "a",
        "line": 2,
        "key": "d",
        "message": "e",
    }

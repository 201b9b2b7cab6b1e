import json

import pytest

BOOK = """\
name: d2l-java
model:
  conv:
    - {channels: 6, kernel: 5, padding: 2, bias: false}
    - {channels: 16, kernel: 5}
  pool: {kind: avg, size: 5, stride: 2, padding: 2}
"""

PRINTED = """\
01Conv2d layer output : (1, 6, 28, 28)
02LambdaBlock layer output : (1, 6, 28, 28)
03LambdaBlock layer output : (1, 6, 14, 14)
04Conv2d layer output : (1, 16, 10, 10)
05LambdaBlock layer output : (1, 16, 10, 10)
06LambdaBlock layer output : (1, 16, 5, 5)
07LambdaBlock layer output : (1, 400)
08Linear layer output : (1, 120)
09LambdaBlock layer output : (1, 120)
10Linear layer output : (1, 84)
11LambdaBlock layer output : (1, 84)
12Linear layer output : (1, 10)
"""


@pytest.fixture
def book(write):
    return write(BOOK, "d2l-java.yaml")


def test_the_chapters_twelve_lines_to_the_letter(lenetctl, book):
    result = lenetctl("shapes", book, "--format", "book")
    assert (result.code, result.out, result.err) == (0, PRINTED, "")


def test_the_document_adds_up(lenetctl, book):
    document = lenetctl("shapes", book, "--json").json
    assert document["input_shape"] == [1, 1, 28, 28]
    assert document["parameters"] == sum(x["parameters"] for x in document["layers"]) == 61_700
    assert document["macs"] == sum(x["macs"] for x in document["layers"])
    for layer in document["layers"]:
        assert layer.keys() >= {"name", "kind", "output_shape", "parameters", "macs"}
    assert [layer["output_shape"] for layer in document["layers"]][-1] == [1, 10]
    assert lenetctl("shapes", book, "--format", "json").json == document


def test_a_batch_multiplies_the_work_and_not_the_parameters(lenetctl, book):
    one = lenetctl("shapes", book, "--json").json
    many = lenetctl("shapes", book, "--json", "--batch", 64).json
    assert many["parameters"] == one["parameters"]
    assert many["macs"] == 64 * one["macs"]
    assert all(layer["output_shape"][0] == 64 for layer in many["layers"])


def test_markdown_is_a_table_with_totals(lenetctl, book):
    lines = lenetctl("shapes", book, "--format", "markdown").out.splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[0].split()[1] == "layer"
    assert "conv1" in lines[2]
    assert "total" in lines[-1]
    assert "61,700" in lines[-1]


def test_the_table_has_a_row_a_layer(lenetctl, book):
    out = lenetctl("shapes", book).out
    for word in ("conv1", "pool2", "(1, 16, 5, 5)", "48,120", "total", "61,700"):
        assert word in out


def test_overrides_are_typed_and_checked_like_the_file(lenetctl, book):
    wide = lenetctl("shapes", book, "--json", "-s", "model.conv.1.channels=32").json
    assert wide["layers"][3]["output_shape"] == [1, 32, 10, 10]
    wrong = lenetctl("shapes", book, "-s", "model.conv.1.channels=many")
    assert wrong.code == 2
    assert "-s model.conv.1.channels=many: model.conv.1.channels: must be" in wrong.err


def test_a_diagram_is_drawn_and_said_on_stderr(lenetctl, book, tmp_path):
    result = lenetctl("shapes", book, "--json", "--diagram", "net.svg")
    assert result.code == 0
    assert json.loads(result.out)["parameters"] == 61_700
    assert (tmp_path / "net.svg").read_text().lstrip().startswith("<?xml")

"""`docs/specs.md` lists every key of the schema, its default and its words."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from lenetctl.specs import Spec
from lenetctl.specs.faults import kinds
from lenetctl.specs.section import Section

DOCS = Path(__file__).parents[2] / "docs" / "specs.md"


def documented():
    """The rows of each heading: key, type, default."""
    rows, heading = {}, ""
    for line in DOCS.read_text().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ").replace("`", "")
        elif line.startswith("| `"):
            key, type_, default, _ = (cell.strip() for cell in line.strip("|").split("|"))
            rows.setdefault(heading, {})[key.strip("`")] = (type_, default.strip("`"))
    return rows


def sections(annotation):
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [one for inner in get_args(annotation) for one in sections(inner)]


def headed(section=Spec, path=""):
    """Every section of the schema under the heading that it has in the docs."""
    yield path or "Top level", section
    for key, field in section.model_fields.items():
        inner = sections(field.annotation)
        for one in inner:
            here = f"{path}.{key}".lstrip(".")
            if here != "model.conv.pool":  # as model.pool
                yield from headed(
                    one, here if len(inner) == 1 else f"{here} of kind {kinds(one)[0]}"
                )


SECTIONS = dict(headed())


def test_every_section_and_no_other():
    assert documented().keys() == SECTIONS.keys()


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_with_its_default(heading):
    rows = dict(documented()[heading])
    rows.pop("extends", None)
    section = SECTIONS[heading]
    assert list(rows) == list(section.model_fields)
    for key, (_, default) in rows.items():
        field = section.model_fields[key]
        if key in ("name", "description") or (sections(field.annotation) and field.default):
            continue  # told in words
        value = "needed" if field.is_required() else field.default
        assert default == (value if isinstance(value, str) else json.dumps(value)), key


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_word_that_is_allowed(heading):
    for key, (type_, _) in documented()[heading].items():
        field = SECTIONS[heading].model_fields.get(key)
        words = get_args(field.annotation) if field else ()
        if words and all(isinstance(word, str) for word in words):
            assert re.findall(r"`(\w+)`", type_) == list(words)

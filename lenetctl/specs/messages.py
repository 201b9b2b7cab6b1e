"""What the user reads about a fault: the line, the allowed values, a suggestion."""

import json
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from lenetctl.errors import Problem
from lenetctl.specs.faults import Fault, kinds
from lenetctl.specs.reference.keys import namesakes
from lenetctl.specs.reference.shipped import SWEEP_FILE, SWEEP_KEYS
from lenetctl.specs.yaml import Document, dotted, nearest_origin

MAX_PROBLEMS = 100
MOST_NAMESAKES = 3  # of more keys of one name none is suggested
EXPECTED = {  # by pydantic's type of error: "must be …, not …"
    "bool_type": "true or false",
    "count_or_share": "a number of images, or a share between 0 and 1",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_type": "an integer",
    "kernel": "an integer from 1 to 64, or two: [height, width]",
    "model_attributes_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "string_type": "text",
    "tuple_type": "a list",
}
SENTENCES = {  # by the same, where the message is another
    "impossible": "{message}",
    "missing": "is needed",
    "string_too_long": "must have at most {max_length:,} characters",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entries",
}
ALLOWED_TEXT = {  # by key, what its regular expression means
    "name": "letters, digits and _ . + = -, beginning with a letter, a digit or _",
    "output_codes": "signs # and . with spaces between them",
    "folder": "a path below the data directory, of letters, digits, spaces and _ . , & + ' ( ) -",
}


def as_problems(faults: Iterable[Fault], document: Document, file: str) -> list[Problem]:
    """Return the first hundred `faults` of `document`, read from `file`; of more, how many."""
    faults = list(faults)
    problems = [_problem(fault, document, file) for fault in faults[:MAX_PROBLEMS]]
    if len(faults) > MAX_PROBLEMS:
        message = f"{len(faults):,} problems, the first {MAX_PROBLEMS} of them here"
        problems.append(Problem(file, None, "", message))
    return problems


def _problem(fault: Fault, document: Document, file: str) -> Problem:
    origin = nearest_origin(document.origins, fault.path, file)
    return Problem(origin.file, origin.line, dotted(fault.path), _message(fault))


def _message(fault: Fault) -> str:
    kind, given = fault.kind, fault.given
    if kind in SENTENCES:
        return SENTENCES[kind].format_map(fault.context)
    if kind == "extra_forbidden":
        section_kinds = kinds(fault.section)
        owner = f" for {section_kinds[0]}" if len(section_kinds) == 1 else ""
        return (
            f"unknown key{owner}{_elsewhere(fault) or _suggestion(fault.path[-1], fault.choices)}"
        )
    if kind == "union_tag_not_found":
        return f"is needed{_suggestion('', fault.choices)}"
    if fault.choices:
        return f"{short_json(given)} is not allowed{_suggestion(given, fault.choices)}"
    if kind == "string_pattern_mismatch":
        key = next(part for part in reversed(fault.path) if isinstance(part, str))
        expected = ALLOWED_TEXT[key]
    else:
        expected = EXPECTED.get(kind) or fault.message.removeprefix("Input should be ")
    return f"must be {expected}, not {short_json(given)}"


def _elsewhere(fault: Fault) -> str:
    """Return where a key belongs that is one of another section; "" where there is none or many."""
    key = dotted(fault.path)
    if key in SWEEP_KEYS:
        return f": it is one of a sweep, for a file called {SWEEP_FILE}"
    close = namesakes(key)
    is_clear = 0 < len(close) <= MOST_NAMESAKES and key not in close  # it is one of another kind
    return f"; did you mean {' or '.join(close)}?" if is_clear else ""


def _suggestion(word: Any, allowed: list[str]) -> str:
    """Return ` (allowed: max, avg); did you mean max?`, for `maxx`."""
    close = get_close_matches(str(word), allowed, n=1)
    did_you_mean = f"; did you mean {close[0]}?" if close else ""
    return f" (allowed: {', '.join(allowed)}){did_you_mean}"


def short_json(value: Any) -> str:
    """Return `value` as JSON on one line, cut after 60 characters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"

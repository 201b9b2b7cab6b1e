"""Every kind of the schema, each in a spec that trains in no time; words are found in it."""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args, get_origin

from lenetctl.specs.schema import Spec
from lenetctl.specs.section import Section

BASE = {
    "data": {"batch_size": 16},
    "model": {"conv": [{"channels": 3, "kernel": 5}], "dense": [6]},
    "training": {"epochs": 1},
}
NEEDED = {
    "channels": 3,
    "kernel": 5,
    "patience": 1,
    "factors": [1.0],
}  # values of keys that have no default
CODES = [f"{number:06b}".replace("0", ".").replace("1", "#") for number in range(10)]
# keys whose values are no words, each with a value that engines and pictures may not know
KEYS: dict[str, tuple[str, dict[str, Any]]] = {
    "kernel": ("model", {"conv": [{"channels": 3, "kernel": [3, 5]}]}),
    "padding_value": (
        "model",
        {"conv": [{"channels": 3, "kernel": 5, "padding": 2, "padding_value": -0.4}]},
    ),
    "unit_bias": ("model", {"conv": [{"channels": 3, "kernel": 5, "unit_bias": True}]}),
    "connections": (
        "model",
        {
            "conv": [
                {"channels": 2, "kernel": 5},
                {"channels": 3, "kernel": 5, "connections": [[0], [1], [0, 1]]},
            ]
        },
    ),
    "input_side": ("model", {"input_side": 16}),
    "output_codes": ("model", {"output_codes": CODES}),
    "rubbish": ("training", {"rubbish": 3.0}),
    "devices": ("training", {"devices": 3}),
}
PARTNERS = {  # what a word asks for elsewhere
    "folder": ("data", {"folder": "pictures"}),
    "squared_distance": ("model", {"output_codes": CODES}),
}


class Kind(NamedTuple):
    """One word that a key of the schema can have, as in model.pool.kind=max, or one of `KEYS`."""

    key: str
    word: str
    spec: Spec

    def __str__(self):
        return f"{self.key}={self.word}"


def every_kind() -> list[Kind]:
    words = [Kind(key, word, _spec(word, sections)) for key, word, sections in _kinds(Spec)]
    keys = (
        Kind(section, key, _spec(key, {section: values})) for key, (section, values) in KEYS.items()
    )
    return [*words, *keys]


def _spec(word: str, sections: dict[str, Any]) -> Spec:
    document = {name: base | sections.get(name, {}) for name, base in BASE.items()}
    section, partner = PARTNERS.get(word, ("data", {}))
    document[section] |= partner
    return Spec.model_validate({"name": "kind", **document})


def _kinds(section: type[Section]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield a key, a word and the mapping that sets it, for every kind in `section`."""
    needed = {k: _stand_in(k, f) for k, f in section.model_fields.items() if f.is_required()}
    for key, field in section.model_fields.items():
        for part in _parts(field.annotation):
            if get_origin(part) is Literal:
                yield from ((key, word, needed | {key: word}) for word in get_args(part))
                continue
            is_list = get_origin(field.annotation) is tuple
            for path, word, inner in _kinds(part):
                yield f"{key}.{path}", word, needed | {key: [inner] if is_list else inner}


def _stand_in(key: str, field: Any) -> Any:
    return NEEDED.get(key) or next(iter(get_args(field.annotation)), None)


def _parts(annotation: Any) -> list[Any]:
    """Return the sections and literals of a type, however deep in unions and tuples."""
    is_section = isinstance(annotation, type) and issubclass(annotation, Section)
    if is_section or get_origin(annotation) is Literal:
        return [annotation]
    return [part for inner in get_args(annotation) for part in _parts(inner)]

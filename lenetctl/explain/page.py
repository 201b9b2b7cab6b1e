"""The page, put together of its parts: one file that asks for nothing else."""

import hashlib
from base64 import b64encode
from importlib.resources import files
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

PARTS = files("lenetctl.explain")
SCRIPTS = (
    *("net", "gradient", "trace", "colours", "input"),
    *("epochs", "net_view", "inspector", "page"),
)


def render_page(title: str, content: dict[str, Any]) -> str:
    """Return the HTML; `content` is what `describe_nets` returns, its names no markup.

    Its content security policy lets run what is in the file, by digest, and nothing else.
    """
    template = Environment(autoescape=True).from_string(_read("page.html"))
    style, scripts = _read("page.css"), [_read(f"{name}.js") for name in SCRIPTS]
    return template.render(
        title=title,
        content=content,
        style=Markup(style),  # noqa: S704  ours
        scripts=[Markup(script) for script in scripts],  # noqa: S704
        style_hash=Markup(_source(style)),  # noqa: S704
        script_hashes=[Markup(_source(script)) for script in scripts],  # noqa: S704
    )


def _read(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """Return how a content security policy names an inline script or style."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

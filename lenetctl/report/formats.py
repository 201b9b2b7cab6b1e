"""A report as one file of HTML or Markdown, its pictures inside."""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup

from lenetctl.report.document import Code, Part, Picture, Report, Table

PARTS = files("lenetctl.report")


def to_html(report: Report) -> str:
    """Return a page that asks for nothing else and prints on clean A4 pages."""
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        (PARTS / "report.html").read_text(encoding="utf-8")
    )
    style = (PARTS / "report.css").read_text(encoding="utf-8")
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return template.render(
        report=report,
        style=Markup(style),  # noqa: S704  ours
        style_hash=Markup(f"'sha256-{digest}'"),  # noqa: S704
        data_uri=data_uri,
    )


def to_markdown(report: Report) -> str:
    """Return Markdown, as GitHub writes it; text from strangers stays text."""
    lines = [f"# {_escaped(report.title)}"]
    for section in report.sections:
        lines += [f"## {_escaped(section.title)}", *map(_markdown, section.parts)]
    return "\n\n".join(lines) + "\n"


def data_uri(picture: Picture) -> str:
    """Return the picture as an address that holds it."""
    return f"data:image/png;base64,{b64encode(picture.png).decode()}"


def _markdown(part: Part) -> str:
    if isinstance(part, Picture):
        return f"![{_escaped(part.caption)}]({data_uri(part)})"
    if isinstance(part, Code):
        return "\n".join(f"    {line}" for line in part.text.splitlines())
    if isinstance(part, Table):
        lines: list[Sequence[str]] = [part.titles, ["---"] * len(part.titles), *part.rows]
        return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)
    return _escaped(part.text)


def _cell(text: str) -> str:
    return text if text == "---" else _escaped(text).replace("|", "\\|")


def _escaped(text: str) -> str:
    """Return `text` on one line, with no letter that Markdown takes for a mark."""
    line = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#" else letter for letter in line)

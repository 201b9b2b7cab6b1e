"""What `lenetctl report` says of finished runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lenetctl.analysis.comparison import Comparison
from lenetctl.analysis.groups import SEED, ComparedRun
from lenetctl.cli.views.comparison import cells, differs_in, notes, titles
from lenetctl.report.document import Code, Part, Picture, Report, Section, Table, Words
from lenetctl.specs.layer_formats import COLUMNS, layer_rows
from lenetctl.specs.layers import plan_layers

SHORT = 12  # digits of a digest that tell it apart


def compose_report(
    title: str, shown: Comparison, pictures: Mapping[str, Path], of_best: Mapping[str, Path]
) -> Report:
    """Return the report.

    Args:
        title: what it is about.
        shown: the runs, the best group first.
        pictures: of the comparison, by what they show.
        of_best: pictures of the first run of the best group, by what they show.

    """
    specs = {run: run.run.spec() for run in shown.runs}
    asked = [text for text in dict.fromkeys(spec.description for spec in specs.values()) if text]
    base = next(iter((shown.control or shown.groups[0]).runs.values()))
    best = next(iter(shown.groups[0].runs.values()))
    return Report(
        title,
        [
            Section("Question", [*map(Words, asked or ["The specs have no description."])]),
            Section("Specs", [*_specs(shown, base)]),
            Section("Results", [*_results(shown), *_pictures(pictures)]),
            Section(
                f"The net of {best.run.name}",
                [
                    Table(COLUMNS, layer_rows(plan_layers(specs[best].model), batch=1)),
                    *_pictures(of_best),
                ],
            ),
            Section("To repeat it", _commands(shown)),
            Section("Where the numbers come from", [_origin(shown)]),
        ],
    )


def _specs(shown: Comparison, base: ComparedRun) -> list[Part]:
    text = (base.run.path / "spec.yaml").read_text(encoding="utf-8")
    parts: list[Part] = [Words(f"The whole spec of {base.name}:"), Code(text)]
    if len(shown.rows) > 1:
        rows = [[row.group.name, ", ".join(differs_in(shown, row)) or "-"] for row in shown.rows]
        parts.append(Table([shown.by or "group", "differs in"], rows))
    return parts


def _results(shown: Comparison) -> list[Part]:
    table = Table(titles(shown), [cells(shown, row) for row in shown.rows])
    return [table, *map(Words, notes(shown))]


def _pictures(files: Mapping[str, Path]) -> list[Part]:
    return [Picture(file.read_bytes(), words) for words, file in files.items()]


def _commands(shown: Comparison) -> list[Part]:
    commands = dict.fromkeys(run.run.record.command for run in shown.runs)
    return [Code("\n".join(command for command in commands if command))]


def _origin(shown: Comparison) -> Table:
    rows = []
    for run in shown.runs:
        record = run.run.record
        data, there = record.data, record.environment
        commit = there.git_commit[:SHORT] + (" and changes" if there.git_dirty == "true" else "")
        rows.append(
            [
                run.run.path.name,
                str(run.keys[SEED]),
                f"{data.name} {data.digest[:SHORT]}",
                record.device,
                f"lenetctl {there.lenetctl}, torch {there.torch}, Python {there.python}",
                commit or "-",
            ]
        )
    return Table(["run", "seed", "data and digest", "device", "versions", "commit"], rows)

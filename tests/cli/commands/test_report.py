import re

import pytest
from mlflow import MlflowClient

from lenetctl.runs.store import RunStore

SECTIONS = ["Question", "Specs", "Results", "To repeat it", "Where the numbers come from"]
ASKED = "Does max <b>pooling</b> help? | a_b"


@pytest.fixture
def swept(lenetctl, write):
    """A sweep of two specs and two seeds."""
    write(f'description: "{ASKED}"\n{write().read_text()}', "two/baseline.yaml")
    write("extends: baseline.yaml\nmodel: {pool: {kind: max}}\n", "two/max.yaml")
    write("seeds: [0, 1]\n", "two/sweep.yaml")
    assert lenetctl("sweep", "two", "-q").code == 0
    return RunStore().all()


def headings(html):
    return re.findall(r"<h2>(.*?)</h2>", html)


def test_a_sweep_is_told_in_one_file_and_kept_by_its_parent(
    lenetctl, swept, tracking_uri, tmp_path
):
    result = lenetctl("report", "two", "-o", "two.html", "--json")
    assert result.code == 0, result.err
    assert sorted(result.json["runs"]) == sorted(run.path.name for run in swept)
    html = (tmp_path / "two.html").read_text(encoding="utf-8")
    assert [title for title in headings(html) if not title.startswith("The net of")] == SECTIONS
    assert html.count("<p>Does max &lt;b&gt;pooling&lt;/b&gt; help? | a_b</p>") == 1
    assert "<b>" not in html
    assert re.search(r"<td>max</td><td>pool.kind=max</td>", html)
    table = lenetctl("compare", "two", "--json").json
    for row in table["rows"]:
        assert f"{row['last']['mean']:.4f} ± {row['last']['std']:.4f}" in html
        if row["difference"]:
            assert f"{row['difference']['mean']:+.4f}" in html
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", html)
    best = result.json["best"]
    assert captions == [
        "test/accuracy, over the epochs",
        "test/accuracy, ranked",
        f"{best}: loss and accuracy",
        f"{best}: confusion on the test set",
        f"{best}: its most confident mistakes",
        f"{best}: activations",
    ]
    for run in swept:
        assert run.record.data.digest[:12] in html
        assert run.record.environment.torch in html
        assert run.record.command in html
    assert set(re.findall(r'(?:src|href)="(\w+):', html)) == {"data"}

    client = MlflowClient(tracking_uri)
    parent = client.get_run(swept[0].published.run_id).data.tags["mlflow.parentRunId"]
    assert "two.html" in [file.path for file in client.list_artifacts(parent)]


def test_one_run_in_markdown(lenetctl, swept, tmp_path, tracking_uri):
    name = swept[0].name
    result = lenetctl("report", swept[0].path, "-o", "one.md", "-q")
    assert result.code == 0, result.err
    text = (tmp_path / "one.md").read_text(encoding="utf-8")
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")][:3] == SECTIONS[:3]
    assert "Does max \\<b\\>pooling\\</b\\> help? | a\\_b" in text
    assert text.count("](data:image/png;base64,") == 4
    assert f"![{name}: its most confident mistakes](" in text
    there = MlflowClient(tracking_uri).list_artifacts(swept[0].published.run_id, "insights")
    assert [file.path for file in there] == ["insights/one.md"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("nobody",), 4, "nobody: there is no such run"),
        (("--experiment", "none"), 4, "--experiment none: no run in "),
        (("-o", "report.pdf"), 2, "report.pdf: a report is saved as .html or .md"),
        (("--control", "none"), 2, "--control none: no such group"),
        (("-o", "none/report.html"), 2, "cannot write none/report.html"),
    ],
)
def test_mistakes_get_one_line(lenetctl, write, arguments, code, told):
    assert lenetctl("train", write(), "-q", "--smoke").code == 0
    result = lenetctl("report", *arguments, "-q")
    assert (result.code, result.err.count("\n")) == (code, 1), result.err
    assert told in result.err

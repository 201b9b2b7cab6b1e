import re

from lenetctl.report.document import Code, Picture, Report, Section, Table, Words
from lenetctl.report.formats import to_html, to_markdown

STRANGE = "<script>alert(1)</script> [衬衫](x) | `a`"
REPORT = Report(
    STRANGE,
    [
        Section(STRANGE, [Words(STRANGE), Code(STRANGE), Picture(b"\x89PNG", STRANGE)]),
        Section("table", [Table(["a", STRANGE], [["1", STRANGE], ["two\nlines", "2"]])]),
    ],
)


def test_text_is_text_in_html():
    html = to_html(REPORT)
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt; [衬衫](x) | `a`") == 9
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html).group(1)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "@page { margin: 18mm; size: A4; }" in html


def test_text_is_text_in_markdown():
    text = to_markdown(REPORT)
    escaped = r"\<script\>alert(1)\</script\> \[衬衫\](x) | \`a\`"
    assert text.startswith(f"# {escaped}\n\n## {escaped}\n\n{escaped}\n\n    <script>alert(1)")
    assert f"![{escaped}](data:image/png;base64,iVBORw==)" in text
    assert "| 1 | " + escaped.replace("|", "\\|") + " |" in text
    assert "| two lines | 2 |" in text

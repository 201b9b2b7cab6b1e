import time

from lenetctl.cli.views.comparison_table import _sparklines


def test_a_thousand_rows_have_their_sparklines_at_once():
    start = time.process_time()
    lines = _sparklines({"test/accuracy": [[row / 3000] * 10 for row in range(3000)]}, 20)
    assert (lines[0], lines[-1]) == ("▁" * 10, "█" * 10)
    assert time.process_time() - start < 3  # 90 million comparisons where it is quadratic

"""Names in scripts that the installed fonts may lack."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

from lenetctl.figures import confusion_matrix, fonts, save
from lenetctl.figures.style import headline, new_figure, styled, text_width


@pytest.fixture(autouse=True)
def plain_machine(monkeypatch):
    """A machine without a font for Chinese, whatever is installed here."""
    own = ["DejaVu Sans"]
    monkeypatch.setattr(fonts, "_letters", lambda: frozenset(range(0x20, 0x3000)))
    monkeypatch.setattr("lenetctl.figures.style.families", lambda: own)


def test_letters_that_no_font_has_are_told_by_their_codes():
    assert fonts.legible("coat → größe") == "coat → größe"
    assert fonts.legible("猫\n犬 7") == "U+732B\nU+72AC 7"
    assert text_width("猫") == text_width("U+732B")


@styled()
@pytest.mark.filterwarnings("error")
def test_a_picture_has_no_boxes(tmp_path: Path):
    figure = new_figure(3, 1)
    headline(figure, "猫-s0")
    save(figure, tmp_path / "a.png")
    assert figure.texts[0].get_text() == "U+732B-s0"


@pytest.mark.filterwarnings("error")
def test_numbers_stand_for_such_classes_in_a_confusion_matrix(tmp_path: Path, assert_tidy):
    figure = confusion_matrix(np.eye(3, dtype=int), ["猫", "coat", "犬"], "pets")
    written = [text.get_text() for text in figure.findobj(Text)]
    assert "0 U+732B, 1 coat, 2 U+72AC" in written
    # a row, a column; the ones are counts
    assert [written.count(number) for number in ("0", "1", "2")] == [2, 2 + 3, 2]
    assert_tidy(figure)
    save(figure, tmp_path / "a.png")


def test_the_fonts_are_installed_ones_and_matplotlibs_own_is_the_first():
    fonts.families.cache_clear()
    first, *others = fonts.families()
    assert first == "DejaVu Sans"
    assert set(others) <= set(fonts.FALLBACKS) & set(fonts.fontManager.get_font_names())

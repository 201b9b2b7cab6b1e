"""The style of pictures, and the files that they become."""

import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib as mpl
import pytest
from PIL import Image

from lenetctl.errors import UsageError
from lenetctl.figures import curves, save
from lenetctl.figures.style import DPI, new_figure, styled, text_width

EPOCHS = [{"epoch": n, "train/loss": 1 / n, "train/accuracy": 1 - 1 / n} for n in (1, 2, 3)]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".PNG"])
def test_the_same_picture_has_the_same_bytes(tmp_path: Path, suffix: str):
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    save(curves(EPOCHS, "run"), first)
    save(curves(EPOCHS, "run"), second)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(tmp_path.iterdir()) == [first, second]  # nothing is left behind


def test_a_file_tells_neither_the_day_nor_who_drew_it(tmp_path: Path):
    save(curves(EPOCHS), tmp_path / "a.png")
    save(curves(EPOCHS), tmp_path / "a.svg")
    assert set(Image.open(tmp_path / "a.png").info) == {"dpi"}
    text = (tmp_path / "a.svg").read_text()
    assert mpl.__version__ not in text
    assert "<dc:date>" not in text


def test_a_picture_is_white_below_whatever_the_page(tmp_path: Path):
    save(curves(EPOCHS), tmp_path / "a.png")
    picture = Image.open(tmp_path / "a.png")
    assert picture.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)
    assert picture.size[0] == pytest.approx(4.8 * DPI, abs=1)


def test_an_svg_carries_its_letters_as_outlines(tmp_path: Path):
    save(curves(EPOCHS, "run"), tmp_path / "a.svg")
    root = ET.parse(tmp_path / "a.svg").getroot()
    assert root.findall(".//{http://www.w3.org/2000/svg}path")
    assert not root.findall(".//{http://www.w3.org/2000/svg}text")


def test_another_suffix_is_refused_with_those_that_are_allowed(tmp_path: Path):
    with pytest.raises(UsageError, match=r"a\.jpg: a picture is saved as \.png or \.svg"):
        save(new_figure(1, 1), tmp_path / "a.jpg")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    with pytest.raises(UsageError, match=r"cannot write .*none/a\.png"):
        save(new_figure(1, 1), tmp_path / "none" / "a.png")


def test_a_file_that_stands_in_the_way_is_replaced_whole(tmp_path: Path):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    save(new_figure(1, 1), path)
    assert Image.open(path).size == (DPI, DPI)


def test_the_users_settings_neither_leak_in_nor_are_changed(tmp_path: Path):
    save(curves(EPOCHS), tmp_path / "a.png")
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 30, "savefig.dpi": 10}):
        save(curves(EPOCHS), tmp_path / "b.png")
        assert mpl.rcParams["font.size"] == 30
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_users_backend_stays():
    code = """
import sys, matplotlib as mpl
from lenetctl.figures import curves
curves([])
assert "matplotlib.pyplot" not in sys.modules
mpl.use("svg")
curves([])
assert mpl.rcParams["backend"] == "svg"
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_threads_draw_what_one_alone_draws(tmp_path: Path):
    threads = [
        threading.Thread(target=lambda n=n: save(curves(EPOCHS), tmp_path / f"{n}.png"))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({path.read_bytes() for path in tmp_path.glob("*.png")}) == 1
    assert len(list(tmp_path.iterdir())) == 4


def test_text_width_is_what_is_drawn(rendered):
    words = "wide words, 6@28×28"
    with styled():
        figure = new_figure(5, 1)
        text = figure.text(0, 0, words)
        rendered(figure)
        assert text_width(words) == pytest.approx(text.get_window_extent().width / figure.dpi, 0.02)
        assert text_width(f"a\n{words}") == text_width(words)


def test_no_pyplot_no_torch_no_mlflow():
    code = """
import sys, lenetctl.figures
print({"matplotlib.pyplot", "torch", "mlflow"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

"""How many digits of one's own a net reads: MNIST's test images, put on paper in seven ways.

    python benchmarks/own_digits.py RUN

RUN is trained on MNIST. Each group has forty pictures, four of each digit, the same ones each time.
Read are they as `lenetctl activations --image` reads them, and, to compare, as pictures for other
data sets are: padded to a square and no more.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from lenetctl.data.data_dir import choose_data_dir, read_published
from lenetctl.data.images import DIGIT_CONVENTION, MNIST_CONVENTION, read_image
from lenetctl.runs.store import RunStore
from lenetctl.runs.weights import load_net

EACH = 4  # pictures of each digit in a group
SCALE = 8  # pixels of paper for one of MNIST's

Array = np.ndarray[Any, Any]


def paper(side: int, level: float, shade: float = 0.0) -> Array:
    """Return square paper, from `level` on the left down to `level - shade` on the right."""
    return np.tile(np.linspace(level, level - shade, side), (side, 1))


def written(paper: Array, digit: Array, corner: tuple[int, int], ink: float) -> Array:
    """Return `paper` with the digit, 0 to 1, upper left at `corner`; `ink` is its darkest grey."""
    page, (top, left) = paper.copy(), corner
    part = page[top : top + digit.shape[0], left : left + digit.shape[1]]
    part += digit * (ink - part)
    return page


def middle(digit: Array, page: Array, ink: float) -> Array:
    """Return `page` with the digit in its middle."""
    return written(page, digit, tuple((np.array(page.shape) - digit.shape) // 2), ink)


def tight(digit: Array, _: np.random.Generator) -> Array:
    """Return a page that is hardly larger than the digit."""
    rows, columns = (np.flatnonzero((digit > 0.3).any(axis)) for axis in (1, 0))
    inner = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    page = np.full(np.array(inner.shape) + 12, 240.0)
    return middle(inner, page, 30)


def corner(digit: Array, rng: np.random.Generator) -> Array:
    """Return a page twice as large as the digit's, which stands in one of the corners."""
    side = digit.shape[0]
    place = (int(rng.integers(2)) * side, int(rng.integers(2)) * side)
    return written(paper(2 * side, 240), digit, place, 30)


def small(digit: Array, rng: np.random.Generator) -> Array:
    """Return a page with a digit of a quarter of its side, somewhere."""
    side = digit.shape[0]
    place = tuple(int(offset) for offset in rng.integers(0, 3 * side, 2))
    return written(paper(4 * side, 240), digit, place, 30)


GROUPS: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    "centred": lambda digit, _: middle(digit, paper(240, 240), 30),
    "tight": tight,
    "shaded": lambda digit, _: middle(digit, paper(240, 245, 130), 25),
    "grey paper": lambda digit, _: middle(digit, paper(240, 165), 50),
    "corner": corner,
    "small": small,
    "dim paper": lambda digit, _: middle(digit, paper(240, 100), 25),
}


def pictures(images: Array, labels: Array, group: str) -> list[Image.Image]:
    """Return the pictures of a group, digit by digit, as a camera with some noise takes them."""
    rng = np.random.default_rng(list(GROUPS).index(group))
    found = []
    for number in range(10):
        for image in images[labels == number][:EACH]:
            large = Image.fromarray(image).resize((28 * SCALE,) * 2, Image.Resampling.BICUBIC)
            digit = np.clip((np.asarray(large) / 255 - 0.3) / 0.4, 0, 1)  # a pen's sharp edge
            page = GROUPS[group](digit, rng)
            page = page + rng.normal(0, 3, page.shape)
            found.append(Image.fromarray(np.clip(page, 0, 255).astype(np.uint8)))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", metavar="RUN")
    run = RunStore().find(parser.parse_args().run)
    net, known = load_net(run, None).eval(), run.record.data
    test = read_published("mnist", choose_data_dir()).test
    labels = np.repeat(np.arange(10), EACH)
    print("| pictures | padded | as MNIST was made |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        for group in GROUPS:
            right = {}
            for convention in (MNIST_CONVENTION, DIGIT_CONVENTION):
                images = []
                for picture in pictures(test.images, test.labels, group):
                    picture.save(file := Path(folder) / "picture.png")
                    images.append(read_image(file, convention))
                inputs = torch.from_numpy(np.stack(images)).float()[:, None] / 255
                guesses = net((inputs - known.mean) / known.std).argmax(1).numpy()
                right[convention] = int((guesses == labels).sum())
            print(f"| {group} | {' | '.join(f'{n} of {len(labels)}' for n in right.values())} |")


if __name__ == "__main__":
    main()

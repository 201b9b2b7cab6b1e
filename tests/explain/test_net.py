"""The forward pass of the page, against torch's."""

from pathlib import Path

import numpy as np
import pytest
import torch
from explain.conftest import encoded
from helpers.kinds import every_kind
from helpers.strategies import models
from hypothesis import given, settings

from lenetctl import specs
from lenetctl.explain.page import render_page
from lenetctl.specs.schema import Conv, ModelSpec, Pool

pytestmark = pytest.mark.browser

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SHIPPED = sorted(file for file in EXPERIMENTS.rglob("*.yaml") if file.name != "sweep.yaml")
KINDS = [kind for kind in every_kind() if kind.key.startswith("model")]
MEAN, STD = 0.3, 0.4

LOGITS = """([document, images]) => {
  const net = loadNet(document), bytes = decodeBytes(images), rows = [];
  for (let n = 0; n < bytes.length; n += 784) {
    rows.push(Array.from(forward(net, bytes.subarray(n, n + 784)).at(-1)));
  }
  return rows;
}"""

# at places spread over every layer: how far the numbers that are shown are from the map's value
SUMS = """([document, images]) => {
  const net = loadNet(document), image = decodeBytes(images).subarray(0, 784);
  const outputs = forward(net, image), found = [];
  net.layers.forEach((layer, n) => {
    if (!TRACES[layer.kind]) return;
    for (let k = 0; k < 12; k++) {
      let at = Math.floor((k * outputs[n].length) / 12), place = [];
      for (const side of [...layer.outputShape].reverse()) {
        place.unshift(at % side);
        at = Math.floor(at / side);
      }
      const { parts, bias, total, value } = trace(net, image, outputs, n, place);
      const sum = parts.reduce((all, part) => all + part.sum, bias);
      const windows = parts.filter((part) => part.cells && part.cells[0][0].weight !== undefined);
      const off = windows.map((part) => Math.abs(part.sum -
        part.cells.flat().reduce((all, cell) => all + cell.value * cell.weight, 0)));
      found.push([value, sum, total, ...off]);
    }
  });
  return found;
}"""

SLOPES = """([document, images, number]) => {
  const net = loadNet(document), image = decodeBytes(images).subarray(0, 784);
  return Array.from(pixelSlopes(net, image, forward(net, image), new Map(), number));
}"""


@pytest.fixture(scope="module")
def page(browser, content, tmp_path_factory):
    """Any page: its functions take every net."""
    file = tmp_path_factory.mktemp("page") / "page.html"
    file.write_text(render_page("any", content()), encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    yield page
    page.close()


def inputs(images):
    return (torch.from_numpy(images).unsqueeze(1).float() / 255 - MEAN) / STD


def check(page, described, images, model):
    net, document = described(model, MEAN, STD)
    with torch.inference_mode():
        expected = net(inputs(images)).numpy()
    found = page.evaluate(LOGITS, [document, encoded(images)])
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-5)
    for value, sum_, total, *off in page.evaluate(SUMS, [document, encoded(images[:1])]):
        assert [sum_, total] == pytest.approx([value] * 2, abs=1e-4, rel=1e-5)
        assert not off or max(off) < 1e-9


@pytest.mark.parametrize("file", SHIPPED, ids=lambda f: f.relative_to(EXPERIMENTS).as_posix())
def test_a_shipped_spec(page, described, images, file):
    check(page, described, images, specs.load_spec(file).model)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_kind_of_layer(page, described, images, kind):
    check(page, described, images, kind.spec.model)


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(models(widest=8))
def test_a_random_spec(page, described, images, model):
    check(page, described, images, model)


UNEVEN = ModelSpec(
    conv=(
        Conv(channels=4, kernel=5, stride=2, padding=3, norm="batch", activation="gelu"),
        Conv(channels=5, kernel=3, bias=False, activation="silu", pool=Pool(kind="max", size=3)),
    ),
    pool=Pool(size=3, stride=2, padding=1),
    activation="elu",
    dense=(7,),
    dropout=0.5,
)


HISTORY = [specs.load_spec(f"history/{name}").model for name in ("lenet5-1998", "lecun1989")]


@pytest.mark.parametrize(
    "model", [ModelSpec(), UNEVEN, *HISTORY], ids=["baseline", "uneven", "1998", "1989"]
)
def test_a_score_is_followed_back_to_the_pixels_as_autograd_does(page, described, images, model):
    net, document = described(model, MEAN, STD)
    pixels = (torch.from_numpy(images[:1]).unsqueeze(1).float() / 255).requires_grad_()
    net((pixels - MEAN) / STD)[0, 3].backward()
    found = page.evaluate(SLOPES, [document, encoded(images[:1]), 3])
    np.testing.assert_allclose(found, pixels.grad.flatten(), atol=1e-5, rtol=1e-4)


def test_windows_that_are_not_square(page, described, images):
    convs = Conv(channels=6, kernel=(1, 5)), Conv(channels=8, kernel=(7, 3), padding=1)
    check(page, described, images, ModelSpec(conv=convs, activation="tanh"))

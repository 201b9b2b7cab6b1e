from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from lenetctl import specs
from lenetctl.data.digits import read_digits
from lenetctl.explain.content import describe_net
from lenetctl.explain.page import render_page
from lenetctl.model.build import build_model
from lenetctl.specs.schema import ModelSpec

CONFUSION = [[10 * (row == column) + row for column in range(10)] for row in range(10)]


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """200 test images, uint8 (200, 28, 28)."""
    return read_digits().test.images[:200]


def random_net(model: ModelSpec, seed: int = 0) -> torch.nn.Sequential:
    """A net whose numbers are all random, those that begin at 0 or 1 too."""
    net = build_model(model, seed).eval()
    generator = torch.Generator().manual_seed(seed)
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            noise = torch.rand(value.shape, generator=generator)
            value.add_(noise if name.endswith("running_var") else 0.2 * (noise - 0.5))
    return net


@pytest.fixture(scope="session")
def described() -> Callable:
    """A random net of a model, and how the page gets it."""

    def make(model, mean=0.3, std=0.4, seed=0):
        net = random_net(model, seed)
        return net, describe_net(net, specs.plan_layers(model), mean, std)

    return make


@pytest.fixture(scope="session")
def content(described, images) -> Callable[..., dict]:
    """The document of a page; keywords replace parts of it."""

    def make(*models, **parts):
        nets = [
            {
                "name": f"net{n}",
                "description": "",
                "about": [["spec", "quick"]],
                "epochs": [{"epoch": 3, "accuracy": 0.5, "confusion": CONFUSION}],
                "shown": 0,
                **described(model)[1],
            }
            for n, model in enumerate(models or [ModelSpec()])
        ]
        examples = [{"label": f"image {n}", "pixels": encoded(images[n])} for n in range(20)]
        whole = {
            "nets": nets,
            "classes": [f"class {n}" for n in range(10)],
            "inverts": True,
            "examples": [{"title": "Test images", "images": examples}],
        }
        return whole | parts

    return make


def encoded(pixels: np.ndarray) -> str:
    from base64 import b64encode

    return b64encode(pixels.tobytes()).decode()


@pytest.fixture
def opened(browser, tmp_path) -> Iterator[Callable]:
    """Open a page from its file; what it asks for and its errors are kept beside it."""
    pages = []

    def make(document, title="quick-s0", **options):
        file = tmp_path / "page.html"
        file.write_text(render_page(title, document), encoding="utf-8")
        page = browser.new_page(**options)
        pages.append(page)
        page.faults, page.asked = [], []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda message: page.faults.append(message.text))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(file.as_uri())
        return page

    yield make
    for page in pages:
        page.close()

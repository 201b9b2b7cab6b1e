"""The page as its readers touch it, in a real browser."""

import re
from io import BytesIO

import numpy as np
import pytest
import torch
from helpers.waiting import wait_for
from PIL import Image

from lenetctl.explain.page import render_page
from lenetctl.specs.schema import Conv, ModelSpec, Pool

pytestmark = pytest.mark.browser

RELU = ModelSpec(pool=Pool(kind="max"), activation="relu")
STRANGE = "<script>window.stranger = 1</script><img src=x onerror='window.stranger = 2'>"


def wait_until_drawn(page):
    """What is outstanding is drawn in the next frame."""
    frame = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.evaluate(frame)


def probabilities(page, net=0):
    wait_until_drawn(page)
    numbers = page.locator(".net").nth(net).locator(".classes .number").all_text_contents()
    return [float(number) for number in numbers]


def map_of(page, layer, channel=0):
    return page.locator(".layer", has_text=layer).locator(".map canvas").nth(channel)


def point_at(page, canvas, column, row, columns):
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    pixel = box["width"] / columns
    page.mouse.move(box["x"] + (column + 0.5) * pixel, box["y"] + (row + 0.5) * pixel)
    wait_until_drawn(page)


def test_it_asks_for_nothing_and_runs_nothing_but_its_own(content, opened):
    html = render_page("quick", content())
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html).group(1)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<[^>]+\son\w+=", html)
    assert not re.search(r"(src|href)=", html)

    page = opened(content())
    page.locator(".examples button").nth(3).click()
    assert sum(probabilities(page)) == pytest.approx(1, abs=0.01)
    assert [url.rpartition("/")[2] for url in page.asked] == ["page.html"]
    assert page.faults == []
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.text = "window.stranger = 3";
      document.body.append(script);
    }""")
    assert page.evaluate("window.stranger") is None
    assert "Content Security Policy" in page.faults[0]


def test_names_are_text(content, opened):
    document = content(classes=[STRANGE, "衬衫 [\u202e]", *("c" * 30 + str(n) for n in range(8))])
    document["nets"][0] |= {"description": STRANGE, "about": [["run", STRANGE]], "name": STRANGE}
    document["examples"][0]["title"] = STRANGE
    page = opened(document, STRANGE)
    assert page.evaluate("window.stranger") is None
    assert page.locator("h1").text_content() == STRANGE
    assert page.locator(".classes .name").all_text_contents() == document["classes"]
    assert page.locator("dd").text_content() == STRANGE
    assert page.locator("img").count() == 0
    assert page.faults == []


def test_drawing_changes_the_answer(content, opened):
    page = opened(content())
    page.get_by_role("button", name="Clear").click()
    before = probabilities(page)
    box = page.locator("#drawing").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 220, steps=8)
    page.mouse.up()
    assert probabilities(page) != before
    drawn = page.evaluate("Array.from(input.pixels)")
    assert sum(level > 128 for level in drawn) > 20  # a line, not two dots
    page.locator("#drawing").press("Delete")
    assert probabilities(page) == before
    assert page.evaluate("Math.max(...input.pixels)") == 0


def test_a_light_picture_is_inverted(content, opened):
    page = opened(content())
    picture = np.full((280, 140), 255, np.uint8)
    picture[100:180, 40:100] = 0
    file = BytesIO()
    Image.fromarray(picture).save(file, "png")
    chosen = {"name": "a.png", "mimeType": "image/png", "buffer": file.getvalue()}
    page.locator("#file").set_input_files(chosen)
    # not page.wait_for_function: the page's policy lets no text be run as a script
    wait_for(lambda: page.evaluate("input.pixels[14 * 28 + 14] > 200"))
    pixels = np.array(page.evaluate("Array.from(input.pixels)")).reshape(28, 28)
    assert pixels[0].max() == pixels[:, 0].max() == 0
    assert pixels[11:17, 12:16].min() == 255
    page.locator("#file").set_input_files(chosen | {"buffer": b"no picture"})
    page.get_by_text("a.png is not a picture").wait_for()


def test_the_sum_under_the_pointer_is_the_value_of_the_map(content, opened):
    page = opened(content(), viewport={"width": 1300, "height": 900})
    point_at(page, map_of(page, "conv2", 3), 4, 5, 10)
    panel = page.locator("#value")
    assert "net0 · conv2: channel 3, row 5, column 4" in panel.inner_text()
    value = page.evaluate("views[0].outputs[3][3 * 100 + 5 * 10 + 4]")
    total = panel.locator(".total").inner_text().replace("−", "-")
    assert float(total.rpartition("= ")[2]) == pytest.approx(value, abs=6e-4)
    assert panel.locator("table").count() == 6  # a window of each channel before
    tables = panel.locator("table").first.locator("td").all_inner_texts()
    cells = [cell.replace("−", "-").split("×") for cell in tables]
    assert len(cells) == 25
    sums = [p.replace("−", "-") for p in panel.locator(".hint").all_inner_texts() if "channel" in p]
    shown = sum(float(x) * float(w) for x, w in cells)
    named = float(sums[1].rpartition(": ")[2])
    assert shown == pytest.approx(named, abs=0.02)
    assert page.locator(".frame:visible").count() == 1 + 6  # the pixel, and what it sees
    for layer, at in (("pool1", (3, 3, 14)), ("act1", (20, 9, 28)), ("dense1", (5, 1, 42))):
        point_at(page, map_of(page, layer), *at)
        assert f"net0 · {layer}: " in panel.inner_text()
    assert page.faults == []


def test_all_of_it_by_keys(content, opened):
    page = opened(content())
    page.locator("#drawing").focus()
    page.keyboard.press("Delete")
    for key in ("ArrowLeft", "ArrowUp", " "):
        page.keyboard.press(key)
    assert page.evaluate("input.pixels[13 * 28 + 13]") > 200
    layer = page.get_by_role("group", name="conv1, 6 by 28 by 28")
    layer.focus()
    for key in ("PageDown", "ArrowRight", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    assert "conv1: channel 1, row 2, column 1" in page.locator("#value").inner_text()
    before = probabilities(page)
    page.keyboard.press("s")
    assert probabilities(page) != before
    assert "silenced" in page.locator("#value").inner_text()
    page.keyboard.press("s")
    assert probabilities(page) == before


def test_a_channel_is_silenced_by_a_click(content, opened):
    page = opened(content())
    before = probabilities(page)
    button = page.get_by_role("button", name="silence channel 2 of act2")
    button.click()
    assert probabilities(page) != before
    assert button.get_attribute("aria-pressed") == "true"
    assert page.evaluate("views[0].outputs[4].subarray(200, 300).every((x) => x === 0)")
    button.click()
    assert probabilities(page) == before


def test_a_score_is_followed_back(content, opened):
    page = opened(content())
    row = page.get_by_role("button", name="class 4")
    row.click()
    page.get_by_text("orange raises the score").wait_for()
    assert row.get_attribute("aria-pressed") == "true"
    opaque = """() => {
      const context = document.getElementById("shares").getContext("2d");
      return Math.max(...context.getImageData(0, 0, 28, 28).data.filter((_, n) => n % 4 === 3));
    }"""
    assert page.evaluate(opaque) > 200
    row.click()
    wait_until_drawn(page)
    assert page.locator("#shares").is_hidden()


def test_two_nets_side_by_side(content, opened):
    page = opened(content(ModelSpec(), RELU), viewport={"width": 1400, "height": 900})
    nets = page.locator(".net")
    left, right = nets.nth(0).bounding_box(), nets.nth(1).bounding_box()
    assert left["x"] + left["width"] <= right["x"]
    assert left["y"] == right["y"]
    assert probabilities(page, 0) != probabilities(page, 1)
    before = probabilities(page, 0), probabilities(page, 1)
    nets.nth(1).get_by_role("button", name="silence channel 0 of conv1").click()
    assert probabilities(page, 0) == before[0]
    assert probabilities(page, 1) != before[1]


def kernel_of(page, channel):
    """A kernel of the first convolution, as the page paints it."""
    canvas = page.locator(".kernels canvas").nth(channel)
    return canvas.evaluate("(canvas) => canvas.toDataURL()")


def test_a_slider_goes_through_the_epochs(content, described, images, opened):
    document = content(classes=[STRANGE, *(f"class {n}" for n in range(1, 10))])
    net, then = described(ModelSpec(), seed=1)
    at_first = {"epoch": 0, "accuracy": 0.1, "confusion": [[7] * 10] * 10}
    at_first["weights"] = then["weights"]
    document["nets"][0] |= {"epochs": [at_first, *document["nets"][0]["epochs"]], "shown": 1}
    page = opened(document, viewport={"width": 1300, "height": 900})
    assert page.evaluate("window.stranger") is None
    slider, cell = page.get_by_role("slider"), page.locator(".confusion td").nth(1 + 11)
    map_of(page, "conv1", 1).click()  # keeps the value

    def shown():
        probable = probabilities(page)
        total = page.locator("#value .total").inner_text()
        maps = page.evaluate("Array.from(views[0].outputs[2].subarray(0, 50))")
        return probable, kernel_of(page, 2), maps, total, cell.inner_text()

    before = shown()
    assert slider.get_attribute("aria-valuetext") == "epoch 3 of 3"
    assert page.get_by_text("Test set: accuracy 0.5000").is_visible()
    slider.press("ArrowLeft")
    page.get_by_text("epoch 0 of 3, before training").wait_for()
    after = shown()
    assert all(one != other for one, other in zip(before, after, strict=True))
    assert after[-1] == "7"
    with torch.inference_mode():
        logits = net((torch.from_numpy(images[:1, None]).float() / 255 - 0.3) / 0.4)
    found = page.evaluate("Array.from(views[0].outputs.at(-1))")
    np.testing.assert_allclose(found, logits[0], atol=1e-4)
    assert page.get_by_text("Test set: accuracy 0.1000").is_visible()
    slider.press("ArrowRight")
    assert shown() == before
    assert page.faults == []


def test_without_kept_epochs_there_is_no_slider(content, opened):
    page = opened(content())
    assert page.get_by_role("slider").count() == 0
    page.get_by_text("Test set: accuracy 0.5000").click()  # opens the table
    cells = page.locator(".confusion td").all_inner_texts()
    assert cells[1:4] == ["10", "0", "0"]
    ground = page.locator(".confusion td").nth(1).evaluate("(c) => getComputedStyle(c).background")
    assert ground.startswith("rgb(0, 114, 178)")
    headings = page.locator(".confusion th[scope=row]").all_inner_texts()
    assert headings == [f"class {n}" for n in range(10)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_of_it(content, opened, scheme):
    wide = ModelSpec(conv=(Conv(channels=64, kernel=5), Conv(channels=16, kernel=5)))
    options = {"viewport": {"width": 390, "height": 844}, "color_scheme": scheme}
    page = opened(content(wide, RELU), **options)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#drawing").bounding_box()["width"] > 200
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


def test_the_chapters_net_is_small_and_quick(content, opened):
    document = content()
    assert len(render_page("baseline", document).encode()) < 1e6
    page = opened(document)
    paint = """new Promise((resolve) => new PerformanceObserver((list) =>
      list.getEntriesByName("first-contentful-paint").forEach((one) => resolve(one.startTime))
    ).observe({type: "paint", buffered: true}))"""
    assert page.evaluate(paint) < 1000
    fastest = """(what) => Math.min(...Array.from({length: 20}, () => {
      const started = performance.now();
      what === "draw" ? draw() : forward(views[0].net, input.pixels);
      return performance.now() - started;
    }))"""
    assert page.evaluate(fastest, "forward") < 20
    assert page.evaluate(fastest, "draw") < 1000 / 30


def test_a_slow_net_says_so(content, opened):
    page = opened(content())
    page.evaluate("() => { views[0].update = () => 201; draw(); }")
    assert "201.0 ms, a slow one" in page.locator("#status").text_content()

"""How quick pages of `lenetctl explain` are in headless Chromium.

    lenetctl explain baseline-s0 -o baseline.html
    python benchmarks/explain.py baseline.html [MORE.html …]

Prints for each page its size, when something is first painted, the median forward pass and redraw,
and how many times a second all of it is drawn anew while a mouse draws.
"""

import math
import shutil
import sys
import time
from pathlib import Path
from statistics import median

import machine
from playwright.sync_api import Page, sync_playwright

SECONDS = 3  # of drawing
TIMES = """(what) => Array.from({length: 50}, () => {
  const started = performance.now();
  what === "draw" ? draw() : forward(views[0].net, input.pixels);
  return performance.now() - started;
})"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
COUNT = "() => { const own = draw; window.drawn = 0; draw = () => { window.drawn++; own(); }; }"


def redraws(page: Page) -> float:
    """Return the redraws a second while a mouse goes round in circles on the drawing."""
    page.evaluate(COUNT)
    box = page.locator("#drawing").bounding_box()
    if box is None:
        raise RuntimeError("no drawing on the page")
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    started = time.perf_counter()
    while (passed := time.perf_counter() - started) < SECONDS:
        x, y = (0.5 + 0.4 * turn(3 * passed) for turn in (math.cos, math.sin))
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.mouse.up()
    count: int = page.evaluate("window.drawn")
    return count / passed


def main() -> None:
    """Print a line for each page."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        print(f"{machine.sentence()}, Chromium {browser.version}\n")
        print("| page | MB | first paint, ms | forward pass, ms | redraw, ms | redraws a second |")
        print("| --- | --- | --- | --- | --- | --- |")
        for file in map(Path, sys.argv[1:]):
            page = browser.new_page()
            page.goto(file.resolve().as_uri())
            page.wait_for_function(PAINTED)
            numbers = (
                f"{file.stat().st_size / 1e6:.2f}",
                f"{page.evaluate(PAINTED):.0f}",
                *(f"{median(page.evaluate(TIMES, what)):.1f}" for what in ("forward", "draw")),
                f"{redraws(page):.0f}",
            )
            print(f"| {file.name} | {' | '.join(numbers)} |")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()

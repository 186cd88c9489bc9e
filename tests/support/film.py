"""Films a page: the moving picture of the README.

    python -m tests.support.film

runs the README's first example, goes through its page in Chromium, and writes `examples/pictures/page.gif`.
"""

import io
import re
import runpy
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

import minigrad
import viz
from tests.support import ROOT
from tests.support.browser import MISSING, chromium

PICTURE = ROOT / "examples" / "pictures" / "page.gif"
WIDTH, HEIGHT = 800, 580  # pixels
COLOURS = 64  # the same for all frames
PAUSE, LAST = 1500, 4000  # milliseconds


def example() -> viz.Page:
    """The page of the README's first example."""
    (program, *_) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "example.py"
        path.write_text(program, encoding="utf-8")
        with minigrad.detect_anomaly(check_nan=False):
            names = runpy.run_path(str(path))
        return viz.page(names["loss"], names=names)


def frames(page: viz.Page) -> Iterator[Image.Image]:
    """The steps of a page, as a browser shows them."""
    with tempfile.TemporaryDirectory() as folder, chromium(f"{folder}/profile") as browser:
        page.save(Path(folder) / "page.html")
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        still = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", still)
        browser.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
        browser.get((Path(folder) / "page.html").as_uri())
        for at, step in enumerate(page.data["steps"]):
            if step["kind"] != "arrive" or "goes to" in step["say"]:  # of results, the step before has shown it
                browser.execute_script(f"location.hash = 'step={at}'")
                yield Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")


def main() -> None:
    """Write the film."""
    if MISSING:
        raise SystemExit(MISSING)
    shown = [*frames(example())]
    strip = Image.new("RGB", (WIDTH, HEIGHT * len(shown)))
    for i, frame in enumerate(shown):
        strip.paste(frame, (0, HEIGHT * i))
    palette = strip.quantize(COLOURS)
    first, *rest = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in shown]
    times = [*[PAUSE] * len(rest), LAST]
    first.save(PICTURE, save_all=True, append_images=rest, duration=times, loop=0, optimize=True)
    print(f"wrote {PICTURE}: {len(times)} frames, {PICTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

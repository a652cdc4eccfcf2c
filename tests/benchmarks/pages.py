"""Explorer pages: ``python tests/benchmarks/pages.py [NAME ...]``, by default a few networks of different size.

The processor time to make a page, its size, and what one change of a parameter takes in a headless browser until the
page is laid out again: the median and the slowest of 100 changes. The contours are drawn in the next frame, and are not
in it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from browser import Browser

from convcost import explore

NAMES = (
    "bottleneck",
    "mobilenet_v1",
    "mobilenet_v2",
    "resnet50",
    "densenet201",
    "efficientnet_b7",
    "inception_resnet_v2",
)
CHANGES = """(() => {
  const entry = JSON.parse(document.getElementById("data").textContent).names.findIndex(name => !name.ratio);
  const field = document.getElementById(`value-${entry}`), start = Number(field.value), times = [];
  for (let change = 1; change <= 100; change += 1) {
    field.value = start + change;
    const began = performance.now();
    field.dispatchEvent(new Event("input"));
    document.body.offsetHeight;
    times.push(performance.now() - began);
  }
  return times;
})()"""


def main() -> None:
    """Print a line for each network."""
    explore("plain")  # imports
    browser = Browser()
    print(f"{'network':<22}{'rows':>6}{'kB':>6}{'made in s':>11}{'redraw ms':>11}{'slowest':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or NAMES:
            began = time.process_time()
            explorer = explore(name)
            text = str(explorer)
            made = time.process_time() - began
            path = Path(folder) / "page.html"
            path.write_text(text, "utf-8")
            browser.open(path)
            times = browser.run(CHANGES)
            rows = len(explorer.networks[0].cases.formulas[0].rows)
            line = f"{name:<22}{rows:>6}{len(text) / 1000:>6.0f}{made:>11.2f}{statistics.median(times):>11.1f}"
            print(f"{line}{max(times):>9.1f}")
    browser.close()


if __name__ == "__main__":
    main()

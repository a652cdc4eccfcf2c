"""Explorer pages: ``python tests/benchmarks/pages.py [NAME ...]``, by default four and the ten with most rows.

The processor time to make a page, its size, and what one change of a parameter takes in a headless browser until the
page is laid out again: processor time of the thread of the page, all of it and that of the script alone, so that other
programs do not matter. The median of 60 changes, and what 95 % of them stay below. The contours are drawn in the next
frame, and are in part of the changes.
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
    *("bottleneck", "mobilenet_v1", "mobilenet_v2", "resnet50"),
    *("densenet169", "efficientnet_b6", "densenet201", "darts", "inception_resnet_v2", "efficientnet_b7"),
    *("senet154", "nasnet_mobile", "shufflenet_v2_large", "nasnet_large"),
)
CHANGES = 60
CHANGE = """(change => {
  const entry = JSON.parse(document.getElementById("data").textContent).names.findIndex(name => !name.ratio);
  const field = document.getElementById(`value-${entry}`), step = document.getElementById(`slide-${entry}`).step;
  window.start ??= Number(field.value);
  field.value = window.start + change * Number(step);
  field.dispatchEvent(new Event("input"));
  document.body.offsetHeight;
})"""


def spent(browser: Browser) -> tuple[float, float]:
    """The processor time of the page until now in milliseconds: of everything, and of its script."""
    metrics = {each["name"]: each["value"] for each in browser.send("Performance.getMetrics")["metrics"]}
    return 1000 * metrics["TaskDuration"], 1000 * metrics["ScriptDuration"]


def main() -> None:
    """Print a line for each network."""
    explore("plain")  # imports
    browser = Browser()
    browser.send("Performance.enable", timeDomain="threadTicks")
    print(f"{'network':<22}{'rows':>6}{'kB':>6}{'made in s':>11}{'redraw ms':>11}{'95 %':>7}{'script':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or NAMES:
            began = time.process_time()
            explorer = explore(name)
            text = str(explorer)
            made = time.process_time() - began
            path = Path(folder) / "page.html"
            path.write_text(text, "utf-8")
            browser.open(path)
            tasks, scripts = [], []
            for change in range(1, CHANGES + 1):
                task, script = spent(browser)
                browser.run(f"{CHANGE}({change})")
                after = spent(browser)
                tasks.append(after[0] - task)
                scripts.append(after[1] - script)
            rows = len(explorer.networks[0].cases.formulas[0].rows)
            most = sorted(tasks)[int(0.95 * CHANGES)]
            line = f"{name:<22}{rows:>6}{len(text) / 1000:>6.0f}{made:>11.2f}{statistics.median(tasks):>11.1f}"
            print(f"{line}{most:>7.1f}{statistics.median(scripts):>8.1f}", flush=True)
    browser.close()


if __name__ == "__main__":
    main()

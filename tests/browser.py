"""A headless browser, steered over a pipe: what tests of pages need, without a library.

Chromium is started with ``--remote-debugging-pipe``: messages of its DevTools protocol, ended by a zero byte, go in at
descriptor 3 and come out at 4. https://chromedevtools.github.io/devtools-protocol/ describes them.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
LIMIT = 60  # seconds for an answer


def program() -> str | None:
    """The path of a browser, if there is one."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


class Browser:
    """A browser with one page."""

    def __init__(self) -> None:
        path = program()
        if path is None:
            raise FileNotFoundError(f"no browser: none of {', '.join(PROGRAMS)}")
        self._home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        inner_read, self._write = os.pipe()
        self._read, inner_write = os.pipe()
        arguments = [
            *("--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-dev-shm-usage", "--disable-extensions", "--mute-audio", "--hide-scrollbars"),
            *("--disable-background-networking", "--disable-component-update", f"--user-data-dir={self._home.name}"),
        ]
        script = 'exec 3<&"$0" 4>&"$1"; shift; exec "$@"'  # the descriptors must be 3 and 4
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", script, str(inner_read), str(inner_write), path, *arguments],
            pass_fds=(inner_read, inner_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(inner_read)
        os.close(inner_write)
        self._buffer = b""
        self._number = 0
        self._session = ""
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def close(self) -> None:
        """End the browser."""
        self._session = ""
        self.send("Browser.close")
        self._process.wait(LIMIT)
        os.close(self._read)
        os.close(self._write)
        self._home.cleanup()

    def send(self, method: str, **params: Any) -> Any:
        """The answer to one message; events that come before it are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def _receive(self) -> dict[str, Any]:
        until = time.monotonic() + LIMIT
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(until - time.monotonic(), 0))
            part = os.read(self._read, 1 << 20) if ready else b""
            if not part:
                raise TimeoutError("the browser does not answer")
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def open(self, path: Path, fragment: str = "", *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Show a file in a window of this size, and wait until it is there."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", media="", features=scheme)
        self._go("about:blank")  # a file that is open would only be scrolled
        self._go(path.as_uri() + fragment)
        self.wait("true")

    def _go(self, url: str) -> None:
        """Load an address, and forget the events before it."""
        self.events.clear()
        self.send("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def wait(self, condition: str) -> None:
        """Two frames, and until a condition of JavaScript holds."""
        frames = "await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));"
        self.run(f"(async () => {{ do {{ {frames} }} while (!({condition})); }})()")

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript in the page."""
        result = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description") or details["text"])
        return result["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        codes = {"Tab": 9, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowRight": 39}
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key])

    def paper(self) -> list[str]:
        """Show the page as it is printed, and what of it is wider than a sheet of A4 within its margins."""
        width = 688  # 182 mm
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.send("Emulation.setEmulatedMedia", media="print")
        self.wait("true")
        script = f"""[...document.querySelectorAll("body *")].filter(each => !each.closest("svg") &&
            each.getBoundingClientRect().right > {width + 1}).map(each => each.outerHTML.slice(0, 80))"""
        wider: list[str] = self.run(script)
        return wider

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self.send("Page.printToPDF", preferCSSPageSize=True)["data"])

    def picture(self) -> bytes:
        """The whole page as PNG."""
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    @property
    def complaints(self) -> list[str]:
        """What the page logged, threw or was refused."""
        return [
            json.dumps(event["params"])
            for event in self.events
            if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        ]

    @property
    def requests(self) -> list[str]:
        """The addresses that the page asked for, itself included; a picture within the page has none."""
        sent = [event["params"]["request"] for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [request["url"] for request in sent if not request["url"].startswith("data:")]

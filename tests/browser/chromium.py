"""A real browser, driven over the DevTools protocol on two pipes: no driver to install, no port to open.

One message is one JSON object and a NUL. Commands are answered under their number; all else is an event and kept.
Protocol: https://chromedevtools.github.io/devtools-protocol/, flag `--remote-debugging-pipe` (commands on descriptor 3,
answers on descriptor 4).
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # CI is root, and chromium refuses its sandbox to root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-extensions",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-default-apps",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    "--remote-debugging-pipe",
)

ANSWER_TIMEOUT_S = 60.0


def find() -> str | None:
    """The installed chromium, or nothing."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def plain_spaces(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """The same value with no-break spaces as plain ones: which of them stands where is typography, not meaning."""
    if isinstance(value, str):
        return value.replace("\u00a0", " ")
    if isinstance(value, list):
        return [plain_spaces(each) for each in value]
    if isinstance(value, dict):
        return {plain_spaces(key): plain_spaces(each) for key, each in value.items()}
    return value


class BrowserError(Exception):
    """The browser refused a command, threw, or fell silent."""


class Browser:
    """One chromium process with a profile of its own; a context manager that ends it."""

    def __init__(self, program: str, profile: Path) -> None:
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        def descriptors() -> None:
            # Out of the way first: either may be 3 or 4 already.
            commands, answers = (fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (to_browser, from_browser))
            os.dup2(commands, 3)
            os.dup2(answers, 4)

        self._process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=descriptors,  # noqa: PLW1509 (no thread has been started)
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._buffer = b""
        self._last = 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._write)  # the browser ends when its commands end
        os.close(self._read)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def call(self, method: str, session: str | None = None, **params: object) -> dict[str, Any]:
        """Sends a command and waits for its answer; events that arrive meanwhile are kept."""
        self._last += 1
        message: dict[str, object] = {"id": self._last, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data) :]
        while True:
            answer = self._receive(method)
            if answer.get("id") == self._last:
                break
            self.events.append(answer)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def wait_for(self, event: str, session: str, since: int) -> None:
        """Returns once `event` of the session is among the events after number `since`."""
        while not any(e.get("method") == event and e.get("sessionId") == session for e in self.events[since:]):
            self.events.append(self._receive(event))

    def _receive(self, waiting_for: str) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not select.select([self._read], [], [], ANSWER_TIMEOUT_S)[0]:
                raise BrowserError(f"{waiting_for}: no word from the browser for {ANSWER_TIMEOUT_S:.0f} s")
            chunk = os.read(self._read, 1 << 20)
            if not chunk:
                raise BrowserError(f"{waiting_for}: the browser ended")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def page(self, *, width: int = 1280, height: int = 900, dark: bool = False) -> Page:
        """A new tab."""
        return Page(self, width, height, dark)


class Page:
    """One tab. What went wrong in it is in `problems`, what it asked the network for in `requests`."""

    def __init__(self, browser: Browser, width: int, height: int, dark: bool) -> None:
        self._browser = browser
        self._target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=self._target, flatten=True)["sessionId"]
        self._since = len(browser.events)
        self._address = ""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.resize(width, height)
        self.media(dark=dark)

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """A command to this tab."""
        return self._browser.call(method, self._session, **params)

    def resize(self, width: int, height: int = 900) -> None:
        """The size of the window in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, *, dark: bool = False, kind: str = "") -> None:
        """Screen or `print`, and what the reader's system prefers."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=kind, features=[scheme])

    def open(self, file: Path) -> Self:
        """Loads a file and waits until it has drawn itself."""
        before = len(self._browser.events)
        self._address = file.resolve().as_uri()
        self.call("Page.navigate", url=self._address)
        self._browser.wait_for("Page.loadEventFired", self._session, before)
        self.settle()
        return self

    def settle(self) -> None:
        """Waits for two frames: layout, then what the page draws on seeing its size."""
        self.js("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(null))))")

    def js(self, expression: str) -> Any:  # noqa: ANN401 (any JSON value)
        """The value of an expression; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description", details["text"]))
        return plain_spaces(answer["result"].get("value"))

    def texts(self, selector: str) -> list[str]:
        """The text of every element that matches."""
        found: list[str] = self.js(f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent)")
        return found

    def mouse(self, kind: str, x: float, y: float, *, pressed: bool = False) -> None:
        """`mouseMoved`, `mousePressed` or `mouseReleased` at a place of the window."""
        button = "left" if pressed or kind != "mouseMoved" else "none"
        self.call(
            "Input.dispatchMouseEvent",
            type=kind,
            x=x,
            y=y,
            button=button,
            buttons=int(pressed),
            clickCount=int(kind != "mouseMoved"),
        )

    def key(self, name: str, *, shift: bool = False) -> None:
        """Presses and releases a key, by its name in KeyboardEvent.key."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if name == "Enter" and kind == "keyDown" else {}
            codes = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35}
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=name,
                modifiers=8 if shift else 0,
                windowsVirtualKeyCode=codes[name],
                **text,
            )

    def screenshot(self, *, whole: bool = True) -> bytes:
        """A PNG of the whole page or of what the window shows."""
        return base64.b64decode(
            self.call("Page.captureScreenshot", captureBeyondViewport=whole, **self._clip(whole))["data"]
        )

    def _clip(self, whole: bool) -> dict[str, object]:
        if not whole:
            return {}
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    def pdf(self) -> bytes:
        """The page as it would be printed."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])

    def _own(self, method: str) -> list[dict[str, Any]]:
        events = self._browser.events[self._since :]
        return [e["params"] for e in events if e.get("sessionId") == self._session and e.get("method") == method]

    @property
    def problems(self) -> list[str]:
        """Uncaught exceptions, what the console got, and what the browser logged: refused loads, policy violations."""
        thrown = [e["exceptionDetails"]["text"] for e in self._own("Runtime.exceptionThrown")]
        said = [str(e["args"]) for e in self._own("Runtime.consoleAPICalled")]
        logged = [e["entry"]["text"] for e in self._own("Log.entryAdded")]
        dialogs = [e["message"] for e in self._own("Page.javascriptDialogOpening")]
        return thrown + said + logged + dialogs

    @property
    def requests(self) -> list[str]:
        """Every address asked for, but the page's own and `data:`."""
        asked = [e["request"]["url"] for e in self._own("Network.requestWillBeSent")]
        return [url for url in asked if url.partition("#")[0] != self._address and not url.startswith("data:")]

    def forget_problems(self) -> None:
        """For a test that provoked one and has looked at it."""
        self._since = len(self._browser.events)

    def close(self) -> None:
        """Closes the tab."""
        self._browser.call("Target.closeTarget", targetId=self._target)

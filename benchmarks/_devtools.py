"""A Chromium that is only spoken to when something is asked of it.

Playwright listens to every message of every websocket, and so reads each of the lab's pictures
twice more while it is measured: a tenth of this machine. Here it prepares the pages and leaves;
then a bare DevTools connection presses the keys and asks for the result.
"""

import itertools
import json
import os
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import websocket
from browser.chromium import ARGUMENTS, find_chromium
from playwright.sync_api import sync_playwright

_QUIET = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--window-size=1280,800",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--force-color-profile=srgb",
)
_KEYS = {"ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35}


@contextmanager
def bare_chromium():
    """Run a Chromium; gives its DevTools address, such as http://127.0.0.1:40123."""
    with tempfile.TemporaryDirectory(prefix="gradlab-chromium-", ignore_cleanup_errors=True) as own:
        with sync_playwright() as playwright:
            program = find_chromium(playwright)
        root = ("--no-sandbox",) if not hasattr(os, "geteuid") or os.geteuid() == 0 else ()
        process = subprocess.Popen(
            [program, *_QUIET, *ARGUMENTS, *root, f"--user-data-dir={own}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield _address(process, Path(own) / "DevToolsActivePort")
        finally:
            process.terminate()
            process.wait(20)


def _address(process, file, seconds=60):
    deadline = time.monotonic() + seconds
    while not (file.exists() and file.read_text().strip()):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("Chromium did not start")
        time.sleep(0.05)
    return f"http://127.0.0.1:{file.read_text().splitlines()[0]}"


def attach(address, title):
    """Return the `Tab` whose title is `title`."""
    with urlopen(f"{address}/json/list") as answer:
        pages = [page for page in json.load(answer) if page["type"] == "page"]
    (url,) = (p["webSocketDebuggerUrl"] for p in pages if p["title"] == title)
    return Tab(url)


class Tab:
    """One page of the browser, over a DevTools connection of its own."""

    def __init__(self, url):
        self._socket = websocket.create_connection(url, suppress_origin=True, timeout=120)
        self._numbers = itertools.count(1)
        self.events = []

    def send(self, method, **parameters):
        """Send a command, wait for its answer and return it; keeps events that come between."""
        number = next(self._numbers)
        self._send(number, method, parameters)
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self._note(message)

    def evaluate(self, expression):
        """Evaluate JavaScript, wait for its promise, and return the value."""
        result = self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait_for(self, condition):
        """Wait until the JavaScript `condition` holds; the page itself looks, every 50 ms."""
        look = f"const look = () => ({condition}) ? done(true) : setTimeout(look, 50); look();"
        self.evaluate(f"new Promise(done => {{ {look} }})")

    def press(self, key):
        """Press and release a key, as the keyboard does."""
        about = {"key": key, "code": key, "windowsVirtualKeyCode": _KEYS[key]}
        self.send("Input.dispatchKeyEvent", type="rawKeyDown", **about)
        self.send("Input.dispatchKeyEvent", type="keyUp", **about)

    def _send(self, number, method, parameters):
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))

    def _note(self, message):
        self.events.append(message)
        if message.get("method") == "Page.screencastFrame":  # the next one comes when it is seen
            session = {"sessionId": message["params"]["sessionId"]}
            self._send(next(self._numbers), "Page.screencastFrameAck", session)

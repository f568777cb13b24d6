"""One notebook open in JupyterLab, as a person meets it: its cells, sliders, pictures, errors."""

import json
import re
from contextlib import contextmanager

from playwright.sync_api import expect

from .picture import PICTURES_SCRIPT, Picture
from .scripts import (
    IDLE,
    OUTPUTS,
    READY,
    RUN_ALL,
    RUN_CODE,
    SHOW_CELL,
    SHOW_FILES,
    SPLASH,
    STILL,
    TWO_FRAMES,
)


class Page:
    """A notebook in JupyterLab; made by `JupyterLab.open`.

    Attributes
    ----------
    tab : playwright.sync_api.Page
        The browser's page itself, for what has no method here.
    errors : list of str
        Uncaught exceptions of the page, and everything it wrote to the console as an error.
    outside : list of str
        Every address that it asked for and that is not on its server. All were refused.
    """

    def __init__(self, tab, server, address, own=None):
        self.tab = tab
        self.errors, self.outside = [], []
        self._server, self._address, self._own = server, address, own
        self._devtools = tab.context.new_cdp_session(tab)
        tab.on("pageerror", lambda error: self.errors.append(f"page: {error}"))
        tab.on("console", self._note_console)
        tab.on("request", lambda request: self._watch(request.url))
        tab.on("websocket", lambda socket: self._watch(socket.url))

    def open(self, notebook):
        """Load JupyterLab with this notebook of the served folder; returns the page itself."""
        self.tab.goto(self._address.format(notebook))
        self._wait_open()
        return self

    def close(self):
        """Close the page; its kernel goes on until the server stops."""
        (self._own or self.tab).close()

    def reload(self):
        """Load the page again; the kernel goes on."""
        self.tab.reload()
        self._wait_open()

    def run_all(self, *, seconds=6000):
        """Run every cell and wait until the last is done."""
        self.tab.evaluate(RUN_ALL)
        self.wait_idle(seconds=seconds)

    def wait_idle(self, *, seconds=600):
        """Wait until the kernel has nothing to do."""
        self.tab.wait_for_function(IDLE, timeout=seconds * 1000)

    def run_code(self, code):
        """Run `code` in the notebook's kernel, outside its cells; returns what it printed."""
        reply = self.tab.evaluate(RUN_CODE, code)
        assert reply["ok"], f"the kernel could not run this:\n{code}\n{reply['text']}"
        return reply["text"]

    def outputs(self):
        """Return the outputs of every cell, one list a cell, as nbformat writes them."""
        return self.tab.evaluate(OUTPUTS)

    def tracebacks(self):
        """Return what went wrong in cells: exceptions, and all that was written to stderr."""
        found = []
        for output in (one for cell in self.outputs() for one in cell):
            if output["output_type"] == "error":
                found.append(f"{output['ename']}: {output['evalue']}")
            elif output.get("name") == "stderr":
                found.append("".join(output["text"]))
        return found

    def assert_clean(self):
        """Fail if a cell, the page or its console told of an error."""
        wrong = self.tracebacks() + self.errors
        assert not wrong, f"the page told of errors: {wrong}"
        assert not self.outside, f"the page asked the network: {self.outside}"

    def cell_with(self, mime):
        """Return the index of the first cell that shows an output of this type."""
        for index, cell in enumerate(self.outputs()):
            if any(mime in output.get("data", {}) for output in cell):
                return index
        raise AssertionError(f"no cell shows {mime}; outputs: {json.dumps(self.outputs())[:2000]}")

    def show_cell(self, index):
        """Scroll so that the cell stands at the top, and return its locator."""
        self.tab.evaluate(SHOW_CELL, index)
        cell = self.tab.locator(".jp-Notebook .jp-Cell").nth(index)
        cell.scroll_into_view_if_needed()
        return cell

    def control(self, description, *, within=None):
        """Return the widget whose label reads `description`."""
        label = self.tab.locator(
            ".widget-label", has_text=re.compile(rf"^{re.escape(description)}$")
        )
        scope = within or self.tab.locator(".jp-Notebook")
        found = scope.locator(".jupyter-widgets.widget-inline-hbox", has=label).first
        found.wait_for()
        return found

    def handle(self, description, *, within=None):
        """Return the handle of the slider whose label reads `description`."""
        return self.control(description, within=within).locator(".noUi-handle").first

    def press(self, handle, key, times=1):
        """Put the focus on a slider's handle and press a key."""
        handle.focus()
        for _ in range(times):
            self.tab.keyboard.press(key)

    def drag(self, handle, pixels, *, steps=20):
        """Drag a slider's handle sideways with the mouse, in `steps` moves."""
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.tab.mouse.move(x, y)
        self.tab.mouse.down()
        self.tab.mouse.move(x + pixels, y, steps=steps)
        self.tab.mouse.up()

    def pictures(self, within):
        """Return every picture shown inside a locator, decoded by the browser."""
        return [Picture(**one) for one in within.evaluate(PICTURES_SCRIPT)]

    @contextmanager
    def changing(self, locator, *, seconds=300):
        """Wait, after the `with` block, until the text of `locator` is another one."""
        before = locator.text_content()  # as `expect` compares it
        yield
        expect(locator).not_to_have_text(before, timeout=seconds * 1000)

    def wait_still(self, locator, *, milliseconds=700, seconds=600):
        """Wait until nothing in `locator` has changed for `milliseconds`."""
        self.tab.wait_for_function(
            STILL, arg=[locator.element_handle(), milliseconds], timeout=seconds * 1000
        )

    def wait_sharp(self, within, *, seconds=600):
        """Wait until a lab rests: its sharp picture and the words that belong to it are shown.

        What was just done may not have reached the kernel yet: wait for its words first.
        """
        self.wait_idle(seconds=seconds)
        self.tab.evaluate(TWO_FRAMES)
        within.locator(".gradlab-board[data-rests]").first.wait_for(
            state="attached", timeout=seconds * 1000
        )

    def set_theme(self, name):
        """Switch JupyterLab to its 'light' or 'dark' theme."""
        light = "true" if name == "light" else "false"
        if self.tab.evaluate("document.body.dataset.jpThemeLight") == light:
            return
        self.tab.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
            f"JupyterLab {name.capitalize()}",
        )
        self.tab.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
        self.tab.wait_for_selector(SPLASH, state="detached")

    def show_files(self, wanted):
        """Open or close JupyterLab's file browser."""
        self.tab.evaluate(SHOW_FILES, wanted)

    def resize(self, width, height, scale=1):
        """Give the page this size in CSS pixels, each so many device pixels: zooming does both."""
        self._devtools.send(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False},
        )

    def _wait_open(self):
        self.tab.wait_for_selector(".jp-Notebook .jp-Cell")
        self.tab.wait_for_function(READY)
        self.tab.wait_for_selector(SPLASH, state="detached")
        self.wait_idle()

    def _watch(self, url):
        server = f"{self._server}/"
        here = (server, server.replace("http:", "ws:"), "data:", "blob:", "about:")
        if not url.startswith(here):
            self.outside.append(url)

    def _note_console(self, message):
        if message.type == "error":
            self.errors.append(f"console: {message.text}")

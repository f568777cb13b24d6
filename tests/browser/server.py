"""A JupyterLab server with nothing of the user's in it, and a browser to look at it with."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from .chromium import chromium
from .page import Page

START_SECONDS = 600
EXTENSION = "gradlab.server_extension"
# News would be fetched from the network, and ask about it in a pop-up over the lesson.
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "application-extension/sidebar": {},
}
OPTIONS = (
    "--no-browser",
    "--allow-root",
    "--ip=127.0.0.1",
    "--expose-app-in-browser",
    "--ServerApp.port=0",
    "--ServerApp.terminals_enabled=False",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.news_url=None",
    "--LabApp.extension_manager=readonly",
)


class JupyterLab:
    """JupyterLab on a free port of this machine, with its own token and its own folders.

    Use it with `with`; `open(notebook)` gives a `Page`.

    Parameters
    ----------
    root : Path
        The folder that is served; notebooks are written there, so give it a copy.
    extension : bool, optional
        False switches gradlab's server extension off; True leaves it as it was installed.
    browser : playwright.sync_api.Browser, optional
        One that runs already, for two servers side by side; by default, its own.
    context : playwright.sync_api.BrowserContext, optional
        Where all pages are opened: what one has loaded, the next finds in the browser's memory.
        By default each has a context of its own, which knows nothing of the others.
    """

    def __init__(self, root, *, extension=True, browser=None, context=None):
        self.root = Path(root)
        self.extension = extension
        self._browser, self._context = browser, context
        self._opened = 0
        self._token = secrets.token_hex(16)

    def __enter__(self):
        with ExitStack() as stack:
            self._folder = Path(tempfile.mkdtemp(prefix="gradlab-jupyterlab-"))
            stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
            self._write_settings()
            self._start_server(stack)
            if self._browser is None:
                self._browser = stack.enter_context(chromium())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc):
        return self._stack.__exit__(*exc)

    def open(self, notebook, *, viewport=(1280, 720), scale=1, context=None, wait_seconds=600):
        """Open a notebook of the served folder; returns its `Page`, kernel idle.

        Parameters
        ----------
        notebook : str
            Its path below the served folder.
        viewport : (int, int), optional
            Width and height of the page, in CSS pixels.
        scale : float, optional
            Device pixels per CSS pixel.
        context : playwright.sync_api.BrowserContext, optional
            Where to open the page; by default in the server's, or a new one.
        wait_seconds : float, optional
            How long the page may take to show what it is waited for, now and later.
        """
        own = None
        if context is None and self._context is None:
            context = own = self.new_context(viewport, scale)
        tab = (context or self._context).new_page()
        tab.set_viewport_size({"width": viewport[0], "height": viewport[1]})
        tab.set_default_timeout(wait_seconds * 1000)
        # A second page of the same workspace would be sent to another one, and load twice.
        self._opened += 1
        start = f"{self.url}/lab/workspaces/page{self._opened}/tree/"
        return Page(tab, self.url, f"{start}{{}}?token={self._token}&reset", own).open(notebook)

    def new_context(self, viewport=(1280, 720), scale=1):
        """Return a new context of the browser; its pages remember nothing of others."""
        width, height = viewport
        return self._browser.new_context(
            viewport={"width": width, "height": height}, device_scale_factor=scale
        )

    def log(self):
        """Return what the server (and its kernels) printed so far."""
        return (self._folder / "log").read_text(errors="replace")

    def extension_loaded(self):
        """Tell whether the server itself said that gradlab's extension is loaded."""
        return f"{EXTENSION} | extension was successfully loaded" in self.log()

    def _write_settings(self):
        for name, values in SETTINGS.items():
            path = self._folder / f"settings/@jupyterlab/{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        if not self.extension:
            path = self._folder / "config/jupyter_server_config.json"
            path.parent.mkdir(parents=True)
            switched_off = {"ServerApp": {"jpserver_extensions": {EXTENSION: False}}}
            path.write_text(json.dumps(switched_off))

    def _environment(self):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON"))}
        folder = self._folder
        return kept | {
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "IPYTHONDIR": str(folder / "ipython"),
            # what the tests solve stays here: the lessons that nbval runs find nothing solved
            "GRADLAB_HOME": str(folder / "home"),
        }

    def _start_server(self, stack):
        own = (f"--IdentityProvider.token={self._token}", f"--ServerApp.root_dir={self.root}")
        with (self._folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *OPTIONS, *own],
                cwd=self.root,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        stack.callback(self._stop_server)
        deadline = time.monotonic() + START_SECONDS
        # The server writes this file once its port is bound; the port is whatever was free.
        while (port := self._port()) is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"JupyterLab did not start:\n{self.log()[-4000:]}")
            time.sleep(0.05)
        self.url = f"http://127.0.0.1:{port}"

    def _port(self):
        """Return the port from the file that the server writes; None while it is not whole."""
        for file in self._folder.glob("runtime/jpserver-*.json"):
            with contextlib.suppress(json.JSONDecodeError, KeyError):
                return json.loads(file.read_text())["port"]
        return None

    def _stop_server(self):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

"""The server of `gradlab demo`: Voilà, which opens the browser with its token."""

from __future__ import annotations

import os
import tempfile
import webbrowser
from html import escape
from pathlib import Path
from typing import Any

from voila.app import Voila

from gradlab.server_extension import SETTING, without_delay

__all__ = ["DemoServer"]


class DemoServer(Voila):
    """Voilà, whose own way to the browser leads to a page that asks for the token."""

    def init_settings(self) -> dict[str, Any]:
        """Let the kernel's answers leave without a delay, as gradlab's extension does elsewhere."""
        settings = super().init_settings()
        settings[SETTING] = without_delay(settings[SETTING])
        return settings

    def launch_browser(self) -> None:
        """Open the page by a file that nobody else can read: commands are seen by all users."""
        try:
            browser = webbrowser.get(self.browser or None)
        except webbrowser.Error as error:
            self.log.warning("no browser found: %s; open the address above", error)
            return
        handle, name = tempfile.mkstemp(prefix="gradlab-demo-", suffix=".html")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            there = escape(self.display_url)
            file.write(
                f'<meta http-equiv="refresh" content="0; url={there}"><a href="{there}">gradlab</a>'
            )
        browser.open(Path(name).as_uri(), new=self.webbrowser_open_new)


if __name__ == "__main__":
    DemoServer.launch_instance()

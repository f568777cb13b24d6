"""Find a Chromium and start it so that nothing outside this machine can be reached."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
)
# The resolver refuses every name and address but this machine's. Refusing here rather than in
# a request handler costs nothing per request, so the benchmark can use the same browser.
ARGUMENTS = (
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-gpu",
    "--disable-quic",
)
ADVICE = (
    "Install one with the system's package manager (Debian, Ubuntu: apt-get install chromium), "
    "or run 'python -m playwright install chromium', "
    "or set GRADLAB_BROWSER to the Chromium or Chrome program that is there."
)


class NoBrowserError(RuntimeError):
    """There is no Chromium to test with; the message says how to get one."""


def find_chromium(playwright):
    """Return the path of a Chromium program.

    In this order: the environment's GRADLAB_BROWSER, the usual names on the PATH, the browser
    that Playwright downloaded for itself.

    Parameters
    ----------
    playwright : playwright.sync_api.Playwright

    Returns
    -------
    str

    Raises
    ------
    NoBrowserError
        None is there, or GRADLAB_BROWSER names a program that is not.
    """
    wanted = os.environ.get("GRADLAB_BROWSER")
    if wanted:
        found = shutil.which(wanted)
        if found is None:
            raise NoBrowserError(f"GRADLAB_BROWSER is {wanted!r}, which is no program. {ADVICE}")
        return found
    for name in NAMES:
        found = shutil.which(name)
        if found is not None:
            return found
    own = playwright.chromium.executable_path
    if Path(own).exists():
        return own
    raise NoBrowserError(f"The browser tests need Chromium, and none was found. {ADVICE}")


@contextmanager
def chromium():
    """Run a headless Chromium for as long as the `with` block lasts."""
    with sync_playwright() as playwright:
        program = find_chromium(playwright)
        browser = playwright.chromium.launch(
            executable_path=program,
            args=list(ARGUMENTS),
            ignore_default_args=["--hide-scrollbars"],  # a person's browser shows them
        )
        try:
            yield browser
        finally:
            browser.close()

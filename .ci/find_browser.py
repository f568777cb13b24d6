"""Print the path of a Chromium for the browser tests; with --install, get one if none is here.

In this order: the variable GRADLAB_BROWSER; a Chromium or Chrome of this machine; the one that
Playwright keeps; with --install, Playwright's download, then the system's package manager.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
MANAGERS = (  # (program, commands): the first program that is here is asked
    ("apt-get", (["apt-get", "update"], ["apt-get", "install", "-y", "chromium"])),
    ("dnf", (["dnf", "install", "-y", "chromium"],)),
    ("pacman", (["pacman", "-Sy", "--noconfirm", "chromium"],)),
    ("zypper", (["zypper", "--non-interactive", "install", "chromium"],)),
    ("apk", (["apk", "add", "chromium"],)),
    ("brew", (["brew", "install", "--cask", "chromium"],)),
)
HELP = """no Chromium or Chrome was found, and none could be installed. Install one:
  Debian:  apt-get install chromium        Fedora:  dnf install chromium
  macOS:   brew install --cask chromium
  any:     .venv/bin/playwright install --with-deps chromium
or name the program in the variable GRADLAB_BROWSER."""


def runs(path: str | None) -> bool:
    """Tell whether `path` is a browser that starts: a stub or a missing library shows here."""
    if not path or not shutil.which(path):
        return False
    if os.name == "nt":  # there, --version opens a window
        return True
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and "Chrom" in done.stdout


def playwrights_own() -> str | None:
    """Return where Playwright's Chromium is, or would be."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def already_here() -> Iterator[str | None]:
    """Yield the candidates of this machine, the likeliest first."""
    yield from (shutil.which(name) for name in NAMES)
    yield playwrights_own()


def attempt(command: list[str], seconds: int = 600) -> bool:
    """Run an installer; its output goes to stderr, stdout is for the path."""
    print("$", *command, file=sys.stderr, flush=True)
    unasked = {
        "stdin": subprocess.DEVNULL,
        "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
    }
    try:
        done = subprocess.run(command, stdout=sys.stderr, timeout=seconds, **unasked)
        return done.returncode == 0
    except (OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return False


def installed() -> Iterator[str | None]:
    """Install a browser, one way after the other, and yield what is there afterwards."""
    attempt([sys.executable, "-m", "playwright", "install", "chromium"])
    yield playwrights_own()
    for program, commands in MANAGERS:
        if not shutil.which(program):
            continue
        as_root = [] if program == "brew" or os.geteuid() == 0 else ["sudo", "-n"]
        for command in commands:
            attempt([*as_root, *command])
        yield from already_here()
        break
    # Playwright's own may be there and lack the system's libraries: on Ubuntu, where the package
    # "chromium" is an empty one, this is what helps.
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    attempt([*as_root, sys.executable, "-m", "playwright", "install-deps", "chromium"])
    yield playwrights_own()


def main(arguments: list[str]) -> int:
    """Print a path, or say what to install."""
    named = os.environ.get("GRADLAB_BROWSER")
    if named and not runs(named):
        print(f"GRADLAB_BROWSER names {named!r}, which does not run", file=sys.stderr)
        return 1
    candidates = iter([named]) if named else already_here()
    found = next(filter(runs, candidates), None)
    if not found and "--install" in arguments:
        found = next(filter(runs, installed()), None)
    if not found:
        print(HELP, file=sys.stderr)
        return 1
    print(Path(shutil.which(found) or found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Pictures of the lab as a learner sees it, to be looked at; and the one in the README.

    python -m tests.browser.screenshots FOLDER              every size, theme and state
    python -m tests.browser.screenshots FOLDER --readme     also lessons/images/lab.png

Run it from the project's folder.
"""

import argparse
import io
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from gradlab.lab import SCENARIOS

from .chromium import chromium
from .server import JupyterLab

LESSONS = Path(__file__).parents[2] / "lessons"
LESSON = "00_start_here.ipynb"
WIDGET = "application/vnd.jupyter.widget-view+json"
SIZES = ((1280, 720), (1920, 1080))
THEMES = ("light", "dark")
# What the kernel runs for each picture, by its name: every scenario, and what none of them shows.
STATES = {
    "start": "",
    "deep": "_lab.state.update(hidden=(64, 48, 32, 16), data='digits')",
    "mystery": "_lab.state.new_mystery(seed=1)\n_lab.mystery.line.index = 2",
    "revealed": "_lab.state.new_mystery(seed=3)\n_lab.mystery.buttons['reveal'].click()",
    "error": ("_lab.state.fail(('weight_scale',), ValueError('the gradient of W1 is not finite'))"),
} | {name: f"_lab.state.load_scenario({name!r})" for name in SCENARIOS}
TO_THE_TOP = "element => element.scrollIntoView({block: 'start'})"
# Where the notebook calls its lab something else, this finds it.
FIND_LAB = "from gradlab.lab import Lab as _L\nimport ipywidgets as _w\n" + (
    "_lab = next(w for w in _w.Widget.widgets.values() if isinstance(w, _L))"
)


def main(arguments=None):
    """Take the pictures; prints their paths."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--readme", action="store_true", help="also renew lessons/images/lab.png")
    parser.add_argument("--states", nargs="*", choices=STATES, default=list(STATES))
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as copy, chromium() as browser:
        shutil.copytree(LESSONS, copy, dirs_exist_ok=True)
        with JupyterLab(copy, browser=browser) as server:
            for size in SIZES:
                take(server, size, options.states, options.folder)
            if options.readme:
                take_readme(server)
    return 0


def take(server, size, states, folder):
    """Save the lab at one size, in both themes and every state."""
    page, lab = open_lab(server, size)
    for state in states:
        set_state(page, lab, STATES[state])
        for theme in THEMES:
            page.set_theme(theme)
            page.wait_still(lab)
            lab.evaluate(TO_THE_TOP)
            path = folder / f"{size[0]}x{size[1]}_{theme}_{state}.png"
            page.tab.screenshot(path=path)
            print(path, fits(lab, page))
    page.close()


def take_readme(server):
    """Save the README's picture: the lab alone, sharp enough for any screen."""
    page, lab = open_lab(server, SIZES[0], scale=2)
    page.set_theme("light")  # JupyterLab remembers the one that the last picture had
    page.wait_still(lab)
    path = LESSONS / "images/lab.png"
    path.parent.mkdir(exist_ok=True)
    lab.screenshot(path=path)
    print(path)
    take_film(page, lab, path.with_suffix(".gif"))
    page.close()


def take_film(page, lab, path):
    """Save what a drag of the step over its whole range looks like, as an animated GIF."""
    box = lab.locator(".gradlab-shown").bounding_box()
    pictures = []
    for exponent in [*np.arange(-13, -0.9, 0.4), *np.arange(-1.4, -5.1, -0.4)]:
        page.run_code(f"_lab.state.eps = 10 ** {exponent:.2f}")
        page.wait_still(lab, milliseconds=150)
        shot = Image.open(io.BytesIO(page.tab.screenshot(clip=box)))
        half = (shot.width * 9 // 20, shot.height * 9 // 20)
        pictures.append(shot.convert("RGB").resize(half, Image.Resampling.LANCZOS))
    few = np.vstack([np.asarray(picture) for picture in pictures[:: len(pictures) // 5]])
    colours = Image.fromarray(few).quantize(96)
    frames = [picture.quantize(palette=colours, dither=0) for picture in pictures]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=110, loop=0)
    print(path, path.stat().st_size)


def open_lab(server, size, scale=1):
    """Open and run the lesson; returns its page and its first lab, at the top of the screen."""
    page = server.open(LESSON, viewport=size, scale=scale)
    page.run_all()
    page.run_code(FIND_LAB)
    cell = page.show_cell(page.cell_with(WIDGET))
    lab = cell.locator(".gradlab-lab").first
    return page, lab


def set_state(page, lab, code):
    """Put the lab into a state, starting from its own start, and wait until it rests."""
    page.run_code(f"_lab.state.reset()\n{code}")
    page.wait_sharp(lab)


def fits(lab, page):
    """Return the lab's size, and whether it is taller than the notebook's window."""
    box = lab.bounding_box()
    window = page.tab.locator(".jp-WindowedPanel-outer").first.bounding_box()
    words = "fits" if box["height"] <= window["height"] else "MUST BE SCROLLED"
    return f"{box['width']:.0f}x{box['height']:.0f} in {window['height']:.0f}: {words}"


if __name__ == "__main__":
    sys.exit(main())

"""Pictures of the lab as a learner sees it, to be looked at; and the one in the README.

    python -m tests.browser.screenshots FOLDER                              everything
    python -m tests.browser.screenshots FOLDER --places 1280x720 --themes dark --states start kinks
    python -m tests.browser.screenshots FOLDER --readme                     also lessons/images

Each place is a page of its own size, each state a scenario or something that none of them shows. A
contact sheet of each place and theme, `sheet_….png`, has all its states small. Scroll bars are
shown. Run it from the project's folder.
"""

import argparse
import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from gradlab.lab import SCENARIOS

from .chromium import chromium
from .lab_parts import DATA, NETWORKS, write_notebook
from .server import JupyterLab

LESSONS = Path(__file__).parents[2] / "lessons"
LESSON = "playground.ipynb"
WIDGET = "application/vnd.jupyter.widget-view+json"
THEMES = ("light", "dark")
LARGE = "_lab.appearance.large.value = True"
MODE = "window.jupyterapp.commands.execute('application:toggle-presentation-mode')"


class Place(NamedTuple):
    """Where the lab is looked at: CSS pixels, device pixels for each, and what is open or on."""

    width: int
    height: int
    scale: float = 1
    files: bool = True
    code: str = ""
    script: str = ""


PLACES = {
    "1024x768": Place(1024, 768, files=False),
    "1280x720": Place(1280, 720, files=False),
    "1280x720_files": Place(1280, 720),
    "1920x1080": Place(1920, 1080),
    "1920x1080_zoom150": Place(1280, 720, 1.5),
    "1280x720_zoom150": Place(853, 480, 1.5, files=False),
    "1280x720_large": Place(1280, 720, files=False, code=LARGE),
    "1920x1080_large": Place(1920, 1080, code=LARGE),
    "1280x720_mode": Place(1280, 720, files=False, script=MODE),
    "1920x1080_mode": Place(1920, 1080, script=MODE),
}
# What the kernel runs for each picture, by its name: every scenario, and what none of them shows.
STATES = {
    "start": "",
    "deep": "_lab.state.update(hidden=(64, 48, 32, 16), data='digits')",
    "eight_layers": "_lab.state.update(hidden=(16,) * 8)",
    "every_panel": "for _box in _lab.appearance.panels.values(): _box.value = True",
    "mystery": "_lab.state.new_mystery(seed=1)\n_lab.mystery.line.index = 2",
    "revealed": "_lab.state.new_mystery(seed=3)\n_lab.mystery.buttons['reveal'].click()",
    "error": ("_lab.state.fail(('weight_scale',), ValueError('the gradient of W1 is not finite'))"),
} | {name: f"_lab.state.load_scenario({name!r})" for name in SCENARIOS}
#: Labs of other networks, in a notebook of their own, by their name there.
OTHERS = tuple(NETWORKS)
TO_THE_TOP = "element => element.scrollIntoView({block: 'start'})"
# Where the notebook calls its lab something else, this finds it.
FIND_LAB = "from gradlab.lab import Lab as _L\nimport ipywidgets as _w\n" + (
    "_lab = next(w for w in _w.Widget.widgets.values() if isinstance(w, _L))\n"
    "_panels = list(_lab.appearance.visible)"
)
RESET = """_lab.state.reset()
for _name, _box in _lab.appearance.panels.items(): _box.value = _name in _panels
"""


def main(arguments=None):
    """Take the pictures; prints their paths."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--readme", action="store_true", help="also renew lessons/images/lab.png")
    parser.add_argument("--places", nargs="*", choices=PLACES, default=list(PLACES))
    parser.add_argument("--themes", nargs="*", choices=THEMES, default=list(THEMES))
    every = [*STATES, *OTHERS]
    parser.add_argument("--states", nargs="*", choices=every, default=every)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as copy, chromium() as browser:
        shutil.copytree(LESSONS, copy, dirs_exist_ok=True)
        with JupyterLab(copy, browser=browser) as server:
            for name in options.places:
                take(server, name, options)
            if options.readme:
                take_readme(server)
    return 0


def take(server, name, options):
    """Save the lab at one place, in the themes and states that were asked for."""
    taken = {theme: [] for theme in options.themes}
    states = [state for state in options.states if state in STATES]
    if states:
        page, lab = open_lab(server, PLACES[name])
        for state in states:
            set_state(page, lab, STATES[state])
            look(page, lab, f"{name}_{{}}_{state}.png", options.folder, taken)
        page.close()
    others = [state for state in options.states if state in OTHERS]
    if others:
        page = open_others(server, PLACES[name])
        for kind in others:
            cell = page.show_cell(1 + OTHERS.index(kind))
            lab = cell.locator(".gradlab-lab").first
            page.wait_sharp(lab)
            look(page, lab, f"{name}_{{}}_{kind}.png", options.folder, taken)
        page.close()
    for theme, paths in taken.items():
        path = options.folder / f"sheet_{name}_{theme}.png"
        contact_sheet(paths).save(path)
        print(path)


def look(page, lab, name, folder, taken):
    """Save what the page shows, in each theme; notes the paths in `taken`."""
    for theme, paths in taken.items():
        page.set_theme(theme)
        page.wait_still(lab)
        lab.evaluate(TO_THE_TOP)
        path = folder / name.format(theme)
        page.tab.screenshot(path=path)
        paths.append(path)
        print(path, fits(lab, page))


def contact_sheet(paths, columns=4, width=480):
    """Return many pictures as one, small, each with its name above it."""
    tiles = []
    for path in paths:
        picture = Image.open(path).convert("RGB")
        picture.thumbnail((width, 10 * width))
        tile = Image.new("RGB", (width, picture.height + 14), "white")
        tile.paste(picture, (0, 14))
        ImageDraw.Draw(tile).text((4, 1), path.stem, fill="black")
        tiles.append(tile)
    columns = min(columns, len(tiles))
    high = max(tile.height for tile in tiles)
    sheet = Image.new("RGB", (columns * width, -(-len(tiles) // columns) * high), "white")
    for i, tile in enumerate(tiles):
        sheet.paste(tile, (i % columns * width, i // columns * high))
    return sheet


def take_readme(server):
    """Save the README's picture: the lab alone, sharp enough for any screen."""
    page, lab = open_lab(server, Place(1280, 720, 2))
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


def open_lab(server, place):
    """Open and run the lesson; returns its page and its first lab, at the top of the screen."""
    page = server.open(LESSON, viewport=place[:2], scale=place.scale)
    page.run_all()
    page.run_code(FIND_LAB)
    cell = page.show_cell(page.cell_with(WIDGET))
    arrange(page, place)
    return page, cell.locator(".gradlab-lab").first


def open_others(server, place):
    """Open and run a notebook with a lab of each other network; returns its page."""
    context = server.new_context(viewport=place[:2], scale=place.scale)
    page = write_notebook(server, "others.ipynb", DATA, *NETWORKS.values(), context=context)
    for kind in OTHERS if place.code else ():
        page.run_code(f"_lab = {kind}\n{place.code}")
    arrange(page, place._replace(code=""))
    return page


def arrange(page, place):
    """Open or close the file browser, and set what a place has besides its size."""
    page.show_files(place.files)
    if place.code:
        page.run_code(place.code)
    if place.script:
        page.tab.evaluate(place.script)


def set_state(page, lab, code):
    """Put the lab into a state, starting from its own start, and wait until it rests."""
    page.run_code(f"{RESET}{code}")
    page.wait_sharp(lab)


def fits(lab, page):
    """Return the lab's size, and whether it is taller than the notebook's window."""
    box = lab.bounding_box()
    window = page.tab.locator(".jp-WindowedPanel-outer").first.bounding_box()
    words = "fits" if box["height"] <= window["height"] else "MUST BE SCROLLED"
    return f"{box['width']:.0f}x{box['height']:.0f} in {window['height']:.0f}: {words}"


if __name__ == "__main__":
    sys.exit(main())

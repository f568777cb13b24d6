"""Film a rectangle of the page as the browser composes it, and look for blank pictures."""

import base64
import io

import numpy as np
from PIL import Image


def film(tab, box, action):
    """Return what the rectangle `box` shows, frame by frame, while `action()` runs.

    Parameters
    ----------
    tab : Tab
    box : dict
        x, y, width and height in CSS pixels, and the page's width as `page`.
    action : callable, () -> None

    Returns
    -------
    list of (H, W) float arrays
        Grey values.
    """
    tab.events.clear()
    tab.send("Page.startScreencast", format="jpeg", quality=70, everyNthFrame=1)
    action()
    tab.send("Page.stopScreencast")
    frames = [e["params"]["data"] for e in tab.events if e.get("method") == "Page.screencastFrame"]
    tab.events.clear()
    return [_rectangle(data, box) for data in frames]


def _rectangle(data, box):
    picture = Image.open(io.BytesIO(base64.b64decode(data))).convert("L")
    scale = picture.width / box["page"]
    left, top = box["x"] * scale, box["y"] * scale
    right, bottom = left + box["width"] * scale, top + box["height"] * scale
    return np.asarray(picture.crop((int(left), int(top), int(right), int(bottom))), float)


def count_blanks(shots):
    """Count the pictures with far less drawn on them than on the film's median picture."""
    ink = np.array([shot.std() for shot in shots])
    return int(np.sum(ink < 0.5 * np.median(ink)))

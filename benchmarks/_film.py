"""Film a rectangle of the page as the browser composes it, and look for blank pictures."""

import base64
import io
from contextlib import contextmanager

import numpy as np
from PIL import Image


@contextmanager
def filming(tab, box):
    """Collect what the rectangle `box` shows, frame by frame, while the `with` block runs."""
    film = []
    session = tab.context.new_cdp_session(tab)

    def keep(frame):
        session.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})
        film.append(frame["data"])

    session.on("Page.screencastFrame", keep)
    session.send("Page.startScreencast", {"format": "jpeg", "quality": 70, "everyNthFrame": 1})
    shots = []
    try:
        yield shots
    finally:
        session.send("Page.stopScreencast")
        session.detach()
        width = tab.viewport_size["width"]
        shots.extend(_rectangle(data, box, width) for data in film)


def _rectangle(data, box, width):
    picture = Image.open(io.BytesIO(base64.b64decode(data))).convert("L")
    scale = picture.width / width
    left, top = box["x"] * scale, box["y"] * scale
    right, bottom = left + box["width"] * scale, top + box["height"] * scale
    return np.asarray(picture.crop((int(left), int(top), int(right), int(bottom))), float)


def count_blanks(film):
    """Count the pictures with far less drawn on them than on the film's median picture."""
    ink = np.array([shot.std() for shot in film])
    return int(np.sum(ink < 0.5 * np.median(ink)))

"""What a lab leaves in a notebook, as the file keeps it."""

import base64
import io
import json

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from gradlab import _stored as stored
from gradlab.lab import Lab
from gradlab.lab.board.panels import NAMES

LIMIT = 300e3  # bytes


@pytest.fixture
def kept(monkeypatch, front_end):
    """Return a function that shows a lab and returns its outputs, one dict by MIME type each."""

    def show(lab):
        outputs = []
        monkeypatch.setattr(
            stored, "display", lambda data, metadata=None, raw=False: outputs.append(data)
        )
        lab._ipython_display_()
        return outputs

    return show


def test_a_lab_leaves_its_view_its_picture_and_its_words(kept):
    lab = Lab(eps=1e-4)
    view, picture, words = kept(lab)
    assert list(view) == [stored.VIEW]
    assert view[stored.VIEW]["model_id"] == lab.model_id
    assert picture["text/plain"] == repr(lab)
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture["image/png"]))))
    assert len(np.unique(pixels.reshape(-1, pixels.shape[-1]), axis=0)) > 20
    assert "verdict: correct" in words["text/html"]
    assert "run the cell" in words["text/html"]


def test_without_a_picture_the_words_stay(kept):
    lab = Lab()
    for box in lab.appearance.panels.values():
        box.value = False
    _, text, words = kept(lab)
    assert list(text) == ["text/plain"]
    assert text["text/plain"] == repr(lab)
    assert "verdict" not in words["text/html"]  # once is enough


def test_a_learners_words_are_escaped(kept):
    lab = Lab()
    lab.state.fail(("eps",), ValueError("<script>alert(1)</script>"))
    *_, words = kept(lab)
    assert "<script>" not in words["text/html"]
    assert "&lt;script&gt;" in words["text/html"]


@pytest.mark.parametrize("panels", [None, NAMES])
def test_a_notebook_grows_by_less_than_300_kb(kept, panels):
    lab = Lab(hidden=(64, 64, 64, 64), data="digits", **({"panels": panels} if panels else {}))
    assert len(json.dumps(kept(lab))) < LIMIT


def test_a_notebook_of_a_lesson_keeps_them():
    """As nbval and the lessons run it: in a kernel, with no screen."""
    cell = nbformat.v4.new_code_cell("import gradlab as gl\nlab = gl.Lab()\nlab")
    book = nbformat.v4.new_notebook(cells=[cell])
    NotebookClient(book, timeout=600, kernel_name="python3", store_widget_state=False).execute()
    kinds = [sorted(output.data) for output in cell.outputs]
    assert kinds == [[stored.VIEW], ["image/png", "text/plain"], ["text/html"]]

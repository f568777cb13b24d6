"""A lesson's own figures follow JupyterLab's theme, and say what they show."""

import numpy as np
import pytest
from matplotlib.image import imread

from .lab_parts import write_notebook

CELL = """from matplotlib.figure import Figure
from gradlab.course import Picture
ax = Figure(figsize=(4, 3)).subplots()
ax.axhspan(0.2, 0.8, color="#007A5A")
Picture(ax.figure, "A green band from 0.2 to 0.8 & nothing else.")"""


@pytest.fixture(scope="module")
def notebook(jupyterlab):
    page = write_notebook(jupyterlab, "a_figure.ipynb", CELL)
    yield page
    page.set_theme("light")
    page.close()


def mean_colours(notebook, tmp_path):
    """Return the mean colours of the picture's margin and of its middle, as they are on screen."""
    path = tmp_path / "picture.png"
    notebook.tab.locator(".jp-OutputArea-output img").screenshot(path=path)
    pixels = imread(path)[..., :3]
    rows, columns, _ = pixels.shape
    middle = pixels[rows // 2 - 5 : rows // 2 + 5, columns // 2 - 5 : columns // 2 + 5]
    return pixels[:4].mean(axis=(0, 1)), middle.mean(axis=(0, 1))


@pytest.mark.parametrize(("theme", "paper"), [("light", 1.0), ("dark", 0.07)])
def test_a_figure_has_the_themes_paper_and_keeps_its_hues(notebook, theme, paper, tmp_path):
    notebook.set_theme(theme)
    margin, (red, green, blue) = mean_colours(notebook, tmp_path)
    np.testing.assert_allclose(margin, paper, atol=0.03)
    assert green > blue > red


def test_its_words_are_there_to_be_read_out_and_not_seen(notebook):
    said = notebook.tab.locator(".gradlab-said")
    assert said.text_content() == "A green band from 0.2 to 0.8 & nothing else."
    box = said.bounding_box()
    assert box["width"] <= 1
    assert box["height"] <= 1

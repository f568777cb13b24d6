"""A lesson's own figures follow JupyterLab's theme, and say what they show."""

import numpy as np
import pytest
from matplotlib.image import imread


@pytest.fixture
def figure(page):
    return page.show_cell(1).locator(".jp-OutputArea-output")


def mean_colours(figure, tmp_path):
    """Return the mean colours of the picture's margin and of its middle, as they are on screen."""
    path = tmp_path / "picture.png"
    figure.locator("img").screenshot(path=path)
    pixels = imread(path)[..., :3]
    rows, columns, _ = pixels.shape
    middle = pixels[rows // 2 - 5 : rows // 2 + 5, columns // 2 - 5 : columns // 2 + 5]
    return pixels[:4].mean(axis=(0, 1)), middle.mean(axis=(0, 1))


@pytest.mark.parametrize(("theme", "paper"), [("light", 1.0), ("dark", 0.07)])
def test_a_figure_has_the_themes_paper_and_keeps_its_hues(page, figure, theme, paper, tmp_path):
    page.set_theme(theme)
    margin, (red, green, blue) = mean_colours(figure, tmp_path)
    page.set_theme("light")
    np.testing.assert_allclose(margin, paper, atol=0.03)
    assert green > blue > red


def test_its_words_are_there_to_be_read_out_and_not_seen(figure):
    said = figure.locator(".gradlab-said")
    assert said.text_content() == "A green band from 0.2 to 0.8 & nothing else."
    box = said.bounding_box()
    assert box["width"] <= 1
    assert box["height"] <= 1

"""The documents' style sheet, as a browser reads it."""

from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "docs/static/docs.css").read_text(encoding="utf-8")
PAGE = "<style>{css}</style><body data-theme={theme}><article><p class=cell_output><img></article>"


@pytest.mark.parametrize(
    ("theme", "scheme", "media", "inverted"),
    [
        ("auto", "light", "screen", False),
        ("auto", "dark", "screen", True),
        ("light", "dark", "screen", False),
        ("dark", "light", "screen", True),
        ("auto", "dark", "print", False),
        ("dark", "dark", "print", False),
    ],
)
def test_white_pictures_are_dark_on_a_dark_page_alone(browser, theme, scheme, media, inverted):
    page = browser.new_page()
    page.emulate_media(media=media, color_scheme=scheme)
    page.set_content(PAGE.format(css=CSS, theme=theme))
    shown = page.evaluate("getComputedStyle(document.querySelector('img')).filter")
    page.close()
    assert (shown != "none") is inverted, shown

"""Every measured number in a lesson's prose is shown by a cell, or held by a test."""

from pathlib import Path

import pytest

from tests.lessons.prose import ROOT, unheld

HERE = Path(__file__).parent
LESSONS = sorted(path.stem for path in (ROOT / "lessons").glob("*.ipynb"))


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_number_is_shown_or_held(lesson):
    claims = HERE / f"test_{lesson}.py"
    assert unheld(lesson, claims.read_text() if claims.exists() else "") == []

"""The line to share: what is set is copied, what is pasted is set or its fault is told."""

import pytest

from gradlab.lab import Lab


@pytest.fixture
def lab(front_end):
    return Lab(hidden=(4,), eps=1e-7, activation="relu")


LINE = 'gl.Lab(hidden=(4,), activation="relu", eps=1e-07)'


def test_a_line_is_copied_forgotten_and_pasted(lab, front_end):
    share = lab._screen.share
    front_end.press(share.copy_button)
    assert share.line.value == LINE
    assert "copied" in share.told.value
    front_end.move(lab.controls["eps"], 1e-3)
    assert share.line.value == "", "it would be that of other settings"
    assert "copied" not in share.told.value
    front_end.move(share.line, LINE)
    assert lab.state.eps == 1e-7
    assert ">set<" in share.told.value
    assert share.line.value == LINE


@pytest.mark.parametrize(
    "line", ['gl.Lab(eps=-1, hidden="<b>")', "gl.Lab(", "<script>", "gl.Lab(epss=1)"]
)
def test_a_broken_line_is_told_beside_it_and_the_lab_is_as_before(lab, front_end, line):
    share, before = lab._screen.share, lab.state.settings
    banner, computed = lab.board.banner, lab.state.computed
    front_end.move(share.line, line)
    assert (lab.state.settings, lab.state.error) == (before, "")
    assert (lab.board.banner, lab.state.computed) == (banner, computed)
    assert share.line.value == line, "to be mended"
    assert 'role="alert"' in share.told.value
    assert "<b>" not in share.told.value
    assert "<script>" not in share.told.value
    front_end.move(lab.controls["eps"], 1e-3)
    assert share.line.value == line, "moving a control does not take away what is being mended"
    front_end.move(share.line, "gl.Lab(eps=1e-6)")
    assert lab.state.eps == 1e-6
    assert "alert" not in share.told.value


def test_an_emptied_line_says_nothing(lab, front_end):
    share = lab._screen.share
    front_end.move(share.line, "gl.Lab(")
    front_end.move(share.line, "")
    assert "alert" not in share.told.value

"""The small buttons for the lab as a whole."""

import pytest

from gradlab.lab import Lab, LabState
from gradlab.lab.controls.toolbar import Toolbar


class Asked(list):
    def pin(self, down):
        self.append(("pin", down))

    def save(self, kind):
        self.append(("save", kind))


@pytest.fixture
def asked():
    return Asked()


@pytest.fixture
def toolbar(front_end, asked):
    return Toolbar(LabState(hidden=(4,)), asked.pin, asked.save)


def buttons(toolbar):
    return [getattr(toolbar, name) for name in
            ("undo", "redo", "pin", "png", "svg", "full_screen", "reset")]  # fmt: skip


def test_every_button_has_a_name_and_a_tooltip_that_begins_with_it(toolbar):
    names = [button.description for button in buttons(toolbar)]
    assert len(set(names)) == len(names)
    for button in buttons(toolbar):
        assert button.icon
        assert button.tooltip.startswith(button.description)
        words_seen = "gradlab-icon" not in button._dom_classes
        assert words_seen == (button is toolbar.reset)  # lessons say "Press Reset"
    assert "gradlab-fullscreen" in toolbar.full_screen._dom_classes


def test_pin_and_save_ask_who_can(toolbar, asked, front_end):
    front_end.move(toolbar.pin, True)
    front_end.press(toolbar.png)
    front_end.press(toolbar.svg)
    front_end.move(toolbar.pin, False)
    assert asked == [("pin", True), ("save", "png"), ("save", "svg"), ("pin", False)]


def test_undo_and_redo_are_off_where_there_is_nothing(front_end):
    lab = Lab(hidden=(4,))
    bar = lab._screen.toolbar
    assert bar.undo.disabled
    assert bar.redo.disabled
    front_end.move(lab.controls["eps"], 1e-3)
    assert not bar.undo.disabled
    front_end.press(bar.undo)
    assert lab.state.eps == lab.controls["eps"].value == 1e-5
    assert not bar.redo.disabled
    front_end.press(bar.redo)
    assert lab.state.eps == lab.controls["eps"].value == 1e-3


def test_reset_can_be_taken_back(front_end):
    lab = Lab(hidden=(4,))
    lab.state.update(eps=1e-2, activation="relu")
    front_end.press(lab.reset_button)
    assert lab.state.settings == lab.state.start
    assert (lab.controls["eps"].value, lab.controls["activation"].value) == (1e-5, "tanh")
    front_end.press(lab._screen.toolbar.undo)
    assert (lab.state.eps, lab.state.activation) == (1e-2, "relu")


def test_what_fails_is_told(front_end):
    def broken(kind):
        raise ValueError("planted")

    state = LabState(hidden=(4,))
    front_end.press(Toolbar(state, print, broken).png)
    assert "planted" in state.error


def test_reset_forgets_an_error_even_where_nothing_has_moved(front_end):
    lab = Lab(hidden=(4,))
    lab.state.fail(("eps",), ValueError("planted"))
    assert "planted" in lab.board.banner
    front_end.press(lab.reset_button)
    assert "planted" not in lab.board.banner


def test_the_bar_of_a_training_is_there_while_it_lasts(toolbar):
    bar, seen = toolbar.training, []
    assert (bar.min, bar.max, bar.layout.visibility) == (0, 1, "hidden")
    bar.observe(lambda change: seen.append((bar.value, bar.layout.visibility)), "value")
    for fraction in (0.0, 0.5, 1.0):
        toolbar._state.progress = fraction
        assert bar.value == fraction
        assert bar.layout.visibility == ("hidden" if fraction == 1 else "visible")

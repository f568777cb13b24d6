"""Controls and state: each follows the other, and what is refused is told."""

import pytest

import gradlab as gl
from gradlab.lab import Lab
from gradlab.lab import state as state_module
from gradlab.lab.controls.whole_number import WholeNumber
from gradlab.lab.model.settings import NAMES, RANGES, SETTINGS
from tests.lab.test_state import CHANGES

NEEDS = {
    "dropout_rate": {"use_dropout": True}, "freeze_masks": {"use_dropout": True},
    "l2": {"use_l2": True}, "l2_in_loss": {"use_l2": True}, "l2_in_gradient": {"use_l2": True},
}  # fmt: skip


@pytest.fixture
def lab(front_end):
    lab = Lab(hidden=(4,))
    front_end.clear()
    return lab


@pytest.mark.parametrize("name", CHANGES)  # all that an MLP has
def test_every_setting_has_a_control_that_moves_it(front_end, name):
    lab, value = Lab(hidden=(4,), **NEEDS.get(name, {})), CHANGES[name]
    control, frames = lab.controls[name], lab.frames
    if name == "hidden":
        front_end.move(control.widths[0].text, "3")
        front_end.move(control.count, 2)
        front_end.move(control.widths[1].text, "3")
    elif isinstance(control, WholeNumber):
        front_end.move(control.text, str(value))
    elif hasattr(control, "options"):
        front_end.choose(control, [option for _, option in control.options].index(value))
    else:
        front_end.move(control, value)
    assert lab.state.error == ""
    assert getattr(lab.state.result.settings, name) == value
    assert lab.frames > frames


@pytest.mark.parametrize("name", CHANGES)  # all that an MLP has
def test_every_control_follows_the_state(lab, name):
    setattr(lab.state, name, CHANGES[name])
    assert lab.controls[name].value == CHANGES[name]


def test_every_control_says_what_it_is_and_in_which_unit(lab):
    assert set(lab.controls) == set(NAMES)
    for name, control in lab.controls.items():
        parts = (control.count, *control.widths) if name == "hidden" else (control,)
        for part in parts:
            assert part.description
            assert len(part.tooltip) > len(part.description)
    for name in ("eps", "weight_scale", "l2"):
        assert "1e" in lab.controls[name].tooltip, "a logarithmic slider tells its range"
    for name in ("eps", "weight_scale"):  # 1e-6 and 0.5, never -6
        told = format(1e-6 if name == "eps" else 0.5, lab.controls[name].readout_format)
        assert told == {"eps": "1.0e-06", "weight_scale": "0.5"}[name]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [("eps", 1e-5, "1.0e-05"), ("weight_scale", 0.1234, "0.123"), ("l2", 1e-3, "0.001"),
     ("l2", 0.1234, "0.12"), ("data_scale", 0.1234, "0.123"), ("dropout_rate", 0.35, "0.35"),
     ("bias_scale", 0.3, "0.3")],
)  # fmt: skip
def test_a_number_beside_a_slider_has_the_digits_that_it_moves_by(lab, name, value, told):
    assert format(value, lab.controls[name].readout_format) == told


def test_the_last_digits_of_a_slider_are_rounded_and_not_sent_back(lab, front_end):
    front_end.move(lab.controls["eps"], 0.0010000000000000041)
    assert lab.state.eps == 1e-3
    assert len(front_end.updates(lab.controls["eps"])) <= 1  # the echo of what was sent


def test_what_is_dragged_or_typed_is_sent_once_it_is_done(lab):
    """Sliders of logarithms are read in between by the board's script; the others need not be."""
    whole = {"train_steps", "examples"}
    for name, control in lab.controls.items():
        slides = any("gradlab-slides" in c for c in control._dom_classes)
        if slides or name in whole:
            assert control.continuous_update is False, name
        if isinstance(control, WholeNumber):
            assert control.text.continuous_update is False, name
    assert lab._screen.share.line.continuous_update is False
    for box in lab.controls["hidden"].widths:
        assert box.text.continuous_update is False


def test_a_layer_more_has_a_width_and_four_have_a_box(lab, front_end):
    control = lab.controls["hidden"]
    assert (control.count.min, control.count.max) == (0, 4)
    assert [box.description for box in control.widths] == ["h1", "h2", "h3", "h4"]
    assert [box.disabled for box in control.widths] == [False, True, True, True]
    front_end.move(control.count, 2)
    assert lab.state.hidden == (4, 16)
    front_end.move(control.widths[1].text, "5")
    front_end.move(control.count, 0)
    assert lab.state.hidden == ()
    assert all(box.disabled for box in control.widths)
    front_end.move(control.count, 2)
    assert lab.state.hidden == (4, 5), "widths are kept for when a layer comes back"
    lab.state.hidden = (8,) * 8
    assert control.count.value == 4
    assert lab.state.error == ""
    lab.state.hidden = (3, 2, 1)
    assert [box.value for box in control.widths[:3]] == [3, 2, 1]
    assert control.count.value == 3


def test_a_range_is_that_of_the_setting(lab):
    for name, (low, high) in RANGES.items():
        control = lab.controls[name]
        if isinstance(control, WholeNumber):
            most = None if name in ("seed", "time_steps") and control._high is None else high
            assert (control._low, control._high) == (low, most)
        else:
            log = hasattr(control, "base")
            ends = (10.0**control.min, 10.0**control.max) if log else (control.min, control.max)
            assert ends == pytest.approx((low, high), rel=1e-9)
            assert control.step == SETTINGS[name].step > 0


def test_a_control_that_fails_is_named_in_the_banner_and_the_lab_lives(lab, monkeypatch, front_end):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("<planted>")

    with monkeypatch.context() as patched:
        patched.setattr(state_module, "compute", broken)
        front_end.move(lab.controls["weight_scale"], 3.0)
    assert "cannot compute" in lab.board.banner
    assert "weight scale: &lt;planted&gt;" in lab.board.banner
    front_end.move(lab.controls["eps"], 1e-3)
    assert "cannot compute" not in lab.board.banner
    assert lab.state.result.settings.weight_scale == 3.0


def test_a_value_that_the_state_refuses_is_told_with_its_control(lab, front_end):
    control = lab.controls["weight_scale"]
    control.max = 4
    front_end.move(control, 5000.0)
    assert "weight scale: weight_scale must be a finite number in" in lab.board.banner
    front_end.press(lab.reset_button)
    assert control.value == lab.state.weight_scale == 0.5
    front_end.move(control, 2.0)
    assert "cannot compute" not in lab.board.banner


def test_other_choices_leave_what_is_chosen(front_end):
    lab = Lab(hidden=(4,), bug="bias_mean", tensor="W2")
    bugs = lab.controls["bug"].options
    lab.state.activation = "relu"
    assert lab.controls["bug"].options != bugs
    assert lab.state.bug == lab.controls["bug"].value == "bias_mean"
    lab.state.hidden = (4, 4)
    assert [value for _, value in lab.controls["tensor"].options] == ["", *lab.state.result.report]
    assert lab.state.tensor == lab.controls["tensor"].value == "W2"
    lab.state.hidden = ()
    assert lab.state.tensor == lab.controls["tensor"].value == ""
    assert lab.state.error == ""


def test_a_choice_that_the_control_does_not_offer_is_told(lab):
    lab.state.data = "yours"
    assert "data set: data is" in lab.board.banner
    assert "made without x and y" in lab.board.banner
    lab.state.data = "iris"
    assert lab.controls["data"].value == "iris"
    assert "cannot compute" not in lab.board.banner


def test_what_means_nothing_now_is_switched_off(lab, front_end):
    def off():
        return {
            name for name, control in lab.controls.items() if getattr(control, "disabled", False)
        }

    dropout, l2 = {"dropout_rate", "freeze_masks"}, {"l2", "l2_in_loss", "l2_in_gradient"}
    bug = {"bug_layer", "second_bug"}
    assert off() == dropout | l2 | bug
    assert lab.controls["bug_layer"].text.disabled
    front_end.move(lab.controls["use_dropout"], True)
    assert off() == l2 | bug
    lab.state.bug = "flipped_sign"
    assert off() == l2
    assert not lab.controls["bug_layer"].text.disabled
    lab.state.update(use_l2=True, use_dropout=False)
    assert off() == dropout
    lab.state.reset()
    assert off() == dropout | l2 | bug


def test_a_given_network_is_shown_as_it_is(front_end):
    x, y = gl.data.moons(8)
    lab = Lab(gl.mlp([2, 3, 2], seed=12_345), x, y)
    assert lab.state.seed == lab.controls["seed"].value == 12_345
    with pytest.raises(ValueError, match=r"net\.l2 must be 0 or in \[1e-06, 100000\]"):
        Lab(gl.mlp([2, 3, 2], l2=1e-8), x, y)

"""What stands where: one column, groups, and labs of few controls."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import Lab, lifetime
from gradlab.lab.board.panels import PANELS
from gradlab.lab.controls.groups import Groups


def shown_widgets(lab):
    return set(lifetime.family(lab))


def groups_of(lab):
    return lab.children[-1]


def test_the_lab_is_one_column_sliders_board_groups(front_end):
    lab = Lab(hidden=(4,))
    shown, groups = lab.children
    assert list(shown.children[0].children) == [lab.controls["eps"], lab.controls["weight_scale"]]
    assert shown.children[1] is lab.board
    assert isinstance(groups, Groups)
    row, story, *boxes = groups.children
    assert list(row.children) == [groups.chooser, lab._screen.toolbar]
    assert story is lab.scenarios
    assert len(boxes) == len(groups.chooser.options)
    assert [box.layout.display for box in boxes].count("none") == len(boxes) - 1


def test_choosing_a_group_opens_it_alone(front_end):
    lab = Lab(hidden=(4,))
    groups = groups_of(lab)
    for index, title in enumerate(groups.chooser.options):
        front_end.choose(groups.chooser, index)
        assert groups.chooser.value == title
        assert [box.layout.display != "none" for box in groups.children[2:]].index(True) == index


def test_a_round_of_the_mystery_opens_the_group_where_to_guess(front_end):
    lab = Lab(hidden=(4,))
    lab.state.new_mystery()
    assert groups_of(lab).chooser.value == "Bugs"


def test_a_round_that_ends_opens_no_group(front_end):
    lab = Lab(hidden=(4,), bug="mystery")
    groups_of(lab).chooser.value = "Check"
    lab.state.bug = "none"
    assert groups_of(lab).chooser.value == "Check"


def test_only_the_controls_asked_for_are_shown_with_what_they_need(front_end):
    lab = Lab(hidden=(4,), controls=("eps", "bug", "train_steps"))
    shown = shown_widgets(lab)
    assert {name for name, control in lab.controls.items() if control in shown} == {
        "eps", "bug", "train_steps",
    }  # fmt: skip
    assert lab.mystery in shown
    assert lab._screen.toolbar.training in shown
    assert lab._screen.toolbar.undo in shown
    assert lab._screen.toolbar.pin in shown
    assert lab.scenarios not in shown
    with pytest.raises(ValueError, match="did you mean 'eps'"):
        Lab(hidden=(4,), controls=("epss",))
    with pytest.raises(TypeError, match="controls must be a sequence of names"):
        Lab(hidden=(4,), controls="eps")
    x, y = np.zeros((3, 2, 2)), np.array([0, 1])
    with pytest.raises(ValueError, match="controls must be one of"):
        Lab(gl.lstm(2, 3, 2), x, y, controls=("hidden",))


@pytest.mark.parametrize("controls", [("eps",), ("eps", "scheme"), ("scheme",), ()])
def test_few_controls_leave_no_empty_row(front_end, controls):
    lab = Lab(hidden=(4,), controls=controls, panels=("u_curve",))
    for widget in shown_widgets(lab):
        if hasattr(widget, "children") and widget not in (lab.mystery,):
            assert widget.children, widget
    assert groups_of(lab).chooser not in shown_widgets(lab), "nothing to choose from"
    assert lab._screen.toolbar in shown_widgets(lab)


def test_every_panel_has_a_checkbox_of_its_own_name(front_end):
    lab = Lab(hidden=(4,))
    boxes = lab.appearance.panels
    assert {name: box.description for name, box in boxes.items()} == {
        panel.name: panel.title for panel in PANELS
    }
    assert len({panel.title for panel in PANELS}) == len(PANELS)
    front_end.move(boxes["heatmap"], True)
    assert "heatmap" in lab.board.visible
    front_end.move(boxes["u_curve"], False)
    assert "u_curve" not in lab.board.visible


def test_panels_stand_in_the_order_asked_for_and_what_is_ticked_later_after_them(front_end):
    lab = Lab(hidden=(4,), panels=("network", "u_curve"))
    assert list(lab.board.visible) == ["network", "u_curve"]
    ticked = {name for name, box in lab.appearance.panels.items() if box.value}
    assert ticked == {"network", "u_curve"}
    front_end.move(lab.appearance.panels["tensors"], True)
    assert list(lab.board.visible) == ["network", "u_curve", "tensors"]
    front_end.move(lab.appearance.panels["network"], False)
    front_end.move(lab.appearance.panels["network"], True)
    assert list(lab.board.visible) == ["network", "u_curve", "tensors"]
    assert lab._scene.visible == tuple(lab.board.visible)


def test_a_change_of_size_sends_no_picture_anew(front_end):
    lab = Lab(hidden=(4,))
    frames = lab.frames
    front_end.move(lab.appearance.large, True)
    assert lab.frames == frames


def test_presentation_size_hides_no_panel(front_end):
    lab = Lab(hidden=(4,))
    before = list(lab.board.visible)
    front_end.move(lab.appearance.large, True)
    assert list(lab.board.visible) == before
    assert "gradlab-large" in lab._dom_classes
    front_end.move(lab.appearance.large, False)
    assert "gradlab-large" not in lab._dom_classes


def test_no_width_is_in_pixels(front_end):
    lab = Lab(hidden=(4,))
    for widget in shown_widgets(lab):
        layout = getattr(widget, "layout", None)
        if layout is not None:
            assert "px" not in f"{layout.width} {layout.min_width} {layout.max_width} {layout.flex}"

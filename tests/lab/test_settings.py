import pytest

import gradlab as gl
from gradlab.lab.model.settings import LABELS, MOST_LAYERS, NAMES, RANGES, Settings, validated

BAD = [
    ("eps", 0.0, ValueError),
    ("eps", -1e-5, ValueError),
    ("eps", float("nan"), ValueError),
    ("eps", 1e-14, ValueError),
    ("eps", 0.2, ValueError),
    ("eps", "1e-5", TypeError),
    ("eps", True, TypeError),
    ("weight_scale", 1e3, ValueError),
    ("weight_scale", 0.0, ValueError),
    ("dropout_rate", 1.0, ValueError),
    ("l2", 1e6, ValueError),
    ("seed", -1, ValueError),
    ("seed", 1.5, TypeError),
    ("hidden", 16, TypeError),
    ("hidden", "16", TypeError),
    ("hidden", (16, 0), ValueError),
    ("hidden", (65,), ValueError),
    ("hidden", (8,) * 9, ValueError),
    ("activation", "rely", ValueError),
    ("loss", "cross", ValueError),
    ("data", "moon", ValueError),
    ("scheme", "centre", ValueError),
    ("measure", "max", ValueError),
    ("use_l2", 1, TypeError),
    ("freeze_masks", "yes", TypeError),
    ("dtype", "float16", ValueError),
    ("dtype", float, TypeError),
    ("train_steps", -1, ValueError),
    ("train_steps", 501, ValueError),
    ("train_steps", 10.0, TypeError),
    ("bug", "missing_transpos", ValueError),
    ("bug", None, TypeError),
    ("bug_layer", -1, ValueError),
    ("bug_layer", 10, ValueError),
    ("bug_layer", True, TypeError),
    ("tensor", 1, TypeError),
]


@pytest.mark.parametrize(("name", "value", "error"), BAD, ids=lambda v: str(v)[:20])
def test_bad_value_is_refused_by_the_name_of_its_control(name, value, error):
    with pytest.raises(error, match=name):
        validated(name, value)


def test_unknown_setting_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="did you mean 'eps'"):
        validated("epsi", 1e-5)


def test_unknown_choice_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="did you mean 'relu'"):
        validated("activation", "rely")


@pytest.mark.parametrize("name", RANGES)
def test_ends_of_every_range_are_allowed(name):
    for end in RANGES[name]:
        assert validated(name, end) == end


def test_a_hair_beyond_an_end_as_a_logarithmic_slider_makes_it_is_that_end():
    assert validated("eps", 10.0**-13 * (1 - 1e-15)) == 1e-13
    assert validated("weight_scale", 100.00000000000001) == 100.0


def test_lists_of_widths_become_tuples():
    assert validated("hidden", [4, 8]) == (4, 8)
    assert validated("hidden", []) == ()


def test_eight_layers_are_a_setting_though_the_control_has_boxes_for_four():
    assert validated("hidden", (8,) * 8) == (8,) * 8
    assert MOST_LAYERS == 4


@pytest.mark.parametrize("bug", ["none", "mystery", *gl.bugs.names()])
def test_every_bug_of_the_museum_is_a_setting(bug):
    assert validated("bug", bug) == bug


def test_defaults_are_valid_and_every_setting_has_a_label():
    for name in NAMES:
        value = getattr(Settings(), name)
        assert validated(name, value) == value
        assert LABELS[name]

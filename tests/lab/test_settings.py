import dataclasses

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab.controls import make
from gradlab.lab.model.settings import (
    GROUPS,
    LABELS,
    MOST_LAYERS,
    NAMES,
    RANGES,
    SETTINGS,
    STRUCTURE,
    SWITCHED,
    SWITCHES,
    Settings,
    validated,
)

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
    ("examples", 0, ValueError),
    ("examples", 201, ValueError),
    ("examples", 30.0, TypeError),
    ("time_steps", -1, ValueError),
    ("data_scale", 0.0, ValueError),
    ("data_scale", 2e3, ValueError),
    ("bias_scale", -0.1, ValueError),
    ("bias_scale", 10.1, ValueError),
    ("second_bug", "mystery", ValueError),
    ("second_bug", "bias_men", ValueError),
    ("method", "direction", ValueError),
    ("entry", -2, ValueError),
    ("entry", 1.0, TypeError),
]


@pytest.mark.every_case
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


@pytest.mark.every_case
@pytest.mark.parametrize("name", RANGES)
def test_ends_of_every_range_are_allowed(name):
    for end in RANGES[name]:
        assert validated(name, end) == end


def test_a_hair_beyond_an_end_as_a_logarithmic_slider_makes_it_is_that_end():
    assert validated("eps", 10.0**-13 * (1 - 1e-15)) == 1e-13
    assert validated("weight_scale", 100.00000000000001) == 100.0
    for name, end, sign in (("eps", 1e-13, -1), ("weight_scale", 1e2, 1)):
        assert validated(name, end * (1 + 0.9e-9 * sign)) == end
        with pytest.raises(ValueError, match=name):
            validated(name, end * (1 + 1.1e-9 * sign))


def test_lists_of_widths_become_tuples():
    assert validated("hidden", [4, 8]) == (4, 8)
    assert validated("hidden", []) == ()


def test_eight_layers_are_a_setting_though_the_control_has_boxes_for_four():
    assert validated("hidden", (8,) * 8) == (8,) * 8
    assert MOST_LAYERS == 4


@pytest.mark.every_case
@pytest.mark.parametrize("bug", ["none", "mystery", *gl.bugs.names()])
def test_every_bug_of_the_museum_is_a_setting(bug):
    assert validated("bug", bug) == bug
    if bug != "mystery":
        assert validated("second_bug", bug) == bug


def test_defaults_are_valid_and_every_setting_has_a_label():
    for name in NAMES:
        value = getattr(Settings(), name)
        assert validated(name, value) == value
        assert LABELS[name]


# -- what follows from the records ---------------------------------------------------------------


def test_a_field_of_each_setting_carries_its_record():
    assert list(SETTINGS) == list(NAMES) == [f.name for f in dataclasses.fields(Settings)]
    for name, setting in SETTINGS.items():
        assert setting.name == name
        assert setting.default == getattr(Settings(), name)
        assert setting.tooltip
        assert setting.kind in make._MAKERS


def test_each_setting_stands_in_one_group():
    assert sorted(n for names in GROUPS.values() for n in names) == sorted(NAMES)


def test_a_logarithmic_control_tells_its_range():
    for setting in SETTINGS.values():
        if setting.kind == "logarithmic":
            assert "1e" in setting.tooltip


def test_a_switch_is_a_flag_or_a_bug():
    assert SWITCHED == {
        "use_dropout": ("dropout_rate", "freeze_masks"),
        "use_l2": ("l2", "l2_in_loss", "l2_in_gradient"),
        "bug": ("bug_layer", "second_bug"),
    }
    assert SWITCHES == {"dropout_rate": "use_dropout", "l2": "use_l2"}
    for names in SWITCHED.values():
        assert set(names) < set(NAMES)


def test_what_another_round_of_the_mystery_needs():
    assert {
        "data", "hidden", "activation", "loss", "use_dropout", "use_l2", "l2_in_gradient",
    } == STRUCTURE  # fmt: skip


def test_a_seed_may_lie_beyond_the_control_and_nothing_else():
    assert [name for name, setting in SETTINGS.items() if setting.is_open] == ["seed"]
    assert validated("seed", 10**6) == 10**6


@pytest.mark.every_case
@pytest.mark.parametrize("name", RANGES)
def test_of_a_numpy_number_a_plain_one_is_kept(name):
    kind = np.int64 if SETTINGS[name].kind == "whole" else np.float64
    kept = validated(name, kind(RANGES[name][1]))
    assert type(kept) in (int, float)

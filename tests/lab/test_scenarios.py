"""Each scenario is held to its verdict, and to what its lesson says there is to see."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import SCENARIOS, LabState, Settings
from gradlab.lab.model.scenarios import MLP_BUGS
from gradlab.lab.model.settings import validated_all
from gradlab.lab.text.banner import banner_html

REQUIRED = {
    "healthy", "step_too_small", "step_too_large", "float32", "saturated_tanh",
    "bug_hidden_by_small_weights", "kinks", "dropout_redrawn", "dropout_frozen",
    "l2_forgotten_in_the_gradient", "l2_swamps_the_data", "vanishing_gradients_in_eight_layers",
}  # fmt: skip


@cache
def result_of(name, **changes):
    state = LabState(scenario=name, **changes)
    assert state.error == ""
    return state.result


def report_of(name, **changes):
    return result_of(name, **changes).report


def errors(report):
    return np.concatenate([report[name].errors.ravel() for name in report])


def test_the_curriculums_scenarios_are_there_and_each_bug_of_an_mlp():
    assert set(SCENARIOS) == REQUIRED | {f"bug_{name}" for name in MLP_BUGS}
    assert [name for name in gl.bugs.names() if name not in MLP_BUGS] == [
        name for name in gl.bugs.names()
        if name.startswith(("batch_norm", "lstm", "swapped", "max_pool", "kernel"))
    ]  # fmt: skip


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_gives_the_verdict_that_it_must_give(name):
    assert report_of(name).verdict == SCENARIOS[name].verdict


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.soak)])
@pytest.mark.parametrize("name", SCENARIOS)
def test_it_does_not_hang_on_one_draw_of_the_weights(name, seed):
    assert report_of(name, seed=seed).verdict == SCENARIOS[name].verdict


@pytest.mark.every_case
@pytest.mark.parametrize("name", SCENARIOS)
def test_it_is_plain_data_in_words(name):
    scenario = SCENARIOS[name]
    assert scenario.name == name
    assert scenario.title
    assert scenario.lesson.endswith(".")
    values = {n: getattr(Settings(), n) for n in vars(Settings())} | dict(scenario.settings)
    assert validated_all(values) == values
    assert all(getattr(Settings(), n) != v for n, v in scenario.settings.items()), "defaults"
    with pytest.raises(TypeError):
        scenario.settings["eps"] = 1.0


@pytest.mark.parametrize("bug", MLP_BUGS[::3])
def test_a_bugs_lesson_says_what_it_is_and_what_hides_it(bug):
    lesson, about = SCENARIOS[f"bug_{bug}"].lesson, gl.bugs.describe(bug)
    first, _, hidden = lesson.partition(" What hides it: ")
    assert first == f"{about.summary[0].upper()}{about.summary[1:]}."
    assert bool(hidden) == (not about.blind.startswith("a small λ"))
    assert about.blind.startswith(hidden.removesuffix("."))
    assert not set(hidden) & set(";:")


def test_no_two_scenarios_are_the_same():
    assert len({s.full() for s in SCENARIOS.values()}) == len(SCENARIOS)
    assert len({s.title for s in SCENARIOS.values()}) == len(SCENARIOS)


def test_all_of_them_are_live():
    for name in SCENARIOS:
        result = result_of(name)
        assert result.problem.samples is None
        assert len(result.x) == 30


# -- what there is to see ------------------------------------------------------------------------


def test_healthy_agrees_to_many_digits():
    assert report_of("healthy").relative_error < 1e-6


def test_a_step_too_small_is_mended_by_a_longer_one_and_grows_like_1_over_eps():
    assert report_of("step_too_small", eps=1e-5).verdict == "correct"
    small, smaller = report_of("step_too_small"), report_of("step_too_small", eps=1e-13)
    assert 3 < smaller.norm_ratio / small.norm_ratio < 30


def test_a_step_too_large_is_mended_by_a_shorter_one_and_falls_like_eps_squared():
    large, shorter = report_of("step_too_large"), report_of("step_too_large", eps=1e-2)
    assert large.norm_ratio / shorter.norm_ratio == pytest.approx(100, rel=0.2)
    assert report_of("step_too_large", eps=1e-4).verdict == "correct"


def test_float32_is_mended_by_float64():
    assert report_of("float32", dtype="float64").verdict == "correct"


def test_saturated_tanh_has_errors_of_1_where_the_gradient_is_below_the_round_off():
    state = LabState(scenario="saturated_tanh")
    report = state.result.report
    bad = errors(report) > 0.01
    assert 0.05 < bad.mean() < 0.5
    sizes = np.concatenate([np.abs(report[n].analytic).ravel() for n in report])
    assert sizes[bad].max() < 1e-3 * sizes.max()
    assert "differ by more than 1e-4 of their own size, but by at most" in banner_html(
        state.result, "", state.settings
    )
    assert (errors(report_of("saturated_tanh", weight_scale=1.0)) > 0.01).mean() == 0


def test_the_hidden_bug_comes_out_at_larger_weights_and_the_banner_knows_of_it():
    assert report_of("bug_hidden_by_small_weights", weight_scale=0.5).verdict == "wrong"
    state = LabState(scenario="bug_hidden_by_small_weights")
    assert "does not show" in banner_html(state.result, "", state.settings)


def test_kinks_are_crossed_and_a_shorter_step_crosses_none():
    crossed = [
        sum(t.crossed_kinks for t in report_of("kinks", eps=eps).tensors.values())
        for eps in (1e-3, 1e-4, 1e-5)
    ]
    assert crossed[0] > 100
    assert crossed[0] > 3 * crossed[1] > 9 * crossed[2]
    assert report_of("kinks", eps=1e-9, weight_scale=0.5).verdict == "correct"
    assert report_of("kinks", activation="tanh").verdict == "correct"


def test_dropout_redrawn_grows_like_1_over_eps_and_frozen_masks_mend_it():
    sizes = [np.linalg.norm(report_of("dropout_redrawn", eps=e)["W2"].numerical)
             for e in (1e-4, 1e-5)]  # fmt: skip
    assert sizes[1] / sizes[0] == pytest.approx(10, rel=0.3)
    assert report_of("dropout_redrawn", freeze_masks=True).verdict == "correct"


def test_forgotten_l2_is_wrong_in_the_weights_by_lambda_w():
    result = LabState(scenario="l2_forgotten_in_the_gradient").result
    assert result.report.wrong == ["W1", "W2", "W3"]
    off = result.report["W2"].numerical - result.report["W2"].analytic
    np.testing.assert_allclose(off, 0.1 * result.net.params["W2"], atol=1e-7)


def test_swamping_l2_leaves_the_norm_ratio_of_the_biases_to_tell():
    report = report_of("l2_swamps_the_data")
    assert report.wrong == list(report)
    assert all(report[name].norm_ratio < 1e-4 for name in ("W1", "W2", "W3"))
    assert all(report[name].norm_ratio > 0.99 for name in ("b1", "b2", "b3"))
    assert report_of("l2_swamps_the_data", l2=1e-3).wrong == list(report)


def test_eight_layers_shrink_the_signal_until_it_drowns():
    report = report_of("vanishing_gradients_in_eight_layers")
    sizes = [np.abs(report[f"W{i}"].analytic).max() for i in range(1, 10)]
    assert all(low < high for low, high in pairwise(sizes))
    assert report["W1"].verdict == "inconclusive"
    assert report["W9"].verdict == "correct"


@pytest.mark.parametrize("bug", MLP_BUGS)
def test_a_bugs_scenario_is_wrong_just_where_the_museum_says(bug):
    result = result_of(f"bug_{bug}")
    net = result.problem.in_gradient
    assert result.report.wrong == gl.bugs.wrong_tensors(net, bug)
    assert report_of(f"bug_{bug}", bug="none").verdict == "correct"


# -- starting from one, and changing to one ------------------------------------------------------


def test_what_is_given_explicitly_goes_before_the_scenario():
    state = LabState(scenario="kinks", eps=1e-7)
    assert (state.activation, state.eps) == ("relu", 1e-7)


def test_loading_one_sets_everything_and_computes_once():
    state = LabState(eps=1e-3, hidden=(4,))
    computed = state.computed
    state.load_scenario("kinks")
    assert state.settings == state.result.settings == SCENARIOS["kinks"].full()
    assert state.computed == computed + 1
    state.reset()
    assert state.settings == Settings(eps=1e-3, hidden=(4,))


@pytest.mark.parametrize("at_run_time", [False, True])
def test_an_unknown_one_is_refused_with_the_list_and_the_nearest(at_run_time):
    load = LabState().load_scenario if at_run_time else lambda name: LabState(scenario=name)
    with pytest.raises(ValueError, match=r"scenario must be one of 'healthy'.*mean 'kinks'"):
        load("kink")
    with pytest.raises(TypeError, match="scenario must be one of"):
        load(3)


def test_on_a_network_of_the_callers_it_sets_what_it_names():
    x, y = gl.data.moons(20)
    state = LabState(gl.mlp([2, 5, 2]), x, y, scenario="step_too_small")
    assert (state.data, state.hidden, state.eps) == ("yours", (5,), 1e-12)

"""Claims that a fuzz of the lab found false, each recomputed without the code that makes them."""

import math
import re
from html import unescape

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import SCENARIOS, LabState
from gradlab.lab.board.panels import NAMES, PANELS
from gradlab.lab.board.panels.agreement import AgreementPanel
from gradlab.lab.board.panels.boundary import BoundaryPanel
from gradlab.lab.board.panels.gradient_size import GradientSizePanel
from gradlab.lab.board.panels.heatmap import HeatmapPanel
from gradlab.lab.board.panels.u_curve import UCurvePanel
from gradlab.lab.model.line import read_line
from gradlab.lab.model.result import compute
from gradlab.lab.text.banner import banner_html, cost_line
from gradlab.lab.text.reasons import advice

MARKUP = "<img src=x onerror=alert(1)>\"'&"
THETA = np.array([0.5, -1.5])


def f(theta):
    return float(np.sum(theta**2))


def grad(theta):
    return 2 * theta


def banner(state):
    state.refine()
    html = banner_html(state.result, state.error, state.settings)
    text = unescape(re.sub(r"<[^>]+>", "", html)).replace("\N{NO-BREAK SPACE}", " ")
    return text.replace("‑", "-")


@pytest.fixture
def noisy():
    rng = np.random.default_rng(0)
    return LabState(lambda t: f(t) + 1e-6 * rng.standard_normal(), grad, THETA)


# -- the banner ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings", [{"bug": "kernel_not_flipped"}, {"method": "directional", "scheme": "forward"}]
)
def test_reset_leads_out_of_a_start_that_cannot_be_computed(settings):
    state = LabState(**settings)
    text = banner(state)
    assert "Change a setting, or press Reset" in text  # there is no control to move back
    state.reset()
    assert not state.error
    assert state.result.report.verdict == "correct"
    assert state.undo()


def test_the_largest_error_is_so_called_where_no_tensor_has_a_larger_one():
    net, rng = gl.lstm(3, 5, 2, seed=0), np.random.default_rng(0)
    zero = LabState(net, rng.normal(size=(7, 4, 3)), np.arange(4) % 2, time_steps=1)
    text, report = banner(zero), zero.result.report
    assert report["b_i"].error > report[report.deciding].error == 0  # Wh meets no state but 0
    assert f"the largest relative error in {report.deciding} is 0." in text
    assert "the largest relative error is" not in text
    assert "too short" not in text  # it is 0 at every step


def test_directions_are_not_called_entries():
    theta = np.random.default_rng(0).normal(size=4) * 1e-6
    state = LabState(
        lambda t: float(np.abs(t).sum()), np.sign, theta, method="directional", eps=1e-3
    )
    text = banner(state)
    assert re.search(r"Along \d+ of 20 directions the step crosses a kink", text)
    assert "entries" not in text


@pytest.mark.parametrize(
    "brought", [(), (f, grad, np.linspace(0.5, 3, 3000))], ids=["network", "function"]
)
def test_twenty_directions_are_taken_through_however_many_parameters(brought):
    large = {} if brought else {"hidden": (64, 64), "data": "digits"}
    state = LabState(*brought, method="directional", **large)
    assert not state.error
    assert state.result.report["theta"].analytic.size == 20
    assert state.result.report.verdict == "correct"
    assert "entries" not in cost_line(state.result)
    assert "20 random directions" in repr(state)


def test_of_a_loss_that_does_not_repeat_no_step_is_blamed(noisy):
    for method in ("full", "directional"):
        noisy.method = method
        text = banner(noisy)
        assert "No step decides this. Draw random numbers once" in text
        assert "round-off" not in text
        assert advice(noisy.result).is_last


def test_a_step_is_found_along_directions_where_one_tensor_alone_would_drown():
    state = LabState(weight_scale=6e-4, method="directional", eps=1e-12)
    assert "Move eps to the right" in banner(state)
    state.update(**advice(state.result).changes)
    assert state.result.report.verdict == "correct"


def test_no_round_off_is_blamed_where_nothing_is_subtracted():
    state = LabState(scheme="complex_step", data="iris", data_scale=940.0, seed=0)
    text = banner(state)
    assert "No step makes this correct: each leaves some entries undecided." in text
    assert advice(state.result).changes == {"scheme": "central"} or "Set scheme" not in text


def test_one_entry_has_a_size_of_its_own():
    for eps in np.logspace(-7, -4, 13):
        text = banner(LabState(hidden=(5,), seed=6, eps=float(eps)))
        for count, own, tensor in re.findall(
            r"(\d+) of \d+ entries differs? .* of (its|their) own size.* of (its|their) tensor's",
            text,
        ):
            assert (own == "its") == (tensor == "its") == (count == "1")


def test_a_step_that_tells_nothing_is_not_l2s_doing():
    state = LabState(use_l2=True, l2=1e-3, l2_in_gradient=False, eps=1e-13)
    assert state.result.report.verdict == "inconclusive"
    assert "Move eps to the right" in banner(state)
    state.update(**advice(state.result).changes)
    assert state.result.report.verdict == "wrong"
    assert "L2 is in the numerical loss but not in the analytic gradient" in banner(state)


# -- print(lab) ----------------------------------------------------------------------------------


def test_the_worst_relative_error_is_one_in_every_measure():
    for measure in ("max_relative", "sum_relative", "norm_ratio"):
        state = LabState(eps=1e-2, measure=measure)
        (power,) = re.findall(r"worst relative error: about 1e([+-]\d+)", repr(state))
        tensors = state.result.report.tensors.values()
        a, n = (np.concatenate([np.ravel(getattr(t, part)) for t in tensors])
                for part in ("analytic", "numerical"))  # fmt: skip
        worst = np.max(np.abs(a - n) / np.maximum(np.abs(a), np.abs(n)))
        assert abs(math.log10(worst) - int(power)) <= 0.5


def test_what_is_not_defined_is_above_nothing(noisy):
    assert "norm ratio: not defined in theta" in repr(noisy)


def test_after_an_error_no_other_network_is_described():
    state = LabState(hidden=(4,), examples=5)
    state.update(hidden=(3,), examples=7, bug="kernel_not_flipped")
    assert state.error
    assert "2-4-2" not in repr(state)
    assert "5 examples" not in repr(state)


def test_a_bug_that_cannot_show_is_said_to():
    assert "bug missing_l2 (which cannot show: L2 is off)" in repr(LabState(bug="missing_l2"))
    assert "cannot show" not in repr(LabState(bug="missing_l2", l2=0.1))


# -- the panels' words ---------------------------------------------------------------------------


def test_words_of_panels_hold_no_nan_and_no_inf(noisy):
    for method in ("full", "directional"):
        noisy.method = method
        for panel in (UCurvePanel(), HeatmapPanel(), AgreementPanel(), GradientSizePanel()):
            alt = panel.alt(noisy.result)
            assert "not defined" in alt
            assert not re.search(r"\b(nan|inf)\b|0\.0e", banner(noisy))
            assert not re.search(r"\b(nan|inf)\b", alt)


def test_a_norm_ratio_is_not_called_a_relative_error():
    result = LabState(measure="norm_ratio", bug="bias_summed_without_axis").result
    curve, heat = UCurvePanel(), HeatmapPanel().alt(result)
    assert curve.still(result).title == "Norm ratio against the step"
    assert curve.alt(result).startswith("Norm ratio against the step")
    largest = result.report[result.tensor].errors.max()
    assert heat.startswith("Relative error")
    assert heat.endswith(f"the largest is {largest:.1e}.")


@pytest.mark.parametrize("theta", [THETA, np.linspace(0.5, 3, 30)], ids=len)
def test_every_panel_has_its_say_of_directions_through_few_parameters(theta):
    result = LabState(f, grad, theta, method="directional").result
    for panel in (panel() for panel in PANELS):
        if not panel.fits(result):
            assert panel.alt(result)
            panel.still(result)
            panel.moving(result)
    assert "one line." in UCurvePanel().alt(result)


def test_one_example_lies_in_its_region():
    alt = BoundaryPanel().alt(LabState(examples=1).result)
    assert not re.search(r"\b1 of 1 examples lie in their", alt)


# -- what scenarios say --------------------------------------------------------------------------


def errors(**settings):
    result = compute(LabState(**settings).settings)
    return np.concatenate([t.errors.ravel() for t in result.report.tensors.values()])


def test_healthy_agrees_to_the_digits_that_it_says():
    found = errors(scenario="healthy")
    assert np.median(found) < 1e-9
    assert 1e-8 < found.max() < 1e-7
    assert "nine digits or more, the worst one to seven" in SCENARIOS["healthy"].lesson


def test_a_step_too_small_leaves_three_digits_and_of_the_smallest_none():
    found = errors(scenario="step_too_small")
    assert 1e-4 < np.median(found) < 1e-2
    assert found.max() > 0.5


def test_lowering_eps_takes_kinks_off_until_round_off_rules():
    state = LabState(scenario="kinks")
    crossed = []
    for eps in np.logspace(-3, -9, 13):
        state.eps = float(eps)
        crossed.append(sum(int((t.kinks > 0).sum()) for t in state.result.report.tensors.values()))
        assert state.result.report.verdict == "inconclusive"
    assert crossed == sorted(crossed, reverse=True)
    assert crossed[0] > 50
    assert crossed[-1] == 0
    assert "round-off hides what is left" in SCENARIOS["kinks"].lesson


def test_float32_raises_the_left_arm_alone():
    sweeps = [LabState(**s).result.sweep for s in ({}, {"scenario": "float32"})]
    double, single = (np.max(list(sweep.errors.values()), axis=0) for sweep in sweeps)
    eps = sweeps[0].eps
    left = (eps > 1e-11) & (eps < 1e-3)
    assert (single[left] > double[left]).all()
    assert single[-1] == pytest.approx(double[-1], rel=0.2)
    assert eps[single.argmin()] > 10 * eps[double.argmin()]


def test_what_reaches_the_first_of_eight_layers_moves_the_loss_by_little_more_than_round_off():
    result = LabState(scenario="vanishing_gradients_in_eight_layers").result
    moved = 2e-5 * np.abs(result.analytic["W1"]).max()
    assert 1 < moved / np.spacing(result.net.loss(result.x, result.y)) < 100


@pytest.mark.parametrize(
    ("bug", "hidden_by", "changes"),
    [
        ("missing_1_over_n", "a batch of one example", {"examples": 1}),
        ("softmax_over_batch", "a batch of one example", {"examples": 1}),
        ("bias_mean", "a batch of one example", {"examples": 1}),
        ("l2_over_n", "a batch of one example", {"examples": 1}),
        ("l2_on_biases", "biases that are 0", {"train_steps": 0}),
        ("activation_derivative_at_output", "nearly linear tanh", {"weight_scale": 0.1}),
        ("missing_dropout_mask", "a check without dropout masks", {"use_dropout": False}),
    ],
)
def test_what_hides_a_bug_hides_it(bug, hidden_by, changes):
    lesson = SCENARIOS[f"bug_{bug}"].lesson
    assert f"What hides it: {hidden_by}" in lesson
    assert not re.search(r"\d[.e]", lesson.split("What hides it")[1])  # numbers of other networks
    weak, strong = (LabState(scenario=f"bug_{bug}", **more) for more in (changes, {}))
    if "weight_scale" in changes:
        largest = [
            max(t.norm_ratio for t in s.result.report.tensors.values()) for s in (weak, strong)
        ]
        assert largest[0] < largest[1] / 100
    else:
        assert (weak.result.report.verdict, strong.result.report.verdict) == ("correct", "wrong")


def test_the_smallest_l2_hides_no_bug():
    for bug in ("missing_l2", "doubled_l2", "negated_l2"):
        assert "hides" not in SCENARIOS[f"bug_{bug}"].lesson
        state = LabState(scenario=f"bug_{bug}", l2=1e-6)
        assert state.result.report.verdict == "wrong"


# -- what is brought and typed -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({1: (0, 2, (2,))}, r"tensors must have names .* got 1"),
        ({"": (0, 2, (2,))}, r"tensors must have names .* got ''"),
        ({"W": np.array(1)}, r"tensors\['W'\] must be \(start, stop, shape\)"),
        ({"W": np.int64(3)}, r"tensors\['W'\] must be \(start, stop, shape\)"),
    ],
)
def test_names_and_places_of_tensors_are_checked(tensors, words):
    with pytest.raises(TypeError, match=words):
        gl.Lab(f, grad, THETA, tensors=tensors)


@pytest.mark.parametrize("argument", ["hidden", "panels", "controls"])
def test_an_array_without_an_axis_is_no_sequence(argument):
    with pytest.raises(TypeError, match=rf"{argument} must be a sequence .* got array\(1\)"):
        gl.Lab(**{argument: np.array(1)})


def test_markup_in_names_is_shown_as_it_was_typed():
    lab = gl.Lab(f, lambda t: 3 * t, THETA, tensors={MARKUP: (0, 2, (2,))}, panels=NAMES)
    assert lab.state.result.report.verdict == "wrong"
    assert "&lt;img" in lab.board.banner
    lab.state.fail((), ValueError(MARKUP))
    assert "<img" not in lab.board.banner
    assert "<img" not in lab.state.result.report._repr_html_()
    lab.close()


def test_undo_comes_to_an_end_where_an_entry_was_asked_for_that_is_not_there():
    state = LabState(f, grad, THETA)
    state._clock = iter(range(0, 10**6, 10)).__next__
    for name, value in (("entry", 5), ("eps", 1e-4), ("tensor", "W9"), ("measure", "norm_ratio")):
        setattr(state, name, value)
    steps = 0
    while steps < 20 and state.undo():
        steps += 1
    assert steps == 4
    assert state.settings == state.start
    assert not state.error
    while steps > 0 and state.redo():
        steps -= 1
    assert steps == 0
    assert state.measure == "norm_ratio"


def test_a_walk_can_be_gone_back_and_forth_and_each_state_is_a_line():
    state, rng, seen = LabState(hidden=(3,)), np.random.default_rng(0), []
    state._clock = iter(range(0, 10**6, 10)).__next__
    for _ in range(25):
        name, values = [
            ("eps", [1e-3, 1e-7, 1e-12]), ("measure", ["norm_ratio", "max_relative"]),
            ("bug", ["none", "bias_mean", "kernel_not_flipped"]), ("bias_scale", [0.0, 2.5]),
            ("l2", [0.1, 1e-3]), ("use_l2", [True, False]), ("examples", [1, 30]),
            ("second_bug", ["none", "flipped_sign"]), ("entry", [-1, 2]), ("tensor", ["", "b1"]),
        ][rng.integers(10)]  # fmt: skip
        before = state.settings
        setattr(state, name, values[rng.integers(len(values))])
        if state.settings != before:
            seen.append((before, state.error))
        values = read_line(state.line)
        start = LabState(scenario=values.pop("scenario", None)).settings
        assert start.replace(**values) == state.settings
    last = state.settings
    for before, _ in reversed(seen):
        assert state.undo()
        assert state.settings == before
    assert not state.undo()
    while state.redo():
        pass
    assert state.settings == last

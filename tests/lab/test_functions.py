"""gl.Lab(f, grad, theta): any function in the lab."""

from types import SimpleNamespace

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import LabState
from gradlab.lab.model import function as function_module
from gradlab.lab.model.function import Function
from gradlab.lab.model.result import SWEEP_EPS
from gradlab.lab.model.settings import NAMES

THETA = np.random.default_rng(0).standard_normal(12)
TENSORS = {"a": (0, 6, (2, 3)), "b": (6, 12, (6,))}


def f(theta):
    return float(np.sum(np.sin(theta) * theta**2))


def grad(theta):
    return np.cos(theta) * theta**2 + 2 * theta * np.sin(theta)


def wrong(theta):
    g = grad(theta)
    g[7] *= 1.1
    return g


@pytest.fixture
def state():
    return LabState(f, grad, THETA, tensors=TENSORS)


def test_it_is_the_check_of_check_function(state):
    for eps in (1e-5, 1e-9):
        state.eps = eps
        report = gl.check_function(f, grad, THETA, eps, TENSORS)
        for name in TENSORS:
            np.testing.assert_array_equal(state.result.report[name].errors, report[name].errors)
        assert state.result.report.verdict == report.verdict


def test_a_wrong_entry_is_found(state):
    assert state.result.report.verdict == "correct"
    other = LabState(f, wrong, THETA, tensors=TENSORS)
    assert other.result.report.wrong == ["b"]
    assert (other.result.tensor, other.result.entry) == ("b", 1)


def test_the_sweep_is_the_plain_difference_at_every_step(state):
    state.refine()
    sweep = state.result.sweep
    np.testing.assert_array_equal(sweep.eps, SWEEP_EPS)
    for k in (15, 30, 45, 60):
        n = gl.central_difference(f, THETA, SWEEP_EPS[k])
        error = np.abs(n - grad(THETA)) / np.maximum(np.abs(n), np.abs(grad(THETA)))
        assert sweep.errors["a"][k] == pytest.approx(error[:6].max(), rel=1e-6)
        assert sweep.errors["b"][k] == pytest.approx(error[6:].max(), rel=1e-6)
    assert sweep.predicted_best_eps == pytest.approx(6e-6, rel=0.1)


def test_moving_the_step_keeps_the_sweep(state):
    sweep = state.result.sweep
    state.eps = 1e-3
    assert state.result.sweep is sweep


@pytest.mark.parametrize("measure", ["max_relative", "sum_relative", "norm_ratio"])
def test_the_measure_is_that_of_report_and_sweep(measure):
    state = LabState(f, wrong, THETA, measure=measure, eps=float(SWEEP_EPS[40]))
    state.refine()
    assert state.result.report.measure == state.result.sweep.measure == measure
    expected = state.result.report["theta"].error
    assert state.result.sweep.errors["theta"][40] == pytest.approx(expected, rel=1e-4)
    assert state.result.report["theta"].norm_ratio < 0.1


def test_directions_and_samples(state):
    state.method = "directional"
    assert list(state.result.report) == list(state.result.sweep.errors) == ["theta"]
    state.method = "sampled"
    assert list(state.result.report) == ["a", "b"]
    many = LabState(f, grad, np.linspace(1, 2, 100), method="sampled")
    assert many.result.report["theta"].analytic.size == 20


def test_a_large_theta_is_checked_in_part_within_a_budget(monkeypatch):
    calls = []

    def counted(theta):
        calls.append(1)
        return f(theta)

    quick = SimpleNamespace(perf_counter=lambda: 0.0)  # on a busy machine fewer are affordable
    monkeypatch.setattr(function_module, "time", quick)
    state = LabState(counted, grad, np.linspace(0.5, 3, 5000))
    assert state.result.problem.samples == 256
    assert "up to 256 entries of each tensor" in repr(state)
    calls.clear()
    state.eps = 1e-6
    assert len(calls) < 4000
    calls.clear()
    state.measure = "norm_ratio"
    assert len(calls) < 8000


def test_a_slow_function_is_checked_on_few_entries_and_steps():
    slow = Function(f, grad, THETA, {"theta": (0, 12, (12,))}, seconds=1.0)
    assert slow.samples == 4
    assert slow.stride(4, function_module.FULL_SWEEP) == 20
    quick = Function(f, grad, THETA, {"theta": (0, 12, (12,))}, seconds=1e-6)
    assert quick.samples is None
    assert quick.stride(12, function_module.FULL_SWEEP) == 1


def test_what_means_nothing_for_a_function_is_fixed_with_a_true_message(state):
    assert state.applicable == {"eps", "measure", "tensor", "entry", "method"}
    for name in set(NAMES) - state.applicable:
        now = getattr(state, name)
        other = {"data": "iris", "hidden": (3,), "seed": 4}.get(name)
        if other is None:
            continue
        with pytest.raises(ValueError, match=rf"{name} is fixed for the function that was given"):
            setattr(state, name, other)
        setattr(state, name, now)
    with pytest.raises(ValueError, match="is fixed for the function"):
        LabState(f, grad, THETA, scenario="kinks")
    assert LabState(f, grad, THETA, scenario="step_too_small").eps == 1e-12


def test_there_is_no_network_and_no_bug(state):
    result = state.result
    assert result.net is result.x is result.y is result.problem.in_gradient is None
    assert state.bug_choices == ()
    assert result.dormant == result.remark == ""
    assert set(result.analytic) == set(TENSORS)


def test_the_text(state):
    text = repr(state)
    assert "function: f, 12 parameters" in text
    assert "verdict: correct, every tensor" in text
    assert "network" not in text
    assert repr(LabState(f, grad, THETA, tensors=TENSORS)) == text


def test_theta_is_copied_and_never_changed():
    theta = THETA.copy()
    state = LabState(f, grad, theta)
    state.update(eps=1e-3, method="directional")
    np.testing.assert_array_equal(theta, THETA)
    theta[:] = 0
    state.reset()
    assert state.result.report.verdict == "correct"


def test_where_it_is_not_defined_the_sweep_has_no_number():
    state = LabState(lambda t: float(np.sum(np.log(t))), lambda t: 1 / t, np.full(3, 0.01))
    state.refine()
    errors = dict(zip(state.result.sweep.eps, state.result.sweep.errors["theta"], strict=True))
    assert np.isnan(errors[0.1])
    assert errors[SWEEP_EPS[35]] < 1e-6


def test_what_a_function_raises_while_it_is_moved_is_an_error_in_words():
    broken = []

    def breaking(theta):
        if broken:
            raise RuntimeError("out of memory")
        return f(theta)

    state = LabState(breaking, grad, THETA)
    before = state.result
    broken.append(1)
    state.eps = 1e-3
    assert state.error == "step eps: out of memory"
    assert state.result is before
    broken.clear()
    state.eps = 1e-4
    assert state.error == ""


def test_redrawn_noise_is_inconclusive():
    rng = np.random.default_rng(0)
    state = LabState(lambda t: f(t) + 1e-3 * rng.standard_normal(), grad, THETA)
    assert state.result.report.verdict == "inconclusive"


def test_float32():
    state = LabState(lambda t: np.float32(f(t)), grad, THETA.astype(np.float32))
    assert state.dtype == "float32"
    assert state.result.sweep.machine_eps == np.finfo(np.float32).eps
    assert state.result.report.verdict != "wrong"


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((f,), TypeError, "grad and theta must come with f"),
        ((f, grad), TypeError, "grad and theta must come with f"),
        ((f, THETA, THETA), TypeError, "grad must be a function of theta, got ndarray"),
        ((f, grad, [[1.0]]), ValueError, r"theta must have shape \(P,\)"),
        ((f, grad, [1, 2]), TypeError, "theta must be float64 or float32"),
        ((lambda t: t, grad, THETA), ValueError, "f must return one number"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        LabState(*arguments)


def test_tensors_are_for_functions_and_must_fit():
    with pytest.raises(TypeError, match="tensors must come with a function"):
        LabState(tensors=TENSORS)
    with pytest.raises(ValueError, match="tensors must cover theta"):
        LabState(f, grad, THETA, tensors={"a": (0, 6, (6,))})


def test_a_gradient_of_another_length_is_refused_at_once():
    with pytest.raises(ValueError, match=r"grad\(theta\) must have shape \(12,\), got \(3,\)"):
        LabState(f, lambda t: t[:3], THETA)
    with pytest.raises(ValueError, match=r"f\(theta\) must be finite, got nan"):
        LabState(lambda t: float("nan"), grad, THETA)


def test_the_lab_tells_what_the_check_of_the_same_function_remarks():
    last = {}

    def keeps(theta):
        last["theta"] = theta.copy()
        return float(theta @ theta)

    def stale(theta):
        return 2 * last["theta"]

    (remark,) = gl.check_function(keeps, stale, THETA).remarks
    assert remark.startswith("grad(theta) is another one after f was evaluated elsewhere")
    told = " ".join(repr(gl.Lab(keeps, stale, THETA)).split())  # long lines are broken
    assert f"remark: {remark}" in told
    assert "remark:" not in repr(gl.Lab(f, grad, THETA))


def test_the_best_step_of_a_function_that_returns_float32_is_that_of_float32():
    def rounded(theta):
        return np.float32(f(theta))

    def best(function):
        return LabState(function, grad, THETA).result.sweep.predicted_best_eps

    assert np.isclose(best(f), np.finfo(np.float64).eps ** (1 / 3))
    assert np.isclose(best(rounded), np.finfo(np.float32).eps ** (1 / 3))


@pytest.mark.parametrize("method", ["full", "sampled", "directional"])
def test_the_methods_have_the_names_that_the_check_has(method):
    """One word in both: what stands in a line of the lab can be passed to the check."""
    assert LabState(f, grad, THETA, method=method).method == method
    assert gl.check_function(f, grad, THETA, method=method).verdict == "correct"

import importlib
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import gradlab as gl
from tests.checking.battery import CASES


def with_bug(grad):
    def wrong(theta):
        a = np.array(grad(theta), float)
        a[np.argmax(np.abs(a))] *= 1.5
        return a

    return wrong


@pytest.mark.parametrize("method", ["sampled", "directional"])
@pytest.mark.parametrize("name", ["rosenbrock", "softmax_far_out", "float32_inside"])
def test_sampled_and_directional_find_and_acquit(name, method):
    f, grad, theta = CASES[name]()
    good = gl.check_function(f, grad, theta, method=method, samples=6)
    bad = gl.check_function(f, with_bug(grad), theta, method=method, samples=6)
    assert (good.verdict, bad.verdict) == ("correct", "wrong")
    if method == "directional":
        assert "cannot tell where" in bad.why


def test_a_sample_says_what_it_covers():
    theta = np.linspace(0, 1, 50)
    layout = {"W": (0, 40, (8, 5)), "b": (40, 50, (10,))}
    report = gl.check_function(
        lambda t: np.sum(np.sin(t)), np.cos, theta, tensors=layout, method="sampled", samples=7
    )
    assert [report[k].coverage for k in report] == ["7 of 40 entries", "7 of 10 entries"]
    assert report["W"].shape == (8, 5)
    assert "7 of 40 entries were checked, and agree" in report["W"].why


def test_tensors_are_named_when_wrong():
    layout = {"W": (0, 6, (2, 3)), "b": (6, 8, (2,))}

    def grad(t):
        return np.cos(t) * np.where(np.arange(8) < 6, 1.0, 0.5)

    report = gl.check_function(lambda t: np.sum(np.sin(t)), grad, np.arange(8.0), tensors=layout)
    assert report.wrong == ["b"]
    assert report["W"].analytic.shape == (2, 3)


def test_a_given_step_is_respected_and_judged():
    seen = []

    def f(t):
        seen.append(abs(t[0] - 1.0))
        return np.sin(t[0])

    theta = np.array([1.0])
    assert gl.check_function(f, np.cos, theta, eps=1e-4).verdict == "correct"
    looked = [h for h in seen if h > 1e-9]
    assert max(h for h in looked if h < 9e-3) < 2.001e-4  # grad is asked for once after f elsewhere
    assert gl.check_function(f, np.cos, theta, eps=1e-15).verdict == "inconclusive"
    assert gl.check_function(f, lambda t: 2 * np.cos(t), theta, eps=1e-4).verdict == "wrong"


def smooth(theta):
    return float(np.sum(np.sin(theta)))


def smooth_and_gradient(theta):
    return smooth(theta), np.cos(theta)


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_an_executor_gives_the_same_report(pool):
    theta = np.linspace(0, 2, 8)
    alone = gl.check_function(smooth, np.cos, theta)
    with pool(2) as executor:
        spread = gl.check_function(smooth, np.cos, theta, executor=executor)
        both = gl.check_function(smooth_and_gradient, True, theta, executor=executor)
    assert np.array_equal(alone["theta"].numerical, spread["theta"].numerical)
    assert np.array_equal(alone["theta"].numerical, both["theta"].numerical)
    assert both.subject == "smooth_and_gradient"


GOOD = np.array([0.1, 0.2, 0.3])
BAD = {
    "theta ints": ({"theta": np.arange(3)}, TypeError, ["theta", "int64", "float64"]),
    "theta complex": ({"theta": GOOD + 0j}, TypeError, ["theta", "complex"]),
    "theta float16": ({"theta": GOOD.astype(np.float16)}, TypeError, ["theta", "float16"]),
    "theta 2-D": ({"theta": GOOD[None]}, ValueError, ["theta", "(1, 3)", "(P,)"]),
    "theta empty": ({"theta": GOOD[:0]}, ValueError, ["theta", "(0,)"]),
    "theta nan": ({"theta": np.array([1.0, np.nan])}, ValueError, ["theta", "nan", "finite"]),
    "theta text": ({"theta": "abc"}, TypeError, ["theta", "real numbers"]),
    "theta aliased": ({"theta": np.broadcast_to(1.0, 3)}, ValueError, ["theta", "broadcast"]),
    "eps zero": ({"eps": 0.0}, ValueError, ["eps", "0.0", "positive"]),
    "eps nan": ({"eps": np.nan}, ValueError, ["eps", "nan"]),
    "eps list": ({"eps": [1e-5]}, TypeError, ["eps", "number"]),
    "method": ({"method": "random"}, ValueError, ["method", "'directional'"]),
    "samples": ({"samples": 0}, ValueError, ["samples", "0", ">= 1"]),
    "seed": ({"seed": "x"}, TypeError, ["seed", "'x'", "integer"]),
    "f vector": ({"f": lambda t: t}, ValueError, ["f must return one number", "(3,)"]),
    "f none": ({"f": lambda t: None}, TypeError, ["f must return a real number", "NoneType"]),
    "f complex": ({"f": lambda t: 1j}, TypeError, ["f must return a real number", "complex"]),
    "f nan": ({"f": lambda t: np.nan}, ValueError, ["f(theta)", "nan", "finite"]),
    "f text": ({"f": lambda t: "1"}, TypeError, ["f must return a real number", "str"]),
    "grad square": ({"grad": lambda t: np.eye(3)}, ValueError, ["grad(theta)", "(3, 3)", "(3,)"]),
    "f and grad": ({"f": lambda t: (0.0, t)}, TypeError, ["f must return the loss alone", "tuple"]),
    "f dict": ({"f": lambda t: {"loss": 1.0}}, TypeError, ["f must return", "dict"]),
    "tolerance": ({"tolerance": -1.0}, ValueError, ["tolerance", "-1.0"]),
    "grad scalar": ({"grad": lambda t: 1.0}, ValueError, ["grad(theta)", "()", "(3,)"]),
    "grad short": ({"grad": lambda t: t[:2]}, ValueError, ["grad(theta)", "(2,)", "(3,)"]),
    "grad nan": ({"grad": lambda t: t * np.nan}, ValueError, ["grad(theta)", "nan"]),
    "grad complex": ({"grad": lambda t: t + 1j}, TypeError, ["grad(theta)", "complex"]),
    "grad none": ({"grad": lambda t: None}, TypeError, ["grad(theta)", "NoneType"]),
    "tensors list": ({"tensors": [1]}, TypeError, ["tensors", "dict"]),
    "tensors gap": ({"tensors": {"a": (1, 3, (2,))}}, ValueError, ["tensors['a']", "start at 0"]),
    "tensors short": ({"tensors": {"a": (0, 2, (2,))}}, ValueError, ["tensors", "3", "2"]),
    "tensors shape": ({"tensors": {"a": (0, 3, (2,))}}, ValueError, ["tensors['a']", "shape"]),
    "tensors long": ({"tensors": {"a": (0, 4, (4,))}}, ValueError, ["tensors['a']", "end by 3"]),
    "tensors form": ({"tensors": {"a": 3}}, TypeError, ["tensors['a']", "(start, stop, shape)"]),
}


@pytest.mark.every_case
@pytest.mark.parametrize("bad", BAD)
def test_bad_input_is_named_and_theta_stays(bad):
    changed, error, parts = BAD[bad]
    theta = GOOD.copy()
    arguments = {"f": lambda t: np.sum(np.sin(t)), "grad": np.cos, "theta": theta, **changed}
    with pytest.raises(error) as caught:
        gl.check_function(**arguments)
    assert not [part for part in parts if part not in str(caught.value)], str(caught.value)
    assert theta.tobytes() == GOOD.tobytes()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError, MemoryError])
@pytest.mark.parametrize("where", ["f", "grad"])
def test_what_f_or_grad_raises_reaches_the_caller(where, error):
    calls = []

    def f(t):
        calls.append(1)
        t[:] = 7.0  # and what it does to its argument stays with it
        if where == "f" and len(calls) > 25:
            raise error("from inside")
        return np.sum(np.sin(t)) + len(calls) * 0

    def grad(t):
        t[:] = 7.0
        if where == "grad":
            raise error("from inside")
        return np.zeros(3)

    theta = GOOD.copy()
    with pytest.raises(error, match="from inside"):
        gl.check_function(f, grad, theta)
    assert theta.tobytes() == GOOD.tobytes()


def test_theta_is_not_touched_while_f_runs():
    theta = GOOD.copy()
    seen = set()

    def f(t):
        seen.add((theta.tobytes(), threading.get_ident()))
        return np.sum(np.sin(t))

    gl.check_function(f, np.cos, theta)
    assert {s for s, _ in seen} == {GOOD.tobytes()}


def test_a_long_check_says_beforehand_what_is_shorter():
    """Counted, not measured: four evaluations an entry are the least that a full check takes."""
    tensors = {"W": (0, 11_000, (110, 100)), "b": (11_000, 11_010, (10,))}
    theta, calls = np.linspace(0.1, 1.0, 11_010), []

    def f(theta):
        calls.append(1)
        if len(calls) > 1000:
            raise KeyboardInterrupt
        return float(np.sum(theta**2))

    with pytest.raises(KeyboardInterrupt) as caught:
        gl.check_function(f, lambda t: 2 * t, theta, tensors=tensors)
    (note,) = caught.value.__notes__
    assert "11,010 entries take 44,040 evaluations and more" in note
    assert 'method="sampled" takes 120' in note  # 4 * (20 + 10)
    assert 'method="directional" takes 80' in note


def test_a_report_on_many_entries_tells_of_sampling_and_one_on_few_does_not(monkeypatch):
    module = importlib.import_module("gradlab.checking.check_function")
    assert module.MANY == 40_000
    monkeypatch.setattr(module, "MANY", 2_000)  # of so many entries a check takes seconds

    def told(size, **chosen):
        f, grad = (lambda t: float(t @ t)), (lambda t: 2 * t)
        return gl.check_function(f, grad, np.linspace(0.1, 1.0, size), **chosen).remarks

    (remark,) = told(500)
    assert remark.startswith("500 entries take 2,000 evaluations and more")
    assert told(499) == ()
    assert told(500, method="sampled") == told(500, method="directional") == ()


@pytest.mark.parametrize("eps", [1e-6, 1e-5, 1e-4])
def test_at_a_step_of_ones_own_float32_values_are_round_off_and_no_kink(eps):
    def f(theta):
        return np.float32(np.sum(np.sin(theta)))

    report = gl.check_function(f, np.cos, np.array([0.1, 0.5, 0.9]), eps=eps)
    assert "its values are float32" in report.subject
    assert "kink" not in report.why
    assert report["theta"].crossed_kinks == 0
    if report.verdict == "inconclusive":
        assert "round-off" in report.why


@pytest.mark.parametrize("scale", [1.0, 1e-3, np.pi])
def test_float64_values_are_not_taken_for_float32(scale):
    report = gl.check_function(lambda t: scale * float(np.sum(np.sin(t))),
                            lambda t: scale * np.cos(t), np.array([0.1, 0.5, 0.9]))  # fmt: skip
    assert "float32" not in report.subject
    assert report.verdict == "correct"
    half = gl.check_function(lambda t: 0.5, lambda t: 0 * t, np.array([0.1, 0.5]))
    assert "float32" not in half.subject  # 0.5 has no digits to tell by


def cost_of_positive(t):
    return float(np.sum(np.maximum(t, 0) ** 2))


def in_a_loop(t):
    rows = []
    for k in range(2):
        v = t[3 * k : 3 * k + 3]
        d = 2 * v  # of the negative ones, too
        rows.append(d)
    return np.concatenate(rows)


def at_once(t):
    d = 2 * t
    return d


@pytest.mark.parametrize(("grad", "name"), [(in_a_loop, "v"), (at_once, "t")])
def test_what_a_line_lacks_is_named_in_a_loop_and_without_one(grad, name):
    theta = np.array([0.3, -0.7, 1.2, 0.5, -1.1, 0.9])
    (cause,) = gl.check_function(cost_of_positive, grad, theta).diagnosis
    assert cause.wrong_line == f"d = 2 * {name}"
    assert cause.right_line in (
        f"d = 2 * {name} * ({name} > 0)",
        f"d = 2 * ({name} * ({name} > 0))",
    )

"""`gl.assert_gradient` in a test suite, and `Report.to_dict`."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gradlab as gl
from tests.checking.own_networks import columns, planted

ROOT = Path(__file__).resolve().parents[2]
T = np.array([0.1, 0.2, 0.3])


def smooth(t):
    return np.sum(np.sin(t))


def unread(t):
    """A loss of the first entry alone: of the others 0 = 0, which proves nothing."""
    return np.sin(t[0])


def unread_gradient(t):
    return np.array([np.cos(t[0]), 0.0, 0.0])


PARTS = {"a": (0, 1, (1,)), "b": (1, 3, (2,))}


def test_a_correct_gradient_passes_and_gives_its_report():
    report = gl.check_function(smooth, np.cos, T)
    assert gl.assert_gradient(report) is report
    assert gl.assert_gradient(smooth, np.cos, T).verdict == "correct"
    sampled = gl.assert_gradient(lambda t: (smooth(t), np.cos(t)), True, [0.1] * 9,
                                 method="sampled", samples=2)  # fmt: skip
    assert sampled["theta"].coverage == "2 of 9 entries"
    assert gl.assert_gradient(gl.explain(*columns())).verdict == "correct"


def test_a_wrong_one_fails_with_the_report():
    with pytest.raises(AssertionError) as caught:
        gl.assert_gradient(smooth, lambda t: np.cos(t) * [1, 1.01, 1], T, tensors=PARTS)
    message = str(caught.value)
    assert message.startswith("✗ wrong: b: ")
    assert "b[0]" in message
    a, n = next(line for line in message.split("\n") if line.startswith("b[0]")).split()[-2:]
    assert float(a) == pytest.approx(1.01 * np.cos(0.2), rel=1e-2)
    assert float(n) == pytest.approx(np.cos(0.2), rel=1e-2)
    with pytest.raises(AssertionError):  # what is allowed is no other verdict
        gl.assert_gradient(smooth, np.sin, T, allow=("inconclusive",))


def test_a_recognised_network_fails_with_its_line_and_its_entries():
    found = gl.explain(*planted(columns, "* (1 - A1**2)", "* (1 - A1)")())
    with pytest.raises(AssertionError) as caught:
        gl.assert_gradient(found)
    assert "wrong  dz1 = da1 * (1 - a1)" in str(caught.value)
    assert "worst entries" in str(caught.value)


def test_inconclusive_is_no_pass_unless_allowed():
    report = gl.check_function(unread, unread_gradient, T, tensors=PARTS)
    assert report.verdict == "inconclusive"
    with pytest.raises(AssertionError) as caught:
        gl.assert_gradient(report)
    assert str(caught.value).startswith(str(report))
    assert 'allow=("inconclusive",)' in str(caught.value)
    assert gl.assert_gradient(report, allow=("inconclusive",)) is report
    assert gl.assert_gradient(report, allow=["inconclusive"]) is report


SUITE = """
import numpy as np
import gradlab as gl

W = np.array([[0.4, 0.9], [0.1, -0.3]])

def loss():
    return np.sum(np.sin(W))

def test_right():
    gl.assert_gradient(gl.check_arrays(loss, {"W": W}, {"W": np.cos(W)}))

def test_wrong():
    gl.assert_gradient(gl.check_arrays(loss, {"W": W}, {"W": -np.cos(W)}))  # the line

def test_open():
    gl.assert_gradient(lambda t: 0.0 * t[0], np.zeros_like, [0.5])
"""


def test_what_pytest_shows(tmp_path):
    (tmp_path / "test_own.py").write_text(SUITE)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path],
        capture_output=True, text=True, encoding="utf-8", cwd=ROOT,
    )  # fmt: skip
    out = run.stdout
    assert "2 failed, 1 passed" in out, out + run.stderr
    assert ">       gl.assert_gradient(gl.check_arrays(loss" in out
    assert "E       AssertionError: ✗ wrong: W: " in out
    assert "a flipped sign" in out or "sign" in out
    assert "W[1, 1]" in out or "W[0, 0]" in out
    assert "An inconclusive check is no pass" in out
    for hidden in ("__tracebackhide__", "raise AssertionError", "assertion.py"):
        assert hidden not in out


def floats_of(data):
    """Return plain data with the texts of numbers that are not finite read again."""
    if isinstance(data, dict):
        return {k: floats_of(v) for k, v in data.items()}
    if isinstance(data, list):
        return [floats_of(v) for v in data]
    return float(data) if data in ("nan", "inf", "-inf") else data


def test_a_report_as_plain_data():
    net, (x, y) = gl.mlp([4, 5, 3], "relu", l2=0.1, seed=0), gl.data.iris()
    wrong = gl.bugs.plant(net, "flipped_sign")
    report = gl.check(wrong, x, y)
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert data == report.to_dict()  # no tuple, no numpy number, no key that is no string
    assert (data["verdict"], data["wrong"], data["why"]) == ("wrong", report.wrong, report.why)
    assert list(data["tensors"]) == list(report)
    for name in ("norm_ratio", "resolution", "relative_error", "error", "eps", "evaluations"):
        assert floats_of(data[name]) == getattr(report, name)
    for name, tensor in report.tensors.items():
        told = data["tensors"][name]
        assert told["shape"] == list(tensor.shape)
        assert told["verdict"] == tensor.verdict
        for key in ("ratio", "cosine", "norm_ratio", "resolution", "relative_error"):
            assert floats_of(told[key]) == getattr(tensor, key)
        assert sum(told["marks"].values()) == tensor.analytic.size
        assert [(tuple(w["index"]), w["analytic"], w["numerical"])
                for w in told["worst"]] == tensor.worst()  # fmt: skip
    assert data["causes"][0]["bug"] == "flipped_sign"
    assert data["causes"][0]["wrong_line"] == report.diagnosis[0].wrong_line
    assert data["warnings"] == list(report.warnings)


@pytest.mark.parametrize("make", [
    lambda: gl.check_function(unread, unread_gradient, T, tensors=PARTS),
    lambda: gl.check_function(smooth, np.cos, T, method="directional"),
    lambda: gl.check_function(smooth, np.cos, T, method="sampled", samples=1),
    lambda: gl.check_function(lambda t: np.float32(smooth(t)), np.cos, T.astype(np.float32)),
    lambda: gl.check_function(lambda t: np.random.default_rng().random(), np.cos, T),
    lambda: gl.check(gl.mlp([4, 5, 3], "relu"), *gl.data.iris()),
    lambda: gl.check_arrays(lambda: smooth(T), {"T": T, "n": 1}, {"T": np.cos(T)}),
])  # fmt: skip
def test_every_kind_of_report_is_plain(make):
    report = make()
    text = json.dumps(report.to_dict(), allow_nan=False)
    assert json.loads(text)["verdict"] == report.verdict
    assert json.loads(text)["warnings"] == list(report.warnings)
    assert type(report.to_dict()["verdict"]) is str


def test_numbers_that_are_not_finite_are_texts_that_float_reads():
    report = gl.check_function(unread, unread_gradient, T, tensors=PARTS)
    told = report.to_dict()["tensors"]["b"]
    assert told["ratio"] == "nan"
    assert np.isnan(report["b"].ratio)
    assert float(told["resolution"]) == report["b"].resolution == np.inf

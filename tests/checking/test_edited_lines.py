"""A bug that no page of the museum shows: the report tells the wrong line beside the right one."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.lines import explain
from tests.bugs.lines.holdout import SINGLES


@pytest.mark.parametrize("k", range(0, len(SINGLES), 12))
def test_a_line_told_as_a_fact_makes_this_mistake_on_other_numbers_too(k):
    net, x, y, masks = SINGLES[k].problem(0)
    wrong = SINGLES[k].gradient(net, x, y, masks)
    report = gl.check(net, x, y, masks=masks, analytic=wrong)
    assert report.verdict == "wrong"
    first = report.diagnosis[0]
    if first.bug is not None:  # the museum has it
        return
    assert first.certain, (SINGLES[k].name, first)
    assert first.residual < 1e-6
    assert f"{first.wrong_line}" in str(report)
    bounds = {name: report[name].bounds for name in report}
    numerical = {name: report[name].numerical for name in report}
    cause = explain(net, x, y, masks, wrong, numerical, bounds)[0]
    other = SINGLES[k].problem(1)
    again, right = cause.replay(*other), SINGLES[k].gradient(*other)
    for name in right:
        assert np.allclose(again[name], right[name], rtol=1e-6, atol=1e-12), (SINGLES[k].name, name)


def test_the_report_prints_both_lines():
    rng = np.random.default_rng(0)
    net = gl.mlp([4, 6, 5, 3], seed=1)
    for value in net.params.values():
        value += 0.1 * rng.standard_normal(value.shape)
    x, y = rng.standard_normal((7, 4)), rng.integers(0, 3, 7)
    h1 = np.tanh(x @ net.params["W1"] + net.params["b1"])
    h2 = np.tanh(h1 @ net.params["W2"] + net.params["b2"])
    z = h2 @ net.params["W3"] + net.params["b3"]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    d = (p - np.eye(3)[y]) / 7
    d2 = d @ net.params["W3"].T * (1 - h2)  # the square is forgotten
    d1 = d2 @ net.params["W2"].T * (1 - h1**2)
    wrong = {
        "W1": x.T @ d1, "b1": d1.sum(0), "W2": h1.T @ d2, "b2": d2.sum(0), "W3": h2.T @ d,
        "b3": d.sum(0),
    }  # fmt: skip
    report = gl.check(net, x, y, analytic=wrong)
    assert report.wrong == ["W1", "b1", "W2", "b2"]
    first = report.diagnosis[0]
    assert (first.certain, first.where) == (True, "layer 2, tanh")
    assert "** 2" in first.right_line
    assert "** 2" not in first.wrong_line
    lines = str(report).split("\n")
    at = lines.index("Cause: a wrong line, layer 2, tanh")
    assert lines[at + 1] == f"    wrong  {first.wrong_line}"
    assert lines[at + 2] == f"    right  {first.right_line}"
    assert lines[at + 3].count("^") == len(first.right_line) - len(first.wrong_line)

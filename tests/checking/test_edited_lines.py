"""A bug that no page of the museum shows: the report tells the wrong line beside the right one."""

import ast

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.lines import explain
from gradlab.checking.source.lines import spliced
from gradlab.nn.network import Point
from tests.bugs.lines.holdout import DIVIDED, SINGLES, lstm, mlp


@pytest.mark.parametrize(
    "k", [*range(0, len(SINGLES), 24),
          *(pytest.param(k, marks=pytest.mark.soak) for k in range(12, len(SINGLES), 24))]
)  # fmt: skip
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
    cause = explain(Point(net, x, y, masks), wrong, numerical, bounds)[0]
    other = SINGLES[k].problem(1)
    again, right = cause.replay(Point(*other)), SINGLES[k].gradient(*other)
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


def own(case, twin=0):
    """Return a case's problem, with its gradient as that of the network itself."""
    net, x, y, masks = case.problem(twin)

    class Own(type(net)):
        def gradient(self, x, y, masks=None, params=None):
            return case.gradient(self, np.asarray(x), np.asarray(y), masks)

    net.__class__ = Own
    return net, x, y, masks


BY_K = mlp("by K", (DIVIDED, "dscores = dscores / probs.shape[1]"), N=6)
BY_T = lstm("by T", (DIVIDED, "dscores = dscores / N / T"), N=5, T=5, every_step=True)
BY_UNITS = mlp("by units", ("dW2 = h1.T @ dz2", "dW2 = h1.T @ dz2 / 6"), N=6)


@pytest.mark.parametrize(
    ("case", "told"),
    [(BY_K, "2 = N / K"), (BY_T, "1 / N = 1 / T"), (BY_UNITS, "1 / W2.shape[0]")],
    ids=["K", "T", "units"],
)
def test_sizes_that_coincide_are_all_told(case, told):
    net, x, y, masks = case.problem(0)
    report = gl.check(net, x, y, masks=masks, analytic=case.gradient(net, x, y, masks))
    first = report.diagnosis[0]
    assert told in first.cause or told.replace("[0]", "[1]") in first.cause


@pytest.mark.parametrize(
    ("case", "line"),
    [
        (BY_K, "dlogits = (p - y) / K"), (BY_T, "dlogits = 1 / T * ((p - y) / N)"),
        (BY_UNITS, "dW2 = 1 / W2.shape[0] * (a1.T @ dz2)"),
    ],
    ids=["K", "T", "units"],
)  # fmt: skip
def test_the_networks_own_code_is_asked_about_another_batch(case, line):
    net, x, y, masks = own(case)
    first, *others = gl.check(net, x, y, masks=masks).diagnosis
    assert (first.certain, first.wrong_line) == (True, line)
    assert not any(d.certain or d.score > 0.95 for d in others)


def test_code_that_takes_no_other_batch_is_not_asked():
    class Own(gl.nn.MLP):
        def gradient(self, x, y, masks=None, params=None):
            if len(x) != 6:
                raise RuntimeError
            return BY_K.gradient(self, x, y, masks)

    net, x, y, masks = BY_K.problem(0)
    net.__class__ = Own
    assert "2 = N / K" in gl.check(net, x, y, masks=masks).diagnosis[0].cause


def test_code_that_adds_up_is_not_asked():
    """What another call gives is not the same: its answer would say nothing."""
    sums = {}

    class Own(gl.nn.MLP):
        def gradient(self, x, y, masks=None, params=None):
            for name, g in super().gradient(x, y, masks).items():
                sums[name] = sums.get(name, 0) + g
            return dict(sums)

    net, x, y, masks = BY_K.problem(0)
    net.__class__ = Own
    assert gl.check(net, x, y, masks=masks).diagnosis[0].bug == "accumulated_gradients"


def test_a_number_that_is_a_size_here_alone_is_no_fact():
    """Divided by 7, which N is here and not on another batch."""
    case = mlp("by seven", ("dW2 = h1.T @ dz2", "dW2 = h1.T @ dz2 / 7"))
    net, x, y, masks = own(case)
    assert not any(d.certain for d in gl.check(net, x, y, masks=masks).diagnosis)


def test_zeros_under_softmax_are_told_as_all_that_gives_them():
    case = mlp("zeros", ("db3 = dscores.sum(axis=0)", "db3 = np.zeros(3)"), N=3)
    net, x, y, masks = case.problem(0)
    wrong = case.gradient(net, x, y, masks)
    first = gl.check(net, x, y, masks=masks, analytic=wrong).diagnosis[0]
    for words in ("without an axis", "over the other axis", "never computed"):
        assert words in first.cause


def test_masks_that_may_differ_are_told_as_perhaps():
    rng = np.random.default_rng(0)
    net = gl.mlp([4, 6, 5, 3], seed=1, dropout_rate=0.4)
    x, y = rng.standard_normal((20, 4)), rng.integers(0, 3, 20)
    masks, other = net.draw_masks(20, rng), net.draw_masks(20, rng)
    report = gl.check(net, x, y, masks=masks, analytic=net.gradient(x, y, other))
    first = report.diagnosis[0]
    assert not first.certain
    assert first.cause.startswith("perhaps the dropout masks are not the same")


@pytest.mark.parametrize(
    ("line", "new", "right"),
    [
        ("dW  =  é*b", "c", "dW  =  c*b"),  # the rest stays as it is written
        ("dW  =  a*b", "c + d", "dW  =  (c + d)*b"),  # and brackets come where they are needed
        ("dW = (a)*b", "c + d", "dW = (c + d)*b"),
        ("dW = (a *\n  b)", "c + d", "dW = (c + d) * b"),  # two lines become one
    ],
)
def test_a_line_is_told_as_it_stands_in_the_file_with_one_part_exchanged(line, new, right):
    (statement,) = ast.parse(line).body
    wrong = line if "\n" not in line else ast.unparse(statement)
    at = (statement.value, "left", None)
    assert spliced(line.split("\n"), statement, at, new) == (wrong, right)
    assert ast.unparse(statement) == ast.unparse(ast.parse(line))

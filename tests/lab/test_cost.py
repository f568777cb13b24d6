import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import LabState, Settings
from gradlab.lab.model import budget
from gradlab.lab.model.cost import Cost
from gradlab.lab.model.result import compute
from gradlab.lab.text.banner import cost_line

SPACE = "\N{NARROW NO-BREAK SPACE}"


BACKPROP = "; one backprop does the arithmetic of 2 or 3"


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        ((1092, 2.1), f"1{SPACE}092 evaluations of the loss, 2.1 ms"),
        ((14, 0.04), "14 evaluations of the loss, 0.0 ms"),
        ((1234567, 2345.6), f"1{SPACE}234{SPACE}567 evaluations of the loss, 2{SPACE}346 ms"),
    ],
)
def test_the_line_reads_like_a_sentence(cost, words):
    result = compute(Settings(hidden=(2,)))
    assert cost_line(replace(result, cost=Cost(*cost))) == words + BACKPROP


def test_a_backprop_does_the_arithmetic_of_two_or_three_losses():
    """Products of matrices: one a layer forward, and two more back, but one at the first."""
    for sizes in ((2, 1, 1), (2, 16, 16, 2), (64, 64, 64, 64, 10)):
        products = [a * b for a, b in pairwise(sizes)]
        backprop = 3 * sum(products) - products[0]
        assert 2 <= backprop / sum(products) <= 3


@pytest.mark.parametrize(
    ("scheme", "sides"), [("forward", 1), ("central", 2), ("five_point", 4), ("complex_step", 1)]
)
def test_evaluations_are_counted_for_the_check_of_every_entry_at_two_steps(scheme, sides):
    result = compute(Settings(hidden=(4,), scheme=scheme))
    assert result.cost.evaluations == 2 + 2 * sides * result.net.size
    assert result.cost.evaluations == result.report.evaluations


def test_it_is_measured_at_each_check_and_a_larger_network_costs_more():
    small, large = (compute(Settings(hidden=h)) for h in ((2,), (32, 32)))
    assert large.cost.evaluations > 10 * small.cost.evaluations
    assert large.cost.milliseconds > small.cost.milliseconds > 0
    moved = compute(large.settings.replace(eps=1e-6), previous=large)
    assert moved.cost.milliseconds != large.cost.milliseconds


@pytest.mark.parametrize("name", ["healthy", "kinks", "dropout_redrawn", "bug_flipped_sign"])
def test_no_time_is_in_the_text(name):
    state = LabState(scenario=name)
    assert not re.search(r"\bms\b|second|backprop", repr(state))
    assert repr(state) == repr(LabState(scenario=name))


# -- too large to be live ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "x"),
    [
        (gl.mlp([784, 64, 10]), np.zeros((2000, 784))),
        (gl.mlp([2, 300, 2]), np.zeros((30, 2))),
        (gl.mlp([2, *[4] * 9, 2]), np.zeros((30, 2))),
        (gl.convnet((3, 32, 32), filters=(16, 32), padding=(1, 1)), np.zeros((30, 3, 32, 32))),
        (gl.lstm(20, 64, 2), np.zeros((50, 30, 20))),
    ],
    ids=lambda v: repr(v)[:20] if isinstance(v, gl.nn.Network) else "x",
)
def test_a_network_too_large_is_refused_with_its_cost_and_a_way_on(net, x):
    n = x.shape[net.batch_axis]
    with pytest.raises(ValueError, match=r"net must .* to be live") as caught:
        LabState(net, x, np.zeros(n, int))
    words = str(caught.value)
    evaluations = int(re.search(rf"takes ([\d{SPACE}]+) evaluations", words)[1].replace(SPACE, ""))
    assert evaluations == 4 * net.size + 2
    assert float(re.search(r"about ([\d.e+]+) s;", words)[1]) > 0
    assert 'gl.check(net, x, y, method="sampled")' in words


def test_the_way_on_works():
    net, x = gl.mlp([784, 64, 10]), np.random.default_rng(0).standard_normal((2000, 784))
    y = np.arange(2000) % 10
    assert gl.check(net, x[:50], y[:50], method="sampled").verdict == "correct"
    assert LabState(net, x[:10], y[:10]).result.report.verdict == "correct"


def test_what_the_lab_can_build_itself_it_can_show():
    result = LabState(hidden=(64, 64, 64, 64), data="digits").result
    assert len(result.x) >= 6
    assert budget.stride(result.settings, result.net, result.x, budget.COARSE) == 20


def test_of_the_largest_the_line_says_how_many_entries_stand_for_all():
    result = LabState(hidden=(64,) * 4, data="digits").result
    checked = sum(tensor.analytic.size for tensor in result.report.tensors.values())
    assert checked < result.net.size
    start = f"{checked} of 17{SPACE}290 entries: "
    assert cost_line(result).startswith(start)
    assert f"up to {result.problem.samples} entries of each tensor" in repr(
        LabState(hidden=(64,) * 4, data="digits")
    )


def test_a_mystery_in_the_largest_is_played_on_the_same_entries():
    state = LabState(hidden=(64,) * 4, data="digits", bug="mystery")
    for _ in range(3):
        assert state.mystery.hint()
    assert "Planted" in state.mystery.reveal()

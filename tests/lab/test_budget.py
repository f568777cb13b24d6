"""How much is computed at once: told in numbers of entries, examples and steps, by no clock."""

import itertools

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import Settings
from gradlab.lab.model import budget, seeds
from gradlab.lab.model import function as function_module
from gradlab.lab.model.function import Function
from gradlab.lab.model.own_network import OwnNetwork
from gradlab.lab.model.problem import pose
from gradlab.lab.model.result import compute
from gradlab.lab.model.seeds import seeds_of
from gradlab.lab.model.signal import signal_of
from gradlab.lab.model.training_beside import _affordable_steps
from tests.lab.panels.cases import IMAGES, SEQUENCES
from tests.lab.panels.results import given

REDRAWN = {"use_dropout": True, "freeze_masks": False}


def test_what_a_pass_writes_is_counted_in_pairs_of_numbers():
    """By hand: z and a of every unit; of an LSTM's gates at every step; of pools once."""
    x = np.zeros((30, 2))
    assert budget.units(gl.mlp([2, 16, 16, 2]), x) == (16 + 16 + 2) / 2
    gates, out = 2 * 4 * 4, 6  # of 4 units, before and after: at each of 5 time steps
    assert budget.units(gl.lstm(3, 4, 6), SEQUENCES) == 5 * gates + out
    conv1, pool1 = 2 * 64, 2 * 16
    conv2, pool2 = 3 * 16, 3 * 4
    net = gl.convnet((1, 8, 8), filters=(2, 3), padding=(1, 1), classes=6)
    assert budget.units(net, IMAGES) == conv1 + pool1 + conv2 + pool2 + pool2 + out


def test_examples_are_counted_along_their_axis():
    net = gl.mlp([2, 3, 2])
    assert budget.count(net, np.zeros((7, 2))) == 7
    assert budget.count(gl.lstm(3, 4, 6), np.zeros((5, 12, 3))) == 12
    assert budget.count(gl.lstm(3, 4, 6), np.zeros(5)) == 1
    assert budget.count(net, 3.0) == 1


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("hidden", "more", "examples", "samples", "drag", "rest"),
    [
        ((4,), {}, 30, None, 1, 1),
        ((8,), REDRAWN, 30, None, 2, 1),
        ((32,), {}, 30, None, 3, 1),
        ((16, 16), {"scheme": "forward"}, 30, None, 3, 1),
        ((16, 16), {}, 30, None, 6, 1),
        ((16, 16), {"scheme": "five_point"}, 30, None, 20, 1),
        ((16, 16), {"scheme": "complex_step"}, 30, None, 20, 2),
        ((16, 16), REDRAWN, 30, None, 20, 4),
        ((24, 24), {}, 30, None, 20, 2),
        ((32, 32), {}, 30, None, 20, 3),
        ((48, 48), {}, 23, None, 20, 10),
        ((64, 64), {}, 10, None, 20, 10),
        ((64, 64, 64), {}, 6, 214, 20, 3),
        ((64,) * 4, {"data": "digits"}, 6, 125, 20, 3),
        ((64,) * 8, {"data": "digits"}, 6, 35, 20, 3),
        ((4,), {"method": "sampled"}, 30, 20, 1, 1),
        ((4,), {"method": "directional"}, 30, None, 6, 1),
    ],
    ids=str,
)
def test_larger_networks_are_checked_on_less_and_dragged_on_fewer_steps(
    hidden, more, examples, samples, drag, rest
):
    settings = Settings(hidden=hidden, **more)
    problem = pose(settings)
    assert len(problem.x) == examples
    assert problem.samples == samples
    assert problem.stride(settings, coarse=True) == drag
    assert problem.stride(settings, coarse=False) == rest


def test_a_check_of_half_a_second_is_refused_and_one_just_below_is_not():
    net = gl.mlp([64, 64, 64, 10])
    size, units = net.size, (64 + 64 + 10) / 2
    most = int(0.5 / (2e-9 * 4 * size * units))  # two steps to both sides, 2 ns each
    budget.refuse_what_is_too_large(net, np.zeros((most, 64)))
    with pytest.raises(ValueError, match=rf"{most + 2} examples|about 0\.\d s") as caught:
        budget.refuse_what_is_too_large(net, np.zeros((most + 2, 64)))
    assert "about 0.5 s" in str(caught.value)


# -- functions -----------------------------------------------------------------------------------


def function(size, seconds=0.0, parts=1):
    ends = np.linspace(0, size, parts + 1).astype(int)
    tensors = {
        f"part{k}": (int(low), int(high), (int(high - low),))
        for k, (low, high) in enumerate(itertools.pairwise(ends))
    }
    return Function(lambda t: 0.0, lambda t: 0 * t, np.zeros(size), tensors, seconds)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("size", "seconds", "parts", "samples"),
    [
        (256, 0, 1, None),
        (257, 0, 1, 256),
        (300, 0, 2, 128),
        (300, 5e-5, 2, 128),  # quick enough for the counts to rule
        (25, 1e-3, 1, None),
        (26, 1e-3, 1, 25),
        (26, 1e-3, 2, 12),
        (5, 1.0, 1, 4),
    ],
)
def test_of_a_function_as_many_entries_are_checked_as_its_time_allows(
    size, seconds, parts, samples
):
    assert function(size, seconds, parts).samples == samples


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("seconds", "entries", "drag", "rest"),
    [
        (0, 4, 1, 1),
        (0, 5, 2, 1),
        (0, 131, 20, 1),
        (0, 132, 20, 2),
        (0, 500, 20, 4),  # 16 steps to both sides, exactly
        (0, 10_000, 20, 20),
        (1e-3, 1, 3, 1),
        (1e-3, 6, 20, 1),
        (1e-3, 7, 20, 2),
    ],
)
def test_of_a_function_a_sweep_takes_the_steps_that_its_time_allows(seconds, entries, drag, rest):
    made = function(1000, seconds)
    assert made.stride(entries, function_module.COARSE) == drag
    assert made.stride(entries, function_module.FULL_SWEEP) == rest


@pytest.mark.parametrize(
    ("method", "samples", "entries"),
    [("full", None, [150, 150]), ("full", 7, [7, 7]), ("sampled", 7, [7, 7]),
     ("sampled", None, [20, 20]), ("directional", None, [20]), ("directional", 7, [20])],
)  # fmt: skip
def test_a_check_of_a_function_takes_the_entries_that_it_is_told_and_always_20_directions(
    method, samples, entries
):
    report = function(300, parts=2).report(Settings(method=method), samples)
    assert [tensor.analytic.size for tensor in report.tensors.values()] == entries


def test_a_sweep_of_a_function_tells_what_it_cost():
    calls = []
    f = lambda t: calls.append(1) or float(t @ t)  # noqa: E731
    brought = Function.check(f, lambda t: 2 * t, np.ones(3))
    assert len(calls) == 2
    assert 0 < brought.seconds < 10
    result = compute(brought.settings(), brought)
    calls.clear()
    sweep = brought.sweep(result.report, result.sweep.eps)
    assert sweep.evaluations == 2 * 61 * 3 <= len(calls)
    assert 0 < sweep.seconds < 600


# -- what is computed beside the check -----------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("settings", "cut", "entries"),
    [
        ({"hidden": (4,)}, "z1", 100),  # of 120
        ({"hidden": (4,)}, "output", 60),  # all
        ({"hidden": (8,) * 8}, "z1", 38),  # of 17 cuts
        ({"hidden": (64,) * 4, "data": "digits"}, "z1", 70),
    ],
    ids=str,
)
def test_of_a_cut_so_many_entries_are_checked(settings, cut, entries):
    result = compute(Settings(**settings), coarse=True)
    assert signal_of(result).cuts[cut].analytic.size == entries


def test_where_a_layer_ties_the_batch_every_entry_takes_a_whole_batch():
    (x, y), net = gl.data.moons(200), gl.mlp([2, 16, 16, 2], batch_norm=True)
    sizes = {cut.analytic.size for cut in signal_of(given(net, x, y)).cuts.values()}
    few = {cut.analytic.size for cut in signal_of(given(net, x[:9], y[:9])).cuts.values()}
    assert (max(sizes), max(few)) == (73, 87)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("settings", "count"),
    [
        ({"hidden": (4,)}, 12),
        ({"hidden": (32,)}, 12),
        ({"hidden": (32, 32)}, 6),
        ({"hidden": (16, 16), "train_steps": 1}, 3),
        ({"hidden": (4,), "train_steps": 1}, 6),
        ({"hidden": (16, 16), **REDRAWN}, 4),
        ({"hidden": (16, 16), "use_dropout": True}, 12),
        ({"hidden": (16, 16), "freeze_masks": False}, 12),  # which nothing draws
    ],
    ids=str,
)
def test_a_dear_check_is_made_at_fewer_seeds(settings, count, monkeypatch):
    monkeypatch.setattr(seeds, "_at", lambda result, seed: None)
    result = compute(Settings(seed=7, **settings), coarse=True)
    assert list(seeds_of(result).reports) == list(range(7, 7 + count))


@pytest.mark.parametrize(
    ("steps", "examples", "updates"), [(5, 12, 200), (200, 50, 24), (200, 99, 20)]
)
def test_both_trainings_take_as_many_updates_as_there_is_time_for(steps, examples, updates):
    x = np.random.default_rng(0).standard_normal((steps, examples, 1))
    brought = OwnNetwork.check(gl.lstm(1, 2, 2), x, np.arange(examples) % 2)
    problem = pose(brought.settings(), brought)
    assert budget.units(problem.net, x) == 16 * steps + 2
    assert _affordable_steps(problem) == updates

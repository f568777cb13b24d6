"""Cuts judged at a step of one's own: never at odds with `gl.bisect`, and by the plain loop."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking import cuts
from gradlab.checking.bisect import from_cut
from gradlab.checking.black_box import aside
from gradlab.checking.cuts import CutLosses, judged
from gradlab.checking.schemes import SCHEME_TABLE, central_difference
from gradlab.checking.time_steps import loss_of_steps
from gradlab.nn.network import Point
from tests.museum import MAKERS, case, make

CENTRAL = SCHEME_TABLE["central"]


@pytest.mark.parametrize("kind", MAKERS)
def test_the_slopes_are_those_of_the_plain_loop(kind):
    net, x, y, masks = case(kind, 1)
    point = Point(net, x, y, masks)
    for position, (name, cut) in enumerate(CutLosses(point, 12).at(1e-4, CENTRAL).items()):
        f, _ = from_cut(point, position)
        theta = net.cut_activations(x, masks)[name].ravel()
        at = np.arange(theta.size) if cut.entries is None else cut.entries

        def along(moved, f=f, theta=theta, at=at):
            there = theta.copy()
            there[at] = moved
            return f(there)

        slopes = central_difference(along, theta[at], 1e-4)
        np.testing.assert_allclose(cut.numerical.ravel(), slopes, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("kind", ["tanh", "relu", "convnet"])
def test_no_verdict_contradicts_bisect(kind, every):
    net, x, y, masks = case(kind, 0)
    for bug in gl.bugs.names(net)[::every]:
        planted = gl.bugs.plant(net, bug)
        cuts = CutLosses(Point(planted, x, y, masks), 40)
        walked = gl.bisect(planted, x, y, masks, samples=40).cuts
        for eps in (1e-3, 1e-5):
            judged = cuts.at(eps, CENTRAL)
            for name, report in walked.items():
                assert {report.verdict, judged[name].verdict} != {"correct", "wrong"}, (bug, name)


def test_the_entries_that_are_looked_at_are_those_of_bisect():
    net, x, y, masks = case("tanh", 0)
    entries = gl.bisect(net, x, y, masks, samples=7).cuts["input"].tensors["theta"].entries
    cut = CutLosses(Point(net, x, y, masks), 7).at(1e-5, CENTRAL)["input"]
    np.testing.assert_array_equal(cut.entries, entries)


# -- the time steps of an LSTM -------------------------------------------------------------------

LSTMS = ["lstm", "lstm_every_step"]


@pytest.mark.parametrize("kind", LSTMS)
def test_the_slopes_at_the_time_steps_are_those_of_the_plain_loop(kind):
    net, x, y, masks = case(kind, 1)
    losses = CutLosses(Point(net, x, y, masks), 60).steps
    f, theta, tensors = loss_of_steps(net, x, y)
    reports = judged(losses, 1e-4, CENTRAL)
    assert {f"{part}{t}" for part in "hcx" for t in range(1, len(x) + 1)} == {*reports}
    for name, report in reports.items():
        lo, hi, shape = tensors[name]
        assert report.shape == shape
        at = np.arange(lo, hi) if report.entries is None else lo + report.entries

        def along(moved, at=at):
            there = theta.copy()
            there[at] = moved
            return f(there)

        slopes = central_difference(along, theta[at], 1e-4)
        np.testing.assert_allclose(report.numerical.ravel(), slopes, rtol=1e-6, atol=1e-10)
        assert report.verdict == "correct"
        assert report.crossed_kinks == 0


@pytest.mark.parametrize("kind", LSTMS)
def test_the_complex_step_takes_time_steps_too(kind):
    net, x, y, masks = case(kind, 1)
    reports = judged(CutLosses(Point(net, x, y, masks), 60).steps, 1e-20,
                     SCHEME_TABLE["complex_step"])  # fmt: skip
    for report in reports.values():
        np.testing.assert_allclose(report.numerical, report.analytic, rtol=1e-12, atol=1e-16)


def test_what_one_run_cannot_hold_runs_one_after_the_other(monkeypatch):
    for kind in (*LSTMS, "tanh", "batch_norm", "convnet"):
        net, x, y, masks = case(kind, 1)
        found = []
        for room in (1 << 20, 1):
            monkeypatch.setattr(cuts, "_ROOM", room)
            losses = CutLosses(Point(net, x, y, masks), 10)
            reports = losses.at(1e-4, CENTRAL)
            if losses.steps is not None:
                reports |= judged(losses.steps, 1e-4, CENTRAL)
            found.append(reports)
        for name, one in found[0].items():
            other = found[1][name]
            np.testing.assert_allclose(one.numerical, other.numerical, rtol=1e-7, atol=1e-11)
            assert np.array_equal(one.kinks, other.kinks)
    for kind in LSTMS:
        net, x, y, masks = case(kind, 1)
        steps, sizes = CutLosses(Point(net, x, y, masks), 10).steps, []
        each = len(x) * net.layers[0].scratch  # a column is one sequence, or a copy of the batch
        each *= x.shape[1] if kind == "lstm_every_step" else 1
        monkeypatch.setattr(cuts, "_ROOM", 3 * each)
        monkeypatch.setattr(
            steps, "_some", lambda entry, values, sizes=sizes: sizes.append(len(entry)) or values
        )
        steps.run(np.arange(7), np.zeros(7))
        assert sizes == [3, 3, 1]
    assert [*cuts._parts(7, 3)] == [slice(0, 3), slice(3, 6), slice(6, 9)]
    assert [*cuts._parts(6, 3)] == [slice(0, 3), slice(3, 6)]


def test_a_wrong_time_step_is_wrong_and_only_an_lstm_has_some():
    net, x, y, masks = case("lstm", 1)
    planted = gl.bugs.plant(net, "lstm_cell_gradient_dropped")
    reports = judged(CutLosses(Point(planted, x, y, masks), 60).steps, 1e-5, CENTRAL)
    T = len(x)
    assert reports[f"c{T}"].verdict == "correct"
    assert reports[f"c{T - 1}"].verdict == "wrong"
    assert CutLosses(Point(*case("tanh", 1)), 60).steps is None


def test_of_each_time_step_at_least_four_entries_are_looked_at():
    net, x, y, masks = case("lstm", 1)
    for samples, entries in ((10, 4), (100, 2 * 100 // (3 * len(x)))):
        steps = CutLosses(Point(net, x, y, masks), samples).steps
        assert {len(place.entries) for place in steps.places} <= {
            min(entries, int(np.prod(place.shape))) for place in steps.places
        }


@pytest.mark.parametrize("kind", ["relu", "convnet"])
def test_kinks_at_a_cut_are_those_between_the_activation_and_where_it_is_shifted(kind):
    net, x, y, masks = case(kind, 0)
    eps = 0.3
    for position, (name, loss) in enumerate(CutLosses(Point(net, x, y, masks), 15).cuts.items()):
        _, kinks = loss.at_step(eps, CENTRAL)
        chain = net.chain(masks, len(x))[position:]
        order = net.as_rows(np.arange(loss._a.size).reshape(loss._a.shape)[..., 0], len(x)).ravel()

        def sides(a, chain=chain):
            found = []
            for layer in chain:
                if (branch := layer.branches(a)) is not None:
                    found.append(branch.ravel().copy())
                a = layer.forward(net.params, a)
            return np.concatenate(found) if found else np.zeros(0)

        here = sides(loss._a)
        for entry, crossed in zip(loss.places[0].entries, kinks, strict=True):
            count = 0
            for sign in (1, -1):
                moved = loss._a.copy()
                moved.reshape(-1)[order[entry]] += sign * eps
                count += int((sides(moved) != here).sum())
            assert crossed == count, (name, entry)


def test_beside_a_cut_there_is_the_same_loss_with_its_own_gradient():
    net, x, y, masks = case("relu", 0)
    point = Point(net, x, y, masks)
    loss = CutLosses(point, 12).cuts["z1"]
    f, gradient = from_cut(point, 1)
    flat = net.cut_activations(x, masks)["z1"].ravel()
    at = loss.places[0].entries
    for side, there in zip(loss.beside(), aside(flat), strict=True):
        assert side.base == pytest.approx(f(there), rel=1e-12)
        np.testing.assert_allclose(side.gradient, gradient(there)[at], atol=1e-15)
        np.testing.assert_allclose(side.value, there[at])
    assert loss.repeats()
    assert CutLosses(Point(*case("lstm", 1)), 12).steps.beside() is None


def test_what_the_ladder_proves_is_found_once_and_asked_where_a_step_differs():
    net, x, y, masks = case("tanh", 0)
    loss = CutLosses(Point(gl.bugs.plant(net, "missing_transpose"), x, y, masks), 12).cuts["input"]
    known = loss.known
    assert loss.known is known
    report = judged(loss, 1e-5, CENTRAL)["input"]
    assert report.verdict == "wrong"
    assert set(np.flatnonzero(report.marks.ravel() == "bug")) <= set(
        np.flatnonzero(known.mark == "bug")
    )


@pytest.mark.parametrize("kind", ["tanh", "sigmoid", "lstm"])
def test_the_noise_of_a_cut_is_a_few_roundings_of_the_loss(kind):
    net, x, y, masks = case(kind, 0)
    loss = CutLosses(Point(net, x, y, masks), 5).cuts["input"]
    assert loss.base == pytest.approx(
        net.loss(x, y, masks) - net.raw_l2_loss(net.params), rel=1e-12
    )
    eps = np.finfo(float).eps
    assert loss.noise == max(4 * eps * abs(loss.base), 0.0 if net.loss_name == "mse" else eps / 2)
    small = Point(net, x, net.predict(x) if net.loss_name == "mse" else y, masks)
    if net.loss_name == "mse":  # whose least noise is none
        assert CutLosses(small, 5).cuts["input"].noise < eps / 4
    assert (loss.size == np.maximum(1, np.abs(loss.value))).all()
    assert (loss.value_size == np.abs(loss.value)).all()


NETWORKS = {
    "mlp of squares": lambda dtype: gl.mlp([3, 4, 2], loss="mse", l2=0.3, dtype=dtype, seed=1),
    "relu with dropout": lambda dtype: gl.mlp([3, 5, 2], "relu", dropout_rate=0.4, dtype=dtype),
    "batch norm": lambda dtype: gl.mlp([3, 4, 2], batch_norm=True, dtype=dtype),
    "lstm": lambda dtype: gl.lstm(3, 4, 2, loss="mse", weight_scale=0.7, dtype=dtype),
    "lstm every step": lambda dtype: gl.lstm(3, 4, 2, every_step=True, dtype=dtype),
}


@pytest.mark.every_case
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_the_judge_sees_the_loss_on_both_sides_of_what_stands_at_a_cut_or_step(kind, dtype):
    net, x, y, masks = make(NETWORKS[kind](dtype), 4, 0, steps=3)
    point = Point(net, x, y, masks)
    losses, single = CutLosses(point, 5), dtype == "float32"
    places = net.cut_activations(x, masks)
    looks = [
        (loss, from_cut(point, k)[0], places[name].ravel(), loss.places[0].entries)
        for k, (name, loss) in enumerate(losses.cuts.items())
    ]
    if losses.steps is not None:
        f, theta, tensors = loss_of_steps(net, x, y)
        at = np.concatenate([tensors[p.name][0] + p.entries for p in losses.steps.places])
        looks.append((losses.steps, f, theta, at))
    for loss, f, theta, at in looks:
        np.testing.assert_array_equal(loss.value, theta[at])
        assert (loss.machine_eps, loss.rounding) == ((2.0**-23, 1e-5) if single else (2.0**-52, 0))
        assert loss.scales.first[0] == pytest.approx(10 ** (-1.5 if single else -4.5))
        entries = np.array([len(at) - 1, 0])
        steps = np.array([[0.2, 0.1], [0.02, 0.01], [0.05, 0.3]])
        d = loss.look(entries, steps)
        assert (d.base, d.machine_eps) == (loss.base, loss.machine_eps)
        for column, entry in enumerate(entries):
            for row in range(3):
                for sign, got, taken in ((1, d.right, d.h_right), (-1, d.left, d.h_left)):
                    there = theta.copy()
                    there[at[entry]] += there.dtype.type(sign * steps[row, column])
                    assert got[row, column] == pytest.approx(
                        f(there), rel=1e-5 if single else 1e-12
                    )
                    moved = abs(float(there[at[entry]]) - float(theta[at[entry]]))
                    assert taken[row, column] == pytest.approx(moved, rel=1e-6 if single else 1e-15)
        slopes, _ = loss.at_step(0.125, CENTRAL)
        assert slopes.shape == (2, len(at))
        for row, h in enumerate((0.125, 0.25)):
            ends = []
            for sign in (1, -1):
                there = theta.copy()
                there[at[0]] += sign * h
                ends.append(f(there))
            quotient = (ends[0] - ends[1]) / (2 * h)
            assert slopes[row, 0] == pytest.approx(quotient, abs=1e-5 if single else 1e-12)


def test_a_cut_is_judged_with_the_noise_of_the_step_and_of_the_loss():
    net, x, y, masks = make(NETWORKS["mlp of squares"]("float64"), 4, 0)
    loss = CutLosses(Point(net, x, y, masks), 5).cuts["z1"]
    for eps in (1e-4, 1e-9):
        report = judged(loss, eps, CENTRAL)["z1"]
        bend = np.abs(np.diff(loss.at_step(eps, CENTRAL)[0], axis=0)[0])
        np.testing.assert_allclose(report.bounds, loss.noise / eps + bend)
        assert report.shape == (4, 4)
        assert len(report.entries) == 5
    exact = judged(loss, 1e-20, SCHEME_TABLE["complex_step"])["z1"]
    assert exact.verdict == "correct"
    assert exact.bounds.max() < 1e-15
    assert judged(loss, 1e-14, CENTRAL)["z1"].verdict == "inconclusive"
    whole = CutLosses(Point(net, x, y, masks), 16).at(1e-5, CENTRAL)
    assert whole["z1"].entries is None
    assert whole["z1"].analytic.shape == (4, 4)
    dead, x, y, _ = make(gl.mlp([2, 3, 2], "relu"), 3, 0)
    dead.params["b1"][1] = -99.0
    cut = CutLosses(Point(dead, x, y, None), 50).at(1e-5, CENTRAL)["z1"]
    assert (cut.marks[:, 1] == "zero").all()  # what nothing comes back from
    assert cut.verdict == "correct"


def test_the_time_steps_of_large_samples_share_it():
    net, x, y, masks = make(NETWORKS["lstm"]("float64"), 4, 0, steps=3)
    for samples, each in ((10, 4), (18, 4), (45, 10), (900, 16)):  # two in each of nine tensors
        steps = CutLosses(Point(net, x, y, masks), samples).steps
        sizes = {place.name: len(place.entries) for place in steps.places}
        assert sizes == {
            f"{part}{t}": min(each, 4 * (3 if part == "x" else 4))
            for part in "hcx" for t in (1, 2, 3)
        }  # fmt: skip
    other = CutLosses(Point(net, x, y, masks), 45, seed=1).steps
    first = CutLosses(Point(net, x, y, masks), 45).steps
    entries = [np.concatenate([p.entries for p in steps.places]) for steps in (first, other)]
    assert (entries[0] != entries[1]).any()

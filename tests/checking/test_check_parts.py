"""What `check` does around the judge: a gradient from elsewhere, copies, remarks, counts."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.check import own_gradient
from gradlab.checking.network_loss import NetworkLoss
from gradlab.nn.network import Point
from tests.checking.cases import case

# -- a numerical gradient from elsewhere ---------------------------------------------------------


def elsewhere(off, eps=1e-3, scheme="complex_step", tolerance=0.0):
    """Return the mark of an entry that is `off` over its tensor's largest, and the report."""
    net, x, y = case()
    a = {name: np.zeros(value.shape) for name, value in net.params.items()}
    a["W1"].flat[:3] = 2.0, 0.5, -0.25
    n = {name: value.copy() for name, value in a.items()}
    n["W1"].flat[1] += 2.0 * off
    report = gl.check(net, x, y, eps, scheme, analytic=a, numerical=n, tolerance=tolerance)
    assert report["W1"].marks.flat[0] == "ok"
    assert report["W1"].marks.flat[5] == "zero"
    assert report["W1"].numerical.flat[1] == n["W1"].flat[1]
    return str(report["W1"].marks.flat[1]), report


@pytest.mark.every_case
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("off", "tolerance", "mark"),
    [
        (0.98e-4, 0.0, "ok"), (1.02e-4, 0.0, "open"), (0.98e-2, 0.0, "open"),
        (1.02e-2, 0.0, "bug"), (0.98e-3, 1e-3, "ok"), (1.02e-3, 1e-3, "open"),
        (0.98e-2, 1e-3, "open"), (0.049, 0.05, "ok"), (0.051, 0.05, "bug"),
    ],
)  # fmt: skip
def test_a_gradient_from_elsewhere_agrees_to_a_ten_thousandth_and_is_wrong_from_a_hundredth(
    off, tolerance, mark, sign
):
    found, report = elsewhere(sign * off, tolerance=tolerance)
    assert found == mark
    assert report["W1"].verdict == {"ok": "correct", "open": "inconclusive", "bug": "wrong"}[mark]
    if mark == "open":
        assert "the numerical gradient that was given" in report["W1"].why
    if mark == "ok":
        assert report["W1"].resolution == pytest.approx(max(tolerance, 1e-4), rel=1e-3)
    assert report.evaluations == 2
    assert report["W1"].crossed_kinks == 0


def test_a_gradient_from_elsewhere_has_the_round_off_of_the_step_that_it_was_made_with():
    net, x, y = case()
    noise = 4 * np.finfo(float).eps * net.loss(x, y)  # a few roundings of the loss
    eps = noise / 2e-4  # twice that, and a ten-thousandth of the largest, 2, are allowed
    for off, mark in ((2.95e-4, "ok"), (3.05e-4, "open")):
        found, report = elsewhere(off, eps, "central")
        assert found == mark
        np.testing.assert_allclose(report["W1"].bounds, 2e-4)
    assert elsewhere(1.05e-4, eps, "complex_step")[0] == "open"  # which subtracts nothing
    assert elsewhere(0.0)[1].eps == 1e-3
    assert elsewhere(0.0, None, "central")[1].eps == pytest.approx(np.finfo(float).eps ** (1 / 3))
    assert elsewhere(0.0, None, "forward")[1].eps == pytest.approx(np.finfo(float).eps ** 0.5)


# -- which gradient, and of what -----------------------------------------------------------------


def test_the_gradient_of_a_network_of_ones_own_is_that_of_a_second_call():
    net, x, y = case(dropout_rate=0.3)
    calls = []

    class Adds(type(net)):
        def gradient(self, x, y, masks=None, params=None):
            calls.append(masks)
            return {k: len(calls) * v for k, v in super().gradient(x, y, masks, params).items()}

    plain = net.gradient(x, y)
    net.__class__ = Adds
    second = own_gradient(Point(net, x, y, None))
    assert len(calls) == 2
    np.testing.assert_allclose(second["W1"], 2 * plain["W1"])
    own_gradient(Point(net, x, y, np.random.default_rng(0)))  # whose masks are others each time
    assert len(calls) == 3
    assert gl.check(net, x, y).verdict == "wrong"


def test_what_is_found_out_later_is_about_what_was_checked():
    net, x, y = case(activation="relu", dropout_rate=0.3)
    masks = net.draw_masks(len(x), np.random.default_rng(0))
    net.params["W1"][:, 0] = net.params["b1"][0] = 0
    reports = [gl.check(net, x, y, masks=masks) for _ in range(2)]
    first = reports[0].warnings
    assert f"{len(x)} units or pooling windows are exactly at a kink" in first[0]
    net.params["b1"][0], x[...], y[...] = 1.0, 0.0, 0
    for mask in masks:
        mask[...] = 0
    assert reports[1].warnings == first
    one, x, y = case((4, 5, 3), activation="relu")
    x[0] = 0.0
    one.params["b1"][2] = 0.0
    (remark,) = gl.check(one, x, y).remarks
    assert remark.startswith("1 unit or pooling window is exactly at a kink")


def test_a_generator_is_copied_too_and_names_no_kinks():
    net, x, y = case(activation="relu", dropout_rate=0.5)
    rng = np.random.default_rng(3)
    report = gl.check(net, x, y, masks=rng)
    before = rng.bit_generator.state["state"]
    assert report.remarks == ()
    assert isinstance(report.warnings, tuple)
    assert rng.bit_generator.state["state"] == before


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"method": "sampled", "numerical": {}}, "numerical"),
        ({"method": "directional", "numerical": {}}, "numerical"),
        ({"method": "directional", "eps": 1e-5}, "eps or scheme"),
        ({"method": "directional", "scheme": "forward"}, "eps or scheme"),
    ],
)
def test_methods_that_do_not_go_together_are_named(options, what):
    with pytest.raises(ValueError, match=f"method must be 'full' where {what} is given, got 's|'d"):
        gl.check(*case(), **options)


def test_along_directions_a_network_is_told_by_its_name_and_has_no_causes():
    net, x, y = case()
    a = {name: 2 * g for name, g in net.gradient(x, y).items()}
    report = gl.check(net, x, y, analytic=a, method="directional", samples=3, seed=5)
    assert report.subject == repr(net)
    assert report["theta"].coverage == "3 directions"
    assert report.diagnosis == []
    other = gl.check(net, x, y, analytic=a, method="directional", samples=3, seed=6)
    assert (report["theta"].numerical != other["theta"].numerical).all()
    close = {name: 1.01 * g for name, g in net.gradient(x, y).items()}
    kind = {"analytic": close, "method": "directional"}
    assert gl.check(net, x, y, **kind).verdict == "wrong"
    assert gl.check(net, x, y, **kind, tolerance=0.05).verdict == "correct"


@pytest.mark.every_case
@pytest.mark.parametrize(("scheme", "each"), [("forward", 1), ("central", 2), ("five_point", 4),
                                              ("complex_step", 1)])  # fmt: skip
def test_a_step_costs_its_schemes_evaluations_twice_and_the_loss_at_theta(scheme, each):
    net, x, y = case()
    eps = {"complex_step": 1e-8, "five_point": 1e-3}.get(scheme, 1e-6)
    report = gl.check(net, x, y, eps, scheme)
    assert report.evaluations == 2 * each * net.size + 2
    assert (report.eps, report.scheme, report.verdict) == (eps, scheme, "correct")
    redrawn, x, y = case(dropout_rate=0.5)
    noisy = gl.check(redrawn, x, y, 1e-6, masks=np.random.default_rng(0))
    assert noisy.evaluations == 4 * net.size + 2
    assert np.isfinite(noisy["W1"].numerical).all()  # they are shown, and prove nothing
    nothing = gl.check(redrawn, x, y, masks=np.random.default_rng(0))
    assert nothing.evaluations == 14
    assert np.isnan(nothing["W1"].numerical).all()


def test_integers_are_gradients_and_float32_stays_float32():
    net, x, y = case()
    ones = {name: np.ones(value.shape, int) for name, value in net.params.items()}
    report = gl.check(net, x, y, analytic=ones, numerical=ones)
    assert report["W1"].analytic.dtype == float
    single = {name: g.astype(np.float32) for name, g in net.gradient(x, y).items()}
    assert gl.check(net, x, y, analytic=single).verdict == "correct"
    assert gl.check(net, x, y, analytic=single).resolution > 1e-5
    mixed = {**net.gradient(x, y), "b1": single["b1"]}  # one is enough
    assert gl.check(net, x, y, analytic=mixed)["W1"].resolution > 1e-5
    assert gl.check(net, x, y)["W1"].resolution < 1e-6
    for wrong in ({"W1": 1}, [1.0]):
        with pytest.raises(ValueError, match=r"numerical must have the keys \['W1', 'b1'"):
            gl.check(net, x, y, numerical=wrong)


# -- the network's loss, as the judge looks at it ------------------------------------------------

NETWORKS = {
    "mlp": lambda: case((3, 4, 2), 6, loss="mse", l2=0.2),
    "batch norm": lambda: case((3, 4, 2), 6, batch_norm=True),
    "float32": lambda: case((3, 4, 2), 6, dtype="float32"),
    "lstm": lambda: (gl.lstm(2, 3, 2, seed=1), np.random.default_rng(0).standard_normal((3, 4, 2)),
                     np.array([0, 1, 1, 0])),
}  # fmt: skip


@pytest.mark.every_case
@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_judge_sees_the_loss_on_both_sides_of_each_entry(name, sampled):
    net, x, y = NETWORKS[name]()
    gradient = net.gradient(x, y)
    picked = {n: np.arange(v.size)[::3] for n, v in net.params.items()} if sampled else None
    loss = NetworkLoss(Point(net, x, y, None), gradient, picked)
    loss.glance()
    at = np.concatenate([
        net.tensors[n][0] + (np.arange(v.size) if picked is None else picked[n])
        for n, v in net.params.items()
    ])  # fmt: skip
    np.testing.assert_array_equal(loss.gradient, net.unroll(gradient)[at])
    np.testing.assert_array_equal(loss.value_size, np.abs(net.theta[at]))
    np.testing.assert_array_equal(loss.size, np.maximum(1, np.abs(net.theta[at])))
    assert [p.stop - p.start for p in loss.tensors] == [
        len(loss.inside[n]) for n in net.params
    ]  # fmt: skip
    single = net.dtype == np.float32
    entries = np.arange(0, len(at), 2)
    steps = np.array([[0.1], [0.03]]) * np.ones(len(entries))
    d, f = loss.look(entries, steps), net.loss_function(x, y)
    assert d.base == f(net.theta)
    assert d.kinks is None
    for k, e in enumerate(entries):
        for row in range(2):
            for sign, got, taken in ((1, d.right, d.h_right), (-1, d.left, d.h_left)):
                there = net.theta.copy()
                there[at[e]] += there.dtype.type(sign * steps[row, k])
                assert got[row, k] == pytest.approx(f(there), rel=1e-6 if single else 1e-13)
                step = abs(float(there[at[e]]) - float(net.theta[at[e]]))
                assert taken[row, k] == step
    assert loss.scales.first[0] == 10.0 ** (-1.5 if single else -4.5)
    assert loss.rounding == (1e-5 if single else 0.0)


def test_the_noise_of_a_network_is_a_few_roundings_and_for_logarithms_that_of_1():
    eps = np.finfo(float).eps
    net, x, y = case((3, 4, 2), 6, loss="mse")
    loss = NetworkLoss(Point(net, x, y, None), net.gradient(x, y))
    background = loss.glance()
    assert background.noise == loss.noise == 4 * eps * net.loss(x, y)
    assert (background.evaluations, background.deterministic) == (2, True)
    assert background.same == 64 * eps * net.loss(x, y)
    perfect = NetworkLoss(Point(net, x, net.predict(x), None), net.gradient(x, y))
    assert perfect.glance().noise < 1e-30
    fitted = gl.mlp([2, 3, 2], weight_scale=60.0, seed=1)
    x, _ = gl.data.moons(8)
    sure = Point(fitted, x, fitted.predict(x).argmax(axis=1), None)
    logs = NetworkLoss(sure, fitted.gradient(*sure[1:3]))
    logs.glance()
    assert logs.noise == max(eps / 2, 4 * eps * logs.base)
    single, x, y = case((3, 4, 2), 6, dtype="float32")
    coarse = NetworkLoss(Point(single, x, y, None), single.gradient(x, y)).glance()
    assert coarse.single
    assert not background.single
    assert coarse.noise == pytest.approx(4 * 2.0**-23 * single.loss(x, y))
    dropped, x, y = case(dropout_rate=0.5)
    redrawn = Point(dropped, x, y, np.random.default_rng(0))
    assert not NetworkLoss(redrawn, dropped.gradient(x, y)).glance().deterministic


def test_kinks_are_counted_on_the_ladder_where_there_are_any():
    net, x, y = case((2, 5, 2), 9, activation="relu")
    loss = NetworkLoss(Point(net, x, y, None), net.gradient(x, y))
    loss.glance()
    entries = np.arange(loss.tensors[1].start, loss.tensors[1].stop)  # b1, which moves z itself
    z = x @ net.params["W1"] + net.params["b1"]
    steps = np.array([[0.5], [0.2], [0.05]]) * np.ones(5)
    expected = [
        [sum(((z[:, k] + s * h > 0) != (z[:, k] > 0)).sum() for s in (1, -1)) for k in range(5)]
        for h in steps[:, 0]
    ]
    assert loss.look(entries, steps).kinks.tolist() == expected
    assert loss.look(entries, steps[:2]).kinks is None  # two steps are the first look
    own = np.zeros(len(loss.gradient))
    own[entries] = 0.5
    own[-1] = np.nan  # where nothing is known no step was taken
    crossed = loss.crossed_kinks(own)
    assert crossed[entries].tolist() == expected[0]
    assert crossed.sum() == sum(expected[0])


def test_beside_theta_there_is_the_same_network_with_the_gradient_there():
    net, x, y = case((3, 4, 2), 6)
    theta = net.theta

    def sides(gradient_of):
        loss = NetworkLoss(Point(net, x, y, None), net.gradient(x, y), None, gradient_of)
        loss.glance()
        return loss, loss.beside()

    loss, (right, left) = sides(lambda other: other.gradient(x, y))
    np.testing.assert_allclose((right.theta + left.theta) / 2, theta)
    np.testing.assert_allclose(
        np.abs(right.theta - theta), 1e-3 * np.maximum(1, np.abs(theta)), rtol=1e-9
    )
    for side in (right, left):
        there = net.copy()
        there.theta = side.theta
        assert side.base == there.loss(x, y)
        assert side.noise == loss.noise
        np.testing.assert_array_equal(side.gradient, there.unroll(there.gradient(x, y)))
        assert side.beside() is None
    assert loss.repeats()
    assert np.array_equal(net.theta, theta)
    assert sides(None)[1] is None
    assert sides(lambda other: 1 / 0)[1] is None
    nan = {name: np.nan * value for name, value in net.params.items()}
    assert sides(lambda other: {**net.gradient(x, y), "b2": nan["b2"]})[1] is None

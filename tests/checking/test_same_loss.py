"""Whether a network has somebody's loss: which factor, which lam, how exactly, in which words."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.own_code import OwnCode
from gradlab.checking.recognise.layouts import Layout, Piece
from gradlab.checking.recognise.network import (
    HEADS,
    NEAR,
    SAME,
    Fit,
    Match,
    Work,
    _filled,
    _fit,
    _matches,
    _may_fit,
    _name_of,
    _named,
    _names,
    _targets,
    recognise,
)

SIZES = {"N": 5, "K": 3, "T": 1}
rng = np.random.default_rng(0)
DATA = rng.uniform(0.5, 2.0, 6)
SQUARES = [rng.uniform(1.0, 3.0, 6) for _ in range(2)]


# -- words ---------------------------------------------------------------------------------------


def match(net, fit=None, about=""):
    fit = fit or Fit(1.0, 0.0, "", False, 1e-15)
    layout = Layout(None, 1, {}, np.zeros((4, 2)), (4,), about)
    return Match(net, layout, layout.x, np.zeros((4, 3)), fit, True)


def test_a_network_that_has_the_loss_is_told_as_one_makes_it():
    net = gl.mlp([2, 4, 3], "tanh", loss="mse", l2=0.5)
    assert str(match(net)) == (
        "that of gl.mlp([2, 4, 3], activation='tanh', loss='mse'); equal at 6 points to 15 digits"
    )
    weights = str(match(net, Fit(2.5, 0.125, "N / 2", False, 3e-12)))
    assert weights.startswith("N / 2 times that of gl.mlp(")
    assert weights.endswith(
        "'mse') + 1/2 lam * (the sum of squares of the weights), lam = 0.125; equal at 6 points "
        "to 11 digits"
    )
    assert "squares of all arrays), lam = 0.125" in str(match(net, Fit(1, 0.125, "", True, 0.0)))
    assert str(match(net, Fit(1, 0, "", False, 0.0))).endswith("to 15 digits")
    assert str(match(net, Fit(1, 0, "", False, 2e-7))).endswith("to 6 digits")
    assert "loss='mse') (with something);" in str(match(net, about="with something"))


def test_a_slope_of_leaky_relu_is_told_if_it_is_not_the_usual_one():
    usual = gl.mlp([2, 4, 3], "leaky_relu")
    assert "slope" not in str(match(usual))
    steep = Layout(None, 1, {}, np.zeros((4, 2)), (4,))
    (layout,) = [
        one for one in _layouts([("W", (2, 4)), ("V", (4, 3))]) if one.hidden == steep.hidden
    ][:1]
    net = layout.make(("leaky_relu, slope 0.2",), "mse", "identity")
    assert "(slope 0.2 in leaky_relu)" in str(match(net))


def _layouts(shapes, x=None):
    from gradlab.checking.recognise.layouts import layouts

    pieces, start = [], 0
    for name, shape in shapes:
        size = int(np.prod(shape))
        pieces.append(Piece(name, np.arange(start, start + size).reshape(shape), name))
        start += size
    return layouts(pieces, np.zeros((5, 2)) if x is None else x)


def test_a_convnet_is_told_by_what_cannot_be_seen_in_its_shapes():
    shapes = [("K", (2, 1, 3, 3)), ("c", (2,)), ("W", (32, 3)), ("b", (3,))]
    layout = next(iter(_layouts(shapes, np.zeros((5, 1, 8, 8)))))
    net = layout.make(("tanh",), "softmax_cross_entropy", "identity")
    assert str(match(net, about=layout.about)).startswith(
        "that of 1 convolution(s), padding [1], each with activation and max pool; 1 dense "
        "layer(s), softmax_cross_entropy, tanh; equal"
    )
    both = layout.make(("tanh",), "mse", "sigmoid")
    assert ", mse, sigmoid and tanh;" in str(match(both, about=layout.about))


# -- factor and lam ------------------------------------------------------------------------------


def values(scale=1.0, lam=0.0, which=0, off=0.0):
    """Return losses at six points, one of which is off, relative to the largest."""
    made = scale * DATA + 0.5 * lam * SQUARES[which]
    made[3] += off * np.abs(made).max()
    return made


def test_how_far_a_loss_may_be_off():
    exact = 1e-11
    fit = lambda off, **more: _fit(values(off=off, **more), DATA, SQUARES, SIZES, exact)  # noqa: E731
    assert fit(0.9 * exact).left < exact
    assert fit(2e-11).left > exact  # nearly the same
    assert fit(0.9 * NEAR).left == pytest.approx(0.9 * NEAR, rel=1e-3)
    assert fit(2 * NEAR) is None  # which a small lam cannot make up for
    assert fit(1e-4) is None
    single = lambda off: _fit(values(off=off), DATA, SQUARES, SIZES, 1e-5)  # noqa: E731
    assert single(0.9e-5) is not None
    assert single(2e-5) is None

    def may(off, **more):
        given = values(**more)[:2] * [1, 1 + off]
        return _may_fit(given, DATA[:2], SQUARES, SIZES, exact)

    assert may(2 * NEAR)
    assert not may(1e-3)
    assert may(0.0, lam=0.3)
    assert may(0.0, lam=0.3, which=1)
    assert may(0.0, scale=1 / 15)
    assert not may(0.0, scale=1.7)
    assert not may(0.0, scale=1.7, lam=0.3)


def test_the_simplest_that_is_exact_wins_over_what_is_nearly_so():
    """With L2 over all arrays exactly; over the weights alone it would be near."""
    near = [SQUARES[1] * (1 + 1e-8 * rng.standard_normal(6)), SQUARES[1]]
    made = DATA + 0.5 * 0.1 * SQUARES[1]
    found = _fit(made, DATA, near, SIZES, 1e-11)
    assert found.over_all
    assert found.left < 1e-14
    both = _fit(made, DATA, [SQUARES[1], SQUARES[1]], SIZES, 1e-11)
    assert not both.over_all  # of two that fit, the weights
    loose = _fit(made * (1 + 1e-8), DATA, near, SIZES, 1e-11)
    assert loose is not None
    assert loose.left > 1e-11


def test_a_lam_that_is_short_is_told_to_the_last_digit():
    for lam in (0.1, 0.3, 1e-4, 0.123456):
        found = _fit(values(lam=lam), DATA, SQUARES, SIZES, 1e-11)
        assert found.lam == lam
    long = 0.123456789
    assert _fit(values(lam=long), DATA, SQUARES, SIZES, 1e-11).lam == pytest.approx(long, rel=1e-9)
    assert _fit(values(lam=0.1 * (1 + 2e-8)), DATA, SQUARES, SIZES, 1e-11).lam != 0.1
    assert _fit(values(), DATA, SQUARES, SIZES, 1e-11).lam == 0.0


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("factor", "called"),
    [
        (1.0, ""), (-1.0, "-1"), (2.0, "2"), (0.5, "0.5"), (5.0, "N"), (1 / 5, "1 / N"),
        (3.0, "K"), (15.0, "N * K"), (1 / 15, "1 / N / K"), (5 / 3, "N / K"), (3 / 5, "K / N"),
        (10.0, "2 * N"), (2.5, "0.5 * N"), (-5.0, "-1 * N"), (0.1, "0.5 / N"), (4.0, None),
        (1.0009, ""), (1.0011, None), (0.9991, ""), (0.9989, None),
    ],
)  # fmt: skip
def test_a_factor_is_called_by_the_batch_and_the_outputs(factor, called):
    name, exact = _name_of(factor, {"N": 5, "K": 3, "T": 1})
    assert name == called
    if called is None:
        assert exact == factor
    elif called:
        assert eval(called, {"N": 5, "K": 3}) == pytest.approx(exact, rel=1e-15)  # noqa: S307
        assert abs(exact - factor) < 1e-3 * abs(exact)


def test_of_two_names_the_plainer_one_is_taken():
    assert _name_of(2.0, {"N": 2, "K": 3, "T": 1})[0] == "N"  # a plain number is odder than a size
    assert _name_of(4.0, {"N": 2, "K": 4, "T": 1})[0] == "K"
    assert _name_of(6.0, {"N": 6, "K": 3, "T": 2})[0] == "N"
    assert _name_of(0.5, {"N": 4, "K": 3, "T": 2})[0] == "1 / T"
    odd = {name: how for how, name, _ in _names((("N", 5), ("K", 3)))}
    assert (odd[""], odd["N"], odd["N / K"], odd["2"], odd["2 * N"]) == (0, 1, 2, 1.5, 2.5)
    assert len(odd) == 4 * 3 * 3


# -- what y may mean -----------------------------------------------------------------------------


def test_each_meaning_of_y_is_tried_once():
    square = np.array([[0.1, 0.9], [0.3, 0.7]])
    found = [t.tolist() for t in _targets(square, (2,), 2, "mse")]
    assert found == [square.tolist(), square.T.tolist()]
    same = np.array([[0.5, 0.5], [0.5, 0.5]])
    assert len([*_targets(same, (2,), 2, "mse")]) == 1
    steps = np.arange(12.0).reshape(2, 3, 2)
    first, second = _targets(steps, (2, 3), 2, "mse"), _targets(steps, (3, 2), 2, "mse")
    assert np.array_equal(next(first), steps.reshape(6, 2))
    assert np.array_equal([*second][-1], steps.swapaxes(0, 1).reshape(6, 2))
    labels = np.array([[0, 1, 1], [1, 0, 0]])
    (one, other) = _targets(labels, (2, 3), 2, "softmax_cross_entropy")
    assert one.argmax(axis=1).tolist() == [0, 1, 1, 1, 0, 0]
    assert other.argmax(axis=1).tolist() == [0, 1, 1, 0, 1, 0]
    assert [*_targets(np.array(["a", "b"]), (2,), 2, "mse")] == []
    assert [t.ravel().tolist() for t in _targets(np.ones((1, 2)), (2,), 1, "mse")] == [[1, 1]]
    assert [*_targets(np.array([[1.5, -0.5]]), (1,), 2, "softmax_cross_entropy")] == []


def test_a_named_network_keeps_its_own_axes_and_turns_what_is_turned():
    lstm = gl.lstm(2, 3, 2)
    pieces = [
        Piece(name, np.arange(value.size).reshape(value.shape), name)
        for name, value in lstm.params.items()
    ]
    layout = _named(lstm, pieces, np.zeros((4, 5, 2)))
    assert (layout.rows, layout.hidden) == ((5,), 0)
    assert layout.make((), "", "").l2 == 0.0
    square = gl.mlp([3, 3])
    kept = _named(square, [Piece("A", np.arange(9).reshape(3, 3), "A"),
                           Piece("b", np.arange(3)[:, None], "b")], np.zeros((4, 3)))  # fmt: skip
    assert (kept.parts["W1"].text, kept.parts["b1"].text) == ("A", "b")
    with pytest.raises(ValueError, match=r"in this order, got \{'W1': \(3, 3\), 'b1': \(3,\)\}"):
        _named(square, [Piece("A", np.arange(9).reshape(3, 3), "A")], np.zeros((4, 3)))
    with pytest.raises(ValueError, match="x must"):
        _named(square, [Piece("A", np.arange(9).reshape(3, 3), "A"),
                        Piece("b", np.arange(3), "b")], np.zeros((4, 2)))  # fmt: skip


# -- the search ----------------------------------------------------------------------------------


def own_mlp(output="tanh", lam=0.0, scale=1.0, dtype=float, nearly=0.0, over_all=False):
    """Return somebody's loss of a dense layer with an activation at the output."""
    made = np.random.default_rng(3)
    x, y = made.standard_normal((5, 2)).astype(dtype), made.standard_normal((5, 3)).astype(dtype)
    arrays = {"A": made.standard_normal((2, 3)).astype(dtype), "c": np.ones(3, dtype)}
    f = {"tanh": np.tanh, "identity": lambda z: z}[output]

    def loss():
        z = x @ arrays["A"] + arrays["c"]
        some = [arrays["A"], arrays["c"]] if over_all else [arrays["A"]]
        l2 = 0.5 * lam * sum((a**2).sum() for a in some)
        return scale * ((f(z) - y) ** 2).sum() / 5 + l2 + nearly * np.sin(arrays["A"][0, 0])

    return OwnCode(loss, arrays, {k: v * 0 for k, v in arrays.items()}), x, y, arrays


@pytest.mark.parametrize("output", ["tanh", "identity"])
@pytest.mark.parametrize("over_all", [False, True])
def test_a_network_is_found_with_its_output_its_scale_and_lam(output, over_all):
    own, x, y, arrays = own_mlp(output, 0.3, 2.5, over_all=over_all)
    with own:
        found = recognise(own, x, y)
    assert found.is_exact
    assert (found.fit.called, found.fit.lam, found.fit.over_all) == ("0.5 * N", 0.3, over_all)
    assert found.net.l2 == pytest.approx(0.3 / 2.5)
    assert np.array_equal(found.net.params["W1"], arrays["A"])
    assert np.array_equal(found.net.params["b1"], arrays["c"])
    ours = gl.mlp([2, 3], output_activation=output, loss="mse").replace(l2=0.0)
    ours.params.update(found.net.params)
    theirs = own.at(own.theta[None])[0]
    squares = sum((a**2).sum() for a in (arrays.values() if over_all else [arrays["A"]]))
    assert theirs == pytest.approx(2.5 * ours.loss(x, y) + 0.15 * squares, rel=1e-12)


def test_one_that_is_nearly_the_same_is_taken_if_none_is_exact():
    own, x, y, _ = own_mlp(nearly=1e-7)
    with own:
        found = recognise(own, x, y)
    assert not found.is_exact
    assert SAME[8] < found.fit.left < NEAR
    own, x, y, _ = own_mlp(nearly=1e-3)
    with own:
        assert recognise(own, x, y) is None


def test_a_loss_that_is_not_finite_anywhere_is_no_network():
    _, x, y, arrays = own_mlp()
    bad = OwnCode(lambda: np.inf if arrays["A"][0, 0] > -9 else 1.0, arrays, dict(arrays))
    with bad:
        assert recognise(bad, x, y) is None


def test_a_layout_ends_where_no_target_fits_or_no_work_is_left():
    own, x, y, _ = own_mlp()
    points = np.vstack([own.theta[None], own.elsewhere(5)])
    shapes = [("A", (2, 3)), ("c", (3,))]
    layout = next(iter(_layouts(shapes, x)))
    with own:
        given = points, own.at(points)
    run = lambda y, work, heads=HEADS: [  # noqa: E731
        m.net.loss_name for m in _matches(layout, heads, *given, y, 1e-11, work)
    ]
    assert "mse" in run(y, Work(np.inf))
    assert run(y, Work(1.0)) == []
    assert run(y[:4], Work(np.inf)) == []
    without_head = Layout(layout.make, 0, layout.parts, x, (5,), has_head=False)
    assert [*_matches(without_head, HEADS, *given, y, 1e-11, Work(np.inf))] == []
    found = next(_matches(layout, HEADS, *given, y, 1e-11, Work(np.inf)))
    filled = _filled(found, own.theta)
    assert filled.net is not found.net
    assert filled.net.params["W1"].tolist() == own.theta[:6].reshape(2, 3).tolist()

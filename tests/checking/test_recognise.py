"""`gl.explain`: the wrong line in a network of one's own, in one's own names."""

import re
from itertools import product

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.blocks import WIDTH
from gradlab.checking.own_code import OwnCode
from gradlab.checking.recognise.network import recognise
from tests.checking.own_networks import (
    BUGS,
    MAKERS,
    class_with_params,
    columns,
    eleven_lines,
    flat_theta,
    l2_on_everything,
    ones_before_x,
    planted,
    pure_functions,
    safe_log,
)


@pytest.mark.every_case
@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_of_a_right_network_nothing_is_claimed(maker):
    found = gl.explain(*maker())
    assert (found.report.verdict, found.causes, found.network) == ("correct", [], None)
    assert str(found).startswith(("✓ correct: ", "✓ correct here, and "))  # blind to 0 = 0, say


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug[0].__name__}: {bug[2].strip()}")
def test_the_mistyped_line_is_named_first(bug):
    maker, right, wrong, where, wrong_line, right_line = bug
    found = gl.explain(*planted(maker, right, wrong)())
    assert found.report.verdict == "wrong"
    first = found.causes[0]
    assert first.where.startswith(where)
    assert wrong_line in first.wrong_line
    assert right_line in first.right_line
    assert first.certain == (maker is not safe_log)  # whose loss is no network's to the last digit
    text = str(found)
    assert max(map(len, text.split("\n"))) <= WIDTH
    if len(first.parts) == 1:
        assert "".join(f"wrong  {first.wrong_line}".split()) in "".join(text.split())


def wrong_columns():
    return planted(columns, "* (1 - A1**2)", "* (1 - A1)")()


def test_what_is_printed():
    found = gl.explain(*planted(l2_on_everything, "np.where(z > 0, 1, 0.01)", "(z > 0)")())
    verdict, causes, notes = str(found).split("\n\n")
    assert verdict.startswith("✗ wrong: W0, b0: ")
    title, *lines, fit = causes.split("\n")
    assert title == "Cause: a wrong line, layer 1, leaky_relu"
    assert lines == [
        "    wrong  dz1 = da1 * (z1 > 0)",
        "    right  dz1 = da1 * where(z1 > 0, 1, 0.01)",
        " " * 23 + "^" * 21,
    ]
    digits = int(-np.log10(found.causes[0].residual))
    assert (
        fit == f"The wrong line reproduces the error of your gradient to {min(digits, 12)} digits."
    )
    network = " ".join(notes.split())
    assert network.startswith(
        "Your loss is N times that of gl.mlp([3, 4, 2], activation='leaky_relu', loss='mse') + "
        "1/2 lam * (the sum of squares of all arrays), lam = 0.2; equal at 6 points to 15 digits."
    )
    assert "what stands between (z1, a1, dz1, …) has ours" in network
    assert "z1 &gt; 0" in re.sub("<.*?>", "", found._repr_html_())
    assert repr(found) == "Explanation(wrong, wrong: ['W0', 'b0'])"


def test_in_a_summed_loss_a_term_without_lam_is_told_in_its_units():
    source = planted(l2_on_everything, "g[k] + lam * P[k]", "g[k] + P[k] * (k == 'W1')")
    loss, arrays, grads, x, y = source()
    only = {k: grads()[k] if k == "W1" else l2_on_everything()[2]()[k] for k in arrays}
    first = gl.explain(loss, arrays, only, x, y).causes[0]
    assert first.where == "output, L2"
    scope = {"data_dW1": only["W1"] - arrays["W1"], "W1": arrays["W1"], "lam": 0.2, "N": len(x)}
    exec(first.wrong_line, scope)  # noqa: S102 - a line that is told is true of the caller's code
    assert np.allclose(scope["dW1"], only["W1"], rtol=1e-9)


def test_a_bound_of_clipping_is_told_in_its_units():
    loss, arrays, grads, x, y = pure_functions()
    clipped = {name: np.clip(value, -0.5, 0.5) for name, value in grads(arrays).items()}
    found = gl.explain(loss, arrays, clipped, x, y)
    first = found.causes[0]
    assert first.wrong_line == "g = np.clip(g, -0.0833333, 0.0833333)"
    assert "g is your gradient over (N)" in " ".join(str(found).split())


def test_like_names_the_network():
    loss, arrays, grads, x, y = wrong_columns()
    net = gl.mlp([3, 4, 1], loss="binary_cross_entropy", seed=3)
    before = net.theta.copy()
    found = gl.explain(loss, arrays, grads, x.T, y.T, like=net)
    assert found.causes[0].wrong_line == "dz1 = da1 * (1 - a1)"
    assert np.array_equal(net.theta, before)
    other = gl.mlp([3, 4, 1], "relu", loss="binary_cross_entropy")
    found = gl.explain(loss, arrays, grads, x.T, y.T, like=other)
    assert found.network is None
    assert "has another loss than your code" in " ".join(str(found).split())
    with pytest.raises(ValueError, match="like must have the arrays' shapes"):
        gl.explain(loss, arrays, grads, x.T, y.T, like=gl.mlp([3, 5, 1]))


def test_examples_may_be_columns_of_the_targets_as_well():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((3, 9)), rng.standard_normal((2, 9))
    par = {"W1": rng.standard_normal((4, 3)), "b1": rng.standard_normal((4, 1)),
           "W2": rng.standard_normal((2, 4)), "b2": rng.standard_normal((2, 1))}  # fmt: skip

    def forward():
        A1 = np.tanh(par["W1"] @ X + par["b1"])
        return A1, par["W2"] @ A1 + par["b2"] - Y

    def backward():
        A1, off = forward()
        d = 2 / 9 * off
        d1 = par["W2"].T @ d * (1 - A1)  # the square is forgotten
        grads = d1 @ X.T, d1.sum(1, keepdims=True), d @ A1.T, d.sum(1, keepdims=True)
        return dict(zip(par, grads, strict=True))

    found = gl.explain(lambda: np.sum(forward()[1] ** 2) / 9, par, backward, X, Y)
    assert found.causes[0].wrong_line == "dz1 = da1 * (1 - a1)"


def test_gradlabs_own_networks_are_recognised():
    rng = np.random.default_rng(0)
    for net in (
        gl.convnet((1, 8, 8), filters=(2, 2), padding=(1, 1), classes=3, pool="average", l2=0.01),
        gl.lstm(3, 3, 2, every_step=True),
    ):
        shape = [4 if size is None else size for size in net.input_shape]
        shape.insert(net.batch_axis, 5)
        x, rows = rng.standard_normal(shape), (4, 5) if net.batch_axis else 5
        y = rng.integers(0, net.outputs, rows)
        grads = net.gradient(x, y)
        name = next(name for name in grads if "b" in name)
        grads[name] = 0.9 * grads[name]
        found = gl.explain(lambda net=net, x=x, y=y: net.loss(x, y), net.params, grads, x, y)
        assert found.network is not None
        assert found.causes[0].wrong_line.startswith(f"d{name} ")
        assert "= 0.9 * " in found.causes[0].wrong_line


def test_an_unknown_network_and_no_data():
    loss, arrays, grads, x, y = eleven_lines()

    def other():
        return loss() + np.sin(arrays["syn0"]).sum()

    found = gl.explain(other, arrays, grads, x, y)
    assert (found.report.verdict, found.network) == ("wrong", None)
    assert not any(cause.wrong_line for cause in found.causes)
    text = " ".join(str(found).split())
    assert "No network of gradlab's was recognised in your loss" in text
    assert "like= can name it" in text
    found = gl.explain(other, arrays, grads)
    assert "With x and y, the line could be looked for" in str(found)


def test_many_square_layers_end_in_time():
    rng = np.random.default_rng(0)
    arrays = {f"W{k}": rng.standard_normal((5, 5)) for k in range(4)}
    x = rng.standard_normal((5, 5))
    grads = {name: value**2 for name, value in arrays.items()}
    found = gl.explain(lambda: sum((v**3).sum() for v in arrays.values()), arrays, grads, x, x)
    assert found.network is None


@pytest.mark.parametrize("kind", ["lstm", "convnet"])
def test_what_is_not_recognised_takes_no_long_search(kind):
    rng = np.random.default_rng(0)
    if kind == "lstm":  # where any axis may be the time, and any the features
        arrays = {"Wx": (16, 64), "Wh": (16, 64), "b": (64,), "Wy": (16, 3), "by": (3,)}
        x, y = rng.standard_normal((16, 16, 16)), rng.integers(0, 3, 16)
    else:
        arrays = {"K": (4, 1, 3, 3), "c": (4,), "W": (784, 10), "b": (10,)}
        x, y = rng.standard_normal((64, 1, 28, 28)), rng.integers(0, 10, 64)
    arrays = {name: 0.1 * rng.standard_normal(shape) for name, shape in arrays.items()}
    own = OwnCode(lambda: 3 + sum(np.sin(v).sum() for v in arrays.values()), arrays, arrays)
    with own:
        assert recognise(own, x, y.astype(float)) is None


def test_a_search_ends_when_its_work_is_done(monkeypatch):
    monkeypatch.setattr("gradlab.checking.recognise.network.MOST_WORK", 0)
    found = gl.explain(*wrong_columns())
    assert (found.report.verdict, found.network) == ("wrong", None)


def test_without_the_line_a_network_with_ones_is_recognised():
    bug = planted(ones_before_x, "(d3 @ Theta2)[:, 1:]", "(d3 @ Theta2)[:, :-1]")
    found = gl.explain(*bug())
    assert "gl.mlp([4, 6, 3], activation='sigmoid', loss='binary_cross_en" in found.network
    assert not any(cause.certain for cause in found.causes)


def test_a_bias_in_any_column_or_row():
    for first, turned in product((True, False), (True, False)):
        loss, thetas, grads, x, y = planted(ones_before_x, "d3 = h - Y", "d3 = 2 * (h - Y)")()

        def put(a, first=first, turned=turned):
            a = a if first else np.roll(a, -1, axis=1)
            return np.ascontiguousarray(a if turned else a.T)

        def own_loss(p, loss=loss, thetas=thetas, first=first, turned=turned):
            for name, a in p.items():
                a = a if turned else a.T
                thetas[name][...] = a if first else np.roll(a, 1, axis=1)
            return loss()

        arrays = {name: put(a) for name, a in thetas.items()}
        wrong = {name: put(a) for name, a in grads().items()}
        found = gl.explain(own_loss, arrays, wrong, x, y)
        assert "gl.mlp([4, 6, 3], activation='sigmoid'" in found.network, (first, turned)
        assert found.causes[0].where.startswith("loss")


def test_a_sample_of_the_entries_is_enough():
    found = gl.explain(*planted(eleven_lines, "* (l1 * (1 - l1))", "* l1")(), samples=5)
    assert found.report["syn0"].coverage == "5 of 12 entries"
    assert (found.causes[0].certain, found.causes[0].wrong_line) == (True, "dz1 = da1 * a1")


def test_float32():
    rng = np.random.default_rng(1)
    x, y, W1, W2 = (rng.standard_normal(shape).astype(np.float32)
                    for shape in ((6, 3), (6, 2), (3, 4), (4, 2)))  # fmt: skip

    def loss():
        return ((np.tanh(x @ W1) @ W2 - y) ** 2).sum() / np.float32(6)

    def grads():
        h = np.tanh(x @ W1)
        d = 2 * (h @ W2 - y) / np.float32(6)
        return {"W1": x.T @ (d @ W2.T * (1 - h)), "W2": h.T @ d}

    found = gl.explain(loss, {"W1": W1, "W2": W2}, grads, x, y)
    assert found.causes[0].wrong_line == "dz1 = da1 * (1 - a1)"


def test_gradients_that_add_up_are_told_before_any_line():
    loss, arrays, grads, x, y = flat_theta()
    total = {name: np.zeros_like(value) for name, value in arrays.items()}

    def adding():
        for name, value in grads().items():
            total[name] += value
        return total

    found = gl.explain(loss, arrays, adding, x, y)
    assert found.causes[0].cause.startswith("gradients are added to those of the call before")


# -- the arrays, and what comes in ------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("call", [1, 2, 9, 60])
def test_arrays_are_put_back_bit_by_bit(error, call):
    loss, arrays, grads, x, y = wrong_columns()
    arrays["b1"][:] = -0.0
    before = {name: value.tobytes() for name, value in arrays.items()}
    calls = []

    def failing():
        calls.append(1)
        if error is not None and len(calls) == call:
            raise error("stop")
        return loss()

    try:
        gl.explain(failing, arrays, grads, x, y)
    except (RuntimeError, KeyboardInterrupt, SystemExit) as raised:
        assert type(raised) is error  # noqa: PT017 - a step that fails may be skipped: no raise
    assert len(calls) >= call
    assert {name: value.tobytes() for name, value in arrays.items()} == before


def test_a_loss_of_one_argument_gets_copies():
    loss, arrays, grads, x, t = pure_functions()
    for value in arrays.values():
        value.flags.writeable = False

    def spoiling(p):
        value = loss(p)
        for array in p.values():
            array[...] = np.nan
        return value

    assert gl.explain(spoiling, arrays, grads, x, t).report.verdict == "correct"


def linear(**changed):
    rng = np.random.default_rng(0)
    W, x, y = rng.standard_normal((3, 2)), rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    given = {
        "loss": lambda: ((x @ W - y) ** 2).sum(), "arrays": {"W": W},
        "grads": {"W": 2 * x.T @ (x @ W - y)}, "x": x, "y": y,
    }  # fmt: skip
    return gl.explain(**{**given, **changed})


BAD = [
    ({"loss": 3.0}, TypeError, "loss must be a function, got float"),
    ({"loss": lambda a, b: 0.0}, TypeError, "loss must take no argument, or one .* of a, b"),
    ({"loss": lambda: [1.0, 2.0]}, TypeError, r"loss\(\) must return .* got a list of 2"),
    ({"loss": lambda: np.nan}, ValueError, r"loss\(\) must return a finite number, got nan"),
    ({"loss": lambda: 1.0}, ValueError, "loss must read `arrays` where they lie"),
    ({"arrays": [1]}, TypeError, "arrays must be a dict of name to array, got list"),
    ({"arrays": {}}, ValueError, "arrays must hold at least one array"),
    ({"arrays": {1: np.ones(2)}}, TypeError, "arrays must have names as keys, got 1"),
    ({"arrays": {"W": np.ones((3, 2), int)}}, TypeError, r"arrays\['W'\] must be .* got int64"),
    ({"arrays": {"W": [1.0]}}, TypeError, r"arrays\['W'\] must be an ndarray .* got list"),
    ({"arrays": {"W": np.full(2, np.inf)}}, ValueError, r"arrays\['W'\] must be finite, got inf"),
    ({"arrays": {"W": np.ones((0, 2))}}, ValueError, r"arrays\['W'\] must have entries"),
    ({"arrays": {"W": np.broadcast_to(1.0, (3, 2))}}, ValueError, "and a place for each"),
    ({"grads": {"V": np.ones((3, 2))}}, ValueError, r"grads must have the keys .*\['W'\], got"),
    ({"grads": {"W": np.ones((2, 3))}}, ValueError, r"grads\['W'\] must have shape \(3, 2\), got"),
    ({"grads": np.ones(6)}, TypeError, "grads must be a dict with the keys of arrays, got ndarray"),
    ({"grads": lambda: None}, TypeError, r"grads\(\) must be a dict .* got NoneType"),
    ({"y": None}, ValueError, "x and y must be given both"),
    ({"x": "abc"}, TypeError, "x must hold real numbers"),
    ({"x": np.array(2.0)}, ValueError, "x must be an array of N examples, .* number, 2"),
    ({"y": 1}, ValueError, "y must be an array of N examples, .* got a single number, 1"),
    ({"x": []}, ValueError, r"x must hold at least one example, got shape \(0,\)"),
    ({"like": "mlp"}, TypeError, "like must be a network of gradlab's, got str"),
    ({"samples": 0}, ValueError, "samples must be an integer >= 1"),
]


@pytest.mark.parametrize(("changed", "error", "message"), BAD, ids=[bad[2][:40] for bad in BAD])
def test_bad_input_is_named(changed, error, message):
    with pytest.raises(error, match=message):
        linear(**changed)


def test_arrays_that_cannot_be_shifted():
    W = np.ones((3, 2))
    with pytest.raises(ValueError, match="'W' and 'V' share memory"):
        linear(arrays={"W": W, "V": W[:1]})
    with pytest.raises(TypeError, match="of one type, got float64 and float32"):
        linear(arrays={"W": W, "V": np.ones(2, np.float32)})
    W.flags.writeable = False
    with pytest.raises(ValueError, match=r"arrays\['W'\] must be writeable"):
        linear(arrays={"W": W})


def test_an_exception_in_ones_own_loss_reaches_one():
    _, arrays, grads, x, y = class_with_params()
    with pytest.raises(ZeroDivisionError):
        gl.explain(lambda: 1 / 0, arrays, grads, x, y)

"""Bad input gets an error that names the argument, what came and what was expected."""

import numpy as np
import pytest

import gradlab as gl
from tests.checking.cases import case

NET, X, Y = case()
NAN = np.where(np.arange(X.size).reshape(X.shape) == 5, np.nan, X)


def mse():
    return case(loss="mse")


# what is called, the error, and the parts of its message
BAD = {
    "sizes zero": (lambda: gl.mlp([2, 0, 3]), ValueError, ["sizes[1]", "0", ">= 1"]),
    "sizes negative": (lambda: gl.mlp([2, -4, 3]), ValueError, ["sizes[1]", "-4"]),
    "sizes float": (lambda: gl.mlp([2, 2.5, 3]), TypeError, ["sizes[1]", "2.5", "integer"]),
    "sizes short": (lambda: gl.mlp([2]), ValueError, ["sizes", "[2]", "at least"]),
    "sizes int": (lambda: gl.mlp(3), TypeError, ["sizes", "3", "list"]),
    "activation typo": (
        lambda: gl.mlp([2, 2], "thanh"),
        ValueError,
        ["activation", "'tanh'", "did you mean"],
    ),
    "activation list": (
        lambda: gl.mlp([2, 2, 2], ["tanh", "relu"]),
        ValueError,
        ["activation", "1", "2"],
    ),
    "activation number": (lambda: gl.mlp([2, 2], 3), TypeError, ["activation", "3", "'tanh'"]),
    "loss typo": (lambda: gl.mlp([2, 2], loss="mse2"), ValueError, ["loss", "did you mean 'mse'"]),
    "dtype": (
        lambda: gl.mlp([2, 2], dtype="float16"),
        ValueError,
        ["dtype", "float16", "'float64'"],
    ),
    "dtype int": (lambda: gl.mlp([2, 2], dtype=np.dtype(int)), ValueError, ["dtype", "int64"]),
    "l2 negative": (lambda: gl.mlp([2, 2], l2=-1), ValueError, ["l2", "-1", ">= 0"]),
    "l2 text": (lambda: gl.mlp([2, 2], l2="1"), TypeError, ["l2", "'1'", "number"]),
    "l2 bool": (lambda: gl.mlp([2, 2], l2=True), TypeError, ["l2", "True", "number"]),
    "rate one": (
        lambda: gl.mlp([2, 2], dropout_rate=1.0),
        ValueError,
        ["dropout_rate", "1", "[0, 1)"],
    ),
    "scale zero": (
        lambda: gl.mlp([2, 2], weight_scale=0),
        ValueError,
        ["weight_scale", "0", "positive"],
    ),
    "scale nan": (lambda: gl.mlp([2, 2], weight_scale=np.nan), ValueError, ["weight_scale", "nan"]),
    "seed": (lambda: gl.mlp([2, 2], seed=-1), ValueError, ["seed", "-1"]),
    "x columns": (lambda: NET.loss(X[:, :3], Y), ValueError, ["x", "(7, 3)", "(any, 4)"]),
    "x one row": (lambda: NET.loss(X[0], Y), ValueError, ["x", "(4,)"]),
    "x empty": (lambda: NET.loss(X[:0], Y[:0]), ValueError, ["x", "at least one"]),
    "x nan": (lambda: NET.loss(NAN, Y), ValueError, ["x", "nan", "finite"]),
    "x text": (lambda: NET.loss(X.astype(str), Y), TypeError, ["x", "real numbers"]),
    "x complex": (lambda: NET.loss(X + 1j, Y), TypeError, ["x", "complex"]),
    "x ragged": (lambda: NET.loss([[1.0], [1.0, 2.0]], Y), ValueError, ["x"]),
    "lengths": (lambda: NET.loss(X, Y[:-1]), ValueError, ["y", "7", "6"]),
    "label high": (lambda: NET.loss(X, Y + 3), ValueError, ["y", "0..2"]),
    "label low": (lambda: NET.loss(X, Y - 9), ValueError, ["y", "0..2"]),
    "label half": (lambda: NET.loss(X, Y + 0.5), ValueError, ["y", "integer"]),
    "soft targets": (lambda: NET.loss(X, np.ones((7, 3))), ValueError, ["y", "sum to 1", "3"]),
    "mse shape": (
        lambda: mse()[0].loss(X, np.zeros((7, 1))),
        ValueError,
        ["y", "(7, 1)", "(7, 3)"],
    ),
    "mse flat": (lambda: mse()[0].loss(X, np.zeros(7)), ValueError, ["y", "(7,)", "(7, 3)"]),
    "bce range": (
        lambda: gl.mlp([4, 3], loss="binary_cross_entropy").loss(X, np.full((7, 3), 2.0)),
        ValueError,
        ["y", "[0, 1]", "2"],
    ),
    "masks type": (lambda: NET.loss(X, Y, masks=0.5), TypeError, ["masks", "float", "Generator"]),
    "masks count": (
        lambda: NET.loss(X, Y, masks=[np.ones((7, 5))]),
        ValueError,
        ["masks", "2", "1"],
    ),
    "masks shape": (
        lambda: NET.loss(X, Y, masks=[np.ones((7, 5)), np.ones((6, 6))]),
        ValueError,
        ["masks[1]", "(6, 6)", "(7, 6)"],
    ),
    "params keys": (lambda: NET.loss(X, Y, params={}), ValueError, ["params", "W1"]),
    "params shape": (
        lambda: NET.loss(X, Y, params={**NET.params, "b1": np.zeros(4)}),
        ValueError,
        ["params['b1']", "(4,)", "(5,)"],
    ),
    "params int": (
        lambda: NET.loss(X, Y, params={**NET.params, "b1": np.zeros(5, int)}),
        TypeError,
        ["params['b1']", "int64", "float64"],
    ),
    "theta": (lambda: NET.roll(np.zeros(3)), ValueError, ["theta", "(3,)"]),
    "grads": (
        lambda: NET.unroll({**NET.params, "b1": np.zeros((1, 5))}),
        ValueError,
        ["b1", "(1, 5)", "(5,)"],
    ),
    "eps zero": (lambda: gl.check(NET, X, Y, eps=0), ValueError, ["eps", "0", "positive"]),
    "eps negative": (
        lambda: gl.numerical_gradient(NET, X, Y, -1e-5),
        ValueError,
        ["eps", "-1e-05"],
    ),
    "eps nan": (lambda: gl.check(NET, X, Y, eps=float("nan")), ValueError, ["eps", "nan"]),
    "eps text": (lambda: gl.check(NET, X, Y, eps="1e-5"), TypeError, ["eps", "'1e-5'"]),
    "eps table": (lambda: gl.sweep_eps(NET, X, Y, np.ones((2, 2))), ValueError, ["eps", "(2, 2)"]),
    "eps none": (lambda: gl.sweep_eps(NET, X, Y, []), ValueError, ["eps", "(0,)"]),
    "scheme": (
        lambda: gl.check(NET, X, Y, scheme="centre"),
        ValueError,
        ["scheme", "'central'", "mean"],
    ),
    "method": (
        lambda: gl.numerical_gradient(NET, X, Y, method="slow"),
        ValueError,
        ["method", "'loop'"],
    ),
    "measure": (
        lambda: gl.check(NET, X, Y, measure="max"),
        ValueError,
        ["measure", "'max_relative'"],
    ),
    "analytic keys": (lambda: gl.check(NET, X, Y, analytic={}), ValueError, ["analytic", "W1"]),
    "analytic shape": (
        lambda: gl.check(NET, X, Y, analytic={**NET.params, "b1": np.zeros((1, 5))}),
        ValueError,
        ["analytic['b1']", "(1, 5)", "(5,)"],
    ),
    "masks rng": (lambda: NET.draw_masks(7, 0), TypeError, ["rng", "Generator", "int"]),
}


@pytest.mark.every_case
@pytest.mark.parametrize("bad", BAD)
def test_bad_input_is_named(bad):
    call, error, parts = BAD[bad]
    before = NET.theta.tobytes()
    with pytest.raises(error) as caught:
        call()
    missing = [part for part in parts if part not in str(caught.value)]
    assert not missing, str(caught.value)
    assert NET.theta.tobytes() == before

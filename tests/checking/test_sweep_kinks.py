"""Where on the U-curve steps cross kinks."""

import numpy as np

import gradlab as gl
from gradlab.checking.fast import crossed_kinks
from gradlab.checking.schemes import SCHEME_TABLE


def test_kinks_from_is_the_first_step_that_crosses_one():
    x, y = gl.data.moons(20)
    for seed in range(4):
        net = gl.mlp([2, 8, 2], "relu", seed=seed, weight_scale=0.1)
        sweep = gl.sweep_eps(net, x, y, eps=np.logspace(-8, -1, 29))
        rule = SCHEME_TABLE["central"]
        crosses = [
            any(c.any() for c in crossed_kinks(net, x, y, h, rule).values()) for h in sweep.eps
        ]
        assert any(crosses)
        assert not all(crosses)
        assert sweep.kinks_from == sweep.eps[crosses.index(True)]


def test_a_smooth_network_and_a_scheme_without_differences_cross_none():
    x, y = gl.data.moons(20)
    assert np.isinf(gl.sweep_eps(gl.mlp([2, 8, 2], "tanh"), x, y).kinks_from)
    relu = gl.mlp([2, 8, 2], "relu", weight_scale=0.1)
    assert np.isinf(gl.sweep_eps(relu, x, y, scheme="complex_step").kinks_from)

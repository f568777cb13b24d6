"""The fast engine and plain calls of f feed one judge: the same verdict on every tensor."""

import numpy as np
import pytest

import gradlab as gl
from tests.checking.test_random_networks import draw

KINDS = {"convnet": 0, "lstm": 1, "mlp": 2, "another mlp": 3}


def both(net, x, y, masks, factor=1.0, name=None):
    """Return the verdicts of both checks on each tensor, the gradient of one of them spoiled.

    Left out are tensors whose resolution is that of the limit itself, to within rounding: there the
    last digits of the loss decide, and these differ between the engine and the plain passes.
    """
    net = spoiled(net, factor, name)
    f = net.loss_function(x, y, masks)
    fast = gl.check(net, x, y, masks=masks)
    slow = gl.check_function(
        f, lambda t: net.unroll(at(net, t).gradient(x, y, masks)), net.theta, tensors=net.tensors
    )
    limit = 2e-2 if net.dtype == np.float32 else 1e-3
    clear = [n for n in fast if not limit / 1.3 < fast[n].resolution < limit * 1.3]
    return tuple({n: str(r[n].verdict) for n in clear} for r in (fast, slow))


def spoiled(net, factor, name):
    class Spoiled(type(net)):
        def gradient(self, x, y, masks=None, params=None):
            grads = dict(super().gradient(x, y, masks, params))
            if name is not None:
                grads[name] = grads[name] * net.dtype.type(factor)
            return grads

    other = net.copy()
    other.__class__ = Spoiled
    return other


def at(net, theta):
    other = net.copy()
    other.theta = theta
    return other


@pytest.mark.parametrize("networks", [2, pytest.param(16, marks=pytest.mark.soak)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_check_and_check_function_give_the_same_verdicts(kind, dtype, networks):
    compared, tensors = 0, 0
    for k in range(networks):
        net, x, y, masks = draw(4 * k + KINDS[kind], dtype)
        fast, slow = both(net, x, y, masks)
        assert fast == slow, (k, net, {n: (fast[n], slow[n]) for n in fast if fast[n] != slow[n]})
        assert "wrong" not in fast.values()
        compared, tensors = compared + len(fast), tensors + len(net.params)
        rng = np.random.default_rng(k)
        name = str(rng.choice(list(net.params)))
        sure = {n for n, verdict in fast.items() if verdict == "correct"}
        for factor in (1.5, 1.1):
            fast, slow = both(net, x, y, masks, factor, name)
            for tensor in sure & fast.keys():
                assert fast[tensor] == slow[tensor], (k, net, name, factor, tensor)
                if tensor != name:
                    assert fast[tensor] == "correct"
    assert compared > (0.9 if networks > 3 else 0.5) * tensors


def test_and_at_a_given_step():
    for k in range(3, 40, 4):
        net, x, y, masks = draw(k, "float64")
        f = net.loss_function(x, y, masks)
        for eps in (1e-3, 1e-5, 1e-8):
            fast = gl.check(net, x, y, eps, masks=masks)
            grad = lambda t, n=net, v=(x, y, masks): n.unroll(at(n, t).gradient(*v))  # noqa: E731
            slow = gl.check_function(f, grad, net.theta, eps, net.tensors)
            for name in fast:
                pair = {str(fast[name].verdict), str(slow[name].verdict)}
                assert pair != {"correct", "wrong"}, (k, eps, name)
                assert "wrong" not in pair

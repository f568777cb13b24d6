"""Convnets, LSTMs and MLPs with batch norm, with data: for the tests of all their gradients."""

import itertools
from dataclasses import dataclass

import numpy as np

import gradlab as gl


@dataclass
class Case:
    """A network whose parameters are all away from 0 and 1, a batch, and masks or None."""

    net: gl.nn.Network
    x: np.ndarray
    y: np.ndarray
    masks: list[np.ndarray] | None = None


def target(rng, loss, shape, outputs):
    """Return labels, or for the other losses numbers in (0, 1), which they both take."""
    if loss == "softmax_cross_entropy":
        return rng.integers(0, outputs, shape)
    return rng.random((*shape, outputs))


def stirred(net, rng):
    for value in net.params.values():
        value += rng.normal(0, 0.2, value.shape)
    return net


def convnet_case(n=3, seed=0, **settings):
    rng = np.random.default_rng(seed)
    settings = {**GEOMETRIES[2], "classes": 3, **settings}
    net = stirred(gl.convnet(**settings, seed=seed), rng)
    y = target(rng, net.loss_name, (n,), net.classes)
    return Case(net, rng.standard_normal((n, *net.image_shape)), y)


def lstm_case(steps=4, n=3, seed=0, **settings):
    rng = np.random.default_rng(seed)
    net = stirred(gl.lstm(3, 4, 5, seed=seed, **settings), rng)
    y = target(rng, net.loss_name, (steps, n) if net.every_step else (n,), 5)
    return Case(net, rng.standard_normal((steps, n, 3)), y)


def batch_norm_case(n=7, seed=0, masked=False, **settings):
    rng = np.random.default_rng(seed)
    settings = {"dropout_rate": 0.3 if masked else 0.0, **settings}
    net = stirred(gl.mlp([3, 5, 4, 3], batch_norm=True, seed=seed, **settings), rng)
    y = target(rng, net.loss_name, (n,), 3)
    masks = net.draw_masks(n, rng) if masked else None
    return Case(net, rng.standard_normal((n, 3)), y, masks)


GEOMETRIES = (
    {"image_shape": (1, 10, 10)},
    {"image_shape": (1, 8, 8), "padding": (1, 1)},
    {"image_shape": (2, 6, 10), "padding": (1, 0), "kernels": (3, (2, 2)), "filters": (3, 2)},
    {"image_shape": (3, 7, 9), "padding": (0, 1), "kernels": ((2, 4), (4, 2)), "filters": (1, 5)},
    {"image_shape": (2, 4, 4), "padding": (0, 0), "kernels": (1, 1), "filters": (2, 4)},
)


def all_cases():
    """Yield (name, Case): every geometry, pool, loss, length and batch, with and without L2."""
    for (i, geometry), pool in itertools.product(enumerate(GEOMETRIES), ("max", "average")):
        settings = {
            "padding": (0, 0),
            "kernels": (3, 3),
            **geometry,
            "pool": pool,
            "l2": 0.1 * (i % 2),
        }
        yield f"convnet {geometry} {pool}", convnet_case(3 if i else 1, i, **settings)
    for loss in gl.nn.LOSSES:
        yield f"convnet {loss}", convnet_case(loss=loss, l2=0.2)
        for every_step in (False, True):
            yield f"lstm {loss} {every_step}", lstm_case(loss=loss, every_step=every_step, l2=0.2)
        for masked in (False, True):
            case = batch_norm_case(loss=loss, masked=masked, l2=0.2)
            yield f"batch norm {loss} masked={masked}", case
    for steps, n, every_step in itertools.product((1, 2, 6), (1, 5), (False, True)):
        yield f"lstm T={steps} N={n} {every_step}", lstm_case(steps, n, every_step=every_step)
    for n, activation in itertools.product((2, 5), ("relu", "identity")):
        yield f"batch norm {n} {activation}", batch_norm_case(n, activation=activation)


CASES = dict(all_cases())


def complex_step_gradient(case):
    """Return dL/dtheta by the complex step, one parameter at a time, with nothing shared."""
    f, theta, eps = case.net.loss_function(case.x, case.y, case.masks), case.net.theta, 1e-30
    return np.array([f(theta + 1j * eps * axis).imag / eps for axis in np.eye(case.net.size)])


def complex_step_cut_gradients(case):
    """Return what `net.cut_gradients` should, by the complex step: only forward passes.

    At each cut every number of the activation is shifted in a copy of its own, and the copies go
    through the rest of the network as more batch.
    """
    net, eps = case.net, 1e-30
    a, target = net.prepare(case.x, case.y)
    chain = net.chain(case.masks, a.shape[-2])
    activations = net.forward(net.params, a, chain)
    gradients = {}
    for i, (name, activation) in enumerate(zip(net.cut_names(chain), activations, strict=True)):
        out = activation.reshape(-1, 1) + 1j * eps * np.eye(activation.size)
        out = out.reshape(*activation.shape[:-1], -1)
        for layer in chain[i:]:
            out = layer.forward(net.params, out)
        losses = net.loss_rule.per_example(out, target).sum(axis=0) / a.shape[-2]
        gradients[name] = net.as_rows(losses.imag.reshape(activation.shape[:-1]) / eps, a.shape[-2])
    return gradients

"""The networks on which the oracles are asked: every activation x target x output activation.

The names and sizes of the layers come from here and not from the network, and so do the masks: an
oracle that read them from the code under test could not contradict it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

import gradlab as gl

ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus")
KINKED = ("relu", "leaky_relu", "elu")
INPUTS, HIDDEN = 3, (5, 4)
KEEP = 0.75
LOSS_TOLERANCE, GRADIENT_TOLERANCE = 1e-13, 1e-12

# A kind of target: its loss, the number of outputs, and y made from (rng, N, K).
TARGETS = {
    "mse": ("mse", 3, lambda rng, n, k: rng.standard_normal((n, k))),
    "mse_vector": ("mse", 1, lambda rng, n, k: rng.standard_normal(n)),
    "labels": ("softmax_cross_entropy", 4, lambda rng, n, k: rng.integers(0, k, n)),
    "one_hot": ("softmax_cross_entropy", 4, lambda rng, n, k: np.eye(k)[rng.integers(0, k, n)]),
    "soft": ("softmax_cross_entropy", 4, lambda rng, n, k: rng.dirichlet(np.ones(k), n)),
    "binary_vector": ("binary_cross_entropy", 1, lambda rng, n, k: rng.integers(0, 2, n)),
    "binary": ("binary_cross_entropy", 3, lambda rng, n, k: rng.integers(0, 2, (n, k))),
    "binary_soft": ("binary_cross_entropy", 3, lambda rng, n, k: rng.random((n, k))),
}

# What each combination is tried with: N, λ of L2, dropout masks or none.
SETTINGS = tuple(itertools.product((1, 6), (0.0, 0.3), (False, True)))


@dataclass
class Case:
    """One network, a batch and what an oracle has to know about them."""

    names: tuple[str, ...]  # of the activations, the output's last
    loss: str
    l2: float
    params: dict[str, np.ndarray]
    x: np.ndarray
    y: np.ndarray
    masks: list[np.ndarray] | None

    def net(self, dtype: str = "float64") -> gl.nn.MLP:
        """Build gradlab's network with these parameters."""
        sizes = [INPUTS, *HIDDEN, self.params["b3"].size]
        net = gl.mlp(sizes, list(self.names[:-1]), self.names[-1], self.loss, self.l2, dtype=dtype)
        for name, value in self.params.items():
            net.params[name][...] = value
        return net

    def is_fair(self) -> bool:
        """Return whether the batch asks for what rounding and derivatives can answer.

        No unit near a kink, where the derivative is a convention. None saturated, where 1 - a*a
        cancels. One live unit a layer for the first example, or the gradient would be all zeros.
        """
        a = self.x
        for i, name in enumerate(self.names, start=1):
            z = a @ self.params[f"W{i}"] + self.params[f"b{i}"]
            if abs(z).max() > 4 or (name in KINKED and abs(z).min() < 1e-4):
                return False
            a = VALUES[name](z)
            if self.masks is not None and i <= len(self.masks):
                a = a * self.masks[i - 1]
            if not a[0].any():
                return False
        return True


VALUES = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1),
    "softplus": lambda z: np.log(1 + np.exp(z)),
}


def make_case(names: tuple[str, ...], target: str, n: int, l2: float, masked: bool) -> Case:
    """Return the first fair case of this kind: the seed follows from what is asked for."""
    loss, outputs, make_y = TARGETS[target]
    seed = [*(ACTIVATIONS.index(name) for name in names), list(TARGETS).index(target), n]
    rng = np.random.default_rng(seed)
    while True:
        params = {}
        sizes = (INPUTS, *HIDDEN, outputs)
        for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes), start=1):
            params[f"W{i}"] = rng.normal(0, 0.5, (fan_in, fan_out))
            params[f"b{i}"] = rng.normal(0, 0.5, fan_out)
        x, y = rng.standard_normal((n, INPUTS)), make_y(rng, n, outputs)
        masks = [(rng.random((n, h)) < KEEP) / KEEP for h in HIDDEN] if masked else None
        case = Case(names, loss, l2, params, x, y, masks)
        if case.is_fair():
            return case


def assert_agree(net: gl.nn.MLP, case: Case, loss: float, gradient: dict[str, np.ndarray]) -> None:
    """Hold gradlab's loss and gradient to an oracle's, each tensor to its own largest entry."""
    ours = net.loss(case.x, case.y, case.masks)
    assert abs(ours - loss) <= LOSS_TOLERANCE * abs(loss), f"loss {ours!r}, oracle {loss!r}"
    ours = net.gradient(case.x, case.y, case.masks)
    assert list(ours) == list(case.params)
    for name, analytic in ours.items():
        oracle = np.asarray(gradient[name])
        assert analytic.shape == oracle.shape == case.params[name].shape
        difference, largest = abs(analytic - oracle).max(), abs(oracle).max()
        assert difference <= GRADIENT_TOLERANCE * largest, (
            f"{name}: off by {difference:.1e} where the largest entry is {largest:.1e}\n"
            f"analytic: {analytic}\noracle:   {oracle}"
        )

"""A network: parameters by name, a chain of layers, and a loss."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gradlab._validate import check_choice, check_integer, check_number, check_real_array
from gradlab.nn.dropout import Dropout, Masks, draw_mask, put_masks
from gradlab.nn.layers import Grads, Layer
from gradlab.nn.losses import LOSS_TABLE, LOSSES
from gradlab.nn.parameters import Parameters, Params


class Network(Parameters):
    """A chain of layers with named parameters, a loss and L2.

    Made by `gl.mlp`. The rows of `x` are examples. No method changes the parameters but
    assignment by the user: perturbed copies are passed as `params`.

    Attributes
    ----------
    params : dict of str to ndarray
        W1 (D_in, D_out), b1 (D_out,), W2, …: real arrays, assignable.
    tensors : dict of str to (start, stop, shape)
        Where each parameter stands in `theta`.
    l2 : float
        λ of the term ½·λ·ΣW², over weights and never over biases.
    dropout_rate : float
        The fraction of each hidden layer's units that is zeroed, when masks are used.
    """

    def __init__(
        self,
        layers: Sequence[Layer | Dropout],
        params: Mapping[str, np.ndarray],
        input_shape: tuple[int, ...],
        outputs: int,
        loss: str,
        l2: float = 0.0,
        dropout_rate: float = 0.0,
        dtype: str | np.dtype = "float64",
    ) -> None:
        super().__init__(params, dtype)
        self.layers = list(layers)
        self.loss_name = check_choice(loss, LOSSES, "loss")
        self.input_shape, self.outputs = tuple(input_shape), outputs
        self.l2, self.dropout_rate = _check_settings(l2, dropout_rate)

    @property
    def weight_names(self) -> tuple[str, ...]:
        """The parameters that L2 applies to."""
        return tuple(n for layer in self.layers if isinstance(layer, Layer)
                     for n in layer.weight_names)  # fmt: skip

    # -- forward --------------------------------------------------------------------------------

    def predict(self, x: np.ndarray, params: Params | None = None) -> np.ndarray:
        """Return the outputs, shape (N, K): logits when the loss is a cross-entropy."""
        a = self.prepare_x(x)
        return self.outputs_of(self.check_params(params), a, self.chain(None, a.shape[-2]))[
            ..., 0
        ].T

    def loss(
        self, x: np.ndarray, y: np.ndarray, masks: Masks = None, params: Params | None = None
    ) -> float:
        """Return the loss: the mean over the batch, plus L2.

        Parameters
        ----------
        x : ndarray, shape (N, D)
        y : ndarray, shape (N,) of labels or (N, K)
            What the loss compares the outputs with.
        masks : list of ndarray, Generator or None, optional
            Dropout masks, one (N, h) a hidden layer (`draw_masks`); a Generator draws new ones at
            every call, as unfrozen dropout does; None is no dropout.
        params : dict or None, optional
            Used instead of the network's own parameters, which are never changed.

        Raises
        ------
        ValueError, TypeError
            An argument has the wrong shape, type or range; the message names it.
        """
        params = self.check_params(params)
        return self.data_loss(x, y, masks, params) + self.l2_loss(params)

    def data_loss(
        self, x: np.ndarray, y: np.ndarray, masks: Masks = None, params: Params | None = None
    ) -> float:
        """Return the loss without its L2 term; arguments as in `loss`."""
        a, target = self.prepare(x, y)
        params = self.check_params(params)
        return float(self.raw_data_loss(params, a, target, self.chain(masks, a.shape[-2])))

    def l2_loss(self, params: Params | None = None) -> float:
        """Return ½·λ·ΣW² over the weights, never the biases."""
        return float(self.raw_l2_loss(self.check_params(params)))

    def loss_function(
        self, x: np.ndarray, y: np.ndarray, masks: Masks = None
    ) -> Callable[[np.ndarray], float]:
        """Return f(theta) -> loss at that theta, (P,): checks `x` and `y` once, then only computes.

        `theta` may be complex, for the complex step; f then returns a complex number.
        """
        a, target = self.prepare(x, y)
        frozen = None if isinstance(masks, np.random.Generator) else self.chain(masks, a.shape[-2])

        def f(theta: np.ndarray) -> float:
            params = self.roll(theta)
            chain = frozen or self.chain(masks, a.shape[-2])
            return self.raw_data_loss(params, a, target, chain) + self.raw_l2_loss(params)

        return f

    # -- backward -------------------------------------------------------------------------------

    def gradient(
        self, x: np.ndarray, y: np.ndarray, masks: Masks = None, params: Params | None = None
    ) -> Grads:
        """Return the gradient of `loss` by backpropagation, a dict like `params`.

        Costs two to three forward passes, whatever the number of parameters. Arguments and
        errors as in `loss`.
        """
        a, target = self.prepare(x, y)
        params = self.check_params(params)
        chain = self.chain(masks, a.shape[-2])
        activations = [a]
        for layer in chain:
            activations.append(layer.forward(params, activations[-1]))
        delta = LOSS_TABLE[self.loss_name].derivative(activations[-1], target) / a.shape[-2]
        grads: Grads = {}
        for layer, a_in, a_out in zip(chain[::-1], activations[-2::-1], activations[:0:-1],
                                      strict=True):  # fmt: skip
            delta, layer_grads = layer.backward(params, a_in, a_out, delta)
            grads.update(layer_grads)
        if self.l2:
            for name in self.weight_names:
                grads[name] = grads[name] + self.l2 * params[name]
        return {name: grads[name] for name in self.params}

    # -- the same, without checks, for the numerical gradients -------------------------------------

    def outputs_of(self, params: Params, a: np.ndarray, chain: Sequence[Layer]) -> np.ndarray:
        """Return the chain's output for prepared inputs `a` (features, batch, K)."""
        for layer in chain:
            a = layer.forward(params, a)
        return a

    def raw_data_loss(
        self, params: Params, a: np.ndarray, target: np.ndarray, chain: Sequence[Layer]
    ) -> complex:
        """Return the mean over the batch for prepared inputs, real or complex."""
        out = self.outputs_of(params, a, chain)
        return LOSS_TABLE[self.loss_name].per_example(out, target)[:, 0].sum() / a.shape[-2]

    def raw_l2_loss(self, params: Params) -> complex:
        """Return the L2 term, real or complex; W*W and not |W|**2, which is not analytic."""
        if not self.l2:
            return self.dtype.type(0)
        return self.dtype.type(0.5 * self.l2) * sum(
            (params[name] * params[name]).sum() for name in self.weight_names
        )

    def chain(self, masks: Masks, n: int, copies: int = 1) -> list[Layer]:
        """Return the layers with the dropout masks for a batch of `n` in their places."""
        return put_masks(self.layers, masks, n, self.dropout_rate, self.dtype, copies)

    def draw_masks(self, n: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Return dropout masks for a batch of `n`: one (n, h) a hidden layer, 0 or 1/keep."""
        n = check_integer(n, "n", 1)
        if not isinstance(rng, np.random.Generator):
            raise TypeError(f"rng must be a numpy Generator, got {type(rng).__name__}")
        places = [layer for layer in self.layers if isinstance(layer, Dropout)]
        return [draw_mask((n, p.features), self.dropout_rate, self.dtype, rng) for p in places]

    def prepare(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Check `x` and `y`; return the input as (features, N, 1) and the loss's target."""
        a = self.prepare_x(x)
        target = LOSS_TABLE[self.loss_name].prepare(y, a.shape[-2], self.outputs, self.dtype)
        return a, target

    def prepare_x(self, x: np.ndarray) -> np.ndarray:
        """Check `x` (N, …); return it as (…, N, 1), in the network's dtype."""
        x = check_real_array(x, "x", (None, *self.input_shape))
        if len(x) == 0:
            raise ValueError(f"x must hold at least one example, got shape {x.shape}")
        return np.ascontiguousarray(np.moveaxis(x, 0, -1), self.dtype)[..., None]

    # -- copies ---------------------------------------------------------------------------------

    def copy(self) -> Network:
        """Return a network with parameters of its own."""
        other = copy.copy(self)
        other.params = {name: value.copy() for name, value in self.params.items()}
        return other

    def replace(self, *, l2: float | None = None, dropout_rate: float | None = None) -> Network:
        """Return a network that shares this one's parameters but has other settings."""
        other = copy.copy(self)
        other.l2, other.dropout_rate = _check_settings(
            self.l2 if l2 is None else l2,
            self.dropout_rate if dropout_rate is None else dropout_rate,
        )
        return other


def _check_settings(l2: object, dropout_rate: object) -> tuple[float, float]:
    return (
        check_number(l2, "l2", 0.0),
        check_number(dropout_rate, "dropout_rate", 0.0, 1.0, below=True),
    )

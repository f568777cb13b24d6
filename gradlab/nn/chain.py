"""A chain of layers and a loss on inputs that are already prepared: shapes inside, no checks.

`Network` is this and what a person calls: it checks, and speaks in examples as rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradlab._validate import check_choice, check_integer, check_number, check_real_array
from gradlab.nn.batch_norm import BatchNorm
from gradlab.nn.dropout import Dropout, Masks, draw_mask, put_masks
from gradlab.nn.layers import Grads, Layer
from gradlab.nn.losses import LOSS_TABLE, LOSSES, Loss
from gradlab.nn.parameters import Parameters, Params


class Chain(Parameters):
    """Layers, a loss and L2: what the numerical gradients work on.

    Attributes
    ----------
    layers : list of Layer or Dropout
    input_shape : tuple of int or None
        Of one example; None stands for any length.
    batch_axis : int
        Which axis of `x` counts the examples.
    outputs : int
    loss_name : str
    loss_rule : Loss
    l2, dropout_rate : float
    """

    batch_axis = 0

    def __init__(
        self,
        layers: Sequence[Layer | Dropout],
        params: Mapping[str, np.ndarray],
        input_shape: tuple[int | None, ...],
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
        self.l2, self.dropout_rate = check_settings(l2, dropout_rate)

    @property
    def loss_rule(self) -> Loss:
        """The loss of one example, and its derivative."""
        return LOSS_TABLE[self.loss_name]

    @property
    def weight_names(self) -> tuple[str, ...]:
        """The parameters that L2 applies to."""
        return tuple(n for layer in self.layers if isinstance(layer, Layer)
                     for n in layer.weight_names)  # fmt: skip

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

    # -- inputs and outputs -----------------------------------------------------------------------

    def prepare(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Check `x` and `y`; return the input as (features…, N, 1) and the loss's target."""
        a = self.prepare_x(x)
        return a, self.loss_rule.prepare(y, a.shape[-2], self.outputs, self.dtype)

    def prepare_x(self, x: np.ndarray) -> np.ndarray:
        """Check `x` (N, …); return it as (…, N, 1), in the network's dtype."""
        shape = list(self.input_shape)
        shape.insert(self.batch_axis, None)
        x = check_real_array(x, "x", tuple(shape))
        n = x.shape[self.batch_axis]
        if x.size == 0:
            raise ValueError(f"x must hold at least one example, got shape {x.shape}")
        if n < 2 and any(isinstance(layer, BatchNorm) for layer in self.layers):
            raise ValueError(
                "x must hold at least 2 examples for batch norm, which takes the spread over the "
                f"batch, got {n}"
            )
        return np.ascontiguousarray(np.moveaxis(x, self.batch_axis, -1), self.dtype)[..., None]

    def pick(self, x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return some of the examples."""
        return x[rows], y[rows]

    def as_rows(self, a: np.ndarray, n: int) -> np.ndarray:
        """Return an activation (features…, batch) of `n` examples as `x` has it: batch first."""
        return np.moveaxis(a, -1, 0).copy()  # never a view of what the caller holds

    # -- forward and backward ---------------------------------------------------------------------

    def forward(self, params: Params, a: np.ndarray, chain: Sequence[Layer]) -> list[np.ndarray]:
        """Return the activations at every cut of the chain, from the input to the output."""
        activations = [a]
        for layer in chain:
            activations.append(layer.forward(params, activations[-1]))
        return activations

    def backward(
        self,
        params: Params,
        activations: list[np.ndarray],
        target: np.ndarray,
        chain: Sequence[Layer],
    ) -> tuple[list[np.ndarray], Grads]:
        """Return dL/d(activation) at every cut, and the parameters' gradients without L2."""
        n = activations[0].shape[-2]
        deltas = [self.loss_rule.derivative(activations[-1], target) / n]
        grads: Grads = {}
        for i in reversed(range(len(chain))):
            delta, layer_grads = chain[i].backward(
                params, activations[i], activations[i + 1], deltas[-1]
            )
            deltas.append(delta)
            grads.update(layer_grads)
        return deltas[::-1], grads

    def raw_data_loss(
        self, params: Params, a: np.ndarray, target: np.ndarray, chain: Sequence[Layer]
    ) -> complex:
        """Return the mean over the batch for prepared inputs, real or complex."""
        n = a.shape[-2]
        for layer in chain:
            a = layer.forward(params, a)
        return self.loss_rule.per_example(a, target)[:, 0].sum() / n

    def raw_l2_loss(self, params: Params) -> complex:
        """Return the L2 term, real or complex; W*W and not |W|**2, which is not analytic."""
        if not self.l2:
            return self.dtype.type(0)
        return self.dtype.type(0.5 * self.l2) * sum(
            (params[name] * params[name]).sum() for name in self.weight_names
        )


def check_settings(l2: object, dropout_rate: object) -> tuple[float, float]:
    """Return both as floats in their ranges, or raise."""
    return (
        check_number(l2, "l2", 0.0),
        check_number(dropout_rate, "dropout_rate", 0.0, 1.0, below=True),
    )

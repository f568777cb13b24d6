"""A network: parameters by name, a chain of layers, and a loss."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from gradlab._validate import check_choice, check_integer, check_number, check_real_array
from gradlab.nn.layers import BatchNorm, Dropout, Layer, Masks, draw_mask, put_masks
from gradlab.nn.losses import LOSS_TABLE, LOSSES, Loss
from gradlab.nn.parameters import Grads, Parameters, Params


class Point(NamedTuple):
    """What is checked: a network at its parameters, a batch, and its dropout masks.

    Attributes
    ----------
    net : Network
    x, y : ndarray
    masks : list of ndarray, Generator or None
        As in `net.loss`.
    """

    net: Network
    x: np.ndarray
    y: np.ndarray
    masks: Masks = None

    @property
    def batch(self) -> int:
        """The number of examples."""
        return np.shape(self.x)[self.net.batch_axis]


class BackwardPass(Protocol):
    """What can stand in the place of the layers' own backward pass: one with a bug in it."""

    def gradient(self, point: Point, params: Params | None) -> Grads:
        """Return what `net.gradient` returns."""

    def cut_gradients(
        self,
        point: Point,
        params: Params | None = None,
        put: tuple[int, np.ndarray] | None = None,
    ) -> list[np.ndarray]:
        """Return dL/d(activation) at every cut, with something put at one of them."""

    def state_gradients(self, net: Network, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        """Return an LSTM's dL/dh and dL/dc as "h" and "c", each (T, N, H)."""

    def reveal(self) -> object:
        """Return what was planted, and where."""


class Network(Parameters):
    """A chain of layers with named parameters, a loss and L2.

    Made by `gl.mlp`, `gl.convnet` and `gl.lstm`. The rows of `x` are examples. No method changes
    the parameters but assignment by the user: perturbed copies are passed as `params`.

    Those that are asked for `x` and `y` check them, and speak in examples as rows; the others work
    on activations (features…, N, K), as layers do, and check nothing: numerical gradients use them.

    Attributes
    ----------
    layers : list of Layer
    input_shape : tuple of int or None
        Of one example; None stands for any length.
    batch_axis : int
        Which axis of `x` counts the examples.
    outputs : int
    loss_name : str
    params : dict of str to ndarray
        W1 (D_in, D_out), b1 (D_out,), W2, …: real arrays, assignable.
    tensors : dict of str to (start, stop, shape)
        Where each parameter stands in `theta`.
    l2 : float
        λ of the term ½·λ·ΣW², over weights and never over biases.
    dropout_rate : float
        The fraction of each hidden layer's units that is zeroed, when masks are used.
    weight_scale : float or None
        What the initial weights' standard deviation was asked to be; None is a layer's own.
    backward_pass : BackwardPass or None
        What stands in the place of the layers' own, such as one of `gl.bugs.plant`.
    """

    batch_axis = 0
    weight_scale: float | None = None
    backward_pass: BackwardPass | None = None

    def __init__(
        self,
        layers: Sequence[Layer],
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
        return tuple(name for layer in self.layers for name in layer.weight_names)

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

    # -- forward --------------------------------------------------------------------------------

    def predict(self, x: np.ndarray, params: Params | None = None) -> np.ndarray:
        """Return the outputs, shape (N, K): logits when the loss is a cross-entropy."""
        a, params = self.prepare_x(x), self.check_params(params)
        n = a.shape[-2]
        return self.as_rows(self.forward(params, a, self.chain(None, n))[-1][..., 0], n)

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
        self.check_params(None)
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
        if self.backward_pass is not None:
            return self.backward_pass.gradient(Point(self, x, y, masks), params)
        a, target = self.prepare(x, y)
        params = self.check_params(params)
        chain = self.chain(masks, a.shape[-2])
        _, grads = self.backward(params, self.forward(params, a, chain), target, chain)
        if self.l2:
            for name in self.weight_names:
                grads[name] = grads[name] + self.l2 * params[name]
        return {name: grads[name] for name in self.params}

    # -- the cuts between layers ------------------------------------------------------------------

    def cut_names(self, chain: Sequence[Layer]) -> list[str]:
        """Return the names of the places between layers: "input", one a layer, "output"."""
        return ["input", *(layer.name for layer in chain[:-1]), "output"]

    def cut_activations(
        self, x: np.ndarray, masks: Masks = None, params: Params | None = None
    ) -> dict[str, np.ndarray]:
        """Return what stands at every cut between layers, from "input" to "output".

        The batch is the same axis as in `x`. Arguments and errors as in `loss`.
        """
        a, params = self.prepare_x(x), self.check_params(params)
        n = a.shape[-2]
        chain = self.chain(masks, n)
        return {
            name: self.as_rows(activation[..., 0], n)
            for name, activation in zip(
                self.cut_names(chain), self.forward(params, a, chain), strict=True
            )
        }

    def cut_gradients(
        self, x: np.ndarray, y: np.ndarray, masks: Masks = None, params: Params | None = None
    ) -> dict[str, np.ndarray]:
        """Return dL/d(activation) at every cut between layers, by backpropagation.

        A check of the parameters never tests dL/dx, and compared cut by cut, from the output down,
        the first cut that is off stands right below the layer with the bug. The loss is a mean over
        the batch, and these are its gradients: the 1/N is in them. Arguments and errors as in
        `loss`.

        Returns
        -------
        dict of str to ndarray
            Names and shapes as in `cut_activations`: "input" is like `x`.
        """
        if self.backward_pass is not None:
            cuts = self.backward_pass.cut_gradients(Point(self, x, y, masks), params)
            places = self.cut_activations(x, masks)
            return {k: g.reshape(a.shape) for (k, a), g in zip(places.items(), cuts, strict=True)}
        a, target = self.prepare(x, y)
        params = self.check_params(params)
        n = a.shape[-2]
        chain = self.chain(masks, n)
        deltas, _ = self.backward(params, self.forward(params, a, chain), target, chain)
        names = self.cut_names(chain)
        return {name: self.as_rows(d[..., 0], n) for name, d in zip(names, deltas, strict=True)}

    def ties(self, x: np.ndarray, masks: Masks = None) -> int:
        """Return how many units and pooling windows are exactly at a kink: z = 0, or equal pixels.

        Their gradient is a convention, and a step of any length crosses the kink. Arguments and
        errors as in `loss`.
        """
        a = self.prepare_x(x)
        chain = self.chain(masks, a.shape[-2])
        activations = self.forward(self.params, a, chain)
        return sum(layer.ties(a) for layer, a in zip(chain, activations, strict=False))

    def reveal(self) -> object:
        """Return what was planted in the backward pass, and where; None if nothing was."""
        return None if self.backward_pass is None else self.backward_pass.reveal()

    # -- on activations: no checks, for numerical gradients ---------------------------------------

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

    # -- copies ---------------------------------------------------------------------------------

    def copy(self) -> Network:
        """Return a network with parameters of its own."""
        other = copy.copy(self)
        other.params = {name: value.copy() for name, value in self.params.items()}
        return other

    def replace(self, *, l2: float | None = None, dropout_rate: float | None = None) -> Network:
        """Return a network that shares this one's parameters but has other settings.

        Raises
        ------
        ValueError, TypeError
            A setting is out of range, or there is a rate but no dropout in this network.
        """
        if dropout_rate and not any(isinstance(layer, Dropout) for layer in self.layers):
            raise ValueError(
                f"dropout_rate must be 0 for a network without dropout, which stands behind the "
                f"hidden layers of gl.mlp: {self!r}, got {dropout_rate!r}"
            )
        other = copy.copy(self)
        other.l2, other.dropout_rate = check_settings(
            self.l2 if l2 is None else l2,
            self.dropout_rate if dropout_rate is None else dropout_rate,
        )
        return other


def check_settings(l2: object, dropout_rate: object) -> tuple[float, float]:
    """Return both as floats in their ranges, or raise."""
    return (
        check_number(l2, "l2", 0.0),
        check_number(dropout_rate, "dropout_rate", 0.0, 1.0, below=True),
    )


def weight_scale_of(net: Network) -> float:
    """Return the standard deviation that stands for all weights of `net` together.

    It is the `weight_scale` that the network was built with, also once it is trained. A network
    that was built without one has a scale for each layer: there it is the root mean square of all
    weights as they are now.
    """
    if net.weight_scale is not None:
        return net.weight_scale
    weights = np.concatenate([net.params[name].ravel() for name in net.weight_names])
    return float(np.sqrt(np.mean(weights**2)))


def scaled(net: Network, factor: float) -> Network:
    """Return a copy of `net` whose weights are multiplied by `factor`; its biases are the same."""
    other = net.copy()
    for name in net.weight_names:
        other.params[name] *= factor
    if net.weight_scale is not None:
        other.weight_scale = net.weight_scale * factor
    return other

"""A network: parameters by name, a chain of layers, and a loss."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from gradlab.nn.chain import Chain, check_settings
from gradlab.nn.dropout import Dropout, Masks
from gradlab.nn.layers import Grads, Layer
from gradlab.nn.parameters import Params
from gradlab.nn.point import Point


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


class Network(Chain):
    """A chain of layers with named parameters, a loss and L2.

    Made by `gl.mlp`, `gl.convnet` and `gl.lstm`. The rows of `x` are examples. No method changes
    the parameters but assignment by the user: perturbed copies are passed as `params`.

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
    weight_scale : float or None
        What the initial weights' standard deviation was asked to be; None is a layer's own.
    backward_pass : BackwardPass or None
        What stands in the place of the layers' own, such as one of `gl.bugs.plant`.
    """

    weight_scale: float | None = None
    backward_pass: BackwardPass | None = None

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

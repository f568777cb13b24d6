"""The LSTM, a layer that takes all time steps, and networks of it and a dense output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from gradlab._validate import check_bool, check_integer, check_positive, check_real_array
from gradlab.nn.layers import Dense, Grads, Layer, Params
from gradlab.nn.network import Network

GATES = "ifgo"  # input, forget, candidate, output: the order of the parameters
STACK = "ifog"  # the order in which they are computed: the three sigmoids side by side


class Step(NamedTuple):
    """What happened at one time step: gates, states and tanh(c), each (H, batch, K)."""

    i: np.ndarray
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    c: np.ndarray
    tanh_c: np.ndarray
    h: np.ndarray


class LSTM(Layer):
    """A long short-term memory, from sequences (T, D, batch, K) to hidden states.

        i, f, o = sigmoid(Wx.T x_t + Wh.T h + b), each gate with its own Wx, Wh and b
        g = tanh(Wx.T x_t + Wh.T h + b)
        c = f * c + i * g
        h = o * tanh(c)

    h and c are 0 before the first step. The output is the last h (H, batch, K); or, with
    `every_step`, all of them as (H, T * batch, K): for what follows, a step is one more example.

    References
    ----------
    Gers, Schmidhuber and Cummins, "Learning to forget", Neural Computation 12(10), 2000.
    """

    def __init__(self, hidden: int, every_step: bool = False, name: str = "") -> None:
        self.every_step, self.name = every_step, name
        self.scratch = 4 * hidden
        # A batch cannot be cut where T * batch outputs come out of it.
        self.ties_batch = every_step
        self.param_names = tuple(f"{kind}_{q}" for q in GATES for kind in ("Wx", "Wh", "b"))
        self.weight_names = tuple(name for name in self.param_names if name[0] == "W")

    def __repr__(self) -> str:
        return f"LSTM(every_step={self.every_step})"

    def forward(
        self,
        params: Params,
        a: np.ndarray,
        nudge: Callable[[int, np.ndarray, np.ndarray], np.ndarray] | None = None,
        put: Callable[[str, int, np.ndarray], np.ndarray] | None = None,
    ) -> np.ndarray:
        # `nudge` and `put` are for numerical gradients, see `steps`
        states = [step.h for step in self.steps(params, a, nudge, put)]
        if not self.every_step:
            return states[-1]
        return np.stack(states, axis=1).reshape(len(states[0]), -1, states[0].shape[-1])

    def steps(
        self,
        params: Params,
        a: np.ndarray,
        nudge: Callable[[int, np.ndarray, np.ndarray], np.ndarray] | None = None,
        put: Callable[[str, int, np.ndarray], np.ndarray] | None = None,
    ) -> Iterator[Step]:
        """Yield one time step after the other.

        `nudge(t, z, h)`, if given, returns what stands in the place of the pre-activations
        z (4 H, batch, K) of all gates (STACK), which come from the state h before the step.
        `put("c", t, c)` and `put("h", t, h)`, if given, return what stands in the place of the
        states: all that comes after, also h at this step from c, sees that.
        """
        Wx, Wh, b = (
            np.concatenate([params[f"{kind}_{q}"] for q in STACK], axis=-1)
            for kind in ("Wx", "Wh", "b")
        )
        size, (T, D, batch, _) = len(Wh), a.shape
        z_of_x = (Wx.T @ a.reshape(T, D, -1) + b[:, None]).reshape(T, 4 * size, batch, -1)
        h = c = np.zeros((size, *a.shape[2:]), a.dtype)
        for t in range(T):
            z = (Wh.T @ h.reshape(size, -1)).reshape(4 * size, batch, -1)
            z += z_of_x[t]
            if nudge is not None:
                z = nudge(t, z, h)
            i, f, o, g = _gates(z)
            c = f * c
            c += i * g
            if put is not None:
                c = put("c", t, c)
            tanh_c = np.tanh(c)
            h = o * tanh_c
            if put is not None:
                h = put("h", t, h)
            yield Step(i, f, g, o, c, tanh_c, h)

    def backward(
        self,
        params: Params,
        a: np.ndarray,
        out: np.ndarray,
        grad_out: np.ndarray,
        tell: Callable[[int, np.ndarray, np.ndarray], None] | None = None,
    ) -> tuple[np.ndarray, Grads]:
        # `tell(t, grad_h, grad_c)` gets the whole of dL/dh and dL/dc at each step, last one first
        steps, T, batch = list(self.steps(params, a)), len(a), a.shape[2]
        size = len(steps[0].h)
        grads: Grads = {name: np.zeros_like(params[name]) for name in self.param_names}
        grad_a = np.zeros_like(a)
        nothing = np.zeros((size, batch, 1), grad_out.dtype)
        grad_h, grad_c = nothing, nothing  # what comes back from the step after this one
        for t in reversed(range(T)):
            if self.every_step:
                grad_h = grad_h + grad_out[:, t * batch : (t + 1) * batch]
            elif t == T - 1:
                grad_h = grad_out
            before = steps[t - 1] if t else None
            c_before, h_before = (before.c, before.h) if before else (nothing, nothing)
            grad_c = grad_c + _through_output(steps[t], grad_h)
            if tell is not None:
                tell(t, grad_h, grad_c)
            deltas = gates_back(steps[t], c_before, grad_h, grad_c)
            grad_h, grad_c = nothing, grad_c * steps[t].f
            for q, delta in zip(GATES, deltas, strict=True):
                delta = delta[..., 0]  # dL/dz of this gate, (H, batch)
                grads[f"Wx_{q}"] += a[t, ..., 0] @ delta.T
                grads[f"Wh_{q}"] += h_before[..., 0] @ delta.T
                grads[f"b_{q}"] += delta.sum(axis=1)
                grad_a[t, ..., 0] += params[f"Wx_{q}"] @ delta
                grad_h = grad_h + (params[f"Wh_{q}"] @ delta)[..., None]
        return grad_a, grads


def _gates(z: np.ndarray) -> np.ndarray:
    """Return i, f, o, g from their pre-activations (4 H, batch, K), which are overwritten."""
    gates = z.reshape(4, -1, *z.shape[1:])
    np.tanh(gates[3], out=gates[3])
    sigmoids = gates[:3]
    if np.iscomplexobj(z):  # a complex exp that overflows gives nan; tanh never overflows
        sigmoids *= 0.5
        np.tanh(sigmoids, out=sigmoids)
        sigmoids *= 0.5
        sigmoids += 0.5
        return gates
    with np.errstate(over="ignore"):  # 1 / (1 + inf) is 0, as it should be
        np.exp(np.negative(sigmoids, out=sigmoids), out=sigmoids)
    sigmoids += 1
    np.divide(1, sigmoids, out=sigmoids)
    return gates


def _through_output(step: Step, grad_h: np.ndarray) -> np.ndarray:
    """Return the part of dL/dc that comes through h = o tanh(c)."""
    return grad_h * step.o * (1 - step.tanh_c) * (1 + step.tanh_c)


def gates_back(
    step: Step, c_before: np.ndarray, grad_h: np.ndarray, grad_c: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Return dL/dz of the gates i, f, g, o."""
    i, f, g, o, _, tanh_c, _ = step
    return (
        grad_c * g * i * (1 - i),
        grad_c * c_before * f * (1 - f),
        grad_c * i * (1 - g) * (1 + g),
        grad_h * tanh_c * o * (1 - o),
    )


class LSTMNet(Network):
    """A network with an LSTM; see `lstm`. Sequences are x (T, N, D): the batch is axis 1."""

    batch_axis = 1

    inputs: int
    hidden: int
    every_step: bool
    seed: int

    def __repr__(self) -> str:
        parts = [f"{self.inputs}, {self.hidden}, {self.outputs}", f"loss={self.loss_name!r}"]
        if self.every_step:
            parts.append("every_step=True")
        if self.l2:
            parts.append(f"l2={self.l2:g}")
        if self.dtype != np.float64:
            parts.append(f"dtype={self.dtype.name!r}")
        return f"lstm({', '.join(parts)}): {self.size} parameters"

    def prepare(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Check `x` and `y`; return the input as (T, D, N, 1) and the loss's target."""
        if not self.every_step:
            return super().prepare(x, y)
        a, y = self.prepare_x(x), check_real_array(y, "y")
        steps, n = a.shape[0], a.shape[2]
        labels = self.loss_name == "softmax_cross_entropy" or self.outputs == 1
        if y.shape not in ((steps, n, self.outputs), (steps, n) if labels else ()):
            either = f"({steps}, {n}) or " if labels else ""
            raise ValueError(
                f"y must have shape {either}({steps}, {n}, {self.outputs}), for {steps} time steps "
                f"of {n} sequences, got {y.shape}"
            )
        flat = y.reshape(steps * n, *y.shape[2:])
        try:
            return a, self.loss_rule.prepare(flat, steps * n, self.outputs, self.dtype)
        except ValueError:
            for t in range(steps):  # a row of `flat` says nothing to who has steps and sequences
                self._check_step(y[t], t)
            raise

    def _check_step(self, y: np.ndarray, t: int) -> None:
        try:
            self.loss_rule.prepare(y, len(y), self.outputs, self.dtype)
        except ValueError as error:
            raise ValueError(f"{error}, at time step {t}") from None

    def state_gradients(self, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        """Return dL/dh and dL/dc at every time step, by backpropagation through time.

        Each is the whole of it: what comes from above the LSTM and what comes back from the step
        after. Arguments and errors as in `loss`.

        Returns
        -------
        dict of str to ndarray, shape (N, H)
            "h1" to "hT", then "c1" to "cT", by the time steps.

        Examples
        --------
        >>> import numpy as np
        >>> import gradlab as gl
        >>> net = gl.lstm(3, 4, 2)
        >>> x, y = np.ones((2, 5, 3)), np.zeros(5, int)
        >>> {name: value.shape for name, value in net.state_gradients(x, y).items()}
        {'h1': (5, 4), 'h2': (5, 4), 'c1': (5, 4), 'c2': (5, 4)}
        """
        if self.backward_pass is not None:
            found = self.backward_pass.state_gradients(self, x, y)
        else:
            a, target = self.prepare(x, y)
            activations = self.forward(self.check_params(None), a, self.layers)
            deltas, _ = self.backward(self.params, activations, target, self.layers)
            found = {"h": [], "c": []}

            def tell(t: int, grad_h: np.ndarray, grad_c: np.ndarray) -> None:
                found["h"].insert(0, grad_h[..., 0].T)
                found["c"].insert(0, grad_c[..., 0].T)

            self.layers[0].backward(self.params, *activations[:2], deltas[1], tell)
        return {
            f"{name}{t}": np.array(value, self.dtype)
            for name, values in found.items()
            for t, value in enumerate(values, 1)
        }

    def pick(self, x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return some of the sequences."""
        return x[:, rows], y[:, rows] if self.every_step else y[rows]

    def as_rows(self, a: np.ndarray, n: int) -> np.ndarray:
        """Return a sequence as (T, N, features), one step as (N, features)."""
        if a.ndim == 3:  # (T, D, N)
            return np.moveaxis(a, -1, 1).copy()
        rows = a.T.copy()
        return rows.reshape(-1, n, len(a)) if self.every_step else rows


def lstm(
    inputs: int,
    hidden: int,
    outputs: int,
    loss: str = "softmax_cross_entropy",
    every_step: bool = False,
    l2: float = 0.0,
    weight_scale: float | None = None,
    seed: int = 0,
    dtype: str = "float64",
) -> LSTMNet:
    """Build an LSTM with a dense output, with random weights.

    Sequences are x (T, N, D), of any length T; the states h and c are 0 before the first step.

    Parameters
    ----------
    inputs, hidden, outputs : int
        D, H and K.
    loss : {"mse", "softmax_cross_entropy", "binary_cross_entropy"}, optional
        A mean over the N sequences.
    every_step : bool, optional
        False: the loss looks at the last step, with y (N,) or (N, K). True: it is summed over all
        steps, with y (T, N) or (T, N, K). Either way it is divided by N, not by T.
    l2 : float, >= 0, optional
        λ of ½·λ·ΣW², over the weights and never over the biases.
    weight_scale : float > 0 or None, optional
        Standard deviation of the initial weights; None is 1/sqrt(D + H) for the gates, whose sum
        has D + H terms, and 1/sqrt(H) for the output.
    seed : int, >= 0, optional
        Same seed, same weights.
    dtype : {"float64", "float32"}, optional

    Returns
    -------
    LSTMNet
        With Wx_q (D, H), Wh_q (H, H) and b_q (H,) for each of the gates q = i, f, g, o (input,
        forget, candidate, output), then Wy (H, K) and by (K,). Biases are 0.

    Raises
    ------
    ValueError, TypeError
        An argument is out of range or of the wrong type; the message says which.

    Examples
    --------
    >>> import gradlab as gl
    >>> gl.lstm(6, 8, 3)
    lstm(6, 8, 3, loss='softmax_cross_entropy'): 507 parameters
    """
    inputs = check_integer(inputs, "inputs", 1)
    hidden = check_integer(hidden, "hidden", 1)
    outputs = check_integer(outputs, "outputs", 1)
    every_step = check_bool(every_step, "every_step")
    gate_scale, output_scale = (inputs + hidden) ** -0.5, hidden**-0.5
    if weight_scale is not None:
        gate_scale = output_scale = weight_scale = check_positive(weight_scale, "weight_scale")
    rng = np.random.default_rng(check_integer(seed, "seed"))
    params = {}
    for q in GATES:
        params[f"Wx_{q}"] = gate_scale * rng.standard_normal((inputs, hidden))
        params[f"Wh_{q}"] = gate_scale * rng.standard_normal((hidden, hidden))
        params[f"b_{q}"] = np.zeros(hidden)
    params["Wy"] = output_scale * rng.standard_normal((hidden, outputs))
    params["by"] = np.zeros(outputs)
    layers = [LSTM(hidden, every_step, "hidden"), Dense("Wy", "by", "output")]
    net = LSTMNet(layers, params, (None, inputs), outputs, loss, l2, 0.0, dtype)
    net.inputs, net.hidden, net.every_step = inputs, hidden, every_step
    net.weight_scale, net.seed = weight_scale, int(seed)
    return net

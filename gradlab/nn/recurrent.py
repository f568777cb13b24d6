"""The LSTM as a layer: all time steps are one step of the chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from gradlab.nn.layers import Grads, Layer, Params

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
        Wx, Wh, b = (np.concatenate([params[f"{kind}_{q}"] for q in STACK], axis=-1)
                     for kind in ("Wx", "Wh", "b"))  # fmt: skip
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

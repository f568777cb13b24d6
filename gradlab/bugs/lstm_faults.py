"""Wrong backward passes through an LSTM."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradlab.bugs.faults import Backpropagated
from gradlab.nn.layers import Grads, Params
from gradlab.nn.recurrent import GATES, LSTM, Step

StepBack = Callable[[Step, np.ndarray, np.ndarray, np.ndarray], tuple[tuple, np.ndarray]]


def right_step(
    step: Step, c_before: np.ndarray, grad_h: np.ndarray, grad_c: np.ndarray
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Return dL/dz of the gates i, f, g, o, and dL/dc of the step before."""
    return _gates_back(step, c_before, grad_h, grad_c + _through_h(step, grad_h, step.tanh_c))


def cell_gradient_dropped(
    step: Step, c_before: np.ndarray, grad_h: np.ndarray, grad_c: np.ndarray
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Forget what later cell states send back: only h carries the signal."""
    return _gates_back(step, c_before, grad_h, _through_h(step, grad_h, step.tanh_c))


def tanh_twice(
    step: Step, c_before: np.ndarray, grad_h: np.ndarray, grad_c: np.ndarray
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Take tanh of what is tanh(c) already, for the derivative."""
    through = _through_h(step, grad_h, np.tanh(step.tanh_c))
    return _gates_back(step, c_before, grad_h, grad_c + through)


def sigmoid_as_derivative(
    step: Step, c_before: np.ndarray, grad_h: np.ndarray, grad_c: np.ndarray
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Multiply by the input gate where its derivative i (1 - i) belongs."""
    deltas, carried = right_step(step, c_before, grad_h, grad_c)
    total = grad_c + _through_h(step, grad_h, step.tanh_c)
    return (total * step.g * step.i, *deltas[1:]), carried


def _through_h(step: Step, grad_h: np.ndarray, tanh_c: np.ndarray) -> np.ndarray:
    return grad_h * step.o * (1 - tanh_c) * (1 + tanh_c)


def _gates_back(
    step: Step, c_before: np.ndarray, grad_h: np.ndarray, grad_c: np.ndarray
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    i, f, g, o = step.i, step.f, step.g, step.o
    deltas = (
        grad_c * g * i * (1 - i),
        grad_c * c_before * f * (1 - f),
        grad_c * i * (1 - g) * (1 + g),
        grad_h * step.tanh_c * o * (1 - o),
    )
    return deltas, grad_c * f


def through_time(
    step_back: StepBack,
    overwrite: bool,
    layer: LSTM,
    params: Params,
    a: np.ndarray,
    out: np.ndarray,
    grad_out: np.ndarray,
) -> Backpropagated:
    """Go back through time by `step_back`; with `overwrite`, each step's gradients replace."""
    steps, batch = list(layer.steps(params, a)), a.shape[2]
    grads: Grads = {name: np.zeros_like(params[name]) for name in layer.param_names}
    grad_a = np.zeros_like(a)
    nothing = np.zeros((len(steps[0].h), batch, 1), grad_out.dtype)
    grad_h, grad_c = nothing, nothing
    for t in reversed(range(len(steps))):
        if layer.every_step:
            grad_h = grad_h + grad_out[:, t * batch : (t + 1) * batch]
        elif t == len(steps) - 1:
            grad_h = grad_out
        c_before, h_before = (steps[t - 1].c, steps[t - 1].h) if t else (nothing, nothing)
        deltas, grad_c = step_back(steps[t], c_before, grad_h, grad_c)
        grad_h = nothing
        for q, delta in zip(GATES, (d[..., 0] for d in deltas), strict=True):
            kept = 0 if overwrite else 1
            grads[f"Wx_{q}"] = kept * grads[f"Wx_{q}"] + a[t, ..., 0] @ delta.T
            grads[f"Wh_{q}"] = kept * grads[f"Wh_{q}"] + h_before[..., 0] @ delta.T
            grads[f"b_{q}"] = kept * grads[f"b_{q}"] + delta.sum(axis=1)
            grad_a[t, ..., 0] += params[f"Wx_{q}"] @ delta
            grad_h = grad_h + (params[f"Wh_{q}"] @ delta)[..., None]
    return grad_a, grads

"""Networks with one LSTM layer and a dense output."""

from __future__ import annotations

import numpy as np

from gradlab._validate import check_bool, check_integer, check_positive, check_real_array
from gradlab.nn.layers import Dense
from gradlab.nn.network import Network
from gradlab.nn.recurrent import GATES, LSTM


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

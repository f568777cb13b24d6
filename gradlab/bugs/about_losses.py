"""The bugs around the loss: its derivative, its mean, L2, and what is done with the gradient."""

from __future__ import annotations

from gradlab.bugs.exhibit import Exhibit

ABOUT_LOSSES = (
    Exhibit(
        "missing_1_over_n", 1, "the mean over the batch is in the loss but not in its derivative",
        "dlogits = p - y", "dlogits = (p - y) / N",
        "every tensor: cosine 1, ratio N, norm ratio (N - 1)/(N + 1) = 0.78",
        "a batch of one example",
        "the gradient is N times too large: the 1/N of the mean over the batch is missing",
    ),
    Exhibit(
        "double_1_over_n", 1, "the mean over the batch is taken twice",
        "dlogits = (p - y) / N; dW = a.T @ dz / N", "dlogits = (p - y) / N; dW = a.T @ dz",
        "every tensor: cosine 1, ratio 1/N, norm ratio (N - 1)/(N + 1) = 0.78",
        "a batch of one example",
        "the gradient is N times too small: the 1/N of the mean over the batch is applied twice",
    ),
    Exhibit(
        "missing_factor_2", 2, "the derivative of the square lacks its 2",
        "dout = (out - y) / N", "dout = 2 * (out - y) / N",
        "every tensor: cosine 1, ratio 1/2, norm ratio 1/3", "",
        "the gradient is exactly half: a factor 2 is missing, the one from the square in the MSE",
    ),
    Exhibit(
        "mean_over_outputs", 3, "the derivative is divided by N·K, the loss by N",
        "dout = 2 * (out - y) / y.size", "dout = 2 * (out - y) / len(y)",
        "every tensor: cosine 1, ratio 1/K, norm ratio (K - 1)/(K + 1) = 0.5",
        "a single output",
        "the gradient is K times too small: the MSE's derivative is divided by N·K, its loss by N",
    ),
    Exhibit(
        "flipped_sign", 4, "the difference is taken the wrong way round",
        "dlogits = (y - p) / N", "dlogits = (p - y) / N",
        "every tensor: cosine -1, norm ratio 1",
        "L2 swamps it: at λ = 1e3 the weights' norm ratio is down to 1e-4, at 1e5 to 1e-6; the "
        "biases stay at 1",
        "the sign of the loss's derivative is flipped: y - p where p - y belongs",
    ),
    Exhibit(
        "accumulated_gradients", 5, "gradients are added to those of the call before",
        "self.grads['W1'] += a.T @ dz", "self.grads['W1'] = a.T @ dz",
        "every tensor: cosine 1, on the second call ratio 2, norm ratio 1/3",
        "the first call: gl.check and gl.check_function make two, and check the second",
        "the gradient is exactly double: it was added to that of an earlier call and not reset",
    ),
    Exhibit(
        "softmax_over_batch", 6, "backward normalises softmax over the whole batch",
        "p = e / e.sum()", "p = e / e.sum(axis=1, keepdims=True)",
        "every tensor, 0.07 to 0.9, cosine below 1", "a batch of one example",
        "softmax is normalised over the whole batch and not for each example: the axis is missing",
    ),
    Exhibit(
        "softmax_derivative_twice", 7, "softmax's derivative is applied to p - y, which has it",
        "dlogits = p * (d - (p * d).sum(1, keepdims=True))  # d = (p - y) / N",
        "dlogits = (p - y) / N",
        "every tensor, 0.4 to 0.7, cosine close to 1 in most", "",
        "softmax's derivative is applied again, though p - y already contains it",
    ),
    Exhibit(
        "missing_label", 8, "the 1 at the label is not subtracted",
        "dlogits = p / N", "dlogits = p / N; dlogits[range(N), label] -= 1 / N",
        "every tensor, 0.4 to 1, cosine far from 1", "",
        "the target is not subtracted: p where p - y belongs",
    ),
    Exhibit(
        "missing_l2", 17, "L2 is in the loss but not in the gradient",
        "dW = a.T @ dz", "dW = a.T @ dz + l2 * W",
        "weights wrong, biases right; a - n = -λW: 0.16 to 0.5 at λ = 0.1, 0.002 to 0.007 at 1e-3",
        "a small λ: 1e-8 leaves 7e-8 at most",
        "L2 is missing in the gradient",
    ),
    Exhibit(
        "doubled_l2", 17, "the derivative of λ·ΣW², where the loss has ½·λ·ΣW²",
        "dW = a.T @ dz + 2 * l2 * W", "dW = a.T @ dz + l2 * W",
        "weights wrong, biases right; a - n = +λW: 0.14 to 0.3 at λ = 0.1", "a small λ",
        "L2 is doubled in the gradient: the loss has ½·λ·ΣW²",
    ),
    Exhibit(
        "l2_over_n", 17, "L2's gradient is divided by the batch size",
        "dW = (a.T @ dz + l2 * W) / N  # dz without 1/N", "dW = a.T @ dz / N + l2 * W",
        "weights wrong, biases right; a - n = (1/N - 1)·λW: 0.14 to 0.4 at λ = 0.1",
        "a batch of one example; a small λ",
        "L2's gradient is divided by the batch size, which the loss does not do",
    ),
    Exhibit(
        "negated_l2", 17, "L2's gradient is subtracted",
        "dW = a.T @ dz - l2 * W", "dW = a.T @ dz + l2 * W",
        "weights wrong, biases right; a - n = -2λW: 0.3 to 0.8 at λ = 0.1", "a small λ",
        "L2's gradient is subtracted where it must be added",
    ),
    Exhibit(
        "l2_on_biases", 18,
        "the gradient has L2 on the biases, the loss has not",
        "db = dz.sum(axis=0) + l2 * b", "db = dz.sum(axis=0)",
        "biases only; a - n = λb: 0.01 to 0.1 at λ = 0.1 and biases around 0.1",
        "biases that are 0, as they are at the start: exactly 0",
        "L2 treats the biases differently in the loss and in the gradient: move them away from 0",
    ),
)  # fmt: skip

"""Backpropagation as a learner writes it, for rows as examples, with a line that can be wrong.

Independent of `gradlab.nn` and of `gradlab.bugs`: it is what a diagnosis meets in practice.
"""

import numpy as np

from gradlab.nn.activations import ACTIVATION_FUNCTIONS


def gradient(net, x, y, masks=None, bug=None, layer=None):
    """Return the gradient of an MLP, with `bug` in the code (at `layer`, if it is in a layer)."""
    L, N, params = len(net.sizes) - 1, len(x), net.params
    names = [*net.activations, "identity"]
    layer = layer or L

    def here(name, i):
        return bug == name and i == layer

    a, z, h = [x], [None], [None]
    for i in range(1, L + 1):
        z.append(a[-1] @ params[f"W{i}"] + params[f"b{i}"])
        h.append(ACTIVATION_FUNCTIONS[names[i - 1]].function(z[i]))
        a.append(h[i] * masks[i - 1] if masks and i < L else h[i])
    delta = loss_derivative(net, a[-1], y, bug)
    grads = {}
    for i in range(L, 0, -1):
        if masks and i < L:
            delta = drop(delta, masks[i - 1], here, i)
        if names[i - 1] != "identity":
            delta = delta * slope(names[i - 1], z[i], h[i], delta, here, i)
        grads[f"W{i}"] = a[i - 1].T @ delta
        grads[f"b{i}"] = delta.sum(axis=0)
        if here("bias_summed_without_axis", i):
            grads[f"b{i}"] = np.full(delta.shape[1], delta.sum())
        if here("bias_mean", i):
            grads[f"b{i}"] = delta.mean(axis=0)
        W = params[f"W{i}"]
        if here("updated_weights", i):
            W = W - 0.05 * grads[f"W{i}"]  # not the museum's learning rate
        delta = delta @ (W if here("missing_transpose", i) else W.T)
    if bug == "copied_bias_gradient":
        grads["b2"] = grads["b1"]
    return with_l2(net, grads, N, bug)


def loss_derivative(net, out, y, bug):
    N, K = out.shape
    if net.loss_name == "mse":
        d = {"missing_factor_2": 1, "mean_over_outputs": 2 / K}.get(bug, 2) * (out - y)
        return scale_of_mean(N, bug) * d
    e = np.exp(out - out.max())
    p = e / (e.sum() if bug == "softmax_over_batch" else e.sum(axis=1, keepdims=True))
    d = p - (0 if bug == "missing_label" else np.eye(K)[y])
    if bug == "softmax_derivative_twice":
        d = np.stack([(np.diag(row) - np.outer(row, row)) @ g for row, g in zip(p, d, strict=True)])
    return scale_of_mean(N, bug) * d


def scale_of_mean(N, bug):
    factor = {"missing_1_over_n": 1, "double_1_over_n": 1 / N**2, "flipped_sign": -1 / N}
    return factor.get(bug, 1 / N)


def drop(delta, mask, here, i):
    if here("missing_dropout_mask", i):
        return delta
    if here("missing_dropout_scale", i):
        return delta * (mask != 0)
    if here("redrawn_dropout_mask", i):
        mask = np.random.default_rng(5).permutation(mask.ravel()).reshape(mask.shape)
    return delta * mask


def slope(name, z, a, delta, here, i):
    f = ACTIVATION_FUNCTIONS[name]
    if here("missing_activation_derivative", i):
        return 1.0
    if here("activation_as_derivative", i):
        return a
    if here("relu_masks_by_gradient", i):
        return delta > 0
    if here("leaky_slope_dropped", i):
        return z > 0
    at = a if here("activation_derivative_at_output", i) else z
    return f.derivative(at, f.function(at))


def with_l2(net, grads, N, bug):
    factor = {"missing_l2": 0, "doubled_l2": 2, "l2_over_n": 1 / N, "negated_l2": -1}.get(bug, 1)
    for name in grads:
        if name[0] == "W" or bug == "l2_on_biases":
            grads[name] = grads[name] + factor * net.l2 * net.params[name]
    if bug == "accumulated_gradients":
        grads = {name: 2 * g for name, g in grads.items()}
    return grads

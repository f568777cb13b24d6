"""The bugs of dense layers, activations and dropout."""

from __future__ import annotations

from gradlab.bugs.exhibit import Exhibit

ABOUT_LAYERS = (
    Exhibit(
        "bias_summed_without_axis", 9, "the bias's gradient is one sum over everything",
        "db = dz.sum()", "db = dz.sum(axis=0)",
        "only that bias, all its entries equal: 1 below a softmax (the sum is 0), 0.5 to 0.9 "
        "elsewhere", "a layer of one unit",
        "the bias's gradient is summed without an axis",
    ),
    Exhibit(
        "bias_mean", 10, "the bias's gradient is a mean over the batch, not a sum",
        "db = dz.mean(axis=0)", "db = dz.sum(axis=0)",
        "only that bias: cosine 1, ratio 1/N, norm ratio (N - 1)/(N + 1) = 0.78",
        "a batch of one example",
        "the bias's gradient is a mean over the batch where a sum belongs: 1/N is already in dz",
    ),
    Exhibit(
        "activation_derivative_at_output", 11, "the activation's derivative is taken at a, not z",
        "dz = da * tanh_prime(a)", "dz = da * tanh_prime(z)",
        "that layer's tensors and all below, 0.02 to 0.2, cosine close to 1",
        "nearly linear tanh: at weight scale 0.01 and b = 0 below 2e-12, at 1 0.1 to 0.6; sigmoid "
        "is not forgiving. For relu and leaky_relu f'(a) is f'(z)",
        "the activation's derivative is evaluated at the activation a, not at the pre-activation z",
    ),
    Exhibit(
        "missing_activation_derivative", 12, "the activation is skipped on the way back",
        "dz = da", "dz = da * (1 - a**2)",
        "that layer's tensors and all below, 0.06 to 0.5",
        "small weights, where tanh is nearly linear and its derivative nearly 1. Raise the weights",
        "the activation's derivative is missing",
    ),
    Exhibit(
        "activation_as_derivative", 13, "the activation itself stands for its derivative",
        "dz = da * np.tanh(z)", "dz = da * (1 - np.tanh(z)**2)",
        "that layer's tensors and all below, 0.2 to 1, the direction is lost", "",
        "the activation itself is used for its derivative",
    ),
    Exhibit(
        "missing_transpose", 14, "the signal goes down through W and not through its transpose",
        "da = dz @ W", "da = dz @ W.T",
        "everything below that layer, 0.3 to 0.7", "a symmetric W; another shape raises an error",
        "the signal is sent down through W where its transpose belongs",
    ),
    Exhibit(
        "updated_weights", 15, "the signal goes down through weights that are already updated",
        "W -= 0.1 * dW; da = dz @ W.T", "da = dz @ W.T; W -= 0.1 * dW",
        "everything below that layer, 0.004 to 0.04 at learning rate 0.1, cosine 0.998 or more",
        "a small learning rate or a small gradient",
        "the signal is sent down through W after its update (learning rate 0.1)",
    ),
    Exhibit(
        "copied_bias_gradient", 16, "a line was copied and its index not changed",
        "grads['b1'] = dz2.sum(axis=0)", "grads['b1'] = dz1.sum(axis=0)",
        "only that bias, 0.5 to 0.9",
        "biases with the same gradient; in layers of different size the shape betrays it",
        "the bias's gradient is that of another layer's bias",
    ),
    Exhibit(
        "missing_dropout_mask", 19, "dropout only in the forward pass",
        "dh = da", "dh = da * mask",
        "that layer's tensors and all below, 0.1 to 0.7 at rate 0.3",
        "a check without dropout masks",
        "the dropout mask is not applied on the way back",
    ),
    Exhibit(
        "missing_dropout_scale", 20, "what was dropped is zeroed, but not scaled by 1/keep",
        "dh = da * (mask > 0)", "dh = da * mask  # 0 or 1/keep",
        "that layer's tensors and all below: cosine 1, ratio exactly keep; 0.18 at rate 0.3",
        "a check without dropout masks",
        "dropout's factor 1/keep is missing on the way back",
    ),
    Exhibit(
        "redrawn_dropout_mask", 21, "a new dropout mask is drawn for the backward pass",
        "dh = da * draw_mask(rng)", "dh = da * mask",
        "that layer's tensors and all below, 0.1 to 0.9 at rate 0.3",
        "a check without dropout masks",
        "the backward pass uses another dropout mask than the forward pass",
    ),
    Exhibit(
        "relu_masks_by_gradient", 32, "ReLU's backward looks at the gradient's sign, not at z's",
        "dz = da * (da > 0)", "dz = da * (z > 0)",
        "that layer's tensors and all below, 0.2 to 0.8", "",
        "ReLU lets the signal through where the signal itself is positive, not where z is",
    ),
    Exhibit(
        "leaky_slope_dropped", 33, "leaky ReLU's small slope is forgotten on the way back",
        "dz = da * (z > 0)", "dz = da * np.where(z > 0, 1, 0.01)",
        "that layer's tensors and all below, 0.001 to 0.03, cosine 0.999 or more",
        "every z positive",
        "leaky ReLU's slope left of 0 is dropped, as if it were a ReLU",
    ),
)  # fmt: skip

"""Short titles for the museum's bugs, and what family each belongs to."""

from __future__ import annotations

from gradlab import bugs

__all__ = ["family_of", "title_of"]

_MEAN = "the mean over the batch, or another common factor"
_LOSS = "the loss's derivative"
_ACTIVATION = "an activation's derivative"
_DROPOUT = "dropout's mask"
_L2 = "L2's part of the gradient"
_BIAS = "a bias's gradient"
_WAY = "the way of the signal through the weights"
_TABLE = {
    "missing_1_over_n": ("1/N is missing", _MEAN),
    "double_1_over_n": ("1/N is there twice", _MEAN),
    "missing_factor_2": ("the 2 of the square is missing", _MEAN),
    "mean_over_outputs": ("divided by the number of outputs", _MEAN),
    "accumulated_gradients": ("gradients are added to earlier ones", _MEAN),
    "flipped_sign": ("the sign is flipped", _LOSS),
    "softmax_over_batch": ("softmax over the whole batch", _LOSS),
    "softmax_derivative_twice": ("softmax's derivative applied twice", _LOSS),
    "missing_label": ("the label is not subtracted", _LOSS),
    "bias_summed_without_axis": ("bias summed without an axis", _BIAS),
    "bias_mean": ("bias averaged, not summed", _BIAS),
    "copied_bias_gradient": ("bias gradient of another layer", _BIAS),
    "activation_derivative_at_output": ("activation's derivative at a, not z", _ACTIVATION),
    "missing_activation_derivative": ("activation's derivative is missing", _ACTIVATION),
    "activation_as_derivative": ("activation in place of its derivative", _ACTIVATION),
    "relu_masks_by_gradient": ("ReLU looks at the gradient's sign", _ACTIVATION),
    "leaky_slope_dropped": ("leaky ReLU's small slope is dropped", _ACTIVATION),
    "missing_transpose": ("W where its transpose belongs", _WAY),
    "updated_weights": ("signal through updated weights", _WAY),
    "missing_l2": ("L2 is missing in the gradient", _L2),
    "doubled_l2": ("L2 is doubled in the gradient", _L2),
    "l2_over_n": ("L2 divided by the batch size", _L2),
    "negated_l2": ("L2 is subtracted", _L2),
    "l2_on_biases": ("L2 on the biases too", _L2),
    "missing_dropout_mask": ("dropout's mask is not applied", _DROPOUT),
    "missing_dropout_scale": ("dropout's 1/keep is missing", _DROPOUT),
    "redrawn_dropout_mask": ("another dropout mask on the way back", _DROPOUT),
}
#: Of the others, by the first word of their names.
_FAMILIES = {
    "batch": "batch norm",
    "lstm": "the way back through time in the LSTM",
    "swapped": "a convolution",
    "kernel": "a convolution",
    "max": "a max pool",
}


def title_of(bug: str) -> str:
    """Return a few words for a bug of the museum, to be picked from a list."""
    if bug in _TABLE:
        return _TABLE[bug][0]
    return bugs.describe(bug).name.replace("_", " ")


def family_of(bug: str) -> str:
    """Return the part of a backward pass that the bug is about."""
    return _TABLE[bug][1] if bug in _TABLE else _FAMILIES[bug.partition("_")[0]]

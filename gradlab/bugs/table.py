"""Which bug is which fault, and what a network needs to have it."""

from __future__ import annotations

from functools import partial

from gradlab.bugs import faults, gradient_faults, image_faults, lstm_faults, places
from gradlab.bugs.fault import Fault, GradientFault, LayerFault, LossFault
from gradlab.nn.batch_norm import BatchNorm
from gradlab.nn.layers import Activation
from gradlab.nn.pooling import MaxPool
from gradlab.nn.recurrent import LSTM

SMOOTH = ("sigmoid", "tanh", "elu", "softplus")


def _of_loss(derivative, loss=None) -> LossFault:
    if loss is None:
        return LossFault(derivative, places.any_loss, "a loss")
    return LossFault(derivative, places.loss_is(loss), f"the loss {loss}")


def _of_softmax(derivative) -> LossFault:
    return _of_loss(derivative, "softmax_cross_entropy")


def _of_l2(amend, spoils=places.weights) -> GradientFault:
    return GradientFault(amend, places.with_l2, "l2 > 0", spoils)


def _of_activation(backward) -> LayerFault:
    return LayerFault(backward, places.kind(Activation), "an activation other than identity")


def _of_dropout(backward) -> LayerFault:
    return LayerFault(backward, places.dropout, "dropout (dropout_rate > 0)")


def _of_batch_norm(backward, spoils=None) -> LayerFault:
    return LayerFault(backward, places.kind(BatchNorm), "batch norm", spoils)


def _of_lstm(step_back, overwrite=False) -> LayerFault:
    backward = partial(lstm_faults.through_time, step_back, overwrite)
    return LayerFault(backward, places.kind(LSTM), "an LSTM", places.own_and_below)


FAULTS: dict[str, Fault] = {
    "missing_1_over_n": _of_loss(lambda right, out, n: right * n),
    "double_1_over_n": _of_loss(lambda right, out, n: right / n),
    "missing_factor_2": _of_loss(lambda right, out, n: right / 2, "mse"),
    "mean_over_outputs": LossFault(
        lambda right, out, n: right / len(out),
        places.mse_of_several,
        "the loss mse and more than one output",
    ),
    "flipped_sign": _of_loss(lambda right, out, n: -right),
    "accumulated_gradients": GradientFault(
        gradient_faults.accumulated, places.everywhere, "a gradient", places.all_but_idle
    ),
    "softmax_over_batch": _of_softmax(faults.softmax_over_batch),
    "softmax_derivative_twice": _of_softmax(faults.softmax_derivative_twice),
    "missing_label": _of_softmax(faults.missing_label),
    "bias_summed_without_axis": LayerFault(
        faults.bias_summed_without_axis,
        places.wide_bias,
        "a layer with a bias of several entries, not below a batch norm",
        places.own_bias,
    ),
    "bias_mean": LayerFault(
        faults.bias_mean,
        places.bias,
        "a layer with a bias, not below a batch norm",
        places.own_bias,
    ),
    "activation_derivative_at_output": LayerFault(
        faults.derivative_at_output,
        places.activation_in(*SMOOTH),
        f"one of the activations {', '.join(SMOOTH)} (at the others f'(a) is f'(z))",
    ),
    "missing_activation_derivative": _of_activation(faults.missing_derivative),
    "activation_as_derivative": _of_activation(faults.function_as_derivative),
    "missing_transpose": LayerFault(
        faults.missing_transpose,
        places.square_above_another,
        "a dense layer with as many inputs as units, above another layer",
    ),
    "updated_weights": LayerFault(
        faults.updated_weights, places.above_another, "two layers with weights: it is the upper one"
    ),
    "copied_bias_gradient": GradientFault(
        gradient_faults.copied_bias,
        places.where(places.copied_bias),
        "two layers of the same size",
        places.own_bias,
    ),
    "missing_l2": _of_l2(gradient_faults.missing_l2),
    "doubled_l2": _of_l2(gradient_faults.doubled_l2),
    "l2_over_n": _of_l2(gradient_faults.l2_over_n),
    "negated_l2": _of_l2(gradient_faults.negated_l2),
    "l2_on_biases": _of_l2(gradient_faults.l2_on_biases, places.not_weights),
    "missing_dropout_mask": _of_dropout(faults.mask_ignored),
    "missing_dropout_scale": _of_dropout(faults.mask_without_scale),
    "redrawn_dropout_mask": _of_dropout(faults.mask_redrawn),
    "batch_norm_constant_statistics": _of_batch_norm(
        image_faults.constant_statistics, places.below_with_idle
    ),
    "batch_norm_missing_gamma": _of_batch_norm(image_faults.missing_gamma),
    "batch_norm_over_m_squared": _of_batch_norm(image_faults.variance_over_m_squared),
    "swapped_width_and_height": LayerFault(
        image_faults.swapped_sides,
        places.oblong,
        "a convolution of images that do not come out square",
        places.own_and_below,
    ),
    "max_pool_all_ties": LayerFault(image_faults.all_ties_win, places.kind(MaxPool), "a max pool"),
    "lstm_cell_gradient_dropped": _of_lstm(lstm_faults.cell_gradient_dropped),
    "lstm_sigmoid_as_derivative": _of_lstm(lstm_faults.sigmoid_as_derivative),
    "lstm_tanh_twice": _of_lstm(lstm_faults.tanh_twice),
    "lstm_step_overwrites": _of_lstm(lstm_faults.right_step, overwrite=True),
    "kernel_not_flipped": LayerFault(
        image_faults.kernel_not_flipped,
        places.kernel_above_another,
        "a convolution of more than one pixel above another layer",
    ),
    "relu_masks_by_gradient": LayerFault(
        faults.relu_masks_by_gradient, places.activation_in("relu"), "a relu"
    ),
    "leaky_slope_dropped": LayerFault(
        faults.leaky_slope_dropped, places.activation_in("leaky_relu"), "a leaky_relu"
    ),
}

"""Which bug is which fault, and what a network needs to have it."""

from __future__ import annotations

from functools import partial

from gradlab.bugs import faults
from gradlab.bugs.planting import Fault, GradientFault, LayerFault, LossFault, layer_numbers
from gradlab.nn.dropout import Dropout
from gradlab.nn.layers import Activation, Dense, Layer
from gradlab.nn.network import Network

SMOOTH = ("sigmoid", "tanh", "elu", "softplus")


def _dense(net: Network, i: int) -> bool:
    return isinstance(net.layers[i], Dense)


def _wide_dense(net: Network, i: int) -> bool:
    return _dense(net, i) and net.params[net.layers[i].b].size > 1


def _dense_above_another(net: Network, i: int) -> bool:
    return _dense(net, i) and layer_numbers(net.layers)[i] > 1


def _square_dense_above_another(net: Network, i: int) -> bool:
    if not _dense_above_another(net, i):
        return False
    rows, columns = net.params[net.layers[i].W].shape
    return rows == columns > 1


def _activation(net: Network, i: int) -> bool:
    return isinstance(net.layers[i], Activation)


def _activation_in(names: tuple[str, ...], net: Network, i: int) -> bool:
    return _activation(net, i) and net.layers[i].function.name in names


def _dropout(net: Network, i: int) -> bool:
    return isinstance(net.layers[i], Dropout) and net.dropout_rate > 0


def _any_loss(net: Network) -> bool:
    return True


def _loss_is(name: str, net: Network) -> bool:
    return net.loss_name == name


def _mse_of_several(net: Network) -> bool:
    return net.loss_name == "mse" and net.outputs > 1


def _bias(layer: Layer) -> tuple[str, ...]:
    return tuple(name for name in layer.param_names if name not in layer.weight_names)


def _anywhere(net: Network) -> dict[int, int]:
    return {layer_numbers(net.layers)[-1]: len(net.layers) - 1}


def _with_l2(net: Network) -> dict[int, int]:
    return _anywhere(net) if net.l2 else {}


def _with_twin(net: Network) -> dict[int, int]:
    return {number: i for i, number in enumerate(layer_numbers(net.layers))
            if _dense(net, i) and faults.twin_bias(net, i)}  # fmt: skip


def _all(net: Network, position: int) -> tuple[str, ...]:
    return tuple(net.params)


def _weights(net: Network, position: int) -> tuple[str, ...]:
    return net.weight_names


def _biases(net: Network, position: int) -> tuple[str, ...]:
    return tuple(name for name in net.params if name not in net.weight_names)


def _own_bias(net: Network, position: int) -> tuple[str, ...]:
    return _bias(net.layers[position])


_L2 = {"where": _with_l2, "needs": "l2 > 0"}
_DROPOUT = {"fits": _dropout, "needs": "dropout (dropout_rate > 0)"}
_SOFTMAX = {
    "fits": partial(_loss_is, "softmax_cross_entropy"),
    "needs": "the loss softmax_cross_entropy",
}
_ACTIVATION = {"fits": _activation, "needs": "an activation other than identity"}
_DENSE_ABOVE = {"fits": _dense_above_another, "needs": "a dense layer above another layer"}

FAULTS: dict[str, Fault] = {
    "missing_1_over_n": LossFault(lambda out, g: g * out.shape[-2], _any_loss, "a loss"),
    "double_1_over_n": LossFault(lambda out, g: g / out.shape[-2], _any_loss, "a loss"),
    "missing_factor_2": LossFault(lambda out, g: g / 2, partial(_loss_is, "mse"), "the loss mse"),
    "mean_over_outputs": LossFault(
        lambda out, g: g / len(out), _mse_of_several, "the loss mse and more than one output"
    ),
    "flipped_sign": LossFault(lambda out, g: -g, _any_loss, "a loss"),
    "accumulated_gradients": GradientFault(faults.accumulated, _anywhere, "a gradient", _all),
    "softmax_over_batch": LossFault(faults.softmax_over_batch, **_SOFTMAX),
    "softmax_derivative_twice": LossFault(faults.softmax_derivative_twice, **_SOFTMAX),
    "missing_label": LossFault(faults.missing_label, **_SOFTMAX),
    "bias_summed_without_axis": LayerFault(
        faults.bias_summed_without_axis, _wide_dense, "a dense layer of several units", _bias
    ),
    "bias_mean": LayerFault(faults.bias_mean, _dense, "a dense layer", _bias),
    "activation_derivative_at_output": LayerFault(
        faults.derivative_at_output,
        partial(_activation_in, SMOOTH),
        f"one of the activations {', '.join(SMOOTH)} (at others f'(a) is f'(z))",
    ),
    "missing_activation_derivative": LayerFault(faults.missing_derivative, **_ACTIVATION),
    "activation_as_derivative": LayerFault(faults.function_as_derivative, **_ACTIVATION),
    "missing_transpose": LayerFault(
        faults.missing_transpose,
        _square_dense_above_another,
        "a dense layer with as many inputs as units, above another layer",
    ),
    "updated_weights": LayerFault(faults.updated_weights, **_DENSE_ABOVE),
    "copied_bias_gradient": GradientFault(
        faults.copied_bias, _with_twin, "two dense layers of the same size", _own_bias
    ),
    "missing_l2": GradientFault(faults.missing_l2, spoils=_weights, **_L2),
    "doubled_l2": GradientFault(faults.doubled_l2, spoils=_weights, **_L2),
    "l2_over_n": GradientFault(faults.l2_over_n, spoils=_weights, **_L2),
    "negated_l2": GradientFault(faults.negated_l2, spoils=_weights, **_L2),
    "l2_on_biases": GradientFault(faults.l2_on_biases, spoils=_biases, **_L2),
    "missing_dropout_mask": LayerFault(faults.mask_ignored, **_DROPOUT),
    "missing_dropout_scale": LayerFault(faults.mask_without_scale, **_DROPOUT),
    "redrawn_dropout_mask": LayerFault(faults.mask_redrawn, **_DROPOUT),
    "relu_masks_by_gradient": LayerFault(
        faults.relu_masks_by_gradient, partial(_activation_in, ("relu",)), "a relu"
    ),
    "leaky_slope_dropped": LayerFault(
        faults.leaky_slope_dropped, partial(_activation_in, ("leaky_relu",)), "a leaky_relu"
    ),
}

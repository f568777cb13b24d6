"""Where in a network a bug can be, and which parameters it spoils there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradlab.bugs.fault import idle_biases, layer_numbers
from gradlab.bugs.faults import Weighted
from gradlab.bugs.gradient_faults import twin_bias
from gradlab.nn.convolution import Conv
from gradlab.nn.dropout import Dropout
from gradlab.nn.layers import Activation, Dense
from gradlab.nn.network import Network
from gradlab.nn.pooling import AveragePool, MaxPool

Fits = Callable[[Network, int], bool]

# -- which layers: (net, position) -> bool -------------------------------------------------------


def kind(*types: type) -> Fits:
    """Return a test whether the layer there is of one of these types."""
    return lambda net, i: isinstance(net.layers[i], types)


def activation_in(*names: str) -> Fits:
    """Return a test whether an activation of one of these names is there."""
    return lambda net, i: kind(Activation)(net, i) and net.layers[i].function.name in names


def dropout(net: Network, i: int) -> bool:
    """Tell whether dropout is there, at a rate above 0."""
    return isinstance(net.layers[i], Dropout) and net.dropout_rate > 0


def bias(net: Network, i: int) -> bool:
    """Tell whether a layer with a bias is there whose gradient is not 0 in any case."""
    return kind(Weighted)(net, i) and net.layers[i].b not in idle_biases(net)


def wide_bias(net: Network, i: int) -> bool:
    """Tell whether a layer with such a bias, of more than one entry, is there."""
    return bias(net, i) and net.params[net.layers[i].b].size > 1


def single_bias(net: Network, i: int) -> bool:
    """Tell whether a layer with such a bias, of one entry, is there."""
    return bias(net, i) and not wide_bias(net, i)


def copied_bias(net: Network, i: int) -> bool:
    """Tell whether the layer there has a bias of the same shape as another's."""
    return kind(Weighted)(net, i) and twin_bias(net, i) is not None


def above_another(net: Network, i: int) -> bool:
    """Tell whether a layer with weights is there, and another one below it."""
    return kind(Weighted)(net, i) and layer_numbers(net.layers)[i] > 1


def square_above_another(net: Network, i: int) -> bool:
    """Tell whether it is dense and has as many inputs as units."""
    if not (above_another(net, i) and kind(Dense)(net, i)):
        return False
    rows, columns = net.params[net.layers[i].W].shape
    return rows == columns > 1


def kernel_above_another(net: Network, i: int) -> bool:
    """Tell whether a convolution of more than one pixel is there, and weights below it."""
    conv = kind(Conv)(net, i) and above_another(net, i)
    return conv and net.params[net.layers[i].W][0, 0].size > 1


def oblong(net: Network, i: int) -> bool:
    """Tell whether a convolution is there, of images that do not come out square."""
    return kind(Conv)(net, i) and len(set(_image_after(net, i))) == 2


def square_image(net: Network, i: int) -> bool:
    """Tell whether a convolution is there, of images that come out square."""
    return kind(Conv)(net, i) and not oblong(net, i)


def _image_after(net: Network, i: int) -> tuple[int, int]:
    """Return the rows and columns of what the convolution there makes."""
    sides = np.array(net.input_shape[-2:])
    for step in net.layers[: i + 1]:
        if isinstance(step, Conv):
            sides = sides + 2 * step.padding - net.params[step.W].shape[2:] + 1
        elif isinstance(step, (MaxPool, AveragePool)):
            sides = sides // 2
    return int(sides[0]), int(sides[1])


# -- which losses: net -> bool -------------------------------------------------------------------


def any_loss(net: Network) -> bool:
    """Every network has one."""
    return True


def loss_is(name: str) -> Callable[[Network], bool]:
    """Return a test for a loss."""
    return lambda net: net.loss_name == name


def mse_of_several(net: Network) -> bool:
    """Tell whether the loss is the mean squared error of more than one output."""
    return net.loss_name == "mse" and net.outputs > 1


# -- what is in the gradient: net -> {layer number: position} --------------------------------------


def everywhere(net: Network) -> dict[int, int]:
    """Return the one place of what concerns the whole gradient: the last layer."""
    return {layer_numbers(net.layers)[-1]: len(net.layers) - 1}


def with_l2(net: Network) -> dict[int, int]:
    """Return the one place, if there is L2."""
    return everywhere(net) if net.l2 else {}


def with_single_mse(net: Network) -> dict[int, int]:
    """Return the one place, if the loss is the mean squared error of one output."""
    return everywhere(net) if net.loss_name == "mse" and net.outputs == 1 else {}


def where(fits: Fits) -> Callable[[Network], dict[int, int]]:
    """Return a function that finds all places that pass the test."""
    return lambda net: {
        number: i for i, number in enumerate(layer_numbers(net.layers)) if fits(net, i)
    }


# -- which parameters: (net, position) -> names ----------------------------------------------------


def all_but_idle(net: Network, position: int) -> tuple[str, ...]:
    """Return the parameters whose gradient is not 0 in any case."""
    return tuple(name for name in net.params if name not in idle_biases(net))


def weights(net: Network, position: int) -> tuple[str, ...]:
    """Return the parameters that L2 applies to."""
    return net.weight_names


def not_weights(net: Network, position: int) -> tuple[str, ...]:
    """Return the parameters that L2 does not apply to."""
    return tuple(name for name in net.params if name not in net.weight_names)


def own_bias(net: Network, position: int) -> tuple[str, ...]:
    """Return the layer's bias."""
    return (net.layers[position].b,)


def own_and_below(net: Network, position: int) -> tuple[str, ...]:
    """Return the layer's parameters and those below."""
    layers = net.layers[: position + 1]
    return tuple(name for layer in layers for name in getattr(layer, "param_names", ()))


def below_with_idle(net: Network, position: int) -> tuple[str, ...]:
    """Return the parameters below, and with them the bias that batch norm should make idle."""
    idle = set(idle_biases(net)) - {net.layers[position - 1].b}
    return tuple(
        name
        for layer in net.layers[:position]
        for name in getattr(layer, "param_names", ())
        if name not in idle
    )

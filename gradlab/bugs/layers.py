"""The bugs of dense layers, activations, dropout and batch norm.

Figures of batch norm are those of `Exhibit.shows`, in a network of sizes 5-6-6-3.
"""

from __future__ import annotations

from gradlab.bugs.exhibit import Exhibit, Place, Spot, Wrong, always, idle_biases
from gradlab.bugs.lines.layers import ACTIVATION_LINES
from gradlab.bugs.lines.line import Line
from gradlab.bugs.lines.program import Listing, listing_of
from gradlab.bugs.losses import ONE_EXAMPLE
from gradlab.nn.network import Network

_BATCH_NORM_DX = (
    "{dx} = (dxhat{i} - dxhat{i}.mean(axis=0) - xhat{i} * (dxhat{i} * xhat{i}).mean(axis=0))"
    " / sqrt(var{i} + {eps})"
)


def _all_positive(at: Place) -> bool:
    net, x, _, masks = at.point
    chain = net.chain(masks, at.point.batch)
    cuts = net.forward(net.params, net.prepare_x(x), chain)
    return bool((cuts[chain.index(net.layers[at.position])] > 0).all())


def _in_activations(wrong: str) -> dict[str, tuple[tuple[str, Wrong], ...]]:
    """Return the same wrong line for every activation that has a derivative."""
    return {
        name: ((lines.backward.partition("  ~  ")[0], wrong),)
        for name, lines in ACTIVATION_LINES.items()
        if name != "identity"
    }


def _wide(net: Network, position: int) -> bool:
    return net.params[net.layers[position].b].size > 1


def _square(net: Network, position: int) -> bool:
    rows, columns = net.params[net.layers[position].W].shape
    return rows == columns > 1


def _gamma_is_1(at: Place) -> bool:
    net = at.point.net
    return bool((net.params[net.layers[at.position].gamma] == 1).all())


def _dropping(net: Network, position: int) -> bool:
    return net.dropout_rate > 0


def _that_of_another(line: Line, listing: Listing, net: Network) -> str | None:
    """Return the line with the sum of the nearest other layer whose bias has the same shape.

    Of two that are as near the upper one.
    """
    idle, shape = idle_biases(net), net.params[line.target[1:]].shape
    others = [
        (abs(other.position - line.position), -other.position, other.text.partition(" = ")[2])
        for other in listing.lines
        if other.of in ("dense", "convolution")
        and other.target == "d" + other.names["b"] != line.target
        and other.target[1:] not in idle
        and net.params[other.target[1:]].shape == shape
    ]
    return f"{line.target} = {min(others)[2]}" if others else None


def _has_twin(net: Network, position: int) -> bool:
    listing = listing_of(net, with_masks=True)
    target = "d" + net.layers[position].b
    line = next(line for line in listing.lines if line.target == target)
    return _that_of_another(line, listing, net) is not None


NO_MASKS = Spot(
    lambda at: at.point.masks is None,
    "no dropout masks",
    "a bug in dropout's own backward pass",
    "pass frozen masks",
    surely=True,
)
LINEAR = Spot(
    always,
    "an activation is nearly linear on these examples",
    "a missing or wrong derivative",
    "raise weight_scale, or check again after some training",
)
SINGLE_UNIT = Spot(
    lambda at: at.point.net.params[at.point.net.layers[at.position].b].size == 1,
    "a layer of one unit",
    "a bias's gradient that is summed without an axis",
    "check with two units",
    surely=True,
)

OF_LAYERS: tuple[Exhibit, ...] = (
    Exhibit(
        name="bias_summed_without_axis",
        number=9,
        title="bias summed without an axis",
        summary="the bias's gradient is one sum over everything",
        edits={
            "dense": (("d{b} = {dy}.sum(axis=0)", "d{b} = {dy}.sum()"),),
            "convolution": (("d{b} = {dy}.sum(axis=(0, 2, 3))", "d{b} = {dy}.sum()"),),
        },
        shows=(
            "only that bias, all its entries equal: 1 below a softmax (the sum is 0), 0.5 to 0.9 "
            "elsewhere"
        ),
        cause="the bias's gradient is summed without an axis",
        needs="a layer with a bias of several entries, not below a batch norm",
        blind="a layer of one unit",
        fits=_wide,
        is_mute_elsewhere=True,
        hidden=(SINGLE_UNIT,),
    ),
    Exhibit(
        name="bias_mean",
        number=10,
        title="bias averaged, not summed",
        summary="the bias's gradient is a mean over the batch, not a sum",
        edits={
            "dense": (("d{b} = {dy}.sum(axis=0)", "d{b} = {dy}.mean(axis=0)"),),
            "convolution": (
                ("d{b} = {dy}.sum(axis=(0, 2, 3))", "d{b} = {dy}.sum(axis=(0, 2, 3)) / N"),
            ),
        },
        shows="only that bias: cosine 1, ratio 1/N, norm ratio (N - 1)/(N + 1) = 0.78",
        cause=(
            "the bias's gradient is a mean over the batch where a sum belongs: 1/N is already in dz"
        ),
        needs="a layer with a bias, not below a batch norm",
        blind="a batch of one example",
        hidden=(ONE_EXAMPLE,),
    ),
    Exhibit(
        name="activation_derivative_at_output",
        number=11,
        title="activation's derivative at a, not z",
        summary="the activation's derivative is taken at a, not z",
        edits={
            "tanh": (("{dx} = {dy} * (1 - tanh({x})**2)", "{dx} = {dy} * (1 - tanh({y})**2)"),),
            "sigmoid": (("{dx} = {dy} * dsigmoid({x})", "{dx} = {dy} * dsigmoid({y})"),),
            "elu": (
                (
                    "{dx} = {dy} * where({x} > 0, 1, exp({x}))",
                    "{dx} = {dy} * where({y} > 0, 1, exp({y}))",
                ),
            ),
            "softplus": (("{dx} = {dy} * sigmoid({x})", "{dx} = {dy} * sigmoid({y})"),),
        },
        shows="that layer's tensors and all below, 0.02 to 0.2, cosine close to 1",
        cause=(
            "the activation's derivative is evaluated at the activation a, not at the pre-"
            "activation z"
        ),
        needs="one of the activations sigmoid, tanh, elu, softplus (at the others f'(a) is f'(z))",
        blind=(
            "nearly linear tanh: at weight scale 0.01 and b = 0 below 2e-12, at 1 0.1 to 0.6; "
            "sigmoid is not forgiving. For relu and leaky_relu f'(a) is f'(z)"
        ),
        hidden=(LINEAR,),
    ),
    Exhibit(
        name="missing_activation_derivative",
        number=12,
        title="activation's derivative is missing",
        summary="the activation is skipped on the way back",
        edits=_in_activations("{dx} = {dy}"),
        shows="that layer's tensors and all below, 0.06 to 0.5",
        cause="the activation's derivative is missing",
        needs="an activation other than identity",
        blind=(
            "small weights, where tanh is nearly linear and its derivative nearly 1. Raise the "
            "weights"
        ),
        hidden=(LINEAR,),
    ),
    Exhibit(
        name="activation_as_derivative",
        number=13,
        title="activation in place of its derivative",
        summary="the activation itself stands for its derivative",
        edits=_in_activations("{dx} = {dy} * {y}"),
        shows="that layer's tensors and all below, 0.2 to 1, the direction is lost",
        cause="the activation itself is used for its derivative",
        needs="an activation other than identity",
    ),
    Exhibit(
        name="missing_transpose",
        number=14,
        title="W where its transpose belongs",
        summary="the signal goes down through W and not through its transpose",
        edits={"dense": (("{dx} = {dy} @ {W}.T", "{dx} = {dy} @ {W}"),)},
        shows="everything below that layer, 0.3 to 0.7",
        cause="the signal is sent down through W where its transpose belongs",
        needs="a dense layer with as many inputs as units, above another layer",
        blind="a symmetric W; another shape raises an error",
        fits=_square,
        hidden=(
            Spot(
                always,
                "a weight matrix is symmetric",
                "W where its transpose belongs",
                "check at random weights",
                surely=True,
            ),
        ),
    ),
    Exhibit(
        name="updated_weights",
        number=15,
        title="signal through updated weights",
        summary="the signal goes down through weights that are already updated",
        edits={
            "dense": (("{dx} = {dy} @ {W}.T", "{dx} = {dy} @ ({W} - 0.1 * {g}{W}).T"),),
            "convolution": (
                (
                    "{dx}_pad[:, :, i:i + R{i}, j:j + C{i}] += "
                    "einsum('nfyx,fc->ncyx', {dy}, {W}[:, :, i, j])",
                    "{dx}_pad[:, :, i:i + R{i}, j:j + C{i}] += "
                    "einsum('nfyx,fc->ncyx', {dy}, ({W} - 0.1 * {g}{W})[:, :, i, j])",
                ),
            ),
        },
        shows=(
            "everything below that layer, 0.004 to 0.04 at learning rate 0.1, cosine 0.998 or more"
        ),
        cause="the signal is sent down through W after its update (learning rate 0.1)",
        needs="two layers with weights: it is the upper one",
        blind="a small learning rate or a small gradient",
        hidden=(
            Spot(
                always,
                "the gradient is small beside the weights",
                "a signal that goes down through weights that are already updated",
                "check where the loss is larger",
            ),
        ),
    ),
    Exhibit(
        name="copied_bias_gradient",
        number=16,
        title="bias gradient of another layer",
        summary="a line was copied and its index not changed",
        edits={
            "dense": (("d{b} = {dy}.sum(axis=0)", _that_of_another),),
            "convolution": (("d{b} = {dy}.sum(axis=(0, 2, 3))", _that_of_another),),
        },
        shows="only that bias, 0.5 to 0.9",
        cause="the bias's gradient is that of another layer's bias",
        needs="two layers of the same size",
        blind="biases with the same gradient; in layers of different size the shape betrays it",
        fits=_has_twin,
        code=("db1 = dz2.sum(axis=0)", "db1 = dz1.sum(axis=0)"),
        hidden=(
            Spot(
                always,
                "two biases have the same gradient",
                "a bias's gradient that is copied from the other",
                "check at random weights",
                surely=True,
            ),
        ),
    ),
    Exhibit(
        name="missing_dropout_mask",
        number=19,
        title="dropout's mask is not applied",
        summary="dropout only in the forward pass",
        edits={"dropout": (("{dx} = {dy} * m{i}", "{dx} = {dy}"),)},
        shows="that layer's tensors and all below, 0.1 to 0.7 at rate 0.3",
        cause="the dropout mask is not applied on the way back",
        needs="dropout (dropout_rate > 0)",
        blind="a check without dropout masks",
        fits=_dropping,
        hidden=(NO_MASKS,),
    ),
    Exhibit(
        name="missing_dropout_scale",
        number=20,
        title="dropout's 1/keep is missing",
        summary="what was dropped is zeroed, but not scaled by 1/keep",
        edits={"dropout": (("{dx} = {dy} * m{i}", "{dx} = {dy} * (m{i} > 0)"),)},
        shows="that layer's tensors and all below: cosine 1, ratio exactly keep; 0.18 at rate 0.3",
        cause="dropout's factor 1/keep is missing on the way back",
        needs="dropout (dropout_rate > 0)",
        blind="a check without dropout masks",
        fits=_dropping,
        hidden=(NO_MASKS,),
    ),
    Exhibit(
        name="redrawn_dropout_mask",
        number=21,
        title="another dropout mask on the way back",
        summary="a new dropout mask is drawn for the backward pass",
        edits={"dropout": (("{dx} = {dy} * m{i}", "{dx} = {dy} * redrawn(m{i})"),)},
        shows="that layer's tensors and all below, 0.1 to 0.9 at rate 0.3",
        cause="the backward pass uses another dropout mask than the forward pass",
        needs="dropout (dropout_rate > 0)",
        blind="a check without dropout masks",
        fits=_dropping,
        hidden=(NO_MASKS,),
        is_random=True,
    ),
    Exhibit(
        name="relu_masks_by_gradient",
        number=32,
        title="ReLU looks at the gradient's sign",
        summary="ReLU's backward looks at the gradient's sign, not at z's",
        edits={"relu": (("{dx} = {dy} * ({x} > 0)", "{dx} = {dy} * ({dy} > 0)"),)},
        shows="that layer's tensors and all below, 0.2 to 0.8",
        cause="ReLU lets the signal through where the signal itself is positive, not where z is",
        needs="a relu",
    ),
    Exhibit(
        name="leaky_slope_dropped",
        number=33,
        title="leaky ReLU's small slope is dropped",
        summary="leaky ReLU's small slope is forgotten on the way back",
        edits={
            "leaky_relu": (("{dx} = {dy} * where({x} > 0, 1, {slope})", "{dx} = {dy} * ({x} > 0)"),)
        },
        shows="that layer's tensors and all below, 0.001 to 0.03, cosine 0.999 or more",
        cause="leaky ReLU's slope left of 0 is dropped, as if it were a ReLU",
        needs="a leaky_relu",
        blind="every z positive",
        hidden=(
            Spot(
                _all_positive,
                "every pre-activation of a leaky_relu is positive",
                "a wrong slope left of 0",
                "check at other weights or on other examples",
                surely=True,
            ),
        ),
    ),
    Exhibit(
        name="batch_norm_constant_statistics",
        number=22,
        title="batch statistics taken for constants",
        summary="the batch's mean and variance are treated as if they were constants",
        edits={"batch norm": ((_BATCH_NORM_DX, "{dx} = dxhat{i} / sqrt(var{i} + {eps})"),)},
        shows=(
            "everything below, 0.08 to 1; the bias right below, whose gradient is 0, gets another "
            "one"
        ),
        cause="batch norm's mean and variance are taken for constants: two terms are missing",
        needs="batch norm",
        unsettles=True,
    ),
    Exhibit(
        name="batch_norm_missing_gamma",
        number=23,
        title="batch norm's gamma is missing",
        summary="batch norm's backward forgets the factor gamma",
        edits={"batch norm": (("dxhat{i} = {dy} * gamma{i}", "dxhat{i} = {dy}"),)},
        shows="everything below but the bias right below: 0.04 to 0.3 with gammas some 0.2 off 1",
        cause="batch norm's gamma is missing on the way back",
        needs="batch norm",
        blind="gamma = 1, as it is at the start: exactly 0",
        hidden=(
            Spot(
                _gamma_is_1,
                "batch norm's gamma is 1",
                "a backward pass without gamma",
                "check after some training",
                surely=True,
            ),
        ),
    ),
    Exhibit(
        name="batch_norm_over_m_squared",
        number=24,
        title="batch norm's variance over m squared",
        summary="the variance's term is divided by the batch size twice",
        edits={
            "batch norm": (
                (
                    _BATCH_NORM_DX,
                    "{dx} = (dxhat{i} - dxhat{i}.mean(axis=0)"
                    " - xhat{i} * (dxhat{i} * xhat{i}).mean(axis=0) / N) / sqrt(var{i} + {eps})",
                ),
            )
        },
        shows="everything below but the bias right below: 0.03 to 0.5",
        cause="batch norm's term through the variance is divided by the batch size twice",
        needs="batch norm",
        blind=(
            "it shrinks slowly with the batch: 0.06 to 0.75 at N = 3, 0.02 to 0.5 at N = 64; and "
            "it is 0 where gamma's gradient is"
        ),
        hidden=(
            Spot(
                always,
                "batch norm's gamma has hardly any gradient",
                "a wrong gradient through the variance",
                "check with two or three examples",
            ),
        ),
    ),
)

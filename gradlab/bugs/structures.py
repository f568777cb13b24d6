"""The bugs of batch norm, convolutions, pools and LSTMs.

Figures are those of `Exhibit.shows`, on networks of their own: batch norm in the network of sizes
5-6-6-3; convolutions on images 1 x 8 x 12; LSTMs of sizes 4-5-3 and T = 4.
"""

from __future__ import annotations

import numpy as np

from gradlab.bugs.exhibit import Exhibit, Place, Spot, always
from gradlab.nn.convnet import AveragePool, Conv, MaxPool
from gradlab.nn.network import Network

_BATCH_NORM_DX = (
    "{dx} = (dxhat{i} - dxhat{i}.mean(axis=0) - xhat{i} * (dxhat{i} * xhat{i}).mean(axis=0))"
    " / sqrt(var{i} + {eps})"
)
_KERNEL_GRADIENT = (
    "{g}{W}[:, :, i, j] = einsum('nfyx,ncyx->fc', {dy}, {x}_pad[:, :, i:i + R{i}, j:j + C{i}])"
)
_IMAGE_GRADIENT = (
    "{dx}_pad[:, :, i:i + R{i}, j:j + C{i}] += einsum('nfyx,fc->ncyx', {dy}, {W}[:, :, i, j])"
)


def _has_kernel(net: Network, position: int) -> bool:
    return net.params[net.layers[position].W][0, 0].size > 1


def _oblong(net: Network, position: int) -> bool:
    """Tell whether the images that come out there are not square."""
    sides = np.array(net.input_shape[-2:])
    for step in net.layers[: position + 1]:
        if isinstance(step, Conv):
            sides = sides + 2 * step.padding - net.params[step.W].shape[2:] + 1
        elif isinstance(step, (MaxPool, AveragePool)):
            sides = sides // 2
    return len(set(sides.tolist())) == 2


def _gamma_is_1(at: Place) -> bool:
    net = at.point.net
    return bool((net.params[net.layers[at.position].gamma] == 1).all())


ONE_STEP = Spot(
    lambda at: len(at.point.x) == 1,
    "a single time step",
    "a bug in most of backpropagation through time",
    "check with four or more",
    surely=True,
)

OF_STRUCTURES: tuple[Exhibit, ...] = (
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
    Exhibit(
        name="swapped_width_and_height",
        number=25,
        title="rows and columns swapped",
        summary="the loops of backward take rows for columns",
        edits={
            "convolution": (
                (_KERNEL_GRADIENT, _KERNEL_GRADIENT.replace("{dy}", "square_part({dy})")),
                (_IMAGE_GRADIENT, _IMAGE_GRADIENT.replace("{dy}", "square_part({dy})")),
                ("d{b} = {dy}.sum(axis=(0, 2, 3))", "d{b} = square_part({dy}).sum(axis=(0, 2, 3))"),
            )
        },
        shows="that convolution and everything below, 0.1 to 0.4",
        cause="rows and columns are swapped in the convolution's backward pass",
        needs="a convolution of images that do not come out square",
        blind="square images",
        fits=_oblong,
        is_mute_elsewhere=True,
        hidden=(
            Spot(
                always,
                "a convolution of square images",
                "rows and columns swapped in the convolution's backward pass",
                "check with images that are not square",
                surely=True,
            ),
        ),
    ),
    Exhibit(
        name="max_pool_all_ties",
        number=27,
        title="all pixels that tie win",
        summary="all pixels that equal the maximum get the gradient",
        edits={"max pool": (("{dx} = up({dy}) * win{i}", "{dx} = up({dy}) * ties{i}"),)},
        shows=(
            "everything below, only where pixels tie: 0.3 to 0.5 at the first pool of images with "
            "blank parts, 0.01 to 0.07 at the second"
        ),
        cause="max pool gives the gradient to all pixels that tie, not to one",
        needs="a max pool",
        blind="no two equal pixels in a window: exactly 0",
        hidden=(
            Spot(
                always,
                "no two pixels tie in a pool's window",
                "a gradient that goes to all pixels that tie",
                "check with images that have blank parts",
                surely=True,
            ),
        ),
    ),
    Exhibit(
        name="lstm_cell_gradient_dropped",
        number=30,
        title="cell state's gradient not carried back",
        summary="what the later cell state sends back is dropped",
        edits={
            "LSTM": (
                ("dc = dc_next + dh * o[t] * (1 - tc[t]**2)", "dc = dh * o[t] * (1 - tc[t]**2)"),
            )
        },
        shows="all gates, 0.006 to 0.6, if there are four steps",
        cause="the cell state's gradient is not carried back through time",
        needs="an LSTM",
        blind="one step; with two or three, the output gate (or its Wh) is right",
        hidden=(ONE_STEP,),
    ),
    Exhibit(
        name="lstm_sigmoid_as_derivative",
        number=30,
        title="input gate in place of its derivative",
        summary="the input gate stands for its derivative",
        edits={"LSTM": (("i: dz_{q} = d{q} * {q}[t] * (1 - {q}[t])", "dz_{q} = d{q} * {q}[t]"),)},
        shows="all gates, 0.002 to 0.5",
        cause="the input gate's sigmoid is used where its derivative belongs",
        needs="an LSTM",
        blind="one step shows it in that gate only; two leave five tensors right",
    ),
    Exhibit(
        name="lstm_tanh_twice",
        number=30,
        title="tanh applied twice",
        summary="tanh is applied to tanh(c)",
        edits={
            "LSTM": (
                (
                    "dc = dc_next + dh * o[t] * (1 - tc[t]**2)",
                    "dc = dc_next + dh * o[t] * (1 - tanh(tc[t])**2)",
                ),
            )
        },
        shows="all gates, 0.0003 to 0.07, cosine 0.99 or more",
        cause="tanh is applied twice in the derivative through h = o tanh(c)",
        needs="an LSTM",
        blind="small cell states, as with small weights",
        hidden=(
            Spot(
                always,
                "the cell states are small",
                "tanh applied twice in the cell state's derivative",
                "raise weight_scale",
            ),
        ),
    ),
    Exhibit(
        name="lstm_step_overwrites",
        number=30,
        title="each time step overwrites",
        summary="each time step's gradient replaces that of the one after",
        edits={
            "LSTM": (
                ("ifgo: {g}Wx_{q} += x[t].T @ dz_{q}", "{g}Wx_{q} = x[t].T @ dz_{q}"),
                ("ifgo: {g}Wh_{q} += h[t - 1].T @ dz_{q}", "{g}Wh_{q} = h[t - 1].T @ dz_{q}"),
                ("ifgo: db_{q} += dz_{q}.sum(axis=0)", "db_{q} = dz_{q}.sum(axis=0)"),
            )
        },
        shows="all gates, 0.08 to 1; Wh is 0: the first step has no state before it",
        cause="each time step's gradient overwrites that of the step after it: = where += belongs",
        needs="an LSTM",
        blind="one step",
        hidden=(ONE_STEP,),
    ),
    Exhibit(
        name="kernel_not_flipped",
        number=31,
        title="kernel turned the wrong way round",
        summary="the kernel is turned the wrong way round for the input's gradient",
        edits={
            "convolution": (
                (
                    _IMAGE_GRADIENT,
                    _IMAGE_GRADIENT.replace("i, j])", "-1 - i, -1 - j])"),
                ),
            )
        },
        shows="everything below that convolution, 0.2 to 0.8",
        cause="the kernel is turned the wrong way round in the convolution's input gradient",
        needs="a convolution of more than one pixel above another layer",
        blind="a kernel that is its own mirror image",
        fits=_has_kernel,
        hidden=(
            Spot(
                always,
                "a kernel is its own mirror image",
                "a kernel that is not flipped in the input's gradient",
                "check at random weights",
                surely=True,
            ),
        ),
    ),
)

"""The bugs of convolutions and pools.

Figures are those of `Exhibit.shows`, on images 1 x 8 x 12.
"""

from __future__ import annotations

import numpy as np

from gradlab.bugs.exhibit import Exhibit, Spot, always
from gradlab.nn.convnet import AveragePool, Conv, MaxPool
from gradlab.nn.network import Network

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


OF_CONVNETS: tuple[Exhibit, ...] = (
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

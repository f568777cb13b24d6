"""Where a bug does not show, in words for a report: what is hidden there, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gradlab.bugs import places
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network


class Point(NamedTuple):
    """What is checked: `batch` examples, and where in the network the bug would be."""

    net: Network
    x: np.ndarray
    masks: Masks
    position: int

    @property
    def batch(self) -> int:
        """The number of examples."""
        return np.shape(self.x)[self.net.batch_axis]


class Spot(NamedTuple):
    """A reason why a bug that does not show here does not, and the sentence for it."""

    explains: Callable[[Point], bool]
    sentence: str


def _always(at: Point) -> bool:
    return True


def _all_positive(at: Point) -> bool:
    chain = at.net.chain(at.masks, at.batch)
    cuts = at.net.forward(at.net.params, at.net.prepare_x(at.x), chain)
    return bool((cuts[chain.index(at.net.layers[at.position])] > 0).all())


ONE_EXAMPLE = Spot(
    lambda at: at.batch == 1,
    "one example: a forgotten, doubled or misplaced mean over the batch, or a softmax over the "
    "whole batch, would not show; check with several",
)
NO_MASKS = Spot(
    lambda at: at.masks is None,
    "no dropout masks: dropout's own backward pass is not tested; pass frozen masks",
)
ONE_STEP = Spot(
    lambda at: len(at.x) == 1,
    "a single time step: most of backpropagation through time is not tested; check with four or "
    "more",
)
SMALL_L2 = Spot(
    _always,
    "L2 is small beside the data's gradient: if it is missing, doubled, divided by the batch size "
    "or of the wrong sign in the gradient may not show; check with a larger l2",
)
LINEAR = Spot(
    _always,
    "an activation is nearly linear on these examples: a missing or wrong derivative may not "
    "show; raise weight_scale, or check again after some training",
)
# The first that explains it counts. What may also be the same code as the right one is in MUTE.
SPOTS: dict[str, tuple[Spot, ...]] = {
    **dict.fromkeys(
        ("missing_1_over_n", "double_1_over_n", "bias_mean", "softmax_over_batch"), (ONE_EXAMPLE,)
    ),
    "l2_over_n": (ONE_EXAMPLE, SMALL_L2),
    **dict.fromkeys(("missing_l2", "doubled_l2", "negated_l2"), (SMALL_L2,)),
    "l2_on_biases": (
        Spot(
            lambda at: not any(
                value.any() for name, value in at.net.params.items()
                if name not in at.net.weight_names
            ),
            "all biases are 0: L2 that wrongly includes them would not show; check after some "
            "training",
        ),
        SMALL_L2,
    ),
    **dict.fromkeys(("missing_activation_derivative", "activation_derivative_at_output"),
                    (LINEAR,)),
    "missing_transpose": (Spot(
        _always,
        "a weight matrix is symmetric: W where its transpose belongs would not show; check at "
        "random weights",
    ),),
    "updated_weights": (Spot(
        _always,
        "the gradient is small beside the weights: a signal that goes down through weights that "
        "are already updated may not show; check where the loss is larger",
    ),),
    "copied_bias_gradient": (Spot(
        _always,
        "two biases have the same gradient: one that is copied from the other would not show; "
        "check at random weights",
    ),),
    "leaky_slope_dropped": (Spot(
        _all_positive,
        "every pre-activation of a leaky_relu is positive: its slope left of 0 is not tested; "
        "check at other weights or on other examples",
    ),),
    **dict.fromkeys(
        ("missing_dropout_mask", "missing_dropout_scale", "redrawn_dropout_mask"), (NO_MASKS,)
    ),
    "batch_norm_missing_gamma": (Spot(
        lambda at: bool((at.net.params[at.net.layers[at.position].gamma] == 1).all()),
        "batch norm's gamma is 1: a backward pass without it would not show; check after some "
        "training",
    ),),
    "batch_norm_over_m_squared": (Spot(
        _always,
        "batch norm's gamma has hardly any gradient: what flows back through the variance may be "
        "wrong and not show; check with two or three examples",
    ),),
    "max_pool_all_ties": (Spot(
        _always,
        "no two pixels tie in a pool's window: a gradient that goes to all pixels that tie would "
        "not show; check with images that have blank parts",
    ),),
    **dict.fromkeys(("lstm_cell_gradient_dropped", "lstm_step_overwrites"), (ONE_STEP,)),
    "lstm_tanh_twice": (Spot(
        _always,
        "the cell states are small: tanh applied twice in their derivative may not show; raise "
        "weight_scale",
    ),),
    "kernel_not_flipped": (Spot(
        _always,
        "a kernel is its own mirror image: one that is not flipped in the input's gradient would "
        "not show; check at random weights",
    ),),
    "swapped_width_and_height": (Spot(
        _always,
        "a convolution of square images: rows and columns swapped in its backward pass would not "
        "show; check with images that are not square",
    ),),
    "bias_summed_without_axis": (Spot(
        lambda at: at.net.params[at.net.layers[at.position].b].size == 1,
        "a layer of one unit: a bias's gradient that is summed without an axis would not show; "
        "check with two units",
    ),),
    "mean_over_outputs": (Spot(
        _always,
        "a single output: a squared error that is divided by N·K where N belongs would not show; "
        "check with two outputs",
    ),),
}  # fmt: skip

# Where a bug can be written but makes no difference whatever the numbers are: it is not planted.
MUTE: dict[str, Callable[[Network], dict[int, int]]] = {
    "swapped_width_and_height": places.where(places.square_image),
    "bias_summed_without_axis": places.where(places.single_bias),
    "mean_over_outputs": places.with_single_mse,
}


def warning(bug: str, cause: str, at: Point) -> str:
    """Return the sentence for a report where `bug` does not show at this point."""
    for spot in SPOTS.get(bug, ()):
        if spot.explains(at):
            return spot.sentence
    return f"it may not show here if {cause}; check at other parameters or on other examples"

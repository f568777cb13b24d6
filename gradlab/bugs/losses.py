"""The bugs around the loss: its derivative, its mean, L2, and what is done with the gradient."""

from __future__ import annotations

from gradlab.bugs.exhibit import Exhibit, Place, Spot, always
from gradlab.nn.layers import Grads
from gradlab.nn.network import Network


def _several_outputs(net: Network, position: int) -> bool:
    return net.outputs > 1


def _with_l2(net: Network, position: int) -> bool:
    return net.l2 > 0


def _doubled(grads: Grads) -> Grads:
    """Return what a second call does when it adds to what the first one left."""
    return {name: g + g for name, g in grads.items()}


def _biases_are_0(at: Place) -> bool:
    weights = at.point.net.weight_names
    return not any(v.any() for name, v in at.point.net.params.items() if name not in weights)


ONE_EXAMPLE = Spot(
    lambda at: at.point.batch == 1,
    "one example",
    "a forgotten, doubled or misplaced mean over the batch, or a softmax over the whole batch,",
    "check with several",
    surely=True,
)
SMALL_L2 = Spot(
    always,
    "L2 is small beside the data's gradient",
    "L2 that is missing, doubled, divided by the batch size or of the wrong sign in the gradient",
    "check with a larger l2",
)
BIASES_ARE_0 = Spot(
    _biases_are_0,
    "all biases are 0",
    "L2 that wrongly includes the biases",
    "check after some training",
    surely=True,
)
SINGLE_OUTPUT = Spot(
    always,
    "a single output",
    "a squared error that is divided by N·K where N belongs",
    "check with two outputs",
    surely=True,
)

OF_LOSSES: tuple[Exhibit, ...] = (
    Exhibit(
        name="missing_1_over_n",
        number=1,
        title="1/N is missing",
        summary="the mean over the batch is in the loss but not in its derivative",
        edits={
            "softmax_cross_entropy": (("{dx} = (p - y) / N", "{dx} = p - y"),),
            "binary_cross_entropy": (("{dx} = (p - y) / N", "{dx} = p - y"),),
            "mse": (("{dx} = 2 * ({x} - y) / N", "{dx} = 2 * ({x} - y)"),),
        },
        shows="every tensor: cosine 1, ratio N, norm ratio (N - 1)/(N + 1) = 0.78",
        cause="the gradient is N times too large: the 1/N of the mean over the batch is missing",
        needs="a loss",
        blind="a batch of one example",
        hidden=(ONE_EXAMPLE,),
    ),
    Exhibit(
        name="double_1_over_n",
        number=1,
        title="1/N is there twice",
        summary="the mean over the batch is taken twice",
        edits={
            "softmax_cross_entropy": (("{dx} = (p - y) / N", "{dx} = (p - y) / N / N"),),
            "binary_cross_entropy": (("{dx} = (p - y) / N", "{dx} = (p - y) / N / N"),),
            "mse": (("{dx} = 2 * ({x} - y) / N", "{dx} = 2 * ({x} - y) / N / N"),),
        },
        shows="every tensor: cosine 1, ratio 1/N, norm ratio (N - 1)/(N + 1) = 0.78",
        cause=(
            "the gradient is N times too small: the 1/N of the mean over the batch is applied twice"
        ),
        needs="a loss",
        blind="a batch of one example",
        hidden=(ONE_EXAMPLE,),
    ),
    Exhibit(
        name="missing_factor_2",
        number=2,
        title="the 2 of the square is missing",
        summary="the derivative of the square lacks its 2",
        edits={"mse": (("{dx} = 2 * ({x} - y) / N", "{dx} = ({x} - y) / N"),)},
        shows="every tensor: cosine 1, ratio 1/2, norm ratio 1/3",
        cause=(
            "the gradient is exactly half: a factor 2 is missing, the one from the square in the "
            "MSE"
        ),
        needs="the loss mse",
    ),
    Exhibit(
        name="mean_over_outputs",
        number=3,
        title="divided by the number of outputs",
        summary="the derivative is divided by N·K, the loss by N",
        edits={"mse": (("{dx} = 2 * ({x} - y) / N", "{dx} = 2 * ({x} - y) / (N * K)"),)},
        shows="every tensor: cosine 1, ratio 1/K, norm ratio (K - 1)/(K + 1) = 0.5",
        cause=(
            "the gradient is K times too small: the MSE's derivative is divided by N·K, its loss "
            "by N"
        ),
        needs="the loss mse and more than one output",
        blind="a single output",
        fits=_several_outputs,
        is_mute_elsewhere=True,
        hidden=(SINGLE_OUTPUT,),
    ),
    Exhibit(
        name="flipped_sign",
        number=4,
        title="the sign is flipped",
        summary="the difference is taken the wrong way round",
        edits={
            "softmax_cross_entropy": (("{dx} = (p - y) / N", "{dx} = (y - p) / N"),),
            "binary_cross_entropy": (("{dx} = (p - y) / N", "{dx} = (y - p) / N"),),
            "mse": (("{dx} = 2 * ({x} - y) / N", "{dx} = 2 * (y - {x}) / N"),),
        },
        shows="every tensor: cosine -1, norm ratio 1",
        cause="the sign of the loss's derivative is flipped: y - p where p - y belongs",
        needs="a loss",
        blind=(
            "L2 swamps it: at λ = 1e3 the weights' norm ratio is down to 1e-4, at 1e5 to 1e-6; the"
            " biases stay at 1"
        ),
    ),
    Exhibit(
        name="accumulated_gradients",
        number=5,
        title="gradients are added to earlier ones",
        summary="gradients are added to those of the call before",
        edits={},
        shows="every tensor: cosine 1, on the second call ratio 2, norm ratio 1/3",
        cause=(
            "the gradient is exactly double: it was added to that of an earlier call and not reset"
        ),
        needs="a gradient",
        blind="the first call: gl.check and gl.check_function make two, and check the second",
        after=_doubled,
        code=("self.grads['W1'] += a.T @ dz", "self.grads['W1'] = a.T @ dz"),
    ),
    Exhibit(
        name="softmax_over_batch",
        number=6,
        title="softmax over the whole batch",
        summary="backward normalises softmax over the whole batch",
        edits={
            "softmax_cross_entropy": (
                ("{dx} = (softmax({x}) - y) / N", "{dx} = (softmax({x}, axis=None) - y) / N"),
            )
        },
        shows="every tensor, 0.07 to 0.9, cosine below 1",
        cause=(
            "softmax is normalised over the whole batch and not for each example: the axis is "
            "missing"
        ),
        needs="the loss softmax_cross_entropy",
        blind="a batch of one example",
        hidden=(ONE_EXAMPLE,),
    ),
    Exhibit(
        name="softmax_derivative_twice",
        number=7,
        title="softmax's derivative applied twice",
        summary="softmax's derivative is applied to p - y, which has it",
        edits={
            "softmax_cross_entropy": (
                (
                    "{dx} = (p - y) / N",
                    "{dx} = p * ((p - y) / N - (p * (p - y) / N).sum(axis=1, keepdims=True))",
                ),
            ),
        },
        shows="every tensor, 0.4 to 0.7, cosine close to 1 in most",
        cause="softmax's derivative is applied again, though p - y already contains it",
        needs="the loss softmax_cross_entropy",
    ),
    Exhibit(
        name="missing_label",
        number=8,
        title="the label is not subtracted",
        summary="the 1 at the label is not subtracted",
        edits={"softmax_cross_entropy": (("{dx} = (p - y) / N", "{dx} = p / N"),)},
        shows="every tensor, 0.4 to 1, cosine far from 1",
        cause="the target is not subtracted: p where p - y belongs",
        needs="the loss softmax_cross_entropy",
    ),
    Exhibit(
        name="missing_l2",
        number=17,
        title="L2 is missing in the gradient",
        summary="L2 is in the loss but not in the gradient",
        edits={"L2": (("d{W} = data_d{W} + lam * {W}", "d{W} = data_d{W}"),)},
        shows=(
            "weights wrong, biases right; a - n = -λW: 0.16 to 0.5 at λ = 0.1, 0.002 to 0.007 at "
            "1e-3"
        ),
        cause="L2 is missing in the gradient",
        needs="l2 > 0",
        blind="a small λ: 1e-8 leaves 7e-8 at most",
        hidden=(SMALL_L2,),
        is_everywhere=True,
    ),
    Exhibit(
        name="doubled_l2",
        number=17,
        title="L2 is doubled in the gradient",
        summary="the derivative of λ·ΣW², where the loss has ½·λ·ΣW²",
        edits={"L2": (("d{W} = data_d{W} + lam * {W}", "d{W} = data_d{W} + 2 * lam * {W}"),)},
        shows="weights wrong, biases right; a - n = +λW: 0.14 to 0.3 at λ = 0.1",
        cause="L2 is doubled in the gradient: the loss has ½·λ·ΣW²",
        needs="l2 > 0",
        blind="a small λ",
        hidden=(SMALL_L2,),
        is_everywhere=True,
    ),
    Exhibit(
        name="l2_over_n",
        number=17,
        title="L2 divided by the batch size",
        summary="L2's gradient is divided by the batch size",
        edits={"L2": (("d{W} = data_d{W} + lam * {W}", "d{W} = data_d{W} + lam * {W} / N"),)},
        shows="weights wrong, biases right; a - n = (1/N - 1)·λW: 0.14 to 0.4 at λ = 0.1",
        cause="L2's gradient is divided by the batch size, which the loss does not do",
        needs="l2 > 0",
        blind="a batch of one example; a small λ",
        hidden=(ONE_EXAMPLE, SMALL_L2),
        is_everywhere=True,
    ),
    Exhibit(
        name="negated_l2",
        number=17,
        title="L2 is subtracted",
        summary="L2's gradient is subtracted",
        edits={"L2": (("d{W} = data_d{W} + lam * {W}", "d{W} = data_d{W} - lam * {W}"),)},
        shows="weights wrong, biases right; a - n = -2λW: 0.3 to 0.8 at λ = 0.1",
        cause="L2's gradient is subtracted where it must be added",
        needs="l2 > 0",
        blind="a small λ",
        hidden=(SMALL_L2,),
        is_everywhere=True,
    ),
    Exhibit(
        name="l2_on_biases",
        number=18,
        title="L2 on the biases too",
        summary="the gradient has L2 on the biases, the loss has not",
        edits={
            "dense": (("d{b} = {dy}.sum(axis=0)", "d{b} = {dy}.sum(axis=0) + lam * {b}"),),
            "convolution": (
                ("d{b} = {dy}.sum(axis=(0, 2, 3))", "d{b} = {dy}.sum(axis=(0, 2, 3)) + lam * {b}"),
            ),
            "batch norm": (
                (
                    "dgamma{i} = ({dy} * xhat{i}).sum(axis=0)",
                    "dgamma{i} = ({dy} * xhat{i}).sum(axis=0) + lam * gamma{i}",
                ),
                ("dbeta{i} = {dy}.sum(axis=0)", "dbeta{i} = {dy}.sum(axis=0) + lam * beta{i}"),
            ),
            "LSTM": (("ifgo: db_{q} = zeros_like(b_{q})", "db_{q} = lam * b_{q}"),),
        },
        shows="biases only; a - n = λb: 0.01 to 0.1 at λ = 0.1 and biases around 0.1",
        cause=(
            "L2 treats the biases differently in the loss and in the gradient: move them away from"
            " 0"
        ),
        needs="l2 > 0",
        blind="biases that are 0, as they are at the start: exactly 0",
        fits=_with_l2,
        hidden=(BIASES_ARE_0, SMALL_L2),
        is_everywhere=True,
    ),
)

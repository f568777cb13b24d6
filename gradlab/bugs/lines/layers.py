"""What a layer is: its forward and backward pass, once, as lines of numpy.

In a line {x} and {y} stand for the layer's input and output, {dx} and {dy} for the loss's gradients
by them, {i} for the layer's number, {W} and {b} for its parameters, {slope} and {eps} for a leaky
ReLU's and a batch norm's. Examples are rows, as in a textbook. `backward` stands in every way of
writing the layer; of `forms` the first one runs, and the others say the same in several other
lines; what follows a "~" says the same as the one line before it. A person may have written any of
them, and makes a mistake in the form that he wrote.

A blank line ends a loop. "ifo: d{q} = …" is one line for each of these gates. Nothing here knows
of mistakes; `tests/bugs/lines` holds every layer's lines to the layer's own backward pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gradlab.nn.convnet import AveragePool, Conv, MaxPool
from gradlab.nn.layers import Activation, BatchNorm, Dense, Dropout, Layer, Mask
from gradlab.nn.lstm import LSTM


@dataclass(frozen=True)
class LayerLines:
    """A layer's forward and backward pass as templates of lines.

    Attributes
    ----------
    name : str
        What the layer is called in a sentence: "dense".
    letter : str
        Its output is called this and its number: "z" makes z1, z2, …
    forward, backward : str
    forms : tuple of str
        Ways of writing what is left of `backward`.
    family : str
        Layers of one family do the same job, so that one can be mistaken for another.
    input : str
        What its input is called where it is shown by itself.
    """

    name: str
    letter: str
    forward: str
    backward: str = ""
    forms: tuple[str, ...] = ()
    family: str = ""
    input: str = "z"


DENSE = LayerLines(
    "dense",
    "z",
    "{y} = {x} @ {W} + {b}",
    """
{g}{W} = {x}.T @ {dy}
d{b} = {dy}.sum(axis=0)
{dx} = {dy} @ {W}.T
""",
    input="a",
)

# With L2 a weight's gradient is the data's, under the name data_dW, plus λ W.
L2 = LayerLines("L2", "", "", "d{W} = data_d{W} + lam * {W}")


def _activation(name: str, forward: str, backward: str) -> LayerLines:
    return LayerLines(name, "a", f"{{y}} = {forward}", f"{{dx}} = {backward}", family="activation")


ACTIVATION_LINES: Mapping[str, LayerLines] = MappingProxyType(
    {
        lines.name: lines
        for lines in (
            _activation("identity", "{x}", "{dy}"),
            _activation("tanh", "tanh({x})", "{dy} * (1 - {y}**2)  ~  {dy} * (1 - tanh({x})**2)"),
            _activation(
                "sigmoid",
                "sigmoid({x})",
                "{dy} * {y} * (1 - {y})  ~  {dy} * sigmoid({x}) * (1 - sigmoid({x}))"
                "  ~  {dy} * dsigmoid({x})",
            ),
            _activation("relu", "relu({x})", "{dy} * ({x} > 0)"),
            _activation(
                "leaky_relu",
                "where({x} > 0, {x}, {slope} * {x})",
                "{dy} * where({x} > 0, 1, {slope})",
            ),
            _activation(
                "elu",
                "where({x} > 0, {x}, expm1(minimum({x}, 0)))",
                "{dy} * where({x} > 0, 1, {y} + 1)  ~  {dy} * where({x} > 0, 1, exp({x}))",
            ),
            _activation(
                "softplus", "softplus({x})", "{dy} * sigmoid({x})  ~  {dy} / (1 + exp(-{x}))"
            ),
        )
    }
)

SOFTMAX_BACKWARD = "{x} * ({dy} - ({dy} * {x}).sum(axis=1, keepdims=True))"

DROPOUT = LayerLines(
    "dropout",
    "h",
    "{y} = {x} * m{i}",
    "{dx} = {dy} * m{i}  ~  {dy} * (m{i} > 0) / keep",
    input="a",
)

BATCH_NORM = LayerLines(
    "batch norm",
    "u",
    """
mu{i} = {x}.mean(axis=0)
var{i} = {x}.var(axis=0)
xhat{i} = ({x} - mu{i}) / sqrt(var{i} + {eps})
{y} = gamma{i} * xhat{i} + beta{i}
""",
    """
dgamma{i} = ({dy} * xhat{i}).sum(axis=0)  ~  \
({dy} * ({x} - mu{i}) / sqrt(var{i} + {eps})).sum(axis=0)
dbeta{i} = {dy}.sum(axis=0)
dxhat{i} = {dy} * gamma{i}
""",
    (
        "{dx} = (dxhat{i} - dxhat{i}.mean(axis=0) - xhat{i} * (dxhat{i} * xhat{i}).mean(axis=0))"
        " / sqrt(var{i} + {eps})",
        """
dvar{i} = (dxhat{i} * ({x} - mu{i})).sum(axis=0) * -0.5 * (var{i} + {eps})**-1.5
dmu{i} = -(dxhat{i} / sqrt(var{i} + {eps})).sum(axis=0)
{dx} = dxhat{i} / sqrt(var{i} + {eps}) + dvar{i} * 2 * ({x} - mu{i}) / N + dmu{i} / N
""",
    ),
)

CONV = LayerLines(
    "convolution",
    "z",
    "{x}_pad = pad({x}, P{i})\n{y} = convolve({x}_pad, {W}) + {b}[:, None, None]",
    "d{b} = {dy}.sum(axis=(0, 2, 3))",
    (
        """
{g}{W} = zeros_like({W})
for i, j in ndindex(KH{i}, KW{i}):
    {g}{W}[:, :, i, j] = einsum('nfyx,ncyx->fc', {dy}, {x}_pad[:, :, i:i + R{i}, j:j + C{i}])

{dx}_pad = zeros_like({x}_pad)
for i, j in ndindex(KH{i}, KW{i}):
    {dx}_pad[:, :, i:i + R{i}, j:j + C{i}] += einsum('nfyx,fc->ncyx', {dy}, {W}[:, :, i, j])

{dx} = {dx}_pad[:, :, P{i}:P{i} + H{i}, P{i}:P{i} + V{i}]
""",
        """
{g}{W} = zeros_like({W})
for n, f, i, j in ndindex(*{dy}.shape):
    {g}{W}[f] += {dy}[n, f, i, j] * {x}_pad[n, :, i:i + KH{i}, j:j + KW{i}]

{dx}_pad = zeros_like({x}_pad)
for n, f, i, j in ndindex(*{dy}.shape):
    {dx}_pad[n, :, i:i + KH{i}, j:j + KW{i}] += {dy}[n, f, i, j] * {W}[f]

{dx} = {dx}_pad[:, :, P{i}:P{i} + H{i}, P{i}:P{i} + V{i}]
""",
        """
{g}{W} = zeros_like({W})
for i, j in ndindex(R{i}, C{i}):
    {g}{W} += einsum('nf,nchw->fchw', {dy}[:, :, i, j], {x}_pad[:, :, i:i + KH{i}, j:j + KW{i}])

{dx}_pad = zeros_like({x}_pad)
for i, j in ndindex(R{i}, C{i}):
    {dx}_pad[:, :, i:i + KH{i}, j:j + KW{i}] += einsum('nf,fchw->nchw', {dy}[:, :, i, j], {W})

{dx} = {dx}_pad[:, :, P{i}:P{i} + H{i}, P{i}:P{i} + V{i}]
""",
    ),
    input="a",
)

# A pool's winners and ties are written down on the way up, so that any pool's lines can ask.
_WINNERS = "\nwin{i} = winners({x})\nties{i} = {x} == up({y})"
MAX_POOL = LayerLines(
    "max pool",
    "p",
    "{y} = max_pool({x})" + _WINNERS,
    "{dx} = up({dy}) * win{i}",
    family="pool",
    input="a",
)
AVERAGE_POOL = LayerLines(
    "average pool",
    "p",
    "{y} = mean_pool({x})" + _WINNERS,
    "{dx} = up({dy}) / 4",
    family="pool",
    input="a",
)
STRIDE = LayerLines(
    "stride", "p", "{y} = {x}[:, :, ::2, ::2]", "{dx} = corner({dy})", family="pool"
)

FLATTEN = LayerLines(
    "flatten", "flat", "{y} = {x}.reshape(N, -1)", "{dx} = {dy}.reshape({x}.shape)"
)

LSTM_LINES = LayerLines(
    "LSTM",
    "hs",
    """
i = zeros((T + 1, N, H)); f = 0 * i; g = 0 * i; o = 0 * i; c = 0 * i; tc = 0 * i; h = 0 * i
for t in range(T):
    i[t] = sigmoid(x[t] @ Wx_i + h[t - 1] @ Wh_i + b_i)
    f[t] = sigmoid(x[t] @ Wx_f + h[t - 1] @ Wh_f + b_f)
    g[t] = tanh(x[t] @ Wx_g + h[t - 1] @ Wh_g + b_g)
    o[t] = sigmoid(x[t] @ Wx_o + h[t - 1] @ Wh_o + b_o)
    c[t] = f[t] * c[t - 1] + i[t] * g[t]
    tc[t] = tanh(c[t])
    h[t] = o[t] * tc[t]
""",  # h[-1] and c[-1], before the first step, are the last of T + 1 and stay 0
    """
dh_next = zeros((N, H))
dc_next = zeros((N, H))
ifgo: {g}Wx_{q} = zeros_like(Wx_{q})
ifgo: {g}Wh_{q} = zeros_like(Wh_{q})
ifgo: db_{q} = zeros_like(b_{q})
{dx} = zeros_like({x})
for t in reversed(range(T)):
    dh = dH[t] + dh_next
    do = dh * tc[t]  ~  dh * tanh(c[t])
    dc = dc_next + dh * o[t] * (1 - tc[t]**2)  ~  dc_next + dh * o[t] * (1 - tanh(c[t])**2)
    di = dc * g[t]
    df = dc * c[t - 1]
    dg = dc * i[t]
    ifo: dz_{q} = d{q} * {q}[t] * (1 - {q}[t])
    g: dz_{q} = d{q} * (1 - {q}[t]**2)
    dc_next = dc * f[t]
    dh_next = zeros((N, H))
    ifgo: {g}Wx_{q} += x[t].T @ dz_{q}
    ifgo: {g}Wh_{q} += h[t - 1].T @ dz_{q}
    ifgo: db_{q} += dz_{q}.sum(axis=0)
    ifgo: dh_next += dz_{q} @ Wh_{q}.T  ~  (dz_{q} @ vstack((Wx_{q}, Wh_{q})).T)[:, D:]
    ifgo: {dx}[t] += dz_{q} @ Wx_{q}.T
""",
    input="x",
)
#: What follows the LSTM sees the last step's h, or with `every_step` each of them as an example.
LAST_STEP = LayerLines("LSTM", "hs", "{y} = h[T - 1]", "dH = zeros((T, N, H))\ndH[T - 1] = {dy}")
EVERY_STEP = LayerLines("LSTM", "hs", "{y} = h[:T].reshape(T * N, H)", "dH = {dy}.reshape(T, N, H)")

LOSS_LINES: Mapping[str, LayerLines] = MappingProxyType(
    {
        "mse": LayerLines("mse", "loss", "", forms=("{dx} = 2 * ({x} - y) / N",), input="out"),
        "softmax_cross_entropy": LayerLines(
            "softmax_cross_entropy",
            "loss",
            "p = softmax({x})",
            forms=(
                "{dx} = (p - y) / N  ~  (softmax({x}) - y) / N",
                "dp = -y / p / N\n{dx} = "
                + SOFTMAX_BACKWARD.replace("{x}", "p").replace("{dy}", "dp"),
                "e = exp({x})\n{dx} = (e / e.sum(axis=1, keepdims=True) - y) / N",
                "e = exp({x} - {x}.max(axis=1, keepdims=True))\n"
                "{dx} = (e / e.sum(axis=1, keepdims=True) - y) / N",
            ),
            family="activation",
            input="logits",
        ),
        "binary_cross_entropy": LayerLines(
            "binary_cross_entropy",
            "loss",
            "p = sigmoid({x})",
            forms=(
                "{dx} = (p - y) / N  ~  (sigmoid({x}) - y) / N",
                "dp = -(y / p - (1 - y) / (1 - p)) / N\n{dx} = dp * p * (1 - p)",
            ),
            family="activation",
            input="logits",
        ),
    }
)

_OF_CLASS: Mapping[type, LayerLines] = MappingProxyType(
    {
        Dense: DENSE,
        Conv: CONV,
        BatchNorm: BATCH_NORM,
        Dropout: DROPOUT,
        Mask: DROPOUT,
        MaxPool: MAX_POOL,
        AveragePool: AVERAGE_POOL,
        LSTM: LSTM_LINES,
    }
)
#: All of them by their names.
LINES_BY_NAME: Mapping[str, LayerLines] = MappingProxyType(
    {
        lines.name: lines
        for lines in (L2, *ACTIVATION_LINES.values(), *_OF_CLASS.values(), *LOSS_LINES.values())
    }
)
FAMILIES = (*ACTIVATION_LINES.values(), MAX_POOL, AVERAGE_POOL, STRIDE)


def has_lines(layers: Iterable[Layer | Dropout]) -> bool:
    """Tell whether all of these layers have lines: one of somebody's own has none."""
    return all(
        layer.function.name in ACTIVATION_LINES
        if isinstance(layer, Activation)
        else type(layer) in _OF_CLASS
        for layer in layers
    )


def lines_of(layer: Layer | Dropout) -> LayerLines:
    """Return the lines of a layer.

    Raises
    ------
    KeyError
        Nobody has written this class's lines, or those of this activation.
    """
    if isinstance(layer, Activation):
        return ACTIVATION_LINES[layer.function.name]
    return _OF_CLASS[type(layer)]

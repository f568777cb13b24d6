"""Layers whose lines gradlab knows, as people write them: what `gl.check_layer` compares with.

Each has its lines (`gradlab.bugs.lines.layers`), what its inputs are called in them, and their
shapes as letters: the same letter is the same size. The letters are sizes that the lines can speak
of, too: N is the number of examples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gradlab.bugs.lines.layers import (
    ACTIVATION_LINES,
    BATCH_NORM,
    CONV,
    DROPOUT,
    MAX_POOL,
    SOFTMAX_BACKWARD,
    LayerLines,
)


@dataclass(frozen=True)
class Known:
    """A layer.

    Attributes
    ----------
    lines : LayerLines
    inputs : mapping of str to str or None
        The arrays of floats, by the lines' names: "N D" is a shape, None any.
    outs : tuple of str
        What the lines call the outputs.
    labels : str
        What they call rows of 0 and 1, made of the one array of integers; "" for none.
    is_index : bool
        Whether these are the integers themselves.
    has_eps : bool
        Whether there is a small number in it.
    examples : mapping of str to int
        Along which axis of an input, or of an output, the examples stand.
    """

    lines: LayerLines
    inputs: Mapping[str, str | None]
    outs: tuple[str, ...] = ("out",)
    labels: str = ""
    is_index: bool = False
    has_eps: bool = False
    examples: Mapping[str, int] = field(default_factory=lambda: {"x": 0, "out": 0})


def _dense(forward: str, dW: str, db: str, dx: str, x: str, b: str, W: str = "D M") -> list[Known]:
    """Return a dense layer as it is written for one layout, with a bias and without."""
    backward = f"dW = {dW}\ndb = {db}\n{{dx}} = {dx}"
    axis = x.split().index("N") if "N" in x else None
    examples = {} if axis is None else {"x": axis, "out": axis}
    whole = Known(
        LayerLines("dense", "z", f"{{y}} = {forward} + b", backward),
        {"x": x, "W": W, "b": b},
        examples=examples,
    )
    lines = replace(
        whole.lines, forward=f"{{y}} = {forward}", backward=backward.replace(f"db = {db}\n", "")
    )
    return [whole, replace(whole, lines=lines, inputs={"x": x, "W": W})]


DENSE = [
    *_dense("{x} @ W", "{x}.T @ {dy}", "{dy}.sum(axis=0)", "{dy} @ W.T", "N D", "M"),
    *_dense(
        "{x} @ W", "{x}.T @ {dy}", "{dy}.sum(axis=0, keepdims=True)", "{dy} @ W.T", "N D", "1 M"
    ),
    *_dense("{x} @ W.T", "{dy}.T @ {x}", "{dy}.sum(axis=0)", "{dy} @ W", "N D", "M", "M D"),
    *_dense(
        "W @ {x}",
        "{dy} @ {x}.T",
        "{dy}.sum(axis=1, keepdims=True)",
        "W.T @ {dy}",
        "D N",
        "M 1",
        "M D",
    ),
    *_dense("W @ {x}", "outer({dy}, {x})", "{dy}", "W.T @ {dy}", "D", "M", "M D"),
    *_dense("{x} @ W", "outer({x}, {dy})", "{dy}", "W @ {dy}", "D", "M"),
    *_dense(
        "{x} @ W",
        "{x}.reshape(-1, D).T @ {dy}.reshape(-1, M)",
        "{dy}.sum(axis=(0, 1))",
        "{dy} @ W.T",
        "N T D",
        "M",
    ),
    *_dense(
        "{x}.reshape(N, -1) @ W",
        "{x}.reshape(N, -1).T @ {dy}",
        "{dy}.sum(axis=0)",
        "({dy} @ W.T).reshape({x}.shape)",
        "N A B",
        "M",
        "D M",
    ),
    *_dense(
        "{x}.reshape(N, -1) @ W",
        "{x}.reshape(N, -1).T @ {dy}",
        "{dy}.sum(axis=0)",
        "({dy} @ W.T).reshape({x}.shape)",
        "N A B C",
        "M",
        "D M",
    ),
]

ACTIVATIONS = [
    Known(lines, {"x": None}) for name, lines in ACTIVATION_LINES.items() if name != "identity"
]
SOFTMAX = Known(
    LayerLines(
        "softmax", "p", "{y} = softmax({x})", "{dx} = " + SOFTMAX_BACKWARD.replace("{x}", "{y}")
    ),
    {"x": "N K"},
)
MASK = Known(
    replace(DROPOUT, forward="{y} = {x} * mask", backward="{dx} = {dy} * mask"),
    {"x": None, "mask": None},
    examples={"x": 0, "mask": 0, "out": 0},
)


def _loss(name: str, forward: str, forms: Sequence[str], over: str, **more: object) -> Known:
    """Return a loss; `over` is what its sum is divided by, written behind it."""
    forms = tuple(form.replace("{over}", over) + " * {dy}" for form in forms)
    lines = LayerLines(name, "loss", forward.replace("{over}", over), forms=forms)
    return Known(lines, examples={"x": 0, "y": 0}, **more)


_SOFTMAX_LOSS = (
    "{dx} = (p - y){over}",
    "e = exp({x})\n{dx} = (e / e.sum(axis=1, keepdims=True) - y){over}",
)
_BINARY_LOSS = ("{dx} = (p - y){over}",)
LOSSES = [
    *(
        _loss(
            "softmax loss",
            "p = softmax({x})\n{y} = -(y * log(p)).sum(){over}",
            _SOFTMAX_LOSS,
            over,
            inputs={"x": "N K"},
            labels="y",
        )
        for over in (" / N", "")
    ),
    *(
        _loss(
            "softmax loss",
            "p = softmax({x})\n{y} = -(y * log(p)).sum(){over}",
            _SOFTMAX_LOSS,
            over,
            inputs={"x": "N K", "y": "N K"},
        )
        for over in (" / N", "")
    ),
    *(
        _loss(
            "binary cross-entropy",
            "p = sigmoid({x})\n{y} = -(y * log(p) + (1 - y) * log(1 - p)).sum(){over}",
            _BINARY_LOSS,
            over,
            inputs={"x": shape, "y": shape},
        )
        for shape in ("N", "N K")
        for over in (" / N", "", " / (N * K)")
    ),
    *(
        _loss(
            "squared error",
            f"{{y}} = {half}(({{x}} - y)**2).sum(){{over}}",
            [f"{{dx}} = {two}({{x}} - y){{over}}"],
            over,
            inputs={"x": shape, "y": shape},
        )
        for shape in ("N K", "N")
        for over in (" / N", "", " / (N * K)")
        for half, two in (("0.5 * ", ""), ("", "2 * "))
    ),
]

_NORM = "xhat = ({x} - mu) / sqrt(var + eps)\n{y} = gamma * xhat + beta"
_ROWS = "axis=1, keepdims=True"
LAYER_NORM = LayerLines(
    "layer norm",
    "u",
    f"mu = {{x}}.mean({_ROWS})\nvar = {{x}}.var({_ROWS})\n{_NORM}",
    "dgamma = ({dy} * xhat).sum(axis=0)\ndbeta = {dy}.sum(axis=0)\ndxhat = {dy} * gamma",
    (
        f"{{dx}} = (dxhat - dxhat.mean({_ROWS}) - xhat * (dxhat * xhat).mean({_ROWS}))"
        " / sqrt(var + eps)",
        f"""
dvar = (dxhat * ({{x}} - mu)).sum({_ROWS}) * -0.5 * (var + eps)**-1.5
dmu = -(dxhat / sqrt(var + eps)).sum({_ROWS})
{{dx}} = dxhat / sqrt(var + eps) + dvar * 2 * ({{x}} - mu) / D + dmu / D
""",
    ),
)
NORMS = [
    Known(lines, {"x": "N D", "gamma": "D", "beta": "D"}, has_eps=True)
    for lines in (BATCH_NORM, LAYER_NORM)
]

CONVOLUTION = Known(CONV, {"x": "N C H V", "W": "F C KH KW", "b": "F"})
POOL = Known(MAX_POOL, {"x": "N C H V"})
EMBEDDING = Known(
    LayerLines("embedding", "e", "{y} = W[at]", "dW = add_at(W, at, {dy})"),
    {"W": "V D"},
    labels="at",
    is_index=True,
    examples={"out": 0},
)

RNN_STEP = Known(
    LayerLines(
        "RNN step",
        "h",
        "{y} = tanh({x} @ Wx + h @ Wh + b)",
        """
dz = {dy} * (1 - {y}**2)
{dx} = dz @ Wx.T
dh = dz @ Wh.T
dWx = {x}.T @ dz
dWh = h.T @ dz
db = dz.sum(axis=0)
""",
    ),
    {"x": "N D", "h": "N H", "Wx": "D H", "Wh": "H H", "b": "H"},
    ("next_h",),
    examples={"x": 0, "h": 0, "next_h": 0},
)


def _lstm_step(order: str) -> Known:
    """Return an LSTM's step whose gates stand side by side in `order`."""
    gates = [
        f"{q} = {'tanh' if q == 'g' else 'sigmoid'}(a[:, {k} * H:{k + 1} * H])"
        for k, q in enumerate(order)
    ]
    backs = [
        f"dz_{q} = d{q} * " + ("(1 - g**2)" if q == "g" else f"{q} * (1 - {q})") for q in order
    ]
    gates, backs = "\n".join(gates), "\n".join(backs)
    lines = LayerLines(
        "LSTM step",
        "h",
        f"""
a = {{x}} @ Wx + h @ Wh + b
{gates}
next_c = f * c + i * g
next_h = o * tanh(next_c)
""",
        f"""
do = dnext_h * tanh(next_c)
dct = dnext_c + dnext_h * o * (1 - tanh(next_c)**2)
df = dct * c
dc = dct * f
di = dct * g
dg = dct * i
{backs}
da = hstack(({", ".join("dz_" + q for q in order)}))
{{dx}} = da @ Wx.T
dh = da @ Wh.T
dWx = {{x}}.T @ da
dWh = h.T @ da
db = da.sum(axis=0)
""",
    )
    inputs = {"x": "N D", "h": "N H", "c": "N H", "Wx": "D G", "Wh": "H G", "b": "G"}
    return Known(
        lines,
        inputs,
        ("next_h", "next_c"),
        examples=dict.fromkeys(("x", "h", "c", "next_h", "next_c"), 0),
    )


def _gru_step(new: str, old: str) -> Known:
    """Return a GRU's step whose output is `new` * n + `old` * h, for n what it may take on."""
    other = {"z": "dout * n - dout * h", "(1 - z)": "dout * h - dout * n"}[new]
    gates = [f"{q} = sigmoid({{x}} @ W{q} + h @ U{q} + b{q})" for q in "zr"]
    backs = [
        line
        for q, read in (("n", "(r * h)"), ("z", "h"), ("r", "h"))
        for line in (
            f"dW{q} = {{x}}.T @ da{q}",
            f"dU{q} = {read}.T @ da{q}",
            f"db{q} = da{q}.sum(axis=0)",
        )
    ]
    lines = LayerLines(
        "GRU step",
        "h",
        "\n".join(
            [*gates, "n = tanh({x} @ Wn + (r * h) @ Un + bn)", f"{{y}} = {new} * n + {old} * h"]
        ),
        "\n".join(
            [
                f"dz = {other}".replace("dout", "{dy}"),
                f"dn = {{dy}} * {new}",
                "dan = dn * (1 - n**2)",
                "drh = dan @ Un.T",
                "dr = drh * h",
                "daz = dz * z * (1 - z)",
                "dar = dr * r * (1 - r)",
                f"dh = {{dy}} * {old} + drh * r + daz @ Uz.T + dar @ Ur.T",
                "{dx} = dan @ Wn.T + daz @ Wz.T + dar @ Wr.T",
                *backs,
            ]
        ),
    )
    inputs = {"x": "N D", "h": "N H"}
    for q in "zrn":
        inputs |= {f"W{q}": "D H", f"U{q}": "H H", f"b{q}": "H"}
    return Known(lines, inputs, ("next_h",), examples=dict.fromkeys(("x", "h", "next_h"), 0))


ATTENTION = [
    Known(
        LayerLines(
            "attention",
            "a",
            f"p = softmax(q @ k.T{over})\n{{y}} = p @ v",
            f"""
dv = p.T @ {{dy}}
dp = {{dy}} @ v.T
ds = p * (dp - (dp * p).sum({_ROWS}))
dq = ds @ k{over}
dk = ds.T @ q{over}
""",
        ),
        {"q": "N D", "k": "T D", "v": "T V"},
        examples={"q": 0, "out": 0},
    )
    for over in (" / sqrt(D)", "")
]
RESIDUAL = Known(
    LayerLines(
        "residual block",
        "r",
        "z = {x} @ W1 + b1\na = relu(z)\n{y} = {x} + a @ W2 + b2",
        """
dW2 = a.T @ {dy}
db2 = {dy}.sum(axis=0)
da = {dy} @ W2.T
dz = da * (z > 0)
dW1 = {x}.T @ dz
db1 = dz.sum(axis=0)
{dx} = {dy} + dz @ W1.T
""",
    ),
    {"x": "N D", "W1": "D H", "b1": "H", "W2": "H D", "b2": "D"},
)

#: In the order in which they are tried.
ALL = (
    *DENSE,
    *ACTIVATIONS,
    MASK,
    SOFTMAX,
    *LOSSES,
    *NORMS,
    CONVOLUTION,
    POOL,
    EMBEDDING,
    RNN_STEP,
    *map(_lstm_step, ("ifog", "ifgo")),
    _gru_step("z", "(1 - z)"),
    _gru_step("(1 - z)", "z"),
    *ATTENTION,
    RESIDUAL,
)
EPS = (1e-5, 1e-8, 1e-3, 1e-7, 1e-6, 1e-12, 1e-10, 1e-4, 0.0)

"""Results of every kind of network, for tests of panels."""

from functools import cache

import numpy as np

import gradlab as gl
from gradlab.checking.schemes import SCHEMES
from gradlab.lab import Settings
from gradlab.lab.model.function import Function
from gradlab.lab.model.own_network import OwnNetwork
from gradlab.lab.model.result import Result, compute
from gradlab.plots.figure import figure_of
from gradlab.plots.palette import PALETTES

_RNG = np.random.default_rng(0)
IMAGES, SEQUENCES = _RNG.normal(size=(12, 1, 8, 8)), _RNG.normal(size=(5, 12, 3))
LABELS = np.arange(12) % 6
_GIVEN = {
    "convnet": (
        gl.convnet((1, 8, 8), filters=(2, 3), padding=(1, 1), classes=6), IMAGES, LABELS,
    ),
    "lstm": (gl.lstm(3, 4, 6), SEQUENCES, LABELS),
}  # fmt: skip
_SETTINGS = {
    "default": Settings(),
    "one unit": Settings(hidden=(1,)),
    "no hidden layer": Settings(hidden=()),
    "deep": Settings(hidden=(8,) * 8, activation="sigmoid"),
    "relu": Settings(hidden=(4, 4), activation="relu", data="spirals", seed=2),
    "straight": Settings(weight_scale=1e-2),
    "saturated": Settings(weight_scale=50.0),
    "float32": Settings(hidden=(4,), dtype="float32"),
    "redrawn": Settings(hidden=(8,), use_dropout=True, freeze_masks=False),
    "dropout": Settings(hidden=(8,), use_dropout=True),
    "l2": Settings(hidden=(4,), use_l2=True, l2=0.1),
    "bug": Settings(hidden=(4, 4), bug="missing_activation_derivative"),
    "few": Settings(examples=2, bias_scale=0.3),
    "sampled": Settings(hidden=(64, 64, 64)),
}
_SETTINGS |= {
    scheme: Settings(hidden=(4,), scheme=scheme) for scheme in SCHEMES if scheme != "central"
}
_FUNCTIONS = {
    # lesson 01's parabola, and a wrong gradient of a function that is not defined everywhere
    "parabola": (lambda w: float(w[0] ** 2), lambda w: 2 * w, np.array([3.0])),
    "logarithm": (
        lambda w: float(np.sum(np.log(w))) if w.min() > 0 else float("nan"),
        lambda w: 2 / w, np.array([0.05, 1.0, 2.0]),
    ),
}  # fmt: skip
NETWORKS = (*_SETTINGS, *_GIVEN)
NAMES = (*NETWORKS, *_FUNCTIONS)


@cache
def result_of(name: str, **changes: object) -> Result:
    """Return the lab's result for one of `NAMES`, with settings changed."""
    if name in _SETTINGS:
        return compute(_SETTINGS[name].replace(**changes))
    made = Function.check(*_FUNCTIONS[name]) if name in _FUNCTIONS else None
    given = made or OwnNetwork.check(*_GIVEN[name])
    return compute(given.settings().replace(**changes), given)


def painted(panel, result: Result, theme: str) -> None:
    """Paint the panel: whatever matplotlib cannot draw raises here."""
    pictures = [(panel.still(result), panel.moving(result))]
    figure_of(pictures, PALETTES[theme], widths=[panel.width], scale=0.5).canvas.draw()

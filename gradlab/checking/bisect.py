"""Which step of a network's backward pass goes wrong first, cut by cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from html import escape

import numpy as np

from gradlab._validate import check_integer, check_real_array
from gradlab.checking.check_function import check_function
from gradlab.checking.report import Report, TensorReport
from gradlab.checking.time_steps import Steps, TimeSteps, state_names, table
from gradlab.checking.verdict import SIGNS, Verdict
from gradlab.nn.layers import Masks
from gradlab.nn.lstm import LSTMNet
from gradlab.nn.network import Network, Point

PATH_ONLY = (
    "this is about the signal's path only: a bias summed wrongly, or L2, leaves every cut right. "
    "gl.check looks at the parameters"
)
STEPS_ARE_RIGHT = (
    f"{PATH_ONLY}: if it finds one of the LSTM wrong, so is how that gradient is made from the "
    "steps' signal, or how it is summed over the steps (= where += belongs)"
)


@dataclass(frozen=True, eq=False, repr=False)
class Bisection:
    """What was found on the way from the input up.

    Attributes
    ----------
    cuts : dict of str to Report
        One a cut that was looked at, from "input" on; each is a check of dL/d(activation) there.
    step : str or None
        The step that goes wrong; "loss" for its derivative; None if no cut is wrong.
    between : tuple of str
        The cuts below and above it.
    why : str
        A sentence; with `steps` a few.
    remark : str
        What this does not prove.
    steps : dict of int to dict of str to TensorReport
        By an LSTM's time steps, the last one first, the checks of dL/dh, dL/dc and dL/dx: those of
        step 3 are `steps[3]["h"]`, `["c"]` and `["x"]`. Empty where nothing in an LSTM was looked
        at.
    """

    cuts: dict[str, Report]
    step: str | None
    between: tuple[str, ...]
    why: str
    remark: str = PATH_ONLY
    steps: Steps = field(default_factory=dict)

    def __repr__(self) -> str:
        width = max(len(name) for name in self.cuts)
        lines = [
            f"  {name:{width}}  {SIGNS[cut.verdict]} {cut.verdict:12}  "
            f"norm ratio {cut.norm_ratio:.1e}"
            for name, cut in self.cuts.items()
        ]
        inside = ["", *table(self.steps), ""] if self.steps else []
        return "\n".join([self.why, *lines, *inside, f"Remark: {self.remark}."])

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


def bisect(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    masks: Masks = None,
    analytic: Mapping[str, np.ndarray] | None = None,
    samples: int = 100,
    seed: int = 0,
) -> Bisection:
    """Walk the cuts between layers from the input on; say which step's backward pass is wrong.

    At each cut dL/d(activation) is checked. Right at the input: the whole path is right, and the
    walk ends there. Wrong: it goes up to the first cut that is right, and the step below that cut
    is the one. Costs about ten runs of the layers above a cut for each entry that is looked at.

    An LSTM that is the one is looked into: dL/dh, dL/dc and dL/dx are checked at each time step,
    from the last one back, and the first that is wrong, where all that it is made from is right,
    tells which lines are. That costs as much again for each of them.

    Parameters
    ----------
    net : Network
    x, y, masks
        As for `net.loss`; dropout masks must be frozen.
    analytic : dict of str to ndarray or None, optional
        Gradients at the cuts computed elsewhere, shaped as `net.cut_gradients` returns them; used
        instead of these. For an LSTM over T time steps there may also be "h1" to "hT" and "c1" to
        "cT", as from `net.state_gradients`: all that comes back to each state. Without these it is
        judged by dL/dx alone.
    samples : int, > 0, optional
        Entries of each cut, and of each state, that are looked at; drawn at random where there are
        more.
    seed : int, >= 0, optional
        Of that draw.

    Returns
    -------
    Bisection

    Raises
    ------
    ValueError, TypeError
        An argument has the wrong shape, type or range; or the masks are drawn anew at every call.

    Examples
    --------
    >>> import numpy as np
    >>> import gradlab as gl
    >>> rng = np.random.default_rng(0)
    >>> net = gl.lstm(3, 4, 2, weight_scale=0.7)
    >>> x, y = rng.standard_normal((3, 5, 3)), rng.integers(0, 2, 5)
    >>> found = gl.bisect(gl.bugs.plant(net, "lstm_cell_gradient_dropped"), x, y)
    >>> found.between
    ('input', 'hidden')
    >>> [name for name, check in found.steps[2].items() if check.verdict == "wrong"]
    ['c', 'x']
    """
    if not isinstance(net, Network):
        raise TypeError(f"net must be a network such as gl.mlp makes, got {type(net).__name__}")
    samples, seed = check_integer(samples, "samples", 1), check_integer(seed, "seed")
    if isinstance(masks, np.random.Generator):
        raise TypeError("masks must be frozen: a list of arrays, or None; got a Generator")
    places = net.cut_activations(x, masks)
    given = net.cut_gradients(x, y, masks) if analytic is None else analytic
    grads = _checked(given, {name: value.shape for name, value in places.items()}, net, x)
    cuts: dict[str, Report] = {}
    for position, (name, value) in enumerate(places.items()):
        f, below = from_cut(Point(net, x, y, masks), position)
        gradient = grads[name].ravel()
        cuts[name] = check_function(
            f,
            below if analytic is None else lambda _, gradient=gradient: gradient,
            value.ravel(),
            method="full" if value.size <= samples else "sampled",
            samples=samples,
            seed=seed,
        )
        if cuts[name].verdict == Verdict.CORRECT:
            break
    batch = net.prepare_x(x).shape[-2]
    layers = [repr(layer) for layer in net.chain(masks, batch)]
    found = conclude(cuts, layers, analytic is not None)
    if not isinstance(net, LSTMNet):
        return found
    if found.between == ("input", "hidden") and analytic is None:
        grads |= net.state_gradients(x, y)
    return _look_inside(found, TimeSteps(net, x, y, grads, samples, seed))


def from_cut(
    point: Point, position: int
) -> tuple[Callable[[np.ndarray], float], Callable[[np.ndarray], np.ndarray]]:
    """Return the data's loss and its gradient as functions of what stands at cut `position`.

    The activation is flat, in the order of `net.cut_activations`.
    """
    net, x, y, masks = point
    a, target = net.prepare(x, y)
    n = a.shape[-2]
    chain = net.chain(masks, n)
    for layer in chain[:position]:
        a = layer.forward(net.params, a)
    order = net.as_rows(np.arange(a.size).reshape(a.shape)[..., 0], n).ravel()
    shape, dtype, rest = a.shape, a.dtype, chain[position:]

    def laid_in(flat: np.ndarray) -> np.ndarray:
        inside = np.empty(flat.size, dtype)
        inside[order] = flat
        return inside.reshape(shape)

    def f(flat: np.ndarray) -> float:
        out = laid_in(flat)
        for layer in rest:
            out = layer.forward(net.params, out)
        return float(net.loss_rule.per_example(out, target)[:, 0].sum() / n)

    def gradient(flat: np.ndarray) -> np.ndarray:
        if net.backward_pass is not None:
            cuts = net.backward_pass.cut_gradients(point, put=(position, flat))
            return cuts[position].ravel()
        activations = net.forward(net.params, laid_in(flat), rest)
        deltas, _ = net.backward(net.params, activations, target, rest)
        # `backward` takes its mean over what stands at the cut: an LSTM's outputs are T * n there
        return deltas[0].reshape(-1)[order] * (shape[-2] / n)

    return f, gradient


def _checked(
    grads: Mapping[str, np.ndarray],
    shapes: Mapping[str, tuple[int, ...]],
    net: Network,
    x: np.ndarray,
) -> dict[str, np.ndarray]:
    names = list(grads) if isinstance(grads, Mapping) else type(grads).__name__
    wanted, also = dict(shapes), ""
    if isinstance(net, LSTMNet):
        states = dict.fromkeys(state_names(len(x)), (x.shape[1], net.hidden))
        also = f", and none or all of {list(states)}"
        if isinstance(grads, Mapping) and not states.keys().isdisjoint(grads):
            wanted |= states
    if not isinstance(grads, Mapping) or grads.keys() != wanted.keys():
        raise ValueError(f"analytic must have the keys {list(shapes)}{also}, got {names}")
    return {
        name: check_real_array(grads[name], f"analytic[{name!r}]", shape)
        for name, shape in wanted.items()
    }


def _look_inside(found: Bisection, inside: TimeSteps) -> Bisection:
    """Return `found` with what an LSTM's time steps say, where it or nothing is to blame."""
    if found.cuts["input"].verdict == Verdict.CORRECT:
        why = f"{found.why} Every time step's signal is right."
        found = replace(found, why=why, remark=STEPS_ARE_RIGHT)
        if not inside.has_states:
            return found
        wrong = [
            f"{part}{t}"
            for t, row in inside.steps.items()
            for part, check in row.items()
            if check.verdict == Verdict.WRONG
        ]
        but = f" But {', '.join(wrong)}, as given, are not all that comes back to these states."
        return replace(found, why=why + but * bool(wrong), steps=inside.steps)
    if found.between != ("input", "hidden") or found.cuts["hidden"].verdict != Verdict.CORRECT:
        return found
    why = f"{found.why} Inside it, from the last time step back: {inside.why}"
    return replace(found, why=why, steps=inside.steps)


def conclude(
    cuts: Mapping[str, Report | TensorReport], layers: list[str], is_given: bool = False
) -> Bisection:
    """Return what the verdicts say, cuts from the input up to the first that is right."""
    names = [*cuts]
    wrong = [i for i, name in enumerate(names) if cuts[name].verdict == Verdict.WRONG]
    if not wrong:
        if cuts[names[-1]].verdict == Verdict.CORRECT:
            why = "The signal is right at the input, so every step on its path is."
            if is_given:  # each cut by itself: nothing says that one came from the other
                why = "The signal is right at the input; the cuts above it were not looked at."
            if len(names) > 1:
                why = f"The signal is right at {names[-1]}; what lies below could not be judged."
            return Bisection(cuts, None, (), why)
        return Bisection(cuts, None, (), "No cut could be judged: see the advice of each report.")
    last = wrong[-1]
    if last == len(layers):
        why = "The derivative of the loss is wrong: the signal is off at the output already."
        return Bisection(cuts, "loss", (names[last],), why)
    unsure = names[last + 1 : -1]
    between = f"between {names[last]}, where the signal is wrong, and {names[-1]}"
    why = f"The backward pass of {layers[last]} is wrong: it stands {between}, where it is right."
    if unsure or cuts[names[-1]].verdict != Verdict.CORRECT:
        why = f"The backward pass is wrong {between}; what lies in between could not be judged."
    return Bisection(cuts, layers[last], (names[last], names[-1]), why)

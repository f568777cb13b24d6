"""The layer that a person's forward equals, to the last digits, on inputs drawn at random."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import permutations
from types import SimpleNamespace

import numpy as np

from gradlab.bugs.lines.functions import FUNCTIONS
from gradlab.bugs.lines.line import block
from gradlab.bugs.lines.program import Changes, Listing, Program, expand, written_steps
from gradlab.bugs.lines.search import FAILS
from gradlab.bugs.lines.writing import Written
from gradlab.nn.activations import LEAKY_SLOPE
from gradlab.own.calls import DOUT
from gradlab.own.known import ALL, EPS, Known
from gradlab.own.layer_code import LayerCode, projection

SAME = {8: 1e-11, 4: 2e-5}  # of the output: what round-off may leave
POINTS = 3
MOST_ORDERS = 6  # inputs; of more than these, only forward's own order is tried

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Place:
    """Inputs, and what comes from above, by the person's names."""

    inputs: Arrays
    above: list[np.ndarray]


class LayerListing(Listing):
    """The lines of one layer that stands by itself."""

    def __init__(self, known: Known, wanted: list[str]) -> None:
        out = known.outs[0]
        names = {
            "x": "x",
            "y": out,
            "dx": "dx",
            "dy": f"d{out}",
            "i": "",
            "W": "W",
            "b": "b",
            "g": "d",
            "slope": repr(LEAKY_SLOPE),
            "eps": "eps",
        }
        text = known.lines.forward.format(**names).strip("\n")
        self.forward = ["\n".join(expand(line) for line in text.split("\n"))]
        self.cuts, self.above = [], []
        self.grads = {f"d{role}": role for role in wanted}
        self.steps = list(written_steps(Written(known.lines, known.lines.name, names, 0), 0))
        self.number()


class LayerProgram(Program):
    """The forward and backward pass of one layer.

    Parameters
    ----------
    listing : LayerListing
    values : dict of str to object
        What the forward lines and the backward lines read.
    changes : mapping of int to str, optional
    """

    def __init__(
        self, listing: LayerListing, values: Mapping[str, object], changes: Changes | None = None
    ) -> None:
        params = {role: values[role] for role in listing.grads.values()}
        self.net = SimpleNamespace(params=params, weight_names=(), batch_axis=0)
        self.point = SimpleNamespace(net=self.net, masks=None)
        self.listing, self.start, self.changes = listing, dict(values), dict(changes or {})
        self.grads, self.lines, self.steps = listing.grads, listing.lines, listing.steps
        self.values = dict(values)
        self._run_forward(None)
        self._run_all()
        self._skipped = {}
        self.gradient = {role: self.values[f"d{role}"] for role in params}

    def edited(self, changes: Changes) -> LayerProgram:
        """Return the same program with edits that stay."""
        return LayerProgram(self.listing, self.start, changes)


@dataclass(frozen=True, eq=False)
class Match:
    """A known layer, and which of a person's inputs is which of its own.

    Attributes
    ----------
    known : Known
    roles : dict of str to str
        The person's name for each of the lines' names.
    labels : str
        Their name for the integers, if the lines read them.
    eps : float
    listing : LayerListing
    padding : int
        Of a convolution.
    """

    known: Known
    roles: dict[str, str]
    labels: str
    eps: float
    listing: LayerListing
    padding: int = 0

    def program(self, place: Place) -> LayerProgram:
        """Return the right lines, run at a place."""
        return LayerProgram(self.listing, self.values(place.inputs, place.above))

    def values(self, inputs: Arrays, above: list[np.ndarray] | None = None) -> dict[str, object]:
        """Return what the lines read."""
        values: dict[str, object] = {"S": 1.0, "lam": 0.0, "keep": 1.0, "K": 1, "eps": self.eps}
        for role, name in self.roles.items():
            array = values[role] = np.array(inputs[name], float)
            shape = self.known.inputs[role]
            if shape is not None:
                values |= dict(zip(shape.split(), array.shape, strict=True))
        first = values[next(iter(self.roles))]
        values.setdefault("N", first.shape[0] if first.ndim else 1)
        if "G" in values:  # of four gates
            values["H"] = values["G"] // 4
        if "M" in values:
            values["K"] = values["M"]
        if "KH" in values:  # a convolution: what is around the image shows in the output
            values["P"] = self.padding
            values["R"] = values["H"] + 2 * self.padding - values["KH"] + 1
            values["C"] = values["V"] + 2 * self.padding - values["KW"] + 1
        if self.labels:
            integers = np.asarray(inputs[self.labels])
            rows = integers if self.known.is_index else np.eye(values["K"])[integers]
            values[self.known.labels] = rows
        for out, array in zip(self.known.outs, above or (), strict=False):
            values[f"d{out}"] = np.array(array, float)
        return values

    def outputs(self, inputs: Arrays) -> list[np.ndarray]:
        """Return what the forward lines give."""
        values = self.values(inputs)
        exec(block("\n".join(self.listing.forward)), FUNCTIONS, values)  # noqa: S102 - own templates
        return [np.asarray(values[out]) for out in self.known.outs]


def recognise(code: LayerCode) -> Iterator[Match]:
    """Yield the layers that `code.forward` equals, on the inputs as they are and on drawn ones."""
    places = [place.inputs for place in drawn_places(code)]
    places = [{**code.inputs}, *places]
    try:
        theirs = [code.at(place)[0] for place in places]
    except Exception:  # anybody's code, at inputs of our choice
        return
    same = SAME[code.dtype.itemsize]
    for match in _candidates(code):
        if len(match.known.outs) != len(theirs[0]):
            continue
        if all(map(lambda place, outs: _equal(match, place, outs, same), places, theirs)):
            yield match


def drawn_places(code: LayerCode) -> list[Place]:
    """Return other inputs of the same shapes, with other things from above."""
    rng, found = np.random.default_rng(1), []
    for k in range(POINTS):
        inputs = {
            name: (value + 0.5 * rng.standard_normal(value.shape)).astype(value.dtype)
            if name in code.floats
            else value
            for name, value in code.inputs.items()
        }
        above = projection(code.shapes, code.dtype, 2 + k)
        if not any(kind == DOUT for kind, _ in code.calls.handed):  # a loss with nothing above it
            above = code.above
        found.append(Place(inputs, above))
    return found


def fewer(match: Match, place: Place) -> Place | None:
    """Return the same with one example fewer, of two with one more; None without examples."""
    known, inputs = match.known, dict(place.inputs)
    if not known.examples:
        return None

    def changed(array: np.ndarray, axis: int) -> np.ndarray:
        if array.shape[axis] > 2:
            return np.delete(array, -1, axis)
        more = array.take([0], axis)
        return np.concatenate([array, more if array.dtype.kind in "iub" else 0.7 * more], axis)

    for role, axis in known.examples.items():
        if role in match.roles:
            array = inputs[match.roles[role]]
            if array.ndim <= axis:
                return None
            inputs[match.roles[role]] = changed(array, axis)
    if match.labels:
        inputs[match.labels] = changed(np.asarray(inputs[match.labels]), 0)
    above = [
        changed(array, known.examples[out]) if out in known.examples else array
        for out, array in zip(known.outs, place.above, strict=True)
    ]
    return Place(inputs, above)


def resized(match: Match, code: LayerCode) -> Iterator[Place]:
    """Yield places where one of the layer's sizes is larger by one: D, H, the number of outputs.

    Sizes that coincide do so no more there. Where the lines cannot run, or the person's code
    cannot, there is no such place.
    """
    rng, shapes = np.random.default_rng(3), match.known.inputs
    letters = dict.fromkeys(c for shape in shapes.values() if shape for c in shape.split())
    for letter in letters:
        if letter in "1N":
            continue
        inputs = dict(code.inputs)
        for role, name in match.roles.items():
            if shapes[role]:
                sizes = [
                    n + (letter == c) + 4 * (letter + c == "HG")  # four gates of H units
                    for c, n in zip(shapes[role].split(), inputs[name].shape, strict=True)
                ]
                inputs[name] = rng.standard_normal(sizes).astype(code.dtype)
        try:
            ours, theirs = match.outputs(inputs), code.at(inputs)[0]
        except Exception:  # such as a 12 that somebody wrote for the size
            continue
        if [out.shape for out in ours] == [out.shape for out in theirs]:
            above = projection([out.shape for out in theirs], code.dtype, 9)
            yield Place(inputs, code.above if code.shapes == [()] else above)


def _candidates(code: LayerCode) -> Iterator[Match]:
    integers = [
        name
        for name, v in code.inputs.items()
        if isinstance(v, np.ndarray) and v.dtype.kind in "iu"
    ]
    for known in ALL:
        if len(known.inputs) != len(code.floats) or bool(known.labels) != bool(integers):
            continue
        if known.labels and len(integers) != 1:
            continue
        for order in _orders(code, known):
            roles = dict(zip(known.inputs, order, strict=True))
            wanted = [role for role, name in roles.items() if name in code.checked]
            listing = LayerListing(known, wanted)
            if not listing.grads.keys() <= {line.target for line in listing.lines}:
                continue  # it has no line for what backward gives a gradient of
            for eps in _small_numbers(code) if known.has_eps else (0.0,):
                labels = integers[0] if known.labels else ""
                yield Match(known, roles, labels, eps, listing, _padding(code, known, roles))


def _padding(code: LayerCode, known: Known, roles: dict[str, str]) -> int:
    """Return how wide the frame is that a convolution of stride 1 puts around its images."""
    if "KH" not in (known.inputs.get("W") or "") or len(code.shapes[0]) != 4:
        return 0
    rows, kernel = (code.inputs[roles[role]].shape[2] for role in ("x", "W"))
    return max((code.shapes[0][2] - rows + kernel - 1) // 2, 0)


def _orders(code: LayerCode, known: Known) -> Iterator[tuple[str, ...]]:
    """Yield the inputs in the orders in which their shapes fit, that of forward first."""
    wanted = [None if shape is None else shape.split() for shape in known.inputs.values()]

    def fits(order: tuple[str, ...]) -> bool:
        sizes: dict[str, int] = {"1": 1}
        for name, letters in zip(order, wanted, strict=True):
            shape = code.inputs[name].shape
            if letters is None:
                continue
            if len(letters) != len(shape):
                return False
            if any(sizes.setdefault(c, n) != n for c, n in zip(letters, shape, strict=True)):
                return False
        return True

    orders = permutations(code.floats) if len(code.floats) <= MOST_ORDERS else [tuple(code.floats)]
    yield from filter(fits, orders)


def _small_numbers(code: LayerCode) -> list[float]:
    """Return what eps may be: what stands in forward's arguments first, then what is usual."""
    settings = list(code.inputs.values())
    with suppress(TypeError, ValueError):  # some of C's have no signature
        settings += [p.default for p in inspect.signature(code.forward).parameters.values()]
    for value in list(settings):
        settings += value.values() if isinstance(value, dict) else []
    own = [float(v) for v in settings if isinstance(v, float) and 0 <= v < 0.1]
    return list(dict.fromkeys([*own, *EPS]))


def _equal(match: Match, place: Arrays, theirs: list[np.ndarray], same: float) -> bool:
    try:
        ours = match.outputs(place)
    except FAILS:
        return False
    return all(
        a.shape == b.shape
        and np.isfinite(b).all()
        and np.abs(a - b).max() <= same * max(np.abs(b).max(), 1e-300)
        for a, b in zip(ours, theirs, strict=True)
    )

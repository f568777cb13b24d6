"""A network's backward pass as a program of lines, which can be run with some of them edited."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np

from gradlab.bugs.lines.functions import FUNCTIONS
from gradlab.bugs.lines.layers import FAMILIES, SOFTMAX_BACKWARD
from gradlab.bugs.lines.line import Line, Step, block, compiled, split_gates
from gradlab.bugs.lines.writing import Written, eps_of, values_of, write_out
from gradlab.nn.network import Network, Point

Changes = Mapping[int, str]
SET = re.compile(r".*? \+?= ")
TOKEN = re.compile(r"[\w{}]+")
MOST_LISTINGS = 32


class Listing:
    """The lines of a kind of network: what its backward pass is, whatever the numbers are.

    Attributes
    ----------
    forward : list of str
        The lines of the forward pass, layer by layer.
    steps : list of Step
        From the loss down; of a layer's ways of writing, all.
    lines : list of Line
        Those of all steps.
    cuts : list of str
        The gradients at the cuts between layers, as `net.cut_names` has them: "dx" to "dlogits".
    above : list of int
        Which of `forward` comes first above each cut.
    """

    def __init__(self, net: Network, with_masks: bool) -> None:
        written = write_out(net, with_masks)
        texts = [w.lines.forward.format(**w.names).strip("\n") for w in written]
        self.forward = ["\n".join(expand(line) for line in text.split("\n")) for text in texts]
        whole = [k for k, w in enumerate(written) if w.is_whole]
        self.cuts = ["dx", *(written[k].names["dy"] for k in whole)]
        self.above = [0, *(k + 1 for k in whole)]
        self.grads = {"d" + name: name for name in net.params}
        self.steps = [step for k, w in enumerate(reversed(written)) for step in written_steps(w, k)]
        self.number()

    def number(self) -> None:
        """Give the steps, and their lines, their numbers."""
        for number, step in enumerate(self.steps):
            step.number = number
        self.lines = [line for step in self.steps for line in step.lines]
        for index, line in enumerate(self.lines):
            line.index = index

    @cached_property
    def reached(self) -> dict[int, set[str]]:
        """For each line the gradients, by the lines' names of them, that it can move."""
        return reached_in(self.steps, self.grads)

    @cached_property
    def read_below(self) -> list[set[str]]:
        """For each step what the steps after it read."""
        names = [step.reads for step in self.steps]
        return [set().union(*names[k + 1 :]) for k in range(len(names))]


_LISTINGS: dict[tuple, Listing] = {}


def listing_of(net: Network, with_masks: bool) -> Listing:
    """Return the lines of a network, written out once for all that are built like it."""
    steps = tuple(
        (type(layer), repr(layer), getattr(layer, "name", ""), getattr(layer, "function", None))
        for layer in net.layers
    )
    built = (
        steps,
        tuple(net.params),
        net.loss_name,
        bool(net.l2),
        with_masks,
        len(net.input_shape),
        eps_of(net, 0),
    )
    found = _LISTINGS.get(built)
    if found is None:
        if len(_LISTINGS) >= MOST_LISTINGS:
            _LISTINGS.clear()  # another thread may do so at any time, too
        found = _LISTINGS[built] = Listing(net, with_masks)
    return found


class Program:
    """The forward and backward pass of `net` on a batch.

    Parameters
    ----------
    point : Point
    changes : mapping of int to str, optional
        Edits that stay: a line's index and its text.
    put : (int, ndarray), optional
        What stands at a cut between layers in place of what comes there; the layers above see it.

    Attributes
    ----------
    lines : list of Line
    steps : list of Step
        From the loss down; of a layer's ways of writing, all.
    values : dict of str to object
        What every name stands for at the end; arrays are read-only, for a wrong line may work in
        place.
    gradient : dict of str to ndarray
    """

    def __init__(
        self,
        point: Point,
        changes: Changes | None = None,
        put: tuple[int, np.ndarray] | None = None,
    ) -> None:
        self.point, self.net, self.changes = point, point.net, dict(changes or {})
        self.listing = listing_of(point.net, point.masks is not None)
        self.grads, self.lines, self.steps = (
            self.listing.grads,
            self.listing.lines,
            self.listing.steps,
        )
        self.values = values_of(point)
        self._run_forward(put)
        self._run_all()
        self._skipped: dict[frozenset[str], set[int]] = {}
        self.gradient = {name: self.values["d" + name] for name in self.net.params}

    @cached_property
    def first_written(self) -> dict[str, int]:
        """The number of the step in which each name is set first."""
        first: dict[str, int] = {}
        for step in self.steps:
            for name in step.writes:
                first.setdefault(name, step.number)
        return first

    @cached_property
    def reached(self) -> dict[int, set[str]]:
        """For each line the gradients, by the lines' names of them, that it can move."""
        whole = len(self.steps) == len(self.listing.steps)
        return self.listing.reached if whole else reached_in(self.steps, self.grads)

    def _run_forward(self, put: tuple[int, np.ndarray] | None) -> None:
        """Run the forward pass, from the cut that something is put at a second time."""
        whole = block("\n".join(self.listing.forward))
        exec(whole, FUNCTIONS, self.values)  # noqa: S102 - own templates
        if put is not None:
            cut, value = put
            name = self.listing.cuts[cut][1:]
            self.values[name] = np.reshape(value, np.shape(self.values[name]))
            above = self.listing.forward[self.listing.above[cut] :]
            exec(block("\n".join(above)), FUNCTIONS, self.values)  # noqa: S102 - own templates

    def _run_all(self) -> None:
        self.forms = self._forms(self.changes, {})
        # a layer that has a staying edit is written in one way: the one that the edit stands in
        if self.changes:
            forms = self.forms
            self.steps = [
                s for s in self.steps if s.form is None or forms.get(s.layer, s.form) == s.form
            ]
        shapes: dict[str, tuple[int, ...]] = {}
        # first as it is right: an edit may name what only comes later
        for edited in ({}, self.changes) if self.changes else ({},):
            for step in self.steps:
                if not self.is_run(step):
                    continue
                step.run(self.values, edited)
                for name in step.writes:
                    shape = shapes.setdefault(name, np.shape(self.values[name]))
                    self.values[name] = fitted(self.values[name], shape, name in self.grads)
        for value in self.values.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def edited(self, changes: Changes) -> Program:
        """Return the same program with edits that stay."""
        return Program(self.point, changes)

    def is_run(self, step: Step) -> bool:
        """Tell whether a step runs; one of another way of writing does if an edit stands in it."""
        return step.form in (None, self.forms.get(step.layer, 0))

    def _forms(self, changes: Changes, before: Mapping[int, int]) -> dict[int, int]:
        """Return in which way each edited layer is written: {layer: form}."""
        forms = dict(before)
        for step in (self.lines[k].step for k in changes):
            forms[step.layer] = step.form or forms.get(step.layer, 0)
        return forms

    def run(
        self,
        changes: Changes,
        S: float = 1.0,
        wanted: frozenset[str] = frozenset(),
        into: dict[str, object] | None = None,
    ) -> Iterator[list[tuple[str, np.ndarray]]]:
        """Run the program with more edits, from the first of them on.

        Yields, layer by layer, the gradients as (parameter, value): who has seen that one is off
        need not run the rest. With `wanted`, only these (by the lines' names, "dW1") come out, and
        what does not lead to them is not computed. `into`, a dict, gets all that the names stand
        for, also what leads to no gradient.
        """
        skipped = self._leading_elsewhere(wanted or frozenset(self.grads)) if into is None else ()
        values = {} if into is None else into
        values.update(self.values, S=S)
        base, moved = self.values, set()
        edited = {**self.changes, **changes}
        touched = {self.lines[k].step.number for k in changes}
        forms = self._forms(changes, self.forms)
        for step in self.steps:  # all of a layer that is now written another way
            if step.form and step.form == forms.get(step.layer) != self.forms.get(step.layer):
                touched.add(step.number)
        start = min(touched)
        layer, out = None, []
        for step in self.steps:
            if step.number < start:
                continue
            if step.layer != layer:
                if out:
                    yield out
                layer, out = step.layer, []
            in_use = step.form is None or step.form == forms.get(layer, 0)
            if in_use and (step.number in touched or not moved.isdisjoint(step.reads)):
                step.run(values, edited, skipped)
                below = self.listing.read_below[step.number]
                for name in step.writes:
                    if name in base and values[name] is not base[name]:
                        shape = np.shape(base[name])
                        values[name] = fitted(values[name], shape, name in self.grads)
                    if name in below and not np.array_equal(values[name], base.get(name)):
                        moved.add(name)
            if in_use:
                names = (wanted or self.grads.keys()) & step.writes
                out += [(self.grads[n], values[n]) for n in names]
        yield out

    def _leading_elsewhere(self, wanted: frozenset[str]) -> set[int]:
        """Return the lines that move none of the gradients that are wanted."""
        if wanted not in self._skipped:
            self._skipped[wanted] = {k for k, found in self.reached.items() if not found & wanted}
        return self._skipped[wanted]

    def target_of(self, line: Line, text: str, values: dict[str, object]) -> object:
        """Return what a line sets, written as `text`, where names stand for `values`."""
        scope = dict(values)
        for name in line.step.writes:  # a line that adds to an array may do so in place
            scope[name] = np.array(scope[name])
        exec(compiled(text)[1], FUNCTIONS, scope)  # noqa: S102 - own templates
        return scope[line.target]

    def sisters(self, line: Line) -> list[Line]:
        """Return the lines that do the same in other layers, or for other gates."""
        return [
            other
            for other in self.lines
            if other is not line
            and other.template == line.template
            and other.step.form == line.step.form
            and other.index not in self.changes
        ]


def fitted(value: object, shape: tuple[int, ...], is_gradient: bool) -> np.ndarray:
    """Return what a wrong line made in the shape that it must have.

    Raises
    ------
    ValueError
        It cannot be broadcast: whoever wrote this would have had an exception.
    """
    if type(value) is np.ndarray and value.shape == shape:
        return value
    value = np.asarray(value, float)
    if is_gradient and value.size == np.prod(shape):
        return value.reshape(shape)
    return np.broadcast_to(value, shape).copy()


def reached_in(steps: list[Step], grads: Mapping[str, str]) -> dict[int, set[str]]:
    """Return for each line the gradients, by the lines' names of them, that it can move."""
    reached, below = {}, {}
    for k, step in reversed(list(enumerate(steps))):
        for line in step.lines:
            moved = step.writes if line.is_head else _moved_in(step, line)
            found = moved & grads.keys()
            for other in steps[k + 1 :]:
                if moved & other.reads:
                    found = found | below[other.number]
            reached[line.index] = found
        below[step.number] = set().union(*(reached[line.index] for line in step.lines))
    return reached


def _moved_in(step: Step, line: Line) -> set[str]:
    """Return what a line of a step moves, round the loop."""
    moved, before = {line.target}, set()
    while len(step.lines) > 1 and moved != before:
        before = set(moved)
        moved |= {other.target for other in step.lines if other.reads & moved and other.target}
    return moved


def expand(template: str) -> str:
    """Return one line for each of the gates that stand before its colon."""
    gates, body = split_gates(template)
    if not gates:
        return template
    indent = " " * (len(template) - len(template.lstrip()))
    return "\n".join(indent + body.replace("{q}", q) for q in gates)


def written_steps(written: Written, layer: int) -> Iterator[Step]:
    """Yield the steps of a layer's backward pass, the way of writing that counts last."""
    lines = written.lines
    for form, text in [(None, lines.backward), *reversed(list(enumerate(lines.forms)))]:
        for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
            found = [
                line
                for template in paragraph.split("\n")
                if template.strip()
                for line in _lines(template, written)
            ]
            together = any(line.is_head or "] = " in line.text for line in found)
            for group in [found] if together else [[line] for line in found]:
                if group:
                    yield Step(layer, form, group)


def _lines(template: str, written: Written) -> Iterator[Line]:
    """Yield the lines of a template: one, or one a gate."""
    gates, text = split_gates(template)
    first, *others = text.split("  ~  ")
    head = SET.match(first)
    bodies = (first, *(f"{head[0]}{other}" for other in others))
    for q in gates or ("",):
        names = {**written.names, "q": q}
        lines = written.lines
        whole = text if q else lines.forward + lines.backward + "".join(lines.forms)
        roles = {token.format(**names): token for token in TOKEN.findall(whole) if "{" in token}
        texts = [body.format(**names) for body in bodies]
        left, _, right = texts[0].partition(" = ")
        gate = q or re.fullmatch("d([ifgo])", left)
        where = f"LSTM, gate {q or gate[1]}" if written.where == "LSTM" and gate else written.where
        yield Line(
            texts[0],
            where,
            f"{lines.family or lines.name}: {template}",
            roles,
            names,
            bodies,
            lines.name,
            written.position,
            tuple(compiled(t)[0] for t in texts[1:]),
            tuple(_instead(written, left, right, names)),
        )


def _instead(written: Written, left: str, right: str, names: dict[str, str]) -> Iterator[str]:
    """Yield what stands in a line's place where its function is taken for another one.

    Also a derivative on top of the right one: backprop through the same function once more.
    """
    lines, gate = written.lines, re.fullmatch(r"dz_(\w)", left)
    if gate:
        q = gate[1]
        y = f"{q}[t]" if "[t]" in right else q
        names = {"x": "", "y": y, "dx": left, "dy": f"d{q}"}
    elif left != names["dx"] or not lines.family:
        return
    elif lines.name in ("softmax_cross_entropy", "binary_cross_entropy"):
        names = {**names, "y": "p", "dy": "dp"}
    family = "activation" if gate else lines.family
    family = [f.forms[0] if f.forms else f.backward for f in FAMILIES if f.family == family]
    family += ["{dx} = {dy} * {y}"] * (lines.family == "activation" and bool(names["y"]))
    family += ["{dx} = " + SOFTMAX_BACKWARD.replace("{x}", "{y}")] * (lines.family == "activation")
    for template in family:
        for text in template.split("  ~  "):
            text = text if " = " in text else "{dx} = " + text
            if not gate or "{x}" not in text:
                if "loss" not in written.where or "dp" in right:
                    yield compiled(text.format(**names))[0]
                if lines.family == "activation":
                    twice = text.format(**{**names, "dy": f"({right})"})
                    yield compiled(twice)[0]

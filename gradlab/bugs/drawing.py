"""Draw a bug for a mystery: of all wrong lines that a person might write, or of the museum."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice

import numpy as np

from gradlab._validate import check_integer
from gradlab.bugs.exhibit import Exhibit
from gradlab.bugs.likely import KINDS, kind_of, likely_edits
from gradlab.bugs.lines.edits import Scope
from gradlab.bugs.lines.line import compiled
from gradlab.bugs.lines.program import Listing, Program
from gradlab.bugs.lines.search import FAILS
from gradlab.bugs.museum import EXHIBITS, checked, pass_with
from gradlab.bugs.planting import program_of
from gradlab.bugs.slip import Secret, Slip, Written
from gradlab.nn.layers import Dropout, Grads
from gradlab.nn.mlp import mlp
from gradlab.nn.network import Network, Point

#: Norm ratio that a bug makes in one tensor at least; on other numbers; and of what is the same.
VISIBLE, ELSEWHERE, SAME = 1e-2, 1e-3, 1e-6
HUGE = 1e4  # how many times larger a wrong gradient may be: more is told by a look at it
FROM_MUSEUM = 0.25  # the share of seeds that give a bug of the museum
ROUNDS = 8  # edits of a line that are tried before another line is
PLAIN = 0.4  # the share of factors too much that are not passed over
FEW = 8  # examples on which two gradients are compared
#: Lines that make room for a sum, or that two sums have alike.
ROUTINE = re.compile(r" = zeros|^for .*ndindex")


def mystery(seed: int, net: Network | None = None, count: int = 1) -> Network:
    """Return a network with a bug that it does not tell until asked by `reveal()`.

    Most seeds give a wrong line that no page of the museum shows, a quarter of them one that does.
    What is revealed has `slips`, each with its place (`where`), the `wrong` line and the `right`
    one, and `exhibit`, the museum's page or None.

    Parameters
    ----------
    seed : int, >= 0
        Same seed, same bug.
    net : Network or None, optional
        Where to plant it. None is a small network for two inputs and three classes, with L2 and
        biases that are not 0. Bugs of dropout, which show only with masks, are not chosen, nor
        ones that do not show at the present parameters.
    count : {1, 2}, optional
        How many wrong lines; two are never of the museum.

    Raises
    ------
    ValueError, TypeError
        `seed` is not an integer >= 0, `count` is neither 1 nor 2, `net` has a bug already, or none
        would show in it.

    Examples
    --------
    >>> import gradlab as gl
    >>> net = gl.bugs.mystery(2)
    >>> x, y = gl.data.moons(32)
    >>> gl.check(net, x, y).verdict == "wrong"
    True
    """
    rng = np.random.default_rng(check_integer(seed, "seed"))
    net = _small_network(rng) if net is None else checked(net)
    if net.backward_pass is not None:
        raise ValueError("net must be a network without a planted bug")
    return draw(Point(net, *_probe(net)), rng, count).plant(net)


def draw(
    point: Point,
    rng: np.random.Generator,
    count: int = 1,
    *,
    is_of_lines: bool = False,
) -> Secret:
    """Return a bug that shows in the gradient of `net` on these examples.

    Parameters
    ----------
    point : Point
    rng : Generator
    count : {1, 2}, optional
    is_of_lines : bool, optional
        None of what is done with a finished gradient, which is in no line of the backward pass.

    Raises
    ------
    ValueError, TypeError
        No such bug shows, or `count` is neither 1 nor 2.
    """
    if check_integer(count, "count", 1) > 2:
        raise ValueError(f"count must be 1 or 2, got {count}")
    ground = Ground(point)
    written = written_out(ground.program.listing, rng)
    if count == 1 and rng.random() < FROM_MUSEUM:
        found = _of_museum(ground, rng, is_of_lines=is_of_lines)
        if found is not None:
            return found
    for _ in range(count):  # some lines leave nothing for a second one to spoil
        slips: tuple[Slip, ...] = ()
        for slip in _slips(ground, written, rng):
            if ground.takes((*slips, slip)):
                slips = (*slips, slip)
            if len(slips) == count:
                return Secret.of_slips(slips, written)
    raise ValueError(f"net must be one in which a bug shows on these examples, got {point.net!r}")


def written_out(
    listing: Listing, rng: np.random.Generator, forms: Mapping[int, int] | None = None
) -> Written:
    """Return the backward pass in one of the ways of writing it: its lines, each with its text.

    That is drawn before the bug is: how a line is written must not tell whether it is wrong.
    `forms` are ways of writing, by layer, that are not drawn.
    """
    # a loop over all pixels is a way of writing, too, but takes too long
    slow = {
        (step.layer, step.form)
        for step in listing.steps
        if any(line.is_head and ".shape" in line.text for line in step.lines)
    }
    ways: dict[int, set[int]] = {}
    for step in listing.steps:
        if step.form is not None and (step.layer, step.form) not in slow:
            ways.setdefault(step.layer, set()).add(step.form)
    chosen = {layer: int(rng.choice(sorted(found))) for layer, found in ways.items()}
    chosen |= forms or {}
    return tuple(
        (line, str(rng.choice((line.text, *line.others))))
        for step in listing.steps
        if step.form in (None, chosen.get(step.layer))
        for line in step.lines
    )


def far(one: Grads, two: Grads) -> dict[str, float]:
    """Return how far apart the tensors of two gradients are, as norm ratios.

    What is round-off beside the whole gradient, as in a bias below a batch norm, is 0.
    """
    sizes = {k: np.linalg.norm(one[k]) + np.linalg.norm(two[k]) for k in one}
    floor = 1e-9 * sum(sizes.values()) + np.finfo(float).tiny
    return {k: float(np.linalg.norm(one[k] - two[k]) / (sizes[k] + floor)) for k in one}


class Ground:
    """Where a bug has to show: the network's lines on the examples, and on other numbers."""

    def __init__(self, point: Point) -> None:
        self.net, self.program = point.net, program_of(point)
        self.scope = Scope(self.program)

    def takes(self, slips: tuple[Slip, ...]) -> bool:
        """Tell whether these lines can be hidden: each shows beside the others, and runs anywhere.

        None of them is the museum's.
        """
        if len({slip.key for slip in slips}) < len(slips):
            return False
        try:
            return (
                all(_shows(self.program, slips, _without(slips, k)) for k in range(len(slips)))
                and _shows(self.elsewhere, slips, (), ELSEWHERE)
                and all(_is_sound(gradient_with(other, slips), other) for other in self.built_on)
                and not any(self.is_of_museum(slip) for slip in slips)
            )
        except FAILS:
            return False

    @cached_property
    def elsewhere(self) -> Program:
        """The lines at other parameters, on other and fewer examples (but two at least)."""
        rng, (net, x, y, masks) = np.random.default_rng(0), self.program.point
        net = net.copy()
        for value in net.params.values():
            size = 0.3 * (np.std(value) or 1.0)
            value += (size * rng.standard_normal(value.shape)).astype(value.dtype)
        n = np.shape(x)[net.batch_axis]
        rows = np.arange(max(2, min(n - 1, FEW))) % n
        x, y = net.pick(np.asarray(x), np.asarray(y), rows)
        x = x + 0.3 * rng.standard_normal(x.shape)
        masks = None if masks is None else [np.asarray(m)[rows] for m in masks]
        return _quiet(Point(net, x, y, masks))

    @cached_property
    def built_on(self) -> list[Program]:
        """The lines with and without L2, and with dropout where there can be some."""
        _, x, y, _ = self.elsewhere.point
        net, n = self.elsewhere.net.replace(dropout_rate=0.0), np.shape(x)[self.net.batch_axis]
        found = [_quiet(Point(net.replace(l2=0.0 if net.l2 else 0.1), x, y, None))]
        if any(isinstance(layer, Dropout) for layer in net.layers):
            net = net.replace(dropout_rate=0.4)
            masks = net.draw_masks(n, np.random.default_rng(0))
            found.append(program_of(Point(net, x, y, masks)))
        return found

    def is_of_museum(self, slip: Slip) -> bool:
        """Tell whether an exhibit does to the gradient what a slip does."""
        made = gradient_with(self.elsewhere, (slip,))
        return any(max(far(made, theirs).values()) < SAME for theirs in self._of_museum)

    @cached_property
    def _of_museum(self) -> list[Grads]:
        return [
            pass_with(exhibit, self.net, layer, position).applied_to(self.elsewhere)
            for exhibit in EXHIBITS.values()
            for layer, position in exhibit.places(self.net).items()
        ]


def gradient_with(program: Program, slips: tuple[Slip, ...]) -> Grads:
    """Return the gradient that a program computes with these lines wrong."""
    return Secret.of_slips(slips).gradient(program)


def _shows(
    program: Program, slips: tuple[Slip, ...], rest: tuple[Slip, ...], least: float = VISIBLE
) -> bool:
    """Tell whether the gradient is visibly another one than with the rest of the lines wrong."""
    made = gradient_with(program, slips)
    if not _is_sound(made, program):  # infinite ones have no distance
        return False
    return max(far(made, gradient_with(program, rest)).values()) > least


def _is_sound(made: Grads, program: Program) -> bool:
    """Tell whether a wrong gradient is finite, and of a size that is not told by a glance."""
    sizes = [sum(np.linalg.norm(v) for v in g.values()) for g in (made, program.gradient)]
    return bool(np.isfinite(sizes[0]) and sizes[0] <= HUGE * sizes[1])


def _without(slips: tuple[Slip, ...], k: int) -> tuple[Slip, ...]:
    return slips[:k] + slips[k + 1 :]


def _quiet(point: Point) -> Program:
    with np.errstate(all="ignore"):
        return Program(point)


def _slips(ground: Ground, written: Written, rng: np.random.Generator) -> Iterator[Slip]:
    """Yield wrong lines: of every line some, the likeliest first for the most part.

    In a long line there is more to be written wrongly: it comes earlier.
    """
    reached, lengths = ground.program.reached, np.array([len(text) ** 0.5 for _, text in written])
    for k in rng.choice(len(written), len(written), replace=False, p=lengths / lengths.sum()):
        line, right = written[k]
        if not reached[line.index] or ROUTINE.search(right):
            continue
        before = {other.target for other, _ in written[:k]}
        found = sorted(likely_edits(line, right, ground.scope, before))
        weights = _weights(right, found)
        order = rng.choice(len(found), len(found), replace=False, p=weights) if found else ()
        for wrong, _ in (found[i] for i in islice(order, ROUNDS)):
            # of a short line little else than factors runs, and all rounds would be alike
            if kind_of(wrong, right) != "surplus" or rng.random() < PLAIN:
                yield Slip.of(line, wrong, right)


def _weights(right: str, found: list[tuple[str, float]]) -> np.ndarray:
    """Return how often each edit is drawn: its kind's share, in which the likeliest has most."""
    kinds = np.array([kind_of(wrong, right) for wrong, _ in found])
    weights = np.array([4.0**-cost for _, cost in found])
    for kind, (_, share) in KINDS.items():
        weights[kinds == kind] *= share / (weights[kinds == kind].sum() or 1.0)
    return weights / weights.sum()


def _of_museum(ground: Ground, rng: np.random.Generator, *, is_of_lines: bool) -> Secret | None:
    """Return a bug of the museum that shows, if there is one."""
    net, program = ground.net, ground.program
    places = [(e, *place) for e in EXHIBITS.values() for place in e.places(net).items()]
    for k in rng.permutation(len(places)):
        exhibit, layer, position = places[k]
        secret = _secret_of(exhibit, layer, position, ground, rng)
        if is_of_lines and (exhibit.after or any(ROUTINE.search(s.right) for s in secret.slips)):
            continue
        made = secret.gradient(program)
        if _is_sound(made, program) and max(far(made, program.gradient).values()) > VISIBLE:
            return secret
    return None


def _secret_of(
    exhibit: Exhibit, layer: int, position: int, ground: Ground, rng: np.random.Generator
) -> Secret:
    """Return an exhibit as what a mystery hides, its lines in the exhibit's way of writing."""
    listing, there = ground.program.listing, pass_with(exhibit, ground.net, layer, position)
    wrong = there.edits(listing)
    lines = [listing.lines[k] for k in wrong]
    forms = {line.step.layer: line.step.form for line in lines if line.step.form is not None}
    rights = {line.index: exhibit.right_of(line) for line in lines}
    written = tuple(
        (line, compiled(rights.get(line.index, text))[0])
        for line, text in written_out(listing, rng, forms)
    )
    slips = tuple(
        Slip.of(line, wrong[line.index], text) for line, text in written if line.index in wrong
    )
    if exhibit.after:
        slips = (Slip("after backward", exhibit.wrong, exhibit.right),)
    return Secret(slips, exhibit, layer, there.edits, there.after, written)


def _small_network(rng: np.random.Generator) -> Network:
    net = mlp([2, 6, 6, 3], l2=0.01, weight_scale=1.0, seed=int(rng.integers(1 << 16)))
    for value in net.params.values():
        value += 0.1 * rng.standard_normal(value.shape)
    return net


def _probe(net: Network) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and targets that fit `net`, for a look at its gradient."""
    rng, n = np.random.default_rng(0), 5
    shape = [5 if size is None else size for size in net.input_shape]
    shape.insert(net.batch_axis, n)
    examples = (5, n) if getattr(net, "every_step", False) else (n,)
    x = rng.standard_normal(shape)
    if net.loss_name == "softmax_cross_entropy":
        return x, rng.integers(0, net.outputs, examples)
    return x, rng.random((*examples, net.outputs))

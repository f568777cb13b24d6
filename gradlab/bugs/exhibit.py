"""One bug of the museum: the lines that are wrong, its story, where it can be, what hides it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from gradlab.bugs.lines.layers import LINES_BY_NAME, has_lines
from gradlab.bugs.lines.line import Line, split_gates
from gradlab.bugs.lines.program import Listing, listing_of
from gradlab.nn.layers import BatchNorm, Grads
from gradlab.nn.network import Network, Point

EVERYWHERE = -1  # the position of a bug that is in several layers at once
# A wrong line: a template like those of the layers, or what makes it of a network's lines.
Wrong = str | Callable[[Line, Listing, Network], str | None]
Edited = tuple[tuple[Line, Wrong], ...]
SHOWN = {"i": "", "W": "W", "b": "b", "g": "d", "q": "i", "slope": "0.01", "eps": "eps"}


class Spot(NamedTuple):
    """A reason why a bug that does not show here does not, in words.

    Attributes
    ----------
    explains : callable, place -> bool
    reason : str
        What is so at this place.
    hides : str
        What does not show for it.
    cure : str
        What to do to see it.
    surely : bool
        Whether it cannot show; otherwise it may not.
    """

    explains: Callable[[Place], bool]
    reason: str
    hides: str
    cure: str
    surely: bool = False

    @property
    def sentence(self) -> str:
        """The whole, such as "a single output: … would not show; check with two outputs"."""
        told = f"{self.hides} {'would' if self.surely else 'may'} not show; {self.cure}"
        return f"{self.reason}: {told}" if self.reason else told

    def caveat(self, where: str = "") -> str:
        """Return what a verdict is blind to, as it stands after "correct here, and"."""
        blind = f"blind{where} to {self.hides.removesuffix(',')}"
        return f"{blind}: {self.reason}" if self.reason else blind


class Place(NamedTuple):
    """Where a bug would be: a layer's position in the network that is checked."""

    point: Point
    position: int


def always(at: Place) -> bool:
    """Explain it in any case."""
    return True


def anywhere(net: Network, position: int) -> bool:
    """Every layer that has the lines can have the bug."""
    return True


@dataclass(frozen=True, repr=False, eq=False)
class Exhibit:
    """One bug of the museum.

    Its backward pass is made from the edited lines (`gradlab.bugs.lines.layers`), so that what is
    planted, what is told of it and what a diagnosis says cannot disagree.

    Attributes
    ----------
    name : str
        What `plant` takes.
    number : int
        Its number in the list of bugs that the museum was built from.
    title : str
        A few words, to be picked from a list.
    summary : str
        One line: what was done.
    edits : mapping of str to sequence of (str, str)
        For the name of a layer's lines, the right lines and what stands in their places.
    shows : str
        What a check shows. The figures are norm ratios of wrong tensors, the range over 5 seeds,
        tanh networks of sizes 5-6-6-3 with N = 8, every layer, unless it says otherwise.
    cause : str
        The sentence of a diagnosis, without the place.
    needs : str
        What a network must have, for the message when it has not.
    blind : str
        When a check does not see it; empty if there is no such place.
    hidden : tuple of Spot
        What a report says there. The first that explains it counts.
    fits : callable, (net, position) -> bool
        Of the layers with these lines and with parameters that they reach: can it be there?
    is_mute_elsewhere : bool
        Where it does not fit it can be written, but makes no difference whatever the numbers are.
    is_everywhere : bool
        It is made in all layers at once.
    unsettles : bool
        The bias below a batch norm, whose gradient is 0, gets another one.
    is_random : bool
        It draws numbers of its own: its gradient tells which tensors are wrong, not by how much.
    after : callable, gradient -> gradient, or None
        What is done with the finished gradient; then `code` are the wrong and the right line.
    """

    name: str
    number: int
    title: str
    summary: str
    shows: str
    cause: str
    needs: str
    edits: Mapping[str, tuple[tuple[str, Wrong], ...]]
    blind: str = ""
    hidden: tuple[Spot, ...] = ()
    fits: Callable[[Network, int], bool] = anywhere
    is_mute_elsewhere: bool = False
    is_everywhere: bool = False
    unsettles: bool = False
    is_random: bool = False
    after: Callable[[Grads], Grads] | None = None
    code: tuple[str, str] = ("", "")

    # -- the lines ----------------------------------------------------------------------------

    @property
    def wrong(self) -> str:
        """A line of code with the bug, for rows as examples."""
        return self._shown()[0]

    @property
    def right(self) -> str:
        """The same line without it."""
        return self._shown()[1]

    def _shown(self) -> tuple[str, str]:
        if not self.edits or self.code[0]:
            return self.code
        of, edits = next(iter(self.edits.items()))
        lines, (right, wrong) = LINES_BY_NAME[of], edits[0]
        x, y = lines.input, lines.letter
        names = {**SHOWN, "x": x, "y": y, "dx": f"d{x}", "dy": f"d{y}"}
        first, second = (split_gates(text)[1].format(**names) for text in (wrong, right))
        return first, second

    def changes(self, listing: Listing, net: Network, position: int) -> dict[int, str]:
        """Return the texts of the lines that are wrong when the bug is at `position`."""
        changes = {}
        for line, wrong in edited_lines(self, listing):
            if position not in (EVERYWHERE, line.position):
                continue
            text = wrong(line, listing, net) if callable(wrong) else wrong.format(**line.names)
            if text is not None:
                changes[line.index] = text
        return changes

    def right_of(self, line: Line) -> str:
        """Return a line that it changes in the way of saying it that it changes."""
        right = next(right for right, _ in self.edits[line.of] if line.is_written(right))
        return split_gates(right)[1].format(**line.names)

    # -- where it can be ----------------------------------------------------------------------

    @property
    def is_of_layer(self) -> bool:
        """Whether it is in one layer, and not in the loss or in the whole gradient."""
        of_loss = any(LINES_BY_NAME[of].letter == "loss" for of in self.edits)
        return not (self.is_everywhere or self.after or of_loss)

    def places(self, net: Network) -> dict[int, int]:
        """Return {layer number: position in `net.layers`}, empty if there is no such place."""
        return {n: p for n, p in self._candidates(net).items() if self.fits(net, p)}

    def mute_places(self, net: Network) -> dict[int, int]:
        """Return the places where it can be written and makes no difference."""
        found = self._candidates(net) if self.is_mute_elsewhere else {}
        return {n: p for n, p in found.items() if not self.fits(net, p)}

    def _candidates(self, net: Network) -> dict[int, int]:
        if not has_lines(net.layers):
            return {}
        numbers = layer_numbers(net)
        if self.after:
            return {numbers[-1]: EVERYWHERE}
        listing = listing_of(net, with_masks=True)
        idle = set() if self.unsettles else {"d" + name for name in idle_biases(net)}
        edited = [line for line, _ in edited_lines(self, listing)]
        found = {line.position for line in edited if listing.reached[line.index] - idle}
        if self.is_everywhere:
            return {numbers[-1]: EVERYWHERE} if found else {}
        return {numbers[min(p, len(numbers) - 1)]: p for p in sorted(found)}

    def damage(self, net: Network, position: int) -> tuple[str, ...]:
        """Return the parameters whose gradient is wrong when the bug is there."""
        idle = set(idle_biases(net))
        if self.after:
            return tuple(name for name in net.params if name not in idle)
        if self.unsettles:
            idle -= {net.layers[position - 1].b}
        listing = listing_of(net, with_masks=True)
        lines = self.changes(listing, net, position)
        reached = set().union(*(listing.reached[k] for k in lines))
        return tuple(name for name in net.params if "d" + name in reached and name not in idle)

    def spot(self, at: Place) -> Spot:
        """Return what to say in a report where the bug does not show at this place."""
        unknown = Spot(
            always, "", f"one bug ({self.cause})", "check at other parameters or on other examples"
        )
        return next((spot for spot in self.hidden if spot.explains(at)), unknown)

    # -- in words -----------------------------------------------------------------------------

    def __repr__(self) -> str:
        width = max(len(self.wrong), len(self.right), 5)
        lines = [
            f"{self.name} (number {self.number}): {self.summary}",
            f"  {'wrong':{width}}  |  right",
            f"  {self.wrong:{width}}  |  {self.right}",
            f"  shows: {self.shows}",
        ]
        return "\n".join(lines + [f"  blind: {self.blind}"] * bool(self.blind))

    def _repr_html_(self) -> str:
        blind = f"<p>Blind: {escape(self.blind)}</p>" if self.blind else ""
        return (
            f"<p><b>{escape(self.name)}</b> (number {self.number}): {escape(self.summary)}</p>"
            f"<table><thead><tr><th>wrong</th><th>right</th></tr></thead><tbody><tr>"
            f"<td><code>{escape(self.wrong)}</code></td><td><code>{escape(self.right)}</code></td>"
            f"</tr></tbody></table><p>Shows: {escape(self.shows)}</p>{blind}"
        )


# Found once, and forgotten with the listing.
_EDITED: WeakKeyDictionary[Listing, dict[Exhibit, Edited]] = WeakKeyDictionary()


def edited_lines(exhibit: Exhibit, listing: Listing) -> Edited:
    """Return the lines that a bug is about, with what stands in their places."""
    known = _EDITED.setdefault(listing, {})
    if exhibit not in known:
        known[exhibit] = tuple(
            (line, wrong)
            for line in listing.lines
            for right, wrong in exhibit.edits.get(line.of, ())
            if line.is_written(right)
        )
    return known[exhibit]


def layer_numbers(net: Network) -> list[int]:
    """Return for each step the number of its layer, 1 for what belongs to the first weights.

    A layer begins with its weights: what follows up to the next weights has the same number.
    """
    counts = np.cumsum([bool(step.weight_names) for step in net.layers])
    return [int(count) for count in counts]


def idle_biases(net: Network) -> tuple[str, ...]:
    """Return the biases right below a batch norm, which takes them off again: their slope is 0."""
    return tuple(below.b for below, above in pairwise(net.layers) if isinstance(above, BatchNorm))

"""One wrong line of a backward pass, and what a mystery hides.

A line is known by where it stands and by its template, and not by its number: once L2 or dropout
is switched on, there are more lines, and a weight's gradient has another name in them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

from gradlab.bugs.exhibit import Exhibit
from gradlab.bugs.lines.line import Line, compiled
from gradlab.bugs.lines.program import Listing, Program, listing_of
from gradlab.bugs.planting import EditedPass, Edits, put
from gradlab.nn.layers import Grads
from gradlab.nn.network import Network

MOST_TOLD = 3  # an exhibit may be the same mistake in many lines
Key = tuple[object, ...]
#: A whole backward pass in one way of writing it: lines and their texts, from the loss down.
Written = tuple[tuple[Line, str], ...]


def key_of(line: Line) -> Key:
    """Return what a line is known by in every listing of networks with these layers."""
    names, form = line.names, line.step.form
    loop = line.step.body[0].template if line.is_head else ""
    return line.where, line.template, form, names.get("q", ""), names.get("W", ""), loop


@dataclass(frozen=True)
class Slip:
    """A line as it is, and as it must be.

    Attributes
    ----------
    where : str
        "layer 2, tanh".
    wrong, right : str
        Lines of numpy.
    line : Line or None
        The one that it was made of, in a listing of its own; None if it is not in the backward
        pass.
    """

    where: str
    wrong: str
    right: str
    line: Line | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, line: Line, wrong: str, right: str) -> Slip:
        """Return a slip with its lines as Python writes them."""
        return cls(line.where, compiled(wrong)[0], compiled(right)[0], line)

    @property
    def key(self) -> Key:
        """What its line is known by."""
        return () if self.line is None else key_of(self.line)

    def changes(self, listing: Listing) -> dict[int, str]:
        """Return the wrong text of its line in a listing; empty if that has no such line."""
        return {
            line.index: self.line.translate(self.wrong, line)
            for line in listing.lines
            if key_of(line) == self.key
        }

    def __str__(self) -> str:
        return f"  wrong: {self.wrong}\n  right: {self.right}"


@dataclass(frozen=True, repr=False)
class Secret:
    """What a mystery hides: its wrong lines.

    Attributes
    ----------
    slips : tuple of Slip
        Each with its place (`where`), the `wrong` line and the `right` one.
    exhibit : Exhibit or None
        The museum's page on it; None for a bug that the museum does not show.
    layer : int or None
        Where, if it is an exhibit.
    edits, after
        As in `EditedPass`.
    written : tuple of (Line, str)
        The backward pass as it should be, in the way of writing in which the slip was made.
    """

    slips: tuple[Slip, ...]
    exhibit: Exhibit | None = None
    layer: int | None = None
    edits: Edits = field(default=lambda listing: {}, compare=False)
    after: Callable[[Grads], Grads] | None = field(default=None, compare=False)
    written: Written = field(default=(), compare=False)

    @classmethod
    def of_slips(cls, slips: tuple[Slip, ...], written: Written = ()) -> Secret:
        """Return what is hidden by lines that no page of the museum has."""
        return cls(slips, edits=lambda listing: changes_of(slips, listing), written=written)

    def plant(self, net: Network) -> Network:
        """Return a network with it in its backward pass, sharing the parameters of `net`."""
        return put(net, EditedPass(self.edits, self.after, self))

    def gradient(self, program: Program) -> Grads:
        """Return the gradient that a right program computes with it."""
        return EditedPass(self.edits, self.after).applied_to(program)

    def fits(self, net: Network) -> bool:
        """Tell whether `net` has the layers that it is about."""
        if self.exhibit is not None:
            return self.layer in self.exhibit.places(net)
        lines = {key_of(line) for line in listing_of(net, with_masks=True).lines}
        return lines.issuperset(slip.key for slip in self.slips)

    @property
    def is_of_layer(self) -> bool:
        """Whether it is in layers, and not in the loss or in the whole gradient."""
        if self.exhibit is not None:
            return self.exhibit.is_of_layer
        return not any(slip.where.startswith("loss") for slip in self.slips)

    def __str__(self) -> str:
        told = [f"Planted in {slip.where}:\n{slip}" for slip in self.slips[:MOST_TOLD]]
        if len(self.slips) > MOST_TOLD:
            told.append(f"And so in {len(self.slips) - MOST_TOLD} more lines.")
        if self.exhibit is not None:
            told.append(f"The museum has it: {self.exhibit.summary} ({self.exhibit.name}).")
        return "\n".join(told)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def changes_of(slips: tuple[Slip, ...], listing: Listing) -> dict[int, str]:
    """Return the wrong texts of all slips' lines in a listing."""
    return {k: text for slip in slips for k, text in slip.changes(listing).items()}

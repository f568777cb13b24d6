"""The search for the edit of a backward pass that reproduces a wrong gradient.

Every edit of every line is run from that line on, the likeliest first, and dropped at the first
tensor that it gets wrong. An edit may hold one unknown factor S: a gradient is linear in its
signal, so two runs give S. If no edit explains all, what explains the tensors near the loss is
kept, and a second edit is looked for below it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np

from gradlab.bugs.lines.afterwards import afterwards
from gradlab.bugs.lines.cause import FACTOR, Cause, Edit, cause_of
from gradlab.bugs.lines.edits import CARRIED, Scope, edits_of, steps_of
from gradlab.bugs.lines.line import NAME, Line
from gradlab.bugs.lines.numbers import UNNAMED, names_of
from gradlab.bugs.lines.program import Program
from gradlab.bugs.lines.wrong_gradient import WrongGradient

#: What a wrong line raises for whoever runs it: such code was not run, it is no cause.
FAILS = (
    ValueError,
    IndexError,
    NameError,
    KeyError,
    TypeError,
    ZeroDivisionError,
    AttributeError,
    SyntaxError,
)
MARGIN = 1.5  # how much less usual another edit may be that fits as well, and still be told
FIRST = 12  # of the edits that explain a part, this many are built on
TAKEN = re.compile(rf"\b({'|'.join(CARRIED)})\b")
ADDED = re.compile(rf" \+ {TAKEN.pattern}|{TAKEN.pattern} \+ ")
BOTH = 3000  # two edits between the same two tensors: at most this many combinations
BOTH_IN_A_LOOP = 1000  # over time steps, whose every run is dearer
# S is read as a plain factor where it stands so; elsewhere only a number with a name is believed
PLAIN = re.compile(r"S \* \(|- S \* d|^\w+ = S \*")


class Search:
    """What explains a wrong gradient, and what explains a part of it.

    Attributes
    ----------
    full : list of Edit
        Each explains every wrong tensor.
    part : list of (set of str, Edit)
        And the tensors that it explains.
    scaled : list of Edit
        With it a layer is right but for one factor, which a second edit may bring.
    """

    def __init__(
        self, program: Program, target: WrongGradient, fixed: frozenset[str] = frozenset()
    ) -> None:
        self.program, self.target, self.fixed = program, target, fixed
        self.scope = Scope(program)
        self.full: list[Edit] = []
        self.part: list[tuple[set[str], Edit]] = []
        self.scaled: list[Edit] = []
        target.measure(program)
        self.bad = {"d" + name for name in target.wrong}

    # -- which lines, in which order ----------------------------------------------------------

    def run(self) -> None:
        """Try every edit of the lines that can be wrong."""
        for lines in self.stages():
            queue = [
                (cost, line, text, right)
                for line in lines
                for text, (cost, right) in edits_of(line, self.scope).items()
            ]
            best = np.inf
            for cost, line, text, right in sorted(queue, key=lambda q: q[0]):
                if cost > best + MARGIN:
                    break
                for edit in self.tried(Edit(line.index, line.where, right, text, cost)):
                    best = min(best, edit.cost)
            if self.full:
                return
            for edit in (*self.exchanged(), *self.not_carried()):
                self.keep(edit)

    def stages(self) -> Iterator[list[Line]]:
        """Yield the lines that reach the topmost wrong layer and touch only wrong tensors.

        Then the others that reach it, for a wrong line may leave some tensors right by chance.
        """
        steps, reached, target = self.program.steps, self.program.reached, self.target
        top = min((s.layer for s in steps if s.writes & self.bad), default=None)
        near = {name for s in steps if s.layer == top for name in s.writes} & self.bad
        live = {"d" + k for k, size in target.size.items() if size > 1e3 * target.floor} | self.bad
        lines = [
            line
            for step in steps
            for line in step.lines
            if reached[line.index] & near
            and line.index not in self.program.changes
            and not reached[line.index] & self.fixed
        ]
        inside = [line for line in lines if reached[line.index] & live <= self.bad]
        yield inside
        yield [line for line in lines if line not in inside]

    # -- one edit -----------------------------------------------------------------------------

    def tried(self, edit: Edit) -> Iterator[Edit]:
        """Try an edit, then in its sisters too if it explains anything; yield what explains all."""
        line = self.program.lines[edit.index]
        found = self.keep(edit)
        if found and found in self.full:
            yield found
        is_gate = "gate" in line.where and not FACTOR.search(edit.wrong)
        for wide in self.everywhere(found or edit) if found or is_gate else ():
            wide = self.keep(wide)
            if wide and wide in self.full:
                yield wide

    def keep(self, edit: Edit) -> Edit | None:
        """Put an edit where it belongs; return it, its factor named, if it explains anything."""
        try:
            if FACTOR.search(edit.wrong) and not edit.name:
                edit = self.solved(edit)
            if edit is None or not self.is_promising(edit):
                return None
            seen, is_spoiled = self.explained(edit)
        except FAILS:
            return None
        if seen >= self.target.wrong and not is_spoiled:
            self.full.append(edit)
        elif seen:
            self.part.append((seen, edit))
        return edit if seen else None

    def explained(self, edit: Edit) -> tuple[set[str], bool]:
        """Return the wrong tensors that an edit explains, and whether it gets others wrong."""
        seen, target = set(), self.target
        for layer in self.program.run(edit.changes()):
            missed = [name for name, value in layer if not target.fits(name, value)]
            seen |= {name for name, _ in layer if name not in missed} & target.wrong
            if missed:
                if not seen and self.is_scaled(layer):
                    self.scaled.append(edit)
                return seen, True
        return seen, False

    def witnesses(self, edit: Edit) -> frozenset[str]:
        """Return the two smallest wrong tensors that an edit in a long loop moves.

        They are computed first, in less time; an edit that explains neither is given up.
        """
        line = self.program.lines[edit.index]
        if not line.step.is_long:
            return frozenset()
        return self.smallest(self.program.reached[line.index] & self.bad)

    def smallest(self, grads: Collection[str]) -> frozenset[str]:
        """Return two of the smallest gradients, by the lines' names."""
        size, names = self.target.value, self.program.grads
        return frozenset(sorted(sorted(grads), key=lambda k: size[names[k]].size)[:2])

    def is_promising(self, edit: Edit) -> bool:
        """Tell whether an edit explains one of its witnesses, if it has any."""
        wanted = self.witnesses(edit)
        made = self.program.run(edit.changes(), wanted=wanted) if wanted else ()
        return not wanted or any(self.target.fits(*tensor) for layer in made for tensor in layer)

    def explain_all(self, *edits: Edit) -> bool:
        """Tell whether edits together reproduce the wrong gradient."""
        changes = {k: text for edit in edits for k, text in edit.changes().items()}
        few = self.smallest(self.bad)  # two tensors tell most that does not fit, in less time
        try:
            return all(
                self.target.fits(*tensor)
                for wanted in (few, frozenset())
                for layer in self.program.run(changes, wanted=wanted)
                for tensor in layer
            )
        except FAILS:
            return False

    def is_scaled(self, layer: list[tuple[str, np.ndarray]]) -> bool:
        """Tell whether a layer's gradients are right but for one factor."""
        target, ratios = self.target, []
        for name, value in layer:
            has_l2 = self.program.values["lam"] and name in self.program.net.weight_names
            if name in target.wrong and target.value[name].size > 2 and not has_l2:
                ratio = target.factor(name, value)
                rest = np.linalg.norm(ratio * target.of(name, value) - target.value[name])
                if not ratio or rest > target.exact * target.size[name]:
                    return False
                ratios.append(ratio)
        return bool(ratios) and np.ptp(ratios) < target.exact * abs(ratios[0])

    def solved(self, edit: Edit) -> Edit | None:
        """Return an edit with its factor, from the first wrong tensor that it moves."""
        target, changes, wanted = self.target, edit.changes(), self.witnesses(edit)
        runs = (self.program.run(changes, S, wanted) for S in (0.0, 1.0))
        for zero, one in zip(*runs, strict=True):
            has_moved = False
            for (name, start), (_, end) in zip(zero, one, strict=True):
                step = end - start
                if name not in target.wrong or not np.linalg.norm(step) > 1e-12 * target.size[name]:
                    continue
                has_moved = True
                S = target.factor(name, step, start)
                if target.fits(name, start + S * step) and abs(S - 1) > target.exact:
                    return self.named(edit, S, step.size)
            if has_moved:
                return None
        return None

    def named(self, edit: Edit, S: float, entries: int) -> Edit | None:
        """Return an edit with a name for its factor, if it is one that can be believed."""
        is_rate = "- S * d" in edit.wrong  # a learning rate is no size of the network
        values = {} if is_rate else self.program.values
        local = self.local_sizes(edit)
        names = names_of(S, values, self.target.exact, local)
        if "keep" not in local and self.is_keep(S):  # the mask's own factor, in whatever line
            names = [(name, cost + UNNAMED) for name, cost in names]
        is_plain = entries >= 3 and PLAIN.search(edit.wrong) and ".sum()" not in edit.wrong
        if not is_plain and names[0][1] >= UNNAMED:
            return None
        return replace(edit, name=names[0][0], names=tuple(names), cost=edit.cost + names[0][1])

    def is_keep(self, S: float) -> bool:
        """Tell whether a number is what dropout keeps, or one over it."""
        keep = self.program.values["keep"]
        has_masks = self.program.point.masks is not None
        return has_masks and any(abs(S - k) <= self.target.exact * k for k in (keep, 1 / keep))

    def local_sizes(self, edit: Edit) -> set[str]:
        """Return what a line could speak of besides the batch: of L2, dropout, pixels, units."""
        line = self.program.lines[edit.index]
        names = set(NAME.findall(" ".join((line.text, *line.others))))
        number = re.search(r"layer (\d+), (?:conv|.* pool)", line.where)
        weight = line.target.removeprefix("data_").removeprefix("d").replace("b", "W")
        is_dense = "dense" in line.where and weight in self.program.values
        units = {f"{weight}.shape[{k}]" for k in (0, 1)[: 1 + ("output" not in line.where)]}
        return names | ({f"R{number[1]}"} if number else set()) | (units if is_dense else set())

    # -- the same edit in several lines -------------------------------------------------------

    def everywhere(self, edit: Edit) -> Iterator[Edit]:
        """Yield an edit as it stands in all sister lines, with each of its factor's names."""
        line = self.program.lines[edit.index]
        kind = re.sub(r"layer \d+, |LSTM, (?!gate)|output, |, gate .", "", line.where)
        # in a layer that has a staying edit, only the way of writing that this one stands in runs
        sisters = [o for o in self.program.sisters(line) if o.step in self.program.steps]
        for name, cost in close_names(edit) or [("", 0.0)]:
            text = FACTOR.sub(f"({name})", edit.wrong) if name else edit.wrong
            is_named = dict(edit.names).get(name, 0) < UNNAMED
            wide = replace(
                edit, wrong=text, name="", names=(), cost=edit.cost + cost, is_named=is_named
            )
            if sisters:
                also = tuple((other.index, line.translate(text, other)) for other in sisters)
                yield replace(wide, where=f"every {kind}", also=also)
            if "gate" in line.where and text == line.text.replace("+=", "=", 1):
                sums = [o for o in line.step.body if "+=" in o.text and o.target != "dh_next"]
                own = [o for o in sums if o.where == line.where]
                for some, where in ((sums, "every"), (own, f"{line.where}, every")):
                    also = tuple(
                        (o.index, o.text.replace("+=", "=", 1)) for o in some if o is not line
                    )
                    yield replace(wide, where=f"{where} sum over the steps", also=also)

    def exchanged(self) -> Iterator[Edit]:
        """Yield the edits that exchange what two lines of a loop set."""
        for step in self.program.steps:
            body = [o for o in step.body if "gate" in o.where and re.match(r"\w+ = ", o.text)]
            for k, one in enumerate(body):
                for two in body[k + 1 :]:
                    (a, right_a), (b, right_b) = (o.text.split(" = ", 1) for o in (one, two))
                    if a[:-1] == b[:-1]:
                        also = ((two.index, f"{b} = {right_a}"),)
                        right = f"{one.text}; {two.text}"
                        yield Edit(one.index, one.where, right, f"{a} = {right_b}", 2, also)

    def not_carried(self) -> Iterator[Edit]:
        """Yield the edits that carry nothing back in time, in no step or in some of them."""
        for step in () if self.program.changes else self.program.steps:
            uses = [
                o for o in step.body if not o.reads.isdisjoint(CARRIED) and o.target not in CARRIED
            ]
            for when in ("", *steps_of(self.program.values["T"])) if len(uses) > 1 else ():
                pattern, used = (TAKEN, rf"\1 * ({when})") if when else (ADDED, "")
                one, *more = ((o.index, pattern.sub(used, o.text)) for o in uses)
                right = "; ".join(o.text for o in uses)
                yield Edit(one[0], uses[0].where, right, one[1], 2, tuple(more))

    # -- causes -------------------------------------------------------------------------------

    def causes(self, before: tuple[Edit, ...] = ()) -> list[Cause]:
        """Return the causes that explain all, on top of the edits before."""
        found = []
        for edit in self.full:
            for name, cost in close_names(edit) or [(edit.name, 0.0)]:
                named = replace(edit, name=name, cost=edit.cost + cost)
                found.append(cause_of((*before, named)))
        return found + self.after(before)

    def after(self, before: tuple[Edit, ...] = ()) -> list[Cause]:
        """Return the causes that lie behind the backward pass."""
        found, target = [], self.target
        right, values = self.program.gradient, self.program.values
        weights = self.program.net.weight_names
        for after in afterwards(right, target, values, weights):
            made = after.function(right, values)
            far = {k: np.linalg.norm(target.of(k, v) - target.value[k]) for k, v in made.items()}
            loose = {k: 1e-2 * target.off[k] if after.is_coarse else 0 for k in far}
            if all(far[k] <= max(target.limit[k], loose[k]) for k in far):
                found.append(cause_of(before, after))
        return found


def searched(program: Program, target: WrongGradient) -> Search | None:
    """Return a search that has run; None if nothing is wrong or the lines are of another code."""
    if not target.knows(program):
        return None
    search = Search(program, target)
    if not target.wrong:
        return None
    search.run()
    return search


def close_names(edit: Edit) -> list[tuple[str, float]]:
    """Return what else a factor may be called, at nearly the same cost, with the difference."""
    least = edit.names[0][1] if edit.names else 0.0
    return [(name, cost - least) for name, cost in edit.names if cost <= least + 0.2][:3]


def pairs(search: Search) -> list[Cause]:
    """Return the causes of two edits: one near the loss, and another one below it."""
    program, target = search.program, search.target
    starts = sorted(search.part, key=lambda p: (-len(p[0]), p[1].cost))
    starts += [(set(), edit) for edit in sorted(search.scaled, key=lambda e: e.cost)]
    found, gradients, usual = [], [], np.inf
    for seen, edit in starts:
        if edit.cost > usual:
            continue
        try:
            second = program.edited(edit.changes())
        except FAILS:
            continue
        if any(
            all(np.allclose(second.gradient[k], g[k], rtol=1e-9, atol=0) for k in g)
            for g in gradients
        ):
            continue
        gradients.append(second.gradient)
        below = Search(second, target, frozenset("d" + name for name in seen))
        if not target.wrong:
            continue
        below.run()
        found += below.causes((edit,))
        usual = min(usual, edit.cost + MARGIN) if found else np.inf
        if len(gradients) >= FIRST:
            break
    target.measure(program)
    return found or together(search)


def together(search: Search) -> list[Cause]:
    """Return the causes of two edits that no tensor stands between: they are tried together.

    Such as a weight without its transpose, and then a wrong derivative, above one wrong layer.
    """
    edits = [
        Edit(line.index, line.where, right, text, cost)
        for line in next(search.stages())
        if line.target not in search.program.grads and not line.step.form
        for text, (cost, right) in edits_of(line, search.scope).items()
        if cost <= (1 if line.step.is_long else 2)
        and not FACTOR.search(text)
        and not (line.step.is_long and "gate" in line.where)
    ]
    both = sorted(
        ((a, b) for a, b in combinations(edits, 2) if a.index != b.index),
        key=lambda pair: pair[0].cost + pair[1].cost,
    )
    is_long = any(search.program.lines[edit.index].step.is_long for edit in edits)
    most = BOTH_IN_A_LOOP if is_long else BOTH
    return [cause_of((a, b)) for a, b in both[:most] if search.explain_all(a, b)]

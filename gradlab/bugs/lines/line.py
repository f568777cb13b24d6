"""A line of a backward pass, and the steps in which lines run.

Lines are compiled from the templates in `layers` and their edits in `edits`; no text of a learner
or of a caller ever gets into them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType

from gradlab.bugs.lines.functions import FUNCTIONS

NAME = re.compile(r"[A-Za-z_]\w*")
GATES = re.compile(r"\s*([ifgo]+): ")


def split_gates(template: str) -> tuple[str, str]:
    """Return the gates that a template's line stands for, "" for none, and the line."""
    gates = GATES.match(template)
    return (gates[1], template[gates.end() :]) if gates else ("", template.strip())


@lru_cache(maxsize=10_000)
def compiled(text: str) -> tuple[str, CodeType]:
    """Return a line as Python writes it, and its code; a loop's head is what it runs over."""
    if text.startswith("for "):
        loop = ast.parse(text + " pass").body[0]
        names = ast.unparse(loop.target).strip("()")
        text = f"for {names} in {ast.unparse(loop.iter)}:"
        return text, compile(ast.Expression(loop.iter), "line", "eval")
    tree = ast.parse(text)
    return ast.unparse(tree), compile(tree, "line", "exec")


@lru_cache(maxsize=1000)
def block(text: str) -> CodeType:
    """Return the code of several lines."""
    return compile(text, "lines", "exec")


@dataclass(eq=False)
class Line:
    """One line of the program.

    Attributes
    ----------
    text : str
    where : str
        "layer 2, tanh" or "LSTM, gate f".
    template : str
        What lines of several layers or gates have in common, the sisters.
    roles : dict of str to str
        What each of its layer's names is called in the templates.
    names : mapping of str to str
        What goes into its template's braces.
    bodies : tuple of str
        Its template as it stands in the layer's lines, one for each way of saying it.
    of : str
        The name of the layer's lines that it is one of: "tanh".
    position : int
        Of its layer in `net.layers`; the loss is one further.
    others : tuple of str
        The same in other words.
    instead : tuple of str
        What stands in its place for another function of the family.
    index : int
        Its place in the program.
    """

    text: str
    where: str
    template: str
    roles: dict[str, str]
    names: Mapping[str, str]
    bodies: tuple[str, ...]
    of: str
    position: int
    others: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    index: int = 0
    step: Step | None = None
    target: str = ""
    reads: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.text = compiled(self.text)[0]
        self.is_head = self.text.startswith("for ")
        tree = ast.parse(self.text + " pass" * self.is_head).body[0]
        source = tree.iter if self.is_head else tree.value
        self.reads = {node.id for node in ast.walk(source) if isinstance(node, ast.Name)}
        if not self.is_head:
            left = tree.target if isinstance(tree, ast.AugAssign) else tree.targets[0]
            self.target = ast.unparse(left).partition("[")[0]

    def is_written(self, template: str) -> bool:
        """Tell whether this is the line that a layer's lines have as `template`.

        Of a line that stands for several gates, "if: …" is that of these two.
        """
        gates, body = split_gates(template)
        return body in self.bodies and (not gates or self.names["q"] in gates)

    def translate(self, text: str, sister: Line) -> str:
        """Return an edit of this line as it would stand in a sister line."""
        names = {role: name for name, role in sister.roles.items()}
        return NAME.sub(lambda m: names.get(self.roles.get(m[0], ""), m[0]), text)


@dataclass(eq=False)
class Step:
    """Lines that run as one: a single line, or a loop with what stands before it.

    Attributes
    ----------
    layer : int
        Counted from the loss down.
    form : int or None
        Which of its layer's ways of writing it belongs to; None is every one.
    """

    layer: int
    form: int | None
    lines: list[Line]
    number: int = 0

    def __post_init__(self) -> None:
        heads = [k for k, line in enumerate(self.lines) if line.is_head]
        self.loop = heads[0] if heads else len(self.lines)
        self.body = self.lines[self.loop + 1 :]
        self.writes = {line.target for line in self.lines if line.target}
        self.reads = set().union(*(line.reads for line in self.lines))
        for line in self.lines:
            line.step = self

    @property
    def is_long(self) -> bool:
        """Tell whether this is a loop whose every run takes its time, such as over time steps."""
        return len(self.body) > 4

    def run(
        self,
        values: dict[str, object],
        edited: Mapping[int, str],
        skipped: Collection[int] = (),
    ) -> None:
        """Run the lines on `values`, which change.

        `edited` has the text of lines that are not as they stand; `skipped` are left out.
        """
        for line in self.lines[: self.loop]:
            if line.index not in skipped:
                text = edited.get(line.index, line.text)
                exec(compiled(text)[1], FUNCTIONS, values)  # noqa: S102 - own templates
        if not self.body:
            return
        head = self.lines[self.loop]
        codes = _chunks([line for line in self.body if line.index not in skipped], edited)
        names = head.text[len("for ") : head.text.index(" in ")].split(", ")
        rounds = compiled(edited.get(head.index, head.text))[1]
        for counter in eval(rounds, FUNCTIONS, values):  # noqa: S307 - own templates
            values.update(zip(names, counter if len(names) > 1 else (counter,), strict=True))
            for code in codes:
                exec(code, FUNCTIONS, values)  # noqa: S102 - own templates


def _chunks(lines: list[Line], edited: Mapping[int, str]) -> list[CodeType]:
    """Return the code of lines, those that are as they stand in as few pieces as there can be."""
    codes, chunk = [], []
    for line in lines:
        if line.index in edited:
            codes += [block("\n".join(chunk)), compiled(edited[line.index])[1]]
            chunk = []
        else:
            chunk.append(line.text)
    return [*codes, block("\n".join(chunk))]

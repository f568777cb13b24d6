"""A person's own functions, which can be built anew with one line changed.

What runs is what the person handed over as a live function, compiled once more from the file that
it came from. A file that has changed since gives other instructions than the live function has:
then nothing is built. The person's functions, and what they close over, stay as they are.
"""

from __future__ import annotations

import ast
import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import CellType, CodeType, FunctionType, MethodType

MOST_LINES = 20_000  # of a file that is read
MOST_FUNCTIONS = 8  # that a function calls, or these in turn, and that are read too

OURS = f"{Path(__file__).parents[2]}{os.sep}"

Node = ast.FunctionDef | ast.Lambda


class Function:
    """A live function beside its syntax tree.

    Parameters
    ----------
    live : function
    node : ast.FunctionDef or ast.Lambda
        Changed and changed back by who looks for an edit.
    text : list of str
        The lines of the whole file.
    """

    def __init__(self, live: FunctionType, node: Node, text: list[str]) -> None:
        self.live, self.node, self.text = live, node, text
        self.name = live.__name__

    def built(self, bound: Mapping[str, object]) -> FunctionType:
        """Return the function that the tree says, in which some names stand for other things."""
        live, code = self.live, self._compiled(bound)
        cells = dict(zip(live.__code__.co_freevars, live.__closure__ or (), strict=True))
        cells |= {name: CellType(value) for name, value in bound.items()}
        new = FunctionType(code, live.__globals__, live.__name__, live.__defaults__,
                           tuple(cells[name] for name in code.co_freevars))  # fmt: skip
        new.__kwdefaults__ = live.__kwdefaults__
        return new

    def _compiled(self, bound: Mapping[str, object] = {}) -> CodeType:
        """Return the code; what the function closes over are arguments of one around it."""
        node = self.node
        if isinstance(node, ast.FunctionDef):
            inner: ast.stmt = ast.FunctionDef(node.name, node.args, node.body, [], None)
        else:
            inner = ast.Return(node)
        names = dict.fromkeys((*self.live.__code__.co_freevars, *bound))
        around = ast.arguments([], [ast.arg(name) for name in names], None, [], [], None, [])
        outer = ast.FunctionDef("around", around, [inner], [], None)
        for new in (inner, outer, *around.args):
            ast.copy_location(new, node)
        code = compile(
            ast.Module([outer], []), self.live.__code__.co_filename, "exec", dont_inherit=True
        )
        (whole,) = _codes_in(code)
        return next(code for code in _codes_in(whole) if code.co_name == self.name
                    or code.co_name == "<lambda>")  # fmt: skip

    def is_as_it_runs(self) -> bool:
        """Tell whether the tree gives the very instructions that the live function has.

        Compiled by itself, or with its file: what the file imports is called in other ones there.
        """
        live = self.live.__code__
        if isinstance(self.node, ast.Lambda):  # of which several may stand in a line
            body = self.node.body
            place = body.lineno, body.end_lineno, body.col_offset, body.end_col_offset
            if place not in live.co_positions():
                return False
        try:
            if _same(self._compiled(), live):
                return True
        except (SyntaxError, ValueError, StopIteration):
            return False
        return any(_same(code, live) for code in _compiled_file("".join(self.text)))

    @classmethod
    def of(cls, live: object) -> Function | None:
        """Return a function with its tree; None where there is no file, or another one by now."""
        if not isinstance(live, FunctionType) or _is_ours(live):
            return None
        try:
            lines = inspect.findsource(live)[0]
        except (OSError, TypeError):
            return None
        if len(lines) > MOST_LINES:
            return None
        text, first = "".join(lines), live.__code__.co_firstlineno
        for node in _functions_of(text):
            starts = [d.lineno for d in getattr(node, "decorator_list", ())] + [node.lineno]
            if min(starts) == first and getattr(node, "name", "<lambda>") == live.__code__.co_name:
                found = cls(live, node, lines)
                if found.is_as_it_runs():
                    return found
        return None


@lru_cache(maxsize=8)
def _functions_of(text: str) -> list[Node]:
    try:
        tree = ast.parse(text)
    except SyntaxError:  # a notebook's cell with a magic command, say
        return []
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.Lambda)]


@lru_cache(maxsize=8)
def _compiled_file(text: str) -> list[CodeType]:
    """Return the codes of all functions of a file; it is not run."""
    found = [compile(text, "file", "exec", dont_inherit=True)]
    for code in found:  # grows meanwhile
        found += _codes_in(code)
    return found


def _codes_in(code: CodeType) -> list[CodeType]:
    return [const for const in code.co_consts if isinstance(const, CodeType)]


def _same(one: CodeType, other: CodeType) -> bool:
    plain = [[c for c in code.co_consts if not isinstance(c, CodeType)] for code in (one, other)]
    inner = [_codes_in(code) for code in (one, other)]
    return (
        one.co_code == other.co_code
        and one.co_names == other.co_names
        and one.co_varnames == other.co_varnames
        and repr(plain[0]) == repr(plain[1])
        and len(inner[0]) == len(inner[1])
        and all(map(_same, *inner))
    )


def _is_ours(live: FunctionType) -> bool:
    return live.__code__.co_filename.startswith(OURS)


class Code:
    """A function or a method with what it calls of its own file, as far as that can be read.

    Parameters
    ----------
    called : function or method
    owner : object, optional
        The object whose method it is, where that is not bound to it.

    Attributes
    ----------
    functions : list of Function
        The first is the one that is called.
    """

    def __init__(self, called: Callable, owner: object = None) -> None:
        self.owner = getattr(called, "__self__", owner)
        root = Function.of(getattr(called, "__func__", called))
        self.functions = [] if root is None else [root]
        self.calls: dict[Function, dict[str, Function]] = {}
        self.methods: dict[str, Function] = {}
        if root is None:
            return
        if self.owner is not None:
            self.methods[root.live.__name__] = root
        known = {root.live: root}
        for function in self.functions:  # grows meanwhile
            self.calls[function] = {}
            for name, live, is_method in self._called_by(function):
                if live not in known:
                    if len(self.functions) == MOST_FUNCTIONS or not (found := Function.of(live)):
                        continue
                    known[live] = found
                    self.functions.append(found)
                if is_method:
                    self.methods[name] = known[live]
                elif known[live] is not function:
                    self.calls[function][name] = known[live]

    def _called_by(self, function: Function) -> Iterator[tuple[str, FunctionType, bool]]:
        live = function.live
        cells = zip(live.__code__.co_freevars, live.__closure__ or (), strict=True)
        names = {name: live.__globals__.get(name) for name in names_in(live.__code__)}
        for name, cell in cells:
            try:
                names[name] = cell.cell_contents
            except ValueError:  # not yet set
                continue
        own = {
            name: getattr(type(self.owner), name, None)
            for name in names_in(live.__code__)
            if self.owner is not None
        }
        for found, is_method in ((names, False), (own, True)):
            for name, value in found.items():
                file = getattr(getattr(value, "__code__", None), "co_filename", "")
                if isinstance(value, FunctionType) and file == live.__code__.co_filename:
                    yield name, value, is_method

    def edited(self, changed: Function, bound: Mapping[str, object]) -> Callable | dict:
        """Return what to call in which one function's tree counts, and not its live code.

        Of a method: the object's methods that are to be others, by name.
        """
        made: dict[Function, FunctionType | None] = {changed: changed.built(bound)}

        def make(function: Function) -> FunctionType | None:
            if function not in made:
                made[function] = None  # who calls himself gets the live one
                parts = {name: make(child) for name, child in self.calls[function].items()}
                parts = {name: new for name, new in parts.items() if new is not None}
                made[function] = function.built(parts) if parts else None
            return made[function]

        if self.owner is None:
            return make(self.functions[0]) or self.functions[0].live
        found = {name: make(method) for name, method in self.methods.items()}
        return {name: new for name, new in found.items() if new is not None}


def put_on(owner: object, methods: Mapping[str, FunctionType]) -> None:
    """Give an object, which is a copy, methods of its own."""
    vars(owner).update({name: MethodType(function, owner) for name, function in methods.items()})


def names_in(code: CodeType) -> set[str]:
    """Return the names of what is not a function's own."""
    names = {*code.co_names, *code.co_freevars}
    return names.union(*(names_in(inner) for inner in _codes_in(code)))

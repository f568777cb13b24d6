"""A person's own functions, which can be built anew with one line changed.

What runs is what the person handed over as a live function, compiled once more from the file that
it came from. A file that has changed since gives other instructions than the live function has:
then nothing is built. The person's functions, and what they close over, stay as they are.
"""

from __future__ import annotations

import ast
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import CellType, CodeType, FunctionType, ModuleType

import numpy as np

from gradlab.checking.source.objects import MOST, objects_in, private, put_on_for_a_while, reached
from gradlab.checking.source.scope import closed_over

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
        new = FunctionType(
            code,
            live.__globals__,
            live.__name__,
            live.__defaults__,
            tuple(cells[name] for name in code.co_freevars),
        )
        new.__kwdefaults__ = live.__kwdefaults__
        return new

    def _compiled(self, bound: Mapping[str, object] = {}) -> CodeType:
        """Return the code; what the function closes over are arguments of one around it."""
        node = self.node
        if isinstance(node, ast.FunctionDef):
            inner: ast.stmt = ast.FunctionDef(node.name, node.args, node.body, [], None)
        else:
            inner = ast.Return(node)
        made = [inner]
        if kind := self._private_in():  # self.__x has another name in a class
            inner = ast.ClassDef(kind, [], [], [inner], [])
            made.append(inner)
        names = dict.fromkeys((*self.live.__code__.co_freevars, *bound))
        around = ast.arguments([], [ast.arg(name) for name in names], None, [], [], None, [])
        outer = ast.FunctionDef("around", around, [inner], [], None)
        for new in (*made, outer, *around.args):
            ast.copy_location(new, node)
        code = compile(
            ast.Module([outer], []), self.live.__code__.co_filename, "exec", dont_inherit=True
        )
        (whole,) = _codes_in(code)
        if kind:
            whole = next(code for code in _codes_in(whole) if code.co_name == kind)
        return next(
            code
            for code in _codes_in(whole)
            if code.co_name == self.name or code.co_name == "<lambda>"
        )

    def _private_in(self) -> str:
        """Return the class whose private names a method speaks of; "" for none."""
        *_, kind, _ = ("", *self.live.__qualname__.split("."))
        names = names_in(self.live.__code__)
        has_some = any(name.startswith(private(kind, "__")) for name in names)
        return kind if has_some and kind.isidentifier() else ""

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


def _is_read(live: FunctionType) -> bool:
    home = (live.__module__ or "").partition(".")[0]
    return not _is_ours(live) and home not in ("numpy", "scipy", *sys.stdlib_module_names)


class Code:
    """A function or a method with what it calls of its own file, as far as that can be read.

    Parameters
    ----------
    called : function or method
    owner : object, optional
        The object whose method it is, where that is not bound to it.
    handed : sequence, optional
        What it may be handed: the methods of objects in there are read too.

    Attributes
    ----------
    functions : list of Function
        The first is the one that is called.
    roots : list of object
        Where the objects are found whose methods it may call.
    methods : dict of function to Function
        Those of these objects.
    """

    def __init__(
        self, called: Callable, owner: object = None, handed: Sequence[object] = ()
    ) -> None:
        if isinstance(called, FunctionType):  # what a decorator does besides is none of the lines
            called = inspect.unwrap(called)
        self.called = called
        self.owner = getattr(called, "__self__", owner)
        root = Function.of(getattr(called, "__func__", called))
        self.functions = [] if root is None else [root]
        self.roots = [] if self.owner is None else [self.owner]
        self.calls: dict[Function, dict[str, Function]] = {}
        self.methods: dict[FunctionType, Function] = {}
        if root is None:
            return
        if self.owner is not None:
            self.methods[root.live] = root
        known = {root.live: root}
        for function in self.functions:  # grows meanwhile
            self.calls[function] = {}
            self.roots += [v for v in around(function.live).values() if _may_hold(v)]
            for name, live, is_method in self._called_by(function, handed):
                if live not in known:
                    if len(self.functions) == MOST_FUNCTIONS or not (found := Function.of(live)):
                        continue
                    known[live] = found
                    self.functions.append(found)
                if is_method:
                    self.methods[live] = known[live]
                elif known[live] is not function:
                    self.calls[function][name] = known[live]

    @property
    def file(self) -> str:
        """The file of the one that is called."""
        return self.functions[0].live.__code__.co_filename if self.functions else ""

    def twin(self, function: Function) -> Function | None:
        """Return the same function, if this code calls it too."""
        return next((one for one in self.functions if one.live is function.live), None)

    def may_call(self, function: Function) -> bool:
        """Tell whether this may call a function, of any file."""
        called = getattr(self.called, "__func__", self.called)
        if not isinstance(called, FunctionType):
            return called is not None  # what cannot be looked into may call anything
        functions, names, count = [called], set(), -1
        while count < len(functions):
            count = len(functions)
            for live in functions:
                names |= names_in(live.__code__)
            values = [value for live in functions for value in around(live).values()]
            modules = [vars(value) for value in values if isinstance(value, ModuleType)]
            values += [inside[name] for inside in modules for name in names & inside.keys()]
            things = reached((self.owner, *values))
            kinds = {type(thing) for thing in things} | {v for v in values if isinstance(v, type)}
            values += [getattr(kind, name, None) for kind in kinds for name in names | {"__call__"}]
            found = {v: None for v in (*values, *things) if isinstance(v, FunctionType)}
            if function.live in found or max(len(things), len(functions)) > MOST:
                return True
            functions += [live for live in found if live not in functions and _is_read(live)]
        return function.live in functions

    def objects(self, *more: object) -> list[object]:
        """Return the objects whose methods may be called."""
        return objects_in((*self.roots, *more), self.file)

    def methods_called(self, name: str, *more: object) -> list[FunctionType]:
        """Return what a name may stand for as a method of these objects."""
        kinds = {type(thing) for thing in self.objects(*more)}
        found = [getattr(kind, private(kind.__name__, name), None) for kind in kinds]
        found = [one.fget if isinstance(one, property) else one for one in found]
        return [*dict.fromkeys(live for live in found if isinstance(live, FunctionType))]

    def _called_by(
        self, function: Function, handed: Sequence[object]
    ) -> Iterator[tuple[str, FunctionType, bool]]:
        own = names_in(function.live.__code__)
        for name, value in around(function.live).items():
            if _is_of(value, self.file):
                yield name, value, False
        kinds = dict.fromkeys(type(thing) for thing in self.objects(*handed))
        for kind in kinds:
            for name in sorted(own):
                live = getattr(kind, name, None)
                if _is_of(live, self.file):
                    yield name, live, True

    def edited(self, changed: Function, bound: Mapping[str, object]) -> Callable | dict:
        """Return what to call in which one function's tree counts, and not its live code.

        Of a method: the methods that are to be others, by the live ones.
        """
        made: dict[Function, FunctionType | None] = {changed: changed.built(bound)}

        def make(function: Function) -> FunctionType | None:
            if function not in made:
                made[function] = None  # who calls himself, or a method of his name, stays live
                parts = {name: make(child) for name, child in self.calls[function].items()}
                parts = {name: new for name, new in parts.items() if new is not None}
                made[function] = function.built(parts) if parts else None
            return made[function]

        found = {live: make(method) for live, method in self.methods.items()}
        found = {live: new for live, new in found.items() if new is not None}
        if self.owner is not None:
            return found
        root = make(self.functions[0]) or self.functions[0].live
        if not found:
            return root

        def call(*arguments: object) -> object:
            with put_on_for_a_while(self.objects(*arguments), found):
                return root(*arguments)

        return call


def _is_of(value: object, file: str) -> bool:
    """Tell whether something is a function of a file."""
    return isinstance(value, FunctionType) and value.__code__.co_filename == file


def _may_hold(value: object) -> bool:
    """Tell whether an object, or something that holds some, stands under a name."""
    return not isinstance(value, type | ModuleType | FunctionType | str | np.ndarray | None)


def around(live: FunctionType) -> dict[str, object]:
    """Return what a function speaks of: names of its file, what it closes over, its defaults."""
    found = {f"={k}": value for k, value in enumerate(live.__defaults__ or ())}
    found |= live.__kwdefaults__ or {}
    found |= {name: live.__globals__.get(name) for name in names_in(live.__code__)}
    return found | closed_over(live)


def names_in(code: CodeType) -> set[str]:
    """Return the names of what is not a function's own."""
    names = {*code.co_names, *code.co_freevars}
    return names.union(*(names_in(inner) for inner in _codes_in(code)))

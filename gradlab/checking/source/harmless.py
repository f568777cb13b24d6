"""Which code may run with a line changed: what does nothing but compute.

An edit exchanges names, numbers and indices. Where a function deletes a file, sets a global or
draws random numbers, that could do harm or leave a trace. So no edit is tried of a function that
calls anything but numpy, math, scipy, plain functions of Python, and functions which do the same,
or that could run for ever. What is not understood counts as harmful.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence, Set
from types import FunctionType, ModuleType

import numpy as np

from gradlab.checking.source.functions import Code, Function, around
from gradlab.checking.source.objects import MOST, private, reached
from gradlab.checking.source.scope import outer_names

MODULES = ("numpy", "math", "cmath", "scipy")
#: Of these modules: what reads or writes files, or leaves another setting or random state behind.
EFFECTS = {
    "save",
    "savez",
    "savez_compressed",
    "savetxt",
    "load",
    "loadtxt",
    "genfromtxt",
    "fromfile",
    "fromregex",
    "memmap",
    "open_memmap",
    "loadmat",
    "savemat",
    "seterr",
    "seterrcall",
    "setbufsize",
    "set_printoptions",
    "setstate",
    "set_state",
    "test",
    "io",
}
SEEDED = {"default_rng", "RandomState", "Generator"}  # of np.random: what starts anew at each call
PLAIN = {
    "abs",
    "all",
    "any",
    "bool",
    "complex",
    "dict",
    "divmod",
    "enumerate",
    "float",
    "getattr",
    "hasattr",
    "int",
    "isinstance",
    "iter",
    "len",
    "list",
    "map",
    "max",
    "min",
    "pow",
    "print",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "slice",
    "sorted",
    "str",
    "sum",
    "tuple",
    "vars",
    "zip",
    "ValueError",
    "TypeError",
    "AssertionError",
    "RuntimeError",
    "NotImplementedError",
}
#: Whose contents are put back (`untouched`), or cannot be changed.
PUT_BACK = (np.ndarray, dict, list, set, str, tuple, frozenset)
#: What these have, and is called of nothing else unless that is a person's, and read: `_is_known`.
METHODS = {
    "all",
    "any",
    "append",
    "argmax",
    "argmin",
    "argsort",
    "astype",
    "clip",
    "conj",
    "copy",
    "count",
    "cumprod",
    "cumsum",
    "diagonal",
    "dot",
    "endswith",
    "extend",
    "fill",
    "flatten",
    "format",
    "get",
    "index",
    "insert",
    "item",
    "items",
    "join",
    "keys",
    "lower",
    "max",
    "mean",
    "min",
    "nonzero",
    "pop",
    "prod",
    "ravel",
    "repeat",
    "reshape",
    "reverse",
    "round",
    "setdefault",
    "sort",
    "split",
    "squeeze",
    "startswith",
    "std",
    "sum",
    "swapaxes",
    "take",
    "tolist",
    "trace",
    "transpose",
    "update",
    "upper",
    "values",
    "var",
    "view",
}
SETS_A_PART = {"__setitem__", "__delitem__"}
IN_PLACE = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.BitOr: "or",
    ast.BitAnd: "and",
    ast.BitXor: "xor",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
}
WRITES = SETS_A_PART | {f"__i{name}__" for name in IN_PLACE.values()}
MOST_BODIES = 30  # functions that are read
FORBIDDEN = (
    ast.While,
    ast.Global,
    ast.Nonlocal,
    ast.Import,
    ast.ImportFrom,
    ast.ClassDef,
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
    ast.AsyncFor,
    ast.AsyncWith,
    ast.AsyncFunctionDef,
)


def written_by(codes: Sequence[Code], handed: Sequence[object] = ()) -> list[object] | None:
    """Return what codes, which may be edited, can write into; None if they could do other harm.

    They do nothing but compute, and come to an end. The methods of objects that they are handed
    are read too.
    """
    bodies: dict[Function, Body] = {}
    for code in codes:
        its: dict[Function, Body] = {}
        read = {one.live: one for one in code.functions}
        while new := [one for one in read.values() if one not in its]:
            for function in new:
                body = its[function] = Body(function, read, code, handed)
                if not body.is_harmless() or len(its) > MOST_BODIES:
                    return None
        if _goes_round(its):
            return None
        bodies |= its
    names = {name for body in bodies.values() for name in body.attributes}
    seen = [value for one in bodies for value in around(one.live).values()]
    modules = [
        vars(value)
        for value in seen
        if isinstance(value, ModuleType) and value.__name__.partition(".")[0] not in MODULES
    ]
    seen += [inside[name] for inside in modules for name in names & inside.keys()]
    things = reached([*(code.owner for code in codes), *seen, *handed])
    read = {one.live for one in bodies}
    if len(things) > MOST or not all(_is_known(thing, names, read) for thing in things):
        return None
    return things


def _is_known(thing: object, names: Set[str], read: Set[FunctionType]) -> bool:
    """Tell whether what a thing has under names does nothing but compute, or is put back.

    A local name may stand for it, so all that can be reached are asked: a deque appends as a list
    does, and nobody puts it back.
    """
    kind = type(thing)
    if kind in PUT_BACK:
        return True
    if kind.__module__.partition(".")[0] in MODULES:  # a polynomial's parts are not put back, say
        return issubclass(kind, np.ndarray) or not any(hasattr(kind, k) for k in names & WRITES)
    if hasattr(kind, "__getattr__") or hasattr(kind, "__next__"):
        return False
    for name in names:
        found = getattr(kind, private(kind.__name__, name), None)
        found = found.fget if isinstance(found, property) else found
        is_plain = any(found is getattr(one, name, None) for one in PUT_BACK)
        is_read = isinstance(found, FunctionType) and found in read
        if callable(found) and not is_plain and not is_read:
            return False
    return True


class Body:
    """What one function does.

    Parameters
    ----------
    function : Function
    read : dict
        The functions that have been read, by the live ones; those that are called come to them.
    code : Code
        What it belongs to: the objects whose methods may be called as name(...) are there.
    handed : sequence
        Where others may come from.
    """

    def __init__(
        self,
        function: Function,
        read: dict[FunctionType, Function],
        code: Code,
        handed: Sequence[object],
    ) -> None:
        self.node, self.read, self.code, self.handed = function.node, read, code, handed
        self.outer = outer_names(function.live)
        self.calls: set[Function] = set()
        body = self.node.body  # what decorates it is not built anew
        parts = body if isinstance(body, list) else [body]
        self.nodes = nodes = [node for part in parts for node in ast.walk(part)]
        self.called = {n.func for n in nodes if isinstance(n, ast.Call)}
        self.attributes = {n.attr for n in nodes if isinstance(n, ast.Attribute)}
        set_parts = [
            n for n in nodes if isinstance(n, ast.Subscript) and not isinstance(n.ctx, ast.Load)
        ]
        self.attributes |= SETS_A_PART if set_parts else set()
        self.attributes |= {
            f"__i{IN_PLACE[type(n.op)]}__" for n in nodes if isinstance(n, ast.AugAssign)
        }
        args = [arg.arg for arg in self.node.args.args]
        name = function.live.__name__
        is_method = function.live in code.methods_called(name, *handed)
        self.me = args[0] if is_method and args else None
        names = [n for n in ast.walk(self.node) if isinstance(n, ast.Name)]
        self.local = {n.id for n in names if isinstance(n.ctx, ast.Store)} | {*args}
        self.inner = _named_inside(self.node)
        self.generators = {  # of random numbers, made anew at each call
            target.id
            for n in ast.walk(self.node)
            if isinstance(n, ast.Assign) and isinstance(n.value, ast.Call)
            for target in n.targets
            if isinstance(target, ast.Name) and {*_path(n.value.func)[-1:]} & SEEDED
        }

    def is_harmless(self) -> bool:
        """Tell whether every call, every place it writes to and every loop is harmless."""
        for node in self.nodes:
            if isinstance(node, FORBIDDEN):
                return False
            if isinstance(node, ast.FunctionDef | ast.Lambda) and self._calls_inner(node):
                return False
            if isinstance(node, ast.Call) and not self._may_call(node):
                return False
            if isinstance(node, ast.Name | ast.Attribute) and not self._may_hand_on(node):
                return False
            is_set = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
            if is_set and not self._may_set(node):
                return False
            if isinstance(node, ast.For | ast.comprehension) and not self._ends(node.iter):
                return False
        return True

    def _calls_inner(self, node: ast.AST) -> bool:
        """Tell whether a function inside calls one: it may be itself, for ever."""
        calls = (n for n in ast.walk(node) if isinstance(n, ast.Call))
        return any(getattr(call.func, "id", None) in self.inner for call in calls)

    def _may_hand_on(self, node: ast.Name | ast.Attribute) -> bool:
        """Tell whether what a name stands for may be called, by whom it is handed to."""
        if node in self.called or not isinstance(node.ctx, ast.Load):
            return True
        root, *path = _path(node) or [""]
        is_outer = root in self.outer and root not in self.local
        live = self.outer[root] if is_outer else None
        if isinstance(live, ModuleType):
            for name in path:
                live = vars(live).get(name) if isinstance(live, ModuleType) else None
        elif isinstance(node, ast.Attribute):  # of a property its own code runs
            return all(map(self._may_call_live, self.code.methods_called(node.attr, *self.handed)))
        if isinstance(live, type) and issubclass(live, BaseException):
            return issubclass(live, Exception)  # an edit may reach `raise KeyboardInterrupt`
        if not callable(live) or isinstance(live, type):
            return True
        if live is getattr(builtins, root, None):
            return root in PLAIN
        return self._may_call_live(live)

    def _may_call(self, call: ast.Call) -> bool:
        callee = call.func
        if isinstance(callee, ast.Name):
            return self._may_call_name(callee.id, call)
        if not isinstance(callee, ast.Attribute):
            return False
        path = _path(callee)
        if path and path[0] in self.generators and len(path) == 2:
            return True
        if path and path[0] not in self.local and path[0] in self.outer:
            root = self.outer[path[0]]
            if isinstance(root, ModuleType):
                return _only_computes(root, path[1:])
        if isinstance(callee.value, ast.Call) and {*_path(callee.value.func)[-1:]} & SEEDED:
            return True
        is_own = path[:1] == [self.me] and len(path) == 2
        if methods := self._methods_called(callee.attr):
            # of another object, perhaps: only by its own name it may go round
            return all(self._may_call_live(live, is_own) for live in methods)
        return callee.attr in METHODS and not is_own

    def _methods_called(self, name: str) -> list[object]:
        """Return what a person's objects have under a name: a method, or an object to call."""
        found = self.code.methods_called(name, *self.handed)
        things = self.code.objects(*self.handed)
        held = [vars(one)[name] for one in things if name in vars(one)]
        return found + [
            vars(type(one)).get("__call__", one) for one in held if callable(one) or one is None
        ]

    def _may_call_name(self, name: str, call: ast.Call) -> bool:
        if name in self.inner:
            return True
        if name in self.local or name not in self.outer:
            return False
        if self.outer[name] is not getattr(builtins, name, None):
            return self._may_call_live(self.outer[name])
        return name in PLAIN and not (name == "print" and call.keywords)

    def _may_call_live(self, live: object, goes_round: bool = True) -> bool:
        known = self.read.get(live) if isinstance(live, FunctionType) else None
        if known := known or Function.of(live):
            read = self.read.setdefault(known.live, known)
            self.calls |= {read} if goes_round else set()
            return True
        if isinstance(live, type) and issubclass(live, tuple):  # of those, `namedtuple` alone
            made_by = getattr(live.__new__, "__module__", None) or ""
            return made_by.startswith("namedtuple_") and live.__init__ is object.__init__
        home = getattr(live, "__module__", None) or ""
        is_library = isinstance(live, np.ufunc) or home.partition(".")[0] in MODULES
        name = getattr(live, "__name__", "")
        return is_library and name not in EFFECTS and (".random" not in home or name in SEEDED)

    def _may_set(self, node: ast.AST) -> bool:
        """Tell whether a name, an attribute or a part that is set is the function's own."""
        if isinstance(node, ast.Attribute):
            return isinstance(node.value, ast.Name) and node.value.id == self.me
        if isinstance(node, ast.Subscript):
            root = node.value
            while isinstance(root, ast.Attribute | ast.Subscript):
                root = root.value
            if isinstance(root, ast.Name) and root.id in self.outer and root.id not in self.local:
                return isinstance(self.outer[root.id], np.ndarray | dict | list)
        return True

    def _ends(self, over: ast.expr) -> bool:
        """Tell whether what a loop goes over is there as often as it is asked for."""
        if isinstance(over, ast.Name) and over.id in self.outer and over.id not in self.local:
            return isinstance(self.outer[over.id], np.ndarray | dict | list | tuple | range | str)
        return True


def _named_inside(node: ast.AST) -> set[str]:
    """Return the names of the functions that a function makes for itself."""
    inside = [n for n in ast.walk(node) if n is not node]
    found = {n.name for n in inside if isinstance(n, ast.FunctionDef)}
    for n in inside:
        if isinstance(n, ast.Assign) and isinstance(n.value, ast.Lambda):
            found |= {target.id for target in n.targets if isinstance(target, ast.Name)}
    return found


def _path(node: ast.expr) -> list[str]:
    """Return ["np", "add", "at"] for np.add.at; [] for what is no plain path."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute) and (path := _path(node.value)):
        return [*path, node.attr]
    return []


def _only_computes(module: ModuleType, path: list[str]) -> bool:
    if module.__name__.partition(".")[0] not in MODULES or EFFECTS & {*path}:
        return False
    names = [*module.__name__.split("."), *path]
    return "random" not in names[:-1] or names[-1] in SEEDED


def _goes_round(bodies: dict[Function, Body]) -> bool:
    """Tell whether a function calls itself, through others or not: an edit may make it endless."""

    def below(function: Function, above: tuple[Function, ...]) -> Iterator[bool]:
        yield function in above
        if function not in above:
            for child in bodies[function].calls:
                yield from below(child, (*above, function))

    return any(found for function in bodies for found in below(function, ()))

"""Settings as one line of code, to be copied, shared and pasted."""

from __future__ import annotations

import ast
import json
from typing import Any

from gradlab.lab.model.function import Function
from gradlab.lab.model.own_network import OwnNetwork
from gradlab.lab.model.scenarios import SCENARIOS, scenario_named
from gradlab.lab.model.settings import NAMES, SWITCHES, Settings, validated_all

__all__ = ["read_line", "settings_line"]

#: What may stand before the settings: what the caller brings.
_BROUGHT = ([], ["net", "x", "y"], ["f", "grad", "theta"])


def settings_line(
    settings: Settings, base: Settings | None = None, brought: OwnNetwork | Function | None = None
) -> str:
    """Return the shortest line that recreates the settings: `gl.Lab(eps=1e-07)`.

    Parameters
    ----------
    settings : Settings
    base : Settings or None, optional
        Those of a network of the caller's as it was given (`OwnNetwork.settings`): the line is then
        `gl.Lab(net, x, y, …)`, with what differs from them.
    brought : OwnNetwork, Function or None, optional
        What the caller brought: with a function it is `gl.Lab(f, grad, theta, …)`.
    """
    if base is None:
        for name, scenario in SCENARIOS.items():
            if scenario.full() == settings and settings != Settings():
                return f'gl.Lab(scenario="{name}")'
    start = Settings() if base is None else base
    changed = {n: getattr(settings, n) for n in NAMES if getattr(settings, n) != getattr(start, n)}
    for rate, switch in SWITCHES.items():
        if rate in changed:  # giving it switches it on
            changed[switch] = getattr(settings, switch)
            if changed[switch]:
                del changed[switch]
    parts = [] if base is None else ["net", "x", "y"]
    if isinstance(brought, Function):
        parts = ["f", "grad", "theta"]
        parts += ["tensors=tensors"] if list(brought.tensors) != ["theta"] else []
    parts += [f"{name}={_literal(value)}" for name, value in changed.items()]
    return f"gl.Lab({', '.join(parts)})"


def read_line(line: str) -> dict[str, Any]:
    """Return the keywords of a line such as `settings_line` returns, validated; runs nothing.

    Raises
    ------
    ValueError, TypeError
        It is no such line, or a setting is unknown, out of range or of the wrong type.
    """
    shape = 'gl.Lab(…) with settings, such as gl.Lab(eps=1e-07, activation="relu")'
    if not isinstance(line, str):
        raise TypeError(f"line must be {shape}, got {line!r}")
    try:
        call = _call_in(line)
        if ast.unparse(call.func) not in ("gl.Lab", "Lab"):
            raise ValueError
        if [ast.unparse(argument) for argument in call.args] not in _BROUGHT:
            raise ValueError
        names = [keyword.arg for keyword in call.keywords]
        if len(set(names)) < len(names):
            raise ValueError
        values = {
            keyword.arg: ast.literal_eval(keyword.value)
            for keyword in call.keywords
            if ast.unparse(keyword) != "tensors=tensors"
        }
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise ValueError(f"line must be {shape}, with plain values, got {line[:80]!r}") from None
    if None in values:
        raise ValueError(f"line must be {shape}, without **, got {line[:80]!r}")
    scenario = {} if "scenario" not in values else {"scenario": values.pop("scenario")}
    if scenario:
        scenario_named(scenario["scenario"])
    return scenario | validated_all(values)


def _call_in(line: str) -> ast.Call:
    """Return the call that is a line, or that a line gives a name to, as `lab = gl.Lab()`."""
    (statement,) = ast.parse(line.strip()).body
    named = isinstance(statement, ast.Assign) and all(
        isinstance(target, ast.Name) for target in statement.targets
    )
    if not (named or isinstance(statement, ast.Expr)) or not isinstance(statement.value, ast.Call):
        raise ValueError
    return statement.value


def _literal(value: object) -> str:
    # A string as JSON writes it is one in Python too, and in the double quotes of all our code.
    return json.dumps(value) if isinstance(value, str) else repr(value)

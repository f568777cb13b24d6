"""Checking every layer of a stack by itself: `gl.check_layers`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradlab._validate import check_integer, check_real_array
from gradlab.checking.black_box import scalar
from gradlab.checking.diagnosis import Diagnosis
from gradlab.checking.report import Report, TensorReport, summary
from gradlab.checking.verdict import Setting, Verdict
from gradlab.own.code import LayerCode
from gradlab.own.layer import check_code
from gradlab.own.overwritten import Overwritten, overwritten
from gradlab.own.stages import Stage, stages_of


def check_layers(
    layers: Sequence,
    x: np.ndarray,
    loss: Callable[[np.ndarray], tuple[float, np.ndarray]],
    *,
    method: str = "full",
    samples: int = 20,
    seed: int = 0,
    tolerance: float = 0.0,
) -> Report:
    """Check every layer of a stack by itself, on what it really gets, forward and from above.

    The stack runs once, from `x` up to the loss and back. Then each layer's backward is judged for
    its own input and parameters, with what came down to it, right or wrong, as given: a bug is told
    where it is, and not in all layers below it. What is right there is tried with random numbers
    from above too, for what really comes down may hide a bug. The loss's own gradient is judged as
    well.

    Parameters
    ----------
    layers : list or dict
        From the input on. Each is an object with ``forward(x)`` and ``backward(dout)``, which
        returns dx, its parameters in the dicts ``params`` and ``grads``, in two lists of these
        names, or in attributes such as ``W`` and ``dW``; or a tuple ``(forward, backward,
        *parameters)`` of functions as in `gl.check_layer`. Never modified: all runs are of copies.
    x : ndarray
        What the first layer gets.
    loss : callable, out -> (value, dout)
        Gets the last layer's output.
    method, samples, seed, tolerance
        As in `gl.check_function`.

    Returns
    -------
    Report
        Its tensors are "1 affine: x", "1 affine: W", … and "loss: out"; its remarks say which
        layer's backward is wrong for its input, and which for its parameters.

    Raises
    ------
    ValueError, TypeError
        A layer is not one of these, or returns what cannot be meant; the message names it.

    Notes
    -----
    Four calls of a layer's forward for each entry of its input and of its parameters, and as many
    once more where it is right; several times that at kinks and zeros. Random numbers are the same
    at every call if they come from numpy's global generator or from one in the layer.

    Examples
    --------
    >>> import numpy as np
    >>> import gradlab as gl
    >>> class Dense:
    ...     def __init__(self, W, b):
    ...         self.params, self.grads = {"W": W, "b": b}, {}
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x @ self.params["W"] + self.params["b"]
    ...     def backward(self, dout):
    ...         self.grads = {"W": self.x.T @ dout, "b": dout.sum(axis=0)}
    ...         return dout @ self.params["W"].T
    >>> class Tanh:
    ...     def forward(self, x):
    ...         self.x = x
    ...         return np.tanh(x)
    ...     def backward(self, dout):
    ...         return dout * (1 - np.tanh(self.x))
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.standard_normal((6, 3)), rng.standard_normal((6, 2))
    >>> first = Dense(rng.standard_normal((3, 4)), np.zeros(4))
    >>> second = Dense(rng.standard_normal((4, 2)), np.zeros(2))
    >>> loss = lambda out: (0.5 * np.sum((out - y) ** 2), out - y)
    >>> report = gl.check_layers([first, Tanh(), second], x, loss)
    >>> report.wrong
    ['2 Tanh: x']
    >>> print(report.remarks[0])
    Layer 2 (Tanh): backward is wrong for its input x.
    """
    start = time.perf_counter()
    stages = stages_of(layers)
    if not callable(loss):
        raise TypeError(f"loss must be a function out -> (value, dout), got {type(loss).__name__}")
    if not isinstance(x, np.ndarray):
        raise TypeError(f"x must be an ndarray, got {type(x).__name__}")
    chosen = {
        "method": method,
        "samples": samples,
        "seed": check_integer(seed, "seed"),
        "tolerance": tolerance,
    }
    checks = [*_run(stages, np.array(x), loss)]
    caches = overwritten({str(place): code for place, code in checks if place.number})
    parts = [
        Part(place, code, check_code(code, chosen, always_twice=place.number > 0)).in_use(caches)
        for place, code in checks
    ]
    tensors = {
        name: replace(tensor, name=name) for part in parts for name, tensor in part.named.items()
    }
    first = parts[0].report
    return Report(
        tensors,
        summary(tensors, Setting(None, tolerance=tolerance)),
        f"{len(stages)} layers and the loss",
        first.measure,
        first.scheme,
        None,
        sum(part.report.evaluations for part in parts),
        time.perf_counter() - start,
        find_causes=lambda report: _together(parts),
        find_remarks=lambda: tuple(told for part in parts for told in part.remarks()),
    )


@dataclass(frozen=True)
class Where:
    """A layer's number, from 1 on, and its name; the loss has the number 0."""

    number: int
    label: str

    @property
    def short(self) -> str:
        """What stands before a tensor's name."""
        return f"{self.number} {self.label}" if self.number else self.label

    def __str__(self) -> str:
        return f"Layer {self.number} ({self.label})" if self.number else "The loss"


@dataclass(frozen=True, eq=False)
class Part:
    """The check of one layer."""

    where: Where
    code: LayerCode
    report: Report

    def in_use(self, caches: dict[str, Overwritten]) -> Part:
        """Return it with what is right by itself, and not in the stack, as wrong."""
        if (cache := caches.get(str(self.where))) is None:
            return self
        alone = self.report
        tensors = {name: cache.told(t) for name, t in alone.tensors.items()}
        return replace(
            self,
            report=replace(
                alone,
                tensors=tensors,
                find_causes=lambda report: cache.causes(alone) or alone.diagnosis,
            ),
        )

    @property
    def named(self) -> dict[str, TensorReport]:
        """Its tensors under their names in the whole."""
        return {f"{self.where.short}: {k}": t for k, t in self.report.tensors.items()}

    def causes(self) -> list[Diagnosis]:
        """Return its causes, each with the layer that it stands in."""
        found = []
        for d in self.report.diagnosis:
            places = [] if d.where is None else d.where.split("; ")
            where = "; ".join(f"{self.where.short}, {place}" for place in places) or None
            found.append(replace(d, cause=f"{self.where}: {d.cause}", where=where))
        return found

    def remarks(self) -> list[str]:
        """Return what it is wrong for, and what else was met."""
        told = []
        input_name, *_ = self.code.names
        said = {Verdict.WRONG: "is wrong", Verdict.INCONCLUSIVE: "could not be judged"}
        for verdict, says in said.items():
            names = [k for k, t in self.report.tensors.items() if t.verdict == verdict]
            params = [k for k in names if k != input_name]
            parts = [f"its input {input_name}"] * (input_name in names)
            parts += [f"its parameter{'s' * (len(params) > 1)} {', '.join(params)}"] * bool(params)
            if parts:
                told.append(f"{self.where}: backward {says} for {' and for '.join(parts)}.")
        return told + [f"{self.where}: {remark}" for remark in self.report.remarks]


def _together(parts: list[Part]) -> list[Diagnosis]:
    """Return the wrong lines of all layers as one cause, then what is said of other layers.

    A layer with no such line is left open: it has a bug of its own.
    """
    causes = [(part, part.causes()) for part in parts]
    lines = [found[0] for _, found in causes if found and found[0].certain]
    rest = [d for _, found in causes for d in found if not d.certain and d.score]
    unknown = [d for _, found in causes for d in found if not d.certain and not d.score]
    left = tuple(
        name
        for part, found in causes
        if not (found and found[0].certain)
        for name, tensor in part.named.items()
        if tensor.verdict == Verdict.WRONG
    )
    if not lines:
        return sorted(rest, key=lambda d: -d.score) or unknown
    whose = {line.whose for line in lines}
    if len(whose) > 1:
        lines = [
            replace(line, where=f"{line.where} (gradlab's formula)")
            if line.whose == "formula"
            else line
            for line in lines
        ]
    joined = {
        name: "; ".join(getattr(line, name) or "" for line in lines)
        for name in ("cause", "where", "wrong_line", "right_line", "evidence")
    }
    alike = tuple(other for line in lines for other in line.alike) if len(lines) == 1 else ()
    whole = replace(
        lines[0],
        **joined,
        residual=max(line.residual for line in lines),
        certain=not left,
        left_open=left,
        alike=alike,
        whose=whose.pop() if len(whose) == 1 else "",
        bug=lines[0].bug if len(lines) == 1 else None,
    )
    return [whole, *rest]


def _run(stages: list[Stage], x: np.ndarray, loss: Callable) -> list[tuple[Where, LayerCode]]:
    """Run the stack up and down; return each layer with what it got, and the loss."""
    codes, out = [], x
    for k, stage in enumerate(stages):
        where = Where(k + 1, stage.label)
        code = _blaming(where, stage.code, out)
        (out, *more) = _blaming(where, code.at, {})[0]
        if more:
            raise ValueError(
                f"{where} must return one output for the next layer, got {1 + len(more)}"
            )
        codes.append((where, code))
    top, dout = _loss_code(loss, out)
    for k, (where, code) in reversed(list(enumerate(codes))):
        code.above = [dout.astype(code.above[0].dtype)]
        grads = _blaming(where, code.at, {}, code.above)[1]
        name = code.names[0]
        if k and name not in grads:
            raise ValueError(
                f"{where}: backward must return a gradient of its input {name} for "
                "the layers below, got none"
            )
        dout = grads.get(name)
    return [*codes, (Where(0, "loss"), top)]


def _blaming(where: Where, function: Callable, *arguments: object) -> object:
    """Call a function; what it raises about what it was handed says which layer it is."""
    try:
        return function(*arguments)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{where}: {error}") from error


def _loss_code(loss: Callable, out: np.ndarray) -> tuple[LayerCode, np.ndarray]:
    """Return the loss as a layer of its own, and what comes down from it."""
    answer = loss(out.copy())
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        got = f"{len(answer)} things" if isinstance(answer, tuple | list) else type(answer).__name__
        raise TypeError(f"loss(out) must return (value, dout), got {got}")
    try:
        value = scalar(answer[0])
    except (TypeError, ValueError) as error:
        raise type(error)(
            str(error).replace("f must return", "loss(out) must return first")
        ) from None
    if not np.isfinite(value):
        raise ValueError(f"loss(out) must return a finite value, got {value}")
    dout = check_real_array(answer[1], "dout of loss(out)", out.shape)

    def forward(out: np.ndarray) -> float:
        return scalar(loss(out)[0])

    def backward(out: np.ndarray) -> np.ndarray:
        return loss(out)[1]

    return LayerCode(forward, backward, (out,)), dout.astype(float)

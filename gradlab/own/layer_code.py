"""A layer of a person's own as a function of one vector, with a projection for what is above it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np

from gradlab._validate import check_real_array
from gradlab.nn.parameters import lay_out, roll, unroll
from gradlab.own.calls import CACHE, DOUT, INPUT, is_differentiable, names_of, plan, words_of
from gradlab.own.returned import gradients_of


class LayerCode:
    """The projection of a layer's output on fixed arrays, and backward's gradient of it.

    Everything is called with copies, each time new ones: nothing that forward or backward writes
    into is the caller's.

    Parameters
    ----------
    forward, backward : callable
    inputs : sequence
        Arrays of floats are differentiated; whatever else there is goes through as it is.
    cache : bool or None

    Attributes
    ----------
    names : tuple of str
        Forward's names for the inputs.
    floats : list of str
        Those that can be differentiated.
    calls : Calls
    checked : list of str
        Those that backward has a gradient for.
    theta, layout
        These as a vector (P,), and where each stands in it.
    shapes : list of tuple of int
        Of the outputs.
    remarks : list of str
    draws : bool
        Whether forward or backward draws from numpy's global generator.
    is_guarded : bool
        Whether that is put back after every call, and not only by who makes many of them.
    """

    is_guarded = True

    def __init__(
        self, forward: Callable, backward: Callable, inputs: Sequence, cache: bool | None = None
    ) -> None:
        for called, function in (("forward", forward), ("backward", backward)):
            if not callable(function):
                raise TypeError(f"{called} must be a function, got {type(function).__name__}")
        self.forward, self.backward = forward, backward
        self.names = names_of(forward, inputs)
        # copies: a report looks for its causes when it is read, and the caller may train meanwhile
        self.inputs = dict(zip(self.names, map(_copy, inputs), strict=True))
        self.floats = _floats(self.inputs)
        self.dtype = self.inputs[self.floats[0]].dtype
        self.__name__ = getattr(forward, "__name__", type(forward).__name__)
        self.remarks: list[str] = []
        self._drawn_from = np.random.get_state()  # noqa: NPY002 - people draw their masks from it
        self.above = self._look(cache)

    def _look(self, cache: bool | None) -> list[np.ndarray]:
        """Run both once: find out how they are called, and what they write into."""
        handed = self._copies({})
        with _drawing_from(self._drawn_from):
            returned = self.forward(*handed)
            self._after_forward = np.random.get_state()  # noqa: NPY002
        words = words_of(self.forward)
        self.calls = plan(self.names, returned, self.backward, cache, words)
        outs = self._outputs(returned)
        self.shapes = [out.shape for out in outs]
        changed = self._changed(handed, self.inputs)
        above = projection(self.shapes, self.dtype)
        given = [a.copy() for a in above]
        before = dict(zip(self.names, map(_copy, handed), strict=True))
        with _drawing_from(self._after_forward):
            answer = self.backward(*self._arguments(returned, handed, given))
            states = self._drawn_from, self._after_forward, np.random.get_state()  # noqa: NPY002
        self.draws = any(
            not np.array_equal(one[1], states[0][1]) or one[2:] != states[0][2:]
            for one in states[1:]
        )
        left_alone: list[str] = []
        grads = gradients_of(answer, self.inputs, self.floats, left_alone)
        self.remarks += [
            f"backward returns a gradient of {name}, which is {_kind(self.inputs[name])} and was "
            "not checked: only arrays of floats are."
            for name in left_alone
        ]
        self.checked = list(grads)
        arrays = {name: np.array(self.inputs[name]) for name in self.checked}
        self.layout = lay_out(arrays)
        self.theta = unroll(arrays, self.layout)
        self._remark(changed, self._changed(handed, before), given, above)
        return above

    def _remark(self, forward: list, backward: list, given: list, above: list) -> None:
        if forward:
            self.remarks.append(f"forward writes into its input {', '.join(forward)}.")
        if backward:
            self.remarks.append(f"backward writes into forward's input {', '.join(backward)}.")
        if any(a.tobytes() != b.tobytes() for a, b in zip(given, above, strict=True)):
            self.remarks.append(
                f"backward writes into {self.calls.above}, the gradient that it is handed: who "
                "uses that once more, such as another branch, gets a wrong one."
            )
        if left := [name for name in self.floats if name not in self.checked]:
            self.remarks.append(f"Not checked, for backward returns no gradient: {', '.join(left)}")

    def _changed(self, handed: list, before: Mapping[str, object]) -> list[str]:
        return [
            name
            for name, value in zip(self.names, handed, strict=True)
            if isinstance(value, np.ndarray) and value.tobytes() != before[name].tobytes()
        ]

    # -- as a function --------------------------------------------------------------------------

    def __call__(self, theta: np.ndarray) -> float:
        """Return the sum of the outputs times the projection, in float64."""
        handed = self._copies(roll(theta, self.layout))
        outs = self._outputs(self._forward(handed), self.shapes)
        return float(
            sum(np.sum(a.astype(float) * out) for a, out in zip(self.above, outs, strict=True))
        )

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """Return what backward says of it, (P,)."""
        return self.vector(self.at(roll(theta, self.layout), self.above)[1])

    def vector(self, grads: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return gradients as one vector."""
        return np.concatenate([np.ravel(grads[name]) for name in self.checked])

    def at(
        self, values: Mapping[str, np.ndarray], above: Sequence[np.ndarray] | None = None
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """Return the outputs at other inputs, and the gradients for what comes from above."""
        handed = self._copies(values)
        returned = self._forward(handed)
        outs = self._outputs(returned)
        if above is None:
            return outs, {}
        answer = self._backward(self._arguments(returned, handed, [a.copy() for a in above]))
        inputs = {**self.inputs, **values}
        grads = gradients_of(answer, inputs, self.floats)
        if missing := [name for name in self.checked if name not in grads]:
            raise ValueError(
                f"backward must return the same gradients at each call, got none for "
                f"{', '.join(missing)}"
            )
        return outs, grads

    def _forward(self, handed: list) -> object:
        """Call forward, with numpy's global generator in the same state each time."""
        with self.drawing_as_before() if self.is_guarded else nullcontext():
            return self.forward(*handed)

    def _backward(self, arguments: list) -> object:
        """Call backward in the same way: from where forward leaves off nobody draws on purpose."""
        with _drawing_from(self._after_forward) if self.is_guarded else nullcontext():
            return self.backward(*arguments)

    def drawing_as_before(self) -> AbstractContextManager:
        """Let numpy's global generator start where it did first; put it back at the end."""
        return _drawing_from(self._drawn_from)

    def _copies(self, values: Mapping[str, np.ndarray]) -> list:
        return [_copy(values.get(name, value)) for name, value in self.inputs.items()]

    def _outputs(self, returned: object, shapes: list | None = None) -> list[np.ndarray]:
        several = list(returned)[: self.calls.outs] if self.calls.is_tuple else [returned]
        outs = [_check_output(out) for out in several]
        if shapes is not None and [out.shape for out in outs] != shapes:
            raise ValueError(
                f"forward must return the same shapes at each call, {shapes}, got "
                f"{[out.shape for out in outs]}"
            )
        return outs

    def _arguments(self, returned: object, handed: list, above: list) -> list:
        several = list(returned) if self.calls.is_tuple else [returned]
        return [
            _as_given(above[k], several[k])
            if kind == DOUT
            else several[-1]
            if kind == CACHE
            else handed[k]
            if kind == INPUT
            else several[0]
            for kind, k in self.calls.handed
        ]


@contextmanager
def _drawing_from(state: tuple) -> Iterator[None]:
    """Set numpy's global generator to `state`, and put it back at the end."""
    before = np.random.get_state()  # noqa: NPY002 - people draw their masks from it
    np.random.set_state(state)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def projection(
    shapes: Sequence[tuple[int, ...]], dtype: np.dtype, seed: int = 0
) -> list[np.ndarray]:
    """Return what stands for the gradient from above: no entry so small that it hides one's bug.

    For a loss, which is one number, the first is 1: what nearly everybody hands to it.
    """
    if list(shapes) == [()] and seed == 0:
        return [np.ones((), dtype)]
    rng = np.random.default_rng(seed)
    return [
        (rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)).astype(dtype)
        for shape in shapes
    ]


def _floats(inputs: Mapping[str, object]) -> list[str]:
    """Return the names of the arrays of floats, all of one type."""
    found: list[str] = []
    for name, value in inputs.items():
        if isinstance(value, list) and _holds_floats(value):
            raise TypeError(f"{name} must be an ndarray, got a list of floats: np.array({name})")
        if not isinstance(value, np.ndarray) or value.dtype.kind in "biuSUOMmV":
            continue
        if value.dtype not in (np.float64, np.float32):
            raise TypeError(
                f"{name} must be float64 or float32 to be differentiated, or of "
                f"integers to be left alone, got {value.dtype}"
            )
        check_real_array(value, name)
        if value.size:
            found.append(name)
    if not found:
        kinds = ", ".join(f"{k} {getattr(v, 'dtype', type(v).__name__)}" for k, v in inputs.items())
        raise TypeError(f"inputs must hold an ndarray of floats to differentiate, got {kinds}")
    types = {name: inputs[name].dtype for name in found}
    if len(set(types.values())) > 1:
        told = ", ".join(f"{name} {dtype}" for name, dtype in types.items())
        raise TypeError(f"inputs must all be float64 or all float32, got {told}")
    return found


def _kind(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    return f"of type {type(value).__name__}"


def _holds_floats(value: list) -> bool:
    try:
        return bool(value) and np.asarray(value).dtype.kind == "f"
    except ValueError:  # rows of different lengths
        return False


def _copy(value: object) -> object:
    """Return a copy of what is handed through: also of a dict that forward keeps averages in."""
    try:
        return copy.deepcopy(value)
    except Exception:  # such as a lock: nobody's numbers
        return {k: _copy(v) for k, v in value.items()} if isinstance(value, dict) else value


def _check_output(out: object) -> np.ndarray:
    """Return an output as an array of its own, or raise if nothing can be differentiated."""
    if not is_differentiable(out):
        got = f"an array of {out.dtype}" if isinstance(out, np.ndarray) else type(out).__name__
        why = (
            ", which has no derivative"
            if getattr(out, "dtype", np.dtype("O")).kind in "biu"
            else ""
        )
        raise TypeError(
            f"forward must return its output as an ndarray of floats, alone or as "
            f"(out, cache), got {got}{why}"
        )
    array = np.array(out)
    if array.size == 0:
        raise ValueError(f"forward must return an output with entries, got shape {array.shape}")
    return array


def _as_given(above: np.ndarray, out: object) -> object:
    """Return what comes from above in the type of the output: a float for a float."""
    return above if isinstance(out, np.ndarray) else above[()]

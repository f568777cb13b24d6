"""What backward returns, as one gradient for each input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradlab._validate import check_real_array


def gradients_of(
    answer: object,
    inputs: Mapping[str, object],
    floats: Sequence[str],
    left_alone: list[str] | None = None,
) -> dict[str, np.ndarray]:
    """Return {name: gradient} for the inputs that backward has one for.

    Parameters
    ----------
    answer : ndarray, tuple, list or dict
        One array belongs to the first array of floats; of several there is one for each of these,
        or one for each input, and None where there is none; a dict has the inputs' names, with a
        "d" before them or without.
    inputs : mapping of str to object
    floats : sequence of str
        Which of them can be differentiated.
    left_alone : list of str, optional
        Gets the names of those that backward has a gradient for and that cannot.

    Raises
    ------
    ValueError, TypeError
        There are too many or too few, one has another shape or is not finite, or a key is no name.
    """
    if isinstance(answer, tuple) and hasattr(answer, "_asdict"):
        answer = answer._asdict()
    if isinstance(answer, Mapping):
        named = _by_key(answer, inputs)
    elif isinstance(answer, tuple | list):
        named = _in_order(answer, inputs, floats)
    elif answer is None:
        raise TypeError(
            "backward must return the gradients of its inputs, got None (is there a return?)"
        )
    else:
        named = {floats[0]: answer}
        if np.shape(answer) != inputs[floats[0]].shape and len(floats) > 1:
            raise ValueError(
                f"backward must return one array for {floats[0]}, of shape "
                f"{inputs[floats[0]].shape}, or a tuple or dict that says which gradient is "
                f"which, got one array of shape {np.shape(answer)}"
            )
    for name, value in named.items():
        if value is not None and isinstance(inputs[name], Mapping | list | tuple):
            raise TypeError(
                f"forward's input {name} must be handed over as arrays, one argument each, to be "
                f"checked: backward returns a gradient of it, and it is a "
                f"{type(inputs[name]).__name__} (gl.check_arrays takes those)"
            )
    if left_alone is not None:
        left_alone += [k for k, v in named.items() if v is not None and k not in floats]
    found = {}
    for name in floats:  # in forward's order, whatever the dict's is
        if named.get(name) is not None:
            called = f"backward's gradient of {name}"
            found[name] = np.array(check_real_array(named[name], called, inputs[name].shape))
    if not found:
        raise ValueError(
            f"backward must return a gradient for one of {', '.join(floats)}, got none"
        )
    return found


def _by_key(answer: Mapping, inputs: Mapping[str, object]) -> dict[str, object]:
    named = {}
    for key, value in answer.items():
        name = key if key in inputs else str(key).removeprefix("d")
        if name not in inputs:
            raise ValueError(
                f"backward must return gradients under the names {', '.join(inputs)} "
                f"or d{', d'.join(inputs)}, got the key {key!r}"
            )
        if name in named:
            raise ValueError(
                f"backward must return one gradient of {name}, got two: {name!r} and {'d' + name!r}"
            )
        named[name] = value
    return named


def _in_order(answer: Sequence, inputs: Mapping[str, object], floats: Sequence[str]) -> dict:
    if len(answer) == len(floats):
        return dict(zip(floats, answer, strict=True))
    if len(answer) == len(inputs):
        return dict(zip(inputs, answer, strict=True))
    each = f"{len(floats)} gradients, of {', '.join(floats)}"
    if len(inputs) != len(floats):
        each += f", or {len(inputs)}, one for each input"
    raise ValueError(
        f"backward must return {each} (None for one that it has none for, or a dict such as "
        f"{{{'d' + floats[0]!r}: …}}), got {len(answer)}"
    )

"""Exercise compare of lesson 04: a whole checker, which names the worst tensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from gradlab.course.note import shown
from gradlab.course.task import Task, number_in, wants_a_function

__all__ = ["CASES", "COMPARE", "VARIANTS"]

Tensors = Mapping[str, np.ndarray]
Measure = Callable[[np.ndarray, np.ndarray], float]


def compare(loss, params, grads):
    eps, errors = 1e-5, {}
    for name, w in params.items():
        errors[name] = 0.0
        for i in np.ndindex(w.shape):
            saved = w[i]
            w[i] = saved + eps
            loss_right = loss(params)
            w[i] = saved - eps
            loss_left = loss(params)
            w[i] = saved
            a, n = grads[name][i], (loss_right - loss_left) / (2 * eps)
            larger = max(abs(a), abs(n))
            if larger > 0:
                errors[name] = max(errors[name], float(abs(a - n) / larger))
    return max(errors, key=errors.get), errors


def loss_at(params: Tensors) -> float:
    """Return a loss of all entries but the last one of a tensor "b2"."""
    terms = [(_coefficients(w), w) for w in _read(params)]
    return float(
        sum(np.sum(c * np.sin(w)) for c, w in terms)
        + sum(np.sum(c**2 * w) for c, w in terms) ** 2 / 8
    )


def slopes(params: Tensors) -> dict[str, np.ndarray]:
    """Return the gradient of `loss_at`, by its formula."""
    terms = [(_coefficients(w), w) for w in _read(params)]
    outer = sum(np.sum(c**2 * w) for c, w in terms) / 4
    found = {name: c * np.cos(w) + outer * c**2 for name, (c, w) in zip(params, terms, strict=True)}
    return {k: np.append(v, 0.0) if k == "b2" else v for k, v in found.items()}


def _read(params: Tensors) -> list[np.ndarray]:
    return [np.asarray(w)[:-1] if name == "b2" else np.asarray(w) for name, w in params.items()]


def _coefficients(w: np.ndarray) -> np.ndarray:
    return 1 + np.arange(w.size).reshape(w.shape) % 4 / 2


def _case(seed: int, shapes: dict[str, tuple[int, ...]], right: str) -> tuple[Tensors, Tensors]:
    """Return params and grads: `right` alone has a right gradient, and grads go backwards."""
    rng = np.random.default_rng(seed)
    params = {name: rng.uniform(-0.7, 0.7, shape) for name, shape in shapes.items()}
    grads = slopes(params)
    for name in grads:
        if name != right:
            grads[name] = grads[name] * rng.uniform(-0.5, 3, grads[name].shape)
    return params, dict(reversed(grads.items()))


#: Of unlike shapes; in the last one b2 ends in an entry whose slope is 0 in both gradients.
CASES = (
    _case(182, {"W1": (2, 3), "b1": (3,), "W2": (3, 2)}, "b1"),
    _case(188, {"U": (4,), "V": (2, 2, 2), "c": (1,)}, "U"),
    _case(330, {"W2": (3, 2), "b2": (3,)}, "b2"),
)
_NEAR = 1e-4  # what a step that is not the best may cost


def relative(a: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return the max-relative error of each entry."""
    larger = np.maximum(abs(a), abs(n))
    return abs(a - n) / np.where(larger == 0, 1, larger)


def _worst(a: np.ndarray, n: np.ndarray) -> float:
    return float(np.max(relative(a, n)))


_size = np.linalg.norm
#: What people compute instead, and what to say; the first that fits is named.
VARIANTS: tuple[tuple[Measure, str], ...] = (
    (
        lambda a, n: float(np.mean(relative(a, n))),
        "the mean over its entries. A single wrong entry hides in a mean: take the largest.",
    ),
    (
        lambda a, n: float(relative(a, n).flat[0]),
        "that of its first entry alone. Go through all of them.",
    ),
    (
        lambda a, n: float(relative(a, n).flat[-1]),
        "that of its last entry alone. Keep the largest so far.",
    ),
    (
        lambda a, n: float(np.min(relative(a, n))),
        "the least one. The largest is asked.",
    ),
    (
        lambda a, n: float(np.max(abs(a - n))),
        "the largest |a - n|. It has a unit: divide by max(|a|, |n|).",
    ),
    (
        lambda a, n: float(np.max(abs(a - n) / (abs(a) + abs(n)))),
        "the largest sum-relative error. The max-relative one divides by max(|a|, |n|).",
    ),
    (
        lambda a, n: float(np.max(abs(a - n) / abs(n))),
        "the largest |a - n| / |n|. The max-relative error divides by the larger of |a| and |n|.",
    ),
    (
        lambda a, n: float(np.max(abs(a - n) / abs(a))),
        "the largest |a - n| / |a|. The max-relative error divides by the larger of |a| and |n|.",
    ),
    (
        lambda a, n: float(_size(a - n) / (_size(a) + _size(n))),
        "the norm ratio. Here each tensor has the error of its worst entry.",
    ),
    (
        lambda a, n: float(np.max((a - n) / np.maximum(abs(a), abs(n)))),
        "the largest (a - n) / max(|a|, |n|), with its sign. Take abs: too small is wrong as well.",
    ),
    (
        lambda a, n: _worst(a, 2 * n),
        "what n gives if it is twice the slope. The way from left to right is 2 * eps long.",
    ),
    (
        lambda a, n: _worst(a, n / 2),
        "what n gives if it is half the slope. From w to w + eps the way is eps long; and "
        "was an entry put back before it was moved to the other side?",
    ),
    (
        lambda a, n: _worst(a, -n),
        "what n gives with a flipped sign. It is the loss on the right minus the one on the left.",
    ),
    (
        lambda a, n: _worst(a, np.full_like(n, np.sum(n))),
        "what n gives if all entries of the tensor are moved at once. Move one: w[i], not w.",
    ),
)


def find_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `compare`."""
    if not callable(answer):
        return wants_a_function(answer, "compare")
    for number, (params, grads) in enumerate(CASES):
        seen: list[list[np.ndarray]] = []

        def watched(given: Tensors, seen: list = seen) -> float:
            seen.append([np.array(w) for w in given.values()])
            return loss_at(given)

        own, own_grads = _copy(params), _copy(grads)
        with np.errstate(all="ignore"):  # numpy's own warning comes again below, in words
            found = answer(watched, own, own_grads)
        if found is None or found is ...:
            return "It computes losses and returns nothing: return the two." if seen else None
        mistake = _left_changed(own, own_grads, params, grads) or _wrong_calls(seen)
        mistake = mistake or _wrong_form(found, params) or _wrong_values(found, params, grads)
        if mistake:
            return mistake if number == 0 else f"Right for W1, b1 and W2 of one network. {mistake}"
    return ""


def _copy(tensors: Tensors) -> dict[str, np.ndarray]:
    return {name: tensor.copy() for name, tensor in tensors.items()}


def _left_changed(own: Tensors, own_grads: Tensors, params: Tensors, grads: Tensors) -> str:
    if any(not np.array_equal(own_grads[name], grads[name]) for name in grads):
        return "It changed grads. A check leaves what it looks at as it was."
    changed = [name for name, w in params.items() if not np.array_equal(own[name], w)]
    if not changed:
        return ""
    if all(np.allclose(own[name], params[name], rtol=0, atol=1e-12) for name in changed):
        return (
            f"{', '.join(changed)} came back changed in the last digits: adding eps and "
            "subtracting it again drifts. Save the entry first, and put that back."
        )
    return (
        f"{', '.join(changed)} came back changed. Whoever trains on has other weights then: save "
        "an entry before it is moved, and put it back after the second loss."
    )


def _wrong_calls(seen: list[list[np.ndarray]]) -> str:
    if not seen:
        return "It never calls loss. n is made of losses: two for each entry, loss(params)."
    if all(np.array_equal(a, b) for now in seen for a, b in zip(now, seen[0], strict=True)):
        return (
            "loss was called with the same params each time, so every n is 0. Move an entry of "
            "what is handed to loss, not of a copy."
        )
    return ""


def _wrong_form(found: object, params: Tensors) -> str:
    asked = "return two things, a name and a dict of errors: return worst, errors."
    if isinstance(found, str):
        return f"It returned a name alone, and {asked[0].lower()}{asked[1:]}"
    if isinstance(found, Mapping):
        return f"It returned a dict alone; {asked}"
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        return f"It returned {shown(found)}; {asked}"
    worst, errors = found
    if not isinstance(errors, Mapping):
        return f"The second thing that it returned is {shown(errors)}; a dict of errors is asked."
    missing = [name for name in params if name not in errors]
    if missing:
        return f"Its errors lack {', '.join(missing)}: every tensor of params is asked."
    for name in params:
        if np.ndim(errors[name]) or isinstance(errors[name], str):
            return f"For {name} it returned {shown(errors[name])}; the worst error is one number."
    if worst not in list(params):
        return f"It named {shown(worst)}, and the tensors are {', '.join(params)}."
    return ""


def _wrong_values(found: object, params: Tensors, grads: Tensors) -> str:
    worst, errors = found
    n = slopes(params)
    if any(number_in(errors[name]) is None for name in params):
        name = next(name for name in params if number_in(errors[name]) is None)
        return (
            f"For {name} it returned {shown(errors[name])}. Is there an entry with a = n = 0? "
            "There the formula is 0 / 0: let the error be 0."
        )
    right = {name: _worst(grads[name], n[name]) for name in params}
    if not _same(errors, right):
        return _told(errors, right, grads, n)
    largest = max(right, key=right.__getitem__)
    if worst != largest:
        return f"The errors are right, and {worst} is named. The largest of them is {largest}'s."
    return ""


def _same(errors: Mapping[str, float], right: Mapping[str, float]) -> bool:
    return all(abs(errors[name] - right[name]) <= _NEAR * (1 + right[name]) for name in right)


def _told(errors: Mapping[str, float], right: dict[str, float], a: Tensors, n: Tensors) -> str:
    with np.errstate(all="ignore"):  # the sum-relative error of 0 and 0
        for variant, words in VARIANTS:
            if _same(errors, {name: variant(a[name], n[name]) for name in n}):
                return f"Of each tensor it returned {words}"
    off = [name for name in right if not _same({name: errors[name]}, {name: right[name]})]
    if all(abs(errors[name] - right[name]) < 0.1 for name in off):
        return (
            f"The error of {off[0]} is {right[off[0]]:.4g}, and it returned {errors[off[0]]:.4g}. "
            "So near: is it the step (a central difference with 1e-5 is good), or is something "
            "added to max(|a|, |n|)?"
        )
    return (
        f"The worst entry of {off[0]} is off by {right[off[0]]:.3g}, max-relative, and it returned "
        f"{errors[off[0]]:.3g}. Print a and n of one entry: which of the two is not what it "
        "should be?"
    )


COMPARE = Task(
    name="compare",
    lesson="04",
    question=(
        "Write compare(loss, params, grads): return worst, errors. errors has for each tensor the "
        "largest max-relative error of an entry (0 where a = n = 0), worst is the name of the "
        "tensor with the largest. params must come back as they were."
    ),
    find_mistake=find_mistake,
    hints=(
        "Two loops: for name, w in params.items(), and in it for i in np.ndindex(w.shape).",
        "For one entry do what check_one_weight does: save w[i], two losses by loss(params), put "
        "it back. a is grads[name][i].",
        "Keep the largest error of the tensor in errors[name], and do not divide by 0. At the "
        "end max(errors, key=errors.get) is the name.",
    ),
    answer=compare,
    solution="One weight's check, done for every entry; a tensor is as good as its worst one.",
    praise="A checker of your own: it names the tensor, and leaves no trace in params.",
)

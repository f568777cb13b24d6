"""Lesson 04's checker: any right make is accepted, and each mistake is told what it did."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.exercise import Exercise
from gradlab.course.tasks import TASKS
from gradlab.course.tasks.compare import CASES, VARIANTS, compare, loss_at, relative, slopes

TASK = TASKS["compare"]


def numerical(loss, params, eps=1e-5, over=2.0, left=-1):
    """Return the numerical gradient of each tensor; params are copied, never touched."""
    found = {}
    for name, w in params.items():
        found[name] = np.empty_like(w)
        for i in np.ndindex(w.shape):
            at = []
            for sign in (1, left):
                moved = w.copy()
                moved[i] += sign * eps
                at.append(loss({**params, name: moved}))
            found[name][i] = (at[0] - at[1]) / (over * eps)
    return found


def made(measure=lambda a, n: np.max(relative(a, n)), pick=max, **how):
    """Return an answer with a `measure` of a tensor; `how` is for `numerical`."""

    def answer(loss, params, grads):
        n = numerical(loss, params, **how)
        errors = {name: measure(grads[name], n[name]) for name in params}
        return pick(errors, key=errors.get), errors

    return answer


def in_flat(loss, params, grads):
    errors = {}
    for name in params:
        w, a, all_errors = params[name].ravel(), np.ravel(grads[name]), [0.0]  # ravel is a view
        for k in range(w.size):
            saved = float(w[k])
            w[k] = saved - 1e-4
            before = loss(params)
            w[k] = saved + 1e-4
            n = (loss(params) - before) / 2e-4
            w[k] = saved
            if (a[k], n) != (0, 0):
                all_errors.append(abs(a[k] - n) / max(abs(a[k]), abs(n)))
        errors[name] = max(all_errors)
    return [sorted(errors, key=errors.get)[-1], errors]


def tensor_put_back(loss, params, grads):
    errors = dict.fromkeys(params, 0.0)
    for name, w in list(params.items()):
        for i in np.ndindex(*w.shape):
            at = []
            for step in (1e-6, -1e-6):
                params[name] = w.copy()
                params[name][i] += step
                at.append(loss(params))
            params[name] = w
            n, a = (at[0] - at[1]) / 2e-6, grads[name][i]
            errors[name] = max(errors[name], abs(a - n) / (max(abs(a), abs(n)) or 1))
    return max(errors.items(), key=lambda pair: pair[1])[0], errors


def by_nditer(loss, params, grads):
    errors = {}
    for name, w in params.items():
        walk = np.nditer(w, flags=["multi_index"], op_flags=["readwrite"])
        n = np.zeros(w.shape)
        for entry in walk:
            saved, at = entry.copy(), {}
            for sign in (-1, 1):
                entry[...] = saved + sign * 1e-5
                at[sign] = loss(params)
            entry[...] = saved
            n[walk.multi_index] = (at[1] - at[-1]) / 2e-5
        errors[name] = gl.relative_error(grads[name], n).max()
    names = np.array(list(errors))
    return names[np.argmax(list(errors.values()))], errors


def with_gl(loss, params, grads):
    names = list(params)
    ends = np.cumsum([params[name].size for name in names])

    def f(theta):
        parts = np.split(theta, ends[:-1])
        return loss({k: v.reshape(params[k].shape) for k, v in zip(names, parts, strict=True)})

    theta = np.concatenate([params[name].ravel() for name in names])
    n = np.split(gl.central_difference(f, theta), ends[:-1])
    errors = {k: float(gl.relative_error(grads[k].ravel(), v).max())
              for k, v in zip(names, n, strict=True)}  # fmt: skip
    return max(errors, key=errors.get), errors


RIGHT = {
    "the solution": compare,
    "copies": made(),
    "a longer step": made(eps=1e-3),
    "forward, at a good step": made(eps=1e-7, over=1, left=0),
    "flat, a list": in_flat,
    "the tensor put back": tensor_put_back,
    "nditer, numpy's str": by_nditer,
    "gl's difference": with_gl,
    "the least of minus": made(
        pick=lambda errors, key: min(errors, key=lambda name: -errors[name])
    ),
}


@pytest.mark.parametrize("answer", RIGHT.values(), ids=RIGHT)
def test_any_right_way_is_right(answer, store):
    note = Exercise(TASK, store).check(answer)
    assert note.solved, note


def in_place(back, after=lambda w, i, saved, eps: None):
    """Return a compare that moves in place; `back` says how an entry goes to the left and back."""

    def answer(loss, params, grads):
        eps, n = 1e-5, {}
        for name, w in params.items():
            n[name] = np.empty_like(w)
            for i in np.ndindex(w.shape):
                saved = w[i]
                w[i] += eps
                right = loss(params)
                back(w, i, saved, eps)
                n[name][i] = (right - loss(params)) / (2 * eps)
                after(w, i, saved, eps)
        errors = {name: np.max(relative(grads[name], n[name])) for name in n}
        return max(errors, key=errors.get), errors

    return answer


def drifts(w, i, saved, eps):
    w[i] -= 2 * eps


def adds(w, i, saved, eps):
    w[i] += eps


def puts_back(w, i, saved, eps):
    w[i] = saved


def at_once(loss, params, grads):
    errors = {}
    for name, w in params.items():
        n = (loss({**params, name: w + 1e-5}) - loss({**params, name: w - 1e-5})) / 2e-5
        errors[name] = np.max(relative(grads[name], np.full(w.shape, n)))
    return max(errors, key=errors.get), errors


def moves_a_copy(loss, params, grads):
    errors = {}
    for name, w in params.items():
        for i in np.ndindex(w.shape):
            moved = {k: v.copy() for k, v in params.items()}
            moved[name][i] += 1e-5
            right = loss(params)
            moved[name][i] -= 2e-5
            errors[name] = abs(right - loss(params))
    return "W1", errors


def spoils_grads(loss, params, grads):
    found = compare(loss, params, grads)
    for name in grads:
        grads[name] -= 1
    return found


def nan_at_a_dead_entry(loss, params, grads):
    def measure(a, n):
        return np.max(abs(a - n) / np.maximum(abs(a), abs(n)))

    return made(measure)(loss, params, grads)


def by_order(loss, params, grads):
    """Pairs the tensors of params with those of grads in the order in which they come."""
    n = numerical(loss, params)
    pairs = zip(n.items(), grads.values(), strict=True)
    errors = {k: np.max(abs(v.ravel()[0] - a.ravel()) / abs(v).max()) for (k, v), a in pairs}
    return max(errors, key=errors.get), errors


def size(v):
    return np.linalg.norm(v)


WRONG = {
    "the mean over its entries": made(lambda a, n: np.mean(relative(a, n))),
    "first entry alone": made(lambda a, n: relative(a, n).flat[0]),
    "last entry alone": made(lambda a, n: relative(a, n).flat[-1]),
    "the least one": made(lambda a, n: np.min(relative(a, n))),
    "the largest |a - n|. It has a unit": made(lambda a, n: np.max(abs(a - n))),
    "sum-relative": made(lambda a, n: np.max(abs(a - n) / (abs(a) + abs(n)))),
    "the largest |a - n| / |n|": made(lambda a, n: np.max(abs(a - n) / abs(n))),
    "the largest |a - n| / |a|": made(lambda a, n: np.max(abs(a - n) / abs(a))),
    "the norm ratio": made(lambda a, n: size(a - n) / (size(a) + size(n))),
    "with its sign": made(lambda a, n: np.max((a - n) / np.maximum(abs(a), abs(n)))),
    "twice the slope": made(over=1),
    "half the slope": made(left=0),
    "put back before it was moved": in_place(puts_back),
    "with a flipped sign": made(eps=-1e-5, over=-2),
    "all entries of the tensor are moved at once": at_once,
    "adding eps and subtracting it again drifts": in_place(drifts, adds),
    "came back changed. Whoever": in_place(drifts),
    "the same params each time": moves_a_copy,
    "It changed grads": spoils_grads,
    "a = n = 0": nan_at_a_dead_entry,
    "Print a and n of one entry": by_order,
    "is it the step (a central": made(eps=0.3),
    "or is something added": made(
        lambda a, n: np.max(abs(a - n) / (np.maximum(abs(a), abs(n)) + 0.01))
    ),
    "The errors are right, and b1 is named.": made(pick=min),
    "It never calls loss": lambda loss, params, grads: ("W1", dict.fromkeys(params, 0.0)),
    "a dict alone": lambda *given: compare(*given)[1],
    "a name alone": lambda *given: compare(*given)[0],
    "The second thing": lambda *given: compare(*given)[::-1],
    "Its errors lack b1": lambda *given: (
        compare(*given)[0], {k: v for k, v in compare(*given)[1].items() if k != "b1"}),
    "is one number": made(relative, pick=lambda errors, key: "W1"),
    "It named 'w1' (str)": lambda *given: ("w1", compare(*given)[1]),
    "TypeError": made(lambda a: a),
    "Hand over the function itself": 3,
}  # fmt: skip


@pytest.mark.parametrize(("words", "answer"), WRONG.items(), ids=WRONG)
def test_a_mistake_is_told_what_it_did(words, answer, store):
    note = Exercise(TASK, store).check(answer)
    assert note.mark == "✗"
    assert words in note.text, note.text
    assert store.solved() == set()


def test_the_slopes_are_those_of_the_loss():
    for params, _ in CASES:
        for name, n in numerical(loss_at, params, eps=1e-4).items():
            assert np.allclose(n, slopes(params)[name], rtol=1e-6, atol=1e-9)


def test_no_two_mistakes_give_the_same_errors():
    a, n = CASES[0][1], slopes(CASES[0][0])
    ways = [lambda a, n: np.max(relative(a, n)), *(variant for variant, _ in VARIANTS)]
    found = np.array([[way(a[name], n[name]) for name in n] for way in ways])
    apart = np.max(abs(found[:, None] - found[None]), axis=-1) + np.eye(len(ways))
    assert apart.min() > 0.01


def test_each_tensor_is_the_worst_once_by_far_and_one_is_right():
    for params, a in CASES:
        errors = sorted(np.max(relative(a[name], n)) for name, n in slopes(params).items())
        assert errors[0] == 0
        assert errors[-1] - errors[-2] > 0.05
        assert list(a) == list(params)[::-1]

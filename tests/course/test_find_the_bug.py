"""Lesson 09's exercises know the mistakes that people make, and its predictions are computed."""

import re

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.exercise import Exercise
from gradlab.course.tasks import QUESTIONS, TASKS
from gradlab.course.tasks.culprits import (
    LINES,
    NAMES,
    REPORTS,
    find_wrong_culprit,
    seen_with,
    small_network,
)
from gradlab.course.tasks.signature import cases, signature

RIGHT = dict(REPORTS)


def checked(name, answer, store):
    return Exercise(TASKS[name], store).check(answer)


# -- culprits ----------------------------------------------------------------------------------

RIGHT_CULPRITS = {
    "dict": RIGHT,
    "list": list(RIGHT.values()),
    "tuple": tuple(RIGHT.values()),
    "array": np.array(list(RIGHT.values())),
    "floats": {letter: float(line) for letter, line in RIGHT.items()},
    "numpy integers": {letter: np.int64(line) for letter, line in RIGHT.items()},
    "small letters, another order": {k.lower(): RIGHT[k] for k in reversed(RIGHT)},
}
WRONG_CULPRITS = {
    "A: line 2, dz3 = (t - p) / N, would give b1 ratio and cosine -1, -1.000": RIGHT | {"A": 2},
    "A: line 11, dW1 += 2 * l2 * W1, and so for dW2 and dW3, would make W1, W2, W3 alone wrong. "
    "In the report it is every tensor": RIGHT | {"A": 11},
    "B: line 11, dW1 += 2 * l2 * W1, and so for dW2 and dW3, would give W1 ratio and cosine 1.56"
    : RIGHT | {"B": 11},
    "C: line 1, dz3 = p - t, would give b1 ratio and cosine 8, 1.000": RIGHT | {"C": 1},
    "D: line 7, db2 = dz2.sum(), would give b2 ratio and cosine 0.117, 0.140": RIGHT | {"D": 7},
    "E: line 9, dz1 = do1 * (1 - np.tanh(o1)**2), would leave the signal do1 right. In the "
    "report it is wrong": RIGHT | {"E": 9},
    "F: line 8, do1 = dz2 @ W2, would make the signal do1 wrong. In the report it is right"
    : RIGHT | {"F": 8},
    "F: line 10, dW1 = x.T @ do1, would make W1 alone wrong": RIGHT | {"F": 10},
    "A: a line's number from 1 to 12 is asked, and this is 13 (int)": RIGHT | {"A": 13},
    "B: a line's number from 1 to 12 is asked, and this is 'dW1' (str)": RIGHT | {"B": "dW1"},
    "C: a line's number from 1 to 12 is asked, and this is True (bool)": RIGHT | {"C": True},
    "Right so far. Still open: C, D": RIGHT | {"C": ..., "D": None},
    "Still open: A, B, C, D, E, F.": {},
    "There is no report G": RIGHT | {"G": 1},
    "these are 5": list(RIGHT.values())[:5],
    "A dict such as": 7,
    "this is '1, 6, 3'": "1, 6, 3",
}  # fmt: skip


@pytest.mark.parametrize("answer", RIGHT_CULPRITS.values(), ids=RIGHT_CULPRITS)
def test_any_way_to_tell_the_lines_is_right(answer, store):
    assert checked("culprits", answer, store).solved


@pytest.mark.parametrize(("words", "answer"), WRONG_CULPRITS.items())
def test_a_wrong_culprit_is_told_what_it_would_show(words, answer, store):
    note = checked("culprits", answer, store)
    assert note.mark == "✗"
    assert words in note.text


RIGHT_LINES = """
dz3 = (p - t) / N
do2 = dz3 @ W3.T
dz2 = do2 * (1 - o2**2)
do1 = dz2 @ W2.T
dz1 = do1 * (1 - o1**2)
dW1 = x.T @ dz1; dW2 = o1.T @ dz2; dW3 = o2.T @ dz3
db1 = dz1.sum(axis=0); db2 = dz2.sum(axis=0); db3 = dz3.sum(axis=0)
dW1 += l2 * W1; dW2 += l2 * W2; dW3 += l2 * W3
"""


def made_by(lines):
    """Return the tensors' gradients and the two signals that lines of code compute."""
    net, x, y = small_network()
    seen = {**net.params, "x": x, "N": len(x), "t": np.eye(3)[y], "l2": 0.1, "np": np}
    o1 = np.tanh(x @ net.params["W1"] + net.params["b1"])
    o2 = np.tanh(o1 @ net.params["W2"] + net.params["b2"])
    logits = o2 @ net.params["W3"] + net.params["b3"]
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    seen |= {"o1": o1, "o2": o2, "p": e / e.sum(axis=1, keepdims=True)}
    exec(lines, seen)  # noqa: S102 - lines of the lesson
    return {name: seen["d" + name] for name in NAMES}, {k: seen[k] for k in ("do2", "do1")}


def with_line(number):
    """Return the right lines with one that stands in the place of its own."""
    line = LINES[number].split(",")[0] if " for " in LINES[number] else LINES[number]
    made = line.split(" ")[:2]  # what it makes, by = or +=
    if " for " in LINES[number]:  # of one tensor, and so for the others
        return "\n".join([*RIGHT_LINES.split("\n")[:-2],
                          *(line.replace("W1", f"W{k}") for k in (1, 2, 3))])  # fmt: skip
    statements = [one for row in RIGHT_LINES.split("\n") for one in row.split("; ")]
    assert sum(one.split(" ")[:2] == made for one in statements) == 1
    return "\n".join(line if one.split(" ")[:2] == made else one for one in statements)


def test_what_is_seen_with_each_line_is_what_the_line_computes():
    right, signals = made_by(RIGHT_LINES)
    net, x, y = small_network(l2=0.1)
    for name, n in net.gradient(x, y).items():
        np.testing.assert_allclose(right[name], n, rtol=1e-12, atol=1e-15)
    for number in LINES:
        wrong, wrong_signals = made_by(with_line(number))
        told = {}
        for name, n in right.items():
            a = np.broadcast_to(wrong[name], n.shape)
            if not np.allclose(a, n, rtol=1e-9, atol=1e-12):
                dot, of_n = (a * n).sum(), (n * n).sum()
                told[name] = (dot / of_n, dot / np.sqrt((a * a).sum() * of_n))
        seen = seen_with(number)
        assert list(seen.tensors) == list(told), LINES[number]
        for name, pair in told.items():
            assert seen.tensors[name] == pytest.approx(pair, rel=1e-9), (LINES[number], name)
        assert seen.signals == tuple(
            k for k, n in signals.items() if not np.allclose(wrong_signals[k], n, rtol=1e-9)
        )


def test_the_untouched_stub_of_culprits(store):
    for stub in (dict.fromkeys(RIGHT, ...), ..., None, [None] * 6):
        assert checked("culprits", stub, store).mark == "○"


def test_no_two_lines_show_the_same_and_each_wrong_pick_has_a_true_message():
    for letter, right in REPORTS.items():
        for line in LINES:
            message = find_wrong_culprit(RIGHT | {letter: line})
            assert (message == "") == (line == right)
            if line == right:
                continue
            is_so, would_be = seen_with(right), seen_with(line)
            for name in NAMES:
                if f"give {name} ratio and cosine" in message:
                    numbers = [f"{seen.tensors[name][0]:.3g}, " for seen in (would_be, is_so)]
                    assert numbers[0] != numbers[1]
                    assert all(number in message for number in numbers)
            if " alone wrong" in message or "every tensor wrong" in message:
                assert list(is_so.tensors) != list(would_be.tensors)
            if "signal" in message:
                assert is_so.tensors.keys() == would_be.tensors.keys()
                assert is_so.signals != would_be.signals


def test_the_lines_are_those_of_the_museum():
    """What numpy computes in the exercise is what the museum's bugs compute."""
    net, x, y = small_network(l2=0.1)
    n = net.gradient(x, y)
    museum = {1: ("missing_1_over_n", None), 2: ("flipped_sign", None), 3: ("missing_label", None),
              4: ("double_1_over_n", None), 11: ("doubled_l2", None), 12: ("negated_l2", None),
              6: ("bias_mean", 2), 7: ("bias_summed_without_axis", 2),
              5: ("missing_activation_derivative", 2), 8: ("missing_transpose", 2),
              9: ("activation_derivative_at_output", 1)}  # fmt: skip
    for line, (bug, layer) in museum.items():
        a = gl.bugs.plant(net, bug, layer).gradient(x, y)
        tensors = seen_with(line).tensors
        for name in NAMES:
            told = np.vdot(a[name], n[name]) / np.vdot(n[name], n[name])
            assert tensors.get(name, (1, 1))[0] == pytest.approx(told, rel=1e-9)


# -- signature ---------------------------------------------------------------------------------


def by_lstsq(a, n, W):
    a, n, W = a.ravel(), n.ravel(), W.ravel()
    delta = a - n
    if np.abs(delta).max() < 1e-6 * np.abs(n).max():
        return "right", 1.0
    c = np.linalg.lstsq(n[:, None], a, rcond=None)[0][0]
    if np.linalg.norm(a - c * n) < 1e-4 * np.linalg.norm(delta):
        return "factor", c
    c = np.linalg.lstsq(W[:, None], delta, rcond=None)[0][0]
    fits = np.abs(delta - c * W).max() < 1e-4 * np.abs(delta).max()
    return ("along W", c) if fits else ("other", None)


def by_cosines(a, n, W):
    def cosine(u, v):
        return np.vdot(u, v) / (np.linalg.norm(u) * np.linalg.norm(v))

    if not a.any():
        return ["factor", np.float64(0)]
    if np.allclose(a, n, rtol=1e-5, atol=1e-8):
        return ["right", 1]
    if abs(cosine(a, n)) > 1 - 1e-9:
        return ["factor", np.vdot(a, n) / np.vdot(n, n)]
    if abs(cosine(a - n, W)) > 1 - 1e-7:
        return ["along W", np.vdot(a - n, W) / np.vdot(W, W)]
    return ["other", None]


def by_quotients(a, n, W):
    large = np.abs(n) > 1e-4 * np.abs(n).max()
    if np.abs(a - n).max() <= 1e-6 * np.abs(n).max():
        return "right", 1
    q = a[large] / n[large]
    if np.ptp(q) < 1e-4 * max(1, np.abs(q).max()):
        return "factor", float(np.median(q))
    q = (a - n) / W
    close = np.ptp(q) < 1e-3 * np.abs(q).max()
    return ("along W", float(np.median(q))) if close else ("other", None)


def by_svd(a, n, W):
    def is_along(u, v):
        pair = np.stack([w.ravel() / np.linalg.norm(w) for w in (u, v)])
        return np.linalg.svd(pair, compute_uv=False)[1] < 1e-4

    delta, norm = a - n, np.linalg.norm
    if norm(delta) < 1e-6 * norm(n):
        return "right", 1
    if not a.any():
        return "factor", 0
    if is_along(a, n):
        return "factor", np.sign(np.vdot(a, n)) * norm(a) / norm(n)
    if is_along(delta, W):
        return "along W", np.sign(np.vdot(delta, W)) * norm(delta) / norm(W)
    return "other", "nothing"


def by_loops(a, n, W):
    def dot(u, v):
        return sum(p * q for p, q in zip(u, v, strict=True))

    a, n, W = ([float(v) for v in w.ravel()] for w in (a, n, W))
    delta = [p - q for p, q in zip(a, n, strict=True)]
    if dot(delta, delta) < 1e-12 * dot(n, n):
        return ("right", 1.0)
    for word, left, unit in (("factor", a, n), ("along W", delta, W)):
        c = dot(left, unit) / dot(unit, unit)
        rest = [p - c * q for p, q in zip(left, unit, strict=True)]
        if dot(rest, rest) < 1e-8 * dot(delta, delta):
            return (word, c)
    return ("other", None)


def by_rank(a, n, W):
    if np.allclose(a, n, atol=1e-7):
        return "right", 1
    for word, left, unit in (("factor", a, n), ("along W", a - n, W)):
        c = (left * unit).sum() / (unit**2).sum()
        if np.allclose(left, c * unit, rtol=1e-4, atol=1e-7):
            return word, c
    return "other", np.nan


class Reader:
    """A callable object is as good as a function."""

    def __call__(self, a, n, W):
        return signature(a, n, W)


RIGHT_SIGNATURES = [
    signature, by_lstsq, by_cosines, by_quotients, by_svd, by_loops, by_rank, Reader(),
    lambda *tensors: signature(*tensors),
]  # fmt: skip


@pytest.mark.parametrize("answer", RIGHT_SIGNATURES)
def test_any_right_reader_is_right(answer, store):
    assert checked("signature", answer, store).solved


def instead(word, change):
    """Return a right reader, but for the number of one word."""

    def reader(a, n, W):
        found, c = signature(a, n, W)
        return (found, change(a, n, W, c)) if found == word else (found, c)

    return reader


def when(test, answer):
    """Return a right reader, but for what `test` catches first."""

    def reader(a, n, W):
        return answer(a, n) if test(a, n, W) else signature(a, n, W)

    return reader


def best(a, n):
    return "factor", np.vdot(a, n) / np.vdot(n, n)


def cosine(a, n):
    return np.vdot(a, n) / (np.linalg.norm(a) * np.linalg.norm(n)) if a.any() else 1


def norm_ratio(a, n):
    return np.linalg.norm(a - n) / (np.linalg.norm(a) + np.linalg.norm(n))


def left_beside_a(a, n):
    return np.linalg.norm(a - best(a, n)[1] * n) <= 2e-2 * np.linalg.norm(a)


def exact(a, n, W):
    return signature(a, n, W) if np.array_equal(a, n) or norm_ratio(a, n) > 1e-6 else best(a, n)


def a_along_w(a, n, W):
    word, c = signature(a, n, W)
    return ("other", None) if word == "along W" and abs(cosine(a, W)) < 0.999 else (word, c)


def spoils(a, n, W):
    a -= n
    return "other", None


def no_factors(a, n, W):
    word, c = signature(a, n, W)
    return ("other", None) if word == "factor" and c == 0 else (word, c)


def first_only(a, n, W):
    return ("right", 1) if norm_ratio(a, n) < 1e-6 else None


WRONG_SIGNATURES = {
    "right code, W1: the code is right. a and n agree to": exact,
    "doubled l2, with L2, W3: it says factor. The cosine of a and n is 0.9800": when(
        lambda a, n, W: abs(cosine(a, n)) > 0.97 and norm_ratio(a, n) > 0.1, best
    ),
    "a - n is -0.1 times W, and it says other. Compare a - n, not a, with W.": a_along_w,
    "flipped sign, W1: a = -1 n, and it says c = 1. A quotient of norms has no sign.": instead(
        "factor", lambda a, n, W, c: np.linalg.norm(a) / np.linalg.norm(n)
    ),
    "missing 1 over n, W2: a = 8 n, and it says c = 0.125. That is n over a.": instead(
        "factor", lambda a, n, W, c: 1 / c if c else c
    ),
    "came out as np.float64(nan) (float64). An entry of n is 0 there": instead(
        "factor", lambda a, n, W, c: np.mean(a / n)
    ),
    "a - n = -0.1 W, and it says c = 0.1. The sign is the other one: take a - n.": instead(
        "along W", lambda a, n, W, c: -c
    ),
    "a - n = -0.1 W, and it says c = -10. That is W over a - n.": instead(
        "along W", lambda a, n, W, c: 1 / c
    ),
    "a = 8 n, and it says c = 9.": instead("factor", lambda a, n, W, c: c + 1),
    "updated weights, W1: it says factor. The cosine of a and n is 0.9999": when(
        lambda a, n, W: norm_ratio(a, n) > 1e-6 and left_beside_a(a, n), best
    ),
    "sigmoid, W1: it says factor. The cosine of a and n is 0.9989": when(
        lambda a, n, W: 0.998 < cosine(a, n) < 0.9995 and norm_ratio(a, n) > 0.1, best
    ),
    "updated weights, W1: a is off by 0.017 of the size of n, and round-off by some 1e-9": when(
        lambda a, n, W: norm_ratio(a, n) < 1e-2, lambda a, n: ("right", 1)
    ),
    "a gradient of zeros, W1: every entry of a is 0, so a = 0 · n": no_factors,
    "c came out as None (NoneType). One finite number is asked": instead(
        "factor", lambda a, n, W, c: None
    ),
    "It changes the arrays": spoils,
    "A pair is asked": lambda a, n, W: "wrong",
    "its word is one of right, factor, along W, other": lambda a, n, W: ("multiple", 8),
    "missing 1 over n, W2: it returned nothing": first_only,
    "Hand over the function itself": ("factor", 8),
    "TypeError": lambda a: a,
}


@pytest.mark.parametrize(("words", "answer"), WRONG_SIGNATURES.items())
def test_a_wrong_reader_is_told_its_mistake(words, answer, store):
    note = checked("signature", answer, store)
    assert note.mark == "✗"
    assert words in note.text
    assert store.solved() == set()


def test_the_untouched_stub_of_signature(store):
    assert checked("signature", lambda a, n, W: ..., store).mark == "○"


def test_the_cases_are_what_they_are_called():
    assert len(cases()) == 21
    for case in cases():
        delta, size = case.a - case.n, np.linalg.norm(case.n)
        if case.word == "right":
            assert np.linalg.norm(delta) < 1e-8 * size
        elif case.word == "factor":
            assert case.a == pytest.approx(case.c * case.n, rel=1e-5, abs=1e-8)
        elif case.word == "along W":
            assert delta == pytest.approx(case.c * case.W, rel=1e-5, abs=1e-8)
        else:
            assert abs(cosine(case.a, case.n)) < 0.9999
            assert abs(cosine(delta, case.W)) < 0.99


# -- predictions -------------------------------------------------------------------------------


def test_ratios_with_l2():
    question = QUESTIONS["ratios_with_l2"]
    assert "N = 8; L2 is right, with λ = 0.1" in question.question
    for l2, told in ((0.1, question.right), (1, "between 1 and 1.5")):
        net, x, y = small_network(l2=l2)
        a, n = gl.bugs.plant(net, "missing_1_over_n").gradient(x, y), net.gradient(x, y)
        assert len(x) == 8
        least, most = (float(number) for number in re.findall(r"[\d.]+", told))
        for name in n:
            ratio = np.vdot(a[name], n[name]) / np.vdot(n[name], n[name])
            assert least < ratio < most if name[0] == "W" else ratio == pytest.approx(8)


def test_one_example():
    net, x, y = small_network(l2=0.1)
    names = gl.bugs.names(net)
    unseen = [b for b in names if not gl.check(gl.bugs.plant(net, b), x[:1], y[:1]).wrong]
    assert len(names) == 20
    assert unseen == ["missing_1_over_n", "double_1_over_n", "softmax_over_batch", "bias_mean",
                      "l2_over_n"]  # fmt: skip
    assert all(gl.check(gl.bugs.plant(net, bug), x, y).wrong for bug in names)

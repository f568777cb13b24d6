"""Lesson 07's exercise knows the mistakes that people make."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.exercise import Exercise
from gradlab.course.tasks import TASKS
from gradlab.course.tasks import regularization as lesson


def numerical(loss, theta, lam, eps=1e-4):
    units = eps * np.eye(theta.size)
    return np.array([(loss(theta + u, lam) - loss(theta - u, lam)) / (2 * eps) for u in units])


def name_of(data, penalty):
    names = {(True, True): "right", (False, True): "data", (True, False): "penalty"}
    return names.get((bool(data), bool(penalty)), "both")


def entry_by_entry(loss, gradient, theta):
    a, n = gradient(theta, 0), numerical(loss, theta, 0)
    da, dn = gradient(theta, 1) - a, numerical(loss, theta, 1) - n
    return name_of(np.allclose(a, n, atol=1e-6), np.allclose(da, dn, atol=1e-6))


def in_place(loss, gradient, theta):
    def off(lam):
        n = np.zeros_like(theta)
        for i in range(len(theta)):
            saved, values = theta[i], []
            for step in (1e-5, -1e-5):
                theta[i] = saved + step
                values.append(loss(theta, lam))
            theta[i] = saved
            n[i] = (values[0] - values[1]) / 2e-5
        return gradient(theta, lam) - n

    at_zero = off(0.0)
    return name_of(np.abs(at_zero).max() < 1e-6, np.abs(off(2.0) - at_zero).max() < 1e-6)


def small_and_large(loss, gradient, theta):
    at_zero = gl.norm_ratio(gradient(theta, 0.0), numerical(loss, theta, 0.0)) < 1e-6
    a = (gradient(theta, 4.0) - gradient(theta, 2.0)) / 2
    n = (numerical(loss, theta, 4.0) - numerical(loss, theta, 2.0)) / 2
    return np.str_(name_of(at_zero, gl.norm_ratio(a, n) < 1e-6))


def by_check_function(loss, gradient, theta):
    data = gl.check_function(lambda t: loss(t, 0.0), lambda t: gradient(t, 0.0), theta)
    penalty = gl.check_function(
        lambda t: loss(t, 1.0) - loss(t, 0.0), lambda t: gradient(t, 1.0) - gradient(t, 0.0), theta
    )
    return name_of(data.verdict != "wrong", penalty.verdict != "wrong")


def one_direction(loss, gradient, theta):
    v = np.random.default_rng(0).standard_normal(theta.size)

    def off(lam):
        n = (loss(theta + 1e-5 * v, lam) - loss(theta - 1e-5 * v, lam)) / 2e-5
        return v @ gradient(theta, lam) - n

    return name_of(abs(off(0.0)) < 1e-7, abs(off(1.0) - off(0.0)) < 1e-7)


def complex_step(loss, gradient, theta):
    units = 1e-30j * np.eye(theta.size)
    n = [np.array([loss(theta + u, lam).imag / 1e-30 for u in units]) for lam in (0.0, 1.0)]
    a = [gradient(theta, lam) for lam in (0.0, 1.0)]
    return name_of(np.allclose(a[0], n[0]), np.allclose(a[1] - a[0], n[1] - n[0]))


def negative_lambda(loss, gradient, theta):
    pairs = [(gradient(theta, k), numerical(loss, theta, k)) for k in (0.0, -3.0)]
    (a, n), (b, m) = pairs
    return name_of(gl.norm_ratio(a, n) < 1e-6, gl.norm_ratio(b - a, m - n) < 1e-6)


RIGHT = (
    lesson.which_part, entry_by_entry, in_place, small_and_large, by_check_function, one_direction,
    complex_step, negative_lambda,
)  # fmt: skip


def at(lam, limit=1e-6):
    """Return a `which_part` that makes one check, and calls what fails the data part."""

    def function(loss, gradient, theta):
        good = gl.norm_ratio(gradient(theta, lam), numerical(loss, theta, lam)) < limit
        return "right" if good else "data"

    return function


def no_difference(loss, gradient, theta):
    data, both = (
        gl.norm_ratio(gradient(theta, k), numerical(loss, theta, k)) < 1e-6 for k in (0.0, 1.0)
    )
    return name_of(data, both)


def loose(loss, gradient, theta):
    (a, n), (b, m) = ((gradient(theta, k), numerical(loss, theta, k)) for k in (0.0, 1.0))
    return name_of(gl.norm_ratio(a, n) < 1e-2, gl.norm_ratio(b - a, m - n) < 1e-2)


def forward(loss, gradient, theta):
    units = 1e-3 * np.eye(theta.size)
    n = [np.array([(loss(theta + u, k) - loss(theta, k)) / 1e-3 for u in units]) for k in (0, 1)]
    a = [gradient(theta, k) for k in (0, 1)]
    good = [gl.norm_ratio(a[k] - k * a[0], n[k] - k * n[0]) < 1e-6 for k in (0, 1)]
    return name_of(*good)


def swamped(loss, gradient, theta):
    (a, n), (b, m) = ((gradient(theta, k), numerical(loss, theta, k)) for k in (1e6, 2e6))
    return name_of(gl.norm_ratio(a, n) < 1e-4, gl.norm_ratio(b - a, m - n) < 1e-4)


def the_whole_for_the_penalty(loss, gradient, theta):
    """At lambda = 1e4 the data part is meant to be swamped; beside a weak penalty it is not."""
    (a, n), (b, m) = ((gradient(theta, k), numerical(loss, theta, k)) for k in (0.0, 1e4))
    return name_of(gl.norm_ratio(a, n) < 1e-6, gl.norm_ratio(b, m) < 1e-4)


def lost(loss, gradient, theta):
    a, n = gradient(theta, 0.0), numerical(loss, theta, 0.0)
    b, m = gradient(theta, 1e-12), numerical(loss, theta, 1e-12)
    return name_of(gl.norm_ratio(a, n) < 1e-6, gl.norm_ratio(b, m) < 1e-6)


def expects_lambda_w(loss, gradient, theta):
    a, n = gradient(theta, 0.0), numerical(loss, theta, 0.0)
    net = lesson.network()[0]
    w = net.unroll({k: v * (k[0] == "W") for k, v in net.params.items()})
    return name_of(gl.norm_ratio(a, n) < 1e-6, np.allclose(gradient(theta, 1.0) - a, w))


def biases_at_zero(loss, gradient, theta):
    t = theta.copy()
    for name, (start, stop, _) in lesson.network()[0].tensors.items():
        t[start:stop] *= name[0] == "W"
    return lesson.which_part(loss, gradient, t)


def cosine_only(loss, gradient, theta):
    def along(a, n):
        size = np.linalg.norm(a) * np.linalg.norm(n)
        return size > 0 and a @ n > 0.999999 * size

    a, n = gradient(theta, 0.0), numerical(loss, theta, 0.0)
    b, m = gradient(theta, 1.0) - a, numerical(loss, theta, 1.0) - n
    return name_of(along(a, n), along(b, m))


def moves_theta(loss, gradient, theta):
    theta *= 2
    return lesson.which_part(loss, gradient, theta)


def no_comparison(loss, gradient, theta):
    return "right" if np.any(gradient(theta, 1.0)) else "data"


def says_nothing(loss, gradient, theta):
    gradient(theta, 1.0)


WRONG = {
    "L2 missing in the gradient: your which_part says 'data', and it is 'penalty'. With one": at(
        1.0
    ),
    "says 'right', and it is 'penalty'. At lambda = 0 alone": at(0.0),
    "right code: your which_part says 'data', and it is 'right'": at(1.0, 1e-14),
    "says 'both', and it is 'data'. If you look at one lambda other than 0 as it is": no_difference,
    "one bias's data part 20 % too large: your which_part says 'right', and it is 'data'. Its data "
    "part is off by a norm ratio of 2e-03": loose,
    "'both', and it is 'right'. Right code agrees to about 1e-8": forward,
    "beside a penalty of lambda/1000: your which_part says 'both', and it is 'data'": (
        the_whole_for_the_penalty
    ),
    "At lambda = 2e+06 the loss is so large": swamped,
    "At lambda = 1e-12 the penalty is lost": lost,
    "with lambda/(2N) in both: your which_part says 'penalty', and it is 'right'": expects_lambda_w,
    "biases penalized in the loss alone: your which_part says 'right'": biases_at_zero,
    "L2 doubled in the gradient: your which_part says 'right', ": cosine_only,
    "theta comes back changed": moves_theta,
    "It never calls loss": no_comparison,
    "It computes, and returns nothing": says_nothing,
    "It returned (True, True) (tuple)": lambda loss, gradient, theta: (True, True),
    "one of 'right', 'data', 'penalty', 'both'": lambda loss, gradient, theta: "L2",
    "Hand over the function itself": "data",
    "ZeroDivisionError": lambda loss, gradient, theta: 1 / 0,
}


def check(answer, store):
    return Exercise(TASKS["which_part"], store).check(answer)


@pytest.mark.parametrize("answer", RIGHT, ids=lambda answer: answer.__name__)
def test_any_way_to_tell_the_parts_apart_is_right(answer, store):
    note = check(answer, store)
    assert note.solved, note.text


@pytest.mark.parametrize("words", WRONG)
def test_a_mistake_gets_its_own_message(words, store):
    note = check(WRONG[words], store)
    assert note.mark == "✗"
    assert words in note.text, note.text
    assert store.solved() == set()


@pytest.mark.parametrize("value", [...])
def test_an_untouched_body_is_a_stub(value, store):
    assert check(lambda loss, gradient, theta: value, store).mark == "○"


def exact(loss, theta, lam):
    units = 1e-30j * np.eye(theta.size)
    return np.array([loss(theta + unit, lam).imag / 1e-30 for unit in units])


def test_each_program_is_wrong_where_it_says_so():
    theta = lesson.network()[0].theta
    for program in lesson.programs():
        a, n = program.gradient(theta, 0.0), exact(program.loss, theta, 0.0)
        b = program.gradient(theta, 1.0) - a
        m = exact(program.loss, theta, 1.0) - n
        good = [bool(gl.norm_ratio(*pair) < 1e-12) for pair in ((a, n), (b, m))]
        assert name_of(*good) == program.part, program.name
    assert {program.part for program in lesson.programs()} == set(lesson.PARTS)


#: The data part's factor, and what multiplies lambda times W, and times b: in the loss's slope, and
#: in the gradient.
AS_NAMED = {
    "right code": (1, (1, 0), (1, 0)),
    "L2 missing in the gradient": (1, (1, 0), (0, 0)),
    "the data part's sign flipped": (-1, (1, 0), (1, 0)),
    "right code, with lambda/(2N) in both": (1, (1 / 8, 0), (1 / 8, 0)),
    "right code, biases penalized in both": (1, (1, 1), (1, 1)),
    "L2 doubled in the gradient": (1, (1, 0), (2, 0)),
    "L2 divided by N in the gradient alone": (1, (1, 0), (1 / 8, 0)),
    "L2 subtracted": (1, (1, 0), (-1, 0)),
    "biases penalized in the loss alone": (1, (1, 1), (1, 0)),
    "tanh' forgotten": (None, (1, 0), (1, 0)),
    "the data part's sign flipped, beside a penalty of lambda/1000": (
        -1, (1e-3, 0), (1e-3, 0)),
    "the data part not divided by N": (8, (1, 0), (1, 0)),
    "one bias's data part 20 % too large": ("a bias", (1, 0), (1, 0)),
    "all of it negated": (-1, (1, 0), (-1, 0)),
    "the data part doubled, and L2 missing": (2, (1, 0), (0, 0)),
    "the data part not divided by N, and half of L2": (8, (1, 0), (1 / 2, 0)),
}  # fmt: skip


def test_each_program_does_what_its_name_says():
    net, x, y = lesson.network()
    theta = net.theta
    of_W = net.unroll({k: np.full(v.shape, k[0] == "W") for k, v in net.params.items()}) > 0
    data = net.unroll(net.gradient(x, y))
    for program in lesson.programs():
        factor, *weights = AS_NAMED[program.name]
        a = program.gradient(theta, 0.0)
        n = exact(program.loss, theta, 0.0)
        np.testing.assert_allclose(n, data, rtol=1e-10, atol=1e-14)
        slopes = exact(program.loss, theta, 2.0) - n, program.gradient(theta, 2.0) - a
        for slope, (W, b) in zip(slopes, weights, strict=True):
            np.testing.assert_allclose(slope, 2 * np.where(of_W, W, b) * theta, atol=1e-12)
        if factor == "a bias":
            assert sorted((a / data).round(9))[-2:] == [1, 1.2]
            assert not of_W[np.argmax(a / data)]
        elif factor is not None:
            np.testing.assert_allclose(a, factor * data, rtol=1e-10, atol=1e-14)
        else:
            p = net.params
            z, t = np.tanh(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"], np.eye(2)[y]
            up = (np.exp(z) / np.exp(z).sum(axis=1, keepdims=True) - t) / 8 @ p["W2"].T
            wrong = {**net.gradient(x, y), "W1": x.T @ up, "b1": up.sum(axis=0)}
            np.testing.assert_allclose(a, net.unroll(wrong), rtol=1e-10, atol=1e-14)
    assert list(AS_NAMED) == [program.name for program in lesson.programs()]

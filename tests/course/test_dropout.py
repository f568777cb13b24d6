"""Lesson 08's exercise knows the mistakes that people make."""

import copy
import json

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.exercise import Exercise
from gradlab.course.tasks import TASKS
from gradlab.course.tasks import dropout as lesson


def state_before_each_call(loss, rng):
    state = rng.bit_generator.state

    def f(theta):
        rng.bit_generator.state = state
        return loss(theta, rng)

    return f


def state_and_back(loss, rng):
    state = rng.bit_generator.state

    def f(theta):
        now = rng.bit_generator.state
        rng.bit_generator.state = state
        try:
            return loss(theta, rng)
        finally:
            rng.bit_generator.state = now

    return f


def by_json(loss, rng):
    kept = json.dumps(rng.bit_generator.state)

    def f(theta):
        again = np.random.default_rng()
        again.bit_generator.state = json.loads(kept)
        return loss(theta, again)

    return f


def a_new_generator(loss, rng):
    state = rng.bit_generator.state

    def f(theta):
        again = np.random.Generator(np.random.PCG64())
        again.bit_generator.state = state
        return loss(theta, again)

    return f


class Frozen:
    def __init__(self, loss, rng):
        self.loss, self.bits = loss, copy.deepcopy(rng.bit_generator)

    def __call__(self, theta):
        return self.loss(theta, np.random.Generator(copy.deepcopy(self.bits)))


def a_default_argument(loss, rng):
    def f(theta, start=copy.deepcopy(rng)):  # noqa: B008 - taken once, which is meant here
        return loss(theta, copy.deepcopy(start))

    return f


RIGHT = (
    lesson.frozen, state_and_back, by_json, a_new_generator, Frozen,
    a_default_argument,
)  # fmt: skip


def seeded_once(loss, rng):
    mine = np.random.default_rng(0)
    return lambda theta: loss(theta, mine)


def global_seed(loss, rng):
    def f(theta):
        np.random.seed(0)  # noqa: NPY002 - the mistake
        return loss(theta, rng)

    return f


def drawn_seed(loss, rng):
    seed = rng.integers(1 << 30)
    return lambda theta: loss(theta, np.random.default_rng(seed))


def stored(loss, rng):
    values = []

    def f(theta):
        values.append(loss(theta, copy.deepcopy(rng)))
        return values[0]

    return f


def copied_once(loss, rng):
    start = copy.deepcopy(rng)
    return lambda theta: loss(theta, start)


def at_the_call(loss, rng):
    return lambda theta: loss(theta, copy.deepcopy(rng))


def mean_of_many(loss, rng):
    return lambda theta: np.mean([loss(theta, rng) for _ in range(100)], axis=0)


def draws_after_freezing(loss, rng):
    start = copy.deepcopy(rng)
    rng.random()
    return lambda theta: loss(theta, copy.deepcopy(start))


def a_mask_for_each_theta(loss, rng):
    known = {}

    def f(theta):
        if theta.tobytes() not in known:
            known[theta.tobytes()] = copy.deepcopy(rng)
            rng.random(1000)
        return loss(theta, copy.deepcopy(known[theta.tobytes()]))

    return f


def flattens(loss, rng):
    start = copy.deepcopy(rng)
    return lambda theta: float(np.sum(loss(theta, copy.deepcopy(start))))


def shallow(loss, rng):
    start = copy.copy(rng)
    return lambda theta: loss(theta, copy.copy(start))


WRONG = {
    "copy.copy copies a Generator and not the bit_generator in it": shallow,
    "its state is rng's own": lambda loss, rng: lambda theta: loss(
        theta, np.random.Generator(rng.bit_generator)
    ),
    "leaves rng in another state than it found it": state_before_each_call,
    "The first is right: the stream goes on.": lambda loss, rng: lambda theta: loss(theta, rng),
    "they use different masks. Every call": seeded_once,
    "different masks. The first is right: the stream": global_seed,
    "frozen at numbers of its own": lambda loss, rng: lambda theta: loss(
        theta, np.random.default_rng(0)
    ),
    "It is frozen, and not at what rng would give next": drawn_seed,
    "the same number at every theta": stored,
    "The first is right: the stream goes on. Every": copied_once,
    "Somebody drew from rng between two calls": at_the_call,
    "Two calls at the same theta give": mean_of_many,
    "made after frozen(loss, rng), has other masks": draws_after_freezing,
    "returns shape () where gradient returns (123,)": flattens,
    "a function of theta is asked": lambda loss, rng: 0.5,
    "what loss returns is asked, a number": lambda loss, rng: lambda theta: (
        loss(theta, copy.deepcopy(rng)), 1,
    ),
    "At another theta it uses other masks": a_mask_for_each_theta,
    "It returned loss itself": lambda loss, rng: loss,
    "Hand over the function itself": 1.0,
    "ZeroDivisionError": lambda loss, rng: 1 / 0,
}  # fmt: skip


def check(answer, store):
    return Exercise(TASKS["frozen"], store).check(answer)


@pytest.mark.parametrize("answer", RIGHT, ids=lambda answer: answer.__name__)
def test_any_way_to_freeze_is_right(answer, store):
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
    assert check(lambda loss, rng: value, store).mark == "○"


@pytest.mark.parametrize("answer", RIGHT, ids=lambda answer: answer.__name__)
def test_what_is_frozen_can_be_checked(answer):
    net, loss, gradient = lesson.network()
    rng = np.random.default_rng(3)
    f, g = answer(loss, rng), answer(gradient, rng)
    assert gl.check_function(f, g, net.theta).verdict == "correct"


def test_a_drawn_seed_is_off_by_the_same_at_every_step_as_the_message_says():
    net, loss, gradient = lesson.network()
    rng = np.random.default_rng(3)
    f, g = drawn_seed(loss, rng), lesson.frozen(gradient, np.random.default_rng(3))
    ratios = []
    for eps in (1e-3, 1e-4, 1e-5):
        units = eps * np.eye(net.size)
        n = np.array([(f(net.theta + u) - f(net.theta - u)) / (2 * eps) for u in units])
        ratios.append(gl.norm_ratio(g(net.theta), n))
    assert ratios[0] > 0.1
    assert np.allclose(ratios, ratios[0], rtol=0.01)

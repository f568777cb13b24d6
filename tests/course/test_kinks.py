"""Lesson 06's exercises know the mistakes that people make, and its predictions hold."""

import re

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.exercise import Exercise
from gradlab.course.tasks import QUESTIONS, TASKS
from gradlab.course.tasks import kinks as lesson

MACHINE_EPS = 2.2e-16


# -- is_bug: answers -----------------------------------------------------------------------------


def moved(theta, i, step):
    theta = theta.copy()
    theta[i] += step
    return theta


def one_sided(loss, theta, i, step):
    return (loss(moved(theta, i, step)) - loss(theta)) / step


def central(loss, theta, i, eps):
    return (loss(moved(theta, i, eps)) - loss(moved(theta, i, -eps))) / (2 * eps)


def rounding(loss, theta, eps):
    return 20 * MACHINE_EPS * abs(loss(theta)) / eps


def near(a, slope, slack, limit=1e-2):
    return abs(a - slope) <= limit * max(abs(a), abs(slope)) + slack


def either_side(loss, theta, i, a):
    slack = rounding(loss, theta, 1e-7)
    return not any(near(a, one_sided(loss, theta, i, s), slack) for s in (1e-7, -1e-7))


def either_side_or_the_mean(loss, theta, i, a):
    for eps in (1e-5, 1e-7):
        right, left = one_sided(loss, theta, i, eps), one_sided(loss, theta, i, -eps)
        slack = rounding(loss, theta, eps)
        if any(near(a, slope, slack) for slope in (right, left, (right + left) / 2)):
            return np.False_
    return np.True_


def gap_as_tolerance(loss, theta, i, a):
    right, left = one_sided(loss, theta, i, 1e-7), one_sided(loss, theta, i, -1e-7)
    allowed = 0.51 * abs(right - left) + 1e-2 * abs(a) + rounding(loss, theta, 1e-7)
    return np.abs(a - (right + left) / 2) > allowed


def ladder_then_sides(loss, theta, i, a):
    for eps in (1e-4, 1e-5, 1e-6, 1e-7):
        if near(a, central(loss, theta, i, eps), rounding(loss, theta, eps), 1e-3):
            return False
    return either_side(loss, theta, i, a)


def in_place(loss, theta, i, a):
    saved, losses = theta[i], []
    for step in (-1e-7, 0, 1e-7):
        theta[i] = saved + step
        losses.append(loss(theta))
    theta[i] = saved
    left, right = np.diff(losses) / 1e-7
    slack = 1e-2 * abs(a) + 20 * MACHINE_EPS * abs(losses[1]) / 1e-7
    low, high = min(left, right) - slack, max(left, right) + slack
    return np.array(np.clip(a, low, high) != a)


def three_points(loss, theta, i, a):
    slack = rounding(loss, theta, 1e-7)
    slopes = [
        (4 * loss(moved(theta, i, s / 2)) - 3 * loss(theta) - loss(moved(theta, i, s))) / s
        for s in (1e-6, -1e-6)
    ]
    return all(not near(a, slope, slack) for slope in slopes)


def complex_step(loss, theta, i, a):
    slope = loss(theta + 1e-30j * np.eye(len(theta))[i]).imag / 1e-30
    return bool(abs(a - slope) > 1e-6 * max(abs(a), abs(slope)))


def a_list(loss, theta, i, a):
    point = list(theta)
    values = []
    for step in (-1e-7, 0.0, 1e-7):
        point[i] = theta[i] + step
        values.append(float(loss(np.array(point))))
    slopes = sorted(((values[1] - values[0]) / 1e-7, (values[2] - values[1]) / 1e-7))
    slack = 1e-2 * abs(a) + 1e-14 * abs(values[1]) / 1e-7
    return a < slopes[0] - slack or a > slopes[1] + slack


RIGHT = (
    lesson.is_bug, either_side_or_the_mean, gap_as_tolerance, ladder_then_sides,
    in_place, a_list,
)  # fmt: skip


def central_at(eps, limit):
    def function(loss, theta, i, a):
        return bool(not near(a, central(loss, theta, i, eps), 0, limit))

    return function


def wide_with_both_sides(loss, theta, i, a):
    right, left = one_sided(loss, theta, i, 1e-3), one_sided(loss, theta, i, -1e-3)
    return not (min(right, left) - abs(a) / 100 <= a <= max(right, left) + abs(a) / 100)


def kinks_are_no_bugs(loss, theta, i, a):
    right, left = one_sided(loss, theta, i, 1e-5), one_sided(loss, theta, i, -1e-5)
    slack = rounding(loss, theta, 1e-5)
    return near(right, left, slack) and not near(a, (right + left) / 2, slack)


def stays_so_a_bug(loss, theta, i, a):
    loss(theta)
    off = [abs(a - central(loss, theta, i, eps)) for eps in (1e-5, 1e-7)]
    return bool(off[1] > 1e-2 * abs(a) and np.isclose(*off, rtol=0.1))


def leaves_it_moved(loss, theta, i, a):
    theta[i] += 1e-7
    return False


def says_nothing(loss, theta, i, a):
    central(loss, theta, i, 1e-5)


def theta_alone(loss, theta, i, a):
    return loss(theta) > 0 and a in (lesson.cases()[k].a for k in (1, 2, 4, 5, 6, 7, 8))


def left_alone(loss, theta, i, a):
    return not near(a, one_sided(loss, theta, i, -1e-7), rounding(loss, theta, 1e-7))


def right_alone(loss, theta, i, a):
    return not near(a, one_sided(loss, theta, i, 1e-7), rounding(loss, theta, 1e-7))


def no_allowance(loss, theta, i, a):
    slopes = [one_sided(loss, theta, i, s) for s in (1e-9, -1e-9)]
    return all(not near(a, slope, 1e-8 if abs(a) > 1e-2 else 0) for slope in slopes)


def too_far(loss, theta, i, a):
    slack = rounding(loss, theta, 5e-5)
    return not any(near(a, one_sided(loss, theta, i, s), slack, 0.02) for s in (5e-5, -5e-5))


def customary_step_unless_on_a_kink(loss, theta, i, a):
    slack = rounding(loss, theta, 1e-7)
    right, left = one_sided(loss, theta, i, 1e-7), one_sided(loss, theta, i, -1e-7)
    if near(right, left, slack):
        return not near(a, central(loss, theta, i, 1e-5), slack)
    return either_side(loss, theta, i, a)


def strict(eps):
    def function(loss, theta, i, a):
        slopes = [one_sided(loss, theta, i, step) for step in (eps, -eps)]
        return bool(not min(slopes) <= a <= max(slopes))

    return function


def inverted(loss, theta, i, a):
    return not lesson.is_bug(loss, theta, i, a)


def inverted_and_raises_later(loss, theta, i, a):
    if abs(loss(theta)) > 100:
        raise ZeroDivisionError
    return inverted(loss, theta, i, a)


WRONG = {
    "a is their mean, 0.0720, as if relu'(0) were 1/2. What lies between": either_side,
    "What lies between the two is no bug either": three_points,
    "the slope on the left comes out 2e-06 beside a: rounding and the step's length": strict(1e-5),
    "beside a: rounding and the step's length put it off. Allow for some": strict(1e-7),
    "It is the other way round in all": inverted,
    "and right backprop: your is_bug calls it a bug": inverted_and_raises_later,
    "sees only the mean of both slopes, and no step helps": central_at(1e-5, 1e-2),
    "With loss(theta) each side has a slope of its own": central_at(1e-7, 1e-2),
    "a slope that is twice too large: your is_bug lets it pass": central_at(1e-5, 0.6),
    "flipped in sign: your is_bug lets it pass. A kink excuses": kinks_are_no_bugs,
    "in other units, times a millionth": lambda loss, theta, i, a: bool(
        abs(a - central(loss, theta, i, 1e-5)) > 1e-4
    ),
    "Its shortest step is 1e-03: other kinks may lie within it": wide_with_both_sides,
    "proves no bug here: so does a kink's": stays_so_a_bug,
    "on the right only": right_alone,
    "on the left only": left_alone,
    "Here backprop takes relu'(0) = 1, which is as good as 0": complex_step,
    "A kink lies 3e-6 beside theta, and this slope is the one behind it": too_far,
    "A kink lies 3e-6 beside theta, backprop is right": customary_step_unless_on_a_kink,
    "It never calls loss": lambda loss, theta, i, a: False,
    "evaluates loss at theta alone": theta_alone,
    "about 1e-13, over your step": no_allowance,
    "theta comes back changed": leaves_it_moved,
    "returns nothing: return True or False": says_nothing,
    "True (a bug) or False (none) is asked": lambda loss, theta, i, a: abs(
        a - central(loss, theta, i, 1e-5)
    ),
    "Hand over the function itself": True,
    "ZeroDivisionError": lambda loss, theta, i, a: 1 / 0,
}


def check(name, answer, store):
    return Exercise(TASKS[name], store).check(answer)


@pytest.mark.parametrize("answer", RIGHT, ids=lambda answer: answer.__name__)
def test_any_right_way_to_tell_a_bug_is_right(answer, store):
    note = check("is_bug", answer, store)
    assert note.solved, note.text


@pytest.mark.parametrize("words", WRONG)
def test_a_mistake_about_bugs_gets_its_own_message(words, store):
    note = check("is_bug", WRONG[words], store)
    assert note.mark == "✗"
    assert words in note.text
    assert store.solved() == set()


def test_the_messages_numbers_are_the_cases_own():
    for case in lesson.cases():
        if case.kink or "1/2" in case.message:
            right = one_sided(case.loss, case.theta, case.i, 1e-7)
            left = one_sided(case.loss, case.theta, case.i, -1e-7)
            assert f"{left:.4f}" in case.message
            assert f"{right:.4f}" in case.message
            assert f"{case.a:.4f}" in case.message
            inside = min(left, right) - 1e-6 <= case.a <= max(left, right) + 1e-6
            assert inside != case.bug


def test_the_kink_beside_theta_is_where_the_message_says():
    beside = [case for case in lesson.cases() if "3e-6" in case.message]
    assert [case.bug for case in beside] == [False, False, True]
    for case in beside:
        slopes = [one_sided(case.loss, case.theta, case.i, s) for s in (1e-5, 2e-6, -2e-6, -1e-5)]
        assert np.isclose(slopes[1], slopes[2], rtol=1e-3)  # within 2e-6 there is none
        assert not np.allclose(slopes, slopes[1], rtol=1e-2)
    crossed, behind = beside[1:]
    assert np.array_equal(crossed.theta, behind.theta)
    far = one_sided(behind.loss, moved(behind.theta, behind.i, 4e-6), behind.i, 2e-6)
    back = one_sided(behind.loss, moved(behind.theta, behind.i, -4e-6), behind.i, -2e-6)
    assert np.isclose(behind.a, far, rtol=1e-3) or np.isclose(behind.a, back, rtol=1e-3)


def test_of_the_loss_of_1000_the_message_is_true():
    case = next(case for case in lesson.cases() if "1000" in case.message)
    assert round(case.loss(case.theta)) == 1000
    assert f"{case.a:.0e}" == "9e-04"
    assert 1e-13 <= np.spacing(1000.0) < 1.2e-13


def test_right_code_can_lie_outside_both_slopes_as_the_solution_says():
    x, y = np.array([[1.0, 0.0], [-1.0, 0.0], [0.5, 0.3]]), np.array([0, 1, 2])
    outside = 0
    for seed in range(20):
        net = gl.mlp([2, 1, 3], activation="relu", weight_scale=0.5, seed=seed)
        net.params["W1"][0, 0] = 0.0
        loss, theta = net.loss_function(x, y), net.theta
        a = net.unroll(net.gradient(x, y))[net.tensors["W1"][0]]
        i = net.tensors["W1"][0]
        slopes = [one_sided(loss, theta, i, step) for step in (1e-7, -1e-7)]
        outside += not min(slopes) - 1e-6 <= a <= max(slopes) + 1e-6
    assert outside > 5


# -- max_pool_backward: answers ------------------------------------------------------------------


def masked(x):
    w = lesson.windows(np.asarray(x, float))
    return w == w.max(axis=-1, keepdims=True)


def spread(dout):
    return np.asarray(dout)[..., None] * np.ones(4)


def pixels(per_window):
    """Put the four pixels of each window back in their places."""
    n, rows, columns, _ = per_window.shape
    split = per_window.reshape(n, rows, columns, 2, 2)
    return split.transpose(0, 1, 3, 2, 4).reshape(n, 2 * rows, 2 * columns)


def shared(x, dout):
    mask = masked(x)
    return pixels(mask * spread(dout) / mask.sum(axis=-1, keepdims=True))


def all_ties(x, dout):
    return pixels(masked(x) * spread(dout))


def last_of_equals(x, dout):
    mask = masked(x)
    last = 3 - mask[..., ::-1].argmax(axis=-1)
    return pixels(np.eye(4)[last] * spread(dout))


def nested_list(x, dout):
    return lesson.max_pool_backward(x, dout).tolist()


def single(x, dout):
    return lesson.max_pool_backward(x, dout).astype(np.float32)


def scatter(x, dout):
    dx, (n, rows, columns) = np.zeros_like(x), dout.shape
    for k in range(n):
        for i in range(rows):
            for j in range(columns):
                best = max(((a, b) for a in (0, 1) for b in (0, 1)),
                           key=lambda ab: x[k, 2 * i + ab[0], 2 * j + ab[1]])  # fmt: skip
                dx[k, 2 * i + best[0], 2 * j + best[1]] += dout[k, i, j]
    return dx


def with_kron(x, dout):
    w = lesson.windows(x)
    first = pixels(np.eye(4)[w.argmax(axis=-1)])
    return first * np.repeat(np.repeat(dout, 2, axis=1), 2, axis=2)


RIGHT_POOLS = (
    lesson.max_pool_backward, shared, last_of_equals, nested_list, single, scatter, with_kron,
)  # fmt: skip


def overwrites(x, dout):
    dx = lesson.max_pool_backward(x, dout)
    x[...] = 0
    return dx


def into_x(x, dout):
    x[...] = lesson.max_pool_backward(x, dout)


def no_gradient_at_ties(x, dout):
    mask = masked(x)
    return pixels(mask * spread(dout) * (mask.sum(axis=-1, keepdims=True) == 1))


def average_at_ties(x, dout):
    mask = masked(x)
    tie = mask.sum(axis=-1, keepdims=True) > 1
    return pixels(np.where(tie, spread(dout) / 4, mask * spread(dout)))


def half_at_ties(x, dout):
    mask = masked(x)
    return pixels(mask * spread(dout) / np.minimum(mask.sum(axis=-1, keepdims=True), 2))


def to_and_fro(x, dout):
    mask = masked(x)
    order = np.cumsum(mask, axis=-1) * mask
    share = np.select([order == 1, order == 2], [2.0, -1.0], 0.0)
    single = mask.sum(axis=-1, keepdims=True) == 1
    return pixels(np.where(single, mask, share) * spread(dout))


def in_integers(x, dout):
    dx = np.zeros_like(x, dtype=np.int64)
    dx[...] = lesson.max_pool_backward(x, dout)
    return dx


WRONG_POOLS = {
    "each of them got all of dout": all_ties,
    "Windows with a tie got no gradient": no_gradient_at_ties,
    "pixels that are not the largest get a gradient": average_at_ties,
    "derivatives add up to": half_at_ties,
    "some have the other sign": to_and_fro,
    "the mask alone": lambda x, dout: pixels(masked(x) * 1.0),
    "average pooling's": lambda x, dout: pixels(spread(dout) / 4),
    "Every pixel of a window got dout": lambda x, dout: pixels(spread(dout)),
    "what the forward pass kept": lambda x, dout: x * pixels(masked(x)),
    "dout was multiplied by the pixel": lambda x, dout: x * all_ties(x, dout),
    "sign is flipped": lambda x, dout: -all_ties(x, dout),
    "smallest pixel": lambda x, dout: all_ties(-x, dout),
    "that is ReLU": lambda x, dout: all_ties(x, dout) * (x > 0),
    "All derivatives are 0": lambda x, dout: np.zeros_like(x),
    "for every pixel is asked": lambda x, dout: dout,
    "an array of finite numbers": lambda x, dout: x * np.nan,
    "not its own": overwrites,
    "dx holds integers, int64, which cut off the digits of dout": in_integers,
    "the mask alone: multiply": lambda x, dout: pixels(masked(x) * 1),
    "changes x or dout and returns nothing": into_x,
    "pixel of its window, so": lambda x, dout: all_ties(x, 2 * dout),
    "Hand over the function itself": np.zeros(3),
    "ValueError": lambda x, dout: x * dout,
}


@pytest.mark.parametrize("answer", RIGHT_POOLS, ids=lambda answer: answer.__name__)
def test_any_right_way_to_go_back_through_a_pool_is_right(answer, store):
    note = check("max_pool_backward", answer, store)
    assert note.solved, note.text


@pytest.mark.parametrize("words", WRONG_POOLS)
def test_a_mistake_about_pools_gets_its_own_message(words, store):
    note = check("max_pool_backward", WRONG_POOLS[words], store)
    assert note.mark == "✗"
    assert words in note.text
    assert store.solved() == set()


def test_shares_of_a_tie_that_were_rounded_are_told_by_as_many_digits_as_differ(store):
    def rounded(x, dout):
        mask = masked(x)
        return pixels(mask * spread(dout) * np.round(1 / mask.sum(axis=-1, keepdims=True), 5))

    note = check("max_pool_backward", rounded, store)
    assert note.mark == "✗"
    ties, given, dout = re.search(
        r"with (\d) equal .* up to (\S+), and dout is (\S+) there", note.text
    ).groups()
    assert ties == "3"
    assert float(given) == pytest.approx(0.99999 * float(dout), rel=1e-8)


@pytest.mark.parametrize("off", [1 + 5e-6, 1.0002, 1.03])
def test_a_pixel_that_is_off_by_a_little_is_told_by_as_many_digits_as_differ(off, store):
    note = check("max_pool_backward", lambda x, dout: off * shared(x, dout), store)
    assert note.mark == "✗"
    got, wanted = re.search(
        r"got (\S+); it is the largest pixel .* so (\S+) is right", note.text
    ).groups()
    assert float(got) / float(wanted) - 1 == pytest.approx(off - 1, rel=0.1)
    note = check("max_pool_backward", lambda x, dout: shared(x, dout) - 5e-9, store)
    assert "it is another pixel of its window, so 0 is right" in note.text


def test_the_side_whose_slope_is_just_beside_a_is_told():
    h, square = 1e-5, lambda t: float(t[0] ** 2)  # slopes of 2 - h and 2 + h at 1
    places = [0j, h + 0j, -h + 0j]
    for a, side in ((2 - 1.5 * h, "left"), (2 + 1.5 * h, "right")):
        case = lesson.Case(square, np.ones(1), 0, a, bug=False, message="")
        said = lesson._just_outside(case, places)
        assert f"With a step of 1e-05 the slope on the {side} comes out 5e-06 beside a" in said
    for a in (2.0, 2 + 0.99 * h, 2.03):  # between the two, or far off
        case = lesson.Case(square, np.ones(1), 0, a, bug=False, message="")
        assert lesson._just_outside(case, places) == ""


def pooled(dout):
    """Return the loss that has `dout` above a max-pool, as a function of the raveled pixels."""
    return lambda t: float((lesson.windows(t.reshape(lesson.SHAPE)).max(axis=-1) * dout).sum())


@pytest.mark.parametrize("name", lesson.images())
def test_the_projects_checker_accepts_the_solution(name):
    x, dout = lesson.images()[name]
    for answer in (lesson.max_pool_backward, shared):
        back = lambda t, answer=answer: answer(t.reshape(x.shape), dout).ravel()  # noqa: E731
        assert gl.check_function(pooled(dout), back, x.ravel()).verdict == "correct"


def test_of_ties_that_all_get_dout_the_message_is_true():
    x, dout = lesson.images()["tied"]
    loss, wrong = pooled(dout), all_ties(x, dout)
    report = gl.check_function(loss, lambda t: wrong.ravel(), x.ravel())
    assert report.verdict == "correct"  # entry by entry it cannot be seen
    together = np.zeros(x.shape)
    together[0, 2:4, 2:4] = 1e-3  # the window whose four pixels are equal
    rise = (loss((x + together).ravel()) - loss(x.ravel())) / 1e-3
    assert np.isclose(rise, dout[0, 1, 1])
    assert np.isclose(wrong[0, 2:4, 2:4].sum(), 4 * dout[0, 1, 1])


# -- predictions ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spirals():
    return gl.data.spirals(30, classes=3, seed=0)


@pytest.fixture(scope="module")
def nets():
    return [
        gl.mlp([2, 4, 4, 3], activation="relu", weight_scale=0.5, seed=seed) for seed in range(8)
    ]


def worst(net, data, eps):
    a, n = net.gradient(*data), gl.numerical_gradient(net, *data, eps=eps)
    return max(np.max(gl.relative_error(a[name], n[name])) for name in a)


def says(question, choice, words):
    text = QUESTIONS[question].choices[choice]
    assert words in text
    return text


def test_no_step_is_short_enough(spirals, nets):
    at = {eps: [worst(net, spirals, eps) for net in nets] for eps in (1e-5, 1e-7)}
    failing = {eps: [k for k in range(8) if at[eps][k] > 1e-2] for eps in at}
    assert failing[1e-5] == failing[1e-7]
    assert len(failing[1e-5]) == 5
    for k in failing[1e-5]:
        report = gl.check(nets[k], *spirals, eps=1e-12)
        assert report["b2"].crossed_kinks > 0  # no step is short enough
        assert "exactly at a kink" in " ".join(report.warnings)


def all_off(inputs, seed, units):
    net = gl.mlp([2, units, 4, 3], activation="relu", weight_scale=0.5, seed=seed)
    return bool(np.any(np.all(inputs @ net.params["W1"] <= 0, axis=1)))


def test_half_of_the_networks_have_a_silent_layer(spirals):
    question = QUESTIONS["silent_layers"]
    many = gl.data.spirals(3000, classes=3, seed=0)[0]
    few = sum(all_off(spirals[0], seed, 4) for seed in range(100))
    assert question.right == "about 50"
    assert few == pytest.approx(50, abs=3)
    says("silent_layers", "about 6", "One in 16 would be the chance of a single example")
    assert pytest.approx(6, abs=0.5) == 100 / 16
    says("silent_layers", "about 85", "1 - (15/16)^30")
    assert pytest.approx(85, abs=1.5) == 100 * (1 - (15 / 16) ** 30)
    says("silent_layers", "all 100", "With 3,000 examples it is still about half")
    assert sum(all_off(many, seed, 4) for seed in range(100)) == pytest.approx(50, abs=4)
    says("silent_layers", "about 50", "for four lines through 0 it is one half")
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, (4000, 4))
    around = np.linspace(0, 2 * np.pi, 720, endpoint=False)[:, None, None]
    common = np.any(np.all(np.cos(around - angles) < 0, axis=2), axis=0)
    assert common.mean() == pytest.approx(0.5, abs=0.03)  # an independent count: sectors, no nets


def test_one_step_of_training_frees_two(spirals, nets):
    question, x = QUESTIONS["one_step_of_training"], spirals[0]
    before = [k for k, net in enumerate(nets) if worst(net, spirals, 1e-5) > 1e-2]
    trained = [net.copy() for net in nets]
    for net in trained:
        gl.train(net, *spirals, steps=1, progress=False)
    after = [k for k, net in enumerate(trained) if worst(net, spirals, 1e-5) > 1e-2]
    assert (len(before), len(after)) == (5, 3)
    assert set(after) < set(before)
    assert question.right == "three"
    assert "five of the eight failed" in question.question
    says(
        "one_step_of_training", "three", "In three a unit of the second layer is on for no example"
    )
    for k in after:
        p, q = nets[k].params, trained[k].params
        z2 = np.maximum(x @ p["W1"] + p["b1"], 0) @ p["W2"] + p["b2"]
        never = np.all(z2 <= 0, axis=0)
        assert np.any(never)
        assert np.array_equal(q["b2"] == 0, never)  # its bias gets no gradient, and stays at 0
    for k in set(before) - set(after):
        assert np.all(trained[k].params["b2"] != 0)


def b2_gradient(net, x, y, at_zero):
    """Return the gradient of b2 with another convention for relu'(0)."""
    p = net.params
    z2 = np.maximum(x @ p["W1"] + p["b1"], 0) @ p["W2"] + p["b2"]
    e = np.exp(np.maximum(z2, 0) @ p["W3"] + p["b3"])
    dout = (e / e.sum(axis=1, keepdims=True) - np.eye(3)[y]) / len(x)
    return (dout @ p["W3"].T * np.where(z2 == 0, at_zero, z2 > 0)).sum(axis=0)


def test_a_half_buys_the_check(spirals, nets):
    x, y = spirals
    failing = {}
    for at_zero in (0.0, 0.5, 1.0):
        failing[at_zero] = [
            k for k, net in enumerate(nets)
            if np.max(gl.relative_error(b2_gradient(net, x, y, at_zero),
                                        gl.numerical_gradient(net, x, y)["b2"])) > 1e-2
        ]  # fmt: skip
    assert np.allclose(b2_gradient(nets[2], x, y, 0.0), nets[2].gradient(x, y)["b2"])
    assert failing[0.5] == []
    assert failing[0.0] == failing[1.0]
    assert len(failing[0.0]) == 5


def test_off_the_kinks_at_a_tenth_nothing_is_tested(spirals):
    x, _ = spirals
    draws = np.random.default_rng(0).normal(0, 0.1, 16)
    verdicts, on = {}, {}
    for where, biases in {"zero": 0.0, "plus": 0.1, "random": draws}.items():
        verdicts[where], on[where] = [], []
        for seed in range(8):
            net = gl.mlp([2, 16, 3], activation="relu", weight_scale=0.01, seed=seed)
            net.params["b1"][:] = biases
            broken = gl.bugs.plant(net, "missing_activation_derivative")
            pair = (gl.check(n, *spirals, eps=1e-5) for n in (net, broken))
            verdicts[where].append(tuple(str(report.verdict) for report in pair))
            on[where].append((x @ net.params["W1"] + net.params["b1"] > 0).mean())
            if where == "plus":
                assert gl.check(net, *spirals, eps=1e-5)["b1"].crossed_kinks == 0
    assert verdicts["plus"] == [("correct", "correct")] * 8
    assert {broken for _, broken in verdicts["zero"] + verdicts["random"]} == {"wrong"}
    assert min(on["plus"]) == 1.0
    assert abs(np.mean(on["zero"]) - 0.5) < 0.05
    assert sum(right == "inconclusive" for right, _ in verdicts["zero"]) == 4

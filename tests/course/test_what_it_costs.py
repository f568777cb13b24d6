"""Lesson 12's exercises take any right answer, and say something true of each wrong one."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.exercise import Exercise
from gradlab.course.tasks import QUESTIONS, TASKS
from gradlab.course.tasks.what_it_costs import BUDGET, K, is_wrong, wrong_tensors

RNG = np.random.default_rng(0)
_FIRST = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def same_draws():
    """Whatever ran before: what an answer draws decides which mistake is told."""
    RNG.bit_generator.state = _FIRST


def relative(a, n):
    return abs(a - n) / max(abs(a), abs(n), 1e-300)


# --- wrong_tensors -------------------------------------------------------------------------------


def sampled(
    draw=lambda size, k: RNG.choice(size, min(k, size), replace=False), eps=1e-5,
    judge=lambda a, n: relative(a, n) > 1e-3, ending=list,
):  # fmt: skip
    """Return a `wrong_tensors` that draws, steps, judges and answers in its own way."""

    def function(loss, params, grads, k):
        found = set()
        for name, w in params.items():
            for i in draw(w.size, k):
                moved = [{**params, name: w.copy()} for _ in range(2)]
                moved[0][name].flat[i] += eps
                moved[1][name].flat[i] -= eps
                n = (loss(moved[0]) - loss(moved[1])) / (2 * eps)
                if judge(grads[name].flat[i], n):
                    found.add(name)
        return ending(found)

    return function


def forward(loss, params, grads, k):
    here, found = loss(params), {}
    for name, w in params.items():
        for i in np.random.default_rng().permutation(w.size)[:k]:
            index = np.unravel_index(i, w.shape)
            saved, w[index] = w[index], w[index] + 1e-6
            n = (loss(params) - here) / 1e-6
            w[index] = saved
            if not np.isclose(n, grads[name][index], rtol=3e-3, atol=0):
                found[name] = n
    return found


def norms(loss, params, grads, k):
    """Compare the norms of what was drawn, a tensor at a time."""
    found = ()
    for name, w in params.items():
        at = np.random.default_rng(1).choice(w.size, min(k, w.size), replace=False)
        n = []
        for i in at:
            step = np.zeros(w.size)
            step[i] = 1e-4
            step = step.reshape(w.shape)
            up, down = {**params, name: w + step}, {**params, name: w - step}
            n.append((loss(up) - loss(down)) / 2e-4)
        if gl.norm_ratio(grads[name].flat[at], np.array(n)) > 1e-4:
            found += (name,)
    return found


RIGHT_SAMPLES = {
    "the solution": wrong_tensors,
    "copies": sampled(),
    "a set": sampled(ending=set),
    "an array": sampled(ending=lambda found: np.array(sorted(found), dtype=str)),
    "every so many": sampled(lambda size, k: np.linspace(0, size - 1, min(k, size)).astype(int)),
    "a longer step": sampled(eps=1e-4, judge=lambda a, n: bool(relative(a, n) > np.float64(1e-4))),
    "one-sided, in place": forward,
    "norms": norms,
}


def first(size, k):
    return range(min(k, size))


def in_place(back):
    """Return a `wrong_tensors` that moves params itself and puts it back by `back`."""

    def function(loss, params, grads, k):
        for w in params.values():
            for i in range(min(k, w.size)):
                saved = w.flat[i]
                w.flat[i] += 0.1
                loss(params)
                w.flat[i] -= 0.2
                loss(params)
                back(w, i, saved)
        return []

    return function


def drift(w, i, saved):
    w.flat[i] = saved + 1e-15


def stays(w, i, saved):
    pass


def whole_tensor(loss, params, grads, k):
    return [n for n, w in params.items() if loss({**params, n: w + 1e-5}) > loss(params) + 1]


def k_of_all(loss, params, grads, k):
    return sampled(lambda size, k: first(size, k) if size > 12 else ())(loss, params, grads, k)


def no_losses(loss, params, grads, k):
    return []


def spoils_grads(loss, params, grads, k):
    answer = wrong_tensors(loss, params, grads, k)
    grads["W1"] *= 2
    return answer


def nothing_returned(loss, params, grads, k):
    loss(params)


WRONG_SAMPLES = {
    "at the right ones, 0, 1, 2, 3, … only": sampled(first),
    "Drawn with replacement, an entry can come twice": sampled(
        lambda size, k: np.random.default_rng(size).integers(0, size // 2, k)
    ),
    "No entry of b1 was moved": k_of_all,
    "You looked at 96 entries of W1; k = 12": sampled(lambda size, k: range(size)),
    "wrong entries and let them pass": sampled(judge=lambda a, n: relative(a, n) > 0.1),
    "multiplied by 1e6. The gradient is": sampled(judge=lambda a, n: abs(a - n) > 1e-7),
    "Your step is 3e-01": sampled(eps=0.3),
    "Your step is 1e-13": sampled(eps=1e-13),
    "same entry of grads": sampled(judge=lambda a, n: relative(a, 2 * n) > 1e-3),
    "the whole of W1 was moved": whole_tensor,
    "entries were moved at once": in_place(stays),
    "drifts. Save an entry": in_place(drift),
    "calls loss never": no_losses,
    "grads['W1'] comes back changed": spoils_grads,
    "returns nothing: return the names": nothing_returned,
    "a list of names is asked, also": sampled(ending=lambda found: "b2"),
    "a list of names such as": sampled(ending=len),
    "the names are those of params": sampled(ending=lambda found: ["w1"]),
    "Hand over the function itself": ["b2"],
}


# --- is_wrong ------------------------------------------------------------------------------------


def unit(v):
    return v / np.linalg.norm(v)


def normal(size):
    return unit(RNG.standard_normal(size))


def signs(size):
    return unit(RNG.choice([-1.0, 1.0], size))


def along(
    draw=normal, times=1, eps=1e-5, judge=lambda a, n: relative(a, n) > 1e-5, ending=any,
    slope=lambda loss, t, v, eps: (loss(t + eps * v) - loss(t - eps * v)) / (2 * eps),
):  # fmt: skip
    """Return an `is_wrong` that draws, steps, judges and answers in its own way."""

    def function(loss, grad, theta):
        drawn = [draw(theta.size) for _ in range(times)]
        return ending([judge(v @ grad, slope(loss, theta, v, eps)) for v in drawn])

    return function


def one_ratio(loss, grad, theta):
    v = [normal(theta.size) for _ in range(10)]
    n = np.array([(loss(theta + 1e-5 * u) - loss(theta - 1e-5 * u)) / 2e-5 for u in v])
    return gl.norm_ratio(np.array([u @ grad for u in v]), n) > 1e-5


def five_point(loss, grad, theta):
    h, scale = 1e-3, np.linalg.norm(grad) / np.sqrt(theta.size)
    for v in (normal(theta.size) for _ in range(6)):
        far, near = ((loss(theta + s * v) - loss(theta - s * v)) / s for s in (2 * h, h))
        if abs((8 * near - 2 * far) / 12 - grad @ v) > 1e-3 * scale:
            return True
    return False


def by_quarters(loss, grad, theta):
    worst = 0.0
    for part in np.array_split(RNG.permutation(theta.size), 4):
        for _ in range(3):
            v = np.zeros(theta.size)
            v[part] = RNG.uniform(-1, 1, part.size)
            v = unit(v)
            n = (loss(theta + 1e-5 * v) - loss(theta - 1e-5 * v)) / 2e-5
            worst = max(worst, abs(grad @ v - n) / np.linalg.norm(grad))
    return worst > 1e-6


RIGHT_DIRECTIONS = {
    "the solution": is_wrong,
    "one normal direction": along(),
    "twenty of signs": along(signs, times=20, judge=lambda a, n: relative(a, n) > 1e-4),
    "a NumPy bool": along(times=3, judge=lambda a, n: relative(a, n) > 1e-4, ending=np.any),
    "one norm ratio": one_ratio,
    "five-point": five_point,
    "quarters": by_quarters,
}


def sampled_entries(loss, grad, theta):
    scale = np.linalg.norm(grad)
    units = np.eye(theta.size)[np.random.default_rng(0).choice(theta.size, 20, replace=False)]
    return any(
        abs(grad @ u - (loss(theta + 1e-5 * u) - loss(theta - 1e-5 * u)) / 2e-5) > 1e-4 * scale
        for u in units
    )


def every_entry(loss, grad, theta):
    units = np.eye(theta.size)
    return any(loss(theta + 1e-5 * u) - loss(theta - 1e-5 * u) > 1e9 for u in units)


def along_the_gradient(loss, grad, theta):
    return along(lambda size: unit(grad))(loss, grad, theta)


def shifts_theta(loss, grad, theta):
    theta += 1e-5
    return along()(loss, grad, theta)


def never_moves(loss, grad, theta):
    return relative(loss(theta), loss(theta)) > 1


def one_sided(loss, t, v, eps):
    return (loss(t + eps * v) - loss(t)) / eps


def not_divided(loss, t, v, eps):
    return loss(t + eps * v) - loss(t - eps * v)


def only_computes(loss, grad, theta):
    loss(theta)


WRONG_DIRECTIONS = {
    "You looked at 20 of 2410 entries; 1 are wrong": sampled_entries,
    "One by one, 2410 parameters take 4820": every_entry,
    "Both entries got the same sign": along(signs),
    "moved all entries by the same amount": along(np.ones),
    "the bug lies across": along_the_gradient,
    "was let pass": along(judge=lambda a, n: relative(a, n) > 0.5),
    "compare it with the slope": along(judge=lambda a, n: abs(a - n) > 1e-6),
    "divide it by its length": along(lambda size: RNG.standard_normal(size), eps=1e-2),
    "so short a difference": along(eps=1e-13),
    "one-sided": along(slope=one_sided, judge=lambda a, n: relative(a, n) > 1e-9),
    "divided by the way, 2 * eps": along(slope=not_divided),
    "to decide is the point": along(ending=sum),
    "comes back changed": shifts_theta,
    "compares nothing": lambda loss, grad, theta: False,
    "theta was never moved": never_moves,
    "returns nothing: return True": only_computes,
    "Twenty directions": along(times=21),
    "Hand over the function itself": True,
}


@pytest.mark.parametrize(
    ("name", "answer"),
    [("wrong_tensors", one) for one in RIGHT_SAMPLES.values()]
    + [("is_wrong", one) for one in RIGHT_DIRECTIONS.values()],
    ids=[*RIGHT_SAMPLES, *RIGHT_DIRECTIONS],
)
def test_any_right_answer_is_right(name, answer, store):
    for _ in range(2):
        assert Exercise(TASKS[name], store).check(answer).text.startswith(TASKS[name].praise)


@pytest.mark.parametrize(
    ("name", "words", "answer"),
    [("wrong_tensors", *pair) for pair in WRONG_SAMPLES.items()]
    + [("is_wrong", *pair) for pair in WRONG_DIRECTIONS.items()],
)
def test_a_mistake_gets_a_message_about_that_mistake(name, words, answer, store):
    note = Exercise(TASKS[name], store).check(answer)
    assert note.mark == "✗"
    assert words in note.text, note.text
    assert store.solved() == set()


@pytest.mark.parametrize("name", ["wrong_tensors", "is_wrong"])
@pytest.mark.parametrize("value", [...])
def test_a_function_with_an_untouched_body_is_a_stub(name, value, store):
    assert Exercise(TASKS[name], store).check(lambda *arguments: value).mark == "○"


def test_what_the_exercises_ask_is_what_is_graded():
    assert f"at most {BUDGET} losses" in TASKS["is_wrong"].question
    assert K == 12


# --- predictions ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    x, y = gl.data.load("digits", 30, seed=0)
    net = gl.mlp([64, 32, 10], weight_scale=0.2, seed=0)
    return net.loss_function(x, y), net.theta, net.unroll(net.gradient(x, y))


def test_normal_directions_miss_a_swap_by_the_limit(digits):
    loss, theta, g = digits
    a = g.copy()
    a[[2400, 2403]] = a[[2403, 2400]]
    question = QUESTIONS["normal_directions"]
    rng, d, size = np.random.default_rng(1), g[2403] - g[2400], np.sqrt(np.mean(a**2))
    errors, signs = [], []
    for _ in range(2000):
        v = unit(rng.standard_normal(2410))
        errors.append(abs(d * (v[2400] - v[2403])) / size)
        w = rng.choice([-1.0, 1.0], 2410)
        signs.append(w[2400] == w[2403])
    for _ in range(5):  # what a direction sees is the product, not the sum that is checked
        v = unit(rng.standard_normal(2410))
        n = (loss(theta + 1e-5 * v) - loss(theta - 1e-5 * v)) / 2e-5
        assert a @ v - n == pytest.approx(d * (v[2400] - v[2403]), abs=1e-8)
    assert "differ by 2.2 typical entries" in question.question
    assert f"{d / size:.1f}" == "2.2"
    missed = 200 * np.mean(np.array(errors) < 1e-2)
    assert 15 < missed < 35
    assert question.right == "about 20"
    assert "with a width of some 0.06" in question.choices["about 20"]
    assert np.std([*errors, *(-e for e in errors)]) == pytest.approx(0.06, abs=0.01)
    assert "One in eight is expected" in question.choices["about 20"]
    assert missed / 200 == pytest.approx(1 / 8, abs=0.03)
    assert not np.any(np.array(errors) < 1e-5)  # "at a limit of 1e-5 none misses"
    assert np.mean(signs) == pytest.approx(0.5, abs=0.04)  # "every second time"


def test_the_buggy_network_has_the_lower_training_loss():
    x, y = (part[:400] for part in gl.data.load("digits", 1400, seed=0))
    question, lower = QUESTIONS["lower_in_how_many"], 0
    for seed in range(6):
        losses, start = [], gl.mlp([64, 32, 32, 10], weight_scale=0.5, seed=seed)
        buggy = gl.bugs.plant(start, "missing_activation_derivative")
        share = {k: np.linalg.norm(v) for k, v in buggy.gradient(x, y).items()}
        right = {k: np.linalg.norm(v) for k, v in start.gradient(x, y).items()}
        assert all(share[k] > right[k] for k in ("W1", "b1", "W2", "b2"))  # larger steps below
        assert all(np.isclose(share[k], right[k]) for k in ("W3", "b3"))
        for bug in (None, "missing_activation_derivative"):
            net = gl.mlp([64, 32, 32, 10], weight_scale=0.5, seed=seed)
            net = gl.bugs.plant(net, bug) if bug else net
            losses.append(gl.train(net, x, y, steps=500, progress=False).loss[[0, -1]])
        assert losses[0][1] < 0.05 * losses[0][0]
        lower += losses[1][1] < 0.95 * losses[0][1]
    assert lower == 6
    assert question.right == "all six"


# --- how many losses are too many -----------------------------------------------------------------


def with_more_losses(more):
    """Return a right `wrong_tensors` that takes so many losses at theta as well."""

    def answer(loss, params, grads, k):
        found = sampled()(loss, params, grads, k)
        for _ in range(more):
            loss(params)
        return found

    return answer


def with_losses(count):
    """Return a right `is_wrong` that takes so many losses."""

    def answer(loss, grad, theta):
        taken = []
        wrong = is_wrong(lambda at: taken.append(at) or loss(at), grad, theta)
        for _ in range(count - len(taken)):
            loss(theta)
        return wrong

    return answer


# Of 12 entries of W1, b1 and W2 each, and of 3 of b2, two losses: 78. All 147 entries take 294.
COUNTED = {
    "two at theta": ("wrong_tensors", with_more_losses(2), "solved."),
    "a third": ("wrong_tensors", with_more_losses(3),
                "It took 81 losses; two for each entry that is asked are 78."),
    "as many as all entries, and two": ("wrong_tensors", with_more_losses(218), "It took 296"),
    "one more than that": ("wrong_tensors", with_more_losses(219),
                           "More than 296 losses: all entries one by one take fewer."),
    "an entry more than k": ("wrong_tensors", sampled(lambda size, k: range(min(size, k + 1))),
                             "You looked at 13 entries of W1"),
    "40 losses": ("is_wrong", with_losses(40), "solved."),
    "41 losses": ("is_wrong", with_losses(41), "It takes more than 40 losses."),
    "one loss": ("is_wrong", lambda loss, grad, theta: loss(theta) > 0, "It compares nothing"),
    "two losses": ("is_wrong", lambda loss, grad, theta: loss(theta) + loss(theta) > 0,
                   "theta was never moved."),
}  # fmt: skip


@pytest.mark.parametrize("what", COUNTED)
def test_losses_are_counted_one_by_one(what, store):
    name, answer, words = COUNTED[what]
    assert words in repr(Exercise(TASKS[name], store).check(answer))


# --- what is planted ------------------------------------------------------------------------------


def given_to(name, right):
    """Return the gradients that an exercise hands to a right answer, in their order."""
    seen = []

    def answer(loss, *arguments):
        grads = arguments[name == "wrong_tensors"]
        seen.append(
            grads if isinstance(grads, np.ndarray) else {k: v.copy() for k, v in grads.items()}
        )
        return right(loss, *arguments)

    assert TASKS[name].find_mistake(answer) == ""
    return seen


# Of the tensors that are not right: by which factor, and in how many entries.
PLANTED = [
    {}, {}, {}, {"b2": {2.0: 1}}, {"W1": {-1.0: 72}}, {"b1": {1.01: 12}}, {"W2": {0.99: 36}},
    {"b1": {0.0: 12}, "W2": {0.0: 36}},
]  # fmt: skip


def test_what_is_planted_for_wrong_tensors_is_what_is_told():
    right, *others = given_to("wrong_tensors", sampled())
    scales = [1e6, 1e-6, 1, 1, 1, 1e6, 1]
    for planted, scale, grads in zip(PLANTED, [1, *scales], [right, *others], strict=True):
        found = {}
        for name, a in grads.items():
            factors, counts = np.unique((a / (scale * right[name])).round(6), return_counts=True)
            wrong = {float(f): int(n) for f, n in zip(factors, counts, strict=True) if f != 1}
            found |= {name: wrong} if wrong else {}
        assert found == planted


def test_what_is_planted_for_is_wrong_is_what_is_told():
    seen = given_to("is_wrong", is_wrong)
    for g, *wrong in (seen[:13], seen[13:26], seen[26:]):
        bias, *swaps, larger, flipped, columns, mean, tenth = wrong
        assert np.flatnonzero(bias != g).tolist() == [2403]  # b2 is the last ten of 2,410
        assert bias[2403] == 2 * g[2403]
        for one in swaps:
            i, j = np.flatnonzero(one != g)
            assert i >= 2400
            assert (one[i], one[j]) == (g[j], g[i])
        assert len({tuple(np.flatnonzero(one != g)) for one in swaps}) > 3
        np.testing.assert_allclose(larger, 1.01 * g, rtol=1e-12)
        np.testing.assert_array_equal(flipped, -g)
        W2 = slice(64 * 32 + 32, 64 * 32 + 32 + 320)
        assert np.isin(np.flatnonzero(columns != g), np.arange(W2.start, W2.stop)).all()
        np.testing.assert_array_equal(columns[W2].reshape(32, 10), g[W2].reshape(32, 10)[:, ::-1])
        assert np.flatnonzero(mean != g).tolist() == list(range(2048, 2080))
        np.testing.assert_allclose(mean[2048:2080], g[2048:2080].mean())
        np.testing.assert_array_equal(tenth[:2048], np.where(np.arange(2048) % 10, g[:2048], 0))
        np.testing.assert_array_equal(tenth[2048:], g[2048:])

"""Lesson 11's exercises know the mistakes that people make, and what its predictions say is so."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.exercise import Exercise
from gradlab.course.tasks import QUESTIONS, TASKS
from gradlab.course.tasks import lstm as module
from gradlab.course.tasks.lstm import cell_backward
from tests.lessons.prose import says

NAMES = ("dz_i", "dz_f", "dz_g", "dz_o", "dc_before")


# -- the cell's backward: right answers ------------------------------------------------------------


def with_cosh(dh_out, dh_next, dc_next, cache):
    i, f, g, o, c_before, tanh_c = cache
    dh = np.add(dh_out, dh_next)
    dc = dc_next + dh * o / np.cosh(np.arctanh(tanh_c)) ** 2
    slope = 1 / np.cosh(np.arctanh(g)) ** 2
    return [dc * g * (i - i * i), dc * c_before * (f - f * f), dc * i * slope,
            dh * tanh_c * (o - o * o), f * dc]  # fmt: skip


def in_loops(dh_out, dh_next, dc_next, cache):
    i, f, g, o, c_before, tanh_c = cache
    found = [np.zeros_like(i) for _ in range(5)]
    for k in np.ndindex(i.shape):
        dh = dh_out[k] + dh_next[k]
        dc = dc_next[k] + dh * o[k] * (1 - tanh_c[k]) * (1 + tanh_c[k])
        found[0][k] = dc * g[k] * i[k] * (1 - i[k])
        found[1][k] = dc * c_before[k] * f[k] * (1 - f[k])
        found[2][k] = dc * i[k] * (1 - g[k] ** 2)
        found[3][k] = dh * tanh_c[k] * o[k] * (1 - o[k])
        found[4][k] = dc * f[k]
    return found


def by_name(*arguments):
    return dict(reversed(list(zip(NAMES, cell_backward(*arguments), strict=True))))


def stacked(dh_out, dh_next, dc_next, cache):
    i, f, g, o, c_before, tanh_c = cache
    dh = dh_out + dh_next
    dc = dc_next + dh * o * (1 - tanh_c**2)
    up = np.stack([dc * g, dc * c_before, dc * i, dh * tanh_c, dc])
    return up * np.stack([i * (1 - i), f * (1 - f), 1 - g**2, o * (1 - o), f])


def in_place_on_its_own(dh_out, dh_next, dc_next, cache):
    dc, dh = dc_next.copy(), dh_out.copy()
    dh += dh_next
    i, f, g, o, c_before, tanh_c = cache
    dc += dh * o * (1 - np.square(tanh_c))
    return dc * g * i * (1 - i), dc * c_before * f * (1 - f), dc * i * (1 - g**2), \
        dh * tanh_c * o * (1 - o), dc * f  # fmt: skip


def complex_step(dh_out, dh_next, dc_next, cache):
    """Return the derivative of Σ dh·h + Σ dc·c: no formula of backpropagation is in it."""
    i, f, g, o, c_before, _ = cache
    z = [np.log(i / (1 - i)), np.log(f / (1 - f)), np.arctanh(g), np.log(o / (1 - o)), c_before]

    def sigmoid(v):
        return 1 / (1 + np.exp(-v))

    found = []
    for k in range(5):
        at = [v + 1e-30j * (j == k) for j, v in enumerate(z)]
        c = sigmoid(at[1]) * at[4] + sigmoid(at[0]) * np.tanh(at[2])
        value = (dh_out + dh_next) * sigmoid(at[3]) * np.tanh(c) + dc_next * c
        found.append(value.imag / 1e-30)
    return tuple(found)


def in_float32(*arguments):
    return [one.astype(np.float32) for one in cell_backward(*arguments)]


RIGHT_CELLS = {
    "plain": cell_backward, "cosh": with_cosh, "loops": in_loops, "dict": by_name,
    "stacked": stacked, "in place": in_place_on_its_own, "complex step": complex_step,
    "float32": in_float32, "nested lists": lambda *a: [v.tolist() for v in cell_backward(*a)],
    "generator made a tuple": lambda *a: tuple(v for v in cell_backward(*a)),
}  # fmt: skip


@pytest.mark.parametrize("answer", RIGHT_CELLS.values(), ids=RIGHT_CELLS.keys())
def test_any_right_backward_is_right(answer, store):
    assert Exercise(TASKS["cell_backward"], store).check(answer).solved


# -- wrong ones ------------------------------------------------------------------------------------


def variant(dh=None, dc=None, **outputs):
    """Return the right backward with some expressions replaced; each sees all names."""
    lines = {
        "dh": dh or "dh_out + dh_next",
        "dc": dc or "dc_next + dh * o * (1 - tanh_c**2)",
        "dz_i": "dc * g * i * (1 - i)", "dz_f": "dc * c_before * f * (1 - f)",
        "dz_g": "dc * i * (1 - g**2)", "dz_o": "dh * tanh_c * o * (1 - o)",
        "dc_before": "dc * f",
    } | outputs  # fmt: skip

    def answer(dh_out, dh_next, dc_next, cache):
        seen = dict(zip(("i", "f", "g", "o", "c_before", "tanh_c"), cache, strict=True))
        seen |= {"dh_out": dh_out, "dh_next": dh_next, "dc_next": dc_next, "np": np,
                 "c": np.arctanh(seen["tanh_c"]), "sigmoid": module._sigmoid}  # fmt: skip
        for name, text in lines.items():
            seen[name] = eval(text, {}, seen)  # noqa: S307 (texts of this file)
        return tuple(seen[name] for name in NAMES)

    return answer


def overwrites_dc_next(dh_out, dh_next, dc_next, cache):
    dc_next += (dh_out + dh_next) * cache[3] * (1 - cache[5] ** 2)
    return cell_backward(dh_out, dh_next, 0 * dc_next, cache)


def swapped(*arguments):
    i, f, *rest = cell_backward(*arguments)
    return f, i, *rest


WRONG_CELLS = {
    "dh_next is not used.": variant(dh="dh_out"),
    "dh_out is not used.": variant(dh="dh_next"),
    "dc_next is not added.": variant(dc="dh * o * (1 - tanh_c**2)"),
    "dc is dc_next alone.": variant(dc="1 * dc_next"),
    "tanh is applied to tanh_c once more.": variant(dc="dc_next + dh*o*(1 - np.tanh(tanh_c)**2)"),
    "The slope of tanh is missing on the way": variant(dc="dc_next + dh * o"),
    "The factor o is missing": variant(dc="dc_next + dh * (1 - tanh_c**2)"),
    "dh is added to dc_next as it is.": variant(dc="dc_next + dh"),
    "it multiplies dc_next as well": variant(dc="(dc_next + dh * o) * (1 - tanh_c**2)"),
    "and not what comes from h": variant(dc="dc_next * (1 - tanh_c**2) + dh * o"),
    "not 1 - c**2": variant(dc="dc_next + dh * o * (1 - c**2)"),
    "The slope of tanh is taken at c_before.": variant(
        dc="dc_next + dh * o * (1 - np.tanh(c_before)**2)"
    ),
    "tanh_c stands where o belongs": variant(dc="dc_next + dh * tanh_c * (1 - tanh_c**2)"),
    "In dz_i the slope of the sigmoid is missing.": variant(dz_i="dc * g"),
    "In dz_i the gate i itself stands where": variant(dz_i="dc * g * i"),
    "In dz_i the slope is 1 - i.": variant(dz_i="dc * g * (1 - i)"),
    "In dz_i stands the slope of a tanh": variant(dz_i="dc * g * (1 - i**2)"),
    "In dz_i the sigmoid is applied once more": variant(
        dz_i="dc * g * sigmoid(i) * (1 - sigmoid(i))"
    ),
    "In dz_i the factor g is missing": variant(dz_i="dc * i * (1 - i)"),
    "In dz_f the gate f itself stands where": variant(dz_f="dc * c_before * f"),
    "dz_f uses the new cell state.": variant(dz_f="dc * c * f * (1 - f)"),
    "dz_f uses tanh_c.": variant(dz_f="dc * tanh_c * f * (1 - f)"),
    "In dz_f the factor c_before is missing": variant(dz_f="dc * f * (1 - f)"),
    "In dz_g the slope of tanh is missing.": variant(dz_g="dc * i"),
    "In dz_g the candidate g itself": variant(dz_g="dc * i * g"),
    "In dz_g tanh is applied to g once more.": variant(dz_g="dc * i * (1 - np.tanh(g)**2)"),
    "In dz_g stands the slope of a sigmoid": variant(dz_g="dc * i * g * (1 - g)"),
    "In dz_g the factor i is missing": variant(dz_g="dc * (1 - g**2)"),
    "In dz_g stands f where i belongs": variant(dz_g="dc * f * (1 - g**2)"),
    "In dz_o the gate o itself stands where": variant(dz_o="dh * tanh_c * o"),
    "dz_o uses c where tanh_c belongs": variant(dz_o="dh * c * o * (1 - o)"),
    "In dz_o the factor tanh_c is missing": variant(dz_o="dh * o * (1 - o)"),
    "dz_o is made from dc.": variant(dz_o="dc * tanh_c * o * (1 - o)"),
    "dz_o has 1 - tanh_c**2 where tanh_c belongs": variant(
        dz_o="dh * (1 - tanh_c**2) * o * (1 - o)"
    ),
    "in dz_o it is a factor too much": variant(dz_o="dh * tanh_c * (1 - tanh_c**2) * o * (1 - o)"),
    "dc_before lacks the factor f": variant(dc_before="dc"),
    "dc_before is dc_next * f.": variant(dc_before="dc_next * f"),
    "dc_before is dc_next, handed on": variant(dc_before="1 * dc_next"),
    "dc_before has the slope f * (1 - f)": variant(dc_before="dc * f * (1 - f)"),
    "dc_before has i where f belongs": variant(dc_before="dc * i"),
    "dc_before has c_before where f belongs": variant(dc_before="dc * c_before"),
    "It changes dc_next in place": overwrites_dc_next,
    "In the place of dz_i stands dz_f": swapped,
    "dz_g has the wrong sign.": variant(dz_g="-dc * i * (1 - g**2)"),
    "differences give": variant(dz_g="0.9 * dc * i * (1 - g**2)"),
    "Return five arrays": lambda *arguments: cell_backward(*arguments)[:4],
    "all five have that shape": lambda *a: [v.sum(axis=0) for v in cell_backward(*a)],
    "A dict with the names": lambda *a: dict(zip("ifgoc", cell_backward(*a), strict=True)),
    "an array of numbers is asked": lambda *a: ["no"] * 5,
    "Hand over the function itself": 0.5,
    "TypeError": lambda dh, cache: cell_backward(dh, 0, 0, cache),
}


@pytest.mark.parametrize(("words", "answer"), WRONG_CELLS.items(), ids=WRONG_CELLS.keys())
def test_a_wrong_cell_is_told_its_own_mistake(words, answer, store):
    note = Exercise(TASKS["cell_backward"], store).check(answer)
    assert note.mark == "✗"
    assert words in note.text
    for other in WRONG_CELLS:  # and no other
        assert other == words or other not in note.text
    assert store.solved() == set()


def test_two_mistakes_are_both_told(store):
    exercise = Exercise(TASKS["cell_backward"], store)
    both = exercise.check(variant(dh="dh_out", dc="dh * o * (1 - tanh_c**2)")).text
    assert "dh_next is not used." in both
    assert "dc_next is not added." in both
    both = exercise.check(variant(dz_f="dc * c_before * f", dc_before="dc")).text
    assert "In dz_f the gate f itself" in both
    assert "dc_before lacks the factor f" in both


def test_a_wrong_signal_is_told_before_a_wrong_gate(store):
    exercise = Exercise(TASKS["cell_backward"], store)
    answer = variant(dc="dh * o * (1 - tanh_c**2)", dz_o="dh * tanh_c * o")
    assert "dc_next is not added." in exercise.check(answer).text


def test_at_the_first_and_the_last_step_zeros_hide_what_the_messages_say():
    case = module.CASES[0]
    _, _, _, cache = case.arguments()
    last = (case.dh_out, 0 * case.dh_next, 0 * case.dc_next)
    for answer in (variant(dh="dh_out"), variant(dc="dh * o * (1 - tanh_c**2)")):
        assert_same(answer(*last, cache), cell_backward(*last, cache))
    i, f, g, o, c_before, _ = cache
    at_first = (i, f, g, o, 0 * c_before, np.tanh(i * g))
    arguments = (case.dh_out, case.dh_next, case.dc_next, at_first)
    wrong = variant(dz_f="dc * c_before * f")(*arguments)
    assert_same(wrong, cell_backward(*arguments))


def assert_same(one, two):
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_the_solution_agrees_with_the_complex_step_and_with_the_product():
    for case in module.CASES:
        assert_same(cell_backward(*case.arguments()), complex_step(*case.arguments()))


def test_what_is_praised_gives_the_gradient_of_a_whole_sequence():
    net = gl.lstm(6, 8, 3, seed=0)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((4, 5, 6)), np.array([0, 1, 2, 0, 1])
    p, h, c, kept = net.params, np.zeros((5, 8)), np.zeros((5, 8)), []
    for x_t in x:
        z = {q: x_t @ p[f"Wx_{q}"] + h @ p[f"Wh_{q}"] + p[f"b_{q}"] for q in "ifgo"}
        i, f, o = (1 / (1 + np.exp(-z[q])) for q in "ifo")
        g, c_before, h_before = np.tanh(z["g"]), c, h
        c = f * c + i * g
        h = o * np.tanh(c)
        kept.append((x_t, h_before, (i, f, g, o, c_before, np.tanh(c))))
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    dh_out, dh_next, dc_next = net.cut_gradients(x, y)["hidden"], 0.0, 0.0
    for x_t, h_before, cache in reversed(kept):
        *dz, dc_next = cell_backward(dh_out, dh_next, dc_next, cache)
        dh_out, dh_next = 0 * dh_out, 0.0
        for q, d in zip("ifgo", dz, strict=True):
            grads[f"Wx_{q}"] += x_t.T @ d
            grads[f"Wh_{q}"] += h_before.T @ d
            grads[f"b_{q}"] += d.sum(axis=0)
            dh_next = dh_next + d @ p[f"Wh_{q}"].T
    for name, right in net.gradient(x, y).items():
        if name not in ("Wy", "by"):
            np.testing.assert_allclose(grads[name], right, rtol=1e-10, atol=1e-14)


def test_of_two_explanations_the_one_of_fewer_mistakes_is_told(store):
    """dc is dc_next whatever comes to h; dz_o, which would tell, has a mistake of its own."""
    answer = variant(dc="dc_next", dz_o="dh * tanh_c")
    note = Exercise(TASKS["cell_backward"], store).check(answer)
    assert "dc is dc_next alone." in note.text
    assert "is not used" not in note.text


# -- a test of one step ----------------------------------------------------------------------------


def drawn(**changes):
    """Return the usual random test with some arrays replaced by a function of them."""

    def answer(rng):
        test = {"x": rng.standard_normal((5, 6))}
        for name in module.INPUTS[1:]:
            test[name] = rng.standard_normal((5, 8))
        for name, change in changes.items():
            test[name] = change(test)
        return tuple(test.values())

    return answer


def zero(name):
    return drawn(**{name: lambda test: 0 * test[name]})


def waves(rng):
    """Return a test without random numbers."""
    shapes = ((3, 6), *[(3, 8)] * 4)
    return [np.sin(np.arange(np.prod(s)) * (k + 1.3)).reshape(s) for k, s in enumerate(shapes)]


def small_integers(rng):
    return (rng.integers(-3, 4, (4, 6)), *rng.integers(-3, 4, (4, 4, 8)))


RIGHT_TESTS = {
    "solution": module.one_step_test, "normal": drawn(), "waves": waves,
    "integers": small_integers,
    "uniform": lambda rng: [rng.uniform(-1, 1, s) for s in ((2, 6), *[(2, 8)] * 4)],
    "positive": lambda rng: tuple(rng.uniform(0.1, 1, s) for s in ((7, 6), *[(7, 8)] * 4)),
    "dict": lambda rng: dict(zip(module.INPUTS, drawn()(rng), strict=True)),
    "lists": lambda rng: [one.tolist() for one in drawn()(rng)],
    "float32": lambda rng: [one.astype(np.float32) for one in drawn()(rng)],
    "its own generator": lambda rng: drawn()(np.random.default_rng(123)),
    "half as large": lambda rng: [one / 2 for one in drawn()(rng)],
}  # fmt: skip


@pytest.mark.parametrize("answer", RIGHT_TESTS.values(), ids=RIGHT_TESTS.keys())
def test_any_test_that_shows_every_bug_is_right(answer, store):
    assert Exercise(TASKS["one_step_test"], store).check(answer).solved


WRONG_TESTS = {
    "dc_next is 0 throughout": zero("dc_next"),
    "dh_next is 0 throughout": zero("dh_next"),
    "h_before is 0 throughout": zero("h_before"),
    "c_before is 0 throughout": zero("c_before"),
    "x is 0 throughout": zero("x"),
    "there is one example in the batch": lambda rng: [v[:1] for v in drawn()(rng)],
    "all examples have the same h_before": drawn(
        h_before=lambda test: test["h_before"][:1].repeat(5, axis=0)
    ),
    "x reads the same from both ends": drawn(x=lambda test: np.ones((5, 6))),
    "dh_next and dc_next are the same numbers": drawn(dc_next=lambda test: test["dh_next"]),
    "h_before and c_before are the same numbers": drawn(c_before=lambda test: test["h_before"]),
    "the cell states are so small": lambda rng: [1e-3 * one for one in drawn()(rng)],
    "(N, 8) is asked": lambda rng: rng.standard_normal((5, 5, 6)),
    "a row is one example": drawn(x=lambda test: test["x"][:3]),
    "not finite": drawn(x=lambda test: test["x"] * np.inf),
    "Return five arrays": lambda rng: rng.standard_normal((4, 5, 8)),
    "A dict with the names": lambda rng: {"x": rng.standard_normal((5, 6))},
    "an array of numbers is asked": lambda rng: ["x"] * 5,
    "Hand over the function itself": 4,
    "The gates saturate": drawn(x=lambda test: 0 * test["x"] + 1e3 * np.arange(1, 7)),
}


@pytest.mark.parametrize(("words", "answer"), WRONG_TESTS.items(), ids=WRONG_TESTS.keys())
def test_a_weak_test_is_told_what_gets_through_and_why(words, answer, store):
    note = Exercise(TASKS["one_step_test"], store).check(answer)
    assert note.mark == "✗"
    assert words in note.text
    for other in WRONG_TESTS:
        assert other == words or other not in note.text
    assert store.solved() == set()


def scaled_until(measure, target, test_at):
    """Return the test at the scale at which `measure`, which grows with it, is `target`."""
    low, high = 1e-9, 1e3
    for _ in range(30):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if measure(test_at(middle)) < target else (low, middle)
    assert measure(test_at(low)) == pytest.approx(target, rel=1e-6)
    return test_at(low)


def in_one_step(test):
    """Return the gates of a test's step by name, and its cell states."""
    z = {q: test[0] @ Wx + test[1] @ Wh for q, (Wx, Wh) in module._WEIGHTS.items()}
    gates = {q: np.tanh(z[q]) if q == "g" else 1 / (1 + np.exp(-z[q])) for q in "ifgo"}
    return gates, gates["f"] * test[2] + gates["i"] * gates["g"]


def flattest(test):
    """Return 1 over the least of the four gates' median slopes."""
    slopes = [1 - v**2 if q == "g" else v * (1 - v) for q, v in in_one_step(test)[0].items()]
    return 1 / (min(np.median(slope) for slope in slopes) + 1e-30)


def moved_without_dc(test):
    """Return the largest norm ratio of a tensor's two gradients, one without dc_next."""
    right, wrong = module.gradients(test), module.gradients(test, "no_dc")
    return max(gl.norm_ratio(wrong[name], right[name]) for name in right)


LIMITS = {  # what is measured, its limit, what is scaled for it, what is said below, and above
    "slopes": (flattest, 1e4, (1, 1, 0, 0, 0), "", "The gates saturate: half of the slopes of"),
    "ratios": (moved_without_dc, 1e-4, (0, 0, 0, 0, 1),
               "although it does not add dc_next to the cell state's gradient.", ""),
    "states": (lambda test: abs(in_one_step(test)[1]).max(), 0.1, (1, 1, 1, 0, 0),
               "tanh(c) once more: the cell states are so small that tanh is a straight line there",
               "although it applies tanh to tanh(c) once more."),
}  # fmt: skip


@pytest.mark.parametrize("share", [0.96, 1.04])
@pytest.mark.parametrize("what", LIMITS)
def test_a_bug_is_seen_from_a_ratio_of_1e_4_on_and_a_gate_saturates_below_that(what, share):
    measure, limit, scaled, *words = LIMITS[what]
    usual = drawn()(np.random.default_rng(0))

    def at(scale):
        return [v * (scale if of else 1) for v, of in zip(usual, scaled, strict=True)]

    test = scaled_until(measure, share * limit, at)
    with np.errstate(over="ignore"):
        message = module.find_wrong_test(lambda rng: test)
    said, other = words if share < 1 else words[::-1]
    assert said in message
    assert not other or other not in message


def test_the_hidden_backward_passes_are_right_without_a_bug_and_wrong_with_each():
    test = module.one_step_test(np.random.default_rng(3))
    x, h_before, c_before, dh_next, dc_next = test
    right = module.gradients(test)

    def objective(x, h, c, shift=None):
        z = {q: x @ Wx + h @ Wh for q, (Wx, Wh) in module._WEIGHTS.items()}
        if shift is not None:
            z[shift[0]] = z[shift[0]] + shift[1]
        i, f, o = (1 / (1 + np.exp(-z[q])) for q in "ifo")
        c = f * c + i * np.tanh(z["g"])
        return (dh_next * o * np.tanh(c)).sum() + (dc_next * c).sum()

    for k in ((0, 0), (4, 7), (2, 3)):
        move = np.zeros((5, 8), complex)
        move[k] = 1e-30j
        slope = objective(x, h_before + move, c_before).imag / 1e-30
        assert slope == pytest.approx(right["dh_before"][k], rel=1e-10)
        slope = objective(x, h_before, c_before + move).imag / 1e-30
        assert slope == pytest.approx(right["dc_before"][k], rel=1e-10)
    for q in "ifgo":
        slope = objective(x, h_before, c_before, (q, 1e-30j * np.eye(8)[2])).imag / 1e-30
        assert slope == pytest.approx(right[f"db_{q}"][2], rel=1e-10)
        move = 1e-30j * np.outer(x[:, 4], np.eye(8)[5])
        slope = objective(x, h_before, c_before, (q, move)).imag / 1e-30
        assert slope == pytest.approx(right[f"dWx_{q}"][4, 5], rel=1e-10)
        move = 1e-30j * np.outer(h_before[:, 1], np.eye(8)[6])
        slope = objective(x, h_before, c_before, (q, move)).imag / 1e-30
        assert slope == pytest.approx(right[f"dWh_{q}"][1, 6], rel=1e-10)
    assert len(module.BUGS) == 14
    for bug in module.BUGS:
        assert module._largest(module.gradients(test, bug), right) > 0.01


# -- predictions -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def net():
    return gl.lstm(6, 8, 3, seed=0)


@pytest.fixture(scope="module")
def batch():
    return np.random.default_rng(0).standard_normal((4, 5, 6)), np.array([0, 1, 2, 0, 1])


def remembered(net, batch, order):
    """Return the errors by tensor of a check whose loss keeps its states from call to call."""
    x, y = batch
    state = [np.zeros((5, 8)), np.zeros((5, 8))]

    def loss(theta):
        p = net.roll(theta)
        for x_t in x[:2]:
            h, c = state
            z = {q: x_t @ p[f"Wx_{q}"] + h @ p[f"Wh_{q}"] + p[f"b_{q}"] for q in "ifgo"}
            i, f, o = (1 / (1 + np.exp(-z[q])) for q in "ifo")
            c = f * c + i * np.tanh(z["g"])
            state[:] = o * np.tanh(c), c
        logits = state[0] @ p["Wy"] + p["by"]
        return (np.log(np.exp(logits).sum(axis=1)) - logits[range(5), y]).mean()

    theta, n, eps = net.theta, np.empty(net.size), 1e-5
    for k in order:
        move = eps * (np.arange(net.size) == k)
        n[k] = (loss(theta + move) - loss(theta - move)) / (2 * eps)
    a, n = net.gradient(x[:2], y), net.roll(n)
    return {name: float(gl.norm_ratio(a[name].ravel(), n[name].ravel())) for name in a}


def said(name, choice):
    return QUESTIONS[name].choices[choice]


def paired(net, batch, zeros_before):
    """Return the errors by tensor if the states are zeros before each "pair" or each "loss"."""
    x, y = batch
    x, eps = x[:2], 1e-5

    def loss(theta, h, c):
        p = net.roll(theta)
        for x_t in x:
            z = {q: x_t @ p[f"Wx_{q}"] + h @ p[f"Wh_{q}"] + p[f"b_{q}"] for q in "ifgo"}
            i, f, o = (1 / (1 + np.exp(-z[q])) for q in "ifo")
            c = f * c + i * np.tanh(z["g"])
            h = o * np.tanh(c)
        logits = h @ p["Wy"] + p["by"]
        return (np.log(np.exp(logits).sum(axis=1)) - logits[range(5), y]).mean(), (h, c)

    n, zeros = np.empty(net.size), (np.zeros((5, 8)), np.zeros((5, 8)))
    for k, move in enumerate(eps * np.eye(net.size)):
        right, left_behind = loss(net.theta + move, *zeros)
        start = zeros if zeros_before == "loss" else left_behind
        n[k] = (right - loss(net.theta - move, *start)[0]) / (2 * eps)
    a, n = net.gradient(x, y), net.roll(n)
    return {name: float(gl.norm_ratio(a[name].ravel(), n[name].ravel())) for name in a}


def test_zeros_for_each_pair_make_it_worse(net, batch):
    says("11_lstm", "With zeros before each pair, every error is 1.00.")
    forward = remembered(net, batch, range(net.size))
    reverse = remembered(net, batch, reversed(range(net.size)))
    assert max(forward, key=forward.get) == "Wx_i"
    assert max(reverse, key=reverse.get) == "by"
    pair, each = (paired(net, batch, what) for what in ("pair", "loss"))
    assert {f"{pair[name]:.2f}" for name in pair} == {"1.00"}
    assert max(each.values()) < 1e-7


def differs(one, two):
    return {name for name in two if not np.allclose(one[name], two[name], rtol=1e-6, atol=1e-12)}


def test_about_40_of_100_wrong_lines_are_unseen_at_one_step(net, batch):
    x, y = batch
    hidden = [gl.bugs.mystery(seed, net) for seed in range(100)]
    right = {T: net.gradient(x[:T], y) for T in (1, 2, 4)}
    unseen = [one for one in hidden if not differs(one.gradient(x[:1], y), right[1])]
    says("11_lstm", "At one time step 39 of them give exactly the *right* gradient")
    assert len(unseen) == 39
    assert all(differs(one.gradient(x[:2], y), right[2]) for one in hidden)
    # what is handed back: right at the last step, wrong before
    signal = net.cut_gradients(x, y)["input"]

    def is_handed_back(one):
        given = one.cut_gradients(x, y)["input"]
        return np.allclose(given[-1], signal[-1]) and not np.allclose(given[0], signal[0])

    back = [one for one in unseen if is_handed_back(one)]
    assert len(back) > len(unseen) / 2
    for one in unseen:
        wrong = differs(one.gradient(x, y), right[4])
        of_zeros = all(name.startswith("Wh_") or name.endswith("_f") for name in wrong)
        over_steps = np.allclose(one.cut_gradients(x, y)["input"], signal, rtol=1e-9)
        assert one in back or of_zeros or over_steps or is_forget_line(one)
    # what one step does test: Wx and b of the gates i, g and o, and the output
    zero = {name for name, value in right[1].items() if not value.any()}
    assert zero == {"Wh_i", "Wx_f", "Wh_f", "b_f", "Wh_g", "Wh_o"}


def is_forget_line(one):
    return all(slip.right.startswith("dz_f") for slip in one.reveal().slips)


def test_the_signal_is_right_at_every_step_if_only_the_sums_are_overwritten(net, batch):
    x, y = batch
    wrong = gl.bugs.plant(net, "lstm_step_overwrites")
    assert len(differs(wrong.gradient(x, y), net.gradient(x, y))) == 12
    np.testing.assert_allclose(
        wrong.cut_gradients(x, y)["input"], net.cut_gradients(x, y)["input"], rtol=1e-9, atol=1e-15
    )
    # "the one whose part is left in the tensors" is the first step's
    first = wrong.gradient(x, y)["Wx_i"]
    states = net.state_gradients(x, y)
    assert set(states) == {f"{part}{t}" for part in "hc" for t in range(1, 5)}
    assert not wrong.gradient(x, y)["Wh_i"].any()
    assert first.any()
    # "at 1, 2 and 3" is how a dropped dc looks
    dropped = gl.bugs.plant(net, "lstm_cell_gradient_dropped").cut_gradients(x, y)["input"]
    right = net.cut_gradients(x, y)["input"]
    assert [not np.allclose(a, b, rtol=1e-6, atol=1e-12)
            for a, b in zip(dropped, right, strict=True)] == [True, True, True, False]  # fmt: skip


def test_two_steps_show_the_forgetful_code_in_four_tensors(net, batch):
    x, y = batch
    question = QUESTIONS["two_time_steps"]
    forgetful = gl.bugs.plant(net, "lstm_cell_gradient_dropped")
    wrong = gl.check(forgetful, x[:2], y).wrong
    assert question.right == str(len(wrong)) == "4"
    assert sorted(wrong) == ["Wx_g", "Wx_i", "b_g", "b_i"]
    # each wrong choice leaves one of the zeros out: of h, of c, of what leads to c
    gates = [f"{kind}_{q}" for q in "ifgo" for kind in ("Wx", "Wh", "b")]
    without_h = [name for name in gates if not name.startswith("Wh")]
    of_c = [name for name in without_h if not name.endswith("_o")]
    assert [len(gates), len(without_h), len(of_c)] == [12, 8, 6]
    assert list(question.choices) == ["4", "6", "8", "12"]
    assert [name for name in of_c if not name.endswith("_f")] == ["Wx_i", "b_i", "Wx_g", "b_g"]
    assert "So does the forget gate's line meet a c of 0." in said("two_time_steps", "6")

"""An answer is off by a little, and is right up to a limit: each exercise's limits are as told."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.course.exercise import Exercise
from gradlab.course.tasks import TASKS
from gradlab.course.tasks import three_steps as steps
from gradlab.course.tasks import weight_scale as scales

SOLVED = " solved."


def right(name, *arguments):
    return TASKS[name].answer(*arguments)


def times(name, plus=0.0):
    """Return what makes an answer of which each number is off by a share of itself, and `plus`."""

    def off_by(share):
        def answer(*arguments):
            found = right(name, *arguments)
            if isinstance(found, dict):
                return {
                    key: value + share * (value + plus * np.sign(value))
                    for key, value in found.items()
                }
            if isinstance(found, tuple):
                return tuple(value + share * (value + plus * np.sign(value)) for value in found)
            return found + share * (found + plus * np.sign(found))

        return answer

    return off_by


def one_drifts(name, of):
    """Return what makes an answer that leaves one entry of argument `of` off by so much."""

    def off_by(much):
        def answer(*arguments):
            found = right(name, *arguments)
            moved = arguments[of]
            first = moved[next(iter(moved))] if isinstance(moved, dict) else moved
            first.flat[0] += much
            return found

        return answer

    return off_by


def errors_off(of):
    """Return what makes a `compare` whose errors are off by a share `of` each."""

    def off_by(share):
        def answer(*arguments):
            worst, errors = right("compare", *arguments)
            return worst, {name: error + share * of(error) for name, error in errors.items()}

        return answer

    return off_by


def accuses_all(step):
    """Return a `wrong_tensors` that looks at its entries at one step, and names every tensor."""

    def answer(loss, params, grads, k):
        for w in params.values():
            for i in range(min(k, w.size)):
                saved = w.flat[i]
                for side in (1, -1):
                    w.flat[i] = saved + side * step
                    loss(params)
                w.flat[i] = saved
        return list(params)

    return answer


def central_only(step):
    """Return an `is_bug` that sees loss(theta) and both sides, and takes the mean of the slopes."""

    def answer(loss, theta, i, a):
        unit = np.eye(theta.size)[i]
        at = {s: loss(theta + s * step * unit) for s in (-2, -1, 0, 1, 2)}
        return abs(a - (at[1] - at[-1]) / (2 * step)) > 0.01 * abs(a)

    return answer


def accuses(length):
    """Return an `is_wrong` that calls everything wrong, after two steps of a length."""

    def answer(loss, grad, theta):
        v = length * np.ones(theta.size) / np.sqrt(theta.size)
        loss(theta + v)
        loss(theta - v)
        return True

    return answer


def at_lambda(lam):
    def answer(loss, gradient, theta):
        for one in (0.0, lam):
            loss(theta, one)
            gradient(theta, one)
        return "both"

    return answer


def second_call_off(share):
    """Return a `frozen` whose second result is off."""

    def answer(loss, rng):
        kept, calls = right("frozen", loss, rng), []

        def frozen(theta):
            calls.append(theta)
            return kept(theta) * (1 + share * (len(calls) == 2))

        return frozen

    return answer


def gradient_off(ratio):
    """Return a `frozen` that hands a gradient on with a norm ratio, and a loss as it is."""

    def answer(loss, rng):
        kept = right("frozen", loss, rng)

        def frozen(theta):
            value = kept(theta)
            return value if np.ndim(value) == 0 else value * (1 + 2 * ratio)

        return frozen

    return answer


def grad_off(share):
    """Return a `Dense` whose grad() is off by a share of itself."""

    class Dense(TASKS["mend_dense"].answer):
        def grad(self):
            return super().grad() * (1 + share)

    return Dense


def number_off(change):
    """Return what makes a `signature` whose number is changed."""

    def off_by(much):
        def answer(*arguments):
            word, c = right("signature", *arguments)
            return word, None if c is None else change(c, much)

        return answer

    return off_by


def step_of(rule, to=lambda factor: factor):
    """Return what makes a `choose_eps` that is a factor beside a rule."""

    def off_by(factor):
        return lambda dtype, order: to(factor) * rule(np.finfo(dtype).eps, order)

    return off_by


def scale_for_moons(scale):
    return lambda x: scale if len(x) == 30 and abs(x).max() > 0.1 else right("first_scale", x)


def reached(measure, limit, low, high):
    """Return what finds the place between two, by halving, at which a measure is a share of it."""

    def at(share):
        from_, to = low, high
        rises = measure(high) > measure(low)
        for _ in range(12):
            middle = np.sqrt(from_ * to)
            below = measure(middle) < share * limit
            from_, to = (middle, to) if below == rises else (from_, middle)
        assert measure(from_) == pytest.approx(share * limit, rel=1e-2)
        return from_

    return at


def slope_of_tanh(scale):
    """Return the lesser mean tanh' of the two networks that a scale is tried in."""
    x = gl.data.moons(30, seed=0)[0]
    drawn = [np.random.default_rng(seed).standard_normal((2, 8)) for seed in (0, 1)]
    return min((1 / np.cosh(scale * x @ W) ** 2).mean() for W in drawn)


def least_seen(scale):
    """Return the least norm ratio that a wrong tanh' makes in W1's gradient."""
    x, found = gl.data.moons(30, seed=0)[0], []
    for seed in (0, 1):
        net, y = scales._network(x, scale, seed)
        for bug in ("missing_activation_derivative", "activation_derivative_at_output"):
            wrong = gl.bugs.plant(net, bug).gradient(x, y)["W1"]
            found.append(gl.norm_ratio(wrong.ravel(), net.gradient(x, y)["W1"].ravel()))
    return min(found)


def times_the_least(eps):
    return steps.error_at("loss", eps) / steps.least("loss")[1]


#: What is off: exercise, its limit, what makes the answer, what is said below, and above it.
LIMITS = {
    "a slope": ("slope", 1e-8, times("slope"), SOLVED, "it returned 12.01; the central"),
    "a slope of 0": ("slope", 1e-12, lambda s: lambda *given: right("slope", *given) + s,
                     SOLVED, "For the constant 5 at -1"),
    "theta": ("check_one_weight", 1e-12, one_drifts("check_one_weight", 1), "it again drifts",
              "theta comes back changed. Save"),
    "params, in the last digits": ("compare", 1e-12, one_drifts("compare", 1), "in the last digits",
                                   "Whoever trains on"),
    "params, sampled": ("wrong_tensors", 1e-12, one_drifts("wrong_tensors", 1),
                        "changed: adding eps", "changed. Save"),
    "errors": ("compare", 1e-4, errors_off(lambda error: 1 + error), SOLVED, "is it the step"),
    "errors, by far": ("compare", 0.1, errors_off(lambda error: 1), "is it the step",
                       "Print a and n"),
    "a loss": ("mse", 1e-7, times("mse"), SOLVED, ""),
    "a backward pass": ("repair_backward", 1e-9, times("repair_backward"), SOLVED,
                        "All four are now 1.000000001 times"),
    "a cell": ("cell_backward", 1e-5, times("cell_backward", plus=0.1), SOLVED, "differences give"),
    "a convolution": ("conv_backward", 1e-6, times("conv_backward"), SOLVED,
                      "differences of the loss give"),
    "a pool": ("max_pool_backward", 1e-6, times("max_pool_backward"), SOLVED, ""),
    "a factor": ("signature", 1e-3, number_off(lambda c, s: c * (1 + s) if c != 1 else c), SOLVED,
                 "and it says c = "),
    "a factor of 0": ("signature", 1e-6, number_off(lambda c, s: c + s), SOLVED, "it says c = "),
    "a frozen loss": ("frozen", 1e-12, second_call_off, SOLVED, "Two calls at the same theta"),
    "a frozen gradient": ("frozen", 1e-12, gradient_off, SOLVED, "has other masks than that"),
    "a class": ("mend_dense", 1e-11, grad_off, SOLVED, "is right to about 1e-11 of its size only"),
    "a class, by far": ("mend_dense", 1e-4, grad_off, "of its size only",
                        "is 1 times what it must be"),
    "too long a step": ("wrong_tensors", 2e-3, accuses_all, "Is each difference compared",
                        "Your step is 2e-03: over so long a way"),
    "too short a step": ("wrong_tensors", 5e-9, accuses_all, "so short a difference is round-off",
                         "Is each difference compared"),
    "too long a step beside a kink": ("is_bug", 2e-5, central_only, "That the error stays when",
                                      "Its shortest step is 2e-05: other kinks"),
    "too long a way": ("is_wrong", 1e-3, accuses, "Is the difference divided by the way",
                       "Your longest step has length 1e-03"),
    "too short a way": ("is_wrong", 1e-8, accuses, "so short a difference is round-off",
                        "Is the difference divided by the way"),
    "too large a lambda": ("which_part", 1e4, at_lambda, "a step that is too short or too long",
                           "At lambda = 1e+04 the loss is so large"),
    "too small a lambda": ("which_part", 1e-5, at_lambda, "At lambda = 1e-05 the penalty is lost",
                           "a step that is too short or too long"),
    "too long an eps": ("choose_eps", 5, step_of(lambda u, p: u ** (1 / (p + 1))), SOLVED,
                        "too long, truncation"),
    "too short an eps": ("choose_eps", 5, step_of(lambda u, p: u ** (1 / (p + 1)), lambda f: 1 / f),
                         SOLVED, "too short, round-off"),
    "another scheme's eps": ("choose_eps", 1.5, step_of(lambda u, p: u ** 0.5),
                             "This is right for forward differences", "too "),
}  # fmt: skip


@pytest.mark.every_case
@pytest.mark.parametrize("share", [0.95, 1.05])
@pytest.mark.parametrize("what", LIMITS)
def test_an_answer_is_right_up_to_its_limit_and_told_what_it_is_beyond(what, share, store):
    name, limit, off_by, *words = LIMITS[what]
    said = repr(Exercise(TASKS[name], store).check(off_by(share * limit)))
    below, above = words
    assert (below in said) == (share < 1), said
    assert (above in said) == (share > 1) or not above, said


@pytest.mark.parametrize("share", [0.95, 1.05])
def test_tanh_is_in_use_where_its_mean_slope_is_a_tenth_and_its_bugs_move_a_thousandth(
    share, store
):
    flat = reached(slope_of_tanh, 0.1, 1.0, 100.0)(share)
    said = repr(Exercise(TASKS["first_scale"], store).check(scale_for_moons(flat)))
    assert ("moons: with" in said and "tanh is flat there" in said) == (share < 1)
    straight = reached(least_seen, 1e-3, 1e-3, 1.0)(share)
    said = repr(Exercise(TASKS["first_scale"], store).check(scale_for_moons(straight)))
    assert ("moons: with" in said and "is a straight line there" in said) == (share < 1)


@pytest.mark.parametrize("share", [0.95, 1.05])
def test_a_step_is_good_with_ten_times_the_least_error(share, store):
    eps = reached(times_the_least, 10, 2e-5, 1e-2)(share)
    said = repr(Exercise(TASKS["three_steps"], store).check({**TASKS["three_steps"].answer,
                                                             "loss": eps}))  # fmt: skip
    assert (SOLVED in said) == (share < 1)
    assert ("has 10 times the least error: truncation" in said) == (share > 1)

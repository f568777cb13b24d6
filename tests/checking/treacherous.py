"""Losses and gradients that are no plain functions of theta, or return something odd.

What is honest is a verdict in `allowed`, or an exception of the type `error`; where both are given,
either will do. `words`: lower-case words of which at least one must stand in the report's or the
error's text, unless the tuple is empty. theta must be unchanged after every call.

Written without a look at the checker.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np


@dataclass(frozen=True)
class Treacherous:
    """One case: `make()` gives a fresh (f, grad, theta)."""

    name: str
    make: Callable[[], tuple]
    allowed: tuple[str, ...]
    error: type | tuple[type, ...] | None
    words: tuple[str, ...]
    why: str


TREACHEROUS: list[Treacherous] = []
THETA = np.array([0.7, -1.2, 0.4, 1.9])

CORRECT, WRONG, UNSURE = ("correct",), ("wrong",), ("inconclusive",)
NOT_CORRECT = ("wrong", "inconclusive")
ANY = ("correct", "wrong", "inconclusive")
REFUSED = (TypeError, ValueError)

STATE = ("same", "again", "earlier", "remember", "state", "repeat", "deterministic", "previous")
STATE += ("between calls", "call to call", "two values", "twice", "drift", "no function of")
NOISE = (*STATE, "random", "noise", "noisy", "seed")
FORWARD = ("forward", "last call", "left behind", "elsewhere", "cache", *STATE)
NOT_FINITE = ("finite", "nan", " inf", "overflow")


def case(
    name: str,
    make: Callable[[], tuple],
    allowed: tuple[str, ...],
    why: str,
    words: tuple[str, ...] = (),
    error: type | tuple[type, ...] | None = None,
) -> None:
    TREACHEROUS.append(Treacherous(name, make, allowed, error, words, why))


def smooth(t):
    """Return the loss that most cases hide: sum of t² / 2 + sin t."""
    return np.sum(t**2 / 2 + np.sin(t))


def slope(t):
    return t + np.cos(t)


def with_f(f: Callable, factor: float = 1) -> Callable:
    """Make a case of an odd f that keeps no state, with the gradient of `smooth`."""
    return lambda: (f, lambda t: factor * slope(t), THETA.copy())


def with_grad(grad: Callable, theta=THETA) -> Callable:
    """Make a case of an odd grad that keeps no state, with f = `smooth`."""
    return lambda: (smooth, grad, np.array(theta, dtype=float))


# --- f remembers earlier calls


def running_mean(settled: bool, share: float, right: bool):
    """Make an f that subtracts a running mean of the thetas it was called with."""

    def make():
        mean = THETA.copy() if settled else np.zeros(4)

        def f(t):
            nonlocal mean
            mean = (1 - share) * mean + share * t
            return smooth(t - mean) + np.sum(t - mean)

        def grad(t):
            return slope(t - mean) + 1 if right else np.zeros(4)

        return f, grad, THETA.copy()

    return make


case(
    "a settled running mean, gradient 0",
    running_mean(settled=True, share=0.5, right=False),
    NOT_CORRECT,
    "f(theta) is the same twice, and another after a step elsewhere",
    STATE,
)
case(
    "a settled running mean, gradient with the mean held fixed",
    running_mean(settled=True, share=0.1, right=True),
    NOT_CORRECT,
    "f moves with its history, so no difference of it is its slope",
    STATE,
)
case(
    "a running mean that has not settled",
    running_mean(settled=False, share=0.3, right=True),
    NOT_CORRECT,
    "f(theta) differs from call to call",
    STATE,
)


def batch_statistics():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(12, 4)), rng.normal(size=12)
    mean, var = 0.0, 1.0

    def f(t):
        nonlocal mean, var
        z = X @ t
        mean, var = 0.9 * mean + 0.1 * z.mean(), 0.9 * var + 0.1 * z.var()
        return np.mean(((z - mean) / np.sqrt(var) - y) ** 2)

    def grad(t):
        z = X @ t
        return 2 * X.T @ ((z - mean) / np.sqrt(var) - y) / np.sqrt(var) / 12

    return f, grad, THETA.copy()


def drift(size: float, right: bool = True):
    def make():
        calls = 0

        def f(t):
            nonlocal calls
            calls += 1
            return smooth(t) + size * calls

        return f, slope if right else np.zeros_like, THETA.copy()

    return make


def cached(key: Callable, factor: float = 1):
    """Make an f that looks its value up under `key(theta)`."""

    def make():
        known = {}

        def f(t):
            return known.setdefault(key(t), smooth(t))

        return f, lambda t: factor * slope(t), THETA.copy()

    return make


def first_calls():
    calls = 0

    def f(t):
        nonlocal calls
        calls += 1
        return smooth(t) * (1 if calls <= 3 else 2)

    return f, slope, THETA.copy()


case(
    "momentum statistics of a batch norm",
    batch_statistics,
    NOT_CORRECT,
    "every forward call moves the statistics that the next one uses",
    STATE,
)
case("f + 1e-3 · calls", drift(1e-3), NOT_CORRECT, "f(theta) grows at each call", STATE)
case("f + 1e-6 · calls", drift(1e-6), ANY, "f(theta) grows at each call", STATE)
case("f + 1e-11 · calls", drift(1e-11), ANY, "too small to spoil a difference at long steps")
case("f + 1e-3 · calls, gradient 0", drift(1e-3, False), NOT_CORRECT, "drift is no slope", STATE)
case("f doubles after three calls", first_calls, NOT_CORRECT, "another loss later on", STATE)
case(
    "a cache keyed by the shape",
    cached(np.shape),
    NOT_CORRECT,
    "f always gives its first value: the loss never moves",
)
case(
    "a cache keyed by the sum to 2 digits",
    cached(lambda t: round(float(t.sum()), 2)),
    NOT_CORRECT,
    "short steps hit the value at theta, equal sums hit each other",
)
case(
    "a cache keyed by the first entry",
    cached(lambda t: float(t[0])),
    NOT_CORRECT,
    "f never moves with the other three entries, whose gradient is not 0",
)
case(
    "a cache keyed by all of theta",
    cached(lambda t: t.tobytes()),
    CORRECT,
    "a right cache is a function",
)
case(
    "a cache keyed by all of theta, gradient × 1.1",
    cached(lambda t: t.tobytes(), 1.1),
    WRONG,
    "a right cache hides no error",
)
case(
    "a cache keyed by id(theta)",
    cached(id),
    ANY,
    "depends on whether the steps are taken in new arrays; must not crash",
)

# --- f is noisy


def noisy(size: float, factor: float = 1, relative: bool = True):
    def make():
        rng = np.random.default_rng(2)

        def f(t):
            value = smooth(t)
            return value + size * rng.integers(-1, 2) * (value if relative else 1)

        return f, lambda t: factor * slope(t), THETA.copy()

    return make


def shuffled(factor: float):
    rng, X = np.random.default_rng(3), np.random.default_rng(4).normal(size=(3000, 4))

    def make():
        def f(t):
            terms = np.log1p(np.exp(X @ t))
            total = 0.0
            for term in rng.permutation(terms).reshape(30, 100):
                total += float(np.sum(term))
            return total

        return f, lambda t: factor * X.T @ (1 / (1 + np.exp(-(X @ t)))), THETA.copy()

    return make


def dropout(gradient: Callable):
    def make():
        rng = np.random.default_rng(5)

        def f(t):
            return smooth(t * (rng.random(4) < 0.5) / 0.5)

        return f, gradient, THETA.copy()

    return make


ULP = 2.0**-53
case("noise of one last place", noisy(2 * ULP), CORRECT, "noise of that size is rounding")
case("noise of one last place, × 1.01", noisy(2 * ULP, 1.01), WRONG, "far above that noise")
case("noise of one last place, gradient 0", noisy(2 * ULP, 0), WRONG, "far above that noise")
case("terms summed in a random order", shuffled(1), CORRECT, "noise of a few last places")
case("terms summed in a random order, × 1.01", shuffled(1.01), WRONG, "far above that noise")
case("noise of 1e-3", noisy(1e-3, relative=False), UNSURE, "nothing better than 1 %", NOISE)
case("noise of 0.1, gradient 0", noisy(0.1, 0), NOT_CORRECT, "noise is no slope of 0", NOISE)
case("dropout with a new mask each call", dropout(slope), NOT_CORRECT, "f is random", NOISE)
case("dropout with a new mask, gradient 0", dropout(np.zeros_like), NOT_CORRECT, "random", NOISE)

# --- grad uses what the last forward call left, or its first argument, or one buffer


def left_behind(what: str, factor: float = 1):
    """Make a backward from the activations that the last forward call left."""
    rng = np.random.default_rng(6)
    X, v = rng.normal(size=(9, 4)), rng.normal(size=9)

    def make():
        kept = {"h": np.tanh(X @ THETA)} if what == "there from the start" else {}

        def f(t):
            kept["h"] = np.tanh(X @ t)
            return kept["h"] @ v + t @ t / 2

        def grad(t):
            if not kept:
                raise RuntimeError("call the forward pass first")
            return factor * (X.T @ (v * (1 - kept["h"] ** 2)) + t)

        return f, grad, THETA.copy()

    return make


def kept_theta():
    kept = THETA.copy()

    def f(t):
        nonlocal kept
        kept = t
        return smooth(t)

    return f, lambda t: slope(kept), THETA.copy()


def first_gradient():
    known = []

    def grad(t):
        known.append(slope(t))
        return known[0]

    return smooth, grad, THETA.copy()


def one_buffer():
    buffer = np.zeros(4)

    def grad(t):
        buffer[:] = slope(t)
        return buffer

    return smooth, grad, THETA.copy()


def swapped_buffer():
    """Make a gradient whose buffer the next call of f overwrites."""
    buffer = np.zeros(4)

    def f(t):
        buffer[:] = np.sin(t)
        return np.sum(t**2 / 2 + buffer)

    def grad(t):
        buffer[:] = slope(t)
        return buffer

    return f, grad, THETA.copy()


case(
    "a backward from the last forward's activations",
    left_behind("there from the start"),
    ANY,
    "right only when f(theta) was the last call; to be said in either case",
    FORWARD,
)
case(
    "a backward that needs a forward first",
    left_behind("missing"),
    ANY,
    "raises if grad comes first; right only after f(theta)",
    FORWARD,
    RuntimeError,
)
case(
    "a backward from the last forward, × 1.2",
    left_behind("there from the start", 1.2),
    NOT_CORRECT,
    "wrong whatever was called last",
)
case(
    "grad at the theta that f was last called with",
    kept_theta,
    ANY,
    "right after f(theta), or if steps are taken in place; must not crash",
)
case(
    "grad ignores its argument, gives the gradient at the start",
    with_grad(lambda t: slope(THETA)),
    CORRECT,
    "right at theta, which is what is asked",
)
case("grad keeps its first result", first_gradient, CORRECT, "right at theta")
case("grad fills the same buffer at each call", one_buffer, CORRECT, "must be copied at most")
case("f overwrites grad's buffer", swapped_buffer, CORRECT, "must be copied at once")

# --- aliases and changed arguments


def grad_doubles_theta(t):
    result = slope(t)
    t *= 2
    return result


def grad_in_place(t):
    t += np.cos(t)
    return t


def grad_in_place_wrong(t):
    t *= 1.5
    return t


def f_zeroes_theta(t):
    value = smooth(t)
    t[:] = 0
    return value


def f_clips_theta(t):
    np.clip(t, -3, 3, out=t)
    return smooth(t)


def f_sorts_theta(t):
    t.sort()
    return smooth(t)


def half_square(t):
    return t @ t / 2


READ_ONLY = "a right answer on a copy, or an error in words"
case("grad returns theta", lambda: (half_square, lambda t: t, THETA.copy()), CORRECT, "an alias")
case("grad returns a view", lambda: (half_square, lambda t: t[:], THETA.copy()), CORRECT, "alias")
case(
    "grad returns theta, the loss is 0.6 t·t",
    lambda: (lambda t: 0.6 * t @ t, lambda t: t, THETA.copy()),
    WRONG,
    "an alias, off by 1.2",
)
case("grad doubles theta", with_grad(grad_doubles_theta), CORRECT, READ_ONLY, error=ValueError)
case("grad works in theta", with_grad(grad_in_place), CORRECT, READ_ONLY, error=ValueError)
case(
    "grad works in theta, and is wrong",
    lambda: (half_square, grad_in_place_wrong, THETA.copy()),
    WRONG,
    "1.5 theta instead of theta, also if theta itself is scaled",
    error=ValueError,
)
case("f sets theta to 0", with_f(f_zeroes_theta), CORRECT, READ_ONLY, error=ValueError)
case("f clips theta in place", with_f(f_clips_theta), CORRECT, READ_ONLY, error=ValueError)
case("f sorts theta in place", with_f(f_sorts_theta), CORRECT, READ_ONLY, error=ValueError)

# --- what f returns

F = "f returns "
case(F + "(loss, grad)", with_f(lambda t: (smooth(t), slope(t))), (), "a pair", ("tuple",), REFUSED)
case(F + "a dict", with_f(lambda t: {"loss": smooth(t)}), (), "no number", ("dict",), REFUSED)
case(F + "None", with_f(lambda t: None), (), "return forgotten", ("none",), REFUSED)
case(F + "a complex", with_f(lambda t: smooth(t) + 1j), (), "no loss", ("complex",), REFUSED)
case(
    F + "a complex without an imaginary part",
    with_f(lambda t: complex(smooth(t))),
    CORRECT,
    "its real part, or an error",
    ("complex", "correct", "agree"),
    REFUSED,
)
case(F + "a string", with_f(lambda t: str(smooth(t))), (), "no number", ("str",), REFUSED)
case(
    F + "the losses of each entry",
    with_f(lambda t: t**2 / 2 + np.sin(t)),
    (),
    "a vector is no loss",
    ("array", "shape", "(4,)", "scalar", "one number", "single number"),
    REFUSED,
)
case(F + "an empty array", with_f(lambda t: t[:0]), (), "no number", ("array", "shape"), REFUSED)
case(F + "a function", with_f(lambda t: smooth), (), "no number", ("function",), REFUSED)
case(F + "a (1,) array", with_f(lambda t: np.array([smooth(t)])), CORRECT, "one number")
case(F + "a (1, 1) array", with_f(lambda t: np.array([[smooth(t)]])), CORRECT, "one number")
case(F + "a 0-d array", with_f(lambda t: np.array(smooth(t))), CORRECT, "one number")
case(F + "a 0-d array, × 1.1", with_f(lambda t: np.array(smooth(t)), 1.1), WRONG, "one number")
case(F + "a float32", with_f(lambda t: np.float32(smooth(t))), CORRECT, "coarser noise")
case(F + "a float32, × 1.1", with_f(lambda t: np.float32(smooth(t)), 1.1), WRONG, "coarser noise")
case(F + "a longdouble", with_f(lambda t: np.longdouble(smooth(t))), CORRECT, "one number")
case(F + "a Fraction", with_f(lambda t: Fraction(smooth(t))), CORRECT, "one number", (), REFUSED)
case(
    F + "an int, the number of positive entries",
    lambda: (lambda t: sum(int(v > 0) for v in t), np.zeros_like, THETA.copy()),
    ("correct", "inconclusive"),
    "a staircase: 0 against 0 proves nothing, and is not wrong",
)
case(
    F + "an int that is rounded",
    with_f(lambda t: int(100 * smooth(t))),
    NOT_CORRECT,
    "a staircase, and a hundred times the loss",
    (),
    REFUSED,
)
case(F + "a bool", with_f(lambda t: bool(t[0] > 0)), NOT_CORRECT, "no loss", ("bool",), REFUSED)

# --- what grad returns


def spoil_one(value):
    def grad(t):
        g = slope(t)
        g[2] = value
        return g

    return grad


G = "grad returns "
case(G + "a list", with_grad(lambda t: list(slope(t))), CORRECT, "four numbers")
case(G + "a list, one entry off", with_grad(lambda t: list(spoil_one(9.0)(t))), WRONG, "numbers")
case(G + "a tuple", with_grad(lambda t: tuple(slope(t))), CORRECT, "four numbers")
case(G + "a (P, 1) array", with_grad(lambda t: slope(t)[:, None]), CORRECT, "not broadcast")
case(G + "a (1, P) array", with_grad(lambda t: slope(t)[None, :]), CORRECT, "not broadcast")
case(
    G + "a (P, 1) array, × 1.1",
    with_grad(lambda t: 1.1 * slope(t)[:, None]),
    WRONG,
    "not broadcast to a table of differences",
)
case(G + "a float32", with_grad(lambda t: slope(t).astype(np.float32)), CORRECT, "its rounding")
case(
    G + "a float32, × 1.1",
    with_grad(lambda t: (1.1 * slope(t)).astype(np.float32)),
    WRONG,
    "far above float32's rounding",
)
case(
    G + "a float16",
    with_grad(lambda t: slope(t).astype(np.float16)),
    ("correct", "inconclusive"),
    "right to its rounding, 5e-4",
)
case(G + "big-endian floats", with_grad(lambda t: slope(t).astype(">f8")), CORRECT, "numbers")
case(
    G + "every second entry of an array",
    with_grad(lambda t: np.repeat(slope(t), 2)[::2]),
    CORRECT,
    "strided",
)
case(
    G + "ints, and they are right",
    lambda: (lambda t: t @ t, lambda t: (2 * t).astype(int), np.array([1.0, -2, 3])),
    CORRECT,
    "2, -4 and 6 are right",
)
case(G + "ints, cut off", with_grad(lambda t: slope(t).astype(int)), WRONG, "decimals lost")
case(
    G + "an object array",
    with_grad(lambda t: slope(t).astype(object)),
    CORRECT,
    "floats in it: used, or an error",
    (),
    REFUSED,
)
case(
    G + "an object array of arrays",
    with_grad(lambda t: np.array([t[:1], t[1:]], dtype=object)),
    (),
    "one array for each tensor, not joined",
    ("grad",),
    REFUSED,
)
case(
    G + "a list of arrays",
    with_grad(lambda t: [t[:1], t[1:]]),
    (),
    "not joined",
    ("grad",),
    REFUSED,
)
case(G + "None", with_grad(lambda t: None), (), "return forgotten", ("none",), REFUSED)
case(G + "one entry too few", with_grad(lambda t: slope(t)[:-1]), (), "shape", ("grad",), REFUSED)
case(
    G + "one entry too many",
    with_grad(lambda t: np.append(slope(t), 0)),
    (),
    "shape",
    ("grad",),
    REFUSED,
)
case(G + "a single number", with_grad(lambda t: 1.0), (), "not broadcast", ("grad",), REFUSED)
case(G + "a (P, P) array", with_grad(lambda t: np.diag(slope(t))), (), "shape", ("grad",), REFUSED)
case(G + "a dict", with_grad(lambda t: {"w": slope(t)}), (), "no array", ("grad", "dict"), REFUSED)
case(G + "a string", with_grad(lambda t: "0.5"), (), "no array", ("grad", "str"), REFUSED)
case(G + "(loss, grad)", with_grad(lambda t: (smooth(t), slope(t))), (), "pair", ("grad",), REFUSED)
case(
    G + "complex numbers",
    with_grad(lambda t: slope(t) + 1j),
    (),
    "no slopes",
    ("complex",),
    REFUSED,
)
case(G + "a generator", with_grad(lambda t: (v for v in slope(t))), CORRECT, "odd", (), REFUSED)
case(G + "a nan", with_grad(spoil_one(np.nan)), NOT_CORRECT, "no slope", NOT_FINITE, ValueError)
case(G + "an inf", with_grad(spoil_one(np.inf)), NOT_CORRECT, "no slope", NOT_FINITE, ValueError)
case(
    G + "nan everywhere",
    with_grad(lambda t: t * np.nan),
    NOT_CORRECT,
    "nan compares false with every limit",
    NOT_FINITE,
    (ValueError, FloatingPointError),
)
case(
    G + "a number, for one entry",
    lambda: (lambda t: t[0] ** 3, lambda t: 3 * t[0] ** 2, np.array([0.8])),
    CORRECT,
    "one number for one entry, or an error that names the shape",
    ("grad", "correct", "agree"),
    REFUSED,
)

# --- f raises or is not finite


def refuses(t):
    raise ZeroDivisionError("no batch was given")


def refuses_all_but_theta(t):
    if not np.array_equal(t, THETA):
        raise KeyError("unknown parameters")
    return smooth(t)


def logs(t):
    return sum(math.log(v) for v in t) + float(t @ t)


def logs_quietly(t):
    with np.errstate(all="ignore"):
        return np.sum(np.log(t) + t**2)


def root(t):
    return math.sqrt(t[0]) + math.sqrt(t[1]) * t[0]


def square_root_of_matrix(t):
    L = np.linalg.cholesky(np.array([[t[0], t[1]], [t[1], t[2]]]))
    return 2 * np.sum(np.log(np.diag(L)))


def cholesky_slope(t):
    return np.array([t[2], -2 * t[1], t[0]]) / (t[0] * t[2] - t[1] ** 2)


def overflows(t):
    with np.errstate(all="ignore"):
        return np.sum(1e-300 * np.exp(100 * t))


def infinite(t):
    with np.errstate(all="ignore"):
        return np.sum(t**2) + 1 / np.float64(0)


def guarded(f: Callable, grad: Callable, theta, factor: float = 1) -> Callable:
    return lambda: (f, lambda t: factor * grad(t), np.array(theta, dtype=float))


def logs_slope(t):
    return 1 / t + 2 * t


def root_slope(t):
    root0, root1 = np.sqrt(t)
    return np.array([0.5 / root0 + root1, 0.5 / root1 * t[0]])


SMALL = [0.004, 0.007, 0.02, 0.5]
NEAR_SINGULAR = [1.0, 0.999, 1.003]
FAR = "only long steps leave the domain: shorter ones decide"
case("f raises at theta", with_f(refuses), (), "no value", ("batch",), ZeroDivisionError)
case(
    "f raises everywhere but at theta",
    with_f(refuses_all_but_theta),
    UNSURE,
    "no step works",
    ("unknown parameters", "defined", "raise", "keyerror"),
    KeyError,
)
case("math.log raises far away", guarded(logs, logs_slope, SMALL), CORRECT, FAR)
case("math.log raises far away, × 1.1", guarded(logs, logs_slope, SMALL, 1.1), WRONG, FAR)
case("math.sqrt raises far away", guarded(root, root_slope, [0.003, 0.008]), CORRECT, FAR)
case("math.sqrt raises far away, 0", guarded(root, root_slope, [0.003, 0.008], 0), WRONG, FAR)
case(
    "Cholesky fails far away",
    guarded(square_root_of_matrix, cholesky_slope, NEAR_SINGULAR),
    CORRECT,
    FAR,
)
case(
    "Cholesky fails far away, × 1.1",
    guarded(square_root_of_matrix, cholesky_slope, NEAR_SINGULAR, 1.1),
    WRONG,
    FAR,
)
case("f is nan far away", guarded(logs_quietly, logs_slope, SMALL), CORRECT, FAR)
case("f is nan far away, × 1.1", guarded(logs_quietly, logs_slope, SMALL, 1.1), WRONG, FAR)
case(
    "f is inf far away",
    guarded(overflows, lambda t: 1e-298 * np.exp(100 * t), [7.08, 7.05]),
    CORRECT,
    "exp overflows at long steps upwards",
)
case(
    "f is inf at theta",
    with_f(infinite),
    UNSURE,
    "inf - inf is no slope",
    NOT_FINITE,
    (ValueError, FloatingPointError),
)
case(
    "f is nan at theta",
    guarded(logs_quietly, logs_slope, [0.5, -0.5]),
    UNSURE,
    "the log of a negative number",
    NOT_FINITE,
    (ValueError, FloatingPointError),
)
case(
    "f is nan at theta, gradient 0",
    guarded(logs_quietly, logs_slope, [0.5, -0.5], 0),
    UNSURE,
    "nan compares false with every limit",
    NOT_FINITE,
    (ValueError, FloatingPointError),
)
case(
    "f raises below 0 and theta is 0",
    guarded(lambda t: math.sqrt(t[0]) ** 3 + t[0], lambda t: 1 + 1.5 * np.sqrt(t), [0]),
    ("correct", "inconclusive"),
    "slopes from one side only",
    (),
    ValueError,
)
case("grad raises", with_grad(refuses), (), "no gradient", ("batch",), ZeroDivisionError)

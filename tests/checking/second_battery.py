"""Black-box functions with right gradients that are awkward for a finite-difference check.

``CASES[name]()`` returns fresh ``(f, grad, theta)``: ``f`` maps a float64 vector to a float,
``grad`` maps it to a vector that is mathematically right at ``theta``.  ``with_bug(grad)`` is
the same gradient with its largest entry multiplied by 1.5, which is wrong.

Every ``f`` carries ``f.ideal``: the same function without rounding, noise or state, written so
that it also accepts complex and long-double vectors.  It is there to verify the gradients only.

Names say the trouble: ``kink_*`` has a kink near theta, ``at_kink_*`` a kink exactly at theta
(the gradient given is a valid subgradient), ``random_*`` draws random numbers in ``f``,
``stateful_*`` remembers earlier calls, ``easy_*`` should be called right by any check.
"""

import math
import zlib
from collections.abc import Callable

import numpy as np

Vec = np.ndarray
Func = Callable[[Vec], float]
Grad = Callable[[Vec], Vec]
Case = tuple[Func, Grad, Vec]

CASES: dict[str, Callable[[], Case]] = {}


def case(maker: Callable[[], Case]) -> Callable[[], Case]:
    """Register a maker under its own name."""
    CASES[maker.__name__] = maker
    return maker


def with_bug(grad: Grad, factor: float = 1.5) -> Grad:
    """The same gradient with its largest entry (in absolute value) multiplied by factor."""

    def buggy(t: Vec) -> Vec:
        g = np.array(grad(t), dtype=np.float64)
        g[int(np.argmax(np.abs(g)))] *= factor
        return g

    return buggy


# ------------------------------------------------------------------------------ shared pieces


def _pack(ideal: Callable, grad: Grad, theta, f: Callable | None = None) -> Case:
    """Make the triple; without f, f is ideal itself evaluated in float64."""
    inner = ideal if f is None else f

    def func(t: Vec) -> float:
        with np.errstate(all="ignore"):
            return float(inner(np.asarray(t, dtype=np.float64)))

    def gradient(t: Vec) -> Vec:
        with np.errstate(all="ignore"):
            return grad(np.asarray(t, dtype=np.float64))

    func.ideal = ideal
    return func, gradient, np.array(theta, dtype=np.float64)


def _abs(z):
    return np.where(z.real < 0, -z, z)


def _relu(z):
    return np.where(z.real > 0, z, 0)


def _step(z):
    return (z > 0).astype(np.float64)


def _sech2(z):
    return 1.0 / np.cosh(z) ** 2


def _sigmoid(z):
    return 0.5 * (1.0 + np.tanh(0.5 * z))


def _softplus(z):
    return _relu(z) + np.log1p(np.exp(-_abs(z)))


def _mlp(x, y, h, act, slope):
    """Mean squared error of act(x @ w1 + b1) @ w2 + b2, with its backward pass."""
    n, d = x.shape

    def split(t):
        return t[: d * h].reshape(d, h), t[d * h : d * h + h], t[d * h + h : -1], t[-1]

    def ideal(t):
        w1, b1, w2, b2 = split(t)
        r = act(x @ w1 + b1) @ w2 + b2 - y
        return 0.5 * np.sum(r * r) / n

    def grad(t):
        w1, b1, w2, b2 = split(t)
        z = x @ w1 + b1
        a = act(z)
        r = (a @ w2 + b2 - y) / n
        dz = np.outer(r, w2) * slope(z)
        return np.concatenate([(x.T @ dz).ravel(), dz.sum(0), a.T @ r, [r.sum()]])

    return ideal, grad


def _logistic(x, s):
    """Mean log-loss of a linear classifier; s holds labels -1 / +1."""
    xs = x * s[:, None]
    n = len(s)

    def ideal(t):
        return np.sum(_softplus(-(xs @ t))) / n

    def grad(t):
        return -(xs.T @ _sigmoid(-(xs @ t))) / n

    return ideal, grad


# -------------------------------------------------------------------------- kinks near theta


@case
def kink_abs_mixed_distances() -> Case:
    """Weighted |t - c| whose kinks lie 1e-10 to 1e-2 away, so no one step suits all entries."""
    c = np.array([0.3, -0.7, 1.1, 0.05, -0.4, 0.9])
    d = np.array([1e-10, -1e-8, 1e-6, -1e-5, 1e-4, -1e-2])
    a = np.array([1.0, 2.0, 0.5, 1.5, 0.7, 1.2])

    def ideal(t):
        return np.sum(a * _abs(t - c)) + 0.1 * np.sum(t * t)

    def grad(t):
        return a * np.sign(t - c) + 0.2 * t

    return _pack(ideal, grad, c + d)


@case
def kink_relu_net_thin_margin() -> Case:
    """ReLU network where four hidden units of one sample sit 1e-8 to 1e-6 from switching."""
    rng = np.random.default_rng(11)
    x, y = rng.normal(size=(5, 3)), rng.normal(size=5) * 2
    ideal, grad = _mlp(x, y, 5, _relu, _step)
    theta = rng.normal(size=26)
    w1 = theta[:15].reshape(3, 5)
    theta[15:19] = -(x[0] @ w1)[:4] + np.array([1e-8, -3e-8, 1e-7, -1e-6])
    return _pack(ideal, grad, theta)


@case
def kink_hinge_crowd() -> Case:
    """Mean hinge loss with 400 margins within 1e-5 of the joint: any step crosses dozens."""
    rng = np.random.default_rng(12)
    theta = np.array([0.8, -0.5, 0.3, 1.1])
    x = rng.normal(size=(400, 4)) + np.array([0.0, 0.7, -0.4, 0.2])
    delta = np.linspace(-1e-5, 1e-5, 400)
    x += np.outer(1.0 - delta - x @ theta, theta) / (theta @ theta)

    def ideal(t):
        return np.sum(_relu(1.0 - x @ t)) / 400 + 0.05 * np.sum(t * t)

    def grad(t):
        return -(x.T @ _step(1.0 - x @ t)) / 400 + 0.1 * t

    return _pack(ideal, grad, theta)


@case
def kink_maxpool_near_tie() -> Case:
    """Convolution, max-pool by three, tanh: the two best of each pool differ by 1e-8."""
    rng = np.random.default_rng(13)
    kernel = np.array([0.6, -0.4, 0.9])
    sig = rng.normal(size=11)
    win = np.stack([sig[i : i + 3] for i in range(9)])
    z = win @ kernel
    for p in range(3):  # shift windows so that the runner-up is just below the best
        order = np.argsort(z[3 * p : 3 * p + 3]) + 3 * p
        win[order[1]] += kernel * (z[order[2]] - 1e-8 - z[order[1]]) / (kernel @ kernel)
    head = np.array([1.0, -1.3, 0.8])

    def pick(z):
        return np.argmax(z.real.reshape(3, 3), axis=1) + np.array([0, 3, 6])

    def ideal(t):
        z = win @ t[:3]
        return np.sum((head * np.tanh(z[pick(z)] + t[3:]) - 0.5) ** 2)

    def grad(t):
        z = win @ t[:3]
        i = pick(z)
        a = z[i] + t[3:]
        da = 2.0 * (head * np.tanh(a) - 0.5) * head * _sech2(a)
        return np.concatenate([win[i].T @ da, da])

    return _pack(ideal, grad, np.concatenate([kernel, [0.1, -0.2, 0.3]]))


@case
def kink_sorted_weights_near_tie() -> Case:
    """Weighted sum of the sorted entries; neighbours are 1e-9 apart, so a step reorders them."""
    w = np.array([5.0, -1.0, 3.0, 0.5, -4.0, 2.0, 1.0])

    def ideal(t):
        return np.sum(w * t[np.argsort(t.real)]) + 0.25 * np.sum(t * t)

    def grad(t):
        g = 0.5 * t
        g[np.argsort(t)] += w
        return g

    gaps = np.array([3, 0, 5, 1, 6, 2, 4]) * 1e-9
    return _pack(ideal, grad, 0.4 + gaps)


@case
def kink_median_residual() -> Case:
    """Median absolute residual of a line fit: the pivot sample changes within 1e-8."""
    rng = np.random.default_rng(14)
    x = np.column_stack([np.ones(11), rng.normal(size=(11, 2))])
    theta = np.array([0.5, -1.0, 2.0])
    res = np.array([0.1, 0.2, -0.3, 0.4, -0.5, 0.5, -0.5, 0.7, 0.8, -0.9, 1.5])
    res[4] += 1e-8
    res[6] -= 1e-8
    y = x @ theta + res

    def ideal(t):
        r = y - x @ t
        return _abs(r)[np.argsort(np.abs(r.real))[5]] ** 2 + 0.01 * np.sum(t * t)

    def grad(t):
        r = y - x @ t
        i = int(np.argsort(np.abs(r))[5])
        return -2.0 * r[i] * x[i] + 0.02 * t

    return _pack(ideal, grad, theta)


@case
def kink_clip_just_inside() -> Case:
    """Clipped ratio as in policy optimisation: ratios 1e-9 inside or outside the clip range."""
    lo, hi = 0.8, 1.2
    adv = np.array([1.0, -0.5, 2.0, 1.5])
    t0 = np.log(np.array([hi - 1e-9, lo + 1e-9, hi + 1e-9, 1.0]))

    def inside(r):
        return (r > lo) & (r < hi)

    def ideal(t):
        r = np.exp(t)
        clipped = np.where(inside(r.real), r, np.where(r.real >= hi, hi, lo))
        return -np.sum(adv * clipped) + 0.05 * np.sum(t * t)

    def grad(t):
        r = np.exp(t)
        return -adv * r * inside(r) + 0.1 * t

    return _pack(ideal, grad, t0)


@case
def kink_triangle_wave_micro() -> Case:
    """Triangle wave of period 4e-7 on a parabola: usual steps average its slope to nothing."""
    p = 4e-7

    def offset(t):
        return t / p - np.floor(t.real / p + 0.5)

    def ideal(t):
        return 2.0 * p * np.sum(_abs(offset(t))) + 0.5 * np.sum(t * t)

    def grad(t):
        return 2.0 * np.sign(offset(t)) + t

    return _pack(ideal, grad, p * np.array([750000.2, -1250000.3, 500000.25]))


@case
def kink_cusp_sqrt_abs() -> Case:
    """Sum of sqrt|t - c| at 1e-8 to 1e-2 from the cusp: slope and curvature both blow up."""
    c = np.array([0.5, -0.25, 2.0, 1.0])

    def ideal(t):
        return np.sum(np.sqrt(_abs(t - c))) + 0.3 * np.sum(t)

    def grad(t):
        u = t - c
        return 0.5 * np.sign(u) / np.sqrt(np.abs(u)) + 0.3

    return _pack(ideal, grad, c + np.array([1e-8, -1e-6, 1e-4, -1e-2]))


@case
def kink_pinball_far_tails_tilted() -> Case:
    """Quantile loss with slopes 0.999 and 0.001, each sample 1e-7 from its kink."""
    x = np.array([[1.0, 0.2], [1.0, -0.9], [1.0, 1.4], [1.0, -0.3], [1.0, 0.8]])
    theta = np.array([0.7, -1.2])
    y = x @ theta + 1e-7 * np.array([1.0, -1.0, 2.0, -0.5, 0.3])
    tau = 0.999

    def ideal(t):
        r = y - x @ t
        return np.sum(np.where(r.real > 0, tau * r, (tau - 1.0) * r))

    def grad(t):
        return -(x.T @ np.where(y - x @ t > 0, tau, tau - 1.0))

    return _pack(ideal, grad, theta)


@case
def jump_beside_theta() -> Case:
    """Smooth bowl with true discontinuities of height 0.25 about 3e-8 and 1e-6 away."""
    theta = np.array([0.6, -0.3, 0.8])
    edge, total = theta[0] + 3e-8, theta.sum() - 1e-6

    def ideal(t):
        jumps = 0.25 * (t[0].real > edge) - 0.25 * (t.sum().real < total)
        return np.sum(np.cos(t) * np.array([1.0, 2.0, 3.0])) + jumps

    def grad(t):
        return -np.sin(t) * np.array([1.0, 2.0, 3.0])

    return _pack(ideal, grad, theta)


# ---------------------------------------------------------------------- kinks exactly at theta


@case
def at_kink_lasso_zeros() -> Case:
    """Lasso with three weights exactly zero; the subgradient takes sign(0) = 0."""
    rng = np.random.default_rng(21)
    x, y = rng.normal(size=(12, 6)), rng.normal(size=12)
    theta = np.array([0.0, 1.5, 0.0, -0.8, 0.0, 0.4])

    def ideal(t):
        r = x @ t - y
        return 0.5 * np.sum(r * r) + 20.0 * np.sum(_abs(t))

    def grad(t):
        return x.T @ (x @ t - y) + 20.0 * np.sign(t)

    return _pack(ideal, grad, theta)


@case
def at_kink_relu_zero_preactivation() -> Case:
    """ReLU unit whose pre-activation is exactly 0 on the all-zero sample, with relu'(0) = 0."""
    x = np.array([[0.0, 0.0], [1.0, 0.5], [-0.5, 2.0], [1.5, 1.0]])
    c = np.array([0.3, 1.0, 0.7, 1.2])

    def ideal(t):
        return c @ _relu(x @ t[:2] + t[2]) + 0.1 * np.sum(t * t)

    def grad(t):
        s = c * _step(x @ t[:2] + t[2])
        return np.concatenate([x.T @ s, [s.sum()]]) + 0.2 * t

    return _pack(ideal, grad, [0.8, 0.9, 0.0])


@case
def at_kink_max_tie_one_hot() -> Case:
    """Exact tie in max(t); the gradient goes wholly to the first winner, as argmax does."""

    def ideal(t):
        return 3.0 * t[np.argmax(t.real)] + 0.1 * np.sum(t * t)

    def grad(t):
        g = 0.2 * t
        g[np.argmax(t)] += 3.0
        return g

    return _pack(ideal, grad, [0.25, 1.5, -0.5, 1.5])


@case
def at_kink_max_tie_shared() -> Case:
    """Exact tie in max(t[:3]); the gradient is shared evenly between the winners."""

    def ideal(t):
        return t[np.argmax(t[:3].real)] + 2.0 * np.sin(t[3])

    def grad(t):
        win = (t[:3] == t[:3].max()).astype(np.float64)
        return np.concatenate([win / win.sum(), [2.0 * np.cos(t[3])]])

    return _pack(ideal, grad, [0.75, 0.75, -0.5, 0.2])


@case
def at_kink_group_norm_zero() -> Case:
    """Group penalty with one group exactly zero, where the norm has a cone point."""

    def norm(v):
        return np.sqrt(np.sum(v * v))

    def ideal(t):
        return 0.7 * norm(t[:3]) + 0.7 * norm(t[3:]) + np.sum((t[3:] - 3.0) ** 2)

    def grad(t):
        out = np.concatenate([np.zeros(3), 2.0 * (t[3:] - 3.0)])
        for part in (slice(0, 3), slice(3, 5)):
            size = norm(t[part])
            if size > 0:
                out[part] += 0.7 * t[part] / size
        return out

    return _pack(ideal, grad, [0.0, 0.0, 0.0, 1.0, -0.5])


# ------------------------------------------- differentiable at theta, but only once or barely


@case
def joint_huber_exact() -> Case:
    """Huber loss with residuals exactly at the joint: the second derivative jumps there."""
    k = 1.0

    def ideal(t):
        return np.sum(np.where(np.abs(t.real) <= k, 0.5 * t * t, k * _abs(t) - 0.5 * k * k))

    def grad(t):
        return np.clip(t, -k, k)

    return _pack(ideal, grad, [1.0, -1.0, 0.3, 1.0, 4.0])


@case
def joint_four_thirds_power() -> Case:
    """|t|^(4/3) at 0, 1e-9 and 1e-6: differentiable, yet the second derivative is infinite."""

    def ideal(t):
        return np.sum(_abs(t) ** (4.0 / 3.0)) + 0.02 * np.sum(t)

    def grad(t):
        return (4.0 / 3.0) * np.cbrt(t) + 0.02

    return _pack(ideal, grad, [0.0, 1e-9, -1e-6])


@case
def joint_x2_sin_inverse() -> Case:
    """t^2 sin(1/t) at 0 and 1e-3: the derivative exists but oscillates without a limit."""

    def ideal(t):
        safe = np.where(t.real == 0, 1, t)
        return np.sum(np.where(t.real == 0, 0, t * t * np.sin(1.0 / safe))) + 0.5 * np.sum(t)

    def grad(t):
        safe = np.where(t == 0, 1.0, t)
        inner = 2.0 * t * np.sin(1.0 / safe) - np.cos(1.0 / safe)
        return np.where(t == 0, 0.0, inner) + 0.5

    return _pack(ideal, grad, [0.0, 1e-3, -0.02])


# -------------------------------------------------------------- offsets, cancellation, scales


@case
def offset_1e12() -> Case:
    """A small smooth loss on top of a constant 1e12, whose last digit is worth 1e-4."""

    def part(t):
        return np.sum(np.log(np.cosh(t))) + 0.5 * t[0] * t[1]

    def grad(t):
        g = np.tanh(t)
        g[:2] += 0.5 * t[1::-1]
        return g

    return _pack(part, grad, [0.9, -1.4, 2.0], lambda t: 1e12 + part(t))


@case
def offset_cancelling_one_minus_cos() -> Case:
    """(1 - cos t) / t^2 near t = 1e-5 in floating point: nearly all digits cancel."""
    a = np.array([1.0, -2.0, 0.5])

    def ideal(t):  # series 1/2 - t^2/24 + ...
        return np.sum(
            a * sum((-1) ** k * t ** (2 * k) / math.factorial(2 * k + 2) for k in range(15))
        )

    def grad(t):
        return a * sum(
            (-1) ** k * 2 * k * t ** (2 * k - 1) / math.factorial(2 * k + 2) for k in range(1, 15)
        )

    def f(t):
        return np.sum(a * (1.0 - np.cos(t)) / t**2)

    return _pack(ideal, grad, [1e-5, 3e-5, -1e-4], f)


@case
def offset_softmax_logits_1e9() -> Case:
    """Cross-entropy with a shift of 1e9 added to all logits: each keeps only 1e-7."""
    rng = np.random.default_rng(31)
    x, y = rng.normal(size=(6, 2)), np.array([0, 1, 2, 1, 0, 2])

    def loss(z):
        top = z[np.arange(6), np.argmax(z.real, axis=1)][:, None]
        lse = np.log(np.sum(np.exp(z - top), axis=1)) + top[:, 0]
        return np.sum(lse - z[np.arange(6), y]) / 6

    def ideal(t):
        return loss(x @ t.reshape(2, 3))

    def grad(t):
        z = x @ t.reshape(2, 3)
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(6), y] -= 1.0
        return (x.T @ p / 6).ravel()

    return _pack(ideal, grad, rng.normal(size=6), lambda t: loss(x @ t.reshape(2, 3) + 1e9))


@case
def l2_1e6_swamps_tanh_net() -> Case:
    """Tanh network with weight decay 1e6 on everything: the data term is lost beside it."""
    rng = np.random.default_rng(32)
    x, y = rng.normal(size=(6, 2)), rng.normal(size=6)
    net, net_grad = _mlp(x, y, 3, np.tanh, _sech2)

    def ideal(t):
        return net(t) + 1e6 * np.sum(t * t)

    def grad(t):
        return net_grad(t) + 2e6 * t

    return _pack(ideal, grad, rng.normal(size=13) * 0.5)


@case
def l2_penalty_stiff_sphere() -> Case:
    """Penalty 1e6 (|t|^2 - 1)^2 on its valley floor: no slope, but curvature 8e6."""
    a = np.array([0.3, -0.2, 0.5, 0.1])
    t0 = np.array([0.5, -0.5, 0.5, 0.5])

    def ideal(t):
        return 1e6 * (np.sum(t * t) - 1.0) ** 2 + np.sum(a * np.sin(t))

    def grad(t):
        return 4e6 * (np.sum(t * t) - 1.0) * t + a * np.cos(t)

    return _pack(ideal, grad, t0)


@case
def tiny_gradient_beside_unit_loss() -> Case:
    """Loss near 1 whose gradient is about 1e-11: small steps move no digit at all."""
    rng = np.random.default_rng(33)
    x, s = rng.normal(size=(15, 4)), np.where(rng.random(15) < 0.5, -1.0, 1.0)
    loss, loss_grad = _logistic(x, s)
    return _pack(
        lambda t: 1.0 + 1e-10 * loss(t), lambda t: 1e-10 * loss_grad(t), rng.normal(size=4)
    )


@case
def theta_huge_1e9() -> Case:
    """Parameters near 1e9: a step of 1e-7 or less disappears when added."""
    s = np.array([1e9, 3e9, 2e8])

    def ideal(t):
        u = t / s
        return np.exp(u[0] * u[1]) + np.sin(u[2]) + u[0] * u[2]

    def grad(t):
        u = t / s
        e = np.exp(u[0] * u[1])
        return np.array([e * u[1] + u[2], e * u[0], np.cos(u[2]) + u[0]]) / s

    return _pack(ideal, grad, s * np.array([0.7, -1.1, 1.3]))


@case
def theta_tiny_1e_10() -> Case:
    """Positive rates near 1e-10 inside logarithms: a step of 1e-5 leaves the domain."""
    count = np.array([3.0, 1.0, 7.0, 2.0])
    exposure = np.array([1e10, 2e10, 5e10, 4e9])

    def ideal(t):
        return np.sum(exposure * t - count * np.log(t))

    def grad(t):
        return exposure - count / t

    return _pack(ideal, grad, [1e-10, 2e-10, 3e-11, 9e-10])


@case
def theta_mixed_24_decades() -> Case:
    """Entries from 1e-12 to 1e12 in one vector, each of which matters on its own scale."""
    s = 10.0 ** np.array([-12, -6, -2, 0, 3, 8, 12])
    c = np.array([0.5, 2.0, -1.0, 0.3, 1.7, -0.2, 0.9])

    def ideal(t):
        u = t / s
        return np.sum((u - c) ** 2) + np.cos(u[0] * u[-1])

    def grad(t):
        u = t / s
        g = 2.0 * (u - c)
        g[0] -= np.sin(u[0] * u[-1]) * u[-1]
        g[-1] -= np.sin(u[0] * u[-1]) * u[0]
        return g / s

    return _pack(ideal, grad, s * np.array([1.1, 0.9, 1.3, -0.8, 1.0, 0.7, -1.2]))


@case
def gradient_squares_overflow() -> Case:
    """Loss near 1e180: fine in float64, but the squares in any norm overflow to infinity."""
    a = np.array([1.0, 3.0, -2.0, 0.5])

    def ideal(t):
        return 1e180 * (np.sum(np.exp(0.5 * t)) + np.sum(a * t))

    def grad(t):
        return 1e180 * (0.5 * np.exp(0.5 * t) + a)

    return _pack(ideal, grad, [0.3, -0.6, 1.2, 0.9])


@case
def gradient_squares_underflow() -> Case:
    """Loss near 1e-200: relative precision is full, but squares in any norm underflow to 0."""
    a = np.array([0.6, -0.9, 1.4])

    def ideal(t):
        return 1e-200 * (np.sum(a * np.tanh(t)) + t[0] * t[1] * t[2])

    def grad(t):
        return 1e-200 * (a * _sech2(t) + np.array([t[1] * t[2], t[0] * t[2], t[0] * t[1]]))

    return _pack(ideal, grad, [0.8, -1.1, 0.4])


@case
def gradient_spans_sixteen_decades() -> Case:
    """Entries of the gradient run from 1e8 to 1e-8: the small ones drown in rounding."""
    a = 10.0 ** np.array([8.0, 4.0, 0.0, -4.0, -8.0])

    def ideal(t):
        return np.sum(a * np.sin(t))

    def grad(t):
        return a * np.cos(t)

    return _pack(ideal, grad, [0.4, 1.0, -0.7, 0.2, 0.9])


@case
def near_minimum_large_residual() -> Case:
    """Least squares 1e-6 away from its optimum: loss of order ten, gradient of order 1e-5."""
    rng = np.random.default_rng(34)
    x, y = rng.normal(size=(20, 4)), 2.0 * rng.normal(size=20)
    best = np.linalg.lstsq(x, y, rcond=None)[0]

    def ideal(t):
        r = x @ t - y
        return 0.5 * np.sum(r * r)

    def grad(t):
        return x.T @ (x @ t - y)

    return _pack(ideal, grad, best + 1e-6 * np.array([1.0, -0.5, 0.25, 0.8]))


@case
def flat_sixth_power_floor() -> Case:
    """1 + sum (t - c)^6 a hundredth from its floor: slope 1e-9, then it steepens quickly."""
    c = np.array([1.0, -2.0, 0.5])

    def ideal(t):
        return 1.0 + np.sum((t - c) ** 6)

    def grad(t):
        return 6.0 * (t - c) ** 5

    return _pack(ideal, grad, c + np.array([0.01, -0.03, 0.02]))


@case
def one_live_entry_of_thirty() -> Case:
    """Thirty parameters of which a single one matters; the other entries are exactly 0."""

    def ideal(t):
        return 2.0 + np.tanh(t[17]) ** 2

    def grad(t):
        g = np.zeros_like(t)
        g[17] = 2.0 * np.tanh(t[17]) * _sech2(t[17])
        return g

    return _pack(ideal, grad, np.linspace(-2.0, 2.0, 30))


# ------------------------------------------------------------------ low precision and rounding


@case
def float32_forward_net() -> Case:
    """Forward pass in float32, gradient in float64: the loss has a noise of about 1e-7."""
    rng = np.random.default_rng(41)
    x, y = rng.normal(size=(8, 3)), rng.normal(size=8)
    ideal, grad = _mlp(x, y, 4, np.tanh, _sech2)
    low, _ = _mlp(x.astype(np.float32), y.astype(np.float32), 4, np.tanh, _sech2)
    return _pack(ideal, grad, rng.normal(size=21), lambda t: low(t.astype(np.float32)))


@case
def float32_cast_of_large_theta() -> Case:
    """Theta near 1000 is cast to float32, the rest is float64: exact steps of 6e-5, no noise."""
    a = np.array([1.0, -0.5, 2.0, 0.8])

    def ideal(t):
        u = t / 500.0
        return np.sum(a * np.exp(0.3 * u)) + u[0] * u[3]

    def grad(t):
        u = t / 500.0
        g = 0.3 * a * np.exp(0.3 * u)
        g[0] += u[3]
        g[3] += u[0]
        return g / 500.0

    theta = [1000.0, -900.5, 1200.25, 750.125]
    return _pack(ideal, grad, theta, lambda t: ideal(t.astype(np.float32).astype(np.float64)))


@case
def float16_hidden_layer() -> Case:
    """Hidden activations stored as float16: the loss moves in uneven jumps of about 1e-3."""
    rng = np.random.default_rng(42)
    x, y = rng.normal(size=(10, 2)), rng.normal(size=10)
    ideal, grad = _mlp(x, y, 3, np.tanh, _sech2)

    def half(z):
        return np.tanh(z).astype(np.float16).astype(np.float64)

    low, _ = _mlp(x, y, 3, half, _sech2)
    return _pack(ideal, grad, rng.normal(size=13), low)


@case
def rounded_six_decimals_logistic() -> Case:
    """Logistic loss reported with six decimals: flat for small steps, then a jump of 1e-6."""
    rng = np.random.default_rng(43)
    x, s = rng.normal(size=(20, 5)), np.where(rng.random(20) < 0.4, -1.0, 1.0)
    ideal, grad = _logistic(x, s)
    return _pack(ideal, grad, rng.normal(size=5), lambda t: round(float(ideal(t)), 6))


@case
def rounded_to_whole_percent() -> Case:
    """A smooth score between 0 and 1 reported in steps of 0.01: useless to any small step."""
    a = np.array([1.0, -0.6, 0.4])

    def ideal(t):
        return _sigmoid(np.sum(a * t) + 0.2 * t[0] * t[1])

    def grad(t):
        p = _sigmoid(np.sum(a * t) + 0.2 * t[0] * t[1])
        return p * (1.0 - p) * (a + 0.2 * np.array([t[1], t[0], 0.0]))

    return _pack(ideal, grad, [0.3, 0.5, -0.2], lambda t: round(float(ideal(t)), 2))


@case
def quantised_theta_grid() -> Case:
    """Theta is snapped to a grid of 1e-7 before use, so f is a staircase with exact treads."""

    def ideal(t):
        return np.sum(t**3) / 3.0 + t[0] * np.sin(t[1])

    def grad(t):
        return t**2 + np.array([np.sin(t[1]), t[0] * np.cos(t[1])])

    return _pack(ideal, grad, [0.73, -1.41], lambda t: ideal(np.round(t * 1e7) / 1e7))


@case
def noise_hashed_repeatable() -> Case:
    """Noise of 1e-7 computed from the bits of theta: repeated calls agree, neighbours do not."""

    def ideal(t):
        return np.sum(np.exp(-t * t)) + 0.3 * np.sum(t)

    def grad(t):
        return -2.0 * t * np.exp(-t * t) + 0.3

    def f(t):
        return ideal(t) + 2e-7 * (zlib.crc32(t.tobytes()) / 2**32 - 0.5)

    return _pack(ideal, grad, [0.5, -0.8, 1.3, 0.2], f)


# ------------------------------------------------------------------------------ high curvature


@case
def curved_fast_sine() -> Case:
    """Sum of sin(1e6 t): a step of 1e-5 covers more than a whole period."""
    k = np.array([1e6, 1.7e6])

    def ideal(t):
        return np.sum(np.sin(k * t))

    def grad(t):
        return k * np.cos(k * t)

    return _pack(ideal, grad, [0.1234, -0.4321])


@case
def curved_ripple_owns_slope() -> Case:
    """A ripple of height 1e-7, invisible in f, carries a slope ten times that of the bowl."""

    def ideal(t):
        return 0.5 * np.sum(t * t) + 1e-7 * np.sum(np.sin(1e8 * t))

    def grad(t):
        return t + 10.0 * np.cos(1e8 * t)

    return _pack(ideal, grad, [0.5, -0.25, 0.7])


@case
def curved_narrow_sigmoid() -> Case:
    """Logistic step 1e-8 wide with theta on its shoulder: slope 1e7, flat all around."""
    c = np.array([0.5, -0.25, 1.0])
    a = np.array([1.0, -2.0, 0.7])

    def ideal(t):
        return np.sum(a * _sigmoid((t - c) / 1e-8)) + np.sum(t)

    def grad(t):
        return a * 0.25e8 * _sech2(0.5 * (t - c) / 1e-8) + 1.0

    return _pack(ideal, grad, c + np.array([4e-9, -1e-8, 1.5e-8]))


@case
def curved_chebyshev_edge() -> Case:
    """Chebyshev polynomials of degree 150 and 200 at 1e-4 from the edge of their domain."""
    n = np.array([150.0, 200.0])

    def ideal(t):
        return np.sum(np.cos(n * np.arccos(t)))

    def grad(t):
        return n * np.sin(n * np.arccos(t)) / np.sqrt((1.0 - t) * (1.0 + t))

    return _pack(ideal, grad, [0.9999, 0.9998])


@case
def curved_eigenvalue_crossing() -> Case:
    """Largest eigenvalue of a symmetric matrix whose two eigenvalues are 1e-7 apart."""

    def root(t):
        return np.sqrt((0.5 * (t[0] - t[1])) ** 2 + t[2] ** 2)

    def ideal(t):
        return 0.5 * (t[0] + t[1]) + root(t)

    def grad(t):
        d, s = 0.5 * (t[0] - t[1]), root(t)
        return np.array([0.5 + 0.5 * d / s, 0.5 - 0.5 * d / s, t[2] / s])

    def f(t):
        return np.linalg.eigvalsh(np.array([[t[0], t[2]], [t[2], t[1]]]))[-1]

    return _pack(ideal, grad, [1.0 + 8e-8, 1.0, 3e-8], f)


@case
def curved_rosenbrock_1e8() -> Case:
    """Rosenbrock valley with weight 1e8 instead of 100, on the valley floor."""

    def ideal(t):
        return np.sum(1e8 * (t[1:] - t[:-1] ** 2) ** 2 + (1.0 - t[:-1]) ** 2)

    def grad(t):
        g = np.zeros_like(t)
        v = t[1:] - t[:-1] ** 2
        g[1:] += 2e8 * v
        g[:-1] += -4e8 * v * t[:-1] - 2.0 * (1.0 - t[:-1])
        return g

    return _pack(ideal, grad, [-0.5, 0.25, 0.0625])


# ---------------------------------------------------------------------------------- saturation


@case
def saturated_tanh_net() -> Case:
    """First layer of a tanh network driven to |z| near 12: gradients near 1e-9, loss near 1."""
    rng = np.random.default_rng(51)
    x = np.sign(rng.normal(size=(6, 3))) * rng.uniform(0.9, 1.1, size=(6, 3))
    y = rng.normal(size=6)
    w2 = np.array([0.7, -1.1, 0.5])

    def ideal(t):
        r = np.tanh(x @ t[:9].reshape(3, 3) + t[9:]) @ w2 - y
        return 0.5 * np.sum(r * r)

    def grad(t):
        z = x @ t[:9].reshape(3, 3) + t[9:]
        dz = np.outer(np.tanh(z) @ w2 - y, w2) * _sech2(z)
        return np.concatenate([(x.T @ dz).ravel(), dz.sum(0)])

    w1 = np.array([[14.0, 3.0, -2.0], [2.0, -15.0, 1.0], [-1.0, 2.0, 13.0]])
    return _pack(ideal, grad, np.concatenate([w1.ravel(), [0.3, -0.2, 0.1]]))


@case
def saturated_softmax_confident() -> Case:
    """Softmax that is right and sure by 25 nats: loss 1e-11, computed from terms of size 25."""
    y = np.array([0, 1, 2])
    x = np.array([[1.0, 0.1, 0.0], [0.0, 1.0, 0.2], [0.1, 0.0, 1.0]])
    rows = np.arange(3)

    def odds(z):
        e = np.exp(z - z[rows, y][:, None])
        e[rows, y] = 0
        return e

    def ideal(t):
        return np.sum(np.log1p(odds(x @ t.reshape(3, 3)).sum(axis=1)))

    def grad(t):
        e = odds(x @ t.reshape(3, 3))
        p = e / (1.0 + e.sum(axis=1, keepdims=True))
        p[rows, y] = -p.sum(axis=1)
        return (x.T @ p).ravel()

    def f(t):
        z = x @ t.reshape(3, 3)
        return np.sum(np.log(np.sum(np.exp(z), axis=1)) - z[rows, y])

    return _pack(ideal, grad, (25.0 * np.eye(3) + 0.3).ravel() + 0.1 * np.arange(9), f)


@case
def saturated_clipped_probability() -> Case:
    """Cross-entropy with max(p, 1e-12): one probability sits 1e-8 (relative) above the clip."""

    def probs(t):
        z = t.reshape(2, 3)
        e = np.exp(z - z.real.max(axis=1)[:, None])
        return e / e.sum(axis=1)[:, None]

    def ideal(t):
        p = probs(t)[:, 0]
        return np.sum(-np.log(np.where(p.real > 1e-12, p, 1e-12)))

    def grad(t):
        p = probs(t)
        g = p - np.array([1.0, 0.0, 0.0])
        return (g * (p[:, :1] > 1e-12)).ravel()

    low = 1e-12 * (1.0 + 1e-8)
    z0 = math.log(low) - math.log1p(-low) + math.log(1.0 + math.exp(0.3))
    return _pack(ideal, grad, [z0, 0.0, 0.3, 0.5, -0.2, 0.9])


@case
def dead_relu_most_units() -> Case:
    """ReLU network in which five of six hidden units are dead, so most entries are exactly 0."""
    rng = np.random.default_rng(52)
    x, y = rng.uniform(-1.0, 1.0, size=(7, 2)), rng.normal(size=7)
    ideal, grad = _mlp(x, y, 6, _relu, _step)
    theta = rng.normal(size=25)
    theta[12:18] = [-6.0, -8.0, 0.4, -7.0, -9.0, -6.5]
    return _pack(ideal, grad, theta)


# ---------------------------------------------------------------------------- batch statistics


def _batchnorm(x, y, h, eps):
    """x @ w + b, batch norm with scale and shift, tanh, fixed head, squared error."""
    n, d = x.shape
    head = np.linspace(-1.0, 1.5, h)

    def forward(t):
        w, b = t[: d * h].reshape(d, h), t[d * h : d * h + h]
        gamma, beta = t[d * h + h : d * h + 2 * h], t[d * h + 2 * h :]
        z = x @ w + b
        c = z - z.sum(axis=0) / n
        s = np.sqrt((c * c).sum(axis=0) / n + eps)
        a = np.tanh(gamma * (c / s) + beta)
        return gamma, c / s, s, a, a @ head - y

    def ideal(t):
        r = forward(t)[-1]
        return 0.5 * np.sum(r * r)

    def grad(t):
        gamma, u, s, a, r = forward(t)
        dv = np.outer(r, head) * (1.0 - a * a)
        du = dv * gamma
        dz = (du - du.mean(axis=0) - u * (du * u).mean(axis=0)) / s
        db = np.zeros(h)  # the mean removes b, so its derivative is exactly zero
        dw = (x - x.mean(axis=0)).T @ dz  # each column of dz sums to zero: centring loses nothing
        return np.concatenate([dw.ravel(), db, (dv * u).sum(0), dv.sum(0)])

    return ideal, grad


@case
def batchnorm_bias_before_norm() -> Case:
    """Batch norm makes the preceding bias irrelevant: its entries are 0, differences are noise."""
    rng = np.random.default_rng(61)
    ideal, grad = _batchnorm(rng.normal(size=(8, 2)), rng.normal(size=8), 3, 1e-5)
    t0 = np.concatenate(
        [rng.normal(size=6), [100.0, -300.0, 50.0], [1.0, 0.8, 1.3], [0, 0.2, -0.1]]
    )
    return _pack(ideal, grad, t0)


@case
def batchnorm_tiny_variance() -> Case:
    """Batch norm of activations that hardly vary: spread 1e-5 around 1, amplified to 1."""
    rng = np.random.default_rng(62)
    x = 1.0 + 1e-5 * rng.normal(size=(6, 2))
    ideal, grad = _batchnorm(x, rng.normal(size=6), 2, 1e-10)
    return _pack(ideal, grad, [0.7, -1.2, 1.1, 0.4, 0.1, -0.3, 1.2, 0.9, 0.05, -0.1])


# ----------------------------------------------------------------------------------- solvers


@case
def solver_fixed_point_tolerance() -> Case:
    """x = tanh(A x + t) iterated until it moves less than 1e-7; the gradient is implicit."""
    m = np.array([[0.4, -0.3, 0.2], [0.1, 0.5, -0.2], [-0.3, 0.2, 0.3]])
    goal = np.array([0.5, -0.5, 0.2])

    def solve(t, tol, limit):
        x = np.zeros_like(t)
        for _ in range(limit):
            new = np.tanh(m @ x + t)
            done = np.max(np.abs((new - x).real)) < tol
            x = new
            if done:
                break
        return x

    def loss(x):
        return np.sum((x - goal) ** 2)

    def grad(t):  # dx = D (m dx + dt) with D = diag(1 - x^2)
        x = solve(t, 0.0, 200)
        d = np.diag(1.0 - x * x)
        return np.linalg.solve((np.eye(3) - d @ m).T, 2.0 * (x - goal)) @ d

    return _pack(
        lambda t: loss(solve(t, -1.0, 200)),
        grad,
        [0.3, 0.6, -0.4],
        lambda t: loss(solve(t, 1e-7, 200)),
    )


@case
def solver_bisection() -> Case:
    """Root of x^3 + a x = b by 24 halvings: the root comes on a grid of 2e-7."""

    def newton(t):
        x = t[1] / (1.0 + t[0])
        for _ in range(30):
            x = x - (x**3 + t[0] * x - t[1]) / (3.0 * x * x + t[0])
        return x

    def ideal(t):
        return newton(t) ** 2 + 0.1 * t[0]

    def grad(t):
        x = newton(t)
        return 2.0 * x * np.array([-x, 1.0]) / (3.0 * x * x + t[0]) + np.array([0.1, 0.0])

    def f(t):
        lo, hi = -2.0, 2.0
        for _ in range(24):
            mid = 0.5 * (lo + hi)
            if mid**3 + t[0] * mid < t[1]:
                lo = mid
            else:
                hi = mid
        return (0.5 * (lo + hi)) ** 2 + 0.1 * t[0]

    return _pack(ideal, grad, [1.3, 0.9], f)


@case
def solver_euler_step_count_jump() -> Case:
    """Euler solution of y' = r y (1 - y) whose step count changes 1e-9 from theta."""
    goal, y0 = 0.9, 0.2

    def steps(t):
        return math.ceil(8.0 * float(t[0].real)) + 2

    def ideal(t):  # t = (rate, end time); the number of steps depends on the rate
        y, h, n = y0, t[1], steps(t)
        for _ in range(n):
            y = y + (h / n) * t[0] * y * (1.0 - y)
        return (y - goal) ** 2

    def grad(t):
        n = steps(t)
        y, dy = y0, np.zeros(2)
        k, dk = t[0] * t[1] / n, np.array([t[1], t[0]]) / n
        for _ in range(n):
            y, dy = y + k * y * (1.0 - y), dy * (1.0 + k * (1.0 - 2.0 * y)) + dk * y * (1.0 - y)
        return 2.0 * (y - goal) * dy

    return _pack(ideal, grad, [1.5 - 1e-9, 1.2])


# --------------------------------------------------------------------------- edges of a domain


@case
def domain_log_barrier_edge() -> Case:
    """Logarithmic barrier with slacks 1e-7 to 1e-3; beyond the edge f is nan."""
    a = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, -1.0], [-1.0, 0.2, 1.0], [0.3, -1.0, 0.4]])
    theta = np.array([0.5, -0.25, 0.75])
    b = a @ theta + np.array([1e-7, 1e-5, 1e-3, 0.5])

    def ideal(t):
        return np.sum(t) - np.sum(np.log(b - a @ t))

    def grad(t):
        return 1.0 + a.T @ (1.0 / (b - a @ t))

    return _pack(ideal, grad, theta)


@case
def domain_sphere_sqrt_edge() -> Case:
    """-sqrt(1 - |t|^2) at 1e-8 from the sphere: slope 1e4, and nan one step outside."""

    def ideal(t):
        return -np.sqrt(1.0 - np.sum(t * t))

    def grad(t):
        return t / np.sqrt(1.0 - np.sum(t * t))

    u = np.array([0.48, -0.6, 0.64])  # of length one
    return _pack(ideal, grad, u * math.sqrt(1.0 - 1e-8))


@case
def domain_raises_value_error() -> Case:
    """math.log and math.sqrt 1e-8 from their edge: a step too long raises ValueError."""

    def ideal(t):
        return t[0] * np.log(t[1]) + np.sqrt(t[2] - 1.0) + t[0] * t[2]

    def grad(t):
        return np.array([np.log(t[1]) + t[2], t[0] / t[1], 0.5 / np.sqrt(t[2] - 1.0) + t[0]])

    def f(t):
        return t[0] * math.log(t[1]) + math.sqrt(t[2] - 1.0) + t[0] * t[2]

    return _pack(ideal, grad, [0.7, 1e-8, 1.0 + 1e-8], f)


@case
def domain_cholesky_edge() -> Case:
    """-log det by Cholesky of a matrix with smallest eigenvalue near 1e-6; inf once indefinite."""

    def parts(t):
        return np.array([[t[0], t[1], t[2]], [t[1], t[3], t[4]], [t[2], t[4], t[5]]])

    def ideal(t):
        a, b, c, d, e, g = t
        return -np.log(a * (d * g - e * e) - b * (b * g - e * c) + c * (b * e - d * c))

    def grad(t):
        v = np.linalg.inv(parts(t))
        return -np.array([v[0, 0], 2 * v[0, 1], 2 * v[0, 2], v[1, 1], 2 * v[1, 2], v[2, 2]])

    def f(t):
        try:
            return -2.0 * np.sum(np.log(np.diag(np.linalg.cholesky(parts(t)))))
        except np.linalg.LinAlgError:
            return math.inf

    root = np.array([[1.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.5, -0.3, 1e-3]])
    m = root @ root.T
    return _pack(ideal, grad, m[np.triu_indices(3)], f)


# ------------------------------------------------------------------------- random on purpose


@case
def random_additive_noise() -> Case:
    """Smooth loss plus fresh Gaussian noise of 1e-5 at each call."""
    rng = np.random.default_rng(71)

    def ideal(t):
        return np.sum(np.sqrt(1.0 + t * t)) + 0.4 * t[0] * t[1]

    def grad(t):
        g = t / np.sqrt(1.0 + t * t)
        g[:2] += 0.4 * t[1::-1]
        return g

    return _pack(ideal, grad, [1.2, -0.7, 0.4], lambda t: ideal(t) + 1e-5 * rng.normal())


@case
def random_dropout_redrawn() -> Case:
    """Network whose dropout mask is redrawn at each call; the gradient is of the mean loss."""
    rng = np.random.default_rng(72)
    x, y = rng.normal(size=(6, 2)), rng.normal(size=6)
    keep = 0.7

    def forward(t):
        h = np.tanh(x @ t[:8].reshape(2, 4))
        return h, t[8:], h @ t[8:] - y

    def ideal(t):  # mean square = square of the mean + variance of the masked sum
        h, w, r = forward(t)
        return 0.5 * (np.sum(r * r) + (1 - keep) / keep * np.sum((h * w) ** 2)) / 6

    def grad(t):
        h, w, r = forward(t)
        var = (1 - keep) / keep
        dh = (np.outer(r, w) + var * h * w * w) / 6
        dw = (h.T @ r + var * np.sum(h * h, axis=0) * w) / 6
        return np.concatenate([(x.T @ (dh * (1.0 - h * h))).ravel(), dw])

    def f(t):
        h, w, _ = forward(t)
        r = (h * (rng.random(h.shape) < keep) / keep) @ w - y
        return 0.5 * np.sum(r * r) / 6

    return _pack(ideal, grad, rng.normal(size=12), f)


@case
def random_dropout_mask_of_last_forward() -> Case:
    """Forward pass draws a dropout mask; the gradient is right for the mask drawn last."""
    rng = np.random.default_rng(73)
    x, y = rng.normal(size=(5, 2)), rng.normal(size=5)
    state = {"mask": (rng.random((5, 4)) < 0.5) * 2.0}

    def ideal(t):
        r = (np.tanh(x @ t[:8].reshape(2, 4)) * state["mask"]) @ t[8:] - y
        return 0.5 * np.sum(r * r)

    def grad(t):
        h = np.tanh(x @ t[:8].reshape(2, 4))
        r = (h * state["mask"]) @ t[8:] - y
        dz = np.outer(r, t[8:]) * state["mask"] * (1.0 - h * h)
        return np.concatenate([(x.T @ dz).ravel(), (h * state["mask"]).T @ r])

    def f(t):
        state["mask"] = (rng.random((5, 4)) < 0.5) * 2.0
        return ideal(t)

    return _pack(ideal, grad, rng.normal(size=12), f)


@case
def random_minibatch_per_call() -> Case:
    """Each call evaluates 16 random samples of 64; the gradient is that of the full batch."""
    rng = np.random.default_rng(74)
    x, s = rng.normal(size=(64, 3)), np.where(rng.random(64) < 0.5, -1.0, 1.0)
    ideal, grad = _logistic(x, s)

    def f(t):
        i = rng.choice(64, size=16, replace=False)
        return np.mean(_softplus(-(x[i] * s[i, None]) @ t))

    return _pack(ideal, grad, [0.5, -1.0, 0.8], f)


@case
def random_rare_glitch() -> Case:
    """Exact nearly always, but one call in fifteen is off by 0.01: repeats may look clean."""
    rng = np.random.default_rng(75)

    def ideal(t):
        return np.sum(np.log1p(t * t)) + np.sum(t) ** 2 / 10

    def grad(t):
        return 2.0 * t / (1.0 + t * t) + 0.2 * np.sum(t)

    def f(t):
        return ideal(t) + (0.01 if rng.random() < 1 / 15 else 0.0)

    return _pack(ideal, grad, [0.9, -1.7, 0.3, 1.1], f)


# ----------------------------------------------------------------------- stateful on purpose


@case
def stateful_drift_per_call() -> Case:
    """The value drifts up by 1e-7 with each call, so difference quotients share a bias."""
    calls = [0]

    def ideal(t):
        return np.sum(t**4) / 4 - t[0] * t[1]

    def grad(t):
        return t**3 - np.array([t[1], t[0], 0.0])

    def f(t):
        calls[0] += 1
        return ideal(t) + 1e-7 * calls[0]

    return _pack(ideal, grad, [0.8, -0.6, 1.2], f)


@case
def stateful_warm_start_solver() -> Case:
    """Gauss-Seidel warm-started at the last answer, stopped at 1e-5: f depends on the history."""
    m = np.array(
        [[4.0, 1.0, 0.5, 0.2], [1.0, 3.0, 0.7, 0.1], [0.5, 0.7, 5.0, 1.0], [0.2, 0.1, 1.0, 2.0]]
    )
    inv = np.linalg.inv(m)
    state = {"x": np.zeros(4)}

    def ideal(t):
        x = inv @ t
        return 0.5 * np.sum(x * x)

    def grad(t):
        return inv.T @ (inv @ t)

    def f(t):
        x = state["x"].copy()
        for _ in range(30):
            if np.max(np.abs(m @ x - t)) < 1e-5:
                break
            for i in range(4):
                x[i] += (t[i] - m[i] @ x) / m[i, i]
        state["x"] = x
        return 0.5 * np.sum(x * x)

    return _pack(ideal, grad, [1.0, -2.0, 0.5, 3.0], f)


@case
def stateful_stale_cache() -> Case:
    """Values are cached under theta rounded to six decimals: close calls get a stale answer."""
    cache: dict[bytes, float] = {}

    def ideal(t):
        return np.exp(t[0] - t[1]) + t[1] * t[2] + np.cos(t[2])

    def grad(t):
        e = np.exp(t[0] - t[1])
        return np.array([e, -e + t[2], t[1] - np.sin(t[2])])

    def f(t):
        key = np.round(t, 6).tobytes()
        if key not in cache:
            cache[key] = float(ideal(t))
        return cache[key]

    return _pack(ideal, grad, [0.4, -0.3, 0.9], f)


@case
def stateful_gradient_buffer_reused() -> Case:
    """The gradient always returns the same array, overwritten in place by the next call."""
    buffer = np.zeros(4)
    a = np.array([1.0, 2.0, -1.5, 0.5])

    def ideal(t):
        return np.sum(a * np.arctan(t)) + 0.5 * np.sum(t * t)

    def grad(t):
        buffer[:] = a / (1.0 + t * t) + t
        return buffer

    return _pack(ideal, grad, [0.2, -1.0, 0.7, 1.6])


@case
def stateful_running_mean_norm() -> Case:
    """Centres features by a running mean that each call updates; the gradient holds it fixed."""
    rng = np.random.default_rng(81)
    x, y = rng.normal(size=(10, 3)) + 1.0, rng.normal(size=10)
    state = {"mean": 0.3}

    def ideal(t):
        r = np.tanh(x @ t - state["mean"]) - y
        return np.sum(r * r) / 10

    def grad(t):
        a = np.tanh(x @ t - state["mean"])
        return x.T @ (2.0 * (a - y) * (1.0 - a * a)) / 10

    def f(t):
        value = ideal(t)
        state["mean"] += 0.1 * (float(np.mean(x @ t)) - state["mean"])
        return value

    return _pack(ideal, grad, [0.4, -0.3, 0.5], f)


# ----------------------------------------------------------------------- easy smooth functions


@case
def easy_quadratic() -> Case:
    """Well-conditioned quadratic form; nothing awkward."""
    m = np.array([[2.0, 0.3, -0.1], [0.3, 1.5, 0.4], [-0.1, 0.4, 1.0]])
    b = np.array([1.0, -2.0, 0.5])
    return _pack(lambda t: 0.5 * t @ m @ t - b @ t, lambda t: m @ t - b, [0.5, 1.0, -0.8])


@case
def easy_logistic_regression() -> Case:
    """Logistic regression on forty samples; nothing awkward."""
    rng = np.random.default_rng(91)
    x, s = rng.normal(size=(40, 5)), np.where(rng.random(40) < 0.5, -1.0, 1.0)
    ideal, grad = _logistic(x, s)
    return _pack(ideal, grad, 0.5 * rng.normal(size=5))


@case
def easy_exp_sum() -> Case:
    """Sum of exponentials of linear forms; nothing awkward."""
    m = np.array([[0.5, -0.3], [0.2, 0.8], [-0.6, 0.1]])
    return _pack(lambda t: np.sum(np.exp(m @ t)), lambda t: m.T @ np.exp(m @ t), [0.4, -0.9])


@case
def easy_log_sum_exp() -> Case:
    """Log-sum-exp of moderate entries; nothing awkward."""

    def grad(t):
        e = np.exp(t)
        return e / e.sum()

    return _pack(lambda t: np.log(np.sum(np.exp(t))), grad, [0.1, 0.9, -0.5, 0.4, 1.2, -1.0])


@case
def easy_single_sine() -> Case:
    """sin t + t^2 in one variable; nothing awkward."""
    return _pack(lambda t: np.sin(t[0]) + t[0] ** 2, lambda t: np.cos(t) + 2.0 * t, [0.8])


@case
def easy_tanh_net() -> Case:
    """Small tanh network with moderate weights; nothing awkward."""
    rng = np.random.default_rng(92)
    ideal, grad = _mlp(rng.normal(size=(9, 3)), rng.normal(size=9), 5, np.tanh, _sech2)
    return _pack(ideal, grad, 0.6 * rng.normal(size=26))


@case
def easy_gaussian_likelihood() -> Case:
    """Gaussian negative log-likelihood in mean and log scale; nothing awkward."""
    y = np.array([0.3, 1.2, -0.4, 0.9, 2.1, 0.7])

    def ideal(t):
        return 6.0 * t[1] + 0.5 * np.sum((y - t[0]) ** 2) * np.exp(-2.0 * t[1])

    def grad(t):
        w = np.exp(-2.0 * t[1])
        return np.array([-np.sum(y - t[0]) * w, 6.0 - np.sum((y - t[0]) ** 2) * w])

    return _pack(ideal, grad, [0.4, 0.2])


@case
def easy_rational() -> Case:
    """Ratio of two positive polynomials; nothing awkward."""

    def ideal(t):
        return (1.0 + t[0] * t[1] + t[2]) / (2.0 + np.sum(t * t))

    def grad(t):
        q = 2.0 + np.sum(t * t)
        return (np.array([t[1], t[0], 1.0]) - 2.0 * t * ideal(t)) / q

    return _pack(ideal, grad, [0.5, -0.7, 1.1])


@case
def easy_coupled_cubic() -> Case:
    """Cubic chain over twelve variables; nothing awkward."""

    def ideal(t):
        return np.sum(t**3) / 3.0 + np.sum(t[1:] * t[:-1])

    def grad(t):
        g = t**2
        g[1:] += t[:-1]
        g[:-1] += t[1:]
        return g

    return _pack(ideal, grad, np.cos(np.arange(12.0)))


@case
def easy_softplus_net() -> Case:
    """Softplus network, the smooth sister of ReLU, with moderate weights; nothing awkward."""
    rng = np.random.default_rng(93)
    ideal, grad = _mlp(rng.normal(size=(8, 2)), rng.normal(size=8), 4, _softplus, _sigmoid)
    return _pack(ideal, grad, 0.7 * rng.normal(size=17))

"""Checking the gradient of any function."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from statistics import NormalDist

import numpy as np

from gradlab._validate import check_choice, check_integer, check_number, check_positive
from gradlab.checking.arguments import check_tensors, check_theta, gradient_at, two_functions
from gradlab.checking.black_box import Along, Background, BlackBox, Probe, survey
from gradlab.checking.diagnosis import Diagnosis, Facts, diagnose_black_box
from gradlab.checking.judge import Finding, judge, judge_step, slopes_of
from gradlab.checking.report import Report, TensorReport, summary, tensor_report
from gradlab.checking.source.of_functions import of_functions
from gradlab.checking.verdict import (
    REMEMBERS,
    Judgement,
    Setting,
    Verdict,
    about,
    not_deterministic,
)

METHODS = ("full", "sampled", "directional")
SURE = 0.99  # probability with which random directions see what they say they see
#: So many evaluations, at least, take seconds where one takes a tenth of a millisecond.
MANY = 40_000
FEWER = (
    '{:,} entries take {:,} evaluations and more: method="sampled" takes {:,}, and checks '
    '{} entries of every tensor; method="directional" takes {:,}'
)
STALE = (
    "grad(theta) is another one after f was evaluated elsewhere: it uses what the last call of f "
    "left behind. It was judged as called right after f(theta); call f(theta) before every "
    "grad(theta), or compute what it needs anew"
)


def check_function(
    f: Callable[[np.ndarray], float],
    grad: Callable[[np.ndarray], np.ndarray] | np.ndarray | bool,
    theta: np.ndarray,
    eps: float | None = None,
    tensors: Mapping[str, tuple[int, int, tuple[int, ...]]] | None = None,
    *,
    method: str = "full",
    samples: int = 20,
    seed: int = 0,
    tolerance: float = 0.0,
    executor: Executor | None = None,
) -> Report:
    """Check `grad` against differences of `f`, whatever `f` is.

    Every entry is differenced at two steps: four evaluations. What these leave open goes up a
    ladder of steps, 46 more or, near 0 and at kinks, a few times that; of a tensor that is wrong
    only the entries that prove it.

    Parameters
    ----------
    f : callable, (P,) -> float
        Gets a copy of theta at every call. What it raises, or returns that is not finite, at a step
        that the checker chose is "not defined there": it reaches the caller only where no step
        works.
    grad : callable, (P,) -> ndarray (P,); or True; or array_like, shape (P,)
        Called a few times; judged is a second answer, right after f(theta): one that adds to what
        an earlier call left is right at the first. Lists, columns (P, 1) and rows (1, P) are taken
        too. True: f returns (loss, grad), as with scipy's `jac=True`. An array: the gradient at
        theta.
    theta : array_like, shape (P,), float64 or float32
        Never modified; f and grad get ndarrays.
    eps : float, > 0, or None, optional
        None: the checker chooses its steps. A number: only eps and twice eps are used, and the
        report says when they cannot support a verdict; what differs there is called wrong only if
        the whole ladder says so too.
    tensors : dict of str to (start, stop, shape), optional
        Names for parts of theta; left out, the whole is called "theta".
    method : {"full", "sampled", "directional"}, optional
        All entries; `samples` entries of every tensor; or `samples` random directions through all
        parameters at once, which is cheapest and cannot tell where a bug is.
    samples : int, > 0, optional
    seed : int, optional
        Of the sample and of the directions.
    tolerance : float, >= 0, optional
        An error that is accepted, over the tensor's largest entry: for gradients that are
        approximate on purpose. The report says so.
    executor : concurrent.futures.Executor, optional
        Spreads the evaluations over processes or machines: f must then be picklable.

    Returns
    -------
    Report
        Its `resolution` is the smallest error that would have been seen. Of a wrong gradient
        `diagnosis`, when it is read, calls f and grad some more: it looks for the one edit of a
        line of grad's own source, if that can be read, with which the gradient is right.

    Raises
    ------
    ValueError, TypeError
        An argument, or what f or grad returned, has the wrong type, shape or range.

    Examples
    --------
    >>> import numpy as np
    >>> import gradlab as gl
    >>> def f(theta):
    ...     return np.sum(np.sin(theta)), np.cos(theta)
    >>> gl.check_function(f, True, [0.1, 0.2, 0.3])
    Report(correct, 1 tensors, wrong: [])
    """
    start = time.perf_counter()
    theta = check_theta(theta)
    f, grad = two_functions(f, grad, theta)
    layout = check_tensors(tensors, theta.size)
    check_choice(method, METHODS, "method")
    samples, seed = check_integer(samples, "samples", 1), check_integer(seed, "seed")
    tolerance = check_number(tolerance, "tolerance", 0.0)
    eps = None if eps is None else check_positive(eps, "eps")
    rng = np.random.default_rng(seed)
    probe = Probe(f, theta)
    size = np.maximum(1.0, np.abs(theta).astype(float))
    background = survey(probe.value, theta, size)
    asked = ask(grad, probe, size)
    gradient, evaluations = asked.second, background.evaluations + asked.evaluations
    setting = Setting(eps, background.single or theta.itemsize == 4, False, tolerance)
    if method == "directional":
        lines = _directions(samples, size, rng)
        probe = Probe(Along(f, theta, lines), np.zeros(samples))
        grad, gradient = None, (lines @ gradient.astype(float)).astype(gradient.dtype)
        layout = {"theta": (0, samples, (samples,))}
    entries = {
        name: _some(lo, hi, samples, rng) if method == "sampled" else np.arange(lo, hi)
        for name, (lo, hi, _) in layout.items()
    }
    part = np.concatenate([*entries.values()])
    loss = BlackBox(probe, background, grad, gradient, part, _slices(entries), executor)
    many = _many(entries, samples)
    with _telling_who_waits(many):
        found, spent = _found(loss, eps, tolerance)
    evaluations += spent
    picked = {name: entries[name] - lo for name, (lo, _, _) in layout.items()}
    checked = _reports(loss, found, layout, picked if method == "sampled" else {}, setting)
    if method == "directional":
        checked = {"theta": _along_directions(checked["theta"], theta.size)}
    seconds, whole = time.perf_counter() - start, summary(checked, setting)
    return Report(
        checked,
        whole,
        _subject(f, background),
        "max_relative",
        "central",
        eps,
        evaluations,
        seconds,
        partial(_explain, (f, loss.grad), theta, layout, asked.first, loss.rounding, method),
        find_remarks=lambda: (*(STALE,) * asked.stale, *(many,) * bool(many)),
    )


def _directions(samples: int, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return random directions, (samples, P), each as long as a typical entry is large."""
    draws = rng.standard_normal((samples, size.size))
    return draws / np.linalg.norm(draws, axis=1, keepdims=True) * float(np.median(size))


def _reports(
    loss: BlackBox, found: Finding, layout: Mapping, picked: Mapping, setting: Setting
) -> dict[str, TensorReport]:
    """Return each tensor's report; `picked` are the entries that were checked, if not all."""
    checked = {}
    for (name, (_, _, shape)), part in zip(layout.items(), loss.tensors, strict=True):
        checked[name] = tensor_report(
            name,
            loss.gradient[part],
            found.pick(part),
            None,
            shape,
            picked.get(name),
            setting,
            judgement=_of_the_whole(loss.background, found, setting),
        )
    return checked


@contextmanager
def _telling_who_waits(many: str) -> Iterator[None]:
    """Let whoever has waited too long, and pressed Ctrl-C, read how not to."""
    try:
        yield
    except KeyboardInterrupt as error:
        if many:
            error.add_note(many)
        raise


def _many(entries: Mapping[str, np.ndarray], samples: int) -> str:
    """Return what to say of a check that takes long; nothing if it does not.

    Four evaluations an entry are the least: it is counted before any is made.
    """
    sizes = [len(part) for part in entries.values()]
    if 4 * sum(sizes) < MANY:
        return ""
    sampled = 4 * sum(min(size, samples) for size in sizes)
    if 2 * sampled > 4 * sum(sizes):  # of so many tensors, or samples: no gain
        return ""
    return FEWER.format(sum(sizes), 4 * sum(sizes), sampled, samples, 4 * samples)


def _explain(
    functions: tuple[Callable, Callable | None],
    theta: np.ndarray,
    layout: Mapping,
    first: np.ndarray,
    rounding: float,
    method: str,
    report: Report,
) -> list[Diagnosis]:
    """Return the wrong line of the gradient's own code, else what the numbers alone say."""
    if method == "directional":  # along a direction all tensors are mixed
        return []
    params, first = (
        {name: v[lo:hi].astype(float) for name, (lo, hi, _) in layout.items()}
        for v in (theta, first)
    )
    facts = Facts.of(report, params=params, first=first, rounding=rounding)
    return of_functions(*functions, theta, layout, report, facts) or diagnose_black_box(facts)


def _found(loss: BlackBox, eps: float | None, tolerance: float) -> tuple[Finding, int]:
    """Return what the judge finds, and how many evaluations it took."""
    if not loss.background.deterministic:  # no difference would mean anything
        return Finding.nothing(len(loss.gradient)), 0
    if eps is None:
        found, evaluations = judge(loss, tolerance)
        if loss.trouble is not None and not loss.worked.all():
            raise loss.trouble
        return found, evaluations + 1
    every = np.arange(len(loss.gradient))
    d = loss.look(every, eps * np.array([2.0, 1.0])[:, None] * np.ones(len(every)))
    if loss.trouble is not None and not np.isfinite(d.right[1] - d.left[1]).all():
        raise loss.trouble
    with np.errstate(all="ignore"):
        s = slopes_of(d, loss.noise)
        gap = np.abs(s.up - s.down)
        # a bend's gap halves with the step, a kink's does not
        kinked = (gap > 4 * s.err).all(axis=0) & (gap[0] < 1.4 * gap[1])
        step, dead = s.width[1] / 2, ~s.alive.any(axis=0)
    slopes = s.slope[::-1]
    found, evaluations = judge_step(loss, slopes, s.err[1], step, kinked, dead, tolerance)
    return found, evaluations + 4 * len(every) + 1


def _of_the_whole(background: Background, found: Finding, setting: Setting) -> Judgement | None:
    """Return the judgement on every tensor where f is no function; None where it is one."""
    if not background.deterministic:
        return not_deterministic(setting)
    return None if found.repeats else REMEMBERS


@dataclass(frozen=True, eq=False)
class Asked:
    """What grad answered.

    Attributes
    ----------
    first, second : ndarray, shape (P,)
        At theta, one after the other.
    stale : bool
        Whether it depends on where f was evaluated last.
    evaluations : int
        Of f.
    """

    first: np.ndarray
    second: np.ndarray
    stale: bool
    evaluations: int


def ask(grad: Callable, probe: Probe, size: np.ndarray) -> Asked:
    """Ask for the gradient at theta twice; once more after f was evaluated elsewhere."""
    theta = probe.theta
    probe.value(theta)
    first = gradient_at(grad, theta)
    probe.value(theta)
    second = gradient_at(grad, theta)
    if not _same(first, second):
        return Asked(first, second, False, 2)
    away = 1e-2 * size * np.random.default_rng(0).choice([-1.0, 1.0], theta.size)
    try:
        with np.errstate(all="ignore"):
            probe.value((theta + away).astype(theta.dtype))
    except Exception:  # not defined there: it is the checker's own idea to ask
        return Asked(first, second, False, 3)
    third = gradient_at(grad, theta)
    probe.value(theta)
    return Asked(first, second, not _same(second, third), 4)


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    machine_eps = float(np.finfo(one.dtype).eps)
    return bool(np.abs(one - other).max() <= 1e3 * machine_eps * np.abs(one).max(initial=0.0))


def _along_directions(tensor: TensorReport, size: int) -> TensorReport:
    """Say what random directions can, and cannot, say about the whole gradient.

    An error e of the gradient shows along a direction d as e @ d, which is normally distributed
    with standard deviation |e| / sqrt(P).
    """
    directions = tensor.analytic.size
    spread = float(np.sqrt(np.mean(tensor.numerical**2)))
    largest = float(np.max(np.abs(tensor.numerical), initial=0.0))
    reached = _normal_quantile(1 - (1 - SURE) ** (1 / directions))
    resolution = tensor.resolution * largest / spread / reached if spread else np.inf
    why = f"along {directions} random directions: {tensor.why.replace('entries', 'directions')}"
    if tensor.verdict == Verdict.CORRECT:
        why = (
            f"all {directions} random directions agree; an error of {about(resolution)} of the "
            f"gradient's length would have been seen with a probability of {SURE:g}"
        )
    judgement = replace(tensor.judgement, why=f"{why}; directions cannot tell where")
    return replace(tensor, judgement=judgement, resolution=float(resolution), full_shape=(size,))


def _normal_quantile(share: float) -> float:
    """Return q so that this share of a standard normal's draws lies outside of [-q, q]."""
    return NormalDist().inv_cdf(1 - share / 2)


def _some(lo: int, hi: int, size: int, rng: np.random.Generator) -> np.ndarray:
    entries = np.arange(lo, hi)
    return np.sort(rng.choice(entries, size, replace=False)) if size < hi - lo else entries


def _slices(entries: Mapping[str, np.ndarray]) -> list[slice]:
    ends = np.cumsum([0, *(len(part) for part in entries.values())])
    return [slice(int(a), int(b)) for a, b in pairwise(ends)]


def _subject(f: Callable, background: Background) -> str:
    name = getattr(f, "__name__", type(f).__name__)
    return f"{name} (its values are float32)" if background.single else name

"""Checking the gradient of any function."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor

import numpy as np

from gradlab._validate import check_choice, check_integer, check_positive
from gradlab.checking.arguments import check_tensors, check_theta, gradient_at
from gradlab.checking.conclusion import conclude
from gradlab.checking.evidence import NOISE, OK, Evidence, weigh
from gradlab.checking.probing import FIRST, LADDER, Background, Lines, Probe, differences, survey
from gradlab.checking.report import Report, TensorReport, summary
from gradlab.checking.verdict import NOT_DETERMINISTIC, Judgement

METHODS = ("full", "sampled", "directional")
ROUNDING_OF_GRADIENT = {8: 1e-5, 4: 2e-3}  # relative, by the bytes of the type it is computed in


def check_function(
    f: Callable[[np.ndarray], float],
    grad: Callable[[np.ndarray], np.ndarray],
    theta: np.ndarray,
    eps: float | None = None,
    tensors: Mapping[str, tuple[int, int, tuple[int, ...]]] | None = None,
    *,
    method: str = "full",
    samples: int = 20,
    seed: int = 0,
    executor: Executor | None = None,
) -> Report:
    """Check `grad` against differences of `f`, whatever `f` is.

    Every entry is differenced at steps a decade apart, until they prove something: ten evaluations
    for most entries, 28 more where those leave doubt.

    Parameters
    ----------
    f : callable, (P,) -> float
        Gets a copy of theta at every call; its exceptions reach the caller.
    grad : callable, (P,) -> ndarray (P,)
        Called twice, and the second answer is checked: one that adds to what an earlier call left
        is right at the first.
    theta : ndarray, shape (P,), float64 or float32
        Never modified.
    eps : float, > 0, or None, optional
        None: the checker chooses its steps. A number: only eps, twice and four times eps are used,
        and the report says when they cannot support a verdict.
    tensors : dict of str to (start, stop, shape), optional
        Names for parts of theta; left out, the whole is called "theta".
    method : {"full", "sampled", "directional"}, optional
        All entries; `samples` entries of every tensor; or `samples` random directions through all
        parameters at once, which is cheapest and cannot tell where a bug is.
    samples : int, > 0, optional
    seed : int, optional
        Of the sample and of the directions.
    executor : concurrent.futures.Executor, optional
        Spreads the evaluations over processes or machines: f must then be picklable.

    Returns
    -------
    Report

    Raises
    ------
    ValueError, TypeError
        An argument, or what f or grad returned, has the wrong type, shape or range.
    """
    start = time.perf_counter()
    theta = check_theta(theta)
    layout = check_tensors(tensors, theta.size)
    check_choice(method, METHODS, "method")
    samples = check_integer(samples, "samples", 1)
    eps = None if eps is None else check_positive(eps, "eps")
    rng = np.random.default_rng(check_integer(seed, "seed"))
    probe = Probe(f, theta)
    background = survey(probe, rng)
    gradient_at(grad, theta)
    gradient = gradient_at(grad, theta)
    if method == "directional":
        parts = {"theta": (_directions(theta.size, samples, rng), samples, (theta.size,))}
    else:
        size = samples if method == "sampled" else theta.size
        parts = {
            name: (_coordinates(lo, hi, size, rng), hi - lo, shape)
            for name, (lo, hi, shape) in layout.items()
        }
    checked, evaluations = {}, background.evaluations
    for name, (lines, total, shape) in parts.items():
        a = np.array([gradient[i] @ v for i, v in zip(lines.index, lines.direction, strict=True)])
        evidence, spent = _gather(probe, lines, a, background, eps, executor, gradient)
        evaluations += spent
        judgement = _judge(a, evidence, background, total)
        if method == "directional":
            judgement = _cannot_localise(judgement, len(a))
        checked[name] = _tensor_report(name, a, evidence, judgement, shape, method)
    seconds = time.perf_counter() - start
    subject = _subject(f, background)
    return Report(
        checked, summary(checked), subject, "max_relative", "central", eps, evaluations, seconds
    )


def _gather(
    probe: Probe,
    lines: Lines,
    a: np.ndarray,
    background: Background,
    eps: float | None,
    executor: Executor | None,
    gradient: np.ndarray,
) -> tuple[Evidence, int]:
    """Return the evidence on each line, and the number of evaluations that it took."""
    coarse = background.single or probe.theta.itemsize == 4 or gradient.itemsize == 4
    rtol = ROUNDING_OF_GRADIENT[4 if coarse else 8]
    atol = 1e-10 * np.abs(a).max(initial=0.0)
    if not background.deterministic:  # no difference would mean anything
        return Evidence(
            np.full(a.shape, NOISE), np.full(a.shape, np.nan), np.full(a.shape, np.inf)
        ), 0
    if eps is not None:
        steps = eps * np.array([4.0, 2.0, 1.0])[:, None] * np.ones(len(a))
        found = differences(probe, lines, background, steps, executor)
        return weigh(a, found, rtol, atol), 2 * steps.size
    sizes = np.array([
        max(1.0, float(np.abs(probe.theta[i]).max())) for i in lines.index
    ])  # fmt: skip
    few = LADDER[FIRST][:, None] * sizes
    first = weigh(a, differences(probe, lines, background, few, executor), rtol, atol)
    doubtful = np.flatnonzero(first.mark != OK)
    if not len(doubtful):
        return first, 2 * few.size
    rest = Lines([lines.index[i] for i in doubtful], [lines.direction[i] for i in doubtful])
    many = LADDER[:, None] * sizes[doubtful]
    second = weigh(a[doubtful], differences(probe, rest, background, many, executor), rtol, atol)
    for old, new in zip((first.mark, first.numerical, first.bound),
                        (second.mark, second.numerical, second.bound), strict=True):  # fmt: skip
        old[doubtful] = new
    return first, 2 * (few.size + many.size)


def _judge(a: np.ndarray, evidence: Evidence, background: Background, total: int) -> Judgement:
    return conclude(a, evidence, total) if background.deterministic else NOT_DETERMINISTIC


def _cannot_localise(judgement: Judgement, directions: int) -> Judgement:
    why = judgement.why.replace("entries", "directions")
    why = f"along {directions} random directions: {why}; directions cannot tell where"
    return Judgement(judgement.verdict, why, judgement.advice)


def _tensor_report(
    name: str,
    a: np.ndarray,
    evidence: Evidence,
    judgement: Judgement,
    shape: tuple[int, ...],
    method: str,
) -> TensorReport:
    whole = method == "full"
    arrays = [v.reshape(shape) if whole else v for v in (a, evidence.numerical, evidence.mark)]
    kinks = (arrays[2] == "kink").astype(int)
    return TensorReport(
        name, arrays[0], arrays[1], "max_relative", judgement, kinks, arrays[2],
        None if whole else shape,
    )  # fmt: skip


def _coordinates(lo: int, hi: int, size: int, rng: np.random.Generator) -> Lines:
    entries = np.arange(lo, hi)
    if size < hi - lo:
        entries = np.sort(rng.choice(entries, size, replace=False))
    return Lines([np.array([i]) for i in entries], [np.ones(1)] * len(entries))


def _directions(size: int, number: int, rng: np.random.Generator) -> Lines:
    signs = rng.choice([-1.0, 1.0], (number, size)) / np.sqrt(size)
    return Lines([np.arange(size)] * number, list(signs))


def _subject(f: Callable, background: Background) -> str:
    name = getattr(f, "__name__", type(f).__name__)
    return f"{name} (its values are float32)" if background.single else name

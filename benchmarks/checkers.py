"""gradlab beside other gradient checkers, on functions whose gradients are right but awkward.

    python benchmarks/checkers.py

Each function comes twice: with its right gradient, which must not be blamed, and with the largest
entry times 1.5, which must not be passed. The others know two answers; gradlab may also say that it
cannot tell. PyTorch, JAX and SciPy are asked with their defaults, where installed. "Located"
counts bugs of which exactly the wrong entry was named; the others judge the whole argument.
"""

from __future__ import annotations

import _one_core  # noqa: F401  isort: skip  (first: it sets the number of threads)

import time
import warnings
from collections.abc import Callable

import numpy as np

from benchmarks.checkers_peers import peers
from gradlab.checking import central_difference, check_function, norm_ratio
from tests.checking import battery, second_battery

Answer = str  # "correct", "wrong" or "inconclusive"


def with_bug(grad: Callable) -> Callable:
    """Return `grad` with its largest entry off by half."""

    def wrong(theta: np.ndarray) -> np.ndarray:
        a = np.array(grad(theta), float)
        a[np.argmax(np.abs(a))] *= 1.5
        return a

    return wrong


def ng(f: Callable, grad: Callable, theta: np.ndarray) -> Answer:
    """Apply Ng's rule: the norm ratio at a step of 1e-7 is below 1e-5."""
    n = central_difference(f, theta, 1e-7)
    return "correct" if norm_ratio(grad(theta), n) < 1e-5 else "wrong"


def slides(f: Callable, grad: Callable, theta: np.ndarray) -> Answer:
    """Apply the slides' rule: every entry's relative error at a step of 1e-5 is below 1e-4."""
    a, n = grad(theta), central_difference(f, theta, 1e-5)
    scale = np.maximum(np.maximum(np.abs(a), np.abs(n)), 1e-5)
    return "correct" if (np.abs(a - n) / scale < 1e-4).all() else "wrong"


def gradlab(f: Callable, grad: Callable, theta: np.ndarray) -> tuple[Answer, np.ndarray]:
    """Let the checker choose its steps; return its answer and the entries that it blames."""
    report = check_function(f, grad, theta)
    return str(report.verdict), np.flatnonzero(report["theta"].marks == "bug")


def score(checker: Callable, cases: dict) -> dict[str, float]:
    """Return how often a checker blamed, missed, could not tell, raised, located, and its time."""
    n = dict.fromkeys(("blamed", "missed", "cannot tell", "raised", "located"), 0)
    start = time.perf_counter()
    for make in cases.values():
        for buggy in (False, True):
            f, grad, theta = make()
            planted = np.argmax(np.abs(grad(theta)))
            try:
                answer = checker(f, with_bug(grad) if buggy else grad, theta)
            except Exception:  # whatever a checker does with a function like that
                n["raised"] += 1
                continue
            answer, entries = answer if isinstance(answer, tuple) else (answer, ())
            n["blamed"] += answer == "wrong" and not buggy
            n["missed"] += answer == "correct" and buggy
            n["cannot tell"] += answer == "inconclusive"
            n["located"] += bool(buggy and np.array_equal(entries, [planted]))
    return {**n, "seconds": time.perf_counter() - start}


def main() -> None:
    """Print a table for each battery."""
    checkers = {"gradlab": gradlab, "Ng's rule": ng, "the slides' rule": slides, **peers()}
    for name, cases in (("first", battery.CASES), ("second", second_battery.CASES)):
        print(f"{name} battery, {len(cases)} functions, each right and wrong")
        for who, checker in checkers.items():
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                counts = score(checker, cases)
            line = ", ".join(f"{key} {value:.4g}" for key, value in counts.items())
            print(f"  {who:18s} {line}", flush=True)
        print()


if __name__ == "__main__":
    main()

"""gradlab beside other gradient checkers, on functions whose gradients are right but awkward.

    python benchmarks/checkers.py

Each function comes with its right gradient, which must not be blamed, and with the largest entry
times 1.5, 1.01 and 1.001, which must not be passed. The others know two answers; gradlab may also
say that it cannot tell, and says with "correct" how large an error it would have seen: "beyond"
counts those that were passed though the error was larger than that. PyTorch, JAX and SciPy are
asked with their defaults, where installed.
"""

from __future__ import annotations

import _one_core  # noqa: F401  isort: skip  (first: it sets the number of threads)

import time
import warnings
from collections.abc import Callable

import numpy as np

from benchmarks.checkers_peers import peers
from gradlab.checking import central_difference, check_function, norm_ratio
from tests.checking import battery, second_battery, third_battery
from tests.checking.smooth_losses import SMOOTH

FACTORS = (1.5, 1.01, 1.001)
Answer = str  # "correct", "wrong" or "inconclusive"


class Counted:
    """A function that counts its calls."""

    def __init__(self, f: Callable) -> None:
        self.f, self.calls = f, 0

    def __call__(self, theta: np.ndarray) -> float:
        """Return f there."""
        self.calls += 1
        return self.f(theta)


def spoiled(grad: Callable, theta: np.ndarray, factor: float) -> Callable:
    """Return `grad` with the entry that is largest at theta multiplied."""
    worst = int(np.argmax(np.abs(grad(theta.copy()))))

    def wrong(t: np.ndarray) -> np.ndarray:
        a = np.array(grad(t), float)
        a[worst] *= factor
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


def gradlab(f: Callable, grad: Callable, theta: np.ndarray) -> tuple[Answer, float]:
    """Let the checker choose its steps; return its answer, and the error it would have seen."""
    report = check_function(f, grad, theta)
    return str(report.verdict), report.resolution


def score(checker: Callable, cases: dict, factor: float) -> dict[str, float]:
    """Return how often a checker said what, and its evaluations and seconds."""
    n = dict.fromkeys(("correct", "wrong", "inconclusive", "raised", "beyond"), 0)
    start, per_entry = time.perf_counter(), []
    for make in cases.values():
        f, grad, theta = make()[:3]
        counted, wrong = Counted(f), spoiled(grad, theta, factor) if factor != 1 else grad
        try:
            answer = checker(counted, wrong, theta)
        except Exception:  # whatever a checker does with a function like that
            n["raised"] += 1
            continue
        answer, resolution = answer if isinstance(answer, tuple) else (answer, 0.0)
        n[answer] += 1
        n["beyond"] += answer == "correct" and resolution < (factor - 1) / factor
        per_entry.append(counted.calls / theta.size)
    return {**n, "evaluations an entry": float(np.median(per_entry)),
            "seconds": time.perf_counter() - start}  # fmt: skip


def main() -> None:
    """Print a table for each battery, then what checks of smooth losses cost."""
    checkers = {"gradlab": gradlab, "Ng's rule": ng, "the slides' rule": slides, **peers()}
    batteries = {
        "the first two batteries": {**battery.CASES, **second_battery.CASES},
        "the third battery": third_battery.CASES,
        "smooth losses": SMOOTH,
    }
    for name, cases in batteries.items():
        for factor in (1.0, *FACTORS):
            what = "right gradients" if factor == 1 else f"largest entry times {factor:g}"
            print(f"{name}, {len(cases)} functions, {what}")
            for who, checker in checkers.items():
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    counts = score(checker, cases, factor)
                line = ", ".join(f"{key} {value:.3g}" for key, value in counts.items() if value)
                print(f"  {who:18s} {line}", flush=True)
            print()


if __name__ == "__main__":
    main()

"""gl.check_torch and gl.check_jax beside the checkers that PyTorch and JAX come with.

Prints one table: what each says of the same code, right and spoiled, which tensor it names, how
often it evaluated, and its time over gradlab's in the same run (above 1: gradlab is faster). The
others see what they are made for: tensors in float64, one by one, so modules are called through
`functional_call` on copies; dropout's seed is put back for them. One core; the median of 3 times.

    python benchmarks/frameworks.py
"""

import _one_core  # noqa: F401  isort: skip  (first: it sets the number of threads)

import time
from collections.abc import Callable
from importlib import import_module
from statistics import median

TIMES = 3
OURS = ("gradlab", "names", "evals", "s")
THEIRS = ("peer", "says", "names", "evals", "s", "peer/gradlab")
COLUMNS = ("code", "truth", *OURS, *THEIRS)


def timed(run: Callable):
    """Return what the last run gave, and the median of the runs' seconds."""
    seconds = []
    for _ in range(TIMES):
        start = time.perf_counter()
        answer = run()
        seconds.append(time.perf_counter() - start)
    return answer, median(seconds)


def row(code, truth, ours: Callable, peer, theirs: Callable):
    """Return a line of the table; `theirs` returns (verdict, named, evaluations)."""
    report, mine = timed(ours)
    (says, named, evaluations), other = timed(theirs)
    wrong = ", ".join(report.wrong) or "–"
    left = str(report.verdict), wrong, str(report.evaluations), f"{mine:.3f}"
    right = peer, says, named, str(evaluations), f"{other:.3f}", f"{other / mine:.1f}"
    return code, truth, *left, *right


def main():
    """Print the table."""
    rows = [COLUMNS]
    for peers in ("frameworks_torch", "frameworks_jax"):
        try:
            rows += (row(*run) for run in import_module(peers).runs())
        except ImportError as error:
            print(f"without {error.name}: pip install 'gradlab[frameworks]'")
    widths = [max(len(r[k]) for r in rows) for k in range(len(COLUMNS))]
    for r in rows:
        print("  ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()

"""The fast numerical gradient beside the plain loop, and JAX and PyTorch where installed.

    python benchmarks/numerical_gradient.py

One core, CPU time of this process, interleaved, median of the rounds: a neighbour on the machine
moves both sides alike. Each side runs for about as long in a round: ours is repeated, and of the
loop's evaluations, which all cost the same, as many are timed as fit, and scaled.
"""

from __future__ import annotations

import _one_core  # noqa: F401  isort: skip  (first: it sets the number of threads)

import sys
import time
from collections.abc import Callable

import numpy as np

import gradlab as gl
from benchmarks import numerical_gradient_peers as peers

# sizes, batch, steps, ratio to the loop that must hold
CASES = (
    ((2, 16, 16, 2), 32, 1, 20),
    ((2, 16, 16, 2), 32, 61, 45),
    ((64, 128, 64, 10), 64, 1, 12),
    ((784, 64, 10), 32, 1, 130),
)
ROUNDS = 9
BUDGET = 0.2  # CPU seconds for each way in a round


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time that `work` takes, the mean over as many runs as fit the budget."""
    done, start = 0, time.process_time()
    while done == 0 or time.process_time() - start < BUDGET:
        work()
        done += 1
    return (time.process_time() - start) / done


def loop_seconds(net: gl.nn.Network, x: np.ndarray, y: np.ndarray, evaluations: int) -> float:
    """Return the CPU time of the plain loop's evaluations, from as many as fit the budget."""
    f, probe = net.loss_function(x, y), net.theta
    done, start = 0, time.process_time()
    while done < evaluations and time.process_time() - start < BUDGET:
        i = done % len(probe)
        saved = probe[i]
        probe[i] = saved + 1e-5
        f(probe)
        probe[i] = saved
        done += 1
    return (time.process_time() - start) * evaluations / done


def measure(sizes: tuple[int, ...], batch: int, steps: int) -> dict[str, float]:
    """Return the median CPU seconds of each way to get all entries at all steps."""
    rng = np.random.default_rng(0)
    net = gl.mlp(sizes)
    x, y = rng.standard_normal((batch, sizes[0])), rng.integers(0, sizes[-1], batch)
    eps = np.logspace(-1, -13, steps) if steps > 1 else np.array([1e-5])
    ways = {
        "loop": lambda: loop_seconds(net, x, y, 2 * net.size * steps),
        "gradlab": lambda: cpu_seconds(lambda: gl.numerical_gradient(net, x, y, eps)),
        **{name: lambda run=run: cpu_seconds(run) for name, run in peers.ways(net, x, y, eps)},
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()  # warm-up: compilation, caches
    for _ in range(ROUNDS):
        for name, way in ways.items():
            times[name].append(way())
    return {name: float(np.median(seconds)) for name, seconds in times.items()}


def main() -> int:
    """Print a line a case; return how many miss their ratio."""
    missed = 0
    for sizes, batch, steps, asked in CASES:
        seconds = measure(sizes, batch, steps)
        ratio = seconds["loop"] / seconds["gradlab"]
        missed += ratio < asked
        each = ", ".join(f"{name} {1e3 * t:.4g} ms" for name, t in seconds.items())
        name = f"{'-'.join(map(str, sizes))}, batch {batch}, steps {steps}"
        verdict = "holds" if ratio >= asked else "MISSED"
        print(f"{name:38s} {ratio:6.1f}x the loop (asked {asked}: {verdict})   {each}", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main())

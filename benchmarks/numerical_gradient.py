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

Problem = tuple[gl.nn.Network, np.ndarray, np.ndarray]


def mlp(*sizes: int, batch: int) -> Problem:
    """Return an MLP with a random batch."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((batch, sizes[0])), rng.integers(0, sizes[-1], batch)
    return gl.mlp(sizes), x, y


def convnet() -> Problem:
    """Return the slide's network on 8 images of 8 x 8 pixels: 512 parameters."""
    rng = np.random.default_rng(0)
    net = gl.convnet((1, 8, 8), padding=(1, 1))
    return net, rng.standard_normal((8, 1, 8, 8)), rng.integers(0, 10, 8)


def lstm() -> Problem:
    """Return an LSTM on 4 sequences of 10 steps: 507 parameters."""
    rng = np.random.default_rng(0)
    return gl.lstm(6, 8, 3), rng.standard_normal((10, 4, 6)), rng.integers(0, 3, 4)


# name, problem, steps, ratio to the loop that must hold
CASES = (
    ("2-16-16-2, batch 32", mlp(2, 16, 16, 2, batch=32), 1, 20),
    ("2-16-16-2, batch 32", mlp(2, 16, 16, 2, batch=32), 61, 45),
    ("64-128-64-10, batch 64", mlp(64, 128, 64, 10, batch=64), 1, 12),
    ("784-64-10, batch 32", mlp(784, 64, 10, batch=32), 1, 130),
    ("convnet 1x8x8, batch 8", convnet(), 1, 25),
    ("LSTM 6-8-3, T 10, batch 4", lstm(), 1, 25),
)
# 2-n-n-2: the widest must reach this ratio, and from the narrowest to the widest the time must grow
# no faster than the number of parameters
WIDTHS, WIDEST_RATIO, GROWTH_BATCH = (16, 32, 64, 128, 256), 230, 32
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


def measure(problem: Problem, steps: int) -> dict[str, float]:
    """Return the median CPU seconds of each way to get all entries at all steps."""
    net, x, y = problem
    eps = np.logspace(-1, -13, steps) if steps > 1 else np.array([1e-5])
    ways = {
        "loop": lambda: loop_seconds(net, x, y, 2 * net.size * steps),
        "gradlab": lambda: cpu_seconds(lambda: gl.numerical_gradient(net, x, y, eps)),
    }
    if isinstance(net, gl.nn.MLP):  # the peers' forward passes are those of an MLP
        for name, run in peers.ways(net, x, y, eps):
            ways[name] = lambda run=run: cpu_seconds(run)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()  # warm-up: compilation, caches
    for _ in range(ROUNDS):
        for name, way in ways.items():
            times[name].append(way())
    return {name: float(np.median(seconds)) for name, seconds in times.items()}


def shown(name: str, seconds: dict[str, float], asked: float) -> bool:
    """Print a case's line; return whether its ratio to the loop holds."""
    ratio = seconds["loop"] / seconds["gradlab"]
    each = ", ".join(f"{way} {1e3 * t:.4g} ms" for way, t in seconds.items())
    verdict = "holds" if ratio >= asked else "MISSED"
    print(f"{name:38s} {ratio:6.1f}x the loop (asked {asked:g}: {verdict})   {each}", flush=True)
    return ratio >= asked


def growth() -> int:
    """Print how time grows with the width of 2-n-n-2; return how many promises are missed."""
    missed, grown = 0, []
    for n in WIDTHS:
        problem = mlp(2, n, n, 2, batch=GROWTH_BATCH)
        seconds = measure(problem, 1)
        asked = WIDEST_RATIO if n == WIDTHS[-1] else 0
        missed += not shown(f"2-{n}-{n}-2, batch {GROWTH_BATCH}", seconds, asked)
        grown.append((seconds["gradlab"], problem[0].size))
    time_factor, size_factor = np.array(grown[-1]) / grown[0]
    verdict = "holds" if time_factor <= size_factor else "MISSED"
    each = ", ".join(f"{1e6 * t / size:.2f}" for t, size in grown)
    print(
        f"n = {WIDTHS[0]} to {WIDTHS[-1]}: time x {time_factor:.0f}, parameters x "
        f"{size_factor:.0f}: {verdict}   microseconds a parameter: {each}"
    )
    return missed + (verdict == "MISSED")


def main() -> int:
    """Print a line a case; return how many promises are missed."""
    missed = 0
    for name, problem, steps, asked in CASES:
        missed += not shown(f"{name}, steps {steps}", measure(problem, steps), asked)
    return missed + growth()


if __name__ == "__main__":
    sys.exit(main())

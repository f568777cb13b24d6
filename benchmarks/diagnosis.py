"""How long `report.diagnosis` takes, over networks of all kinds with a bug.

    python benchmarks/diagnosis.py

A diagnosis is made when it is first asked for, as by printing a wrong report; `gl.check` alone pays
nothing for it. CPU time of this process on one core. "first" is in a process where no network of
this kind was looked at before, so it also writes out and compiles the lines; "again" the median of
three more. Beside it `gl.check` of the same network without a bug. Prints "ok" or "MISSED", and
exits with the number of promises missed.
"""

from __future__ import annotations

import _one_core  # noqa: F401  isort: skip  (first: it sets the number of threads)

import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

import gradlab as gl
from tests.bugs.lines import holdout

USUAL, LONGEST, ROUNDS = 0.3, 3.0, 3  # CPU seconds: of the median case and of any; and how often
LSTM_507 = {"D": 6, "H": 8, "K": 3, "T": 10, "N": 4}


def held(cases: list, name: str, dtype: str = "float64") -> Callable:
    """Return the maker of a network with a wrong line of the holdout: (arguments, gradient)."""

    def make() -> tuple:
        case = next(case for case in cases if case.name == name)
        given = case.problem(0, dtype)
        return given, case.gradient(*given)

    return make


def lstm_507(*swaps: tuple[str, str]) -> Callable:
    """Return the maker of an LSTM of 507 parameters with wrong lines."""

    def make() -> tuple:
        case = holdout.lstm("LSTM", *swaps, **LSTM_507)
        given = case.problem(0)
        return given, case.gradient(*given)

    return make


def museum(net: gl.nn.Network, bug: str, x: np.ndarray, layer: int | None = None) -> Callable:
    """Return the maker of a network with a bug of the museum."""

    def make() -> tuple:
        y = np.arange(x.shape[net.batch_axis]) % net.outputs
        return (net, x, y, None), gl.bugs.plant(net, bug, layer).gradient(x, y)

    return make


def large(scale: float) -> Callable:
    """Return the maker of an MLP of 19 450 parameters, its signal down to W1 off by a factor."""

    def make() -> tuple:
        rng = np.random.default_rng(0)
        net = gl.mlp([64, 128, 80, 10], seed=0)
        x, y = rng.standard_normal((32, 64)), rng.integers(0, 10, 32)
        a = net.gradient(x, y)
        return (net, x, y, None), {k: g * (scale if k in ("W1", "b1") else 1) for k, g in a.items()}

    return make


RNG = np.random.default_rng(0)
IMAGES, SERIES = RNG.standard_normal((8, 1, 8, 8)), RNG.standard_normal((10, 4, 6))
SLIDES = gl.convnet((1, 8, 8), padding=(1, 1))
SINGLES, PAIRS, NAMELESS = holdout.SINGLES, holdout.PAIRS, holdout.NAMELESS
HALF = ("dao = do * o[t] * (1 - o[t])", "dao = do * (1 - o[t])")
CELL = ("dc = dcnext + dh", "dc = dh")
CASES = {
    "MLP": held(SINGLES, "tanh' without the square"),
    "MLP, museum": museum(gl.mlp([8, 6, 6, 3]), "missing_transpose", IMAGES[:, 0, 0]),
    "MLP, loss": held(SINGLES, "one subtracted in every row"),
    "MLP, float32": held(SINGLES, "tanh' without the square", "float32"),
    "MLP, L2": held(SINGLES, "L2 as L1"),
    "MLP, dropout": held(SINGLES, "the other layer's mask"),
    "MLP, batch norm": held(SINGLES, "bn: variance's 2 forgotten"),
    "MLP, two lines": held(PAIRS, "transpose, and tanh' at z"),
    "MLP, no line": held(NAMELESS, "a random feedback matrix"),
    "MLP 19 450, sampled": large(1.7),
    "convnet": held(SINGLES, "kernel's gradient overwritten"),
    "convnet, museum": museum(SLIDES, "kernel_not_flipped", IMAGES),
    "convnet, two lines": held(PAIRS, "relu lost, and a bias mean"),
    "convnet, no line": held(NAMELESS, "a random kernel"),
    "LSTM 507, museum": museum(gl.lstm(6, 8, 3), "lstm_step_overwrites", SERIES),
    "LSTM 507": lstm_507(HALF),
    "LSTM 507, two lines": lstm_507(HALF, CELL),
    "LSTM, every step": held(SINGLES, "state's way back lost"),
    "LSTM, no line": held(NAMELESS, "noise in the state"),
}  # fmt: skip


def measure(name: str) -> tuple[float, float, float, str]:
    """Return CPU seconds, of the first diagnosis, of later ones and of a check, and the cause."""
    (net, x, y, masks), wrong = CASES[name]()
    options = {"masks": masks, "method": "sampled" if "sampled" in name else "full"}
    seconds = []
    for _ in range(1 + ROUNDS):
        report = gl.check(net, x, y, analytic=wrong, **options)
        start = time.process_time()
        causes = report.diagnosis
        seconds.append(time.process_time() - start)
    checks = []
    for _ in range(ROUNDS):
        start = time.process_time()
        gl.check(net, x, y, **options)
        checks.append(time.process_time() - start)
    told = causes[0].where or causes[0].cause
    return seconds[0], float(np.median(seconds[1:])), float(np.median(checks)), told


def in_a_process_of_its_own(name: str) -> tuple[float, float, float, str]:
    """Return what `measure` does where nothing is compiled yet."""
    done = subprocess.run(
        [sys.executable, __file__, name], capture_output=True, text=True, check=True
    )
    *numbers, told = done.stdout.strip().split("\t")
    return (*map(float, numbers), told)


def main() -> int:
    """Print a line a case; return how many promises are missed."""
    print(f"{'':22s}{'first':>9s}{'again':>9s}{'check':>9s}{'again/check':>13s}")
    firsts, missed = [], 0
    for name in CASES:
        first, again, check, told = in_a_process_of_its_own(name)
        firsts.append(first)
        ok = first <= LONGEST
        missed += not ok
        print(
            f"{name:22s}{1e3 * first:6.0f} ms{1e3 * again:6.0f} ms{1e3 * check:6.0f} ms"
            f"{again / check:12.1f}x  {'ok' if ok else 'MISSED':7s}{told[:40]}",
            flush=True,
        )
    usual = float(np.median(firsts))
    ok = usual <= USUAL
    print(
        f"median {1e3 * usual:.0f} ms (asked {1e3 * USUAL:g}: {'ok' if ok else 'MISSED'}), "
        f"longest {1e3 * max(firsts):.0f} ms (asked {1e3 * LONGEST:g}: "
        f"{'ok' if max(firsts) <= LONGEST else 'MISSED'})"
    )
    return missed + (not ok)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(*measure(sys.argv[1]), sep="\t")
        sys.exit(0)
    sys.exit(main())

"""How long the lab takes to answer each of its controls, in the kernel, with every panel on.

    python benchmarks/lab_controls.py [--repeat 3]

The browser's part comes on top: about the floor of `lab_latency.py`. Every control is moved to each
value that it offers (a slider: to some) and back, in small and in the largest networks that the
controls can make. Prints the slowest answer of each control, and exits with 1 if one takes longer
than 300 ms. Training is apart: it shows its progress.
"""

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path

import _one_core  # noqa: F401  isort: skip  (as `make lab` does)
import comm

import gradlab as gl
from gradlab.lab.board.panels import NAMES as PANELS
from gradlab.lab.model.settings import RANGES

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # what stands for the browser
from lab.front_end import FrontEnd

LIMIT = 0.3  # seconds
#: What moves on the same trained network; the others train another one.
AFTER_TRAINING = ("eps", "scheme", "measure", "bug", "bug_layer", "tensor")
DIGITS = {"data": "digits", "hidden": (64, 64, 64, 64)}
SUBJECTS = {
    "start": lambda: gl.Lab(panels=PANELS),
    "trained": lambda: gl.Lab(panels=PANELS, train_steps=100),
    "eight layers": lambda: gl.Lab(panels=PANELS, hidden=(16,) * 8),
    "largest": lambda: gl.Lab(panels=PANELS, **DIGITS),
    "largest, relu": lambda: gl.Lab(panels=PANELS, activation="relu", **DIGITS),
    "largest, five-point": lambda: gl.Lab(panels=PANELS, scheme="five_point", **DIGITS),
    "largest, redrawn": lambda: gl.Lab(
        panels=PANELS, dropout_rate=0.5, freeze_masks=False, **DIGITS
    ),
    "largest, bug": lambda: gl.Lab(panels=PANELS, bug="missing_transpose", **DIGITS),
    "convnet": lambda: given(gl.convnet((1, 8, 8), (4, 6), (3, 3), (1, 0)), image=True),
    "lstm": lambda: given(gl.lstm(8, 8, 10), image=False),
}


def given(net, image):
    """Return a lab of a network that is no MLP, on digits."""
    x, y = gl.data.load("digits", 20)
    x = x.reshape(-1, 1, 8, 8) if image else x.reshape(-1, 8, 8).transpose(1, 0, 2)
    return gl.Lab(net, x, y, panels=PANELS)


def main():
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3, help="of each move the median counts")
    parser.add_argument("--only", nargs="*", choices=SUBJECTS, default=list(SUBJECTS))
    options = parser.parse_args()
    missed = 0
    for name in options.only:
        times, rest = asyncio.run(measure(SUBJECTS[name], options.repeat))
        late = {control: (t, value) for control, (t, value) in times.items() if t > LIMIT}
        missed += len(late)
        slowest = sorted(times.items(), key=lambda item: -item[1][0])
        told = ", ".join(
            f"{control} {1e3 * t:.0f} ({value})" for control, (t, value) in slowest[:4]
        )
        verdict = "MISSED" if late else "ok    "
        print(f"{verdict} {name:20} at rest {1e3 * rest:4.0f} ms; {told}", flush=True)
    return 1 if missed else 0


async def measure(make, repeat):
    """Return the slowest answer of each control, in seconds, with its value; and the rest's."""
    front_end = FrontEnd()
    comm.create_comm = front_end.create_comm
    lab = make()
    times = {}
    for name, control in lab.controls.items():
        if name not in lab.state.applicable or getattr(control, "disabled", False):
            continue
        if name == "train_steps" or (lab.state.train_steps and name not in AFTER_TRAINING):
            continue
        for value in values_of(name, control):
            taken = [move(lab, front_end, name, value) for _ in range(repeat)]
            one = statistics.median(taken)
            if one > times.get(name, (0, None))[0]:
                times[name] = (one, value)
    move(lab, front_end, "eps", 1e-6)
    start = time.perf_counter()
    lab._on_rest()
    rest = time.perf_counter() - start
    lab.close()
    return times, rest


def move(lab, front_end, name, value):
    """Return how long the lab takes for `value`; the control is back where it was afterwards."""
    control, before = lab.controls[name], lab.state.settings
    seconds = time_of(front_end, control, name, value)
    lab.state.update(**{n: getattr(before, n) for n in lab.state.applicable})
    front_end.clear()
    return seconds


def time_of(front_end, control, name, value):
    """Return the seconds between a message of the browser and its last answer."""
    start = time.perf_counter()
    if name == "hidden":
        control.value = value
    elif hasattr(control, "options"):
        front_end.choose(control, value)
    elif hasattr(control, "text"):
        front_end.move(control.text, str(value))
    else:
        front_end.move(control, value)
    return time.perf_counter() - start


def values_of(name, control):
    """Return values to move a control to."""
    if name == "hidden":
        return [(8,), (64,) * 4]
    if hasattr(control, "options"):
        return range(len(control.options))
    if isinstance(control.value, bool):
        return [not control.value]
    if hasattr(control, "text"):  # a whole number is typed
        return [RANGES[name][0], min(RANGES[name][1], 40)]
    low, high = control.min, control.max
    if hasattr(control, "base"):
        return [10 ** (low + share * (high - low)) for share in (0.0, 0.3, 0.5, 0.7, 1.0)]
    return [type(control.value)(low + share * (high - low)) for share in (0.0, 0.4, 0.9)]


if __name__ == "__main__":
    sys.exit(main())

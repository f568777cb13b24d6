"""How the lab follows a drag when its server is far away, as with Binder or a hub.

    python benchmarks/lab_distance.py [--rounds 4] [--round-trip 150] [--megabits 10]

JupyterLab in Chromium, all of it through a proxy that delays and limits (`_far.py`); the same drag
on the same server without the proxy stands beside it, and a slider of ipywidgets that changes one
line of text. The variants take turns. Prints the way that was really there, how busy the machine
was, a table, and a verdict for each requirement; exits with 1 if one is missed. Kernel, server and
browser share one machine: beside other work it misses what it meets alone.
"""

import argparse
import socket
import statistics
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import _one_core  # noqa: F401  (as `make lab` and `gradlab lab` start it)
import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the browser tests' harness

from _devtools import attach, bare_chromium
from _far import far
from _measure import EVENTS, MILLISECONDS, Measured, Subject
from _variants import VARIANTS
from browser.server import JupyterLab
from playwright.sync_api import sync_playwright

FRAMES = 15.0  # a second
TRIPS = 2.0  # round trips from the last event to the final state
#: What is measured: a variant, and whether it is far away.
SUBJECTS = {
    "ipywidgets, far": ("floor", True),
    "lab, near": ("lab", False),
    "lab, far": ("lab", True),
    "every panel, far": ("every panel", True),
    "weight scale, far": ("scale lab", True),
}
ASKED = ("lab, far", "every panel, far", "weight scale, far")
DRAGS = (("Home", +1), ("End", -1))  # from which end, and which way: by turns


def main():
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4, help="drags of each")
    parser.add_argument("--round-trip", type=float, default=150.0, help="ms")
    parser.add_argument("--megabits", type=float, default=10.0, help="per second, each way")
    parser.add_argument("--only", nargs="*", choices=SUBJECTS, default=list(SUBJECTS))
    asked = parser.parse_args()
    measured, way = measure(asked)
    trip, rate = way
    print(f"\nThe way: a round trip of {trip:.0f} ms, {rate:.1f} Mbit/s down, as measured.")
    load = " ".join(f"{value:.0f}" for value in psutil.getloadavg())
    print(f"{psutil.cpu_count()} processors, load average {load}, this benchmark's part included.")
    print(f"A drag is {EVENTS} events in {MILLISECONDS / 1e3:.0f} s; medians of {asked.rounds}.\n")
    print(f"{'':22}{'frames/s':>10}{'final, ms':>11}{'in trips':>10}{'gap, ms':>9}")
    missed = 0
    for name, result in measured.items():
        frames, trips = result.frames / MILLISECONDS * 1e3, result.final / asked.round_trip
        print(f"{name:22}{frames:10.1f}{result.final:11.0f}{trips:10.2f}{result.gap:9.0f}", end="")
        if name in ASKED:
            met = frames >= FRAMES and trips <= TRIPS
            missed += not met
            print("  ok" if met else "  MISSED", end="")
        print()
    if {"lab, near", "lab, far"} <= set(measured):
        near, away = measured["lab, near"], measured["lab, far"]
        print(f"\nlab, far: {away.frames / near.frames:.2f} times the frames of near")
    print(f"\nasked: at least {FRAMES:.0f} frames a second, the final state within {TRIPS:.0f}"
          f" round trips ({TRIPS * asked.round_trip:.0f} ms)")  # fmt: skip
    return 1 if missed else 0


def measure(asked):
    """Return what was measured of each subject, and what the way was really like."""
    measured = {name: Measured() for name in asked.only}
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gradlab-distance-")))
        address = stack.enter_context(bare_chromium())
        with sync_playwright() as playwright:
            browser = playwright.chromium.connect_over_cdp(address)
            server = stack.enter_context(JupyterLab(root, browser=browser))
            port = urlsplit(server.url).port
            near = server.url
            far_port = stack.enter_context(far(port, asked.round_trip, asked.megabits))
            away = f"http://127.0.0.1:{far_port}"
            way = way_of(asked)
            subjects = {}
            for name in asked.only:
                variant, is_far = SUBJECTS[name]
                server.url = away if is_far else near
                print(f"opening: {name}", file=sys.stderr)
                subjects[name] = prepare(server, root, name, variant, browser.contexts[0])
        for name, subject in subjects.items():
            subject.tab = attach(address, name)
        for turn in range(asked.rounds):
            for name, subject in subjects.items():
                print(f"round {turn + 1} of {asked.rounds}: {name}", file=sys.stderr)
                measured[name].drags.append(subject.drag(*DRAGS[turn % 2]))
        for name, subject in subjects.items():
            assert not subject.errors(), f"{name}: {subject.errors()}"
    return measured, way


def prepare(server, root, name, variant, context):
    """Open, run and instrument the notebook of one subject."""
    variant = VARIANTS[variant]
    notebook = f"{name.replace(' ', '_').replace(',', '')}.ipynb"
    variant.write(root / notebook)
    page = server.open(notebook, context=context)
    return Subject(page, name, variant.slider, variant.text, quiet=6000)


def way_of(asked, repeat=5, size=500_000):
    """Return the round trip in ms, and the rate in Mbit/s, that the proxy really gives."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, args=(server, size), daemon=True).start()
        port = server.getsockname()[1]
        with (
            far(port, asked.round_trip, asked.megabits) as way,
            socket.create_connection(("127.0.0.1", way)) as there,
        ):
            trips = [seconds_of(there, 1) for _ in range(repeat)]
            long = seconds_of(there, size)
    trip = statistics.median(trips)
    return 1e3 * trip, 8e-6 * size / (long - trip)


def answer(server, size):
    """Send a byte for each byte that comes but "L", and for that one `size` of them."""
    there, _ = server.accept()
    with there:
        while byte := there.recv(1):
            there.sendall(b"." * (size if byte == b"L" else 1))


def seconds_of(there, size):
    """Return how long it takes until `size` bytes have come, from the question on."""
    start = time.perf_counter()
    there.sendall(b"L" if size > 1 else b"s")
    while size > 0:
        size -= len(there.recv(65536))
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())

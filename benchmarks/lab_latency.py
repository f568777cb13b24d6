"""How soon the lab answers a slider, in JupyterLab in Chromium, beside what is possible.

    python benchmarks/lab_latency.py [--rounds 8]

Two servers, one with gradlab's extension and one without, one browser; the variants take turns, so
that what else the machine does falls on all of them. Prints a table and a verdict for each
requirement, and exits with 1 if one is missed. Takes about half a minute a round.
"""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import _one_core  # noqa: F401  (as `make lab` and `gradlab lab` start it)

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the browser tests' harness

from _devtools import attach, bare_chromium
from _film import count_blanks
from _measure import EVENTS, Measured, Subject
from _variants import VARIANTS
from browser.server import JupyterLab
from playwright.sync_api import sync_playwright

PRESSES = 4
DRAGS = (("Home", +1), ("End", -1))  # from which end, and which way: by turns
EVERY = {"pyplot": 4}  # slow: it takes part in every fourth round


def main():
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8, help="turns that each variant takes")
    parser.add_argument("--only", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    arguments = parser.parse_args()
    measured, blanks = measure(arguments.only, arguments.rounds)
    print_table(measured)
    if set(measured) != set(VARIANTS):
        return 0
    return print_requirements(measured, blanks)


def measure(names, rounds):
    """Return what was measured of each variant, and the blank pictures of the lab's film."""
    measured = {name: Measured() for name in names}
    with ExitStack() as stack:
        subjects = start(names, stack)
        for turn in range(rounds):
            for name in names:
                if turn % EVERY.get(name, 1):
                    continue
                subject, result = subjects[name], measured[name]
                print(f"round {turn + 1} of {rounds}: {name}", file=sys.stderr)
                result.latencies += subject.step(PRESSES)
                result.drags.append(subject.drag(*DRAGS[turn % 2]))
        film = subjects["lab"].film(*DRAGS[0]) if "lab" in names else []
        for name, subject in subjects.items():
            assert not subject.errors(), f"{name}: {subject.errors()}"
    return measured, count_blanks(film)


def start(names, stack):
    """Open each variant's notebook on its server; returns a `Subject` for each."""
    root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gradlab-latency-")))
    address = stack.enter_context(bare_chromium())
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(address)
        servers = {
            extension: stack.enter_context(JupyterLab(root, extension=extension, browser=browser))
            for extension in (True, False)
        }
        for extension, server in servers.items():
            assert server.extension_loaded() is extension, f"extension?\n{server.log()}"
        subjects = {name: prepare(servers, root, name, browser.contexts[0]) for name in names}
    for name, subject in subjects.items():
        subject.tab = attach(address, name)
    return subjects


def prepare(servers, root, name, context):
    """Open, run and instrument the notebook of one variant."""
    variant = VARIANTS[name]
    notebook = f"{name.replace(' ', '_').replace(',', '')}.ipynb"
    variant.write(root / notebook)
    page = servers[variant.extension].open(notebook, context=context)
    return Subject(page, name, variant.slider, variant.text, variant.quiet)


def print_table(measured):
    """Print one line a variant."""
    print(
        f"\nA drag is {EVENTS} events in two seconds. Times in ms: median, and 95th percentile.\n"
    )
    print(
        f"{'':42}{'event to pixels':>16}{'frames of a drag':>18}{'final state':>13}"
        f"{'gap':>6}{'jumps':>7}"
    )
    for name, result in measured.items():
        print(
            f"{VARIANTS[name].title:42}{result.latency:8.0f} {result.latency_p95:7.0f}"
            f"{result.frames:18.0f}{result.final:13.0f}{result.gap:6.0f}{result.total('jumps'):7d}"
        )
    print()


def print_requirements(measured, blanks):
    """Print a line for each thing asked of the lab; returns 0 if all are met, else 1."""
    floor, lab, pyplot = measured["floor"], measured["lab"], measured["pyplot"]
    plain = measured["plain lab"]
    asked = [
        ("frames, extension / none", lab.frames / plain.frames, "at least", 1.2, None),
        ("faster than interact", pyplot.latency / lab.latency, "at least", 6.0, None),
    ]
    for name, one in (("", lab), (", every panel", measured["every panel"])):
        never = blanks + one.total("blanks") + one.total("backwards") + one.total("jumps")
        asked += [
            (f"latency, in floors{name}", one.latency / floor.latency, "at most", 1.3, None),
            (f"its p95, in floors{name}", one.latency_p95 / floor.latency, "at most", 3.0, None),
            (f"frames, in floors{name}", one.frames / floor.frames, "at least", 0.85, None),
            (f"final state, in floors{name}", one.final / floor.final, "at most", 2.0, None),
            (f"blank, jump, backwards{name}", float(never), "at most", 0.0, None),
        ]
    scale_floor = measured["scale floor"]
    for name, one in (("", measured["scale lab"]), (", all", measured["scale, every panel"])):
        asked += [
            (f"scale frames, floors{name}", one.frames / scale_floor.frames, "at least", 0.8, None),
            (f"scale's longest gap, ms{name}", one.gap, "at most", 100.0, None),
        ]
    missed = 0
    for what, value, relation, limit, aim in asked:
        met = value <= limit if relation == "at most" else value >= limit
        missed += not met
        aimed = f" (aim {aim})" if aim else ""
        verdict = "ok    " if met else "MISSED"
        print(f"{verdict} {what:38}{value:6.2f}, asked {relation} {limit}{aimed}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

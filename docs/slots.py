"""What stands in the pages' slots {{…}}: the project's numbers, read from where they count."""

import re
import tomllib
from pathlib import Path

import numpy as np

from gradlab.checking import BANDS, judge, verdict
from gradlab.checking.check import CLEAR, USUAL

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Packages of the site in Python alone; numpy and matplotlib come with Pyodide.
BUNDLED = ("ipywidgets", "anywidget", "psygnal", "tqdm", "comm")
MARKS = {  # of the entries, in the judge's words and in the page's
    judge.BUG: "stand still away from the gradient",
    judge.KINK: "sit at a kink",
    judge.JUMPS: "see jumps of the loss",
    judge.NOISE: "drown in noise",
    judge.SLIGHT: "differ slightly and steadily",
    judge.FLAT: "do not move the loss",
    judge.OPEN: "never settle",
}


def filled(text: str, known: dict[str, str]) -> str:
    """Return a page with its slots filled; one that nobody knows is a KeyError."""
    return re.sub(r"\{\{(\w+)\}\}", lambda slot: known[slot[1]], text)


def values() -> dict[str, str]:
    """Return what stands in each slot."""
    from jupyterlite_pyodide_kernel.constants import PYODIDE_VERSION  # only `make docs` has it

    return {
        **numbers(),
        "wheels": ", ".join(["gradlab", *BUNDLED]),
        "pyodide": PYODIDE_VERSION,
        "python": re.search(r"python=([\d.]+)", (ROOT / "environment.yml").read_text())[1],
        "repo2docker": re.search(r"repo2docker>=([\d.]+)", str(PROJECT))[1],
    }


def numbers() -> dict[str, str]:
    """Return what the page of the rules takes from the checker."""
    known = {
        "judge": rules_of_the_judge(),
        "safety": f"{judge.SAFETY:g}",
        "longest": f"{judge.LONG.max():g}",
        "usual": f"{USUAL:.0e}",
        "clear": f"{CLEAR:.0e}",
        "order": order(),
        "bands": bands(),
    }
    for name, scales in (("double", judge.DOUBLE), ("single", judge.SINGLE)):
        known[f"first_{name}"] = " and ".join(f"{step:.0e}" for step in scales.first)
        known[f"ladder_{name}"] = f"{scales.ladder.max():.0e} to {scales.ladder.min():.0e}"
        for bound in ("tight", "meaningful", "small"):
            known[f"{bound}_{name}"] = f"{getattr(scales, bound):.0e}"
    return known


def rules_of_the_judge() -> str:
    """Return what the judge's docstring says, in Markdown, without its title and its reference."""
    said = judge.__doc__.split("\n\n", 1)[1].split("\n\nReferences")[0]
    source = judge.__doc__.split("----------\n")[1].strip().replace("\n", " ")
    return f"{said}\n\nSource: {source}"


def order() -> str:
    """Return the table of a tensor's marks, the one that decides first."""
    rows = sorted(MARKS, key=lambda mark: sum(decides(other, mark) for other in MARKS))
    told = [(MARKS[mark], judged(mark, judge.OK)) for mark in rows]
    told.append(("are exactly 0 on both sides, all of them", judged(judge.ZERO, judge.ZERO)))
    told.append(("agree", judged(judge.OK, judge.OK)))
    cells = "\n".join(f"| {what} | *{j.verdict}* | {j.advice} |" for what, j in told)
    some = re.sub(r"tolerance=[^ ;]+", "`tolerance=…`", cells)  # of the entry that was made up here
    return f"| entries that | make it | and the report advises |\n| --- | --- | --- |\n{some}"


def decides(mark: str, other: str) -> bool:
    """Tell whether of two entries with these marks the first decides."""
    return mark != other and judged(mark, other).advice == judged(mark, judge.OK).advice


def judged(*marks: str) -> verdict.Judgement:
    """Return what is said of a tensor whose entries have these marks."""
    one = np.ones(len(marks))
    found = judge.Finding(np.array(marks, "<U11"), one, 0.1 * one, one, one, 0.1 * one)
    return verdict.judgement_on(1.01 * one, found, one.shape, verdict.Setting())


def bands() -> str:
    """Return the rows of the customary bands."""
    rows, before = [], 0.0
    for end, name in BANDS:
        span = f"{before:.0e} to {end:.0e}" if np.isfinite(end) else f"above {before:.0e}"
        rows.append(f"| {span if before else f'below {end:.0e}'} | {name} |")
        before = end
    return "\n".join(rows)

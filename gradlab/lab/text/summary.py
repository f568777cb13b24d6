"""The lab as plain text: what `repr` shows and nbval compares, the same on every machine."""

from __future__ import annotations

import math
import re
import textwrap

from gradlab.checking import Report
from gradlab.lab.model import budget
from gradlab.lab.model.function import SAMPLES
from gradlab.lab.model.result import Result
from gradlab.lab.model.settings import DIRECTION, MYSTERY, NO_BUG, YOURS, Settings
from gradlab.lab.text.banner import FAR
from gradlab.nn.mlp import MLP

__all__ = ["summary", "wrapped"]

#: Ng's bands for the norm ratio: great, look again, worry, and beyond.
_NORM_EDGES = (1e-7, 1e-5, 1e-3, math.inf)
#: Characters a line: JupyterLab breaks what is longer in the middle of a word.
_WIDTH = 92


def summary(settings: Settings, result: Result | None, error: str) -> str:
    """Return settings, verdict and orders of magnitude as plain text, the same on every machine.

    Round-off differs between machines, and a largest entry jumps with it. So each tensor is told
    by its verdict and by the decade bands of its norm ratio, which average over entries; a power of
    ten of the error stands only where truncation rules: there it is a fact about the function.
    """
    # after an error the result is of other settings: it tells only what the caller brought
    shown = None if error and result and isinstance(result.net, MLP) else result
    network, check = _network_line(settings, shown), _check_line(settings, shown, error)
    lines = [f"  {network}", f"  {check}"]
    if result is not None and not error:
        lines += f"  verdict: {_verdicts(result)}".split("\n")
        lines += [f"  remark: {remark}" for remark in result.report.remarks]
        lines += _numbers(result)
    said = [f"  error: {error}"] if error else []
    return "\n".join(["gradlab lab", *map(wrapped, lines), *said])


def wrapped(line: str) -> str:
    """Return a line that is not too long, or several, broken after commas and the like."""
    indent = len(line) - len(line.lstrip())
    parts = re.sub(r"(?<![,;.:]) ", "\0", line.lstrip())  # what stays on one line
    broken = textwrap.wrap(
        parts,
        _WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(broken).replace("\0", " ")


def _network_line(s: Settings, result: Result | None) -> str:
    if result and result.net is None:
        function = result.problem.function
        return f"function: {function.name}, {function.theta.size} parameters"
    where = "your data" if s.data == YOURS else s.data
    n = budget.count(result.net, result.x) if result else 0
    count = f", {n} example{'s' * (n > 1)}" if n else ""
    more = _unusual(s) + (f", {_count(s.train_steps, 'training step')}" if s.train_steps else "")
    if result and not isinstance(result.net, MLP):
        return f"network: {result.net}, {where}{count}, weights times {s.weight_scale:.2g}{more}"
    more = (", float32" if s.dtype == "float32" else "") + more
    sizes = result.net.sizes if result else s.hidden
    shape = "-".join(str(n) for n in sizes)
    return (
        f"network: {shape} {s.activation}, {s.loss}, {where}{count}, seed {s.seed}, "
        f"weight scale {s.weight_scale:.2g}{more}"
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _unusual(s: Settings) -> str:
    """Return what is told only where somebody has moved it."""
    told = [f", first {_count(s.time_steps, 'time step')}"] if s.time_steps else []
    told += [f", x times {s.data_scale:.2g}"] if s.data_scale != 1 else []
    told += [f", bias scale {s.bias_scale:.2g}"] if s.bias_scale else []
    return "".join(told)


def _check_line(s: Settings, result: Result | None, error: str) -> str:
    if result and result.net is None:
        return f"check: eps {s.eps:.2g}, {s.scheme}, {s.measure}{_part(s, result)}"
    dropout, l2 = "off", "off"
    if s.use_dropout:
        dropout = f"{s.dropout_rate:g}, masks {'frozen' if s.freeze_masks else 'redrawn'}"
    if s.use_l2:
        where = {
            (True, True): "both",
            (True, False): "the loss alone",
            (False, True): "the gradient alone",
            (False, False): "neither",
        }
        l2 = f"{s.l2:.2g} in {where[s.l2_in_loss, s.l2_in_gradient]}"
    bug = "" if s.bug == NO_BUG else f"; bug {s.bug}"
    if bug and s.bug != MYSTERY and s.bug_layer:
        # what could not be computed is nowhere: the layer may be one that cannot have the bug
        bug += f"{', asked for' if error else ''} at layer {s.bug_layer}"
    if bug and s.bug != MYSTERY and s.second_bug != NO_BUG:
        bug += f" and {s.second_bug}"
    if bug and result and result.dormant:
        bug += f" (which cannot show: {result.dormant})"
    part = _part(s, result)
    return f"check: eps {s.eps:.2g}, {s.scheme}, {s.measure}; dropout {dropout}; L2 {l2}{bug}{part}"


def _part(s: Settings, result: Result | None) -> str:
    """Return how much of it is checked, where that is not all."""
    if s.method == DIRECTION:
        return f"; {SAMPLES} random directions"
    samples = result and result.problem.samples
    return f"; up to {samples} entries of each tensor" if samples else ""


def _verdicts(result: Result) -> str:
    report = result.report
    groups = {}
    for name in report:
        groups.setdefault(str(report[name].verdict), []).append(name)
    if len(groups) == 1:
        return _caveats(report) or f"{report.verdict}, every tensor"
    told = "; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in groups.items())
    return f"{report.verdict} ({told})"


def _caveats(report: Report) -> str:
    """Return what a verdict of "correct" leaves open, without what round-off can change."""
    if not report.caveats:
        return ""
    told = [caveat for caveat in report.caveats if not caveat.endswith("too small to tell from 0")]
    if len(told) < len(report.caveats):
        told.append("some entries are too small to tell from 0")
    separator = ";\n    "
    return f"{report.verdict} here, and {separator.join(told)}"


def _numbers(result: Result) -> list[str]:
    report, parts, low = result.report, [], None
    undefined = [name for name in report if math.isnan(report[name].norm_ratio)]
    for edge in _NORM_EDGES:
        names = [n for n in report if _between(report[n].norm_ratio, low, edge)]
        if names:
            interval = f"up to {edge:.0e}" if edge < math.inf else f"above {low:.0e}"
            parts.append(f"{interval} in {', '.join(names)}")
        low = edge
    if undefined:
        parts.append(f"not defined in {', '.join(undefined)}")
    lines = ["  norm ratio: " + "; ".join(parts)]
    truncation_rules = result.settings.eps >= result.sweep.predicted_best_eps * FAR
    error = report.relative_error
    if truncation_rules and 0 < error < math.inf:
        lines.append(f"  worst relative error: about 1e{round(math.log10(error)):+03d}")
    return lines


def _between(value: float, low: float | None, edge: float) -> bool:
    return (low is None or value > low) and value <= edge

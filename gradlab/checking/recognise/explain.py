"""Check a gradient of somebody's own code, and name its wrong line."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from gradlab._validate import check_integer
from gradlab.bugs.lines import Cause
from gradlab.bugs.lines import explain as explain_lines
from gradlab.checking.blocks import Block, Words
from gradlab.checking.check_function import check_function
from gradlab.checking.diagnosis import Diagnosis, Facts
from gradlab.checking.diagnosis.causes import of_line
from gradlab.checking.own_code import OwnCode, check_examples
from gradlab.checking.page import as_html, as_text, causes_told, head_of
from gradlab.checking.recognise.network import Match, recognise
from gradlab.checking.report import Report
from gradlab.nn.network import Network, Point


@dataclass(frozen=True, eq=False)
class Explanation:
    """What was found out about somebody's own gradient.

    Attributes
    ----------
    report : Report
        Of `gl.check_function`: the verdict and its numbers.
    network : str or None
        The loss that was recognised; None if none was, or none was looked for.
    causes : list of Diagnosis
        Empty unless the gradient is wrong. Those with a `wrong_line` come from the network.
    remarks : tuple of str
        How the lines are to be read, or why there are none.
    """

    report: Report
    network: str | None
    causes: list[Diagnosis]
    remarks: tuple[str, ...]

    def _parts(self) -> list[list[Block]]:
        found = [] if self.network is None else [f"Your loss is {self.network}."]
        notes = [*found, *self.remarks, *(f"Remark: {told}" for told in self.report.remarks)]
        causes = causes_told(self.causes, "found.causes")
        return [head_of(self.report), causes, [Words(note) for note in notes]]

    def __str__(self) -> str:
        return as_text(self._parts())

    def __repr__(self) -> str:
        return f"Explanation({self.report.verdict}, wrong: {self.report.wrong})"

    def _repr_html_(self) -> str:
        return as_html(self._parts())


def explain(
    loss: Callable[..., float],
    arrays: Mapping[str, np.ndarray],
    grads: Mapping[str, np.ndarray] | Callable[..., Mapping[str, np.ndarray]],
    x: np.ndarray | None = None,
    y: np.ndarray | None = None,
    like: Network | None = None,
    *,
    samples: int | None = None,
) -> Explanation:
    """Check the gradient of your own numpy network, and name the line that makes it wrong.

    The verdict needs `loss`, `arrays` and `grads` alone. With the data too, a wrong gradient is
    compared with networks of gradlab: where one has your loss to the last digits at six points,
    its backward pass is searched for the edited line that gives your gradient. Dense layers, with
    batch norm or without, LSTMs and convolutions with pools are known, with any of gradlab's
    losses, summed or averaged, and L2; weights may be (D_in, D_out) or transposed, examples rows
    or columns, labels numbers or one-hot.

    Parameters
    ----------
    loss : callable
        Without an argument: it reads `arrays` where they lie. They are shifted in place, and are
        put back bit by bit whatever happens. Or with one: a dict of copies.
    arrays : dict of str to ndarray, float64 or float32
        The parameters, under your names.
    grads : dict of str to ndarray, or callable
        With the same keys and shapes; or what returns such a dict, called as `loss` is.
    x, y : ndarray or None, optional
        What your loss compares; left out, no network is looked for.
    like : Network or None, optional
        The network to compare with, its parameters matched by name, else by order; nothing is
        searched for then.
    samples : int, > 0, or None, optional
        How many entries of each array to check, drawn at random; None is all of them. Each takes
        four evaluations of the loss and more.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError, TypeError
        An argument has the wrong type or shape; the message says which.

    Examples
    --------
    >>> import numpy as np
    >>> import gradlab as gl
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.standard_normal((6, 3)), rng.standard_normal((6, 2))
    >>> p = {"A": rng.standard_normal((3, 4)), "B": rng.standard_normal((4, 2))}
    >>> def loss():
    ...     return 0.5 * np.sum((np.tanh(x @ p["A"]) @ p["B"] - y) ** 2)
    >>> def grads():
    ...     h = np.tanh(x @ p["A"])
    ...     d = h @ p["B"] - y
    ...     return {"A": x.T @ (d @ p["B"].T * (1 - h)), "B": h.T @ d}
    >>> found = gl.explain(loss, p, grads, x, y)
    >>> found.report.wrong
    ['A']
    >>> print(found.causes[0].wrong_line, "  must be  ", found.causes[0].right_line)
    dz1 = da1 * (1 - a1)   must be   dz1 = da1 * (1 - a1 ** 2)
    """
    own = OwnCode(loss, arrays, grads)
    x, y = (v if v is None else check_examples(v, name) for v, name in ((x, "x"), (y, "y")))
    if like is not None and not isinstance(like, Network):
        raise TypeError(f"like must be a network of gradlab's, got {type(like).__name__}")
    if (x is None) != (y is None) or (like is not None and x is None):
        raise ValueError("x and y must be given both, and with like; got only a part")
    chosen = (
        {}
        if samples is None
        else {"method": "sampled", "samples": check_integer(samples, "samples", 1)}
    )
    with own:
        own.check()
        report = check_function(own, own.gradient, own.theta, tensors=own.layout, **chosen)
        if not report.wrong:
            return Explanation(report, None, [], ())
        patterns = report.diagnosis
        match = None if x is None else recognise(own, x, y, like)
    causes = [] if match is None else _causes(match, report, own.theta)
    facts = Facts.of(report)
    found = [told(cause, match, facts) for cause in causes]
    remarks = _remarks(match, causes, x is not None, like)
    if any(not np.allclose(own.answers[0], other, rtol=1e-3) for other in own.answers[1:2]):
        found = patterns + found  # it adds to what the call before left: no line can know of that
    elif not any(cause.certain for cause in found):
        found = sorted(
            found + [p for p in patterns if p.score or not found], key=lambda d: -d.score
        )
    return Explanation(report, match and str(match), found, remarks)


def _remarks(
    match: Match | None, causes: list[Cause], has_data: bool, like: Network | None
) -> tuple[str, ...]:
    if not has_data:
        return ("With x and y, the line could be looked for in a network that has your loss.",)
    if match is None and like is not None:
        return (f"{like!r} has another loss than your code on x and y: no line can be named.",)
    if match is None:
        return (
            "No network of gradlab's was recognised in your loss, so these are patterns in the "
            "numbers alone. If there is one, like= can name it.",
        )
    if not causes:
        return ("No single edit of its backward pass gives your gradient.",)
    said = (
        "Your arrays have your names, what stands between (z1, a1, dz1, …) has ours: N examples "
        "are the rows of x, z1 is layer 1 before its activation, a1 after it."
    )
    if match.fit.over_all:
        said += " What L2 adds to other arrays than weights, lam * b, was taken off first."
    factor = match.fit.called
    if factor and any(c.after and not _has_no_units("after", c.after.code) for c in causes):
        said += f" g is your gradient over ({factor})."
    return (said,)


def _causes(match: Match, report: Report, theta: np.ndarray) -> list[Cause]:
    """Return the edits of the recognised network's backward pass that give this gradient."""
    facts, fit, net = Facts.of(report), match.fit, match.net
    places = match.layout.places(net)
    is_checked = np.concatenate([_mask(report[name]) for name in report] + [[False]])
    entries = {name: np.flatnonzero(is_checked[where]) for name, where in places.items()}
    is_whole = all(len(entries[name]) == where.size for name, where in places.items())

    def split(values: Mapping[str, np.ndarray], scale: float) -> dict[str, np.ndarray]:
        longer = np.zeros(len(theta) + 1)
        longer[is_checked] = np.concatenate([*values.values()]) / scale
        return {name: longer[where].ravel()[entries[name]] for name, where in places.items()}

    analytic, numerical = (split(v, fit.scale) for v in (facts.analytic, facts.numerical))
    bounds = split(facts.bounds, abs(fit.scale))
    for name in places:
        if fit.over_all and name not in net.weight_names:  # ours has L2 on weights alone
            for values in (analytic, numerical):
                values[name] -= net.l2 * net.params[name].ravel()[entries[name]]
        if not match.is_exact:  # so far our gradient may be another one
            bounds[name] += 100 * fit.left * np.abs(numerical[name]).max(initial=0)
    if theta.dtype == np.float32:
        analytic = {name: value.astype(np.float32) for name, value in analytic.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a bias that is not there, no entry can be averaged
        return explain_lines(
            Point(net, match.x, match.y), analytic, numerical, bounds, None if is_whole else entries
        )


def _mask(tensor: object) -> np.ndarray:
    """Return which entries of a raveled tensor were checked."""
    mask = np.full(int(np.prod(tensor.shape)), tensor.entries is None)
    if tensor.entries is not None:
        mask[tensor.entries] = True
    return mask


# -- in the caller's names -----------------------------------------------------------------------


def told(cause: Cause, match: Match, facts: Facts) -> Diagnosis:
    """Return a cause in the names of somebody's arrays, and in the units of their loss."""
    parts, factor = match.layout.parts, match.fit.called
    ours = "|".join(map(re.escape, match.net.params))
    name = re.compile(rf"(?<![\w.])(data_d|d|)({ours})(?!\w)")

    def renamed(text: str) -> str:
        text = name.sub(lambda m: m[1] + (parts[m[2]].text if m[2] in parts else m[2]), text)
        return text.replace(".T.T", "")

    wrong, right = _in_their_units(cause, factor)
    alike = [renamed(a) for a in cause.alike if not factor or _has_no_units(*a.split(": ", 1))]
    certain = cause.certain and match.is_exact
    tensors, left_open = (
        tuple(k for k in facts.shapes if k in {parts[t].array for t in some if t in parts})
        for some in (cause.tensors, cause.left_open)
    )
    shown = replace(
        cause,
        wrong_line=renamed(wrong),
        right_line=renamed(right),
        certain=certain,
        tensors=tensors,
        left_open=left_open,
        alike=tuple(alike),
    )
    return of_line(shown, facts)


def _has_no_units(where: str, line: str) -> bool:
    """Tell whether a line is the same for a loss that is a multiple of ours.

    Those below the loss are proportional to what comes from above, and lam is that of the caller's
    own loss.
    """
    if where.startswith("loss"):
        return False
    if where.endswith("L2") or where.startswith("after"):
        is_left_out = re.fullmatch(r"\w+ = data_d\w+", line) is not None
        return is_left_out or line.count("lam") == 1 or line.endswith("* g")
    return True


def _in_their_units(cause: Cause, factor: str) -> tuple[str, str]:
    """Return the wrong line and the right one, where the loss is `factor` times ours."""
    places, wrongs, rights = (
        text.split("; ") for text in (cause.where, cause.wrong_line, cause.right_line)
    )
    if not factor or len(places) != len(wrongs) or not cause.right_line:
        return cause.wrong_line, cause.right_line
    for k, (where, right) in enumerate(zip(places, rights, strict=False)):
        if where.startswith("loss") and re.search(r"\by\b", right):  # where the target enters
            wrongs[k], rights[k] = _times(factor, wrongs[k]), _times(factor, right)
        elif where.endswith("L2") and not _has_no_units(where, wrongs[k]):
            line = re.sub(r"\b(data_d\w+|lam)\b", rf"(\1 / ({factor}))", wrongs[k])
            wrongs[k] = _times(factor, line)
    return "; ".join(wrongs), "; ".join(rights)


def _times(factor: str, line: str) -> str:
    """Return "left = factor * right", without what cancels."""
    left, _, right = line.partition(" = ")
    op = getattr(ast.parse(right, mode="eval").body, "op", None)
    text = f"{factor} * " + (f"({right})" if isinstance(op, (ast.Add, ast.Sub)) else right)
    for long, short in (
        ("0.5 * N * 2 *", "N *"),
        ("0.5 * 2 * ", ""),
        ("N * 1 / N * ", ""),
        ("1 / N * N * ", ""),
        ("1 / K * K * ", ""),
    ):
        text = short + text.removeprefix(long) if text.startswith(long) else text
    text = re.sub(r"^N \* (.*) / N$", r"\1", text)
    return f"{left} = {ast.unparse(ast.parse(text, mode='eval'))}"

"""The right backward pass of another problem: other dropout masks, sequences the other way round.

What is checked and what is differentiated are not the same then, which no line of the backward
pass shows. Masks that only the backward pass has drawn anew can be solved for: each entry of the
gradient behind them is 0 or one number times what came down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product

import numpy as np

from gradlab.bugs.lines.cause import Cause, Edit, Taken, cause_of
from gradlab.bugs.lines.line import Line
from gradlab.bugs.lines.program import Program
from gradlab.bugs.lines.wrong_gradient import WrongGradient

UNKNOWN = 12  # that many entries of one column are found by trying all of their values


def _masks(wrong: str, change: Callable[[list[np.ndarray], float], list[np.ndarray]]) -> Taken:
    call = "gradient(x, y, {})"
    return Taken(
        "dropout, forward and backward",
        call.format(wrong),
        call.format("masks"),
        lambda x, y, masks, keep: (x, y, change(masks, keep)),
    )


OTHER_MASKS = (
    _masks("no masks", lambda masks, keep: None),
    _masks("masks > 0", lambda masks, keep: [m > 0 for m in masks]),
    _masks("masks / keep", lambda masks, keep: [m / keep for m in masks]),
    _masks("masks == 0", lambda masks, keep: [(m == 0) / keep for m in masks]),
    _masks("masks[::-1]", lambda masks, keep: masks[::-1]),
    _masks("masks[0] everywhere", lambda masks, keep: [masks[0]] * len(masks)),
    _masks("each mask's first row for all", lambda masks, keep: [0 * m + m[0] for m in masks]),
)
OTHER_TIME = (
    Taken(
        "time",
        "gradient(x[::-1], y)",
        "gradient(x, y)",
        lambda x, y, masks, keep: (x[::-1], y, masks),
    ),
    Taken(
        "time",
        "gradient(x[::-1], y[::-1])",
        "gradient(x, y)",
        lambda x, y, masks, keep: (x[::-1], y[::-1], masks),
    ),
)


def others(program: Program, target: WrongGradient) -> list[Cause]:
    """Return the causes that lie in what was differentiated, and not in how."""
    return [cause_of((), taken=one) for one in _taken(program, target)]


def redrawn(program: Program, target: WrongGradient) -> list[Cause]:
    """Return the one cause that other masks on the way back are, if they can be solved for."""
    edits = [
        Edit(line.index, line.where, line.text, text, 3)
        for line, text in _other_masks(program, target).items()
    ]
    return [cause_of(tuple(edits))] if edits else []


def _taken(program: Program, target: WrongGradient) -> Iterator[Taken]:
    """Yield what else the right backward pass gives this gradient of."""
    masks, candidates = program.point.masks, []
    if masks is not None and program.net.dropout_rate:
        shapes = {np.shape(m) for m in masks}
        candidates += [t for t in OTHER_MASKS if len(shapes) == 1 or "masks[" not in t.text]
    if program.net.batch_axis:
        candidates += OTHER_TIME[: 1 + program.net.every_step]
    for one in candidates:
        if target.fit_all(one.program(program).gradient):
            yield one


# -- masks that backward has drawn anew -----------------------------------------------------------


def _other_masks(program: Program, target: WrongGradient) -> dict[Line, str]:
    """Return {line of a dropout: what it must be instead} where other masks give this gradient.

    Empty unless each entry of these masks is determined. What stands in the lines is put into the
    program's values.
    """
    changes: dict[Line, str] = {}
    by_place = {line.where: line for line in program.lines if line.where.endswith("dropout")}
    if target.entries is not None or any("batch norm" in line.where for line in program.lines):
        return {}
    for where, line in by_place.items():
        number = where.split(",")[0].removeprefix("layer ")
        ends = ("W" + number, "b" + number)
        W, b = (next(o for o in program.lines if o.target.endswith(end)) for end in ends)
        if all(target.fits(*g) for g in _made(program, changes).items()):
            break
        mask = _solved(program, target, changes, line, W, b, program.values[f"m{number}"])
        if mask is None:
            return {}
        if np.array_equal(mask, program.values[f"m{number}"]):
            continue
        rows = "one_mask_for_all" if (mask == mask[0]).all() else "another_mask"
        program.values[rows + number] = mask
        changes[line] = f"{line.target} = {_signal(line)} * {rows}{number}"
    is_all = changes and all(target.fits(*g) for g in _made(program, changes).items())
    return changes if is_all else {}


def _signal(line: Line) -> str:
    return next(name for name, role in line.roles.items() if role == "{dy}")


def _made(program: Program, changes: Mapping[Line, str]) -> dict[str, np.ndarray]:
    edits = {line.index: text for line, text in changes.items()}
    made = dict(tensor for layer in program.run(edits) for tensor in layer) if edits else {}
    return {**program.gradient, **made}


def _solved(
    program: Program,
    target: WrongGradient,
    changes: Mapping[Line, str],
    line: Line,
    W: Line,
    b: Line,
    known: np.ndarray,
) -> np.ndarray | None:
    """Return the mask in a dropout's line that gives the layer's own gradients, if only one does.

    W's gradient is x.T @ (m * signal), b's the sum: linear in m, column by column. Where no signal
    comes down the mask makes no difference, and is the `known` one.
    """
    names = {role: name for name, role in W.roles.items()}
    weight, bias = (program.grads[f"d{names[role]}"] for role in ("{W}", "{b}"))
    x, keep = program.values[names["{x}"]], program.values["keep"]
    bare = {**changes, line: f"{line.target} = {_signal(line)}"}
    signal = np.array(
        [  # one example after the other, seen through the bias
            _made(program, {**bare, b: f"{b.target} = {names['{dy}']}[{n}]"})[bias]
            for n in range(len(x))
        ]
    )
    shape = program.values[weight].shape
    data = target.value[weight].reshape(shape) - program.values["lam"] * program.values[weight]
    rows, right = np.vstack([x.T, np.ones(len(x))]), np.vstack([data, target.value[bias]])
    limit = 1e2 * target.exact * np.linalg.norm(right)
    for scale in (1 / keep, 1.0):
        columns = [
            _column(rows * s, r, scale, limit) for s, r in zip(signal.T, right.T, strict=True)
        ]
        if all(column is not None for column in columns):
            return np.where(signal == 0, known, np.array(columns).T)
    return None


def _column(A: np.ndarray, b: np.ndarray, scale: float, limit: float) -> np.ndarray | None:
    """Return the one m of 0 and `scale` with A m = b; None if there is none, or more than one."""
    live = A.any(axis=0)
    A, m = scale * A[:, live], np.zeros(len(live))
    if np.linalg.matrix_rank(A) == A.shape[1]:
        found = np.round(np.linalg.lstsq(A, b, rcond=None)[0])[None]
    elif A.shape[1] <= UNKNOWN:
        found = np.array(list(product((0.0, 1.0), repeat=A.shape[1])))
    else:
        return None
    found = found[np.linalg.norm(found @ A.T - b, axis=1) <= limit]
    if len(found) != 1 or not np.isin(found, (0, 1)).all():
        return None
    m[live] = scale * found[0]
    return m

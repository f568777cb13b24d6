"""Inside an LSTM: at which time step its signal goes wrong, and what that proves about its lines.

The time steps are walked from the last one back, as the signal goes. h and c of a step are made
first, then x of that step and h of the one before from the same gates' dz. So the first that is
wrong is made wrongly: all that goes into it is right. Names count the steps from 1: h4 stands for
dL/dh of step 4, the whole of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradlab.checking.check_function import check_function
from gradlab.checking.report import TensorReport
from gradlab.checking.verdict import SIGNS, Verdict
from gradlab.nn.lstm import GATES, LSTMNet, Step, gates_back
from gradlab.nn.parameters import Tensors, lay_out, roll, unroll

#: Of a time step, in the order in which the walk meets them.
PARTS = "hcx"
Steps = dict[int, dict[str, TensorReport]]
SAME = 1e-3  # an error is explained to this share of its length; that of float32's differences
OTHER = 0.03  # and by nothing else that leaves less than this share

NAMES = {"i": "input", "f": "forget", "g": "candidate", "o": "output"}
LINES_OF_GATE = {
    "i": "di = dc * g[t], dz_i = di * i[t] * (1 - i[t])",
    "f": "df = dc * c[t - 1], dz_f = df * f[t] * (1 - f[t])",
    "g": "dg = dc * i[t], dz_g = dg * (1 - g[t]**2)",
    "o": "do = dh * tanh(c[t]), dz_o = do * o[t] * (1 - o[t])",
}
LINE_OF_C = "dc = dc_next + dh * o[t] * (1 - tanh(c[t])**2)"


def state_names(steps: int) -> list[str]:
    """Return "h1" to "hT" and "c1" to "cT"."""
    return [f"{part}{t}" for part in "hc" for t in range(1, steps + 1)]


def table(steps: Steps) -> list[str]:
    """Return the lines of a table by time step, the last one first."""
    parts = [part for part in PARTS if part in next(iter(steps.values()))]
    rows = [f"  {'time step':>9}  " + "".join(f"{'dL/d' + part:12}" for part in parts).rstrip()]
    for t, row in steps.items():
        cells = (f"{SIGNS[row[part].verdict]} {row[part].norm_ratio:.1e}" for part in parts)
        rows.append(f"  {t:9}  " + "".join(f"{cell:12}" for cell in cells).rstrip())
    return rows


def loss_of_steps(
    net: LSTMNet, x: np.ndarray, y: np.ndarray, parts: str = PARTS
) -> tuple[Callable[[np.ndarray], float], np.ndarray, Tensors]:
    """Return the data's loss as a function of the states and inputs at all time steps.

    A state that is moved is moved for all that comes after it: what follows is computed from it.

    Parameters
    ----------
    net, x, y
        As for `net.loss`.
    parts : str, optional
        Which of "h", "c" and "x".

    Returns
    -------
    f : callable, (P,) -> float
    theta : ndarray, shape (P,)
        What stands there: "h1" (N, H), …, "c1", …, "x1" (N, D), …, one after the other.
    tensors : dict of str to (start, stop, shape)
        Where in theta.
    """
    a, target = net.prepare(x, y)
    layer, *rest = net.layers
    n = a.shape[-2]
    before = list(layer.steps(net.params, a))
    values = {"h": [step.h for step in before], "c": [step.c for step in before], "x": a}
    arrays = {
        f"{part}{t}": value[..., 0].T for part in parts for t, value in enumerate(values[part], 1)
    }
    tensors = lay_out(arrays)
    theta = unroll(arrays, tensors)

    def f(moved: np.ndarray) -> float:
        shift = roll(moved - theta, tensors)

        def put(part: str, t: int, value: np.ndarray) -> np.ndarray:
            name = f"{part}{t + 1}"
            return value + shift[name].T[..., None] if name in shift else value

        out = layer.forward(
            net.params, np.stack([put("x", t, v) for t, v in enumerate(a)]), put=put
        )
        for other in rest:
            out = other.forward(net.params, out)
        return float(net.loss_rule.per_example(out, target)[:, 0].sum() / n)

    return f, theta, tensors


@dataclass(frozen=True, eq=False)
class TimeSteps:
    """The time steps of an LSTM that stands right above the input.

    Attributes
    ----------
    net : LSTMNet
    x, y : ndarray
    given : mapping of str to ndarray
        What is judged: gradients at "input" and at the cut above the LSTM; "h1" to "cT", or not.
    samples, seed : int
        As for `bisect`, of each tensor.
    """

    net: LSTMNet
    x: np.ndarray
    y: np.ndarray
    given: Mapping[str, np.ndarray]
    samples: int
    seed: int

    @cached_property
    def has_states(self) -> bool:
        """Whether there are gradients at the states, and not at the inputs alone."""
        return "h1" in self.given

    @cached_property
    def gradients(self) -> dict[str, np.ndarray]:
        """What is judged, by its name: "h1" (N, H), …, "x1" (N, D), …."""
        states = state_names(len(self.x)) if self.has_states else ()
        inputs = {f"x{t}": value for t, value in enumerate(self.given["input"], 1)}
        return {name: self.given[name] for name in states} | inputs

    @cached_property
    def steps(self) -> Steps:
        """The checks, {time step: {"h": …, "c": …, "x": …}}, the last step first."""
        parts = PARTS if self.has_states else "x"
        f, theta, tensors = loss_of_steps(self.net, self.x, self.y, parts)
        gradient = unroll({name: self.gradients[name] for name in tensors}, tensors)
        largest = max(stop - start for start, stop, _ in tensors.values())
        report = check_function(
            f,
            lambda _: gradient,
            theta,
            tensors=tensors,
            method="full" if largest <= self.samples else "sampled",
            samples=self.samples,
            seed=self.seed,
        )
        back = range(len(self.x), 0, -1)
        return {t: {part: report[f"{part}{t}"] for part in parts} for t in back}

    @property
    def why(self) -> str:
        """What the numbers prove, in a few sentences."""
        order = [(part, t) for t, row in self.steps.items() for part in row]
        verdicts = [self.steps[t][part].verdict for part, t in order]
        if Verdict.WRONG not in verdicts:
            open_ = [f"{p}{t}" for p, t in order if self.steps[t][p].verdict != Verdict.CORRECT]
            if open_:
                return f"No time step is wrong, but {', '.join(open_)} could not be judged."
            return "Every time step's signal is right."
        first = verdicts.index(Verdict.WRONG)
        part, t = order[first]
        unsure = [
            f"{p}{k}" for p, k in order[:first] if self.steps[k][p].verdict != Verdict.CORRECT
        ]
        if unsure:
            return (
                f"{part}{t} is the first that is wrong, from the last time step back; but "
                f"{', '.join(unsure)} could not be judged, so this does not tell which line is."
            )
        if not self.has_states:
            return self._from_inputs(t)
        return {"h": self._on_h, "c": self._on_c, "x": self._on_x}[part](t)

    # -- what the first that is wrong proves ----------------------------------------------------

    def _from_inputs(self, t: int) -> str:
        last = len(self.x)
        if t == last:
            return (
                f"x{t} is wrong, at the last time step already, to which no step hands anything "
                "back: a line that works within a step is wrong, such as a gate's formula."
            )
        ends = f" or what comes in from the output at step {t}" if self.net.every_step else ""
        return (
            f"{_are(f'x{k}' for k in range(last, t, -1))} right, x{t} is wrong: what step {t + 1} "
            f"hands on (dh_next, dc_next){ends} is wrong, if no line takes another step's value by "
            "mistake: those that work within a step were right after it."
        )

    def _on_h(self, t: int) -> str:
        if t == len(self.x):
            return (
                f"h{t} is wrong, at the last time step: what comes from above, where it is right, "
                "gets there wrongly, or not alone (dh = dH[t] + dh_next, where dh_next must be 0)."
            )
        return (
            f"h{t + 1}, c{t + 1} and x{t + 1} are right, h{t} is wrong. x{t + 1} is made from the "
            f"dz of step {t + 1}'s gates, so these are right; wrong is how they get to h{t}: "
            "dh_next, the sum of dz_q @ Wh_q.T over the gates, in dh = dH[t] + dh_next."
            f"{self._missing_in_h(t)}{self._right_later('h', t)}"
        )

    def _missing_in_h(self, t: int) -> str:
        found, error = self.steps[t]["h"], self._error("h", t)
        own = self._at(found, self._own_part(t))
        if not found.analytic.any():
            return " It is 0: nothing gets there."
        if _same(found.analytic.ravel(), own):
            return " It is the output's part alone: nothing that is handed on gets there."
        if _same(error, -own):
            return " What is missing is exactly the output's part."
        missing = [
            q for q, part in self._handed_on(t + 1).items() if _same(error, -self._at(found, part))
        ]
        return (
            f" What is missing is exactly the {NAMES[missing[0]]} gate's part." if missing else ""
        )

    def _on_c(self, t: int) -> str:
        if t == len(self.x):
            return (
                f"h{t} is right and c{t}, which is made from it, is wrong: {LINE_OF_C}, where "
                "dc_next must be 0 at the last time step."
            )
        return (
            f"c{t + 1} and h{t} are right and c{t}, which is made from them, is wrong: "
            f"{LINE_OF_C}, with dc_next = dc * f[t] of step {t + 1}."
            f"{self._missing_in_c(t)}{self._right_later('c', t)}"
        )

    def _missing_in_c(self, t: int) -> str:
        found, error = self.steps[t]["c"], self._error("c", t)
        if not found.analytic.any():
            return " It is 0: nothing gets there."
        above, forget = self.gradients[f"c{t + 1}"], self._forward[t].f[..., 0].T
        if _same(error, -self._at(found, above * forget)):
            return f" What is missing is exactly what step {t + 1} hands on: dc_next."
        if _same(error, self._at(found, above * (1 - forget))):
            return f" Step {t + 1} hands on its dc without the factor f[t]."
        if t == len(self.x) - 1:
            return (
                f" At c{t + 1}, with nothing handed on, that line is right: look at what step "
                f"{t + 1} hands on, or for an index."
            )
        return ""

    def _on_x(self, t: int) -> str:
        text = f"h{t} and c{t} are right, "
        before = self.steps[t - 1]["h"].verdict if t > 1 else None
        if before == Verdict.WRONG:
            text += (
                f"x{t} and h{t - 1} are wrong. Both are made from the dz of step {t}'s gates: "
                f"{self._gate(t)}."
            )
        elif before == Verdict.CORRECT:
            text += (
                f"x{t} is wrong and h{t - 1} is right. h{t - 1} is made from the dz of step {t}'s "
                f"gates, so these are right; wrong is the line dx[t] += dz_q @ Wx_q.T."
            )
        else:
            text += f"x{t} is wrong: a gate's formula is, or the line dx[t] += dz_q @ Wx_q.T."
        return text + self._right_later("x", t)

    def _right_later(self, part: str, t: int) -> str:
        """Say that the same lines were right at a later step, where there is one."""
        after = t + 1
        if after > len(self.x) - (part != "x"):  # h and c of the last step have no step after
            return ""
        return (
            f" The same lines are right at {part}{after}: look for what is different at step {t}, "
            "such as an index."
        )

    def _gate(self, t: int) -> str:
        """Say which gate's dz explains both the error of x at a step and that of h before."""
        sides = [self.steps[t]["x"], self.steps[t - 1]["h"]]
        if any(side.entries is not None for side in sides):
            return "a gate's formula is wrong, or both ways down are"
        error = np.concatenate([side.analytic - side.numerical for side in sides], axis=1).T
        left = {}
        for q in GATES:
            W = np.concatenate([self.net.params[f"Wx_{q}"], self.net.params[f"Wh_{q}"]])
            fitted = W @ np.linalg.lstsq(W, error, rcond=None)[0]
            left[q] = np.linalg.norm(error - fitted) / np.linalg.norm(error)
        q, *others = sorted(left, key=left.get)
        if left[q] > OTHER:
            return "more than one gate's formula is wrong, or both ways down are"
        if left[q] > SAME or min(left[other] for other in others) < OTHER:
            return "a gate's formula is wrong, or both ways down are"
        if _same(self._error("h", t - 1), -self._handed_on(t)[q].ravel()):
            return f"the {NAMES[q]} gate's part is missing in both"
        return (
            f"the {NAMES[q]} gate's formula is wrong, as no other gate's dz explains both errors "
            f"({LINES_OF_GATE[q]})"
        )

    # -- parts of the signal, to compare errors with --------------------------------------------

    @cached_property
    def _forward(self) -> list[Step]:
        a, _ = self.net.prepare(self.x, self.y)
        return list(self.net.layers[0].steps(self.net.params, a))

    def _error(self, part: str, t: int) -> np.ndarray:
        found = self.steps[t][part]
        return (found.analytic - found.numerical).ravel()

    def _at(self, found: TensorReport, whole: np.ndarray) -> np.ndarray:
        """Return the entries of a part that were looked at."""
        return whole.ravel() if found.entries is None else whole.ravel()[found.entries]

    def _own_part(self, t: int) -> np.ndarray:
        """Return what h gets from above the LSTM."""
        above = self.given[self.net.layers[0].name]
        if self.net.every_step:
            return above[t - 1]
        return above * (t == len(self.x))

    def _handed_on(self, t: int) -> dict[str, np.ndarray]:
        """Return what each gate of a step hands on to the h before it."""
        h, c = (self.gradients[f"{part}{t}"].T[..., None] for part in "hc")
        step, before = self._forward[t - 1], self._forward[t - 2].c
        dz = dict(zip(GATES, gates_back(step, before, h, c), strict=True))
        return {q: dz[q][..., 0].T @ self.net.params[f"Wh_{q}"].T for q in GATES}


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.linalg.norm(a - b) <= SAME * max(np.linalg.norm(a), np.linalg.norm(b)))


def _are(names: object) -> str:
    """Return "h4 is", "h4 and c4 are", "h4, c4 and x4 are"."""
    *others, last = names
    return f"{', '.join(others)} and {last} are" if others else f"{last} is"

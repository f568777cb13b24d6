"""Exercises and predictions of lesson 12, "What it costs"."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from gradlab.course.note import shown
from gradlab.course.prediction import Question
from gradlab.course.task import Task, wants_a_function

__all__ = ["QUESTIONS", "TASKS"]

Tensors = dict[str, np.ndarray]


def wrong_tensors(loss, params, grads, k) -> list:
    """Return the names of the tensors of which one of `k` entries, drawn at random, is wrong."""
    rng, eps, names = np.random.default_rng(), 1e-5, []
    for name, w in params.items():
        for i in rng.choice(w.size, min(k, w.size), replace=False):
            saved = w.flat[i]
            w.flat[i] = saved + eps
            loss_right = loss(params)
            w.flat[i] = saved - eps
            loss_left = loss(params)
            w.flat[i] = saved
            a, n = grads[name].flat[i], (loss_right - loss_left) / (2 * eps)
            if abs(a - n) > 1e-3 * max(abs(a), abs(n)):
                names.append(name)
                break
    return names


def is_wrong(loss, grad, theta) -> bool:
    """Say whether `grad` is wrong, by ten losses along five random directions."""
    rng, eps = np.random.default_rng(), 1e-5
    for _ in range(5):
        v = rng.standard_normal(theta.size)
        v /= np.linalg.norm(v)  # otherwise the step is as long as eps times the root of P
        a = grad @ v
        n = (loss(theta + eps * v) - loss(theta - eps * v)) / (2 * eps)
        if abs(a - n) > 1e-4 * max(abs(a), abs(n)):
            return True
    return False


# --- wrong_tensors -------------------------------------------------------------------------------

K = 12
_X = np.random.default_rng(7).normal(0, 1, (10, 8))
_Y = np.random.default_rng(8).integers(0, 3, 10)
_SHAPES = {"W1": (8, 12), "b1": (12,), "W2": (12, 3), "b2": (3,)}
_MOST = 2 * sum(min(K, int(np.prod(shape))) for shape in _SHAPES.values())


@dataclass(frozen=True)
class _Case:
    """What is planted in the gradients: a factor for some entries of some tensors."""

    what: str
    factors: Mapping[str, tuple[slice, float]]
    scale: float = 1.0


_CASES = (
    _Case("a right gradient", {}),
    _Case("a right gradient of a loss that is multiplied by 1e6", {}, 1e6),
    _Case("a right gradient of a loss that is multiplied by 1e-6", {}, 1e-6),
    _Case("one entry of b2 is twice too large", {"b2": (slice(1, 2), 2.0)}),
    _Case("72 of the 96 entries of W1 have a flipped sign", {"W1": (slice(12, 84), -1.0)}),
    _Case("all of b1 is 1 % too large", {"b1": (slice(None), 1.01)}),
    _Case("all of W2 is 1 % too small", {"W2": (slice(None), 0.99)}, 1e6),
    _Case("all of b1 and W2 is 0", {"b1": (slice(None), 0.0), "W2": (slice(None), 0.0)}),
)


def _tensors() -> Tensors:
    rng = np.random.default_rng(3)
    return {name: rng.normal(0, 0.5, shape) for name, shape in _SHAPES.items()}


def _forward(params: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return what the hidden layer gives out, and the probabilities of the classes."""
    o1 = np.tanh(_X @ params["W1"] + params["b1"])
    e = np.exp(o1 @ params["W2"] + params["b2"])
    return o1, e / e.sum(axis=1, keepdims=True)


def _loss(params: Mapping[str, np.ndarray]) -> float:
    return float(-np.log(_forward(params)[1][range(len(_Y)), _Y]).mean())


def _gradients(params: Tensors) -> Tensors:
    o1, p = _forward(params)
    dout = (p - np.eye(3)[_Y]) / len(_Y)
    dz1 = dout @ params["W2"].T * (1 - o1**2)
    return {"W1": _X.T @ dz1, "b1": dz1.sum(axis=0), "W2": o1.T @ dout, "b2": dout.sum(axis=0)}


class _Watched:
    """The loss of a case; remembers what was moved at every call."""

    def __init__(self, scale: float) -> None:
        self.own, self.scale = _tensors(), scale
        self.moves: list[Tensors] = []

    def __call__(self, params: Mapping[str, np.ndarray]) -> float:
        steps = {name: np.ravel(params[name] - w) for name, w in self.own.items()}
        # What is put back by a sum has drifted by a digit: that is told apart, and is no move.
        self.moves.append({name: np.where(abs(s) > 1e-14, s, 0) for name, s in steps.items()})
        if len(self.moves) > 2 * sum(w.size for w in self.own.values()) + 2:
            raise _TooManyError
        return self.scale * _loss(params)

    def looked_at(self, name: str) -> np.ndarray:
        """Return which entries of a tensor were moved, counted through its rows."""
        return np.flatnonzero(np.any([move[name] for move in self.moves], axis=0))


class _TooManyError(Exception):
    """More losses were taken than any answer needs."""


def find_sampling_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `wrong_tensors`."""
    if not callable(answer):
        return wants_a_function(answer, "wrong_tensors")
    for case in _CASES:
        loss, params = _Watched(case.scale), _tensors()
        grads = {name: case.scale * a for name, a in _gradients(params).items()}
        for name, (part, factor) in case.factors.items():
            grads[name].reshape(-1)[part] *= factor
        given = {name: a.copy() for name, a in grads.items()}
        try:
            names = answer(loss, params, grads, K)
        except _TooManyError:
            return f"More than {len(loss.moves) - 1} losses: all entries one by one take fewer."
        if (names is None or names is ...) and not loss.moves:
            return None
        mistake = _no_names(names) or _bad_moves(loss) or _changed(params, loss.own, "params")
        mistake = mistake or _changed(grads, given, "grads")
        mistake = mistake or _wrong_count(loss, {str(name) for name in names})
        mistake = mistake or _wrong_names({str(name) for name in names}, case, loss, grads)
        if mistake:
            return mistake
    return ""


def _no_names(names: object) -> str:
    if names is None or names is ...:
        return "It computes losses and returns nothing: return the names."
    if isinstance(names, str):
        return f"It returned {shown(names)}: a list of names is asked, also where it is only one."
    if not isinstance(names, (list, tuple, set, frozenset, dict, np.ndarray)):
        return f'It returned {shown(names)}; a list of names such as ["W1", "b2"] is asked.'
    if unknown := [name for name in names if not (isinstance(name, str) and name in _SHAPES)]:
        return f"In what it returned is {shown(unknown[0])}; the names are those of params."
    return ""


def _bad_moves(loss: _Watched) -> str:
    """Look at what was moved from call to call: one entry, or none, is as it should be."""
    for move in loss.moves:
        count = {name: np.count_nonzero(step) for name, step in move.items()}
        name = max(count, key=lambda name: count[name])
        if count[name] > 1 and count[name] == loss.own[name].size:
            return f"In one loss the whole of {name} was moved. Move one entry: w.flat[i], not w."
        if sum(count.values()) > 1:
            return (
                f"In one loss {sum(count.values())} entries were moved at once. Put an entry back "
                "before you move the next."
            )
    return ""


def _changed(now: Tensors, before: Tensors, which: str) -> str:
    for name, values in before.items():
        if not np.array_equal(now[name], values):
            near = np.allclose(now[name], values, rtol=0, atol=1e-12)
            drift = ": adding eps and subtracting it again drifts" if near else ""
            return f"{which}[{name!r}] comes back changed{drift}. Save an entry, and put that back."
    return ""


def _wrong_count(loss: _Watched, names: set[str]) -> str:
    if not loss.moves:
        return "It calls loss never. An entry takes two losses, at w[i] + eps and at w[i] - eps."
    for name, w in loss.own.items():
        count = len(loss.looked_at(name))
        if count == 0:
            return f"No entry of {name} was moved. Look at k entries of every tensor."
        if count > K:
            return f"You looked at {count} entries of {name}; k = {K} are asked."
        if count < min(K, w.size) and name not in names:  # whoever found one may stop
            asked = "it has no more than k: look at all" if w.size <= K else f"k = {K} are asked"
            return (
                f"You looked at {count} different entries of {name}, which has {w.size}; {asked}. "
                "Drawn with replacement, an entry can come twice."
            )
    if len(loss.moves) > _MOST + 2:
        return f"It took {len(loss.moves)} losses; two for each entry that is asked are {_MOST}."
    return ""


def _wrong_names(names: set[str], case: _Case, loss: _Watched, grads: Tensors) -> str:
    for name in _SHAPES:
        if name in case.factors and name not in names:
            return f"Missed: {case.what}. {_why_missed(name, loss, grads, case)}"
        if name in names and name not in case.factors:
            what = case.what if not case.factors else f"{name} is right where {case.what}"
            return f"Cries wolf: {name} is in your list. Tried was: {what}. {_why_wolf(loss, case)}"
    return ""


def _why_missed(name: str, loss: _Watched, grads: Tensors, case: _Case) -> str:
    part, _ = case.factors[name]
    wrong = set(np.arange(grads[name].size)[part])
    looked = loss.looked_at(name)
    met = sorted(wrong.intersection(looked))
    if not met:
        some = ", ".join(map(str, looked[:4]))
        return f"You looked at the right ones, {some}, … only. Draw them from the whole tensor."
    return (
        f"You looked at {len(met)} of the wrong entries and let them pass. Is the difference "
        "compared with the size of the entry, with abs() on both, and is the limit small enough?"
    )


def _why_wolf(loss: _Watched, case: _Case) -> str:
    steps = [np.max(np.abs(step)) for move in loss.moves for step in move.values()]
    if max(steps) > 2e-3:
        return f"Your step is {max(steps):.0e}: over so long a way the slope itself changes."
    if max(steps) < 5e-9:
        return f"Your step is {max(steps):.0e}: so short a difference is round-off."
    if case.scale != 1:
        return "The gradient is as much larger or smaller as the loss: the limit must be relative."
    return "Is each difference compared with the same entry of grads, and divided by the way?"


# --- is_wrong ------------------------------------------------------------------------------------

BUDGET = 40


@dataclass(frozen=True, eq=False)
class _Problem:
    """A loss of 2,410 parameters, and its right gradient."""

    what: str
    loss: Callable[[np.ndarray], float]
    grad: np.ndarray
    theta: np.ndarray


@cache
def _problems() -> tuple[_Problem, ...]:
    from gradlab.nn.data import load
    from gradlab.nn.mlp import mlp

    x, y = load("digits", 30, seed=0)
    made = []
    scales = {1.0: "", 1e6: ", the loss multiplied by 1e6", 1e-6: ", the loss multiplied by 1e-6"}
    for seed, (scale, what) in enumerate(scales.items()):
        net = mlp([64, 32, 10], weight_scale=0.2, seed=seed)
        loss, grad = net.loss_function(x, y), scale * net.unroll(net.gradient(x, y))
        made.append(_Problem(f"tanh{what}", _times(scale, loss), grad, net.theta.copy()))
    return tuple(made)


def _times(scale: float, loss: Callable[[np.ndarray], float]) -> Callable[[np.ndarray], float]:
    return lambda theta: scale * loss(theta)


def _planted(g: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (what is wrong, gradient): first few entries, then more."""

    def changed(part: object, values: np.ndarray) -> np.ndarray:
        a = g.copy()
        a[part] = values
        return a

    yield "one bias is twice too large", changed(2403, 2 * g[2403])
    rng = np.random.default_rng(5)
    for _ in range(6):
        i, j = sorted(2400 + rng.choice(10, 2, replace=False))
        yield f"entries {i} and {j} are swapped", changed([i, j], g[[j, i]])
    yield "all is 1 % too large", 1.01 * g
    yield "the sign is flipped", -g
    reverse = g[2080:2400].reshape(32, 10)[:, ::-1].ravel()
    yield "the columns of W2 are in reverse", changed(slice(2080, 2400), reverse)
    yield "every entry of b1 is their mean", changed(slice(2048, 2080), g[2048:2080].mean())
    yield "every tenth entry of W1 is 0", changed(slice(0, 2048, 10), np.zeros(205))


class _Probe:
    """A loss that remembers where it was taken, and ends when the budget is spent."""

    def __init__(self, problem: _Problem) -> None:
        self.problem = problem
        self.moves: list[np.ndarray] = []

    def __call__(self, theta: np.ndarray) -> float:
        if len(self.moves) == BUDGET:
            raise _TooManyError
        self.moves.append(np.asarray(theta, float) - self.problem.theta)
        return self.problem.loss(np.asarray(theta, float))


def find_direction_mistake(answer: object) -> str | None:
    """Return what is wrong with a learner's `is_wrong`."""
    if not callable(answer):
        return wants_a_function(answer, "is_wrong")
    for problem in _problems():
        for what, a in [("", problem.grad), *_planted(problem.grad)]:
            probe, theta, grad = _Probe(problem), problem.theta.copy(), a.copy()
            try:
                said = answer(probe, grad, theta)
            except _TooManyError:
                return _spent(probe)
            if (said is None or said is ...) and not probe.moves:
                return None
            unchanged = np.array_equal(theta, problem.theta) and np.array_equal(grad, a)
            mistake = _no_decision(said, probe, unchanged)
            if not mistake and bool(said) != bool(what):
                mistake = _missed(what, a, probe) if what else _wolf(a, probe)
            if mistake:
                return mistake
    return ""


def _spent(probe: _Probe) -> str:
    single = all(np.count_nonzero(move) <= 1 for move in probe.moves)
    advice = (
        f" One by one, {probe.problem.theta.size} parameters take {2 * probe.problem.theta.size}. "
        "Move all of them at once, along a random direction."
        if single
        else " Twenty directions are as many as that allows, and fewer will do."
    )
    return f"It takes more than {BUDGET} losses.{advice}"


def _no_decision(said: object, probe: _Probe, unchanged: bool) -> str:
    if said is None or said is ...:
        return "It computes losses and returns nothing: return True or False."
    if not isinstance(said, (bool, np.bool_)):
        return f"It returned {shown(said)}. Return True (wrong) or False: to decide is the point."
    if not unchanged:
        return "theta or grad comes back changed: theta + eps * v makes a new array, += does not."
    if len(probe.moves) < 2:
        return "It compares nothing: a slope takes two losses at least."
    return ""


def _wolf(a: np.ndarray, probe: _Probe) -> str:
    """Say why a right gradient was called wrong."""
    text = f"Cries wolf: a right gradient is called wrong ({probe.problem.what}). "
    steps = [float(np.linalg.norm(move)) for move in probe.moves if np.any(move)]
    if not steps:
        return text + "theta was never moved."
    if max(steps) > 1e-3:
        return text + (
            f"Your longest step has length {max(steps):.0e}: over so long a way the slope changes. "
            "A vector of 2,410 numbers of size 1 has length 49: divide it by its length."
        )
    if max(steps) < 1e-8:
        return (
            text + f"Your steps have length {max(steps):.0e}: so short a difference is round-off."
        )
    if not any(np.allclose(probe.moves[0], -move, atol=1e-12) for move in probe.moves[1:]):
        return text + "Your difference is one-sided, and errs by eps: take theta - eps * v as well."
    if "1e" in probe.problem.what:
        return text + "Every difference is multiplied as the loss is: compare it with the slope."
    return text + "Is the difference divided by the way, 2 * eps, and compared with grad @ v?"


def _missed(what: str, a: np.ndarray, probe: _Probe) -> str:
    """Say why a bug was missed: what is true of the directions that were taken."""
    g, text = probe.problem.grad, f"Missed: {what} ({probe.problem.what}). "
    moves = [move for move in probe.moves if np.any(move)]
    if not moves:
        return text + "theta was never moved."
    if all(np.count_nonzero(move) == 1 for move in moves):
        entries = len({int(np.flatnonzero(move)[0]) for move in moves})
        return text + (
            f"You looked at {entries} of {g.size} entries; {np.count_nonzero(a != g)} are wrong. "
            "Move all entries at once, along a random direction."
        )
    units = [move / np.linalg.norm(move) for move in moves]
    sizes = [np.abs(u) for u in units]
    if all(abs(u @ (a - g)) < 1e-7 * np.linalg.norm(g) / np.sqrt(g.size) for u in units):
        if all(np.ptp(u) < 1e-7 for u in units):
            return text + (
                "You moved all entries by the same amount: what a bug adds here it takes away "
                "there. Random numbers do not cancel."
            )
        if all(np.ptp(size) < 1e-7 for size in sizes):
            return text + (
                "Both entries got the same sign, so the swap cancels: of random signs every second "
                "pair does. Take more directions, or normal numbers."
            )
        return text + (
            "Along your directions grad @ v is what the right gradient gives: the bug lies across "
            "them. Take directions that have nothing to do with the gradient."
        )
    seen = max(abs(u @ (a - g)) / max(abs(u @ a), abs(u @ g)) for u in units)
    return text + (
        f"Along your directions the relative error is up to {seen:.0e}: it was there and was let "
        "pass. How large is your limit, and is there an abs()?"
    )


TASKS = (
    Task(
        name="wrong_tensors",
        lesson="12",
        question=(
            "Write wrong_tensors(loss, params, grads, k): look at k entries of every tensor, drawn "
            "at random, and return the names of those with a wrong one. params must come back as "
            "it was."
        ),
        find_mistake=find_sampling_mistake,
        hints=(
            "A loop over params.items(), and in it one over rng.choice(w.size, …, replace=False).",
            "A tensor may have fewer than k entries: min(k, w.size). w.flat[i] reads and writes "
            "entry i, whatever the shape.",
            "loss(params) after w.flat[i] = saved + eps, again after saved - eps; then put saved "
            "back. Compare with grads[name].flat[i], relative to the larger of the two.",
        ),
        answer=wrong_tensors,
        solution=(
            "Each tensor gets its own draw, so that a bias is met however large the weights are. "
            "Without replacement a small tensor is looked at as a whole."
        ),
        praise="Every planted bug was found in its tensor, and right code was left in peace.",
    ),
    Task(
        name="is_wrong",
        lesson="12",
        question=(
            f"Write is_wrong(loss, grad, theta): True or False, with at most {BUDGET} losses for "
            "2,410 parameters."
        ),
        find_mistake=find_direction_mistake,
        hints=(
            "rng.standard_normal(theta.size) moves all entries at once. Divide it by its length.",
            "grad @ v should be the slope along v: two losses.",
            "abs(a - n) over max(abs(a), abs(n)), with a limit near 1e-4: what you computed is a "
            "slope, and its noise is about 1e-9 of it.",
        ),
        answer=is_wrong,
        solution=(
            "Normal numbers, so that a swap cannot cancel; the difference relative, so that the "
            "unit of the loss does not matter; a limit far above the noise and far below 1 %."
        ),
        praise="Twelve bugs were found in each of three losses, and none where there was none.",
    ),
)

QUESTIONS = (
    Question(
        name="normal_directions",
        lesson="12",
        question=(
            "The swapped slopes differ by 2.2 typical entries. Of 200 directions of normal "
            "numbers, each of length 1, how many miss the swap, with an error |Δ · v| below 0.01 "
            "typical entries?"
        ),
        choices={
            "about 100": (
                "So it was with signs, which cancel every second time. Normal numbers only come "
                "close to it."
            ),
            "about 20": (
                "The error of two entries is spread around 0 with a width of some 0.06, for each"
                " has a fiftieth of the direction. One in eight is expected below 0.01."
            ),
            "about 2": (
                "A limit of 1 % is no chance of 1 %. In a direction of length 1 each number is "
                "about a fiftieth, so the 2.2 shrink to some 0.06, six times the limit."
            ),
            "none": (
                "Normal numbers never cancel exactly, and at a limit of 1e-5 none misses. But "
                "0.01 is no small number beside what two of 2,410 entries leave along one "
                "direction."
            ),
        },
        right="about 20",
    ),
    Question(
        name="lower_in_how_many",
        lesson="12",
        question=(
            "From how many of six starts does the network with the bug end with the lower "
            "training loss?"
        ),
        choices={
            "all six": (
                "The factor that is missing is below 1, so the layers below get larger steps. On"
                " this data that is faster, whatever the start."
            ),
            "about half": (
                "That would be two ways of descending that differ by chance. The larger steps "
                "for the layers below help from every start."
            ),
            "one or two": (
                "So it would be if the bug helped by luck, now and then. It helps for a reason: "
                "larger steps for the layers below."
            ),
            "none": (
                "A wrong gradient need not descend worse. Without the factor the layers below "
                "get larger steps, and on this data that is faster."
            ),
        },
        right="all six",
    ),
)

"""Exercises and predictions of lesson 11, "LSTM"."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from gradlab.course.note import shown
from gradlab.course.prediction import Question
from gradlab.course.task import Task, wants_a_function

__all__ = ["QUESTIONS", "TASKS"]

Arrays = tuple[np.ndarray, ...]


def cell_backward(dh_out, dh_next, dc_next, cache) -> tuple:
    """Return dz_i, dz_f, dz_g, dz_o and dc_before of one LSTM step."""
    i, f, g, o, c_before, tanh_c = cache
    dh = dh_out + dh_next
    dc = dc_next + dh * o * (1 - tanh_c**2)
    dz_i = dc * g * i * (1 - i)
    dz_f = dc * c_before * f * (1 - f)
    dz_g = dc * i * (1 - g**2)
    dz_o = dh * tanh_c * o * (1 - o)
    return dz_i, dz_f, dz_g, dz_o, dc * f


def one_step_test(rng) -> tuple:
    """Return x, h_before, c_before, dh_next and dc_next of one step that shows every bug."""
    x = rng.standard_normal((5, 6))
    h_before, c_before, dh_next, dc_next = rng.standard_normal((4, 5, 8))
    return x, h_before, c_before, dh_next, dc_next


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


# -- the cell's backward ---------------------------------------------------------------------------

OUTPUTS = ("dz_i", "dz_f", "dz_g", "dz_o", "dc_before")
_CACHE = ("i", "f", "g", "o", "c_before", "tanh_c")
SHAPES = ((3, 4), (2, 5), (1, 1))
_CLOSE = {"rtol": 1e-5, "atol": 1e-6}  # a right answer in float32 is right


@dataclass(frozen=True)
class Case:
    """One step of an LSTM's forward pass, and what comes back to it."""

    dh_out: np.ndarray
    dh_next: np.ndarray
    dc_next: np.ndarray
    i: np.ndarray
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    c_before: np.ndarray

    @property
    def c(self) -> np.ndarray:
        """The new cell state."""
        return self.f * self.c_before + self.i * self.g

    @property
    def tanh_c(self) -> np.ndarray:
        """Its tanh."""
        return np.tanh(self.c)

    def arguments(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, Arrays]:
        """Return copies, as `cell_backward` takes them."""
        cache = tuple(np.array(getattr(self, name)) for name in _CACHE)
        return self.dh_out.copy(), self.dh_next.copy(), self.dc_next.copy(), cache


def _case(shape: tuple[int, ...], seed: int) -> Case:
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((4, *shape))
    gates = (_sigmoid(z[0]), _sigmoid(z[1]), np.tanh(z[2]), _sigmoid(z[3]))
    # states of about 1, so that tanh is far from a straight line
    return Case(*rng.standard_normal((3, *shape)), *gates, 1.5 * rng.standard_normal(shape))


CASES = tuple(_case(shape, seed) for seed, shape in enumerate(SHAPES, start=5))

Signal = Callable[[Case], np.ndarray]
# All that comes to h: (how it is written, what to say).
HIDDEN: tuple[tuple[Signal, str], ...] = (
    (lambda s: s.dh_out + s.dh_next, ""),
    (
        lambda s: s.dh_out,
        "dh_next is not used. h goes to two places, up to the output and on to the next step: "
        "both send a gradient back, and the two add. At the last step dh_next is 0, so a "
        "sequence of one step would never show it.",
    ),
    (
        lambda s: s.dh_next,
        "dh_out is not used. h goes to two places, up to the output and on to "
        "the next step: both send a gradient back, and the two add.",
    ),
)
# All that comes to c, from what comes to h.
CELL: tuple[tuple[Callable[[Case, np.ndarray], np.ndarray], str], ...] = (
    (lambda s, dh: s.dc_next + dh * s.o * (1 - s.tanh_c**2), ""),
    (
        lambda s, dh: dh * s.o * (1 - s.tanh_c**2),
        "dc_next is not added. c goes to two places, to h of this step and to c of the next: "
        "both send a gradient back. At the last step dc_next is 0, so a sequence of one step "
        "would never show it.",
    ),
    (
        lambda s, dh: s.dc_next,
        "dc is dc_next alone. c goes into h of this step too, as "
        "h = o * tanh(c): what comes to h goes on to c.",
    ),
    (
        lambda s, dh: s.dc_next + dh * s.o * (1 - np.tanh(s.tanh_c) ** 2),
        "tanh is applied to "
        "tanh_c once more. tanh_c is tanh(c) already, so the slope of tanh at c is 1 - tanh_c**2.",
    ),
    (
        lambda s, dh: s.dc_next + dh * s.o,
        "The slope of tanh is missing on the way from h to c: h = o * tanh(c).",
    ),
    (
        lambda s, dh: s.dc_next + dh * (1 - s.tanh_c**2),
        "The factor o is missing on the way from h to c: h = o * tanh(c).",
    ),
    (
        lambda s, dh: s.dc_next + dh,
        "dh is added to dc_next as it is. Between h and c stands "
        "h = o * tanh(c): the factor o and the slope of tanh belong there.",
    ),
    (
        lambda s, dh: (s.dc_next + dh * s.o) * (1 - s.tanh_c**2),
        "The slope of tanh is in the wrong "
        "place: it multiplies dc_next as well. dc_next comes back to c itself and does not pass "
        "through tanh; only what comes from h does.",
    ),
    (
        lambda s, dh: s.dc_next * (1 - s.tanh_c**2) + dh * s.o,
        "The slope of tanh is in the wrong place: it multiplies dc_next, which comes back to c "
        "itself, and not what comes from h, which passes through tanh.",
    ),
    (
        lambda s, dh: s.dc_next + dh * s.o * (1 - s.c**2),
        "The slope of tanh at c is 1 - tanh(c)**2, not 1 - c**2.",
    ),
    (
        lambda s, dh: s.dc_next + dh * s.o * (1 - np.tanh(s.c_before) ** 2),
        "The slope of tanh is taken at c_before. h is made from the new c: h = o * tanh(c).",
    ),
    (
        lambda s, dh: s.dc_next + dh * s.tanh_c * (1 - s.tanh_c**2),
        "tanh_c stands where o belongs "
        "on the way from h to c: the slope of o * tanh(c) in c is o * (1 - tanh_c**2).",
    ),
)

Formula = Callable[[Case, np.ndarray, np.ndarray], np.ndarray]
_SLOPE = "is the {gate} gate after its sigmoid: the sigmoid's slope there is {q} * (1 - {q})."


def _of_sigmoid(name: str, gate: str, up: Formula) -> list[tuple[Formula, str]]:
    """Return the mistakes with a sigmoid's slope: `up` is what comes to the gate."""
    q = name[-1]
    rest = f" {q} {_SLOPE.format(gate=gate, q=q)}"
    also = (
        " At the first step c_before is 0, so a sequence of one step would never show it."
        if q == "f"
        else ""
    )
    return [
        (lambda s, dh, dc: up(s, dh, dc), f"In {name} the slope of the sigmoid is missing.{rest}"),
        (
            lambda s, dh, dc: up(s, dh, dc) * getattr(s, q),
            f"In {name} the gate {q} itself stands where its slope belongs.{rest}{also}",
        ),
        (
            lambda s, dh, dc: up(s, dh, dc) * (1 - getattr(s, q)),
            f"In {name} the slope is 1 - {q}.{rest}",
        ),
        (
            lambda s, dh, dc: up(s, dh, dc) * (1 - getattr(s, q) ** 2),
            f"In {name} stands the slope of a tanh, 1 - {q}**2.{rest}",
        ),
        (
            lambda s, dh, dc: up(s, dh, dc) * _sigmoid(getattr(s, q)) * _sigmoid(-getattr(s, q)),
            f"In {name} the sigmoid is applied once more.{rest}",
        ),
    ]


# For each output its formula, and what people write instead.
FORMULAS: Mapping[str, list[tuple[Formula, str]]] = {
    "dz_i": [
        (lambda s, dh, dc: dc * s.g * s.i * (1 - s.i), ""),
        *_of_sigmoid("dz_i", "input", lambda s, dh, dc: dc * s.g),
        (
            lambda s, dh, dc: dc * s.i * (1 - s.i),
            "In dz_i the factor g is missing: c = f * c_before + i * g.",
        ),
    ],
    "dz_f": [
        (lambda s, dh, dc: dc * s.c_before * s.f * (1 - s.f), ""),
        *_of_sigmoid("dz_f", "forget", lambda s, dh, dc: dc * s.c_before),
        (
            lambda s, dh, dc: dc * s.c * s.f * (1 - s.f),
            "dz_f uses the new cell state. "
            "c = f * c_before + i * g: the factor beside f is c_before.",
        ),
        (
            lambda s, dh, dc: dc * s.tanh_c * s.f * (1 - s.f),
            "dz_f uses tanh_c. c = f * c_before + i * g: the factor beside f is c_before.",
        ),
        (
            lambda s, dh, dc: dc * s.f * (1 - s.f),
            "In dz_f the factor c_before is missing: c = f * c_before + i * g.",
        ),
    ],
    "dz_g": [
        (lambda s, dh, dc: dc * s.i * (1 - s.g**2), ""),
        (
            lambda s, dh, dc: dc * s.i,
            "In dz_g the slope of tanh is missing. g is the candidate "
            "after its tanh: the slope there is 1 - g**2.",
        ),
        (
            lambda s, dh, dc: dc * s.i * s.g,
            "In dz_g the candidate g itself stands where its slope belongs: 1 - g**2.",
        ),
        (
            lambda s, dh, dc: dc * s.i * (1 - np.tanh(s.g) ** 2),
            "In dz_g tanh is applied to g once more. g is the tanh already: its slope is 1 - g**2.",
        ),
        (
            lambda s, dh, dc: dc * s.i * s.g * (1 - s.g),
            "In dz_g stands the slope of a sigmoid, "
            "g * (1 - g). g is made by tanh, whose slope is 1 - g**2.",
        ),
        (
            lambda s, dh, dc: dc * (1 - s.g**2),
            "In dz_g the factor i is missing: c = f * c_before + i * g.",
        ),
        (
            lambda s, dh, dc: dc * s.f * (1 - s.g**2),
            "In dz_g stands f where i belongs: c = f * c_before + i * g.",
        ),
    ],
    "dz_o": [
        (lambda s, dh, dc: dh * s.tanh_c * s.o * (1 - s.o), ""),
        *_of_sigmoid("dz_o", "output", lambda s, dh, dc: dh * s.tanh_c),
        (
            lambda s, dh, dc: dh * s.c * s.o * (1 - s.o),
            "dz_o uses c where tanh_c belongs: h = o * tanh(c).",
        ),
        (
            lambda s, dh, dc: dh * s.o * (1 - s.o),
            "In dz_o the factor tanh_c is missing: h = o * tanh(c).",
        ),
        (
            lambda s, dh, dc: dc * s.tanh_c * s.o * (1 - s.o),
            "dz_o is made from dc. o stands in h "
            "alone, h = o * tanh(c), so it is made from dh = dh_out + dh_next.",
        ),
        (
            lambda s, dh, dc: dh * (1 - s.tanh_c**2) * s.o * (1 - s.o),
            "The slope of tanh is in the "
            "wrong place: dz_o has 1 - tanh_c**2 where tanh_c belongs. Beside o in h = o * tanh(c) "
            "stands tanh(c) itself.",
        ),
        (
            lambda s, dh, dc: dh * s.tanh_c * (1 - s.tanh_c**2) * s.o * (1 - s.o),
            "The slope of tanh "
            "is in the wrong place: in dz_o it is a factor too much. The way from h to o does not "
            "pass through tanh.",
        ),
    ],
    "dc_before": [
        (lambda s, dh, dc: dc * s.f, ""),
        (lambda s, dh, dc: dc, "dc_before lacks the factor f: c = f * c_before + i * g."),
        (
            lambda s, dh, dc: s.dc_next * s.f,
            "dc_before is dc_next * f. What came to c through h of "
            "this step goes back as well: hand on the whole dc.",
        ),
        (
            lambda s, dh, dc: s.dc_next,
            "dc_before is dc_next, handed on as it came. It lacks what "
            "came through h, and the factor f: c = f * c_before + i * g.",
        ),
        (
            lambda s, dh, dc: dc * s.f * (1 - s.f),
            "dc_before has the slope f * (1 - f). c_before is "
            "multiplied by f itself: c = f * c_before + i * g.",
        ),
        (lambda s, dh, dc: dc * s.i, "dc_before has i where f belongs: c = f * c_before + i * g."),
        (
            lambda s, dh, dc: dc * s.c_before,
            "dc_before has c_before where f belongs: the slope of f * c_before in c_before is f.",
        ),
    ],
}


def find_wrong_cell(answer: object) -> str | None:
    """Return what is wrong with a learner's `cell_backward`."""
    if not callable(answer):
        return wants_a_function(answer, "cell_backward")
    got: list[Arrays] = []
    for case in CASES:
        arguments = case.arguments()
        value = answer(*arguments)
        if value is None or value is ...:
            return None if not got else "It returns nothing for some shapes."
        problem = _changed(case, arguments)
        arrays = _five_arrays(value, case.i.shape)
        if problem or isinstance(arrays, str):
            return problem or arrays
        got.append(arrays)
    return _compare(got)


def _changed(case: Case, arguments: tuple) -> str:
    """Return what to say if the answer wrote into what it was given."""
    *signals, cache = arguments
    names = ("dh_out", "dh_next", "dc_next", *_CACHE)
    for name, now in zip(names, (*signals, *cache), strict=True):
        if not np.array_equal(now, getattr(case, name)):
            return (
                f"It changes {name} in place, as {name} += … does. Who called it still needs that "
                f"array: make a new one, dh = dh_out + …, dc = dc_next + …."
            )
    return ""


def _five_arrays(value: object, shape: tuple[int, ...]) -> Arrays | str:
    """Return the five arrays, or what to say where they are none."""
    if isinstance(value, Mapping):
        if set(value) != set(OUTPUTS):
            return f"A dict with the names {', '.join(OUTPUTS)} is fine. This is {shown(value)}."
        value = [value[name] for name in OUTPUTS]
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != len(OUTPUTS):
        return f"Return five arrays, {', '.join(OUTPUTS)}. This is {shown(value)}."
    found = []
    for name, one in zip(OUTPUTS, value, strict=True):
        array = np.asarray(one)
        if array.dtype.kind not in "fiu":
            return f"{name} is {shown(one)}; an array of numbers is asked."
        if array.shape != shape:
            return (
                f"{name} has the shape {array.shape}, and i has {shape}: all five have that "
                "shape, for nothing is summed within a step."
            )
        found.append(array.astype(float))
    return tuple(found)


def _compare(got: list[Arrays]) -> str:
    """Name the mistake that explains most of the five outputs in all cases."""
    best: tuple[int, str, list[int]] = (-1, "", [])
    for (hidden, about_h), (cell, about_c) in product(HIDDEN, CELL):
        signals = [(s, hidden(s), cell(s, hidden(s))) for s in CASES]
        wrong = [
            k for k, name in enumerate(OUTPUTS) if not _is(got, k, signals, FORMULAS[name][0][0])
        ]
        said = " ".join(text for text in (about_h, about_c) if text)
        if len(OUTPUTS) - len(wrong) > best[0]:  # of two that explain as much the simpler one
            best = (len(OUTPUTS) - len(wrong), said, wrong)
    explained, said, wrong = best
    if explained == len(OUTPUTS) or (said and explained >= 3):
        return said
    right = [(s, HIDDEN[0][0](s), CELL[0][0](s, HIDDEN[0][0](s))) for s in CASES]
    wrong = [k for k, name in enumerate(OUTPUTS) if not _is(got, k, right, FORMULAS[name][0][0])]
    return " ".join(dict.fromkeys(_about(got, k, right) for k in wrong[:2]))


def _is(got: list[Arrays], k: int, signals: list[tuple], formula: Formula) -> bool:
    return all(
        np.allclose(one[k], formula(*signal), **_CLOSE)
        for one, signal in zip(got, signals, strict=True)
    )


def _about(got: list[Arrays], k: int, signals: list[tuple]) -> str:
    """Return what to say of one wrong output."""
    for other, name in enumerate(OUTPUTS):
        if other != k and _is(got, k, signals, FORMULAS[name][0][0]):
            return f"In the place of {OUTPUTS[k]} stands {name}: the order is {', '.join(OUTPUTS)}."
    for formula, message in FORMULAS[OUTPUTS[k]][1:]:
        if _is(got, k, signals, formula):
            return message
    if all(
        np.allclose(one[k], -FORMULAS[OUTPUTS[k]][0][0](*signal), **_CLOSE)
        for one, signal in zip(got, signals, strict=True)
    ):
        return f"{OUTPUTS[k]} has the wrong sign."
    signal, own = signals[0], got[0][k]
    right = FORMULAS[OUTPUTS[k]][0][0](*signal)
    at = np.unravel_index(np.abs(np.nan_to_num(own, nan=np.inf) - right).argmax(), right.shape)
    place = ", ".join(str(int(n)) for n in at)
    return (
        f"{OUTPUTS[k]}[{place}] is {own[at]:.4f} in a test, and differences give {right[at]:.4f}."
    )


# -- a test of one step ----------------------------------------------------------------------------

INPUTS = ("x", "h_before", "c_before", "dh_next", "dc_next")
D, H = 6, 8
#: A bug that moves no tensor by more than this, as a norm ratio, is not found.
SEEN = 1e-4
SATURATED = 1e-4  # of a gate's slope, which is 0.25 at most for a sigmoid
_rng = np.random.default_rng(11)
_WEIGHTS = {q: (_rng.standard_normal((D, H)) / 3, _rng.standard_normal((H, H)) / 3) for q in "ifgo"}
Grads = dict[str, np.ndarray]


def _gates(x: np.ndarray, h: np.ndarray) -> Arrays:
    z = [x @ Wx + h @ Wh for Wx, Wh in _WEIGHTS.values()]  # the biases are 0
    return _sigmoid(z[0]), _sigmoid(z[1]), np.tanh(z[2]), _sigmoid(z[3])


def gradients(test: Arrays, bug: str = "") -> Grads:
    """Return the gradient of Σ dh_next·h + Σ dc_next·c of one step, with a bug or without."""
    x, h_before, c_before, dh_next, dc_next = test
    i, f, g, o = _gates(x, h_before)
    c = f * c_before + i * g
    tanh_c = np.tanh(c)
    if bug == "exchanged":
        dh_next, dc_next = dc_next, dh_next
    dh = 0 * dh_next if bug == "no_dh" else dh_next
    again = np.tanh(tanh_c) if bug == "tanh_twice" else tanh_c
    dc = (0 if bug == "no_dc" else dc_next) + dh * o * (1 - again**2)
    beside_f = h_before if bug == "h_for_c" else c_before
    dz = {
        "i": dc * g * i * (1 - i),
        "f": dc * beside_f * (f if bug == "f_for_slope" else f * (1 - f)),
        "g": dc * i * (1 - g**2),
        "o": dh * (c if bug == "c_for_tanh" else tanh_c) * o * (1 - o),
    }
    from_x = {"no_Wx": 0 * x, "reversed": x[:, ::-1]}.get(bug, x)
    from_h = {"no_Wh": 0 * h_before, "shifted": np.roll(h_before, 1, axis=0)}.get(bug, h_before)
    found = {"dc_before": dc * (1 if bug == "no_f" else f), "dh_before": 0 * h_before}
    for q, (_, Wh) in _WEIGHTS.items():
        found[f"dWx_{q}"], found[f"dWh_{q}"] = from_x.T @ dz[q], from_h.T @ dz[q]
        found[f"db_{q}"] = dz[q].mean(axis=0) if bug == "mean" else dz[q].sum(axis=0)
        found["dh_before"] = found["dh_before"] + dz[q] @ (Wh if bug == "no_transpose" else Wh.T)
    return found


@dataclass(frozen=True)
class Bug:
    """What a backward pass does wrongly, and what in a test hides it, in words.

    Attributes
    ----------
    does, why : str
    hidden : callable, the test's arrays -> bool
        Whether `why` is true of them.
    """

    does: str
    why: str
    hidden: Callable[[Arrays], bool]


def _is_small(test: Arrays) -> bool:
    i, f, g, _ = _gates(*test[:2])
    return bool(np.abs(f * test[2] + i * g).max() < 0.1)


_STRAIGHT = "the cell states are so small that tanh is a straight line there"
BUGS: Mapping[str, Bug] = {
    "no_dc": Bug(
        "it does not add dc_next to the cell state's gradient",
        "dc_next is 0 throughout, as at the last step",
        lambda t: not t[4].any(),
    ),
    "no_dh": Bug(
        "it does not use dh_next",
        "dh_next is 0 throughout, as where nothing comes from a later step",
        lambda t: not t[3].any(),
    ),
    "no_Wh": Bug(
        "it never computes the gradients of the four Wh",
        "h_before is 0 throughout, as at the first step",
        lambda t: not t[1].any(),
    ),
    "f_for_slope": Bug(
        "in dz_f it has f where the slope f * (1 - f) belongs",
        "c_before is 0 throughout, as at the first step",
        lambda t: not t[2].any(),
    ),
    "no_Wx": Bug(
        "it never computes the gradients of the four Wx",
        "x is 0 throughout",
        lambda t: not t[0].any(),
    ),
    "mean": Bug(
        "its bias gradients are means over the batch, not sums",
        "there is one example in the batch",
        lambda t: len(t[0]) == 1,
    ),
    "shifted": Bug(
        "it takes h_before of another example",
        "all examples have the same h_before",
        lambda t: not np.ptp(t[1], axis=0).any(),
    ),
    "reversed": Bug(
        "it takes the inputs of each example in the reverse order",
        "x reads the same from both ends",
        lambda t: np.array_equal(t[0], t[0][:, ::-1]),
    ),
    "exchanged": Bug(
        "it takes dh_next for dc_next, and dc_next for dh_next",
        "dh_next and dc_next are the same numbers",
        lambda t: np.array_equal(t[3], t[4]),
    ),
    "h_for_c": Bug(
        "in dz_f it takes h_before for c_before",
        "h_before and c_before are the same numbers",
        lambda t: np.array_equal(t[1], t[2]),
    ),
    "tanh_twice": Bug("it applies tanh to tanh(c) once more", _STRAIGHT, _is_small),
    "c_for_tanh": Bug("in dz_o it takes c for tanh(c)", _STRAIGHT, _is_small),
    "no_f": Bug("dc_before lacks the factor f", "", lambda t: False),
    "no_transpose": Bug("dh_before lacks the transpose of Wh", "", lambda t: False),
}


def find_wrong_test(answer: object) -> str | None:
    """Return what is wrong with a learner's `one_step_test`."""
    if not callable(answer):
        return wants_a_function(answer, "one_step_test")
    for seed in (0, 1):
        value = answer(np.random.default_rng(seed))
        if value is None or value is ...:
            return None
        test = _test_of(value)
        message = test if isinstance(test, str) else _passes(test)
        if message:
            return message
    return ""


def _test_of(value: object) -> Arrays | str:
    """Return the five arrays of a test, or what to say where they are none."""
    if isinstance(value, Mapping):
        if set(value) != set(INPUTS):
            return f"A dict with the names {', '.join(INPUTS)} is fine. This is {shown(value)}."
        value = [value[name] for name in INPUTS]
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != len(INPUTS):
        return f"Return five arrays, {', '.join(INPUTS)}. This is {shown(value)}."
    found = [np.asarray(one) for one in value]
    for name, array, columns in zip(INPUTS, found, (D, H, H, H, H), strict=True):
        if array.dtype.kind not in "fiu":
            return f"{name} is {shown(array)}; an array of numbers is asked."
        if array.ndim != 2 or array.shape[1] != columns or not len(array):
            return f"{name} has the shape {array.shape}; (N, {columns}) is asked."
        if len(array) != len(found[0]):
            return (
                f"{name} has {len(array)} rows and x has {len(found[0])}: a row is one example, "
                "the same in all five."
            )
        if not np.isfinite(array).all():
            return f"{name} has entries that are not finite."
    return tuple(array.astype(float) for array in found)


def _passes(test: Arrays) -> str:
    """Return what to say of the first bug that the test does not show; "" if it shows all."""
    with np.errstate(over="ignore"):  # 1 / (1 + inf) is 0, as it should be
        i, f, g, o = _gates(*test[:2])
        right = gradients(test)
        passing = [bug for bug in BUGS if _largest(gradients(test, bug), right) < SEEN]
    slopes = {"i": i * (1 - i), "f": f * (1 - f), "g": 1 - g**2, "o": o * (1 - o)}
    for q, slope in slopes.items():
        if np.median(slope) < SATURATED:
            return (
                f"The gates saturate: half of the slopes of gate {q} are below {SATURATED:g}, so "
                "that even right code gives next to nothing there. Make x and h_before smaller."
            )
    if not passing:
        return ""
    bug, others = BUGS[passing[0]], len(passing) - 1
    why = f": {bug.why}" if bug.hidden(test) else ""
    more = {0: "", 1: " So does one more."}.get(others, f" So do {others} more.")
    return f"A backward pass gets through your test although {bug.does}{why}.{more}"


def _largest(one: Grads, two: Grads) -> float:
    return max(_ratios(one, two))


def _ratios(one: Grads, two: Grads) -> Iterator[float]:
    for name in one:
        size = np.linalg.norm(one[name]) + np.linalg.norm(two[name])
        yield float(np.linalg.norm(one[name] - two[name]) / size) if size else 0.0


TASKS = (
    Task(
        name="cell_backward",
        lesson="11",
        question=(
            "Write cell_backward(dh_out, dh_next, dc_next, cache): from what comes to h and c of "
            "one LSTM step, dz_i, dz_f, dz_g, dz_o (before the activations) and dc_before."
        ),
        find_mistake=find_wrong_cell,
        hints=(
            "h goes to two places and c goes to two places. What comes back from two places adds.",
            "From h to c: h = o * tanh(c). So c gets dc_next, and dh times the slope of "
            "o * tanh(c) in c; tanh_c is there already.",
            "From c on: c = f * c_before + i * g. Each of the four factors gets dc times its "
            "partner; o gets dh times its partner.",
            "Last, each gate's own slope: q * (1 - q) for a sigmoid, 1 - g**2 for the tanh.",
        ),
        answer=cell_backward,
        solution=(
            "Two sums, one for each state that goes two ways; then one product for each factor "
            "of the forward pass, and its activation's slope."
        ),
        praise=(
            "Right in every case that was tried, with both states coming back along both ways. "
            "For all parameters only sums over the steps are left: "
            "dWx_q += x.T @ dz_q, dWh_q += h_before.T @ dz_q, db_q += dz_q.sum(axis=0)."
        ),
    ),
    Task(
        name="one_step_test",
        lesson="11",
        question=(
            "Write one_step_test(rng): x (N, 6), h_before, c_before, dh_next and dc_next (N, 8) of "
            "a single step in which every one of 14 hidden bugs shows."
        ),
        find_mistake=find_wrong_test,
        hints=(
            "What is 0 at the first step, and what at the last? A product with 0 is 0 in wrong "
            "code too.",
            "Two arrays that are equal can be taken for each other; so can two rows.",
            "Nothing special: numbers of about 1, all drawn independently.",
        ),
        answer=one_step_test,
        solution=(
            "All numbers random, of about 1, and more than one example. The two states before and "
            "the two gradients from behind are what a whole sequence would have brought."
        ),
        praise=(
            "All 14 bugs show in your one step. It is T = 1 that hid them before, because "
            "there the states and the gradients from a later step are 0."
        ),
    ),
)

QUESTIONS = (
    Question(
        name="two_time_steps",
        lesson="11",
        question="With two time steps, in how many of the 14 tensors is the forgetful code wrong?",
        choices={
            "4": (
                "What was dropped works at step 1 only, on the input gate and the candidate: "
                "their Wx and b. All else meets a state that is 0, or does not lead to c."
            ),
            "6": (
                "The output gate gets its gradient from h, not from c, and the Wh meet an h of "
                "0. So does the forget gate's line meet a c of 0."
            ),
            "8": (
                "At step 1 h was 0, so the four Wh get nothing. But c was 0 as well, which the "
                "forget gate multiplies, and the output gate does not work on c."
            ),
            "12": (
                "What comes back to step 1 reaches all four gates there. But some of them "
                "multiply it by a state from before step 1, which is 0."
            ),
        },
        right="4",
    ),
    Question(
        name="first_of_forty_steps",
        lesson="11",
        question=(
            "Forty time steps, and f is ½ on average. The length of dL/dx at the first step, "
            "beside that at the last, is …"
        ),
        choices={
            "about 0.03": (
                "A fortieth: that shares it out among the steps. But from each step to the one "
                "before it is multiplied, so it falls as a power."
            ),
            "about 1e-4": (
                "That takes a factor of 0.8 for each step. A path through c has ½, and what "
                "comes through h is added to it, but not as much as that."
            ),
            "about 1e-8": (
                "0.62 to the power of 39. What comes back through c is multiplied by f, and "
                "what comes back through h is added to it at every step."
            ),
            "about 2e-12": (
                "That is ½ to the power of 39, what comes back through c alone. h is a second "
                "way back, and the two add at every step."
            ),
        },
        right="about 1e-8",
    ),
)

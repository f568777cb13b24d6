"""What is planted, drawn, tried and told is what it was: it changes on purpose or not at all.

A seed that a class was given must give the same bug next year, and a report the same words. What
is true of all this the other tests tell; here is what it was, case by case. Who changes some of it
on purpose reads the difference, and then writes it anew:

    .venv/bin/python -m tests.bugs.test_told_as_before
"""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.choices import choices
from gradlab.bugs.drawing import draw
from gradlab.bugs.lines import Program, explain
from gradlab.bugs.lines.edits import Scope, edits_of
from gradlab.bugs.lines.numbers import names_of
from gradlab.bugs.suspects import suspects
from gradlab.nn.network import Point
from tests.as_before import same
from tests.bugs.lines.holdout import (
    DRAWN,
    LATER,
    MISSED,
    MISSED_AGAIN,
    NAMELESS,
    PAIRS,
    SINGLES,
    convnet_problem,
    lstm_problem,
    mlp_problem,
)  # fmt: skip
from tests.museum import MAKERS, case, make

STORED = Path(__file__).with_name("told.json")


def spoiled(net, n=6, steps=5, masks=True, **params):
    """Return a case with these values in the parameters whose names begin so."""
    given = make(net, n, 0, steps)
    for name, value in given.net.params.items():
        for kind, new in params.items():
            if name.startswith(kind):
                value[:] = new
    return given if masks else given._replace(masks=None)


#: Where a bug is, and where it hides, or may.
PLACES = {
    **{kind: lambda kind=kind: case(kind, 0) for kind in MAKERS},
    "one example": lambda: spoiled(gl.mlp([5, 6, 6, 3], l2=0.1), 1),
    "no biases": lambda: spoiled(gl.mlp([5, 6, 3], l2=0.1), b=0),
    "plain norm": lambda: spoiled(gl.mlp([5, 6, 6, 3], batch_norm=True), gamma=1),
    "no masks": lambda: spoiled(gl.mlp([5, 6, 6, 3], dropout_rate=0.3), masks=False),
    "one step": lambda: spoiled(gl.lstm(4, 5, 3), steps=1),
    "small weights": lambda: spoiled(gl.mlp([5, 6, 6, 3], weight_scale=0.001), b=0),
    "dead units": lambda: spoiled(gl.mlp([5, 6, 6, 3], "relu"), b1=-100),
    "one output": lambda: spoiled(gl.mlp([5, 6, 1], "leaky_relu", loss="mse")),
    "much L2": lambda: spoiled(gl.mlp([5, 6, 3], l2=1e5)),
    "average pool": lambda: spoiled(gl.convnet((1, 8, 8), padding=(1, 1), pool="average")),
    "wide images": lambda: spoiled(gl.convnet((1, 10, 10), kernels=[(3, 1), (1, 2)])),
}


def museum(name):
    """Return what the museum says of a network: where a bug is, what it spoils, how it hides."""
    given, found = PLACES[name](), []
    for one in suspects(Point(*given)):
        told = "" if one.spot is None else f" | {one.warning} | {one.spot.caveat(' here')}"
        size = sum(float(np.linalg.norm(v)) for v in one.gradient.values())
        found.append(f"{one!r} | {one.blind} | {one.random} | {size:.4g}{told}")
    net, bugs = given.net, gl.bugs.names(given.net)
    spoils = {bug: gl.bugs.wrong_tensors(net, bug) for bug in bugs}
    return {"suspects": found, "layers": {bug: gl.bugs.layers(net, bug) for bug in bugs},
            "spoils": {bug: " ".join(names) for bug, names in spoils.items()}}  # fmt: skip


MYSTERIES = {
    "tanh": gl.mlp([4, 6, 6, 3], l2=0.05, dropout_rate=0.3),
    "leaky": gl.mlp([3, 5, 5, 2], "leaky_relu", loss="mse"),
    "batch norm": gl.mlp([3, 5, 5, 2], "elu", batch_norm=True),
    "convnet": gl.convnet((1, 8, 8), padding=(1, 1), classes=3),
    "lstm": gl.lstm(3, 4, 2, l2=0.01),
}


def mystery(name, seed):
    """Return a bug that is drawn, and the lines to choose from."""
    given = make(MYSTERIES[name].copy(), 9, 0)
    rng, point = np.random.default_rng(seed), Point(*given)
    secret = draw(point, rng, 1 + (seed % 4 == 3), is_of_lines=bool(seed % 2))
    lines = [f"{line.where}: {text}" for line, text in choices(secret, point, rng)]
    return {
        "secret": str(secret).split("\n"), "layer": secret.layer, "choices": lines,
        "of a layer": secret.is_of_layer, "written": digest([text for _, text in secret.written]),
    }  # fmt: skip


KEPT = {
    "its own": None,
    "square": gl.mlp([3, 4, 2], "relu", loss="mse", l2=0.02),
    "one output": gl.mlp([3, 4, 1], "sigmoid", loss="binary_cross_entropy", dropout_rate=0.2),
    "every step": gl.lstm(2, 3, 2, every_step=True),
    "images": gl.convnet((1, 6, 6), padding=(1, 0), kernels=[3, 2]),
}


def kept(name):
    """Return the mysteries of some seeds, for who gives a network and for who does not."""
    nets = [gl.bugs.mystery(seed, KEPT[name], 1 + (seed == 4)) for seed in range(6)]
    return [f"{net!r} {float(np.abs(net.theta).sum()):.6g}\n{net.reveal()}" for net in nets]


def number_names():
    """Return what factors are called in a network of these sizes, alone and beside their line."""
    values = {"N": 7, "K": 3, "T": 5, "H": 1, "lam": 0.1, "keep": 0.7, "R1": 4, "C1": 6,
              "W2": np.zeros((11, 13))}  # fmt: skip
    local = {"lam", "keep", "R1", "W2.shape[0]", "W2.shape[1]"}
    plain = [0, 1e-12, 1, -1, 2, 0.5, 4, 0.25, 0.1, 0.01, 0.9, 3, 0.123, 1 / 3, np.pi, 1000.0]
    of_sizes = [7, 1 / 7, 49, 1 / 49, 21, 1 / 21, 7 / 3, 3 / 7, 35, 6, 1 / 6, 7 / 6, 6 / 7, 14,
                2 / 7, -1 / 7, 0.5 / 7, 0.1 / 7, 0.7, 1 / 0.7, 0.3, 1 / 0.3, 0.7 / 7, 24, 1 / 24,
                11, 1 / 13, 24 / 7, 2 * 0.1, 5, 15]  # fmt: skip
    return {
        f"{S:.6g} {sorted(near)}": [[name, round(cost, 3)] for name, cost in names][:4]
        for S in (*plain, *of_sizes) for near in ((), local)
        for names in [names_of(float(S), values, 1e-9, near)]
    }  # fmt: skip


PROBLEMS = {
    "tanh": mlp_problem(l2=0.1, dropout_rate=0.3),
    "regression": mlp_problem(activation="relu", loss="mse", batch_norm=True),
    "square": mlp_problem(sizes=(4, 4, 4, 4), N=4, activation="sigmoid"),
    "max": convnet_problem(pool="max", l2=0.1),
    "average": convnet_problem(pool="average", image=(2, 8, 8)),
    "every step": lstm_problem(every_step=True, l2=0.1),
}


def tried(name):
    """Return for every line what is tried in its place: how many edits, and which, as a digest."""
    program = Program(Point(*PROBLEMS[name](0, "float64")))
    found, scope = {}, Scope(program)
    for line in program.lines:
        edits = sorted((text, cost, own) for text, (cost, own) in edits_of(line, scope).items())
        found[f"{line.index} {line.where}: {line.text}"] = f"{len(edits)} {digest(edits)}"
    return found


def digest(value):
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]


CASES = [*SINGLES, *LATER, *MISSED, *MISSED_AGAIN, *DRAWN, *PAIRS, *NAMELESS]


def explained(one):
    """Return the causes of a mistake, as they are told."""
    net, x, y, masks = one.problem(0, "float64")
    right = net.gradient(x, y, masks)
    wrong = one.gradient(net, x, y, masks)
    largest = max(np.abs(v).max() for v in right.values())
    bounds = {k: 1e-9 * (np.abs(v) + 0.1 * largest) for k, v in right.items()}
    return [
        {"said": str(c).split("\n"), "certain": c.certain, "tensors": " ".join(c.tensors),
         "left open": " ".join(c.left_open), "alike": list(c.alike)}
        for c in explain(Point(net, x, y, masks), wrong, right, bounds)
    ]  # fmt: skip


def of_cases(cases):
    """Return what is said of these mistakes, by name; long numbers have six digits."""
    long = re.compile(r"(\d\.\d{6})\d+")
    return json.loads(long.sub(r"\1", json.dumps({one.name: explained(one) for one in cases})))


def everything(cases=CASES):
    """Return all that is held, by what it is about."""
    return {
        "museum": {name: museum(name) for name in PLACES},
        "mysteries": {f"{name} {seed}": mystery(name, seed) for name in MYSTERIES
                      for seed in range(16)},
        "kept": {name: kept(name) for name in KEPT},
        "numbers": number_names(),
        "tried": {name: tried(name) for name in PROBLEMS},
        "causes": of_cases(cases),
    }  # fmt: skip


#: Mistakes in a line that nothing hangs on are found quickly: all of them; of the others some.
QUICK = ("bias ", "weights ", "every ", "L2 ", "relu'", "bn: gamma's", "(1 - a)", "1/keep")
SOME = [
    one for k, one in enumerate(CASES)
    if k % (8 if one.kind == "mlp" else 24) == 0
    or (one.name.startswith(QUICK) and one.kind in ("mlp", "norm", "dropout") and one not in PAIRS)
]  # fmt: skip


def differences(made, held):
    """Return the names of what is not as it was."""
    return [name for name in made if not same(made[name], held.get(name))]


@pytest.fixture(scope="module")
def held():
    return json.loads(STORED.read_text(encoding="utf-8"))


def test_the_museum_says_of_every_network_what_it_said(held):
    made = {name: museum(name) for name in PLACES}
    assert list(made) == list(held["museum"])
    assert differences(made, held["museum"]) == []


@pytest.mark.parametrize("name", MYSTERIES)
def test_a_seed_hides_the_bug_that_it_hid(held, name):
    made = {f"{name} {seed}": mystery(name, seed) for seed in range(16)}
    assert differences(made, held["mysteries"]) == []


def test_mysteries_without_examples_are_the_same(held):
    assert differences({name: kept(name) for name in KEPT}, held["kept"]) == []


def test_factors_have_the_names_that_they_had(held):
    assert differences(number_names(), held["numbers"]) == []


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_same_edits_are_tried_of_every_line(held, name):
    made = tried(name)
    assert list(made) == list(held["tried"][name])
    assert differences(made, held["tried"][name]) == []


@pytest.mark.parametrize("cases", [SOME, pytest.param(CASES, marks=pytest.mark.soak)], ids=len)
def test_every_mistake_is_explained_as_it_was(held, cases):
    assert {case.name for case in CASES} == set(held["causes"])
    assert differences(of_cases(cases), held["causes"]) == []


if __name__ == "__main__":
    STORED.write_text(
        json.dumps(everything(), ensure_ascii=False, indent=0) + "\n", encoding="utf-8"
    )

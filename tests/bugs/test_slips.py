"""What a mystery hides, as it is told; and what is shared is not changed in place."""

from dataclasses import FrozenInstanceError, fields
from itertools import product

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.choices import choices
from gradlab.bugs.drawing import draw
from gradlab.bugs.lines import explain
from gradlab.bugs.lines import program as programs
from gradlab.bugs.lines.afterwards import After, is_round
from gradlab.bugs.lines.another_batch import Asked, fewer
from gradlab.bugs.lines.cause import Cause, Edit, Taken
from gradlab.bugs.lines.edits import Place
from gradlab.bugs.lines.layers import DENSE
from gradlab.bugs.lines.program import expand, listing_of
from gradlab.bugs.lines.writing import Written
from gradlab.bugs.lines.wrong_gradient import WrongGradient
from gradlab.bugs.museum import Found
from gradlab.bugs.planting import EditedPass
from gradlab.bugs.slip import Secret, Slip
from gradlab.bugs.suspects import suspects
from gradlab.nn.network import Point
from tests.museum import make

NET = gl.mlp([3, 4, 4, 2], l2=0.1)
GIVEN = make(NET.copy(), 6, 0)
SHARED = [
    gl.bugs.describe("bias_mean"), Found(gl.bugs.describe("bias_mean"), 1), DENSE,
    Slip("layer 1", "a = 1", "a = 2"), Secret(()), EditedPass(dict), suspects(Point(*GIVEN))[0],
    Edit(0, "", "", "", 1.0), Taken("", "", "", dict), After("", dict),
    Asked(Point(*GIVEN), {}), Cause("", "", "", 0.0, True, ()), Written(DENSE, "", {}, 0),
    Place(None, "", None, True, True, None),
]  # fmt: skip


@pytest.mark.every_case
@pytest.mark.parametrize("thing", SHARED, ids=lambda thing: type(thing).__name__)
def test_what_is_shared_is_not_changed_in_place(thing):
    name = fields(thing)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(thing, name, None)


def test_bugs_and_suspects_are_told_apart_by_identity():
    assert len({gl.bugs.describe(name) for name in gl.bugs.names()}) == len(gl.bugs.names())
    one, two = (suspects(Point(*GIVEN))[0] for _ in "12")
    assert one != two  # their gradients could not be compared


@pytest.mark.parametrize(("count", "more"), [(3, ""), (4, "And so in 1 more lines."),
                                             (6, "And so in 3 more lines.")])  # fmt: skip
def test_three_wrong_lines_are_told_and_of_more_how_many(count, more):
    secret = Secret.of_slips(tuple(Slip(f"layer {k}", "a < 1", "a > 1") for k in range(count)))
    told = str(secret).split("\n")
    assert told[:3] == ["Planted in layer 0:", "  wrong: a < 1", "  right: a > 1"]
    assert sum(line.startswith("Planted") for line in told) == 3
    assert told[9:] == [more] * bool(more)
    assert secret._repr_html_().count("a &lt; 1") == 3
    assert repr(secret) == str(secret)


def test_equal_slips_are_equal_wherever_their_line_is_from():
    line = listing_of(NET, with_masks=False).lines[0]
    own = Slip.of(line, line.text, line.text)
    assert own == Slip(own.where, own.wrong, own.right)
    assert Slip("", "", "").key == ()
    assert own.key != ()
    assert "line" not in repr(own)


def test_a_secret_fits_a_network_that_has_its_lines():
    secret = draw(Point(*GIVEN), np.random.default_rng(3))
    assert secret.fits(NET)
    assert secret.fits(NET.replace(l2=0.0)) == all("L2" not in s.where for s in secret.slips)
    assert not secret.fits(gl.lstm(2, 3, 2)) or "loss" in secret.slips[0].where
    known = Secret((), gl.bugs.describe("missing_transpose"), 2)
    assert known.fits(gl.mlp([3, 4, 4, 2]))
    assert not known.fits(gl.mlp([3, 4, 2]))


@pytest.mark.parametrize("count", [2, 3, 6])
def test_as_many_lines_as_are_asked_are_to_choose_from(count):
    secret = draw(Point(*GIVEN), np.random.default_rng(0), is_of_lines=True)
    assert len(choices(secret, Point(*GIVEN), np.random.default_rng(0), count)) == count


@pytest.mark.parametrize("count", [0, 3])
def test_one_or_two_wrong_lines_are_drawn(count):
    with pytest.raises(ValueError, match="count must be"):
        draw(Point(*GIVEN), np.random.default_rng(0), count)


def test_a_second_bug_and_an_own_gradient_are_refused_by_name():
    planted = gl.bugs.plant(NET, "bias_mean")
    with pytest.raises(ValueError, match="without a planted bug: one at a time"):
        gl.bugs.plant(planted, "missing_l2")
    with pytest.raises(ValueError, match="without a planted bug"):
        gl.bugs.mystery(1, planted)


def test_where_no_bug_shows_none_is_drawn():
    """Nothing is wrong where the gradient is 0: every line may have a factor too much."""
    net, x, y, _ = make(gl.mlp([2, 3, 2], loss="mse"), 4, 0)
    for value in net.params.values():
        value[:] = 0
    with pytest.raises(ValueError, match="a bug shows on these examples"):
        draw(Point(net, 0 * x, 0 * y), np.random.default_rng(0), count=2)


def test_a_line_of_several_gates_is_one_line_for_each():
    assert expand("  if: d{q} = {q}[t]") == "  di = i[t]\n  df = f[t]"
    assert expand("  d = x") == "  d = x"


def test_listings_are_made_once_and_forgotten_when_there_are_many(monkeypatch):
    monkeypatch.setattr(programs, "_LISTINGS", {})
    first = listing_of(NET, with_masks=False)
    assert listing_of(NET.copy(), with_masks=False) is first
    assert listing_of(NET.replace(l2=0.0), with_masks=False) is not first
    for two in product(gl.nn.ACTIVATIONS, repeat=2):
        listing_of(gl.mlp([2, 2, 2, 2], two), with_masks=False)
        assert len(programs._LISTINGS) <= 32
    assert listing_of(NET, with_masks=False) is not first


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("net", "n", "steps", "left"),
    [
        (gl.mlp([3, 2]), 6, 0, (5, 3)),
        (gl.mlp([3, 2]), 3, 0, (2, 3)),
        (gl.mlp([3, 2]), 2, 0, (2, 3)),
        (gl.lstm(3, 2, 2), 6, 4, (3, 5, 3)),
        (gl.lstm(3, 2, 2), 4, 4, (3, 2, 3)),
        (gl.lstm(3, 2, 2), 5, 2, (3, 4, 3)),
        (gl.lstm(3, 2, 2), 5, 3, (2, 4, 3)),
        (gl.lstm(3, 2, 2, every_step=True), 6, 4, (3, 5, 3)),
    ],
)
def test_another_batch_has_an_example_and_a_step_fewer(net, n, steps, left):
    given = make(net.copy(), n, 0, steps)
    other = fewer(Point(*given))
    assert other.x.shape == left
    every = getattr(net, "every_step", False)
    assert np.shape(other.y) == (left[:2] if every else (left[net.batch_axis],))
    assert np.array_equal(other.x, given.x[tuple(slice(k) for k in left)]) or steps == 2


@pytest.mark.parametrize(
    ("value", "is_one"), [(5.0, True), (0.12, True), (0.123, False), (0.0, False), (-1.0, False)]
)
def test_a_bound_that_somebody_chose_has_two_digits(value, is_one):
    assert is_round(value, 1e-9) == is_one


def test_code_that_cannot_answer_for_another_batch_is_not_asked():
    point = Point(*GIVEN)
    seen = []

    def answers(x, y, masks):
        seen.append(len(x))
        return GIVEN.net.gradient(x, y, masks)

    def raises(*batch):
        raise OSError

    assert Asked.of(raises, point) is None
    assert Asked.of(lambda *batch: {"W1": np.zeros((3, 4))}, point) is None
    asked = Asked.of(answers, point)
    assert seen == [5]
    assert asked.is_(GIVEN.net.gradient(*asked.point[1:]))
    for far, is_same in ((1 + 1e-7, True), (1 + 1e-5, False)):
        assert asked.is_({k: v * far for k, v in asked.answer.items()}) == is_same
    assert asked.is_({k: v * 1.005 for k, v in asked.answer.items()}, tolerance=1e-2)
    single = Asked(Point(NET.copy().replace(), *asked.point[1:]), asked.answer)
    single.point.net.dtype = np.dtype("float32")
    assert single.is_({k: v * (1 + 1e-4) for k, v in asked.answer.items()})


def test_a_right_gradient_has_no_cause():
    net, x, y, masks = GIVEN
    right = net.gradient(x, y, masks)
    assert explain(Point(*GIVEN), right, right, dict.fromkeys(right, 1e-9)) == []


def test_of_an_entry_at_a_kink_no_more_is_known_than_of_the_worst_other_one():
    value = {"W1": np.arange(3.0), "b1": np.ones(2)}
    bounds = {"W1": np.array([1e-9, np.inf, 2e-9]), "b1": np.array([np.inf, np.nan])}
    target = WrongGradient(value, value, bounds, None, False)
    assert target.bound["W1"].tolist() == [1e-9, 2e-9, 2e-9]
    assert target.bound["b1"].tolist() == [0.0, 0.0]

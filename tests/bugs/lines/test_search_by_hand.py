"""What the search takes for near, for moved and for the same: each threshold from both sides."""

from types import SimpleNamespace

import numpy as np
import pytest

from gradlab.bugs.lines import Program, search
from gradlab.bugs.lines.cause import Edit
from gradlab.bugs.lines.search import Search, close_names, pairs, together
from gradlab.bugs.lines.wrong_gradient import WrongGradient
from gradlab.nn.network import Point
from tests.bugs.lines.holdout import mlp_problem

TANH = Point(*mlp_problem((3, 4, 4, 3), N=5, l2=0.1, dropout_rate=0.3)(0, "float64"))
PLAIN = Point(*mlp_problem((3, 4, 4, 3), N=5)(0, "float64"))


def search_for(point, **wrong):
    """Return a search for a gradient in which these tensors are what is made of them."""
    right = point.net.gradient(*point[1:])
    made = {k: wrong[k](v) if k in wrong else v for k, v in right.items()}
    target = WrongGradient(made, right, dict.fromkeys(right, 1e-10), None, False)
    return Search(Program(point), target)


def edit_of(wrong, cost=1, **more):
    return Edit(0, "", "", wrong, cost, **more)


def target_of(wrong, right):
    wrong, right = ({k: np.array(v, float) for k, v in g.items()} for g in (wrong, right))
    found = WrongGradient(wrong, right, dict.fromkeys(right, 1e-300), None, False)
    found.measure(SimpleNamespace(gradient=right))
    return found


# -- right but for a factor ------------------------------------------------------------------------


def is_scaled(wrong, right, lam=0.0, weights=()):
    target = target_of(wrong, right)
    program = SimpleNamespace(values={"lam": lam}, net=SimpleNamespace(weight_names=weights))
    this = SimpleNamespace(program=program, target=target)
    return Search.is_scaled(this, [(k, np.array(v, float)) for k, v in right.items()])


@pytest.mark.every_case
@pytest.mark.parametrize("size", [1e-3, 1, 1e4])
@pytest.mark.parametrize("ratio", [2.5, -2.5, 40])
def test_a_layer_is_scaled_to_a_billionth_of_its_size(size, ratio):
    right = size * np.array([3.0, 4.0, 0.0])
    for share, is_one in ((0.9, True), (1.1, False)):
        across = share * 1e-9 * abs(ratio) * 5 * size * np.array([0, 0, 1])
        assert is_scaled({"W": ratio * right + across}, {"W": right}) == is_one
        one, two = ratio * right, ratio * (1 + share * 1e-9) * right
        assert is_scaled({"W": one, "b": two}, {"W": right, "b": right}) == is_one


def test_two_numbers_a_weight_with_l2_and_what_is_right_say_nothing_of_a_factor():
    two, three = {"b": [1, 2]}, {"b": [1, 2, 4]}
    double = {k: {"b": 3 * np.array(g["b"])} for k, g in (("two", two), ("three", three))}
    assert is_scaled(double["three"], three)
    assert not is_scaled(double["two"], two)
    assert is_scaled(double["three"], three, lam=0.1, weights=("W",))
    assert not is_scaled(double["three"], three, lam=0.1, weights=("b",))
    assert is_scaled(double["three"], three, lam=0.0, weights=("b",))
    assert not is_scaled(three, three)
    assert not is_scaled({"b": [0, 0, 0]}, three)  # by 0


# -- a factor that is solved for -------------------------------------------------------------------


def solved(wrong, right, *layers):
    """Return the factor and the number of entries that tell it; a layer has starts and steps."""
    target = target_of(wrong, right)

    def run(changes, S, wanted):
        return [
            [(k, np.array(start, float) + S * np.array(step, float)) for k, start, step in layer]
            for layer in layers
        ]

    this = SimpleNamespace(
        target=target, program=SimpleNamespace(run=run),
        witnesses=lambda edit: frozenset(), named=lambda edit, S, entries: (S, entries),
    )  # fmt: skip
    return Search.solved(this, SimpleNamespace(changes=dict))


def test_a_factor_is_that_of_the_first_wrong_tensor_that_moves():
    wrong = {"a": [3, 6, 9], "b": [5, 10], "c": [1, 1]}
    right = {"a": [1, 2, 3], "b": [1, 2], "c": [1, 1]}
    a, b = ("a", [0, 0, 0], [1, 2, 3]), ("b", [0, 0], [1, 2])
    rest = ("a", [0, 0, 0], [0, 0, 0])
    odd = ("a", [0, 0, 0], [1, 2, 4])
    fine = ("c", [0, 0], [1, 1])
    assert solved(wrong, right, [a], [b]) == (3, 3)
    assert solved(wrong, right, [b], [a]) == (5, 2)
    assert solved(wrong, right, [rest], [b]) == (5, 2)  # which does not move
    assert solved(wrong, right, [fine], [b]) == (5, 2)  # which is right
    assert solved(wrong, right, [odd, b]) == (5, 2)  # in a layer any of them tells it
    assert solved(wrong, right, [odd], [b]) is None  # but no layer further down
    assert solved(wrong, right, [rest]) is solved(wrong, right) is None
    assert solved(wrong, right, [("a", [1, 2, 3], [1, 2, 3])]) == (2, 3)  # on top of the start
    # round-off is no move
    size = np.sqrt(9 + 36 + 81)
    for share, factor in ((0.9, (5, 2)), (1.1, None)):
        step = [share * 1e-12 * size, 0, 0]
        assert solved(wrong, right, [("a", [0, 0, 0], step)], [b]) == factor


def test_a_factor_of_1_changes_nothing():
    for S, is_none in ((1 + 1.1e-9, False), (1 + 0.9e-9, True), (1 - 0.9e-9, True), (0, False)):
        wrong = {"a": S * np.array([1.0, 2.0, 3.0])}
        found = solved(wrong, {"a": [2, 2, 2]}, [("a", [0, 0, 0], [1, 2, 3])])
        assert (found is None) == is_none


def test_a_number_without_a_name_is_believed_of_three_entries_in_plain_sight():
    found = search_for(PLAIN, b3=lambda v: 2 * v)
    plain = edit_of("db3 = S * dlogits.sum(axis=0)")
    assert found.named(plain, np.pi, 3).name == f"{np.pi:.17g}"
    assert found.named(plain, np.pi, 2) is None
    assert found.named(plain, 0.123, 2).name == "0.123"
    assert found.named(plain, -0.123, 2) is None  # 1.6: nobody writes it
    for wrong, is_told in (("db3 = dlogits + S * (dlogits)", True), ("b3 = b3 - S * db3", True),
                           ("db3 = dlogits ** S", False), ("db3 = dlogits + S * b3", False),
                           ("db3 = S * dlogits.sum()", False)):  # fmt: skip
        assert (found.named(edit_of(wrong), np.pi, 9) is not None) == is_told
    assert found.named(edit_of(plain.wrong, cost=2), 0.2, 9).cost == 2.4  # 1 / N
    assert found.named(plain, 0.2, 9).names[0] == ("1 / N", 0.4)
    assert found.named(edit_of("b3 = b3 - S * db3"), 0.2, 9).name == "0.2"  # a learning rate


def test_what_dropout_keeps_is_known_to_a_billionth():
    found = search_for(TANH)
    for k in (0.7, 1 / 0.7):
        for off, is_one in ((0.9e-9, True), (-0.9e-9, True), (1.1e-9, False), (-1.1e-9, False)):
            assert found.is_keep(k * (1 + off)) == is_one


def test_at_most_three_names_that_are_nearly_as_simple():
    costs = (0.5, 0.5, 0.7, 0.7, 0.7001)
    names = tuple((f"n{k}", cost) for k, cost in enumerate(costs))
    assert [n for n, _ in close_names(edit_of("", names=names))] == ["n0", "n1", "n2"]
    far = names[0], names[4]
    assert [n for n, _ in close_names(edit_of("", names=far))] == ["n0"]


# -- which lines -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "is_inside"), [(0.9, True), (1.1, False)])
def test_a_gradient_of_round_off_may_be_moved(share, is_inside):
    found = search_for(PLAIN, b2=lambda v: 2 * v)
    for name in ("W1", "b1", "W2"):
        found.target.size[name] = share * 1e3 * found.target.floor
    inside, rest = found.stages()
    assert any(line.target == "dz2" for line in inside) == is_inside
    assert any(line.target == "dz2" for line in rest) == (not is_inside)


# -- two edits -------------------------------------------------------------------------------------


class Below:
    """A search below an edit: it says where it was, and finds what it was told to."""

    seen, finds = (), frozenset()

    def __init__(self, program, target, fixed):
        self.at = program.edit.wrong, fixed

    def run(self):
        Below.seen += (self.at,)

    def causes(self, before):
        return [edit.wrong for edit in before if edit.wrong in Below.finds]


def pairs_of(monkeypatch, part=(), scaled=(), finds=(), gradients=None, wrong=("W1",)):
    """Return what is found, and what was built on."""
    Below.seen, Below.finds = (), frozenset(finds)
    monkeypatch.setattr(search, "Search", Below)
    monkeypatch.setattr(search, "together", lambda search: ["together"])
    edits = [edit for _, edit in part] + list(scaled)

    def edited(changes):
        (edit,) = (edit for edit in edits if edit.changes() == changes)
        if edit.wrong == "fails":
            raise ValueError
        number = float(edits.index(edit) + 1) if gradients is None else gradients[edit.wrong]
        return SimpleNamespace(edit=edit, gradient={"W1": np.array([number, 2.0])})

    measured = []
    program = SimpleNamespace(edited=edited)
    target = SimpleNamespace(wrong=set(wrong), measure=measured.append)
    found = pairs(SimpleNamespace(program=program, target=target, part=part, scaled=scaled))
    assert measured == [program]  # as it was
    return found, Below.seen


def test_what_explains_most_is_built_on_first_and_then_what_is_usual(monkeypatch):
    part = [({"b3"}, edit_of("dear", 2)), ({"b3"}, edit_of("cheap", 1)),
            ({"b3", "W3"}, edit_of("most", 3))]  # fmt: skip
    scaled = [edit_of("dear scaled", 2), edit_of("scaled", 1)]
    found, seen = pairs_of(monkeypatch, part, scaled)
    assert found == ["together"]
    assert seen == (
        ("most", {"db3", "dW3"}), ("cheap", {"db3"}), ("dear", {"db3"}),
        ("scaled", frozenset()), ("dear scaled", frozenset()),
    )  # fmt: skip
    found, seen = pairs_of(monkeypatch, part, scaled, finds=["cheap", "dear scaled"])
    assert found == ["cheap", "dear scaled"]
    assert pairs_of(monkeypatch, part, wrong=())[1] == ()  # nothing is left to be explained
    assert pairs_of(monkeypatch, [({"b3"}, edit_of("fails"))])[1] == ()


def test_no_much_less_usual_edit_is_built_on_once_two_are_found(monkeypatch):
    def part(*costs):
        return [({"b3"}, edit_of(f"e{cost}", cost)) for cost in costs]

    costs = (1, 1.2, 2.5, 2.6, 2.8)
    _, seen = pairs_of(monkeypatch, part(*costs))
    assert len(seen) == 5
    _, seen = pairs_of(monkeypatch, part(*costs), finds=["e1"])
    assert [wrong for wrong, _ in seen] == ["e1", "e1.2", "e2.5"]
    _, seen = pairs_of(monkeypatch, part(*costs), finds=["e1.2"])
    assert [wrong for wrong, _ in seen] == ["e1", "e1.2", "e2.5", "e2.6"]


def test_edits_that_do_the_same_are_built_on_once_and_twelve_at_most(monkeypatch):
    part = [({"b3"}, edit_of(name)) for name in "abcd"]
    gradients = {"a": 1.0, "b": 1 + 0.9e-9, "c": 1 + 1.2e-9, "d": 0.0}
    _, seen = pairs_of(monkeypatch, part, gradients=gradients)
    assert [wrong for wrong, _ in seen] == ["a", "c", "d"]
    gradients = {"a": 0.0, "b": 1e-30, "c": 0.0, "d": 1e-30}
    _, seen = pairs_of(monkeypatch, part, gradients=gradients)
    assert [wrong for wrong, _ in seen] == ["a", "b"]
    many = [({"b3"}, edit_of(f"e{k}")) for k in range(15)]
    _, seen = pairs_of(monkeypatch, many)
    assert len(seen) == 12


def test_two_are_tried_together_the_likeliest_first(monkeypatch):
    """Between W2 and W1, above which nothing else is wrong, are da1 and dz1."""
    net, x, y, _ = mlp_problem((2, 3, 3, 2), N=5)(0, "float64")
    found = search_for(Point(net, x, y, None), W1=np.abs, b1=np.abs)
    costs = {"one": 2, "two": 0.5, "far": 2.01, "S * three": 0.1, "four": 1}
    monkeypatch.setattr(
        search,
        "edits_of",
        lambda line, s: {f"{line.target} {k}": (c, "") for k, c in costs.items()},
    )
    tried = []
    monkeypatch.setattr(found, "explain_all", lambda a, b: tried.append((a, b)))
    assert together(found) == []
    texts = [{a.wrong, b.wrong} for a, b in tried]
    assert texts[0] == {"da1 two", "dz1 two"}
    assert {a.index != b.index for a, b in tried} == {True}
    assert {text.split(" ", 1)[1] for pair in texts for text in pair} == {"one", "two", "four"}
    assert len(tried) == 9
    sums = [a.cost + b.cost for a, b in tried]
    assert sums == sorted(sums)
    tried.clear()
    monkeypatch.setattr(search, "BOTH", 4)
    monkeypatch.setattr(search, "BOTH_IN_A_LOOP", 1)
    together(found)
    assert len(tried) == 4

"""Which causes are the same, which are told and how surely: the edges of it, by themselves."""

from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest

from gradlab.bugs.lines import Program
from gradlab.bugs.lines.afterwards import After
from gradlab.bugs.lines.cause import Edit, cause_of
from gradlab.bugs.lines.wrong_gradient import WrongGradient
from gradlab.nn.network import Point
from tests.bugs.lines.holdout import lstm_problem, mlp_problem

module = import_module("gradlab.bugs.lines.explain")  # the package has a function of that name
PLAIN = Point(*mlp_problem((3, 4, 4, 3), N=5)(0, "float64"))
PROGRAM = Program(PLAIN)


def made_by(code, **made):
    """Return a cause that makes these numbers of any gradient."""
    return cause_of((), After(code, lambda gradient, values: made, is_named="odd" not in code))


def edit(target, wrong, program=PROGRAM, **more):
    line = next(line for line in program.lines if line.target == target)
    return Edit(line.index, line.where, line.text, wrong, 1, **more)


# -- what is told ----------------------------------------------------------------------------------


def told(*groups, agree=None, is_proof=True, fits=True, wrong=("b", "W")):
    """Return what is told of groups of (residual, code, codes of the same)."""
    causes = [
        (made_by(code, r=r), [made_by(same, r=r) for same in alike]) for r, code, *alike in groups
    ]
    target = SimpleNamespace(
        residual=lambda made: made["r"], is_proof=lambda: is_proof, wrong=set(wrong),
        fit_all=lambda made: fits,
    )  # fmt: skip
    program = SimpleNamespace(gradient={}, values={}, net=SimpleNamespace(params=["W", "b", "c"]))
    asked = agree and SimpleNamespace(agrees=lambda cause: cause.wrong_line in agree)
    return module._told(causes, program, target, asked)


def lines(causes):
    return [cause.wrong_line for cause in causes]


@pytest.mark.parametrize(
    ("residuals", "count"),
    [([1e-10, 0.9e-7, 1.1e-7], 2), ([1e-5, 0.9e-3, 1.1e-3], 2), ([1.1e-3, 1e-5], 1), ([0.5], 1)],
)
def test_what_comes_within_a_hundredfold_of_the_nearest_is_told(residuals, count):
    found = told(*((r, f"c{k}") for k, r in enumerate(residuals)))
    near = [r for r in residuals if r < max(101 * min(residuals), 1e-7)]
    assert [cause.residual for cause in found] == near
    assert len(found) == count


def test_a_cause_is_certain_if_it_proves_fits_and_is_a_number_that_one_writes():
    (sure,) = told((1e-9, "a"))
    assert sure.certain
    assert (sure.tensors, sure.left_open) == (("W", "b"), ())
    assert not told((1e-9, "a"), is_proof=False)[0].certain
    assert not told((1e-9, "a"), fits=False)[0].certain
    assert not told((1e-9, "odd"))[0].certain
    assert told((1e-9, "a"), wrong=["b"])[0].tensors == ("b",)
    assert told() == []


def test_where_the_code_was_asked_only_what_agrees_is_told_or_all_and_unsurely():
    groups = [(1e-9, "a"), (1e-9, "b")]
    assert lines(told(*groups)) == lines(told(*groups, agree="ab")) == ["a", "b"]
    assert lines(told(*groups, agree="b")) == ["b"]
    assert told(*groups, agree="b")[0].certain
    neither = told(*groups, agree="c")
    assert lines(neither) == ["a", "b"]
    assert not any(cause.certain for cause in neither)


def test_eight_others_are_told_beside_a_cause_and_not_itself():
    one, two = told((1e-9, "a", "a2"), (1e-9, "b", "a2", "b2"), (1, "far", "far2"))
    assert one.alike == tuple(f"after backward: {code}" for code in ("a2", "b", "b2"))
    assert two.alike == tuple(f"after backward: {code}" for code in ("a", "a2", "b2"))
    many = told((1e-9, *(f"c{k}" for k in range(12))))
    assert many[0].alike == tuple(f"after backward: c{k}" for k in range(1, 9))


# -- which causes are the same ---------------------------------------------------------------------


def groups(monkeypatch, made, same_line=(), causes=None):
    """Return each cause that is told apart, with those that are the same."""
    causes = causes or [made_by(code) for code in made]
    monkeypatch.setattr(module, "_elsewhere", lambda program: [])
    monkeypatch.setattr(module, "_made", lambda cause, others: np.array(made[cause.wrong_line]))
    monkeypatch.setattr(
        module, "_is_same_line", lambda one, two, p: {one.wrong_line, two.wrong_line} in same_line
    )
    monkeypatch.setattr(module, "_told", lambda groups, *rest: groups)
    return [
        (one.wrong_line, lines(same)) for one, same in module._distinct(causes, None, None, None)
    ]


def test_causes_that_do_the_same_elsewhere_are_one_and_the_shortest_is_told(monkeypatch):
    made = {"long": [1.0], "b": [2.0], "mid": [1.0], "a": [1.0]}
    found = groups(monkeypatch, made)
    assert found == [("b", []), ("a", ["mid", "long"])]
    assert groups(monkeypatch, made, [{"a", "mid"}])[1] == ("a", ["long"])
    assert groups(monkeypatch, made, [{"mid", "long"}])[1] == ("a", ["mid"])
    assert groups(monkeypatch, made, [{"b", "mid"}]) == found  # which is no twin
    assert len(groups(monkeypatch, {f"{k:03}": [float(k)] for k in range(103)})) == 100


def test_usual_causes_come_first_and_sizes_of_the_network_are_not_confounded(monkeypatch):
    cheap, dear = (
        cause_of((Edit(0, "", "", wrong, cost),))
        for wrong, cost in (("z = 1 + 1", 1), ("a = 1", 2))
    )
    made = {"z = 1 + 1": [1.0], "a = 1": [1.0]}
    assert groups(monkeypatch, made, causes=[dear, cheap]) == [("z = 1 + 1", ["a = 1"])]
    for names, count in ((("1 / K", "1 / H"), 2), (("1 / K", "2 / K"), 1), (("1 / N", "lam"), 1)):
        causes = [cause_of((Edit(0, "", "", "a = S * b", 1, name=name),)) for name in names]
        made = {cause.wrong_line: [1.0] for cause in causes}
        assert len(groups(monkeypatch, made, causes=causes)) == count


@pytest.mark.every_case
@pytest.mark.parametrize("size", [1.0, 1e-3, 1e4])
def test_the_same_is_to_seven_digits_or_ten_of_the_largest(size):
    one = size * np.array([1.0, -100.0, 0.0])
    for share, is_same in ((0.9, True), (1.1, False)):
        assert module._is_same(one, one * (1 + share * 1e-7)) == is_same
        assert module._is_same(one, one + size * share * 1e-8 * np.eye(3)[2]) == is_same
    assert not module._is_same(one, -one)


def test_what_cannot_run_elsewhere_is_the_same_as_nothing():
    """Not even as itself: of a line that only runs on this batch nothing more is known."""
    calls = []

    def cause(fails):
        def apply(program):
            calls.append(program.number)
            if program.number in fails:
                raise ValueError
            return program.number

        return SimpleNamespace(apply=apply)

    others = [SimpleNamespace(number=k, net=SimpleNamespace(unroll=lambda g: g)) for k in (1, 2)]
    assert module._made(cause([]), others) == 1
    assert module._made(cause([1]), others) == 2
    assert calls == [1, 1, 2]
    nothing = module._made(cause([1, 2]), others)
    assert not module._is_same(nothing, module._made(cause([1, 2]), others))
    assert not module._is_same(nothing, np.ones(1))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_elsewhere_are_other_parameters_and_examples_and_fewer_of_them_first(dtype):
    net, x, y, masks = lstm_problem(D=2, H=3, K=2, T=4, N=6)(0, dtype)
    before = {k: v.copy() for k, v in net.params.items()}
    few, many = module._elsewhere(Program(Point(net, x, y, masks)))
    assert (few.point.x.shape, many.point.x.shape) == ((3, 5, 2), x.shape)
    assert np.array_equal(many.point.y, y)
    assert all(np.array_equal(net.params[k], v) for k, v in before.items())
    far = np.concatenate([np.ravel(many.net.params[k] - v) for k, v in before.items()])
    assert 0.2 < far.std() < 0.4
    assert 0.2 < (many.point.x - x).std() < 0.4
    assert many.net.dtype == net.dtype


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("1 / N", set()), ("K * N", {"K"}), ("1 / H", {"H"}), ("(R1 * C1)", {"R1", "C1"}),
     ("lam / K", {"K"}), ("0.2", set()), ("keep", set())],
)  # fmt: skip
def test_sizes_of_the_network_in_a_factors_name(name, sizes):
    assert module._sizes(cause_of((edit("db3", "db3 = S * db3", name=name),))) == sizes


def same_line(one, two, program=PROGRAM):
    one, two = (cause if hasattr(cause, "edits") else cause_of(cause) for cause in (one, two))
    found = {module._is_same_line(a, b, program) for a, b in ((one, two), (two, one))}
    assert len(found) == 1
    return found.pop()


def test_the_same_line_in_other_words_does_the_same_to_any_signal():
    mean, over_n = edit("db2", "db2 = dz2.mean(axis=0)"), edit("db2", "db2 = dz2.sum(axis=0) / N")
    other, tensor = edit("db2", "db2 = dz2.sum(axis=0) / K"), edit("db3", "db3 = 0 * b3")
    assert same_line([mean], [over_n])
    assert not same_line([mean], [other])
    assert not same_line([mean], [tensor])
    assert same_line([mean, tensor], [over_n, tensor])
    assert not same_line([mean, tensor], [other, tensor])
    assert not same_line([tensor, mean], [tensor, other])
    assert not same_line([mean, tensor], [over_n])
    clipped, turned = (After(code, lambda g, v: g) for code in "ab")
    assert not same_line(cause_of((mean,), clipped), [over_n])
    assert not same_line(cause_of((mean,), clipped), cause_of((over_n,), turned))
    index = {line.target: line.index for line in PROGRAM.lines}
    wide = [
        edit("db2", f"db2 = {k} * b2", also=((index["db1"], f"db1 = {k} * b1"),)) for k in (2, 3)
    ]
    assert same_line([wide[0]], [wide[1]])  # found in one line and in its sister
    far = edit("db2", "db2 = 3 * b2", also=((index["db3"], "db3 = 3 * b3"),))
    assert not same_line([wide[0]], [far])
    assert not same_line([wide[0], tensor], [wide[1], tensor])
    taken = SimpleNamespace(where="", text="", right="")
    assert not module._is_same_line(cause_of((), taken=taken), cause_of((), taken=taken), PROGRAM)


def test_a_mistake_in_another_way_of_writing_the_layer_is_the_same():
    program = Program(Point(*mlp_problem((2, 3, 2), N=5, batch_norm=True)(0, "float64")))
    norm = [line for line in program.lines if "batch norm" in line.where]
    first = next(line for line in norm if line.step.form == 0)
    later = next(line for line in norm if line.step.form == 1)
    one, two = (Edit(line.index, "", "", f"{line.target} = 0 * x", 1) for line in (first, later))
    assert same_line([one], [two], program)
    other = next(line for line in program.lines if line.target == "db2")  # written in one way
    assert not same_line([one], [Edit(other.index, "", "", "db2 = 0 * b2", 1)], program)


def test_lines_do_the_same_if_they_fail_in_nothing_and_come_out_equal():
    index = next(line.index for line in PROGRAM.lines if line.target == "db2")
    values = dict(PROGRAM.values) | {"some": np.array([np.nan, 1, 2, 3])}

    def same(one, two):
        return module._same_effect({index: one}, {index: two}, PROGRAM, values)

    assert same("db2 = some", "db2 = 1 * some")
    assert not same("db2 = some", "db2 = 2 * some")
    assert not same("db2 = missing", "db2 = missing")
    assert same("pass", "pass")
    assert not same("pass", "db2 = some")
    assert not same("db2 = some", "pass")
    assert not module._same_effect({index: "pass"}, {0: "pass"}, PROGRAM, values)


# -- a part, and what was clipped ------------------------------------------------------------------


def test_of_parts_the_most_tensors_and_then_the_usual_edit():
    parts = [({"b3"}, edit("db3", "db3 = 2 * b3")), ({"b3", "W3"}, edit("db3", "db3 = 3 * b3"))]
    cheap = Edit(**{**vars(parts[1][1]), "wrong": "db3 = 4 * b3", "cost": 0.5})
    target = SimpleNamespace(wrong={"b3", "W3", "b1", "W1"}, residual=lambda made, seen: len(seen))
    for more, wrong in (([], "db3 = 3 * b3"), ([({"b3", "W3"}, cheap)], "db3 = 4 * b3"),
                        ([({"b3"}, cheap)], "db3 = 3 * b3")):  # fmt: skip
        found = module._best_part(SimpleNamespace(part=parts + more, target=target), PROGRAM)
        assert found.wrong_line == wrong
        assert (found.tensors, found.left_open) == (("W3", "b3"), ("W1", "b1"))
        assert (found.residual, found.certain) == (2, False)


@pytest.mark.parametrize(("alike", "is_told"), [(2, False), (3, True)])
def test_a_clipping_on_top_leaves_three_entries_alike(alike, is_told):
    right = PROGRAM.gradient
    entries = np.sort(np.abs(np.concatenate([5 * np.ravel(v) for v in right.values()])))
    top = entries[-alike]
    wrong = {k: np.clip(5 * v, -top, top) for k, v in right.items()}
    bounds = dict.fromkeys(right, 1e-10)
    target = WrongGradient(wrong, right, bounds, None, False)
    target.measure(PROGRAM)
    with np.errstate(all="ignore"):
        found = module._under_clipping(PROGRAM, target)
    assert bool(found) == is_told
    for cause in found:
        assert cause.after.code == f"g = np.clip(g, -{top:.6g}, {top:.6g})"
        made = cause.apply(PROGRAM)
        assert all(np.allclose(made[k], v, rtol=1e-8, atol=1e-12) for k, v in wrong.items())
    every = {k: np.arange(v.size) for k, v in right.items()}
    sample = WrongGradient(wrong, right, bounds, every, False)
    sample.measure(PROGRAM)
    assert module._under_clipping(PROGRAM, sample) == []
    signs = WrongGradient({k: np.sign(v) for k, v in right.items()}, right, bounds, None, False)
    signs.measure(PROGRAM)
    assert module._under_clipping(PROGRAM, signs) == []  # no entry is left to tell anything


def test_of_a_loops_head_only_the_same_text_is_the_same():
    program = Program(Point(*lstm_problem(D=2, H=3, K=2, T=4, N=5)(0, "float64")))
    index = next(line.index for line in program.lines if line.is_head and not line.step.form)
    for two, is_same in (("for t in range(T):", True), ("for t in range(T - 1):", False)):
        heads = {index: "for t in range(T):"}, {index: two}
        assert module._same_effect(*heads, program, dict(program.values)) == is_same

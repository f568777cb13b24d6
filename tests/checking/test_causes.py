"""From facts to causes: what is compared with what, which are told, and in which words."""

from types import SimpleNamespace

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.lines import Cause
from gradlab.bugs.suspects import Suspect
from gradlab.checking.diagnosis import Facts, causes
from gradlab.checking.diagnosis.causes import (
    ALONG,
    EXACT,
    Diagnosis,
    _alike,
    _as_well,
    _drawn,
    _edited_lines,
    _exact,
    _is_its_own,
    _is_proof,
    _other_masks,
    _sizes,
    _with_suspects,
    left_over,
    of_line,
    residual,
)
from gradlab.nn.network import Point
from tests.checking.cases import known

RIGHT = {"W": np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]]), "b": np.array([2.0, -1.0, 0.5])}


def facts(analytic, numerical=RIGHT, **more):
    """Return facts of a dense layer of a network of which this came."""
    return known(numerical | analytic, numerical, biases={"b"}, **NETWORK | more)


NETWORK = {"batch": 4, "outputs": 3, "loss_name": "mse", "knows_l2": True}


def suspect(bug="bug", layer=1, random=False, **gradient):
    return Suspect(bug, layer, f"what {bug} does", "", RIGHT | gradient, random)


def diagnosis(cause="cause", bug=None, score=0.9, **more):
    return Diagnosis(cause, bug, None, "evidence", score, **more)


# -- what is told --------------------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("where", "wrong", "right", "parts"),
    [
        (None, None, None, []),
        ("layer 1", "a = b", "a = c", [("layer 1", "a = b", "a = c")]),
        ("one; two", "a; b", "c; d", [("one", "a", "c"), ("two", "b", "d")]),
        ("one; after backward", "a; b", "c", [("one", "a", "c"), ("after backward", "b", "")]),
        ("grad, line 3", "a; b", "b; a", [("grad, line 3", "a; b", "b; a")]),
        ("after backward", "a = b", None, [("after backward", "a = b", "")]),
    ],
)
def test_of_several_mistakes_each_has_its_place_and_lines(where, wrong, right, parts):
    assert diagnosis(where=where, wrong_line=wrong, right_line=right).parts == parts


def test_a_diagnosis_in_words_says_its_layer_if_it_has_one():
    assert str(diagnosis()) == "cause. evidence"
    assert str(Diagnosis("cause", None, 2, "evidence", 1.0)) == "cause (layer 2). evidence"


@pytest.mark.parametrize("certain", [True, False])
def test_what_is_told_of_an_edited_line(certain):
    cause = Cause("layer 1, dense", "a = b", "a = c", 0.0, certain, ("W",), ("b",), ("x: y",))
    told = of_line(cause, facts({"W": 2 * RIGHT["W"]}))
    assert told.cause == str(cause)
    assert told.evidence == (
        "With this line, backward leaves 1e-16 of the deviation open. Only W is wrong."
    )
    assert (told.score, told.certain) == (0.98 if certain else 0.5, certain)
    assert (told.where, told.wrong_line, told.right_line) == ("layer 1, dense", "a = b", "a = c")
    assert (told.residual, told.alike, told.left_open) == (0.0, ("x: y",), ("b",))
    assert (told.bug, told.layer, told.whose) == (None, None, "")


def test_masks_are_thought_of_where_all_is_wrong_in_a_network_with_dropout():
    both = {k: 2 * v for k, v in RIGHT.items()}
    (told,) = _other_masks(facts(both, dropout_rate=0.5))
    assert told.cause.startswith("perhaps the dropout masks are not the same in all three places")
    assert told.score == 0.2
    assert _other_masks(facts(both)) == []
    assert _other_masks(facts({"W": 2 * RIGHT["W"]}, dropout_rate=0.5)) == []


def test_of_a_function_numbers_alone_tell_or_nothing_is_known():
    (told,) = causes.diagnose_black_box(facts({"W": 2 * RIGHT["W"]}))
    assert (told.cause, told.score) == ("the gradient there is exactly double", 0.9)
    (told,) = causes.diagnose_black_box(facts({"W": RIGHT["W"] + np.eye(2, 3)}))
    assert (told.cause, told.score, told.evidence) == ("no known pattern", 0, "Only W is wrong.")


# -- suspects ------------------------------------------------------------------------------------


def test_what_a_suspect_leaves_of_the_deviation():
    """Of W the deviation is 2 long in one entry, of b 1; the suspect is 0.5 and 0.1 off these."""
    off = {"W": np.diag([2.0, 0, 0])[:2], "b": np.array([1.0, 0, 0])}
    of = facts({k: v + off[k] for k, v in RIGHT.items()})
    near = suspect(W=RIGHT["W"] + 0.75 * off["W"], b=RIGHT["b"] + 0.9 * off["b"])
    assert residual(of, near) == left_over(of, near) == pytest.approx(0.25)
    assert residual(facts({"b": RIGHT["b"] + off["b"]}), near) == pytest.approx(0.1)  # in b alone
    same = suspect(**{k: v + off[k] for k, v in RIGHT.items()})
    assert residual(of, same) == left_over(of, same) == 0
    # where the gradient is right a suspect must be, too: far less than the tensor counts
    alone = facts({"b": RIGHT["b"] + off["b"]})
    spoils = suspect(b=RIGHT["b"] + off["b"], W=RIGHT["W"] + 1e-3)
    assert residual(alone, spoils) == 0
    norm = np.linalg.norm(RIGHT["W"])
    assert left_over(alone, spoils) == pytest.approx(1e-3 * np.sqrt(6) / (2e-6 * norm), rel=1e-2)


def test_a_bug_that_cannot_fit_by_chance_is_certain():
    one = facts({"b": [5.0]}, {"b": np.array([1.0])})
    three = facts({"b": 2 * RIGHT["b"]})
    assert _is_proof(0.0, one)
    assert _is_proof(1e-8, one)
    assert not _is_proof(3e-8, one)  # 7.5 digits in all
    assert _is_proof(3e-8, three)
    assert not _is_proof(2e-6, three)  # is seen
    assert _is_proof(5e-4, facts({"b": 2 * RIGHT["b"]}, rounding=1e-5))
    assert not _is_proof(5e-3, facts({"b": 2 * RIGHT["b"]}, rounding=1e-5))


def test_suspects_that_fit_are_told_with_their_twins():
    of = facts({"b": 2 * RIGHT["b"]})
    exact = [(0.0, suspect("one", b=2 * RIGHT["b"])), (1e-4, suspect("two", b=2 * RIGHT["b"]))]
    one, two = _exact(exact, of, {})
    assert (one.cause, one.bug, one.layer, one.certain) == ("what one does", "one", 1, True)
    assert one.evidence == (
        "Planted in this network it leaves 1e-16 of the deviation open. Only b is wrong. Here it "
        "cannot be told from two."
    )
    assert "leaves 1e-04 of" in two.evidence
    assert two.evidence.endswith("told from one.")
    assert (one.score, two.score) == (1, 1 - 1e-4)
    assert one.residual == two.residual == 0
    (alone,) = _exact(exact[:1], of, {})
    assert alone.evidence.endswith("Only b is wrong.")
    (far,) = _exact([(1e-4, suspect(b=2.001 * RIGHT["b"]))], of, {})
    assert far.residual == pytest.approx(1e-3)
    assert not far.certain


@pytest.fixture
def agreeing(monkeypatch):
    """Let the suspects that are asked for agree on another batch: `asked` has their names."""
    monkeypatch.setattr(causes, "_agrees", lambda suspect, asked: suspect.bug in asked)


@pytest.mark.usefixtures("agreeing")
def test_of_suspects_that_fit_those_are_told_that_fit_another_batch_too():
    of = facts({"b": 2 * RIGHT["b"]})
    one, two = (suspect(bug, b=2 * RIGHT["b"]) for bug in ("one", "two"))
    other = suspect("other", W=2 * RIGHT["W"])
    pattern, same = diagnosis("a pattern"), diagnosis("known", "one")
    told = lambda found, asked: [  # noqa: E731
        (d.cause, d.certain) for d in _with_suspects(found, of, [one, two, other], {}, asked)
    ]
    both = [("what one does", True), ("what two does", True)]
    assert told([], None) == both
    assert told([pattern, same], None) == [*both, ("a pattern", False)]
    assert told([], ["two"]) == both[1:]
    unsure = [("perhaps what one does", False), ("perhaps what two does", False)]
    assert told([pattern], ["other"]) == [*unsure, ("a pattern", False)]
    first = _with_suspects([], of, [one, two], {}, ["other"])[0]
    assert first.evidence.endswith("told from two. On another batch it is not the same.")
    assert first.score == 0.5


@pytest.mark.parametrize(("off", "is_one"), [(0.9 * EXACT, True), (1.1 * EXACT, False)])
def test_how_little_a_suspect_may_leave(off, is_one):
    of = facts({"b": 2 * RIGHT["b"]})
    found = _with_suspects([], of, [suspect(b=(2 - off) * RIGHT["b"])], {}, None)
    assert [d.cause.startswith("perhaps at another strength") for d in found] == [not is_one]


def test_where_no_suspect_fits_patterns_are_told_then_what_is_alike_then_what_draws_numbers():
    of = facts({"b": RIGHT["b"] + [0.3, -0.1, 0.2]})
    longer = suspect("longer", b=RIGHT["b"] + np.array([0.6, -0.2, 0.4]))
    draws = suspect("draws", random=True, b=RIGHT["b"] + 1)
    told = lambda found, *s: [d.cause for d in _with_suspects(found, of, [*s], {}, None)]  # noqa: E731
    assert told([diagnosis("a pattern")], longer, draws) == ["a pattern"]
    (cause,) = told([], longer, draws)
    assert cause == "perhaps at another strength, 0.5 times this: what longer does"
    assert told([], draws) == ["perhaps what draws does"]
    assert told([], suspect("elsewhere", W=2 * RIGHT["W"])) == []


def test_a_deviation_of_another_length_has_the_same_direction():
    of = facts({"b": RIGHT["b"] + [1.0, 0.0, 0.0]})
    for more, is_alike in (((0.0, 0.0), True), ((0.04, 0.0), True), ((0.05, 0.0), False)):
        other = suspect(b=RIGHT["b"] + np.array([4.0, *(4 * np.array(more))]))
        along = 1 / np.hypot(1, more[0])
        assert (along > ALONG) == is_alike
        found = _alike(of, [other])
        assert len(found) == is_alike
        for told in found:
            assert f"the deviation is {0.25 * along**2:.3g} times what bug gives" in told.evidence
            assert f"(cosine {along:.6f}). Only b is wrong." in told.evidence
            assert told.score == pytest.approx(0.6 * along)
            assert (told.bug, told.layer) == ("bug", 1)
    assert _alike(of, [suspect()]) == []  # which spoils nothing
    assert _alike(of, [suspect(b=RIGHT["b"] - np.array([1.0, 0, 0]))]) == []


def test_what_draws_numbers_must_spoil_just_what_is_wrong():
    of = facts({"b": RIGHT["b"] + 1})
    spoils = lambda **gradient: [d.bug for d in _drawn(of, [suspect(random=True, **gradient)])]  # noqa: E731
    assert spoils(b=RIGHT["b"] * 3) == ["bug"]
    assert spoils(b=RIGHT["b"] * (1 + 2e-4)) == ["bug"]
    assert spoils(b=RIGHT["b"] * (1 + 0.5e-4)) == []  # that is nothing
    assert spoils(W=RIGHT["W"] * 3) == spoils(b=RIGHT["b"] * 3, W=RIGHT["W"] * 3) == []
    assert _drawn(of, [suspect(b=RIGHT["b"] * 3)]) == []
    (told,) = _drawn(of, [suspect(random=True, b=RIGHT["b"] * 3)])
    assert told.evidence.startswith("Only b is wrong, and it stands there. It draws numbers of")
    assert told.score == 0.3


# -- what else would give the same ---------------------------------------------------------------


def test_zeros_may_have_come_in_several_ways():
    never, axis = "it is never computed", "over the other axis"
    end = ": all of this gives 0 here"
    zero, tiny = {"b": 0 * RIGHT["b"]}, {"b": 1e-12 * RIGHT["b"]}
    assert _as_well(facts(zero), {}) == f", or {never}{end}"
    assert _as_well(facts(zero, outputs=4), {}) == f", or {axis}, or {never}{end}"
    assert _as_well(facts(tiny, outputs=4), {}) == f", or {axis}{end}"
    assert _as_well(facts(tiny), {}) == ""
    assert _as_well(facts({"W": 0 * RIGHT["W"]}, outputs=4), {}) == f", or {never}{end}"
    both = {"W": 2 * RIGHT["W"], **zero}
    assert _as_well(facts(both, outputs=4), {}) == ""  # not all that is wrong is 0


def test_a_factor_may_be_of_other_sizes():
    seven = {"W": np.cos(np.arange(14.0)).reshape(2, 7), "b": np.cos(np.arange(7.0))}

    def said(factor, batch, outputs, *wrong, **more):
        spoiled = {k: factor * seven[k] for k in wrong or ("b",)}
        of = facts(spoiled, seven, outputs=outputs)
        found = _as_well(of, {"N": batch, "K": outputs, **seven, **more})
        return found.removeprefix("; its factor is ").removesuffix(" here: it may be either")

    assert said(4.0, 4, 4) == "N = K"
    assert said(2.0, 6, 3) == "2 = N / K"
    assert said(1 / 6, 6, 5) == ""  # 1 / N alone
    assert said(0.5, 3, 5) == ""  # nobody takes N - 1 for 2
    assert said(7.0, 7, 5) == "N = b.shape[0]"
    assert said(7.0, 7, 5, "W") == "N = W.shape[1]"
    assert said(7.0, 7, 7) == "N = K"  # b has as many as there are outputs
    assert said(7.0, 7, 5, H=6) == ""
    assert said(7.0, 7, 5, "b", "W") == ""  # of which?
    assert _as_well(facts({"b": 4 * RIGHT["b"]}), {}) == ""
    assert _as_well(facts({"b": RIGHT["b"] + [0, 1, 0]}), {"N": 4, "K": 4}) == ""


def test_the_sizes_of_a_network_are_known_unless_another_batch_was_asked_about():
    of, x = facts({"b": 2 * RIGHT["b"]}), np.zeros((5, 4, 2))
    net = SimpleNamespace(params={"W": 1}, batch_axis=0, hidden=7)
    assert _sizes(of, net, x, None) == {"N": 4, "K": 3, "W": 1}
    net.batch_axis = 1
    assert _sizes(of, net, x, None) == {"N": 4, "K": 3, "W": 1, "T": 5, "H": 7}
    assert _sizes(of, net, x, SimpleNamespace()) == {}


# -- the whole way -------------------------------------------------------------------------------


def test_a_gradient_is_the_networks_own_if_its_code_gives_it_again():
    of = facts({"b": 2 * RIGHT["b"]})
    gives = lambda gradient: SimpleNamespace(gradient=gradient)  # noqa: E731
    point = lambda gradient: Point(gives(gradient), None, None, None)  # noqa: E731
    assert _is_its_own(of, point(lambda *_: RIGHT | {"b": 2 * RIGHT["b"]}))
    assert not _is_its_own(of, point(lambda *_: RIGHT))
    assert not _is_its_own(of, point(lambda *_: RIGHT | {"b": 2.0000001 * RIGHT["b"]}))
    assert not _is_its_own(of, point(lambda *_: 1 / 0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("method", ["full", "sampled"])
def test_edited_lines_are_asked_about_the_numbers_as_they_came(dtype, method, monkeypatch):
    asked = []
    monkeypatch.setattr(causes, "explain", lambda *given: asked.append(given) or [])
    net = gl.mlp([3, 4, 2], seed=0)
    x, y = np.random.default_rng(0).standard_normal((5, 3)), np.array([0, 1, 1, 0, 1])
    a = {k: np.asarray(2.5 * g, dtype) for k, g in net.gradient(x, y).items()}
    report = gl.check(net, x, y, analytic=a, method=method, samples=3)
    of, point = Facts.of(report, net, x), Point(net, x, y, None)
    assert _edited_lines(report, of, point, None) == []
    ((given, analytic, numerical, bounds, entries, gradient),) = asked
    assert given is point
    assert gradient is None
    assert {v.dtype for v in analytic.values()} == {np.dtype(dtype)}
    assert all(np.array_equal(v, of.analytic[k]) for k, v in analytic.items())
    assert (numerical, bounds) == (of.numerical, of.bounds)
    if method == "full":
        assert entries is None
    else:
        assert all(np.array_equal(entries[k], report[k].entries) for k in report)
    drawn = point._replace(masks=np.random.default_rng(0))
    assert _edited_lines(report, of, drawn, None) == []
    assert len(asked) == 1


def test_the_most_probable_comes_first_and_nothing_vague_beside_what_is_certain(monkeypatch):
    net = gl.mlp([3, 4, 2], seed=0)
    x, y = np.random.default_rng(0).standard_normal((5, 3)), np.array([0, 1, 1, 0, 1])
    wrong = {k: 2.5 * g for k, g in net.gradient(x, y).items()}
    report = gl.check(net, x, y, analytic=wrong)
    edited = []

    def told(found, with_data=True, lines=()):
        edited.clear()
        monkeypatch.setattr(causes, "by_patterns", lambda facts: list(found))
        monkeypatch.setattr(causes, "_with_suspects", lambda found, *_: found)
        monkeypatch.setattr(causes, "_edited_lines", lambda *_: edited.append(1) or [*lines])
        given = (net, x, y) if with_data else ()
        return [d.cause for d in gl.diagnose(report, *given)]

    low, high = diagnosis("low", score=0.2), diagnosis("high", score=0.8)
    sure = diagnosis("sure", score=0.5, certain=True)
    assert told([low, high]) == ["high", "low"]
    assert edited == [1]
    assert told([low, high, sure]) == ["sure"]
    assert told([low, high], lines=[sure]) == ["sure"]
    assert told([low, high], with_data=False) == ["high", "low"]
    assert edited == []
    told([diagnosis("all", score=1 - 1e-7)])
    assert edited == []  # it leaves nothing open
    told([diagnosis("nearly all", score=1 - 1e-5)])
    assert edited == [1]
    assert told([]) == ["no known pattern"]
    assert "gl.bisect(net, x, y) finds the first wrong step" in gl.diagnose(report)[0].evidence

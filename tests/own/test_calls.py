"""How a forward and a backward want to be called, what they return, and other inputs for them."""

from dataclasses import replace

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.judge import KINK
from gradlab.checking.verdict import Verdict
from gradlab.own import layer as layers
from gradlab.own.above import LINEAR, check_from_above, first_wrong, others
from gradlab.own.calls import CACHE, DOUT, INPUT, OUT, names_of, plan, words_of
from gradlab.own.code import LayerCode, projection
from gradlab.own.elsewhere import _drawn, _larger, places
from gradlab.own.returned import gradients_of

A = np.ones((4, 3))
out, one, two, cache, first = (DOUT, 0), (DOUT, 1), (DOUT, 2), (CACHE, 0), (OUT, 0)
x, w, b = (INPUT, 0), (INPUT, 1), (INPUT, 2)
NAMES = ("x", "w", "b")


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("returned", "backward", "outs", "handed", "above"),
    [
        (A, lambda dout: 0, 1, (out,), "dout"),
        (A, lambda dout, x, w, b: 0, 1, (out, x, w, b), "dout"),
        (A, lambda g, b, x: 0, 1, (out, b, x), "g"),
        (A, lambda g, W, X: 0, 1, (out, w, x), "g"),
        (A, lambda dout, one, two, three: 0, 1, (out, x, w, b), "dout"),
        (A, lambda dout, x, out: 0, 1, (out, x, first), "dout"),
        (A, lambda dout, output: 0, 1, (out, first), "dout"),
        (A, lambda dout, x, w, b=3: 0, 1, (out, x, w, b), "dout"),
        (A, lambda dout, x, scale=3: 0, 1, (out, x), "dout"),
        ((A, 3), lambda dout, cache: 0, 1, (out, cache), "dout"),
        ((A, 3), lambda dout, kept: 0, 1, (out, cache), "dout"),
        ((A, 3), lambda dout, x, kept: 0, 1, (out, x, cache), "dout"),
        ((A, 3), lambda dout: 0, 1, (out,), "dout"),
        ((A, A, 3), lambda dh, dc, cache: 0, 2, (out, one, cache), "dh"),
        ((A, A, A), lambda a, b_, c: 0, 2, (out, one, cache), "a"),
        ([A, 3], lambda dout, cache: 0, 1, (out, cache), "dout"),
        ((A,), lambda dout, x: 0, 1, (out, x), "dout"),
        (0.5, lambda x, w: 0, 1, (x, w), "dout"),
        (0.5, lambda dout, x: 0, 1, (out, x), "dout"),
        ((0.5, A), lambda cache: 0, 1, (cache,), "dout"),
        ((A, A), lambda *arguments: 0, 1, (out, cache), "dout"),
        ((A, A, 3), lambda *arguments: 0, 2, (out, one, cache), "dout"),
        ((A, A), min, 1, (out, cache), "dout"),  # has no signature
        ((A, 3), lambda dout, scale=1.0: 0, 1, (out,), "dout"),  # a default is no cache
        (A, lambda dout, x, /, *, key=1: 0, 1, (out, x), "dout"),
        ((A, A, 3), lambda one, two, kept: 0, 2, (out, one, cache), "one"),
        ((0.5, 3), lambda kept: 0, 1, (cache,), "dout"),
        ((A, 3), lambda dout, w, kept, x: 0, 1, (out, w, cache, x), "dout"),
        ((A, 3), lambda dout, one, two, three: 0, 1, (out, x, w, b), "dout"),
    ],
)
def test_what_backward_is_handed(returned, backward, outs, handed, above):
    calls = plan(NAMES, returned, backward)
    assert (calls.outs, calls.handed) == (outs, handed)
    assert calls.above == above
    assert calls.is_tuple == isinstance(returned, tuple | list)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("cache_", "outs", "handed"), [(True, 1, (out, cache)), (False, 2, (out, one))]
)
def test_who_says_whether_there_is_a_cache_is_believed(cache_, outs, handed):
    calls = plan(("x",), (A, A), lambda da, db: 0, cache_)
    assert (calls.outs, calls.handed) == (outs, handed)
    with pytest.raises(TypeError, match="it is not clear"):
        plan(("x",), (A, A), lambda da, db: 0)
    with pytest.raises(TypeError, match="it is not clear"):
        plan(("x",), (A, 3), lambda da, db: 0, False)  # 3 is no output
    with pytest.raises(TypeError, match="it is not clear"):
        plan(("x",), (A, A), lambda *arguments: 0, False)


@pytest.mark.parametrize(
    ("words", "outs"),
    [
        ({"diff"}, 1), ({"other"}, None), ({"diff", "iff"}, None), ({"iff"}, 2), ({"pred"}, None),
    ],
)  # fmt: skip
def test_a_name_of_forwards_own_is_no_gradient_and_that_of_an_output_is_one(words, outs):
    def backward(dloss, diff):
        return 0

    if outs is None:
        with pytest.raises(TypeError, match="it is not clear"):
            plan(("x",), (A, A), backward, None, words)
    else:
        assert plan(("x",), (A, A), backward, None, words).outs == outs


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("returned", "backward", "words"),
    [
        (
            A,
            lambda: 0,
            r"got backward\(…\), where forward\(x, w, b\) returns one thing, the output",
        ),
        (A, lambda dout, p, q, r, s: 0, r"backward\(dout, p, q, r, s\)"),
        ((A, 1, 2), lambda p: 0, "returns 3 things"),
        (A, lambda x: 0, "it is not clear"),  # of the inputs alone, and nothing from above
        (0.5, lambda dout: 0, None),
        ((A,), lambda x: 0, "returns 1 things"),
        ((A, 3), lambda dout, one, two: 0, "returns 2 things"),  # two kept things
        (A, lambda dout, one: 0, "it is not clear"),  # one of three inputs
        ((A, 0.5), lambda da, db, w: 0, "it is not clear"),  # a cache, or a second output
        (A, lambda dout, *, key: 0, "one that needs key by name"),
    ],
)
def test_what_cannot_be_told_is_refused(returned, backward, words):
    if words is None:
        assert plan(NAMES, returned, backward).handed == (out,)
        return
    with pytest.raises(TypeError, match=words):
        plan(NAMES, returned, backward)


def test_what_forward_calls_its_inputs():
    def several(a, *rest, scale=1.0):
        return a

    assert names_of(several, (1, 2, 3)) == ("a", "rest[0]", "rest[1]")
    assert names_of(several, (1,)) == ("a",)
    assert names_of(min, (1, 2)) == ("input1", "input2")  # has no signature
    with pytest.raises(TypeError, match=r"forward\(a, \*rest, scale=1.0\) takes, got 0 inputs"):
        names_of(several, ())
    assert {"a", "rest", "scale"} <= words_of(several)
    assert words_of(min) == frozenset()

    class Layer:
        def forward(self, x):
            inside = np.tanh(x)
            return inside

    assert {"x", "inside", "tanh"} <= words_of(Layer().forward)


# -- what backward returns -----------------------------------------------------------------------

INPUTS = {"x": A, "n": 3, "w": np.ones(2)}


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (2 * A, None),  # one array, for two arrays of floats, of the first's shape
        ((2 * A, np.zeros(2)), {"x": 2, "w": 0}),
        ([2 * A, np.zeros(2)], {"x": 2, "w": 0}),
        ((2 * A, None, np.zeros(2)), {"x": 2, "w": 0}),
        ((None, None, np.zeros(2)), {"w": 0}),
        ({"dw": np.zeros(2), "x": 2 * A}, {"x": 2, "w": 0}),
    ],
)
def test_one_gradient_for_each_input(answer, found):
    grads = gradients_of(answer, INPUTS, ["x", "w"])
    wanted = {"x": 2} if found is None else found
    assert [*grads] == [*wanted]
    assert {name: float(g.ravel()[0]) for name, g in grads.items()} == wanted
    for g in grads.values():
        assert not any(np.shares_memory(g, v) for v in (answer, A) if isinstance(v, np.ndarray))


def test_a_gradient_of_what_has_none_is_told():
    left = []
    grads = gradients_of((2 * A, 5.0, np.zeros(2)), INPUTS, ["x", "w"], left)
    assert ([*grads], left) == (["x", "w"], ["n"])
    with pytest.raises(TypeError, match=r"input n must be handed over as arrays.* it is a dict"):
        gradients_of({"x": A, "n": {"a": 1}}, {**INPUTS, "n": {}}, ["x", "w"])
    with pytest.raises(
        ValueError, match=r"2 gradients, of x, w, or 3, one for each input .*got 1$"
    ):
        gradients_of((A,), INPUTS, ["x", "w"])
    with pytest.raises(ValueError, match=r"must return 1 gradients, of x \(None .*'dx'.*, got 3"):
        gradients_of((A, A, A), {"x": A}, ["x"])


# -- a layer as a function -----------------------------------------------------------------------


def test_what_stands_above_is_1_for_a_loss_and_else_random_and_away_from_0():
    assert [a.tolist() for a in projection([()], np.dtype(np.float32))] == [1.0]
    assert projection([()], np.dtype(float), 1)[0] != 1
    assert projection([(), ()], np.dtype(float))[0] != 1
    (numbers,) = projection([(500,)], np.dtype(float))
    assert (np.abs(numbers) >= 0.5).all()
    assert (np.abs(numbers) <= 1.5).all()
    assert 200 < (numbers > 0).sum() < 300
    assert np.abs(numbers).min() < 0.52
    assert np.abs(numbers).max() > 1.48
    assert projection([(3,)], np.dtype(np.float32))[0].dtype == np.float32


def test_a_float_gets_a_float_from_above_and_an_array_an_array():
    seen = []

    def mse(x):
        return float(np.sum(x**2)), x

    def backward(dout, x):
        seen.append(type(dout))
        return 2 * dout * x

    assert gl.check_layer(mse, backward, A).verdict == "correct"
    assert set(seen) == {np.float64}
    seen.clear()
    assert gl.check_layer(lambda x: (np.asarray(np.sum(x**2)), x), backward, A).verdict == "correct"
    assert set(seen) == {np.ndarray}


def test_numbers_of_the_global_generator_are_the_same_at_each_call_and_it_goes_on_as_before():
    drawn = []

    def forward(x):
        mask = np.random.rand(*x.shape) < 0.5  # noqa: NPY002 - as people do
        drawn.append(mask.tobytes())
        return x * mask, mask

    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    assert gl.check_layer(forward, lambda dout, mask: dout * mask, A).verdict == "correct"
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    assert len(set(drawn)) == 1
    draws = LayerCode(forward, lambda dout, mask: dout * mask, (A,))
    assert draws.draws
    assert not LayerCode(np.tanh, lambda dout, x: dout, (A,)).draws
    by_backward = LayerCode(np.tanh, lambda dout, x: dout * np.random.rand(), (A,))  # noqa: NPY002
    assert by_backward.draws


def test_what_a_layer_is_as_a_function_of_one_vector():
    own = LayerCode(
        lambda x, n, w: (n * x @ w, n * (x @ w) ** 2),
        lambda d, e, x, n, w: (n * np.outer(d + 2 * e * (x @ w), w), None),
        (A[:, :2], 2, INPUTS["w"]),
        cache=False,
    )  # fmt: skip
    assert own.names == ("x", "n", "w")
    assert own.floats == ["x", "w"]
    assert own.checked == ["x"]
    assert own.layout == {"x": (0, 8, (4, 2))}
    assert own.shapes == [(4,), (4,)]
    theta = np.arange(8.0)
    rows = theta.reshape(4, 2).sum(axis=1)
    expected = np.sum(own.above[0] * 2 * rows) + np.sum(own.above[1] * 2 * rows**2)
    assert own(theta) == pytest.approx(expected)
    assert own.remarks == ["Not checked, for backward returns no gradient: w"]
    outs, nothing = own.at({"x": np.zeros((4, 2))})
    assert [o.tolist() for o in outs] == [[0.0] * 4] * 2
    assert nothing == {}
    assert np.array_equal(own.inputs["x"], A[:, :2])
    assert own.inputs["x"] is not A


def test_settings_that_cannot_be_copied_are_handed_on():
    import threading

    lock = threading.Lock()
    settings = {"lock": lock, "scale": [2.0]}

    def forward(x, settings):
        assert settings["lock"] is lock
        settings["scale"][0] += 0  # a copy
        return x * settings["scale"][0], settings

    report = gl.check_layer(forward, lambda dout, s: dout * s["scale"][0], A, settings)
    assert report.verdict == "correct"
    assert settings == {"lock": lock, "scale": [2.0]}


def test_a_gradient_that_is_missing_at_a_later_call_is_named():
    calls = []

    def backward(dout, a, w):
        calls.append(1)
        return (dout @ w.T, a.T @ dout) if len(calls) < 2 else (dout @ w.T, None)

    with pytest.raises(ValueError, match="the same gradients at each call, got none for w"):
        gl.check_layer(lambda a, w: a @ w, backward, A, np.ones((3, 2)))


# -- kinks ---------------------------------------------------------------------------------------


def pairs(x):
    """Return the larger of each two neighbours: two outputs may come from one entry."""
    return np.maximum(x[:, :-1], x[:, 1:]), x


def to_the_left(dout, x):
    dx, left = np.zeros_like(x), x[:, :-1] >= x[:, 1:]
    dx[:, :-1] += dout * left
    dx[:, 1:] += dout * ~left
    return dx


TIED = np.repeat(np.array([20.0, -5.0, 1.0, 30.0, 2.0, -8.0]), 3).reshape(6, 3)


def test_inputs_are_moved_off_a_kink_by_a_hundredth_of_their_size_at_most():
    code = LayerCode(pairs, to_the_left, (TIED,))
    first = layers._judged(code, {})
    assert first.verdict == Verdict.INCONCLUSIVE
    moved, there = layers._beside_the_kinks(code, first, {})
    size = np.sqrt(np.mean(TIED**2))
    by = np.abs(moved.theta - code.theta) / size
    assert (by >= 0.005 * (1 - 1e-9)).all()
    assert (by <= 0.01 * (1 + 1e-9)).all()
    assert {*np.sign(moved.theta - code.theta)} == {-1, 1}
    assert len({*by.round(9)}) == by.size
    assert np.array_equal(moved.inputs["x"].ravel(), moved.theta)
    assert np.array_equal(code.inputs["x"], TIED)
    assert there.verdict == Verdict.CORRECT
    zero = LayerCode(pairs, to_the_left, (0 * TIED,))
    moved, there = layers._beside_the_kinks(zero, layers._judged(zero, {}), {})
    assert (np.abs(moved.theta) >= 0.005).all()  # of what is 0 the size is 1
    assert (np.abs(moved.theta) <= 0.01).all()
    assert there.verdict == Verdict.CORRECT


def test_what_is_tied_is_counted_tensor_by_tensor_and_both_checks_are_counted():
    code = LayerCode(pairs, to_the_left, (TIED,))
    first = layers._judged(code, {})
    marked = int((first["x"].marks == KINK).sum())
    assert marked
    assert layers._marked(first, KINK) == f"{marked} of x"
    assert layers._marked(first, "bug") == ""
    report = gl.check_layer(pairs, to_the_left, TIED)
    assert report.verdict == "correct"
    assert f"for a max, are {marked} of x: no step gives a slope" in report.remarks[0]
    assert "by up to 1% of their size" in report.remarks[0]
    _, there = layers._beside_the_kinks(code, first, {})
    assert report.evaluations == first.evaluations + there.evaluations
    apart = gl.check_layer(pairs, to_the_left, TIED + np.arange(3) * 0.1)
    assert apart.remarks == ()


# -- what comes from above -----------------------------------------------------------------------

G = np.array([1.0, -2.0, 0.5])


def asked(answer, **options):
    above, second = [np.array([1.0, 2.0, 3.0])], [np.array([-1.0, 0.5, 2.0])]
    report = gl.check_function(lambda t: float(G @ t), lambda t: G, np.ones(3))
    return others(answer, above, second, report, "dout", **options), above, second


def test_a_backward_that_is_linear_is_asked_nothing_more():
    assert asked(lambda above: above[0] * G)[0] == []
    (tried, *_), _, second = asked(lambda above: above[0] * G, always=True)
    assert tried == (second, "Backward is right for the dout that it gets, and wrong for another.")


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("answer", "asks"),
    [
        (lambda above: 0 * above[0], ""),
        (lambda above: np.abs(above[0]) * G, "two mixed"),
        (lambda above: np.clip(above[0], -100, 100) * G, "loud mixed"),
        (lambda above: np.clip(above[0], -2999, 2999) * G, "loud mixed"),
        (lambda above: np.clip(above[0], -3001, 3001) * G, ""),  # of a thousand times 3 nothing
        (lambda above: above[0] * G + 1e-6, "two mixed"),
        (lambda above: above[0] * G * (1 + 1e-14 * above[0]), ""),
        (lambda above: np.float32(above[0] * G * (1 + 1e-9 * above[0])), ""),
        (lambda above: np.float32(above[0] * G * (1 + 1e-2 * above[0])), "two mixed"),
    ],
)
def test_one_that_is_not_is_asked_with_what_shows_it(answer, asks):
    tried, (a,), (b,) = asked(answer)
    known = {"two": b, "mixed": a / 2 - 2 * b, "loud": 1000 * a}
    assert [
        [name for name, v in known.items() if np.allclose(above[0], v)] for above, _ in tried
    ] == [[name] for name in asks.split()]
    assert all("it is not linear in dout, as every gradient is" in why for _, why in tried)
    assert LINEAR == {8: 1e-9, 4: 1e-4}


def test_where_a_gradient_is_0_throughout_other_numbers_are_tried():
    tensors = {"a": (0, 1, (1,)), "b": (1, 2, (1,))}
    f, grad = lambda t: float(t[0] ** 2 + 0 * t[1]), lambda t: 2 * t * [1, 0]
    report = gl.check_function(f, grad, np.ones(2), tensors=tensors)
    above, second = [np.ones(2)], [np.array([2.0, 3.0])]
    ((tried, why),) = others(lambda a: a[0] * 1.0, above, second, report, "dout")
    assert tried is second
    assert why == "A second dout was tried, for a gradient was 0 throughout with the first."


class Told:
    """A report as `first_wrong` reads it."""

    def __init__(self, verdict, evaluations=10):
        self.verdict, self.evaluations, self.find_remarks = Verdict(verdict), evaluations, None


@pytest.mark.parametrize(
    ("first", "tried", "judged", "evaluations", "said"),
    [
        ("correct", [], "first", 0, ()),
        ("correct", ["correct"], "first", 10, ()),
        ("correct", ["wrong"], 0, 10, ("why 0",)),
        ("correct", ["correct", "wrong", "wrong"], 1, 20, ("why 1",)),
        ("inconclusive", ["correct"], 0, 10, ()),
        ("inconclusive", ["inconclusive"], "first", 10, ()),
        ("inconclusive", ["correct", "correct"], 0, 20, ()),
        ("correct", ["inconclusive"], "first", 10, ()),
    ],
)
def test_the_report_that_counts_is_that_of_the_first_that_is_wrong(
    first, tried, judged, evaluations, said
):
    reports = {"first": Told(first, 5), **{k: Told(v) for k, v in enumerate(tried)}}
    pairs = ((k, f"why {k}") for k in range(len(tried)))
    assert first_wrong(reports["first"], pairs, reports.get) == (reports[judged], evaluations, said)


def test_of_code_that_is_wrong_or_cannot_be_asked_nothing_more_is_tried():
    class Own:
        theta, layout = np.ones(3), None
        above, other_above, asked, factor = [np.ones(3)], [np.arange(3.0)], 0, 2

        def __call__(self, theta):
            return float(G @ theta)

        def gradient(self, theta):
            return self.factor * G

        def answer(self, above):
            Own.asked += 1
            raise OverflowError

        def ask_with(self, above):
            raise AssertionError

    own = Own()
    once = [gl.check_function(own, factor * G, own.theta).evaluations for factor in (2, 1)]
    report = check_from_above(own, "dout")
    assert (report.verdict, report.evaluations, own.asked) == ("wrong", once[0], 0)
    own.factor = 1
    report = check_from_above(own, "dout")
    assert (report.verdict, report.evaluations, own.asked) == ("correct", once[1], 1)


class Framework:
    """f = G · t, whose gradient is right for what comes from above, times `spoil` of it."""

    above, other_above, asked = [np.arange(1.0, 4.0)], [np.array([-1.0, 0.5, 2.0])], ()

    def __init__(self, spoil, remark=None):
        self.spoil, self.remark = spoil, remark

    def answer(self, above):
        return above[0] * G * self.spoil(above[0])

    def ask_with(self, above):
        self.above, self.asked = above, (*self.asked, above)

    def judge(self):
        report = gl.check_function(
            lambda t: float(self.above[0] * G @ t), lambda t: self.answer(self.above), np.ones(3)
        )
        found = None if self.remark is None else lambda: (self.remark,)
        return replace(report, find_remarks=found)


@pytest.mark.parametrize("remark", [None, "of the first"])
def test_what_is_said_and_counted_of_a_framework_is_that_of_all_that_ran(remark):
    own = Framework(lambda above: 1.0, remark)
    first = own.judge()
    report = check_from_above(own, own.judge, "cotangent")
    assert report[1] == first.evaluations
    assert report[0].remarks == (() if remark is None else (remark,))
    assert own.asked == ()
    above = Framework.above[0]
    own = Framework(lambda given: 1.0 if np.array_equal(given, above) else 2.0, remark)
    report, evaluations = check_from_above(own, own.judge, "cotangent")
    assert report.verdict == "wrong"
    assert len(own.asked) == 1  # the first that is wrong is told
    assert evaluations == first.evaluations + own.judge().evaluations
    *before, said = report.remarks
    assert before == ([] if remark is None else [remark])
    assert "right for one cotangent and wrong for another" in said


# -- other inputs --------------------------------------------------------------------------------


def dense(x, w, b, scale, labels):
    return (x @ w + b)[labels] * scale, (x, w, scale, labels)


def dense_backward(dout, kept):
    x, w, scale, labels = kept
    d = np.zeros((len(x), w.shape[1]))
    np.add.at(d, labels, dout * scale)
    return {"dx": d @ w.T, "dw": x.T @ d, "db": d.sum(axis=0)}


def own_dense():
    rng = np.random.default_rng(0)
    arrays = rng.standard_normal((4, 3)), rng.standard_normal((3, 2)), rng.standard_normal(2)
    return LayerCode(dense, dense_backward, (*arrays, 2.0, np.array([0, 1, 2, 3, 1])))


def test_right_code_has_the_slopes_of_every_other_place_and_wrong_code_not():
    code = own_dense()
    found = places(code)
    assert len(found) >= 4
    assert [place.is_larger for place in found][:3] == [False, False, True]
    for place in found:
        grads = code.at(place.inputs, place.above)[1]
        assert place.agrees(grads)
        assert not place.agrees({**grads, "w": grads["w"] * (1 + 1e-4)})
        assert [name for name, *_ in place.slopes] == ["x", "x", "w", "w", "b", "b"]
        assert not np.array_equal(place.above[0][0, :2], code.above[0][0, :2])
        ((out,), _) = code.at(place.inputs)
        terms = np.sum(np.abs(place.above[0] * out))
        for *_, noise in place.slopes:  # of a difference over 1e-5: each term is off by 1e-14
            assert noise == pytest.approx(1e-14 * terms / 1e-5, rel=1e-3)
        assert not np.allclose(place.slopes[0][1], place.slopes[1][1])
        assert place.inputs["scale"] == 2.0


def test_other_places_are_moved_have_other_labels_and_other_sizes():
    code = own_dense()
    found = places(code)
    here, there, *larger = (place.inputs for place in found)
    assert np.array_equal(here["labels"], code.inputs["labels"])
    assert not np.array_equal(there["labels"], code.inputs["labels"])
    assert set(there["labels"]) <= {0, 1, 2, 3}
    each_once = LayerCode(dense, dense_backward, (*list(code.inputs.values())[:4], np.arange(4)))
    for seed in (1, 2, 3):  # else a sum of theirs can be taken for a size
        assert len({*_drawn(each_once, seed)["labels"]}) == 3
    assert [*_drawn(each_once, 1)] == ["labels"]
    for place in (here, there):
        far = np.abs(place["x"] - code.inputs["x"])
        assert 0.1 < far.mean() < 1
    assert not np.array_equal(here["x"], there["x"])
    shapes = {tuple(np.shape(v) for k, v in one.items() if k in ("x", "w", "b")) for one in larger}
    assert ((4, 4), (4, 2), (2,)) in shapes  # D
    assert ((4, 3), (3, 3), (3,)) in shapes  # M
    assert {one["x"].shape[0] for one in larger} >= {4, 5}  # N


def shapes_of(*arrays):
    """Return the shapes of what is `_larger` than some inputs."""
    names = dict(zip("abc", arrays, strict=False))
    code = LayerCode(lambda a, b, c: np.sum(a), lambda dout, a, b, c: np.ones_like(a), arrays)
    return [tuple(one[name].shape for name in names) for one in _larger(code)]


def test_each_size_is_larger_in_all_axes_in_the_first_ones_and_in_the_others():
    assert shapes_of(np.ones((2, 3)), np.ones((3, 2)), np.ones((1, 2))) == [
        ((3, 3), (3, 3), (1, 3)), ((3, 3), (3, 2), (1, 2)), ((2, 3), (3, 3), (1, 3)),
        ((2, 4), (4, 2), (1, 2)), ((2, 3), (4, 2), (1, 2)), ((2, 4), (3, 2), (1, 2)),
    ]  # fmt: skip
    assert shapes_of(np.ones((3, 2)), np.ones((3, 4)), np.ones((3, 2))) == [
        ((4, 2), (4, 4), (4, 2)), ((3, 2), (4, 4), (3, 2)),  # a kernel's rows alone, not a pair's
        ((3, 3), (3, 4), (3, 3)),
        ((3, 2), (3, 5), (3, 2)),
    ]  # fmt: skip
    assert shapes_of(np.ones((2, 3)), np.array(1.0), np.array([0, 1])) == [
        ((3, 3), (), (3,)), ((3, 3), (), (2,)), ((2, 3), (), (3,)), ((2, 4), (), (2,)),
    ]  # fmt: skip


def test_what_is_one_more_is_like_the_first_and_floats_are_moved_a_little():
    inputs = np.arange(6.0).reshape(2, 3), np.array([5, 7]), {"p": 0.5}
    code = LayerCode(lambda a, b, c: np.sum(a), lambda dout, a, b, c: np.ones_like(a), inputs)
    one = next(_larger(code))
    assert one["b"].tolist() == [5, 7, 5]
    assert one["c"] == {"p": 0.5}
    far = one["a"] - np.arange(6.0).reshape(2, 3)[[0, 1, 0]]
    assert 0.03 < far.std() < 0.3
    assert np.array_equal(code.inputs["a"], inputs[0])


def test_a_loss_with_nothing_above_it_gets_1_from_above_everywhere():
    loss = LayerCode(lambda x: np.sum(x**2), lambda x: 2 * x, (A,))
    for place in places(loss):
        assert [a.tolist() for a in place.above] == [1.0]
        assert place.agrees(loss.at(place.inputs, place.above)[1])


@pytest.mark.parametrize("is_raised", [True, False])
def test_where_a_layer_is_defined_nearby_only_a_shorter_shift_is_taken(is_raised):
    def narrow(x):
        if np.abs(x - 1).max() > 0.4:
            if is_raised:
                raise ValueError
            return np.nan * x, x
        return x**2, x

    code = LayerCode(narrow, lambda dout, x: 2 * dout * x, (np.ones((2, 3)),))
    found = [p for p in places(code) if p.inputs["x"].shape == (2, 3)]
    assert found
    for place in found:
        assert 0.01 < np.abs(place.inputs["x"] - 1).max() <= 0.4

    def nowhere(x):
        if not np.allclose(x, 1, atol=1e-4):
            raise ValueError
        return x**2, x

    code = LayerCode(nowhere, lambda dout, x: 2 * dout * x, (np.ones((2, 3)),))
    assert places(code) == []

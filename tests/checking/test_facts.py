"""The facts that causes are told from, and a report as plain data."""

import json
import math

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.along import FunctionAlong, LossAlong
from gradlab.checking.diagnosis import Facts
from gradlab.checking.diagnosis.facts import Factor, _biases, _listed, _numbers
from gradlab.checking.diagnosis.patterns import PATTERNS
from gradlab.checking.report import largest_error, too_small, untested
from gradlab.checking.verdict import about, chance_of_meeting, in_digits
from gradlab.nn.network import Point
from tests.checking.cases import case

# -- a factor ------------------------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("value", "error", "other", "is_it"),
    [
        (2.0, 1e-3, 2.0005, True), (2.0, 1e-3, 2.0015, False), (2.0, 0.1, 2.0, False),
        (2.0, 0.02, 2.0, True), (-1.0, 1e-6, -1.0, True), (2.0, 0.0, 2.0 * (1 + 5e-10), True),
        (2.0, 0.0, 2.0 * (1 + 2e-9), False),
    ],
)  # fmt: skip
def test_whether_a_factor_may_be_a_number(value, error, other, is_it):
    assert Factor(value, error).is_(other) == is_it


def test_a_factor_in_other_units_and_in_words():
    half = Factor(3.0, 0.3).over(-2.0)
    assert (half.value, half.error) == (-1.5, 0.15)
    inverse = Factor(4.0, 0.4).inverse
    assert (inverse.value, inverse.error) == (0.25, pytest.approx(0.025))
    said = {Factor(1 / 3, 1e-3): "0.33", Factor(1 / 3, 1e-6): "0.33333", Factor(2.0, 1e-12): "2",
            Factor(math.pi, 0.0): "3.14159265", Factor(0.0, 0.0): "0", Factor(math.pi, 5.0): "3",
            Factor(-1234.5, 1.0): "-1.23e+03"}  # fmt: skip
    for factor, text in said.items():
        assert str(factor) == text


# -- what is known -------------------------------------------------------------------------------

LAYOUT = {"W1": (0, 4, (2, 2)), "b1": (4, 6, (2,)), "W2": (6, 8, (2, 1))}
THETA = np.linspace(0.3, 1.1, 8)
RIGHT = np.cos(THETA)


def f(t):
    return float(np.sum(np.sin(t)))


def report(factors=1.0, **options):
    return gl.check_function(f, lambda t: np.cos(t) * factors, THETA, tensors=LAYOUT, **options)


def facts(factors=1.0, params=None, first=None, **options):
    return Facts.of(report(factors, **options), params=params, first=first)


def test_of_a_report_alone_names_tell_layers_and_biases():
    known = facts(np.where(np.arange(8) < 4, 2.0, 1.0))
    assert known.wrong == ["W1"]
    assert known.numbers == {"W1": 1, "b1": 1, "W2": 2}
    assert known.biases == {"b1"}
    assert known.weights == {"W1", "W2"}
    assert known.shapes == {"W1": (2, 2), "b1": (2,), "W2": (2, 1)}
    assert (known.groups, known.batch, known.outputs, known.loss_name) == ([], None, None, None)
    assert (known.l2, known.dropout_rate, known.knows_l2, known.rounding) == (0, 0, False, 0)
    assert known.params is None
    assert known.where == "Only W1 is wrong"
    assert not known.sampled
    assert known.live == ["W1", "b1", "W2"]
    assert not known.all_wrong
    assert known.entries_off == 4
    assert known.length == pytest.approx(np.linalg.norm(RIGHT * np.repeat([2, 1], 4)))
    assert facts(2.0).all_wrong
    assert facts(2.0).where == "All tensors are wrong (W1, b1, W2)"


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("name", "number", "is_bias"),
    [("W1", 1, False), ("b12", 12, True), ("beta3", 3, True), ("bias", None, True),
     ("conv2_b", 2, True), ("gamma1", 1, False), ("blob", None, False), ("w", None, False)],
)  # fmt: skip
def test_what_a_name_says(name, number, is_bias):
    assert _numbers([name], None) == {name: number}
    assert (name in _biases({name: (2,)}, None)) == is_bias


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("net", "numbers"),
    [
        (gl.mlp([2, 3, 2]), {"W1": 1, "b1": 1, "W2": 2, "b2": 2}),
        (gl.mlp([2, 3, 2], batch_norm=True),
         {"W1": 1, "b1": 1, "gamma1": 1, "beta1": 1, "W2": 2, "b2": 2}),
        (gl.lstm(2, 3, 2), {"Wx_i": 1, "Wy": 2, "by": 2}),
        (gl.convnet((1, 8, 8), padding=(1, 1), classes=2), {"conv1_W": 1, "conv2_b": 2}),
    ],
)  # fmt: skip
def test_of_a_network_its_layers_are_counted(net, numbers):
    found = _numbers(list(net.params), net)
    assert {name: found[name] for name in numbers} == numbers
    assert _biases({name: v.shape for name, v in net.params.items()}, net) == (
        set(net.params) - set(net.weight_names)
    )


def test_of_a_network_what_it_is_is_known():
    net, x, y = case((4, 5, 3), l2=0.2, dropout_rate=0.3)
    masks = net.draw_masks(len(x), np.random.default_rng(0))
    known = Facts.of(gl.check(net, x, y, masks=masks), net, x)
    assert (known.batch, known.outputs, known.loss_name) == (7, 3, "softmax_cross_entropy")
    assert (known.l2, known.dropout_rate, known.knows_l2) == (0.2, 0.3, True)
    assert known.groups == [["W1", "b1"], ["W2", "b2"]]
    assert np.array_equal(known.params["W2"], net.params["W2"].ravel())
    np.testing.assert_allclose(known.l2_part("W1"), 0.2 * net.params["W1"].ravel())
    assert known.l2_part("b1") == 0.0
    other = Facts.of(gl.check(net, x, y, masks=masks), gl.mlp([4, 6, 3]), x)
    assert (other.batch, other.params, other.knows_l2) == (None, None, False)  # of other shapes
    single = case((4, 5, 3), dtype="float32")
    assert Facts.of(gl.check(*single), single[0]).rounding == 1e-5
    assert Facts.of(gl.check(*single), single[0]).tolerance == 1e-3
    assert known.tolerance == 1e-6


def test_of_a_sample_only_its_entries_are_known():
    params = {"W1": np.arange(4.0), "b1": np.arange(2.0), "W2": np.arange(2.0)}
    known = facts(2.0, params, {k: v + 1 for k, v in params.items()}, method="sampled", samples=2)
    assert known.sampled
    at = known.entries["W1"]
    assert len(at) == 2
    assert np.array_equal(known.params["W1"], params["W1"][at])
    assert np.array_equal(known.first["W1"], params["W1"][at] + 1)
    assert np.array_equal(
        known.flat({**params, "W1": params["W1"] * 3})["W1"], 3 * params["W1"][at]
    )
    assert not known.clipped_length
    along = Facts.of(report(2.0, method="directional"), params=params, first=params)
    assert along.entries is None
    assert along.params is None
    assert along.first is params


def test_where_no_step_gave_a_slope_nothing_is_off():
    def edge(t):
        return f(t) if t[0] <= THETA[0] else np.nan

    known = Facts.of(gl.check_function(edge, lambda t: 2 * np.cos(t), THETA, tensors=LAYOUT))
    assert known.numerical["W1"][0] == known.analytic["W1"][0] == 2 * RIGHT[0]
    assert known.bounds["W1"][0] == 0
    assert not known.off("W1")[0]
    assert known.off("W1")[1:].all()


# -- what fits -----------------------------------------------------------------------------------


def test_one_factor_by_which_tensors_are_off_or_none():
    three = facts(3.0).factor(["W1", "b1", "W2"])
    assert three.value == pytest.approx(3, rel=1e-8)
    assert 0 < three.error < 1e-6
    one = facts(np.where(np.arange(8) < 4, 3.0, 2.0))
    assert one.factor(["W1"]).value == pytest.approx(3, rel=1e-8)
    assert one.factor(["W1", "b1"]) is None
    assert one.factor([]) is None
    assert facts(0.0).factor(["W1"]) == Factor(0.0, 0.0)
    assert facts(-1.0).factor(["W1"]).is_(-1)
    assert facts(np.where(np.arange(8) == 0, 3.001, 3.0)).factor(["W1"]) is None


def test_how_many_examples_a_factor_suggests():
    known = facts(2.0)
    for value, n in ((0.2, 5), (5.0, 5), (1 / 7, 7), (2.0, 1), (0.5, 1), (-5.0, 1), (5.3, 1),
                     (1e6, 10**6), (2e6, 1), (3.0, 3), (0.0, 1)):  # fmt: skip
        assert known.batch_for(Factor(value, 1e-9 * abs(value))) == n, value
    assert known.batch_for(Factor(5.0, 0.04)) == 5
    assert known.batch_for(Factor(50.0, 0.3)) == 1  # it may be another
    net, x, y = case((4, 5, 3))
    assert Facts.of(gl.check(net, x, y), net, x).batch_for(Factor(0.2, 1e-9)) == 7


def test_a_deviation_along_the_parameters():
    params = {"W1": THETA[:4], "b1": THETA[4:6], "W2": THETA[6:]}

    def spoiled(t):
        return np.cos(t) + 0.3 * t * (np.arange(8) < 4)

    made = gl.check_function(f, spoiled, THETA, tensors=LAYOUT)
    known = Facts.of(made, params=params)
    assert known.along_params(["W1"]).is_(0.3)
    assert known.along_params(["W1", "b1"]) is None
    assert known.along_params([]) is None
    assert Facts.of(made).along_params(["W1"]) is None
    shuffled = Facts.of(made, params={**params, "W1": THETA[:4][::-1]})
    assert shuffled.along_params(["W1"]) is None
    single = gl.check_function(f, lambda t: np.cos(t) + 0.3 * t * (np.arange(8) == 0), THETA,
                               tensors=LAYOUT)  # fmt: skip
    alone = {**params, "W1": THETA[:4] * (np.arange(4) == 0)}
    assert Facts.of(single, params=alone).along_params(["W1"]) is None  # one entry is no direction


def test_what_a_tensor_may_be_made_of():
    known = facts(2.0)
    right = known.numerical["W1"]
    assert known.fits("W1", 2 * right, 2 * right)
    assert not known.fits("W1", 2 * right * (1 + 1e-6), 2 * right)
    assert known.fits("W1", np.zeros(4), np.zeros(4))
    assert not known.fits("W1", right, np.zeros(4))
    assert not known.fits("W1", right * 1e-12, right * 1e-12)  # anything would fit
    np.testing.assert_allclose(known.deviation(), RIGHT, rtol=1e-6)
    np.testing.assert_allclose(
        known.deviation({k: 3 * v for k, v in known.numerical.items()}), 2 * RIGHT, rtol=1e-6
    )
    assert 0 < known.floor < 1e-8


@pytest.mark.parametrize(("length", "is_clipped"), [(1.0, True), (0.5, True), (5.0, True),
                                                    (1.1, False), (0.123, False)])  # fmt: skip
def test_a_length_that_a_person_would_choose(length, is_clipped):
    assert facts(length / np.linalg.norm(RIGHT)).clipped_length == is_clipped


def test_of_many_names_the_first_and_the_last_are_told():
    assert _listed(["a", "b", "c", "d"]) == "a, b, c, d"
    assert _listed(["a", "b", "c", "d", "e"]) == "a … e"


# -- patterns that need no network ---------------------------------------------------------------


def told(known):
    return [
        (found.cause, found.bug, found.layer) for pattern in PATTERNS for found in pattern(known)
    ]


def matrix(spoil, shape=(3, 3), **options):
    """Return what is told of one matrix whose gradient is spoiled, and of a bias beside it."""
    size = int(np.prod(shape))
    layout = {"W2": (0, size, shape), "b2": (size, size + 3, (3,))}
    theta = np.linspace(0.2, 1.3, size + 3)

    def grad(t):
        g = np.cos(t)
        g[:size] = spoil(g[:size].reshape(shape)).ravel()
        return g

    made = gl.check_function(f, grad, theta, tensors=layout, **options)
    return told(Facts.of(made))


def put(index, value):
    def spoil(g):
        g = g.copy()
        g[index] = value if np.isscalar(value) else value(g[index])
        return g

    return spoil


def test_whole_rows_and_columns_are_told_and_of_many_the_first_five():
    zero = "of W2: the gradient is 0 there, as if it were never written"
    assert matrix(put(1, 0.0)) == [(f"row 1 {zero}", None, 2)]
    assert matrix(put((slice(None), 2), 0.0)) == [(f"column 2 {zero}", None, 2)]
    assert matrix(put([0, 2], 0.0)) == [(f"rows 0, 2 {zero}", None, 2)]
    assert matrix(put(slice(0, 6), 0.0), (8, 2)) == [(f"rows 0, 1, 2, 3, 4 … {zero}", None, 2)]
    assert matrix(put(slice(0, 5), 0.0), (8, 2)) == [(f"rows 0, 1, 2, 3, 4 {zero}", None, 2)]
    off = matrix(put(1, lambda row: row * [2.0, 3.0, 4.0]))
    assert off == [("row 1 of W2: the gradient is wrong in whole rows only", None, 2)]
    assert matrix(put((1, 1), 0.0)) == []  # one entry is no row
    assert matrix(put(1, 0.0), (3, 1)) == []
    assert matrix(put(1, 0.0), method="sampled", samples=8) == []


def test_a_transposed_matrix_is_told_and_of_one_row_none_is():
    (found,) = [t for t in matrix(lambda g: g.T.copy()) if "transposed" in t[0]]
    assert found[1:] == (None, 2)
    assert not any("transposed" in t[0] for t in matrix(lambda g: 2 * g, (1, 1)))
    assert not any("transposed" in t[0] for t in matrix(lambda g: g.reshape(2, 3)[::-1], (2, 3)))


def test_a_copied_and_a_summed_bias_are_told_with_their_layer():
    layout = {"b1": (0, 3, (3,)), "b2": (3, 6, (3,)), "W": (6, 9, (3, 1))}
    theta = np.linspace(0.2, 1.3, 9)

    def spoiled(change):
        def grad(t):
            g = np.cos(t)
            change(g)
            return g

        return told(Facts.of(gl.check_function(f, grad, theta, tensors=layout)))

    def copies(g):
        g[3:6] = g[:3]

    def sums(g):
        g[3:6] = g[3:6].sum()

    def copies_to_weights(g):
        g[6:] = 2.0 * g[6:].sum() / 2

    assert ("the gradient of b2 is that of b1", "copied_bias_gradient", 2) in spoiled(copies)
    assert ("the bias's gradient is summed without an axis", "bias_summed_without_axis", 2) in (
        spoiled(sums)
    )
    assert ("the tensor's gradient is summed without an axis", None, None) in spoiled(
        copies_to_weights
    )


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (2.0, "every tensor is exactly double"), (0.5, "every tensor is exactly half"),
        (-1.0, "the sign is flipped, as by y - p"), (7.0, "exactly 7 times what it must be: 1/N"),
        (1 / 7, "exactly 1/7 of what it must be: 1/N is there twice"),
        (0.37, "the gradient is 0.37 times what it must be"), (0.0, "the gradient is 0, as if"),
        (-3.3, "the gradient is -3.3 times what it must be"),
    ],
)  # fmt: skip
def test_what_a_common_factor_is_told_as(factor, said):
    ((cause, _, layer),) = told(facts(factor))
    assert said in cause
    assert layer is None


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (2.0, "the gradient there is exactly double"),
        (0.5, "the gradient there is exactly half"),
        (-1.0, "the sign is flipped there"),
        (7.0, "W1 is exactly 7 times what it must be: a sum"),
        (1 / 7, "W1 is exactly 1/7 of what it must be: a mean over 7 where a sum"),
        (0.37, "the gradient is 0.37 times what it must be"),
    ],
)
def test_what_a_factor_of_some_tensors_is_told_as(factor, said):
    ((cause, bug, _),) = told(facts(np.where(np.arange(8) < 4, factor, 1.0)))
    assert said in cause
    assert bug is None


def test_a_bias_that_is_a_mean_and_factors_of_their_own():
    bias = np.where((np.arange(8) > 3) & (np.arange(8) < 6), 1 / 7, 1.0)
    assert [t[:2] for t in told(facts(bias))] == [
        ("the bias's gradient is exactly 1/7 of what it must be: it is a mean over 7 of something "
         "(examples, positions, classes) where a sum belongs", "bias_mean"),
    ]  # fmt: skip
    each = np.repeat([2.0, 3.0, 5.0], [4, 2, 2])
    assert told(facts(each)) == [
        ("each of these tensors is off by a factor of its own", None, None)
    ]
    two = np.repeat([2.0, 2.0, 1.0], [4, 2, 2])
    assert [t[0] for t in told(facts(two))] == ["the gradient there is exactly double"]
    some = np.repeat([0.0, 1.0, 1.0], [4, 2, 2])
    assert [t[0][:27] for t in told(facts(some))] == ["the gradient is 0 there, as"]


def test_what_is_clipped_by_value_or_to_a_length():
    def clipped(at):
        grad = lambda t: np.clip(np.cos(t), -at, at)  # noqa: E731
        return told(Facts.of(gl.check_function(f, grad, THETA, tensors=LAYOUT)))

    assert any(t[0] == "the gradient is clipped by value, to 0.7" for t in clipped(0.7))
    assert not any("clipped by value" in t[0] for t in clipped(0.7123))  # nobody chooses that
    assert not any("clipped by value" in t[0] for t in clipped(0.01))  # none is as it was
    norm = np.linalg.norm(RIGHT)
    ((cause, _, _),) = told(facts(1 / norm))
    assert cause == "the whole gradient has a length of 1: it is clipped or normalised"


def test_each_call_adds_to_the_one_before():
    calls = []

    def grad(t):
        calls.append(1)
        return len(calls) * np.cos(t)

    found = gl.check_function(f, grad, THETA, tensors=LAYOUT).diagnosis
    assert (found[0].bug, found[0].cause[:33]) == (
        "accumulated_gradients", "gradients are added to those of t",
    )  # fmt: skip
    assert found[0].evidence == "The first call of grad is right, the second is twice that."
    known = facts(3.0, first={k: 2 * RIGHT[lo:hi] for k, (lo, hi, _) in LAYOUT.items()})
    assert "the second is larger by the right gradient" in _evidence(known)
    odd = facts(3.0, first={k: 5 * RIGHT[lo:hi] for k, (lo, hi, _) in LAYOUT.items()})
    assert _evidence(odd) == ""


def _evidence(known):
    found = [*PATTERNS[0](known)]
    return found[0].evidence if found else ""


# -- plain data ----------------------------------------------------------------------------------


def test_a_report_as_plain_data_says_what_the_report_says():
    made = report(np.where(np.arange(8) < 4, 2.0, 1.0))
    plain = made.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    for name in ("verdict", "why", "advice", "resolution", "relative_error", "norm_ratio",
                 "measure", "error", "subject", "scheme", "eps", "evaluations", "seconds",
                 "wrong"):  # fmt: skip
        value = getattr(made, name)
        assert plain[name] == (str(value) if value == math.inf else value), name
    assert plain["resolution"] == "inf"
    for name in ("caveats", "warnings", "cures"):
        assert plain[name] == list(getattr(made, name))
    assert [cause["cause"] for cause in plain["causes"]] == [c.cause for c in made.diagnosis]
    assert list(plain["tensors"]) == ["W1", "b1", "W2"]
    first, tensor = plain["tensors"]["W1"], made["W1"]
    for name in ("verdict", "why", "coverage", "relative_error", "norm_ratio", "ratio", "cosine",
                 "error", "crossed_kinks"):  # fmt: skip
        assert first[name] == getattr(tensor, name), name
    assert first["advice"] == tensor.judgement.advice
    assert first["shape"] == [2, 2]
    assert first["marks"] == {"bug": 4}
    assert first["worst"] == [
        {"index": list(index), "analytic": a, "numerical": n} for index, a, n in tensor.worst()
    ]
    assert type(plain["verdict"]) is type(first["verdict"]) is str
    zero = gl.check_function(lambda t: float(0 * t[0]), lambda t: 0 * t, np.ones(2)).to_dict()
    assert zero["tensors"]["theta"]["ratio"] == "nan"
    assert zero["eps"] is None


# -- reports -------------------------------------------------------------------------------------


def test_what_was_not_checked_proves_nothing_or_is_too_small():
    scale = np.array([1.0, 1e-13, 0.0, 0.0])
    made = gl.check_function(lambda t: float(np.sum(scale * np.sin(t))),
                             lambda t: scale * np.cos(t), np.ones(4))  # fmt: skip
    assert made["theta"].marks.tolist() == ["ok", "ok", "zero", "zero"]
    assert too_small(made)["theta"].tolist() == [False, True, False, False]
    assert untested(made) == (
        "2 of 4 entries are exactly 0 on both sides: untested",
        "1 of 4 entries is too small to tell from 0",
    )
    some = report(method="sampled", samples=2)
    assert untested(some) == ("only 6 of 8 entries were checked",)
    assert untested(report()) == untested(report(method="directional")) == ()


def test_the_largest_error_is_one_that_is_not_defined():
    made = report(np.repeat([2.0, 3.0, 1.0], [4, 2, 2]))
    tensors = made.tensors.values()
    assert largest_error(tensors).name == "b1"
    assert made.deciding == "b1"

    class Undefined:
        error, name = math.nan, "x"

    assert largest_error([*tensors, Undefined()]).name == "x"


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("error", "said"),
    [(2.1e-9, "3e-09"), (3e-9, "3e-09"), (1.0, "1e+00"), (0.95, "1e+00"), (0.0, "0"),
     (1.1, "any size"), (math.inf, "any size"), (1e-7, "1e-07"), (9.01e-5, "1e-04")],
)  # fmt: skip
def test_a_size_in_one_digit_rounded_up(error, said):
    assert about(error) == said


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("a", "n", "shown"),
    [(0.0123, 0.0121, ("0.0123", "0.0121")), (1.0, 1.0, ("1", "1")), (2.0, 1.0, ("2", "1")),
     (1.00001, 1.0, ("1.00001", "1")), (1.0000000001, 1.0, ("1.0000000001", "1"))],
)  # fmt: skip
def test_two_numbers_in_as_many_digits_as_show_the_difference(a, n, shown):
    assert in_digits(a, n) == shown


def test_how_probably_a_sample_meets_a_bug():
    assert chance_of_meeting(10, 10, 0.1) == 1
    assert chance_of_meeting(10, 1, 0.1) == pytest.approx(0.1)
    assert chance_of_meeting(10, 2, 0.2) == pytest.approx(1 - 8 / 10 * 7 / 9)
    assert chance_of_meeting(10, 9, 0.2) == 1
    assert chance_of_meeting(100, 5, 0.001) == pytest.approx(0.05)  # at least one entry
    made = report(method="sampled", samples=2)["W1"]
    assert made.chance_of_meeting(0.5) == pytest.approx(1 - 2 / 4 * 1 / 3)
    assert report(method="directional")["theta"].chance_of_meeting(1e-9) == 1
    for share in (-0.1, 1.1):
        with pytest.raises(ValueError, match="share"):
            made.chance_of_meeting(share)


# -- along one parameter -------------------------------------------------------------------------


def test_kinks_that_lie_close_count_as_one_and_of_many_each_pair_is_told_once():
    net, x, y = case((4, 5, 3), n=12, activation="relu")
    along = LossAlong(Point(net, x, y, None), "b1", 2)
    z = (x @ net.params["W1"] + net.params["b1"])[:, 2]
    inside = np.sort(-z[(-z > -1) & (-z < 1)])
    kinks = along.kinks(np.linspace(-1, 1, 41))
    assert len(kinks) == len(inside)
    np.testing.assert_allclose(kinks, inside, atol=0.05 / 8**4)
    assert len(along.kinks(np.array([-1.0, 1.0]))) >= 1
    many = np.random.default_rng(0).standard_normal((400, 4))
    crowded = LossAlong(Point(net, many, np.zeros(400, int), None), "b1", 2)
    t = np.linspace(-1, 1, 61)
    told = crowded.kinks(t)
    middles = (t[1:] + t[:-1]) / 2
    assert len(told) > 24
    assert np.isin(told.round(12), middles.round(12)).all()
    assert along.position == 0
    assert LossAlong(Point(net, x, y, None), "b2", 1).index == 1 + net.params["W2"].size
    with pytest.raises(KeyError):
        LossAlong(Point(net, x, y, None), "W9", 0)


def test_redrawn_masks_leave_dots_and_no_kinks():
    net, x, y = case((4, 5, 3), activation="relu", dropout_rate=0.5)
    along = LossAlong(Point(net, x, y, np.random.default_rng(0)), "b1", 0)
    assert along.redrawn
    assert along.kinks(np.linspace(-1, 1, 9)).size == 0
    _, one = along.losses(np.zeros(3))
    assert len(set(one)) > 1
    frozen = LossAlong(Point(net, x, y, net.draw_masks(7, np.random.default_rng(0))), "b1", 0)
    assert not frozen.redrawn


def test_along_a_function_that_raises_there_is_nan_and_theta_stays():
    theta = np.array([1.0, 2.0])
    along = FunctionAlong(lambda t: [np.log(t[1]) if t[1] > 0 else 1 / 0], theta, 1)
    taken, losses = along.losses([0.0, -1.0, -3.0])
    assert taken.tolist() == [0.0, -1.0, -3.0]
    assert losses[:2] == pytest.approx([math.log(2), 0])
    assert np.isnan(losses[2])
    assert theta.tolist() == [1.0, 2.0]
    assert not along.redrawn
    single = FunctionAlong(lambda t: t.sum(), np.float32(theta), 0)
    assert single.losses(np.array([1e-9]))[0].tolist() == [0.0]  # rounding left nothing


def test_complex_distances_give_complex_losses():
    net, x, y = case((4, 5, 3))
    along = LossAlong(Point(net, x, y, None), "W1", 3)
    _, loss = along.losses(np.array([1e-20j]))
    assert loss[0].imag / 1e-20 == pytest.approx(net.gradient(x, y)["W1"].flat[3], rel=1e-12)

"""How closely a pattern must be met: facts of a few numbers, and what is told at either side."""

import numpy as np
import pytest

from gradlab.checking.diagnosis import patterns
from gradlab.checking.diagnosis.facts import Factor, _size
from gradlab.checking.judge import ROUNDED, SAFETY
from tests.checking.cases import known

N = np.array([2.0, -1.0, 4.0, 0.5])


def one(a, n=N, **more):
    """Return facts of one tensor w, which is wrong."""
    return known({"w": np.asarray(a)}, {"w": np.asarray(n)}, **{"wrong": ["w"]} | more)


# -- what fits to the resolution -----------------------------------------------------------------


def test_how_far_an_entry_may_be_off():
    of = one([1.0, 9.0], [3.0, -7.0], bound=0.5, rounding=0.25)
    size = 9.0  # the largest of either
    wanted = SAFETY * 0.5 + ROUNDED * np.array([3.0, 7.0]) + (0.25 + 1e-12) * size
    np.testing.assert_allclose(of.tolerance_of("w"), wanted, rtol=1e-15)
    larger = one([1.0, 2.0], [3.0, -7.0], bound=0.5, rounding=0.25)
    np.testing.assert_allclose(larger.tolerance_of("w"), wanted - (0.25 + 1e-12) * 2, rtol=1e-15)
    tolerance = 2 * SAFETY * 0.5  # of bounds alone, but for what rounding leaves
    near = one([3.0 + 0.99 * tolerance / 2, 3.0 + 1.01 * tolerance / 2], [3.0, 3.0], bound=0.5)
    assert near.off("w").tolist() == [False, True]
    assert near.entries_off == 1
    same = one([1.0], [1.0], bound=0.0)
    assert not same.off("w").any()


def test_a_model_fits_within_bounds_that_are_small_beside_it():
    of = lambda bound, rounding=0.0: one(2 * N, bound=bound, rounding=rounding)  # noqa: E731
    at = lambda off: 2 * N + off * np.array([0, 1, 0, 0])  # noqa: E731
    bound = 1e-3  # of which two are allowed
    assert of(bound).fits("w", at(0.99 * SAFETY * bound), 2 * N)
    assert not of(bound).fits("w", at(1.01 * SAFETY * bound), 2 * N)
    size = 8.0
    assert of(0.0).fits("w", at(0.9e-9 * size), 2 * N)
    assert not of(0.0).fits("w", at(1.1e-9 * size), 2 * N)
    assert of(0.0, 1e-5).fits("w", at(0.99e-5 * size), 2 * N)
    assert not of(0.0, 1e-5).fits("w", at(1.01e-5 * size), 2 * N)
    assert of(0.99e-2 * size / SAFETY).fits("w", at(0), 2 * N)
    assert not of(1.01e-2 * size / SAFETY).fits("w", at(0), 2 * N)  # anything would fit


def test_the_factor_of_entries_with_its_error():
    of = one(3 * N, bound=1e-6)
    found = of.factor(["w"])
    v = N / 4.0  # over the largest
    off = (3 * (SAFETY * 1e-6 + ROUNDED * np.abs(N)) + 1e-12 * 12.0) / 4.0
    assert found.value == pytest.approx(3, rel=1e-15)
    assert found.error == pytest.approx(3 * np.sqrt((off**2).sum() / (v @ v) / 4), rel=1e-12, abs=0)
    rounded = one(3 * N, bound=1e-6, rounding=1e-5).factor(["w"])
    off += (1e-5 - 1e-12) * 12.0 / 4.0
    assert rounded.error == pytest.approx(
        3 * np.sqrt((off**2).sum() / (v @ v) / 4), rel=1e-12, abs=0
    )


def test_what_is_no_factor_of_all_entries_is_none():
    # the entry with little weight: it hardly moves the factor
    small = np.array([4.0, 4.0, 4.0, 1e-3])
    allowed = 2 * 2 * SAFETY * 1e-6  # twice what may be off, of a factor 2
    for share, is_one in ((0.9, True), (1.1, False)):
        a = 2 * small + [0, 0, 0, share * allowed]
        assert (one(a, small, bound=1e-6).factor(["w"]) is not None) == is_one
    assert one(2 * N, bound=0.02).factor(["w"]) is None  # not known to a hundredth
    assert one(2 * N, bound=0.002).factor(["w"]) is not None
    assert one(N, 0 * N).factor(["w"]) is None
    turned = one([1.0, -2.0], [2.0, 1.0])  # sums that cancel
    assert turned.factor(["w"]) is None
    assert one([1e-10, -2e-10], [2.0, 1.0]).factor(["w"]) == Factor(0.0, 0.0)
    assert one([1e-10, 1e-10], [2.0, 1.0]).factor(["w"]) == Factor(0.0, 0.0)
    assert one([1e-8, 1e-8], [1.0, 1.0]).factor(["w"]).value == pytest.approx(1e-8)


def test_a_factor_of_several_tensors_counts_each_at_its_own_size():
    n = {"u": 1e6 * N, "w": N}
    of = known({"u": 2e6 * N, "w": 2 * N * (1 + 1e-3)}, n)
    assert of.factor(["u", "w"]) is None  # though w is nothing beside u
    assert known({"u": 2e6 * N, "w": 2 * N}, n).factor(["u", "w"]).is_(2)
    with_l2 = known(
        {"w": 3 * (N - 0.5) + 0.5}, {"w": N}, params={"w": np.ones(4)}, l2=0.5, biases=set()
    )
    assert with_l2.factor(["w"]) is None
    assert with_l2.factor(["w"], data_part=True).is_(3)
    assert (_size(np.array([1.0, -3.0])), _size(np.zeros(2)), _size(np.zeros(0))) == (3, 1, 1)


def test_what_l2_adds_is_known_of_weights_with_l2():
    of = lambda **more: one(2 * N, **{"params": {"w": N}, "l2": 0.1} | more)  # noqa: E731
    assert of().l2_part("w").tolist() == (0.1 * N).tolist()
    for unknown in ({"params": None}, {"l2": 0.0}, {"biases": {"w"}}):
        assert isinstance(of(**unknown).l2_part("w"), float)
        assert of(**unknown).l2_part("w") == 0.0


def test_the_multiple_of_the_parameters_with_its_error():
    p = np.array([1.0, -2.0, 0.5, 3.0])
    of = one(N + 0.25 * p, params={"w": p}, bound=1e-4)
    found, tolerance = of.along_params(["w"]), of.tolerance_of("w")
    assert found.value == pytest.approx(0.25, rel=1e-12)
    assert found.error == pytest.approx(
        3 * np.sqrt((tolerance**2).sum() / (p @ p) / 4), rel=1e-12, abs=0
    )  # fmt: skip
    # two entries must stand out of the noise, ten tolerances high
    near = tolerance.max() / 0.25
    for high, is_seen in ((10.1, True), (9.9, False)):
        weights = np.array([100.0, high * near, 1e-9, 1e-9])
        noisy = one(N + 0.25 * weights, params={"w": weights}, bound=1e-4)
        near = noisy.tolerance_of("w")[1] / 0.25
        weights[1] = high * near
        noisy = one(N + 0.25 * weights, params={"w": weights}, bound=1e-4)
        assert (noisy.along_params(["w"]) is not None) == is_seen, high
    assert one(2 * N, params={"w": np.zeros(4)}).along_params(["w"]) is None
    # and the rest be no more than two off; here the last has next to no weight
    heavy = np.array([100.0, 100.0, 100.0, 0.0])
    for share, fits in ((1.9, True), (2.1, False)):
        off = N + 0.25 * heavy
        tol = one(off, bound=1e-4).tolerance_of("w")[3]
        spoiled = one(off + np.array([0, 0, 0, share * tol]), params={"w": heavy}, bound=1e-4)
        assert (spoiled.along_params(["w"]) is not None) == fits


def test_what_is_nothing_beside_a_gradient():
    n = {"u": np.array([3.0, 4.0]), "v": np.array([1.0, 0.0])}
    of = lambda slope: known(n, n | {"v": np.array([slope, 0.0])}, wrong=["u"])  # noqa: E731
    assert of(1.0).floor == pytest.approx(5e-9, rel=1e-12, abs=0)
    assert of(5.1e-9).live == ["u", "v"]
    assert of(4.9e-9).live == ["u"]
    assert of(4.9e-9).all_wrong
    assert not of(5.1e-9).all_wrong
    nothing = known({"u": [0.0]}, {"u": [0.0]})
    assert 0 < nothing.floor < 1e-300
    assert nothing.live == []


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("length", "is_clipped"),
    [(1.0, True), (1 + 0.9e-9, True), (1 + 1.1e-9, False), (0.3, True), (20.0, True),
     (21.0, False), (0.25, False)],
)  # fmt: skip
def test_a_length_that_is_one_digit_is_somebodys_choice(length, is_clipped):
    of = one([0.6 * length, 0.8 * length, 0, 0])
    assert of.length == pytest.approx(length, rel=1e-15)
    assert of.clipped_length == is_clipped
    assert not one([0.6, 0.8, 0, 0], shapes={"w": (5,)}).clipped_length  # of a sample


# -- where to look first -------------------------------------------------------------------------

THREE = [["W1", "b1"], ["W2", "b2"], ["W3", "b3"]]


def where(*wrong, groups=THREE, dead=(), biases=("b1", "b2", "b3")):
    names = [name for group in groups or THREE for name in group]
    n = {name: np.zeros(2) if name in dead else np.ones(2) for name in names}
    a = {name: n[name] + (name in wrong) for name in names}
    return known(a, n, groups=groups, biases=set(biases)).where


def test_where_to_look_first_is_told_by_the_tensors_that_are_wrong():
    down = "look first at what takes the signal down from"
    assert where("W1", "b1") == (f"Wrong are W1, b1, and nothing above is: {down} W2, b2 to W1, b1")
    assert where("W1", "b1", "W2", "b2").endswith(f"{down} W3, b3 to W2, b2")
    assert where("W2", "b2") == "Wrong are W2, b2"  # W1 is below, and right
    assert where("W1") == "Only W1 is wrong: look first at its own line"
    assert where("W3", "b3") == "Wrong are W3, b3"  # nothing is above
    assert where("b1", "b3") == "Only biases are wrong (b1, b3): look first at their own lines"
    assert where("W1", "W3") == "Only weights are wrong (W1, W3): look first at their own lines"
    assert where("W1", "b3") == "Wrong are W1, b3"
    everything = [name for group in THREE for name in group]
    assert where(*everything).startswith("All tensors are wrong (W1, b1, W2, b2, W3, b3): look")
    assert where(*everything[1:], dead=["W1"]).startswith("All tensors that have a slope are")
    assert where("W1", "b1", groups=[]) == "Wrong are W1, b1"
    assert where(*everything, groups=[]) == f"All tensors are wrong ({', '.join(everything)})"


def test_of_a_layer_with_one_tensor_that_has_a_slope_it_may_be_the_signal_too():
    """What is wrong alone has its line, and, with nothing beside or below it, what comes down."""
    only = "Only W1 is wrong: look first at its own line"
    signal = ", and at what takes the signal down from W2, b2"
    assert where("W1", dead=["b1"]) == only + signal
    assert where("W1") == only
    assert where("W3", dead=["b3"]) == only.replace("W1", "W3")  # nothing is above
    assert where("b2", dead=["W2"]).endswith("down from W3, b3")
    both = where("W1", "W2", dead=["b1", "b2"])
    assert both.endswith("signal down from W3, b3 to W2, b2")


# -- patterns ------------------------------------------------------------------------------------


def told(pattern, of):
    return [tuple(found) for found in pattern(of)]


def test_calls_that_add_up_differ_by_more_than_a_thousandth():
    def found(first, times=3.0):
        return told(patterns.accumulated, one(times * N, first={"w": first * N}))

    ((cause, bug, layer, evidence),) = found(2.0)
    assert (bug, layer) == ("accumulated_gradients", None)
    assert "added to those of the call before" in cause
    assert evidence.startswith("Of two calls of grad in a row, the second is larger")
    assert found(1.0, 2.0)[0][3] == "The first call of grad is right, the second is twice that."
    assert found(3.0) == found(2.5) == []
    assert found(1e4, 1e4 + 1) == []  # as good as the same
    assert found(900.0, 901.0)
    assert told(patterns.accumulated, one(2 * N)) == []
    two = known({"u": 2 * N, "w": 2 * N}, {"u": N, "w": N}, first={"u": N, "w": 2 * N})
    assert told(patterns.accumulated, two) == []  # of w it is not so


def test_a_factor_is_exact_to_a_millionth():
    for bound, word in ((1e-8, "exactly double"), (1e-5, "about double")):
        of = known({"w": 2 * N, "u": N}, {"w": N, "u": N}, bound)
        ((cause, _, _, evidence),) = told(patterns.common_factor, of)
        assert cause == f"the gradient there is {word}"
        assert evidence.startswith("Analytic over numerical is 2")
        assert evidence.endswith(" in w, direction the same.")
    large = lambda bound: known({"w": 50 * N, "u": N}, {"w": N, "u": N}, bound)  # noqa: E731
    unit = large(1e-6).factor(["w"]).error / 50 / 1e-6  # of a bound of 1
    for error, word in ((0.97e-6, "exactly"), (1.03e-6, "about")):
        ((cause, *_),) = told(patterns.common_factor, large(error / unit))
        assert cause.startswith(f"w is {word} 50 times")
    (all_of_it, *_) = told(patterns.common_factor, one(-2 * N, 2 * N))
    assert all_of_it[3] == "Analytic over numerical is -1 in every tensor, direction opposite."


def test_a_gradient_of_0_everywhere_is_told_and_sums_that_cancel_are_not():
    ((cause, _, _, evidence),) = told(patterns.common_factor, one(0 * N))
    assert cause.startswith("the gradient is 0, as if it were never computed")
    assert evidence == "All entries of w are exactly 0, where slopes are not."
    assert told(patterns.common_factor, one(1e-12 * N)) == []
    some = known({"w": 0 * N, "u": N}, {"w": N, "u": N})
    assert told(patterns.common_factor, some) == []
    assert [f[3] for f in told(patterns.never_computed, some)] == [evidence]
    assert told(patterns.never_computed, one(0 * N)) == []  # told as the whole


def test_l2s_part_may_be_right_beside_a_wrong_rest():
    p = np.array([1.0, -2.0, 0.5, 3.0])
    n = {"w": N + 0.1 * p, "b": np.array([1.0, 2.0])}
    a = {"w": -N + 0.1 * p, "b": -np.array([1.0, 2.0])}
    more = {"params": {"w": p, "b": np.ones(2)}, "biases": {"b"}, "l2": 0.1, "batch": 5}
    ((cause, bug, _, evidence),) = told(patterns.common_factor, known(a, n, **more))
    assert (bug, cause[:15]) == ("flipped_sign", "the sign is fli")
    assert evidence == (
        "Analytic over numerical is -1 in every tensor without its L2 part, direction opposite."
    )
    assert told(patterns.common_factor, known(a, n, **more | {"l2": 0.0})) == []


def test_factors_of_their_own_are_of_two_tensors_at_least_and_of_more_than_two_numbers():
    def found(**factors):
        n = {"u": N, "v": N[:2], "w": N[:1], "right": N}
        return told(
            patterns.factor_in_each, known(n | {k: c * n[k] for k, c in factors.items()}, n)
        )

    ((cause, *_, evidence),) = found(u=2.0, v=3.0)
    assert cause == "each of these tensors is off by a factor of its own"
    assert evidence == "Analytic over numerical is 2 in u, 3 in v; nothing else is off."
    assert found(u=2.0) == found(u=2.0, v=2.0) == found(u=2.0, v=0.0) == []
    assert found(v=2.0, w=3.0) == []  # one number is a factor of another whatever is wrong
    three = known({"u": N[:3] * 2, "v": N[:1] * 3}, {"u": N[:3], "v": N[:1]})
    assert len(told(patterns.factor_in_each, three)) == 1
    off = known({"u": N * 2, "v": N + np.eye(4)[3]}, {"u": N, "v": N})
    assert told(patterns.factor_in_each, off) == []


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("factor", "more", "bugs"),
    [
        (-1.0, {}, ["flipped_sign"]), (2.0, {}, ["accumulated_gradients"]),
        (0.5, {}, ["missing_factor_2"]), (0.5, {"loss_name": "mse"}, ["missing_factor_2"]),
        (0.5, {"loss_name": "softmax_cross_entropy"}, [None]),
        (1 / 3, {"loss_name": "mse", "outputs": 3, "batch": 7}, ["mean_over_outputs"]),
        (1 / 3, {"loss_name": "x", "outputs": 3, "batch": 7}, [None]),
        (1 / 3, {"loss_name": "mse", "outputs": 3, "batch": 3},
         ["mean_over_outputs", "double_1_over_n"]),
        (1.0 + 1e-3, {"loss_name": "mse", "outputs": 1, "batch": 1}, [None]),
        (7.0, {"batch": 7}, ["missing_1_over_n"]), (1 / 7, {"batch": 7}, ["double_1_over_n"]),
        (6.0, {"batch": 7}, [None]), (7.0, {}, ["missing_1_over_n"]),
        (2.0, {"batch": 2}, ["accumulated_gradients", "missing_1_over_n"]),
        (0.5, {"batch": 2, "loss_name": "mse", "outputs": 2},
         ["missing_factor_2", "mean_over_outputs", "double_1_over_n"]),
    ],
)  # fmt: skip
def test_what_a_factor_of_all_tensors_may_come_from(factor, more, bugs):
    found = told(patterns.common_factor, one(factor * N, **more))
    assert [f[1] for f in found] == bugs
    for cause, bug, *_ in found:
        if bug in ("missing_1_over_n", "double_1_over_n"):  # without the batch it is a guess
            is_known = bool(more.get("batch"))
            assert cause.endswith(", or a factor is there once too often") != is_known
            assert ("a mean over 7 of something" in cause) == (not is_known)
            assert cause.startswith("every tensor is exactly") == (not is_known)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("factor", "more", "bugs"),
    [
        (1 / 7, {"batch": 7}, ["bias_mean"]), (1 / 7, {}, ["bias_mean"]), (7.0, {}, [None]),
        (1 / 7, {"batch": 7, "biases": {"u"}}, [None]),
        (0.75, {"dropout_rate": 0.25}, ["missing_dropout_scale"]), (0.75, {}, [None]),
        (0.5, {"dropout_rate": 0.5}, ["missing_dropout_scale"]),
        (0.5, {"batch": 2}, ["bias_mean"]), (-1.0, {}, [None]),
        (1.5, {"dropout_rate": -0.5}, [None]),
    ],
)  # fmt: skip
def test_what_a_factor_of_one_bias_may_come_from(factor, more, bugs):
    of = known({"b": factor * N, "u": N}, {"b": N, "u": N}, **{"biases": {"b"}} | more)
    found = told(patterns.common_factor, of)
    assert [f[1] for f in found] == bugs
    if bugs == ["bias_mean"] and of.batch:
        assert found[0][0] == (
            f"the bias's gradient is a mean over a batch of {of.batch} where a sum belongs"
        )


def test_one_number_is_a_factor_of_another_whatever_is_wrong():
    def found(size, factor=1.7):
        n = {"w": N[:size], "u": N}
        return told(patterns.common_factor, known(n | {"w": factor * n["w"]}, n))

    assert found(2) == []
    assert len(found(3)) == len(found(4)) == 1
    assert len(found(1, 2.0)) == 1  # twice, half and the other sign are what people write
    assert len(found(1, 7.0)) == 1  # a sum for a mean
    assert found(1, 7.3) == []


def test_a_clipped_length_is_told_of_three_entries_at_least():
    length = np.linalg.norm(N)
    ((cause, *_),) = told(patterns.common_factor, one(N / length))
    assert cause == "the whole gradient has a length of 1: it is clipped or normalised"
    ((cause, *_),) = told(patterns.common_factor, one(10 * N / length, N))  # longer than it was
    assert cause.startswith("the gradient is 2.1")
    short = N[:2] / np.linalg.norm(N[:2])
    assert told(patterns.common_factor, one(short, N[:2])) == []
    beside = known({"w": N / np.sqrt(length**2 + 0.0), "u": [0.0]}, {"w": N, "u": [0.0]})
    assert "length of 1" in told(patterns.common_factor, beside)[0][0]
    some = known({"w": 0.5 * N / length, "u": [np.sqrt(0.75)]}, {"w": N, "u": [np.sqrt(0.75)]})
    assert some.clipped_length
    assert not any("length" in f[0] for f in told(patterns.common_factor, some))  # u is right


def test_entries_that_are_all_the_sum_of_the_right_ones():
    total = N.sum()

    def found(a, n=N, shape=(4,), **more):
        of = one(np.asarray(a), n, **{"shapes": {"w": shape}} | more)
        return told(patterns.equal_entries, of)

    ((cause, bug, layer, evidence),) = found(np.full(4, total), biases={"w"})
    assert (bug, layer) == ("bias_summed_without_axis", 1)
    assert cause == "the bias's gradient is summed without an axis"
    assert evidence == "All 4 entries of w are 5.5, the sum of the right ones."
    assert found(np.full(4, total))[0][:2] == (
        "the tensor's gradient is summed without an axis",
        None,
    )
    assert len(found(np.full(4, total), shape=(1, 4))) == len(found([total] * 4, shape=(4, 1))) == 1
    assert found([total] * 4, shape=(2, 2)) == found([4.0] * 4, np.ones(4)) == []
    size = 4.0
    near = 1e-6 * size + 4 * 2 * 1e-12  # by rounding, and by the bounds of four entries
    assert found([total + 0.99 * near] * 4)
    assert found([total + 1.01 * near] * 4) == []
    near = 1e-6 * size + 4 * 2 * 1e-3
    assert found([total + 0.99 * near] * 4, bound=1e-3)
    assert found([total + 1.01 * near] * 4, bound=1e-3) == []
    assert found([total + 0.99 * 1e-4 * size] * 4, rounding=1e-5)
    assert found([total + 1.01 * 1e-4 * size] * 4, rounding=1e-5) == []
    assert found(total + 0.9e-7 * size * np.array([0, 1, 0, 0]))
    assert found(total + 1.1e-7 * size * np.array([0, 1, 0, 0])) == []
    assert found(total + 0.9e-5 * size * np.array([0, 1, 0, 0]), rounding=1e-5)
    assert found([total] * 4, bound=1.01e-3 * size) == []
    assert found([total] * 4, bound=0.99e-3 * size)
    assert found([total] * 4, n=N, shape=(5,)) == []  # of a sample


def test_a_tensor_with_the_gradient_of_another_of_its_shape():
    n = {"b1": N, "b2": N[::-1] ** 2, "w": N**3, "v": N[:2], "z": 0 * N}

    def found(biases=("b1", "b2"), **wrong):
        return told(patterns.copied, known(n | wrong, n, biases=set(biases)))

    ((cause, bug, layer, evidence),) = found(b2=N)
    assert (cause, bug, layer) == ("the gradient of b2 is that of b1", "copied_bias_gradient", 1)
    assert evidence == "All entries of b2 are those of b1."
    assert found(w=N)[0][:2] == ("the gradient of w is that of b1", None)
    assert found(b2=N**3)[0][1] is None
    assert found(b2=0 * N) == found(b2=2 * N) == []  # of z it is 0, and that proves nothing
    square = known({"u": N, "w": N}, {"u": N.reshape(2, 2), "w": 2 * N})
    assert told(patterns.copied, square) == []


def test_rows_and_columns_that_alone_are_wrong():
    n = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])

    def found(change, n=n, **more):
        a = n.copy()
        change(a)
        return told(patterns.rows_or_columns, known({"w": a}, {"w": n}, **more))

    def zeros(*at):
        def change(a):
            a[at] = 0.0

        return change

    every = slice(None)
    assert found(zeros(1))[0][3] == (
        "Row 1 of w is exactly 0, where slopes are not; nothing else of w is off."
    )
    assert found(zeros([0, 2]))[0][3].startswith("Rows 0, 2 of w are exactly 0")
    assert found(zeros(every, 1))[0][3].startswith("Column 1 of w is exactly 0")
    off = found(lambda a: a.__setitem__((every, [0, 2]), a[:, [0, 2]] ** 2 + 1))
    assert off[0][0] == "columns 0, 2 of w: the gradient is wrong in whole columns only"
    assert off[0][3] == "All entries of w that are off are in columns 0, 2."
    assert found(zeros()) == found(zeros(1, 1)) == found(zeros(0, [0, 1])) == []
    assert found(lambda a: a.__imul__(3.0)) == []  # all of them are no rows
    wide = np.arange(1.0, 9.0).reshape(2, 4)
    assert found(zeros(0), wide)[0][0].startswith("row 0 of")
    assert found(zeros(every, [1, 3]), wide)[0][0].startswith("columns 1, 3 of")
    assert found(zeros(0), wide[:, :1]) == []
    flat = n.copy()
    flat[1] = [0.0, 5.0, 6.0]  # what has no slope need not be off
    assert found(zeros(1), flat)[0][0].startswith("row 1 of")
    flat[1] = [0.0, 0.0, 6.0]
    assert not any(f[0].startswith("row") for f in found(zeros(1), flat))  # one entry is no row


def test_extreme_entries_that_are_cut_to_one_size():
    n = np.array([2.0, -3.0, 0.5, 0.1, -0.4])

    def found(a, n=n, **more):
        return told(patterns.clipped_by_value, one(a, n, **more))

    ((cause, bug, layer, evidence),) = found(np.clip(n, -1, 1))
    assert (cause, bug, layer) == ("the gradient is clipped by value, to 1", None, None)
    assert evidence.startswith("2 entries are exactly 1 in size where the slope is larger")
    assert found(np.clip(n, -2.5, 2.5)) == []  # one entry alone
    assert found(np.clip(n, -0.123, 0.123)) == []  # nobody chooses that
    assert found(np.clip(n, -0.05, 0.05)) == []  # none is as it was
    assert found(np.clip(n, -1, 1) + 1e-3 * np.eye(5)[2]) == []  # another one is off
    assert found(np.clip(n, -1, 1) * [1, 1 - 1e-3, 1, 1, 1]) == []
    assert found(np.clip(n, -1, 1) * [1, 1, 1, 0, 1]) == []
    inside = np.array([2.0, -3.0, 0.995])
    assert found(np.clip(inside, -1, 1), inside) == []  # all but at the edge
    tolerance = one(inside, inside, bound=1e-5).tolerance_of("w")[2]
    for share, is_told in ((0.99e3, False), (1.01e3, True)):  # far above what may be off
        inside[2] = share * tolerance
        assert bool(found(np.clip(inside, -1, 1), inside, bound=1e-5)) == is_told
    two = known({"u": np.clip(n, -1, 1), "w": n[2:]}, {"u": n, "w": n[2:]})
    assert len(told(patterns.clipped_by_value, two)) == 1
    assert [patterns._round(v) for v in (0.25, 1.0, 12.0, 0.123, 1.01)] == [True] * 3 + [False] * 2


P = np.array([1.0, -2.0, 0.5, 3.0])


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("times", "more", "cause", "bug"),
    [
        (-1.0, {}, "L2 is missing in the gradient", "missing_l2"),
        (1.0, {}, "L2 is doubled in the gradient", "doubled_l2"),
        (-2.0, {}, "L2's gradient is subtracted where it must be added", "negated_l2"),
        (-0.75, {}, "L2's gradient is divided by the batch size 4", "l2_over_n"),
        (-0.75, {"batch": None}, "L2's gradient is 0.25 times what it must be", None),
        (-1.0, {"batch": 1}, "L2 is missing in the gradient", "missing_l2"),
        (0.5, {}, "L2's gradient is 1.5 times what it must be", None),
        (1.0, {"l2": 0.0}, "L2 is in the gradient and not in the loss", None),
        (1.0, {"knows_l2": False, "l2": 0.0},
         "L2: the gradient has a term 0.1 times the weights that the loss lacks", None),
        (-1.0, {"knows_l2": False, "l2": 0.0},
         "L2: the gradient lacks a term 0.1 times the weights that the loss has", None),
    ],
)  # fmt: skip
def test_what_is_along_the_weights_is_told_in_units_of_l2(times, more, cause, bug):
    n = {"w": N, "b": np.array([1.0, 2.0])}
    known_ = {"l2": 0.1, "knows_l2": True, "batch": 4, "biases": {"b"}}
    of = known(n | {"w": N + 0.1 * times * P}, n, params={"w": P, "b": np.ones(2)},
               **known_ | more)  # fmt: skip
    ((said, its_bug, layer, evidence),) = told(patterns.l2_off, of)
    assert (said, its_bug, layer) == (cause, bug, None)
    assert f"The analytic gradient less the numerical one is {0.1 * times:g} times W" in evidence
    if of.knows_l2:
        assert evidence.endswith("no bias is wrong.")
        assert "every weight" in evidence
    if of.l2:
        assert f", {times:g} times λW, in every weight" in evidence


def test_along_the_weights_says_nothing_where_a_bias_is_wrong_too_or_a_factor_explains_it():
    n, params = {"w": N, "v": P, "b": P}, {"w": P, "v": P, "b": P}
    off = {k: n[k] + 0.1 * P for k in n}
    more = {"params": params, "biases": {"b"}}
    assert told(patterns.l2_off, known(off, n, **more)) == []
    l2 = {"l2": 0.1, "knows_l2": True}
    some = known(n | {"w": off["w"]}, n, **more, **l2)
    assert " in w; no bias" in told(patterns.l2_off, some)[0][3]
    same = known(n | {"v": 1.1 * P}, n, **more)  # of v it is a factor, if there is no L2
    assert told(patterns.l2_off, same) == []
    assert len(told(patterns.l2_off, known(n | {"v": 1.1 * P}, n, **more, **l2))) == 1
    biases = known(n | {"b": off["b"]}, n, **more, **l2)
    ((cause, bug, _, evidence),) = told(patterns.l2_on_biases, biases)
    assert (cause[:31], bug) == ("L2 treats the biases differentl", "l2_on_biases")
    assert evidence.endswith("is 0.1 times b in b (λ is 0.1); no weight is wrong.")
    assert told(patterns.l2_on_biases, some) == []
    assert told(patterns.l2_on_biases, known(n | {"b": off["b"]}, n, **more)) == []
    other = known(n | {"b": P + np.array([0, 0.5, 0.1, 0])}, n, **more, **l2)
    assert told(patterns.l2_on_biases, other) == []

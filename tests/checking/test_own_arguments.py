"""What a person hands to `check_function` and `explain`: read as it is meant, or named."""

import pickle  # noqa: TID251 - what an executor does with a function

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.arguments import Given, Part, check_tensors, check_theta, gradient_at
from gradlab.checking.black_box import Along, BlackBox, Probe, aside, scalar, survey
from gradlab.checking.own_code import OwnCode, check_examples, put_back, surely, takes

THETA = np.array([0.1, 0.2, 0.3])


def f(t):
    return float(np.sum(np.sin(t)))


def both(t):
    return f(t), np.cos(t)


# -- theta, tensors, grad ------------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("theta", "error", "words"),
    [
        (np.cos, TypeError, "theta must be a vector of floats, got a ufunc: the order is f, grad"),
        (THETA.astype(">f8").astype(np.longdouble), TypeError, "float64 or float32, got dtype"),
        (
            np.array(0.5),
            ValueError,
            r"P >= 1, got \(\); gl.check_arrays\(f, theta, grad\) takes any",
        ),
        (np.ones((2, 3)), ValueError, r"got \(2, 3\); gl.check_arrays"),
        (np.ones(0), ValueError, r"P >= 1, got \(0,\)$"),
        (np.ones((0, 3)), ValueError, r"P >= 1, got \(0, 3\)$"),
        (np.broadcast_to(1.0, 2), ValueError, "a place for each entry, got a broadcast view"),
    ],
)
def test_a_theta_that_cannot_be_shifted_is_named(theta, error, words):
    with pytest.raises(error, match=words):
        check_theta(theta)


def test_theta_is_a_copy_and_a_list_and_a_view_of_one_number_are_as_good():
    theta = check_theta(THETA)
    assert theta.tobytes() == THETA.tobytes()
    assert not np.shares_memory(theta, THETA)
    assert check_theta([1.0, 2.0]).tolist() == [1.0, 2.0]
    assert check_theta(np.broadcast_to(1.0, 1)).tolist() == [1.0]
    assert check_theta(np.float32([1.0])).dtype == np.float32

    class Called:  # a tensor may be callable, and has numbers
        def __array__(self, dtype=None, copy=None):
            return THETA

        def __call__(self):
            raise AssertionError

    assert check_theta(Called()).tolist() == THETA.tolist()


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("tensors", "error", "words"),
    [
        ({}, TypeError, "tensors must be a dict of name to"),
        ({1: (0, 3, (3,))}, TypeError, "must have names such as 'W1' for keys, got 1"),
        ({"": (0, 3, (3,))}, TypeError, "for keys, got ''"),
        ({"a": (0, 3)}, TypeError, r"tensors\['a'\] must be \(start, stop, shape\)"),
        ({"a": (0, 3, 3)}, TypeError, r"tensors\['a'\] must be \(start, stop, shape\)"),
        ({"a": (0.0, 3, (3,))}, TypeError, r"tensors\['a'\] must be \(start, stop, shape\)"),
        (
            {"a": (0, 0, (0,)), "b": (0, 3, (3,))},
            ValueError,
            r"tensors\['a'\] must start at 0, fit",
        ),
        ({"a": (0, 2, (2,)), "b": (1, 3, (2,))}, ValueError, r"tensors\['b'\] must start at 2"),
        ({"a": (0, 2, (2,))}, ValueError, "tensors must cover theta's 3 entries, got 2"),
        ({"a": (0, 4, (4,))}, ValueError, r"end by 3, got \(0, 4, \(4,\)\)"),
    ],
)
def test_tensors_must_cover_theta_once_in_order(tensors, error, words):
    with pytest.raises(error, match=words):
        check_tensors(tensors, 3)


def test_tensors_are_plain_tuples_and_one_is_called_theta():
    assert check_tensors(None, 3) == {"theta": (0, 3, (3,))}
    given = {"a": [np.int64(0), 2, [1, 2]], "b": (2, 3, ())}
    assert check_tensors(given, 3) == {"a": (0, 2, (1, 2)), "b": (2, 3, ())}
    assert isinstance(check_tensors(given, 3)["a"][2], tuple)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((3, np.cos), TypeError, "f must be a function of theta, got int"),
        ((f, False), TypeError, r"True for an f that returns \(loss, grad\); got False \(bool\)"),
        ((f, None), TypeError, r"got None \(NoneType\)"),
        ((f, {"a": 1}), TypeError, r"\(dict\)"),
        ((f, True), TypeError, r"f must return the pair \(loss, gradient\), got float$"),
        ((lambda t: (1.0, t, 3), True), TypeError, r"got tuple of 3"),
        ((lambda t: {"loss": 1.0}, True), TypeError, "got dict of 1"),
        ((lambda t: (t, 1.0), True), ValueError, r"got the number last: shapes \(3,\) and \(\)"),
        ((f, lambda t: "abc"), TypeError, r"an array of shape \(3,\), got str"),
        ((f, lambda t: {"a": t}), TypeError, r"an array of shape \(3,\), got dict"),
        ((f, lambda t: (1.0, t)), ValueError, r"a tuple of 2 parts of different shapes; grad=True"),
        (
            (f, lambda t: [[1.0], [1.0, 2.0], [1.0]]),
            ValueError,
            "a list of 3 parts of diff.* shapes$",
        ),
        ((f, lambda t: np.array([None] * 3)), TypeError, "real numbers, .*got a ndarray"),
        ((f, lambda t: np.ones((3, 3))), ValueError, r"shape \(3,\), got \(3, 3\)"),
        ((f, np.ones(2)), ValueError, r"shape \(3,\), got \(2,\)"),
        ((lambda t: (1.0, t), np.cos), TypeError, "a tuple of 2; grad=True takes an f that"),
        ((lambda t: [1.0, 2.0, 3.0], np.cos), TypeError, "got a list of 3$"),
        ((lambda t: np.ones(2), np.cos), ValueError, r"one number, got an array of shape \(2,\)"),
        ((lambda t: True, np.cos), TypeError, r"a real number, got bool \(bool\)"),
    ],
)
def test_what_is_no_pair_of_functions_is_named(arguments, error, words):
    with pytest.raises(error, match=words):
        gl.check_function(*arguments, THETA)


@pytest.mark.every_case
@pytest.mark.parametrize(
    "answer",
    [
        np.cos, lambda t: np.cos(t)[:, None], lambda t: np.cos(t)[None], lambda t: list(np.cos(t)),
        lambda t: tuple(np.cos(t)), np.cos(THETA), list(np.cos(THETA)), np.cos(THETA)[None],
    ],
)  # fmt: skip
def test_a_gradient_may_be_a_column_a_row_a_list_or_numbers(answer):
    assert gl.check_function(f, answer, THETA).verdict == "correct"


def test_one_number_is_the_gradient_of_one():
    assert gl.check_function(f, lambda t: float(np.cos(t[0])), THETA[:1]).verdict == "correct"
    assert gradient_at(lambda t: 1, THETA[:1]).tolist() == [1.0]
    assert gradient_at(lambda t: np.array([1, 2, 3]), THETA).dtype == float
    single = np.float32([1, 2, 3])
    found = gradient_at(lambda t: single, THETA)
    assert found.dtype == np.float32
    assert not np.shares_memory(found, single)


def test_a_gradient_that_was_given_is_known_at_theta_alone():
    gradient = np.cos(THETA)
    given = Given(gradient, THETA)
    gradient[:] = 0  # the loss may write into it
    assert np.array_equal(given(THETA.copy()), np.cos(THETA))
    with pytest.raises(ValueError, match="given at theta alone"):
        given(THETA + 1e-9)


def test_the_parts_of_one_function_can_be_sent_to_another_process():
    loss, grad = (pickle.loads(pickle.dumps(Part(both, k))) for k in (0, 1))  # noqa: S301
    assert loss(THETA) == f(THETA)
    assert np.array_equal(grad(THETA), np.cos(THETA))
    assert loss.__name__ == grad.__name__ == "both"
    assert loss.__wrapped__ is both

    class Loss:
        def __call__(self, t):
            return both(t)

    assert Part(Loss(), 0).__name__ == "Loss"
    column = Part(lambda t: (np.ones((1, 1)), np.ones(1)), 0)
    assert column(THETA[:1]).shape == (1, 1)  # of one number each, none is the other


def test_one_number_of_any_shape_is_a_float():
    for value in (2, 2.0, np.float32(2), np.array([[2.0]]), np.array(2)):
        assert scalar(value) == 2.0
        assert type(scalar(value)) is float


# -- the function as the judge looks at it -------------------------------------------------------


def test_a_probe_hands_out_copies_and_returns_what_was_raised():
    seen = []

    def writes(t):
        seen.append(t.tolist())
        t[:] = 9.0
        if seen[-1][1] > 5:
            raise ZeroDivisionError
        if seen[-1][1] < -5:
            raise MemoryError
        return 1.0

    theta = THETA.copy()
    probe = Probe(writes, theta)
    assert probe((1, 2.0)) == probe.value(theta) == 1.0
    assert seen == [[0.1, 2.0, 0.3], [0.1, 0.2, 0.3]]
    assert isinstance(probe((1, 7.0)), ZeroDivisionError)
    with pytest.raises(MemoryError):
        probe((1, -7.0))
    with pytest.raises(ZeroDivisionError):
        probe.value(np.full(3, 7.0))
    assert theta.tobytes() == THETA.tobytes()


def test_f_along_lines_has_thetas_type():
    lines = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    along = Along(lambda t: t, np.float32(THETA), lines)
    there = along(np.array([0.5, -0.1]))
    assert there.dtype == np.float32
    np.testing.assert_allclose(there, [0.6, 0.0, 0.3], atol=1e-7)


def test_two_points_beside_theta_are_a_thousandth_of_its_size_away():
    theta = np.array([0.0, 0.5, -200.0])
    right, left = aside(theta)
    np.testing.assert_allclose(np.abs(right - theta), [1e-3, 1e-3, 0.2], rtol=1e-9)
    np.testing.assert_allclose(right + left, 2 * theta, atol=1e-12)
    assert aside(np.float32(theta))[0].dtype == np.float32


def test_a_survey_counts_and_sees_whether_the_loss_repeats():
    calls = []

    def steady(t):
        calls.append(t.copy())
        return f(t)

    found = survey(steady, THETA, np.ones(3))
    assert found.evaluations == len(calls) == 14  # twice at theta, and to both sides of six points
    assert found.base == f(THETA)
    assert found.deterministic
    assert not found.single
    assert found.machine_eps == np.finfo(float).eps
    assert 0 < found.noise < 1e-14
    far = max(np.abs(t - THETA).max() for t in calls)
    assert 1e-12 < far < 1e-10

    rough = survey(lambda t: np.round(f(t), 9), THETA, np.ones(3))
    assert rough.deterministic
    drawn = iter(np.random.default_rng(0).random(100))
    noisy = survey(lambda t: f(t) + 1e-6 * next(drawn), THETA, np.ones(3))
    assert not noisy.deterministic
    assert 1e-8 < noisy.noise < 1e-5
    single = survey(lambda t: float(np.float32(f(t))), THETA, np.ones(3))
    assert single.single
    assert single.machine_eps == np.finfo(np.float32).eps
    assert not survey(lambda t: 3.0, THETA, np.ones(3)).single  # has no digits to tell by
    edge = survey(lambda t: f(t) if (t == THETA).all() else 1 / 0, THETA, np.ones(3))
    assert (edge.evaluations, edge.deterministic) == (2, True)
    with pytest.raises(ValueError, match=r"f\(theta\) must be finite, got inf"):
        survey(lambda t: np.inf, THETA, np.ones(3))


def box(function, grad=None, theta=THETA):
    background = survey(Probe(function, theta).value, theta, np.ones(3))
    return BlackBox(Probe(function, theta), background, grad, np.cos(theta), np.arange(3),
                    [slice(0, 3)])  # fmt: skip


def test_what_is_raised_at_a_step_is_kept_once_and_what_worked_is_known():
    def edge(t):
        if t[1] > 0.25:
            raise ZeroDivisionError("first")
        if t[2] < 0.25:
            raise ValueError("second")
        return f(t)

    loss = box(edge)
    d = loss.look(np.array([0, 1, 2]), np.array([[0.1] * 3, [1e-3] * 3]))
    assert str(loss.trouble) == "first"
    assert loss.worked.tolist() == [True, True, True]  # by the shorter step
    assert np.isnan([d.right[0, 1], d.left[0, 2]]).all()
    assert np.isfinite([d.right[0, 0], d.left[0, 1], d.right[0, 2], *d.right[1], *d.left[1]]).all()
    other = box(edge)
    other.look(np.array([1, 2]), np.full((1, 2), 0.1))
    assert other.worked.tolist() == [False, False, False]


def test_beside_theta_there_is_a_loss_with_its_own_gradient_or_none():
    loss = box(f, np.cos)
    for side, there in zip(loss.beside(), aside(THETA), strict=True):
        assert side.base == f(there)
        assert np.array_equal(side.gradient, np.cos(there))
        assert side.beside() is None
    assert box(f, None).beside() is None
    for grad in (lambda t: 1 / 0, lambda t: t * np.nan, lambda t: t[:2]):
        assert box(f, grad).beside() is None
    assert box(lambda t: f(t) if abs(t[0] - 0.1) < 1e-6 else np.inf, np.cos).beside() is None
    assert box(lambda t: f(t) if abs(t[0] - 0.1) < 1e-6 else 1 / 0, np.cos).beside() is None


# -- arrays where they lie -----------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"loss": 3}, TypeError, "loss must be a function, got int"),
        ({"loss": lambda a, b: 1.0}, TypeError, "loss must take no argument, or one .* of a, b"),
        ({"loss": lambda *, key: 1.0}, TypeError, "got a function of key"),
        ({"loss": lambda: "x"}, TypeError, r"loss\(\) must return a real number, got str"),
        ({"loss": lambda: (1.0, 2.0)}, TypeError, r"loss\(\) must return the loss alone"),
        ({"loss": lambda: np.nan}, ValueError, r"loss\(\) must return a finite number, got nan"),
        ({"loss": lambda: 1.5}, ValueError, r"read `arrays` where they lie: .* number \(1.5\)"),
        ({"loss": lambda: 1 / 0}, ZeroDivisionError, "division by zero"),
        ({"loss": lambda: int("x")}, ValueError, "invalid literal"),
        ({"arrays": [1.0]}, TypeError, "arrays must be a dict of name to array, got list"),
        ({"arrays": {}}, ValueError, "arrays must hold at least one array, got an empty dict"),
        ({"arrays": {1: np.ones(2)}}, TypeError, r"names as keys, got 1 \(int\)"),
        ({"arrays": {"W": [1.0]}}, TypeError, r"arrays\['W'\] must be an ndarray .* got list"),
        ({"arrays": {"W": np.ones(2, int)}}, TypeError, r"of float64 or float32, got int64"),
        ({"arrays": {"W": np.array([np.nan])}}, ValueError, r"arrays\['W'\] must be finite"),
        ({"arrays": {"W": np.ones(2), "b": np.float32([1])}}, TypeError, "of one type, got f"),
        ({"arrays": {"W": np.ones((0, 2))}}, ValueError, r"must have entries, .* shape \(0, 2\)"),
        ({"arrays": {"W": np.broadcast_to(np.ones(2), (3, 2))}}, ValueError, "with strides"),
        ({"grads": [1.0]}, TypeError, "grads must be a dict with the keys of arrays, got list"),
        ({"grads": {"V": np.ones(2)}}, ValueError, r"keys of arrays, \['W'\], got \['V'\]"),
        ({"grads": {"W": np.ones(3)}}, ValueError, r"grads\['W'\] must have shape \(2,\)"),
        ({"grads": lambda: [1.0]}, TypeError, r"grads\(\) must be a dict"),
        ({"grads": lambda a, b: 0}, TypeError, "grads must take no argument, or one"),
        ({"x": np.ones((2, 2))}, ValueError, "x and y must be given both"),
        ({"like": gl.mlp([2, 2])}, ValueError, "x and y must be given both, and with like"),
        ({"like": 3}, TypeError, "like must be a network of gradlab's, got int"),
        ({"samples": 0}, ValueError, "samples"),
        ({"x": np.array(1.0), "y": 1.0}, ValueError, "x must be an array of N exam.* number, 1"),
        ({"x": np.ones((0, 2)), "y": np.ones(2)}, ValueError, r"at least one example, .*\(0, 2\)"),
    ],
)  # fmt: skip
def test_what_cannot_be_explained_is_named(changed, error, words):
    arrays = {"W": np.array([0.4, -0.7])}
    given = {
        "loss": lambda: float(np.sum(arrays["W"] ** 2)), "arrays": arrays,
        "grads": lambda: {"W": 2 * arrays["W"]}, **changed,
    }  # fmt: skip
    before = arrays["W"].tobytes()
    with pytest.raises(error, match=words):
        gl.explain(**given)
    assert arrays["W"].tobytes() == before


def test_arrays_must_not_overlap_nor_be_locked():
    whole = np.ones(4)
    with pytest.raises(ValueError, match="must not overlap: 'a' and 'c' share memory"):
        gl.explain(lambda: 1.0, {"a": whole[:2], "b": np.ones(2), "c": whole[1:3]}, {})
    locked = np.ones(2)
    locked.flags.writeable = False
    with pytest.raises(ValueError, match=r"arrays\['W'\] must be writeable"):
        gl.explain(lambda: 1.0, {"W": locked}, {"W": np.ones(2)})
    found = gl.explain(lambda p: float(p["W"] @ p["W"]), {"W": locked}, {"W": 2 * np.ones(2)})
    assert found.report.verdict == "correct"  # of copies nothing is shifted
    apart = gl.explain(lambda: float(whole @ whole), {"a": whole[:2], "b": whole[2:]},
                       {"a": 2 * whole[:2], "b": 2 * whole[2:]})  # fmt: skip
    assert apart.report.verdict == "correct"


def test_inside_of_a_with_block_the_arrays_are_shifted_and_at_its_end_put_back():
    arrays = {"W": np.array([0.4, -0.7]), "b": np.array(0.2)}
    own = OwnCode(lambda: float(np.sum(arrays["W"] ** 2) + arrays["b"]), arrays,
                  lambda: {"W": 2 * arrays["W"], "b": np.ones(())})  # fmt: skip
    assert own.theta.tolist() == [0.4, -0.7, 0.2]
    assert own.__name__ == "<lambda>"
    with own:
        assert own(np.array([1.0, 2.0, 3.0])) == 8.0
        assert arrays["W"].tolist() == [1.0, 2.0]
        assert own.gradient(np.array([3.0, 0.0, 1.0])).tolist() == [6.0, 0.0, 1.0]
        assert own.answers[0] is own.answers[-1]
        arrays["W"].flags.writeable = False  # by the loss
    assert arrays["W"].tolist() == [0.4, -0.7]
    assert not arrays["W"].flags.writeable
    points = own.elsewhere(4)
    assert points.shape == (4, 3)
    assert np.array_equal(points, own.elsewhere(4))
    assert 0.01 < np.abs(points - own.theta).mean() < 0.5


def test_where_a_loss_is_not_defined_it_is_nan_and_a_dict_that_was_given_stays():
    own = OwnCode(lambda p: 1.0 / (p["W"][0] > 0), {"W": np.ones(1)}, {"W": np.full(1, 3.0)})
    with np.errstate(divide="raise"):
        assert own.at(np.array([[1.0], [-1.0]])).tolist()[0] == 1.0
        assert np.isnan(own.at(np.array([[1.0], [-1.0]]))[1])
    assert own.gradient(np.array([9.0])).tolist() == [3.0]
    assert own.answers == []


def test_putting_back_is_done_once_more_where_it_is_interrupted():
    calls = []

    def interrupted():
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        surely(interrupted)
    assert len(calls) == 2
    array = np.zeros(2)
    array.flags.writeable = False
    put_back(array, np.ones(2))
    assert (array.tolist(), array.flags.writeable) == ([1.0, 1.0], False)


def test_how_many_arguments_a_function_needs():
    assert takes(lambda: 0, "f") == takes(lambda a=1, *b, **c: 0, "f") == 0
    assert takes(lambda a, b=1: 0, "f") == 1
    assert takes(dict.fromkeys, "f") in (0, 1)
    assert takes(min, "f") == 0  # has no signature


def test_examples_are_an_array_of_their_own():
    x = np.ones((2, 2), np.float32)
    assert check_examples(x, "x").dtype == float
    own = np.ones((2, 2))
    assert not np.shares_memory(check_examples(own, "x"), own)

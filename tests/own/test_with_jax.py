"""`gl.check_jax` with a stand-in for JAX: what is checked, and when it is compiled."""

import importlib
import itertools

import autograd.numpy as anp
import numpy as np
import pytest
from autograd.extend import defvjp, primitive

import gradlab as gl
from tests.own.standins import jax as standin


@pytest.fixture
def jax():
    with standin.installed() as module:
        yield module


@pytest.fixture
def code(jax):
    return importlib.import_module("gradlab.own.jax_code")


RNG = np.random.default_rng(0)
W, B, X = RNG.standard_normal((3, 2)), RNG.standard_normal(2), RNG.standard_normal((4, 3))


def layer(params, x):
    return anp.tanh(anp.dot(x, params["W"]) + params["b"])


@primitive
def spoiled(x):
    return np.tanh(x)


defvjp(spoiled, lambda out, x: lambda g: g * (1 - out))


@primitive
def clipped(x):
    return x * 1.0


defvjp(clipped, lambda out, x: lambda g: np.clip(g, -5, 5))


def params():
    return {"W": W.copy(), "b": B.copy()}


def test_a_right_function_is_correct_and_a_wrong_one_wrong(jax):
    report = gl.check_jax(layer, params(), X)
    assert (report.verdict, list(report)) == ("correct", ["params['W']", "params['b']", "x"])
    assert report.subject == (
        "layer in float64, its output times fixed random numbers, evaluated in batches"
    )
    assert len(jax.compiled) == 2  # one loss, and many
    wrong = gl.check_jax(spoiled, X)
    assert wrong.wrong == ["args[0]"]
    jax.compiled.clear()
    alone = gl.check_jax(layer, params(), X, batched=False)
    assert alone.subject == "layer in float64, its output times fixed random numbers"
    assert jax.compiled == []
    for name in alone:
        np.testing.assert_allclose(alone[name].numerical, report[name].numerical, atol=1e-9)


def test_the_options_are_those_of_check_function(jax):
    sampled = gl.check_jax(layer, params(), X, method="sampled", samples=2, seed=3)
    assert sampled["params['W']"].coverage == "2 of 6 entries"
    assert gl.check_jax(layer, params(), X, eps=1e-4).eps == 1e-4
    assert "to the tolerance of 0.5" in gl.check_jax(anp.sin, X, tolerance=0.5).why
    one, other = (gl.check_jax(layer, params(), X, seed=seed) for seed in (0, 1))
    assert not np.allclose(one["x"].analytic, other["x"].analytic)
    with pytest.raises(ValueError, match="seed"):
        gl.check_jax(layer, params(), X, seed=-1)
    with pytest.raises(TypeError, match="batched"):
        gl.check_jax(layer, params(), X, batched=2)


def test_one_number_is_the_loss_and_so_is_what_loss_returns(jax):
    def total(x):
        return anp.sum(x**2)

    report = gl.check_jax(total, X)
    np.testing.assert_allclose(report["x"].analytic, 2 * X, rtol=1e-12)
    assert report.subject == "total in float64, evaluated in batches"
    by_loss = gl.check_jax(lambda x: x * 1.0, X, loss=total)
    np.testing.assert_allclose(by_loss["x"].analytic, 2 * X, rtol=1e-12)
    assert "random" not in by_loss.subject
    half = gl.check_jax(lambda x: [anp.sum(x**2)], X)  # a tree with one number in it
    np.testing.assert_allclose(half["x"].analytic, 2 * X, rtol=1e-12)
    assert "random" in gl.check_jax(lambda x: [anp.sum(x**2), anp.sum(x)], X).subject


def test_float32_is_judged_as_that_and_the_advice_says_how_to_leave_it(jax):
    single = gl.check_jax(anp.sin, X.astype(np.float32))
    assert "in float32" in single.subject
    assert single["args[0]"].resolution > 1e-6
    in_jax = importlib.import_module("gradlab.own.in_jax")
    told = in_jax._in_jax(single.judgement.__class__("correct", "why", "check in float64, or so"))
    assert told.advice == f"{in_jax.FLOAT64}, or so"
    assert told.why == "why"


def test_which_arguments_are_checked(jax):
    def f(a, b, c):
        return a * b * c

    args = X, X + 1, X + 2
    assert list(gl.check_jax(f, *args)) == ["a", "b", "c"]
    assert list(gl.check_jax(f, *args, argnums=1)) == ["b"]
    assert list(gl.check_jax(f, *args, argnums=(0, -1))) == ["a", "c"]
    assert list(gl.check_jax(f, *args, argnums=[2])) == ["c"]
    for argnums in (3, (), (0, 3)):
        with pytest.raises(ValueError, match="argnums must be integers below 3, the number of arg"):
            gl.check_jax(f, *args, argnums=argnums)
    with pytest.raises(ValueError, match="argnums"):
        gl.check_jax(f, *args, argnums=-4)


def test_leaves_that_are_no_floats_are_handed_on(jax):
    seen = []

    def f(tree, key, flag, *more):
        seen.append((tree["n"], key.tolist(), flag, more))
        return tree["w"] * key[0] * more[0] + 0.5

    tree = {"w": X, "n": 3, "none": None}
    report = gl.check_jax(f, tree, np.array([2, 5]), True, 1.5)
    assert list(report) == ["tree['w']", "args[3]"]
    assert report.verdict == "correct"
    assert report["args[3]"].shape == ()
    assert {one[:3] for one in ((n, tuple(k), b) for n, k, b, _ in seen)} == {(3, (2, 5), True)}


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        ((3, X), {}, TypeError, "f must be a function of arrays, got int"),
        ((anp.sin, X), {"loss": 3}, TypeError, "loss must be a function of the output, got int"),
        ((anp.sin, 3, "a", np.array([1, 2])), {}, ValueError,
         r"a.* floating numbers to check, got \['int', 'str', 'int64\[2\]'\]"),
        ((anp.sin, X.astype(np.float16)), {}, TypeError, "must be float32 or float64 to be"),
        ((lambda a, b: a + b, X, X.astype(np.float32)), {}, TypeError,
         "of one type, got a in float64 and b in float32"),
        ((anp.sin, X[:0]), {}, ValueError, r"must have entries to be checked, got shape \(0, 3\)"),
        ((anp.sin, X * np.nan), {}, ValueError, "must be finite, got NaN"),
        ((lambda x: 3, X), {}, TypeError, r"an array of floating numbers, .* got \['int'\]"),
        ((anp.sin, X), {"loss": lambda out: 3}, TypeError, "a floating number, got int"),
        ((anp.sin, X), {"loss": lambda out: out}, ValueError, r"one number, got shape \(4, 3"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_named(jax, arguments, options, error, words):
    with pytest.raises(error, match=words):
        gl.check_jax(*arguments, **options)


def test_an_output_of_another_shape_at_another_call_is_named(jax):
    calls = []

    def grows(x):
        calls.append(1)
        return x if len(calls) < 3 else x[:2]

    with pytest.raises(
        ValueError, match=r"same shapes at every call, got \[\(2, 3\)\] after \[\(4, 3"
    ):
        gl.check_jax(grows, X, batched=False)


def test_a_rule_that_is_not_linear_in_its_cotangent_is_wrong(jax):
    report = gl.check_jax(clipped, X)
    assert report.verdict == "wrong"
    assert "not linear in cotangent" in report.remarks[0]
    assert report.evaluations > gl.check_jax(lambda x: x * 1.0, X).evaluations


def test_arrays_of_the_callers_are_not_written_into(jax):
    def writes(x, more):
        more += 1
        return x * more[0]

    given, more = X.copy(), np.array([1, 1])
    assert gl.check_jax(writes, given, more, argnums=0).verdict == "correct"
    assert given.tobytes() == X.tobytes()
    assert more.tolist() == [1, 1]


# -- compiled, or not ----------------------------------------------------------------------------


def own(code, f=layer, *args, **options):
    args = args or (params(), X)
    chosen = {"loss": None, "argnums": None, "seed": 0, **options}
    return code.JaxCode(f, args, *chosen.values())


def test_a_loss_is_compiled_if_that_gives_the_same(code, jax, monkeypatch):
    for off, is_compiled in ((0.0, True), (1e-14, True), (1e-3, False)):
        monkeypatch.setattr(jax, "jit", lambda f, off=off: lambda theta: f(theta) * (1 + off))
        one = own(code)
        one.compile()
        assert (one._compiled is not None) == is_compiled, off
        assert one(one.theta) == pytest.approx(float(one._value(one.theta)), rel=1e-13)

    for share, is_compiled in ((0.9, True), (1.1, False)):  # of a thousand roundings of its terms
        one = own(code)
        off = share * 1e3 * np.finfo(float).eps * one.size
        monkeypatch.setattr(jax, "jit", lambda f, off=off: lambda theta: f(theta) + off)
        one.compile()
        assert (one._compiled is not None) == is_compiled

    def refuses(f):
        raise TypeError("a tracer")

    monkeypatch.setattr(jax, "jit", refuses)
    one = own(code)
    one.compile()
    assert one._compiled is None


def test_a_loss_that_remembers_is_not_compiled(code, jax, monkeypatch):
    calls = []

    def remembers(x):
        calls.append(1)
        return x * len(calls)

    one = own(code, remembers, X)
    one.compile()
    assert one._compiled is None
    # not even where what is compiled says at each point what the calls before it said
    one, said = own(code, remembers, X), []
    plain, again = one._value, itertools.count()
    monkeypatch.setattr(one, "_value", lambda theta: said.append(plain(theta)) or said[-1])
    monkeypatch.setattr(jax, "jit", lambda f: lambda theta: said[next(again)])
    one.compile()
    assert one._compiled is None
    assert next(again) == 3


def test_other_numbers_from_above_are_compiled_anew(code, jax):
    one = own(code)
    before = one(one.theta)
    one.ask_with(one.other_above)
    assert one._compiled is None  # it was not before
    other = one(one.theta)
    assert other != before
    one = own(code)
    one.compile()
    first = one._compiled
    one.lanes()
    one._together = "what has the old numbers in it"
    one.ask_with(one.other_above)
    assert one._together is None
    assert one._compiled is not first
    assert one(one.theta) == pytest.approx(other, rel=1e-14)
    kept = one.above
    answer = one.answer([np.ones((4, 2))])
    assert one.above is kept
    h = np.tanh(X @ W + B)
    np.testing.assert_allclose(answer[:6], (X.T @ (1 - h**2)).ravel(), rtol=1e-12)


def test_losses_in_lanes_are_those_of_single_calls_and_compiled_in_two_sizes(
    code, jax, monkeypatch
):
    sizes = []
    vmap = jax.vmap

    def counted(f, axes):
        together = vmap(f, axes)
        return lambda theta, e, v: sizes.append((len(e), e.dtype)) or together(theta, e, v)

    monkeypatch.setattr(jax, "vmap", counted)
    one = own(code)
    monkeypatch.setattr(one, "_number", lambda: 40)
    for count in (1, 16, 17, 20):
        entries = np.arange(count)
        values = one.theta[entries] + 0.5
        losses = one._many(one.theta, "x", entries, values)
        assert len(losses) == count
        for entry, value, loss in zip(entries, values, losses, strict=True):
            theta = one.theta.copy()
            theta[entry] = value
            assert one(theta) == pytest.approx(loss, rel=1e-12)
    assert sizes == [(n, np.int32) for n in (code.SHORT, code.SHORT, 40, 40)]
    assert code.SHORT == 16


def test_a_batch_holds_no_more_numbers_than_memory_allows(code):
    one = own(code)
    # theta's, the arguments' and the output's
    assert one.numbers == 20 + (6 + 2 + 12) + 8
    assert one.lanes().numbers == dict.fromkeys(one.layout, 256)
    one.numbers = 2**22 // 10
    assert one._number() == 10
    one.numbers = 2**22 * 2
    assert one._number() == 1
    h = np.tanh(X @ W + B)
    assert one.size == pytest.approx(np.abs(h * one.above[0]).sum(), rel=1e-12)
    assert one.lanes().size == one.size


def test_what_a_function_keeps_is_not_left_traced(code):
    held = {}

    def keeps(x):
        held["last"] = x
        return x * 1.0

    one = own(code, keeps, X)
    one(one.theta)
    before = held["last"]
    one.gradient(one.theta)
    assert held["last"] is before
    one.compile()
    one(one.theta)
    now = held["last"]
    one._many(one.theta, "x", np.arange(12), one.theta)
    assert held["last"] is now


def test_which_leaves_are_floating(code):
    for leaf in (1.5, X, np.float32(1)):
        assert code._is_floating(leaf)
    for leaf in (True, 1, 1j, "a", None, np.arange(3), np.array([1j])):
        assert not code._is_floating(leaf)
    real, imag = code._floating([np.array([1 + 2j]), 3, "a"])
    assert (real.tolist(), imag.tolist()) == ([1.0], [2.0])
    assert code._told(X) == "float64[4, 3]"
    assert code._told("a") == "str"
    assert code._names(min, 2) == ["args[0]", "args[1]"]
    assert code._names(lambda a, *b: 0, 3) == ["a", "args[1]", "args[2]"]
    assert code._names(lambda a, b: 0, 1) == ["a"]

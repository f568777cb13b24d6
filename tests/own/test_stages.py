"""A layer of a stack: where its parameters and their gradients are, and what is said of it."""

import time
from functools import partial

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.diagnosis import Diagnosis
from gradlab.own.layers import Where, _together
from gradlab.own.stages import (
    _as_name,
    _grad_names,
    _held_in,
    _in_order,
    _kept_by,
    _named,
    _not_looked_at,
    _set_in,
    stages_of,
)

rng = np.random.default_rng(0)
X, W, B = rng.standard_normal((5, 3)), rng.standard_normal((3, 3)), rng.standard_normal(3)


class Base:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def forward(self, x):
        self.x = x
        return x

    def backward(self, dout):
        return dout


def names(layer):
    return [held.name for held in _held_in(layer)]


# -- where parameters are ------------------------------------------------------------------------


def test_parameters_are_in_dicts_lists_or_attributes():
    ints = np.arange(3)
    assert names(Base(params={"W": W, "b": B, "n": ints, "e": np.ones(0)}, grads={})) == ["W", "b"]
    assert names(Base(params={"fc.weight": W})) == ["fc_weight"]
    assert names(Base(params=[W, B], grads=[None, None])) == ["params_0", "params_1"]
    assert names(Base(params=[W, ints, B], w=W, b=B)) == ["w", "b"]
    assert names(Base(W=W, dW=W, b=B, grad_b=B, c=B, c_grad=B, g_d=B, d=B, n=ints)) == [
        "W", "b", "c", "d",
    ]  # fmt: skip
    assert names(Base(W=W, mean=B)) == []
    assert names(Base(W=W, mean=B, grads={})) == ["W", "mean"]
    assert names(Base(_W=W, d_W=W)) == []


def test_gradients_that_backward_sets_tell_a_parameter_and_what_is_kept_is_none():
    class Sets(Base):
        def backward(self, dout):
            self.dW = self.x.T @ dout
            self.out = dout
            return dout

    layer = Sets(W=W, dx=W, x=X, out=X, dout=X)
    assert names(layer) == ["W"]
    assert {"dW", "out", "x", "W", "dx", "dout"} <= _set_in(layer)
    assert _kept_by(layer, "forward", "backward") == {"x", "dW", "out"}
    assert _kept_by(layer, "forward") == {"x"}


def test_where_a_parameter_and_its_gradient_lie():
    layer = Base(params={"W": W, "b": B}, grads={"dW": 2 * W, "b": 3 * B})
    one, other = _held_in(layer)
    assert one.value(layer) is W
    assert one.grad(layer) is layer.grads["dW"]
    assert other.grad(layer) is layer.grads["b"]
    layer.grads = {}
    layer.db = 4 * B
    assert other.grad(layer) is layer.db
    assert one.grad(layer) is None
    listed = Base(params=[W, B], grads=[2 * W])
    one, other = _held_in(listed)
    assert one.value(listed) is W
    assert one.grad(listed) is listed.grads[0]
    assert other.grad(listed) is None
    none = Base(params=[W])
    assert _held_in(none)[0].grad(none) is None
    attribute = Base(W=W, dW=5 * W)
    (held,) = _held_in(attribute)
    assert held.value(attribute) is W
    assert held.grad(attribute) is attribute.dW


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("key", "name"),
    [("W", "W"), ("fc.weight", "fc_weight"), (0, "p_0"), ("lambda", "p_lambda"), ("-a-", "a"),
     ("params[1]", "params_1")],
)  # fmt: skip
def test_a_key_as_the_name_of_an_argument(key, name):
    assert _as_name(key) == name


def test_the_names_of_a_gradient():
    assert _grad_names("W") == {"dW", "d_W", "grad_W", "g_W", "W_grad"}
    assert _named({"W": 1, "dW": 2}, "W") == 1
    assert _named({"dW": 2}, "W") == 2
    assert _named({}, "W") is None


def test_a_dict_of_parameters_is_handed_over_in_forwards_order():
    def forward(x, W, b, mode="train"):
        return x

    params = {"b": B, "W": W}
    assert [p is q for p, q in zip(_in_order(forward, params), (W, B), strict=True)] == [True, True]
    settings = {"mode": "train"}
    assert _in_order(forward, settings) == ["train"]
    for other in ({"eps": 1}, {**params, "eps": 1}, {}, {"x": X}):
        assert _in_order(forward, other) == [other]
    assert _in_order(min, params) == [params]


# -- stages --------------------------------------------------------------------------------------


def affine_forward(x, w):
    return x @ w, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout


def test_what_a_stage_is_called():
    pair = (affine_forward, affine_backward, W)
    lambdas = (lambda x: x, lambda dout, x: dout)
    assert [s.label for s in stages_of([pair, Base(), lambdas, [np.tanh, np.tanh]])] == [
        "affine", "Base", "lambda", "tanh",
    ]  # fmt: skip
    assert [s.label for s in stages_of({"first": pair, "second": Base()})] == ["first", "second"]

    def relu_fwd(x):
        return x

    assert stages_of([(relu_fwd, affine_backward)])[0].label == "relu"
    assert stages_of([pair])[0].params == (W,)
    by_name = stages_of([(affine_forward, affine_backward, {"w": W})])[0]
    assert len(by_name.params) == 1
    assert by_name.params[0] is W


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("layers", "error", "words"),
    [
        (Base(), TypeError, "layers must be a list or a dict of layers, got Base"),
        ([], ValueError, "at least one layer, got none"),
        ({}, ValueError, "at least one layer, got none"),
        ([(np.tanh,)], TypeError, r"layers\[0\] must be \(forward, backward, .*got \(ufunc\)"),
        ([(np.tanh, 3)], TypeError, r"got \(ufunc, int\)"),
        ([Base(), 3], TypeError, r"layers\[1\] must have the methods forward .*, got int"),
        ({"a": 3}, TypeError, r"layers\['a'\] must have the methods"),
    ],
)
def test_what_is_no_layer_is_named(layers, error, words):
    with pytest.raises(error, match=words):
        stages_of(layers)


def test_one_object_twice_is_told_and_a_pair_of_functions_twice_is_none():
    layer, pair = Base(), (affine_forward, affine_backward, W)
    told = [s.remarks for s in stages_of([layer, pair, layer, Base(), pair])]
    assert [bool(t) for t in told] == [True, False, True, False, False]
    assert "stands in the stack more than once" in told[0][0]


def test_an_object_is_copied_at_every_call_and_left_gradients_are_0():
    class Adds(Base):
        def forward(self, x):
            self.x = x
            return x @ self.W

        def backward(self, dout):
            self.dW += self.x.T @ dout
            return dout @ self.W.T

    layer = Adds(W=W.copy(), dW=np.full((3, 3), 9.0))
    (stage,) = stages_of([layer])
    out, own = stage.forward(X, 2 * W)
    assert np.array_equal(out, X @ (2 * W))
    assert own is not layer
    for _ in range(2):
        grads = stage.backward(np.ones((5, 3)), stage.forward(X, 2 * W)[1])
        np.testing.assert_allclose(grads["W"], X.T @ np.ones((5, 3)))
        np.testing.assert_allclose(grads["x"], np.ones((5, 3)) @ (2 * W).T)
    assert (layer.dW == 9).all()
    assert np.array_equal(layer.W, W)
    assert not hasattr(layer, "x")


@pytest.mark.parametrize(
    "answer",
    [
        lambda dx, dW, db: (dx, dW, db), lambda dx, dW, db: [dx, dW, db],
        lambda dx, dW, db: (dx, {"W": dW, "db": db}),
    ],
)  # fmt: skip
def test_a_backward_may_return_the_gradients_of_parameters_too(answer):
    class Returns(Base):
        def forward(self, x):
            self.x = x
            return x @ self.params["W"] + self.params["b"]

        def backward(self, dout):
            W = self.params["W"]
            return answer(dout @ W.T, self.x.T @ dout, dout.sum(axis=0))

    report = gl.check_layers([Returns(params={"W": W, "b": B})], X, loss)
    assert report.verdict == "correct"
    assert list(report) == ["1 Returns: x", "1 Returns: W", "1 Returns: b", "loss: out"]


def test_an_input_that_is_called_as_a_parameter_is_called_input():
    class Named(Base):
        def forward(self, W):
            return W * self.params["W"]

    (stage,) = stages_of([Named(params={"W": B})])
    assert [*stage.forward.__signature__.parameters] == ["input", "W"]


def test_what_was_not_looked_at_is_told():
    held = lambda layer: _held_in(layer)  # noqa: E731
    plain = Base(W=W, dW=W)
    assert _not_looked_at(plain, held(plain)) == ()
    some = Base(W=W, dW=W, scale=B, _hidden=B)
    (told,) = _not_looked_at(some, held(some))
    assert told.startswith("its arrays scale, _hidden were not checked. Parameters are looked for")
    none = Base(scale=B)
    (told,) = _not_looked_at(none, [])
    assert told.startswith("no parameters were found; its arrays scale were not checked")
    kept = Base(x=X)
    assert _not_looked_at(kept, []) == ()
    in_dict = Base(params={"W": W}, scale=B)
    assert _not_looked_at(in_dict, held(in_dict)) == ()
    for holder in (Base(inner=Base()), Base(many=[3, Base()]), Base(pair=(Base(),))):
        (told,) = _not_looked_at(holder, [])
        assert told.startswith("it has layers of its own, whose parameters were not checked")


# -- a stack -------------------------------------------------------------------------------------


def loss(out):
    return float(np.sum(out**2)), 2 * out


def of_w_alone(dout, cache):
    return None, cache[0].T @ dout


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"loss": 3}, TypeError, r"loss must be a function out -> \(value, dout\), got int"),
        ({"x": [1.0]}, TypeError, "x must be an ndarray, got list"),
        ({"loss": lambda out: 3.0}, TypeError, r"must return \(value, dout\), got float"),
        ({"loss": lambda out: (1.0, out, 3)}, TypeError, r"\(value, dout\), got 3 things"),
        ({"loss": lambda out: (out, out)}, ValueError, r"loss\(out\) must return first one number"),
        ({"loss": lambda out: (np.inf, out)}, ValueError, "must return a finite value, got inf"),
        ({"loss": lambda out: (1.0, out[0])}, ValueError, r"dout of loss\(out\) must have shape"),
        ({"layers": [(lambda x: (x, x, 1), lambda da, db, cache: da + db)]}, ValueError,
         r"Layer 1 \(lambda\) must return one output for the next layer, got 2"),
        ({"layers": [(affine_forward, affine_backward, W), (affine_forward, of_w_alone, W)]},
         ValueError, r"Layer 2 \(affine\): backward must return a gradient of its input x for the"),
        ({"layers": [Base(), (affine_forward, affine_backward, W[:2])]}, ValueError,
         r"Layer 2 \(affine\): matmul"),
        ({"layers": [Base(), (affine_forward, lambda: 0, W)]}, TypeError, r"Layer 2 \(affine\)"),
        ({"seed": 0.5}, TypeError, "seed"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_stack_is_named_with_its_layer(changed, error, words):
    given = {"layers": [Base()], "x": X, "loss": loss, **changed}
    with pytest.raises(error, match=words):
        gl.check_layers(**given)


def test_the_first_layer_may_do_without_a_gradient_of_its_input():
    first = (affine_forward, lambda dout, cache: (None, cache[0].T @ dout), W)
    report = gl.check_layers([first, Base()], X, loss)
    assert list(report) == ["1 affine: w", "2 Base: x", "loss: out"]
    assert report.verdict == "correct"
    assert report.subject == "2 layers and the loss"
    assert report.eps is None


def test_how_long_it_took_and_what_was_accepted_are_told_of_the_whole():
    before = time.perf_counter()
    x = X[:2]
    report = gl.check_layers([Base(), Base()], x, loss, tolerance=0.05)
    assert 0 < report.seconds <= time.perf_counter() - before
    assert "to the tolerance of 0.05" in report.why
    assert "to the tolerance" not in gl.check_layers([Base(), Base()], x, loss).why
    # the same layer twice, and its input is the same: as many evaluations each
    alone = gl.check_layers([Base()], x, loss).evaluations
    third = gl.check_layers([Base(), Base(), Base()], x, loss).evaluations
    assert third - report.evaluations == report.evaluations - alone > 4 * x.size


def test_what_could_not_be_judged_is_told_with_its_layer():
    class Noisy(Base):
        def forward(self, x):
            return x + draws.random(x.shape)

        def __deepcopy__(self, memo):
            return self

    draws = np.random.default_rng(0)
    report = gl.check_layers([Noisy()], X, loss)
    assert report.verdict == "inconclusive"
    assert report.remarks[0] == "Layer 1 (Noisy): backward could not be judged for its input x."


def test_a_loss_that_is_wrong_is_told_by_itself():
    report = gl.check_layers([Base()], X, lambda out: (float(np.sum(out**2)), 3 * out))
    assert report.wrong == ["loss: out"]
    assert report.remarks[0] == "The loss: backward is wrong for its input out."

    def spoiled(dout, cache):
        dx, dw = affine_backward(dout, cache)
        return 2 * dx, 3 * dw

    report = gl.check_layers([(affine_forward, spoiled, W)], X, loss)
    assert report.remarks[0] == (
        "Layer 1 (affine): backward is wrong for its input x and for its parameter w."
    )
    assert report.wrong == ["1 affine: x", "1 affine: w"]


def test_a_layers_number_and_name():
    assert (str(Where(2, "Tanh")), Where(2, "Tanh").short) == ("Layer 2 (Tanh)", "2 Tanh")
    assert (str(Where(0, "loss")), Where(0, "loss").short) == ("The loss", "loss")


class Of:
    """A part as `_together` reads it."""

    def __init__(self, name, verdict, *causes):
        self.found, self.named = [*causes], {name: type("T", (), {"verdict": verdict})()}

    def causes(self):
        return self.found


def line(cause, **more):
    given = {"where": "w", "wrong_line": "a", "right_line": "b", "residual": 0.1, "certain": True,
             "alike": ("other",), **more}  # fmt: skip
    return Diagnosis(cause, given.pop("bug", None), None, "e", 0.98, **given)


def vague(cause, score):
    return Diagnosis(cause, None, None, "e", score)


def test_the_causes_of_all_layers_are_one_with_what_is_left_open():
    one = Of("a", "wrong", line("one", whose="yours"))
    two = Of("b", "wrong", line("two", whose="formula", residual=0.3, where="v"))
    some = Of("c", "wrong", vague("low", 0.3), vague("none", 0.0))
    right = Of("d", "correct")
    (alone,) = _together([one, right])
    assert (alone.cause, alone.certain, alone.alike, alone.whose) == (
        "one",
        True,
        ("other",),
        "yours",
    )
    assert alone.left_open == ()
    (both,) = _together([one, two])
    assert (both.cause, both.where) == ("one; two", "w; v (gradlab's formula)")
    assert (both.wrong_line, both.right_line, both.evidence) == ("a; a", "b; b", "e; e")
    assert (both.residual, both.alike, both.whose, both.certain) == (0.3, (), "", True)
    left, rest = _together([one, some])
    assert (left.certain, left.left_open, rest.cause) == (False, ("c",), "low")
    higher = Of("e", "wrong", vague("high", 0.9))
    assert [d.cause for d in _together([some, higher])] == ["high", "low"]
    assert [d.cause for d in _together([Of("c", "wrong", vague("none", 0.0))])] == ["none"]
    ours = Of("b", "wrong", line("two", whose="formula", bug="a_bug"))
    (told,) = _together([ours, right])
    assert (told.where, told.whose, told.bug) == ("w", "formula", "a_bug")
    assert _together([ours, one])[0].bug is None
    same = Of("b", "wrong", line("two", whose="yours"))
    assert _together([one, same])[0].whose == "yours"
    assert "formula" not in _together([one, same])[0].where


# -- a factor over the examples ------------------------------------------------------------------


@pytest.mark.parametrize(("factor", "said"), [(1 / 5, "is 1/5 times"), (5.0, "is 5 times")])
def test_where_the_number_of_examples_cannot_be_changed_both_readings_are_told(factor, said):
    def forward(x, w):
        assert x.shape == (5, 3)
        return np.sin(x @ w), (x, w)

    def backward(dout, cache):
        x, w = cache
        d = dout * np.cos(x @ w)
        return d @ w.T, x.T @ d * factor

    unread = partial(backward)  # so that no line of it is found
    (cause,) = gl.check_layer(forward, unread, X, W).diagnosis
    assert said in cause.cause
    assert "N is 5 here" in cause.cause

"""The wrong line in the source of who wrote it: found, right, and without a trace."""

import ast
import importlib.util
import linecache
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.diagnosis import Facts
from gradlab.checking.source import search
from gradlab.checking.source.functions import Code, Function
from gradlab.own.factors import _is_steady
from gradlab.own.layer_code import LayerCode
from gradlab.own.source_layer import _trial
from tests.own.pieces import layers
from tests.own.pieces.bugs import BUGS, NOT_FOUND, OUR_WORDS

TEXT = Path(layers.__file__).read_text()
NAMES = list(dict.fromkeys(name for name, *_ in BUGS))


def loaded(text, folder, name="piece"):
    """Return a file of its own as a module."""
    path = folder / f"{name}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def checked(module, name):
    if name == "Block":
        loss = lambda out: (float(np.sum(out**2)), 2 * out)  # noqa: E731
        return gl.check_layers([module.Block()], layers.normal(6, 4), loss)
    functions = (getattr(module, f"{name}_{way}") for way in ("forward", "backward"))
    return gl.check_layer(*functions, *layers.INPUTS[name])


def spoiled(name, right, wrong):
    """Return the file with a bug in it, and where its line begins."""
    head = TEXT.index("    def backward" if name == "Block" else f"def {name}_backward")
    at = TEXT.index(right, head)
    return TEXT[:at] + wrong + TEXT[at + len(right) :], at


def same(one, other):
    return ast.unparse(ast.parse(one)) == ast.unparse(ast.parse(other))


@pytest.mark.every_case
@pytest.mark.parametrize("name", NAMES)
def test_each_piece_is_right(name):
    assert checked(layers, name).verdict == "correct"


@pytest.mark.parametrize("number", range(len(BUGS)))
def test_with_the_line_that_is_told_the_check_comes_out_right(number, tmp_path):
    """The oracle is the check itself: the file is mended as the cause says, and loaded anew."""
    name, right, wrong = BUGS[number]
    text, _ = spoiled(name, right, wrong)
    report = checked(loaded(text, tmp_path), name)
    assert report.verdict == "wrong"
    (cause,) = report.diagnosis
    assert cause.certain == (number not in NOT_FOUND), cause
    if not cause.certain:
        return
    if number in OUR_WORDS:
        assert cause.where == name
        return
    line, lines = int(cause.where.rpartition(", line ")[2]), text.split("\n")
    indent = lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]
    assert same(lines[line - 1].strip(), cause.wrong_line)
    lines[line - 1] = indent + cause.right_line
    assert checked(loaded("\n".join(lines), tmp_path, "mended"), name).verdict == "correct"


def test_most_bugs_are_found():
    assert len(BUGS) >= 60
    assert len(NOT_FOUND) <= 0.1 * len(BUGS)


def dense(x, W, b):
    return x @ W + b, (x, W)


def percent(dout, cache):
    x, W = cache
    return dout @ W.T, 1.001 * x.T @ dout, dout.sum(axis=0)


INPUTS = layers.normal(5, 3), layers.normal(3, 4), layers.normal(4)


def test_a_tenth_of_a_percent_is_found():
    (cause,) = gl.check_layer(dense, percent, *INPUTS).diagnosis
    assert cause.wrong_line == "return dout @ W.T, 1.001 * x.T @ dout, dout.sum(axis=0)"
    assert cause.right_line == "return dout @ W.T, x.T @ dout, dout.sum(axis=0)"
    assert cause.where == f"percent, line {percent.__code__.co_firstlineno + 2}"


def test_a_number_of_examples_is_told_from_a_number():
    def five(dout, cache):
        x, W = cache
        return dout @ W.T, x.T @ dout / 5, dout.sum(axis=0)

    def forward(x, W, b):
        return (x @ W + b) / 5, (x, W)

    def mean(x, W, b):
        return (x @ W + b) / len(x), (x, W)

    def of_mean(dout, cache):
        x, W = cache
        N = len(x)
        return dout @ W.T / N, x.T @ dout, dout.sum(axis=0) / N

    (cause,) = gl.check_layer(dense, five, *INPUTS).diagnosis
    assert "x.T @ dout, dout" in cause.right_line
    (cause,) = gl.check_layer(mean, of_mean, *INPUTS).diagnosis
    assert "x.T @ dout / N" in cause.right_line.replace("(", "").replace(")", "")
    report = gl.check_layer(forward, lambda dout, cache: five(dout, cache), *INPUTS)
    assert report.wrong == ["x", "b"]  # two mistakes: no one line
    assert not any(cause.certain for cause in report.diagnosis)


STATE = {"calls": 0, "kept": np.arange(6.0)}


def leaves_traces(dout, cache):
    STATE["calls"] += 1
    print("called")
    x, W = cache
    return dout @ W, x.T @ dout, dout.sum(axis=0)


def test_nothing_of_the_callers_is_another_thing_afterwards(capsys):
    inputs = layers.normal(5, 3), layers.normal(3, 3), layers.normal(3)
    before = [a.tobytes() for a in inputs]
    code, kept = leaves_traces.__code__, STATE["kept"].tobytes()
    report = gl.check_layer(dense, leaves_traces, *inputs)
    capsys.readouterr()
    calls = STATE["calls"]
    assert report.diagnosis[0].right_line == "return dout @ W.T, x.T @ dout, dout.sum(axis=0)"
    assert capsys.readouterr().out.count("called") < 10  # thousands of calls, and no word
    assert STATE["calls"] < calls + 10
    assert [a.tobytes() for a in inputs] == before
    assert leaves_traces.__code__ is code
    assert STATE["kept"].tobytes() == kept


def kept_slope(x):
    y = np.tanh(x)
    slope = 1 - y
    return y, slope


def times(dout, slope):
    return dout * slope


def test_a_line_of_forward_is_told_that_keeps_what_backward_cannot_use():
    """The output is right: an edit of the first line would make it another one."""
    (cause,) = gl.check_layer(kept_slope, times, INPUTS[0]).diagnosis
    assert (cause.wrong_line, cause.right_line) == ("slope = 1 - y", "slope = 1 - y ** 2")
    assert cause.where.startswith("kept_slope, line")


def test_an_edit_of_forward_leaves_its_output_alone_here_and_elsewhere():
    code = LayerCode(kept_slope, times, INPUTS[:1])
    report = gl.check_function(code, code.gradient, code.theta, tensors=code.layout)
    codes = [Code(times), Code(kept_slope)]
    trial = _trial(code, report, Facts.of(report), codes)
    place = trial.places()[0]

    def right(x):
        return np.tanh(x), 1 - np.tanh(x) ** 2

    def only_here(x):
        return (np.tanh(x) if np.array_equal(x, INPUTS[0]) else x), 1 - np.tanh(x) ** 2

    for at, x in ((None, INPUTS[0]), (place, place.inputs["x"])):
        above = code.above if at is None else at.above
        grads = trial.run(1, right, at)
        np.testing.assert_allclose(grads["x"], above[0] * (1 - np.tanh(x) ** 2))
        with pytest.raises(ValueError, match="another output"):
            trial.run(1, lambda x: (x, 1 - np.tanh(x) ** 2), at)
        # of backward there is no such rule
        np.testing.assert_allclose(trial.run(0, lambda dout, s: 3 * dout, at)["x"], 3 * above[0])
    trial.run(1, only_here, None)
    with pytest.raises(ValueError, match="another output"):
        trial.run(1, only_here, place)


def test_a_line_is_told_where_only_the_sizes_that_came_can_be_asked():
    def forward(x):
        if x.shape != (5, 3):
            raise ValueError
        return np.sin(x**2), x

    def backward(dout, x):
        return dout * np.cos(x**2) * x

    (cause,) = gl.check_layer(forward, backward, INPUTS[0]).diagnosis
    assert cause.whose == "yours"
    assert cause.right_line == "return 2 * dout * np.cos(x ** 2) * x"

    def here(x):
        if np.abs(x - INPUTS[0]).max() > 1e-3:
            raise ValueError
        return forward(x)

    report = gl.check_layer(here, backward, INPUTS[0])
    assert report.verdict == "wrong"
    assert not any(cause.certain for cause in report.diagnosis)  # it may be right nowhere else


def rectified(x, slope=False):
    y = np.tanh(x)
    if slope:
        return 1 - y
    return y


def test_an_edit_of_what_both_call_is_told_only_if_forward_is_the_same_with_it():
    def forward(x):
        return rectified(x), x

    def right(dout, x):
        return dout * (1 - rectified(x) ** 2)

    def squared(dout, x):
        return dout * (1 - rectified(x))

    def sloped(dout, x):
        return dout * rectified(x, slope=True)

    assert gl.check_layer(forward, right, INPUTS[0]).verdict == "correct"
    (cause,) = gl.check_layer(forward, squared, INPUTS[0]).diagnosis
    assert cause.wrong_line == "return dout * (1 - rectified(x))"
    assert not any("rectified, line" in str(part) for part in (cause.where, *cause.alike))
    (cause,) = gl.check_layer(forward, sloped, INPUTS[0]).diagnosis
    assert (cause.wrong_line, cause.right_line) == ("return 1 - y", "return 1 - y ** 2")


def test_a_file_that_has_changed_since_is_not_read(tmp_path):
    module = loaded("def f(x):\n    return 2 * x\n", tmp_path)
    assert Function.of(module.f)
    (tmp_path / "piece.py").write_text("def f(x):\n    return 3 * x\n")
    linecache.checkcache()
    assert Function.of(module.f) is None


@pytest.mark.parametrize("thing", [len, partial(len), np.sin, gl.check, None, 3, dict])
def test_what_has_no_source_of_its_own_is_left_alone(thing):
    assert Code(thing).functions == []


def test_helpers_that_backward_calls_are_looked_into(tmp_path):
    module = loaded(
        """import numpy as np

def slope(a):
    return 1 + a**2

def forward(x):
    return np.tanh(x), np.tanh(x)

def backward(dout, a):
    return dout * slope(a)
""",
        tmp_path,
    )
    (cause,) = gl.check_layer(module.forward, module.backward, INPUTS[0]).diagnosis
    assert (cause.where, cause.wrong_line) == ("slope, line 4", "return 1 + a**2")
    assert same(cause.right_line, "return 1 - a**2")
    assert module.slope(3) == 10


def test_the_work_of_a_search_is_bounded(monkeypatch):
    """Two mistakes that no edit explains: it ends when the statements are used up."""
    runs = []
    vector = search.Search._vector
    monkeypatch.setattr(search.Search, "_vector", lambda *a: runs.append(a[0].price) or vector(*a))

    def backward(dout, cache):
        x, W = cache
        noise = np.cos(np.arange(15.0)).reshape(5, 3)
        return (dout @ W.T) * noise, x.T @ dout, dout.sum(axis=0) * noise[0, 0]

    gl.check_layer(dense, backward, *INPUTS).diagnosis  # noqa: B018 - looks for a line
    assert 0 < sum(runs) <= search.WORK


def test_a_function_that_may_not_end_is_left_alone():
    def backward(dout, cache):
        x, W = cache
        k, db = 0, np.zeros(4)
        while k < 5:
            db += dout[k]
            k += 1
        return dout @ W.T, x.T @ dout, db / 5

    report = gl.check_layer(dense, backward, *INPUTS)
    assert report.wrong == ["b"]
    assert all("while" not in (cause.wrong_line or "") for cause in report.diagnosis)


@pytest.mark.timeout(300)
def test_what_numpy_takes_for_an_endless_sequence_is_not_computed_with():
    """np.sqrt(np.c_) never ends, and takes all the memory there is."""

    def cost(theta):
        A = np.c_[np.ones(6), X]
        columns = np.c_
        B = columns[np.ones(6), X]
        h = np.tanh(A @ theta)
        return np.sum(h**3), B.T @ (np.cos(h) * (1 - h))

    report = gl.check_function(cost, True, layers.normal(4))
    assert report.verdict == "wrong"
    assert report.diagnosis


# -- functions of theta, and arrays where they lie ------------------------------------------------

X, Y = layers.normal(6, 3), layers.normal(6, 2)


def loss_and_grad(theta):
    W, b = theta[:6].reshape(3, 2), theta[6:]
    a = np.tanh(X @ W + b)
    loss = 0.5 * np.sum((a - Y) ** 2) / len(X)
    dz = (a - Y) * (1 - a) / len(X)
    return loss, np.concatenate([(X.T @ dz).ravel(), dz.sum(axis=0)])


def test_the_line_of_a_function_that_returns_both():
    (cause,) = gl.check_function(loss_and_grad, True, layers.normal(8)).diagnosis
    assert cause.wrong_line == "dz = (a - Y) * (1 - a) / len(X)"
    assert cause.right_line == "dz = (a - Y) * (1 - a ** 2) / len(X)"


class Net:
    def __init__(self):
        self.W, self.b = layers.normal(3, 2), np.zeros(2)

    def loss(self):
        self.out = np.tanh(X @ self.W + self.b)
        return np.sum(self.out**2)

    def backward(self):
        d = 2 * self.out * (1 - self.out**2)
        self.dW, self.db = X.T @ d, d.mean(axis=0)
        return vars(self)


def test_the_line_of_a_method_whose_arrays_lie_in_its_object():
    net = Net()
    report = gl.check_arrays(net.loss, vars(net), net.backward)
    before = {name: value.tobytes() for name, value in vars(net).items()}
    (cause,) = report.diagnosis
    assert cause.wrong_line == "self.dW, self.db = X.T @ d, d.mean(axis=0)"
    assert cause.right_line == "self.dW, self.db = X.T @ d, d.sum(axis=0)"
    assert {name: value.tobytes() for name, value in vars(net).items()} == before


def test_the_line_of_plain_functions_that_close_over_their_arrays():
    W, b = layers.normal(3, 2), np.zeros(2)

    def loss():
        return np.sum(np.tanh(X @ W + b) ** 2)

    def grads():
        out = np.tanh(X @ W + b)
        d = 2 * out * (1 - out**2)
        return {"W": X.T @ d, "b": d.mean(axis=0)}

    report = gl.check_arrays(loss, {"W": W, "b": b}, grads)
    assert "d.sum(axis=0)" in str(report)
    assert same(report.diagnosis[0].right_line[7:], '{"W": X.T @ d, "b": d.sum(axis=0)}')


# -- a factor is a cause only if it is one elsewhere too ------------------------------------------


def odd(x, W):
    return np.sin(x @ W), (x, W)


def odd_backward(kind, dout, cache):
    x, W = cache
    d = dout * np.cos(x @ W)
    factor = {"1/N": 1 / len(x), "N": len(x), "1/4": 0.25, "data": np.abs(x).mean(), "1/2": 0.5,
              "sizes": odd_factor(kind, len(x), W.shape[1])}  # fmt: skip
    return d @ W.T, x.T @ d * factor[kind]


def odd_factor(kind, N, M):
    return {"1/N": 1 / N, "N": N, "sizes": N / M**2}.get(kind)


@pytest.mark.every_case
@pytest.mark.parametrize("examples", [2, 4, 5])
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("1/N", "W is 1/N of what it must be"),
        ("N", "W is N times what it must be"),
        ("1/4", "the gradient is 0.25 times what it must be"),
        ("1/2", "the gradient there is exactly half"),
        ("data", "depends on the numbers"),
        ("sizes", "follows the arrays' sizes"),
    ],
)
def test_a_factor_is_told_as_what_it_is_with_other_examples_too(examples, kind, said):
    report = gl.check_layer(
        odd, partial(odd_backward, kind), layers.normal(examples, 3), layers.normal(3, 3)
    )
    assert report.wrong == ["W"]
    (cause,) = report.diagnosis
    assert said in cause.cause
    assert not cause.certain
    if kind in ("1/N", "N", "sizes"):  # a mean or a sum is likelier than what fits no name
        assert cause.score == (0.5 if kind == "sizes" else 0.9)
        more = odd_factor(kind, examples + 1, 3)
        assert f"with one example more it is {more:.6g}" in cause.evidence


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (lambda N: 100 * (1 + 2e-4 / N), "the gradient is 100.004 times what it must be"),
        (lambda N: 0.01 * (1 + 0.6 / N), "follows the arrays' sizes: 0.0112 here"),
        (lambda N: 1.001 / N, "follows the arrays' sizes: 0.2002 here"),
    ],
)
def test_a_factor_is_the_same_with_other_sizes_to_a_ten_thousandth_of_itself(factor, said):
    def backward(dout, cache):
        dx, dW = odd_backward("1/2", dout, cache)
        return dx, 2 * dW * factor(len(dx))

    (cause,) = gl.check_layer(odd, partial(backward), *INPUTS[:2]).diagnosis
    assert said in cause.cause


def test_a_factor_of_all_that_is_wrong_is_told_of_every_tensor():
    def backward(dout, cache):
        dx, dW = odd_backward("1/N", dout, cache)
        return dx / len(dx), dW

    x, W, b = layers.normal(5, 2), layers.normal(2, 2), layers.normal(2)
    (cause,) = gl.check_layer(odd, partial(backward), x, W).diagnosis
    assert cause.cause.startswith("every tensor is 1/N of what it must be: a mean over the 5 exam")

    def two(dout, cache):
        dx, dW = odd_backward("1/N", dout, cache)
        return dx, dW, dout.mean(axis=0)

    (cause,) = gl.check_layer(
        lambda x, W, b: (odd(x, W)[0] + b, (x, W)), partial(two), x, W, b
    ).diagnosis
    assert cause.cause.startswith("W, b is 1/N of what it must be")


def test_a_gradient_that_adds_up_or_of_which_a_part_is_known_has_no_factor():
    code = LayerCode(lambda x: (np.sin(x), x), lambda dout, x: dout * np.cos(x), INPUTS[:1])
    grads = {name: np.ravel(g) for name, g in code.at({}, code.above)[1].items()}

    def is_steady(analytic):
        return _is_steady(code, SimpleNamespace(analytic=analytic, shapes={"x": (5, 3)}))

    assert is_steady(grads)
    assert is_steady({"x": grads["x"] * (1 + 1e-12)})
    assert not is_steady({"x": grads["x"] * (1 + 1e-5)})
    assert not is_steady({"x": grads["x"][:4]})
    code.backward = lambda dout, x: 1 / 0
    assert not is_steady(grads)


def test_where_the_number_of_examples_cannot_be_changed_both_are_told():
    def forward(x, W):
        assert x.shape == (2, 3)
        return odd(x, W)

    backward = partial(odd_backward, "1/N")
    (cause,) = gl.check_layer(forward, backward, layers.normal(2, 3), layers.normal(3, 4)).diagnosis
    assert "N is 2 here" in cause.cause
    assert "the number 2 lost or there twice" in cause.cause


def test_a_factor_of_a_function_that_depends_on_theta_is_no_cause():
    grad = partial(lambda theta: np.cos(theta) * np.sum(theta**2))
    (cause,) = gl.check_function(lambda t: np.sum(np.sin(t)), grad, layers.normal(4)).diagnosis
    assert "depends on the numbers" in cause.cause


# -- lambdas --------------------------------------------------------------------------------------

pair = (lambda x: (np.tanh(x), np.tanh(x)), lambda dout, a: dout * (1 - a))


def test_a_lambda_is_read_where_it_stands_though_others_stand_beside_it():
    (cause,) = gl.check_layer(*pair, INPUTS[0]).diagnosis
    assert cause.where.startswith("lambda, line")
    assert cause.wrong_line == "lambda dout, a: dout * (1 - a)"
    assert cause.right_line == "lambda dout, a: dout * (1 - a ** 2)"
    report = gl.check_function(lambda t: np.sum(np.sin(t)), lambda t: -np.cos(t), INPUTS[2])
    assert report.diagnosis[0].right_line == "lambda t: np.cos(t)"


def test_a_gradient_that_adds_to_what_it_left_is_told_as_that():
    left = np.zeros(4)

    def grad(theta):
        left[:] += np.cos(theta)
        return left

    report = gl.check_function(lambda t: np.sum(np.sin(t)), grad, layers.normal(4))
    assert "added to those of the call before" in report.diagnosis[0].cause


EXTRACTED = """
import numpy as np


def forward(x):
    return np.maximum(x, 0) ** 3, x


def backward(dout, x):
    dx = np.zeros(x.shape)
    dx[x > 0] = np.extract(x > 0, 3 * dout * x)
    return dx
"""

NAMED_AS_METHODS = """
import numpy as np


def flatten(x):
    return x.reshape(len(x), -1)


def reshape(x, like):
    return x.flatten().reshape(like.shape)


def slope(t):
    u = t * t * t
    return 1 - u


def forward(x):
    return np.tanh(flatten(x)), x


def backward(dout, x):
    return reshape(dout * slope(np.tanh(flatten(x))), x)
"""


def told_of(text, folder, *inputs):
    module = loaded(text, folder)
    report = gl.check_layer(module.forward, module.backward, *inputs)
    assert report.verdict == "wrong"
    assert "wrong" in str(report)
    return [cause.cause for cause in report.diagnosis]


def test_a_part_that_decides_the_shape_of_its_line_is_no_factor(tmp_path):
    (cause, *_) = told_of(EXTRACTED, tmp_path, layers.normal(3, 4))
    assert "return dx * x" in cause  # nothing of the line above is 0 times what it was


def test_helpers_that_are_named_as_methods_of_arrays_do_not_call_each_other(tmp_path):
    (cause, *_) = told_of(NAMED_AS_METHODS, tmp_path, layers.normal(3, 2, 2))
    assert cause.startswith("slope, line 14: u = t * t * t")
    assert cause.endswith("u = t * t")

"""The wrong line where people keep their code: objects that others hold, helpers that both use."""

import functools
import sys
import threading
from collections import namedtuple

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.source.silent import silent
from tests.own.pieces.layers import normal


class Sigmoid:
    def __call__(self, x):
        self.y = 1 / (1 + np.exp(-x))
        return self.y

    def backward(self, up):
        return up * self.y


class Linear:
    def __init__(self, n, m):
        self.W, self.b = normal(n, m) / 2, np.zeros(m)

    def __call__(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, up):
        self.dW, self.db = self.x.T @ up, up.sum(axis=0)
        return up @ self.W.T


class Model:
    def __init__(self):
        self.one, self.act, self.two = Linear(3, 4), Sigmoid(), Linear(4, 2)

    def loss(self, x, y):
        self.off = self.two(self.act(self.one(x))) - y
        return np.sum(self.off**2) / len(x)

    def backward(self, x, y):
        self.loss(x, y)
        up = self.two.backward(2 * self.off / len(self.off))
        self.one.backward(self.act.backward(up))
        return {"one": self.one.dW, "two": self.two.dW}


def test_a_line_of_an_object_in_an_object_is_found_and_nothing_stays_on_it():
    model, x, y = Model(), normal(5, 3), normal(5, 2)
    arrays = {"one": model.one.W, "two": model.two.W}
    report = gl.check_arrays(lambda: model.loss(x, y), arrays, lambda: model.backward(x, y))
    before = {name: id(value) for name, value in vars(model.act).items()}
    (cause,) = report.diagnosis
    assert cause.whose == "yours"
    assert cause.wrong_line == "return up * self.y"
    assert "(1 - self.y)" in cause.right_line
    assert {name: id(value) for name, value in vars(model.act).items()} == before


class Cube:
    def of(self, x):
        return x**3

    def backward(self, up, x):
        square = x**2
        return 3 * up * square + up


def forward(x, act):
    return act.of(x), (x, act)


def backward(dout, cache):
    x, act = cache
    return act.backward(dout, x)


def test_a_line_of_an_object_that_is_handed_over_is_found():
    (cause,) = gl.check_layer(forward, backward, normal(4, 3), Cube()).diagnosis
    assert (cause.whose, cause.wrong_line) == ("yours", "return 3 * up * square + up")


# -- helpers that the loss calls as well ----------------------------------------------------------


def hidden(p, x):
    return np.tanh(x @ p["W"])


def loss(p, x):
    return np.sum(hidden(p, x) ** 3)


def grads(p, x):
    h = hidden(p, x)
    return {"W": x.T @ (3 * h**2 * (1 - h))}


def test_no_edit_of_a_helper_is_told_with_which_the_loss_is_another():
    p, x = {"W": normal(3, 2)}, normal(4, 3)
    report = gl.check_arrays(lambda: loss(p, x), p, lambda: grads(p, x))
    (cause,) = report.diagnosis
    assert cause.wrong_line == 'return {"W": x.T @ (3 * h**2 * (1 - h))}'
    assert "hidden, line" not in str(cause)


def tanh(x, slope=False):
    y = np.tanh(x)
    if slope:
        return 1 - y
    return y


def test_an_edit_of_a_helper_is_told_with_which_the_loss_is_the_same():
    f, g = (lambda t: np.sum(tanh(t)), lambda t: tanh(t, slope=True))
    (cause,) = gl.check_function(f, g, normal(4)).diagnosis
    assert (cause.wrong_line, cause.right_line) == ("return 1 - y", "return 1 - y ** 2")


# -- styles ---------------------------------------------------------------------------------------

Params = namedtuple("Params", "W b")


def both(p, x, y):
    d = x @ p.W + p.b - y
    return np.sum(d**2), Params(x.T @ d, 2 * d.sum(axis=0))


def test_a_named_tuple_of_a_function_that_returns_loss_and_gradients():
    p, x, y = Params(normal(3, 2), normal(2)), normal(4, 3), normal(4, 2)
    (cause,) = gl.check_arrays(lambda q: both(q, x, y), p, True).diagnosis
    assert cause.wrong_line == "return np.sum(d**2), Params(x.T @ d, 2 * d.sum(axis=0))"
    assert "Params(2 * (x.T @ d), " in cause.right_line


def logged(f):
    @functools.wraps(f)
    def inner(*arguments):
        inner.calls += 1
        return f(*arguments)

    inner.calls = 0
    return inner


@logged
def decorated(dout, x):
    return dout * np.sin(x)


class Private:
    def forward(self, x):
        self.__x = x
        return self.__square(x)

    def __square(self, x):
        return x**2

    def backward(self, dout):
        return self.__slope(dout)

    def __slope(self, dout):
        return dout * self.__x


def test_a_decorator_is_looked_behind():
    (cause,) = gl.check_layer(lambda x: (np.sin(x), x), decorated, normal(4, 3)).diagnosis
    assert (cause.whose, cause.wrong_line) == ("yours", "return dout * np.sin(x)")
    assert cause.right_line == "return dout * np.cos(x)"


def test_a_private_name_is_read_as_its_class_reads_it():
    layer = Private()
    (cause,) = gl.check_layer(layer.forward, layer.backward, normal(4, 3)).diagnosis
    assert (cause.whose, cause.right_line) == ("yours", "self.__x = 2 * x")  # mends it as well


# -- what is said ---------------------------------------------------------------------------------


def masked(x, weight):
    return np.sum(weight * x**2) / weight.sum(), (x, weight)


def masked_backward(cache):
    x, weight = cache
    return 2 * weight * x / weight.size


def test_a_sum_of_labels_is_not_taken_for_a_size():
    """One number is 0 of the six, here and with one row more: 1/6 + 1/6/5 is 1/5 then."""
    weight = np.array([[1, 1, 1], [1, 0, 1]])
    report = gl.check_layer(masked, masked_backward, normal(2, 3), weight)
    for cause in report.diagnosis:
        assert cause.right_line in (None, "return 2 * weight * x / weight.sum()"), cause


def test_a_line_of_a_formula_is_not_told_as_yours():
    space = {}
    text = "def backward(dout, cache):\n    x, W = cache\n    return dout @ W.T, x.T @ dout / 5\n"
    exec(text, space)  # noqa: S102 - no file to read it in
    inputs = normal(5, 3), normal(3, 4)
    report = gl.check_layer(lambda x, W: (x @ W, (x, W)), space["backward"], *inputs)
    (cause,) = report.diagnosis
    assert cause.whose == "formula"
    assert cause.cause.startswith("in the formula of dense")
    said = " ".join(str(report).split())
    assert "Cause: your gradient is what dense gives with a wrong line" in said
    assert "written as in gradlab's formula of the layer; yours may be otherwise" in said
    assert "no line of your source" not in said + cause.evidence


def steps(dout, x):
    a = dout * 2
    b = a * x
    return b * 2


def test_where_two_edits_mend_it_the_report_says_one_of_these():
    report = gl.check_layer(lambda x: (x**2, x), steps, normal(4, 3))
    said = str(report)
    assert "Any one of these mends it instead:\n  steps, line" in said
    assert "  or: " not in said
    assert len(report.diagnosis[0].alike) == len(set(report.diagnosis[0].alike)) >= 2


class Halved:
    """Its parameter's gradient is half of what it must be."""

    def __init__(self, W):
        self.W = W

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout * 0.5
        return dout @ self.W.T


class Unread(Halved):
    def backward(self, dout):
        import math  # noqa: F401 - so that no line is searched

        return super().backward(dout)


class Odd(Unread):
    def forward(self, x):
        self.x = x
        return np.sin(x) * self.W + x**2

    def backward(self, dout):
        import math  # noqa: F401

        self.dW = (dout * np.sin(self.x)).sum(axis=0) * 0.3
        return dout * (np.cos(self.x) * self.W + 2 * self.x)


def of_two(second):
    layers = [Halved(normal(4, 3)), second]
    return gl.check_layers(layers, normal(5, 4), lambda out: (float(np.sum(out**2)), 2 * out))


def test_what_is_said_of_another_layer_mends_nothing_of_the_first():
    said = str(of_two(Odd(normal(3))))
    assert "would leave 2 Odd: W unexplained" in said
    assert "mends" not in said
    assert "  and: Layer 2 (Odd): the gradient is 0.3 times what it must be" in said


def test_of_a_line_of_yours_and_one_of_a_formula_each_is_told_as_it_is():
    report = of_two(Unread(normal(3, 2)))
    said = str(report)
    assert report.diagnosis[0].whose == ""
    assert "Cause: 2 wrong lines\n  1 Halved, backward, line" in said
    assert "  2 Unread, dense (gradlab's formula)\n" in said
    assert "your gradient is what" not in said


def test_only_the_thread_that_searches_is_silent(capsys):
    first, second = threading.Event(), threading.Event()

    def other():
        first.wait()
        print("theirs")
        second.set()

    thread = threading.Thread(target=other)
    thread.start()
    before = sys.stdout
    with silent():
        print("mine")
        first.set()
        second.wait()
    thread.join()
    assert sys.stdout is before
    assert capsys.readouterr().out == "theirs\n"


@pytest.mark.parametrize("first", ["outer", "inner"])
def test_two_silent_threads_may_end_in_any_order(capsys, first):
    begun, ended, before = threading.Event(), threading.Event(), sys.stdout

    def other():
        with silent():
            begun.set()
            ended.wait()

    thread = threading.Thread(target=other)
    with silent():
        thread.start()
        begun.wait()
        if first == "inner":
            ended.set()
            thread.join()
    ended.set()
    thread.join()
    print("again")
    assert capsys.readouterr().out == "again\n"
    assert sys.stdout is before


def mse(pred, y):
    diff = pred - y
    return np.mean(diff**2), diff


def test_a_cache_that_begins_like_a_gradient_is_one_if_forward_speaks_of_it():
    y = np.ones((3, 2), int)
    right = lambda dloss, diff: 2 * dloss * diff / diff.size  # noqa: E731
    assert gl.check_layer(mse, right, normal(3, 2), y).verdict == "correct"
    wrong = lambda dloss, diff: dloss * diff / diff.size  # noqa: E731
    assert gl.check_layer(mse, wrong, normal(3, 2), y).wrong == ["pred"]


def test_what_can_be_read_in_two_ways_is_still_refused():
    with pytest.raises(TypeError, match="not clear"):
        gl.check_layer(lambda x: (np.sin(x), np.cos(x)), lambda da, db: da, normal(3))


def conv(signal, taps, bias):
    steps = signal.shape[1] - len(taps) + 1
    windows = np.stack([signal[:, s : s + len(taps)] for s in range(steps)], axis=1)
    return windows @ taps + bias, (signal, taps)


def conv_backward(dout, cache):
    K = len(cache[1])
    dbias = dout.mean(axis=0).sum(axis=0)
    return None, None, dbias * (K > 0)


def test_a_number_of_examples_is_told_from_as_many_rows_of_a_kernel():
    inputs = normal(3, 8), normal(3, 4), normal(4)
    report = gl.check_layer(conv, conv_backward, *inputs)
    said = f"{report.diagnosis[0].cause} {report.diagnosis[0].right_line}"
    assert "K *" not in said
    assert "* K" not in said
    assert report.diagnosis[0].right_line == "dbias = dout.sum(axis=0).sum(axis=0)"


def averaged(p, x):
    d = p["W"] * x + 0 * x**3
    return {"W": 2 * x * (d - d.mean(axis=0))}


def test_a_number_is_called_by_its_size_where_sizes_cannot_be_changed():
    """The 3 of a power stands in the code, and three rows are summed."""
    p, x = {"W": normal(3, 4)}, normal(3, 4)

    def loss():
        d = p["W"] * x
        return np.sum(d**2) - np.sum(d.sum(axis=0) ** 2)

    (cause,) = gl.check_arrays(loss, p, lambda: averaged(p, x)).diagnosis
    assert cause.right_line == 'return {"W": 2 * x * (d - d.sum(axis=0))}'


@pytest.mark.parametrize("call", [1, 2, 5, 12, 30, 60])
def test_ctrl_c_in_a_search_leaves_everything_as_it_was(call):
    """It comes in the middle of the caller's own code, while an edit of it is tried."""
    model, x, y = Model(), normal(5, 3), normal(5, 2)
    arrays = {"one": model.one.W, "two": model.two.W}
    checked = (lambda: model.loss(x, y), arrays, lambda: model.backward(x, y))
    report, left = gl.check_arrays(*checked), iter(range(call - 1))
    before = [array.tobytes() for array in (x, y, *arrays.values())]
    methods, printed = [vars(kind).copy() for kind in (Sigmoid, Linear, Model)], sys.stdout

    def ctrl_c(frame, event, argument):
        is_theirs = frame.f_code.co_filename.endswith("test_source_objects.py")
        if is_theirs and next(left, None) is None:
            sys.settrace(None)
            raise KeyboardInterrupt

    tracing = sys.gettrace()
    sys.settrace(ctrl_c)
    try:
        with pytest.raises(KeyboardInterrupt):
            str(report)
    finally:
        sys.settrace(tracing)
    assert [array.tobytes() for array in (x, y, *arrays.values())] == before
    assert [vars(kind) for kind in (Sigmoid, Linear, Model)] == methods
    assert sys.stdout is printed
    assert "backward" not in vars(model.act)
    assert gl.check_arrays(*checked).diagnosis[0].wrong_line == "return up * self.y"

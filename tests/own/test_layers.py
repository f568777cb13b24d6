"""gl.check_layers: a stack of one's own, each layer judged by itself."""

import copy
import inspect

import numpy as np
import pytest

import gradlab as gl
from tests.own import as_written
from tests.own.as_written import LAYERS, normal

X, Y = normal(6, 4), np.array([0, 2, 1, 1, 0, 2])


def softmax_loss(out):
    p = as_written.softmax(out)
    value = -np.log(p[np.arange(len(out)), Y]).mean()
    p[np.arange(len(out)), Y] -= 1
    return value, p / len(out)


class Affine:
    """As in most courses: dicts of parameters and of gradients."""

    def __init__(self, n, m, wrong=""):
        self.params = {"W": 0.5 * normal(n, m), "b": 0.1 * normal(m)}
        self.grads = {}
        self.wrong = wrong

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads["W"] = self.x.T @ dout * (1.01 if "W" in self.wrong else 1)
        self.grads["b"] = dout.mean(axis=0) if "b" in self.wrong else dout.sum(axis=0)
        dx = dout @ self.params["W"].T
        return -dx if "x" in self.wrong else dx


class Listed(Affine):
    """Deep Learning from Scratch: lists, filled in place, and the arrays as attributes too."""

    def __init__(self, n, m, wrong=""):
        super().__init__(n, m, wrong)
        self.W, self.b = self.params.values()
        self.params = [self.W, self.b]
        self.grads = [np.zeros_like(self.W), np.zeros_like(self.b)]

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout * (1.01 if "W" in self.wrong else 1)
        self.grads[1][...] = dout.mean(axis=0) if "b" in self.wrong else dout.sum(axis=0)
        dx = dout @ self.W.T
        return -dx if "x" in self.wrong else dx


class Attributes:
    """W and dW, and what comes back is dx alone."""

    def __init__(self, n, m, wrong=""):
        self.W, self.b = 0.5 * normal(n, m), 0.1 * normal(m)
        self.wrong = wrong

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout * (1.01 if "W" in self.wrong else 1)
        self.db = dout.mean(axis=0) if "b" in self.wrong else dout.sum(axis=0)
        dx = dout @ self.W.T
        return -dx if "x" in self.wrong else dx


class Inheriting(Attributes):
    """backward is the class's below, and a little more."""

    def backward(self, dout):
        return 1.0 * super().backward(dout)


class Accumulating(Attributes):
    """Adds to gradients that start at 0."""

    def __init__(self, n, m, wrong=""):
        super().__init__(n, m, wrong)
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)

    def backward(self, dout):
        before = self.dW, self.db
        dx = super().backward(dout)
        self.dW, self.db = (a + b for a, b in zip(before, (self.dW, self.db), strict=True))
        return dx


class Mixed(Affine):
    """Parameters in a dict, gradients as attributes."""

    def backward(self, dout):
        dx = super().backward(dout)
        self.dW, self.db = self.grads.values()
        self.grads = None
        return dx

    def forward(self, x):
        self.grads = {}
        return super().forward(x)


class Gathered(Attributes):
    """Parameters as attributes, gradients in a dict."""

    def __init__(self, n, m, wrong=""):
        super().__init__(n, m, wrong)
        self.grads = {}

    def backward(self, dout):
        dx = super().backward(dout)
        self.grads = {"dW": self.dW, "db": self.db}
        del self.dW, self.db
        return dx


class Returning(Affine):
    """backward returns dx and a dict of gradients."""

    def backward(self, dout):
        return super().backward(dout), {"d" + k: v for k, v in self.grads.items()}


class Tanh:
    def __init__(self, wrong=""):
        self.wrong = wrong

    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out if self.wrong else 1 - self.out**2)


class Dropout:
    """With a generator of its own."""

    def __init__(self, wrong=""):
        self.rng, self.wrong = np.random.default_rng(0), wrong

    def forward(self, x):
        self.mask = (self.rng.random(x.shape) < 0.7) / 0.7
        return x * self.mask

    def backward(self, dout):
        return dout * (self.mask > 0 if self.wrong else self.mask)


DENSE = [Affine, Listed, Attributes, Inheriting, Accumulating, Mixed, Gathered, Returning]


def stack(kind, first="", middle="", last=""):
    return [kind(4, 5, first), Tanh(middle), kind(5, 3, last)]


@pytest.mark.parametrize("kind", DENSE)
def test_a_right_stack_is_correct(kind):
    report = gl.check_layers(stack(kind), X, softmax_loss)
    assert report.verdict == "correct", report
    name = kind.__name__
    assert list(report) == [
        f"1 {name}: x", f"1 {name}: W", f"1 {name}: b", "2 Tanh: x",
        f"3 {name}: x", f"3 {name}: W", f"3 {name}: b", "loss: out",
    ]  # fmt: skip
    assert report.remarks == ()
    assert report.diagnosis == []


@pytest.mark.parametrize("kind", DENSE)
@pytest.mark.parametrize(
    ("bugs", "wrong"),
    [
        ({"first": "W"}, ["1 {0}: W"]),
        ({"last": "x"}, ["3 {0}: x"]),
        ({"middle": "yes"}, ["2 Tanh: x"]),
        ({"first": "Wb", "middle": "yes", "last": "xb"},
         ["1 {0}: W", "1 {0}: b", "2 Tanh: x", "3 {0}: x", "3 {0}: b"]),
    ],
)  # fmt: skip
def test_each_bug_is_told_where_it_is_and_nowhere_below(kind, bugs, wrong):
    report = gl.check_layers(stack(kind, **bugs), X, softmax_loss)
    assert report.wrong == [name.format(kind.__name__) for name in wrong]


def test_the_remarks_say_what_backward_is_wrong_for():
    report = gl.check_layers(stack(Affine, "Wb", "", "xb"), X, softmax_loss)
    assert report.remarks == (
        "Layer 1 (Affine): backward is wrong for its parameters W, b.",
        "Layer 3 (Affine): backward is wrong for its input x and for its parameter b.",
    )
    assert all(remark in str(report) for remark in report.remarks)


def test_the_cause_is_told_in_the_layer_that_it_stands_in():
    report = gl.check_layers(stack(Affine, "", "yes", "b"), X, softmax_loss)
    (cause,) = report.diagnosis
    assert cause.certain
    places, wrong, right = zip(*cause.parts, strict=True)
    assert [place.rpartition(",")[0] for place in places] == [
        "2 Tanh, backward", "3 Affine, backward",
    ]  # fmt: skip
    lines = inspect.getsource(inspect.getmodule(Tanh))
    assert all(line in lines for line in wrong)  # as they stand there
    assert right[0] == wrong[0].replace("1 - self.out if", "1 - self.out ** 2 if")
    assert "mean" in wrong[1]
    assert right[1] == wrong[1].replace("mean", "sum")
    assert "2 wrong lines" in str(report)


def test_a_layer_without_a_line_is_left_open_beside_one_that_has_one():
    class Odd(Tanh):
        """Whose backward has no source."""

    scope = {"right": Tanh.backward, "normal": normal}
    # what is typed in no file
    exec(  # noqa: S102
        "def backward(self, dout): return right(self, dout) + normal(*dout.shape)", scope
    )
    Odd.backward = scope["backward"]
    report = gl.check_layers([Affine(4, 5), Odd(), Affine(5, 3, "x")], X, softmax_loss)
    assert report.wrong == ["2 Odd: x", "3 Affine: x"]
    cause = report.diagnosis[0]
    assert not cause.certain
    assert cause.left_open == ("2 Odd: x",)
    assert cause.where.startswith("3 Affine, backward, line")
    assert "2 Odd: x unexplained" in str(report)


def test_functions_with_their_parameters_and_any_shapes():
    conv, pool = LAYERS["conv 1"], LAYERS["max pool"]
    affine, dropout = LAYERS["affine"], LAYERS["dropout"]
    x = normal(2, 2, 4, 4)
    _, w, b, setting = conv.inputs
    y = normal(2, 3)

    def layers(pool_backward=pool.right, affine_backward=affine.right):
        return [
            (conv.forward, conv.right, w, b, setting),
            (pool.forward, pool_backward, pool.inputs[1]),
            (affine.forward, affine_backward, {"w": normal(12, 3), "b": normal(3)}),
            (dropout.forward, dropout.right, {"p": 0.6, "seed": 3}),
        ]

    def loss(out):
        return 0.5 * np.sum((out - y) ** 2), out - y

    report = gl.check_layers(layers(), x, loss)
    assert report.verdict == "correct", report
    assert [name for name in report if name.endswith("w")] == ["1 conv: w", "3 affine: w"]
    report = gl.check_layers(layers(pool.bugs["shifted"][1], affine.bugs["mean"][1]), x, loss)
    assert report.wrong == ["2 max_pool: x", "3 affine: w"]


def test_an_embedding_comes_first():
    embedding = LAYERS["embedding"]
    ids, W = embedding.inputs

    def mean(x):
        return x.mean(axis=1)

    def mean_backward(dout, x):
        return np.repeat(dout[:, None], x.shape[1], axis=1) / x.shape[1]

    def loss(out):
        return np.sum(out**2), 2 * out

    for backward, wrong in (
        (embedding.right, []),
        (embedding.bugs["buffered"][1], ["1 embedding: W"]),
    ):
        layers = [(embedding.forward, backward, W), (mean, mean_backward)]
        report = gl.check_layers(layers, ids, loss)
        assert report.wrong == wrong
        assert list(report) == ["1 embedding: W", "2 mean: x", "loss: out"]


def test_a_dict_gives_the_layers_their_names():
    layers = dict(zip(("Affine1", "squash", "Affine2"), stack(Affine, middle="yes"), strict=True))
    assert gl.check_layers(layers, X, softmax_loss).wrong == ["2 squash: x"]


def test_the_losss_own_gradient_is_judged():
    def loss(out):
        value, dout = softmax_loss(out)
        return value, dout * len(out)

    report = gl.check_layers(stack(Affine), X, loss)
    assert report.wrong == ["loss: out"]
    assert report.remarks == ("The loss: backward is wrong for its input out.",)


def test_a_bug_that_zeros_from_above_hide_is_found():
    """The loss looks at the first output alone: the bias of the others gets 0 in any case."""

    class Half(Affine):
        def backward(self, dout):
            dx = super().backward(dout)
            self.grads["b"][1:] *= 2
            return dx

    def loss(out):
        dout = np.zeros_like(out)
        dout[:, 0] = 1
        return out[:, 0].sum(), dout

    report = gl.check_layers([Half(4, 3)], X, loss)
    assert report.wrong == ["1 Half: b"]


def test_what_nothing_comes_down_to_is_judged_with_other_numbers():
    def loss(out):
        return float(np.sum(0 * out)), 0 * out

    report = gl.check_layers([Affine(4, 3)], X, loss)
    assert report["1 Affine: W"].verdict == "correct"
    assert gl.check_layers([Affine(4, 3, "W")], X, loss).wrong == ["1 Affine: W"]


def test_parameters_that_have_no_gradient_to_be_found_are_told():
    class Hidden:
        def __init__(self, n, m):
            self.W, self.b = 0.5 * normal(n, m), normal(m)

        def forward(self, x):
            return x @ self.W + self.b

        def backward(self, dout):
            return dout @ self.W.T

    report = gl.check_layers([Hidden(4, 3)], X, softmax_loss)
    assert list(report) == ["1 Hidden: x", "loss: out"]
    assert "its arrays W, b were not checked" in report.remarks[0]


def test_dropout_with_a_generator_of_its_own_is_repeatable():
    layers = [Affine(4, 5), Dropout(), Affine(5, 3)]
    assert gl.check_layers(layers, X, softmax_loss).verdict == "correct"
    layers[1] = Dropout("yes")
    assert gl.check_layers(layers, X, softmax_loss).wrong == ["2 Dropout: x"]


def test_gradients_left_from_before_are_no_bug():
    layers = [Accumulating(4, 3)]
    layers[0].forward(X)
    layers[0].backward(np.ones((6, 3)))
    before = layers[0].dW.copy()
    assert gl.check_layers(layers, X, softmax_loss).verdict == "correct"
    assert np.array_equal(layers[0].dW, before)


def test_float32_stays_float32():
    layers = stack(Affine)
    for layer in (layers[0], layers[2]):
        layer.params = {k: v.astype(np.float32) for k, v in layer.params.items()}

    def loss(out):
        assert out.dtype == np.float32
        return softmax_loss(out)

    assert gl.check_layers(layers, X.astype(np.float32), loss).verdict == "correct"


# -- nothing of the caller's is changed -----------------------------------------------------------


@pytest.mark.parametrize("kind", DENSE)
@pytest.mark.parametrize("raised", [None, KeyboardInterrupt, ZeroDivisionError])
def test_the_layers_and_the_data_are_as_they_were(kind, raised):
    calls = []

    class Spoiling(Tanh):
        def forward(self, x):
            calls.append(1)
            x += 1
            if raised is KeyboardInterrupt and len(calls) == 9:
                raise raised
            if raised is ZeroDivisionError:
                raise raised
            return super().forward(x)

    layers = [kind(4, 5), Spoiling(), kind(5, 3)]
    before = copy.deepcopy([vars(layer) for layer in layers])
    data = X.tobytes()
    if raised is None:
        gl.check_layers(layers, X, softmax_loss)
    else:
        with pytest.raises(raised):
            gl.check_layers(layers, X, softmax_loss)
    assert X.tobytes() == data
    for layer, state in zip(layers, before, strict=True):
        assert _bitwise(vars(layer)) == _bitwise(state)


def _bitwise(value):
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, dict):
        return {k: _bitwise(v) for k, v in value.items()}
    return [_bitwise(v) for v in value] if isinstance(value, list) else value


# -- misuse ---------------------------------------------------------------------------------------


class Silent(Tanh):
    def backward(self, dout):
        return None


class Wide(Tanh):
    def backward(self, dout):
        return dout[:, :-1]


class Locked(Tanh):
    def __init__(self):
        self.generator = (k for k in range(3))


@pytest.mark.parametrize(
    ("layers", "x", "loss", "error", "says"),
    [
        (Tanh(), X, softmax_loss, TypeError, "layers must be a list or a dict of layers, got Tanh"),
        ([], X, softmax_loss, ValueError, "at least one layer"),
        ([np.tanh], X, softmax_loss, TypeError, r"layers\[0\] must have the methods forward and"),
        ([Tanh(), (np.tanh,)], X, softmax_loss, TypeError, r"layers\[1\] must be \(forward, back"),
        ([Tanh()], X.tolist(), softmax_loss, TypeError, "x must be an ndarray, got list"),
        ([Tanh()], X, None, TypeError, "loss must be a function"),
        ([Tanh()], X, lambda out: out.sum(), TypeError, r"\(value, dout\), got float64"),
        ([Tanh()], X, lambda out: (1.0, out, out), TypeError, "got 3 things"),
        ([Tanh()], X, lambda out: (out, out), ValueError, "return first one number, got an array"),
        ([Tanh()], X, lambda out: (np.nan, out), ValueError, "finite value, got nan"),
        ([Tanh()], X, lambda out: (1.0, out[0]), ValueError, r"shape \(6, 4\), got \(4,\)"),
        ([Tanh(), Silent()], X, softmax_loss, ValueError, r"Layer 2 \(Silent\): .*got none"),
        ([Tanh(), Wide()], X, softmax_loss, ValueError,
         r"Layer 2 \(Wide\): backward's gradient of x must have shape \(6, 4\), got \(6, 3\)"),
        ([Locked()], X, softmax_loss, TypeError, "that copy.deepcopy can copy"),
        ([Affine(3, 3)], X, softmax_loss, ValueError, r"Layer 1 \(Affine\)"),
    ],
)  # fmt: skip
def test_each_misuse_has_its_error(layers, x, loss, error, says):
    with pytest.raises(error, match=says):
        gl.check_layers(layers, x, loss)

"""What somebody broke who had only read the docstrings: each was a false answer or a crash."""

import functools

import numpy as np
import pytest

import gradlab as gl


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def square(out):
    return np.sum(out**2), 2 * out


class Tanh:
    def forward(self, x, train=True):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)


class Dense:
    def __init__(self, W):
        self.W = W

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


def test_a_gradient_of_a_dict_of_parameters_is_not_passed_over(rng):
    x, W = rng.standard_normal((5, 4)), rng.standard_normal((4, 3))
    forward = lambda x, p: (x @ p["W"], (x, p))  # noqa: E731
    backward = lambda d, c: (d @ c[1]["W"].T, {"W": 7 * c[0].T @ d})  # noqa: E731
    with pytest.raises(TypeError, match=r"p must be handed over as arrays.*check_arrays"):
        gl.check_layer(forward, backward, x, {"W": W})


@pytest.mark.parametrize(
    ("other", "kind"),
    [(0.25, "of type float"), (np.arange(8).reshape(2, 4), "an array of int64")],
)
def test_a_gradient_of_what_is_no_array_of_floats_is_told(rng, other, kind):
    x = rng.standard_normal((2, 4))
    report = gl.check_layer(
        lambda x, a: (a * x, (x, a)), lambda d, c: (c[1] * d, 7 * c[0] * d), x, other
    )
    assert any(f"gradient of a, which is {kind} and was" in remark for remark in report.remarks)


@pytest.mark.parametrize("way", ["lambda", "partial", "both"])
def test_a_method_and_a_function_around_its_object_stay_together(rng, way):
    t, x = Tanh(), rng.standard_normal((5, 4))
    t.forward(rng.standard_normal((5, 4)))
    forward = {
        "lambda": lambda x: t.forward(x, train=False),
        "partial": functools.partial(t.forward, train=False),
        "both": t.forward,
    }[way]
    assert gl.check_layer(forward, t.backward, x).verdict == "correct"


def test_one_object_twice_in_a_stack_is_told(rng):
    t = Tanh()
    layers = [Dense(rng.standard_normal((4, 4))), t, Dense(rng.standard_normal((4, 4))), t]
    report = gl.check_layers(layers, rng.standard_normal((5, 4)), square)
    told = [remark for remark in report.remarks if "more than once" in remark]
    assert [remark.split(":")[0] for remark in told] == ["Layer 2 (Tanh)", "Layer 4 (Tanh)"]


@pytest.mark.parametrize("factor", [1.0, 1.01])
def test_parameters_and_gradients_in_lists(rng, factor):
    class Listed:
        def __init__(self):
            W = rng.standard_normal((4, 3))
            self.params, self.grads = [W], [0 * W]

        def forward(self, x):
            self.x = x
            return x @ self.params[0]

        def backward(self, dout):
            self.grads[0] = factor * self.x.T @ dout
            return dout @ self.params[0].T

    report = gl.check_layers([Listed()], rng.standard_normal((5, 4)), square)
    assert report.verdict == ("correct" if factor == 1 else "wrong")


@pytest.mark.parametrize("key", ["fc.weight", "W 1", "lambda", "0"])
def test_keys_that_are_no_names(rng, key):
    class Keyed(Dense):
        def __init__(self):
            self.params, self.grads = {key: rng.standard_normal((4, 3))}, {}

        def forward(self, x):
            self.x = x
            return x @ self.params[key]

        def backward(self, dout):
            self.grads[key] = 1.01 * self.x.T @ dout
            return dout @ self.params[key].T

    report = gl.check_layers([Keyed()], rng.standard_normal((5, 4)), square)
    assert len(report.wrong) == 1
    assert "1 Keyed: x" not in report.wrong


def test_what_is_kept_for_backward_is_no_parameter(rng):
    class Sigmoid:
        def forward(self, x):
            self.out = 1 / (1 + np.exp(-x))
            return self.out

        def backward(self, dout):
            self.dout = dout
            return dout * self.out * (1 - self.out)

    layer, x = Sigmoid(), rng.standard_normal((5, 4))
    layer.backward(layer.forward(x))
    report = gl.check_layers([layer], x, square)
    assert report.verdict == "correct"
    assert list(report) == ["1 Sigmoid: x", "loss: out"]


@pytest.mark.parametrize("slope", [0.01, 0.2])
def test_a_setting_reaches_backward_too(rng, slope):
    def forward(x, slope=0.01):
        return np.where(x > 0, x, slope * x)

    def backward(dout, x, slope=0.01):
        return dout * np.where(x > 0, 1, slope)

    assert (
        gl.check_layer(forward, backward, rng.standard_normal((5, 4)), slope).verdict == "correct"
    )


def test_a_parameter_without_a_gradient_is_told(rng):
    class Biased(Dense):
        def __init__(self):
            self.W, self.b = rng.standard_normal((4, 3)), np.zeros(3)

        def forward(self, x):
            self.x = x
            return x @ self.W + self.b

        def backward(self, dout):
            self.d_of_b = 7 * dout.sum(axis=0)
            return super().backward(dout)

    report = gl.check_layers([Biased()], rng.standard_normal((5, 4)), square)
    assert any("arrays b were not checked" in remark for remark in report.remarks)


def test_layers_inside_a_layer_are_told(rng):
    class Block:
        def __init__(self):
            self.layers = [Dense(rng.standard_normal((4, 4))), Tanh()]

        def forward(self, x):
            for layer in self.layers:
                x = layer.forward(x)
            return x

        def backward(self, dout):
            for layer in reversed(self.layers):
                dout = layer.backward(dout)
            return dout

    report = gl.check_layers([Block()], rng.standard_normal((5, 4)), square)
    assert report.verdict == "correct"
    assert any("layers of its own" in remark for remark in report.remarks)


@pytest.mark.parametrize("limit", [5, 50])
def test_what_is_clipped_is_not_linear(rng, limit):
    report = gl.check_layer(
        lambda x: (3 * x, None), lambda d, c: 3 * np.clip(d, -limit, limit),
        rng.standard_normal((5, 4)),
    )  # fmt: skip
    assert report.verdict == "wrong"
    assert any("not linear in d" in remark for remark in report.remarks)


@pytest.mark.parametrize("keep", [True, False])
def test_masks_from_numpys_global_generator(rng, keep):
    def forward(x):
        mask = (np.random.rand(*x.shape) < 0.7) / 0.7  # noqa: NPY002 - as people write it
        return x * mask, mask

    before = np.random.get_state()  # noqa: NPY002
    report = gl.check_layer(forward, lambda d, mask: d * (mask if keep else mask > 0),
                            rng.standard_normal((5, 4)))  # fmt: skip
    assert report.verdict == ("correct" if keep else "wrong")
    after = np.random.get_state()  # noqa: NPY002
    assert np.array_equal(before[1], after[1])
    assert before[2] == after[2]  # the position, which each draw moves


def test_a_cause_is_looked_for_without_dividing_by_0(rng):
    class Nothing(Dense):
        def forward(self, x):
            self.x = x
            return 0 * (x @ self.W)

    with np.errstate(all="raise"):
        layers, x = [Nothing(rng.standard_normal((4, 3)))], rng.standard_normal((5, 4))
        report = gl.check_layers(layers, x, square)
        assert report.verdict == "inconclusive"
        assert report.diagnosis == []


def test_a_cause_is_that_of_the_inputs_as_they_were(rng):
    x, W, b = rng.standard_normal((5, 4)), rng.standard_normal((4, 3)), np.zeros(3)
    report = gl.check_layer(
        lambda x, W, b: (x @ W + b, (x, W)),
        lambda d, c: (d @ c[1].T, c[0].T @ d, d.mean(axis=0)), x, W, b,
    )  # fmt: skip
    x *= 2
    W += 1  # a step of training before the report is read
    assert report.diagnosis[0].right_line == "db = d.sum(axis=0)"


def test_a_mask_that_is_drawn_anew_on_the_way_back(rng):
    def forward(x):
        return x * (np.random.rand(*x.shape) < 0.7) / 0.7, None  # noqa: NPY002

    def backward(dout, cache):
        return dout * (np.random.rand(*dout.shape) < 0.7) / 0.7  # noqa: NPY002

    before = np.random.get_state()  # noqa: NPY002
    assert gl.check_layer(forward, backward, rng.standard_normal((5, 4))).verdict == "wrong"
    assert before[2] == np.random.get_state()[2]  # noqa: NPY002


@pytest.mark.parametrize("name", ["dW", "d_W", "grad_W", "g_W", "W_grad"])
def test_gradients_under_every_name(rng, name):
    class Named(Dense):
        def backward(self, dout):
            setattr(self, name, 7 * self.x.T @ dout)
            return dout @ self.W.T

    layer, x = Named(rng.standard_normal((4, 3))), rng.standard_normal((5, 4))
    layer.backward(layer.forward(x))
    assert gl.check_layers([layer], x, square).wrong == ["1 Named: W"]


def test_an_error_of_ones_own_with_more_arguments_is_told(rng):
    class ShapeError(ValueError):
        def __init__(self, what, where):
            super().__init__(f"{what} at {where}")

    class Picky(Dense):
        def forward(self, x):
            raise ShapeError("no", "here")

    with pytest.raises(ValueError, match=r"Layer 1 \(Picky\): no at here"):
        gl.check_layers([Picky(np.eye(4))], rng.standard_normal((5, 4)), square)

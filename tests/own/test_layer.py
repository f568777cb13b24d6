"""gl.check_layer: layers as people write them, right and with bugs, in one call each."""

import inspect
from functools import partial

import numpy as np
import pytest

import gradlab as gl
from tests.own import as_written
from tests.own.as_written import LAYERS, normal

BUGS = [(name, bug) for name, layer in LAYERS.items() for bug in layer.bugs]


def dense(x, W, b):
    return x @ W + b, (x, W)


def dense_backward(dout, cache):
    x, W = cache
    return dout @ W.T, x.T @ dout, dout.sum(axis=0)


def unread(backward):
    """Return the same as something that has no source: lines are gradlab's own then."""
    return partial(backward)


INPUTS = normal(5, 3), normal(3, 4), normal(4)


# -- verdicts -----------------------------------------------------------------------------------


def test_there_are_enough_layers_with_enough_bugs():
    assert len(LAYERS) >= 12
    assert all(len(layer.bugs) >= 2 for layer in LAYERS.values())
    assert sum(len(layer.named) for layer in LAYERS.values()) >= 0.6 * len(BUGS)


@pytest.mark.every_case
@pytest.mark.parametrize("name", LAYERS)
def test_a_right_layer_is_correct(name):
    layer = LAYERS[name]
    report = gl.check_layer(layer.forward, layer.right, *layer.inputs)
    assert report.verdict == "correct", report
    assert not report.diagnosis


#: Of max pooling one takes as long as all the others: it has its turn in the soak.
@pytest.mark.parametrize(
    ("name", "bug"),
    [pytest.param(*b, marks=[pytest.mark.soak] * (b[0] == "max pool")) for b in BUGS],
)
def test_a_bug_is_wrong_in_the_inputs_that_it_spoils(name, bug):
    layer = LAYERS[name]
    wrong, backward = layer.bugs[bug]
    report = gl.check_layer(layer.forward, backward, *layer.inputs)
    assert set(report.wrong) == wrong
    certain = [cause for cause in report.diagnosis if cause.certain]
    assert certain or bug not in layer.named, report
    for cause in certain:
        assert cause.wrong_line != cause.right_line
        assert cause.residual < 1e-5


@pytest.mark.parametrize(
    "name", ["affine", "tanh", "batchnorm", "rnn step", "softmax loss", "conv"]
)
def test_float32_is_judged_as_float32(name):
    layer = LAYERS[name]
    single = tuple(
        value.astype(np.float32)
        if isinstance(value, np.ndarray) and value.dtype == np.float64
        else value
        for value in layer.inputs
    )
    seen = set()

    def forward(*inputs):
        seen.update(v.dtype for v in inputs if isinstance(v, np.ndarray) and v.dtype.kind == "f")
        return layer.forward(*inputs)

    forward.__signature__ = inspect.signature(layer.forward)
    assert gl.check_layer(forward, layer.right, *single).verdict == "correct"
    assert seen == {np.dtype("float32")}
    for wrong, backward in list(layer.bugs.values())[:2]:
        assert set(gl.check_layer(layer.forward, backward, *single).wrong) == wrong


@pytest.mark.parametrize("name", ["affine", "layernorm", "lstm step", "attention", "embedding"])
def test_one_percent_in_any_gradient_is_seen(name):
    layer = LAYERS[name]
    count = len(layer.right(*_above(layer))) if name != "embedding" else 1
    for k in range(count):

        def spoiled(*arguments, k=k):
            answer = layer.right(*arguments)
            if isinstance(answer, tuple):
                return tuple(g * (1.01 if j == k else 1) for j, g in enumerate(answer))
            return 1.01 * answer

        spoiled.__signature__ = inspect.signature(layer.right)
        report = gl.check_layer(layer.forward, spoiled, *layer.inputs)
        assert report.wrong == [list(report)[k]]


def _above(layer):
    *outs, cache = layer.forward(*layer.inputs)
    return (*map(np.ones_like, outs), cache)


def test_the_oracle_is_the_chain_rule_with_a_jacobian():
    """The numerical gradient is dout @ J for a dout that has no entry near 0."""
    seen = []

    def backward(dout, cache):
        seen.append(dout.copy())
        return dense_backward(dout, cache)

    report = gl.check_layer(dense, backward, *INPUTS)
    x, W, _ = INPUTS
    assert np.allclose(report["x"].numerical, seen[1] @ W.T)
    assert np.allclose(report["W"].numerical, x.T @ seen[1])
    assert np.allclose(report["b"].numerical, seen[1].sum(axis=0))
    assert all((np.abs(dout) >= 0.5).all() for dout in seen[:2])
    assert (seen[0] > 0).any() and (seen[0] < 0).any()  # noqa: PT018 - both signs


# -- causes -------------------------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("name", "bug", "wrong", "right"),
    [
        ("affine", "no transpose", "dx = (dout @ w).reshape(x.shape)",
         "dx = (dout @ w.T).reshape(x.shape)"),
        ("linear", "first example", "db = dout[0]", "db = dout.sum(axis=0)"),
        ("relu", "of dout", "dx = dout * (dout > 0)", "dx = dout * (x > 0)"),
        ("tanh", "not squared", "dx = dout * (1 - out)", "dx = dout * (1 - out ** 2)"),
        ("batchnorm", "wrong gamma", "dgamma = dout.sum(axis=0)",
         "dgamma = (dout * xhat).sum(axis=0)"),
        ("rnn step", "no tanh", "dz = dnext_h", "dz = dnext_h * (1 - next_h ** 2)"),
        ("lstm step", "next_c for prev_c", "df = dct * next_c", "df = dct * prev_c"),
        ("gru step", "reset forgotten", "dUh = prev_h.T @ dan", "dUh = (r * prev_h).T @ dan"),
        ("attention", "diagonal only", "ds = p * (dp - dp * p)",
         "ds = p * (dp - (dp * p).sum(axis=1, keepdims=True))"),
        ("embedding", "buffered", "dW[x] += dout", "np.add.at(dW, x, dout)"),
        ("softmax loss", "not divided", "dx = (p - onehot(y)) * dout",
         "dx = (p - onehot(y)) / N * dout"),
        ("residual", "no skip", "dx = dz @ W1.T", "dx = dout + dz @ W1.T"),
        ("mse", "no 2", "dpred = (pred - target) / (N * K)",
         "dpred = 2 * (pred - target) / (N * K)"),
    ],
)  # fmt: skip
def test_the_wrong_line_stands_beside_the_right_one_in_the_callers_names(name, bug, wrong, right):
    layer = LAYERS[name]
    report = gl.check_layer(layer.forward, unread(layer.bugs[bug][1]), *layer.inputs)
    (cause,) = report.diagnosis
    assert (cause.wrong_line, cause.right_line) == (wrong, right)
    assert wrong in str(report)


def test_names_that_mean_something_else_in_the_lines_are_not_used():
    def forward(N, tanh):
        return N @ tanh, (N, tanh)

    def backward(S, cache):
        N, tanh = cache
        return S @ tanh.T, N.T @ S / len(N)

    report = gl.check_layer(forward, unread(backward), *INPUTS[:2])
    assert report.wrong == ["tanh"]
    assert report.diagnosis[0].right_line == "dW = x.T @ dout"


@pytest.mark.parametrize("seed", range(12))
def test_no_false_cause_for_what_no_line_can_say(seed):
    """A gradient that is wrong by a random array, or in a random entry, has no wrong line."""
    rng = np.random.default_rng(seed)
    name = list(LAYERS)[seed % len(LAYERS)]
    layer, noise = LAYERS[name], rng.standard_normal(1000)

    def backward(*arguments):
        answer = layer.right(*arguments)
        keys = answer if isinstance(answer, dict) else range(len(answer))
        if isinstance(answer, np.ndarray):
            return answer + 0.3 * noise[: answer.size].reshape(answer.shape)
        first, *rest = keys
        parts = {first: answer[first] + 0.3 * noise[: answer[first].size].reshape(
            answer[first].shape), **{k: answer[k] for k in rest}}  # fmt: skip
        return parts if isinstance(answer, dict) else tuple(parts.values())

    backward.__signature__ = inspect.signature(layer.right)
    report = gl.check_layer(layer.forward, unread(backward), *layer.inputs)
    assert report.verdict == "wrong"
    assert not any(cause.certain for cause in report.diagnosis)


def test_no_cause_where_forward_is_nearly_a_layer():
    def forward(x, W, b):
        return x @ W + b + 1e-4 * x[:, :1] ** 2, (x, W)

    def backward(dout, cache):
        dx, dW, db = dense_backward(dout, cache)
        return dx, dW / len(dout), db

    report = gl.check_layer(forward, backward, *INPUTS)
    assert set(report.wrong) == {"x", "W"}
    assert not any(cause.certain for cause in report.diagnosis)


def test_a_cause_must_hold_elsewhere_too():
    """What equals an edit on these inputs alone, such as a factor 5 for N = 5, is told as what it
    is at other sizes too."""

    def five(dout, cache):
        dx, dW, db = dense_backward(dout, cache)
        return dx, dW, 5 * db

    def examples(dout, cache):
        dx, dW, db = dense_backward(dout, cache)
        return dx, dW, len(dout) * db

    told = [gl.check_layer(dense, unread(backward), *INPUTS).diagnosis
            for backward in (five, examples)]  # fmt: skip
    assert told[1][0].wrong_line == "db = N * dout.sum(axis=0)"
    assert told[0][0].wrong_line == "db = 5 * dout.sum(axis=0)"


# -- what comes from above ----------------------------------------------------------------------


def test_a_loss_that_ignores_what_comes_from_above_is_wrong():
    def backward(dout, cache):
        return as_written.softmax_loss_backward_with()(1.0, cache)

    layer = LAYERS["softmax loss"]
    report = gl.check_layer(layer.forward, backward, *layer.inputs)
    assert report.wrong == ["x"]
    assert any("not linear in dout" in remark for remark in report.remarks)


def test_a_loss_may_take_nothing_from_above():
    layer = LAYERS["softmax loss"]
    right = layer.right
    report = gl.check_layer(layer.forward, lambda cache: right(1.0, cache), *layer.inputs)
    assert report.verdict == "correct"


@pytest.mark.parametrize("spoil", [np.abs, lambda dout: np.clip(dout, -1, 1), np.sign])
def test_what_is_not_linear_in_dout_is_wrong(spoil):
    report = gl.check_layer(dense, lambda dout, cache: dense_backward(spoil(dout), cache), *INPUTS)
    assert report.verdict == "wrong"
    assert report.remarks == ()  # it is wrong with the first dout: no other was needed


def test_a_bug_that_the_first_dout_hides_is_found_with_another():
    first = []

    def backward(dout, cache):
        first.append(dout.copy())
        dx, dW, db = dense_backward(dout, cache)
        return dx, dW, db if np.array_equal(dout, first[0]) else 2 * db

    report = gl.check_layer(dense, backward, *INPUTS)
    assert report.wrong == ["b"]
    assert any("not linear" in remark for remark in report.remarks)


# -- ways of calling ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "backward",
    [
        dense_backward,
        lambda dout, cache: list(dense_backward(dout, cache)),
        lambda dout, cache: dict(zip(("x", "W", "b"), dense_backward(dout, cache), strict=True)),
        lambda dout, cache: dict(zip(("dx", "dW", "db"), dense_backward(dout, cache), strict=True)),
        lambda dout, x, W, b: dense_backward(dout, (x, W)),
        lambda grad, b, W, x: dense_backward(grad, (x, W)),
        lambda dout, W, x: dense_backward(dout, (x, W)),
        lambda dout, w, B, X: dense_backward(dout, (X, w)),
        lambda dout, cache, scale=1.0: dense_backward(dout, cache),
        lambda *arguments: dense_backward(*arguments),
    ],
)
def test_backward_may_be_called_in_many_ways(backward):
    report = gl.check_layer(dense, backward, *INPUTS)
    assert report.verdict == "correct"
    assert list(report) == ["x", "W", "b"]


def test_forward_may_return_the_output_alone():
    report = gl.check_layer(lambda x, W: x @ W, lambda d, x, W: (d @ W.T, x.T @ d), *INPUTS[:2])
    assert report.verdict == "correct"
    assert gl.check_layer(np.tanh, lambda d, out: d * (1 - out**2), INPUTS[0]).verdict == "correct"


def test_methods_of_one_object_share_what_forward_keeps_and_stay_as_they_were():
    class Layer:
        def __init__(self):
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            self.x = x
            return x**2

        def backward(self, dout):
            return 2 * self.x * dout

    layer = Layer()
    assert gl.check_layer(layer.forward, layer.backward, INPUTS[0]).verdict == "correct"
    assert vars(layer) == {"calls": 0}


@pytest.mark.parametrize(
    ("answer", "checked"),
    [
        (lambda dx, dW, db: dx, ["x"]),
        (lambda dx, dW, db: (dx, None, db), ["x", "b"]),
        (lambda dx, dW, db: {"W": dW}, ["W"]),
    ],
)
def test_what_backward_has_no_gradient_of_is_told(answer, checked):
    def backward(dout, cache):
        return answer(*dense_backward(dout, cache))

    report = gl.check_layer(dense, backward, *INPUTS)
    assert report.verdict == "correct"
    assert list(report) == checked
    (remark,) = report.remarks
    assert all((name in remark.split(": ")[1]) == (name not in checked) for name in ("x", "W", "b"))


def test_a_sample_of_the_entries_is_enough():
    report = gl.check_layer(dense, dense_backward, *INPUTS, method="sampled", samples=3)
    assert report["x"].analytic.shape == (3,)
    backward = LAYERS["affine"].bugs["mean"][1]
    report = gl.check_layer(
        as_written.affine_forward, backward, *LAYERS["affine"].inputs, method="sampled", samples=6
    )
    assert report.wrong == ["w"]
    assert report.diagnosis[0].certain
    report = gl.check_layer(dense, dense_backward, *INPUTS, method="directional")
    assert report.verdict == "correct"


def test_what_is_drawn_at_random_is_inconclusive():
    rng = np.random.default_rng(0)

    def forward(x):
        mask = rng.random(x.shape) < 0.5
        return x * mask, mask

    report = gl.check_layer(forward, lambda dout, mask: dout * mask, INPUTS[0])
    assert report.verdict == "inconclusive"
    assert report.advice


# -- nothing of the caller's is changed -----------------------------------------------------------


def bytes_of(inputs):
    return [value.tobytes() for value in inputs]


def test_arrays_come_back_bitwise_when_both_write_into_them():
    def forward(x, W, b):
        x *= 2
        return x @ W + b, (x, W)

    def backward(dout, cache):
        x, W = cache
        dx, dW, db = 2 * dout @ W.T, x.T @ dout, dout.sum(axis=0)
        dout *= 0
        W += 1
        return dx, dW, db

    before = bytes_of(INPUTS)
    report = gl.check_layer(forward, backward, *INPUTS)
    report.diagnosis  # noqa: B018 - looks for a line, with more calls
    assert bytes_of(INPUTS) == before
    assert report.verdict == "correct"
    told = " ".join(report.remarks)
    assert "forward writes into its input x" in told
    assert "backward writes into dout" in told
    assert "backward writes into forward's input W" in told


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("after", [1, 7, 30])
def test_arrays_come_back_bitwise_after_what_is_raised(error, after):
    calls = []

    def forward(x, W, b):
        calls.append(1)
        x += 1
        if len(calls) == after and (error is KeyboardInterrupt or after == 1):
            raise error
        return x @ W + b, (x, W)

    before = bytes_of(INPUTS)
    if error is KeyboardInterrupt or after == 1:
        with pytest.raises(error):
            gl.check_layer(forward, dense_backward, *INPUTS)
    else:
        gl.check_layer(forward, dense_backward, *INPUTS)
    assert bytes_of(INPUTS) == before


def test_settings_come_back_as_they_were():
    layer = LAYERS["batchnorm"]
    settings = layer.inputs[3]
    gl.check_layer(layer.forward, layer.right, *layer.inputs)
    assert settings == {"mode": "train"}


def test_views_and_read_only_arrays_are_fine():
    x = normal(3, 10)[:, ::2].T
    x.flags.writeable = False
    assert gl.check_layer(dense, dense_backward, x, *INPUTS[1:]).verdict == "correct"


# -- misuse ---------------------------------------------------------------------------------------


def with_answer(answer):
    return lambda dout, cache: answer(*dense_backward(dout, cache))


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("forward", "backward", "inputs", "error", "says"),
    [
        (None, dense_backward, INPUTS, TypeError, "forward must be a function, got NoneType"),
        (dense, "dense", INPUTS, TypeError, "backward must be a function, got str"),
        (dense, dense_backward, INPUTS[:2], TypeError, r"\(x, W, b\) takes, got 2 inputs"),
        (dense, dense_backward, (), TypeError, "got 0 inputs"),
        (lambda x: x, lambda d, x: d, (np.arange(3),), TypeError, "x int64"),
        (lambda x: x, lambda d, x: d, ([0.5, 1.0],), TypeError, r"got a list of floats: np.array"),
        (lambda x: x, lambda d, x: d, (np.ones(2, complex),), TypeError, "complex128"),
        (lambda x: x, lambda d, x: d, (np.ones(2, np.float16),), TypeError, "float16"),
        (lambda x: x, lambda d, x: d, (np.array([1, np.nan]),), ValueError, "x must be finite"),
        (lambda x, W: x @ W, lambda d, x, W: (d @ W.T, x.T @ d),
         (INPUTS[0].astype(np.float32), INPUTS[1]), TypeError, "x float32, W float64"),
        (lambda x: x.argmax(axis=1), lambda d, x: d, INPUTS[:1], TypeError,
         "int64, which has no derivative"),
        (lambda x: x > 0, lambda d, x: d, INPUTS[:1], TypeError, "bool, which has no derivative"),
        (lambda x: None, lambda d, x: d, INPUTS[:1], TypeError, "got NoneType"),
        (lambda x: x[:0], lambda d, x: d, INPUTS[:1], ValueError, r"got shape \(0, 3\)"),
        (dense, with_answer(lambda dx, dW, db: (dx, dW)), INPUTS, ValueError,
         r"3 gradients, of x, W, b \(None .*, got 2"),
        (dense, with_answer(lambda dx, dW, db: (dx, dW, db, db)), INPUTS, ValueError, "got 4"),
        (dense, with_answer(lambda dx, dW, db: (dx, dW.T, db)), INPUTS, ValueError,
         r"gradient of W must have shape \(3, 4\), got \(4, 3\)"),
        (dense, with_answer(lambda dx, dW, db: (dx, dW, db[None])), INPUTS, ValueError,
         r"gradient of b must have shape \(4,\), got \(1, 4\)"),
        (dense, with_answer(lambda dx, dW, db: (dx * np.inf, dW, db)), INPUTS, ValueError,
         "gradient of x must be finite"),
        (dense, with_answer(lambda dx, dW, db: dW), INPUTS, ValueError, "one array of shape"),
        (lambda x, W: x @ W, lambda dout, x, W: x.T @ dout, INPUTS[:2], ValueError,
         r"one array for x, of shape \(5, 3\), or .* got one array of shape \(3, 4\)"),
        (dense, with_answer(lambda dx, dW, db: None), INPUTS, TypeError, "is there a return"),
        (dense, with_answer(lambda dx, dW, db: (None, None, None)), INPUTS, ValueError, "got none"),
        (dense, with_answer(lambda dx, dW, db: {"dw": dW}), INPUTS, ValueError, "got the key 'dw'"),
        (dense, with_answer(lambda dx, dW, db: {"dx": dx, "x": dx}), INPUTS, ValueError,
         "one gradient of x, got two"),
        (dense, lambda dout: None, INPUTS[:0] + INPUTS, TypeError, "must return the gradients"),
        (dense, lambda: None, INPUTS, TypeError, r"got backward\(…\)"),
        (dense, lambda a, b, c, d, e, f: None, INPUTS, TypeError, "not clear what to hand to it"),
        (np.tanh, lambda dout, s: dout, INPUTS[:1], TypeError, "not clear what to hand to it"),
        (lambda x: (x, x), lambda dout, dother: dout, INPUTS[:1], TypeError, "cache=True"),
        (dense, lambda dout, *, cache: None, INPUTS, TypeError, "needs cache by name"),
    ],
)  # fmt: skip
def test_each_misuse_has_its_error(forward, backward, inputs, error, says):
    with pytest.raises(error, match=says):
        gl.check_layer(forward, backward, *inputs)


@pytest.mark.parametrize(
    ("chosen", "error", "says"),
    [
        ({"cache": 1}, TypeError, "cache must be True or False"),
        ({"method": "all"}, ValueError, "method must be one of"),
        ({"samples": 0}, ValueError, "samples must be an integer >= 1"),
        ({"seed": 0.5}, TypeError, "seed must be an integer"),
        ({"tolerance": -1}, ValueError, "tolerance"),
    ],
)
def test_settings_are_checked(chosen, error, says):
    with pytest.raises(error, match=says):
        gl.check_layer(dense, dense_backward, *INPUTS, **chosen)


@pytest.mark.parametrize("cache", [True, False])
def test_the_caller_can_say_what_is_a_cache(cache):
    """forward returns (x², x): a cache, or two outputs."""

    def backward(dout, dother):
        if cache:
            return 2 * dother * dout
        return 2 * INPUTS[0] * dout + dother

    def forward(x):
        return x**2, x

    report = gl.check_layer(forward, backward, INPUTS[0], cache=cache)
    # the second form has the inputs as they are, so it is right there alone
    assert report.verdict == "correct"


def test_an_output_that_changes_its_shape_is_an_error():
    calls = []

    def forward(x):
        calls.append(1)
        return x[: 5 - (len(calls) == 2)]

    with pytest.raises(ValueError, match="same shapes at each call"):
        gl.check_layer(forward, lambda dout, x: dout, INPUTS[0])


@pytest.mark.parametrize("size", ["D", "M", "5"])
def test_sizes_that_coincide_are_told_apart(size):
    """W is 5 by 5: only at other sizes can be told which of them somebody divided by."""

    def backward(dout, cache):
        dx, dW, db = dense_backward(dout, cache)
        by = {"D": dx.shape[1], "M": dout.shape[1], "5": 5}[size]
        return dx, dW / by, db

    report = gl.check_layer(dense, unread(backward), normal(6, 5), normal(5, 5), normal(5))
    assert report.wrong == ["W"]
    factor = {"D": "1 / W.shape[0]", "M": "1 / K", "5": "0.2"}[size]
    (cause,) = report.diagnosis
    assert cause.wrong_line == f"dW = {factor} * (x.T @ dout)"


def test_where_other_sizes_cannot_be_asked_all_names_are_told():
    def forward(x, W, b):
        assert W.shape == (5, 5)
        return dense(x, W, b)

    def backward(dout, cache):
        dx, dW, db = dense_backward(dout, cache)
        return dx, dW / 5, db

    report = gl.check_layer(forward, unread(backward), normal(6, 5), normal(5, 5), normal(5))
    (cause,) = report.diagnosis
    told = " ".join((cause.wrong_line, *cause.alike))
    assert "K" in told
    assert "W.shape[0]" in told

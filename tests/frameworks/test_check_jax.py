"""gl.check_jax: right functions are correct, spoiled ones wrong, and nothing is switched on."""

import doctest
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradlab as gl
from gradlab.own import in_jax

# its older place is jax.experimental
enable_x64 = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
RNG = np.random.default_rng(0)
X = RNG.standard_normal((5, 3))


@jax.custom_vjp
def times(x, factor):
    """Return x, with a gradient that is a factor too large."""
    return x


times.defvjp(lambda x, factor: (x, factor), lambda factor, dout: (dout * factor, None))


def mlp(params, x):
    h = jax.nn.gelu(x @ params["W1"] + params["b1"])
    return h @ params["W2"] + params["b2"]


def conv(w, x):
    return jax.lax.conv(x, w, (1, 1), "SAME")


def cell(params, xs):
    def step(h, x):
        h = jnp.tanh(params.W @ h + params.U @ x)
        return h, h

    return jax.lax.scan(step, jnp.zeros(params.W.shape[0]), xs)


class Cell(NamedTuple):
    W: np.ndarray
    U: np.ndarray


def logsumexp(z):
    return jax.nn.logsumexp(z, axis=-1)


def embedded(table, ids):
    return jnp.tanh(table[ids])


def dropped(x, key):
    return x * jax.random.bernoulli(key, 0.5, x.shape) * jnp.sin(x)


@jax.custom_vjp
def swish(x, beta):
    return x * jax.nn.sigmoid(beta * x)


def _swish_back(saved, dout):
    x, beta = saved
    s = jax.nn.sigmoid(beta * x)
    return dout * (s + x * beta * s * (1 - s)), jnp.sum(dout * x**2 * s * (1 - s))


swish.defvjp(lambda x, beta: (swish(x, beta), (x, beta)), _swish_back)

PARAMS = {"W1": RNG.standard_normal((3, 4)), "b1": RNG.standard_normal(4),
          "W2": RNG.standard_normal((4, 2)), "b2": RNG.standard_normal(2)}  # fmt: skip
FUNCTIONS = {
    "a network of a dict": (mlp, (PARAMS, X)),
    "convolution": (conv, (RNG.standard_normal((2, 2, 3, 3)), RNG.standard_normal((2, 2, 5, 5)))),
    "scan": (cell, (Cell(0.5 * RNG.standard_normal((3, 3)), RNG.standard_normal((3, 2))),
                    RNG.standard_normal((4, 2)))),
    "logsumexp": (logsumexp, (X,)),
    "integers": (embedded, (RNG.standard_normal((6, 2)), np.array([1, 1, 4]))),
    "a key": (dropped, (X, jax.random.PRNGKey(3))),
    "custom_vjp": (swish, (X, np.float64(0.7))),
}  # fmt: skip


@pytest.fixture(params=["float32", "float64"])
def precision(request):
    with enable_x64(request.param == "float64"):
        yield request.param


def is_floating(leaf):
    return np.asarray(leaf).dtype.kind == "f"


def spoiled(f, factor):
    """Return f with the gradient of its first argument's first leaf that many times too large."""

    def function(*args):
        leaves, tree = jax.tree_util.tree_flatten(args)
        leaves[0] = times(leaves[0], factor)
        return f(*jax.tree_util.tree_unflatten(tree, leaves))

    return function


def bits(args):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree_util.tree_leaves(args)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_right_function_is_correct_and_its_arguments_as_they_were(name, precision):
    f, args = FUNCTIONS[name]
    before = bits(args)
    report = gl.check_jax(f, *args)
    assert report.verdict == gl.Verdict.CORRECT, report
    assert bits(args) == before
    assert precision in report.subject
    assert "in batches" in report.subject
    assert report.resolution < (1e-4 if precision == "float64" else 2e-2)
    leaves = jax.tree_util.tree_leaves(args)
    assert len(report) == sum(is_floating(leaf) for leaf in leaves)


@pytest.mark.parametrize("factor", [-1.0, 1.01])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_spoiled_leaf_is_wrong_by_name(name, factor, precision):
    f, args = FUNCTIONS[name]
    report = gl.check_jax(spoiled(f, factor), *args)
    first = jax.tree_util.keystr(jax.tree_util.tree_flatten_with_path(args)[0][0][0])
    assert report.wrong == [f"args{first}"], report


@pytest.mark.parametrize("name", ["a network of a dict", "custom_vjp"])
def test_in_batches_and_one_by_one_the_verdict_is_the_same(name):
    f, args = FUNCTIONS[name]
    for function in (f, spoiled(f, 1.01)):
        together, alone = (gl.check_jax(function, *args, batched=b) for b in (True, False))
        assert "in batches" not in alone.subject
        assert (together.verdict, together.wrong) == (alone.verdict, alone.wrong)


def test_x64_is_left_as_it_is():
    assert not jax.config.jax_enable_x64
    report = gl.check_jax(mlp, PARAMS, X)
    assert not jax.config.jax_enable_x64
    assert report["x"].analytic.dtype == np.float64  # of a report, whatever was computed in
    assert "float32" in report.subject
    with enable_x64(True):
        report = gl.check_jax(mlp, PARAMS, X)
        assert jax.config.jax_enable_x64
        assert report.resolution < 1e-6
        # float32 arrays stay what they are, and the judge knows
        single = jax.tree_util.tree_map(lambda v: v.astype(np.float32), (PARAMS, X))
        assert "float32" in gl.check_jax(mlp, *single).subject


def test_names_are_those_of_the_paths():
    report = gl.check_jax(mlp, PARAMS, X)
    assert list(report) == ["params['W1']", "params['W2']", "params['b1']", "params['b2']", "x"]
    assert list(gl.check_jax(*[cell, *FUNCTIONS["scan"][1]])) == ["params.W", "params.U", "xs"]
    nested = gl.check_jax(lambda *parts: parts[0]["a"][1] * parts[1], {"a": (1, X)}, X)
    assert list(nested) == ["args[0]['a'][1]", "args[1]"]


def test_argnums_choose():
    assert list(gl.check_jax(mlp, PARAMS, X, argnums=1)) == ["x"]
    assert list(gl.check_jax(swish, X, 0.7, argnums=(1,))) == ["beta"]


def test_a_loss_and_outputs_of_all_kinds():
    labels = np.array([0, 1, 1, 0, 1])

    def loss(out):
        return -jnp.mean(jax.nn.log_softmax(out)[jnp.arange(5), labels])

    assert gl.check_jax(mlp, PARAMS, X, loss=loss).verdict == gl.Verdict.CORRECT
    outputs = {
        "number": lambda x: jnp.sum(x**2),
        "complex": lambda x: jnp.fft.rfft(x**2, axis=0),
        "tree": lambda x: {"a": x**2, "b": [jnp.sin(x), x > 0]},
        "jit": jax.jit(lambda x: jnp.cos(x)),
    }
    for name, f in outputs.items():
        assert gl.check_jax(f, X).verdict == gl.Verdict.CORRECT, name
    wrong = gl.check_jax(lambda x: {"a": x**2, "b": times(jnp.exp(x), 1.01)}, X)
    assert wrong.wrong == ["x"]
    blind = gl.check_jax(lambda x: times(jax.nn.softmax(x, axis=-1), 1.02), X)
    assert blind.wrong == ["x"]  # of its sum the gradient is 0, whatever backward does


def test_what_cannot_be_batched_is_called_one_by_one():
    def f(x):  # without a rule for vmap
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    @jax.custom_vjp
    def g(x):
        return f(x)

    g.defvjp(lambda x: (f(x), x), lambda x, dout: (-dout * jnp.cos(x),))
    report = gl.check_jax(g, X)
    assert report.wrong == ["x"]
    assert "in batches" not in report.subject


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize(
    ("error", "at"),
    [*((KeyboardInterrupt, at) for at in (1, 2, 3, 4, 5)), (ZeroDivisionError, 1), (None, 0)],
)
def test_arguments_are_as_they_were_whatever_happens(error, at, batched):
    calls = []

    def f(x, ids):
        calls.append(1)
        ids += 1  # into an array of numpy's
        if len(calls) == at:
            raise error
        return x[0] ** 2

    x, ids = X.copy(), np.arange(3)
    before = bits((x, ids)), jax.config.jax_enable_x64
    if error:
        with pytest.raises(error):
            gl.check_jax(f, x, ids, batched=batched)
    else:
        assert gl.check_jax(f, x, ids, batched=batched).verdict == gl.Verdict.CORRECT
    assert (bits((x, ids)), jax.config.jax_enable_x64) == before


def test_a_function_that_draws_anew_or_remembers_is_seen():
    rng, last = np.random.default_rng(0), [0.0]

    def draws(x):
        return x * rng.random()

    def remembers(x):
        last[0] += 1.0
        return x * last[0]

    for f in (draws, remembers):
        assert gl.check_jax(f, X).verdict == gl.Verdict.INCONCLUSIVE


def test_many_parameters_sampled():
    params = {"W1": RNG.standard_normal((300, 300)) / 17, "b1": np.zeros(300),
              "W2": RNG.standard_normal((300, 40)) / 17, "b2": np.zeros(40)}  # fmt: skip
    x = RNG.standard_normal((8, 300))
    report = gl.check_jax(mlp, params, x, argnums=0, method="sampled")
    assert report.verdict == gl.Verdict.CORRECT, report
    report = gl.check_jax(spoiled(mlp, 1.02), params, x, argnums=0, method="sampled")
    assert report.wrong == ["args[0]['W1']"]


HALF = jnp.ones(3, jnp.bfloat16)
MISUSES = {
    "f": (lambda: gl.check_jax(3, X), TypeError, "f must be a function of arrays, got int"),
    "loss": (lambda: gl.check_jax(jnp.sin, X, loss=1), TypeError, "loss must be.*got int"),
    "loss of many": (lambda: gl.check_jax(jnp.sin, X, loss=lambda v: v), ValueError,
                     r"loss must return one number, got shape \(5, 3\)"),
    "loss of integers": (lambda: gl.check_jax(jnp.sin, X, loss=lambda v: 3), TypeError,
                         "loss must return a floating number, got int"),
    "nothing": (lambda: gl.check_jax(jnp.sin), ValueError, "args must hold an array of floating"),
    "integers": (lambda: gl.check_jax(jnp.sin, np.arange(3)), ValueError, r"got \['int64\[3\]'\]"),
    "half": (lambda: gl.check_jax(lambda v: v, HALF), TypeError, "v must be.*got bfloat16"),
    "empty": (lambda: gl.check_jax(lambda v: v, np.ones((0, 2))), ValueError,
              r"v must have entries to be checked, got shape \(0, 2\)"),
    "nan": (lambda: gl.check_jax(lambda v: v, np.array([np.nan])), ValueError, "v must be finite"),
    "output": (lambda: gl.check_jax(lambda v: v > 0, X), TypeError, "f must return.*got .'bool"),
    "argnums": (lambda: gl.check_jax(mlp, PARAMS, X, argnums=2), ValueError, "below 2.*got 2"),
    "argnums's type": (lambda: gl.check_jax(mlp, PARAMS, X, argnums="x"), TypeError, "argnums"),
    "seed": (lambda: gl.check_jax(jnp.sin, X, seed=-1), ValueError, "seed must be"),
    "batched": (lambda: gl.check_jax(jnp.sin, X, batched=2), TypeError, "batched must be"),
    "method": (lambda: gl.check_jax(jnp.sin, X, method=3), TypeError, "method must be"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISUSES)
def test_a_misuse_is_told(name):
    call, error, message = MISUSES[name]
    with pytest.raises(error, match=message):
        call()


def test_leaves_of_two_types_are_told():
    with (
        enable_x64(True),
        pytest.raises(TypeError, match="of one type, got a in float32 and b in"),
    ):
        gl.check_jax(lambda a, b: a * b, np.ones(2, np.float32), np.ones(2))


def test_the_examples_run():
    results = doctest.testmod(in_jax)
    assert results.attempted > 5
    assert not results.failed


# -- what somebody broke


class Keeps:
    """Keeps what it last computed, as a layer of one's own does."""

    def __init__(self):
        self.last, self.all = jnp.zeros(3), []

    def __call__(self, x):
        self.all.append(x)
        self.last = jnp.sin(x) + 0 * self.last
        return self.last


@pytest.mark.parametrize("batched", [True, False])
def test_no_dead_tracer_is_left_in_what_f_keeps(batched):
    keeps = Keeps()
    assert gl.check_jax(keeps, jnp.linspace(0.1, 1.0, 3), batched=batched).verdict == "correct"
    assert not isinstance(keeps.last, jax.core.Tracer)
    assert not any(isinstance(value, jax.core.Tracer) for value in keeps.all)
    assert np.isfinite(keeps.last + 1).all()


@pytest.mark.parametrize(("argnums", "names"), [(-1, ["b"]), ((0, -1), ["a", "b"]), ([-2], ["a"])])
def test_argnums_count_from_the_end_as_in_jax_grad(argnums, names):
    x = jnp.linspace(0.1, 1.0, 3)
    assert list(gl.check_jax(lambda a, b: (a * b).sum(), x, x, argnums=argnums)) == names


@pytest.mark.parametrize("argnums", [-3, 2, (), True, "a"])
def test_argnums_that_name_no_argument_are_refused(argnums):
    with pytest.raises((TypeError, ValueError), match="argnums must be"):
        gl.check_jax(lambda a, b: (a * b).sum(), jnp.ones(2), jnp.ones(2), argnums=argnums)


def test_advice_for_float32_says_how_jax_comes_to_float64():
    x = jnp.array([-1.0, 1e-4, 0.5, 0.0], jnp.float32)
    report = gl.check_jax(lambda x: jnp.maximum(x, 0).sum(), x)
    assert report.verdict == "inconclusive"
    assert "jax_enable_x64" in report.advice
    assert "jax_enable_x64" in report["x"].judgement.advice


@jax.custom_vjp
def squared(x):
    """Return x**2, with a cotangent that is clipped on its way back."""
    return x**2


squared.defvjp(lambda x: (squared(x), x), lambda x, d: (2 * x * jnp.clip(d, -5, 5),))


@pytest.mark.parametrize("loss", [None, jnp.sum])
def test_a_rule_that_is_not_linear_in_its_cotangent_is_found(loss):
    x = jnp.linspace(0.5, 1.0, 4)
    report = gl.check_jax(squared, x, loss=loss)
    assert report.wrong == ["x"]
    assert any("not linear in cotangent" in remark for remark in report.remarks)
    assert gl.check_jax(lambda x: x**2, x, loss=loss).remarks == ()

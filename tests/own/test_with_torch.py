"""`gl.check_torch` with a stand-in for PyTorch: what is checked, what it is called, what stays."""

import functools
import importlib
import random
from collections import namedtuple
from types import MappingProxyType

import numpy as np
import pytest

import gradlab as gl
from tests.own.standins import torch as standin


@pytest.fixture
def torch():
    with standin.installed() as module:
        yield module


@pytest.fixture
def ours(torch):
    """Return gradlab's modules about PyTorch, read with the stand-in."""
    return lambda name: importlib.import_module(f"gradlab.own.torch_{name}")


nn = standin.nn
RNG = np.random.default_rng(0)
W, B, X = RNG.standard_normal((3, 2)), RNG.standard_normal(2), RNG.standard_normal((4, 3))


class Linear(nn.Module):
    def __init__(self, W=W, b=B):
        super().__init__()
        self.W, self.b = nn.Parameter(W.copy()), nn.Parameter(b.copy())

    def forward(self, x):
        return standin.tanh(x @ self.W + self.b)


class Wrong(standin.Function):
    """tanh, whose backward lacks a square."""

    @staticmethod
    def forward(ctx, x):
        ctx.out = standin.tanh(x)
        return ctx.out

    @staticmethod
    def backward(ctx, dout):
        return dout * (1 - ctx.out)


class Spoiled(Linear):
    def forward(self, x):
        return Wrong.apply(x @ self.W + self.b)


def x(requires_grad=True, dtype=standin.float64):
    return standin.tensor(X, dtype, requires_grad)


# -- what a check says ---------------------------------------------------------------------------


def test_a_right_module_is_correct_and_a_wrong_one_wrong(torch):
    report = gl.check_torch(Linear(), x())
    assert (report.verdict, list(report)) == ("correct", ["W", "b", "x"])
    assert report["W"].shape == (3, 2)
    assert report.subject == (
        "Linear in a float64 copy, its output times fixed random numbers, evaluated in batches"
    )
    assert report.remarks == ()
    wrong = gl.check_torch(Spoiled(), x(False))
    assert (wrong.verdict, wrong.wrong) == ("wrong", ["W", "b"])
    alone = gl.check_torch(Linear(), x(), batched=False)
    assert alone.subject == "Linear in a float64 copy, its output times fixed random numbers"
    for name in alone:
        np.testing.assert_allclose(alone[name].numerical, report[name].numerical, atol=1e-9)
    assert gl.check_torch(Wrong, x()).wrong == ["x"]


def test_the_options_are_those_of_check_function(torch):
    sampled = gl.check_torch(Linear(), x(False), method="sampled", samples=2, seed=3)
    assert sampled["W"].coverage == "2 of 6 entries"
    assert gl.check_torch(Linear(), x(False), eps=1e-4).eps == 1e-4
    off = gl.check_torch(lambda t: t * t, x(), loss=lambda t: (t * 1.0).sum(), tolerance=0.5)
    assert "to the tolerance of 0.5" in off.why
    one, other = (gl.check_torch(Linear(), x(False), seed=seed) for seed in (0, 1))
    assert not np.allclose(one["W"].analytic, other["W"].analytic)  # other random numbers
    with pytest.raises(ValueError, match="seed"):
        gl.check_torch(Linear(), x(False), seed=-1)
    with pytest.raises(TypeError, match="batched"):
        gl.check_torch(Linear(), x(False), batched=2)


def test_a_loss_is_taken_as_it_is_and_one_number_is_one(torch):
    report = gl.check_torch(Linear(), x(False), loss=lambda out: (out * out).sum())
    assert report.verdict == "correct"
    assert report.subject == "Linear in a float64 copy, evaluated in batches"
    h = np.tanh(X @ W + B)
    d = 2 * h * (1 - h**2)
    np.testing.assert_allclose(report["W"].analytic, X.T @ d, rtol=1e-12)
    one = gl.check_torch(lambda t: (t * t).sum(), x())
    np.testing.assert_allclose(one["t"].analytic, 2 * X, rtol=1e-12)


def test_the_type_of_the_copies_is_chosen(torch):
    single = gl.check_torch(Linear(), x(False), dtype="float32")
    assert "in a float32 copy" in single.subject
    kept = gl.check_torch(Linear(), x(False), dtype=None)
    assert kept.subject.startswith("Linear in float64, as it came")
    kept = gl.check_torch(Linear(np.float32(W), np.float32(B)), x(False, torch.float32), dtype=None)
    assert kept.subject.startswith("Linear in float32, as it came")
    asked = gl.check_torch(Linear(np.float32(W), np.float32(B)), x(True, torch.float32))
    assert asked["W"].resolution < 1e-5  # in float64
    assert asked.verdict == "correct"
    for dtype in ("float16", torch.float16, 3):
        with pytest.raises(TypeError, match=r"dtype must be torch.float64, torch.float32 or None"):
            gl.check_torch(Linear(), x(False), dtype=dtype)
    with pytest.raises(
        TypeError, match=r"one type, got W in torch.float64 and input in torch.float"
    ):
        gl.check_torch(Called(), x(True, torch.float32), dtype=None)
    half = standin.tensor(X, torch.float16, True)
    with pytest.raises(TypeError, match=r"x must be float32 or float64 where dtype=None"):
        gl.check_torch(lambda x: x * x, half, dtype=None)
    assert gl.check_torch(lambda x: x * x, half).verdict == "correct"


class Called(Linear):
    def forward(self, input):
        return input @ self.W


# -- what is checked, and what it is called ------------------------------------------------------


def test_of_a_function_the_inputs_that_require_grad_are_checked(torch):
    def both(x, h, scale=1.0, *rest, **more):
        return x * h["a"][0] * scale * rest[0] * more["key"]

    held = {"a": [x(), 3], "b": x(False)}
    report = gl.check_torch(both, x(), held, 2.0, x(), kwargs={"key": x(), "other": None})
    assert list(report) == ["x", "h['a'][0]", "rest[0]", "key"]
    assert report.verdict == "correct"
    assert report["key"].shape == (4, 3)
    frozen = Linear()
    frozen.b.requires_grad_(False)
    assert list(gl.check_torch(frozen, x(False))) == ["W"]


def test_an_input_that_is_called_as_a_parameter_says_that_it_is_one(torch):
    class Clash(Linear):
        def forward(self, b):
            return b @ self.W + self.b

    assert list(gl.check_torch(Clash(), x())) == ["W", "b", "input b"]


def test_names_where_there_is_no_signature(torch, ours):
    names = ours("trees").names_of_arguments
    paths = [(0, 0), (0, 1, 2), (1, "k"), (1, "k", "a")]
    assert names(min, ((), {}), paths) == ["inputs[0]", "inputs[1][2]", "k", "k['a']"]
    assert names(lambda x, *more: 0, ((), {}), paths)[:2] == ["x", "more[0][2]"]

    class New(standin.Function):
        @staticmethod
        def forward(x, y):
            return x

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

    assert names(Wrong, ((), {}), [(0, 0), (0, 1)]) == ["x", "inputs[0]"]
    assert names(New, ((), {}), [(0, 0), (0, 1)]) == ["x", "y"]
    scripted = torch.jit.ScriptFunction(lambda *a: 0, ["first", "second"])
    assert names(scripted, ((), {}), [(0, 1), (0, 2)]) == ["second", "args[0]"]


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("code", "parts"),
    [
        ("module", (None, "m", "Linear")),
        ("method", ("forward", "m", "Linear.forward")),
        ("Function", ("apply", None, "Wrong")),
        ("apply", ("apply", None, "Wrong")),
        ("function", ("f", None, "f")),
        ("partial", ("partial", None, "partial")),
        ("other method", ("other", None, "other")),
    ],
)
def test_what_is_called_and_of_which_module(ours, code, parts):
    def f(x):
        return x

    class Other:
        def other(self, x):
            return x

    m = Linear()
    codes = {
        "module": m, "method": m.forward, "Function": Wrong, "apply": Wrong.apply, "function": f,
        "partial": functools.partial(f), "other method": Other().other,
    }  # fmt: skip
    function, module, name, named = ours("arguments").taken_apart(codes[code])
    called = function and getattr(function, "__name__", type(function).__name__)
    assert (called, "m" if module is m else module, name) == parts
    assert callable(named)
    if code == "method":
        assert function is Linear.forward


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("code", "words"),
    [
        (Linear, r"a module, got the class Linear: make one of it first, Linear\(…\)"),
        (3, "torch.nn.Module or a function of tensors, got int"),
        (standin.tensor(X), "torch.nn.Module or a function of tensors, got Tensor"),
    ],
)
def test_what_cannot_be_called_is_named(torch, code, words):
    with pytest.raises(TypeError, match=words):
        gl.check_torch(code, x())


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"loss": 3}, TypeError, "loss must be a function of the output, got int"),
        ({"kwargs": [1]}, TypeError, "kwargs must be a dict of name to value, got list"),
        ({"loss": lambda out: 1.0}, TypeError, "a tensor that autograd can follow, got float"),
        ({"loss": lambda out: out}, ValueError, r"loss must return one number, got shape \(4, 2\)"),
        ({"loss": lambda out: standin.tensor(1, standin.int64)}, TypeError, "floating number, got"),
    ],
)  # fmt: skip
def test_a_loss_or_keywords_that_cannot_be_meant_are_named(torch, changed, error, words):
    with pytest.raises(error, match=words) as caught:
        gl.check_torch(Linear(), x(False), **changed)
    ran = "loss must return" in str(caught.value)
    notes = getattr(caught.value, "__notes__", [])
    assert [note[:45] for note in notes] == ["gl.check_torch ran this in float64 copies; dt"] * ran


def test_where_nothing_requires_grad_is_said(torch):
    with pytest.raises(
        ValueError, match="inputs must hold a tensor that requires grad, for f is no"
    ):
        gl.check_torch(named_f, x(False))
    frozen = Linear()
    for p in frozen.parameters():
        p.requires_grad_(False)
    with pytest.raises(ValueError, match=r"a parameter, or inputs a tensor, .*; Linear and its"):
        gl.check_torch(frozen, x(False))


def named_f(x):
    return x


named_f.__name__ = "f"


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (
            lambda t: setattr(t, "lazy", True),
            ValueError,
            "x must have a shape, got a lazy parameter",
        ),
        (lambda t: setattr(t, "is_meta", True), ValueError, "hold numbers, .* device 'meta'"),
        (lambda t: setattr(t, "layout", "torch.sparse_coo"), TypeError, "a dense tensor"),
        (lambda t: setattr(t, "data", t.data + 1j), TypeError, "a dense tensor of real numbers"),
        (lambda t: t.data.__setitem__(0, np.nan), ValueError, "x must be finite, got NaN"),
        (lambda t: setattr(t, "data", t.data[:0]), ValueError, r"have entries .* shape \(0, 3\)"),
    ],
)
def test_a_tensor_that_cannot_be_shifted_is_named(torch, spoil, error, words):
    given = x()
    spoil(given)
    with pytest.raises(error, match=words):
        gl.check_torch(lambda x: x * x, given)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("out", "error", "words"),
    [
        (lambda t: 3, TypeError, "a tensor of floating numbers, .* got int; loss=… can make one"),
        (lambda t: standin.tensor([1], standin.int64), TypeError, "got Tensor of torch.int64"),
        (lambda t: [], TypeError, "got list"),
    ],
)
def test_an_output_without_floats_is_named(torch, out, error, words):
    with pytest.raises(error, match=words) as caught:
        gl.check_torch(lambda t: out(t), x())
    assert "dtype=None keeps the types" in caught.value.__notes__[0]
    with pytest.raises(error, match=words) as caught:
        gl.check_torch(lambda t: out(t), x(), dtype=None)
    assert not hasattr(caught.value, "__notes__")


def test_all_floating_tensors_of_an_output_count_and_both_parts_of_a_complex_one(torch):
    def several(t):
        return {"a": t * t, "n": standin.tensor([1], torch.int64), "b": (t * 3.0, "text")}

    report = gl.check_torch(several, x())
    assert report.verdict == "correct"
    assert "fixed random numbers" in report.subject
    assert report["t"].analytic.any()
    trees = importlib.import_module("gradlab.own.torch_trees")
    z = standin.Tensor(np.array([1 + 2j]))
    (part,) = trees.random_like(z, 0)
    assert part.shape == (1, 2)
    assert float(trees.projected(z, [standin.tensor([[1.0, 10.0]])])) == 21
    assert float(trees.projected(standin.tensor([-1.0, 2.0]), [standin.tensor([1.0, -1.0])])) == -3
    both = trees.projected(
        standin.tensor([-1.0, 2.0]), [standin.tensor([1.0, -1.0])], absolute=True
    )
    assert float(both) == 3
    assert not trees.is_one_number(z)
    assert trees.is_one_number(standin.tensor([2.0]))
    assert not trees.is_one_number(standin.tensor([2.0, 1.0]))
    assert not trees.is_one_number([standin.tensor(2.0)])
    one, again, other = (trees.random_like(x(), seed)[0].data for seed in (0, 0, 1))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_an_output_of_another_shape_at_another_call_is_named(torch):
    calls = []

    def grows(t):
        calls.append(1)
        return t * t if len(calls) < 3 else (t * t).sum()

    with pytest.raises(
        ValueError, match=r"the same shapes at every call, got \[\(\)\] after \[\(4, "
    ):
        gl.check_torch(grows, x(), batched=False)


# -- what comes from above, and gradients that are odd -------------------------------------------


class Clipped(standin.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 1.0

    @staticmethod
    def backward(ctx, dout):
        return standin.Tensor(np.clip(dout.data, -5, 5))


def test_a_backward_that_is_not_linear_in_what_comes_from_above_is_wrong(torch):
    report = gl.check_torch(Clipped, x())
    assert report.verdict == "wrong"
    assert "not linear in grad_output" in report.remarks[0]
    assert report.evaluations > gl.check_torch(lambda x: x * 1.0, x()).evaluations


def test_a_gradient_that_is_not_finite_is_named_with_its_place(torch):
    class Infinite(standin.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1.0

        @staticmethod
        def backward(ctx, dout):
            g = dout.data.copy()
            g[1, 2] = np.inf
            return standin.Tensor(g)

    with pytest.raises(ValueError, match=r"gradient of x must be finite, got inf at \[1, 2\]"):
        gl.check_torch(Infinite, x())


def test_what_autograd_cannot_reach_is_0(torch):
    report = gl.check_torch(lambda x, y: x * x + 0.0, x(), x())
    assert not report["y"].analytic.any()
    assert report["y"].analytic.shape == (4, 3)
    assert report["x"].verdict == "correct"
    cut = gl.check_torch(lambda x: (x * x).detach(), x())
    assert cut.wrong == ["x"]
    assert not cut["x"].analytic.any()


def test_a_checkpoint_that_takes_backward_alone_is_asked_so(torch, monkeypatch):
    refused = []

    def grad(loss, of, allow_unused):
        refused.append(1)
        raise RuntimeError("use_reentrant=True is not compatible with .grad()")

    module, seen = Linear(), standin.tensor(np.ones((4, 2)), requires_grad=True)
    seen.grad = kept = standin.tensor(np.full((4, 2), 3.0))
    monkeypatch.setattr(torch.autograd, "grad", grad)

    def reads(x):
        return module(x) * seen

    report = gl.check_torch(reads, x())
    assert refused
    assert report.verdict == "correct"
    assert all(p.grad is None for p in module.parameters())  # as it was
    assert seen.grad is kept
    assert (kept.data == 3).all()

    def other(loss, of, allow_unused):
        raise RuntimeError("something else")

    monkeypatch.setattr(torch.autograd, "grad", other)
    with pytest.raises(RuntimeError, match="something else"):
        gl.check_torch(reads, x())


# -- nothing of the caller's is changed ----------------------------------------------------------


class Normed(Linear):
    """A running mean that every forward pass moves."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", standin.tensor(np.zeros(2)))
        self.register_buffer("unused", None)
        self.inner = Linear(W.T.copy()[:, :2], B)
        self.inner.register_buffer("count", standin.tensor(np.zeros(1)))

    def forward(self, x):
        out = x @ self.W + self.b
        self.mean = standin.Tensor(0.9 * self.mean.data + 0.1 * out.data.mean(axis=0))
        self.inner.count.data += 1
        return out * (1.0 + self.mean)


def test_buffers_are_what_they_were_at_every_evaluation(torch):
    module = Normed()
    module.train = None
    before = module.mean
    report = gl.check_torch(module, x(False), loss=lambda out: (out * out).sum())
    assert module.mean is before
    assert not before.data.any()
    assert module.inner.count.data.tolist() == [0]
    assert "evaluated in batches" in report.subject
    # the mean moves with the output, and no gradient comes through it
    assert {"W", "b"} <= set(report)
    again = gl.check_torch(module, x(False), loss=lambda out: (out * out).sum())
    assert np.array_equal(again["W"].numerical, report["W"].numerical)


def test_buffers_of_a_module_that_a_function_or_a_loss_reads_are_put_back(torch):
    def sized(out):
        return (normed(out) * 1.0).sum()

    normed = Normed()
    before = normed.mean
    gl.check_torch(lambda x: normed(x), x())
    gl.check_torch(lambda x: x * 1.0, x(), loss=sized)
    gl.check_torch(Scaled(), x(False), loss=sized)
    assert normed.mean is before
    assert not before.data.any()
    assert normed.inner.count.data.tolist() == [0]


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(np.ones(3))

    def forward(self, x):
        return x * self.scale


def test_random_numbers_are_the_same_at_every_evaluation_and_go_on_as_before(torch):
    class Dropped(Linear):
        def forward(self, x):
            mask = torch.rand(4, 2)
            noise = np.random.random() + random.random()  # noqa: NPY002 - people use these
            return (x @ self.W) * standin.Tensor((mask.data < 0.5) * 2.0 + noise)

    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    report = gl.check_torch(Dropped(), x())
    assert report["W"].verdict == report["x"].verdict == "correct"
    now = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    assert now == states


def test_modules_inputs_and_settings_are_as_before(torch):
    module, given, array = Linear(), x(), np.ones(2)
    generator = torch.Generator(3)
    module.W.grad = grad = standin.tensor(np.ones((3, 2)))
    before = {name: (p, p.data.tobytes()) for name, p in module.named_parameters()}
    drawn = generator.rng.bit_generator.state

    def writes(t, extra, draws):
        t.data += 0  # a clone
        extra += 1
        draws.rng.random()
        return module(t) * 1.0

    report = gl.check_torch(writes, given, array, generator)
    assert report.verdict == "correct"
    assert array.tolist() == [1, 1]
    assert generator.rng.bit_generator.state == drawn
    assert given.data.tobytes() == X.tobytes()
    assert given.grad is None
    assert module.W.grad is grad
    assert {n: (p, p.data.tobytes()) for n, p in module.named_parameters()} == before
    assert torch.get_default_dtype() is torch.float32
    assert torch.get_num_threads() == 4
    assert set(torch.threads_set) == {1, 4}  # small: threads would wait for each other


def test_a_large_check_keeps_its_threads(torch, monkeypatch, ours):
    monkeypatch.setattr(ours("code"), "SMALL", 5)
    gl.check_torch(Linear(), x(False))
    assert torch.threads_set == []
    monkeypatch.setattr(ours("code"), "SMALL", 2**18)
    torch.set_num_threads(1)
    torch.threads_set.clear()
    gl.check_torch(Linear(), x(False))
    assert torch.threads_set == []


def test_code_runs_in_the_type_of_the_copies_with_gradients_on(torch):
    seen = set()

    def f(x):
        seen.add((torch.get_default_dtype().name, standin._state["grad"]))
        return x * x

    with torch.no_grad():
        assert gl.check_torch(f, x()).verdict == "correct"
        assert not standin._state["grad"]
    assert seen == {("float64", True)}


def test_a_method_of_a_module_runs_on_the_copy(torch):
    class Two(Linear):
        def other(self, x):
            self.calls = getattr(self, "calls", 0) + 1
            return x @ self.W

    module = Two()
    report = gl.check_torch(module.other, x(False))
    assert list(report) == ["W", "b"]
    assert report["W"].verdict == "correct"
    assert report.subject.startswith("Two.other in a float64 copy")
    assert not hasattr(module, "calls")


def test_a_module_that_cannot_be_copied_is_named(torch):
    class Held(Linear):
        def __deepcopy__(self, memo):
            raise RuntimeError("a socket")

    with pytest.raises(
        TypeError, match=r"copy.deepcopy can copy, got Held, which it cannot: a socket"
    ):
        gl.check_torch(Held(), x(False))


def test_what_an_earlier_pass_left_in_a_module_is_no_obstacle(torch):
    module = Linear()
    module.last = module(x())
    assert not module.last.is_leaf
    assert gl.check_torch(module, x(False)).verdict == "correct"


# -- remarks -------------------------------------------------------------------------------------


def test_a_loss_or_a_function_that_reads_the_module_itself_is_told(torch):
    module = Linear()
    report = gl.check_torch(module, x(False), loss=lambda out: (out * out).sum() + module.W.sum())
    assert report.remarks[0].startswith(
        "loss reads the module itself, not the copy that is checked"
    )
    module.extra = lambda: module.W
    told = gl.check_torch(module, x(False)).remarks
    assert told[0].startswith("the function extra reads the module itself")
    assert gl.check_torch(Linear(), x(False), loss=lambda out: out.sum()).remarks == ()


def test_a_hook_and_a_padding_row_are_told(torch):
    module = Linear()
    module.b._backward_hooks = {0: len}
    assert gl.check_torch(module, x(False)).remarks == (
        "b has a hook (register_hook), which changes what training gets and was not checked",
    )

    class Words(nn.Module):
        def __init__(self, padding):
            super().__init__()
            self.table = nn.Embedding(4, 2, padding)

        def forward(self, at):
            return standin.tanh(self.table(at))

    at = standin.tensor([0, 2, 2], torch.int64)
    assert gl.check_torch(Words(None), at).remarks == ()
    (told,) = gl.check_torch(Words(0), at).remarks
    assert told.startswith("an Embedding with padding_idx gives that row no gradient")


def test_what_hooks_keep_is_the_callers(torch, ours):
    kept, module = [], Linear()
    module._forward_hooks[0] = lambda module, args: kept.append(args)
    assert gl.check_torch(module, x(False)).verdict == "correct"
    assert kept == []
    assert ours("state").hooks_of(None) == []
    assert ours("state").hooks_of(module) == [module._forward_hooks[0]]


# -- parts ---------------------------------------------------------------------------------------


def test_the_modules_that_a_function_reads(ours):
    near = ours("state").modules_near
    a, b, c, d = (Linear() for _ in range(4))

    def closes(x):
        return a(x)

    class Holder:
        of_class = c

        def __init__(self):
            self.module, self.many = b, [c]

        def __call__(self, x):
            return x

        def method(self, x):
            return x

    def lists(x, models=[a]):  # noqa: B006
        return held["x"][0], both

    held, both = {"x": d}, (a, [b])
    assert near(closes) == [a]
    assert near(functools.partial(lambda x, m, k: x, a, k=b)) == [a, b]
    assert near(functools.partial(functools.partial(closes), b)) == [b, a]
    assert {*map(id, near(Holder().method))} == {id(b), id(c)}
    assert {*map(id, near(Holder()))} >= {id(b)}
    assert {*map(id, near(lists))} == {id(d), id(a)}
    assert near(a) == [a]
    assert near(len) == []
    past = ours("state").read_past_the_copy
    assert past(a, None) == past(b, closes) == []
    assert past(a, closes) == ["loss"]


def test_structures_are_copied_with_what_can_be_written_into(torch, ours):
    fresh, Pair = ours("trees").fresh, namedtuple("Pair", "a b")
    given = {
        "t": x(False, torch.float32), "n": standin.tensor([1], torch.int64), "z": np.ones(2),
        "pair": Pair(x(), [x()]), "c": standin.Tensor(np.array([1j])), "s": "text",
    }  # fmt: skip
    new = fresh(given, torch.float64)
    assert list(new) == list(given)
    assert (new["t"].dtype, new["n"].dtype, new["c"].dtype) == (
        torch.float64, torch.int64, torch.complex128,
    )  # fmt: skip
    assert fresh(given, torch.float32)["c"].dtype is torch.complex64
    assert fresh(given, None)["c"].dtype is torch.complex128
    assert fresh(given, None)["t"].dtype is torch.float32
    assert isinstance(new["pair"], Pair)
    assert isinstance(new["pair"].b, list)
    for one, other in ((new["t"], given["t"]), (new["pair"].a, given["pair"].a)):
        assert one is not other
        assert not np.shares_memory(one.data, other.data)
    assert new["z"] is not given["z"]
    assert new["s"] == "text"
    assert not new["pair"].a.requires_grad
    put = x()
    replaced = fresh(given, None, {("pair", "b"): 0, ("pair", 1, 0): put})
    assert replaced["pair"].b[0].made[0][0] is put  # a clone that autograd follows
    assert [path for path, _ in ours("trees").tensors_in(given)] == [
        ("t",), ("n",), ("pair", 0), ("pair", 1, 0), ("c",),
    ]  # fmt: skip
    read_only = fresh(MappingProxyType({"a": x()}), None)
    assert isinstance(read_only, dict)


def test_a_clone_lies_in_memory_as_what_it_is_of(ours):
    clone_of = ours("trees").clone_of
    whole = np.arange(24.0).reshape(4, 6)
    for like in (whole[:, ::2], whole.T, whole[1:3, 1:4], whole, np.asfortranarray(whole)):
        t = standin.Tensor(like)
        clone = clone_of(t, t)
        assert np.array_equal(clone.data, like)
        assert clone.stride() == t.stride()
        assert not np.shares_memory(clone.data, like)
    broadcast = standin.Tensor(np.broadcast_to(np.ones(3), (2, 3)))
    assert 0 not in clone_of(broadcast, broadcast).stride()
    sparse = standin.Tensor(whole[:, ::2])
    sparse.is_sparse = True
    assert clone_of(standin.Tensor(whole[:, :3].copy()), sparse).stride() == (3, 1)
    leaf = x()
    assert clone_of(leaf, standin.Tensor(whole[:, ::2])).made[0][0].made[0][0] is leaf


def test_parameters_come_back_to_their_places(ours):
    module = Normed()
    slots, buffers = ours("state").Slots([module]), ours("state").Buffers([module])
    kept = dict(module.named_parameters())
    assert [key for key, *_ in buffers.kept] == ["mean", "inner.count"]
    assert buffers.moved() == {}
    module._parameters["W"] = standin.tensor(W)
    del module.inner._parameters["b"]
    module.mean = standin.tensor([1.0, 2.0])
    module.inner.count.data += 5
    moved = buffers.moved()
    assert {key: t.data.tolist() for key, t in moved.items()} == {
        "mean": [0, 0], "inner.count": [0],
    }  # fmt: skip
    slots.put_back()
    buffers.put_back()
    assert dict(module.named_parameters()) == kept
    assert module.mean.data.tolist() == [0, 0]
    assert buffers.moved() == {}


def test_the_generators_of_other_devices_are_put_back(torch, ours, monkeypatch):
    class Backend:
        state = 1

        def get_rng_state(self, *where):
            self.asked = where
            return self.state

        def set_rng_state(self, state, *where):
            self.state, self.asked = state, where

    cuda, mps = Backend(), Backend()
    monkeypatch.setattr(torch, "cuda", cuda, raising=False)
    monkeypatch.setattr(torch, "mps", mps, raising=False)
    monkeypatch.setattr(torch, "strange", object(), raising=False)
    tensors = []
    for name in ("cuda", "mps", "strange", "cpu"):
        t = x()
        t.device = torch.device(name)
        tensors.append(t)
    found = ours("state").RandomState(tensors[1:], _on(tensors[0]))
    assert len(found.others) == 2
    cuda.state = mps.state = 9
    torch.rand(2)
    found.put_back()
    assert (cuda.state, mps.state) == (1, 1)
    assert (cuda.asked, mps.asked) == ((tensors[0].device,), ())


def _on(t):
    module = Linear()
    module.register_buffer("there", t)
    return module


def test_a_scripted_module_gets_parameters_of_its_own(ours):
    class Scripted(standin.ScriptModule):
        def __init__(self):
            super().__init__()
            self.W = nn.Parameter(W.copy())
            self.V = self.W
            self.frozen = nn.Parameter(B.copy(), requires_grad=False)

    module = Scripted()
    copied = ours("state").copy_of(module, standin.float32)
    assert copied.W is copied.V
    assert copied.W is not module.W
    assert copied.W.dtype is standin.float32
    assert not copied.frozen.requires_grad
    assert module.W.dtype is standin.float64
    module.W.grad = standin.tensor(W)
    assert ours("state").copy_of(module, None).W.grad is None
    plain = Linear()
    plain.W.grad = standin.tensor(W)
    copied = ours("state").copy_of(plain, None)
    assert copied.W.grad is None
    assert copied.W.dtype is standin.float64
    assert plain.W.grad is not None


def test_a_batch_holds_no_more_numbers_than_memory_allows(torch, ours):
    code = ours("code")
    with code.TorchCode(Linear(), (x(),), None, None, "float64", 0) as own:
        lanes = own.lanes()
        # of each tensor: its own entries, the output's 8 and the input's 12
        assert lanes.numbers == {"W": 256, "b": 256, "x": 256}
        own.numbers = code.MEMORY // 10
        assert own.lanes().numbers == {"W": 9, "b": 9, "x": 9}
        own.numbers = code.MEMORY * 10
        assert own.lanes().numbers == {"W": 1, "b": 1, "x": 1}
        assert own.size == pytest.approx(
            np.abs(np.tanh(X @ W + B) * own.above[0].data).sum(), rel=1e-12
        )
        kept = own.above
        answer = own.answer(own.other_above)
        assert own.above is kept
        own.ask_with(own.other_above)
        assert np.array_equal(own.gradient(own.theta), answer)
        assert not np.array_equal(own.answer(kept), answer)


def test_losses_in_lanes_are_those_of_single_calls(torch, ours):
    code = ours("code")
    with code.TorchCode(Normed(), (x(),), None, None, "float64", 0) as own:
        assert set(own.moving) == {"mean", "inner.count"}
        for name in ("W", "b", "x"):
            lo, hi, _ = own.layout[name]
            entries = np.arange(lo, hi)
            values = own.theta[entries] + 0.5
            together = own._many(own.theta, name, entries, values)
            for entry, value, loss in zip(entries, values, together, strict=True):
                theta = own.theta.copy()
                theta[entry] = value
                assert own(theta) == pytest.approx(loss, rel=1e-12), (name, entry)

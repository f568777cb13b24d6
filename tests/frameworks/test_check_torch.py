"""gl.check_torch: right modules are correct, spoiled ones wrong, and nothing is changed."""

import doctest
import re
import runpy
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import gradlab as gl
from gradlab.own import in_torch
from gradlab.own.torch_code import TorchCode


@pytest.fixture(autouse=True)
def one_thread_and_a_fixed_state():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # tiny matrices: threads would only wait for each other
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


def of(*shape, grad=True, dtype=None):
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator, dtype=dtype).requires_grad_(grad)


def trained_batch_norm():
    norm = nn.BatchNorm1d(4)
    norm(3 * of(8, 4, grad=False) + 1)
    return norm.eval()


MODULES = {
    "Linear": (lambda: nn.Linear(4, 3), lambda: (of(5, 4),)),
    "Conv2d": (lambda: nn.Conv2d(2, 3, 3, padding=1, stride=2), lambda: (of(2, 2, 5, 5),)),
    "LSTM": (lambda: nn.LSTM(3, 4, 2), lambda: (of(4, 2, 3), (of(2, 2, 4), of(2, 2, 4)))),
    "LayerNorm": (lambda: nn.LayerNorm(6), lambda: (of(3, 6),)),
    "BatchNorm in training": (lambda: nn.BatchNorm1d(4), lambda: (of(6, 4),)),
    "BatchNorm in evaluation": (trained_batch_norm, lambda: (of(6, 4),)),
    "Dropout in training": (
        lambda: nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2)),
        lambda: (of(5, 4),),
    ),
    "MultiheadAttention": (
        lambda: nn.MultiheadAttention(8, 2, dropout=0.3),
        lambda: (of(4, 2, 8), of(3, 2, 8), of(3, 2, 8)),
    ),
    "Embedding": (
        lambda: nn.Sequential(nn.Embedding(7, 3), nn.Linear(3, 2)),
        lambda: (torch.tensor([[1, 1, 4], [0, 4, 4]]),),
    ),
    "one module at two places": (
        lambda: nn.Sequential(*[nn.Linear(3, 3), nn.Tanh()] * 2),
        lambda: (of(4, 3),),
    ),
    "ReLU network": (
        lambda: nn.Sequential(nn.Linear(4, 9), nn.ReLU(), nn.Linear(9, 2)),
        lambda: (of(5, 4, grad=False),),
    ),
}


def bits(value):
    """Return what a module or a tensor is, bit by bit, as something that can be compared."""
    if isinstance(value, nn.Module):
        tensors = {**dict(value.named_parameters()), **dict(value.named_buffers())}
        modes = tuple(m.training for m in value.modules())
        return modes, {k: (id(t), bits(t), bits(t.grad)) for k, t in tensors.items()}
    if isinstance(value, torch.Tensor):
        numbers = value.detach().contiguous().numpy().tobytes()
        return numbers, value.dtype, value.requires_grad, value.stride(), bits(value.grad)
    if isinstance(value, tuple | list):
        return [bits(part) for part in value]
    return value


class Unchanged:
    """Fails where what stands in the block changes anything that it was given, or PyTorch's own."""

    def __init__(self, *watched):
        self.watched = watched

    def now(self):
        return (
            bits(self.watched), torch.get_rng_state().numpy().tobytes(), torch.get_default_dtype(),
            torch.is_grad_enabled(), torch.is_inference_mode_enabled(),
        )  # fmt: skip

    def __enter__(self):
        self.before = self.now()

    def __exit__(self, *error):
        assert self.now() == self.before


class Scaled(torch.autograd.Function):
    """x itself, with a gradient that is `factor` times what is right."""

    @staticmethod
    def forward(ctx, x, factor):
        ctx.factor = factor
        return x.clone()

    @staticmethod
    def backward(ctx, dout):
        return dout * ctx.factor, None


class WithGradientsTimes(nn.Module):
    """A module of which one parameter, or an input, has a gradient that is a factor too large."""

    def __init__(self, module, name, factor):
        super().__init__()
        self.inner, self.name, self.factor = module, name, factor

    def forward(self, *args):
        if self.name is None:
            return self.inner(Scaled.apply(args[0], self.factor), *args[1:])
        p = dict(self.inner.named_parameters())[self.name]
        return torch.func.functional_call(
            self.inner, {self.name: Scaled.apply(p, self.factor)}, args
        )


@pytest.mark.parametrize("name", MODULES)
def test_a_right_module_is_correct_and_as_it_was(name):
    make, give = MODULES[name]
    module, inputs = make(), give()
    for p in module.parameters():
        p.grad = torch.ones_like(p)
    with Unchanged(module, inputs):
        report = gl.check_torch(module, *inputs)
    assert report.verdict == gl.Verdict.CORRECT, report
    asked = [k for k, p in module.named_parameters() if p.requires_grad]
    assert list(report)[: len(asked)] == asked
    assert report.resolution < 1e-4


@pytest.mark.parametrize("factor", [-1.0, 1.01, 0.0])
@pytest.mark.parametrize("name", MODULES)
def test_a_spoiled_parameter_is_wrong_by_name(name, factor):
    make, give = MODULES[name]
    module = make()
    which = next(name for name, _ in module.named_parameters())
    spoiled = WithGradientsTimes(module, which, factor).train(module.training)
    inputs = give()
    with Unchanged(spoiled, inputs):
        report = gl.check_torch(spoiled, *inputs)
    assert report.wrong == [f"inner.{which}"], report


@pytest.mark.parametrize("name", [n for n in MODULES if n not in ("Embedding", "ReLU network")])
def test_a_spoiled_input_is_wrong_by_name(name):
    make, give = MODULES[name]
    module = make()
    spoiled = WithGradientsTimes(module, None, 1.01).train(module.training)
    report = gl.check_torch(spoiled, *give())
    assert report.wrong == ["args[0]"], report


@pytest.mark.parametrize("name", MODULES)
def test_in_batches_and_one_by_one_the_verdict_is_the_same(name):
    make, give = MODULES[name]
    module = make()
    together, alone = (gl.check_torch(module, *give(), batched=b) for b in (True, False))
    assert ("in batches" in together.subject) == (name != "LSTM")  # vmap has no rule for it
    assert "in batches" not in alone.subject
    assert together.verdict == alone.verdict == gl.Verdict.CORRECT
    for tensor in alone:
        near = {"rtol": 1e-5, "atol": 1e-6 * np.abs(alone[tensor].numerical).max()}
        np.testing.assert_allclose(together[tensor].numerical, alone[tensor].numerical, **near)


# -- functions of one's own


class Right(torch.autograd.Function):
    """Swish, as its backward pass should be."""

    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(x, weight)
        return weight * x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, dout):
        x, weight = ctx.saved_tensors
        s = torch.sigmoid(x)
        return dout * weight * (s + x * s * (1 - s)), (dout * x * s).sum(0)


class Forgets(Right):
    @staticmethod
    def backward(ctx, dout):
        x, weight = ctx.saved_tensors
        s = torch.sigmoid(x)
        return dout * weight * s, (dout * x * s).sum(0)  # the second term is missing


class OffByAHundredth(Right):
    @staticmethod
    def backward(ctx, dout):
        dx, dweight = Right.backward(ctx, dout)
        return dx, 1.01 * dweight


FUNCTIONS = {Right: [], Forgets: ["x"], OffByAHundredth: ["weight"]}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("called", ["the class", "apply", "a lambda"])
def test_custom_functions(function, called):
    code = {"the class": function, "apply": function.apply,
            "a lambda": lambda x, weight: function.apply(x, weight)}[called]  # fmt: skip
    x, weight = of(5, 3), of(3)
    with Unchanged(x, weight):
        report = gl.check_torch(code, x, weight)
    assert report.wrong == FUNCTIONS[function], report
    assert list(report) == ["x", "weight"]
    if not report.wrong:
        assert report.verdict == gl.Verdict.CORRECT, report


class Batched(torch.autograd.Function):
    """A cube that vmap may enter, of the newer kind: its forward has no ctx."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x**3

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, dout):
        return dout * 2 * ctx.saved_tensors[0] ** 2


@pytest.mark.parametrize("batched", [True, False])
def test_a_custom_function_with_a_rule_for_vmap(batched):
    report = gl.check_torch(Batched, of(4) + 3, batched=batched)
    assert report.wrong == ["x"]
    assert ("in batches" in report.subject) == batched


def kernel(x, w):
    """Stand in for a kernel that takes float32 alone."""
    if x.dtype != torch.float32 or w.dtype != torch.float32:
        raise RuntimeError("expected scalar type Float")
    return torch.tanh(x @ w)


class Kernel(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, factor):
        out = kernel(x, w)
        ctx.save_for_backward(x, w, out)
        ctx.factor = factor
        return out

    @staticmethod
    def backward(ctx, dout):
        x, w, out = ctx.saved_tensors
        dz = dout * (1 - out**2)
        return dz @ w.T, ctx.factor * x.T @ dz, None


@pytest.mark.parametrize(("factor", "wrong"), [(1.0, []), (1.01, ["w"]), (-1.0, ["w"])])
def test_a_kernel_of_float32_alone(factor, wrong):
    x, w = of(6, 3), of(3, 2)
    with pytest.raises(RuntimeError, match="scalar type Float") as caught:
        gl.check_torch(Kernel, x, w, factor)
    assert "dtype=None" in caught.value.__notes__[0]
    with Unchanged(x, w):
        report = gl.check_torch(Kernel, x, w, factor, dtype=None)
    assert report.wrong == wrong, report
    assert (report.verdict == gl.Verdict.CORRECT) == (not wrong), report
    assert "float32" in report.subject


def test_a_gradient_that_autograd_cannot_reach_is_wrong():
    assert gl.check_torch(lambda x: x.detach() ** 2, of(3)).wrong == ["x"]
    assert gl.check_torch(lambda x, y: x.detach() * y, of(3), of(3)).wrong == ["x"]


def test_losses_and_outputs_of_all_kinds():
    x = of(4, 2)
    labels = torch.tensor([0, 1, 1, 0])
    code = nn.Linear(2, 2)
    report = gl.check_torch(code, x, loss=lambda out: nn.functional.cross_entropy(out, labels))
    assert report.verdict == gl.Verdict.CORRECT
    outputs = {
        "number": lambda x: (x**2).sum(),
        "complex": lambda x: torch.fft.rfft(x**2, dim=0),
        "dict": lambda x: {"a": x**2, "b": [x.sin(), (x > 0, x.exp())], "c": "text"},
    }
    for name, function in outputs.items():
        assert gl.check_torch(function, x).verdict == gl.Verdict.CORRECT, name
    # every part of an output counts: a mistake in the last one shows
    wrong = gl.check_torch(lambda x: {"a": x**2, "b": (x, Scaled.apply(x.exp(), 1.01))}, x)
    assert wrong.wrong == ["x"]


def test_the_projection_sees_what_a_sum_is_blind_to():
    # softmax rows sum to 1, so sum() has the gradient 0 whatever backward does
    report = gl.check_torch(lambda x: Scaled.apply(torch.softmax(x, -1), 1.01), of(3, 4))
    assert report.wrong == ["x"]


def test_inputs_in_trees_keywords_and_methods():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.lin = nn.Linear(3, 2)

        def forward(self, batch, scale=1.0, *, mask=None):
            out = self.lin(batch["x"]) * scale
            return out if mask is None else out * mask

        def encode(self, x):
            return torch.tanh(self.lin(x))

    net, batch = Net(), {"x": of(4, 3), "ids": torch.arange(4)}
    report = gl.check_torch(net, batch, 2.0, kwargs={"mask": of(4, 2)})
    assert list(report) == ["lin.weight", "lin.bias", "batch['x']", "mask"]
    assert report.verdict == gl.Verdict.CORRECT
    report = gl.check_torch(net.encode, of(4, 3))
    assert list(report) == ["lin.weight", "lin.bias", "x"]
    assert report.verdict == gl.Verdict.CORRECT
    assert "in batches" in report.subject


def test_frozen_parameters_are_left_out():
    net = nn.Linear(3, 2)
    net.weight.requires_grad_(False)
    assert list(gl.check_torch(net, of(2, 3, grad=False))) == ["bias"]


def test_code_that_writes_into_its_arguments():
    def in_place(x, factor):
        factor.mul_(2)
        return x.mul_(factor)

    x, factor = of(3), torch.ones(3)
    with Unchanged(x, factor):
        assert gl.check_torch(in_place, x, factor).verdict == gl.Verdict.CORRECT


def test_vmap_that_gives_another_number_is_not_believed():
    def code(x):
        inside = torch._C._functorch.is_batchedtensor(x)
        return (x.detach() if inside else x).sin() * (1.5 if inside else 1.0)

    report = gl.check_torch(code, of(30))
    assert report.verdict == gl.Verdict.CORRECT
    assert "in batches" not in report.subject
    report = gl.check_torch(
        lambda x: torch.tensor(x.detach().sum().item() ** 2) + 0 * x.sum(), of(9)
    )
    assert report.wrong == ["x"]  # vmap refuses, and single calls tell


def test_a_padded_embedding_has_a_remark():
    report = gl.check_torch(nn.Embedding(5, 2, padding_idx=1), torch.tensor([1, 2]))
    assert report.wrong == ["weight"]
    assert any("padding_idx" in remark for remark in report.remarks)


def test_sparse_gradients_are_read():
    report = gl.check_torch(nn.Embedding(5, 2, sparse=True), torch.tensor([1, 2, 2]))
    assert report.verdict == gl.Verdict.CORRECT


def test_dropout_that_draws_anew_is_seen():
    masks = np.random.default_rng(0)
    code = lambda x: x * torch.from_numpy(masks.random(3))  # noqa: E731  not PyTorch's random state
    assert gl.check_torch(code, of(3)).verdict == gl.Verdict.INCONCLUSIVE


def test_under_no_grad_and_inference_mode():
    net, x = nn.Linear(3, 2), of(2, 3)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode(), Unchanged(net, x):
            assert gl.check_torch(net, x).verdict == gl.Verdict.CORRECT


# -- nothing is changed, whatever happens


class Fragile(nn.Module):
    """Has everything that an evaluation moves; raises at its call number `at`."""

    def __init__(self, error, at, counter):
        super().__init__()
        self.norm, self.drop = nn.BatchNorm1d(3), nn.Dropout(0.4)
        self.error, self.at, self.counter = error, at, counter

    def forward(self, x):
        out = self.drop(self.norm(x))
        x.data.add_(1.0)
        self.counter.append(1)
        if len(self.counter) == self.at:
            raise self.error
        return out


class Counter(list):
    """Shared by all copies."""

    def __deepcopy__(self, memo):
        return self


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("at", [1, 2, 17, 18, 40])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError("planted")])
def test_nothing_is_changed_by_what_is_raised(error, at, batched):
    module, x = Fragile(error, at, Counter()), of(5, 3)
    module.norm.weight.grad = torch.full((3,), 7.0)
    module.drop.eval()
    module.drop.train()
    interrupted = isinstance(error, KeyboardInterrupt)
    with Unchanged(module, x):
        try:
            gl.check_torch(module, x, batched=batched)
        except (KeyboardInterrupt, ZeroDivisionError):
            assert len(module.counter) == at
        else:  # at a step of its own the checker goes on: "not defined there"
            assert not interrupted or len(module.counter) < at
            assert not interrupted or batched


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, ZeroDivisionError])
def test_a_module_that_a_function_reads_is_as_it_was(error):
    norm, calls = nn.BatchNorm1d(3).double(), []

    def code(x):
        calls.append(1)
        out = norm(x)
        if error and len(calls) == 2:
            raise error
        return out

    x = of(4, 3)
    with Unchanged(norm, x):
        if error:
            with pytest.raises(error):
                gl.check_torch(code, x)
        else:
            assert gl.check_torch(code, x).verdict == gl.Verdict.CORRECT


def test_the_watch_sees_every_kind_of_change():
    module, x = nn.BatchNorm1d(3), of(4, 3)
    module.weight.grad = torch.ones(3)
    changes = [
        lambda: module(x), module.eval, lambda: module.weight.grad.add_(1), lambda: torch.rand(1),
        lambda: x.data.mul_(1 + 1e-7), lambda: x.requires_grad_(False),
        lambda: torch.set_default_dtype(torch.float64),
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(AssertionError), Unchanged(module, x):
            change()
    torch.set_default_dtype(torch.float32)


# -- sizes


def test_a_hundred_thousand_parameters_in_seconds():
    net = nn.Sequential(nn.Linear(300, 250), nn.Tanh(), nn.Linear(250, 100), nn.Tanh(),
                        nn.Linear(100, 10))  # fmt: skip
    assert sum(p.numel() for p in net.parameters()) >= 100_000
    report = gl.check_torch(net, of(16, 300, grad=False), method="sampled")
    assert report.evaluations < 20 * 20 * len(report)  # whatever the machine does beside it
    assert report.verdict == gl.Verdict.CORRECT
    assert all(report[name].analytic.size <= 20 for name in report)
    wrong = WithGradientsTimes(net, "2.weight", 1.01)
    report = gl.check_torch(wrong, of(16, 300, grad=False), method="sampled")
    assert report.wrong == ["inner.2.weight"]
    report = gl.check_torch(wrong, of(16, 300, grad=False), method="directional")
    assert report.verdict == gl.Verdict.WRONG


def test_no_warning_of_vmap_reaches_the_caller():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gl.check_torch(nn.GRU(3, 4), of(2, 2, 3))


# -- misuse

MISUSES = {
    "no callable": (lambda: gl.check_torch(3), TypeError, "code must be a .*nn.Module.*got int"),
    "a tensor": (lambda: gl.check_torch(of(3)), TypeError, "code must be.*got Tensor"),
    "the class": (lambda: gl.check_torch(nn.Linear, of(3)), TypeError, "the class Linear"),
    "nothing requires grad": (
        lambda: gl.check_torch(torch.sin, torch.ones(3)), ValueError, r"requires_grad_\(\)"),
    "no parameters": (
        lambda: gl.check_torch(nn.ReLU(), torch.ones(3)), ValueError, "ReLU and its inputs"),
    "loss": (lambda: gl.check_torch(torch.sin, of(3), loss=2), TypeError, "loss must.*got int"),
    "loss of many": (
        lambda: gl.check_torch(torch.sin, of(3), loss=lambda out: out), ValueError,
        r"loss must return one number, got shape \(3,\)"),
    "loss cut off": (
        lambda: gl.check_torch(torch.sin, of(3), loss=lambda out: out.sum().item()), TypeError,
        "loss must return a tensor that autograd can follow, got float"),
    "kwargs": (lambda: gl.check_torch(torch.sin, of(3), kwargs=1), TypeError, "kwargs must be"),
    "dtype": (lambda: gl.check_torch(torch.sin, of(3), dtype=float), TypeError, "dtype must be"),
    "half": (
        lambda: gl.check_torch(torch.sin, of(3, dtype=torch.float16), dtype=None), TypeError,
        "x?.*must be float32 or float64.*got torch.float16"),
    "mixed": (
        lambda: gl.check_torch(torch.add, of(3), of(3, dtype=torch.float64), dtype=None),
        TypeError, "of one type, got .*float32 and .*float64"),
    "complex": (
        lambda: gl.check_torch(torch.sin, of(3, dtype=torch.complex64)), TypeError,
        "real numbers to be checked, got torch.complex64"),
    "empty": (lambda: gl.check_torch(torch.sin, of(0)), ValueError, r"entries.*got shape \(0,\)"),
    "nan": (
        lambda: gl.check_torch(torch.sin, torch.tensor([np.nan]).requires_grad_()), ValueError,
        "must be finite"),
    "lazy": (
        lambda: gl.check_torch(nn.LazyLinear(2), of(2, 3)), ValueError, "weight.*lazy parameter"),
    "meta": (
        lambda: gl.check_torch(nn.Linear(2, 2, device="meta"), of(2, 2)), ValueError, "meta"),
    "no floats come out": (
        lambda: gl.check_torch(lambda x: x > 0, of(3)), TypeError,
        "must return a tensor of floating numbers.*got Tensor of torch.bool"),
    "nothing comes out": (
        lambda: gl.check_torch(lambda x: None, of(3)), TypeError, "got NoneType"),
    "seed": (lambda: gl.check_torch(torch.sin, of(3), seed=1.5), TypeError, "seed must be"),
    "batched": (lambda: gl.check_torch(torch.sin, of(3), batched=1), TypeError, "batched must be"),
    "method": (
        lambda: gl.check_torch(torch.sin, of(3), method="some"), ValueError, "method must be"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(MISUSES)[:11])
def test_a_misuse_is_told(name):
    call, error, message = MISUSES[name]
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("name", list(MISUSES)[11:])
def test_another_misuse_is_told(name):
    call, error, message = MISUSES[name]
    with pytest.raises(error, match=message):
        call()


def test_a_module_that_cannot_be_copied_is_told():
    net = nn.Linear(2, 2)
    net.kept = threading.Lock()
    with pytest.raises(TypeError, match=r"copy\.deepcopy can copy, got Linear"):
        gl.check_torch(net, of(3, 2))


def test_outputs_of_changing_shape_are_told():
    shapes = iter(range(2, 99))
    with pytest.raises(ValueError, match="same shapes at every call"):
        gl.check_torch(lambda x: x.expand(next(shapes), 3), of(3))


def test_the_examples_run():
    results = doctest.testmod(in_torch)
    assert results.attempted > 5
    assert not results.failed


def test_the_layout_is_that_of_the_parameters():
    net = nn.Linear(3, 2)
    with TorchCode(net, (torch.ones(1, 3),), None, None, torch.float64, 0) as own:
        assert own.layout == {"weight": (0, 6, (2, 3)), "bias": (6, 8, (2,))}
        flat = torch.cat([p.detach().ravel() for p in net.parameters()]).double().numpy()
        np.testing.assert_array_equal(own.theta, flat)


def test_the_readmes_snippet_prints_what_stands_below_it(tmp_path, capsys):
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    [(code, printed)] = re.findall(r"```py\n(.*?)```\s+```text\n(.*?)```", readme, re.DOTALL)
    (tmp_path / "readme.py").write_text("import gradlab as gl\n" + code)
    runpy.run_path(str(tmp_path / "readme.py"))
    assert capsys.readouterr().out == printed

"""What somebody broke in gl.check_torch who had only read its docstring."""

from collections import UserDict, defaultdict
from types import MappingProxyType

import numpy as np
import pytest
import torch
from torch.utils.checkpoint import checkpoint

import gradlab as gl
from gradlab.own.torch_state import RandomState


class Half(torch.autograd.Function):
    """x**2, and half of its gradient."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x


class Contiguous(torch.autograd.Function):
    """x**2, its gradient right for what lies in memory without gaps."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 2 * x * (1 if x.is_contiguous() else 3)


def of(*shape, **settings):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64,
                       **settings)  # fmt: skip


def test_a_loss_that_reads_the_module_is_told():
    m = torch.nn.Linear(4, 3)
    loss = lambda o: o.mean() + 0.1 * Half.apply(m.weight).sum()  # noqa: E731
    report = gl.check_torch(m, of(5, 4), loss=loss)
    assert any(r.startswith("loss reads the module itself") for r in report.remarks)


def test_a_function_kept_in_the_module_that_reads_it_is_told():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.l = torch.nn.Linear(4, 4)
            self.scale = torch.nn.Parameter(torch.rand(4))
            self.act = lambda h: h * Half.apply(self.scale)

        def forward(self, x):
            return self.act(self.l(x)) + self.scale

    report = gl.check_torch(Net(), of(5, 4))
    assert any("the function act reads the module" in r for r in report.remarks)


@pytest.mark.parametrize("part", ["chunk", "slice", "columns", "whole"])
def test_gaps_in_memory_are_kept(part):
    whole = of(5, 12)
    x = {"chunk": whole.chunk(3, 1)[0], "slice": whole[:, ::2], "columns": whole[:, :3],
         "whole": whole}[part].detach().requires_grad_()  # fmt: skip
    expected = "correct" if part == "whole" else "wrong"
    assert gl.check_torch(Contiguous, x).verdict == expected
    right = gl.check_torch(lambda x: (x**2).sum(), x)
    assert right.verdict == "correct"


def test_code_that_takes_a_derivative_itself():
    w = of(4, requires_grad=True)

    def penalty(w):
        return torch.autograd.grad((w**4).sum(), w, create_graph=True)[0].sum()

    assert gl.check_torch(penalty, w).verdict == "correct"


def test_code_that_asks_whether_autograd_is_on():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.l = torch.nn.Linear(4, 3)

        def forward(self, x):
            return self.l(x) ** (2 if torch.is_grad_enabled() else 1)

    assert gl.check_torch(Net(), of(5, 4)).verdict == "correct"


def test_buffers_of_modules_that_are_found_one_level_further_in_come_back():
    class Trainer:
        net = torch.nn.BatchNorm1d(4)

        def loss(self, x):
            return self.net(x).tanh().sum()

    trainer, critic = Trainer(), torch.nn.BatchNorm1d(4)
    gl.check_torch(trainer.loss, torch.randn(5, 4, requires_grad=True), dtype=None)
    assert trainer.net.num_batches_tracked == 0
    gl.check_torch(torch.nn.Linear(4, 4), torch.randn(5, 4),
                   loss=lambda o: critic(o).pow(3).sum(), dtype=None)  # fmt: skip
    assert critic.num_batches_tracked == 0


def test_a_hook_on_a_tensor_is_told():
    m = torch.nn.Linear(4, 3)
    m.weight.register_hook(lambda g: 2 * g)
    report = gl.check_torch(m, of(5, 4))
    assert any(r.startswith("weight has a hook") for r in report.remarks)


def test_a_gradient_that_is_not_finite_is_named():
    def loss(a, b):
        return a.sum() + torch.where(b > 0, b.sqrt(), 0 * b).sum()

    b = torch.tensor([1.0, 0.0], requires_grad=True)
    with pytest.raises(ValueError, match=r"gradient of b must be finite, got nan at \[1\]"):
        gl.check_torch(loss, torch.ones(3, requires_grad=True), b)


class Attributes(dict):
    __getattr__ = dict.__getitem__


@pytest.mark.parametrize("kind", [dict, UserDict, Attributes, MappingProxyType])
def test_mappings_of_every_kind(kind):
    x = of(3, requires_grad=True)
    assert gl.check_torch(lambda d: Half.apply(d["x"]).sum(), kind({"x": x})).verdict == "wrong"
    assert gl.check_torch(lambda d: (d["x"] ** 2).sum(), kind({"x": x})).verdict == "correct"


def test_a_dict_with_a_default_keeps_it():
    given = defaultdict(list, x=of(3, requires_grad=True))
    report = gl.check_torch(lambda d: (d["x"] ** 2).sum() + len(d["new"]), given)
    assert report.verdict == "correct"


def test_a_module_that_keeps_what_an_earlier_pass_left():
    class Attention(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.l = torch.nn.Linear(4, 3)

        def forward(self, x):
            self.attn = self.l(x).softmax(-1)
            return self.attn

    m = Attention()
    left = m(torch.randn(2, 4))
    assert gl.check_torch(m, of(5, 4)).verdict == "correct"
    assert m.attn is left


def test_numpys_and_pythons_random_states_come_back_and_threads_too():
    import random

    before = np.random.get_state()[2], random.getstate(), torch.get_num_threads()  # noqa: NPY002
    noisy = lambda x: (x * torch.from_numpy(np.random.rand(4)) * random.random()).sum()  # noqa: E731, NPY002
    report = gl.check_torch(noisy, of(5, 4, requires_grad=True))
    assert report.verdict == "correct"
    after = np.random.get_state()[2], random.getstate(), torch.get_num_threads()  # noqa: NPY002
    assert before == after


# -- scripted code, checkpoints, hooks, and what comes from above --------------------------------


#: PyTorch says so whenever code is scripted.
SCRIPTING = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")


class Squared(torch.autograd.Function):
    """x**2, what comes from above clipped on its way back."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * x * g.clamp(-5, 5)


@pytest.mark.parametrize("loss", [None, torch.sum])
def test_a_backward_that_is_not_linear_in_what_comes_from_above_is_found(loss):
    x = torch.linspace(0.5, 1, 4, requires_grad=True)
    report = gl.check_torch(Squared, x, loss=loss)
    assert report.wrong == ["x"]
    assert any("not linear in grad_output" in remark for remark in report.remarks)
    assert gl.check_torch(torch.square, x, loss=loss).remarks == ()


@SCRIPTING
def test_a_scripted_function_has_the_names_of_its_arguments():
    @torch.jit.script
    def scaled(x, factor):
        return torch.tanh(x) * factor

    x = torch.linspace(0, 1, 3, requires_grad=True)
    report = gl.check_torch(scaled, x, torch.tensor(2.0))
    assert (report.verdict, list(report)) == ("correct", ["x"])


@SCRIPTING
@pytest.mark.parametrize("way", ["script", "trace"])
def test_a_scripted_module_is_checked_in_float64_throughout(way):
    """Its copy's gradients came back in float32, 1e-8 off."""
    plain, x = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh()), torch.ones(2, 3)
    module = torch.jit.trace(plain, x) if way == "trace" else torch.jit.script(plain)
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    report = gl.check_torch(module, x)
    assert report.verdict == "correct"
    assert report.resolution < 1e-7
    assert all(torch.equal(p, before[name]) and p.dtype == torch.float32
               for name, p in module.named_parameters())  # fmt: skip


class Checkpointed(torch.nn.Module):
    def __init__(self, factor=1.0):
        super().__init__()
        self.a, self.b, self.factor = torch.nn.Linear(3, 4), torch.nn.Linear(4, 2), factor

    def forward(self, x):
        hidden = checkpoint(lambda x: Factor.apply(self.a(x).tanh(), self.factor), x,
                            use_reentrant=True)  # fmt: skip
        return self.b(hidden)


class Factor(torch.autograd.Function):
    """x, its gradient times a factor."""

    @staticmethod
    def forward(ctx, x, factor):
        ctx.factor = factor
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return g * ctx.factor, None


@pytest.mark.parametrize("factor", [1.0, 1.01])
def test_a_reentrant_checkpoint_is_checked_and_leaves_no_gradient(factor):
    module, x = Checkpointed(factor), torch.ones(2, 3, requires_grad=True)
    x.grad = torch.full((2, 3), 7.0)
    report = gl.check_torch(module, x)
    assert report.wrong == ([] if factor == 1 else ["a.weight", "a.bias", "x"])
    assert all(p.grad is None for p in module.parameters())
    assert (x.grad == 7).all()
    # around a module: its own parameters must not get gradients either
    code = lambda x: checkpoint(module.a, x, use_reentrant=True)  # noqa: E731
    module.a.weight.grad = torch.full((4, 3), 7.0)
    kept = module.a.weight.grad
    assert gl.check_torch(code, x.detach().requires_grad_(), dtype=None).verdict != "wrong"
    assert module.a.weight.grad is kept
    assert (kept == 7).all()
    assert module.a.bias.grad is None


@pytest.mark.parametrize("where", ["beside", "inside"])
def test_the_lists_that_hooks_write_into_are_as_they_were(where):
    module, beside = torch.nn.Linear(3, 2), []
    module.seen = beside if where == "beside" else []
    module.handles = [
        module.register_forward_hook(lambda m, i, out: module.seen.append(out)),
        module.register_full_backward_hook(lambda m, i, out: module.seen.append(out)),
    ]
    x = torch.ones(4, 3, requires_grad=True)
    assert gl.check_torch(module, x).verdict == "correct"
    assert module.seen == []
    assert len(module.handles) == len(module._forward_hooks) + len(module._backward_hooks) == 2


def test_ctrl_c_within_the_putting_back_leaves_nothing_changed(monkeypatch):
    module, put_back, times = torch.nn.BatchNorm1d(3), RandomState.put_back, []

    def interrupted(self):
        times.append(1)
        if len(times) == 2:  # the first is before the code runs
            raise KeyboardInterrupt
        put_back(self)

    monkeypatch.setattr(RandomState, "put_back", interrupted)
    x = torch.randn(4, 3).requires_grad_()
    default, state = torch.get_default_dtype(), torch.get_rng_state()
    before = {name: b.clone() for name, b in module.named_buffers()}
    code = lambda x: module(x + 0 * torch.rand(()))  # noqa: E731
    with pytest.raises(KeyboardInterrupt):
        gl.check_torch(code, x, dtype=torch.float32)
    assert torch.get_default_dtype() == default
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(b, before[name]) for name, b in module.named_buffers())

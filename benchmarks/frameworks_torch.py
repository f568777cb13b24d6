"""PyTorch code for frameworks.py, right and spoiled, with `gradcheck` beside gradlab."""

import copy
import re
from functools import partial

import torch
from torch import nn

import gradlab as gl


def runs():
    """Yield (code, truth, gradlab's check, a peer, its check) for every line of the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for name, (module, inputs) in cases().items():
        dtype = torch.float32 if "float32" in name else torch.float64
        spoiled = _Spoiled(module, 1.01).train(module.training)
        for truth, code in (("right", module), ("1 % off", spoiled)):
            ours = partial(gl.check_torch, code, *inputs, dtype=dtype)
            theirs = partial(gradcheck, code, inputs, dtype)
            yield name, truth, ours, "gradcheck", theirs
            if name.startswith("MLP"):
                yield name, truth, ours, "gradcheck fast", partial(theirs, fast=True)


def gradcheck(module, inputs, dtype, fast=False):
    """Return PyTorch's verdict, what it names, and how often it evaluated."""
    count = [0]
    copied = copy.deepcopy(module).to(dtype)
    names = [name for name, _ in copied.named_parameters()]
    tensors = [p.detach().clone().requires_grad_() for p in copied.parameters()]
    for x in inputs:
        tensors.append(x.detach().to(dtype).requires_grad_() if x.is_floating_point() else x)
    buffers = {k: b.clone() for k, b in copied.named_buffers()}

    def function(*given):
        count[0] += 1
        torch.manual_seed(0)
        swapped = dict(zip(names, given, strict=False))
        swapped |= {k: b.clone() for k, b in buffers.items()}
        out = torch.func.functional_call(copied, swapped, given[len(names) :])
        return out[0] if isinstance(out, tuple) else out

    named = [*names, *(f"input {k}" for k in range(len(inputs)))]
    try:
        torch.autograd.gradcheck(function, tensors, fast_mode=fast)
    except RuntimeError as error:  # GradcheckError is one
        found = re.search(r"with respect to input (\d+)", str(error))
        return "wrong", named[int(found[1])] if found else str(error)[:20], count[0]
    return "correct", "–", count[0]


def cases():
    """Return {name: (module, inputs)}."""

    def x(*shape):
        return torch.randn(*shape).requires_grad_()

    norm = nn.BatchNorm1d(8)
    mlp = nn.Sequential(
        nn.Linear(30, 40), nn.Tanh(), nn.Linear(40, 18), nn.Tanh(), nn.Linear(18, 4)
    )
    found = {
        "MLP, 2 000 parameters": (mlp, (torch.randn(8, 30),)),
        "Linear": (nn.Linear(8, 5), (x(6, 8),)),
        "Conv2d": (nn.Conv2d(2, 4, 3), (x(2, 2, 8, 8),)),
        "LSTM": (nn.LSTM(4, 5), (x(4, 2, 4),)),
        "LayerNorm": (nn.LayerNorm(12), (x(5, 12),)),
        "BatchNorm, training": (norm, (x(6, 8),)),
        "BatchNorm, evaluation": (copy.deepcopy(norm).eval(), (x(6, 8),)),
        "Dropout, training": (
            nn.Sequential(nn.Linear(8, 10), nn.Dropout(0.5), nn.Linear(10, 3)),
            (x(6, 8),),
        ),
        "MultiheadAttention": (nn.MultiheadAttention(8, 2), (x(4, 2, 8), x(4, 2, 8), x(4, 2, 8))),
        "Embedding": (nn.Embedding(20, 6), (torch.tensor([1, 1, 5, 19]),)),
    }
    for name, (of, by_x, by_w) in FUNCTIONS.items():
        module = _Custom(function_of(of, by_x, by_w, only_float32="float32" in name))
        found[f"Function: {name}"] = module, (x(5, 8),)
    return found


# -- Functions of a user's own: of x and w, and their derivatives by each

FUNCTIONS = {
    "swish": (
        lambda x, w: x * torch.sigmoid(w * x),
        lambda x, w: (s := torch.sigmoid(w * x)) + w * x * s * (1 - s),
        lambda x, w: x**2 * (s := torch.sigmoid(w * x)) * (1 - s),
    ),
    "sine": (
        lambda x, w: torch.sin(w * x),
        lambda x, w: w * torch.cos(w * x),
        lambda x, w: x * torch.cos(w * x),
    ),
    "PReLU": (
        lambda x, w: torch.where(x > 0, x, w * x),
        lambda x, w: torch.where(x > 0, 1.0, w),
        lambda x, w: torch.where(x > 0, 0.0, x),
    ),
    "float32 kernel": (lambda x, w: x * w + x**2, lambda x, w: w + 2 * x, lambda x, w: x),
}


def function_of(of, by_x, by_w, only_float32):
    """Return a Function that saves its inputs."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            if only_float32 and x.dtype != torch.float32:
                raise TypeError("a kernel of float32")
            ctx.save_for_backward(x, w)
            return of(x, w)

        @staticmethod
        def backward(ctx, dout):
            x, w = ctx.saved_tensors
            return dout * by_x(x, w), (dout * by_w(x, w)).sum(0)

    return Function


class _Custom(nn.Module):
    """A Function of an input and a parameter."""

    def __init__(self, function):
        super().__init__()
        self.function, self.weight = function, nn.Parameter(torch.randn(8) / 2)

    def forward(self, x):
        return self.function.apply(x, self.weight)


# -- spoiling


class _Spoiled(nn.Module):
    """The gradient of its first parameter is a factor too large."""

    def __init__(self, module, factor):
        super().__init__()
        self.inner, self.factor = module, factor

    def forward(self, *args):
        name, p = next(self.inner.named_parameters())
        swapped = {name: _Scaled.apply(p, self.factor)}
        return torch.func.functional_call(self.inner, swapped, args)


class _Scaled(torch.autograd.Function):
    """The same; its gradient times a factor."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x, factor):
        return x.clone()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.factor = inputs[1]

    @staticmethod
    def backward(ctx, dout):
        return dout * ctx.factor, None

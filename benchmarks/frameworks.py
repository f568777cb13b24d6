"""gl.check_torch and gl.check_jax beside the checkers that PyTorch and JAX come with.

Prints one table: what each says of the same code, right and spoiled, which tensor it names, how
often it evaluated, and its time over gradlab's in the same run (above 1: gradlab is faster). The
others see what they are made for: tensors in float64, one by one, so modules are called through
`functional_call` on copies; dropout's seed is put back for them. One core; the median of 3 times.

    python benchmarks/frameworks.py
"""

import _one_core  # noqa: F401  isort: skip  (first: it sets the number of threads)

import copy
import re
import time
from collections.abc import Callable
from functools import partial
from statistics import median

TIMES = 3
COLUMNS = ("code", "truth", "gradlab", "names", "evals", "s", "peer", "says", "names", "evals", "s",
           "peer/gradlab")  # fmt: skip


def timed(run: Callable):
    """Return what the last run gave, and the median of the runs' seconds."""
    seconds = []
    for _ in range(TIMES):
        start = time.perf_counter()
        answer = run()
        seconds.append(time.perf_counter() - start)
    return answer, median(seconds)


def row(code, truth, ours: Callable, peer, theirs: Callable):
    """Return a line of the table; `theirs` returns (verdict, named, evaluations)."""
    report, mine = timed(ours)
    (says, named, evaluations), other = timed(theirs)
    return (
        code, truth, str(report.verdict), ", ".join(report.wrong) or "–", str(report.evaluations),
        f"{mine:.3f}", peer, says, named, str(evaluations), f"{other:.3f}", f"{other / mine:.1f}",
    )  # fmt: skip


# -- PyTorch


def torch_rows():
    """Yield the lines of PyTorch code."""
    import torch

    import gradlab as gl

    torch.set_num_threads(1)
    torch.manual_seed(0)
    nn = torch.nn

    class Scaled(torch.autograd.Function):
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

    class Spoiled(nn.Module):
        """The gradient of its first parameter is a factor too large."""

        def __init__(self, module, factor):
            super().__init__()
            self.inner, self.factor = module, factor

        def forward(self, *args):
            name, p = next(self.inner.named_parameters())
            swapped = {name: Scaled.apply(p, self.factor)}
            return torch.func.functional_call(self.inner, swapped, args)

    class Custom(nn.Module):
        """A Function of the user's, of an input and a parameter."""

        def __init__(self, function):
            super().__init__()
            self.function, self.weight = function, nn.Parameter(torch.randn(8) / 2)

        def forward(self, x):
            return self.function.apply(x, self.weight)

    def custom(of, by_x, by_w, kind=None):
        """Return a Function that saves its inputs; of float32 alone if its kind is "float32"."""

        class Function(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, w):
                if kind == "float32" and x.dtype != torch.float32:
                    raise TypeError("a kernel of float32")
                ctx.save_for_backward(x, w)
                return of(x, w)

            @staticmethod
            def backward(ctx, dout):
                x, w = ctx.saved_tensors
                return dout * by_x(x, w), (dout * by_w(x, w)).sum(0)

        return Function

    def gradcheck(module, inputs, fast, dtype):
        count = [0]
        copied = copy.deepcopy(module).to(dtype)
        names = [name for name, _ in copied.named_parameters()]
        tensors = [p.detach().clone().requires_grad_() for p in copied.parameters()]
        floats = [x.detach().to(dtype).requires_grad_() if x.is_floating_point() else x
                  for x in inputs]  # fmt: skip
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
            torch.autograd.gradcheck(function, (*tensors, *floats), fast_mode=fast)
        except RuntimeError as error:  # GradcheckError is one
            found = re.search(r"with respect to input (\d+)", str(error))
            return "wrong", named[int(found[1])] if found else str(error)[:20], count[0]
        return "correct", "–", count[0]

    def x(*shape):
        return torch.randn(*shape).requires_grad_()

    norm = nn.BatchNorm1d(8)
    cases = {
        "MLP, 2 000 parameters": (
            nn.Sequential(nn.Linear(30, 40), nn.Tanh(), nn.Linear(40, 18), nn.Tanh(),
                          nn.Linear(18, 4)), (torch.randn(8, 30),)),
        "Linear": (nn.Linear(8, 5), (x(6, 8),)),
        "Conv2d": (nn.Conv2d(2, 4, 3), (x(2, 2, 8, 8),)),
        "LSTM": (nn.LSTM(4, 5), (x(4, 2, 4),)),
        "LayerNorm": (nn.LayerNorm(12), (x(5, 12),)),
        "BatchNorm, training": (norm, (x(6, 8),)),
        "BatchNorm, evaluation": (copy.deepcopy(norm).eval(), (x(6, 8),)),
        "Dropout, training": (
            nn.Sequential(nn.Linear(8, 10), nn.Dropout(0.5), nn.Linear(10, 3)), (x(6, 8),)),
        "MultiheadAttention": (nn.MultiheadAttention(8, 2), (x(4, 2, 8), x(4, 2, 8), x(4, 2, 8))),
        "Embedding": (nn.Embedding(20, 6), (torch.tensor([1, 1, 5, 19]),)),
        "Function: swish": (
            Custom(custom(lambda x, w: x * torch.sigmoid(w * x),
                          lambda x, w: (s := torch.sigmoid(w * x)) + w * x * s * (1 - s),
                          lambda x, w: x**2 * (s := torch.sigmoid(w * x)) * (1 - s))), (x(5, 8),)),
        "Function: sine": (
            Custom(custom(lambda x, w: torch.sin(w * x), lambda x, w: w * torch.cos(w * x),
                          lambda x, w: x * torch.cos(w * x))), (x(5, 8),)),
        "Function: PReLU": (
            Custom(custom(lambda x, w: torch.where(x > 0, x, w * x),
                          lambda x, w: torch.where(x > 0, 1.0, w),
                          lambda x, w: torch.where(x > 0, 0.0, x))), (x(5, 8),)),
        "Function: float32 kernel": (
            Custom(custom(lambda x, w: x * w + x**2, lambda x, w: w + 2 * x, lambda x, w: x,
                          "float32")), (x(5, 8),)),
    }  # fmt: skip
    for name, (module, inputs) in cases.items():
        for truth, factor in (("right", None), ("1 % off", 1.01)):
            code = module if factor is None else Spoiled(module, factor).train(module.training)
            for peer, fast in (("gradcheck", False), ("gradcheck fast", True)):
                if fast and not name.startswith("MLP"):
                    continue
                dtype = torch.float32 if "float32" in name else torch.float64
                yield row(
                    name, truth, partial(gl.check_torch, code, *inputs, dtype=dtype),
                    peer, partial(gradcheck, code, inputs, fast, dtype),
                )  # fmt: skip


# -- JAX


def jax_rows():
    """Yield the lines of JAX code, in float32, as JAX is unless it is told otherwise."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax.test_util import check_grads

    import gradlab as gl

    @jax.custom_vjp
    def times(x, factor):
        return x

    times.defvjp(lambda x, factor: (x, factor), lambda factor, dout: (dout * factor, None))

    def check(f, args):
        count = [0]

        def counted(*given):
            count[0] += 1
            return f(*given)

        try:
            check_grads(counted, args, order=1, modes=["rev"])
        except AssertionError:
            return "wrong", "–", count[0]
        return "correct", "–", count[0]

    def mlp(params, x):
        return jnp.tanh(x @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]

    def cell(params, xs):
        def step(h, x):
            h = jnp.tanh(params["W"] @ h + params["U"] @ x)
            return h, h

        return jax.lax.scan(step, jnp.zeros(len(params["W"])), xs)[1]

    rng = np.random.default_rng(0)

    def a(*shape):
        return jnp.asarray(rng.standard_normal(shape), jnp.float32)

    cases = {
        "jax: MLP, 2 000 parameters": (
            mlp, ({"W1": a(30, 55), "b1": a(55), "W2": a(55, 5), "b2": a(5)}, a(8, 30))),
        "jax: convolution": (
            lambda w, x: jax.lax.conv(x, w, (1, 1), "SAME"), (a(3, 2, 3, 3), a(2, 2, 6, 6))),
        "jax: scan": (cell, ({"W": 0.5 * a(4, 4), "U": a(4, 3)}, a(5, 3))),
        "jax: softmax": (lambda x: jax.nn.softmax(x, axis=-1), (a(6, 5),)),
        "jax: logsumexp": (lambda x: jax.nn.logsumexp(x, axis=-1), (a(6, 5),)),
        "jax: layer norm": (
            lambda x, g: g * (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True),
            (a(5, 8), a(8))),
    }  # fmt: skip
    for name, (f, args) in cases.items():
        for truth, factor in (("right", None), ("1 % off", 1.01), ("sign", -1.0)):

            def code(*given, f=f, factor=factor):
                leaves, tree = jax.tree_util.tree_flatten(given)
                if factor is not None:
                    leaves[0] = times(leaves[0], factor)
                return f(*jax.tree_util.tree_unflatten(tree, leaves))

            yield row(
                name, truth, lambda code=code, args=args: gl.check_jax(code, *args),
                "check_grads", lambda code=code, args=args: check(code, args),
            )  # fmt: skip


def main():
    """Print the table."""
    rows = [COLUMNS]
    for make in (torch_rows, jax_rows):
        try:
            rows += make()
        except ImportError as error:
            print(f"without {error.name}: pip install 'gradlab[frameworks]'")
    widths = [max(len(r[k]) for r in rows) for k in range(len(COLUMNS))]
    for r in rows:
        print("  ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()

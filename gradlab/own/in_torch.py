"""Check the gradients of PyTorch code in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from gradlab._validate import check_bool, check_integer
from gradlab.checking.report import Report
from gradlab.own.above import check_from_above

if TYPE_CHECKING:
    import torch


def check_torch(
    code: torch.nn.Module | Callable,
    *inputs: object,
    loss: Callable[[object], torch.Tensor] | None = None,
    kwargs: Mapping[str, object] | None = None,
    dtype: torch.dtype | str | None = "float64",
    eps: float | None = None,
    method: str = "full",
    samples: int = 20,
    seed: int = 0,
    tolerance: float = 0.0,
    batched: bool = True,
) -> Report:
    """Check what autograd returns for a module or a function against differences.

    Checked are the module's parameters that require grad and the inputs that do, in copies: the
    module, its gradients, buffers and mode, the inputs and PyTorch's random state are afterwards
    what they were, whatever happens. Random numbers are drawn from the same state at every
    evaluation, so dropout is checkable, and buffers such as running means are put back.

    Costs what `gl.check_function` does, four evaluations an entry and more; they are made up to 256
    at a time where `torch.func.vmap` gives what single calls give, and one by one elsewhere.

    Parameters
    ----------
    code : nn.Module, method of one, autograd.Function or callable of tensors
    *inputs : tensor, or anything
        What it is called with. Tensors may lie in tuples, lists and dicts. Of a callable that is no
        module, those that require grad are all that is checked.
    loss : callable, optional
        Takes the output and returns a tensor with one number. Left out, an output that is one
        number is the loss; any other is multiplied by fixed random numbers and summed, all its
        floating tensors together. Others are tried where these may hide something: where a
        gradient is 0 throughout, or backward is not linear in what comes from above.
    kwargs : dict of str to anything, optional
        Keyword arguments to call it with; tensors in them are inputs too.
    dtype : torch.float64, torch.float32 or None, optional
        What floating tensors are converted to in the copies. None keeps what they are: for kernels
        that take float32 alone.
    eps, method, samples, tolerance : optional
        As in `gl.check_function`; `method="sampled"` for modules with many parameters.
    seed : int, optional
        Of the sample, the directions and the random numbers in the loss.
    batched : bool, optional
        False makes every evaluation a call of its own.

    Returns
    -------
    Report
        Its tensors have the names of the parameters, and of the inputs in the signature.

    Raises
    ------
    ImportError
        PyTorch is not installed.
    ValueError, TypeError
        An argument has the wrong type, shape or range, or nothing requires grad.

    Examples
    --------
    >>> import torch
    >>> import gradlab as gl
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, dout):
    ...         (x,) = ctx.saved_tensors
    ...         return dout * 2 * x**2
    >>> x = torch.linspace(1.0, 2.0, 5, requires_grad=True)
    >>> report = gl.check_torch(Cube, x)
    >>> report.verdict, report.wrong, round(report["x"].ratio, 6)
    (<Verdict.WRONG: 'wrong'>, ['x'], 0.666667)
    >>> gl.check_torch(torch.nn.Linear(3, 2), torch.ones(4, 3)).verdict
    <Verdict.CORRECT: 'correct'>
    """
    try:
        from gradlab.own.torch_code import TorchCode
    except ImportError as error:
        raise ImportError(
            "gl.check_torch needs PyTorch, which is not installed here: pip install torch, or "
            "pip install 'gradlab[frameworks]'"
        ) from error
    seed, batched = check_integer(seed, "seed"), check_bool(batched, "batched")
    with TorchCode(code, inputs, kwargs, loss, dtype, seed) as own:
        lanes = own.lanes() if batched else None
        report = check_from_above(
            own,
            "grad_output",
            eps=eps,
            method=method,
            samples=samples,
            seed=seed,
            tolerance=tolerance,
            executor=lanes,
        )
    told = own.remarks
    return replace(
        report,
        subject=own.subject(lanes),
        find_remarks=lambda: (*report.remarks, *told),
    )

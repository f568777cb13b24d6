"""Check the gradients of JAX code in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from gradlab._validate import check_bool, check_integer
from gradlab.checking.report import Report
from gradlab.checking.verdict import Judgement
from gradlab.own.above import check_from_above

FLOAT64 = "check in float64 (set jax_enable_x64, then make the arrays)"


def check_jax(
    f: Callable,
    *args: object,
    loss: Callable | None = None,
    argnums: int | Sequence[int] | None = None,
    eps: float | None = None,
    method: str = "full",
    samples: int = 20,
    seed: int = 0,
    tolerance: float = 0.0,
    batched: bool = True,
) -> Report:
    """Check what `jax.grad` returns for a function of trees of arrays against differences.

    Checked is every floating leaf of the arguments, under the name of its path; integers, keys and
    whatever else they hold are handed on. It is judged in the numbers that JAX computes in:
    float32, or float64 for arrays that are float64 where `jax_enable_x64` is on. That setting is
    not touched.

    Costs what `gl.check_function` does, four evaluations an entry and more; they are made up to 256
    at a time where `jax.jit(jax.vmap(…))` gives what single calls give, and one by one elsewhere.

    Parameters
    ----------
    f : callable, (*args) -> array or tree of arrays
        With `custom_vjp`, `custom_jvp`, `jit` or nothing.
    *args : tree of arrays
        Dicts, lists, tuples and whatever else is registered as one; never modified.
    loss : callable, optional
        Takes f's output and returns an array with one number. Left out, an output that is one
        number is the loss; any other is multiplied by fixed random numbers and summed, all its
        floating leaves together. Others are tried where these may hide something: where a
        gradient is 0 throughout, or the backward rule is not linear in its cotangent.
    argnums : int or sequence of int, optional
        Which arguments to check, from the end if negative; left out, all.
    eps, method, samples, tolerance : optional
        As in `gl.check_function`.
    seed : int, optional
        Of the sample, the directions and the random numbers in the loss.
    batched : bool, optional
        False makes every evaluation a call of its own, uncompiled.

    Returns
    -------
    Report
        Its tensors are called as in the signature, with the path: "params['W1']".

    Raises
    ------
    ImportError
        JAX is not installed.
    ValueError, TypeError
        An argument has the wrong type, shape or range, or no leaf is floating.

    Examples
    --------
    >>> import jax
    >>> import jax.numpy as jnp
    >>> import gradlab as gl
    >>> @jax.custom_vjp
    ... def softplus(x):
    ...     return jnp.log1p(jnp.exp(x))
    >>> softplus.defvjp(lambda x: (softplus(x), x), lambda x, dout: (dout * jnp.tanh(x),))
    >>> report = gl.check_jax(softplus, jnp.linspace(0.5, 2.0, 4))
    >>> report.verdict, report.wrong
    (<Verdict.WRONG: 'wrong'>, ['x'])
    >>> params = {"W": jnp.ones((3, 2)), "b": jnp.ones(2)}
    >>> report = gl.check_jax(lambda params, x: jnp.tanh(x @ params["W"] + params["b"]),
    ...                       params, jnp.linspace(-1.0, 1.0, 3))
    >>> report.verdict, list(report)
    (<Verdict.CORRECT: 'correct'>, ["params['W']", "params['b']", 'x'])
    """
    try:
        from gradlab.own.jax_code import JaxCode
    except ImportError as error:
        raise ImportError(
            "gl.check_jax needs JAX, which is not installed here: pip install jax, or "
            "pip install 'gradlab[frameworks]'"
        ) from error
    seed, batched = check_integer(seed, "seed"), check_bool(batched, "batched")
    own = JaxCode(f, args, loss, argnums, seed)
    lanes = None
    if batched:
        own.compile()
        lanes = own.lanes()
    report = check_from_above(
        own,
        "cotangent",
        eps=eps,
        method=method,
        samples=samples,
        seed=seed,
        tolerance=tolerance,
        executor=lanes,
    )
    tensors = {k: replace(t, judgement=_in_jax(t.judgement)) for k, t in report.tensors.items()}
    return replace(
        report,
        tensors=tensors,
        judgement=_in_jax(report.judgement),
        subject=own.subject(lanes),
    )


def _in_jax(judgement: Judgement) -> Judgement:
    """Return a judgement whose advice says how JAX comes to compute in float64."""
    return replace(judgement, advice=judgement.advice.replace("check in float64", FLOAT64))

"""A gradient check as a line of a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gradlab._validate import check_names
from gradlab.checking.check_function import check_function
from gradlab.checking.recognise import Explanation
from gradlab.checking.report import Report
from gradlab.checking.verdict import Verdict

ALLOWED = (str(Verdict.INCONCLUSIVE),)
NO_PASS = (
    "An inconclusive check is no pass. Do what the report says, or let it pass here by name: "
    'allow=("inconclusive",).'
)


def assert_gradient(
    report_or_f: Report | Explanation | Callable,
    grad: Callable | np.ndarray | bool | None = None,
    theta: np.ndarray | None = None,
    *,
    allow: Sequence[str] = (),
    **options: object,
) -> Report:
    """Pass if a gradient is correct, else raise an AssertionError that says where and why not.

    Parameters
    ----------
    report_or_f : Report, Explanation, or callable
        What `gl.check`, `gl.check_layer`, `gl.check_arrays`, `gl.check_torch` or any other check
        returned, or `gl.explain`; or f, with grad and theta, for `gl.check_function`.
    grad, theta : optional
        As in `gl.check_function`; with f alone.
    allow : sequence of str, optional
        ("inconclusive",) lets that verdict pass too.
    **options
        Any other argument of `gl.check_function`; with f alone.

    Returns
    -------
    Report

    Raises
    ------
    AssertionError
        The gradient is wrong, or the check is inconclusive and that is not allowed. Its message is
        the report: verdict, cause, worst entries, tensors.
    ValueError, TypeError
        An argument has the wrong type, shape or range.

    Examples
    --------
    >>> import numpy as np
    >>> import gradlab as gl
    >>> gl.assert_gradient(lambda t: np.sum(t**2), lambda t: 2 * t, [1.0, -2.0])
    Report(correct, 1 tensors, wrong: [])
    >>> net = gl.mlp([4, 3], seed=0)
    >>> gl.assert_gradient(gl.check(net, *gl.data.iris()))
    Report(correct, 2 tensors, wrong: [])
    """
    __tracebackhide__ = True  # pytest shows the caller's line, and not this one
    allow = check_names(allow, ALLOWED, "allow")
    shown = _report(report_or_f, grad, theta, options)
    report = shown if isinstance(shown, Report) else shown.report
    if report.verdict == Verdict.CORRECT or report.verdict in allow:
        return report
    advice = f"\n\n{NO_PASS}" if report.verdict == Verdict.INCONCLUSIVE else ""
    told = f"{shown}" if shown is report else f"{shown}\n\n{report}"  # which has the entries
    raise AssertionError(told + advice)


def _report(
    given: object, grad: object, theta: object, options: dict[str, object]
) -> Report | Explanation:
    if isinstance(given, Report | Explanation):
        extra = [name for name, value in (("grad", grad), ("theta", theta)) if value is not None]
        extra += options
        if extra:
            raise TypeError(
                f"{', '.join(extra)} must be left out where a report is given: it was made before"
            )
        return given
    if not callable(given):
        raise TypeError(
            "report_or_f must be a report, such as gl.check(net, x, y) returns, or a function f "
            f"with grad and theta; got {given!r:.60} ({type(given).__name__})"
        )
    missing = [name for name, value in (("grad", grad), ("theta", theta)) if value is None]
    if missing:
        raise TypeError(
            f"{' and '.join(missing)} must come with f: assert_gradient(f, grad, theta)"
        )
    return check_function(given, grad, theta, **options)

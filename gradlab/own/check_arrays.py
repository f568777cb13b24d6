"""Checking gradients of arrays where they lie: in a dict, a list, an object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gradlab.checking.arguments import Part
from gradlab.checking.check_function import check_function
from gradlab.checking.own_code import OwnCode, takes
from gradlab.checking.report import Report
from gradlab.own.gradients import Gradients
from gradlab.own.kept import kept
from gradlab.own.nested import Nested, numbers_in, overlapping, shown
from gradlab.own.source_arrays import Exchangeable, of_arrays

MOST_NAMES = 8  # in a remark
CHECKABLE = (np.float64, np.float32)


def check_arrays(
    loss: Callable[..., float],
    arrays: object,
    grads: object,
    eps: float | None = None,
    *,
    method: str = "full",
    samples: int = 20,
    seed: int = 0,
    tolerance: float = 0.0,
) -> Report:
    """Check the gradients of arrays that a loss reads where they lie.

    The arrays may stand in a dict, a list, a tuple, an object's attributes, or any of these within
    another. Those that `grads` has a gradient of are checked; the rest is left alone, and
    `report.remarks` say what that was. Afterwards every array is bit by bit what it was, and every
    place has what stood there, whatever happens. The cost is that of `gl.check_function`, four
    evaluations an entry where all is well, and that of five of the loss.

    Parameters
    ----------
    loss : callable
        Without an argument: it reads the arrays where they lie, and they are shifted in place. Or
        with one: it gets a copy of the whole structure.
    arrays : dict, list, tuple, object with attributes, nested or not; or one ndarray
        `net.params`, `vars(net)`, `[W1, b1]`, `[{"W": W, "b": b}, ...]`. float64, or all float32.
    grads : the same structure, or callable that returns it; or True
        In names that are missing, or None, there is no gradient. The names may be dW1, d_W1,
        grad_W1 or W1_grad, and may stand beside the arrays: `vars(net)` twice. A callable is
        called as `loss` is. True: loss returns (loss, grads).
    eps, method, samples, seed, tolerance
        As in `gl.check_function`.

    Returns
    -------
    Report
        With a tensor for each array, named by its path: "W1", "layers[0].W". Of a wrong gradient
        `diagnosis`, when it is read, looks for the one edit of a line of `grads` with which it is
        right: the arrays are shifted for it, and put back.

    Raises
    ------
    ValueError, TypeError
        An argument has the wrong type, shape or range; the message says which.

    Examples
    --------
    >>> import numpy as np
    >>> import gradlab as gl
    >>> class Net:
    ...     def __init__(self):
    ...         self.W, self.b = np.array([[0.3, -0.2]]), np.zeros(2)
    ...         self.x = np.array([[1.0], [2.0]])
    ...     def loss(self):
    ...         self.out = np.tanh(self.x @ self.W + self.b)
    ...         return np.sum(self.out**2)
    ...     def backward(self):
    ...         d = 2 * self.out * (1 - self.out**2)
    ...         self.dW, self.db = self.x.T @ d, d.mean(axis=0)
    ...         return vars(self)
    >>> net = Net()
    >>> gl.check_arrays(net.loss, vars(net), net.backward)
    Report(wrong, 2 tensors, wrong: ['b'])
    """
    tree = Nested(arrays)
    gradients = Gradients(tree)
    if not gradients.floats:
        raise TypeError(
            "arrays must hold at least one array of float64 or float32, got "
            f"{_some(tree.leaves) or type(arrays).__name__}"
        )
    if not callable(loss):
        raise TypeError(f"loss must be a function, got {type(loss).__name__}")
    if grads is True:
        loss, grads = Part(loss, 0), Part(loss, 1)
    is_function = callable(grads) and grads is not arrays
    grads = Exchangeable(grads) if is_function else grads
    with kept(tree, *[Nested(grads)] * (not is_function)):
        own, gradient = _own_code(loss, grads, gradients, is_function)
        with own:
            own.check()
            report = check_function(
                own,
                gradient,
                own.theta,
                eps,
                own.layout,
                method=method,
                samples=samples,
                seed=seed,
                tolerance=tolerance,
            )
    said = _remarks(report, gradients, own)
    return replace(
        report,
        find_remarks=lambda: (*map(_in_words, report.remarks), *said),
        find_causes=lambda now: (
            of_arrays(loss, grads, own, gradient, gradients, now) or report.find_causes(now)
        ),
    )


def _own_code(
    loss: Callable, grads: object, gradients: Gradients, is_function: bool
) -> tuple[OwnCode, Callable]:
    """Return the arrays that are checked, with their loss; and their gradient at any theta."""
    is_copied = takes(loss, "loss") == 1
    wants = is_function and takes(grads, "grads") == 1
    argument = "grads()" if is_function else "grads"
    first = None if is_function else gradients.read(grads, argument)
    loss(*[gradients.structure({})] * is_copied)
    if is_function:  # asked before anything is shifted: it says which arrays have a gradient
        first = gradients.read(grads(*[gradients.structure({})] * wants), argument)
    checked = {path: gradients.floats[path] for path in first}
    _check(checked, gradients, is_copied)

    def named(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        if found.keys() != first.keys():
            raise ValueError(
                f"{argument} must have the same gradients at every call, got first "
                f"{_some(first)}, then {_some(found)}"
            )
        return {shown(path): value for path, value in found.items()}

    ask = {
        (False, False): named(first),
        (True, False): lambda: named(gradients.read(grads(), argument)),
        (True, True): lambda parts: named(
            gradients.read(grads(gradients.structure(parts)), argument)
        ),
    }[is_function, wants]
    of_copies, where_they_lie = (lambda parts: loss(gradients.structure(parts))), (lambda: loss())
    own = OwnCode(of_copies if is_copied else where_they_lie, named(checked), ask)
    own.__name__ = getattr(loss, "__name__", type(loss).__name__)
    follows = wants or (is_function and not is_copied)

    def gradient(theta: np.ndarray) -> np.ndarray:
        if not (follows or np.array_equal(theta, own.theta)):
            raise ValueError("grads is not asked with other arrays than those that came")
        return own.gradient(theta)

    return own, gradient


def _check(checked: dict[str, np.ndarray], gradients: Gradients, is_copied: bool) -> None:
    """Raise if an array is no place that can be shifted, or not only by its own name."""
    tree, now = gradients.tree, Nested(gradients.tree.root).leaves
    for path, array in checked.items():
        leaf, name = tree.leaves[path], shown(path)
        if array.dtype not in CHECKABLE:
            raise TypeError(f"{name} must be an array of float64 or float32, got {array.dtype}")
        if not array.size:
            raise ValueError(f"{name} must have entries, got shape {array.shape}")
        if not is_copied and now.get(path) is not leaf:
            raise ValueError(
                f"loss and grads must leave {name} where it is: after a call another array "
                "stands in its place (W = W - ... makes one, W -= ... does not)"
            )
        if not is_copied and not np.shares_memory(array, numbers_in(leaf)):
            raise TypeError(
                f"{name} must be an ndarray, to be shifted in place; got a {type(leaf).__name__}. "
                "A loss that takes an argument gets copies instead"
            )
        if not _is_laid_out(array):
            raise ValueError(
                f"{name} must have a place for each entry, got shape {array.shape} "
                f"with strides {array.strides}"
            )
    # what has no gradient may overlap where it lies; of copies, only one would be shifted
    others = gradients.floats if is_copied else checked
    for one, other in overlapping(checked, others):
        raise ValueError(
            f"arrays must not overlap: {shown(one)} and {shown(other)} share memory, and are "
            "not the same array"
        )


def _is_laid_out(array: np.ndarray) -> bool:
    """Tell whether each axis steps over all that the finer ones reach."""
    reached = array.itemsize
    for stride, length in sorted(
        (abs(s), n) for s, n in zip(array.strides, array.shape, strict=True) if n > 1
    ):
        if stride < reached:
            return False
        reached += stride * (length - 1)
    return True


# -- what is said beside the verdict -------------------------------------------------------------


def _remarks(report: Report, gradients: Gradients, own: OwnCode) -> list[str]:
    """Return what was left alone, and how names and shapes were read."""
    said, called, leaves = [], gradients.called, gradients.tree.leaves
    without = [
        shown(path)
        for path in gradients.floats
        if not isinstance(leaves[path], float)
        and shown(path) not in own.arrays
        and shown(path) not in called
    ]
    if without:
        said.append(f"not checked, because grads has no gradient for {_some(without)}")
    others = {
        shown(path): type(leaf).__name__
        for path, leaf in leaves.items()
        if (isinstance(leaf, float) or numbers_in(leaf) is None) and shown(path) not in own.arrays
    }
    if others:
        told = _some(f"{name} ({kind})" for name, kind in others.items())
        said.append(f"left alone, being no arrays of floats: {told}")
    if called:
        told = _some(f"{name} as that of {path}" for name, path in called.items())
        said.append(f"taken as gradients: {told}")
    if gradients.reshaped:
        told = _some(f"{name} ({told})" for name, told in gradients.reshaped.items())
        said.append(f"gradients of another shape, read as the same vector: {told}")
    twice = {**gradients.tree.again, **gradients.once}
    if twice:
        told = _some(f"{shown(other)} is {shown(path)}" for other, path in twice.items())
        said.append(f"the same under two names, and counted once: {told}")
    unread = [
        name
        for name, t in report.tensors.items()
        if not (t.directional or t.numerical.any()) and t.analytic.any()
    ]
    if unread:
        said.append(f"the loss does not move with {_some(unread)}: does it read a copy?")
    return said


def _in_words(remark: str) -> str:
    """Return a remark of `check_function` in the words of arrays."""
    for theirs, ours in (("grad(theta)", "grads()"), ("f(theta)", "loss()"), (" f ", " loss() ")):
        remark = remark.replace(theirs, ours)
    return remark


def _some(names: object) -> str:
    names = list(names)
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + f" and {more} more" * (more > 0)

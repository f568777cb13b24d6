"""Training: mini-batch stochastic gradient descent with momentum."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np

from gradlab._validate import check_bool, check_integer, check_number, check_positive
from gradlab.nn.layers import BatchNorm
from gradlab.nn.network import Network


@dataclass(frozen=True, eq=False)
class History:
    """How the loss fell during `train`.

    Attributes
    ----------
    step : ndarray of int, shape (E + 1,)
        Updates done when each loss was taken: 0, the end of each epoch, the last step.
    loss : ndarray, shape (E + 1,)
        Of all examples, L2 included, without dropout: a number that comparable runs share.
    seconds : float
        Wall-clock time of the training.
    """

    step: np.ndarray
    loss: np.ndarray
    seconds: float

    def __repr__(self) -> str:
        # Two digits and no time: what a notebook shows must be the same on every machine.
        return f"History: {self.step[-1]} steps, loss {self.loss[0]:.2g} -> {self.loss[-1]:.2g}"


def train(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    epochs: int = 20,
    *,
    steps: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 0.1,
    momentum: float = 0.9,
    seed: int = 0,
    progress: bool = True,
    after_step: Callable[[int, Network], object] | None = None,
) -> History:
    """Train `net` by mini-batch SGD with momentum: the arrays in `net.params` are changed in place.

    Each step does v = momentum * v - learning_rate * gradient, then theta = theta + v. Where
    `net.dropout_rate` is not 0, every step draws new masks. Whatever ends the training early,
    Ctrl-C too, the parameters are all from the same step, the last complete one.

    Parameters
    ----------
    net : Network
    x : ndarray, shape (N, D)
    y : ndarray, shape (N,) of labels or (N, K)
    epochs : int, >= 0, optional
        Passes over the data.
    steps : int >= 0 or None, optional
        The number of updates, instead of `epochs`; it may end within an epoch.
    batch_size : int, >= 1, optional
        Examples in an update. Each epoch deals them out anew; its last batch may be smaller.
    learning_rate : float, > 0, optional
    momentum : float in [0, 1), optional
    seed : int, >= 0, optional
        Of the order of the examples and of the dropout masks, which are two separate streams:
        switching dropout on does not change the batches.
    progress : bool, optional
        A bar on stderr, shown from the second second on and wiped at the end: short trainings
        leave nothing behind in a notebook's saved outputs.
    after_step : callable or None, optional
        Called as after_step(step, net) after every update, step = 1, 2, …: for a check of the
        gradient while training, say. It must not change `net`; what it raises ends the training.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        An argument is out of range; or the loss or a parameter became infinite or NaN because
        `learning_rate` is too large. `net` then has its last finite parameters.
    TypeError
        An argument is of the wrong type.

    References
    ----------
    Polyak (1964) for momentum; Sutskever et al., ICML 2013, for the form used here.
    """
    progress = check_bool(progress, "progress")
    batch_size = check_integer(batch_size, "batch_size", 1)
    first_loss = _full_loss(net, x, y)  # also checks net, x and y
    how = {"learning_rate": learning_rate, "momentum": momentum, "seed": seed}
    moves = updates(net, x, y, batch_size=batch_size, **how)
    n = np.shape(x)[net.batch_axis]
    total = check_integer(epochs, "epochs") * -(-n // batch_size)
    total = total if steps is None else check_integer(steps, "steps")

    start = time.perf_counter()
    taken, losses = [0], [first_loss]
    with _bar(range(1, total + 1), progress) as bar:
        for step in bar:
            if next(moves) or step == total:
                losses.append(_full_loss(net, x, y))
                taken.append(step)
                _check_finite(losses[-1], "loss", step, learning_rate)
            if after_step is not None:
                after_step(step, net)
    return History(np.array(taken), np.array(losses), time.perf_counter() - start)


def updates(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    *,
    batch_size: int = 32,
    learning_rate: float = 0.1,
    momentum: float = 0.9,
    seed: int = 0,
) -> Iterator[bool]:
    """Train `net` as `train` does, without end: one update for each `next`, made in place.

    So a training can go on from where it stands, and give bit for bit what `train` gives.

    Parameters
    ----------
    net, x, y, batch_size, learning_rate, momentum, seed
        As in `train`.

    Returns
    -------
    iterator of bool
        Whether an epoch ended with the update.

    Raises
    ------
    ValueError, TypeError
        At once, for an argument; at an update, where a parameter would become infinite or NaN:
        `net` then has its last finite parameters.
    """
    learning_rate = check_positive(learning_rate, "learning_rate")
    momentum = check_number(momentum, "momentum", 0, 1, below=True)
    order, dropout = np.random.default_rng(check_integer(seed, "seed")).spawn(2)
    first_loss = _full_loss(net, x, y)
    if not np.isfinite(first_loss):
        raise ValueError(f"net must have a finite loss before training, got {first_loss}")
    x, y = np.asarray(x), np.asarray(y)
    n = x.shape[net.batch_axis]
    if n % batch_size == 1 % batch_size and any(
        isinstance(layer, BatchNorm) for layer in net.layers
    ):
        raise ValueError(
            f"batch_size must leave no batch of 1 example for batch norm, got {batch_size} for {n}"
        )
    return _updates(net, x, y, learning_rate, momentum, _batches(n, batch_size, order), dropout)


def _updates(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    learning_rate: float,
    momentum: float,
    batches: Iterator[tuple[np.ndarray, bool]],
    dropout: np.random.Generator,
) -> Iterator[bool]:
    theta = net.theta
    velocity = np.zeros_like(theta)
    for step, (rows, ends_epoch) in enumerate(batches, 1):
        masks = net.draw_masks(len(rows), dropout) if net.dropout_rate else None
        with np.errstate(over="ignore", invalid="ignore"):  # has its own message
            grad = net.unroll(net.gradient(*net.pick(x, y, rows), masks))
            velocity = momentum * velocity - learning_rate * grad
            moved = theta + velocity
        _check_finite(moved, "parameters", step, learning_rate)
        try:
            _write(net, moved)
        except BaseException:  # Ctrl-C may have come between two tensors of one step
            _write(net, theta)
            raise
        theta = moved
        yield ends_epoch


def _write(net: Network, theta: np.ndarray) -> None:
    # Into the arrays, not new ones for them: a network made by net.replace() shares them.
    for name, value in net.roll(theta).items():
        net.params[name][...] = value


def _full_loss(net: Network, x: np.ndarray, y: np.ndarray) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return net.loss(x, y)


def _check_finite(value: np.ndarray | float, what: str, step: int, learning_rate: float) -> None:
    if not np.isfinite(value).all():
        raise ValueError(
            f"learning_rate must be small enough for the loss to stay finite, got "
            f"{learning_rate:g}: the {what} overflowed at step {step}; try {learning_rate / 10:g}"
        )


def _batches(
    n: int, batch_size: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, bool]]:
    """Yield the rows of one batch after another, for ever, and whether an epoch ends with it."""
    while True:
        order = rng.permutation(n)
        for start in range(0, n, batch_size):
            yield order[start : start + batch_size], start + batch_size >= n


def _bar(steps: range, progress: bool) -> AbstractContextManager[Iterable[int]]:
    if not progress:
        return nullcontext(steps)
    # Imported here so that the numerics need numpy alone. Not tqdm.auto: in a notebook that is a
    # widget, whose model id would be saved and would differ in every run.
    from tqdm import tqdm

    return tqdm(steps, "training", unit="step", delay=1, leave=False)

"""Evidence on a network's gradient: the ladder of steps, by the fast engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from gradlab.checking.evidence import Differences, Evidence, weigh
from gradlab.checking.fast import Copies, has_kinks
from gradlab.checking.probing import Background, Probe, survey
from gradlab.checking.sampling import Entries
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network
from gradlab.nn.unrolling import lay_out, unroll

# Absolute steps: a decade apart where there is room for it between truncation and round-off.
STEPS = {8: 10.0 ** -np.arange(1, 10), 4: 10.0 ** -np.arange(0.5, 4, 0.5)}
ROUNDING_OF_GRADIENT = {8: (1e-5, 1e-10), 4: (2e-3, 1e-5)}  # rtol, and atol over the largest entry
BLOCK = 4096  # entries that are weighed at a time: keeps a check of any size under 100 MB


def background_of(net: Network, x: np.ndarray, y: np.ndarray, masks: Masks) -> Background:
    """Return what a few evaluations say about the loss: its noise, and whether it repeats."""
    probe = Probe(net.loss_function(x, y, masks), net.theta)
    background = survey(probe, np.random.default_rng(0))
    if net.loss_name == "mse":
        return background
    # log(1 + small): both cross-entropies round numbers near 1, however small they come out
    floor = float(np.finfo(net.dtype).eps) / 2
    return replace(background, noise=max(background.noise, floor))


def gather(
    net: Network,
    x: np.ndarray,
    y: np.ndarray,
    analytic: Mapping[str, np.ndarray],
    background: Background,
    masks: Masks = None,
    entries: Entries | None = None,
    steps: np.ndarray | None = None,
) -> dict[str, tuple[Evidence, np.ndarray]]:
    """Return the evidence on each tensor, and how many kinks the shortest step crossed.

    `entries` picks entries of each tensor, as indices into the raveled tensor; one with none is
    left out. Without it all are checked. `steps` replaces the ladder.
    """
    a, target = net.prepare(x, y)
    copies = Copies(net, a, target, masks)
    steps = STEPS[net.dtype.itemsize] if steps is None else steps
    rtol, atol = ROUNDING_OF_GRADIENT[net.dtype.itemsize]
    count_kinks = has_kinks(copies)
    found = {}
    for position, layer in enumerate(copies.chain):
        tensors = lay_out({name: net.params[name] for name in layer.param_names})
        theta = unroll({name: net.params[name] for name in tensors}, tensors) if tensors else None
        for name, (start, stop, _) in tensors.items():
            wanted = np.arange(stop - start) if entries is None else entries[name]
            if not len(wanted):
                continue
            gradient = np.ravel(analytic[name])[wanted]
            size = atol * np.abs(analytic[name]).max()
            pieces, crossed = [], []
            for block in _blocks(len(wanted)):
                index = start + wanted[block]
                d = _differences(copies, position, index, theta, steps, background, count_kinks)
                pieces.append(weigh(gradient[block], d, rtol, size))
                crossed.append(d.kinks[-1])
            found[name] = (_joined(pieces), np.concatenate(crossed))
    return {name: found[name] for name in net.params if name in found}


def _differences(
    copies: Copies,
    position: int,
    entries: np.ndarray,
    theta: np.ndarray,
    steps: np.ndarray,
    background: Background,
    count_kinks: bool,
) -> Differences:
    value = theta[entries]
    signs = np.array([1, -1], theta.dtype)[:, None, None]
    step = (value + signs * steps.astype(theta.dtype)[:, None]) - value  # as rounding left it
    right, left = copies.losses(position, step, entries).astype(float)
    kinks = np.zeros(step.shape[1:], int)
    if count_kinks:
        kinks = copies.crossed_kinks(position, step, entries).sum(axis=0)
    h = np.abs(step.astype(float))
    return Differences(background.base, right, left, h[0], h[1], background.noise, kinks,
                       float(np.finfo(theta.dtype).eps))  # fmt: skip


def _blocks(size: int) -> Iterator[slice]:
    for start in range(0, size, BLOCK):
        yield slice(start, start + BLOCK)


def _joined(pieces: list[Evidence]) -> Evidence:
    return Evidence(
        np.concatenate([p.mark for p in pieces]),
        np.concatenate([p.numerical for p in pieces]),
        np.concatenate([p.bound for p in pieces]),
    )

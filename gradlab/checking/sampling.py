"""Which entries of a network are checked, where not all of them are: a few of every tensor."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradlab._validate import check_integer

#: For each tensor, indices into its raveled entries, ascending.
Entries = Mapping[str, np.ndarray]


def sampled_entries(params: Mapping[str, np.ndarray], samples: int, seed: int) -> Entries:
    """Return `samples` entries of each tensor drawn without replacement, all of a smaller one.

    The same seed draws the same entries: a check and a sweep can look at the same ones.

    Raises
    ------
    ValueError, TypeError
        `samples` is not positive or `seed` negative, or no integer.
    """
    samples = check_integer(samples, "samples", 1)
    rng = np.random.default_rng(check_integer(seed, "seed"))
    return {
        name: np.sort(rng.choice(value.size, min(samples, value.size), replace=False))
        for name, value in params.items()
    }


def layer_entries(tensors: Mapping[str, tuple], entries: Entries | None) -> np.ndarray | None:
    """Return the entries of a layer's tensors as indices into all its parameters, unrolled.

    `tensors` maps the layer's names to (start, stop, shape); None stands for every entry.
    """
    if entries is None:
        return None
    return np.concatenate([start + entries[name] for name, (start, _, _) in tensors.items()])


def per_tensor(
    values: np.ndarray, tensors: Mapping[str, tuple], entries: Entries | None
) -> dict[str, np.ndarray]:
    """Cut a layer's `values` (…, E) into its tensors: (…, *shape), or (…, samples) of a sample."""
    if entries is None:
        return {
            name: values[..., start:stop].reshape(*values.shape[:-1], *shape)
            for name, (start, stop, shape) in tensors.items()
        }
    ends = np.cumsum([len(entries[name]) for name in tensors])
    return dict(zip(tensors, np.split(values, ends[:-1], axis=-1), strict=True))

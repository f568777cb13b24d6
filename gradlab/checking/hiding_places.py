"""The museum's bugs that a check here would pass, and why: the reasons are those of `gl.bugs`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradlab.bugs.planting import without_bugs
from gradlab.bugs.suspects import line_up
from gradlab.checking.errors import raw_norm_ratio
from gradlab.nn.dropout import Masks
from gradlab.nn.network import Network

Gradient = Mapping[str, np.ndarray]
# Norm ratio from which on a bug does not hide, by the bytes of the type: "usually fine" ends there,
# and what rounding does to a float32 gradient.
SEEN = {8: 1e-4, 4: 3e-3}


def hiding_places(net: Network, x: np.ndarray, y: np.ndarray, masks: Masks = None) -> list[str]:
    """Return a sentence for every reason why a bug would not show here, each once.

    A sentence says at which layers, where the same bug would show at another one. Nothing is said
    of masks that are drawn anew at every call: no two gradients are the same then.
    """
    if isinstance(masks, np.random.Generator):
        return []
    right = without_bugs(net).gradient(x, y, masks)
    told: dict[str, dict[str, set]] = {}  # by sentence and bug, the layers
    seen = set()  # bugs that show at some layer
    with np.errstate(all="ignore"):
        for s in line_up(net, x, y, masks):
            if not hides(s.gradient, right):
                seen.add(s.bug)
            elif s.warning:
                told.setdefault(s.warning, {}).setdefault(s.bug, set()).add(s.layer)
    return [_at_layers(by_bug, seen) + sentence for sentence, by_bug in told.items()]


def _at_layers(by_bug: dict[str, set], seen: set[str]) -> str:
    if not by_bug.keys() <= seen:  # one of them shows nowhere
        return ""
    layers = sorted(set().union(*by_bug.values()) - {None})
    return f"at layer {', '.join(map(str, layers))}, " if layers else ""


def hides(gradient: Gradient, right: Gradient) -> bool:
    """Tell whether a bug's gradient is the right one, or so nearly that a check passes."""
    least = 1e-12 * max(np.abs(value).max() for value in right.values())
    for name, value in right.items():
        change = np.abs(gradient[name] - value).max()
        ratio = raw_norm_ratio(gradient[name].ravel(), value.ravel())
        if not (change <= least or ratio <= SEEN[value.dtype.itemsize]):  # nan does not hide
            return False
    return True

"""Classes of examples, and those that a network puts them into."""

from __future__ import annotations

import numpy as np

from gradlab.nn.lstm import LSTMNet
from gradlab.nn.network import Network

__all__ = ["class_labels", "predicted_classes", "share_right"]


def class_labels(net: Network, y: np.ndarray) -> np.ndarray | None:
    """Return the class of each example, integers; None where `y` holds no classes.

    They may be labels, one-hot rows (with any loss), or zeros and ones of a single yes/no output.
    """
    y = np.asarray(y)
    if net.loss_name == "softmax_cross_entropy":
        labels = y.ndim == (2 if _every_step(net) else 1)
        return y.astype(int) if labels else y.argmax(axis=-1)
    if net.outputs == 1:
        yes_no = net.loss_name == "binary_cross_entropy" and np.isin(y, (0, 1)).all()
        return y.reshape(y.shape[: 2 if _every_step(net) else 1]).astype(int) if yes_no else None
    one_hot = np.isin(y, (0, 1)).all() and (y.sum(axis=-1) == 1).all()
    return y.argmax(axis=-1) if one_hot else None


def predicted_classes(net: Network, outputs: np.ndarray) -> np.ndarray:
    """Return the class that each row of outputs (…, K) stands for."""
    return (outputs[..., 0] > 0).astype(int) if net.outputs == 1 else outputs.argmax(axis=-1)


def share_right(net: Network, x: np.ndarray, y: np.ndarray) -> float:
    """Return the share of the examples in their own class; NaN where there are no classes."""
    labels = class_labels(net, y)
    if labels is None:
        return float("nan")
    with np.errstate(all="ignore"):
        return float((predicted_classes(net, net.predict(x)) == labels).mean())


def _every_step(net: Network) -> bool:
    return isinstance(net, LSTMNet) and net.every_step

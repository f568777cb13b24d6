"""A network written out: which lines stand in it, under which names, and what they read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradlab.bugs.lines import layers as declared
from gradlab.bugs.lines.layers import LOSS_LINES, LayerLines, lines_of
from gradlab.nn.activations import LEAKY_SLOPE
from gradlab.nn.convnet import AveragePool, Conv, MaxPool
from gradlab.nn.layers import Activation, BatchNorm, Dense, Dropout
from gradlab.nn.lstm import LSTM
from gradlab.nn.network import Network, Point


@dataclass(frozen=True)
class Written:
    """A layer's lines, where they stand, and the names that go into their braces."""

    lines: LayerLines
    where: str
    names: dict[str, str]
    position: int  # of the layer in `net.layers`; the loss is one further
    is_whole: bool = False  # a layer, and not a part of one such as its L2


def write_out(net: Network, with_masks: bool) -> list[Written]:
    """Return the layers' lines from the input up to the loss; dropout without masks has none."""
    written, last, number, place = [], "x", 0, ""
    is_image = len(net.input_shape) == 3
    output = max(k for k, layer in enumerate(net.layers) if isinstance(layer, Dense))
    for k, layer in enumerate(net.layers):
        if isinstance(layer, Dense) and is_image:
            is_image = False
            flat = {"x": last, "y": "flat", "dx": "d" + last, "dy": "dflat", "i": ""}
            written.append(Written(declared.FLATTEN, "flatten", flat, k))
            last = "flat"
        if isinstance(layer, (Dense, Conv)):
            number += 1
            place = "output" if k == output else f"layer {number}"
        if isinstance(layer, Dropout) and not with_masks:
            continue
        lines = lines_of(layer)
        images = lines.family == "activation" and last[0] == "p"
        y = "hs" if isinstance(layer, LSTM) else f"{'r' if images else lines.letter}{number}"
        names = {"x": last, "y": y, "dx": "d" + last, "dy": "d" + y, "i": str(number)}
        names["g"] = "data_d" if net.l2 else "d"
        slope = layer.function.slope if isinstance(layer, Activation) else LEAKY_SLOPE
        names |= {"slope": repr(slope), "eps": eps_of(net, number)}
        if isinstance(layer, LSTM):
            step = declared.EVERY_STEP if net.every_step else declared.LAST_STEP
            weights = layer.weight_names if net.l2 else ()
            written += [Written(declared.L2, "LSTM, L2", _bare(W), k) for W in weights]
            written += [Written(lines, "LSTM", names, k), Written(step, "LSTM", names, k, True)]
        else:
            if isinstance(layer, (Dense, Conv)):
                names |= {"W": layer.W, "b": layer.b}
                if net.l2:
                    written.append(Written(declared.L2, f"{place}, L2", _bare(layer.W, number), k))
            written.append(Written(lines, f"{place}, {lines.name}", names, k, True))
        last = y
    return _finish(net, written, last)


def _bare(W: str, number: int | str = "") -> dict[str, str]:
    return {"W": W, "x": "", "y": "", "dx": "", "dy": "", "i": str(number)}


def _finish(net: Network, written: list[Written], last: str) -> list[Written]:
    """Put the loss on top; what comes out is called "logits", but for what an activation made."""
    if not isinstance(net.layers[-1], Activation):
        rename = {last: "logits", "d" + last: "dlogits"}
        for layer in written:
            layer.names.update({k: rename.get(v, v) for k, v in layer.names.items()})
        last = "logits"
    names = {
        "x": last,
        "dx": "d" + last,
        "y": "loss",
        "dy": "dloss",
        "i": "",
        "slope": repr(LEAKY_SLOPE),
    }
    return [
        *written,
        Written(LOSS_LINES[net.loss_name], f"loss, {net.loss_name}", names, len(net.layers)),
    ]


def eps_of(net: Network, number: int) -> str:
    """Return what a batch norm's eps is called: by its layer's number where there are several."""
    several = len({layer.eps for layer in net.layers if isinstance(layer, BatchNorm)}) > 1
    return f"eps{number}" if several else "eps"


def values_of(point: Point) -> dict[str, object]:
    """Return what the lines read: parameters, data and sizes, in float64."""
    net, x, y, masks = point
    x = np.array(x, float)  # the lines lock what they read, and the caller's stays his own
    target = net.prepare(x, y)[1]
    rows = np.eye(net.outputs)[target] if target.ndim == 1 else target[..., 0].T
    values = {name: np.array(value, float) for name, value in net.params.items()}
    values |= {"x": x, "y": np.array(rows, float), "N": x.shape[net.batch_axis], "K": net.outputs}
    values |= {"lam": net.l2, "keep": 1 - net.dropout_rate, "S": 1.0}
    number, drops, size = 0, 0, x.shape[2:]
    for layer in net.layers:
        number += isinstance(layer, (Dense, Conv))
        if isinstance(layer, Dropout) and masks is not None:
            values[f"m{number}"] = np.array(masks[drops], float)
            drops += 1
        elif isinstance(layer, BatchNorm):
            values[eps_of(net, number)] = layer.eps
        elif isinstance(layer, LSTM):
            values |= {"T": len(x), "H": net.hidden, "D": x.shape[-1]}
        elif isinstance(layer, Conv):
            kernel, p = net.params[layer.W].shape[2:], layer.padding
            out = [n + 2 * p - k + 1 for n, k in zip(size, kernel, strict=True)]
            named = zip(
                ("KH", "KW", "P", "H", "V", "R", "C"), (*kernel, p, *size, *out), strict=True
            )
            values |= {f"{name}{number}": value for name, value in named}
            size = out
        elif isinstance(layer, (MaxPool, AveragePool)):
            size = [n // 2 for n in size]
    return values

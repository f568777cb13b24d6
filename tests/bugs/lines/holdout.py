"""Mistakes from textbooks' errata and forum threads: for each what was written, and in which code.

Written before the edits of `gradlab.bugs.lines` were looked at. A case is a network, the text of a
right backward pass (`holdout_code`) and what stands in it instead of something. `SINGLES` are one
mistake each (made in every layer, where people copy and paste), `PAIRS` two, and `NAMELESS` are no
edit of a line at all.
"""

from dataclasses import dataclass

import numpy as np

import gradlab as gl
from tests.bugs.lines import holdout_code as code

SOFTMAX, MSE, BINARY = "softmax_cross_entropy", "mse", "binary_cross_entropy"


@dataclass(frozen=True)
class Case:
    """A network and a wrong backward pass of it; `twin` 1 is the same mistake on other numbers."""

    name: str
    kind: str
    build: object  # twin -> (net, x, y, masks)
    text: str

    def problem(self, twin=0, dtype="float64"):
        return self.build(twin, dtype)

    def gradient(self, net, x, y, masks):
        return run(self.text, net, x, y, masks)


def run(text, net, x, y, masks):
    """Run a backward pass; its gradient."""
    env = {k: v.copy() for k, v in net.params.items()}
    env |= {"np": np, "x": x, "y": y, "masks": masks, "lam": net.l2, "keep": 1 - net.dropout_rate,
            "pads": getattr(net, "padding", None)}  # fmt: skip
    with np.errstate(all="ignore"):
        exec(text, env)  # noqa: S102 - a text of this folder
    return {
        k: np.broadcast_to(env["d" + k], v.shape).astype(net.dtype) for k, v in net.params.items()
    }


def _fill(net, rng):
    """Give every parameter a size that shows: biases are 0 and gammas 1 in a new network."""
    for v in net.params.values():
        v += (0.3 * rng.standard_normal(v.shape)).astype(v.dtype)
    return net


def _target(loss, shape, K, rng):
    if loss == SOFTMAX:
        return rng.integers(0, K, shape)
    if loss == MSE:
        return rng.standard_normal((*shape, K))
    return rng.integers(0, 2, (*shape, K)).astype(float)


def mlp_problem(sizes=(4, 6, 6, 3), N=7, **options):
    """Return the builder of an MLP and its batch; the twin has another batch, unless N is a size."""

    def build(twin, dtype):
        rng = np.random.default_rng(100 + twin)
        n = N + 2 * twin * (N not in sizes)
        net = _fill(gl.mlp(list(sizes), dtype=dtype, seed=twin, **options), rng)
        x = rng.standard_normal((n, sizes[0])).astype(dtype)
        y = _target(net.loss_name, (n,), sizes[-1], rng)
        masks = net.draw_masks(n, rng) if net.dropout_rate else None
        return net, x, y, masks

    return build


def convnet_problem(image=(2, 8, 12), N=4, **options):
    def build(twin, dtype):
        rng = np.random.default_rng(200 + twin)
        options.setdefault("padding", (1, 1))
        net = _fill(gl.convnet(image, classes=3, dtype=dtype, seed=twin, **options), rng)
        x = rng.standard_normal((N + twin, *image)).astype(dtype)
        return net, x, rng.integers(0, 3, N + twin), None

    return build


def lstm_problem(D=3, H=4, K=3, T=5, N=6, **options):
    def build(twin, dtype):
        rng = np.random.default_rng(300 + twin)
        net = _fill(gl.lstm(D, H, K, dtype=dtype, seed=twin, **options), rng)
        x = rng.standard_normal((T + twin, N + twin, D)).astype(dtype)
        shape = x.shape[:2] if net.every_step else (x.shape[1],)
        return net, x, _target(net.loss_name, shape, K, rng), None

    return build


def _changed(text, *swaps):
    for old, new in swaps:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    return text


def _case(name, kind, build, text, *swaps):
    return Case(name, kind, build, _changed(text, *swaps))


def mlp(name, *swaps, sizes=(4, 6, 6, 3), N=7, kind="mlp", **options):
    """Return a case in an MLP; `swaps` are (right text, wrong text)."""
    text = code.mlp(
        options.get("activation", "tanh"), options.get("loss", SOFTMAX),
        options.get("batch_norm", False), "dropout_rate" in options, "l2" in options,
    )  # fmt: skip
    return _case(name, kind, mlp_problem(sizes, N, **options), text, *swaps)


def conv(name, *swaps, image=(2, 8, 12), **options):
    text = code.convnet(options.get("pool", "max"), "l2" in options)
    return _case(name, "convnet", convnet_problem(image, **options), text, *swaps)


def lstm(name, *swaps, **options):
    text = code.lstm(
        options.get("every_step", False), options.get("loss", SOFTMAX), "l2" in options
    )
    return _case(name, "lstm", lstm_problem(**options), text, *swaps)


DIVIDED = "dscores = dscores / N"
END = "db1 = dz1.sum(axis=0)"  # the last line of an MLP without L2
CLIP = "dW3, db3, dW2, db2, dW1, db1 = ({} for v in (dW3, db3, dW2, db2, dW1, db1))"
BN1 = "dz1 = dxhat1 / std1 + dvar1 * 2 * (z1 - mu1) / N + dmu1 / N"
BN2 = BN1.replace("1 ", "2 ").replace("1)", "2)").replace("dmu1", "dmu2")
R1, R2 = "ds1 = da1 * (s1 > 0)", "ds2 = da2 * (s2 > 0)"
T1, T2 = "ds1 = da1 * (1 - a1 ** 2)", "ds2 = da2 * (1 - a2 ** 2)"
S2 = "ds2 = da2 * a2 * (1 - a2)"
RELU, SIG = {"activation": "relu"}, {"activation": "sigmoid"}
L2, DROP, NORM = {"l2": 0.1}, {"dropout_rate": 0.3}, {"batch_norm": True}
Z1, Z2 = ("dz1 = ds1", "dz1 = {}"), ("dz2 = ds2", "dz2 = {}")

SINGLES = [
    # the loss
    mlp("not divided by the batch", (DIVIDED, "dscores = dscores")),
    mlp("divided by the batch twice", (DIVIDED, "dscores = dscores / N / N")),
    mlp("no one subtracted at the label", ("dscores[np.arange(len(y)), y] -= 1\n", "")),
    mlp("one subtracted in every row", ("dscores[np.arange(len(y)), y]", "dscores[:, y]")),
    mlp("labels counted from one", ("dscores[np.arange(len(y)), y]", "dscores[np.arange(len(y)), y - 1]")),
    mlp("softmax over the batch", ("e.sum(axis=1, keepdims=True)", "e.sum(axis=0, keepdims=True)")),
    mlp("softmax over everything", ("e.sum(axis=1, keepdims=True)", "e.sum()")),
    mlp("softmax not normalised", ("dscores = probs.copy()", "dscores = e.copy()")),
    mlp("softmax's Jacobian once more", (DIVIDED, DIVIDED + "\ndscores = probs * (dscores - (dscores * probs).sum(axis=1, keepdims=True))")),
    mlp("logits for probabilities", ("dscores = probs.copy()", "dscores = scores.copy()")),
    mlp("the loss's sign", (DIVIDED, "dscores = -dscores / N")),
    mlp("mse without its 2", ("2 * (scores - y) / N", "(scores - y) / N"), loss=MSE),
    mlp("mse over the outputs too", ("2 * (scores - y) / N", "2 * (scores - y) / scores.size"), loss=MSE),
    mlp("mse target minus output", ("2 * (scores - y)", "2 * (y - scores)"), loss=MSE),
    mlp("mse squared error itself", ("2 * (scores - y)", "(scores - y) ** 2"), loss=MSE),
    mlp("mse as mean absolute error", ("2 * (scores - y)", "np.sign(scores - y)"), loss=MSE),
    mlp("bce with sigmoid' left in", ("(probs - y) / N", "(probs - y) * probs * (1 - probs) / N"), loss=BINARY),
    mlp("bce on logits", ("(probs - y) / N", "(scores - y) / N"), loss=BINARY),
    mlp("bce divided by outputs", ("(probs - y) / N", "(probs - y) / N / y.shape[1]"), loss=BINARY),
    # activations
    mlp("tanh' without the square", (T2, "ds2 = da2 * (1 - a2)")),
    mlp("tanh' of z as if it were a", (T2, "ds2 = da2 * (1 - s2 ** 2)")),
    mlp("tanh' of a as if it were z", (T1, "ds1 = da1 * (1 - np.tanh(a1) ** 2)")),
    mlp("tanh' missing", (T1, "ds1 = da1")),
    mlp("tanh' missing everywhere", (T1, "ds1 = da1"), (T2, "ds2 = da2")),
    mlp("tanh' applied twice", (T2, T2 + " * (1 - a2 ** 2)")),
    mlp("tanh for tanh'", (T2, "ds2 = da2 * a2")),
    mlp("tanh' with a plus", (T2, "ds2 = da2 * (1 + a2 ** 2)")),
    mlp("tanh' of the layer below", (T2, "ds2 = da2 * (1 - a1 ** 2)")),
    mlp("tanh layer with sigmoid's derivative", (T2, "ds2 = da2 * a2 * (1 - a2)")),
    mlp("sigmoid' of z", (S2, "ds2 = da2 * s2 * (1 - s2)"), **SIG),
    mlp("sigmoid of the sigmoid", (S2, "q = 1 / (1 + np.exp(-a2))\nds2 = da2 * q * (1 - q)"), **SIG),
    mlp("sigmoid' half written", (S2, "ds2 = da2 * (1 - a2)"), **SIG),
    mlp("sigmoid' a (1 - a^2)", (S2, "ds2 = da2 * a2 * (1 - a2 ** 2)"), **SIG),
    mlp("sigmoid' as tanh'", (S2, "ds2 = da2 * (1 - a2 ** 2)"), **SIG),
    mlp("relu's mask from the signal", (R2, "ds2 = da2 * (da2 > 0)"), **RELU),
    mlp("relu's mask upside down", (R1, "ds1 = da1 * (s1 < 0)"), **RELU),
    mlp("relu forgotten", (R2, "ds2 = da2"), **RELU),
    mlp("relu's output for its step", (R2, "ds2 = da2 * a2"), **RELU),
    mlp("guided backprop", (R2, R2 + " * (da2 > 0)"), **RELU),
    mlp("leaky slope lost", ("ds2 = da2 * np.where(s2 > 0, 1, 0.01)", "ds2 = da2 * (s2 > 0)"), activation="leaky_relu"),
    mlp("leaky slope of 0.2", ("ds2 = da2 * np.where(s2 > 0, 1, 0.01)", "ds2 = da2 * np.where(s2 > 0, 1, 0.2)"), activation="leaky_relu"),
    mlp("leaky slope's sign", ("ds2 = da2 * np.where(s2 > 0, 1, 0.01)", "ds2 = da2 * np.where(s2 > 0, 1, -0.01)"), activation="leaky_relu"),
    mlp("elu's derivative without the one", ("np.where(s2 > 0, 1, a2 + 1)", "np.where(s2 > 0, 1, a2)"), activation="elu"),
    mlp("elu's exp of a", ("np.where(s2 > 0, 1, a2 + 1)", "np.where(s2 > 0, 1, np.exp(a2))"), activation="elu"),
    mlp("softplus with relu's step", ("ds2 = da2 * (1 / (1 + np.exp(-s2)))", "ds2 = da2 * (s2 > 0)"), activation="softplus"),
    mlp("softplus' of a", ("ds2 = da2 * (1 / (1 + np.exp(-s2)))", "ds2 = da2 * (1 / (1 + np.exp(-a2)))"), activation="softplus"),
    # dense layers
    mlp("bias a mean", ("db2 = dz2.sum(axis=0)", "db2 = dz2.mean(axis=0)")),
    mlp("bias without an axis", ("db2 = dz2.sum(axis=0)", "db2 = dz2.sum()")),
    mlp("bias over the wrong axis", ("db2 = dz2.sum(axis=0)", "db2 = dz2.sum(axis=1)"), N=6),
    mlp("bias of the last example", ("db1 = dz1.sum(axis=0)", "db1 = dz1[-1]")),
    mlp("bias from the activation's signal", ("db2 = dz2.sum(axis=0)", "db2 = da2.sum(axis=0)")),
    mlp("bias copied from the layer above", ("db1 = dz1.sum(axis=0)", "db1 = dz2.sum(axis=0)")),
    mlp("bias never set", ("db1 = dz1.sum(axis=0)", "db1 = np.zeros_like(b1)")),
    mlp("W without its transpose", ("dh1 = dz2 @ W2.T", "dh1 = dz2 @ W2")),
    mlp("the W of another layer", ("dh1 = dz2 @ W2.T", "dh1 = dz2 @ W1.T"), sizes=(6, 6, 6, 3)),
    mlp("weights from preactivations", ("dW3 = h2.T @ dscores", "dW3 = z2.T @ dscores")),
    mlp("weights from the input", ("dW2 = h1.T @ dz2", "dW2 = x.T @ dz2"), sizes=(6, 6, 6, 3)),
    mlp("weights from this layer's output", ("dW2 = h1.T @ dz2", "dW2 = h2.T @ dz2")),
    mlp("weights transposed", ("dW2 = h1.T @ dz2", "dW2 = dz2.T @ h1")),
    mlp("weights before the activation's derivative", ("dW2 = h1.T @ dz2", "dW2 = h1.T @ da2")),
    mlp("weights divided by the batch again", ("dW1 = x.T @ dz1", "dW1 = x.T @ dz1 / N")),
    mlp("the signal skips the activation", ("dh1 = dz2 @ W2.T", "dh1 = da2 @ W2.T")),
    mlp("weights of the last example", ("dW2 = h1.T @ dz2", "for k in range(N):\n    dW2 = np.outer(h1[k], dz2[k])")),
    mlp("the last example left out", ("dW2 = h1.T @ dz2", "dW2 = h1[:-1].T @ dz2[:-1]")),
    mlp("W updated before it is used", ("dh2 = dscores @ W3.T", "dh2 = dscores @ (W3 - 0.05 * dW3).T")),
    mlp("signs of W", ("dh2 = dscores @ W3.T", "dh2 = dscores @ np.sign(W3).T")),
    # L2
    mlp("L2 missing at one weight", ("dW2 = dW2 + lam * W2\n", ""), **L2),
    mlp("L2 missing", ("dW1 = dW1 + lam * W1\n", ""), ("dW2 = dW2 + lam * W2\n", ""), ("dW3 = dW3 + lam * W3\n", ""), **L2),
    mlp("L2 doubled", *((f"lam * W{n}\n", f"2 * lam * W{n}\n") for n in (1, 2, 3)), **L2),
    mlp("L2 by the batch", *((f"lam * W{n}\n", f"lam * W{n} / N\n") for n in (1, 2, 3)), **L2),
    mlp("L2 subtracted", ("dW2 = dW2 + lam * W2", "dW2 = dW2 - lam * W2"), **L2),
    mlp("L2 as L1", ("dW2 = dW2 + lam * W2", "dW2 = dW2 + lam * np.sign(W2)"), **L2),
    mlp("L2 without lambda", ("dW2 = dW2 + lam * W2", "dW2 = dW2 + W2"), **L2),
    mlp("L2 of another layer's W", ("dW3 = dW3 + lam * W3", "dW3 = dW3 + lam * W2"), sizes=(4, 6, 6, 6), **L2),
    mlp("L2 with the square", ("dW2 = dW2 + lam * W2", "dW2 = dW2 + lam * W2 ** 2"), **L2),
    mlp("L2 on the biases too", (END, END + "\n" + "".join(f"db{n} = db{n} + lam * b{n}\n" for n in (1, 2, 3))), **L2),
    # dropout
    mlp("mask forgotten", ("da2 = dh2 * masks[1]", "da2 = dh2"), kind="dropout", **DROP),
    mlp("mask forgotten everywhere", ("da2 = dh2 * masks[1]", "da2 = dh2"), ("da1 = dh1 * masks[0]", "da1 = dh1"), kind="dropout", **DROP),
    mlp("1/keep forgotten", ("da2 = dh2 * masks[1]", "da2 = dh2 * (masks[1] > 0)"), kind="dropout", **DROP),
    mlp("1/keep twice", ("da1 = dh1 * masks[0]", "da1 = dh1 * masks[0] / keep"), kind="dropout", **DROP),
    mlp("divided by the rate", ("da2 = dh2 * masks[1]", "da2 = dh2 * (masks[1] > 0) / (1 - keep)"), kind="dropout", **DROP),
    mlp("the other layer's mask", ("da1 = dh1 * masks[0]", "da1 = dh1 * masks[1]"), kind="dropout", **DROP),
    mlp("the dropped ones let through", ("da2 = dh2 * masks[1]", "da2 = dh2 * (masks[1] == 0) / keep"), kind="dropout", **DROP),
    mlp("derivative of the dropped activation", (T2, "ds2 = da2 * (1 - h2 ** 2)"), kind="dropout", **DROP),
    mlp("weights from the undropped activation", ("dW3 = h2.T @ dscores", "dW3 = a2.T @ dscores"), kind="dropout", **DROP),
    mlp("masks' order", ("da2 = dh2 * masks[1]", "da2 = dh2 * masks[0]"), ("da1 = dh1 * masks[0]", "da1 = dh1 * masks[1]"), kind="dropout", **DROP),
    # batch norm
    mlp("bn: through the mean forgotten", (BN1, BN1.replace(" + dmu1 / N", "")), kind="norm", **NORM),
    mlp("bn: through the variance forgotten", (BN1, BN1.replace(" + dvar1 * 2 * (z1 - mu1) / N", "")), kind="norm", **NORM),
    mlp("bn: statistics as constants", (BN1, "dz1 = dxhat1 / std1"), kind="norm", **NORM),
    mlp("bn: gamma forgotten", ("dxhat1 = ds1 * gamma1", "dxhat1 = ds1"), kind="norm", **NORM),
    mlp("bn: gamma's gradient from the output", ("dgamma2 = (ds2 * xhat2)", "dgamma2 = (ds2 * s2)"), kind="norm", **NORM),
    mlp("bn: gamma's gradient from the input", ("dgamma2 = (ds2 * xhat2)", "dgamma2 = (ds2 * z2)"), kind="norm", **NORM),
    mlp("bn: beta's gradient a mean", ("dbeta1 = ds1.sum(axis=0)", "dbeta1 = ds1.mean(axis=0)"), kind="norm", **NORM),
    mlp("bn: the variance's power", ("dvar2 = (dxhat2 * (z2 - mu2) * -0.5 * std2 ** -3)", "dvar2 = (dxhat2 * (z2 - mu2) * -0.5 * std2 ** -1)"), kind="norm", **NORM),
    mlp("bn: variance's 2 forgotten", (BN1, BN1.replace("dvar1 * 2 *", "dvar1 *")), kind="norm", **NORM),
    mlp("bn: gamma's gradient not summed by feature", ("(ds1 * xhat1).sum(axis=0)", "(ds1 * xhat1).sum()"), kind="norm", **NORM),
    mlp("bn: divided by the variance", (BN1, BN1.replace("dxhat1 / std1", "dxhat1 / (var1 + 1e-5)")), kind="norm", **NORM),
    mlp("bn: mean's 1/N forgotten", (BN1, BN1.replace("dmu1 / N", "dmu1")), kind="norm", **NORM),
    mlp("bn: unbiased variance", (BN1, BN1.replace("(z1 - mu1) / N", "(z1 - mu1) / (N - 1)")), kind="norm", **NORM),
    # what happens afterwards
    mlp("clipped by value", (END, END + "\n" + CLIP.format("np.clip(v, -0.02, 0.02)"))),
    mlp("descent direction returned", (END, END + "\n" + CLIP.format("-v"))),
    mlp("times a learning rate", (END, END + "\n" + CLIP.format("0.01 * v"))),
    mlp("two calls added up", (END, END + "\n" + CLIP.format("2 * v"))),
    # convolutions
    conv("kernel flipped on the way down", ("s] * conv2_W[f]", "s] * conv2_W[f, :, ::-1, ::-1]")),
    conv("padding not cut off", ("dbelow2 = dap[:, :, pad:pad + p1.shape[2], pad:pad + p1.shape[3]]", "dbelow2 = dap[:, :, :p1.shape[2], :p1.shape[3]]")),
    conv("bias over the examples of one pixel", ("dconv2_b = dz2.sum(axis=(0, 2, 3))", "dconv2_b = dz2[:, :, 0, 0].sum(axis=0)")),
    conv("bias a mean over pixels", ("dconv1_b = dz1.sum(axis=(0, 2, 3))", "dconv1_b = dz1.mean(axis=(2, 3)).sum(axis=0)")),
    conv("bias a mean over all", ("dconv1_b = dz1.sum(axis=(0, 2, 3))", "dconv1_b = dz1.mean(axis=(0, 2, 3))")),
    conv("bias of everything", ("dconv2_b = dz2.sum(axis=(0, 2, 3))", "dconv2_b = dz2.sum()")),
    conv("kernel's gradient of the last image", ("dconv1_W[f] += dz1[k, f, r, s] * ap[k, :, r:r+kh, s:s+kw]", "dconv1_W[f] += (k == N - 1) * dz1[k, f, r, s] * ap[k, :, r:r+kh, s:s+kw]")),
    conv("kernel's gradient flipped", ("dconv1_b = dz1", "dconv1_W = dconv1_W[:, :, ::-1, ::-1]\ndconv1_b = dz1")),
    conv("kernel's rows and columns swapped", ("dconv2_b = dz2", "dconv2_W = dconv2_W.transpose(0, 1, 3, 2)\ndconv2_b = dz2")),
    conv("input gradient overwritten", ("dap[k, :, r:r+kh, s:s+kw] += dz2", "dap[k, :, r:r+kh, s:s+kw] = dz2")),
    conv("kernel's gradient overwritten", ("dconv2_W[f] += dz2", "dconv2_W[f] = dz2")),
    conv("kernel's gradient by the batch", ("dconv1_b = dz1", "dconv1_W = dconv1_W / N\ndconv1_b = dz1")),
    conv("max pool gives to all four", ("dz1 = dp1.repeat(2, axis=2).repeat(2, axis=3) * (z1 == p1.repeat(2, axis=2).repeat(2, axis=3))", "dz1 = dp1.repeat(2, axis=2).repeat(2, axis=3)")),
    conv("max pool as an average", ("dz2 = dp2.repeat(2, axis=2).repeat(2, axis=3) * (z2 == p2.repeat(2, axis=2).repeat(2, axis=3))", "dz2 = dp2.repeat(2, axis=2).repeat(2, axis=3) / 4")),
    conv("max pool to the corner", ("dz2 = dp2.repeat(2, axis=2).repeat(2, axis=3) * (z2 == p2.repeat(2, axis=2).repeat(2, axis=3))", "dz2 = np.zeros(z2.shape)\ndz2[:, :, ::2, ::2] = dp2")),
    conv("average pool without its quarter", ("dz1 = dp1.repeat(2, axis=2).repeat(2, axis=3) / 4", "dz1 = dp1.repeat(2, axis=2).repeat(2, axis=3)"), pool="average"),
    conv("average pool halved", ("dz2 = dp2.repeat(2, axis=2).repeat(2, axis=3) / 4", "dz2 = dp2.repeat(2, axis=2).repeat(2, axis=3) / 2"), pool="average"),
    conv("relu forgotten after the pool", ("dp2 = dr2 * (p2 > 0)", "dp2 = dr2")),
    conv("flattened channels last", ("dr2 = dflat.reshape(r2.shape)", "n, c, h, w = r2.shape\ndr2 = dflat.reshape(n, h, w, c).transpose(0, 3, 1, 2)")),
    conv("channels of a square kernel swapped", ("s] * conv2_W[f]", "s] * conv2_W[:, f]"), filters=(4, 4)),
    conv("the last row left out", ("dconv1_b = dz1.sum(axis=(0, 2, 3))", "dconv1_b = dz1[:, :, :-1, :].sum(axis=(0, 2, 3))")),
    conv("conv: L2 missing", ("dconv1_W = dconv1_W + lam * conv1_W\n", ""), **L2),
    # LSTM
    lstm("cell's way back lost", ("dc = dcnext + dh", "dc = dh")),
    lstm("state's way back lost", ("dh = dhs[t] + dhnext", "dh = dhs[t]"), every_step=True),
    lstm("tanh' of the cell missing", ("dc = dcnext + dh * o[t] * (1 - np.tanh(cs[t]) ** 2)", "dc = dcnext + dh * o[t]")),
    lstm("tanh' of the cell at c", ("(1 - np.tanh(cs[t]) ** 2)", "(1 - cs[t] ** 2)")),
    lstm("tanh' of the cell at h", ("(1 - np.tanh(cs[t]) ** 2)", "(1 - hs[t] ** 2)")),
    lstm("output gate missing on the way to c", ("dh * o[t] * (1", "dh * (1")),
    lstm("forget gate from the new cell", ("df = dc * cs[t-1]", "df = dc * cs[t]")),
    lstm("output gate without tanh", ("do = dh * np.tanh(cs[t])", "do = dh * cs[t]")),
    lstm("sigmoid' missing at o", ("dao = do * o[t] * (1 - o[t])", "dao = do")),
    lstm("sigmoid for sigmoid' at i", ("dai = di * i[t] * (1 - i[t])", "dai = di * i[t]")),
    lstm("sigmoid' half at f", ("daf = df * f[t] * (1 - f[t])", "daf = df * (1 - f[t])")),
    lstm("sigmoid' at the candidate", ("dag = dg * (1 - g[t] ** 2)", "dag = dg * g[t] * (1 - g[t])")),
    lstm("candidate's square forgotten", ("dag = dg * (1 - g[t] ** 2)", "dag = dg * (1 - g[t])")),
    lstm("i and g mixed up", ("di = dc * g[t]", "di = dc * i[t]"), ("dg = dc * i[t]", "dg = dc * g[t]")),
    lstm("cell handed on without f", ("dcnext = dc * f[t]", "dcnext = dc")),
    lstm("cell handed on by i", ("dcnext = dc * f[t]", "dcnext = dc * i[t]")),
    lstm("one gate not handed on", ("daf @ Wh_f.T + ", "")),
    lstm("handed on without a transpose", ("dag @ Wh_g.T", "dag @ Wh_g")),
    lstm("Wh from the new state", ("dWh_f += hs[t-1].T @ daf", "dWh_f += hs[t].T @ daf")),
    lstm("Wh from the new state everywhere", *((f"dWh_{q} += hs[t-1].T", f"dWh_{q} += hs[t].T") for q in "ifgo")),
    lstm("bias overwritten", ("db_i += dai.sum(axis=0)", "db_i = dai.sum(axis=0)")),
    lstm("Wx overwritten", ("dWx_o += x[t].T", "dWx_o = x[t].T")),
    lstm("every sum overwritten", *((f"d{w}_{q} +=", f"d{w}_{q} =") for q in "ifgo" for w in ("Wx", "Wh", "b"))),
    lstm("x of the wrong time", ("dWx_i += x[t].T", "dWx_i += x[t-1].T")),
    lstm("first step left out", ("for t in reversed(range(T)):", "for t in reversed(range(1, T)):")),
    lstm("time runs forward", ("for t in reversed(range(T)):", "for t in range(T):"), every_step=True),
    lstm("sequences averaged over time", (DIVIDED, "dscores = dscores / N / T"), every_step=True),
    lstm("cell's gradient overwritten by the state's", ("dcnext = dc * f[t]", "dcnext = dh * f[t]")),
    lstm("one sigmoid for all of do", ("do = dh * np.tanh(cs[t])", "do = dh")),
    lstm("lstm: L2 missing on Wh", ("dWh_g = dWh_g + lam * Wh_g\n", ""), **L2),
]  # fmt: skip

PAIRS = [
    mlp("mse's 2, and tanh' missing", ("2 * (scores - y)", "(scores - y)"), (T1, "ds1 = da1"), loss=MSE),
    mlp("not divided, and a bias mean", (DIVIDED, "dscores = dscores"), ("db1 = dz1.sum(axis=0)", "db1 = dz1.mean(axis=0)")),
    mlp("two biases' ways", ("db3 = dscores.sum(axis=0)", "db3 = dscores.mean(axis=0)"), ("db1 = dz1.sum(axis=0)", "db1 = dz1[-1]")),
    mlp("no square, and no transpose", (T2, "ds2 = da2 * (1 - a2)"), ("dW1 = x.T @ dz1", "dW1 = x.T @ dz1 / N")),
    mlp("transpose, and tanh' at z", ("dh1 = dz2 @ W2.T", "dh1 = dz2 @ W2"), (T1, "ds1 = da1 * (1 - s1 ** 2)")),
    mlp("mask, and square", ("da2 = dh2 * masks[1]", "da2 = dh2"), (T1, "ds1 = da1 * (1 - a1)"), **DROP),
    mlp("L2 doubled, and a bias mean", ("dW1 = dW1 + lam * W1", "dW1 = dW1 + 2 * lam * W1"), ("db2 = dz2.sum(axis=0)", "db2 = dz2.mean(axis=0)"), **L2),
    mlp("softmax over the batch, and relu lost", ("e.sum(axis=1, keepdims=True)", "e.sum(axis=0, keepdims=True)"), (R1, "ds1 = da1"), **RELU),
    mlp("gamma and the mean", ("dxhat2 = ds2 * gamma2", "dxhat2 = ds2"), (BN1, BN1.replace(" + dmu1 / N", "")), **NORM),
    mlp("sigmoid' half, bias mean", (S2, "ds2 = da2 * (1 - a2)"), (END, "db1 = dz1.mean(axis=0)"), **SIG),
    conv("relu lost, and a bias mean", ("dp2 = dr2 * (p2 > 0)", "dp2 = dr2"), ("dconv1_b = dz1.sum(axis=(0, 2, 3))", "dconv1_b = dz1.mean(axis=(0, 2, 3))")),
    conv("flipped kernel, and all four pixels", ("s] * conv2_W[f]", "s] * conv2_W[f, :, ::-1, ::-1]"), ("dz1 = dp1.repeat(2, axis=2).repeat(2, axis=3) * (z1 == p1.repeat(2, axis=2).repeat(2, axis=3))", "dz1 = dp1.repeat(2, axis=2).repeat(2, axis=3)")),
    conv("not divided, padding not cut off", (DIVIDED, "dscores = dscores"), ("dbelow2 = dap[:, :, pad:pad + p1.shape[2], pad:pad + p1.shape[3]]", "dbelow2 = dap[:, :, :p1.shape[2], :p1.shape[3]]")),
    lstm("output bias mean, and the cell's way", ("dby = dscores.sum(axis=0)", "dby = dscores.mean(axis=0)"), ("dc = dcnext + dh", "dc = dh")),
    lstm("no label, sigmoid' at o", ("dscores[np.arange(len(y)), y] -= 1\n", ""), ("dao = do * o[t] * (1 - o[t])", "dao = do * (1 - o[t])")),
    lstm("two gates' sums", ("db_i += dai.sum(axis=0)", "db_i = dai.sum(axis=0)"), ("dWh_f += hs[t-1].T", "dWh_f += hs[t].T")),
]  # fmt: skip

#: Written after the search, with its edits known: what is left for it to miss.
LATER = [
    mlp("one subtracted after the division", ("dscores[np.arange(len(y)), y] -= 1\ndscores = dscores / N", "dscores = dscores / N\ndscores[np.arange(len(y)), y] -= 1")),
    mlp("focal by accident", (DIVIDED, "dscores = dscores * probs / N")),
    mlp("divided by the classes", (DIVIDED, "dscores = dscores / probs.shape[1]")),
    mlp("divided by all entries", (DIVIDED, "dscores = dscores / probs.size")),
    mlp("(1 - a)^2", (T2, "ds2 = da2 * (1 - a2) ** 2")),
    mlp("arctan's derivative", (T2, "ds2 = da2 / (1 + s2 ** 2)")),
    mlp("a^2 - 1", (T1, "ds1 = da1 * (a1 ** 2 - 1)")),
    mlp("1 - a z", (T2, "ds2 = da2 * (1 - a2 * s2)")),
    mlp("half a square", (T2, "ds2 = da2 * (1 - 0.5 * a2 ** 2)")),
    mlp("sigmoid' with a plus", (S2, "ds2 = da2 * a2 * (1 + a2)"), **SIG),
    mlp("sigmoid' squared", (S2, "ds2 = da2 * (a2 * (1 - a2)) ** 2"), **SIG),
    mlp("sigmoid' of the layer below", (S2, "ds2 = da2 * a1 * (1 - a1)"), **SIG),
    mlp("relu's mask of the layer below", (R2, "ds2 = da2 * (s1 > 0)"), **RELU),
    mlp("relu' as sign", (R2, "ds2 = da2 * np.sign(s2)"), **RELU),
    mlp("softplus' is exp", ("ds2 = da2 * (1 / (1 + np.exp(-s2)))", "ds2 = da2 * (1 / (1 + np.exp(s2)))"), activation="softplus"),
    mlp("weights by N - 1", ("dW2 = h1.T @ dz2", "dW2 = h1.T @ dz2 / (N - 1)")),
    mlp("every weight by N", ("dW3 = h2.T @ dscores", "dW3 = h2.T @ dscores / N"), ("dW2 = h1.T @ dz2", "dW2 = h1.T @ dz2 / N"), ("dW1 = x.T @ dz1", "dW1 = x.T @ dz1 / N")),
    mlp("every bias a mean", ("db3 = dscores.sum(axis=0)", "db3 = dscores.mean(axis=0)"), ("db2 = dz2.sum(axis=0)", "db2 = dz2.mean(axis=0)"), ("db1 = dz1.sum(axis=0)", "db1 = dz1.mean(axis=0)")),
    mlp("the bias in the signal", ("dh2 = dscores @ W3.T", "dh2 = (dscores + b3) @ W3.T")),
    mlp("first half of the batch", ("dW1 = x.T @ dz1", "dW1 = x[:N // 2].T @ dz1[:N // 2]")),
    mlp("L2 halved", ("dW2 = dW2 + lam * W2", "dW2 = dW2 + 0.5 * lam * W2"), **L2),
    mlp("L2 summed up", ("dW2 = dW2 + lam * W2", "dW2 = dW2 + lam * W2.sum()"), **L2),
    mlp("L2 decays the gradient", ("dW2 = dW2 + lam * W2", "dW2 = dW2 + lam * dW2"), **L2),
    mlp("mask twice", ("da2 = dh2 * masks[1]", "da2 = dh2 * masks[1] * masks[1]"), kind="dropout", **DROP),
    mlp("times keep instead of by it", ("da2 = dh2 * masks[1]", "da2 = dh2 * (masks[1] > 0) * keep"), kind="dropout", **DROP),
    mlp("bn: mean's sign", (BN1, BN1.replace("+ dmu1", "- dmu1")), kind="norm", **NORM),
    mlp("bn: std for its inverse", (BN1, BN1.replace("dxhat1 / std1", "dxhat1 * std1")), kind="norm", **NORM),
    mlp("bn: beta for gamma", ("dxhat1 = ds1 * gamma1", "dxhat1 = ds1 * beta1"), kind="norm", **NORM),
    mlp("bn: gamma of the other layer", ("dxhat1 = ds1 * gamma1", "dxhat1 = ds1 * gamma2"), kind="norm", **NORM),
    mlp("bn: gamma's gradient with gamma", ("dgamma1 = (ds1 * xhat1)", "dgamma1 = (ds1 * gamma1 * xhat1)"), kind="norm", **NORM),
    mlp("clipped at one tensor", (END, END + "\ndW1 = np.clip(dW1, -0.01, 0.01)")),
    mlp("whole gradient to norm one", (END, END + "\nq = np.sqrt(sum((v ** 2).sum() for v in (dW3, db3, dW2, db2, dW1, db1)))\n" + CLIP.format("v / q"))),
    conv("bias lost its columns", ("dconv2_b = dz2.sum(axis=(0, 2, 3))", "dconv2_b = dz2[:, :, :, 0].sum(axis=(0, 2))")),
    conv("kernel's gradient a mean over pixels", ("dconv1_b = dz1", "dconv1_W = dconv1_W / (R * S)\ndconv1_b = dz1")),
    conv("pool's winners of the other sign", ("dz2 = dp2.repeat(2, axis=2).repeat(2, axis=3) * (z2 == p2.repeat(2, axis=2).repeat(2, axis=3))", "dz2 = dp2.repeat(2, axis=2).repeat(2, axis=3) * (z2 != p2.repeat(2, axis=2).repeat(2, axis=3))")),
    conv("relu after the pool by its gradient", ("dp2 = dr2 * (p2 > 0)", "dp2 = dr2 * (dr2 > 0)")),
    conv("every convolution's kernel flipped", ("dconv1_b = dz1", "dconv1_W = dconv1_W[:, :, ::-1, ::-1]\ndconv1_b = dz1"), ("dconv2_b = dz2", "dconv2_W = dconv2_W[:, :, ::-1, ::-1]\ndconv2_b = dz2")),
    lstm("forget gate by the incoming cell alone", ("df = dc * cs[t-1]", "df = dcnext * cs[t-1]")),
    lstm("state's gradient added to the cell's", ("dc = dcnext + dh", "dc = dcnext + dhnext + dh")),
    lstm("i's weights with f's signal", ("dWx_i += x[t].T @ dai", "dWx_i += x[t].T @ daf")),
    lstm("Wh's gradient from x's time", ("dWh_o += hs[t-1].T", "dWh_o += cs[t-1].T")),
    lstm("gate o of the candidate's form", ("dao = do * o[t] * (1 - o[t])", "dao = do * (1 - o[t] ** 2)")),
    lstm("every sigmoid' half", ("dai = di * i[t] * (1 - i[t])", "dai = di * (1 - i[t])"), ("daf = df * f[t] * (1 - f[t])", "daf = df * (1 - f[t])"), ("dao = do * o[t] * (1 - o[t])", "dao = do * (1 - o[t])")),
    lstm("handed on through one weight", ("dai @ Wh_i.T + daf @ Wh_f.T", "dai @ Wh_f.T + daf @ Wh_f.T")),
    lstm("two steps of truncated backprop", ("for t in reversed(range(T)):", "for t in reversed(range(T - 2, T)):"), every_step=True),
    lstm("signal doubled in time", ("dh = dhs[t] + dhnext", "dh = dhs[t] + 2 * dhnext")),
]  # fmt: skip

#: What an earlier sketch of the search could not name, and this one was built to.
MISSED = [
    lstm("x reversed in time", ("dWx_i += x[t].T", "dWx_i += x[T-1-t].T")),
    lstm("x reversed in time everywhere", *((f"dWx_{q} += x[t].T", f"dWx_{q} += x[T-1-t].T") for q in "ifgo")),
    lstm("nothing carried back", ("dc = dcnext + dh", "dc = dh"), ("dh = dhs[t] + dhnext", "dh = dhs[t]"), every_step=True),
    lstm("output of the last round alone", ("dWy = top.T @ dscores", "dWy = top[:N].T @ dscores[:N]"), every_step=True),
    lstm("output bias of the last step", ("dby = dscores.sum(axis=0)", "dby = dscores[-N:].sum(axis=0)"), every_step=True),
    mlp("a loss scale left in", (END, END + "\n" + CLIP.format("(256 * v).astype(np.float16).astype(float)"))),
    mlp("no square, and clipped", (T2, "ds2 = da2 * (1 - a2)"), (END, END + "\n" + CLIP.format("np.clip(v, -0.05, 0.05)"))),
    mlp("not divided, and clipped", (DIVIDED, "dscores = dscores"), (END, END + "\n" + CLIP.format("np.clip(v, -0.5, 0.5)"))),
]  # fmt: skip

DROPPED = ("dc = dcnext + dh", "dc = dh"), ("dh = dhs[t] + dhnext", "dh = dhs[t]")
FROM_2 = (
    ("dc = dcnext + dh", "dc = dcnext * (t > 1) + dh"),
    ("dh = dhs[t] + dhnext", "dh = dhs[t] + dhnext * (t > 1)"),
)
EVERY = {"every_step": True}
L2_END = "dW3 = dW3 + lam * W3\n"
#: What the search missed when it was tried out again, on variants of what it had been built for.
MISSED_AGAIN = [
    lstm("nothing carried back over two steps", *DROPPED, T=2, **EVERY),
    lstm("nothing carried back, with L2", *DROPPED, **EVERY, **L2),
    lstm("carried back over the last steps", *FROM_2, **EVERY),
    lstm("state carried back over the last steps", FROM_2[1], **EVERY),
    lstm("cell carried back over the first steps", ("dc = dcnext + dh", "dc = dcnext * (t < T - 2) + dh")),
    lstm("a gate's sums overwritten", *((f"d{w}_f +=", f"d{w}_f =") for w in ("Wx", "Wh", "b"))),
    lstm("steps read as examples", ("dhs[:] = dtop.reshape(T, N, H)", "dhs[:] = dtop.reshape(N, T, H).transpose(1, 0, 2)"), **EVERY),
    lstm("h reversed in time", *((f"dWh_{q} += hs[t-1].T", f"dWh_{q} += hs[T-2-t].T") for q in "ifgo")),
    lstm("sequences the other way round", ("T, N, D = x.shape\n", "x = x[::-1]\nT, N, D = x.shape\n")),
    mlp("no masks in backprop", ("N = x.shape[0]\n", "N = x.shape[0]\nmasks = [np.ones_like(m) for m in masks]\n"), **DROP),
    mlp("a row never written, with L2", (END, END + "\ndW2[3] = 0"), **L2),
    mlp("an entry never written, with L2", (END, END + "\ndW2[3, 2] = 0"), **L2),
    mlp("a row lost, L2 and all", (L2_END, L2_END + "dW2[3] = 0\n"), **L2),
    mlp("a loss scale of ten", (END, END + "\n" + CLIP.format("(1000 * v).astype(np.float16).astype(float)"))),
]  # fmt: skip

RANDOM = "R = np.random.default_rng(5)\n"
#: Masks that the backward pass draws for itself: no line says which, but they can be solved for.
NEW_TOP = RANDOM + "da2 = dh2 * (R.random(dh2.shape) < keep) / keep"
NEW_LOW = "R = np.random.default_rng(6)\nda1 = dh1 * (R.random(dh1.shape) < keep) / keep"
DRAWN = [
    mlp("new masks in backward", ("da2 = dh2 * masks[1]", NEW_TOP), **DROP),
    mlp("new masks below", ("da1 = dh1 * masks[0]", NEW_LOW), **DROP),
    mlp("new masks in both layers", ("da2 = dh2 * masks[1]", NEW_TOP), ("da1 = dh1 * masks[0]", NEW_LOW), **DROP),
    mlp("new masks under relu", ("da1 = dh1 * masks[0]", NEW_LOW), activation="relu", **DROP),
    mlp("one row for all", ("da2 = dh2 * masks[1]", RANDOM + "da2 = dh2 * (R.random(6) < keep) / keep"), **DROP),
    mlp("new masks not scaled", ("da1 = dh1 * masks[0]", NEW_LOW.replace(" / keep", "")), **DROP),
]  # fmt: skip
NAMELESS = [
    mlp("noise on top of everything", (END, END + "\n" + RANDOM + CLIP.format("v * (1 + 0.1 * R.standard_normal(v.shape))"))),
    mlp("a random feedback matrix", ("dh1 = dz2 @ W2.T", RANDOM + "dh1 = dz2 @ R.standard_normal(W2.shape).T")),
    mlp("labels shuffled", ("dscores = probs.copy()", RANDOM + "y = R.permutation(y)\ndscores = probs.copy()")),
    mlp("a random tensor", ("dW2 = h1.T @ dz2", RANDOM + "dW2 = R.standard_normal(W2.shape)")),
    mlp("weights of some other time", ("z2 = h1 @ W2 + b2", RANDOM + "W2 = W2 + 0.1 * R.standard_normal(W2.shape)\nz2 = h1 @ W2 + b2")),
    mlp("a hinge loss's gradient", (DIVIDED, "m = scores - scores[np.arange(N), y][:, None] + 1\nm = (m > 0) * 1.0\nm[np.arange(N), y] = 0\nm[np.arange(N), y] = -m.sum(axis=1)\ndscores = m / N")),
    mlp("a focal loss's gradient", (DIVIDED, "py = probs[np.arange(N), y][:, None]\ndscores = dscores * ((1 - py) ** 2 - 2 * py * (1 - py) * np.log(py)) / N")),
    mlp("straight-through quantised weights", ("dh2 = dscores @ W3.T", "dh2 = dscores @ np.round(W3 * 4).T / 4")),
    mlp("three at once", (T2, "ds2 = da2 * np.cos(a2) * s2"), ("dh1 = dz2 @ W2.T", "dh1 = np.exp(dz2) @ W2"), (T1, "ds1 = np.sin(da1)")),
    mlp("entries sorted", ("dW1 = x.T @ dz1", "dW1 = np.sort(x.T @ dz1, axis=0)")),
    mlp("bn: running statistics", ("dxhat1 = ds1 * gamma1", "std1 = 0.9 + 0.1 * std1\ndxhat1 = ds1 * gamma1"), **NORM),
    conv("a random kernel", ("s] * conv2_W[f]", "s] * (conv2_W[f] + 0.1 * np.sin(np.arange(conv2_W[f].size) ** 2).reshape(conv2_W[f].shape))")),
    conv("a smoothed kernel", ("dconv1_b = dz1", "dconv1_W = dconv1_W + 0.3 * np.roll(dconv1_W, 1, axis=2) ** 2\ndconv1_b = dz1")),
    lstm("peepholes that forward has not", ("df = dc * cs[t-1]", "df = dc * cs[t-1] + 0.1 * cs[t] ** 2")),
    lstm("noise in the state", ("dh = dhs[t] + dhnext", "dh = dhs[t] + dhnext * (1 + 0.05 * np.sin(np.arange(N * H) ** 2).reshape(N, H))")),
]  # fmt: skip

"""Layers as people write them in plain numpy: each right, and with bugs that people make.

A case is forward, inputs, and backward passes: the right one, then (what is wrong, the inputs
whose gradient it spoils, backward). Nothing in here knows of gradlab.
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Layer:
    forward: object
    inputs: tuple
    right: object
    bugs: dict = field(default_factory=dict)  # name: (the wrong inputs, backward)
    named: tuple = ()  # bugs whose wrong line is to be told


def normal(*shape, seed=0):
    return np.random.default_rng((seed, *shape)).standard_normal(shape)


# -- dense, as CS231n's affine layer: any shape behind the examples ----------------------------


def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db


def affine_mean(dout, cache):
    dx, dw, db = affine_backward(dout, cache)
    return dx, dw / len(dout), db


def affine_no_transpose(dout, cache):
    x, w, b = cache
    _, dw, db = affine_backward(dout, cache)
    return dout.dot(w).reshape(x.shape), dw, db


def affine_percent(dout, cache):
    dx, dw, db = affine_backward(dout, cache)
    return dx, dw, 1.01 * db


AFFINE = Layer(
    affine_forward,
    (normal(5, 2, 2), normal(4, 4, seed=1), normal(4, seed=2)),
    affine_backward,
    {
        "mean": ({"w"}, affine_mean),
        "no transpose": ({"x"}, affine_no_transpose),
        "one percent": ({"b"}, affine_percent),
    },
    ("mean", "no transpose", "one percent"),
)


# -- dense, as torch has it, inputs handed over and a dict coming back --------------------------


def linear(x, W, b):
    return x @ W.T + b


def linear_backward(dout, x, W, b):
    return {"dx": dout @ W, "dW": dout.T @ x, "db": dout.sum(0)}


def linear_first_example(dout, x, W, b):
    return {**linear_backward(dout, x, W, b), "db": dout[0]}


def linear_sign(dout, x, W, b):
    return {**linear_backward(dout, x, W, b), "dx": -(dout @ W)}


LINEAR = Layer(
    linear,
    (normal(6, 3), normal(4, 3, seed=1), normal(4, seed=2)),
    linear_backward,
    {"first example": ({"b"}, linear_first_example), "sign": ({"x"}, linear_sign)},
    ("first example", "sign"),
)


# -- activations ------------------------------------------------------------------------------


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def relu_of_dout(dout, cache):
    return dout * (dout > 0)


def relu_ungated(dout, cache):
    return dout


RELU = Layer(
    relu_forward,
    (normal(5, 4),),
    relu_backward,
    {"of dout": ({"x"}, relu_of_dout), "ungated": ({"x"}, relu_ungated)},
    ("of dout", "ungated"),
)


def tanh_forward(x):
    out = np.tanh(x)
    return out, out


def tanh_backward(dout, out):
    return dout * (1 - out**2)


def tanh_twice(dout, out):
    return dout * (1 - np.tanh(out) ** 2)


def tanh_not_squared(dout, out):
    return dout * (1 - out)


TANH = Layer(
    tanh_forward,
    (normal(3, 4),),
    tanh_backward,
    {"twice": ({"x"}, tanh_twice), "not squared": ({"x"}, tanh_not_squared)},
    ("twice", "not squared"),
)


# -- batch norm ---------------------------------------------------------------------------------


def batchnorm_forward(x, gamma, beta, bn_param):
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    mean, var = x.mean(axis=0), x.var(axis=0)
    std = np.sqrt(var + eps)
    x_hat = (x - mean) / std
    out = gamma * x_hat + beta
    running = bn_param.get("running_mean", np.zeros(x.shape[1]))
    bn_param["running_mean"] = momentum * running + (1 - momentum) * mean
    return out, (x_hat, gamma, std)


def batchnorm_backward(dout, cache):
    x_hat, gamma, std = cache
    N = len(dout)
    dgamma = np.sum(dout * x_hat, axis=0)
    dbeta = np.sum(dout, axis=0)
    dxhat = dout * gamma
    dx = (N * dxhat - dxhat.sum(axis=0) - x_hat * (dxhat * x_hat).sum(axis=0)) / (N * std)
    return dx, dgamma, dbeta


def batchnorm_constant(dout, cache):
    x_hat, gamma, std = cache
    _, dgamma, dbeta = batchnorm_backward(dout, cache)
    return dout * gamma / std, dgamma, dbeta


def batchnorm_no_variance(dout, cache):
    x_hat, gamma, std = cache
    _, dgamma, dbeta = batchnorm_backward(dout, cache)
    dxhat = dout * gamma
    return (dxhat - dxhat.mean(axis=0)) / std, dgamma, dbeta


def batchnorm_wrong_gamma(dout, cache):
    dx, _, dbeta = batchnorm_backward(dout, cache)
    return dx, dout.sum(axis=0), dbeta


BATCHNORM = Layer(
    batchnorm_forward,
    (normal(6, 4), normal(4, seed=1), normal(4, seed=2), {"mode": "train"}),
    batchnorm_backward,
    {
        "constant": ({"x"}, batchnorm_constant),
        "no variance": ({"x"}, batchnorm_no_variance),
        "wrong gamma": ({"gamma"}, batchnorm_wrong_gamma),
    },
    ("constant", "no variance", "wrong gamma"),
)


# -- layer norm ---------------------------------------------------------------------------------


def layernorm_forward(x, gamma, beta, eps=1e-5):
    mu = x.mean(axis=1, keepdims=True)
    var = ((x - mu) ** 2).mean(axis=1, keepdims=True)
    inv = 1 / np.sqrt(var + eps)
    xhat = (x - mu) * inv
    return gamma * xhat + beta, (xhat, inv, gamma)


def layernorm_backward(dout, cache):
    xhat, inv, gamma = cache
    dxhat = dout * gamma
    dx = inv * (
        dxhat
        - dxhat.mean(axis=1, keepdims=True)
        - xhat * (dxhat * xhat).mean(axis=1, keepdims=True)
    )
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def layernorm_other_axis(dout, cache):
    xhat, inv, gamma = cache
    dxhat = dout * gamma
    dx = inv * (dxhat - dxhat.mean(axis=0) - xhat * (dxhat * xhat).mean(axis=1, keepdims=True))
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def layernorm_no_gamma(dout, cache):
    xhat, inv, gamma = cache
    dx = layernorm_backward(dout, (xhat, inv, np.ones_like(gamma)))[0]
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


LAYERNORM = Layer(
    layernorm_forward,
    (normal(4, 6), normal(6, seed=1), normal(6, seed=2)),
    layernorm_backward,
    {"other axis": ({"x"}, layernorm_other_axis), "no gamma": ({"x"}, layernorm_no_gamma)},
    ("other axis", "no gamma"),
)


# -- convolution and pool, as CS231n's naive ones -----------------------------------------------


def conv_forward(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    Ho, Wo = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, Ho, Wo))
    for n in range(N):
        for f in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    patch = xp[n, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
                    out[n, f, i, j] = np.sum(patch * w[f]) + b[f]
    return out, (x, w, b, conv_param)


def conv_backward_with(flip=False, keep_pad=False, wrong_stride=False):
    def backward(dout, cache):
        x, w, b, conv_param = cache
        stride, pad = conv_param["stride"], conv_param["pad"]
        HH, WW = w.shape[2:]
        xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
        dxp, dw, db = np.zeros_like(xp), np.zeros_like(w), dout.sum(axis=(0, 2, 3))
        step = 1 if wrong_stride else stride
        for n, f, i, j in np.ndindex(dout.shape):
            patch = (
                slice(i * stride, i * stride + HH),
                slice(j * stride, j * stride + WW),
            )
            again = (slice(i * step, i * step + HH), slice(j * step, j * step + WW))
            dw[f] += dout[n, f, i, j] * xp[n][:, patch[0], patch[1]]
            kernel = w[f][:, ::-1, ::-1] if flip else w[f]
            dxp[n][:, again[0], again[1]] += dout[n, f, i, j] * kernel
        h, v = x.shape[2:]
        dx = dxp[:, :, :h, :v] if keep_pad else dxp[:, :, pad : pad + h, pad : pad + v]
        return dx, dw, db

    return backward


CONV = Layer(
    conv_forward,
    (normal(2, 2, 5, 5), normal(3, 2, 3, 3), normal(3), {"stride": 2, "pad": 1}),
    conv_backward_with(),
    {
        "flipped": ({"x"}, conv_backward_with(flip=True)),
        "pad not cut off": ({"x"}, conv_backward_with(keep_pad=True)),
        "stride forgotten": ({"x"}, conv_backward_with(wrong_stride=True)),
    },
)
CONV_1 = Layer(
    conv_forward,
    (normal(2, 2, 4, 5), normal(3, 2, 3, 3), normal(3), {"stride": 1, "pad": 1}),
    conv_backward_with(),
    {
        "flipped": ({"x"}, conv_backward_with(flip=True)),
        "pad not cut off": ({"x"}, conv_backward_with(keep_pad=True)),
    },
    ("flipped", "pad not cut off"),
)


def max_pool_forward(x, pool_param):
    ph, pw, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    N, C, H, W = x.shape
    out = np.zeros((N, C, (H - ph) // s + 1, (W - pw) // s + 1))
    for n, c, i, j in np.ndindex(out.shape):
        out[n, c, i, j] = x[n, c, i * s : i * s + ph, j * s : j * s + pw].max()
    return out, (x, pool_param)


def max_pool_backward_with(kind="max"):
    def backward(dout, cache):
        x, pool_param = cache
        ph, pw, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
        dx = np.zeros_like(x)
        for n, c, i, j in np.ndindex(dout.shape):
            window = x[n, c, i * s : i * s + ph, j * s : j * s + pw]
            share = window == window.max() if kind != "average" else np.ones_like(window) / 4
            part = dx[n, c, i * s : i * s + ph, j * s : j * s + pw]
            if kind == "overwritten":
                part[...] = share * dout[n, c, i, j]
            elif kind == "shifted":
                part += share[::-1] * dout[n, c, i, j]
            else:
                part += share * dout[n, c, i, j]
        return dx

    return backward


MAX_POOL = Layer(
    max_pool_forward,
    (normal(2, 2, 4, 4), {"pool_height": 2, "pool_width": 2, "stride": 2}),
    max_pool_backward_with(),
    {
        "average": ({"x"}, max_pool_backward_with("average")),
        "shifted": ({"x"}, max_pool_backward_with("shifted")),
    },
    ("average",),
)
OVERLAPPING_POOL = Layer(
    max_pool_forward,
    (normal(1, 2, 5, 5), {"pool_height": 3, "pool_width": 3, "stride": 1}),
    max_pool_backward_with(),
    {
        "overwritten": ({"x"}, max_pool_backward_with("overwritten")),
        "shifted": ({"x"}, max_pool_backward_with("shifted")),
    },
)


# -- recurrent steps ----------------------------------------------------------------------------


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    dz = dnext_h * (1 - next_h**2)
    return dz @ Wx.T, dz @ Wh.T, x.T @ dz, prev_h.T @ dz, dz.sum(axis=0)


def rnn_no_tanh(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    return dnext_h @ Wx.T, dnext_h @ Wh.T, x.T @ dnext_h, prev_h.T @ dnext_h, dnext_h.sum(axis=0)


def rnn_untransposed(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    dx, _, dWx, dWh, db = rnn_step_backward(dnext_h, cache)
    return dx, dnext_h * (1 - next_h**2) @ Wh, dWx, dWh, db


RNN_STEP = Layer(
    rnn_step_forward,
    (normal(3, 4), normal(3, 5), 0.4 * normal(4, 5), 0.4 * normal(5, 5), normal(5)),
    rnn_step_backward,
    {
        "no tanh": ({"x", "prev_h", "Wx", "Wh", "b"}, rnn_no_tanh),
        "untransposed": ({"prev_h"}, rnn_untransposed),
    },
    ("no tanh", "untransposed"),
)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[1]
    a = x @ Wx + prev_h @ Wh + b
    i, f, o = (sigmoid(a[:, k * H : (k + 1) * H]) for k in range(3))
    g = np.tanh(a[:, 3 * H :])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)


def lstm_backward_with(kind=""):
    def lstm_step_backward(dnext_h, dnext_c, cache):
        x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
        t = np.tanh(next_c)
        do = dnext_h * t
        dc = dnext_c + dnext_h * o * (1 - t**2)
        if kind == "no dnext_c":
            dc = dnext_h * o * (1 - t**2)
        df, dprev_c, di, dg = dc * prev_c, dc * f, dc * g, dc * i
        if kind == "next_c for prev_c":
            df = dc * next_c
        parts = di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)
        if kind == "g as a sigmoid":
            parts = (*parts[:3], dg * g * (1 - g))
        da = np.hstack(parts)
        return da @ Wx.T, da @ Wh.T, dprev_c, x.T @ da, prev_h.T @ da, da.sum(axis=0)

    return lstm_step_backward


_SIGNALS = {"x", "prev_h", "Wx", "Wh", "b"}
LSTM_STEP = Layer(
    lstm_step_forward,
    (normal(3, 2), normal(3, 4), normal(3, 4, seed=1), normal(2, 16) / 2, normal(4, 16) / 2,
     normal(16)),
    lstm_backward_with(),
    {
        "no dnext_c": (_SIGNALS | {"prev_c"}, lstm_backward_with("no dnext_c")),
        "next_c for prev_c": (_SIGNALS, lstm_backward_with("next_c for prev_c")),
        "g as a sigmoid": (_SIGNALS, lstm_backward_with("g as a sigmoid")),
    },
    ("no dnext_c", "next_c for prev_c", "g as a sigmoid"),
)  # fmt: skip


def gru_step_forward(x, prev_h, Wz, Uz, bz, Wr, Ur, br, Wh, Uh, bh):
    z = sigmoid(x @ Wz + prev_h @ Uz + bz)
    r = sigmoid(x @ Wr + prev_h @ Ur + br)
    new = np.tanh(x @ Wh + (r * prev_h) @ Uh + bh)
    return (1 - z) * prev_h + z * new, (x, prev_h, Wz, Uz, Wr, Ur, Wh, Uh, z, r, new)


def gru_backward_with(kind=""):
    def gru_step_backward(dnext_h, cache):
        x, prev_h, Wz, Uz, Wr, Ur, Wh, Uh, z, r, new = cache
        dz = dnext_h * (new - prev_h) * z * (1 - z)
        dn = dnext_h * z * (1 - new**2)
        drh = dn @ Uh.T
        dr = drh * prev_h * r * (1 - r)
        dh = dnext_h * (1 - z) + drh * (1 if kind == "no r" else r) + dz @ Uz.T
        dh += 0 if kind == "reset not followed" else dr @ Ur.T
        dx = dz @ Wz.T + dr @ Wr.T + dn @ Wh.T
        dUh = (prev_h if kind == "reset forgotten" else r * prev_h).T @ dn
        return (
            dx, dh, x.T @ dz, prev_h.T @ dz, dz.sum(0), x.T @ dr, prev_h.T @ dr, dr.sum(0),
            x.T @ dn, dUh, dn.sum(0),
        )  # fmt: skip

    return gru_step_backward


GRU_STEP = Layer(
    gru_step_forward,
    (normal(3, 2), normal(3, 4), *(normal(*shape, seed=k) / 2 for k in range(3)
                                   for shape in ((2, 4), (4, 4), (4,)))),
    gru_backward_with(),
    {
        "no r": ({"prev_h"}, gru_backward_with("no r")),
        "reset not followed": ({"prev_h"}, gru_backward_with("reset not followed")),
        "reset forgotten": ({"Uh"}, gru_backward_with("reset forgotten")),
    },
    ("no r", "reset not followed", "reset forgotten"),
)  # fmt: skip


# -- attention ----------------------------------------------------------------------------------


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attention_forward(Q, K, V):
    p = softmax(Q @ K.T / np.sqrt(Q.shape[1]))
    return p @ V, (Q, K, V, p)


def attention_backward_with(scale=True, jacobian=True):
    def attention_backward(dout, cache):
        Q, K, V, p = cache
        root = np.sqrt(Q.shape[1]) if scale else 1
        dp = dout @ V.T
        ds = p * (dp - (dp * p).sum(axis=1, keepdims=True)) if jacobian else p * (1 - p) * dp
        return ds @ K / root, ds.T @ Q / root, p.T @ dout

    return attention_backward


ATTENTION = Layer(
    attention_forward,
    (normal(4, 3), normal(5, 3), normal(5, 2)),
    attention_backward_with(),
    {
        "diagonal only": ({"Q", "K"}, attention_backward_with(jacobian=False)),
        "no scale": ({"Q", "K"}, attention_backward_with(scale=False)),
    },
    ("diagonal only", "no scale"),
)


# -- embedding ----------------------------------------------------------------------------------


def embedding_forward(x, W):
    return W[x], (x, W)


def embedding_backward(dout, cache):
    x, W = cache
    dW = np.zeros_like(W)
    np.add.at(dW, x, dout)
    return dW


def embedding_buffered(dout, cache):
    x, W = cache
    dW = np.zeros_like(W)
    dW[x] += dout
    return dW


def embedding_overwritten(dout, cache):
    x, W = cache
    dW = np.zeros_like(W)
    for place in np.ndindex(x.shape):
        dW[x[place]] = dout[place]
    return dW


EMBEDDING = Layer(
    embedding_forward,
    (np.array([[0, 2, 2], [4, 1, 2]]), normal(6, 3)),
    embedding_backward,
    {"buffered": ({"W"}, embedding_buffered), "overwritten": ({"W"}, embedding_overwritten)},
    ("buffered", "overwritten"),
)


# -- softmax loss -------------------------------------------------------------------------------


def softmax_loss_forward(x, y):
    p = softmax(x)
    return -np.log(p[np.arange(len(x)), y]).mean(), (p, y)


def softmax_loss_backward_with(mean=True, subtract=True):
    def softmax_loss_backward(dout, cache):
        p, y = cache
        dx = p.copy()
        if subtract:
            dx[np.arange(len(y)), y] -= 1
        return dout * dx / (len(y) if mean else 1)

    return softmax_loss_backward


SOFTMAX_LOSS = Layer(
    softmax_loss_forward,
    (normal(5, 4), np.array([0, 3, 1, 1, 2])),
    softmax_loss_backward_with(),
    {
        "not divided": ({"x"}, softmax_loss_backward_with(mean=False)),
        "label not subtracted": ({"x"}, softmax_loss_backward_with(subtract=False)),
    },
    ("not divided", "label not subtracted"),
)


# -- dropout: the seed is in the settings, the mask in the cache ---------------------------------


def dropout_forward(x, dropout_param):
    keep = dropout_param["p"]
    rng = np.random.default_rng(dropout_param["seed"])
    mask = (rng.random(x.shape) < keep) / keep
    return x * mask, (dropout_param, mask)


def dropout_backward(dout, cache):
    _, mask = cache
    return dout * mask


def dropout_unscaled(dout, cache):
    _, mask = cache
    return dout * (mask > 0)


def dropout_redrawn(dout, cache):
    dropout_param, mask = cache
    rng = np.random.default_rng(dropout_param["seed"] + 1)
    return dout * (rng.random(mask.shape) < dropout_param["p"]) / dropout_param["p"]


DROPOUT = Layer(
    dropout_forward,
    (normal(4, 6), {"p": 0.6, "seed": 3}),
    dropout_backward,
    {"unscaled": ({"x"}, dropout_unscaled), "redrawn": ({"x"}, dropout_redrawn)},
)


# -- residual block -----------------------------------------------------------------------------


def residual_forward(x, W1, b1, W2, b2):
    z = x @ W1 + b1
    h = np.maximum(z, 0)
    return x + h @ W2 + b2, (x, z, h, W1, W2)


def residual_backward_with(skip=True, gate=True):
    def residual_backward(dout, cache):
        x, z, h, W1, W2 = cache
        dz = dout @ W2.T
        if gate:
            dz = dz * (z > 0)
        dx = dz @ W1.T + (dout if skip else 0)
        return {"x": dx, "W1": x.T @ dz, "b1": dz.sum(0), "W2": h.T @ dout, "b2": dout.sum(0)}

    return residual_backward


RESIDUAL = Layer(
    residual_forward,
    (normal(5, 3), normal(3, 4), normal(4), normal(4, 3), normal(3)),
    residual_backward_with(),
    {
        "no skip": ({"x"}, residual_backward_with(skip=False)),
        "no gate": ({"x", "W1", "b1"}, residual_backward_with(gate=False)),
    },
    ("no skip", "no gate"),
)


# -- mean squared error, both of whose inputs are floats ------------------------------------------


def mse_forward(pred, target):
    return ((pred - target) ** 2).mean()


def mse_backward(pred, target):
    return 2 * (pred - target) / pred.size, None


def mse_half(pred, target):
    return (pred - target) / pred.size, None


def mse_examples(pred, target):
    return 2 * (pred - target) / len(pred), None


MSE = Layer(
    mse_forward,
    (normal(5, 3), normal(5, 3, seed=1)),
    mse_backward,
    {"no 2": ({"pred"}, mse_half), "over examples": ({"pred"}, mse_examples)},
    ("no 2", "over examples"),
)

LAYERS = {
    name.lower().replace("_", " "): layer
    for name, layer in list(globals().items())
    if isinstance(layer, Layer)
}

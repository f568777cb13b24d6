"""Layers as people write them, right; the bugs are in `bugs.py`, as exchanged texts of lines."""

import numpy as np


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


# -- convolution, pooling -----------------------------------------------------------------------


def conv_forward(x, w, b, stride=2, pad=1):
    N, _, H, W = x.shape
    F, _, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    Ho, Wo = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, Ho, Wo))
    for i in range(Ho):
        for j in range(Wo):
            patch = xp[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
            out[:, :, i, j] = np.tensordot(patch, w, ([1, 2, 3], [1, 2, 3])) + b
    return out, (xp, w, stride, pad)


def conv_backward(dout, cache):
    xp, w, stride, pad = cache
    _, _, HH, WW = w.shape
    dxp = np.zeros_like(xp)
    dw = np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            d = dout[:, :, i, j]
            rows, cols = slice(i * stride, i * stride + HH), slice(j * stride, j * stride + WW)
            dw += np.tensordot(d, xp[:, :, rows, cols], ([0], [0]))
            dxp[:, :, rows, cols] += np.tensordot(d, w, ([1], [0]))
    db = dout.sum(axis=(0, 2, 3))
    dx = dxp[:, :, pad:-pad, pad:-pad]
    return dx, dw, db


def nhwc_forward(x, w, b):
    k = w.shape[0]
    H, W = x.shape[1] - k + 1, x.shape[2] - k + 1
    out = np.zeros((x.shape[0], H, W, w.shape[3]))
    for i in range(k):
        for j in range(k):
            out += x[:, i : i + H, j : j + W, :] @ w[i, j]
    return out + b, (x, w)


def nhwc_backward(dout, cache):
    x, w = cache
    k = w.shape[0]
    _, H, W, M = dout.shape
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(k):
        for j in range(k):
            part = x[:, i : i + H, j : j + W, :]
            dw[i, j] = np.einsum("nhwc,nhwm->cm", part, dout)
            dx[:, i : i + H, j : j + W, :] += dout @ w[i, j].T
    return dx, dw, dout.reshape(-1, M).sum(axis=0)


def pool_forward(x, size=3, stride=2):
    N, C, H, W = x.shape
    Ho, Wo = (H - size) // stride + 1, (W - size) // stride + 1
    out = np.zeros((N, C, Ho, Wo))
    for i in range(Ho):
        for j in range(Wo):
            win = x[:, :, i * stride : i * stride + size, j * stride : j * stride + size]
            out[:, :, i, j] = win.max(axis=(2, 3))
    return out, (x, size, stride)


def pool_backward(dout, cache):
    x, size, stride = cache
    dx = np.zeros_like(x)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            r, c = i * stride, j * stride
            win = x[:, :, r : r + size, c : c + size]
            best = win == win.max(axis=(2, 3), keepdims=True)
            dx[:, :, r : r + size, c : c + size] += best * dout[:, :, i, j][:, :, None, None]
    return dx


def average_forward(x, k=2):
    N, C, H, W = x.shape
    return x.reshape(N, C, H // k, k, W // k, k).mean(axis=(3, 5)), k


def average_backward(dout, k):
    dx = dout.repeat(k, axis=2).repeat(k, axis=3) / (k * k)
    return dx


def global_forward(x):
    return x.mean(axis=(2, 3)), x


def global_backward(dout, x):
    H, W = x.shape[2:]
    return np.ones_like(x) * dout[:, :, None, None] / (H * W)


# -- norms --------------------------------------------------------------------------------------


def group_norm_forward(x, gamma, beta, groups=2, eps=1e-5):
    xg = x.reshape(len(x), groups, -1)
    mean = xg.mean(axis=2, keepdims=True)
    var = xg.var(axis=2, keepdims=True)
    inv = 1.0 / np.sqrt(var + eps)
    xhat = ((xg - mean) * inv).reshape(x.shape)
    return xhat * gamma[None, :, None, None] + beta[None, :, None, None], (xhat, inv, gamma, groups)


def group_norm_backward(dout, cache):
    xhat, inv, gamma, groups = cache
    N, C, H, W = dout.shape
    dgamma = (dout * xhat).sum(axis=(0, 2, 3))
    dbeta = dout.sum(axis=(0, 2, 3))
    dxhat = (dout * gamma[None, :, None, None]).reshape(N, groups, -1)
    xh = xhat.reshape(N, groups, -1)
    m1 = dxhat.mean(axis=2, keepdims=True)
    m2 = (dxhat * xh).mean(axis=2, keepdims=True)
    dx = inv * (dxhat - m1 - xh * m2)
    return dx.reshape(N, C, H, W), dgamma, dbeta


def rms_forward(x, g, eps=1e-6):
    r = 1 / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + eps)
    return x * r * g, (x, r, g)


def rms_backward(dout, cache):
    x, r, g = cache
    D = x.shape[-1]
    dg = np.sum(dout * x * r, axis=0)
    dy = dout * g
    dx = dy * r - x * r**3 * np.sum(dy * x, axis=-1, keepdims=True) / D
    return dx, dg


# -- activations --------------------------------------------------------------------------------


def gelu_forward(x):
    t = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    return 0.5 * x * (1 + t), (x, t)


def gelu_backward(dout, cache):
    x, t = cache
    du = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x**2)
    return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * du)


def silu_forward(x):
    s = 1 / (1 + np.exp(-x))
    return x * s, (x, s)


def silu_backward(dout, cache):
    x, s = cache
    return dout * (s + x * s * (1 - s))


def elu_forward(x, alpha=1.5):
    return np.where(x > 0, x, alpha * (np.exp(x) - 1)), (x, alpha)


def elu_backward(dout, cache):
    x, alpha = cache
    grad = np.where(x > 0, 1.0, alpha * np.exp(x))
    return dout * grad


def leaky_forward(x):
    return np.where(x > 0, x, 0.01 * x), x


def leaky_backward(dout, x):
    slope = np.where(x > 0, 1, 0.01)
    return dout * slope


def softplus_forward(x, beta=2.0):
    return np.log1p(np.exp(beta * x)) / beta, (x, beta)


def softplus_backward(dout, cache):
    x, beta = cache
    return dout / (1 + np.exp(-beta * x))


def softmax_forward(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    return p, p


def softmax_backward(dp, p):
    inner = np.sum(dp * p, axis=-1, keepdims=True)
    return p * (dp - inner)


# -- losses -------------------------------------------------------------------------------------


def svm_forward(scores, y):
    n = np.arange(len(y))
    margins = np.maximum(0, scores - scores[n, y][:, None] + 1.0)
    margins[n, y] = 0
    return margins.sum() / len(y), (margins, y)


def svm_backward(dout, cache):
    margins, y = cache
    n = np.arange(len(y))
    ds = (margins > 0).astype(float)
    ds[n, y] = -ds.sum(axis=1)
    ds /= len(y)
    return dout * ds


def huber_forward(pred, target, delta=0.7):
    r = pred - target
    small = np.abs(r) <= delta
    loss = np.where(small, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta))
    return loss.mean(), (r, delta)


def huber_backward(dout, cache):
    r, delta = cache
    d = np.where(np.abs(r) <= delta, r, delta * np.sign(r))
    d = dout * d / r.size
    return d, -d


def bce_forward(z, t):
    loss = np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))
    return loss.mean(), (z, t)


def bce_backward(dout, cache):
    z, t = cache
    s = 1 / (1 + np.exp(-z))
    dz = dout * (s - t) / z.size
    return dz, None


def smooth_forward(logits, y, eps=0.1):
    N, K = logits.shape
    z = logits - logits.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    q = np.full((N, K), eps / K)
    q[np.arange(N), y] += 1 - eps
    return -(q * logp).sum() / N, (logp, q)


def smooth_backward(dout, cache):
    logp, q = cache
    dlogits = np.exp(logp) - q
    return dout * dlogits / len(q)


def focal_forward(z, y, gamma=2.0):
    p = 1 / (1 + np.exp(-z))
    pt = np.where(y == 1, p, 1 - p)
    return -np.mean((1 - pt) ** gamma * np.log(pt)), (pt, y, gamma)


def focal_backward(dout, cache):
    pt, y, gamma = cache
    dpt = gamma * (1 - pt) ** (gamma - 1) * np.log(pt) - (1 - pt) ** gamma / pt
    dp = np.where(y == 1, dpt, -dpt)
    dz = dp * pt * (1 - pt) / len(pt)
    return dout * dz


def triplet_forward(a, p, n, margin=1.0):
    dp, dn = ((a - p) ** 2).sum(axis=1), ((a - n) ** 2).sum(axis=1)
    h = np.maximum(dp - dn + margin, 0)
    return h.mean(), (a, p, n, h)


def triplet_backward(dout, cache):
    a, p, n, h = cache
    on = (h > 0)[:, None] * dout / len(h)
    da = 2 * on * (n - p)
    dp = -2 * on * (a - p)
    dn = 2 * on * (a - n)
    return da, dp, dn


def nce_forward(q, k, tau=0.5):
    s = q @ k.T / tau
    s = s - s.max(axis=1, keepdims=True)
    p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    i = np.arange(len(q))
    return -np.log(p[i, i]).mean(), (q, k, p, tau)


def nce_backward(dout, cache):
    q, k, p, tau = cache
    N = len(q)
    ds = (p - np.eye(N)) / N
    dq = ds @ k / tau
    dk = ds.T @ q / tau
    return dout * dq, dout * dk


# -- dropout, recurrent, attention, blocks ------------------------------------------------------


def dropout_forward(x, rate=0.4):
    rng = np.random.default_rng(3)
    keep = 1 - rate
    mask = rng.random(x.shape) < keep
    return x * mask / keep, (mask, keep)


def dropout_backward(dout, cache):
    mask, keep = cache
    dx = dout * mask / keep
    return dx


def gru_forward(x, h, W, U, b):
    H = h.shape[1]
    a = x @ W + b
    u = h @ U[:, : 2 * H]
    r = 1 / (1 + np.exp(-(a[:, :H] + u[:, :H])))
    z = 1 / (1 + np.exp(-(a[:, H : 2 * H] + u[:, H:])))
    hr = r * h
    c = np.tanh(a[:, 2 * H :] + hr @ U[:, 2 * H :])
    out = (1 - z) * c + z * h
    return out, (x, h, W, U, r, z, hr, c)


def gru_backward(dout, cache):
    x, h, W, U, r, z, hr, c = cache
    H = h.shape[1]
    dz = dout * (h - c) * z * (1 - z)
    dc = dout * (1 - z) * (1 - c**2)
    dhr = dc @ U[:, 2 * H :].T
    dr = dhr * h * r * (1 - r)
    da = np.concatenate([dr, dz, dc], axis=1)
    dU = np.concatenate([h.T @ dr, h.T @ dz, hr.T @ dc], axis=1)
    dh = dout * z + dhr * r + dr @ U[:, :H].T + dz @ U[:, H : 2 * H].T
    return da @ W.T, dh, x.T @ da, dU, da.sum(axis=0)


def rnn_forward(x, Wx, Wh, b):
    T, N, _ = x.shape
    hs = np.zeros((T + 1, N, len(b)))
    for t in range(T):
        hs[t] = np.tanh(x[t] @ Wx + hs[t - 1] @ Wh + b)
    return hs[:T], (x, Wx, Wh, hs)


def rnn_backward(dout, cache):
    x, Wx, Wh, hs = cache
    T = len(x)
    dx, dWx, dWh, db = np.zeros_like(x), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(len(Wh))
    dnext = np.zeros_like(hs[0])
    for t in reversed(range(T)):
        dh = dout[t] + dnext
        dz = dh * (1 - hs[t] ** 2)
        dWx += x[t].T @ dz
        dWh += hs[t - 1].T @ dz
        db += dz.sum(axis=0)
        dx[t] = dz @ Wx.T
        dnext = dz @ Wh.T
    return dx, dWx, dWh, db


def heads_forward(x, Wq, Wk, Wv, heads=2):
    B, T, D = x.shape

    def split(y):
        return y.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)

    q, k, v = split(x @ Wq), split(x @ Wk), split(x @ Wv)
    scale = 1 / np.sqrt(D // heads)
    s = q @ k.transpose(0, 1, 3, 2) * scale
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    out = (p @ v).transpose(0, 2, 1, 3).reshape(B, T, D)
    return out, (x, Wq, Wk, Wv, q, k, v, p, scale)


def merge(y):
    return y.transpose(0, 2, 1, 3).reshape(y.shape[0], y.shape[2], -1)


def heads_backward(dout, cache):
    x, Wq, Wk, Wv, q, k, v, p, scale = cache
    B, h, T, d = q.shape
    do = dout.reshape(B, T, h, d).transpose(0, 2, 1, 3)
    dv = p.transpose(0, 1, 3, 2) @ do
    dp = do @ v.transpose(0, 1, 3, 2)
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) * scale
    dq, dk = merge(ds @ k), merge(ds.transpose(0, 1, 3, 2) @ q)
    dv = merge(dv)
    flat = x.reshape(-1, x.shape[2])
    dWq = flat.T @ dq.reshape(flat.shape)
    dWk = flat.T @ dk.reshape(flat.shape)
    dWv = flat.T @ dv.reshape(flat.shape)
    dx = dq @ Wq.T + dk @ Wk.T + dv @ Wv.T
    return dx, dWq, dWk, dWv


class Block:
    """A residual block as an object that keeps what it needs."""

    def __init__(self, D=4, H=5):
        self.W1, self.b1 = 0.5 * normal(D, H), 0.1 * normal(H)
        self.W2 = 0.5 * normal(H, D, seed=1)

    def forward(self, x):
        self.x = x
        self.z = x @ self.W1 + self.b1
        self.a = np.maximum(self.z, 0)
        return x + self.a @ self.W2

    def backward(self, dout):
        self.dW2 = self.a.T @ dout
        da = dout @ self.W2.T
        dz = da * (self.z > 0)
        self.dW1 = self.x.T @ dz
        self.db1 = dz.sum(axis=0)
        return dout + dz @ self.W1.T


INPUTS = {
    "conv": (normal(2, 2, 5, 5), normal(3, 2, 3, 3), normal(3)),
    "nhwc": (normal(2, 4, 5, 2), normal(2, 2, 2, 3), normal(3)),
    "pool": (normal(2, 2, 5, 7),),
    "average": (normal(2, 3, 4, 6),),
    "global": (normal(2, 3, 4, 5),),
    "group_norm": (normal(2, 4, 2, 3), normal(4), normal(4, seed=1)),
    "rms": (normal(3, 5), normal(5)),
    "gelu": (normal(4, 3),),
    "silu": (normal(4, 3),),
    "elu": (normal(4, 3),),
    "leaky": (normal(4, 3),),
    "softplus": (normal(4, 3),),
    "softmax": (normal(4, 3),),
    "svm": (normal(6, 4), np.array([0, 3, 1, 2, 2, 0])),
    "huber": (normal(4, 3), normal(4, 3, seed=1)),
    "bce": (normal(5, 2), (normal(5, 2, seed=1) > 0).astype(float)),
    "smooth": (normal(5, 3), np.array([0, 2, 1, 1, 0])),
    "focal": (normal(6), np.array([1, 0, 0, 1, 1, 0])),
    "triplet": (normal(5, 3), normal(5, 3, seed=1), normal(5, 3, seed=2)),
    "nce": (normal(4, 3), normal(4, 3, seed=1)),
    "dropout": (normal(5, 4),),
    "gru": (normal(3, 4), normal(3, 2), normal(4, 6), normal(2, 6), normal(6)),
    "rnn": (normal(4, 3, 2), normal(2, 5), normal(5, 5), normal(5)),
    "heads": (normal(2, 3, 4), normal(4, 4), normal(4, 4, seed=1), normal(4, 4, seed=2)),
}

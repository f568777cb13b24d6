"""Backward passes as people write them, in plain numpy: what the hold-out's mistakes are made in.

Each is a text that reads `x`, `y`, `masks`, the parameters by their names, `lam` and `keep`, and
leaves a d<name> for every parameter. None of this comes from gradlab.
"""

SLOPES = {  # (forward, derivative) of a hidden layer's activation; {n} is its number
    "tanh": ("np.tanh(s{n})", "(1 - a{n} ** 2)"),
    "sigmoid": ("1 / (1 + np.exp(-s{n}))", "a{n} * (1 - a{n})"),
    "relu": ("np.maximum(0, s{n})", "(s{n} > 0)"),
    "leaky_relu": ("np.where(s{n} > 0, s{n}, 0.01 * s{n})", "np.where(s{n} > 0, 1, 0.01)"),
    "elu": ("np.where(s{n} > 0, s{n}, np.exp(s{n}) - 1)", "np.where(s{n} > 0, 1, a{n} + 1)"),
    "softplus": ("np.log(1 + np.exp(s{n}))", "(1 / (1 + np.exp(-s{n})))"),
}

SOFTMAX = """
e = np.exp(scores - scores.max(axis=1, keepdims=True))
probs = e / e.sum(axis=1, keepdims=True)
dscores = probs.copy()
dscores[np.arange(len(y)), y] -= 1
dscores = dscores / N
"""
MSE = """
dscores = 2 * (scores - y) / N
"""
BINARY = """
probs = 1 / (1 + np.exp(-scores))
dscores = (probs - y) / N
"""
LOSS_LINES = {"softmax_cross_entropy": SOFTMAX, "mse": MSE, "binary_cross_entropy": BINARY}


def mlp(activation="tanh", loss="softmax_cross_entropy", norm=False, dropout=False, l2=False):
    """Return the text of a network with two hidden layers."""
    forward, backward = SLOPES[activation]
    text, below = "N = x.shape[0]\n", "x"
    for n in (1, 2):
        text += f"z{n} = {below} @ W{n} + b{n}\n"
        if norm:
            text += (
                f"mu{n} = z{n}.mean(axis=0)\nvar{n} = ((z{n} - mu{n}) ** 2).mean(axis=0)\n"
                f"std{n} = np.sqrt(var{n} + 1e-5)\nxhat{n} = (z{n} - mu{n}) / std{n}\n"
                f"s{n} = gamma{n} * xhat{n} + beta{n}\n"
            )
        else:
            text += f"s{n} = z{n}\n"
        text += f"a{n} = {forward.format(n=n)}\n"
        text += f"h{n} = a{n} * masks[{n - 1}]\n" if dropout else f"h{n} = a{n}\n"
        below = f"h{n}"
    text += "scores = h2 @ W3 + b3\n" + LOSS_LINES[loss].lstrip()
    text += "dW3 = h2.T @ dscores\ndb3 = dscores.sum(axis=0)\ndh2 = dscores @ W3.T\n"
    for n, below in ((2, "h1"), (1, "x")):
        text += f"da{n} = dh{n} * masks[{n - 1}]\n" if dropout else f"da{n} = dh{n}\n"
        text += f"ds{n} = da{n} * {backward.format(n=n)}\n"
        if norm:
            text += (
                f"dgamma{n} = (ds{n} * xhat{n}).sum(axis=0)\ndbeta{n} = ds{n}.sum(axis=0)\n"
                f"dxhat{n} = ds{n} * gamma{n}\n"
                f"dvar{n} = (dxhat{n} * (z{n} - mu{n}) * -0.5 * std{n} ** -3).sum(axis=0)\n"
                f"dmu{n} = -(dxhat{n} / std{n}).sum(axis=0)\n"
                f"dz{n} = dxhat{n} / std{n} + dvar{n} * 2 * (z{n} - mu{n}) / N + dmu{n} / N\n"
            )
        else:
            text += f"dz{n} = ds{n}\n"
        text += f"dW{n} = {below}.T @ dz{n}\ndb{n} = dz{n}.sum(axis=0)\n"
        text += "dh1 = dz2 @ W2.T\n" if n == 2 else ""
    if l2:
        text += "".join(f"dW{n} = dW{n} + lam * W{n}\n" for n in (1, 2, 3))
    return text


def convnet(pool="max", l2=False):
    """Return the text of conv, pool, conv, pool, ReLU, dense with naive loops."""
    text = """
N = x.shape[0]
def conv(a, W, b, pad):
    a = np.pad(a, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    F, C, kh, kw = W.shape
    R, S = a.shape[2] - kh + 1, a.shape[3] - kw + 1
    out = np.zeros((len(a), F, R, S))
    for r in range(R):
        for s in range(S):
            out[:, :, r, s] = np.tensordot(a[:, :, r:r+kh, s:s+kw], W, ((1, 2, 3), (1, 2, 3))) + b
    return out
def pool(z):
    n, f, r, s = z.shape
    return z.reshape(n, f, r // 2, 2, s // 2, 2).POOL(axis=(3, 5))
z1 = conv(x, conv1_W, conv1_b, pads[0])
p1 = pool(z1)
z2 = conv(p1, conv2_W, conv2_b, pads[1])
p2 = pool(z2)
r2 = np.maximum(p2, 0)
flat = r2.reshape(N, -1)
scores = flat @ out_W + out_b
""".replace("POOL", "max" if pool == "max" else "mean")
    text += SOFTMAX.lstrip()
    text += """
dout_W = flat.T @ dscores
dout_b = dscores.sum(axis=0)
dflat = dscores @ out_W.T
dr2 = dflat.reshape(r2.shape)
dp2 = dr2 * (p2 > 0)
"""
    spread = "{d}.repeat(2, axis=2).repeat(2, axis=3)"
    for n, below in ((2, "p1"), (1, "x")):
        up = spread.format(d=f"dp{n}")
        big = spread.format(d=f"p{n}")
        text += f"dz{n} = {up} * (z{n} == {big})\n" if pool == "max" else f"dz{n} = {up} / 4\n"
        text += f"""
pad = pads[{n - 1}]
ap = np.pad({below}, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
F, C, kh, kw = conv{n}_W.shape
R, S = dz{n}.shape[2:]
dconv{n}_W = np.zeros(conv{n}_W.shape)
dap = np.zeros(ap.shape)
for k in range(N):
    for r in range(R):
        for s in range(S):
            for f in range(F):
                dconv{n}_W[f] += dz{n}[k, f, r, s] * ap[k, :, r:r+kh, s:s+kw]
                dap[k, :, r:r+kh, s:s+kw] += dz{n}[k, f, r, s] * conv{n}_W[f]
dconv{n}_b = dz{n}.sum(axis=(0, 2, 3))
dbelow{n} = dap[:, :, pad:pad + {below}.shape[2], pad:pad + {below}.shape[3]]
"""
        text += "dp1 = dbelow2\n" if n == 2 else ""
    if l2:
        for name in ("conv1_W", "conv2_W", "out_W"):
            text += f"d{name} = d{name} + lam * {name}\n"
    return text


def lstm(every_step=False, loss="softmax_cross_entropy", l2=False):
    """Return the text of an LSTM with a dense output, step by step."""
    text = """
T, N, D = x.shape
H = Wh_i.shape[0]
sig = lambda v: 1 / (1 + np.exp(-v))
hs, cs = {-1: np.zeros((N, H))}, {-1: np.zeros((N, H))}
i, f, g, o = {}, {}, {}, {}
for t in range(T):
    i[t] = sig(x[t] @ Wx_i + hs[t-1] @ Wh_i + b_i)
    f[t] = sig(x[t] @ Wx_f + hs[t-1] @ Wh_f + b_f)
    g[t] = np.tanh(x[t] @ Wx_g + hs[t-1] @ Wh_g + b_g)
    o[t] = sig(x[t] @ Wx_o + hs[t-1] @ Wh_o + b_o)
    cs[t] = f[t] * cs[t-1] + i[t] * g[t]
    hs[t] = o[t] * np.tanh(cs[t])
"""
    if every_step:
        text += "top = np.concatenate([hs[t] for t in range(T)])\ny = y.reshape(-1)\n"
    else:
        text += "top = hs[T-1]\n"
    text += "scores = top @ Wy + by\n" + LOSS_LINES[loss].lstrip()
    text += "dWy = top.T @ dscores\ndby = dscores.sum(axis=0)\ndtop = dscores @ Wy.T\n"
    text += "dhs = np.zeros((T, N, H))\n"
    text += "dhs[:] = dtop.reshape(T, N, H)\n" if every_step else "dhs[T-1] = dtop\n"
    for w in ("Wx", "Wh", "b"):
        text += "".join(f"d{w}_{q} = np.zeros_like({w}_{q})\n" for q in "ifgo")
    text += """
dhnext, dcnext = np.zeros((N, H)), np.zeros((N, H))
for t in reversed(range(T)):
    dh = dhs[t] + dhnext
    do = dh * np.tanh(cs[t])
    dc = dcnext + dh * o[t] * (1 - np.tanh(cs[t]) ** 2)
    df = dc * cs[t-1]
    di = dc * g[t]
    dg = dc * i[t]
    dai = di * i[t] * (1 - i[t])
    daf = df * f[t] * (1 - f[t])
    dag = dg * (1 - g[t] ** 2)
    dao = do * o[t] * (1 - o[t])
    dcnext = dc * f[t]
    dhnext = dai @ Wh_i.T + daf @ Wh_f.T + dag @ Wh_g.T + dao @ Wh_o.T
"""
    for q in "ifgo":
        text += f"    dWx_{q} += x[t].T @ da{q}\n    dWh_{q} += hs[t-1].T @ da{q}\n"
        text += f"    db_{q} += da{q}.sum(axis=0)\n"
    if l2:
        weights = ["Wy", *(f"{k}_{q}" for k in ("Wx", "Wh") for q in "ifgo")]
        text += "".join(f"d{w} = d{w} + lam * {w}\n" for w in weights)
    return text

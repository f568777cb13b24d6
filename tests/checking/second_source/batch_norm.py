"""An MLP with batch norm as another person would write it, one line of backward wrong on demand.

Nothing here comes from gradlab: examples are columns, a layer's weights are (out, in), and batch
norm is followed backwards through mean and variance unit by unit, as in the paper's formulas.
"""

import numpy as np

EPS = 1e-5


def from_net(params):
    """Return one dict a layer, with weights (out, in) and column vectors."""
    layers = []
    while f"W{len(layers) + 1}" in params:
        i = len(layers) + 1
        layer = {"W": params[f"W{i}"].T.copy(), "b": params[f"b{i}"].reshape(-1, 1).copy()}
        if f"gamma{i}" in params:
            layer |= {"gamma": params[f"gamma{i}"].copy(), "beta": params[f"beta{i}"].copy()}
        layers.append(layer)
    return layers


def to_net(grads):
    """Return gradients under the names and in the shapes of the network."""
    found = {}
    for i, layer in enumerate(grads, start=1):
        found[f"W{i}"], found[f"b{i}"] = layer["W"].T, layer["b"][:, 0]
        if "gamma" in layer:
            found[f"gamma{i}"], found[f"beta{i}"] = layer["gamma"], layer["beta"]
    return found


def forward(layers, X):
    """Return the logits (K, N) and what backward needs of each hidden layer."""
    A, kept = X, []
    for layer in layers[:-1]:
        Z = layer["W"] @ A + layer["b"]
        mean = [sum(row) / len(row) for row in Z]
        var = [sum((z - m) ** 2 for z in row) / len(row) for row, m in zip(Z, mean, strict=True)]
        Zn = np.array([(row - m) / (v + EPS) ** 0.5
                       for row, m, v in zip(Z, mean, var, strict=True)])  # fmt: skip
        out = np.tanh(layer["gamma"][:, None] * Zn + layer["beta"][:, None])
        kept.append((A, Z, mean, var, Zn, out))
        A = out
    return layers[-1]["W"] @ A + layers[-1]["b"], A, kept


def loss(params, x, labels):
    logits, _, _ = forward(from_net(params), x.T)
    total = 0.0
    for n, label in enumerate(labels):
        total += np.log(np.sum(np.exp(logits[:, n]))) - logits[label, n]
    return total / len(labels)


def gradient(params, x, labels, bug=None, layer=1):
    """Return the gradient by the network's names; `bug` stands in hidden layer `layer`."""
    layers, N = from_net(params), len(labels)
    logits, A, kept = forward(layers, x.T)
    D = np.exp(logits) / np.exp(logits).sum(axis=0)
    D[labels, range(N)] -= 1
    D /= N
    grads = [{"W": D @ A.T, "b": D.sum(axis=1, keepdims=True)}]
    D = layers[-1]["W"].T @ D
    for i in range(len(kept), 0, -1):
        here = bug if i == layer else None
        A, Z, mean, var, Zn, out = kept[i - 1]
        dY = D * (1 - out**2)
        found = {"gamma": (dY * Zn).sum(axis=1), "beta": dY.sum(axis=1)}
        if here == "gamma from z":
            found["gamma"] = (dY * Z).sum(axis=1)
        if here == "beta's mean":
            found["beta"] = dY.mean(axis=1)
        scale = np.ones_like(mean) if here == "no gamma" else layers[i - 1]["gamma"]
        dZ = np.array([through_one_unit(Z[j], mean[j], var[j], scale[j] * dY[j], here)
                       for j in range(len(Z))])  # fmt: skip
        found |= {"W": dZ @ A.T, "b": dZ.sum(axis=1, keepdims=True)}
        grads.insert(0, found)
        D = layers[i - 1]["W"].T @ dZ
    return to_net(grads)


def through_one_unit(z, mean, var, d, bug):
    """Return dL/dz (N,) of a unit from dL/d(normalised z): directly, by the variance, by the mean.

    Ioffe and Szegedy, "Batch normalization", the gradients after Algorithm 1.
    """
    N, s = len(z), (var + EPS) ** 0.5
    d_var = (d * (z - mean)).sum() * -0.5 * s**-3
    if bug == "power of the variance":
        d_var = (d * (z - mean)).sum() * -0.5 * s**-1
    d_mean = -d.sum() / s + d_var * -2 * (z - mean).sum() / N
    if bug in ("variance is a constant", "statistics are constants"):
        d_var = 0
    if bug in ("mean is a constant", "statistics are constants"):
        d_mean = 0
    members = {"variance over N - 1": N - 1, "variance over N squared": N**2}.get(bug, N)
    return d / s + d_var * 2 * (z - mean) / members + d_mean / N


# What the museum calls them, where it has them too.
IN_MUSEUM = {
    "statistics are constants": "batch_norm_constant_statistics",
    "variance over N squared": "batch_norm_over_m_squared",
    "no gamma": "batch_norm_missing_gamma",
}
BELOW_2 = ["W1", "gamma1", "beta1", "W2"]
# (bug, hidden layer): the tensors that it spoils. b1 and b2 have no slope: batch norm takes them
# off again, and what the mean sends back is what makes their gradient 0.
BUGS = {
    ("variance is a constant", 1): ["W1"],
    ("variance is a constant", 2): BELOW_2,
    ("mean is a constant", 1): ["W1", "b1"],
    ("mean is a constant", 2): [*BELOW_2, "b2"],
    ("statistics are constants", 1): ["W1", "b1"],
    ("statistics are constants", 2): [*BELOW_2, "b2"],
    ("variance over N squared", 1): ["W1"],
    ("variance over N squared", 2): BELOW_2,
    ("power of the variance", 1): ["W1"],
    ("power of the variance", 2): BELOW_2,
    ("variance over N - 1", 1): ["W1"],
    ("variance over N - 1", 2): BELOW_2,
    ("no gamma", 1): ["W1"],
    ("no gamma", 2): BELOW_2,
    ("gamma from z", 1): ["gamma1"],
    ("gamma from z", 2): ["gamma2"],
    ("beta's mean", 1): ["beta1"],
    ("beta's mean", 2): ["beta2"],
}

"""A tiny LSTM as another person would write it, one line of backward wrong on demand.

Nothing here comes from gradlab: one sequence at a time, and each gate has one matrix (H, D + H) for
the input and the state, one above the other.
"""

import numpy as np


def sigmoid(z):
    return 0.5 * (1 + np.tanh(z / 2))


def stacked(params, q):
    return np.hstack([params[f"Wx_{q}"].T, params[f"Wh_{q}"].T])


def forward(params, sequence):
    """Return the logits of one sequence (T, D), and what happened at each step."""
    M = {q: stacked(params, q) for q in "ifgo"}
    h, c, steps = np.zeros(len(params["b_i"])), np.zeros(len(params["b_i"])), []
    for x_t in sequence:
        xh = np.concatenate([x_t, h])
        i, f, o = (sigmoid(M[q] @ xh + params[f"b_{q}"]) for q in "ifo")
        g = np.tanh(M["g"] @ xh + params["b_g"])
        c_before, c = c, f * c + i * g
        h = o * np.tanh(c)
        steps.append({"xh": xh, "i": i, "f": f, "g": g, "o": o, "c": c, "before": c_before, "h": h})
    return params["Wy"].T @ h + params["by"], steps


def loss(params, x, labels):
    total = 0.0
    for n, label in enumerate(labels):
        logits, _ = forward(params, x[:, n])
        total += np.log(np.sum(np.exp(logits))) - logits[label]
    return total / len(labels)


def gradient(params, x, labels, bug=None):
    """Return the gradient by the network's names, a sum over the sequences."""
    D, total = x.shape[2], {name: np.zeros_like(value) for name, value in params.items()}
    for n, label in enumerate(labels):
        logits, steps = forward(params, x[:, n])
        d = np.exp(logits) / np.exp(logits).sum()
        d[label] -= 1
        d /= len(labels)
        total["Wy"] += np.outer(steps[-1]["h"], d)
        total["by"] += d
        matrices, biases = through_time(params, steps, params["Wy"] @ d, D, bug)
        for q in "ifgo":
            total[f"Wx_{q}"] += matrices[q][:, :D].T
            total[f"Wh_{q}"] += matrices[q][:, D:].T
            total[f"b_{q}"] += biases[q]
    return total


def through_time(params, steps, dh, D, bug):
    """Return the gradients of the gates' matrices (H, D + H) and biases for one sequence."""
    M = {q: stacked(params, q) for q in "ifgo"}
    dM, db = {q: np.zeros_like(M[q]) for q in M}, {q: np.zeros(len(dh)) for q in M}
    dc = np.zeros(len(dh))
    for t in range(len(steps) - 1, -1, -1):
        s = steps[t]
        tanh_c = np.tanh(np.tanh(s["c"]) if bug == "tanh twice" else s["c"])
        dc = dc + dh * s["o"] * (1 - tanh_c**2)
        dz = {
            "i": dc * s["g"] * s["i"] * (1 - s["i"]),
            "f": dc * s["before"] * s["f"] * (1 - s["f"]),
            "g": dc * s["i"] * (1 - s["g"] ** 2),
            "o": dh * np.tanh(s["c"]) * s["o"] * (1 - s["o"]),
        }
        if bug == "no slope of the candidate":
            dz["g"] = dc * s["i"]
        if bug == "input gate for its slope":
            dz["i"] = dc * s["g"] * s["i"]
        if bug == "forget gate for its slope":
            dz["f"] = dc * s["before"] * s["f"]
        if bug == "cell state after the step":
            dz["f"] = dc * s["c"] * s["f"] * (1 - s["f"])
        xh = s["xh"].copy()
        if bug == "state after the step":
            xh[D:] = s["h"]
        for q in "ifgo":
            dM[q] += np.outer(dz[q], xh)
            db[q] = dz[q] if bug == "last bias only" else db[q] + dz[q]
            if bug == "each step overwrites":
                dM[q], db[q] = np.outer(dz[q], xh), dz[q]
        if bug == "input of the step before" and t > 0:
            dM["i"][:, :D] += np.outer(dz["i"], steps[t - 1]["xh"][:D] - xh[:D])
        gates = "ifg" if bug == "state not through the output gate" else "ifgo"
        dh = sum(M[q].T @ dz[q] for q in gates)[D:]
        if bug == "cell state's gradient dropped":
            dc = np.zeros_like(dc)
        dc = dc * (s["i"] if bug == "carried by the input gate" else s["f"])
    return dM, db


# What the museum calls them, where it has them too.
IN_MUSEUM = {
    "input gate for its slope": "lstm_sigmoid_as_derivative",
    "tanh twice": "lstm_tanh_twice",
    "cell state's gradient dropped": "lstm_cell_gradient_dropped",
    "each step overwrites": "lstm_step_overwrites",
}
GATES = [f"{kind}_{q}" for q in "ifgo" for kind in ("Wx", "Wh", "b")]
# bug: the tensors that it spoils, in a sequence of four steps
BUGS = {
    "no slope of the candidate": GATES,
    "input gate for its slope": GATES,
    "forget gate for its slope": GATES,
    "tanh twice": GATES,
    "cell state's gradient dropped": GATES,
    "each step overwrites": GATES,
    "cell state after the step": GATES,
    "carried by the input gate": GATES,
    "state not through the output gate": GATES,
    "state after the step": ["Wh_i", "Wh_f", "Wh_g", "Wh_o"],
    "last bias only": ["b_i", "b_f", "b_g", "b_o"],
    "input of the step before": ["Wx_i"],
}

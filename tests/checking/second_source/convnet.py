"""A tiny convnet as another person would write it, one line of backward wrong on demand.

Nothing here comes from gradlab: one image at a time, pixel by pixel, channels last, kernels
(rows, columns, in, out), and the padding is an index that is skipped.
"""

import numpy as np


def from_net(params):
    """Return kernels with channels last, and the output's weights for (row, column, channel)."""
    kernels = [params[f"conv{i}_W"].transpose(2, 3, 1, 0) for i in (1, 2)]
    return kernels, [params["conv1_b"], params["conv2_b"]]


def conv(image, W, b):
    rows, columns, _ = image.shape
    out = np.zeros((rows, columns, len(b))) + b
    for r, c, i, j in visits(rows, columns):
        out[r, c] += image[r + i, c + j] @ W[i + 1, j + 1]
    return out


def visits(rows, columns):
    """Yield (row, column, down, right) for all pixels that a 3 x 3 kernel meets in the image."""
    for r, c in np.ndindex(rows, columns):
        for i in (-1, 0, 1):
            for j in (-1, 0, 1):
                if 0 <= r + i < rows and 0 <= c + j < columns:
                    yield r, c, i, j


def pool(image):
    """Return the largest of each 2 x 2 window, and where it stood."""
    rows, columns, channels = image.shape
    out, winners = np.zeros((rows // 2, columns // 2, channels)), {}
    for r, c, k in np.ndindex(out.shape):
        places = [(2 * r + i, 2 * c + j, k) for i in (0, 1) for j in (0, 1)]
        winners[r, c, k] = max(places, key=lambda place: image[place])
        out[r, c, k] = image[winners[r, c, k]]
    return out, winners


def forward(params, image):
    """Return the logits of one image (rows, columns, channels), and what happened on the way."""
    kernels, biases = from_net(params)
    conv1 = conv(image, kernels[0], biases[0])
    pool1, winners1 = pool(conv1)
    conv2 = conv(pool1, kernels[1], biases[1])
    pool2, winners2 = pool(conv2)
    flat = np.maximum(pool2, 0).transpose(2, 0, 1).ravel()
    logits = flat @ params["out_W"] + params["out_b"]
    return logits, (conv1, pool1, winners1, conv2, pool2, winners2, flat)


def images_of(x):
    return x.transpose(0, 2, 3, 1)


def loss(params, x, labels):
    total = 0.0
    for image, label in zip(images_of(x), labels, strict=True):
        logits, _ = forward(params, image)
        total += np.log(np.sum(np.exp(logits))) - logits[label]
    return total / len(labels)


def gradient(params, x, labels, bug=None):
    """Return the gradient by the network's names, a sum over the images."""
    total = {name: np.zeros_like(value) for name, value in params.items()}
    kernels, _ = from_net(params)
    for image, label in zip(images_of(x), labels, strict=True):
        logits, (conv1, pool1, winners1, conv2, pool2, winners2, flat) = forward(params, image)
        d = np.exp(logits) / np.exp(logits).sum()
        d[label] -= 1
        d /= len(labels)
        total["out_W"] += np.outer(flat, d)
        total["out_b"] += d
        rows, columns, channels = pool2.shape
        d = (params["out_W"] @ d).reshape(channels, rows, columns).transpose(1, 2, 0)
        d = d * (d > 0 if bug == "relu by the gradient" else pool2 > 0)
        d = unpool(d, conv2, winners2, bug == "pool 2 shares")
        dW, db, d = back(pool1, kernels[1], d, bug)
        total["conv2_W"] += dW.transpose(3, 2, 0, 1)
        total["conv2_b"] += db
        d = unpool(d, conv1, winners1, bug == "pool 1 shares")
        dW, db, _ = back(image, kernels[0], d, None)
        total["conv1_W"] += dW.transpose(3, 2, 0, 1)
        total["conv1_b"] += db[::-1] if bug == "bias of the other filter" else db
    return total


def unpool(d, image, winners, shares):
    out = np.zeros_like(image)
    for (r, c, k), place in winners.items():
        if shares:
            out[2 * r : 2 * r + 2, 2 * c : 2 * c + 2, k] += d[r, c, k] / 4
        else:
            out[place] += d[r, c, k]
    return out


def back(image, W, d, bug):
    """Return the gradients of kernel, bias and image of one convolution, pixel by pixel."""
    dW, d_image, (rows, columns, _) = np.zeros_like(W), np.zeros_like(image), image.shape
    for r, c, i, j in visits(rows, columns):
        if bug == "rows for columns" and (r >= columns or c >= rows):
            continue
        if bug == "kernel's last pixel only":
            dW[i + 1, j + 1] = np.outer(image[r + i, c + j], d[r, c])
        else:
            dW[i + 1, j + 1] += np.outer(image[r + i, c + j], d[r, c])
        weight = W[i + 1, j + 1]
        if bug == "kernel not flipped":
            weight = W[1 - i, 1 - j]
        if bug == "kernel on its side":
            weight = W[j + 1, i + 1]
        if bug == "no padding" and not (0 < r < rows - 1 and 0 < c < columns - 1):
            continue
        d_image[r + i, c + j] += weight @ d[r, c]
    db = d.sum(axis=(0, 1))
    if bug == "bias of the first row":
        db = d[0].sum(axis=0)
    if bug == "rows for columns":
        db = d[:columns, :rows].sum(axis=(0, 1))
    return dW, db, d_image


# What the museum calls them, where it has them too.
IN_MUSEUM = {
    "relu by the gradient": "relu_masks_by_gradient",
    "kernel not flipped": "kernel_not_flipped",
    "rows for columns": "swapped_width_and_height",
}
CONV1, CONV2 = ["conv1_W", "conv1_b"], ["conv2_W", "conv2_b"]
# bug: the tensors that it spoils
BUGS = {
    "relu by the gradient": CONV1 + CONV2,
    # the bias right below a pool gets the same sum, however it is shared out
    "pool 2 shares": [*CONV1, "conv2_W"],
    "pool 1 shares": ["conv1_W"],
    "kernel not flipped": CONV1,
    "rows for columns": CONV1 + CONV2,
    "kernel on its side": CONV1,
    "no padding": CONV1,
    "kernel's last pixel only": ["conv2_W"],
    "bias of the first row": ["conv2_b"],
    "bias of the other filter": ["conv1_b"],
}

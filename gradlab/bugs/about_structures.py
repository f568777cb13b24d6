"""The bugs of batch norm, convolutions, pools and LSTMs.

Figures are those of `Exhibit.shows`, on networks of their own: batch norm in the network of sizes
5-6-6-3; convolutions on images 1 x 8 x 12; LSTMs of sizes 4-5-3 and T = 4.
"""

from __future__ import annotations

from gradlab.bugs.exhibit import Exhibit

ABOUT_STRUCTURES = (
    Exhibit(
        "batch_norm_constant_statistics", 22,
        "the batch's mean and variance are treated as if they were constants",
        "dz = dn / s  # dn = gamma * dout", "dz = (dn - dn.mean(0) - n * (dn * n).mean(0)) / s",
        "everything below, 0.08 to 1; the bias right below, whose gradient is 0, gets another one",
        "",
        "batch norm's mean and variance are taken for constants: two terms are missing",
    ),
    Exhibit(
        "batch_norm_missing_gamma", 23, "batch norm's backward forgets the factor gamma",
        "dn = dout", "dn = gamma * dout",
        "everything below but the bias right below: 0.04 to 0.3 with gammas some 0.2 off 1",
        "gamma = 1, as it is at the start: exactly 0",
        "batch norm's gamma is missing on the way back",
    ),
    Exhibit(
        "batch_norm_over_m_squared", 24, "the variance's term is divided by the batch size twice",
        "dz = (dn - dn.mean(0) - n * (dn * n).sum(0) / m**2) / s",
        "dz = (dn - dn.mean(0) - n * (dn * n).sum(0) / m) / s",
        "everything below but the bias right below: 0.03 to 0.5",
        "it shrinks slowly with the batch: 0.06 to 0.75 at N = 3, 0.02 to 0.5 at N = 64; "
        "and it is 0 where gamma's gradient is",
        "batch norm's term through the variance is divided by the batch size twice",
    ),
    Exhibit(
        "swapped_width_and_height", 25, "the loops of backward take rows for columns",
        "for i in range(W): for j in range(H): dW += dz[i, j] * ...",
        "for i in range(H): for j in range(W): dW += dz[i, j] * ...",
        "that convolution and everything below, 0.1 to 0.4", "square images",
        "rows and columns are swapped in the convolution's backward pass",
    ),
    Exhibit(
        "max_pool_all_ties", 27, "all pixels that equal the maximum get the gradient",
        "da = (a == out) * dout", "da[winner] = dout",
        "everything below, only where pixels tie: 0.3 to 0.5 at the first pool of images with "
        "blank parts, 0.01 to 0.07 at the second", "no two equal pixels in a window: exactly 0",
        "max pool gives the gradient to all pixels that tie, not to one",
    ),
    Exhibit(
        "lstm_cell_gradient_dropped", 30, "what the later cell state sends back is dropped",
        "dc = dh * o * (1 - tanh_c**2)", "dc = dc_next * f_next + dh * o * (1 - tanh_c**2)",
        "all gates, 0.006 to 0.6, if there are four steps",
        "one step; with two or three, the output gate (or its Wh) is right",
        "the cell state's gradient is not carried back through time",
    ),
    Exhibit(
        "lstm_sigmoid_as_derivative", 30, "the input gate stands for its derivative",
        "dz_i = dc * g * i", "dz_i = dc * g * i * (1 - i)",
        "all gates, 0.002 to 0.5",
        "one step shows it in that gate only; two leave five tensors right",
        "the input gate's sigmoid is used where its derivative belongs",
    ),
    Exhibit(
        "lstm_tanh_twice", 30, "tanh is applied to tanh(c)",
        "dc += dh * o * (1 - np.tanh(tanh_c)**2)", "dc += dh * o * (1 - tanh_c**2)",
        "all gates, 0.0003 to 0.07, cosine 0.99 or more",
        "small cell states, as with small weights",
        "tanh is applied twice in the derivative through h = o tanh(c)",
    ),
    Exhibit(
        "lstm_step_overwrites", 30, "each time step's gradient replaces that of the one after",
        "grads['Wx_i'] = x[t].T @ dz_i", "grads['Wx_i'] += x[t].T @ dz_i",
        "all gates, 0.08 to 1; Wh is 0: the first step has no state before it", "one step",
        "each time step's gradient overwrites that of the step after it: = where += belongs",
    ),
    Exhibit(
        "kernel_not_flipped", 31, "the input's gradient correlates with the kernel as it stands",
        "da[y, x] = sum(dz[y + i, x + j] * W[i, j])", "da[y, x] = sum(dz[y - i, x - j] * W[i, j])",
        "everything below that convolution, 0.2 to 0.8", "a kernel that is its own mirror image",
        "the kernel is not flipped in the convolution's input gradient",
    ),
)  # fmt: skip

"""What lesson 10 says is so."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab.model.signal import signal_of
from tests.lessons.prose import book, says

LESSON = "10_conv_net"
CUTS = ["input", "conv1", "pool1", "conv2", "pool2", "relu", "output"]


@pytest.fixture(scope="module")
def case():
    """Return the network, the exact images, those with noise, and the labels."""
    images, y = gl.data.load("digits", 8, seed=5)
    images = images.reshape(8, 1, 8, 8)
    net = gl.convnet((1, 8, 8), filters=(4, 6), padding=(1, 1), classes=10, seed=0)
    x = images + 0.01 * np.random.default_rng(0).standard_normal(images.shape)
    return net, images, x, y


@pytest.fixture(scope="module")
def lab(case):
    net, _, x, y = case
    return gl.Lab(net, x, y, panels=("cuts", "network"), controls=("bug", "bug_layer", "eps"))


def slopes(net, images, y, h=1e-5):
    """Return the slope to the left and to the right of every pixel."""
    left, right, base = np.zeros_like(images), np.zeros_like(images), net.loss(images, y)
    for at in np.ndindex(images.shape):
        shift = np.zeros_like(images)
        shift[at] = h
        left[at] = (base - net.loss(images - shift, y)) / h
        right[at] = (net.loss(images + shift, y) - base) / h
    return left, right


def windows(z):
    """Return the four pixels of each 2 x 2 window, in reading order, along the first axis."""
    return np.stack([z[..., i::2, j::2] for i in (0, 1) for j in (0, 1)])


def test_the_network(case):
    says(LESSON, "ten outputs: 512 parameters in six tensors")
    net, images, _, _ = case
    assert (net.size, len(net.params), net.pool, net.kernels) == (512, 6, "max", ((3, 3), (3, 3)))
    assert images.min() == 0
    assert images.max() == 1
    assert list(net.cut_activations(images)) == CUTS


def test_the_three_reports_are_alike_and_conv1s_code_is_right(case):
    says(LESSON, "the tensors of Conv2 and of the output are right, those of Conv1 are wrong")
    says(LESSON, "Each has one wrong line")
    says(LESSON, "In all three it is right.")
    net, images, _, y = case
    for seed, where in ((3, "layer 2, convolution"), (6, "layer 1, max pool"),
                        (16, "layer 2, convolution")):  # fmt: skip
        one = gl.bugs.mystery(seed, net)
        assert gl.check(one, images, y).wrong == ["conv1_W", "conv1_b"], "choose another seed"
        assert [slip.where for slip in one.reveal().slips] == [where]


def test_right_code_fails_at_blank_pixels(case):
    says(LESSON, "$a$ is neither slope, nor between them, and no step helps")
    net, images, _, y = case
    a = net.cut_gradients(images, y)["input"]
    for h in (1e-3, 1e-5, 1e-7):
        left, right = (part[0, 0, 0, 0] for part in slopes(net, images, y, h))
        assert left == pytest.approx(-0.00243, abs=1e-5)
        assert right == pytest.approx(-0.00318, abs=1e-5)
        assert not min(left, right) <= a[0, 0, 0, 0] <= max(left, right)


def test_why_they_fail(case):
    says(LESSON, "On blank paper neighboring patches are equal, so Conv1 gives equal numbers")
    says(LESSON, "Backpropagation takes the first of the tied pixels")
    says(LESSON, "Shift a weight or the bias of Conv1, and equal patches stay equal")
    says(LESSON, "all 512 parameters pass")
    net, images, _, y = case
    left, right = slopes(net, images, y)
    two_slopes = np.abs(left - right) > 1e-6
    assert two_slopes.any()
    assert not two_slopes[images > 0].any()
    z = windows(net.cut_activations(images)["conv1"])
    ties = (z == z.max(axis=0)).sum(axis=0) > 1
    signal = windows(net.cut_gradients(images, y)["conv1"])
    first = (z == z.max(axis=0)).argmax(axis=0)
    takes = np.arange(4)[:, None, None, None, None] == first
    assert ties.any()
    assert not signal[~takes].any()
    report = gl.check(net, images, y)
    assert (report.verdict, report.wrong) == ("correct", [])
    for name in ("conv1_W", "conv1_b"):
        for i in np.ndindex(net.params[name].shape):
            saved = net.params[name][i]
            net.params[name][i] = saved + 1e-3
            z = windows(net.cut_activations(images)["conv1"])
            net.params[name][i] = saved
            top = z.max(axis=0)
            assert ((top - z <= 1e-15).sum(axis=0)[ties] > 1).all()


def test_noise_breaks_the_ties(case):
    says(LESSON, "It breaks the ties.")
    net, _, x, y = case
    z = windows(net.cut_activations(x)["conv1"])
    assert ((z == z.max(axis=0)).sum(axis=0) == 1).all()
    found = gl.bisect(net, x, y)
    assert (list(found.cuts), found.step) == (["input"], None)
    a, (left, right) = net.cut_gradients(x, y)["input"], slopes(net, x, y, 1e-7)
    assert gl.norm_ratio(a.ravel(), (left + right).ravel() / 2) < 1e-5


def test_a_gradient_that_goes_to_the_top_left(case):
    says(LESSON, "the top left pixel is the largest in one window of three")
    says(LESSON, "The signal that comes to Conv1 is off by 0.57.")
    says(LESSON, "With noise as images, where neighbors have nothing in common, it is as wrong.")
    net, images, _, y = case
    z = windows(net.cut_activations(images)["conv1"])
    assert np.mean(z[0] == z.max(axis=0)) == pytest.approx(1 / 3, abs=0.02)
    rng, found = np.random.default_rng(1), []
    for pictures in (images, *rng.standard_normal((10, *images.shape))):
        right = net.cut_gradients(pictures, y)["conv1"]
        dz = np.zeros_like(right)
        dz[:, :, ::2, ::2] = net.cut_gradients(pictures, y)["pool1"]
        padded = np.pad(pictures, ((0, 0), (0, 0), (1, 1), (1, 1)))
        patches = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
        dW, W = (np.einsum("nfij,ncijkl->fckl", one, patches).ravel() for one in (dz, right))
        found.append((gl.norm_ratio(dz.ravel(), right.ravel()), gl.norm_ratio(dW, W), dW, dz))
    assert f"{found[0][0]:.2f}" == "0.57"
    assert found[0][1] < found[0][0] - 0.1
    signal, weights = np.median([one[:2] for one in found[1:]], axis=0)  # of noise
    assert abs(signal - weights) < 0.05
    says(LESSON, "One tensor alone is wrong, `conv1_W`, and its line is right: the fault is")
    wrong = net.gradient(images, y)
    wrong["conv1_W"] = found[0][2].reshape(wrong["conv1_W"].shape)
    wrong["conv1_b"] = found[0][3].sum(axis=(0, 2, 3))
    assert gl.check(net, images, y, analytic=wrong).wrong == ["conv1_W"]


def test_noise_hides_a_bug_that_shows_at_ties_alone(case):
    says(LESSON, "a Pool1 that gives the gradient to *every* pixel that ties passes all checks")
    net, images, x, y = case
    every = gl.bugs.plant(net, "max_pool_all_ties", layer=1)
    assert gl.check(every, images, y).wrong == ["conv1_b"]
    assert gl.check(every, x, y).wrong == []
    assert {cut.verdict for cut in gl.bisect(every, x, y).cuts.values()} == {"correct"}


def test_where_the_faults_are(case):
    says(LESSON, "The stage between the highest wrong cut and the right one above it is to blame.")
    says(LESSON, "A and C: the fault is in **Conv2**, whose own tensors are right")
    says(LESSON, 'it sends all three to "Pool1 to Input", where only B\'s fault is')
    says(LESSON, "B is a fault in **Pool1**, which has no weights at all")
    says(LESSON, "In A patches overwrite each other where they should add up; in C the kernel is")
    net, _, x, y = case
    for seed, between, (wrong, right) in (
        (3, ("pool1", "conv2"), ("] = einsum", "] += einsum")),
        (6, ("conv1", "pool1"), ("* z1", "* win1")),
        (16, ("pool1", "conv2"), ("-1 - i, -1 - j]", ":, i, j]")),
    ):
        one = gl.bugs.mystery(seed, net)
        assert gl.bisect(one, x, y).between == between
        (slip,) = one.reveal().slips
        assert wrong in slip.wrong
        assert right in slip.right
    says(LESSON, "(In the lines, `p1` is what Pool1 gives out, `dp1_pad` its gradient with")


def test_the_cuts_are_printed_before_the_stages_are_named():
    """The reader names them in between: `reveal` and the blame are in the next cell, folded."""
    says(LESSON, "The next cell prints the cuts' verdicts and no more")
    sources = [cell.source for cell in book(LESSON).cells]
    at = next(i for i, source in enumerate(sources) if source.startswith("x = images + 0.01"))
    cuts, names = book(LESSON).cells[at : at + 2]
    assert cuts.outputs[0].text.splitlines() == [
        "right code: input correct",
        "A: input wrong, conv1 wrong, pool1 wrong, conv2 correct",
        "B: input wrong, conv1 wrong, pool1 correct",
        "C: input wrong, conv1 wrong, pool1 wrong, conv2 correct",
    ]
    assert not any("reveal" in source for source in sources[: at + 1])
    assert names.source.startswith("# Decide before you run this.")
    assert names.outputs[0].text.count("it stands between") == 3
    assert not any("fault is in **Conv2**" in source for source in sources[: at + 2])


def test_a_bug_in_the_padding(case):
    says(LESSON, "again; cut in the wrong place, it is shifted")
    net, _, x, y = case
    wrong = gl.bugs.mystery(109, net)
    assert wrong.reveal().slips[0].wrong == "dp1 = dp1_pad[:, :, :H2, :V2]"
    assert gl.bisect(wrong, x, y).between == ("pool1", "conv2")
    right, shifted = (one.cut_gradients(x, y)["pool1"] for one in (net, wrong))
    assert np.allclose(shifted[:, :, 1:, 1:], right[:, :, :-1, :-1])


def test_what_a_right_path_leaves_open(case):
    says(LESSON, "never uses `conv2_b`'s gradient, so no cut can see that it is wrong")
    says(
        LESSON, "`conv1_W`, at the very end of the chain, is right, and the other five tensors are"
    )
    net, _, x, y = case
    planted = gl.bugs.plant(net, "bias_summed_without_axis", layer=2)
    right, wrong = net.cut_gradients(x, y), planted.cut_gradients(x, y)
    assert all(np.allclose(right[name], wrong[name], rtol=1e-12, atol=1e-15) for name in CUTS)
    assert gl.check(planted, x, y).wrong == ["conv2_b"]


def test_what_right_tensors_leave_open(case):
    says(LESSON, "Conv1's $\\partial L/\\partial x$, which no parameter needs")
    net, _, x, y = case
    signal = net.cut_gradients(x, y)
    found = gl.bisect(net, x, y, analytic={**signal, "input": -signal["input"]})
    assert found.between == ("input", "conv1")
    assert gl.check(net, x, y).wrong == []


@pytest.mark.parametrize(
    ("bug", "layer", "between", "wrong"),
    [
        ("kernel_not_flipped", 2, ("pool1", "conv2"), ["conv1_W", "conv1_b"]),
        ("missing_activation_derivative", 2, ("pool2", "relu"),
         ["conv1_W", "conv1_b", "conv2_W", "conv2_b"]),
        ("bias_mean", 1, (), ["conv1_b"]),
        ("bias_mean", 3, (), ["out_b"]),
    ],
)  # fmt: skip
def test_the_answers_to_try_one_and_two(bug, layer, between, wrong, lab):
    says(LESSON, "Between pool1 and conv2, with Conv1's two tensors wrong; between pool2 and relu")
    says(LESSON, "Only the tensors: `conv1_b`, then `out_b`. Every cut stays right.")
    says(LESSON, "*kernel turned the wrong way round*, then *activation's derivative is missing*")
    titles = dict(map(reversed, lab.controls["bug"].options))
    assert titles["kernel_not_flipped"] == "kernel turned the wrong way round"
    assert titles["missing_activation_derivative"] == "activation's derivative is missing"
    assert titles["bias_mean"] == "bias averaged, not summed"
    lab.state.update(bug=bug, bug_layer=layer)
    signal = signal_of(lab.state.result)
    assert signal.found.between == between
    assert lab.state.result.report.wrong == wrong
    right = [name for name, cut in signal.cuts.items() if cut.verdict == "correct"]
    assert right == CUTS[CUTS.index(between[1]) if between else 0 :]
    lab.state.reset()


def test_the_answer_to_try_three(lab):
    says(LESSON, "All from the input to pool2: a shift there can change a winner of a pool, or")
    says(LESSON, "Drag **step eps** from 1e-5 to 1e-2.")
    says(LESSON, "At 1e-2 without a bug *inconclusive* in the four tensors of the convolutions")
    assert lab.state.eps == 1e-5
    assert {cut.verdict for cut in signal_of(lab.state.result).cuts.values()} == {"correct"}
    lab.state.eps = 1e-2
    verdicts = [str(cut.verdict) for cut in signal_of(lab.state.result).cuts.values()]
    assert verdicts == ["inconclusive"] * 5 + ["correct"] * 2
    tensors = lab.state.result.report.tensors.values()
    assert [str(t.verdict) for t in tensors] == ["inconclusive"] * 4 + ["correct"] * 2
    assert [t.crossed_kinks > 0 for t in tensors] == [True] * 4 + [False] * 2
    lab.state.reset()


def test_what_you_should_see(case):
    says(LESSON, "*wrong* in `conv1_W` and `conv1_b`, the two tensors below it, and norm ratios")
    says(LESSON, "below 1e-7 in all others")
    says(LESSON, "The averaged bias: *wrong* in `conv1_b` alone.")
    net, _, x, y = case
    report = gl.check(gl.bugs.plant(net, "kernel_not_flipped", 2), x, y, eps=1e-5)
    assert report.wrong == ["conv1_W", "conv1_b"]
    others = ("conv2_W", "conv2_b", "out_W", "out_b")
    assert max(report[name].norm_ratio for name in others) < 1e-7
    assert gl.check(gl.bugs.plant(net, "bias_mean", 1), x, y, eps=1e-5).wrong == ["conv1_b"]


def test_the_residual_block():
    says(LESSON, "If the shortcut's part is forgotten, this is what a check shows.")
    rng = np.random.default_rng(0)
    u, y = rng.standard_normal((5, 3)), rng.standard_normal((5, 4))
    W = [rng.standard_normal(shape) for shape in ((3, 4), (4, 4), (4, 4))]

    def passes(W):
        x = np.tanh(u @ W[0])  # below the block
        f = np.tanh(x @ W[1])  # out = x + f
        return x, f, (x + f) @ W[2]

    def loss(W):
        return ((passes(W)[2] - y) ** 2).sum()

    x, f, out = passes(W)
    d = 2 * (out - y)
    dout = d @ W[2].T
    df = dout * (1 - f**2)
    for dx, below_is_right in ((dout + df @ W[1].T, True), (df @ W[1].T, False)):
        a = [u.T @ (dx * (1 - x**2)), x.T @ df, (x + f).T @ d]
        for k in range(3):
            put = lambda w, k=k: loss([*W[:k], w.reshape(W[k].shape), *W[k + 1 :]])  # noqa: E731
            n = gl.central_difference(put, W[k].ravel(), 1e-5)
            assert (gl.norm_ratio(a[k].ravel(), n) < 1e-7) == (k > 0 or below_is_right)

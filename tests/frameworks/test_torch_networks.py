"""Convnets, LSTMs and batch norm against PyTorch's own layers, at every parameter and cut."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  PyTorch's own name for it

import gradlab as gl
from tests.nn.network_cases import CASES

LOSS_TOLERANCE, GRADIENT_TOLERANCE = 1e-13, 1e-12


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # tiny matrices: threads would only wait for each other
    yield
    torch.set_num_threads(before)


def convnet_cuts(net, p, x, masks):
    pool = F.max_pool2d if net.pool == "max" else F.avg_pool2d
    cuts = {"input": x}
    cuts["conv1"] = F.conv2d(x, p["conv1_W"], p["conv1_b"], padding=net.padding[0])
    cuts["pool1"] = pool(cuts["conv1"], 2)
    cuts["conv2"] = F.conv2d(cuts["pool1"], p["conv2_W"], p["conv2_b"], padding=net.padding[1])
    cuts["pool2"] = pool(cuts["conv2"], 2)
    cuts["relu"] = F.relu(cuts["pool2"])
    cuts["output"] = F.linear(cuts["relu"].flatten(1), p["out_W"].T, p["out_b"])
    return cuts


def lstm_cuts(net, p, x, masks):
    # torch.nn.LSTM stacks the gates as rows in the same order i, f, g, o, and has a second bias
    Wx, Wh = (torch.cat([p[f"{kind}_{q}"].T for q in "ifgo"]) for kind in ("Wx", "Wh"))
    b = torch.cat([p[f"b_{q}"] for q in "ifgo"])
    state = torch.zeros(1, x.shape[1], net.hidden, dtype=x.dtype)
    hidden, _, _ = torch.lstm(
        x, (state, state), [Wx, Wh, b, torch.zeros_like(b)], True, 1, 0.0, False, False, False
    )
    hidden = hidden if net.every_step else hidden[-1]
    return {"input": x, "hidden": hidden, "output": F.linear(hidden, p["Wy"].T, p["by"])}


def mlp_cuts(net, p, x, masks):
    functions = {"tanh": torch.tanh, "relu": F.relu}
    cuts, a = {"input": x}, x
    for i, name in enumerate(net.activations, start=1):
        cuts[f"z{i}"] = F.linear(a, p[f"W{i}"].T, p[f"b{i}"])
        a = cuts[f"norm{i}"] = F.batch_norm(
            cuts[f"z{i}"], None, None, p[f"gamma{i}"], p[f"beta{i}"], training=True, eps=1e-5
        )
        if name != "identity":
            a = cuts[f"a{i}"] = functions[name](a)
        if masks is not None:
            a = cuts[f"dropout{i}"] = a * torch.tensor(masks[i - 1])
    cuts["output"] = F.linear(a, p[f"W{i + 1}"].T, p[f"b{i + 1}"])
    return cuts


CUTS = {gl.nn.ConvNet: convnet_cuts, gl.nn.LSTMNet: lstm_cuts, gl.nn.MLP: mlp_cuts}


def torch_loss(net, p, output, y):
    n = y.shape[1] if getattr(net, "every_step", False) else len(y)
    output, y = output.flatten(0, -2), torch.tensor(y)
    y = y.flatten() if y.dtype == torch.int64 else y.reshape(output.shape)
    each = {
        "mse": F.mse_loss,
        "softmax_cross_entropy": F.cross_entropy,
        "binary_cross_entropy": F.binary_cross_entropy_with_logits,
    }[net.loss_name](output, y, reduction="sum")
    return each / n + 0.5 * net.l2 * sum((p[name] ** 2).sum() for name in net.weight_names)


def gradients(case):
    p = {name: torch.tensor(v, requires_grad=True) for name, v in case.net.params.items()}
    x = torch.tensor(case.x, requires_grad=True)
    cuts = CUTS[type(case.net)](case.net, p, x, case.masks)
    for cut in cuts.values():
        cut.retain_grad()
    loss = torch_loss(case.net, p, cuts["output"], case.y)
    loss.backward()
    grads, cut_grads = ({k: v.grad.numpy() for k, v in d.items()} for d in (p, cuts))
    return loss.item(), grads, cut_grads, {k: v.detach().numpy() for k, v in cuts.items()}


def assert_agree(ours, theirs):
    assert list(ours) == list(theirs)
    largest = max(abs(value).max() for value in theirs.values())
    for name, value in ours.items():
        assert value.shape == theirs[name].shape, name
        difference = abs(value - theirs[name]).max()
        assert difference <= GRADIENT_TOLERANCE * largest, f"{name}: off by {difference:.1e}"


@pytest.mark.parametrize("name", CASES)
def test_loss_gradient_and_every_cut_agree_with_torch(name):
    case = CASES[name]
    loss, grads, cut_grads, cuts = gradients(case)
    assert abs(case.net.loss(case.x, case.y, case.masks) - loss) <= LOSS_TOLERANCE * loss
    assert_agree(case.net.gradient(case.x, case.y, case.masks), grads)
    assert_agree(case.net.cut_gradients(case.x, case.y, case.masks), cut_grads)
    assert_agree(case.net.cut_activations(case.x, case.masks), cuts)


@pytest.mark.parametrize("name", ["convnet mse", "lstm mse True", "batch norm mse masked=True"])
def test_the_comparison_notices_an_error_of_one_part_in_10_to_the_11(name):
    case = CASES[name]
    _, _, cut_grads, _ = gradients(case)
    wrong = {cut: value.copy() for cut, value in cut_grads.items()}
    worst = max(wrong, key=lambda cut: abs(wrong[cut]).max())
    wrong[worst].flat[0] += 1e-11 * abs(wrong[worst]).max()
    with pytest.raises(AssertionError, match=f"{worst}: off by"):
        assert_agree(case.net.cut_gradients(case.x, case.y, case.masks), wrong)

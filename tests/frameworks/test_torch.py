"""Backpropagation against PyTorch: its layers, its activations, its losses, its autograd."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812  PyTorch's own name for it

from tests.nn.oracle_cases import ACTIVATIONS, SETTINGS, TARGETS, assert_agree, make_case

FUNCTIONS = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": lambda z: F.leaky_relu(z, negative_slope=0.01),
    "elu": F.elu,
    "softplus": F.softplus,
}

# PyTorch's "mean" divides mse and binary cross-entropy by N*K; gradlab, as its sources, by N.
LOSSES = {
    "mse": lambda out, y: F.mse_loss(out, y.reshape(out.shape), reduction="sum") / len(out),
    "softmax_cross_entropy": F.cross_entropy,
    "binary_cross_entropy": lambda out, y: (
        F.binary_cross_entropy_with_logits(out, y.reshape(out.shape).double(), reduction="sum")
        / len(out)
    ),
}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # tiny matrices: threads would only wait for each other
    yield
    torch.set_num_threads(before)


def loss_and_gradient(case):
    params = {k: torch.tensor(v, requires_grad=True) for k, v in case.params.items()}
    a = torch.tensor(case.x)
    for i, name in enumerate(case.names, start=1):
        a = FUNCTIONS[name](F.linear(a, params[f"W{i}"].T, params[f"b{i}"]))
        if case.masks is not None and i <= len(case.masks):
            a = a * torch.tensor(case.masks[i - 1])
    loss = LOSSES[case.loss](a, torch.tensor(case.y))
    loss = loss + 0.5 * case.l2 * sum((params[f"W{i}"] ** 2).sum() for i in (1, 2, 3))
    loss.backward()
    return loss.item(), {name: value.grad.numpy() for name, value in params.items()}


def check(names, target):
    for n, l2, masked in SETTINGS:
        case = make_case(names, target, n, l2, masked)
        loss, gradient = loss_and_gradient(case)
        assert all(g.any() for g in gradient.values()), "a dead network would test nothing"
        assert_agree(case.net(), case, loss, gradient)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("output", ACTIVATIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_loss_and_gradient_agree_with_torch(activation, output, target):
    check((activation, activation, output), target)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("mixed", list(itertools.pairwise(ACTIVATIONS)))
def test_mixed_activations_agree_with_torch(mixed, target):
    check((*mixed, "identity"), target)


@pytest.mark.parametrize("tensor", ["W1", "b1", "W2", "b2", "W3", "b3"])
def test_the_comparison_notices_an_error_of_one_part_in_10_to_the_11(tensor):
    case = make_case(("tanh", "tanh", "identity"), "labels", 6, 0.3, True)
    loss, gradient = loss_and_gradient(case)
    gradient[tensor] = gradient[tensor].copy()
    gradient[tensor].flat[0] += 1e-11 * np.abs(gradient[tensor]).max()
    with pytest.raises(AssertionError, match=f"{tensor}: off by"):
        assert_agree(case.net(), case, loss, gradient)

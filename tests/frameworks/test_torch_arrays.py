"""Tensors of torch where `gl.check_arrays` and `gl.check_function` take arrays."""

import numpy as np
import torch

import gradlab as gl

W = torch.linspace(-1, 1, 6, dtype=torch.float64).reshape(3, 2).requires_grad_()
X = torch.linspace(0, 2, 12, dtype=torch.float64).reshape(4, 3)


def loss():
    return (torch.tanh(X @ W) ** 2).sum()


def grads(factor=1.0):
    W.grad = None
    loss().backward()
    return {"W": factor * W.grad}


def test_a_tensor_is_checked_in_the_memory_it_has():
    before = W.detach().clone()
    assert gl.check_arrays(loss, {"W": W}, grads).verdict == "correct"
    assert gl.check_arrays(loss, {"W": W}, lambda: grads(1.01)).wrong == ["W"]
    assert torch.equal(W, before)


def test_a_function_of_tensors():
    theta = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)

    def f(t):
        t = torch.tensor(t, requires_grad=True)
        value = (t**3).sum()
        value.backward()
        return value, t.grad

    assert gl.check_function(f, True, theta).verdict == "correct"
    assert gl.check_function(lambda t: f(t)[0], 3 * np.array([1.0, 4.1]), theta).wrong == ["theta"]

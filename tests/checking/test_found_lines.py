"""The one wrong line of a gradient: found among all that could be edited, and told as it must be.

Each gradient is right but for one line. The oracle is the check: with the line as it is told it
comes out right.
"""

import ast
import importlib.util

import numpy as np
import pytest

import gradlab as gl

HEAD = """import numpy as np

X = np.cos(np.arange(12.0)).reshape(4, 3)
Y = np.sin(np.arange(8.0)).reshape(4, 2)
LABELS = np.array([0, 2, 1, 2])


def apart(theta):
    return theta[:6].reshape(3, 2), theta[6:8]


def together(dW, db):
    return np.concatenate([dW.ravel(), db])
"""
#: Forward and backward, the right line and the wrong one.
LINEAR = """
def f(theta):
    W, b = apart(theta)
    return float(np.sum((X @ W + b - Y) ** 2) / len(X))


def grad(theta):
    W, b = apart(theta)
    d = 2 * (X @ W + b - Y) / len(X)
    return together(X.T @ d, d.sum(axis=0))
"""
TANH = """
def f(theta):
    W, b = apart(theta)
    return float(np.sum(np.tanh(X @ W + b) * Y))


def grad(theta):
    W, b = apart(theta)
    a = np.tanh(X @ W + b)
    d = Y * (1 - a**2)
    dW = X.T @ d
    db = d.sum(axis=0)
    return together(dW, db)
"""
LOOP = """
def f(theta):
    h = 0.0
    for t in range(4):
        h = np.tanh(theta[0] * h + theta[1] * X[t, 0] + theta[2])
    return float(h**2)


def grad(theta):
    h = [0.0]
    for t in range(4):
        h.append(np.tanh(theta[0] * h[t] + theta[1] * X[t, 0] + theta[2]))
    g, d = np.zeros(3), 2 * h[4]
    for t in reversed(range(4)):
        dz = d * (1 - h[t + 1] ** 2)
        g[0] += dz * h[t]
        g[1] += dz * X[t, 0]
        g[2] += dz
        d = dz * theta[0]
    return g
"""
ROWS = """
def f(theta):
    rows = theta.reshape(4, 2)
    return float(np.sum(rows[LABELS] ** 3))


def grad(theta):
    rows = theta.reshape(4, 2)
    g = np.zeros((4, 2))
    d = 3 * rows[LABELS] ** 2
    np.add.at(g, LABELS, d)
    return g.ravel()
"""
BOTH = """
def f(theta):
    W, b = apart(theta)
    z = X @ W + b
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    loss = -float(np.sum(Y**2 * np.log(p)))
    weight = (Y**2).sum(axis=1, keepdims=True)
    d = p * weight - Y**2
    return loss, together(X.T @ d, d.sum(axis=0))


grad = True
"""
BRANCH = """
def f(theta):
    return float(np.sum(np.where(theta > 0, theta**2, 0.1 * theta)))


def slope(v, rate=0.1):
    if v > 0:
        return 2 * v
    return rate


def grad(theta):
    g = np.empty_like(theta)
    for k, v in enumerate(theta):
        g[k] = slope(v)
    return g
"""
METHOD = """
class Net:
    def __init__(self):
        self.scale = 0.5

    def loss(self, theta):
        self.s = 1 / (1 + np.exp(-theta))
        return float(np.sum(self.s * self.scale))

    def backward(self, theta):
        self.loss(theta)
        return self.__slope() * self.scale

    def __slope(self):
        return self.s * (1 - self.s)


NET = Net()
f, grad = NET.loss, NET.backward
"""
OF_AN_OBJECT = METHOD.replace(
    "f, grad = NET.loss, NET.backward",
    "f = NET.loss\n\n\ndef grad(theta):\n    return NET.backward(theta)",
)
REGULARISED = """
LAM = 0.3


def f(theta):
    W, b = apart(theta)
    return float(np.sum(np.sin(X @ W + b)) + 0.5 * LAM * np.sum(W**2))


def grad(theta):
    W, b = apart(theta)
    d = np.cos(X @ W + b)
    dW = X.T @ d + LAM * W
    return together(dW, d.sum(axis=0))
"""
NORM = """
def f(theta):
    return float(np.sqrt(np.sum(theta**2)))


def grad(theta):
    n = float(np.sqrt(np.sum(theta**2)))
    s = 1.0 / n
    return theta * s
"""
CASES = {
    "mean for sum": (LINEAR, "d.sum(axis=0))", "d.mean(axis=0))"),
    "2 forgotten": (LINEAR, "d = 2 * (X @ W + b - Y) / len(X)", "d = (X @ W + b - Y) / len(X)"),
    "N forgotten": (LINEAR, "- Y) / len(X)\n    return t", "- Y)\n    return t"),
    "sign": (LINEAR, "d = 2 * (X @ W + b - Y)", "d = 2 * (X @ W + b + Y)"),
    "bias forgotten": (LINEAR, "d = 2 * (X @ W + b - Y)", "d = 2 * (X @ W - Y)"),
    "square forgotten": (TANH, "(1 - a**2)", "(1 - a)"),
    "sin for tanh": (TANH, "a = np.tanh(X @ W + b)\n    d", "a = np.sin(X @ W + b)\n    d"),
    "rows for columns": (TANH, "dW = X.T @ d", "dW = (d.T @ X).reshape(3, 2)"),
    "a number": (TANH, "dW = X.T @ d", "dW = 1.7 * X.T @ d"),
    "= for +=": (LOOP, "g[0] += dz * h[t]", "g[0] = dz * h[t]"),
    "one step off": (LOOP, "g[0] += dz * h[t]", "g[0] += dz * h[t + 1]"),
    "not handed on": (LOOP, "        d = dz * theta[0]\n", ""),
    "another weight": (LOOP, "d = dz * theta[0]", "d = dz * theta[1]"),
    "another range": (LOOP, "reversed(range(4))", "reversed(range(3))"),
    "rows written over": (ROWS, "np.add.at(g, LABELS, d)", "g[LABELS] = d"),
    "rows buffered": (ROWS, "np.add.at(g, LABELS, d)", "g[LABELS] += d"),
    "another power": (ROWS, "d = 3 * rows[LABELS] ** 2", "d = 3 * rows[LABELS]"),
    "weight forgotten": (BOTH, "d = p * weight - Y**2", "d = p - Y**2"),
    "operands exchanged": (BOTH, "d = p * weight - Y**2", "d = Y**2 - p * weight"),
    "in a helper": (BRANCH, "        return 2 * v", "        return v"),
    "a default": (BRANCH, "return rate", "return 1"),
    "a comparison": (BRANCH, "if v > 0:\n        return 2", "if v < 0:\n        return 2"),
    "a private method": (METHOD, "return self.s * (1 - self.s)", "return self.s * (1 + self.s)"),
    "a factor in a method": (METHOD, "self.__slope() * self.scale", "self.__slope()"),
    "of an object that is called": (
        OF_AN_OBJECT, "return self.s * (1 - self.s)", "return self.s * self.s",
    ),
    "below a line that cannot be 0": (NORM, "s = 1.0 / n", "s = 2.0 / n"),
    "a root": (NORM, "s = 1.0 / n", "s = 1.0 / n**2"),
    "L2 forgotten": (REGULARISED, "X.T @ d + LAM * W", "X.T @ d"),
    "L2 doubled": (REGULARISED, "X.T @ d + LAM * W", "X.T @ d + 2 * LAM * W"),
    "one line too many": (TANH, "db = d.sum(axis=0)\n", "db = d.sum(axis=0)\n    db -= b\n"),
    "in the wrong order": (TANH, "    d = Y * (1 - a**2)\n    dW = X.T @ d\n",
                           "    d = Y * 1.0\n    dW = X.T @ d\n    d *= 1 - a**2\n"),
}  # fmt: skip
NOT_FOUND = {"sin for tanh", "not handed on"}  # no rule writes these


def loaded(text, folder, name):
    path = folder / f"{name}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def checked(text, folder, name):
    module = loaded(text, folder, name)
    theta = np.cos(1 + 2 * np.arange(3.0 if "theta[2]" in text else 8.0))
    return gl.check_function(module.f, module.grad, theta)


@pytest.mark.parametrize("name", CASES)
def test_with_the_line_as_it_is_told_the_gradient_is_right(name, tmp_path):
    body, right, wrong = CASES[name]
    assert body.count(right) == 1
    assert checked(HEAD + body, tmp_path, "right").verdict == "correct"
    text = HEAD + body.replace(right, wrong)
    report = checked(text, tmp_path, "spoiled")
    assert report.verdict == "wrong"
    cause = report.diagnosis[0]
    assert (cause.whose == "yours") == (name not in NOT_FOUND), cause
    if cause.whose != "yours":
        return
    number, lines = int(cause.where.rpartition(", line ")[2]), text.split("\n")
    line = lines[number - 1]
    indent = line[: len(line) - len(line.lstrip())]
    if "; " in cause.wrong_line:  # two lines, which are exchanged
        lines[number - 1 : number + 1] = [indent + new for new in cause.right_line.split("; ")]
    elif cause.wrong_line:
        assert _same(line.strip(), cause.wrong_line)
        lines[number - 1] = indent + (cause.right_line or "pass")
    else:
        lines.insert(number, indent + cause.right_line)
    mended = "\n".join(lines)
    assert checked(mended, tmp_path, "mended").verdict == "correct", cause
    assert cause.residual < 1e-5
    assert "of the deviation is left" in cause.evidence


def _same(line, told):
    """Tell whether a line of a file is what is told; of a loop or a branch that is its head."""
    ends = " pass" if line.endswith(":") else ""
    return ast.unparse(ast.parse(line + ends)) == ast.unparse(ast.parse(told + ends))

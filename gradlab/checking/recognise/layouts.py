"""Which of somebody's arrays may be which parameter of a network of ours: by shapes, then by names.

A layout does not say what the network computes but for its kind: the activation and the loss are
tried on it (`recognise`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, permutations, product

import numpy as np

from gradlab.nn.activations import ACTIVATION_FUNCTIONS, ACTIVATIONS, leaky_relu
from gradlab.nn.convnet import AveragePool, Conv, MaxPool
from gradlab.nn.layers import Activation, BatchNorm, Dense
from gradlab.nn.lstm import lstm
from gradlab.nn.mlp import mlp
from gradlab.nn.network import Network

MOST = 24  # ways of giving arrays to layers that are tried, for one kind of network
FIRST, LAST = (
    ("relu", "tanh", "sigmoid", "leaky_relu"),
    "identity",
)  # as often as networks have them
FIRST_ACTIVATIONS = (*FIRST, *(n for n in ACTIVATIONS if n not in (*FIRST, LAST)), LAST)
#: A leaky ReLU's slope is each person's choice.
SLOPES = {f"leaky_relu, slope {slope}": leaky_relu(slope) for slope in (0.1, 0.2, 0.05, 0.3, 0.001)}
FUNCTIONS = {**ACTIVATION_FUNCTIONS, **SLOPES}
KINDS = {"gamma": re.compile("gamma|scale", re.I), "beta": re.compile("beta|shift", re.I)}


@dataclass(frozen=True, eq=False)
class Piece:
    """An array, or what is made of one by slicing and transposing.

    Attributes
    ----------
    text : str
        As one writes it: "W[:3, 0:8]", "W.T".
    where : ndarray of int
        The place of each entry in theta.
    array : str
        The array's name.
    """

    text: str
    where: np.ndarray
    array: str

    def __getitem__(self, key: slice | int | tuple) -> Piece:
        parts = key if isinstance(key, tuple) else (key,)
        shown = ", ".join(
            f"{'' if p.start is None else p.start}:{'' if p.stop is None else p.stop}"
            if isinstance(p, slice)
            else str(p)
            for p in parts
        )
        columns = re.fullmatch(r"(.+)\[:, (\d+:\d+)\]", self.text)
        text = f"{columns[1]}[{shown}, {columns[2]}]" if columns else f"{self.text}[{shown}]"
        return Piece(text, self.where[key], self.array)

    @property
    def turned(self) -> Piece:
        """The transposed one; W.T.T is W."""
        text = self.text[:-2] if self.text.endswith(".T") else f"{self.text}.T"
        return Piece(text, self.where.T, self.array)

    @property
    def is_vector(self) -> bool:
        """Whether it may be a bias: (H,), (1, H), (H, 1) or a single number."""
        return sum(n > 1 for n in self.where.shape) <= 1


@dataclass(frozen=True, eq=False)
class Layout:
    """Somebody's arrays as the parameters of a network of ours.

    Attributes
    ----------
    make : callable, (activations, loss, output_activation) -> Network
    hidden : int
        How many activations there are to choose.
    parts : dict of str to Piece
        By the network's names; biases that somebody's network has not are left out.
    x : ndarray
        As the network takes it.
    rows : tuple of int
        (N,), or (T, N) where every step has a target.
    about : str
        What cannot be seen in the network's repr.
    has_head : bool
        Whether there may be an activation at the output.
    """

    make: Callable[[Sequence[str], str, str], Network]
    hidden: int
    parts: dict[str, Piece]
    x: np.ndarray
    rows: tuple[int, ...]
    about: str = ""
    has_head: bool = True

    def activations(self) -> Iterator[tuple[str, ...]]:
        """Yield what may be chosen: the same everywhere first; of two hidden layers, all pairs."""
        names = (*FIRST_ACTIVATIONS, *SLOPES) if self.hidden else FIRST_ACTIVATIONS[:1]
        yield from ((name,) * self.hidden for name in names)
        if self.hidden == 2:
            yield from permutations(FIRST_ACTIVATIONS, 2)

    def places(self, net: Network) -> dict[str, np.ndarray]:
        """Return where each parameter's entries are in theta, -1 where nowhere."""
        return {
            name: self.parts[name].where.reshape(value.shape)
            if name in self.parts
            else np.full(value.shape, -1)
            for name, value in net.params.items()
        }

    def params(self, net: Network, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Return theta's entries as a network's parameters, 0 where somebody's code has none."""
        longer = np.append(theta, 0.0).astype(net.dtype)
        return {name: longer[where] for name, where in self.places(net).items()}


def layouts(pieces: list[Piece], x: np.ndarray) -> Iterator[Layout]:
    """Yield the ways of giving arrays to layers that their shapes allow, the likely ones first."""
    if x.ndim == 4:
        yield from _convnets(pieces, x)
    if x.ndim in (2, 3):
        yield from _lstms(pieces, x)
    flat = x.reshape(len(x), -1)
    ways = (flat, x.T) if x.ndim == 2 else (flat,)
    for find, rows in product((_stacks, _stacks_with_ones), ways):
        yield from _mlps(find(pieces, rows.shape[1]), rows)


# -- dense layers -----------------------------------------------------------------------------


def _stacks(pieces: list[Piece], inputs: int) -> Iterator[list[dict[str, Piece]]]:
    """Yield dense layers that use up the pieces, each {"W": …, "b": …, "gamma": …}."""
    for batch_norm, bias, last_bias in product((False, True), (True, False), (True, False)):
        roles = [*["b"] * bias, *["gamma", "beta"] * batch_norm]
        if not batch_norm and bias != last_bias:
            continue
        layers, rest = divmod(len(pieces) - 1 - last_bias, 1 + len(roles))
        if rest == 0 and layers >= (1 if batch_norm else 0):
            plan = [roles] * layers + [["b"] * last_bias]
            for turned in (False, True):
                found = _filled(plan, pieces, inputs, turned)
                yield from (stack for stack in islice(found, MOST) if stack is not None)


def _filled(
    plan: list[list[str]], left: list[Piece], inputs: int, turned: bool
) -> Iterator[list[dict[str, Piece]] | None]:
    """Yield ways to fill the layers of a plan one after the other; None for a dead end."""
    if not plan:
        yield []
        return
    is_dead = True
    for W in left:
        rest = [p for p in left if p is not W]
        matrix = _as_weight(W, inputs, turned, is_last=len(plan) == 1)
        if matrix is None:
            continue
        for chosen in _vectors(plan[0], rest, matrix):
            others = [p for p in rest if p not in chosen]
            layer = {"W": matrix, **dict(zip(plan[0], chosen, strict=True))}
            for above in _filled(plan[1:], others, matrix.where.shape[1], turned):
                is_dead = False
                yield None if above is None else [layer, *above]
    if is_dead:
        yield None


def _as_weight(piece: Piece, inputs: int, turned: bool, is_last: bool) -> Piece | None:
    """Return a piece as (inputs, outputs); of a single output it may be a vector."""
    if is_last and piece.where.shape == (inputs,):
        return piece[:, None]
    if piece.where.ndim != 2:
        return None
    matrix = piece.turned if turned else piece
    return matrix if len(matrix.where) == inputs else None


def _vectors(roles: list[str], left: list[Piece], W: Piece) -> Iterator[tuple[Piece, ...]]:
    """Yield pieces for the roles: with a name that says so first, then in the order given."""
    if not roles:
        yield ()
        return
    number = _number(W.array)
    fits = [p for p in left if p.is_vector and p.where.size == W.where.shape[1]]
    kinds = {p: next((k for k, r in KINDS.items() if r.search(p.array)), None) for p in fits}
    fits = [p for p in fits if kinds[p] in (None, roles[0])]
    fits.sort(
        key=lambda p: (
            kinds[p] != roles[0] and roles[0] in kinds.values(),
            _number(p.text) != number,
        )
    )
    for piece in fits:
        for more in _vectors(roles[1:], [p for p in left if p is not piece], W):
            yield (piece, *more)


def _stacks_with_ones(pieces: list[Piece], inputs: int) -> Iterator[list[dict[str, Piece]]]:
    """Yield dense layers whose bias is the first or last column, or row, of the weights.

    That is how one writes them who puts a column of ones before x and before each hidden layer.
    """
    if any(p.where.ndim != 2 for p in pieces):
        return
    for rest, one in ((slice(1, None), 0), (slice(None, -1), -1)):
        for turned in (True, False):
            layers = [
                {"W": p[:, rest].turned, "b": p[:, one]} if turned else {"W": p[rest], "b": p[one]}
                for p in pieces
            ]
            for stack in islice(permutations(layers), MOST):
                rows, columns = zip(*(layer["W"].where.shape for layer in stack), strict=True)
                if rows == (inputs, *columns[:-1]):
                    yield list(stack)


def _number(name: str) -> str:
    """Return the last number in a name: arrays of one layer often share it."""
    return (re.findall(r"\d+", name) or [""])[-1]


def _mlps(stacks: Iterator[list[dict[str, Piece]]], x: np.ndarray) -> Iterator[Layout]:
    for stack in stacks:
        sizes = [x.shape[1], *(layer["W"].where.shape[1] for layer in stack)]
        parts = {f"{role}{i}": p for i, layer in enumerate(stack, 1) for role, p in layer.items()}
        batch_norm = "gamma1" in parts
        for eps in (1e-5, 1e-8) if batch_norm else (1e-5,):

            def make(
                names: Sequence[str],
                loss: str,
                output: str,
                sizes: list[int] = sizes,
                batch_norm: bool = batch_norm,
                eps: float = eps,
            ) -> Network:
                kinds = [name.partition(",")[0] for name in names]
                net = mlp(sizes, kinds, output, loss, batch_norm=batch_norm)
                for k, layer in enumerate(net.layers):
                    if isinstance(layer, BatchNorm):
                        layer.eps = eps
                    elif names and names[0] in SLOPES and repr(layer) == "Activation(leaky_relu)":
                        net.layers[k] = Activation(SLOPES[names[0]], layer.name)
                return net

            about = f"eps = {eps:g} in batch norm" if batch_norm else ""
            yield Layout(make, len(stack) - 1, parts, x, x.shape[:1], about)


# -- images -----------------------------------------------------------------------------------


def _convnets(pieces: list[Piece], x: np.ndarray) -> Iterator[Layout]:
    """Yield convolutions of stride 1, each with a pool of 2 x 2, below dense layers."""
    kernels = [p for p in pieces if p.where.ndim == 4 and not p.is_vector]
    rest = [p for p in pieces if p not in kernels]
    convs = []
    for kernel in kernels:
        fits = [p for p in rest if p.is_vector and p.where.size == len(kernel.where)]
        number = _number(kernel.array)
        fits.sort(key=lambda p, number=number: _number(p.array) != number)
        if not fits:
            return
        convs.append((kernel, fits[0]))
        rest.remove(fits[0])
    for is_same, pool, order in product((True, False), (MaxPool, AveragePool), ("ap", "pa", "p-")):
        shape, paddings = x.shape[1:], []
        for kernel, _ in convs:
            filters, channels, kh, kw = kernel.where.shape
            paddings.append((kh - 1) // 2 if is_same else 0)
            out = [n + 2 * paddings[-1] - k + 1 for n, k in zip(shape[1:], (kh, kw), strict=True)]
            if channels != shape[0] or min(out) < 2 or out[0] % 2 or out[1] % 2:
                break
            shape = (filters, out[0] // 2, out[1] // 2)
        else:
            for stack in _stacks(rest, int(np.prod(shape))) if convs else ():
                if "gamma" not in stack[0]:
                    yield _convnet(convs, paddings, pool, order, stack, x)


def _convnet(
    convs: list[tuple[Piece, Piece]], paddings: list[int], pool: type, order: str, stack: list, x
) -> Layout:
    """Return a layout; `order` of activation and pool: "ap", "pa", or "p-" with one at last."""
    parts = {}
    for i, pair in enumerate(convs, 1):
        parts |= dict(zip((f"W{i}", f"b{i}"), pair, strict=True))
    first = len(convs) + 1
    for i, layer in enumerate(stack, first):
        parts |= {f"{role}{i}": piece for role, piece in layer.items()}

    def make(names: Sequence[str], loss: str, output: str) -> Network:
        layers = []
        for i, padding in enumerate(paddings, 1):
            layers.append(Conv(f"W{i}", f"b{i}", padding, f"conv{i}"))
            function = Activation(FUNCTIONS[names[0]], f"a{i}")
            layers += [function] * (order == "ap") + [pool(f"pool{i}")]
            layers += [function] * (order == "pa" or (order == "p-" and i == len(paddings)))
        for i in range(first, first + len(stack)):
            name = output if i == first + len(stack) - 1 else names[0]
            layers.append(Dense(f"W{i}", f"b{i}", f"z{i}"))
            if name != "identity":
                layers.append(Activation(FUNCTIONS[name], f"a{i}"))
        params = {
            name: np.zeros(piece.where.shape if name[0] == "W" else piece.where.size)
            for name, piece in parts.items()
        }
        for i, layer in enumerate(stack, first):
            params.setdefault(f"b{i}", np.zeros(layer["W"].where.shape[1]))
        return Network(layers, params, x.shape[1:], stack[-1]["W"].where.shape[1], loss)

    kind = "max pool" if pool is MaxPool else "average pool"
    says = {
        "ap": f"each with activation and {kind}",
        "pa": f"each with {kind} and activation",
        "p-": f"each with {kind}, and one activation",
    }[order]
    about = f"{len(convs)} convolution(s), padding {paddings}, {says}; {len(stack)} dense layer(s)"
    return Layout(make, 1, parts, x, x.shape[:1], about)


# -- sequences --------------------------------------------------------------------------------


def _lstms(pieces: list[Piece], x: np.ndarray) -> Iterator[Layout]:
    """Yield LSTMs with a dense output, whose gates stand in one matrix or in several."""
    x = x[:, None] if x.ndim == 2 else x  # a single sequence
    for axes, turned in product(permutations(range(3)), (False, True)):
        sequences = x.transpose(axes)
        dense = [p.turned if turned else p for p in pieces if p.where.ndim == 2]
        for W, b in product(dense, [p for p in pieces if p.is_vector]):
            H, K = W.where.shape
            others = [p for p in pieces if p.array not in (W.array, b.array)]
            if b.where.size != K or b.array == W.array or len(others) + 2 != len(pieces):
                continue
            rest = (
                [p for p in dense if p is not W and not p.is_vector],
                [p for p in others if p.is_vector],
            )
            for Wx, Wh, bias in _gates(*rest, sequences.shape[2], H):
                for every_step, order in product((False, True), permutations("ifgo")):
                    parts = {
                        f"{kind}_{q}": piece
                        for kind, four in (("Wx", Wx), ("Wh", Wh), ("b", bias))
                        for q, piece in zip(order, four, strict=True)
                    }
                    yield _lstm(parts | {"Wy": W, "by": b}, sequences, H, K, every_step, order)


def _lstm(
    parts: dict, x: np.ndarray, H: int, K: int, every_step: bool, order: tuple[str, ...]
) -> Layout:
    def make(names: Sequence[str], loss: str, output: str) -> Network:
        return lstm(x.shape[2], H, K, loss, every_step)

    rows = x.shape[:2] if every_step else x.shape[1:2]
    return Layout(make, 0, parts, x, rows, f"gates in the order {', '.join(order)}", False)


def _gates(
    matrices: list[Piece], vectors: list[Piece], D: int, H: int
) -> Iterator[tuple[list[Piece], list[Piece], list[Piece]]]:
    """Yield (Wx, Wh, b), four pieces each, from one array for all gates, or one for each."""
    if len(vectors) == 1 and vectors[0].where.size == 4 * H:
        flat = replace(vectors[0], where=vectors[0].where.ravel())
        bias = [flat[k * H : (k + 1) * H] for k in range(4)]
    elif len(vectors) == 4 and all(p.where.size == H for p in vectors):
        bias = vectors
    else:
        return
    groups = [matrices]
    if len(matrices) in (2, 8):  # Wx and Wh apart
        half = len(matrices) // 2
        groups = [(matrices[:half], matrices[half:]), (matrices[::2], matrices[1::2])]
        groups = groups[: 2 if half > 1 else 1]  # of two, both are the same
        groups += [(b, a) for a, b in groups]
    for group in groups:
        if len(matrices) in (2, 8):
            Wx, Wh = (_four(part, n, H) for part, n in zip(group, (D, H), strict=True))
            if Wx and Wh:
                yield Wx, Wh, bias
        elif four := _four(group, D + H, H):
            yield [p[:D] for p in four], [p[D:] for p in four], bias
            yield [p[H:] for p in four], [p[:H] for p in four], bias


def _four(matrices: list[Piece], rows: int, H: int) -> list[Piece] | None:
    """Return the four gates' (rows, H) from one matrix or from four."""
    if len(matrices) == 1 and matrices[0].where.shape == (rows, 4 * H):
        return [matrices[0][:, k * H : (k + 1) * H] for k in range(4)]
    are_four = len(matrices) == 4 and all(p.where.shape == (rows, H) for p in matrices)
    return matrices if are_four else None

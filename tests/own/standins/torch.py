"""A stand-in for PyTorch: tensors on numpy arrays that remember how they were made."""

import sys
import types
from contextlib import contextmanager

import numpy as np

_state = {"default": None, "threads": 4, "grad": True, "rng": np.random.default_rng(0)}
threads_set = []  # every call of set_num_threads


class dtype:  # noqa: N801 - torch's name
    def __init__(self, name):
        self.name, self.numpy = name, np.dtype(name)

    def __repr__(self):
        return f"torch.{self.name}"

    def to_complex(self):
        return complex64 if self is float32 else complex128


float16, float32, float64, int64, complex64, complex128, bool_ = map(
    dtype, ("float16", "float32", "float64", "int64", "complex64", "complex128", "bool")
)
_TYPES = {t.numpy: t for t in (float16, float32, float64, int64, complex64, complex128, bool_)}
_state["default"] = float32
strided, sparse_coo = "torch.strided", "torch.sparse_coo"


class device:  # noqa: N801
    def __init__(self, type):
        self.type = type

    def __eq__(self, other):
        return self.type == other.type

    def __hash__(self):
        return hash(self.type)


class Tensor:
    """Numbers, and how they were made: pairs of a tensor and what brings a gradient back to it."""

    is_meta = is_sparse = False
    layout = strided

    def __init__(self, data, requires_grad=False, made=()):
        self.data = np.asarray(data)
        made = [(t, back) for t, back in made if t.requires_grad] if _state["grad"] else []
        self.made = made
        self.requires_grad = bool(requires_grad or made)
        self.grad, self._backward_hooks, self.device = None, None, device("cpu")

    def __deepcopy__(self, memo):
        if self.made:
            raise RuntimeError("only leaves support deepcopy")
        new = type(self)(self.data.copy(order="K"), self.requires_grad)
        new.grad, memo[id(self)] = self.grad, new
        return new

    # -- what it is
    dtype = property(lambda self: _TYPES[self.data.dtype])
    shape = property(lambda self: self.data.shape)
    is_leaf = property(lambda self: not self.made)
    grad_fn = property(lambda self: Node(self))

    def size(self):
        return self.data.shape

    def stride(self):
        return tuple(s // self.data.itemsize for s in self.data.strides)

    def numel(self):
        return self.data.size

    def is_complex(self):
        return self.data.dtype.kind == "c"

    def is_floating_point(self):
        return self.data.dtype.kind == "f"

    def is_inference(self):
        return False

    def data_ptr(self):
        return self.data.__array_interface__["data"][0]

    def __float__(self):
        return float(self.data)

    def __bool__(self):
        return bool(self.data)

    def __len__(self):
        return len(self.data)

    __hash__ = object.__hash__

    # -- the same numbers
    def detach(self):
        return Tensor(self.data)

    def cpu(self):
        return self

    def to_dense(self):
        return self

    def numpy(self):
        if self.requires_grad:
            raise RuntimeError("call detach() first")
        return self.data

    def requires_grad_(self, requires_grad=True):
        self.requires_grad = requires_grad
        return self

    def clone(self):
        return Tensor(self.data.copy(), made=[(self, lambda g: g)])

    def to(self, other):
        kind = other if isinstance(other, dtype) else other.dtype
        before = self.data.dtype
        return Tensor(self.data.astype(kind.numpy), made=[(self, lambda g: g.astype(before))])

    def copy_(self, other):
        self.data[...] = other.data
        if _state["grad"] and other.requires_grad:
            self.made, self.requires_grad = [(other, lambda g: g)], True
        return self

    def view(self, *shape):
        shape = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        own = self.data.shape
        return Tensor(self.data.reshape(shape), made=[(self, lambda g: g.reshape(own))])

    reshape = view

    def repeat(self, *times):
        return Tensor(np.tile(self.data, times))

    def expand(self, *shape):
        return Tensor(np.broadcast_to(self.data, shape))

    def __getitem__(self, key):
        def back(g):
            whole = np.zeros(self.data.shape, g.dtype)
            np.add.at(whole, key, g)
            return whole

        return Tensor(self.data[key], made=[(self, back)])

    def __setitem__(self, key, value):
        key = tuple(k.data if isinstance(k, Tensor) else k for k in key) if isinstance(
            key, tuple) else key  # fmt: skip
        self.data[key] = _plain(value)

    # -- arithmetic
    def __add__(self, other):
        return _made(np.add, self, other, lambda g, a, b: (g, g))

    def __sub__(self, other):
        return _made(np.subtract, self, other, lambda g, a, b: (g, -g))

    def __rsub__(self, other):
        return -(self - other)

    def __neg__(self):
        return self * -1

    def __mul__(self, other):
        return _made(np.multiply, self, other, lambda g, a, b: (g * b, g * a))

    def __truediv__(self, other):
        return _made(np.divide, self, other, lambda g, a, b: (g / b, -g * a / b**2))

    def __pow__(self, n):
        return Tensor(self.data**n, made=[(self, lambda g: g * n * self.data ** (n - 1))])

    def __matmul__(self, other):
        return _made(np.matmul, self, other, lambda g, a, b: (g @ b.T, a.T @ g))

    __radd__, __rmul__ = __add__, __mul__

    @property
    def T(self):  # noqa: N802
        return Tensor(self.data.T, made=[(self, lambda g: g.T)])

    def abs(self):
        return Tensor(np.abs(self.data), made=[(self, lambda g: g * np.sign(self.data))])

    def sum(self):
        shape = self.data.shape
        return Tensor(self.data.sum(), made=[(self, lambda g: np.broadcast_to(g, shape))])

    def all(self):
        return Tensor(self.data.all())

    def backward(self):
        for leaf, g in _leaves(self).items():
            leaf.grad = Tensor(g) if leaf.grad is None else Tensor(leaf.grad.data + g)


class Node:
    """What autograd shows of how a tensor was made; a leaf's has it as `variable`."""

    def __init__(self, tensor):
        self.tensor = tensor
        if not tensor.made:
            self.variable = tensor

    def __eq__(self, other):
        return self.tensor is other.tensor

    def __hash__(self):
        return id(self.tensor)

    @property
    def next_functions(self):
        return [(Node(t), 0) for t, _ in self.tensor.made] + [(None, 0)]


def _plain(value):
    return value.data if isinstance(value, Tensor) else value


def _fitted(g, shape):
    """Sum a gradient over what was broadcast."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    axes = tuple(k for k, n in enumerate(shape) if n == 1 and g.shape[k] != 1)
    return g.sum(axis=axes, keepdims=True).reshape(shape)


def _made(ufunc, one, other, back):
    a, b = _plain(one), _plain(other)
    a, b = (v if isinstance(v, np.ndarray) else np.asarray(v, getattr(w, "dtype", None))
            for v, w in ((a, b), (b, a)))  # fmt: skip
    sides = [(t, lambda g, k=k: _fitted(np.asarray(back(g, a, b)[k]), (a, b)[k].shape))
             for k, t in enumerate((one, other)) if isinstance(t, Tensor)]  # fmt: skip
    return Tensor(ufunc(a, b), made=sides)


def _leaves(out):
    """Return the gradient of one number by all that it was made of, {tensor: ndarray}."""
    order, seen = [], set()

    def visit(tensor):
        if id(tensor) not in seen:
            seen.add(id(tensor))
            for other, _ in tensor.made:
                visit(other)
            order.append(tensor)

    visit(out)
    grads = {id(out): np.ones(out.shape, out.data.dtype)}
    for tensor in reversed(order):
        for other, back in tensor.made:
            grads[id(other)] = grads.get(id(other), 0) + back(grads[id(tensor)])
    return {t: np.asarray(grads[id(t)]) for t in order if not t.made and t.requires_grad}


def tensor(data, dtype=float64, requires_grad=False):
    return Tensor(np.array(data, dtype.numpy), requires_grad)


def _of(function):
    return lambda t: Tensor(function(t.data))


def from_numpy(array):
    return Tensor(array)


def zeros_like(t):
    return Tensor(np.zeros_like(t.data))


def ones_like(t):
    return Tensor(np.ones_like(t.data))


def empty_strided(size, stride, dtype, device):
    whole = np.full(1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True)), 7, dtype.numpy)
    return Tensor(
        np.lib.stride_tricks.as_strided(whole, size, [s * whole.itemsize for s in stride])
    )


def view_as_real(t):
    return Tensor(np.stack([t.data.real, t.data.imag], axis=-1))


def tanh(t):
    out = np.tanh(t.data)
    return Tensor(out, made=[(t, lambda g: g * (1 - out**2))])


def rand(*shape):
    return Tensor(_state["rng"].random(shape))


arange = lambda n: Tensor(np.arange(n))  # noqa: E731
isfinite = _of(np.isfinite)
equal = lambda a, b: bool(np.array_equal(a.data, b.data))  # noqa: E731
finfo = lambda kind: np.finfo(kind.numpy)  # noqa: E731


def get_default_dtype():
    return _state["default"]


def set_default_dtype(kind):
    _state["default"] = kind


def get_num_threads():
    return _state["threads"]


def set_num_threads(number):
    _state["threads"] = number
    threads_set.append(number)


def get_rng_state():
    return _state["rng"].bit_generator.state


def set_rng_state(state):
    _state["rng"].bit_generator.state = state


class _Mode:
    """A context manager and a decorator that records gradients, or does not."""

    def __init__(self, on):
        self.on = on

    def __enter__(self):
        self.before, _state["grad"] = _state["grad"], self.on

    def __exit__(self, *error):
        _state["grad"] = self.before

    def __call__(self, function):
        return function


def no_grad():
    return _Mode(False)


def enable_grad():
    return _Mode(True)


def inference_mode(mode=True):
    return _Mode(_state["grad"] and not mode)


class Generator:
    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)

    def clone_state(self):
        new = Generator()
        new.rng.bit_generator.state = self.rng.bit_generator.state
        return new


# -- autograd -------------------------------------------------------------------------------------


class Function:
    """A function with a backward of its own."""

    @staticmethod
    def setup_context(ctx, inputs, output):
        raise NotImplementedError

    @classmethod
    def apply(cls, *inputs):
        ctx = types.SimpleNamespace()
        plain = [Tensor(i.data) if isinstance(i, Tensor) else i for i in inputs]
        if cls.setup_context is Function.setup_context:
            out = cls.forward(ctx, *plain)
        else:
            out = cls.forward(*plain)
            cls.setup_context(ctx, plain, out)

        def back(k):
            def one(g):
                answer = cls.backward(ctx, Tensor(g))
                answer = answer if isinstance(answer, tuple) else (answer,)
                return answer[k].data

            return one

        made = [(t, back(k)) for k, t in enumerate(inputs) if isinstance(t, Tensor)]
        return Tensor(out.data, made=made)


def _grad(loss, of, allow_unused=False):
    found = _leaves(loss)
    return [Tensor(found[t]) if t in found else None for t in of]


autograd = types.SimpleNamespace(Function=Function, grad=_grad)


# -- modules --------------------------------------------------------------------------------------


class Parameter(Tensor):
    def __init__(self, data, requires_grad=True, made=()):
        super().__init__(_plain(data), requires_grad)


class Module:
    """Parameters, buffers and modules by their names."""

    def __init__(self):
        for name in ("_parameters", "_buffers", "_modules", *HOOKS):
            self.__dict__[name] = {}
        self.training = True

    def __setattr__(self, name, value):
        kind = {Parameter: "_parameters", Module: "_modules"}
        place = next((p for k, p in kind.items() if isinstance(value, k)), None)
        if place:
            self.__dict__[place][name] = value
        elif name in self.__dict__.get("_buffers", {}):
            self._buffers[name] = value
        else:
            self.__dict__[name] = value

    def __getattr__(self, name):
        for place in ("_parameters", "_buffers", "_modules"):
            if name in self.__dict__.get(place, {}):
                return self.__dict__[place][name]
        raise AttributeError(name)

    def register_buffer(self, name, value):
        self._buffers[name] = value

    def named_modules(self, prefix=""):
        yield prefix, self
        for name, inner in self._modules.items():
            yield from inner.named_modules(f"{prefix}.{name}" if prefix else name)

    def modules(self):
        return [inner for _, inner in self.named_modules()]

    def named_parameters(self, recurse=True):
        for prefix, inner in self.named_modules() if recurse else [("", self)]:
            for name, p in inner._parameters.items():
                if p is not None:
                    yield f"{prefix}.{name}" if prefix else name, p

    def parameters(self):
        return [p for _, p in self.named_parameters()]

    def buffers(self):
        return [b for inner in self.modules() for b in inner._buffers.values() if b is not None]

    def to(self, kind):
        for inner in self.modules():
            for place in (inner._parameters, inner._buffers):
                for t in place.values():
                    if t is not None and t.is_floating_point():
                        t.data = t.data.astype(kind.numpy)
        return self

    def __call__(self, *args, **kwargs):
        for hook in self._forward_hooks.values():
            hook(self, args)
        return self.forward(*args, **kwargs)


HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class Embedding(Module):
    def __init__(self, rows, columns, padding_idx=None):
        super().__init__()
        self.weight = Parameter(np.random.default_rng(1).standard_normal((rows, columns)))
        self.padding_idx = padding_idx

    def forward(self, at):
        return self.weight[at.data]


class EmbeddingBag(Embedding):
    pass


class ScriptModule(Module):
    pass


class ScriptFunction:
    def __init__(self, function, names):
        self.function = function
        self.schema = types.SimpleNamespace(
            arguments=[types.SimpleNamespace(name=name) for name in names]
        )

    def __call__(self, *args):
        return self.function(*args)


parameter = types.SimpleNamespace(is_lazy=lambda t: getattr(t, "lazy", False))
nn = types.SimpleNamespace(Module=Module, Parameter=Parameter, parameter=parameter,
                           Embedding=Embedding, EmbeddingBag=EmbeddingBag)  # fmt: skip
jit = types.SimpleNamespace(ScriptModule=ScriptModule, ScriptFunction=ScriptFunction)


# -- functions of modules -------------------------------------------------------------------------


@contextmanager
def _swapped(module, given):
    before = []
    for path, t in given.items():
        *inner, name = path.split(".")
        at = module
        for part in inner:
            at = at._modules[part]
        place = at._parameters if name in at._parameters else at._buffers
        before.append((place, name, place[name]))
        place[name] = t
    try:
        yield
    finally:
        for place, name, t in before:
            place[name] = t


def _functional_call(module, given, args):
    with _swapped(module, given):
        return module(*args)


def _vmap(one, randomness):
    assert randomness == "same"

    def together(lanes, moving):
        state, found = get_rng_state(), []
        for k in range(len(lanes)):
            set_rng_state(state)
            found.append(one(lanes[k], {key: b[k] for key, b in moving.items()}).data)
        return Tensor(np.stack(found))

    return together


func = types.SimpleNamespace(functional_call=_functional_call, vmap=_vmap)


for _kind in (Tensor, Parameter, Module, Function, Node, Generator):
    _kind.__module__ = "torch"  # what it keeps is its own matter


@contextmanager
def installed():
    """Let `import torch` give this module, and gradlab's own modules be read anew with it."""
    ours = [f"gradlab.own.torch_{name}" for name in ("arguments", "code", "state", "trees")]
    before = {name: sys.modules.pop(name, None) for name in ("torch", *ours)}
    sys.modules["torch"] = sys.modules[__name__]
    _state.update(default=float32, threads=4, grad=True, rng=np.random.default_rng(0))
    threads_set.clear()
    try:
        yield sys.modules[__name__]
    finally:
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module

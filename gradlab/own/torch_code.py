"""A PyTorch module or function, and its gradients, as functions of one vector theta."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from gradlab.checking.own_code import surely
from gradlab.own.lanes import MEMORY, MOST, Lanes
from gradlab.own.outside import Outside
from gradlab.own.torch_arguments import (
    check_dtype,
    check_tensor,
    has_padding,
    lay_out,
    nothing_to_check,
    one_type,
    taken_apart,
)
from gradlab.own.torch_state import (
    Buffers,
    RandomState,
    Slots,
    copy_of,
    grads_kept,
    hooks_of,
    modules_near,
    read_past_the_copy,
)
from gradlab.own.torch_trees import (
    clone_of,
    fresh,
    is_one_number,
    names_of_arguments,
    projected,
    random_like,
    tensors_in,
)

KEEP = (
    "gl.check_torch ran this in {} copies; dtype=None keeps the types that the tensors have, for "
    "code that takes nothing else"
)
PADDING = (
    "an Embedding with padding_idx gives that row no gradient, on purpose: where the row is used, "
    "it differs from the slope of the loss"
)


PAST = (
    "{} reads the module itself, not the copy that is checked: what it adds to the gradient was "
    "not checked. Let it take what it needs from the module's output"
)
HOOKED = "{} has a hook (register_hook), which changes what training gets and was not checked"
#: Up to so many numbers a call is too small to gain from threads, which wait for each other where
#: other work is done.
SMALL = 2**18


class _Call(torch.nn.Module):
    """A module inside one whose call does anything with it: what `functional_call` can enter."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, do: Callable) -> object:
        return do()


class TorchCode:
    """The loss of somebody's code at any theta, and what autograd says of it.

    A `with` block: at its end PyTorch's random state, its default type and the buffers of modules
    that a function reads are what they were.

    Parameters
    ----------
    code, inputs, kwargs, loss, dtype, seed
        As in `gl.check_torch`.

    Attributes
    ----------
    theta : ndarray, shape (P,), float64 or float32
    layout : dict of str to (start, stop, shape)
    remarks : tuple of str

    Raises
    ------
    ValueError, TypeError
        The message names the argument, what came and what was expected.
    """

    @torch.inference_mode(False)  # tensors that are made in that mode can have no gradient
    def __init__(
        self, code: object, inputs: tuple, kwargs: object, loss: object, dtype: object, seed: int
    ) -> None:
        self.dtype = check_dtype(dtype)
        if loss is not None and not callable(loss):
            raise TypeError(f"loss must be a function of the output, got {type(loss).__name__}")
        if kwargs is not None and not isinstance(kwargs, Mapping):
            raise TypeError(f"kwargs must be a dict of name to value, got {type(kwargs).__name__}")
        self.function, self.module, self.name, named = taken_apart(code)
        self.inputs = (inputs, dict(kwargs or {}))
        self.loss, self.seed = loss, seed
        params = [] if self.module is None else list(self.module.named_parameters())
        params = {name: p for name, p in params if p.requires_grad}
        leaves = {path: t for path, t in tensors_in(self.inputs) if t.requires_grad}
        self.paths = list(leaves)
        names = names_of_arguments(named, self.inputs, self.paths)
        names = [f"input {name}" if name in params else name for name in names]
        tensors = [*params.items(), *zip(names, leaves.values(), strict=True)]
        if not tensors:
            raise ValueError(nothing_to_check(self.module, self.name))
        tensors = [(name, check_tensor(t, name, self.dtype)) for name, t in tensors]
        self.type = self.dtype or one_type(tensors)
        self.layout = lay_out(tensors)
        self.theta = np.concatenate(
            [t.detach().to(self.type).cpu().numpy().ravel() for _, t in tensors]
        )
        self.number = len(params)
        self.random = RandomState([t for _, t in tensors_in(self.inputs)], self.module)
        past = [] if self.module is None else read_past_the_copy(self.module, loss)
        self.near = [] if self.module is not None else modules_near(self.function)
        self.near += [] if loss is None else modules_near(loss)
        self.outside = Outside(*(f for f in (self.function, loss) if f is not None))
        self.hooked = Outside(*hooks_of(self.module))
        self._copy()
        own = (*self.near, *([] if self.module is None else [self.module]))
        self.buffers, self.slots = Buffers(own), Slots(own)
        hooked = [name for name, t in tensors if t._backward_hooks]
        self.remarks = (
            *(PADDING,) * has_padding(self.module),
            *(PAST.format(called) for called in past),
            *(HOOKED.format(name) for name in hooked),
        )

    def _copy(self) -> None:
        if self.module is not None:
            bound = self.function
            self.module = copy_of(self.module, self.dtype)
            self.function = self.module if bound is None else bound.__get__(self.module)
            self.call = _Call(self.module)
            self.params = [p for p in self.module.parameters() if p.requires_grad]
        else:
            self.params = []
        self.inputs = fresh(self.inputs, self.dtype)

    # -- a with block: nothing of the caller's is changed at its end

    def __enter__(self) -> TorchCode:
        try:
            with self._steady():
                self._put(self.theta)
                out = self._output(self._leaves(self.theta))
                self._look_at(out)
                self.moving = self.buffers.moved()
        except Exception as error:
            if self.dtype is not None:
                error.add_note(KEEP.format(str(self.dtype).removeprefix("torch.")))
            raise
        return self

    def __exit__(self, *error: object) -> None:
        surely(self._put_back)

    @contextmanager
    def _steady(self) -> Iterator[None]:
        """Start from the same random state and buffers, and leave nothing changed."""
        default, threads = torch.get_default_dtype(), torch.get_num_threads()

        def put_back() -> None:
            torch.set_default_dtype(default)
            if torch.get_num_threads() != threads:
                torch.set_num_threads(threads)
            self._put_back()

        try:
            self.random.put_back()
            torch.set_default_dtype(self.type)  # for what the code makes by itself: a first state
            if getattr(self, "numbers", SMALL) < SMALL and threads > 1:
                torch.set_num_threads(1)
            # with autograd on, as in training: code may take a derivative, or ask whether it is
            with torch.inference_mode(False), torch.enable_grad(), self.hooked.kept():
                yield
        finally:
            surely(put_back)

    def _put_back(self) -> None:
        self.random.put_back()
        self.buffers.put_back()
        self.slots.put_back()  # functional_call leaves a tensor that stands at two places

    # -- the loss and its gradient at theta

    def __call__(self, theta: np.ndarray) -> float:
        """Return the loss at theta."""
        with self._steady():
            self._put(theta)
            return float(self._loss(self._output(self._leaves(theta))).detach())

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """Return what autograd says at theta, (P,): 0 for what it cannot reach."""
        with self._steady(), self.outside.kept():
            self._put(theta)
            leaves = self._leaves(theta)
            of = [*self.params, *leaves]
            grads = self._grads(leaves, of)
            grads = [
                torch.zeros_like(t) if g is None else g.to_dense()
                for t, g in zip(of, grads, strict=True)
            ]
            found = [g.detach().to(self.type).cpu().numpy() for g in grads]
        for name, g in zip(self.layout, found, strict=True):
            if not np.isfinite(g).all():
                at = [int(i) for i in np.argwhere(~np.isfinite(g))[0]]
                told = f"autograd's gradient of {name} must be finite, got {g[tuple(at)]} at {at}"
                raise ValueError(told)
        return np.concatenate([g.ravel() for g in found])

    def _grads(self, leaves: list[torch.Tensor], of: list[torch.Tensor]) -> Sequence:
        loss = self._loss(self._output(leaves))
        if not loss.requires_grad:
            return [None] * len(of)
        try:
            return torch.autograd.grad(loss, of, allow_unused=True)
        except RuntimeError as error:
            if "use_reentrant" not in str(error):
                raise
        # such a checkpoint takes backward() alone, which leaves gradients in all that it meets
        loss = self._loss(self._output(leaves))
        with grads_kept(loss, self.near):
            loss.backward()
            grads = [t.grad for t in of]
        for t in of:
            t.grad = None
        return grads

    def _put(self, theta: np.ndarray) -> None:
        with torch.no_grad():
            for p, (lo, hi, shape) in zip(self.params, self.layout.values(), strict=False):
                p.copy_(torch.from_numpy(theta[lo:hi]).view(shape))

    def _leaves(self, theta: np.ndarray) -> list[torch.Tensor]:
        """Return the inputs that require grad, at theta, laid out in memory as they came."""
        theirs = dict(tensors_in(self.inputs))
        leaves = []
        for path, (lo, hi, shape) in zip(self.paths, self._parts[self.number :], strict=True):
            leaf = clone_of(theirs[path].detach(), theirs[path])
            leaf.copy_(torch.from_numpy(theta[lo:hi].copy()).view(shape))
            leaves.append(leaf.requires_grad_())
        return leaves

    @property
    def _parts(self) -> list[tuple[int, int, tuple[int, ...]]]:
        return list(self.layout.values())

    def _output(self, leaves: list[torch.Tensor]) -> object:
        given = dict(zip(self.paths, leaves, strict=True))
        # a clone, as code may write into its arguments, which a leaf of autograd forbids
        args, kwargs = fresh(self.inputs, None, given)
        return self.function(*args, **kwargs)

    def _loss(self, out: object) -> torch.Tensor:
        return projected(out if self.loss is None else self.loss(out), self.above)

    def _look_at(self, out: object) -> None:
        """Draw the random numbers that fit the output; raise if there is no loss in it."""
        whole = out
        if self.loss is not None:
            whole = self.loss(out)
            if not isinstance(whole, torch.Tensor):
                raise TypeError(
                    f"loss must return a tensor that autograd can follow, got "
                    f"{type(whole).__name__}"
                )
            if whole.numel() != 1:
                raise ValueError(f"loss must return one number, got shape {tuple(whole.shape)}")
            if not whole.is_floating_point():
                raise TypeError(f"loss must return a floating number, got {whole.dtype}")
        self.above, self.other_above = (
            random_like(whole, seed) for seed in (self.seed, self.seed + 1)
        )
        self.is_one_number = is_one_number(whole)
        if self.is_one_number:
            self.above = [torch.ones_like(part) for part in self.above]
        self.size = abs(float(projected(whole, self.above, absolute=True).detach()))
        self.numbers = sum(t.numel() for _, t in (*tensors_in(out), *tensors_in(self.inputs)))

    def ask_with(self, above: list[torch.Tensor]) -> None:
        """Multiply the output by other numbers from now on."""
        self.above = above

    def answer(self, above: list[torch.Tensor]) -> np.ndarray:
        """Return autograd's gradient, (P,), for other numbers times the output."""
        before, self.above = self.above, above
        try:
            return self.gradient(self.theta)
        finally:
            self.above = before

    # -- many points at once

    def lanes(self) -> Lanes:
        """Return what evaluates the loss at many points in one call."""
        numbers = {
            name: int(np.clip(MEMORY // (hi - lo + self.numbers), 1, MOST))
            for name, (lo, hi, _) in self.layout.items()
        }
        return Lanes(self._many, self.layout, numbers, torch.finfo(self.type).eps, self.size)

    def _many(
        self, theta: np.ndarray, name: str, entries: np.ndarray, values: np.ndarray
    ) -> np.ndarray:
        lo, _, shape = self.layout[name]
        which = list(self.layout).index(name)
        with self._steady(), self.outside.kept(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where vmap itself goes one by one, it says so
            self._put(theta)
            leaves = self._leaves(theta)
            here = self.params[which] if which < self.number else leaves[which - self.number]
            rows = here.detach().reshape(1, -1).repeat(len(entries), 1)
            at = torch.arange(len(entries)), torch.from_numpy(entries - lo)
            rows[at] = torch.from_numpy(values).to(rows)
            lanes = rows.view(-1, *shape)
            # what a forward pass writes into must have lanes of its own
            moving = {
                f"module.{key}": b.expand(len(entries), *b.shape).clone()
                for key, b in self.moving.items()
            }
            one = self._in_a_lane(which, name, leaves)
            found = torch.func.vmap(one, randomness="same")(lanes, moving)
            return found.detach().cpu().numpy()

    def _in_a_lane(self, which: int, name: str, leaves: list[torch.Tensor]) -> Callable:
        def one(lane: torch.Tensor, moving: dict[str, torch.Tensor]) -> torch.Tensor:
            if which >= self.number:
                given = [*leaves]
                given[which - self.number] = lane
                swapped = moving
            else:
                given, swapped = leaves, {f"module.{name}": lane, **moving}
            if self.module is None:
                return self._loss(self._output(given))
            do = (lambda: self._output(given),)
            return self._loss(torch.func.functional_call(self.call, swapped, do))

        return one

    def subject(self, lanes: Lanes | None) -> str:
        """Return what a report says that it checked."""
        number = str(self.type).removeprefix("torch.")
        how = f"in a {number} copy" if self.dtype else f"in {number}, as it came"
        above = "" if self.is_one_number else ", its output times fixed random numbers"
        together = ", evaluated in batches" if lanes is not None and lanes.used else ""
        return f"{self.name} {how}{above}{together}"

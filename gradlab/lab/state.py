"""The lab's model: its settings and the last result, without a screen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
from traitlets import Bool, Float, Instance, Int

from gradlab._validate import check_integer
from gradlab.bugs import Secret
from gradlab.lab.lock import LOCK
from gradlab.lab.model.function import Function
from gradlab.lab.model.history import History, Moment
from gradlab.lab.model.line import read_line, settings_line
from gradlab.lab.model.own_network import OwnNetwork
from gradlab.lab.model.planted import bug_choices
from gradlab.lab.model.problem import pose
from gradlab.lab.model.result import NotThereError, Result, compute
from gradlab.lab.model.scenarios import scenario_named
from gradlab.lab.model.setting_traits import SettingTraits
from gradlab.lab.model.settings import (
    LABELS,
    MYSTERY,
    NAMES,
    NO_BUG,
    SETTINGS,
    STRUCTURE,
    Settings,
    validated,
    validated_all,
)
from gradlab.lab.model.training import Trainer
from gradlab.lab.mystery.feedback import Score
from gradlab.lab.mystery.mystery import Mystery
from gradlab.lab.text.summary import summary
from gradlab.nn.network import Network

__all__ = ["LabState"]


class LabState(SettingTraits):
    """Settings of the lab as traits, and what follows from them.

    Assigning to a setting checks the value, computes, and then raises `revision` by one: a view
    observes that. A result that cannot be computed does not raise: it becomes `error`, and the
    last good `result` stays.

    Parameters
    ----------
    net : Network, callable or None, optional
        A network of the caller's, of gl.mlp, gl.convnet or gl.lstm, with its data; copies are
        taken. Or any function f(theta) -> float, with its gradient and theta.
    x, y : ndarray or None, optional
        With a function: grad(theta) -> ndarray (P,), and theta (P,).
    scenario : str or None, optional
        Where to start from: a name of `gradlab.lab.SCENARIOS`.
    tensors : mapping of str to (start, stop, shape) or None, optional
        Names for parts of a function's theta, as in `gl.check_function`.
    **settings
        Initial values, which go before those of the scenario; see `Settings`. Giving `l2` or
        `dropout_rate` switches it on.

    Attributes
    ----------
    result : Result or None
    error : str
        What went wrong with the last change, in words that name the control; "" if nothing did.
    revision : int
        Counts results and errors.
    progress : float
        How much of a training is done, from 0 to 1; 1 where there is nothing to wait for.
    mystery : Mystery or None
        The round that is played, while `bug` is "mystery".
    score : Score
        Of all rounds.
    computed : int
        Counts computations.
    can_undo, can_redo : bool
        Whether `undo` and `redo` have somewhere to go.

    Raises
    ------
    ValueError, TypeError
        A setting is unknown, out of range or of the wrong type; or `net`, `x` and `y` do not fit.
    """

    revision = Int(0)
    progress = Float(1.0)
    mystery = Instance(Mystery, allow_none=True)

    can_undo = Bool(False)
    can_redo = Bool(False)

    def __init__(
        self,
        net: Network | Callable[[np.ndarray], float] | None = None,
        x: np.ndarray | Callable[[np.ndarray], np.ndarray] | None = None,
        y: np.ndarray | None = None,
        *,
        scenario: str | None = None,
        tensors: Mapping[str, tuple[int, int, tuple[int, ...]]] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(_brought(net, x, y, tensors))
        self.result: Result | None = None
        self.error = ""
        self.computed = 0
        self.score = Score()
        self._trainer = Trainer(partial(self.set_trait, "progress"))
        self._played: list[Secret] = []
        self._wrong_lines = 1
        values = validated_all(settings)
        self.start = self._scenario(scenario).replace(**values)
        self._assign({name: getattr(self.start, name) for name in NAMES})
        self._history, self._held = History(Moment(self.start)), ""
        self._clock = time.monotonic
        self.observe(self._on_setting, NAMES)
        self._recompute(NAMES, coarse=False, played=None)
        if self.error:  # Reset must lead somewhere
            self.start = self.base

    @property
    def bug_choices(self) -> tuple[str, ...]:
        """What `bug` can be for the network that is shown."""
        net = self.result and self.result.problem.in_gradient
        return bug_choices(net) if net else ()

    @property
    def line(self) -> str:
        """The line of code that recreates what is set."""
        return settings_line(self.settings, self.base if self.brought else None, self.brought)

    def update(self, **changes: Any) -> None:
        """Change several settings at once, with one computation; all are checked first."""
        values = {n: self.check_fixed(n, validated(n, value)) for n, value in changes.items()}
        with LOCK:
            before = self.settings
            self._assign(values)
            if self.settings != before:
                self._changed(n for n in values if getattr(before, n) != values[n])

    def reset(self) -> None:
        """Go back to the settings that the lab was made with, or the defaults if these failed."""
        self._go_to(self.start)

    def load_scenario(self, name: str) -> None:
        """Set everything as the scenario has it; raises ValueError if there is none called so."""
        self._go_to(self._scenario(name))

    def load_line(self, line: str) -> None:
        """Set everything as `line` says, such as `gl.Lab(eps=1e-07)`; raises as `read_line`."""
        values = read_line(line)
        start = self._scenario(values.pop("scenario", None))
        self._go_to(start.replace(**{n: self.check_fixed(n, v) for n, v in values.items()}))

    def undo(self) -> bool:
        """Go back to what was set before the last change. Returns whether there was one.

        A round of the mystery that was left is played on, with the hints and guesses that it took.
        """
        return self._travel(self._history.undo)

    def redo(self) -> bool:
        """Make the change again that was undone last. Returns whether there was one."""
        return self._travel(self._history.redo)

    def hold(self, name: str) -> None:
        """Say that the handle of a setting is held: all its changes up to `release` are one."""
        self._held = name

    def release(self) -> None:
        """Say that a handle is held no longer: the next change is a step of its own."""
        with LOCK:
            if self._held:
                self._held = ""
                self._history.release()

    def new_mystery(self, seed: int | None = None, count: int = 1) -> Mystery | None:
        """Start a round: plant another bug that is not told. Returns it, or None on an error.

        `seed` chooses the bug; None is another one than in the rounds before. With a `count` of 2
        two lines are wrong.
        """
        if check_integer(count, "count", 1) > 2:
            raise ValueError(f"count must be 1 or 2, got {count}")
        with LOCK:
            before, self._wrong_lines = self.mystery, count
            self._assign({"bug": MYSTERY})
            self._recompute(("bug",), coarse=True, played=None, seed=seed)
            self._wrong_lines = 1  # a round that the lab starts by itself has one
            return self.mystery if self.mystery is not before else None

    def refine(self) -> bool:
        """Compute what a drag left coarse. Returns whether there was anything to do.

        What only waited for the handle to rest, such as advice, is found when it is asked for.
        """
        with LOCK:
            if self.result is not None and self.result.held:
                self.result = self.result.let_go()
            if self.error or self.result is None or not self.result.rough:
                return False
            self._recompute((), coarse=False, played=self.mystery)
            return True

    def fail(self, names: Iterable[str], error: Exception) -> None:
        """Keep `error` as words that name the controls `names`, and tell the view."""
        with LOCK:
            labels = " and ".join(LABELS.get(name, name) for name in names)
            what = str(error) or type(error).__name__
            named = not labels or what.startswith(f"{labels} ")  # "bug 'mask_reversed' needs …"
            self.error = what if named else f"{labels}: {what}"
            self.revision += 1

    def recover(self) -> None:
        """Forget an error that changed nothing: a line that was refused, a value out of range."""
        with LOCK:
            if self.error and self.result is not None and self.result.settings == self.settings:
                self.error = ""
                self.revision += 1

    def __repr__(self) -> str:
        return summary(self.settings, self.result, self.error)

    def _scenario(self, name: str | None) -> Settings:
        values = scenario_named(name).settings if name is not None else {}
        return self.base.replace(**{n: self.check_fixed(n, v) for n, v in values.items()})

    def _go_to(self, settings: Settings) -> None:
        with LOCK:
            changed = [name for name in NAMES if getattr(self, name) != getattr(settings, name)]
            self._assign({name: getattr(settings, name) for name in changed})
            other = not STRUCTURE.isdisjoint(changed)
            self._recompute((), coarse=True, played=None if other else self.mystery)

    def _travel(self, step: Callable[[], Moment | None]) -> bool:
        with LOCK:
            moment = step()
            if moment is None:
                return False
            self._assign({name: getattr(moment.settings, name) for name in NAMES})
            # all as it was, also what was an error: a step that mends it would be a new one
            self._recompute(NAMES, coarse=True, played=moment.round)
            return True

    def _on_setting(self, change: Any) -> None:
        if self._batching != threading.get_ident():
            self._changed((change["name"],))

    def _changed(self, names: Iterable[str]) -> None:
        names = tuple(names)
        with LOCK:
            # in another network the bug would be told by where it can be, and where not
            other = not STRUCTURE.isdisjoint(names)
            self._recompute(names, coarse=True, played=None if other else self.mystery)

    def _recompute(
        self,
        names: tuple[str, ...],
        *,
        coarse: bool,
        played: Mystery | None,
        seed: int | None = None,
    ) -> None:
        """Compute what the settings ask for, playing on a round of the mystery, or a new one.

        `names` are the settings that were changed, for words and for what is one drag.
        """
        with LOCK:
            self.computed += 1
            try:
                mystery = played if self.bug == MYSTERY else None
                if mystery is None and self.bug == MYSTERY:
                    mystery = self._pick(seed)
                self.result = self._compute(mystery, names, coarse)
            except Exception as error:  # a lab that dies on a bad combination teaches nothing
                self._record(played if self.bug == MYSTERY else None, names)
                self.fail(names if len(names) < len(NAMES) else (), error)
                return
            self.mystery = mystery
            self._record(mystery, names)
            self.error = ""
            self.revision += 1

    def _record(self, mystery: Mystery | None, names: tuple[str, ...]) -> None:
        held = names == (self._held,)
        self._history.record(Moment(self.settings, mystery), names, self._clock(), held=held)
        self.can_undo, self.can_redo = self._history.can_undo, self._history.can_redo

    def _compute(self, mystery: Mystery | None, names: tuple[str, ...], coarse: bool) -> Result:
        previous = self.result if mystery is self.mystery else None
        held = names == (self._held,)
        rest = {"coarse": coarse, "trainer": self._trainer, "held": held}
        if mystery is not None:
            rest["secret"] = mystery.secret
        while True:
            try:
                return compute(self.settings, self.brought, previous, **rest)
            except NotThereError as gone:
                if gone.setting in names:
                    raise
                # another network has other tensors, and another tensor other entries
                self._assign({gone.setting: SETTINGS[gone.setting].default})

    def _pick(self, seed: int | None) -> Mystery:
        settings = self.settings.replace(bug=NO_BUG)
        problem = pose(settings, self.brought, self._trainer)
        mystery = Mystery.pick(problem, settings, seed, self._played, self.score, self._wrong_lines)
        self._played.append(mystery.secret)
        return mystery


def _brought(net: object, x: object, y: object, tensors: object) -> OwnNetwork | Function | None:
    """Return what the caller brought: a network with data, a function with its gradient, or None.

    Raises
    ------
    TypeError, ValueError
        Something is missing, or does not fit.
    """
    if callable(net) and not isinstance(net, Network):
        if x is None or y is None:
            raise TypeError("grad and theta must come with f: use gl.Lab(f, grad, theta)")
        return Function.check(net, x, y, tensors)
    if tensors is not None:
        raise TypeError("tensors must come with a function: use gl.Lab(f, grad, theta)")
    if net is None and (x is not None or y is not None):
        raise TypeError("net must come with x and y: use gl.Lab(net, x, y), or gl.Lab() alone")
    if net is not None and (x is None or y is None):
        raise TypeError("x and y must come with net: use gl.Lab(net, x, y)")
    return None if net is None else OwnNetwork.check(net, x, y)

"""The lab's model: its settings and the last result, without a screen."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import numpy as np
from traitlets import HasTraits, Int, TraitType

from gradlab.lab.lock import LOCK
from gradlab.lab.problem import Given
from gradlab.lab.result import Result, compute
from gradlab.lab.settings import LABELS, NAMES, Settings, validated
from gradlab.lab.summary import summary
from gradlab.nn.mlp import MLP

__all__ = ["LabState"]


class _Setting(TraitType):
    """A trait that takes only what `validated` lets through."""

    info_text = "a valid setting of the lab"

    def validate(self, obj: LabState, value: Any) -> Any:
        return validated(self.name, value)


class LabState(HasTraits):
    """Settings of the lab as traits, and what follows from them.

    Assigning to a setting checks the value, computes, and then raises `revision` by one: a view
    observes that. A result that cannot be computed does not raise: it becomes `error`, and the
    last good `result` stays.

    Parameters
    ----------
    net : MLP or None, optional
        A network of the caller's, with its data; copies are taken.
    x, y : ndarray or None, optional
    **settings
        Initial values; see `Settings`. Giving `l2` or `dropout_rate` switches it on.

    Attributes
    ----------
    result : Result or None
    error : str
        What went wrong with the last change, in words that name the control; "" if nothing did.
    revision : int
        Counts results and errors.
    computed : int
        Counts computations.

    Raises
    ------
    ValueError, TypeError
        A setting is unknown, out of range or of the wrong type; or `net`, `x` and `y` do not fit.
    """

    data = _Setting()
    hidden = _Setting()
    activation = _Setting()
    loss = _Setting()
    seed = _Setting()
    weight_scale = _Setting()
    eps = _Setting()
    scheme = _Setting()
    measure = _Setting()
    use_dropout = _Setting()
    dropout_rate = _Setting()
    freeze_masks = _Setting()
    use_l2 = _Setting()
    l2 = _Setting()
    l2_in_loss = _Setting()
    l2_in_gradient = _Setting()
    revision = Int(0)

    def __init__(
        self,
        net: MLP | None = None,
        x: np.ndarray | None = None,
        y: np.ndarray | None = None,
        **settings: Any,
    ) -> None:
        super().__init__()
        if net is None and (x is not None or y is not None):
            raise TypeError("net must come with x and y: use gl.Lab(net, x, y), or gl.Lab() alone")
        if net is not None and (x is None or y is None):
            raise TypeError("x and y must come with net: use gl.Lab(net, x, y)")
        self.given = Given.check(net, x, y) if net is not None else None
        self.result: Result | None = None
        self.error = ""
        self.computed = 0
        # The thread that is setting many at once; others still compute on each of their changes.
        self._batching: int | None = None
        values = {name: validated(name, value) for name, value in settings.items()}
        if "l2" in values:
            values.setdefault("use_l2", True)
        if "dropout_rate" in values:
            values.setdefault("use_dropout", True)
        start = self.given.settings() if self.given else Settings()
        self.start = start.replace(**values)
        self._assign({name: getattr(self.start, name) for name in NAMES})
        self.observe(self._on_setting, NAMES)
        self._recompute(NAMES, coarse=False)

    @property
    def settings(self) -> Settings:
        """The settings as plain data."""
        return Settings(**{name: getattr(self, name) for name in NAMES})

    def update(self, **changes: Any) -> None:
        """Change several settings at once, with one computation; all are checked first."""
        values = {name: validated(name, value) for name, value in changes.items()}
        with LOCK:
            before = self.settings
            self._assign(values)
            if self.settings != before:
                self._recompute(values, coarse=True)

    def reset(self) -> None:
        """Go back to the settings that the lab was made with."""
        with LOCK:
            self._assign({name: getattr(self.start, name) for name in NAMES})
            self._recompute((), coarse=True)

    def refine(self) -> bool:
        """Compute what a drag left coarse. Returns whether there was anything to do."""
        with LOCK:
            if self.error or self.result is None or not self.result.rough:
                return False
            self._recompute((), coarse=False)
            return True

    def fail(self, names: Iterable[str], error: Exception) -> None:
        """Keep `error` as words that name the controls `names`, and tell the view."""
        with LOCK:
            labels = " and ".join(LABELS.get(name, name) for name in names)
            about = f"{labels}: " if labels else ""
            self.error = f"{about}{error or type(error).__name__}"
            self.revision += 1

    def __repr__(self) -> str:
        return summary(self.settings, self.result, self.error)

    def _assign(self, values: dict[str, Any]) -> None:
        """Set many at once: no computation follows."""
        self._batching = threading.get_ident()
        try:
            for name, value in values.items():
                setattr(self, name, value)
        finally:
            self._batching = None

    def _on_setting(self, change: Any) -> None:
        if self._batching != threading.get_ident():
            with LOCK:
                self._recompute((change["name"],), coarse=True)

    def _recompute(self, names: Iterable[str], *, coarse: bool) -> None:
        with LOCK:
            self.computed += 1
            try:
                self.result = compute(self.settings, self.given, self.result, coarse=coarse)
            except Exception as error:  # a lab that dies on a bad combination teaches nothing
                changed = names if len(tuple(names)) < len(NAMES) else ()
                self.fail(changed, error)
                return
            self.error = ""
            self.revision += 1

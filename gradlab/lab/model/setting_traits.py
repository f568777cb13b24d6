"""The settings as traits: each takes only what is valid, and what the network leaves open."""

from __future__ import annotations

import threading
from typing import Any

from traitlets import HasTraits, TraitType

from gradlab.lab.model.given import Given, applicable
from gradlab.lab.model.settings import NAMES, Settings, validated

__all__ = ["SettingTraits"]


class _Setting(TraitType):
    """A trait that takes only what `validated` lets through, and what the network leaves open."""

    info_text = "a valid setting of the lab"

    def validate(self, obj: SettingTraits, value: Any) -> Any:
        return obj.check_fixed(self.name, validated(self.name, value))


class SettingTraits(HasTraits):
    """A trait for each field of `Settings`.

    Parameters
    ----------
    given : Given or None
        The caller's network and data.

    Attributes
    ----------
    given : Given or None
    applicable : frozenset of str
        The settings that mean something for the network; the others are fixed.
    base : Settings
        The defaults, or those that show the caller's network as it was given.
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
    dtype = _Setting()
    train_steps = _Setting()
    bug = _Setting()
    bug_layer = _Setting()
    tensor = _Setting()

    def __init__(self, given: Given | None) -> None:
        super().__init__()
        self.given = given
        self.applicable: frozenset[str] = applicable(given)
        self.base = given.settings() if given else Settings()
        # The thread that is setting many at once; others still compute on each of their changes.
        self._batching: int | None = None

    @property
    def settings(self) -> Settings:
        """The settings as plain data."""
        return Settings(**{name: getattr(self, name) for name in NAMES})

    def check_fixed(self, name: str, value: Any) -> Any:
        """Return `value`, or raise if the caller's network leaves no choice for setting `name`."""
        if name not in self.applicable and value != getattr(self.base, name):
            kind = type(self.given.net).__name__
            raise ValueError(
                f"{name} is fixed for the {kind} that was given to the lab; "
                f"{', '.join(n for n in NAMES if n in self.applicable)} can be set"
            )
        return value

    def _assign(self, values: dict[str, Any]) -> None:
        """Set many at once: no computation follows."""
        self._batching = threading.get_ident()
        try:
            for name, value in values.items():
                setattr(self, name, value)
        finally:
            self._batching = None

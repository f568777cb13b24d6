"""The settings as traits: each takes only what is valid, and what the network leaves open."""

from __future__ import annotations

import threading
from typing import Any

from traitlets import HasTraits, TraitType

from gradlab.lab.model.function import Function
from gradlab.lab.model.own_network import OwnNetwork, applicable
from gradlab.lab.model.settings import NAMES, Settings, validated

__all__ = ["SettingTraits"]


def _called(brought: OwnNetwork | Function | None) -> str:
    if brought is None:
        return "MLP that the lab builds itself"
    what = "function" if isinstance(brought, Function) else type(brought.net).__name__
    return f"{what} that was given to the lab"


class _Setting(TraitType):
    """A trait that takes only what `validated` lets through, and what the network leaves open."""

    info_text = "a valid setting of the lab"

    def validate(self, obj: SettingTraits, value: Any) -> Any:
        return obj.check_fixed(self.name, validated(self.name, value))


#: A trait for each field of `Settings`.
_Traits = type("_Traits", (HasTraits,), {name: _Setting() for name in NAMES})


class SettingTraits(_Traits):
    """A trait for each field of `Settings`, and what the caller's network leaves open.

    Parameters
    ----------
    brought : OwnNetwork, Function or None
        The caller's network and data, or function.

    Attributes
    ----------
    brought : OwnNetwork, Function or None
    applicable : frozenset of str
        The settings that mean something for the network; the others are fixed.
    base : Settings
        The defaults, or those that show the caller's network as it was given.
    """

    def __init__(self, brought: OwnNetwork | Function | None) -> None:
        super().__init__()
        self.brought = brought
        self.applicable: frozenset[str] = applicable(brought)
        self.base = brought.settings() if brought else Settings()
        # The thread that is setting many at once; others still compute on each of their changes.
        self._batching: int | None = None

    @property
    def settings(self) -> Settings:
        """The settings as plain data."""
        return Settings(**{name: getattr(self, name) for name in NAMES})

    def check_fixed(self, name: str, value: Any) -> Any:
        """Return `value`, or raise if the caller's network leaves no choice for setting `name`."""
        if name not in self.applicable and value != getattr(self.base, name):
            raise ValueError(
                f"{name} is fixed for the {_called(self.brought)}; "
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

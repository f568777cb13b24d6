"""The lab: controls, a banner and a picture, linked to a `LabState`."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import ipywidgets as widgets
import numpy as np
import traitlets
from traitlets import link

from gradlab._validate import check_choice
from gradlab.lab.arrange import arrange
from gradlab.lab.at_rest import AtRest
from gradlab.lab.board import Board
from gradlab.lab.controls import SWITCHED, THEMES, make_appearance, make_controls
from gradlab.lab.lifetime import family, replace_earlier
from gradlab.lab.lock import LOCK
from gradlab.lab.panels import DEFAULT
from gradlab.lab.panels import NAMES as PANEL_NAMES
from gradlab.lab.scene import Scene
from gradlab.lab.settings import AS_GIVEN, NAMES
from gradlab.lab.state import LabState
from gradlab.lab.style import palette_of
from gradlab.lab.words import banner_html
from gradlab.nn.mlp import MLP

__all__ = ["Lab"]

#: A slider that has not moved for so long rests: time for the sharp picture.
_REST_SECONDS = 0.3
#: Pixels per pixel of the picture at rest.
_SHARP = 2


class Lab(widgets.VBox):
    """The live lab: move a control, watch the relative error.

    Parameters
    ----------
    net : MLP or None, optional
        A network of yours, with its data; copies are taken. Without it the lab builds its own.
    x : ndarray, shape (N, D), optional
    y : ndarray, shape (N,) or (N, K), optional
    panels : sequence of str, optional
        Which pictures, in which order: "u_curve", "tensors", "network", "heatmap", "agreement".
    theme : {"auto", "light", "dark"}, optional
        Colours of the pictures. "auto" follows JupyterLab's theme.
    **settings
        Where the controls start, such as `eps=1e-7`; see `gradlab.lab.Settings` for all.

    Attributes
    ----------
    state : LabState
        `lab.state.eps = 1e-8` moves the lab from code.
    controls : dict of str to Widget
        A control for every setting.
    banner : HTML
    board : Board
        The panels.
    reset_button : Button
    frames : int
        How many times the board was told what to show.

    Raises
    ------
    ValueError, TypeError
        A setting is unknown, out of range or of the wrong type; or `net`, `x` and `y` do not fit.

    Examples
    --------
    >>> import gradlab as gl
    >>> lab = gl.Lab(eps=1e-7, activation="relu")
    >>> lab.state.eps = 1e-8
    """

    theme = traitlets.Unicode("auto")

    def __init__(
        self,
        net: MLP | None = None,
        x: np.ndarray | None = None,
        y: np.ndarray | None = None,
        *,
        panels: Sequence[str] = DEFAULT,
        theme: str = "auto",
        **settings: Any,
    ) -> None:
        check_choice(theme, THEMES, "theme")
        for name in panels:
            check_choice(name, PANEL_NAMES, "panels")
        self.state = LabState(net, x, y, **settings)
        self.frames = 0
        self._scene = Scene(palette_of(theme), panels)
        self._rest = AtRest(self._on_rest, _REST_SECONDS)
        self.controls = make_controls(
            with_yours=net is not None, with_as_given=self.state.activation == AS_GIVEN
        )
        self.banner = widgets.HTML()
        self.board = Board(panels, self._on_press)
        self._theme_control, self.reset_button = make_appearance(theme)
        appearance = widgets.HBox([self._theme_control, self.reset_button])
        super().__init__(arrange(self.controls, self.banner, self.board, [appearance]))
        self.add_class("gradlab-lab")
        self._link()
        self.theme = theme
        self._show(scale=_SHARP)
        replace_earlier(self)

    def close(self) -> None:
        """Take the lab off the screen and let go of everything it holds."""
        if self.comm is None:  # closed already, or refused before it began
            return
        with LOCK:
            self._rest.cancel()
            self.state.unobserve_all()
            for widget in family(self):
                widget.unobserve_all()
                if widget is not self:
                    widget.close()
            super().close()

    # -- from the controls to the state, and back --------------------------------------------------

    def _link(self) -> None:
        self._follow_all()
        for name, control in self.controls.items():
            control.observe(partial(self._on_control, name), "value")
        self.reset_button.on_click(self._on_reset)
        link((self._theme_control, "value"), (self, "theme"))
        self.observe(self._on_theme, "theme")
        self.state.observe(self._on_setting, NAMES)
        self.state.observe(self._on_revision, "revision")

    def _on_control(self, name: str, change: Any) -> None:
        if change["new"] == getattr(self.state, name):
            return  # the control is following the state
        try:
            setattr(self.state, name, change["new"])
        except Exception as error:  # nobody would see it: a callback has no output
            self.state.fail((name,), error)

    def _on_reset(self, button: widgets.Button) -> None:
        with LOCK:
            self.state.reset()
            self._follow_all()  # also a control that shows a value that was refused

    def _on_setting(self, change: Any) -> None:
        with LOCK:
            # A drop-down cannot show what it does not offer ("yours"): the banner tells that.
            with suppress(traitlets.TraitError):
                self.controls[change["name"]].value = change["new"]
            self._switch()

    def _on_press(self, panel: str, x: float, y: float) -> None:
        """Choose the tensor that was clicked."""
        with LOCK:
            result = self.state.result
            tensor = result and self._scene.panels[panel].pressed(result, x, y)
            if tensor and "tensor" in NAMES:
                self.state.tensor = tensor

    def _follow_all(self) -> None:
        for name, control in self.controls.items():
            control.value = getattr(self.state, name)
        self._switch()

    def _switch(self) -> None:
        """Switch off the controls that mean nothing now."""
        for switch, names in SWITCHED.items():
            for name in names:
                self.controls[name].disabled = not getattr(self.state, switch)

    # -- from the state to the screen --------------------------------------------------------------

    def _on_revision(self, change: Any) -> None:
        with LOCK:
            self._show()
            if not self._rest.touch():  # no event loop, no screen: nothing to be quick for
                self.state.refine()

    def _on_rest(self) -> None:
        with LOCK:
            if not self.state.refine():  # which shows, and comes to rest again
                self._show(scale=_SHARP)

    def _on_theme(self, change: Any) -> None:
        with LOCK:
            self._scene.recolour(palette_of(self.theme))
            self._show(scale=_SHARP)

    @traitlets.validate("theme")
    def _check_theme(self, proposal: Any) -> str:
        return check_choice(proposal["value"], THEMES, "theme")

    def _show(self, scale: int = 1) -> None:
        """Send a frame and the words that belong to it."""
        state = self.state
        (self.add_class if self.theme == "auto" else self.remove_class)("gradlab-auto")
        self.banner.value = banner_html(state.result, state.error, state.settings)
        if state.result is None:
            return
        try:
            self.board.show(*self._scene.frame(state.result, scale))
            self.frames += 1
        except Exception as error:  # nobody would see it: a callback has no output
            told = f"picture: {error}"
            self.banner.value = banner_html(state.result, told, state.settings)

    # -- as text -----------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return repr(self.state)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Return the live view, and for viewers without a kernel a picture and the text."""
        bundle = super()._repr_mimebundle_(**kwargs) or {}
        bundle["text/plain"] = repr(self)
        if self.state.result is not None:
            with LOCK:
                picture = self._scene.whole(self.state.result, _SHARP)
            bundle["image/png"] = base64.b64encode(picture).decode("ascii")
        return bundle

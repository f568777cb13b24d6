"""The lab: controls, a banner and pictures, linked to a `LabState`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import ipywidgets as widgets
import numpy as np
import traitlets
from traitlets import link

from gradlab._stored import LIVE, show_and_store
from gradlab._validate import check_choice, check_names
from gradlab.lab.at_rest import AtRest
from gradlab.lab.board.board import Board
from gradlab.lab.board.panels import DEFAULT, cuts
from gradlab.lab.board.panels import NAMES as PANEL_NAMES
from gradlab.lab.board.scene import Scene
from gradlab.lab.controls.appearance import THEMES
from gradlab.lab.controls.linking import Link
from gradlab.lab.controls.make import make_controls
from gradlab.lab.controls.screen import Screen
from gradlab.lab.lifetime import family, replace_earlier
from gradlab.lab.lock import LOCK
from gradlab.lab.model.result import Result
from gradlab.lab.model.settings import NAMES
from gradlab.lab.state import LabState
from gradlab.lab.text.banner import banner_html
from gradlab.lab.text.summary import wrapped
from gradlab.nn.network import Network
from gradlab.plots.palette import PALETTES

__all__ = ["Lab"]

#: A slider that has not moved for so long rests: time for what is dear.
_REST_SECONDS = 0.3
#: At rest dear panels come one after the other: one that takes so long is followed by a break, in
#: which what came meanwhile is answered.
_PATIENCE, _A_MOMENT = 0.03, 0.02
_LIFE = (
    "This is the lab as its cell left it. To bring it to life, run the cell (Shift+Enter), "
    "after those above it."
)
_MIME = {"png": "image/png", "svg": "image/svg+xml"}


class Lab(widgets.VBox):
    """The live lab: move a control, watch the relative error.

    Parameters
    ----------
    net : Network, callable or None, optional
        A network of yours (MLP, convnet or LSTM), with its data; copies are taken. Without it the
        lab builds its own MLP. Or any function f(theta) -> float, with its gradient and theta:
        `gl.Lab(f, grad, theta)`.
    x : ndarray, shape (N, D), or as the network takes it, optional
        With a function: grad(theta) -> ndarray (P,).
    y : ndarray, shape (N,) or (N, K), optional
        With a function: theta (P,).
    tensors : mapping of str to (start, stop, shape) or None, optional
        Names for parts of a function's theta, as in `gl.check_function`.
    panels : sequence of str, optional
        Which pictures, in which order: names of `gradlab.lab.board.panels.NAMES`.
    controls : sequence of str or None, optional
        The settings that get a control, such as ("eps", "weight_scale"); None: all that mean
        something for the network, and scenarios, bugs and appearance.
    theme : {"auto", "light", "dark"}, optional
        Colours of the pictures. "auto" follows JupyterLab's theme.
    scenario : str or None, optional
        Where to start: a name of `gradlab.lab.SCENARIOS`.
    **settings
        Where the controls start, such as `eps=1e-7`; see `gradlab.lab.Settings` for all.

    Attributes
    ----------
    state : LabState
        `lab.state.eps = 1e-8` moves the lab from code.
    controls : dict of str to Widget
        A control for every setting.
    board : Board
        The banner and the panels.
    scenarios, appearance, mystery, reset_button : Widget
        What is no setting.
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
        net: Network | Callable[[np.ndarray], float] | None = None,
        x: np.ndarray | Callable[[np.ndarray], np.ndarray] | None = None,
        y: np.ndarray | None = None,
        *,
        tensors: Mapping[str, tuple[int, int, tuple[int, ...]]] | None = None,
        panels: Sequence[str] = DEFAULT,
        controls: Sequence[str] | None = None,
        theme: str = "auto",
        scenario: str | None = None,
        **settings: Any,
    ) -> None:
        check_choice(theme, THEMES, "theme")
        panels = check_names(panels, PANEL_NAMES, "panels")
        wanted = None if controls is None else check_names(controls, NAMES, "controls")
        self.state = LabState(net, x, y, scenario=scenario, tensors=tensors, **settings)
        can = [name for name in NAMES if name in self.state.applicable]
        check_names(wanted or (), can, "controls")
        self.frames = 0
        self._scene = Scene(panels)
        self._rest = AtRest(self._on_rest, _REST_SECONDS)
        self.controls = make_controls(self.state)
        self.board = Board(
            panels,
            self._on_press,
            lambda *at: self._link.slide(*at),
            {"undo": self.state.undo, "redo": self.state.redo},
        )
        screen = self._screen = Screen(
            self.state,
            self.board,
            panels,
            theme,
            changed=self._on_appearance,
            pin=self._on_pin,
            save=self._on_save,
        )
        self.reset_button = screen.toolbar.reset
        self.scenarios, self.mystery = screen.scenarios, screen.mystery
        self.appearance = screen.appearance
        super().__init__(screen.arranged(self.controls, wanted))
        self.add_class("gradlab-lab")
        self.add_class(LIVE)
        self._link = Link(self.state, self.controls)
        self.reset_button.on_click(self._on_reset)
        link((self.appearance.theme, "value"), (self, "theme"))
        link((self, "theme"), (self.board, "theme"))
        self.theme = theme
        self.state.observe(self._on_revision, "revision")
        self._show()
        replace_earlier(self)

    def close(self) -> None:
        """Take the lab off the screen and let go of everything it holds."""
        if self.comm is None:  # closed already, or refused before it began
            return
        with LOCK:
            self._rest.cancel()
            self.state.unobserve_all()
            # also what is not on the screen: controls that were not asked for or do not apply
            parts = [*self.controls.values(), *self._screen.all(), self.board, self]
            for widget in {id(w): w for part in parts for w in family(part)}.values():
                widget.unobserve_all()
                if widget is not self:
                    widget.close()
            super().close()

    # -- what a person does ------------------------------------------------------------------------

    def _on_reset(self, button: widgets.Button) -> None:
        with LOCK:
            self.state.reset()
            self._link.follow_all()  # also a control that shows a value that was refused

    def _on_press(self, panel: str, x: float, y: float) -> None:
        """Set what a click there sets."""
        with LOCK:
            result = self.state.result
            changes = self._scene.panels[panel].pressed(result, x, y) if result else {}
            try:
                self.state.update(**changes)
            except Exception as error:  # nobody would see it: a callback has no output
                self.state.fail(changes, error)

    def _on_appearance(self) -> None:
        with LOCK:
            large = self.appearance.large.value
            (self.add_class if large else self.remove_class)("gradlab-large")
            visible = self.appearance.visible
            if visible != self.board.visible:
                self._scene.visible = tuple(visible)
                self.board.visible = visible
                self._show()
                self.board.ghost = self._scene.ghost()

    def _on_pin(self, down: bool) -> None:
        """Keep what is shown behind what will be, or let go of it."""
        with LOCK:
            self._scene.pin(self.state.result if down else None)
            self.board.ghost = self._scene.ghost()

    def _on_save(self, kind: str) -> None:
        """Hand the picture to the browser as "png" or "svg"."""
        with LOCK:
            if self.state.result is not None:
                picture = self._picture(kind, self.state.result)
                self.board.save(f"gradlab.{kind}", _MIME[kind], picture)

    def _picture(self, kind: str, result: Result) -> bytes:
        palette = PALETTES["dark" if self.theme == "dark" else "light"]
        with LOCK:
            return self._scene.picture(result, palette, kind)

    @traitlets.validate("theme")
    def _check_theme(self, proposal: Any) -> str:
        return check_choice(proposal["value"], THEMES, "theme")

    # -- from the state to the screen --------------------------------------------------------------

    def _on_revision(self, change: Any) -> None:
        with LOCK:
            if self._link.held is None:  # a handle changes numbers, and no choices
                self._link.follow_result()
            waits = self._rest.touch()
            self._show(at_rest=not waits)
            if not waits:  # no event loop, no screen: nothing to be quick for
                self.state.refine()

    def _on_rest(self) -> None:
        with LOCK:
            refined = self.state.refine()  # which shows, and comes to rest again
            self._link.follow_result()
            if refined or self._show(patience=_PATIENCE):
                return
            if not self._rest.touch(_A_MOMENT):
                self._show()

    def _show(self, at_rest: bool = True, patience: float = math.inf) -> bool:
        """Send a frame and the words that belong to it. Returns whether that is all there is."""
        state = self.state
        banner = banner_html(state.result, state.error, state.settings)
        if state.result is None:
            self.board.banner = banner
            return True
        try:
            in_view = None if at_rest else self.board.in_view
            frame = self._scene.frame(state.result, at_rest, in_view, patience)
            self.board.show(banner, frame.charts, frame.ink, frame.told)
            self.frames += 1
            return frame.is_last
        except Exception as error:  # nobody would see it: a callback has no output
            told = f"picture: {error}"
            self.board.banner = banner_html(state.result, told, state.settings)
            return True

    # -- as text -----------------------------------------------------------------------------------

    def __repr__(self) -> str:
        text, result = repr(self.state), self.state.result
        if "cuts" not in self.board.visible or result is None or self.state.error:
            return text
        with LOCK:  # what the panel shows as a drawing
            return f"{text}\n{wrapped('  ' + cuts.told(result))}"

    def _ipython_display_(self) -> None:
        """Show the live view, and for who has no kernel a picture and the text."""
        view = super()._repr_mimebundle_() or {}
        result, picture = self.state.result, None
        if result is not None and self._scene.visible:
            picture = partial(self._picture, "png", result)
        show_and_store(view, repr(self), picture, _LIFE)

"""The lab for a projector: presentation size, and what ten minutes need as one row of buttons."""

from __future__ import annotations

import ipywidgets as widgets

from gradlab.lab.lab import Lab
from gradlab.lab.lock import LOCK
from gradlab.lab.model.scenarios import SCENARIOS

__all__ = ["TEN_MINUTES", "Demo"]

#: The scenarios of the row, in the order in which they are told; docs/instructor.md tells it.
TEN_MINUTES = (
    "healthy",
    "step_too_small",
    "step_too_large",
    "float32",
    "kinks",
    "dropout_redrawn",
    "dropout_frozen",
    "bug_hidden_by_small_weights",
)
_RIDDLE = (
    "A mistake was made in this backward pass. What do the pictures say: in which tensors does it "
    "show, and which line can do that?"
)


class Demo(Lab):
    """A lab with a row of buttons above it, one for each thing to show, and its words.

    Attributes
    ----------
    row : HBox
        A button a scenario, and a last one that plants a mystery bug.
    words : HTML
        What there is to see.

    Examples
    --------
    >>> from gradlab.lab.demo import Demo
    >>> [button.description for button in Demo().row.children][:2]
    ['Healthy', 'Step too small']
    """

    # Nothing of this page is stored: no picture and no words for a reader without a kernel.
    _ipython_display_ = None

    def __init__(self) -> None:
        super().__init__()
        self._buttons = {name: _button(SCENARIOS[name].title) for name in TEN_MINUTES}
        for name, button in self._buttons.items():
            button.tooltip = SCENARIOS[name].lesson
            button.on_click(lambda _, name=name: self.scenarios.load(name))
        self._riddle = _button("Mystery bug")
        self._riddle.tooltip = _RIDDLE
        self._riddle.on_click(self._on_riddle)
        self.row = widgets.HBox([*self._buttons.values(), self._riddle])
        self.row.add_class("gradlab-ten-minutes")
        self.words = widgets.HTML()
        self.words.add_class("gradlab-words")
        self.children = (self.row, self.words, *self.children)
        self.scenarios.layout.display = "none"  # row and words are in its place
        self.appearance.large.value = True
        self.state.observe(self._follow, "revision")
        self.scenarios.lesson.observe(self._follow, "value")
        self._follow()

    def _follow(self, change: object = None) -> None:
        """Let the button of what is shown look pressed, and say what there is to see."""
        chosen, now = self.scenarios.choice.value, self.state.settings
        is_riddle = now.bug == "mystery"
        for name, button in self._buttons.items():
            shown = name == chosen if chosen else SCENARIOS[name].full() == now
            _press(button, shown and not is_riddle)
        _press(self._riddle, is_riddle)
        riddle = f'<div class="gradlab-told">{_RIDDLE}</div>'
        self.words.value = riddle if is_riddle else self.scenarios.lesson.value
        for name in ("bug", "bug_layer", "second_bug"):  # the lines to choose from need the room
            self.controls[name].layout.display = "none" if is_riddle else None
        (self.add_class if is_riddle else self.remove_class)("gradlab-riddle")

    def _on_riddle(self, button: widgets.Button) -> None:
        with LOCK:
            try:
                self.scenarios.load("healthy")
                self.state.new_mystery()
            except Exception as error:  # nobody would see it: a callback has no output
                self.state.fail((), error)


def _button(words: str) -> widgets.Button:
    return widgets.Button(description=words, layout=widgets.Layout(width="auto"))


def _press(button: widgets.Button, down: bool) -> None:
    (button.add_class if down else button.remove_class)("mod-active")

"""Every control of the lab takes the browser's messages under the lab's lock."""

import threading

import ipywidgets as widgets
import pytest

from gradlab.lab import Lab, lifetime
from gradlab.lab.lock import LOCK

#: What a person cannot change; a button's message sets no trait, its callback takes the lock; a box
#: is changed through what is in it.
NO_CONTROLS = (widgets.HTML, widgets.FloatProgress, widgets.Button, widgets.Box)


def is_held():
    """Return whether somebody holds the lock, as another thread sees it."""
    free = []

    def look():
        free.append(LOCK.acquire(blocking=False))
        if free[0]:
            LOCK.release()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return not free[0]


def controls_of(lab):
    parts = [lab, *lab.controls.values(), *lab._screen.all()]
    family = {id(w): w for part in parts for w in lifetime.family(part)}.values()
    return [w for w in family if hasattr(w, "description") and not isinstance(w, NO_CONTROLS)]


def test_every_control_is_set_under_the_lock(front_end):
    controls = controls_of(Lab(hidden=(4,)))
    assert len(controls) > 30
    held = {}
    for control in controls:
        control.observe(lambda change: held.update({change["owner"]: is_held()}), "description")
        name = f"{type(control).__module__}.{type(control).__name__} {control.description!r}"
        control.set_state({"description": "another"})
        assert held.pop(control), name
    assert not is_held()


@pytest.mark.parametrize("kind", [widgets.Dropdown, widgets.FloatSlider])
def test_ipywidgets_own_are_not(front_end, kind):
    held, control = [], kind()
    control.observe(lambda change: held.append(is_held()), "description")
    control.set_state({"description": "another"})
    assert held == [False]

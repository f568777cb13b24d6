"""A seeded monkey at everything there is, by comm messages as a browser sends them."""

import asyncio
import gc
from collections import Counter

import numpy as np
import psutil
import pytest

from gradlab.lab import SCENARIOS, Lab
from gradlab.lab.board.panels import NAMES as PANELS
from gradlab.lab.model.settings import RANGES, SETTINGS
from tests.lab.front_end import until

#: How often each control is touched; those that make the network dearer less often.
WEIGHTS = Counter(
    eps=600, weight_scale=15, data_scale=4, bias_scale=4, l2=4, dropout_rate=3, entry=8, tensor=4,
    hidden=1, data=1, examples=1, train_steps=1,
)  # fmt: skip
LINES = (
    'gl.Lab(scenario="kinks")', "lab = gl.Lab(eps=1e-8)", "gl.Lab(eps=1e-3, activation='relu')",
    "gl.Lab(eps=-1)", "import os", "gl.Lab(", "", "gl.Lab(widths=3)", "gl.Lab(<b>)",
)  # fmt: skip
WORDS = ("1e3", "12.7", "-1", "", "ten", "0", "3", "1e99", "nan")


class Monkey:
    """Moves one control at a time to a random value that it offers, or to what is none."""

    def __init__(self, lab, front_end, seed):
        self.lab, self.front_end = lab, front_end
        self.rng = np.random.default_rng(seed)
        self.touched = Counter()
        self.names = sorted(lab.controls)
        weights = np.array([WEIGHTS[name] or 1 for name in self.names], float)
        self.share = weights / weights.sum()
        self.others = {
            "button": self.button, "press": self.press, "line": self.line, "panel": self.panel,
            "scenario": self.scenario, "pin": self.pin, "noise": self.noise,
            "undo": self.undo, "code": self.code,
        }  # fmt: skip

    def event(self):
        if self.rng.random() < 0.06:
            name = str(self.rng.choice(list(self.others)))
            self.touched[name] += 1
            return self.others[name]()
        name = str(self.rng.choice(self.names, p=self.share))
        self.touched[name] += 1
        return self.control(name, self.lab.controls[name])

    def control(self, name, control):
        """Move a control as its setting's record says."""
        kind = SETTINGS[name].kind
        if kind == "widths":
            part = self.rng.choice([control.count, *control.widths])
            if part is control.count:
                return self.front_end.move(part, int(self.rng.integers(part.min, 3)))
            return self.type_into(part, 1, 8)
        if hasattr(control, "options"):
            return self.front_end.choose(control, int(self.rng.integers(len(control.options))))
        if kind == "flag":
            return self.front_end.move(control, not control.value)
        if hasattr(control, "text"):
            return self.type_into(control, RANGES[name][0], 40)
        if kind == "logarithmic":
            to = float(self.rng.uniform(control.min, control.max))
            if self.rng.random() < 0.5:  # dragged, and not let go
                return self.front_end.send(self.lab.board, {"slide": name, "to": to})
            return self.front_end.move(control, 10**to)
        value = self.rng.uniform(control.min, control.max)
        whole = isinstance(control.value, int)
        low = control.min if whole else 0
        return self.front_end.move(control, low + round(value) % 40 if whole else float(value))

    def type_into(self, box, low, high):
        text = self.rng.choice(WORDS) if self.rng.random() < 0.2 else self.rng.integers(low, high)
        self.front_end.move(box.text, str(text))

    def button(self):
        lab, bar = self.lab, self.lab._screen.toolbar
        part = self.rng.choice([
            lab.reset_button, lab._screen.share.copy_button, bar.png, bar.svg, bar.full_screen,
            *lab.mystery.buttons.values(),
        ])  # fmt: skip
        if part not in lab.mystery.buttons.values() or lab.state.mystery is not None:
            self.front_end.press(part)

    def undo(self):
        """Back and forth: the first undo of all takes back the first change."""
        state, board = self.lab.state, self.lab.board
        for _ in range(int(self.rng.integers(1, 4))):
            wish = "undo" if self.rng.random() < 0.6 else "redo"
            before, can = state.settings, getattr(state, f"can_{wish}")
            self.front_end.send(board, {wish: True})
            assert can or state.settings == before

    def press(self):
        """Click somewhere on a panel, in coordinates of its data, also far outside of them."""
        axes = ((-13, -1), (0, 5), (-2, 2), (0, 1), (1e-9, 1e-2), (-1e9, 1e9))
        x, y = (float(self.rng.uniform(*axes[self.rng.integers(len(axes))])) for _ in "xy")
        self.front_end.send(self.lab.board, {"panel": str(self.rng.choice(PANELS)), "x": x, "y": y})

    def line(self):
        self.front_end.move(self.lab._screen.share.line, str(self.rng.choice(LINES)))

    def panel(self):
        appearance = self.lab.appearance
        part = self.rng.choice([*appearance.panels.values(), appearance.large])
        self.front_end.move(part, not part.value)

    def scenario(self):
        row = self.lab.scenarios
        if self.rng.random() < 0.5:
            return self.front_end.press(self.rng.choice([row.before, row.after, row.again]))
        return self.front_end.choose(row.choice, int(self.rng.integers(len(SCENARIOS) + 1)))

    def pin(self):
        pin = self.lab._screen.toolbar.pin
        self.front_end.move(pin, not pin.value)

    def noise(self):
        """Messages that no page sends."""
        for content in ({}, {"panel": "none", "x": 1, "y": 2}, {"slide": "eps", "to": "a"}, [3]):
            self.front_end.send(self.lab.board, content)

    def code(self):
        """A cell beside it all."""
        self.lab.state.update(eps=float(10 ** self.rng.uniform(-12, -1)))


@pytest.mark.parametrize("events", [60, pytest.param(10_000, marks=pytest.mark.soak)])
def test_random_events(front_end, events):
    asyncio.run(play(front_end, events))  # as in a kernel: what is dear comes when a slider rests


async def play(front_end, events):
    lab = Lab(hidden=(4,), panels=PANELS)
    monkey = Monkey(lab, front_end, seed=0)
    process = psutil.Process()
    for name in list(SCENARIOS)[:9]:  # warm: every kind of picture was drawn
        lab.state.load_scenario(name)
        lab._show()
    for i in range(events):
        monkey.event()
        if i % 100 == 0:
            await until(lambda: lab._rest._loop is None)  # and sometimes it does
        else:
            await asyncio.sleep(0)
        front_end.clear()
        told = "cannot compute" in lab.board.banner
        assert told == bool(lab.state.error), (i, lab.state.settings, lab.board.banner)
        if i == events // 2:  # by then the largest networks were seen, and caches are full
            gc.collect()
            memory, objects = process.memory_info().rss, len(gc.get_objects())
    gc.collect()
    assert process.memory_info().rss - memory < 20e6
    assert len(gc.get_objects()) - objects < 20_000  # the lines of a few dozen networks
    if events >= 10_000:
        assert set(lab.controls) | set(monkey.others) <= set(monkey.touched)
    await agrees_with_a_fresh_one(lab, front_end)


async def agrees_with_a_fresh_one(lab, front_end):
    """State and pictures agree: a fresh lab with these settings shows the same."""
    front_end.move(lab._screen.toolbar.pin, False)
    front_end.move(lab.appearance.large, False)
    for box in lab.appearance.panels.values():
        front_end.move(box, True)
    front_end.press(lab.reset_button)
    front_end.move(lab.controls["eps"], 1e-4)
    await until(lambda: lab._rest._loop is None)
    assert lab.state.error == ""
    assert lab.state.result.settings == lab.state.settings
    for name, control in lab.controls.items():
        assert control.value == getattr(lab.state, name), name
    lab.state.refine()
    lab._show()
    fresh = Lab(hidden=(4,), panels=PANELS, eps=1e-4)
    fresh.state.refine()
    fresh._show()
    for name in PANELS:
        one, other = (getattr(each.board, f"chart_{name}") for each in (lab, fresh))
        assert {**one, "key": None} == {**other, "key": None}, name
    assert lab.board.ink == fresh.board.ink
    assert lab.board.ghost == {}

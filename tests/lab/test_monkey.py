"""A seeded monkey at all controls, by comm messages as a browser sends them."""

import asyncio
import gc
from collections import Counter

import numpy as np
import psutil
import pytest

from gradlab.lab import SCENARIOS, Lab

EVENTS = 10_000
PANELS = ("u_curve", "tensors", "network", "heatmap", "agreement")
#: How often each control is touched; those that make the network dearer less often.
WEIGHTS = Counter(eps=600, weight_scale=15, l2=4, dropout_rate=3, hidden=1, data=1, train_steps=1)


class Monkey:
    """Moves one control at a time to a random value that it offers."""

    def __init__(self, lab, front_end, seed):
        self.lab, self.front_end = lab, front_end
        self.rng = np.random.default_rng(seed)
        self.touched = Counter()
        self.names = sorted(lab.controls)
        weights = np.array([WEIGHTS[name] or 1 for name in self.names], float)
        self.share = weights / weights.sum()

    def event(self):
        name = self.rng.choice(self.names, p=self.share)
        self.touched[name] += 1
        control = self.lab.controls[name]
        if self.rng.random() < 0.01:
            return self.button()
        if name == "hidden":
            part = self.rng.choice([control.count, *control.widths])
            most = 2 if part is control.count else 8
            return self.front_end.move(part, int(self.rng.integers(part.min, most + 1)))
        if hasattr(control, "options"):
            index = int(self.rng.integers(len(control.options)))
            return self.front_end.choose(control, index)
        if isinstance(control.value, bool):
            return self.front_end.move(control, not control.value)
        low, high = control.min, control.max
        if hasattr(control, "base"):
            to = float(self.rng.uniform(low, high))
            if self.rng.random() < 0.5:  # dragged, and not let go
                return self.front_end.send(self.lab.board, {"slide": name, "to": to})
            return self.front_end.move(control, 10**to)
        value = self.rng.uniform(low, high)
        whole = isinstance(control.value, int)
        return self.front_end.move(control, round(value) % 40 if whole else float(value))

    def button(self):
        lab, play = self.lab, self.lab.mystery.buttons
        always = [lab.reset_button, lab._parts.share.copy_button]
        boxes = [*lab.appearance.panels.values(), lab.appearance.large]
        part = self.rng.choice([*always, *boxes, lab.scenarios.choice, *play.values()])
        self.touched[part.description] += 1
        if part in boxes:
            self.front_end.move(part, not part.value)
        elif part is lab.scenarios.choice:
            self.front_end.choose(part, int(self.rng.integers(8)))
        elif part in always or lab.state.mystery is not None:
            self.front_end.press(part)


@pytest.mark.timeout(3000)  # on a busy machine its events take their time
def test_ten_thousand_random_events(front_end):
    asyncio.run(play(front_end))  # as in a kernel: the sharp picture comes when a slider rests


async def play(front_end):
    lab = Lab(hidden=(4,), panels=PANELS)
    monkey = Monkey(lab, front_end, seed=0)
    process = psutil.Process()
    for name in list(SCENARIOS)[:9]:  # warm: every kind of picture was drawn, at both scales
        lab.state.load_scenario(name)
        lab._show()
    for i in range(EVENTS):
        monkey.event()
        await asyncio.sleep(0.32 if i % 250 == 0 else 0)  # and sometimes it does
        front_end.clear()
        assert ("cannot compute" in lab.board.banner) == bool(lab.state.error), lab.board.banner
        if i == 100:
            gc.collect()
            memory = process.memory_info().rss
    gc.collect()
    assert process.memory_info().rss - memory < 20e6
    assert set(lab.controls) <= set(monkey.touched)
    lab.appearance.large.value = False
    for box in lab.appearance.panels.values():
        box.value = True
    # state and picture agree: a fresh lab with these settings shows the same
    front_end.press(lab.reset_button)
    front_end.move(lab.controls["eps"], 1e-4)
    assert lab.state.error == ""
    assert lab.state.result.settings == lab.state.settings
    for name, control in lab.controls.items():
        assert control.value == getattr(lab.state, name), name
    lab.state.refine()
    lab._show()
    fresh = Lab(hidden=(4,), panels=PANELS, eps=1e-4)
    for name in PANELS:
        assert getattr(lab.board, name) == getattr(fresh.board, name), name
    for what in ("shapes", "bytes", "shows"):
        assert lab.board.ink[what] == fresh.board.ink[what], what

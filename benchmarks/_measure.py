"""Move one slider in JupyterLab and note when its consequences come to the screen."""

import json
import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

from _film import film
from browser.scripts import RUN_CODE

PROBE = (Path(__file__).parent / "_probe.js").read_text()
WIDGETS = "application/vnd.jupyter.widget-view+json"
PREPARE = """([root, handle, text, name]) => {
  window.gradlabProbe = new GradlabProbe(root, text);
  window.gradlabHandle = handle;
  // JupyterLab writes the title again whenever the notebook is saved or changes.
  Object.defineProperty(document, 'title', {value: name, writable: true});
  document.querySelector('title').textContent = name;
}"""
# The arrow key that moves the slider away from its nearer end.
INWARD = """(() => {
  const [low, now, high] = ['min', 'now', 'max'].map(
    which => Number(gradlabHandle.getAttribute(`aria-value${which}`)));
  return now < (low + high) / 2 ? 'ArrowRight' : 'ArrowLeft';
})()"""
EVENTS, MILLISECONDS = 120, 2000


@dataclass
class Drag:
    """What one drag of 120 events in two seconds showed."""

    shown: int
    final_ms: float
    gap_ms: float
    blanks: int
    jumps: int
    backwards: int


@dataclass
class Measured:
    """All that was seen of one variant."""

    latencies: list = field(default_factory=list)
    drags: list = field(default_factory=list)

    @property
    def latency(self):
        """Median time from a key's event to new pixels, in ms."""
        return median(self.latencies)

    @property
    def latency_p95(self):
        """95th percentile of the same."""
        return quantiles(self.latencies, n=20)[-1]

    @property
    def frames(self):
        """Median number of frames that a drag showed."""
        return median(drag.shown for drag in self.drags)

    @property
    def final(self):
        """Median time from a drag's last event to the final state's pixels, in ms."""
        return median(drag.final_ms for drag in self.drags)

    @property
    def gap(self):
        """Median of the longest time between two frames in a drag, in ms."""
        return median(drag.gap_ms for drag in self.drags)

    def total(self, name):
        """Return the sum over all drags of `blanks`, `jumps` or `backwards`."""
        return sum(getattr(drag, name) for drag in self.drags)


class Subject:
    """A notebook whose last widget is measured.

    Parameters
    ----------
    page : tests.browser.page.Page
        Needed only while the subject is made; then `tab` must be set.
    name : str
        What the page's tab will be called.
    slider : str
        The label of the slider that is moved.
    text : str or None
        Selector of the line of text that answers; None where a picture answers.
    quiet : int
        After so many milliseconds without a frame, all is at rest.
    """

    def __init__(self, page, name, slider, text=None, quiet=600):
        self.name, self.text, self.quiet, self.tab = name, text, quiet, None
        self.setting = {"step eps": "eps", "weight scale": "weight_scale"}[slider]
        page.tab.evaluate(PROBE)
        page.run_all()
        wrong = page.tracebacks() + page.errors
        assert not wrong, f"the notebook failed: {wrong}"
        index = max(i for i, cell in enumerate(page.outputs()) if WIDGETS in json.dumps(cell))
        cell = page.show_cell(index)
        root = cell.locator(".jp-OutputArea").first.element_handle()
        handle = page.handle(slider, within=cell).element_handle()
        page.tab.evaluate(PREPARE, [root, handle, text, name])

    def step(self, count):
        """Press an arrow key, wait for rest, `count` times; returns event-to-pixels times, ms."""
        times = []
        self._front()
        for _ in range(count):
            self.tab.evaluate("gradlabProbe.reset()")
            self.tab.press(self.tab.evaluate(INWARD))
            self.tab.wait_for("gradlabProbe.frames.length > 0")
            self._rest()
            seen = self.tab.evaluate("gradlabProbe.report()")
            times.append(seen["frames"][0]["time"] - seen["events"][0])
        return times

    def drag(self, start, sign):
        """Drag from the end where key `start` puts the handle, all the way to the other."""
        self._start(start)
        self._run("frames.clear()")
        self._move(sign)
        seen = self.tab.evaluate("gradlabProbe.report()")
        return self._summary(seen, json.loads(self._run("show_log()")), sign)

    def film(self, start, sign):
        """Drag once more while the browser films itself; returns the film's pictures.

        Apart from `drag`, because filming costs time.
        """
        self._start(start)
        box = self.tab.evaluate("gradlabProbe.box()")
        return film(self.tab, box, lambda: self._move(sign))

    def errors(self):
        """Return what went wrong in the page since the subject was made."""
        return self.tab.evaluate("gradlabProbe.errors")

    def _front(self):
        self.tab.send("Page.bringToFront")
        self.tab.evaluate("gradlabHandle.focus()")

    def _start(self, key):
        self._front()
        self.tab.press(key)
        self._rest()

    def _move(self, sign):
        self.tab.evaluate(f"gradlabProbe.drag(gradlabHandle, {sign}, {EVENTS}, {MILLISECONDS})")
        self._rest()

    def _rest(self):
        self.tab.wait_for(f"gradlabProbe.quietFor({self.quiet})")

    def _run(self, code):
        reply = self.tab.evaluate(f"({RUN_CODE})({json.dumps(code)})")
        assert reply["ok"], f"{self.name}: {reply['text']}"
        return reply["text"]

    def _summary(self, seen, log, sign):
        places = [frame["place"] for frame in seen["frames"]]
        busiest = max(set(places), key=places.count, default=0)
        frames = [frame for frame in seen["frames"] if frame["place"] == busiest]
        last_event = seen["events"][-1]
        values, backwards = _values(frames, log["frames"], self.setting, sign)
        final = frames[-1]
        if log["final"] is not None:
            assert log["final"] in values, f"the final state was never shown: {values[-5:]}, {log}"
            final = frames[values.index(log["final"])]
        return Drag(
            shown=sum(frame["time"] <= last_event for frame in frames),
            final_ms=max(final["time"] - last_event, 0.0),
            gap_ms=_longest_gap([frame["time"] for frame in frames], seen["events"]),
            blanks=seen["blanks"],
            jumps=seen["jumps"],
            backwards=backwards,
        )


def _longest_gap(frames, events):
    """Return the longest time without a frame while events came, from the first frame on, in ms."""
    times = [time for time in frames if time <= events[-1]]
    return max((after - before for before, after in pairwise(times)), default=float("inf"))


def _values(frames, log, setting, sign):
    """Return the value that each frame shows, and how many frames went back.

    A picture is known by its checksum; the kernel noted which value it drew it for. Where two
    values gave the same picture, the one that goes on is meant.
    """
    known = {}
    for name, value in log:
        known.setdefault(name, []).append(value)
    values, backwards, latest = [], 0, None
    for frame in frames:
        said = re.search(rf"\b{setting} = (\S+)", frame["name"])
        drawn = [float(said[1])] if said else known.get(frame["name"], [])
        onward = [v for v in drawn if latest is None or sign * (v - latest) >= 0]
        backwards += bool(drawn) and not onward
        value = min(onward, key=lambda v: sign * v) if onward else (drawn or [None])[0]
        values.append(value)
        latest = value if value is not None else latest
    return values, backwards

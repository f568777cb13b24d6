import asyncio
import gc
import io
import itertools
import threading
import weakref
from dataclasses import replace
from types import SimpleNamespace

import matplotlib.image
import numpy as np
import psutil
import pytest
from ipywidgets.widgets.widget import _instances

import gradlab as gl
from gradlab.lab import Lab, Settings, at_rest, lifetime
from gradlab.lab import lab as view
from gradlab.lab.board import scene as scene_module
from gradlab.lab.board.panels import NAMES as ALL
from tests.lab.front_end import until


@pytest.fixture
def lab(front_end):
    lab = Lab(hidden=(4,))
    front_end.clear()
    return lab


SEEDS = [pytest.param(seed, marks=[pytest.mark.soak] * (seed >= 4)) for seed in range(12)]


def shown(lab):
    """Everything that the browser draws: charts and ink."""
    return {name: chart(lab, name) for name in ALL} | {"ink": lab.board.ink}


def chart(lab, name):
    return getattr(lab.board, f"chart_{name}")


def test_the_public_name_is_the_lab():
    assert gl.Lab is Lab


def test_moving_a_slider_sends_its_words_and_the_ink_in_one_message(lab, front_end):
    front_end.move(lab.controls["eps"], 1e-7)  # after which there is something to undo
    front_end.clear()
    front_end.move(lab.controls["eps"], 1e-8)
    updates = [data["state"] for _, kind, data, _ in front_end.messages
               if kind == "comm_msg" and data["method"] == "update"]  # fmt: skip
    assert len(updates) == 1
    assert {"ink", "banner"} <= updates[0].keys()
    assert "1.0e-08" in lab.board.banner


def test_moving_from_code_moves_slider_picture_and_words(lab, front_end):
    lab.state.eps = 1e-8
    assert lab.controls["eps"].value == 1e-8
    assert len(front_end.updates(lab.board, "ink")) == 1
    assert "1.0e-08" in lab.board.banner


def test_the_network_is_sent_only_when_a_verdict_changes(lab, front_end):
    front_end.move(lab.controls["eps"], 1.1e-5)
    front_end.move(lab.controls["eps"], 1.2e-5)
    assert len(front_end.updates(lab.board, "chart_network")) == 0
    front_end.move(lab.controls["eps"], 1e-13)
    assert str(lab.state.result.report.verdict) == "inconclusive"
    assert len(front_end.updates(lab.board, "chart_network")) == 1


def test_dragging_the_step_sends_no_chart_and_little_else(lab, front_end):
    async def drag():
        front_end.send(lab.board, {"slide": "eps", "to": -6.0})
        front_end.clear()
        for power in np.linspace(-5.9, -4, 10):
            front_end.send(lab.board, {"slide": "eps", "to": float(power)})

    asyncio.run(drag())
    assert not front_end.updates(lab.board, "chart_u_curve")
    assert len(front_end.updates(lab.board, "ink")) == 10
    assert max(front_end.updates(lab.board, "ink")) < 4_000


def test_a_step_that_is_typed_is_put_into_the_curve(lab, front_end):
    front_end.move(lab.controls["eps"], 2e-6)
    assert 0 < max(front_end.updates(lab.board, "chart_u_curve")) < 10_000


def test_charts_are_small(lab, front_end):
    for value in np.logspace(-2, 1, 10):
        front_end.move(lab.controls["weight_scale"], float(value))
    assert 0 < max(front_end.updates(lab.board, "chart_u_curve")) < 10_000


def test_the_cursor_moves(lab):
    def cursor():
        line = lab.board.ink["marks"]["u_curve"][0]
        return np.frombuffer(lab.board.ink["bytes"], "<f4", 1, line["x0"][0])[0]

    lab.state.eps = 1e-9
    before = cursor()
    lab.state.eps = 1e-3
    assert cursor() - before == pytest.approx(6 / 12, abs=1e-5)


def test_a_fresh_lab_and_a_dragged_one_draw_the_same(lab):
    for eps in (1e-9, 1e-2, 1e-12, 1e-4):
        lab.state.eps = eps
    lab.state.update(hidden=(6, 5), weight_scale=2.0, eps=1e-7)
    lab.state.refine()
    lab._show()
    assert shown(lab) == shown(Lab(hidden=(6, 5), weight_scale=2.0, eps=1e-7))


@pytest.mark.parametrize("panel", ALL)
def test_every_panel_can_stand_alone_and_tells_what_it_shows(panel):
    lab = Lab(hidden=(4,), panels=(panel,))
    assert lab.board.visible == [panel]
    assert [name for name in ALL if chart(lab, name)] == [panel]
    before, alt = shown(lab), lab.board.told["alt"][panel]
    lab.state.update(eps=1e-13, seed=1, use_l2=True, l2_in_loss=False, l2=1.0)
    assert shown(lab) != before
    assert lab.board.told["alt"][panel] != alt


def test_unknown_panels_are_refused():
    with pytest.raises(ValueError, match="did you mean 'heatmap'"):
        Lab(hidden=(2,), panels=("heatmaps",))


def test_clicks_and_what_is_none(lab, front_end):
    clicked = []
    lab.board._clicked = lambda *where: clicked.append(where)
    for content in ({}, {"panel": "no such"}, {"panel": "network", "x": "1", "y": None}, "text"):
        front_end.send(lab.board, content)
    assert clicked == []
    front_end.send(lab.board, {"panel": "network", "x": 3, "y": 4.5})
    assert clicked == [("network", 3.0, 4.5)]


def test_a_click_sets_what_the_panel_says(lab, front_end):
    front_end.send(lab.board, {"panel": "u_curve", "x": 1e-8, "y": 1e-3})
    assert lab.state.eps == lab.controls["eps"].value == 1e-8


def test_a_click_that_fails_is_told(lab, front_end, monkeypatch):
    monkeypatch.setattr(type(lab._scene.panels["u_curve"]), "pressed", lambda *_: {"eps": -1.0})
    front_end.send(lab.board, {"panel": "u_curve", "x": 1e-8, "y": 1e-3})
    assert "step eps" in lab.board.banner
    assert lab.state.eps != -1.0


def test_keys_undo_and_redo(lab, front_end):
    start = lab.state.eps
    lab.state.eps = 1e-8
    for content in ({"undo": "yes"}, {"undo": False}, {"close": True}):
        front_end.send(lab.board, content)
    assert lab.state.eps == 1e-8
    front_end.send(lab.board, {"undo": True})
    assert lab.state.eps == lab.controls["eps"].value == start
    front_end.send(lab.board, {"redo": True})
    assert lab.state.eps == 1e-8


def test_what_is_pinned_stays_behind_in_every_panel_that_is_shown(lab, front_end):
    toolbar, boxes = lab._screen.toolbar, lab.appearance.panels
    front_end.move(toolbar.pin, True)
    before = lab.board.ghost
    assert set(before["charts"]) == set(lab.board.visible)
    lab.state.weight_scale = 2.0
    assert lab.board.ghost == before
    front_end.move(boxes["agreement"], True)
    assert "agreement" in lab.board.ghost["charts"]
    front_end.move(toolbar.pin, False)
    assert lab.board.ghost == {}


@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_the_picture_is_handed_over_as_a_file(lab, monkeypatch, front_end, kind, start):
    sent = []
    monkeypatch.setattr(lab.board, "send", lambda content, buffers: sent.append((content, buffers)))
    front_end.press(getattr(lab._screen.toolbar, kind))
    ((content, (buffer,)),) = sent
    assert content["save"] == f"gradlab.{kind}"
    assert content["mime"].startswith("image/")
    assert buffer.startswith(start)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_message_to_the_browser_gives_a_mystery_away(front_end, seed):
    lab = Lab(hidden=(4, 4), use_l2=True, l2=0.1, panels=ALL)
    front_end.clear()
    secret = lab.state.new_mystery(seed).secret
    front_end.move(lab.controls["eps"], 1e-7)
    # which list all bugs, and the lines as they should be
    choices = {lab.controls["bug"].model_id, lab.mystery.line.model_id}
    sent = [str(data) for where, _, data, _ in front_end.messages if where not in choices]
    assert len(sent) > 5
    words = [word for slip in secret.slips for word in (slip.wrong, slip.right, slip.where)]
    if secret.exhibit:
        words += [secret.exhibit.name, secret.exhibit.title, secret.exhibit.summary]
    assert not [text for text in sent for word in words if word in text]
    assert not [o for o, _ in lab.mystery.line.options if o.endswith(f": {secret.slips[0].wrong}")]


def test_a_picture_that_fails_is_told_too(lab, monkeypatch, front_end):
    def broken(*args, **kwargs):
        raise ValueError("planted")

    with monkeypatch.context() as patched:
        patched.setattr(view.Scene, "frame", broken)
        front_end.move(lab.controls["eps"], 1e-3)
    assert "picture: planted" in lab.board.banner
    front_end.move(lab.controls["eps"], 1e-4)
    assert "planted" not in lab.board.banner


def test_reset_and_theme(lab, front_end):
    lab.state.update(eps=1e-2, activation="relu")
    front_end.press(lab.reset_button)
    assert lab.state.settings == lab.state.start
    assert lab.controls["eps"].value == lab.state.start.eps
    assert lab.controls["activation"].value == "tanh"
    for theme in ("dark", "auto"):
        lab.theme = theme
        assert lab.board.theme == lab.appearance.theme.value == theme
    with pytest.raises(ValueError, match="did you mean 'dark'"):
        lab.theme = "darkk"
    with pytest.raises(ValueError, match="theme must be one of"):
        Lab(theme="red")


def test_every_change_ends_at_rest(front_end, monkeypatch):
    monkeypatch.setattr(view, "_REST_SECONDS", 0.02)

    async def person():
        lab = Lab(hidden=(4,))
        moves = [
            lambda: front_end.move(lab.controls["eps"], 1e-13),
            lambda: front_end.move(lab.controls["weight_scale"], 3.0),
            lambda: front_end.press(lab.reset_button),
            lambda: lab.state.update(hidden=(3, 3), data="iris"),
        ]
        for move in moves:
            move()
            assert not lab.board.ink["sharp"]
            await until(lambda: lab.board.ink["sharp"])
            assert not lab.state.result.rough

    asyncio.run(person())


def test_repr_tells_settings_verdict_and_orders_of_magnitude():
    lab = Lab(eps=1e-2, hidden=(4,), l2=0.1, l2_in_gradient=False)
    assert repr(lab).splitlines() == [
        "gradlab lab",
        "  network: 2-4-2 tanh, softmax_cross_entropy, moons, 30 examples, seed 0, "
        "weight scale 0.5",
        "  check: eps 0.01, central, max_relative; dropout off; L2 0.1 in the loss alone",
        "  verdict: wrong (wrong: W1, W2; correct: b1, b2)",
        "  norm ratio: up to 1e-05 in b2; up to 1e-03 in b1; above 1e-03 in W1, W2",
        "  worst relative error: about 1e+00",
    ]


def test_what_a_learner_typed_is_escaped():
    lab = Lab(hidden=(4,))
    lab.state.fail(("eps",), ValueError("<script>alert(1)</script>"))
    assert "<script>" not in lab.board.banner
    assert "&lt;script&gt;" in lab.board.banner


def test_a_frame_is_one_message_and_is_counted(lab):
    assert lab.frames == 1
    lab.state.eps = 1e-6
    assert lab.frames == 2


def test_a_lab_that_cannot_compute_from_the_start_lives(front_end, monkeypatch):
    lab = Lab(hidden=(4,), bug="lstm_tanh_twice", panels=("u_curve", "cuts"))
    assert (lab.state.result, lab.frames) == (None, 0)
    assert lab.board.ink == {"marks": {}, "bytes": b"", "shows": "", "sharp": False}
    assert lab.board.told == {"alt": {}, "cost": "", "said": ""}
    assert "Change a setting, or press Reset" in lab.board.banner
    assert "last result" not in lab.board.banner
    sent = []
    monkeypatch.setattr(lab.board, "send", lambda *message: sent.append(message))
    front_end.send(lab.board, {"panel": "u_curve", "x": 1e-8, "y": 1e-3})
    front_end.press(lab._screen.toolbar.png)
    front_end.move(lab._screen.toolbar.pin, True)
    assert (sent, lab.board.ghost) == ([], {})
    assert "needs an LSTM" in repr(lab)
    assert "cuts" not in repr(lab)
    assert not lab.state.refine()
    front_end.press(lab.reset_button)
    assert lab.state.settings == Settings()
    assert lab.frames > 0
    assert "flipped_sign" in [value for _, value in lab.controls["bug"].options]


def test_after_an_error_the_banner_says_what_the_pictures_show(lab):
    lab.state.bug = "lstm_tanh_twice"
    assert "the pictures show the last result. Move the control back" in lab.board.banner


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_a_file_has_the_colours_of_the_page_where_they_are_known(front_end, theme):
    lab = Lab(hidden=(), theme=theme, panels=("network",))
    picture = lab._picture("png", lab.state.result)
    paper = matplotlib.image.imread(io.BytesIO(picture))[0, 0, :3]
    assert (paper.max() < 0.2) == (theme == "dark")


def test_a_lab_rests_a_moment_after_the_last_move(front_end, monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(at_rest, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    sharp = {}

    async def person():
        asyncio.get_running_loop().time = lambda: now.seconds
        lab = Lab(hidden=(4,))
        front_end.move(lab.controls["eps"], 1e-7)
        for tick in range(1, 11):
            now.seconds = 0.05 * tick
            for _ in range(3):
                await asyncio.sleep(0)
            sharp[tick] = lab.board.ink["sharp"]

    asyncio.run(person())
    assert not sharp[4], "0.2 s: a hand that looks where to go"
    assert sharp[10], "0.5 s: a hand that rests"


@pytest.mark.parametrize(("takes", "shown"), [(0.02, 2), (0.05, 1)])
def test_a_dear_panel_that_takes_long_is_followed_by_a_break(lab, monkeypatch, takes, shown):
    clock = itertools.count()
    ticks = SimpleNamespace(perf_counter=lambda: takes * next(clock))
    monkeypatch.setattr(scene_module, "time", ticks)
    dear = ("boundary", "training", "seeds")
    frame = scene_module.Scene(dear).frame(lab.state.result, patience=view._PATIENCE)
    assert len(frame.charts) == shown


def test_without_an_event_loop_a_rest_shows_all_at_once(front_end, monkeypatch):
    monkeypatch.setattr(view, "_PATIENCE", 0.0)
    lab = Lab(hidden=(4,), panels=("boundary", "seeds"))
    result = lab.state.result
    lab.state.result = replace(result)  # another one, to be drawn anew
    lab._on_rest()
    assert lab.board.ink["sharp"]
    assert set(lab.board.ink["marks"]) == {"boundary", "seeds"}


@pytest.mark.parametrize("start", [{}, {"bug": "lstm_tanh_twice"}])
def test_what_cannot_be_drawn_is_not_tried_again_and_again(front_end, monkeypatch, start):
    tried = []

    def broken(*args, **kwargs):
        tried.append(args)
        raise ValueError("planted")

    async def rests():
        lab = Lab(hidden=(4,), **start)
        monkeypatch.setattr(view.Scene, "frame", broken)
        monkeypatch.setattr(view, "_A_MOMENT", 0.0)
        lab._on_rest()
        await asyncio.sleep(0.02)
        assert lab._rest._loop is None, "nothing is pending"

    asyncio.run(rests())
    assert len(tried) == (0 if start else 1)


def test_a_closed_lab_does_nothing_more(front_end, monkeypatch):
    monkeypatch.setattr(view, "_REST_SECONDS", 0.01)

    async def person():
        lab = Lab(hidden=(4,))
        front_end.move(lab.controls["eps"], 1e-7)
        frames = lab.frames
        lab.close()
        lab.close()
        await asyncio.sleep(0.05)
        lab.state.eps = 1e-6
        return lab.frames - frames

    assert asyncio.run(person()) == 0


@pytest.mark.parametrize("events", [500, pytest.param(10_000, marks=pytest.mark.soak)])
def test_thousands_of_events_leave_no_memory_and_no_figure(front_end, events):
    lab = Lab(hidden=())
    scales = np.logspace(-3, 1, events // 50)
    steps = np.logspace(-13, -1, events - len(scales))
    front_end_log = front_end.messages

    def drag(values, name):
        for value in values:
            front_end.move(lab.controls[name], float(value))
            front_end_log.clear()

    drag(steps[:: len(steps) // 196], "eps")
    drag(scales[:: len(scales) // 10], "weight_scale")
    frames, computed = lab.frames, lab.state.computed
    gc.collect()
    memory = psutil.Process().memory_info().rss
    drag(steps, "eps")
    drag(scales, "weight_scale")
    gc.collect()
    grown = psutil.Process().memory_info().rss - memory
    assert lab.state.error == ""
    assert lab.state.computed - computed >= events - 1
    assert lab.frames - frames >= events - 1
    assert grown < 20e6
    assert lab.state.eps == pytest.approx(1e-1)
    assert lab.state.result.settings == lab.state.settings


def test_callbacks_on_another_thread_beside_a_cell(front_end):
    lab = Lab(hidden=(4,))
    failures = []

    def browser():
        try:
            for value in np.logspace(-9, -3, 100):
                front_end.move(lab.controls["eps"], float(value))
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=browser)
    thread.start()
    for value in np.logspace(-1, 1, 50):
        lab.state.weight_scale = float(value)
    thread.join()
    assert failures == []
    assert lab.state.error == ""
    assert "cannot compute" not in lab.board.banner
    assert lab.controls["eps"].value == lab.state.eps == pytest.approx(1e-3)
    assert lab.controls["weight_scale"].value == lab.state.weight_scale == 10.0
    assert lab.state.result.settings == lab.state.settings
    lab.state.refine()
    fresh = Lab(hidden=(4,), eps=lab.state.eps, weight_scale=10.0)
    lab._show()
    assert shown(lab) == shown(fresh)


def labs():
    """Every kind of lab: its own network, a given one, a convnet, and few controls."""
    x, y = gl.data.moons(8)
    images = np.random.default_rng(0).standard_normal((3, 1, 8, 8))
    convnet = gl.convnet((1, 8, 8), padding=(1, 1), classes=3)
    return {
        "own": lambda: Lab(hidden=(4,)),
        "given": lambda: Lab(gl.mlp([2, 3, 2], seed=12_345), x, y),
        "convnet": lambda: Lab(convnet, images, np.arange(3)),
        "few controls": lambda: Lab(hidden=(4,), controls=("eps", "bug")),
    }


@pytest.mark.parametrize("kind", labs())
def test_closing_lets_go_of_every_widget_and_of_the_lab(front_end, kind):
    before = set(_instances)
    lab = labs()[kind]()
    assert len(set(_instances) - before) > 50
    reference = weakref.ref(lab)
    lab.close()
    assert set(_instances) == before
    del lab
    gc.collect()
    assert reference() is None


def shown_widgets(lab):
    return set(lifetime.family(lab))


def test_running_a_cell_ten_times_leaves_one_lab_and_one_callback(front_end, monkeypatch):
    before = set(_instances)
    labs, counts = [], []
    for run in range(10):
        monkeypatch.setattr(lifetime, "_running_cell", lambda run=run: ("cell", f"run {run}"))
        labs.append(weakref.ref(Lab(hidden=(4,))))
        counts.append(len(set(_instances) - before))
    gc.collect()
    alive = [reference() for reference in labs if reference() is not None]
    assert len(alive) == 1
    assert counts == [counts[0]] * 10
    lab = alive[0]
    computed = lab.state.computed
    front_end.clear()
    front_end.move(lab.controls["eps"], 1e-9)
    assert lab.state.computed == computed + 1
    assert len(front_end.updates(lab.board, "ink")) == 1


def test_two_labs_of_one_run_of_a_cell_live_together(front_end, monkeypatch):
    monkeypatch.setattr(lifetime, "_running_cell", lambda: ("both", "run 1"))
    first, second = Lab(hidden=(2,)), Lab(hidden=(3,))
    first.state.eps = 1e-3
    assert first.comm is not None
    assert second.comm is not None

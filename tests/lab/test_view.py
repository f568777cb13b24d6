import asyncio
import gc
import html
import io
import threading
import weakref

import matplotlib.image
import numpy as np
import psutil
import pytest
from ipywidgets.widgets.widget import _instances

import gradlab as gl
from gradlab.lab import Lab, lifetime
from gradlab.lab import lab as view
from gradlab.lab import state as state_module
from gradlab.lab.controls.make import TOOLTIPS
from gradlab.lab.model.ranges import LABELS
from gradlab.lab.model.settings import NAMES
from tests.lab.front_end import until
from tests.lab.test_state import CHANGES


@pytest.fixture
def lab(front_end):
    lab = Lab(hidden=(4,))
    front_end.clear()
    return lab


ALL = ("u_curve", "tensors", "network", "heatmap", "agreement")


def shown(lab):
    """Everything that the browser draws: papers and ink."""
    return {name: getattr(lab.board, name) for name in ALL} | {"ink": lab.board.ink}


def pixels(png):
    return matplotlib.image.imread(io.BytesIO(png))[..., :3]


def test_the_public_name_is_the_lab():
    assert gl.Lab is Lab


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_a_control_that_moves_it(front_end, name):
    start = {"use_dropout": True} if name in ("dropout_rate", "freeze_masks") else {}
    start |= {"use_l2": True} if name.startswith("l2") else {}
    lab = Lab(hidden=(4,), **start)
    before, value = shown(lab), CHANGES[name]
    control = lab.controls[name]
    if name == "hidden":
        front_end.move(control.widths[0], 3)
        front_end.move(control.count, 2)
        front_end.move(control.widths[1], 3)
    elif hasattr(control, "options"):
        index = [option for _, option in control.options].index(value)
        control.set_state({"index": index})
    else:
        front_end.move(control, value)
    assert lab.state.error == ""
    assert getattr(lab.state.result.settings, name) == value
    assert shown(lab) != before


@pytest.mark.parametrize("name", NAMES)
def test_every_control_follows_the_state(lab, name):
    setattr(lab.state, name, CHANGES[name])
    assert lab.controls[name].value == CHANGES[name]


def test_every_control_says_what_it_is_and_in_which_unit():
    lab = Lab(hidden=(4,))
    assert set(lab.controls) == set(NAMES) == set(TOOLTIPS) == set(LABELS)
    for name, control in lab.controls.items():
        parts = (control.count, *control.widths) if name == "hidden" else (control,)
        for part in parts:
            assert part.description
            assert len(part.tooltip) > len(part.description)
    for name in ("eps", "weight_scale", "l2"):
        assert "1e" in TOOLTIPS[name], "a logarithmic slider tells its range"
        assert lab.controls[name].readout_format.endswith("e"), "1e-6, not -6"


def test_moving_a_slider_sends_its_words_and_the_ink_in_one_message(lab, front_end):
    front_end.move(lab.controls["eps"], 1e-8)
    updates = [data["state"] for _, kind, data, _ in front_end.messages
               if kind == "comm_msg" and data["method"] == "update"]  # fmt: skip
    assert len(updates) == 1
    assert {"ink", "banner"} <= updates[0].keys()
    assert "1.0e-08" in lab.board.banner


def test_the_last_digits_of_a_slider_are_rounded_and_not_sent_back(lab, front_end):
    front_end.move(lab.controls["eps"], 0.0010000000000000041)
    assert lab.state.eps == 1e-3
    assert len(front_end.updates(lab.controls["eps"])) <= 1  # the echo of what was sent


def test_moving_from_code_moves_slider_picture_and_words(lab, front_end):
    lab.state.eps = 1e-8
    assert lab.controls["eps"].value == 1e-8
    assert len(front_end.updates(lab.board, "ink")) == 1
    assert "1.0e-08" in lab.board.banner


def test_the_network_is_sent_only_when_a_verdict_changes(lab, front_end):
    front_end.move(lab.controls["eps"], 1.1e-5)
    front_end.move(lab.controls["eps"], 1.2e-5)
    assert len(front_end.updates(lab.board, "network")) == 0
    front_end.move(lab.controls["eps"], 1e-13)
    assert str(lab.state.result.report.verdict) == "inconclusive"
    assert len(front_end.updates(lab.board, "network")) == 1


def test_dragging_the_step_sends_no_picture_and_little_else(lab, front_end):
    front_end.move(lab.controls["eps"], 2e-6)
    front_end.clear()
    for value in np.logspace(-6, -4, 10):
        front_end.move(lab.controls["eps"], float(value))
    assert not front_end.updates(lab.board, "u_curve")
    assert len(front_end.updates(lab.board, "ink")) == 10
    assert max(front_end.updates(lab.board, "ink")) < 4_000


def test_papers_are_small_while_dragging(lab, front_end):
    for value in np.logspace(-2, 1, 10):
        front_end.move(lab.controls["weight_scale"], float(value))
    assert 0 < max(front_end.updates(lab.board, "u_curve")) < 60_000


def test_the_picture_changes_where_it_should_and_is_not_blank(lab):
    paper = pixels(lab.board.u_curve)
    assert paper.shape == (2 * 292, 2 * 396, 3)
    assert paper.std() > 0.05
    for name in ("tensors", "network"):
        assert pixels(getattr(lab.board, name)).std() > 0.05
    lab.state.eps = 1e-9
    first, bytes_of_first = lab.board.ink["shapes"], lab.board.ink["bytes"]
    lab.state.eps = 1e-3
    second, bytes_of_second = lab.board.ink["shapes"], lab.board.ink["bytes"]
    assert first["u_curve"] != second["u_curve"]
    for shape, other in zip(first["tensors"], second["tensors"], strict=True):
        assert bytes_of_first[slice(*shape["xy"])] != bytes_of_second[slice(*other["xy"])]
    assert lab.board.u_curve, "the curve stays"
    (cursor, dots), (before, _) = second["u_curve"], first["u_curve"]
    assert cursor["points"][0] - before["points"][0] == pytest.approx(6 / 12 * 0.834 * 396, abs=1)
    assert dots["ends"] == [1, 2, 3, 4]


def test_the_ink_stands_where_matplotlib_would_draw_it(lab):
    """The stored picture is drawn by matplotlib alone: its dots are where the browser's are."""
    lab.state.eps = 1e-3
    for name in ("u_curve", "tensors"):
        panel = lab._scene.panels[name]
        whole = panel.whole(lab.state.result, 1).astype(int)
        discs = next(s for s in panel.ink(lab.state.result) if s["kind"] == "discs")
        xy = np.frombuffer(discs["xy"], "<u2").reshape(-1, 2) / 32
        groups = np.searchsorted(discs["ends"], np.arange(len(xy)), side="right")
        colours = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in discs["colours"]]

        def found(shift, xy=xy, groups=groups, colours=colours, whole=whole):
            """Return the share of the dots at which their colour is (a bar may cover some)."""
            near = [
                whole[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2, :3] for x, y in xy + shift
            ]
            off = [
                np.abs(n - colours[g]).sum(axis=2).min() for n, g in zip(near, groups, strict=True)
            ]
            return np.mean(np.array(off) < 120)

        assert found((0, 0)) > 0.7
        assert found((0, 8)) < 0.5


def test_a_fresh_lab_and_a_dragged_one_draw_the_same(lab):
    for eps in (1e-9, 1e-2, 1e-12, 1e-4):
        lab.state.eps = eps
    lab.state.update(hidden=(6, 5), weight_scale=2.0, eps=1e-7)
    lab.state.refine()
    lab._show(scale=2)
    assert shown(lab) == shown(Lab(hidden=(6, 5), weight_scale=2.0, eps=1e-7))


@pytest.mark.parametrize("panel", ALL)
def test_every_panel_can_stand_alone_and_tells_what_it_shows(panel):
    lab = Lab(hidden=(4,), panels=(panel,))
    assert lab.board.visible == [panel]
    assert pixels(getattr(lab.board, panel)).std() > 0.02
    assert [name for name in ALL if getattr(lab.board, name)] == [panel]
    before, alt = shown(lab), lab.board.told["alt"][panel]
    lab.state.update(eps=1e-13, use_l2=True, l2_in_loss=False, l2=1.0)
    assert shown(lab) != before
    assert lab.board.told["alt"][panel] != alt


def test_unknown_panels_are_refused():
    with pytest.raises(ValueError, match="did you mean 'heatmap'"):
        Lab(hidden=(2,), panels=("heatmaps",))


def test_clicks_and_what_is_none(lab, front_end):
    pressed = []
    lab.board._pressed = lambda *where: pressed.append(where)
    for content in ({}, {"panel": "no such"}, {"panel": "network", "x": "1", "y": None}, "text"):
        front_end.send(lab.board, content)
    assert pressed == []
    front_end.send(lab.board, {"panel": "network", "x": 3, "y": 4.5})
    assert pressed == [("network", 3.0, 4.5)]


@pytest.mark.parametrize("seed", range(12))
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


def test_the_mysterys_reveal_is_code_and_escaped(front_end):
    lab = Lab(hidden=(4, 4), activation="relu", bug="mystery")
    for seed in range(40):
        secret = lab.state.new_mystery(seed).secret
        if ">" in secret.slips[0].right:
            break
    front_end.press(lab.mystery.buttons["reveal"])
    told = lab.mystery.told.value
    assert f"<code>  right: {html.escape(secret.slips[0].right)}</code>" in told
    assert f"<code>  wrong: {html.escape(secret.slips[0].wrong)}</code>" in told
    assert "&gt;" in told


def test_two_bugs_at_a_time_are_asked_for_by_a_button(front_end):
    lab = Lab(hidden=(4, 4), bug="mystery")
    assert "One of these lines" in lab.mystery.told.value
    front_end.press(lab.mystery.buttons["two"])
    assert lab.state.mystery.count == 2
    assert "Two of these lines" in lab.mystery.told.value
    front_end.press(lab.mystery.buttons["next"])
    assert lab.state.mystery.count == 1


def test_a_control_that_fails_is_named_in_the_banner_and_the_lab_lives(lab, monkeypatch, front_end):
    before = shown(lab)

    def broken(*args, **kwargs):
        raise ZeroDivisionError("<planted>")

    with monkeypatch.context() as patched:
        patched.setattr(state_module, "compute", broken)
        front_end.move(lab.controls["weight_scale"], 3.0)
    assert "cannot compute" in lab.board.banner
    assert "weight scale: &lt;planted&gt;" in lab.board.banner
    front_end.move(lab.controls["eps"], 1e-3)
    assert "cannot compute" not in lab.board.banner
    assert shown(lab) != before
    assert lab.state.result.settings.weight_scale == 3.0


def test_a_picture_that_fails_is_told_too(lab, monkeypatch, front_end):
    def broken(*args, **kwargs):
        raise ValueError("planted")

    with monkeypatch.context() as patched:
        patched.setattr(view.Scene, "frame", broken)
        front_end.move(lab.controls["eps"], 1e-3)
    assert "picture: planted" in lab.board.banner
    front_end.move(lab.controls["eps"], 1e-4)
    assert "planted" not in lab.board.banner


def test_a_value_that_the_state_refuses_is_told_with_its_control(lab, front_end):
    control = lab.controls["weight_scale"]
    control.max = 4
    front_end.move(control, 5000.0)
    assert "weight scale: weight_scale must be a finite number in" in lab.board.banner
    front_end.press(lab.reset_button)
    assert control.value == lab.state.weight_scale == 0.5
    front_end.move(control, 2.0)
    assert "cannot compute" not in lab.board.banner


def test_a_choice_that_the_control_does_not_offer_is_told(lab):
    lab.state.data = "yours"
    assert "data set: data is" in lab.board.banner
    assert "made without x and y" in lab.board.banner
    lab.state.data = "iris"
    assert lab.controls["data"].value == "iris"
    assert "cannot compute" not in lab.board.banner


def test_reset_and_theme(lab, front_end):
    lab.state.update(eps=1e-2, activation="relu")
    front_end.press(lab.reset_button)
    assert lab.state.settings == lab.state.start
    assert lab.controls["eps"].value == lab.state.start.eps
    assert lab.controls["activation"].value == "tanh"
    assert pixels(lab.board.u_curve)[0, 0].tolist() == [1, 1, 1]
    lab.theme = "dark"
    assert pixels(lab.board.u_curve)[0, 0].max() < 0.1
    assert "gradlab-auto" not in lab._dom_classes
    lab.theme = "auto"
    assert "gradlab-auto" in lab._dom_classes
    assert pixels(lab.board.u_curve)[0, 0].tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="did you mean 'dark'"):
        lab.theme = "darkk"
    with pytest.raises(ValueError, match="theme must be one of"):
        Lab(theme="red")


def test_reset_forgets_an_error_even_where_nothing_has_moved(lab, front_end):
    lab.state.fail(("eps",), ValueError("planted"))
    assert "planted" in lab.board.banner
    front_end.press(lab.reset_button)
    assert "planted" not in lab.board.banner


def test_every_change_ends_in_a_sharp_picture(front_end, monkeypatch):
    monkeypatch.setattr(view, "_REST_SECONDS", 0.02)

    def width(png):
        return int.from_bytes(png[16:20], "big")

    async def person():
        lab = Lab(hidden=(4,))
        moves = [
            lambda: front_end.move(lab.controls["eps"], 1e-13),
            lambda: front_end.move(lab.controls["weight_scale"], 3.0),
            lambda: front_end.press(lab.reset_button),
            lambda: front_end.press(lab.reset_button),
            lambda: lab.state.update(hidden=(3, 3), data="iris"),
        ]
        for move in moves:
            move()
            await until(lambda: lab._rest._loop is None)
            assert width(lab.board.u_curve) == 792
            assert width(lab.board.network) == 352
            assert not lab.state.result.rough

    asyncio.run(person())


def test_what_means_nothing_now_is_switched_off(lab, front_end):
    rate, decay = lab.controls["dropout_rate"], lab.controls["l2"]
    assert rate.disabled
    assert decay.disabled
    front_end.move(lab.controls["use_dropout"], True)
    lab.state.use_l2 = True
    assert not rate.disabled
    assert not decay.disabled
    lab.state.reset()
    assert rate.disabled
    assert decay.disabled


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
    lab._show(scale=2)
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


def test_only_the_controls_asked_for_are_shown_with_what_they_need():
    lab = Lab(hidden=(4,), controls=("eps", "bug", "train_steps"))
    shown = shown_widgets(lab)
    assert {name for name, control in lab.controls.items() if control in shown} == {
        "eps", "bug", "train_steps",
    }  # fmt: skip
    assert lab.mystery in shown
    assert lab._parts.training in shown
    assert lab.scenarios not in shown
    with pytest.raises(ValueError, match="did you mean 'eps'"):
        Lab(hidden=(4,), controls=("epss",))
    with pytest.raises(TypeError, match="controls must be a sequence of names"):
        Lab(hidden=(4,), controls="eps")
    x, y = np.zeros((3, 2, 2)), np.array([0, 1])
    with pytest.raises(ValueError, match="controls must be one of"):
        Lab(gl.lstm(2, 3, 2), x, y, controls=("hidden",))


def test_a_given_network_is_shown_as_it_is():
    x, y = gl.data.moons(8)
    lab = Lab(gl.mlp([2, 3, 2], seed=12_345), x, y)
    assert lab.state.seed == 12_345
    assert lab.controls["seed"].value == 9_999, "the nearest that it can show"
    with pytest.raises(ValueError, match=r"net\.l2 must be 0 or in \[1e-06, 100000\]"):
        Lab(gl.mlp([2, 3, 2], l2=1e-8), x, y)


def test_scenarios_follow_the_settings(front_end):
    lab = Lab(scenario="kinks")
    choice = lab.scenarios.choice
    assert choice.value == "kinks"
    assert lab.scenarios.lesson.value.count(".") >= 1
    front_end.move(lab.controls["eps"], 1e-7)
    assert choice.value == ""
    index = [name for _, name in choice.options].index("kinks")
    front_end.choose(choice, index)
    assert choice.value == "kinks"
    assert lab.state.eps == lab.state.start.eps, "a scenario can be chosen again"


def test_a_line_can_be_copied_and_pasted(front_end):
    lab = Lab(hidden=(4,), eps=1e-7, activation="relu")
    front_end.press(lab._parts.share.copy_button)
    line = lab._parts.share.line.value
    assert line == 'gl.Lab(hidden=(4,), activation="relu", eps=1e-07)'
    front_end.move(lab.controls["eps"], 1e-3)
    assert lab._parts.share.line.value == "", "it would be that of other settings"
    front_end.move(lab._parts.share.line, line)
    assert lab.state.eps == 1e-7
    front_end.move(lab._parts.share.line, 'gl.Lab(eps=-1, hidden="<b>")')
    assert "cannot compute" in lab.board.banner
    assert "<b>&quot;" not in lab.board.banner
    assert lab.state.eps == 1e-7


def test_another_network_starts_another_round_of_the_mystery(front_end):
    lab = Lab(hidden=(4,), bug="mystery")
    first = lab.state.mystery
    front_end.move(lab.controls["eps"], 1e-6)
    assert lab.state.mystery is first
    front_end.move(lab.controls["hidden"].count, 2)
    assert lab.state.mystery is not first
    assert lab.state.error == ""
    assert [v for _, v in lab.mystery.tensor.options[1:]] == list(lab.state.mystery.tensors)
    assert ("W3", "W3") in lab.mystery.tensor.options


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

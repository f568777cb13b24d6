from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.time_steps import loss_of_steps
from gradlab.lab.board.panels.cuts import CutsPanel, _about_steps, _number, conclusion
from gradlab.lab.model.own_network import OwnNetwork
from gradlab.lab.model.result import compute
from gradlab.lab.model.signal import signal_of
from gradlab.nn.mlp import MLP
from gradlab.plots import DARK, LIGHT, figure_of
from tests.lab.panels.results import given, of_convnet, of_lstm, own, texts

PANEL = CutsPanel()
MISSING = "missing_activation_derivative"


def verdicts(result):
    return {name: str(cut.verdict) for name, cut in signal_of(result).cuts.items()}


def loss_from_z2(net, a, y):
    """The rest of a tanh network with two hidden layers, by hand."""
    out = np.tanh(a) @ net.params["W3"] + net.params["b3"]
    shifted = out - out.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(y)), y].mean()


def test_the_differences_at_a_cut_are_those_of_the_loss_computed_by_hand():
    result = own(eps=1e-4)
    cut, net, y = signal_of(result).cuts["z2"], result.net, result.y
    p = net.params
    z2 = np.tanh(result.x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    for k in (0, 57, 99):
        entry = np.unravel_index(cut.entries[k], z2.shape)
        ends = []
        for step in (1e-4, -1e-4):
            there = z2.copy()
            there[entry] += step
            ends.append(loss_from_z2(net, there, y))
        assert cut.numerical[k] == pytest.approx((ends[0] - ends[1]) / 2e-4, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("bug", "layer"),
    [("none", 0), (MISSING, 1), (MISSING, 2), ("missing_transpose", 2), ("missing_1_over_n", 0),
     ("bias_summed_without_axis", 1), ("doubled_l2", 0)],
)  # fmt: skip
def test_the_words_are_those_of_bisect(bug, layer):
    result = own(bug=bug, bug_layer=layer, use_l2=True)
    found = gl.bisect(result.problem.planted, result.x, result.y)
    assert signal_of(result).found.why == found.why
    assert conclusion(result, signal_of(result)).startswith(found.why)
    assert signal_of(result).found.between == found.between


def test_a_wrong_tensor_under_a_right_signal_is_explained():
    result = own(bug="bias_summed_without_axis", bug_layer=1)
    assert result.report.wrong == ["b1"]
    assert "What is wrong in b1 comes after it" in conclusion(result, signal_of(result))


def test_the_frontier_is_drawn_where_the_signal_goes_wrong():
    result = own(bug=MISSING, bug_layer=1)
    assert verdicts(result) == {
        "input": "wrong", "z1": "wrong", "a1": "correct", "z2": "correct", "a2": "correct",
        "output": "correct",
    }  # fmt: skip
    thick = [m for m in PANEL.moving(result) if m["kind"] == "segments"]
    names = next(m for m in PANEL.moving(result) if "input" in m.get("texts", ()))
    height = dict(zip(names["texts"], names["y"], strict=True))
    assert (thick[0]["y0"][0], thick[0]["y1"][0]) == (height["z1"], height["a1"])
    assert "wrong: input, z1; correct: a1, z2, a2, output" in PANEL.alt(result)


def test_it_follows_the_step_and_keeps_what_stands_still():
    result = own()
    shorter = compute(result.settings.replace(eps=1e-12), previous=result)
    assert PANEL.key(result) == PANEL.key(shorter)
    assert set(verdicts(result).values()) == {"correct"}
    assert set(verdicts(shorter).values()) == {"inconclusive"}
    assert "No cut can be judged at this step" in PANEL.alt(shorter)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("eps", [1e-13, 1e-9, 1e-6, 1e-4, 1e-2, 1e-1])
def test_right_code_is_never_blamed(activation, eps):
    result = own(activation=activation, eps=eps, hidden=(16, 16, 16))
    assert "wrong" not in verdicts(result).values()


def test_right_code_is_not_blamed_on_the_kinks_of_real_images():
    x, y = gl.data.load("digits", 8)
    net = gl.convnet((1, 8, 8), filters=(4, 6), padding=(1, 1), classes=10, seed=0)
    for eps in (1e-3, 1e-5, 1e-7):
        found = verdicts(given(net, x.reshape(-1, 1, 8, 8), y, eps=eps))
        assert found["input"] == "inconclusive"  # blank pixels tie in the pool
        assert "wrong" not in found.values()


def test_the_mystery_stays_one():
    shown = own(bug=MISSING, bug_layer=1)
    riddle = replace(shown, settings=shown.settings.replace(bug="mystery"))
    text = conclusion(riddle, signal_of(shown))
    assert "Activation" not in text
    assert "wrong at z1" in text


@pytest.mark.parametrize("every_step", [False, True])
def test_dropped_cell_gradients_show_by_time_step(every_step):
    result = of_lstm(4, every_step, bug="lstm_cell_gradient_dropped")
    steps = {name: str(cut.verdict) for name, cut in signal_of(result).steps.items()}
    assert [steps[f"x{t}"] for t in (1, 2, 3)] == ["wrong"] * 3
    assert steps["x4"] == steps["h4"] == steps["c4"] == "correct"
    assert "c3 is the first that is wrong" in PANEL.alt(result)
    assert str(gl.bisect(result.problem.planted, result.x, result.y).steps[3]["c"].verdict) == (
        "wrong"
    )


def test_overwritten_sums_leave_every_time_step_right():
    result = of_lstm(4, bug="lstm_step_overwrites")
    assert {str(cut.verdict) for cut in signal_of(result).steps.values()} == {"correct"}
    text = conclusion(result, signal_of(result))
    assert "Every time step's signal is right" in text
    assert "comes after it" in text


@pytest.mark.parametrize("part", ["h2", "c3", "x1"])
@pytest.mark.parametrize("every_step", [False, True])
def test_the_differences_at_a_time_step_are_those_of_the_plain_loop(part, every_step):
    result = of_lstm(4, every_step, eps=1e-4)
    f, theta, tensors = loss_of_steps(result.net, result.x, result.y)
    cut, (start, _, _) = signal_of(result).steps[part], tensors[part]
    at = cut.entries if cut.entries is not None else np.arange(cut.analytic.size)
    for k in (0, len(at) - 1):
        ends = []
        for step in (1e-4, -1e-4):
            there = theta.copy()
            there[start + at[k]] += step
            ends.append(f(there))
        slope = (ends[0] - ends[1]) / 2e-4
        assert cut.numerical.ravel()[k] == pytest.approx(slope, rel=1e-6, abs=1e-11)


def test_batch_norm_ties_the_batch_and_is_right():
    net, (x, y) = gl.mlp([2, 6, 6, 2], batch_norm=True, seed=1), gl.data.moons(12)
    assert set(verdicts(given(net, x, y)).values()) == {"correct"}


@pytest.mark.parametrize("scheme", ["forward", "five_point", "complex_step"])
def test_other_schemes_agree(scheme):
    assert set(verdicts(own(scheme=scheme)).values()) == {"correct"}


def test_dropout_masks_are_in_the_chain_or_the_reason_why_there_is_none():
    assert verdicts(own(use_dropout=True))["dropout1"] == "correct"
    assert "freeze" in PANEL.fits(own(use_dropout=True, freeze_masks=False))
    assert PANEL.fits(own()) == ""


class OfItsOwn(MLP):
    """A network with a gradient that somebody wrote."""

    def gradient(self, x, y, masks=None, params=None):
        return {name: 2 * grad for name, grad in super().gradient(x, y, masks, params).items()}


def test_a_gradient_of_ones_own_hands_out_no_signal():
    net, (x, y) = gl.mlp([2, 6, 2]), gl.data.moons(12)
    net.__class__ = OfItsOwn
    assert "code of its own" in PANEL.fits(given(net, x, y))


def test_a_dormant_bug_leaves_the_signal_right():
    result = own(bug="missing_dropout_mask")
    assert set(verdicts(result).values()) == {"correct"}


@pytest.mark.parametrize(
    "make",
    [lambda: own(), lambda: own(hidden=(16,) * 8, bug=MISSING, bug_layer=4), of_convnet, of_lstm,
     lambda: of_lstm(40)],
)  # fmt: skip
def test_it_is_drawn_inside_its_frame_in_both_palettes(make):
    result = make()
    still, moving = PANEL.still(result), PANEL.moving(result)
    for mark in (*still.marks, *moving):
        if mark["kind"] == "words":
            assert (mark["x"] >= still.x.low).all()
            assert (mark["x"] <= still.x.high).all()
            assert (mark["y"] >= still.y.low).all()
            assert (mark["y"] <= still.y.high).all()
    for palette in (LIGHT, DARK):
        figure_of([(still, moving)], palette, widths=[PANEL.width]).canvas.draw()
    assert set(signal_of(result).cuts) <= set(texts(moving))


def printed(lab):
    """Return the cuts' line of a printed lab as a dict of verdicts, and what follows it."""
    text = repr(lab)
    line = "  " + " ".join(text[text.index("  cuts: ") :].split())  # the last, on several lines
    cuts, _, steps = line.removeprefix("  cuts: ").partition(". ")
    groups = (group.split(": ") for group in cuts.split("; "))
    return {name: verdict for verdict, names in groups for name in names.split(", ")}, steps


def test_a_printed_lab_tells_the_cuts_where_their_panel_is_shown():
    images = np.random.default_rng(0).standard_normal((4, 1, 8, 8))
    net, y = gl.convnet((1, 8, 8), filters=(2, 3), padding=(1, 1), classes=3), np.arange(4) % 3
    lab = gl.Lab(net, images, y, panels=("cuts",))
    for bug, layer in (("kernel_not_flipped", 2), ("none", 0)):
        lab.state.update(bug=bug, bug_layer=layer)
        wrong = net if bug == "none" else gl.bugs.plant(net, bug, layer)
        found = gl.bisect(wrong, images, y)
        said, steps = printed(lab)
        assert steps == ""
        assert list(said.values()) == sorted(said.values(), key=list(said.values()).index)
        assert {name: str(found.cuts[name].verdict) for name in found.cuts}.items() <= said.items()
        assert ("wrong" in said.values()) == (bug != "none")
    lab.state.update(bug="kernel_not_flipped", bug_layer=1)  # a layer that cannot have it
    assert "cuts" not in repr(lab)
    assert "cuts" not in repr(gl.Lab(net, images, y, panels=("tensors",)))


def test_a_printed_lab_tells_the_first_time_step_that_is_wrong():
    net, rng = gl.lstm(3, 4, 2, seed=0), np.random.default_rng(0)
    x, y = rng.standard_normal((4, 5, 3)), np.arange(5) % 2
    lab = gl.Lab(net, x, y, panels=("cuts",), bug="lstm_cell_gradient_dropped")
    said, steps = printed(lab)
    found = gl.bisect(gl.bugs.plant(net, "lstm_cell_gradient_dropped"), x, y)
    assert said["input"] == str(found.cuts["input"].verdict) == "wrong"
    walk = [(f"{part}{t}", cut) for t, cuts in found.steps.items() for part, cut in cuts.items()]
    first = next(name for name, cut in walk if cut.verdict == "wrong")
    assert steps == f"From the last time step back, {first} is the first that is wrong"


def test_a_printed_lab_tells_why_there_are_no_cuts():
    lab = gl.Lab(panels=("cuts",), use_dropout=True, freeze_masks=False)
    assert "  cuts: dropout draws new masks at every evaluation" in repr(lab)


# -- what is drawn where -------------------------------------------------------------------------


def of_kind(marks, kind):
    return [mark for mark in marks if mark["kind"] == kind]


def heights(result):
    """Return where the name of each cut stands."""
    names = next(m for m in PANEL.moving(result) if "input" in m.get("texts", ()))
    return dict(zip(names["texts"], zip(names["x"], names["y"], strict=True), strict=True))


def test_the_layers_stand_between_their_cuts_and_the_loss_below_the_last():
    result = own(hidden=(4, 4, 4))
    signal, places = signal_of(result), list(heights(result).values())
    lines, to_the_loss = of_kind(PANEL.still(result).marks, "segments")
    layers, loss = of_kind(PANEL.still(result).marks, "words")
    ends = [(x, y0, y1) for (x, y0), (_, y1) in pairwise(places)]
    assert list(zip(lines["x0"], lines["y0"], lines["y1"], strict=True)) == ends
    np.testing.assert_array_equal(lines["x1"], lines["x0"])
    np.testing.assert_allclose(layers["y"], [(y0 + y1) / 2 for _, y0, y1 in ends])
    assert layers["texts"] == signal.layers
    assert loss["texts"] == ["▲ the loss"]
    rows = places[0][1] - places[1][1]
    assert to_the_loss["y0"] == [places[-1][1]]
    assert loss["y"] < to_the_loss["y1"] < to_the_loss["y0"]
    assert 0.1 < (to_the_loss["y1"][0] - loss["y"][0]) / rows < 0.2, "the arrow ends the line"
    assert places[-1][1] - rows < loss["y"]
    chart = PANEL.still(result)
    assert places[0][1] == pytest.approx(chart.y.high - rows / 2)
    assert (chart.x.low, chart.y.low, chart.x.ticks, chart.y.ticks) == (0, 0, (), ())


def test_many_cuts_stand_in_two_columns_of_which_the_right_one_ends_at_the_loss():
    result = own(hidden=(4,) * 8)
    places = heights(result)
    x = sorted({x for x, _ in places.values()})
    assert [sum(at == side for at, _ in places.values()) for side in x] == [9, 9]
    assert x[1] - x[0] == pytest.approx((PANEL.still(result).x.high) / 2)
    (lines,) = of_kind(PANEL.still(result).marks, "segments")
    assert len(lines["x0"]) == 16, "none from the foot of one column to the head of the other"
    np.testing.assert_array_equal(lines["x0"], lines["x1"])
    turn, loss = of_kind(PANEL.still(result).marks, "words")
    assert (turn["texts"], loss["texts"]) == (["▲ from the right column"], ["▲ from the loss"])
    for word, name in ((turn, [*places][8]), (loss, "output")):
        assert word["x"] == places[name][0]
        assert word["y"] < places[name][1]
    few = own(hidden=(4,) * 5)
    assert len({x for x, _ in heights(few).values()}) == 1
    assert len({x for x, _ in heights(own(hidden=(4,) * 6)).values()}) == 2


def test_the_frontier_runs_from_the_first_wrong_cut_to_the_right_one_above_it():
    turned = own(hidden=(4,) * 8, bug=MISSING, bug_layer=4)
    (thick,) = of_kind(PANEL.moving(turned), "segments")
    places = heights(turned)
    below, above = signal_of(turned).found.between
    assert (below, above) == ("z4", "a4")
    assert (thick["colour"], thick["width"] > 2) == ("wrong", True)
    assert (thick["x0"], thick["y0"]) == places["z4"]
    foot = places["z4"][1] - (places["z3"][1] - places["z4"][1])
    assert foot < thick["y1"] < thick["y0"]  # the next cut heads the other column
    assert thick["y1"][0] == pytest.approx((foot + thick["y0"][0]) / 2), "half of a row"
    (turn, _) = of_kind(PANEL.still(turned).marks, "words")
    assert 0.1 < (thick["y1"][0] - turn["y"][0]) / (thick["y0"][0] - foot) < 0.4, "where it goes on"
    loss = own(bug="missing_1_over_n")
    (thick,) = of_kind(PANEL.moving(loss), "segments")
    rows = heights(loss)["a2"][1] - heights(loss)["output"][1]
    assert (thick["x0"], thick["y0"]) == heights(loss)["output"]
    assert thick["y0"] - rows < thick["y1"] < thick["y0"]
    _, to_the_loss = of_kind(PANEL.still(loss).marks, "segments")
    assert thick["y1"][0] == pytest.approx(to_the_loss["y1"][0]), "it covers the line to the loss"
    assert of_kind(PANEL.moving(own()), "segments") == []


def test_each_cut_has_the_sign_the_colour_and_the_number_of_its_verdict():
    result = own(bug=MISSING, bug_layer=1)
    cuts, places = signal_of(result).cuts, heights(result)
    shapes = {"disc": "correct", "triangle": "wrong", "ring": "inconclusive"}
    for mark in of_kind(PANEL.moving(result), "dots"):
        own_places = [places[n] for n, c in cuts.items() if c.verdict == shapes[mark["sign"]]]
        assert list(zip(mark["x"], mark["y"], strict=True)) == own_places
        assert mark["colours"] == [shapes[mark["sign"]]]
    names, told, conclusions = of_kind(PANEL.moving(result), "words")
    assert names["colours"] == told["colours"] == [str(cut.verdict) for cut in cuts.values()]
    assert told["texts"] == [
        f"{'✗' if cut.verdict == 'wrong' else '✓'} {cut.norm_ratio:.2f}"
        if cut.norm_ratio >= 0.01
        else f"✓ {cut.norm_ratio:.0e}"
        for cut in cuts.values()
    ]
    np.testing.assert_array_equal(told["y"], names["y"])
    assert (told["align"], names["align"]) == ("right", "left")
    assert " ".join(conclusions["texts"]) == conclusion(result, signal_of(result))
    assert conclusions["y"][0] < names["y"][-1] - 1
    np.testing.assert_allclose(np.diff(conclusions["y"]), np.diff(conclusions["y"])[0])


def small_lstm(steps):
    """Return a result of an LSTM that takes little time."""
    rng = np.random.default_rng(0)
    brought = OwnNetwork.check(
        gl.lstm(2, 2, 2), rng.standard_normal((steps, 3, 2)), np.arange(3) % 2
    )
    settings = brought.settings().replace(bug="lstm_cell_gradient_dropped")
    return compute(settings, brought, coarse=True)


@pytest.mark.parametrize(
    ("steps", "signs", "numbers"), [(6, 3, 3), (7, 3, 0), (14, 3, 0), (15, 0, 0)]
)
def test_few_time_steps_have_signs_and_very_few_have_numbers(steps, signs, numbers):
    result = small_lstm(steps)
    cuts = signal_of(result).steps
    marks = PANEL.moving(result)
    written = of_kind(marks, "words")[2:-1]
    head, named, parts = of_kind(PANEL.still(result).marks, "words")[2:]
    assert head["texts"] == ["time step"]
    every = 1 if steps <= 14 else 2
    assert named["texts"] == [str(t) for t in range(1, steps + 1, every)]
    assert parts["texts"] == ["dL/dh", "dL/dc", "dL/dx"]
    assert np.all(np.diff(named["x"]) > 0)
    assert named["x"][0] > parts["x"][0] + 3
    assert (named["y"] > parts["y"].max()).all()
    if not signs:
        drawn = [m for m in of_kind(marks, "dots")[3:] if len(m["x"])]
        assert sum(len(m["x"]) for m in drawn) == 3 * steps
        for mark in drawn:
            assert set(mark["y"]) <= set(parts["y"])
        return
    assert len(written) == signs + numbers
    for row, part in enumerate("hcx"):
        mark = written[row * (2 if numbers else 1)]
        own_cuts = [cuts[f"{part}{t}"] for t in range(1, steps + 1)]
        assert mark["colours"] == [str(cut.verdict) for cut in own_cuts]
        assert [text == "✗" for text in mark["texts"]] == [c.verdict == "wrong" for c in own_cuts]
        np.testing.assert_array_equal(mark["x"], named["x"])
        if numbers:
            assert len(written[2 * row + 1]["texts"]) == steps
            assert (written[2 * row + 1]["y"] < parts["y"][row]).all()
            assert (mark["y"] > parts["y"][row]).all()
        else:
            np.testing.assert_array_equal(mark["y"], parts["y"][row])


def test_room_is_left_for_the_time_steps():
    with_steps = small_lstm(4)
    parts = of_kind(PANEL.still(with_steps).marks, "words")[4]
    assert parts["y"].max() < min(y for _, y in heights(with_steps).values()) - 1
    words = of_kind(PANEL.moving(with_steps), "words")[-1]
    assert words["y"].max() < parts["y"].min() - 0.6


@pytest.mark.parametrize(
    ("ratio", "words"), [(np.nan, "0 = 0"), (0.25, "0.25"), (0.01, "0.01"), (0.0094, "9e-03")]
)
def test_a_ratio_has_the_digits_that_tell_and_two_zeros_have_none(ratio, words):
    assert _number(SimpleNamespace(norm_ratio=ratio)) == words


def test_of_a_mystery_it_is_said_where_and_not_what():
    shown = own(bug=MISSING, bug_layer=1)
    riddle = replace(shown, settings=shown.settings.replace(bug="mystery"))
    assert conclusion(riddle, signal_of(shown)) == (
        "The signal is wrong at z1; the first right one above it is at a1.")  # fmt: skip


def concluded(bug="none", wrong=(), step="a step", between=(), **verdicts):
    """Return what is said of cuts with these verdicts, from the input up."""
    cuts = {
        name: SimpleNamespace(verdict=verdict, why="it is so") for name, verdict in verdicts.items()
    }
    found = SimpleNamespace(why="It was found.", step=step, between=between, cuts=cuts)
    result = SimpleNamespace(
        settings=SimpleNamespace(bug=bug), report=SimpleNamespace(wrong=list(wrong))
    )
    return conclusion(result, SimpleNamespace(found=found, cuts=cuts, steps={}))


def test_of_a_mystery_below_what_could_not_be_judged_that_is_said():
    between = {"between": ("input", "a1"), "input": "wrong"}
    assert concluded("mystery", **between, a1="inconclusive") == (
        "The signal is wrong at input; what lies above could not be judged."
    )
    assert concluded("mystery", **between, a1="correct") == (
        "The signal is wrong at input; the first right one above it is at a1."
    )
    assert concluded("mystery", between=("output",), output="wrong") == "It was found."
    assert concluded("bias_mean", **between, a1="correct") == "It was found."


def test_where_no_cut_is_judged_the_inputs_reason_is_told():
    told = concluded(step=None, input="inconclusive", z1="inconclusive")
    assert told == "No cut can be judged at this step. At the input: it is so."
    assert concluded(step=None, input="inconclusive", z1="correct") == "It was found."


@pytest.mark.parametrize(
    ("wrong", "of"),
    [(["b1"], "b1"), (["b1", "b2", "b3"], "b1, b2, b3"), (["b1", "b2", "b3", "b4"], "4 tensors")],
)
def test_what_is_wrong_beside_a_right_signal_comes_after_it(wrong, of):
    told = concluded(step=None, wrong=wrong, input="correct")
    assert told == (
        f"It was found. What is wrong in {of} comes after it: a formula of its own, a sum, a "
        "factor or L2."
    )
    assert concluded(step=None, input="correct") == "It was found."
    assert concluded(wrong=wrong, input="correct") == "It was found."


@pytest.mark.parametrize(("steps", "first"), [(1, "h4"), (2, "c4"), (3, "x4"), (6, "x3"), (0, "")])
def test_the_first_time_step_that_is_wrong_is_the_last_in_time(steps, first):
    """The walk goes back from the last step: h, c and x of each."""
    walk = [f"{part}{t}" for t in (4, 3, 2, 1) for part in "hcx"]

    def said(verdicts, between=()):
        made = {name: SimpleNamespace(verdict=verdict) for name, verdict in verdicts.items()}
        return _about_steps(SimpleNamespace(steps=made, found=SimpleNamespace(between=between)))

    right = dict.fromkeys(walk, "correct")
    assert said(right, ("hidden", "output")) == "", "the damage is done above all of them"
    assert said(right, ("input", "hidden")) == said(right)
    if not steps:
        assert said(right) == " Every time step's signal is right."
        unsure = right | {"c2": "inconclusive", "x1": "inconclusive"}
        assert said(unsure) == " No time step is wrong, but 2 of 12 could not be judged."
        return
    wrong = right | dict.fromkeys(walk[steps - 1 :], "wrong")
    assert said(wrong) == f" From the last time step back, {first} is the first that is wrong."
    if steps > 1:
        unsure = wrong | {"h4": "inconclusive"}
        assert said(unsure).endswith("is the first that is wrong; 1 before it could not be judged.")


def test_thirteen_cuts_have_room_in_one_column():
    x, y = gl.data.moons(6)
    net = gl.mlp([2, *[2] * 5, 2], loss="mse", output_activation="sigmoid")
    places = heights(given(net, x, np.eye(2)[y]))
    assert len(places) == 13
    assert len({at for at, _ in places.values()}) == 1


def test_few_cuts_do_not_fill_the_height_and_many_end_above_what_is_told():
    few = [y for _, y in heights(own(hidden=())).values()]
    assert few[0] - few[1] == pytest.approx(2.6), "no further apart than the eye connects"
    for hidden in ((4,), (4,) * 5, (4,) * 8):
        result = own(hidden=hidden)
        told = of_kind(PANEL.moving(result), "words")[-1]
        loss = of_kind(PANEL.still(result).marks, "words")[-1]
        assert told["y"][0] < loss["y"][0] - 0.5
        assert loss["y"][0] - told["y"][0] < 8 or len(hidden) < 5
        assert 0.8 <= PANEL.still(result).y.high / 21 <= 0.9, "of a panel's height, below a title"


def test_the_time_steps_fill_the_width_evenly_beside_their_names():
    result = small_lstm(6)
    chart = PANEL.still(result)
    head, named, parts = of_kind(chart.marks, "words")[2:]
    step = named["x"][1] - named["x"][0]
    np.testing.assert_allclose(np.diff(named["x"]), step)
    assert 3.5 < named["x"][0] - step / 2 - parts["x"][0] < 5
    assert 0.3 < chart.x.high - (named["x"][-1] + step / 2) < 1
    rows = -np.diff(parts["y"])
    np.testing.assert_allclose(rows, rows[0])
    assert 1.4 < rows[0] < 2.0, "a sign and a number below it"
    assert 1.0 < named["y"][0] - parts["y"][0] < 1.6
    assert head["y"] == named["y"][0]
    assert head["x"] == parts["x"][0]

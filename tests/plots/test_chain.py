"""A network drawn as the chain of its layers: the slide's convnet, and an LSTM."""

from types import SimpleNamespace

import pytest

import gradlab as gl
from gradlab.plots import MARKS, chain_chart, chain_places, stages

NETS = {
    "convnet": gl.convnet((1, 8, 8), filters=(2, 3), padding=(1, 1), classes=6),
    "lstm": gl.lstm(3, 4, 6),
}
#: Input → Conv1 → Pool1 → Conv2 → Pool2 → ReLU → Output, as on the slide; an LSTM's gates.
LABELS = {
    "convnet": ["input", "conv1", "pool1", "conv2", "pool2", "relu", "output"],
    "lstm": ["input", "gate i", "gate f", "gate g", "gate o", "output"],
}


def chain(kind):
    return stages(tuple(NETS[kind].params), NETS[kind].layers)


def drawing(kind, wrong=()):
    """Draw the chain, the tensors in `wrong` wrong and the others correct."""
    verdicts = {name: "wrong" if name in wrong else "correct" for name in NETS[kind].params}
    return chain_chart(chain(kind), verdicts)


def of_kind(chart, kind):
    return [mark for mark in chart.marks if mark["kind"] == kind]


def told(chart):
    """Return the words and their colours, in the order of the stages."""
    return [(mark["texts"][0], mark["colours"][0]) for mark in of_kind(chart, "words")]


@pytest.mark.parametrize("kind", NETS)
def test_the_stages_are_named_from_the_input_on(kind):
    assert [text for text, _ in told(drawing(kind)) if text in LABELS[kind]] == LABELS[kind]


@pytest.mark.parametrize("kind", NETS)
def test_every_tensor_stands_at_its_stage_with_its_mark(kind):
    stage, found = "", {}
    for text, _ in told(drawing(kind)):
        if text in LABELS[kind]:
            stage = text
        else:
            found.setdefault(stage, set()).add(text)
    sign = MARKS["correct"]
    if kind == "lstm":
        gates = {f"gate {q}": {f"Wx{sign}", f"Wh{sign}", f"b{sign}"} for q in "ifgo"}
        assert found == gates | {"output": {f"W{sign}", f"b{sign}"}}
    else:
        own = {f"W{sign}", f"b{sign}"}
        assert found == {"conv1": own, "conv2": own, "output": own}


@pytest.mark.parametrize("kind", NETS)
def test_the_input_is_at_the_top_and_no_two_tensors_share_a_place(kind):
    places = chain_places(chain(kind))
    assert set(places) == set(NETS[kind].params)
    heights = [places[name][1] for name in NETS[kind].params]
    assert heights == sorted(heights, reverse=True)
    assert len(set(places.values())) == len(places)


@pytest.mark.parametrize("kind", NETS)
def test_a_tensors_place_is_within_its_word(kind):
    """A word ends where its mark is: its middle is left of that, and on the same height."""
    words = {text: mark for mark in of_kind(drawing(kind), "words") for text in mark["texts"]}
    ends = [mark for text, mark in words.items() if text not in LABELS[kind]]
    assert ends
    places = list(chain_places(chain(kind)).values())
    for mark in ends:
        (end,), (height,) = mark["x"], mark["y"]
        assert any(abs(y - height) < 1e-9 and 0 < end - x < 0.1 for x, y in places)


def test_a_verdict_shows_in_colour_line_and_mark_of_its_stage_alone():
    chart = drawing("convnet", wrong=("conv1_W",))
    boxes = dict(zip(LABELS["convnet"], of_kind(chart, "boxes"), strict=True))
    assert [label for label, box in boxes.items() if box["edge"] == "wrong"] == ["conv1"]
    assert boxes["conv1"]["dash"] != boxes["conv2"]["dash"]
    assert told(chart).count((f"W{MARKS['wrong']}", "wrong")) == 1
    assert told(chart).count((f"W{MARKS['correct']}", "correct")) == 2


def test_the_chosen_tensor_is_pointed_at():
    verdicts = dict.fromkeys(NETS["lstm"].params, "correct")
    chart = chain_chart(chain("lstm"), verdicts, chosen="Wh_g")
    assert [text for text, _ in told(chart) if text.startswith("▸")] == ["▸Wh✓"]


class Gated:
    """A layer without a name, whose tensors are a gate's by their last letter."""

    def __init__(self, *names):
        self.name, self.param_names = "", names


def test_three_tensors_share_a_stage_and_of_more_each_gate_has_its_own():
    names = "Wx_i", "Wh_i", "b_i", "Wx_o"
    three, four = (stages(names, [Gated(*names[:count])]) for count in (3, 4))
    assert three == [("input", ()), ("gated", names[:3])]
    assert four == [("input", ()), ("gate i", names[:3]), ("gate o", names[3:])]


def test_a_stage_has_its_layers_name_and_only_the_tensors_asked_for():
    layer = SimpleNamespace(name="conv1", param_names=("conv1_W", "conv1_b"))
    assert stages(["conv1_b"], [layer]) == [("input", ()), ("conv1", ("conv1_b",))]


@pytest.mark.parametrize(
    ("others", "box"),
    [
        (["correct", "correct"], "correct"),
        (["correct", "inconclusive"], "inconclusive"),
        (["wrong", "inconclusive"], "wrong"),
    ],
)
def test_a_box_takes_the_worst_of_its_tensors_verdicts(others, box):
    verdicts = dict(zip(["W1", "b1"], others, strict=True))
    empty, full = of_kind(chain_chart([("input", ()), ("layer", ("W1", "b1"))], verdicts), "boxes")
    assert (empty["edge"], full["edge"]) == ("faint", box)

"""A network drawn as the chain of its layers: the slide's convnet, and an LSTM."""

import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import gradlab as gl
from gradlab.plots import LIGHT, MARKS, ChainDrawing, stages

NETS = {
    "convnet": gl.convnet((1, 8, 8), filters=(2, 3), padding=(1, 1), classes=6),
    "lstm": gl.lstm(3, 4, 6),
}
#: Input → Conv1 → Pool1 → Conv2 → Pool2 → ReLU → Output, as on the slide; an LSTM's gates.
LABELS = {
    "convnet": ["input", "conv1", "pool1", "conv2", "pool2", "relu", "output"],
    "lstm": ["input", "gate i", "gate f", "gate g", "gate o", "output"],
}


def drawing(kind, wrong=()):
    """Draw the chain, the tensors in `wrong` wrong and the others correct."""
    net = NETS[kind]
    chain = ChainDrawing(Figure().add_subplot(), stages(tuple(net.params), net.layers))
    verdicts = {name: "wrong" if name in wrong else "correct" for name in net.params}
    chain.set_verdicts(verdicts)
    return chain


def words(chain):
    return [text.get_text() for text in chain._boxes[0].axes.texts]


@pytest.mark.parametrize("kind", NETS)
def test_the_stages_are_named_from_the_input_on(kind):
    found = [text for text in words(drawing(kind)) if text in LABELS[kind]]
    assert found == LABELS[kind]


@pytest.mark.parametrize("kind", NETS)
def test_every_tensor_stands_at_a_stage_with_its_mark(kind):
    net, chain = NETS[kind], drawing(kind)
    told = "  ".join(words(chain)).split("  ")
    assert {f"{name}{MARKS['correct']}" for name in net.params} <= set(told)
    assert set(chain.heights) == set(net.params)
    heights = [chain.heights[name] for name in net.params]
    assert heights[0] > heights[-1], "the input is at the top"


def test_a_verdict_shows_in_colour_line_and_mark_of_its_stage_alone():
    chain = drawing("convnet", wrong=("conv1_W", "conv1_b"))
    wrong = to_rgb(LIGHT.verdicts["wrong"])
    coloured = [to_rgb(box.get_edgecolor()) == wrong for box in chain._boxes]
    assert coloured == [label == "conv1" for label in LABELS["convnet"]]
    conv1, conv2 = chain._boxes[1], chain._boxes[3]
    assert conv1.get_linestyle() != conv2.get_linestyle()
    assert f"conv1_W{MARKS['wrong']}" in "  ".join(words(chain))
    assert f"conv2_W{MARKS['correct']}" in "  ".join(words(chain))

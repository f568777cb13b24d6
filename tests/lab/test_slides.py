"""What the page sends while a handle is dragged, by the board's own messages."""

import asyncio

import pytest

from gradlab.lab import Lab
from tests.lab.front_end import until


@pytest.fixture
def lab(front_end):
    lab = Lab(hidden=(4,), eps=1e-5)
    front_end.clear()
    return lab


def slide(front_end, lab, to, name="eps"):
    front_end.send(lab.board, {"slide": name, "to": to})


def sent(front_end):
    return [
        (where, data["state"])
        for where, kind, data, _ in front_end.messages
        if kind == "comm_msg" and data["method"] != "custom"
    ]


@pytest.mark.parametrize("name", ["eps", "weight_scale", "l2"])
def test_a_slide_sets_the_value_and_leaves_the_handle_alone(front_end, name):
    lab = Lab(hidden=(4,), use_l2=True)
    slide(front_end, lab, -2.0, name)  # after which there is something to undo
    front_end.clear()
    slide(front_end, lab, -3.1, name)
    assert getattr(lab.state, name) == pytest.approx(10**-3.1, rel=1e-11)
    assert {where for where, _ in sent(front_end)} == {lab.board.model_id}
    assert lab.state.result.settings == lab.state.settings


def test_a_slide_is_one_message_without_the_words_that_nobody_reads_yet(lab, front_end):
    async def drag():
        slide(front_end, lab, -7)
        front_end.clear()
        slide(front_end, lab, -8)

    asyncio.run(drag())
    ((where, state),) = sent(front_end)
    assert where == lab.board.model_id
    verdicts = {"chart_tensors", "chart_network"}
    assert state.keys() == {"banner", "ink"} | (state.keys() & verdicts)
    assert "1.0e-08" in state["banner"]


def test_the_words_come_when_the_handle_rests(lab, front_end):
    async def drag():
        slide(front_end, lab, -8)
        before = lab.board.told
        await until(lambda: lab.board.ink["sharp"])
        return before

    before = asyncio.run(drag())
    fresh = Lab(hidden=(4,), eps=1e-8)
    assert lab.board.ink["sharp"]
    assert lab.board.told["alt"] == fresh.board.told["alt"] != before["alt"]
    assert lab.board.told["said"] == fresh.board.told["said"]


def test_letting_go_computes_nothing_anew(lab, front_end):
    slide(front_end, lab, -8)
    computed = lab.state.computed
    front_end.move(lab.controls["eps"], 10**-8.0)
    assert lab.state.computed == computed
    assert lab.controls["eps"].value == lab.state.eps


def test_reset_brings_the_handle_back_also_after_a_slide(lab, front_end):
    slide(front_end, lab, -8)
    front_end.move(lab.controls["eps"], 1e-8)
    front_end.press(lab.reset_button)
    assert lab.state.eps == lab.controls["eps"].value == 1e-5


@pytest.mark.parametrize(
    "content",
    [
        {"slide": "eps", "to": float("nan")},
        {"slide": "eps", "to": 3},
        {"slide": "eps", "to": -99},
        {"slide": "eps", "to": "-3"},
        {"slide": "eps"},
        {"slide": ["eps"], "to": -3},
        {"slide": "hidden", "to": -3},
        {"slide": "no such", "to": -3},
        {"slide": None, "to": -3},
    ],
)
def test_what_is_no_slide_changes_nothing(lab, front_end, content):
    computed, before = lab.state.computed, lab.state.settings
    front_end.send(lab.board, content)
    assert lab.state.settings == before
    assert lab.state.computed == computed
    assert sent(front_end) == []


def test_a_failure_is_told_with_the_controls_name(lab, front_end, monkeypatch):
    def planted(*args, **kwargs):
        raise ZeroDivisionError("planted")

    with monkeypatch.context() as patched:
        patched.setattr("gradlab.lab.state.compute", planted)
        slide(front_end, lab, -8)
    assert "step eps: planted" in lab.board.banner
    slide(front_end, lab, -7)
    assert lab.state.error == ""
    assert "1.0e-07" in lab.board.banner

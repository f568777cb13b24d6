"""What a drag leaves out, and that it comes at rest: so that every event is answered soon."""

import asyncio

import numpy as np
import pytest

from gradlab.lab import Lab
from gradlab.lab.board.panels import NAMES
from gradlab.lab.board.scene import Scene
from gradlab.lab.model import remedy
from gradlab.lab.model.settings import Settings
from gradlab.lab.state import LabState
from gradlab.lab.text.banner import banner_html
from tests.lab.front_end import until

DEAR = {"boundary", "training", "seeds"}
IN_TURN = {"cuts", "loss_along", "measures", "units"}


def slide(front_end, lab, name, to):
    front_end.send(lab.board, {"slide": name, "to": to})


def see(front_end, lab, *names, page="a"):
    front_end.send(lab.board, {"page": page, "in_view": list(names)})


def run(lab, action, *, rest=False):
    """Do something where there is an event loop, as in a notebook; wait for its rest."""

    async def both():
        action()
        if rest:
            await until(lambda: lab.board.ink["sharp"])

    asyncio.run(both())


def test_a_drag_sends_what_is_in_view_and_rest_sends_all(front_end):
    lab = Lab(hidden=(4,), panels=NAMES)
    see(front_end, lab, "u_curve", "cuts")
    run(lab, lambda: slide(front_end, lab, "eps", -7.0))
    assert set(lab.board.ink["marks"]) == {"u_curve", "cuts"}
    run(lab, lambda: slide(front_end, lab, "eps", -8.0), rest=True)
    assert set(lab.board.ink["marks"]) == set(NAMES)


def test_what_any_page_has_in_view_counts(front_end):
    lab = Lab(hidden=(4,), panels=NAMES)
    assert lab.board.in_view is None
    see(front_end, lab, "u_curve")
    see(front_end, lab, "tensors", page="b")
    assert lab.board.in_view == {"u_curve", "tensors"}
    see(front_end, lab, page="b")
    assert lab.board.in_view == {"u_curve"}


def test_without_a_page_that_tells_its_view_all_is_sent(front_end):
    lab = Lab(hidden=(4,), panels=NAMES)
    run(lab, lambda: slide(front_end, lab, "eps", -7.0))
    assert set(lab.board.ink["marks"]) | IN_TURN == set(NAMES) - DEAR


def test_what_is_not_quite_cheap_takes_turns_in_a_drag_and_is_all_there_at_rest(front_end):
    lab, shown = Lab(hidden=(4,), panels=NAMES), []
    for to in (-5.5, -6.0, -6.5, -7.0, -7.5, -8.0, -8.5, -9.0):
        run(lab, lambda to=to: slide(front_end, lab, "eps", to))
        shown.append(set(lab.board.ink["marks"]) & IN_TURN)
    assert [len(names) for names in shown] == [1] * 8
    assert set().union(*shown[:4]) == set().union(*shown[4:]) == IN_TURN
    run(lab, lambda: slide(front_end, lab, "eps", -9.5), rest=True)
    assert set(lab.board.ink["marks"]) == set(NAMES)


def test_whose_turn_it_is_counts_those_in_view_alone(front_end):
    lab = Lab(hidden=(4,), panels=NAMES)
    see(front_end, lab, "tensors", "measures")
    for to in (-6.0, -7.0, -8.0):
        run(lab, lambda to=to: slide(front_end, lab, "eps", to))
        assert set(lab.board.ink["marks"]) == {"tensors", "measures"}


@pytest.mark.parametrize("content", [None, 3, "u_curve", {"a": 1}])
def test_a_view_that_is_none_is_empty(front_end, content):
    lab = Lab(hidden=(4,))
    front_end.send(lab.board, {"page": "a", "in_view": content})
    assert lab.board.in_view == frozenset()


def test_at_rest_dear_panels_come_one_after_the_other():
    result = LabState(hidden=(4,)).result
    scene, shown = Scene(NAMES), []
    for _ in DEAR:
        frame = scene.frame(result, patience=0.0)
        shown.append(set(frame.ink["marks"]) & DEAR)
    assert [len(names) for names in shown] == [1, 2, 3]
    assert frame.is_last
    assert set(frame.charts) <= DEAR
    assert frame.told is not None


def test_a_hand_that_moves_again_does_not_wait_for_all_of_them(front_end, monkeypatch):
    monkeypatch.setattr("gradlab.lab.lab._PATIENCE", 0.0)
    monkeypatch.setattr("gradlab.lab.lab._A_MOMENT", 600.0)
    lab = Lab(hidden=(4,), panels=NAMES)
    slide(front_end, lab, "weight_scale", 0.5)

    async def rest_and_move():
        lab._on_rest()
        assert not lab.board.ink["sharp"]
        slide(front_end, lab, "eps", -7.0)  # is answered now
        assert "1.0e-07" in lab.board.banner

    asyncio.run(rest_and_move())


def dragged(**settings):
    """Return a state whose weight scale is dragged to where it is."""
    state = LabState(**settings | {"weight_scale": 1.0})
    state.hold("weight_scale")
    state.weight_scale = settings["weight_scale"]
    return state


def test_a_held_handle_looks_for_no_advice(monkeypatch):
    state = dragged(eps=1e-13, weight_scale=0.7)
    with monkeypatch.context() as patched:
        patched.setattr(remedy, "check_at", None)  # would fail
        words = banner_html(state.result, "", state.settings)
    assert "Move eps" not in words
    assert "inconclusive" in words
    state.refine()
    assert "Move eps" in banner_html(state.result, "", state.settings)


def test_advice_that_is_known_stays_in_a_drag():
    state = LabState(eps=1e-12)
    assert "Move eps" in banner_html(state.result, "", state.settings)
    state.hold("eps")
    state.eps = 1e-13
    assert state.result.held
    assert "Move eps" in banner_html(state.result, "", state.settings)


def test_a_held_handle_says_that_blind_spots_are_still_looked_for():
    state = dragged(weight_scale=0.1)
    words = banner_html(state.result, "", state.settings)
    assert "correct" in words
    assert "blind spots are looked for at rest" in words
    state.refine()
    at_rest = banner_html(state.result, "", state.settings)
    assert "looked for at rest" not in at_rest


def test_what_was_held_is_at_rest_as_if_it_had_been_set_at_once():
    state = dragged(weight_scale=0.3)
    state.refine()
    other = LabState(weight_scale=0.3)
    assert state.result.held is other.result.held is False
    assert repr(state) == repr(other)
    for name, errors in other.result.sweep.errors.items():
        np.testing.assert_array_equal(state.result.sweep.errors[name], errors)


def test_nothing_is_held_after_a_change_from_code():
    state = dragged(weight_scale=0.3)
    state.eps = 1e-7
    assert not state.result.held
    assert state.settings == Settings(weight_scale=0.3, eps=1e-7)

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
ALWAYS = {"u_curve", "tensors", "network"}  # the first three
IN_TURN = set(NAMES) - DEAR - ALWAYS


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


def in_a_drag(front_end, lab, events):
    """Return the panels that each of so many events of a drag brings."""
    shown = []
    for to in np.linspace(-5.5, -9.5, events):
        run(lab, lambda to=to: slide(front_end, lab, "eps", float(to)))
        shown.append(set(lab.board.ink["marks"]))
    return shown


def test_of_many_panels_the_first_are_in_every_frame_and_each_other_in_every_third(front_end):
    lab = Lab(hidden=(4,), panels=NAMES)  # and no page tells its view
    shown = in_a_drag(front_end, lab, 9)
    assert all(names >= ALWAYS and not names & DEAR for names in shown)
    for name in IN_TURN:
        came = [k for k, names in enumerate(shown) if name in names]
        assert len(came) == 3
        assert np.diff(came).tolist() == [3, 3]
    run(lab, lambda: slide(front_end, lab, "eps", -10.0), rest=True)
    assert set(lab.board.ink["marks"]) == set(NAMES)


def test_a_fourth_panel_is_in_every_frame_and_two_more_have_one_each(front_end):
    lab = Lab(hidden=(4,), panels=["measures", "u_curve", "cuts", "tensors"])
    assert in_a_drag(front_end, lab, 2) == [{"measures", "u_curve", "cuts", "tensors"}] * 2
    lab = Lab(hidden=(4,), panels=["measures", "u_curve", "cuts", "tensors", "network"])
    first, second = in_a_drag(front_end, lab, 2)
    assert first & second == {"measures", "u_curve", "cuts"}
    assert first ^ second == {"tensors", "network"}


def test_whose_turn_it_is_counts_those_in_view_alone(front_end):
    lab = Lab(hidden=(4,), panels=NAMES)
    see(front_end, lab, "tensors", "measures", "heatmap", "units")
    shown = in_a_drag(front_end, lab, 3)
    assert shown == [{"tensors", "measures", "heatmap", "units"}] * 3


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

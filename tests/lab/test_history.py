import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import LabState, Settings
from gradlab.lab.model.history import MOST, History, Moment
from gradlab.lab.model.settings import NAMES
from tests.lab.test_state import CHANGES


def moment(**changes):
    return Moment(Settings(**changes))


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def state(clock):
    state = LabState(hidden=(3,))
    state._clock = clock
    return state


def apart(state):
    state._clock.now += 1.0


# -- the list ------------------------------------------------------------------------------------


def test_a_step_back_and_forth():
    history = History(moment())
    assert not history.can_undo
    assert history.undo() is history.redo() is None
    history.record(moment(eps=1e-3), ["eps"], 1.0)
    history.record(moment(eps=1e-3, seed=1), ["seed"], 2.0)
    assert history.undo() == moment(eps=1e-3)
    assert history.undo() == moment()
    assert not history.can_undo
    assert history.redo() == moment(eps=1e-3)
    assert history.can_redo
    history.record(moment(eps=1e-3, seed=2), ["seed"], 3.0)
    assert not history.can_redo
    assert history.undo() == moment(eps=1e-3)


def drag(history, seconds, *, names=("eps",), held=False):
    for k, now in enumerate(seconds):
        eps = 10.0 ** (-3 - 0.01 * k - 0.001 * np.sum(seconds))
        history.record(moment(eps=eps), names, now, held=held)


def steps(history):
    count = 0
    while history.undo():
        count += 1
    return count


@pytest.mark.parametrize(
    ("seconds", "held", "count"),
    [
        ([1.0, 1.5, 2.0, 2.5], False, 1),
        ([1.0, 1.7, 2.4], False, 3),
        ([1.0, 5.0, 9.0], True, 1),
        ([1.0, 1.5, 2.2, 2.5], False, 2),
    ],
)
def test_a_drag_is_one_step(seconds, held, count):
    history = History(moment())
    drag(history, seconds, held=held)
    assert steps(history) == count


@pytest.mark.parametrize("held", [(False, True), (True, False)])
def test_a_handle_that_is_taken_or_let_go_in_between_makes_a_step_of_its_own(held):
    history = History(moment())
    for k, holds in enumerate(held):
        drag(history, [1.0 + 9.0 * k], held=holds)
    assert steps(history) == 2


def test_another_setting_or_several_at_once_are_no_drag():
    history = History(moment())
    history.record(moment(eps=1e-3), ["eps"], 1.0)
    history.record(moment(eps=1e-3, seed=1), ["seed"], 1.1)
    history.record(moment(eps=1e-4, seed=2), ["eps", "seed"], 1.2)
    history.record(moment(eps=1e-5, seed=3), ["eps", "seed"], 1.3)
    assert steps(history) == 4


def test_after_undo_and_after_a_release_a_drag_is_a_new_one():
    history = History(moment())
    drag(history, [1.0, 1.1])
    history.release()
    drag(history, [1.2, 1.3])
    assert steps(history) == 2
    drag(history, [1.4])
    assert steps(history) == 1


def test_only_so_many_steps_are_kept():
    history = History(moment())
    for seed in range(1, 3 * MOST):
        history.record(moment(seed=seed), ["seed"], 10.0 * seed)
    assert steps(history) == MOST
    assert history.now == moment(seed=3 * MOST - 1 - MOST)


def test_what_changes_nothing_is_no_step():
    history = History(moment())
    history.record(moment(), ["eps"], 1.0)
    assert not history.can_undo


# -- the state -----------------------------------------------------------------------------------


def same(one, other):
    return one.settings == other.settings and all(
        one.analytic[name].tobytes() == other.analytic[name].tobytes() for name in other.analytic
    )


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_of_a_setting_can_be_undone_and_redone(state, name):
    before = state.result
    setattr(state, name, CHANGES[name])
    after = state.result
    assert (state.can_undo, state.can_redo) == (True, False)
    assert state.undo()
    assert same(state.result, before)
    assert (state.can_undo, state.can_redo) == (False, True)
    assert state.redo()
    assert same(state.result, after)
    assert not state.redo()


def test_reset_scenarios_lines_and_updates_can_be_undone(state):
    seen = [state.settings]
    for change in (
        lambda: state.update(eps=1e-3, seed=4),
        lambda: state.load_scenario("kinks"),
        lambda: state.load_line("gl.Lab(hidden=(2,), eps=1e-7)"),
        state.reset,
    ):
        change()
        seen.append(state.settings)
    for expected in seen[-2::-1]:
        assert state.undo()
        assert state.settings == state.result.settings == expected
    assert not state.undo()
    for expected in seen[1:]:
        assert state.redo()
        assert state.settings == state.result.settings == expected


def test_a_drag_in_the_state_is_one_step(state):
    for k in range(5):
        state._clock.now += 0.3
        state.eps = 10.0 ** (-k - 3)
    apart(state)
    state.eps = 1e-9
    assert state.undo()
    assert state.eps == 1e-7
    assert state.undo()
    assert state.eps == 1e-5
    assert not state.can_undo


def test_a_handle_that_is_held_makes_one_step_however_slowly_it_is_moved(state):
    state.hold("eps")
    for k in range(3):
        apart(state)
        state.eps = 10.0 ** (-k - 3)
    state.release()
    state.eps = 1e-9
    assert state.undo()
    assert state.eps == 1e-5
    assert state.undo()
    assert not state.can_undo


def test_a_change_that_gave_an_error_can_be_undone(state):
    state.bug = "relu_masks_by_gradient"
    assert state.error
    assert state.undo()
    assert (state.error, state.bug) == ("", "none")
    assert state.redo()
    assert state.error


def test_what_was_refused_is_no_step(state):
    with pytest.raises(ValueError, match="eps must"):
        state.eps = 5.0
    for line in ("", "gl.Lab(", "gl.Lab(eps=7)", "gl.Lab(time_steps=3)"):
        with pytest.raises(ValueError, match=r"must|is fixed"):
            state.load_line(line)
    assert not state.can_undo
    assert state.error == ""


def test_an_error_that_changed_nothing_can_be_forgotten(state):
    state.fail((), ValueError("line must be a line"))
    revision = state.revision
    state.recover()
    assert (state.error, state.revision) == ("", revision + 1)
    state.recover()
    assert state.revision == revision + 1, "there was nothing to forget"
    state.bug = "relu_masks_by_gradient"
    state.recover()
    assert state.error, "the settings are still those that cannot be computed"


def test_refining_and_what_gives_way_are_no_steps(state):
    state.update(hidden=(16, 16), tensor="W3")
    apart(state)
    state.refine()
    state.hidden = (4,)
    assert state.tensor == ""
    assert state.undo()
    assert (state.hidden, state.tensor) == ((16, 16), "W3")
    assert state.undo()
    assert not state.can_undo


def test_any_walk_back_and_forth_ends_where_it_was(clock):
    rng = np.random.default_rng(0)
    state = LabState(hidden=(3,))
    state._clock = clock
    seen, at = [state.settings], 0
    for _ in range(120):
        apart(state)
        kind = rng.integers(4)
        if kind == 0:
            assert state.undo() == (at > 0)
            at = max(0, at - 1)
        elif kind == 1:
            assert state.redo() == (at < len(seen) - 1)
            at = min(len(seen) - 1, at + 1)
        else:
            name = str(rng.choice([n for n in CHANGES if n not in ("data", "method")]))
            now = getattr(state, name)
            value = CHANGES[name] if now != CHANGES[name] else getattr(state.start, name)
            setattr(state, name, value)
            at += 1
            seen[at:] = [state.settings]
        assert state.settings == seen[at]
        assert (state.can_undo, state.can_redo) == (at > 0, at < len(seen) - 1)
    fresh = LabState(**{name: getattr(state, name) for name in NAMES if name != "time_steps"})
    assert fresh.error == state.error
    if not state.error:
        assert same(fresh.result, state.result)


def test_a_network_of_the_callers_and_a_function_are_undone_too():
    x, y = gl.data.moons(12)
    given = LabState(gl.mlp([2, 3, 2]), x, y)
    function = LabState(lambda t: float(t @ t), lambda t: 2 * t, np.ones(3))
    for state in (given, function):
        start = state.settings
        state.eps = 1e-3
        assert state.undo()
        assert state.settings == state.result.settings == start


# -- the mystery ---------------------------------------------------------------------------------


def test_a_round_that_was_left_is_played_on_with_what_it_cost(state):
    state.bug = "mystery"
    round_one = state.mystery
    round_one.hint()
    apart(state)
    state.hidden = (4,)  # another network: another round
    assert state.mystery is not round_one
    assert state.undo()
    assert state.mystery is round_one
    assert (round_one.hints, round_one.worth) == (1, 2)
    assert str(state.score) == "0 points, 0 of 1 solved"


def test_undo_tells_nothing_of_a_mystery_and_takes_no_points(state):
    state.bug = "mystery"
    secret = state.mystery.secret
    state.score.points = 3
    assert state.undo()
    assert (state.bug, state.mystery) == ("none", None)
    assert state.score.points == 3
    assert state.redo()
    assert state.mystery.secret is secret
    told = repr(state) + repr(state.result.report)
    for slip in secret.slips:
        assert slip.wrong not in told


def test_a_solved_round_gives_its_points_once(state):
    state.bug = "mystery"
    played = state.mystery
    tensor = played._hidden.wrong
    for line in played._edited:
        for name in tensor:
            if played.guess(name, line).solved:
                break
    points = state.score.points
    assert played.solved
    state.undo()
    state.redo()
    assert state.mystery is played
    for line in played._edited:
        played.guess(tensor[0], line)
    assert state.score.points == points


def test_reset_out_of_a_mystery_in_another_network_is_no_error(state):
    state.update(bug="mystery", hidden=(5, 5))
    assert state.mystery
    state.reset()
    assert (state.error, state.mystery) == ("", None)
    assert state.undo()
    assert (state.error, state.bug, state.hidden) == ("", "mystery", (5, 5))

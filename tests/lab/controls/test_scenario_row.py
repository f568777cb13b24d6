"""The row of scenarios: a ring to step through, and a sentence that stays while controls move."""

import pytest

from gradlab.lab import SCENARIOS, Lab, Settings

NAMES = list(SCENARIOS)


@pytest.fixture
def lab(front_end):
    return Lab(hidden=(4,))


def told(lab):
    return lab.scenarios.lesson.value


def test_stepping_goes_through_all_of_them_in_a_ring(front_end):
    lab, seen = Lab(), []
    for _ in range(3):
        front_end.press(lab.scenarios.after)
        seen.append(lab.scenarios.choice.value)
        assert lab.state.settings == SCENARIOS[seen[-1]].full()
        assert SCENARIOS[seen[-1]].lesson[:20] in told(lab)
    assert seen == NAMES[:3]
    for _ in range(3):
        front_end.press(lab.scenarios.before)
    assert lab.scenarios.choice.value == NAMES[-1]
    front_end.press(lab.scenarios.after)
    assert lab.scenarios.choice.value == NAMES[0]


def test_before_the_first_choice_the_ring_has_two_ends(front_end):
    lab = Lab()
    front_end.press(lab.scenarios.before)
    assert lab.scenarios.choice.value == NAMES[-1]
    other = Lab()
    front_end.press(other.scenarios.again)  # off; and there is nothing to bring back
    assert other.state.settings == Settings()
    assert other.scenarios.again.disabled


def test_nothing_chosen_says_nothing_and_changes_nothing(front_end):
    lab = Lab(scenario="kinks")
    computed = lab.state.computed
    front_end.choose(lab.scenarios.choice, 0)
    assert lab.state.computed == computed
    assert SCENARIOS["kinks"].lesson[:20] not in told(lab)


def test_phenomena_come_first_and_bugs_after(lab):
    titles = [title for title, _ in lab.scenarios.choice.options[1:]]
    bugs = [title.startswith("Bug: ") for title in titles]
    assert bugs == sorted(bugs)


def test_healthy_stays_when_it_is_chosen(front_end):
    lab = Lab()
    assert lab.scenarios.choice.value == "", "the plain lab: nobody has chosen"
    front_end.choose(lab.scenarios.choice, 1 + NAMES.index("healthy"))
    assert lab.scenarios.choice.value == "healthy"
    assert SCENARIOS["healthy"].lesson[:20] in told(lab)
    lab.state.refine()
    assert lab.scenarios.choice.value == "healthy"


def test_moving_a_control_keeps_title_and_sentence_and_says_changed(front_end):
    lab = Lab(scenario="kinks")
    assert lab.scenarios.choice.value == "kinks"
    assert "changed" not in told(lab)
    assert lab.scenarios.again.disabled
    front_end.move(lab.controls["eps"], 1e-7)
    assert lab.scenarios.choice.value == "kinks"
    assert "Kinks (changed)." in told(lab)
    assert SCENARIOS["kinks"].lesson[:20] in told(lab)
    front_end.press(lab.scenarios.again)
    assert lab.state.settings == SCENARIOS["kinks"].full()
    assert "changed" not in told(lab)


def test_moving_back_by_hand_is_the_scenario_again(front_end):
    lab = Lab(scenario="kinks")
    front_end.move(lab.controls["eps"], 1e-7)
    front_end.move(lab.controls["eps"], SCENARIOS["kinks"].value("eps"))
    assert "changed" not in told(lab)


def test_reset_ends_a_scenario_that_the_lab_did_not_start_with(lab, front_end):
    front_end.choose(lab.scenarios.choice, 1 + NAMES.index("kinks"))
    front_end.press(lab.reset_button)
    assert lab.scenarios.choice.value == ""
    assert SCENARIOS["kinks"].lesson not in told(lab)


def test_reset_goes_back_to_the_scenario_that_the_lab_started_with(front_end):
    lab = Lab(scenario="kinks")
    front_end.press(lab.scenarios.after)
    front_end.press(lab.reset_button)
    assert lab.scenarios.choice.value == "kinks"
    assert "changed" not in told(lab)


def test_it_follows_code(lab):
    lab.state.load_scenario("saturated_tanh")
    assert lab.scenarios.choice.value == "saturated_tanh"


def test_an_error_is_told_in_the_banner(lab, front_end, monkeypatch):
    def broken(name):
        raise ValueError("planted")

    monkeypatch.setattr(lab.state, "load_scenario", broken)
    front_end.press(lab.scenarios.after)
    assert "planted" in lab.board.banner


def test_a_network_that_was_given_has_no_scenarios(front_end):
    import gradlab as gl

    x, y = gl.data.moons(8)
    lab = Lab(gl.mlp([2, 3, 2]), x, y)
    assert lab.scenarios not in lab.children[-1].children

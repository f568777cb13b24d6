"""The lab for a class: its row of buttons, without a browser."""

from html import escape

import pytest
from ipywidgets.widgets.widget import _instances

from gradlab.lab import SCENARIOS
from gradlab.lab.demo import TEN_MINUTES, Demo


@pytest.fixture
def demo():
    demo = Demo()
    yield demo
    demo.close()


def buttons(demo):
    return {button.description: button for button in demo.row.children}


def pressed(demo):
    return [name for name, button in buttons(demo).items() if "mod-active" in button._dom_classes]


def test_it_opens_healthy_and_large(demo):
    assert pressed(demo) == ["Healthy"]
    assert demo.appearance.large.value
    assert demo.state.result.report.verdict == "correct"


@pytest.mark.parametrize("name", TEN_MINUTES)
def test_a_button_shows_its_scenario_and_says_what_there_is_to_see(demo, name):
    scenario = SCENARIOS[name]
    buttons(demo)[scenario.title].click()
    assert demo.state.settings == scenario.full()
    assert demo.state.result.report.verdict == scenario.verdict
    assert pressed(demo) == [scenario.title]
    assert escape(scenario.lesson) in demo.words.value


def test_a_button_that_is_down_brings_its_scenario_back(demo):
    button = buttons(demo)["Kinks"]
    button.click()
    demo.state.eps = 1e-6
    assert pressed(demo) == ["Kinks"]
    assert "(changed)" in demo.words.value
    button.click()
    assert demo.state.settings == SCENARIOS["kinks"].full()


def test_the_riddle_starts_from_right_code_and_makes_room_for_its_lines(demo):
    buttons(demo)["Kinks"].click()
    buttons(demo)["Mystery bug"].click()
    assert pressed(demo) == ["Mystery bug"]
    assert demo.state.mystery is not None
    assert demo.state.settings.activation == "tanh"
    assert "Right ReLU" not in demo.words.value
    assert demo.controls["bug"].layout.display == "none"
    buttons(demo)["Healthy"].click()
    assert pressed(demo) == ["Healthy"]
    assert demo.controls["bug"].layout.display is None
    assert demo.state.result.report.verdict == "correct"


def test_it_closes_whole():
    before = set(_instances)
    Demo().close()
    assert set(_instances) <= before


def test_only_its_row_stands_in_the_place_of_the_scenarios(demo):
    assert demo.children[:2] == (demo.row, demo.words)
    assert len(demo.children) == 4
    assert demo.scenarios.layout.display == "none"
    names = [SCENARIOS[name].title for name in TEN_MINUTES]
    assert [button.description for button in demo.row.children] == [*names, "Mystery bug"]
    for name in TEN_MINUTES:
        assert buttons(demo)[SCENARIOS[name].title].tooltip == SCENARIOS[name].lesson
    assert "which line can do that?" in buttons(demo)["Mystery bug"].tooltip
    assert {button.layout.width for button in demo.row.children} == {"auto"}


def test_while_the_riddle_is_asked_its_question_stands_there_alone(demo):
    others = [name for name in demo.controls if name not in ("bug", "bug_layer", "second_bug")]
    buttons(demo)["Mystery bug"].click()
    assert buttons(demo)["Mystery bug"].tooltip in demo.words.value
    assert "gradlab-riddle" in demo._dom_classes
    for name in ("bug", "bug_layer", "second_bug"):
        assert demo.controls[name].layout.display == "none"
    assert not any(demo.controls[name].layout.display == "none" for name in others)
    buttons(demo)["Kinks"].click()
    assert "gradlab-riddle" not in demo._dom_classes
    assert demo.words.value == demo.scenarios.lesson.value


def test_moved_from_code_the_button_of_what_is_set_is_down(demo):
    demo.state.eps = 1e-12
    assert pressed(demo) == ["Step too small"]
    demo.state.eps = 2e-12
    assert pressed(demo) in ([], ["Step too small"])


def test_a_riddle_that_fails_is_told(demo, monkeypatch):
    def broken(*args):
        raise ValueError("planted")

    monkeypatch.setattr(demo.state, "new_mystery", broken)
    buttons(demo)["Mystery bug"].click()
    assert demo.state.error == "planted"

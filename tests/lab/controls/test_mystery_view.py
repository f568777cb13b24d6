"""The mystery on the screen: hints stay, one click is one hint, and the score is in sight."""

import html
import itertools
import threading
import time
from types import SimpleNamespace

import pytest

from gradlab.lab import Lab, LabState
from gradlab.lab.mystery import view
from gradlab.lab.mystery.mystery import Mystery


@pytest.fixture
def lab(front_end):
    return Lab(hidden=(4, 4), bug="mystery")


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(view, "_SECONDS", 0.0)


def hints(lab):
    return lab.mystery.hints.value.count("<b>Hint")


def test_hints_stay_all_of_them_and_then_there_is_none(lab, front_end, at_once):
    button = lab.mystery.buttons["hint"]
    for number in (1, 2, 3):
        assert not button.disabled
        front_end.press(button)
        assert hints(lab) == number == lab.state.mystery.hints
    assert button.disabled
    front_end.press(lab.mystery.buttons["next"])
    assert hints(lab) == 0
    assert not button.disabled


def test_three_quick_clicks_are_one_hint(lab, front_end):
    for _ in range(3):
        front_end.press(lab.mystery.buttons["hint"])
    assert hints(lab) == lab.state.mystery.hints == 1


def test_quick_clicks_from_threads_of_their_own_are_one_hint(lab, front_end):
    threads = [threading.Thread(target=front_end.press, args=(lab.mystery.buttons["hint"],))
               for _ in range(3)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lab.state.mystery.hints == 1


def test_the_sign_is_sent_before_the_hint_is_worked_out(lab, front_end, monkeypatch):
    seen = {}

    def hint(self):
        seen.update(told=lab.mystery.told.value, sent=len(front_end.updates(lab.mystery.told)))
        return "It is a hint."

    monkeypatch.setattr(Mystery, "hint", hint)
    front_end.clear()
    front_end.press(lab.mystery.buttons["hint"])
    assert "looking" in seen["told"]
    assert seen["sent"] == 1
    assert "looking" not in lab.mystery.told.value
    assert not lab.mystery.buttons["hint"].disabled


def test_a_hint_that_fails_is_told_and_the_button_comes_back(lab, front_end, monkeypatch):
    def broken(self):
        raise ValueError("planted")

    monkeypatch.setattr(Mystery, "hint", broken)
    front_end.press(lab.mystery.buttons["hint"])
    assert "planted" in lab.state.error
    assert not lab.mystery.buttons["hint"].disabled


def test_after_a_moment_a_hint_can_be_asked_for_again(lab, front_end, monkeypatch):
    monkeypatch.setattr(view, "_SECONDS", 0.01)
    front_end.press(lab.mystery.buttons["hint"])
    time.sleep(0.02)
    front_end.press(lab.mystery.buttons["hint"])
    assert hints(lab) == 2


def test_the_score_has_a_place_of_its_own(lab, front_end):
    assert "0 points, 0 of 0 solved" in lab.mystery.score.value
    front_end.press(lab.mystery.buttons["reveal"])
    assert "0 points, 0 of 1 solved" in lab.mystery.score.value
    assert lab.mystery.buttons["guess"].disabled
    assert lab.mystery.buttons["hint"].disabled


def test_the_reveal_is_code_and_escaped(front_end):
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


def test_two_bugs_at_a_time_are_asked_for_by_a_button(lab, front_end, at_once):
    assert "One of these lines" in lab.mystery.told.value
    front_end.press(lab.mystery.buttons["two"])
    assert lab.state.mystery.count == 2
    assert "Two of these lines" in lab.mystery.told.value
    front_end.press(lab.mystery.buttons["next"])
    assert lab.state.mystery.count == 1


def test_another_network_starts_another_round(front_end):
    lab = Lab(hidden=(4,), bug="mystery")
    first = lab.state.mystery
    front_end.move(lab.controls["eps"], 1e-6)
    assert lab.state.mystery is first
    front_end.move(lab.controls["hidden"].count, 2)
    assert lab.state.mystery is not first
    assert lab.state.error == ""
    assert [v for _, v in lab.mystery.tensor.options[1:]] == list(lab.state.mystery.tensors)
    assert ("W3", "W3") in lab.mystery.tensor.options


# -- guesses, and what the view asks for ---------------------------------------------------------


def choose(lab, front_end, tensor, line):
    names = {"tensor": tensor, "line": line}
    for name, value in names.items():
        control = getattr(lab.mystery, name)
        front_end.choose(control, [v for _, v in control.options].index(value))


def solving(mystery):
    """Return the tensor and the line that solve a round, found on a twin of it."""
    pairs = itertools.product(mystery.tensors, mystery.choices)
    return next(pair for pair in pairs if Mystery(mystery._hidden).guess(*pair).solved)


def test_nothing_is_chosen_at_first_and_a_guess_at_nothing_costs_nothing(lab, front_end):
    assert (lab.mystery.tensor.value, lab.mystery.line.value) == ("", "")
    front_end.press(lab.mystery.buttons["guess"])
    assert "Choose a tensor and a line first." in lab.mystery.told.value
    front_end.choose(lab.mystery.tensor, 1)
    front_end.press(lab.mystery.buttons["guess"])
    assert "Choose a tensor and a line first." in lab.mystery.told.value
    assert (lab.state.mystery.guesses, lab.state.score.played) == (0, 0)


def test_a_wrong_guess_is_answered_and_a_right_one_ends_the_round(lab, front_end):
    mystery = lab.state.mystery
    tensor, line = solving(mystery)
    wrong = next(other for other in mystery.choices if other != line)
    choose(lab, front_end, tensor, wrong)
    front_end.press(lab.mystery.buttons["guess"])
    assert "This line is as it should be" in lab.mystery.told.value
    assert not lab.mystery.buttons["guess"].disabled
    front_end.press(lab.mystery.buttons["guess"])
    assert mystery.guesses == 2, "a guess may be made again at once"
    choose(lab, front_end, tensor, line)
    front_end.press(lab.mystery.buttons["guess"])
    assert "Solved. It shows in" in lab.mystery.told.value
    assert "1 points, 1 of 1 solved" in lab.mystery.score.value
    off = {name for name, button in lab.mystery.buttons.items() if button.disabled}
    assert off == {"guess", "hint", "reveal"}
    front_end.press(lab.mystery.buttons["next"])
    assert (lab.mystery.tensor.value, lab.mystery.line.value) == ("", "")
    assert not any(button.disabled for button in lab.mystery.buttons.values())


def test_the_lines_are_those_of_the_round_and_it_is_shown_while_there_is_one(lab, front_end):
    assert [v for _, v in lab.mystery.line.options] == ["", *lab.state.mystery.choices]
    assert [v for _, v in lab.mystery.tensor.options] == ["", *lab.state.mystery.tensors]
    assert lab.mystery.layout.display == ""
    lab.state.bug = "none"
    assert lab.mystery.layout.display == "none"


@pytest.fixture
def alone(front_end):
    """A view of its own, with what it called for."""
    state, answered = LabState(hidden=(4,), bug="mystery"), []
    return state, view.MysteryView(state, lambda: answered.append(1)), answered


def test_an_answer_is_brought_into_view_once(alone, front_end):
    state, shown, answered = alone
    front_end.press(shown.buttons["hint"])
    assert len(answered) == 1
    front_end.press(shown.buttons["hint"])
    assert len(answered) == 1, "pressed again before its answer was there"
    front_end.press(shown.buttons["guess"])
    assert len(answered) == 2, "another button is no second press"
    state.bug = "none"
    front_end.press(shown.buttons["reveal"])
    assert len(answered) == 2


def test_where_no_other_bug_can_be_planted_the_sign_of_work_goes(alone, front_end, monkeypatch):
    state, shown, _ = alone
    seen = []

    def fails(count=1):
        seen.append(shown.told.value)

    monkeypatch.setattr(state, "new_mystery", fails)
    front_end.press(shown.buttons["next"])
    assert "planting" in seen[0]
    assert "planting" not in shown.told.value
    assert "One of these lines" not in shown.told.value


def test_hints_are_numbered_escaped_and_gone_with_the_round(alone, front_end, monkeypatch):
    state, shown, _ = alone
    monkeypatch.setattr(view, "_SECONDS", 0.0)
    monkeypatch.setattr(Mystery, "hint", lambda self: "a < b")
    front_end.press(shown.buttons["hint"])
    front_end.press(shown.buttons["hint"])
    inside = shown.hints.value
    assert inside.count("a &lt; b") == 2
    assert "<b>Hint 1:</b>" in inside
    assert "<b>Hint 2:</b>" in inside
    state.new_mystery()
    assert "Hint" not in shown.hints.value


def test_half_a_second_is_a_second_press_and_a_whole_one_is_not(alone, front_end, monkeypatch):
    _, shown, _ = alone
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(view, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    for seconds, hints in ((0.0, 1), (0.4, 1), (0.9, 2)):
        now.seconds = seconds
        front_end.press(shown.buttons["hint"])
        assert shown.hints.value.count("<b>Hint") == hints

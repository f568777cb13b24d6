"""The mystery on the screen: hints stay, one click is one hint, and the score is in sight."""

import html
import threading
import time

import pytest

from gradlab.lab import Lab
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

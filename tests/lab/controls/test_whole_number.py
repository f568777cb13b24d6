"""A number box takes whole numbers in its range, and says so of all else."""

import pytest

from gradlab.lab import Lab
from gradlab.lab.controls.whole_number import WholeNumber, read_whole


@pytest.fixture
def box(front_end):
    return WholeNumber(1, 64, description="h1", tooltip="h1: units", value=16)


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), (" 12 ", 12), ("1e3", 1000), ("2.0", 2), ("0", 0), ("12345678901234567891", None)],
)
def test_what_is_read(text, number):
    assert read_whole(text, 0, None) == (int(text) if number is None else number)


@pytest.mark.parametrize("text", ["", "x", "12.7", "-1", "1e400", "nan", "65", "1,000", "0x10"])
def test_what_is_not(text):
    with pytest.raises(ValueError, match="a whole number from 0 to 64"):
        read_whole(text, 0, 64)


@pytest.mark.parametrize(("text", "words"), [("65", "65"), ("-1", "-1"), ("12.7", "12.7")])
def test_what_is_refused_is_told_and_the_number_stays(box, front_end, text, words):
    front_end.move(box.text, text)
    assert box.value == 16
    assert box.text.value == "16", "the box shows what is in force"
    assert f"{words} is not a whole number from 1 to 64; it stays 16" in box.told.value
    front_end.move(box.text, "20")
    assert (box.value, box.told.value) == (20, "")


def test_a_box_begins_at_0_and_can_be_typed_into(front_end):
    box = WholeNumber(0, None, description="n", tooltip="n: a number")
    assert (box.value, box.text.value, box.disabled, box.told.value) == (0, "0", False, "")
    assert (box.text.description, box.text.tooltip) == ("n", "n: a number")


def test_what_was_typed_is_escaped(box, front_end):
    front_end.move(box.text, "<b>")
    assert "<b>" not in box.told.value


def test_the_box_follows_the_number_and_forgets_what_it_said(box, front_end):
    front_end.move(box.text, "x")
    box.value = 7
    assert (box.text.value, box.told.value) == ("7", "")
    box.disabled = True
    assert box.text.disabled


def test_the_browser_is_sent_the_number_that_stays(box, front_end):
    front_end.clear()
    front_end.move(box.text, "12.7")
    sent = [data["state"]["value"] for comm_id, _, data, _ in front_end.messages
            if comm_id == box.text.model_id and "value" in data.get("state", {})]  # fmt: skip
    assert sent[-1] == "16"


@pytest.mark.parametrize(
    ("text", "seed"), [("1e3", 1000), ("12.7", 0), ("-1", 0), ("123456", 123_456)]
)
def test_the_seed_is_the_one_that_was_typed_or_stays(front_end, text, seed):
    lab = Lab(hidden=(4,))
    front_end.move(lab.controls["seed"].text, text)
    assert lab.state.seed == seed
    assert lab.controls["seed"].text.value == str(seed)
    assert bool(lab.controls["seed"].told.value) == (seed == 0)
    assert lab.state.error == ""


@pytest.mark.parametrize("text", ["65", "-1", "0", "3.5"])
def test_a_width_out_of_range_is_told_beside_the_boxes(front_end, text):
    lab = Lab(hidden=(4,))
    control = lab.controls["hidden"]
    front_end.move(control.widths[0].text, text)
    assert lab.state.hidden == (4,)
    assert f"{text} is not a whole number from 1 to 64" in control.told[0].value
    assert control.told[0] in control.children
    front_end.press(lab.reset_button)
    front_end.move(control.widths[0].text, "8")
    assert lab.state.hidden == (8,)
    assert control.told[0].value == ""

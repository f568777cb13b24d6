"""Every control from the keyboard: it has a name, its setting follows, and Reset puts all back."""

from collections import Counter

import pytest
from playwright.sync_api import expect

from gradlab.lab import SCENARIOS
from gradlab.lab.model.settings import NAMES

from .lab_parts import (
    APPEARANCE,
    STORY,
    TOOLBAR,
    banner,
    controls_of,
    expect_start,
    expect_state,
    expect_verdict,
    open_group,
)

ALWAYS = {"slider step eps", "slider weight scale", *TOOLBAR, *STORY}
#: The controls of each group, by role and name; a slider has a field to type into beside it.
GROUPS = {
    "Data": {"combobox data set", "slider examples", "slider data scale"},
    "Network": {
        "slider hidden layers", "textbox h1", "textbox h2", "textbox h3", "textbox h4",
        "combobox activation", "combobox loss", "textbox seed", "slider training steps",
        "slider bias scale",
    },
    "Check": {
        "combobox scheme", "combobox error measure", "combobox number type",
        "combobox tensor shown", "combobox checked", "textbox entry",
    },
    "Dropout, L2": {
        "checkbox dropout on", "checkbox freeze masks", "slider dropout rate", "checkbox L2 on",
        "slider λ of L2", "checkbox L2 in the numerical loss",
        "checkbox L2 in the analytic gradient",
    },
    "Bugs": {
        "combobox bug", "textbox bug layer", "combobox second bug", "combobox tensor",
        "combobox wrong line", "button Guess", "button Hint", "button Reveal", "button New bug",
        "button Two bugs",
    },
    "Share": {"button Copy settings", "textbox line"},
    "Appearance": APPEARANCE,
}  # fmt: skip
#: Role and name, what is pressed or typed there, and what then is set; from top to bottom.
STEPS = {
    "Data": [
        ("combobox", "data set", "ArrowDown", {"data": "spirals"}),
        ("slider", "examples", "ArrowLeft", {"examples": 29}),
        ("slider", "data scale", "ArrowRight", {"data_scale": 10**0.05}),
    ],
    "Network": [
        ("slider", "hidden layers", "ArrowLeft", {"hidden": (16,)}),
        ("textbox", "h1", "ArrowDown", {"hidden": (15,)}),
        ("combobox", "activation", "ArrowDown", {"activation": "relu"}),
        ("combobox", "loss", "ArrowUp", {"loss": "mse"}),
        ("textbox", "seed", "ArrowUp", {"seed": 1}),
        ("slider", "training steps", "ArrowRight", {"train_steps": 10}),
        ("slider", "bias scale", "ArrowRight", {"bias_scale": 0.1}),
        ("slider", "weight scale", "ArrowLeft", {"weight_scale": 10**-0.35}),
        ("slider", "step eps", "ArrowRight", {"eps": 10**-4.9}),
    ],
    "Check": [
        ("combobox", "scheme", "ArrowUp", {"scheme": "forward"}),
        ("combobox", "error measure", "ArrowDown", {"measure": "sum_relative"}),
        ("combobox", "number type", "ArrowDown", {"dtype": "float32"}),
        ("combobox", "tensor shown", "ArrowDown", {"tensor": "W1"}),
        ("textbox", "entry", "ArrowUp", {"entry": 0}),
        ("combobox", "checked", "ArrowDown", {"method": "sampled"}),
    ],
    "Dropout, L2": [
        ("checkbox", "dropout on", "Space", {"use_dropout": True}),
        ("checkbox", "freeze masks", "Space", {"freeze_masks": False}),
        ("slider", "dropout rate", "ArrowUp", {"dropout_rate": 0.55}),
        ("checkbox", "L2 on", "Space", {"use_l2": True}),
        ("slider", "λ of L2", "ArrowRight", {"l2": 10**-2.75}),
        ("checkbox", "L2 in the numerical loss", "Space", {"l2_in_loss": False}),
        ("checkbox", "L2 in the analytic gradient", "Space", {"l2_in_gradient": False}),
    ],
    "Bugs": [
        ("combobox", "bug", "End", {"bug": "mystery"}),
        ("combobox", "bug", "ArrowUp", {"bug": "redrawn_dropout_mask"}),
        ("textbox", "bug layer", "ArrowUp", {"bug_layer": 1}),
        ("combobox", "second bug", "ArrowDown", {"second_bug": "missing_1_over_n"}),
    ],
}
#: Values between the steps of their sliders, as they are typed.
BETWEEN = {
    "step eps": ("3e-9", {"eps": 3e-9}),
    "weight scale": ("0.03", {"weight_scale": 0.03}),
    "dropout rate": ("0.22", {"dropout_rate": 0.22}),
    "λ of L2": ("2e2", {"l2": 200.0}),
}


def operate(page, lab, role, name, key):
    """Put the focus on a control, as the Tab key does, and press a key."""
    control = lab.get_by_role(role, name=name, exact=True)
    expect(control).to_be_enabled()
    control.focus()
    page.tab.keyboard.press(key)


def reset(page, lab):
    lab.get_by_role("button", name="Reset").press("Enter")
    expect_start(page)
    page.wait_sharp(lab)
    expect_start(page)


@pytest.mark.parametrize("title", GROUPS)
def test_every_control_has_a_name_of_its_own(page, lab, title):
    page.run_code("lab.state.bug = 'mystery'" if title == "Bugs" else "pass")
    open_group(lab, title)
    page.wait_sharp(lab)
    wanted = {*ALWAYS, *GROUPS[title], *(f"button {other}" for other in GROUPS)}
    sliders = {control for control in wanted if control.startswith("slider")}
    wanted |= {f"textbox {s.removeprefix('slider ')}, typed value" for s in sliders}
    assert controls_of(lab) == Counter(wanted)


@pytest.mark.parametrize("title", STEPS)
def test_keys_move_every_setting_and_reset_puts_all_back(page, lab, title):
    open_group(lab, title)
    for role, name, key, changes in STEPS[title]:
        operate(page, lab, role, name, key)
        expect_state(page, changes)
    page.wait_sharp(lab)
    expect_verdict(lab, not_="compute")
    reset(page, lab)


def test_every_setting_has_its_key():
    moved = {setting for steps in STEPS.values() for *_, changes in steps for setting in changes}
    assert moved == set(NAMES) - {"time_steps"}, "which an LSTM alone has"


def test_a_typed_value_is_taken_as_it_is(page, lab):
    page.run_code("lab.state.update(use_dropout=True, use_l2=True)")
    open_group(lab, "Dropout, L2")
    for name, (text, changes) in BETWEEN.items():
        field = lab.get_by_role("textbox", name=f"{name}, typed value")
        field.fill(text)
        field.press("Enter")
        expect_state(page, changes)
    reset(page, lab)


def test_a_value_from_code_moves_the_handle_and_is_not_sent_back_as_another(page, lab):
    """A slider has steps: 3e-9 lies between two of them, and so does 0.5, where the lab starts."""
    values = {name: value for _, change in BETWEEN.values() for name, value in change.items()}
    open_group(lab, "Dropout, L2")
    page.run_code(f"lab.state.update(use_dropout=True, use_l2=True, **{values!r})")
    for name, told in (("step eps", "3.0e-09"), ("weight scale", "0.03"), ("λ of L2", "2e+02")):
        handle = lab.get_by_role("slider", name=name)
        expect(handle).to_have_attribute("aria-valuetext", told)
    # the browser's messages are taken in order: once this one has come, what would be sent back has
    operate(page, lab, "checkbox", "freeze masks", "Space")
    expect_state(page, {"freeze_masks": False, **values})
    reset(page, lab)
    operate(page, lab, "checkbox", "dropout on", "Space")
    expect_state(page, {"use_dropout": True, "eps": 1e-5, "weight_scale": 0.5, "l2": 1e-3})


def test_a_line_that_is_pasted_sets_the_lab_and_a_wrong_one_is_refused_in_words(page, lab):
    open_group(lab, "Share")
    line = lab.get_by_label("line", exact=True)
    line.fill('lab = gl.Lab(scenario="kinks", eps=1e-4)')
    line.press("Enter")
    expect(lab.locator(".gradlab-share .gradlab-told")).to_have_text("set")
    expect_state(page, {"activation": "relu", "eps": 1e-4})
    page.wait_sharp(lab)
    line.fill("gl.Lab(eps=-1)")
    line.press("Enter")
    expect(lab.get_by_role("alert")).to_contain_text("eps must be a finite number")
    expect(line).to_have_value("gl.Lab(eps=-1)")
    expect(banner(lab)).not_to_contain_text("cannot compute")
    expect_state(page, {"activation": "relu", "eps": 1e-4})
    line.fill("")
    line.press("Enter")
    reset(page, lab)


def test_scenarios_are_stepped_through_from_the_keyboard_with_their_sentence(page, lab):
    forth = lab.get_by_role("button", name="Next scenario")
    told = lab.locator(".gradlab-scenarios .gradlab-told")
    forth.focus()
    for name in list(SCENARIOS)[:3]:
        page.tab.keyboard.press("Enter")
        expect(told).to_have_text(SCENARIOS[name].lesson)
        expect(told).to_be_in_viewport(ratio=1)
        expect(lab.get_by_role("combobox", name="scenario")).to_have_value(SCENARIOS[name].title)
    operate(page, lab, "slider", "step eps", "ArrowLeft")
    expect(told).to_contain_text(f"{SCENARIOS[name].title} (changed).")
    lab.get_by_role("button", name="Scenario again").press("Enter")
    expect(told).to_have_text(SCENARIOS[name].lesson)
    reset(page, lab)


def test_what_is_no_number_is_refused_beside_its_box(page, lab):
    open_group(lab, "Network")
    for name, text in (("seed", "12.7"), ("h1", "65"), ("h2", "-1")):
        field = lab.get_by_role("textbox", name=name, exact=True)
        before = field.input_value()
        field.fill(text)
        field.press("Enter")
        expect(lab.get_by_role("alert").filter(has_text=text)).to_contain_text(
            f"{text} is not a whole number"
        )
        expect(field).to_have_value(before)
    field = lab.get_by_role("textbox", name="seed", exact=True)
    field.fill("1e3")
    field.press("Enter")
    expect_state(page, {"seed": 1000, "hidden": (16, 16)})
    expect(field).to_have_value("1000")
    reset(page, lab)

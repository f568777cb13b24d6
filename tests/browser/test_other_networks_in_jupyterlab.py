"""The lab on a network that it cannot build itself: a convnet and an LSTM, in JupyterLab."""

from collections import Counter

import pytest

from gradlab import bugs

from .lab_parts import (
    APPEARANCE,
    FIVE,
    NETWORKS,
    TOOLBAR,
    controls_of,
    expect_state,
    expect_verdict,
    open_group,
    put_back,
)

#: What the network panel says once a bug is there, and the stage that is clicked: how far down
#: the panel it stands, and its tensors.
BUGS = {
    "convnet": ("kernel_not_flipped", "wrong: conv1_W, conv1_b; correct: conv2_W, conv2_b, out_W"),
    "lstm": ("lstm_tanh_twice", "b_o; correct: Wy, by."),
}
STAGES = {"convnet": (0.54, "conv2_"), "lstm": (0.61, "W[xh]_g|b_g")}
ABOVE = {"slider step eps", "slider weight scale"}
#: Nothing that would make another network: no layers, activation, loss, data, seed, dropout.
CONTROLS = {
    "Data": {"slider examples", "slider data scale"},
    "Network": {"slider training steps", "slider bias scale"},
    "Check": {
        "combobox scheme", "combobox error measure", "combobox number type",
        "combobox tensor shown", "combobox checked", "textbox entry",
    },
    "Dropout, L2": {
        "checkbox L2 on", "slider λ of L2", "checkbox L2 in the numerical loss",
        "checkbox L2 in the analytic gradient",
    },
    "Bugs": {"combobox bug", "textbox bug layer", "combobox second bug"},
    "Share": {"button Copy settings", "textbox line"},
    "Appearance": APPEARANCE,
}  # fmt: skip


@pytest.fixture
def page(networks_page):
    networks_page.resize(1280, 720)
    yield networks_page
    networks_page.assert_clean()


@pytest.fixture(params=NETWORKS)
def kind(request):
    return request.param


@pytest.fixture
def lab(page, kind):
    """The lab on this kind of network, reset and at rest; in the kernel it is called so."""
    lab = page.show_cell(1 + list(NETWORKS).index(kind)).locator(".gradlab-lab").first
    put_back(page, lab, name=kind)
    return lab


def test_it_opens_with_a_verdict_and_every_panel_drawn(page, lab):
    expect_verdict(lab, "correct")
    shown = page.pictures(lab)
    assert len(shown) == len(FIVE)
    for picture in shown:
        assert not picture.blank, picture
        assert len(picture.alt) > 40


def test_dragging_epsilon_changes_the_verdict_and_reset_puts_it_back(page, lab, kind):
    page.drag(page.handle("step eps", within=lab), -1000)
    expect_verdict(lab, "inconclusive")
    expect_state(page, {"eps": 1e-13}, lab=kind)
    lab.get_by_role("button", name="Reset").click()
    expect_verdict(lab, "correct")
    expect_state(page, {"eps": 1e-5}, lab=kind)


def test_there_are_only_the_controls_that_make_sense(page, lab, kind):
    for title, own in CONTROLS.items():
        open_group(lab, title)
        wanted = {f"button {name}" for name in CONTROLS} | {*ABOVE, *TOOLBAR, *own}
        if (kind, title) == ("lstm", "Data"):
            wanted.add("textbox time steps")
        sliders = [c.removeprefix("slider ") for c in wanted if c.startswith("slider")]
        wanted |= {f"textbox {name}, typed value" for name in sliders}
        assert controls_of(lab) == Counter(wanted)


def test_a_planted_bug_changes_the_network_and_the_verdict(page, lab, kind):
    bug, told = BUGS[kind]
    network = lab.locator("[data-panel=network]")
    before = page.pictures(lab)[2]
    open_group(lab, "Bugs")
    lab.get_by_label("bug", exact=True).select_option(label=bugs.describe(bug).title)
    expect_verdict(lab, "wrong")
    page.tab.wait_for_function(
        "([panel, told]) => panel.ariaLabel.includes(told)", arg=[network.element_handle(), told]
    )
    page.wait_sharp(lab)
    assert page.pictures(lab)[2].digest != before.digest
    expect_state(page, {"bug": bug, "error": ""}, lab=kind)


def test_a_click_on_a_stage_chooses_its_tensor(page, lab, kind):
    down, tensor = STAGES[kind]
    network, heatmap = lab.locator("[data-panel=network]"), lab.locator("[data-panel=heatmap]")
    box = network.bounding_box()
    network.click(position={"x": box["width"] / 2, "y": down * box["height"]})
    page.tab.wait_for_function(
        "([panel, name]) => new RegExp(`entry of (${name})`).test(panel.ariaLabel)",
        arg=[heatmap.element_handle(), tensor],
    )

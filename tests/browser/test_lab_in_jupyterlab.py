"""What only a browser can tell of the lab: names, keys, clicks, sizes, sharpness."""

import re

from playwright.sync_api import expect

from .lab_parts import expect_eps, expect_state, expect_verdict, open_group, write_notebook

KILL = """() => {
  const {kernel} = window.jupyterapp.shell.currentWidget.sessionContext.session;
  kernel.requestExecute({code: 'import os, signal; os.kill(os.getpid(), signal.SIGKILL)'});
}"""
RESTART = """async () => {
  await window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart();
}"""
SHUT_DOWN = "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }"


def test_sliders_say_their_name_and_their_true_value(page, lab):
    handle = lab.get_by_role("slider", name="step eps")
    page.press(handle, "ArrowRight", 10)
    expect(handle).to_have_attribute("aria-valuetext", "1.0e-04")
    field = lab.get_by_role("textbox", name="step eps, typed value")
    field.fill("1e-8")
    field.press("Enter")
    expect(handle).to_have_attribute("aria-valuetext", "1.0e-08")
    expect_state(page, {"eps": 1e-8})
    handle.focus()  # the field that is typed in is left alone
    expect(field).to_have_text("1.0e-08")
    page.press(handle, "ArrowRight", 10)
    expect(field).to_have_text("1.0e-07")
    expect_eps(lab, "1.0e-07")


def test_the_verdict_is_told_once_it_has_stayed(page, lab):
    voice = lab.locator(".gradlab-voice")
    page.run_code("lab.state.load_scenario('l2_forgotten_in_the_gradient')")
    page.tab.wait_for_function("v => v.textContent.startsWith('wrong')", arg=voice.element_handle())
    assert voice.get_attribute("aria-live") == "polite"


def test_a_mystery_is_solved_from_the_keyboard_alone(page, lab):
    """Tab, arrows, space and letters, from the start to the reveal; the mouse never moves."""
    page.run_code("lab.state.new_mystery(seed=3)")
    page.wait_sharp(lab)
    lab.get_by_role("button", name="Reset").focus()

    def tab_to(role, name):
        for _ in range(80):
            page.tab.keyboard.press("Tab")
            if lab.get_by_role(role, name=name, exact=True).evaluate(
                "element => element === document.activeElement"
            ):
                return
        raise AssertionError(f"no way to {name} with the Tab key")

    lab.get_by_role("button", name="Bugs", exact=True).focus()
    page.tab.keyboard.press("Space")
    told = lab.locator(".gradlab-mystery")

    def press_and_read():
        # text_content, as `expect` compares it: inner_text has a line end where there is a <br>
        # and would always differ, which waits for nothing.
        before = told.text_content()
        page.tab.keyboard.press("Space")
        expect(told).not_to_have_text(before)

    tab_to("combobox", "wrong line")
    line = lab.get_by_role("combobox", name="wrong line", exact=True)
    first = line.input_value()
    page.tab.keyboard.press("ArrowDown")  # which JupyterLab would take, to go to another cell
    expect(line).not_to_have_value(first)
    expect(line).to_be_focused()
    tab_to("combobox", "tensor")
    page.tab.keyboard.press("ArrowDown")
    tab_to("button", "Guess")
    press_and_read()
    tab_to("button", "Hint")
    press_and_read()
    tab_to("button", "Reveal")
    press_and_read()
    expect(told).to_contain_text("Planted")
    expect(told).to_contain_text("0 of 1 solved")
    expect(told).to_be_in_viewport(ratio=0.99)  # a pixel may lie beside its edge


def test_a_click_on_the_network_chooses_the_tensor_of_the_heatmap(page, lab):
    network = lab.locator("[data-panel=network]")
    heatmap = lab.locator("[data-panel=heatmap]")
    box = network.bounding_box()
    network.click(position={"x": box["width"] * 0.2, "y": 40})  # near the name W1
    page.tab.wait_for_function(
        "panel => panel.ariaLabel.includes('entry of W1')", arg=heatmap.element_handle()
    )
    expect_state(page, {"tensor": "W1"})


def test_a_scenario_and_its_line(page, lab):
    choice = lab.get_by_label("scenario", exact=True)
    choice.select_option(label=next(
        text for text in choice.locator("option").all_inner_texts() if "kink" in text.lower()
    ))  # fmt: skip
    page.wait_sharp(lab)
    expect_verdict(lab, "inconclusive")
    page.tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_group(lab, "Share")
    lab.get_by_role("button", name="Copy settings").click()
    line = 'gl.Lab(scenario="kinks")'
    expect(lab.get_by_label("line", exact=True)).to_have_value(line)
    page.tab.wait_for_function(
        "async line => await navigator.clipboard.readText() === line", arg=line
    )


def test_nothing_scrolls_or_jumps_while_a_slider_is_dragged(page, lab):
    handle = page.handle("step eps", within=lab)
    before, top = lab.bounding_box(), page.tab.evaluate("scrollY")
    for pixels in (-60, 120, -90):
        page.drag(handle, pixels)
        assert lab.bounding_box() == before
    assert page.tab.evaluate("scrollY") == top


def test_training_steps_from_the_keyboard_and_the_cost_line(page, lab):
    open_group(lab, "Network")
    page.press(lab.get_by_role("slider", name="training steps"), "ArrowRight", 3)
    expect_state(page, {"train_steps": 30})
    page.wait_sharp(lab)
    told = re.compile(r"^\d.* evaluations of the loss, .* ms; one backprop")
    expect(lab.locator(".gradlab-cost")).to_have_text(told)


def test_a_kernel_that_is_gone_is_told_where_the_verdict_was(jupyterlab):
    """The old verdict must not stand beside a slider that still moves."""
    page = write_notebook(jupyterlab, "gone.ipynb", "import gradlab as gl\ngl.Lab()")
    for end, told in ((KILL, "restarted"), (RESTART, "restarted"), (SHUT_DOWN, "Nobody answers")):
        lab = page.show_cell(0).locator(".gradlab-lab").first
        page.wait_sharp(lab)
        nobody = lab.locator(".gradlab-restarted")
        expect(nobody).to_be_hidden()
        page.tab.evaluate(end)
        expect(nobody).to_contain_text(told)
        page.press(page.handle("step eps", within=lab), "ArrowRight", 3)
        expect(nobody).to_contain_text(re.compile(f"{told}.*ell again"))
        expect(nobody).to_be_in_viewport()
        expect(nobody).to_have_role("alert")
        expect(lab.locator(".gradlab-verdict")).to_be_hidden()
        if end != SHUT_DOWN:
            page.run_all()
    page.close()

"""axe-core over everything that the lab draws, in both themes of JupyterLab and of the lab."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .contrast import contrasts
from .lab_parts import EVERY, expect_verdict, show

#: Shows or hides each group of controls as it is told, and returns how they were.
DISPLAY = """(lab, wanted) => [...lab.querySelectorAll('.gradlab-group')].map((group, i) => {
  const before = group.style.display;
  group.style.display = wanted[i];
  return before;
})"""
EVERY_GROUP = [""] * 7  # at once, where a person opens one at a time
#: Switches on what is pale, and so not looked at, while it means nothing.
EVERYTHING_ON = "lab.state.update(use_dropout=True, use_l2=True, bug='mystery')"
#: What the project writes on backgrounds of its own or of the theme.
WORDS = ", ".join(f"{c}, {c} *" for c in (".gradlab-banner", ".gradlab-cost", ".gradlab-told"))
ENOUGH = 4.5  # WCAG 2, for small letters


def serious(page, lab):
    """Return what axe-core calls serious or critical in this lab, and where."""
    page.wait_sharp(lab)
    # JupyterLab's body has no height and hides what overflows: axe-core would take everything
    # for hidden, and look at no colour.
    page.tab.evaluate("document.body.style.minHeight = '100vh'")
    options = {"resultTypes": ["violations", "passes"]}
    found = Axe().run(page.tab, context=".gradlab-lab", options=options).response
    seen = {rule["id"]: len(rule["nodes"]) for rule in found["passes"]}
    assert seen["color-contrast"] > 10
    return [
        (rule["id"], [node["html"][:200] for node in rule["nodes"]][:4])
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
    ]


def assert_readable(lab):
    told = contrasts(lab, WORDS)
    assert len(told) >= 4
    assert [pair for pair in told if pair[1] < ENOUGH] == []


@pytest.mark.parametrize(
    ("theme", "other"), [("light", "dark"), pytest.param("dark", "light", marks=pytest.mark.soak)]
)
def test_nothing_serious_in_any_group_panel_and_theme(page, lab, theme, other):
    page.set_theme(theme)
    try:
        page.run_code(EVERYTHING_ON)
        show(page, lab, EVERY)
        expect_verdict(lab, "wrong")
        shown = lab.locator(".gradlab-panel:visible")
        expect(shown).to_have_count(len(EVERY))
        for words in shown.evaluate_all("panels => panels.map(panel => panel.ariaLabel)"):
            assert len(words) > 40, words
        before = lab.evaluate(DISPLAY, EVERY_GROUP)
        assert len(before) == len(EVERY_GROUP)
        assert serious(page, lab) == []
        assert_readable(lab)
        lab.evaluate(DISPLAY, before)
        page.run_code(f"lab.theme = {other!r}; lab.state.update(bug='none', eps=1e-12)")
        expect_verdict(lab, "inconclusive")
        assert_readable(lab)
        page.run_code("lab.state.eps = 1e-5")
        expect_verdict(lab, "correct")
        assert_readable(lab)
    finally:
        page.set_theme("light")

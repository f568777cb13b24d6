"""axe-core over everything that the lab draws, in both themes of JupyterLab and of the lab."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .contrast import contrasts
from .lab_parts import EVERY, expect_verdict, open_group, show

GROUPS = ("Data", "Network", "Check", "Dropout, L2", "Bugs", "Share", "Appearance")
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


@pytest.fixture
def in_themes(page, lab):
    """Return a function that sets JupyterLab's theme and the lab's; all is put back."""

    def choose(jupyterlab, own):
        page.set_theme(jupyterlab)
        page.run_code(f"lab.theme = {own!r}")

    yield choose
    choose("light", "auto")


def assert_readable(lab):
    told = contrasts(lab, WORDS)
    assert len(told) >= 4
    assert [pair for pair in told if pair[1] < ENOUGH] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_in_any_group(page, lab, in_themes, theme):
    in_themes(theme, "auto")
    page.run_code(EVERYTHING_ON)
    expect_verdict(lab, "wrong")
    page.wait_sharp(lab)
    for title in GROUPS:
        open_group(lab, title)
        assert serious(page, lab) == [], title
        assert_readable(lab)


@pytest.mark.parametrize(("theme", "own"), [("light", "dark"), ("dark", "light")])
def test_nothing_serious_where_the_pictures_have_a_theme_of_their_own(
    page, lab, in_themes, theme, own
):
    in_themes(theme, own)
    page.run_code("lab.state.eps = 1e-12")
    expect_verdict(lab, "inconclusive")
    assert serious(page, lab) == []
    assert_readable(lab)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious_with_every_panel(page, lab, in_themes, theme):
    in_themes(theme, "auto")
    show(page, lab, EVERY)
    shown = lab.locator(".gradlab-panel:visible")
    expect(shown).to_have_count(len(EVERY))
    for words in shown.evaluate_all("panels => panels.map(panel => panel.ariaLabel)"):
        assert len(words) > 40, words
    assert serious(page, lab) == []
    assert_readable(lab)

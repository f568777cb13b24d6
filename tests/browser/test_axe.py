"""axe-core over everything that the lab draws, in both themes of JupyterLab and of the lab."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .contrast import contrasts
from .lab_parts import expect_verdict, open_group

GROUPS = ("Network", "Check", "Dropout, L2", "Bugs", "Scenarios", "Appearance")
#: Switches on what is pale, and so not looked at, while it means nothing.
EVERYTHING_ON = "lab.state.update(use_dropout=True, use_l2=True, bug='mystery')"
NARROW, WIDE = (1280, 720), (1920, 1080)  # on a wide page all groups are open at once
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
    page.resize(*NARROW)


@pytest.mark.parametrize(
    ("theme", "own"), [("light", "auto"), ("light", "dark"), ("dark", "light"), ("dark", "auto")]
)
def test_nothing_serious_in_any_group_and_theme(page, lab, in_themes, theme, own):
    in_themes(theme, own)
    page.run_code(EVERYTHING_ON)
    page.resize(*WIDE)
    for title in GROUPS:
        expect(lab.locator(".gradlab-heading", has_text=title)).to_be_visible()
    expect_verdict(lab, "wrong")
    assert serious(page, lab) == []
    told = contrasts(lab, WORDS)
    assert len(told) >= 6
    assert [pair for pair in told if pair[1] < ENOUGH] == []


def test_nothing_serious_where_one_group_is_open_at_a_time(page, lab):
    open_group(lab, "Appearance")
    expect_verdict(lab, "correct")
    assert serious(page, lab) == []
    page.run_code("lab.state.eps = 1e-12")
    expect_verdict(lab, "inconclusive")
    assert [pair for pair in contrasts(lab, WORDS) if pair[1] < ENOUGH] == []

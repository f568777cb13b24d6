"""What the style sheets and scripts name is there, and a row of many controls breaks."""

import re
from pathlib import Path

import ipywidgets as widgets
import pytest

from gradlab.lab import Lab, lifetime
from gradlab.lab import lab as lab_module
from gradlab.lab.demo import Demo

FOLDER = Path(lab_module.__file__).parent
SHEET = (FOLDER / "controls/controls.css").read_text("utf-8")
SCRIPTS = "".join(path.read_text("utf-8") for path in (FOLDER / "board").glob("*.js"))
#: What a widget of ipywidgets is called in the page.
KINDS = {
    widgets.HBox: "widget-hbox", widgets.VBox: "widget-vbox", widgets.HTML: "widget-html",
    widgets.Checkbox: "widget-checkbox", widgets.Button: "jupyter-button",
    widgets.FloatProgress: "widget-hprogress", widgets.Dropdown: "widget-dropdown",
    widgets.Text: "widget-text", widgets.ToggleButtons: "widget-toggle-buttons",
}  # fmt: skip


@pytest.fixture
def lab(front_end):
    return Lab(hidden=(4,), bug="mystery")


def parts(lab):
    """Return every widget of a lab, also what is not on the screen now."""
    roots = [lab, *lab.controls.values(), *lab._screen.all()]
    family = (part for root in roots for part in lifetime.family(root))
    return list({id(part): part for part in family if hasattr(part, "_dom_classes")}.values())


def html(widget):
    return getattr(widget, "value", "") if isinstance(widget, widgets.HTML) else ""


def classes(widget):
    """Return what a widget is called in the page."""
    own = {name for kind, name in KINDS.items() if isinstance(widget, kind)}
    inline = hasattr(widget, "description") and "jupyter-button" not in own
    return {*widget._dom_classes, *own, *(["widget-inline-hbox"] if inline else [])}


def test_every_class_that_a_style_or_a_script_is_for_is_given_to_something(lab, front_end):
    front_end.move(lab.appearance.large, True)
    front_end.move(lab._screen.share.line, "gl.Lab(")
    given = {name for part in parts(lab) for name in part._dom_classes}
    given |= {name for part in parts(lab) for name in re.findall(r"gradlab-[\w-]+", html(part))}
    styled = set(re.findall(r"\.(gradlab-[\w-]+)", SHEET))
    asked = set(re.findall(r"closest\('\.(gradlab-[\w-]+)'\)", SCRIPTS))
    of_others = {"gradlab-answer"}  # lesson's boxes, which share this look
    of_the_board = {"gradlab-board"}
    assert asked <= given
    assert styled - of_others - of_the_board <= given


def test_every_style_for_what_stands_directly_in_something_meets_it(lab):
    pairs = {
        (parent, child)
        for part in parts(lab)
        for inside in getattr(part, "children", ())
        for parent in classes(part)
        for child in classes(inside)
    }
    rules = re.findall(r"\.(gradlab-[\w-]+) > \.([\w-]+)", SHEET)
    inside_one_widget = {"widget-label", "progress"}
    wanted = {(parent, child) for parent, child in rules if child not in inside_one_widget}
    alone = {("gradlab-row", "gradlab-group")}  # a group that has no button
    assert len(wanted) > 15
    assert wanted - pairs == alone
    few = Lab(hidden=(4,), controls=("scheme",))
    assert any("gradlab-row" in p._dom_classes and "gradlab-group" in c._dom_classes
               for p in parts(few) for c in getattr(p, "children", ()))  # fmt: skip


def test_a_row_of_many_controls_breaks_where_the_page_is_narrow(lab):
    rule = re.search(r"([^{}]*)\{ flex-flow: row wrap", SHEET)[1]
    breaks = set(re.findall(r"gradlab-[\w-]+", rule))
    rows = [part for part in parts(lab) if isinstance(part, widgets.HBox)]
    many = [row for row in rows if len(row.children) > 3 and row is not lab.scenarios.chooser]
    assert len(many) > 6
    for row in many:
        assert breaks & set(row._dom_classes), row.children


def test_the_slider_that_a_script_drags_is_named_by_its_setting(lab):
    for name, control in lab.controls.items():
        slides = [c for c in control._dom_classes if c.startswith("gradlab-slides-")]
        assert slides == ([f"gradlab-slides-{name}"] if isinstance(
            control, widgets.FloatLogSlider) else [])  # fmt: skip


def test_long_choices_have_more_room(lab):
    wide = {name for name, c in lab.controls.items() if "gradlab-wide" in c._dom_classes}
    assert wide == {"bug", "second_bug"}


def test_the_page_for_a_class_has_its_classes():
    demo = Demo()
    sheets = "".join(path.read_text("utf-8") for path in (FOLDER / "demo").rglob("*.j2"))
    named = set(re.findall(r"gradlab-(?:ten|words|riddle)[\w-]*", SHEET + sheets + SCRIPTS))
    demo._on_riddle(None)
    given = {name for part in parts(demo) for name in part._dom_classes}
    assert len(named) == 3
    assert named <= given
    demo.close()

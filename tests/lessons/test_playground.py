"""What the playground says of the lab is so: its ten minutes are played, its names looked up."""

import re
from html import unescape

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import SCENARIOS
from gradlab.lab.board.panels import NAMES, PANELS
from gradlab.lab.board.panels.training import comparison
from gradlab.lab.model.scenarios import MLP_BUGS
from gradlab.lab.model.settings import GROUPS, LABELS, MOST_LAYERS, MOST_UNITS, RANGES
from gradlab.lab.model.training_beside import trainings
from gradlab.lab.mystery.mystery import POINTS
from gradlab.lab.state import LabState
from gradlab.lab.text.banner import banner_html
from tests.lessons.prose import prose, says

HERE = "playground"
TITLES = [panel.title for panel in PANELS]


def banner(state):
    state.refine()
    html = banner_html(state.result, state.error, state.settings)
    text = unescape(re.sub(r"<[^>]+>", "", html)).replace("\N{NO-BREAK SPACE}", " ")
    return text.replace("‑", "-")


def scenario(name, **changes):
    state = LabState()
    state.load_scenario(name)
    state.update(**changes)
    return state


def verdict(state):
    return state.result.report.verdict


def test_step_1_says_how_small_an_error_it_would_have_seen():
    state = LabState()
    says(HERE, "Two gradients, 354 entries.")
    assert state.result.net.size == 354
    says(HERE, "*Correct*, and the banner says how small an error it would have seen.")
    assert verdict(state) == "correct"
    assert "would have been seen" in banner(state)


def test_step_2_has_no_bug_and_no_verdict():
    says(HERE, "**step eps** to 1e-12")
    says(HERE, "No bug, and no verdict: two nearly equal losses were subtracted.")
    assert verdict(LabState(eps=1e-12)) == "inconclusive"


def test_step_3_the_curve_stands_higher_and_its_bottom_further_right():
    says(HERE, "The pale curve is float64's. The new one stands higher, its bottom further right.")
    says(HERE, "And with half the digits?")
    assert np.finfo("float32").precision < np.finfo("float64").precision / 2
    (x, y), steps = gl.data.moons(30), np.logspace(-10, -1, 28)
    nets = [gl.mlp([2, 16, 16, 2], weight_scale=0.5, dtype=t) for t in ("float64", "float32")]
    curves = [[gl.check(net, x, y, eps=float(eps)).norm_ratio for eps in steps] for net in nets]
    double, single = np.array(curves)
    assert single.min() > 100 * double.min()
    assert steps[single.argmin()] > 10 * steps[double.argmin()]


def test_step_5_the_loss_has_stairs():
    says(HERE, "eps to 1e-13")
    says(HERE, "The loss has stairs")
    net, (x, y) = gl.mlp([2, 16, 16, 2], weight_scale=0.5), gl.data.moons(30)
    loss, theta = net.loss_function(x, y), net.theta
    first = np.eye(354)[0]
    along = [loss(theta + step * first) for step in np.linspace(-1e-13, 1e-13, 2001)]
    assert len(set(along)) < 2001 / 10


def test_step_6_no_step_and_a_weight_scale():
    says(HERE, "no step makes it *correct*. The banner says which weight scale does.")
    text = banner(scenario("kinks"))
    assert "No step makes this correct" in text
    assert "weight scale" in text
    for eps in np.logspace(-13, -1, 13):
        assert verdict(scenario("kinks", eps=float(eps))) != "correct"


def test_step_7_dropout():
    says(HERE, "New masks, and two different functions are subtracted. Frozen, *correct*.")
    assert verdict(scenario("dropout_redrawn")) == "inconclusive"
    assert verdict(scenario("dropout_redrawn", freeze_masks=True)) == "correct"


def test_step_8_green_and_blind():
    says(HERE, "tanh′ is missing, and the check is green and says to what it is blind.")
    state = scenario("bug_hidden_by_small_weights")
    assert verdict(state) == "correct"
    assert "blind to a missing or wrong derivative" in banner(state)
    assert state.bug == "missing_activation_derivative"
    assert state.activation == "tanh"
    says(HERE, "With larger weights, *wrong*.")
    state.weight_scale = 0.5
    assert verdict(state) == "wrong"


def test_step_9_it_learns_only_worse():
    says(HERE, "It does, only worse.")
    state = scenario("bug_hidden_by_small_weights", weight_scale=0.5)
    assert comparison(state.result, trainings(state.result)) == "It still learns, only worse."


@pytest.mark.parametrize("title", TITLES)
def test_each_picture_is_offered_by_its_title(title):
    assert title in prose(HERE)


def test_every_bold_name_of_a_picture_is_one():
    table = prose(HERE).split("the picture to tick")[1].split("| group")[0]
    named = re.findall(r"\*\*([^*]+)\*\*", table)
    assert sorted(named) == sorted(TITLES)
    assert len(TITLES) == len(NAMES)


def test_a_bugs_line_is_flat_where_the_others_fall_and_rise():
    says(HERE, "a bug's line is flat, round-off falls to the right, truncation rises")

    def errors(*steps, **settings):
        return [LabState(eps=eps, **settings).result.report.norm_ratio for eps in steps]

    flat = errors(1e-8, 1e-5, 1e-3, bug="flipped_sign")
    assert max(flat) < 1.01 * min(flat)
    assert errors(1e-10)[0] > 10 * errors(1e-7)[0]
    assert errors(1e-2)[0] > 10 * errors(1e-4)[0]


def test_the_scenarios():
    says(HERE, "Twelve phenomena come first, then each bug of the museum.")
    assert [name.startswith("bug_") and name[4:] in MLP_BUGS for name in SCENARIOS] == [
        *[False] * 12, *[True] * len(MLP_BUGS)
    ]  # fmt: skip
    says(HERE, "Whatever is set can be shared as one line of code")
    state = LabState(activation="relu", eps=1e-7)
    other = LabState()
    other.load_line(state.line)
    assert other.settings == state.settings


def test_the_groups_and_their_ranges():
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", prose(HERE), re.MULTILINE))
    assert [name for name in GROUPS if name] == [name for name in rows if name in GROUPS]
    assert GROUPS[""] == ("eps", "weight_scale")
    assert [LABELS[name] for name in GROUPS[""]] == ["step eps", "weight scale"]
    says(HERE, "**step eps**, 1e-13 … 1e-1")
    assert RANGES["eps"] == (1e-13, 1e-1)
    says(HERE, "the standard deviation of the weights, 1e-4 … 1e2")
    assert RANGES["weight_scale"] == (1e-4, 1e2)
    says(HERE, "up to 4 hidden layers of 64 units")
    assert (MOST_LAYERS, MOST_UNITS) == (4, 64)


def words_on(widget):
    """Return the descriptions and the tooltips of a widget and of all in it."""
    own = {str(getattr(widget, name, None) or "") for name in ("tooltip", "description")}
    return own.union(*map(words_on, getattr(widget, "children", ())))


def test_the_controls_that_are_named_are_there():
    lab = gl.Lab()
    says(HERE, "press its button *Full screen*")
    says(HERE, "*Presentation size*")
    text = "\n".join(words_on(lab))
    for words in ("Full screen", "Presentation size", "Pin", "Reset", "freeze masks", "step eps"):
        assert words in text
    says(HERE, "The arrows beside the list go through all of them")
    assert "Next scenario" in text
    says(HERE, "Hold the mouse over a control, and it says what it does.")
    silent = [name for name, control in lab.controls.items() if words_on(control) == {""}]
    assert silent == []


def test_a_round_of_the_mystery():
    says(HERE, "A round is worth three points")
    assert POINTS == 3
    says(HERE, "a hint or a wrong guess costs one")
    state = LabState()
    one, two = state.new_mystery(seed=3), None
    one.hint()
    assert one.worth == 2
    two = state.new_mystery(seed=3)
    wrong = next(line for line in two.choices if not two.guess("W1", line).solved)
    assert wrong
    assert two.worth == 2


def test_with_a_seed_everybody_gets_the_same_bug():
    says(HERE, "With a seed, everybody gets the same bug")
    assert LabState().new_mystery(seed=3).reveal() == LabState().new_mystery(seed=3).reveal()


def test_what_is_said_of_the_round_that_is_over():
    says(HERE, "one tensor is wrong and all others are right")
    says(HERE, "the fault lies in that tensor's own line")
    state = LabState()
    told = state.new_mystery(seed=3).reveal()
    assert state.result.report.wrong == ["W2"]
    assert "wrong: dW2 =" in told

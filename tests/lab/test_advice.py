"""What the banner advises is followed: it leads to a verdict, and never in a circle."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import SCENARIOS, LabState, Settings
from gradlab.lab.model.remedy import best_step, remedy, verdict_at
from gradlab.lab.model.result import SWEEP_EPS, Result, compute
from gradlab.lab.text.reasons import advice, told

#: How many steps from end to end.
STEPS = [7, pytest.param(25, marks=pytest.mark.soak)]


def moved(result, **changes):
    return compute(result.settings.replace(**changes), previous=result)


def followed(result, moves=2):
    """Return what following the advice leads to: to a verdict, or to what no step decides."""
    for _ in range(moves):
        if result.report.verdict != "inconclusive" or advice(result).is_last:
            return result
        assert advice(result).changes, told(result)
        result = moved(result, **advice(result).changes)
    return result


def holds_for_all_steps(result):
    """Whether it is true that no step decides, and that what would help does."""
    verdicts = {verdict_at(result, float(eps)) for eps in SWEEP_EPS}
    given = advice(result)
    assert verdicts == {"inconclusive"}, told(result)
    if given.changes:
        other = moved(result, **given.changes)
        assert not advice(other).is_last, told(result)
        assert followed(other, 1).report.verdict != "inconclusive", told(result)


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_wherever_eps_is_two_moves_lead_to_a_verdict_or_no_step_does(name, steps):
    result, asked = compute(SCENARIOS[name].full()), False
    right = result.settings.bug == "none" and not name.startswith("l2_forgotten")
    for eps in np.logspace(-13, -1, steps):
        result = moved(result, eps=float(eps))
        end = followed(result)
        if advice(end).is_last and end.report.verdict == "inconclusive":
            asked = asked or holds_for_all_steps(end) or True
            continue
        assert end.report.verdict == "correct" if right else (
            end.report.verdict in ("correct", "wrong")), (eps, told(end))  # fmt: skip
    hopeless = {"kinks", "vanishing_gradients_in_eight_layers"}
    assert asked == (name in hopeless)


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_advised_for_another_control_helps_or_is_followed_by_what_does(name):
    result = compute(SCENARIOS[name].full())
    before = result.report.verdict
    for _ in range(2):
        given = advice(result)
        if not given.changes:
            break
        result = moved(result, **given.changes)
    if before != "correct":
        assert result.report.verdict == "correct", (name, told(result))
    elif result.settings != SCENARIOS[name].full():  # a bug that was hidden shows, then is mended
        assert result.report.verdict == "correct"
        assert result.settings.bug == "none"


def test_a_bug_that_hides_comes_out_with_the_first_move():
    result = compute(SCENARIOS["bug_hidden_by_small_weights"].full())
    assert set(advice(result).changes) == {"weight_scale"}
    assert moved(result, **advice(result).changes).report.verdict == "wrong"


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_words_name_the_step_and_the_side(side):
    result = compute(Settings(hidden=(4,), eps=1e-1 if side == "left" else 1e-13))
    given = advice(result)
    eps = given.changes["eps"]
    assert given.words == f"Move eps to the {side}, to about {eps:.0e}.".replace("e-", "e‑")
    assert (eps < result.settings.eps) == (side == "left")


def test_what_was_found_is_kept_while_eps_moves_and_costs_nothing_again(monkeypatch):
    result = compute(SCENARIOS["kinks"].full())
    first = advice(result)

    def refuse(*args, **kwargs):
        raise AssertionError("computed again")

    monkeypatch.setattr("gradlab.lab.model.remedy.check_at", refuse)
    assert advice(compute(result.settings.replace(eps=2e-3), previous=result)) == first


def test_while_the_sweep_is_rough_only_a_few_steps_are_tried(monkeypatch):
    asked = []
    settings = Settings(hidden=(16, 16), activation="relu", weight_scale=1e-2, eps=1e-3)
    result = compute(settings, coarse=True)
    assert result.rough
    check = gl.lab.model.remedy.check_at
    monkeypatch.setattr(
        "gradlab.lab.model.remedy.check_at", lambda *at: asked.append(at) or check(*at)
    )
    assert remedy(result) is None
    best_step(result)
    assert len(asked) <= 3
    assert told(result)[1].changes == {}  # what would help is looked for at rest


@pytest.mark.parametrize(("train_steps", "are_many"), [(10, True), (60, False)])
def test_a_long_training_is_not_repeated_to_find_what_helps(train_steps, are_many, monkeypatch):
    tried = []
    monkeypatch.setattr(Result, "anew", lambda self, settings: tried.append(settings) or self)
    monkeypatch.setattr("gradlab.lab.model.remedy.best_step", lambda *given: (None, None))
    settings = Settings(hidden=(4,), activation="relu", dtype="float32", train_steps=train_steps)
    assert remedy(compute(settings), frozenset()) is None
    assert tried[0] == settings.replace(dtype="float64")
    assert (len(tried) > 1) == are_many


@pytest.mark.parametrize(
    "net",
    [
        gl.convnet((1, 4, 8), filters=(2, 3), padding=(1, 1), classes=3),
        gl.lstm(3, 4, 2),
        gl.mlp([3, 6, 6, 6, 6, 2], "relu"),
        gl.mlp([3, 5, 2], batch_norm=True),
        gl.mlp([3, 5, 2], weight_scale=1e-3),
    ],
    ids=lambda net: type(net).__name__ + str(len(net.params)),
)
def test_the_same_holds_of_the_callers_networks(net):
    rng = np.random.default_rng(0)
    shapes = {"ConvNet": (6, 1, 4, 8), "LSTMNet": (4, 6, 3), "MLP": (6, 3)}
    x = rng.standard_normal(shapes[type(net).__name__])
    state = LabState(net, x, np.arange(6) % 2)
    for eps in np.logspace(-13, -1, 7):
        state.eps = float(eps)
        state.refine()
        for _ in range(2):
            given = advice(state.result)
            if state.result.report.verdict != "inconclusive" or given.is_last:
                break
            state.update(**given.changes)
            assert state.error == ""
        if state.result.report.verdict == "inconclusive":
            assert advice(state.result).is_last
            verdicts = {verdict_at(state.result, float(e)) for e in SWEEP_EPS}
            assert verdicts == {"inconclusive"}


@pytest.mark.parametrize("eps", [1e-3, 1e-5, 1e-7, 1e-11])
def test_at_a_kink_no_step_is_blamed_and_other_biases_help(eps):
    """The lab of lesson 06: a unit's z is exactly 0, so round-off is not what forbids a verdict."""
    settings = Settings(data="spirals", hidden=(4, 4), activation="relu", seed=2, eps=eps)
    given = advice(compute(settings))
    assert given.is_last
    assert set(given.changes) == {"bias_scale"}
    assert "at a kink themselves, and every step crosses it" in given.words
    assert "round-off" not in given.words
    assert "Set bias scale to 0.1." in given.words
    moved = compute(settings.replace(eps=1e-5, **given.changes))
    assert moved.report.verdict == "correct"
    assert verdict_at(compute(settings), 1e-13) == "inconclusive"


def test_where_the_parameters_are_beside_the_kinks_round_off_and_kinks_are_told():
    given = advice(compute(SCENARIOS["kinks"].full()))
    assert "short ones leave round-off, and longer ones cross kinks" in given.words
    assert "bias_scale" not in given.changes

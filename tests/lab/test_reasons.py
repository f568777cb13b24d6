"""At which numbers the lab's sentences change: each by a result made up for it."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from gradlab.checking import Verdict
from gradlab.lab import LabState, Settings
from gradlab.lab.board.scene import Scene
from gradlab.lab.model import remedy as remedy_module
from gradlab.lab.model.cost import Cost
from gradlab.lab.model.function import Function
from gradlab.lab.model.remedy import _proposals, at_a_kink, best_step, drowned
from gradlab.lab.model.result import compute
from gradlab.lab.text import advice as advice_module
from gradlab.lab.text.advice import NO_ADVICE, another_step, to_change
from gradlab.lab.text.banner import cost_line
from gradlab.lab.text.reasons import _of_the_step, _only_round_off, advice, deserves_a_band, told
from gradlab.lab.text.summary import _caveats, _network_line, _numbers, wrapped
from tests.lab.panels.cases import result_of


class Report(dict):
    """A report of made-up tensors."""

    def __init__(self, tensors, **more):
        super().__init__(tensors)
        self.tensors = self
        self.__dict__.update(more)


# -- the step ------------------------------------------------------------------------------------


def at_a_step(eps=1e-5, error=1.0, best=1e-5, scheme="central", net="a network", **swept):
    """Return a result whose sweep has errors of 1, but for those that are given by their ratio."""
    ratios = np.array([1e-3, 0.5, 1.0, 2.0, 1e3, *swept.get("low", ())])
    errors = np.array([1.0] * 5 + [swept.get("to", 0.1)] * (len(ratios) - 5))
    order = np.argsort(ratios)
    sweep = SimpleNamespace(
        eps=eps * ratios[order], errors={"W1": errors[order]}, predicted_best_eps=best
    )
    report = Report({"W1": SimpleNamespace(error=error)}, deciding=swept.get("name", "W1"))
    report["b1"] = SimpleNamespace(error=error)
    settings = Settings(eps=eps, scheme=scheme)
    return SimpleNamespace(settings=settings, sweep=sweep, report=report, net=net)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1 / 101, ""), (1 / 99, "long"), (1 / 3.1, "long"), (1 / 2.9, ""),
        (2.9, ""), (3.1, "short"), (99.0, "short"), (101.0, ""),
    ],
)  # fmt: skip
def test_a_step_is_blamed_for_what_is_better_within_two_decades_and_not_beside_it(ratio, words):
    said = _of_the_step(at_a_step(low=[ratio]))
    assert (f"too {words}" in said) if words else said == ""


@pytest.mark.parametrize(("to", "blamed"), [(0.51, False), (0.49, True)])
def test_half_the_error_is_better(to, blamed):
    assert bool(_of_the_step(at_a_step(low=[0.1], to=to))) == blamed


def test_of_both_sides_the_better_one_is_told():
    assert "too long" in _of_the_step(at_a_step(low=[0.1, 0.05]))
    both = at_a_step(low=[0.1, 10.0])
    both.sweep.errors["W1"][both.sweep.eps > 3e-5] /= 5
    assert "too short" in _of_the_step(both)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("eps", "low", "words"),
    [
        (29e-5, 0.1, "too long"), (31e-5, 0.1, "far above the predicted best, 1e‑05"),
        (1e-5 / 29, 10.0, "too short"), (1e-5 / 31, 10.0, "far below the predicted best, 1e‑05"),
    ],
)  # fmt: skip
def test_thirty_times_the_best_step_is_far(eps, low, words):
    assert words in _of_the_step(at_a_step(eps=eps, low=[low]))


@pytest.mark.parametrize("error", [0.0, math.nan])
def test_where_there_is_no_error_the_step_is_not_blamed(error):
    assert _of_the_step(at_a_step(error=error, low=[0.1])) == ""


def test_what_is_subtracted_leaves_round_off_and_of_a_function_noise():
    assert "leaves round-off" in _of_the_step(at_a_step(low=[10.0]))
    assert "leaves noise" in _of_the_step(at_a_step(low=[10.0], net=None))
    assert _of_the_step(at_a_step(low=[10.0], scheme="complex_step")) == ""
    assert "bends within it" in _of_the_step(at_a_step(low=[0.1], scheme="complex_step"))
    assert _of_the_step(at_a_step(low=[0.1], name="b1")) == "", "a tensor that was not swept"


# -- L2 ------------------------------------------------------------------------------------------


def test_l2_swamps_from_a_hundred_times_the_datas_gradient_on():
    """λ is chosen for the tensor where its part is smallest, by the gradient without it."""
    made = {"hidden": (4,), "bug": "flipped_sign"}
    plain = compute(Settings(**made))
    ratios = [
        np.linalg.norm(plain.net.params[name]) / np.linalg.norm(plain.analytic[name])
        for name in plain.net.weight_names
    ]
    for times, swamped in ((99.0, False), (101.0, True)):
        result = compute(Settings(**made, use_l2=True, l2=float(times / min(ratios))))
        assert ("the L2 term is over 1e‑02".replace("1e‑02", "1e+02") in told(result)[0]) == swamped
        assert advice(result).changes == ({"l2": 1e-3} if swamped else {"bug": "none"})


def test_of_a_gradient_of_ones_own_a_picture_tells_the_kind_of_bug_and_of_a_mystery_none():
    brought = Function.check(lambda t: float(t @ t), lambda t: 3 * t, np.array([1.0, -2.0]))
    result = compute(brought.settings(), brought)
    assert result.report.verdict == "wrong"
    given = advice(result)
    assert (given.words, given.changes) == (
        "The panel “Ratio and cosine” tells what kind of bug it is.", {},
    )  # fmt: skip
    state = LabState(hidden=(4,))
    state.new_mystery(0)
    assert state.result.report.verdict == "wrong"
    assert advice(state.result) == NO_ADVICE


@pytest.mark.parametrize("l2_in_loss", [True, False])
def test_l2_in_one_gradient_alone_is_mended_in_both(l2_in_loss):
    settings = Settings(
        hidden=(4,), use_l2=True, l2=0.1, l2_in_loss=l2_in_loss, l2_in_gradient=not l2_in_loss
    )
    given = advice(compute(settings))
    assert given.changes == {"l2_in_loss": True, "l2_in_gradient": True}
    assert compute(settings.replace(**given.changes)).report.verdict == "correct"


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        ({"bug": "missing_dropout_mask"}, {"use_dropout": True}),
        ({"bug": "missing_dropout_mask", "use_dropout": True, "dropout_rate": 0.0},
         {"dropout_rate": 0.5}),
        ({"bug": "missing_l2"}, {"use_l2": True}),
        ({"bug": "missing_l2", "use_l2": True, "l2_in_gradient": False, "l2_in_loss": False},
         {"l2_in_gradient": True}),
        ({"use_dropout": True, "freeze_masks": False}, {"freeze_masks": True}),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_switched_off_is_switched_on(settings, changes):
    assert advice(compute(Settings(hidden=(4,), **settings))).changes == changes


def test_two_bugs_that_cannot_show_are_woken_by_the_first():
    state = LabState(hidden=(4,), bug="missing_l2", second_bug="missing_dropout_mask")
    why, given = told(state.result)
    assert why.startswith("Two bugs are planted: ")
    assert "(which cannot show: L2 is off)" in why
    assert "(which cannot show: dropout is off)" in why
    assert given.changes == {"use_l2": True}


# -- correct -------------------------------------------------------------------------------------


def entry(analytic, numerical, errors):
    return SimpleNamespace(
        analytic=np.array(analytic), numerical=np.array(numerical), errors=np.array(errors)
    )


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("error", "measure", "verdict", "fits"),
    [
        (1e-4, "max_relative", "correct", True), (1.01e-4, "max_relative", "correct", False),
        (1e-9, "norm_ratio", "correct", False), (1e-9, "max_relative", "inconclusive", False),
        (math.nan, "max_relative", "correct", False),
    ],
)  # fmt: skip
def test_a_band_is_named_for_small_relative_errors_of_right_code(error, measure, verdict, fits):
    report = SimpleNamespace(error=error, measure=measure, verdict=Verdict(verdict))
    assert deserves_a_band(report) == fits


def test_entries_that_are_off_are_told_by_their_tensors_size_or_by_the_wholes():
    near = Report({"W1": entry([1.0, 1e-6], [1.0, 2e-6], [0.0, 0.5])}, error=0.5)
    assert _only_round_off(near) == (
        "1 of 2 entries differs by more than 1e-4 of its own size, but by at most 1e‑06 of its "
        "tensor's largest"
    )
    lost = Report(
        {"W1": entry([100.0], [100.0], [1e-4]), "b1": entry([1e-6, 1.0], [2e-6, 0.9], [0.5, 0.1])},
        error=0.5,
    )
    assert _only_round_off(lost) == (
        "2 of 3 entries differ by more than 1e-4 of their own size, but by at most 1e‑03 of the "
        "whole gradient's largest"
    )
    assert _only_round_off(Report(near, error=1e-4)) == ""
    assert _only_round_off(Report({"W1": entry([1.0], [1.0], [1e-4])}, error=1.0)) == ""


# -- the words that a notebook keeps -------------------------------------------------------------


@pytest.mark.parametrize(("letters", "lines"), [(92, 1), (93, 2)])
def test_a_line_of_92_letters_is_one(letters, lines):
    line = "  " + "a" * 40 + ", " + "b" * (letters - 44)
    assert len(line) == letters
    broken = wrapped(line).split("\n")
    assert len(broken) == lines
    assert lines == 1 or broken[1] == " " * 6 + "b" * (letters - 44)


def ratios(eps=1e-5, best=1e-5, error=1e-3, **norm_ratios):
    """Return the lines on orders of magnitude of a result with these norm ratios."""
    tensors = {name: SimpleNamespace(norm_ratio=value) for name, value in norm_ratios.items()}
    report = Report(tensors, relative_error=error)
    sweep = SimpleNamespace(predicted_best_eps=best)
    return _numbers(SimpleNamespace(report=report, sweep=sweep, settings=Settings(eps=eps)))


def test_norm_ratios_are_told_by_ngs_bands():
    (line,) = ratios(a=1e-7, b=1.1e-7, c=1e-5, d=1.1e-5, e=1e-3, f=1.1e-3, g=math.nan, h=0.0)
    assert line == (
        "  norm ratio: up to 1e-07 in a, h; up to 1e-05 in b, c; up to 1e-03 in d, e; "
        "above 1e-03 in f; not defined in g"
    )


@pytest.mark.parametrize(
    ("eps", "error", "said"),
    [(1e-5 * 30, 2e-3, "about 1e-03"), (29e-5, 2e-3, ""), (1e-1, 0.0, ""), (1e-1, math.inf, ""),
     (1e-1, 40.0, "about 1e+02")],
)  # fmt: skip
def test_an_error_is_told_where_truncation_rules(eps, error, said):
    lines = ratios(eps, error=error, a=1e-9)
    assert (said in lines[-1]) if said else len(lines) == 1


@pytest.mark.parametrize(("count", "words"), [(1, "1 example,"), (2, "2 examples,")])
def test_examples_and_steps_are_counted_in_words(count, words):
    settings = Settings(hidden=(2,), examples=count, train_steps=count, time_steps=count)
    line = _network_line(settings, compute(Settings(hidden=(2,), examples=count)))
    assert f"moons, {words}" in line
    steps = "1 training step" if count == 1 else "2 training steps"
    assert line.endswith(steps)
    first = "first 1 time step," if count == 1 else "first 2 time steps,"
    assert first in line


# -- what it cost --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(0.04, "0.0 ms"), (9.94, "9.9 ms"), (10.0, "10 ms"), (10.6, "11 ms")],
)
def test_short_times_have_a_tenth(milliseconds, words):
    result = result_of("parabola")
    line = cost_line(SimpleNamespace(
        net=None, problem=result.problem, settings=result.settings, report=result.report,
        cost=Cost(14, milliseconds)))  # fmt: skip
    assert line == f"14 evaluations of the function, {words}"


def test_a_frame_at_rest_tells_it():
    result = result_of("default")
    frame = Scene(["u_curve"]).frame(result)
    assert frame.told["cost"] == cost_line(result)
    assert Scene(["u_curve"]).frame(result, at_rest=False).told is None


# -- which other setting is tried ----------------------------------------------------------------


def proposed(kink=False, net=None, **settings):
    result = SimpleNamespace(
        settings=Settings(**settings), net=result_of("default").net if net is None else net,
        sweep=SimpleNamespace(kinks_from=1e-13 if kink else math.inf, eps=np.array([1e-13, 1e-1])),
    )  # fmt: skip
    return list(_proposals(result))


def test_the_nearest_weight_scales_are_tried_and_then_another_network():
    scales = [{"weight_scale": scale} for scale in (1.0, 0.2, 2.0)]  # by factors, of 0.5
    assert proposed() == [*scales, {"seed": 1}]
    assert proposed(activation="relu", seed=4) == [*scales, {"activation": "tanh"}, {"seed": 5}]
    assert proposed(weight_scale=50.0)[:4] == [{"weight_scale": s} for s in (5.0, 2.0, 1.0, 0.5)]
    assert proposed(net="a convnet") == scales
    assert proposed(scheme="forward")[0] == {"scheme": "central"}
    assert proposed(dtype="float32")[0] == {"dtype": "float64"}


@pytest.mark.parametrize(
    ("bias_scale", "tried"), [(0.0, [0.1, 0.5]), (0.1, [0.5]), (0.3, [0.5]), (0.5, [])]
)
def test_at_a_kink_larger_biases_are_tried_first(bias_scale, tried):
    found = proposed(kink=True, bias_scale=bias_scale)
    assert found[: len(tried)] == [{"bias_scale": scale} for scale in tried]
    assert "bias_scale" not in found[len(tried)]
    assert not any("bias_scale" in changes for changes in proposed(bias_scale=0.0))


@pytest.mark.parametrize(("steps", "more"), [(50, True), (51, False)])
def test_a_training_of_more_than_fifty_steps_is_not_repeated(steps, more):
    found = proposed(dtype="float32", train_steps=steps)
    assert found[0] == {"dtype": "float64"}
    assert (len(found) > 1) == more


def test_a_function_has_no_other_setting():
    result = result_of("parabola")
    assert list(_proposals(result)) == []


@pytest.mark.parametrize(
    ("rough", "most", "tried", "sure"), [(True, None, 3, False), (True, 5, 5, False),
                                         (True, 8, 8, True), (False, None, 8, True)],
)  # fmt: skip
def test_how_many_steps_are_tried(rough, most, tried, sure, monkeypatch):
    steps, asked = [10.0**-k for k in range(1, 9)], []
    monkeypatch.setattr(remedy_module, "_promising", lambda result: steps)
    monkeypatch.setattr(
        remedy_module, "verdict_at", lambda result, eps: asked.append(eps) or "inconclusive"
    )
    result = SimpleNamespace(held=False, rough=rough, problem=SimpleNamespace(memo={}))
    assert best_step(result, most=most) == (None, sure)
    assert asked == steps[:tried]
    result.held = True
    asked.clear()
    assert best_step(result) == (None, sure), "what was found, and that there is no better"
    assert asked == []


@pytest.mark.parametrize(
    ("bug", "data", "words"),
    [("none", "moons", "makes this correct"), ("bias_mean", "moons", "decides this"),
     ("none", "yours", "decides this")],
)  # fmt: skip
def test_of_right_code_no_step_is_said_to_make_it_correct(bug, data, words, monkeypatch):
    monkeypatch.setattr(advice_module, "best_step", lambda result: (None, True))
    monkeypatch.setattr(advice_module, "remedy", lambda result: None)
    monkeypatch.setattr(advice_module, "_because", lambda result: "of this")
    report = SimpleNamespace(why="", advice="")
    result = SimpleNamespace(settings=Settings(bug=bug, data=data), report=report)
    assert another_step(result).words == f"No step {words}: of this."
    assert (another_step(result).changes, another_step(result).is_last) == ({}, True)
    monkeypatch.setattr(advice_module, "remedy", lambda result: {"weight_scale": 0.2})
    assert another_step(result).words.endswith("of this. Lower the weight scale to 0.2.")
    assert another_step(result).changes == {"weight_scale": 0.2}
    monkeypatch.setattr(advice_module, "best_step", lambda result: (None, False))
    assert another_step(result) is NO_ADVICE


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"weight_scale": 0.6}, "Raise the weight scale to 0.6."),
     ({"weight_scale": 0.4}, "Lower the weight scale to 0.4."),
     ({"dtype": "float64"}, "Use float64."), ({"seed": 3}, "Set seed to 3."),
     ({"bias_scale": 0.1, "eps": 1e-3}, "Set bias scale to 0.1. Set step eps to 0.001.")],
)  # fmt: skip
def test_a_change_is_a_sentence(changes, words):
    assert to_change(SimpleNamespace(settings=Settings()), changes) == words


@pytest.mark.every_case
@pytest.mark.parametrize(("dtype", "shown"), [("float64", 1e-3), ("float32", 2e-2)])
@pytest.mark.parametrize(("times", "lost"), [(0.97, True), (1.03, False)])
def test_a_tensor_drowns_where_rounding_hides_more_than_a_check_may_leave_open(
    dtype, shown, times, lost
):
    """Three times the rounding of one loss, over the longest step, against a share of its size."""
    rounding, loss = float(np.finfo(dtype).eps), 2.0
    limit = 3 * rounding * loss / (0.1 * shown)
    net = SimpleNamespace(dtype=np.dtype(dtype), loss=lambda x, y, masks: -loss)
    problem = SimpleNamespace(function=None, masks=lambda settings: None)
    made = {"net": net, "x": None, "y": None, "problem": problem, "settings": Settings()}
    analytic = {"W1": np.array([100 * limit]), "b1": np.array([times * limit / 1.01, 0.0])}
    assert drowned(SimpleNamespace(analytic=analytic, **made)) == ("b1" if lost else "")
    # a tensor of zeros is compared with a billionth of the whole gradient
    zeros = {"W1": np.array([times * limit / 1e-9]), "b1": np.zeros(2)}
    assert drowned(SimpleNamespace(analytic=zeros, **made)) == ("b1" if lost else "")
    made["settings"] = Settings(scheme="complex_step")
    assert drowned(SimpleNamespace(analytic=analytic, **made)) == ""


@pytest.mark.parametrize(("first", "at"), [(1e-13, True), (1.1e-13, False), (math.inf, False)])
def test_the_shortest_step_that_crosses_a_kink_tells_that_one_is_there(first, at):
    sweep = SimpleNamespace(kinks_from=first, eps=np.array([1e-13, 1e-1]))
    assert at_a_kink(SimpleNamespace(sweep=sweep)) == at


def test_masks_that_are_drawn_anew_at_a_rate_of_0_are_no_reason():
    made = {"hidden": (4,), "eps": 1e-13, "use_dropout": True, "freeze_masks": False}
    assert told(compute(Settings(**made)))[1].changes == {"freeze_masks": True}
    for other in ({"dropout_rate": 0.0}, {"freeze_masks": True}):
        why, given = told(compute(Settings(**made | other)))
        assert "masks" not in why
        assert "freeze_masks" not in given.changes


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"marks": ["zero", "zero"]}, "gradient and differences of W1 are exactly 0"),
        ({"net": None}, "each leaves too much noise, bends too much or crosses a kink"),
        ({"scheme": "complex_step"}, "each leaves some entries undecided"),
        ({"drowned": "W1"}, "the gradient of W1 is at most 3e‑14, and rounding alone can put a "
                            "slope off by 2e‑15 even at the longest step"),
        ({"kinks_from": 1e-13}, "the parameters are at a kink themselves"),
        ({"kinks_from": 1e-5}, "short ones leave round-off, and longer ones cross kinks"),
        ({}, "short ones leave too much round-off, and long ones bend too much"),
    ],
    ids=str,
)  # fmt: skip
def test_why_no_step_decides(state, words, monkeypatch):
    made = {"marks": ["ok", "zero"], "net": "a network", "drowned": "", "scheme": "central",
            "kinks_from": math.inf} | state  # fmt: skip
    monkeypatch.setattr(advice_module, "drowned", lambda result: made["drowned"])
    monkeypatch.setattr(advice_module, "rounding", lambda result: 2.2e-16)
    result = SimpleNamespace(
        report=Report({"W1": SimpleNamespace(marks=np.array(made["marks"]))}), net=made["net"],
        settings=Settings(scheme=made["scheme"]), analytic={"W1": np.array([1e-14, -2.1e-14])},
        sweep=SimpleNamespace(kinks_from=made["kinks_from"], eps=np.array([1e-13, 1e-1])),
    )  # fmt: skip
    assert advice_module._because(result).startswith(words)


def test_how_many_entries_are_too_small_is_not_told_where_machines_would_differ():
    said = ("3 of 9 entries are exactly 0", "2 of 9 entries are too small to tell from 0")
    report = SimpleNamespace(caveats=said, verdict="correct")
    assert _caveats(report).split(";\n    ") == [
        "correct here, and 3 of 9 entries are exactly 0",
        "some entries are too small to tell from 0",
    ]
    report.caveats = said[:1]
    assert _caveats(report) == "correct here, and 3 of 9 entries are exactly 0"
    report.caveats = ()
    assert _caveats(report) == ""

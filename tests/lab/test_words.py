"""What the lab says, and that it is true: each claim recomputed from the arrays."""

import itertools
import math
import re
from functools import cache
from html import unescape

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.fast import crossed_kinks
from gradlab.checking.report import too_small
from gradlab.checking.schemes import SCHEME_TABLE
from gradlab.lab import SCENARIOS, LabState
from gradlab.lab.model.result import compute
from gradlab.lab.model.settings import Settings
from gradlab.lab.text.banner import banner_html, explanation, said
from gradlab.lab.text.summary import summary
from gradlab.lab.text.words import listed, rounded_down, rounded_up, sentence, two_digits

SMALL = Settings(hidden=(4,))


def banner(**changes):
    settings = SMALL.replace(**changes)
    html = banner_html(compute(settings), "", settings)
    return re.sub(r"<[^>]+>", "", html).replace("&nbsp;", " ").replace("‑", "-")


def test_a_healthy_check_says_so_and_asks_for_nothing():
    text = banner()
    assert "✓ correct" in text
    assert "eps = 1.0e-05" in text
    assert "Move" not in text


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"eps": 1e-12}, "? inconclusive"),
        ({"eps": 1e-12}, "Move eps to the right"),
        ({"eps": 1e-12}, "round-off"),
        ({"eps": 1e-1}, "Move eps to the left"),
        (
            {"eps": 1e-1},
            "The step is far above the predicted best, 6e-06: the loss bends within it",
        ),
        ({"scheme": "forward", "eps": 1e-3}, "predicted best, 1e-08"),
        ({"activation": "relu", "weight_scale": 1e-3, "eps": 1e-2}, "? inconclusive"),
        (
            {"activation": "relu", "weight_scale": 1e-3, "eps": 1e-2},
            "entries the step crosses a kink",
        ),
        ({"use_l2": True, "l2_in_loss": False}, "✗ wrong"),
        (
            {"use_l2": True, "l2_in_loss": False},
            "L2 is in the analytic gradient but not in the numerical loss",
        ),
        (
            {"use_l2": True, "l2_in_gradient": False},
            "L2 is in the numerical loss but not in the analytic gradient",
        ),
        ({"use_dropout": True, "freeze_masks": False}, "Tick “freeze masks”"),
        ({"bug": "bias_mean"}, "gradient is a mean over the batch, not a sum"),
        (
            {"bug": "missing_activation_derivative", "loss": "mse", "weight_scale": 1e-4},
            "A bug is planted: the activation is skipped on the way back. It does not show",
        ),
    ],
    ids=lambda v: str(v)[:40],
)
def test_it_says_what_to_move_and_why(changes, words):
    assert words in banner(**changes)


def test_an_error_names_itself_and_is_escaped():
    html = banner_html(None, "step eps: <b>no</b>", SMALL)
    assert "step eps: &lt;b&gt;no&lt;/b&gt;" in html
    assert "press Reset" in html


def test_before_anything_was_computed_nothing_is_claimed():
    words = banner_html(None, "", SMALL)
    assert "nothing yet" in words
    assert not any(verdict in re.sub("<[^>]+>", "", words) for verdict in ("correct", "wrong"))


def test_what_the_report_says_is_escaped():
    result = compute(SMALL)
    object.__setattr__(result.report.judgement, "why", "<img src=x>")
    assert "<img" not in banner_html(result, "", SMALL)


def test_the_complex_step_has_truncation_and_no_round_off():
    above, below = (SMALL.replace(scheme="complex_step", eps=eps) for eps in (1e-1, 1e-13))
    assert explanation(compute(above))[1].startswith("Move eps to the left")
    assert explanation(compute(below))[1] == ""


@pytest.mark.parametrize("eps", [1e-11, 1e-7, 1e-5, 1e-3, 1e-1])
def test_the_summary_holds_no_number_that_round_off_can_change(eps):
    settings = SMALL.replace(eps=eps)
    result = compute(settings)
    text = summary(settings, result, "")
    assert f"verdict: {result.report.verdict}" in text
    told = text.split("verdict")[1]
    for number in re.findall(r"\d[\d.]*e[+-]\d+", told):
        mantissa = float(number) / 10 ** math.floor(math.log10(float(number)))
        assert mantissa == pytest.approx(1)
    assert ("worst relative error" in told) == (eps > 1e-4)


def test_the_summary_tells_the_settings_of_dropout_and_an_error():
    text = summary(SMALL.replace(use_dropout=True, freeze_masks=False), None, "λ of L2: too big")
    assert "dropout 0.5, masks redrawn" in text
    assert "error: λ of L2: too big" in text
    assert "verdict" not in text
    assert "example" not in text, "nothing was computed: nobody knows how many"


def test_the_summary_tells_what_is_set_beyond_the_defaults():
    changes = {"dtype": "float32", "train_steps": 20, "bug": "bias_mean", "bug_layer": 1}
    text = " ".join(summary(SMALL.replace(**changes), None, "").split())
    assert "float32, 20 training steps" in text
    assert "bug bias_mean at layer 1" in text
    plain = summary(SMALL, None, "")
    assert not any(word in plain for word in ("float32", "training", "bug"))


def test_no_line_of_the_summary_is_so_long_that_jupyterlab_breaks_it_within_a_word():
    state = LabState(weight_scale=1e-3, bug="missing_activation_derivative", bug_layer=2)
    lines = [line for line in repr(state).splitlines() if line.startswith("      ")]
    told = ["weight scale 0.001", "bug missing_activation_derivative at layer 2"]
    assert [line.strip() for line in lines] == told
    net = gl.lstm(6, 8, 3, seed=0)
    x = np.random.default_rng(0).standard_normal((3, 2, 6))
    for text in (repr(state), repr(LabState(net, x, np.array([0, 1])))):
        assert max(len(line) for line in text.splitlines()) <= 92
        for line, below in itertools.pairwise(text.splitlines()):
            assert not below.startswith("      ") or line.endswith((",", ";", ":", "."))


def test_l2_that_swamps_is_named_with_what_it_leaves_of_the_bug():
    changes = {"use_l2": True, "l2": 1e4, "bug": "flipped_sign", "measure": "norm_ratio"}
    text = banner(**changes)
    assert "In W1, W2 the L2 term is over" in text
    assert "the largest norm ratio is" in text
    assert "Lower λ" in text
    assert "L2 term" not in banner(**changes | {"l2": 1e-3})
    assert "L2 term" not in banner(**changes | {"bug": "none"})
    for only_biases in ("bias_mean", "l2_on_biases"):  # nothing is wrong in the weights
        assert "L2 term" not in banner(**changes | {"bug": only_biases})


@pytest.mark.parametrize(
    "changes", [{"eps": 1e-12}, {"bug": "flipped_sign"}, {"measure": "norm_ratio"}]
)
def test_the_bands_name_stands_beside_small_relative_errors_alone(changes):
    assert not re.search("happy|usually fine|uncomfortable|probably wrong", banner(**changes))
    assert "happy" in banner()


def test_a_tensors_name_keeps_its_small_letter_at_a_sentences_start():
    assert sentence("b3 is wrong", ["b3"]) == "b3 is wrong."
    assert sentence("b3: x", ["b3"]) == "b3: x."
    assert sentence("every tensor is wrong", ["b3"]) == "Every tensor is wrong."
    assert sentence("") == ""


def test_sizes_are_rounded_to_the_safe_side():
    assert (rounded_up(2.1e-9), rounded_down(2.9e-9)) == ("3e‑09", "2e‑09")
    assert (rounded_up(2e-9), rounded_down(9.7e-1)) == ("2e‑09", "9e‑01")
    assert (rounded_up(9.5e-9), rounded_down(1e-9)) == ("1e‑08", "1e‑09")
    assert (rounded_up(0.0), rounded_down(math.inf)) == ("0", "inf")
    assert listed(["W1", "b1", "W2"]) == "W1, b1 and W2"
    assert (listed(["W1", "b1"]), listed(["W1"])) == ("W1 and b1", "W1")


# -- every claim, recomputed ---------------------------------------------------------------------

EPS = (1e-12, 1e-9, 1e-5, 1e-3, 1e-1)


def _given():
    rng = np.random.default_rng(0)
    labels = np.arange(6) % 2
    yield LabState(gl.convnet((1, 4, 8), filters=(2, 3), padding=(1, 1)),
                   rng.standard_normal((6, 1, 4, 8)), labels)  # fmt: skip
    yield LabState(gl.lstm(3, 4, 2), rng.standard_normal((4, 6, 3)), labels)
    yield LabState(gl.mlp([3, 5, 5, 5, 5, 2], "relu"), rng.standard_normal((6, 3)), labels)
    wrong = gl.mlp([3, 5, 2])
    yield LabState(gl.bugs.plant(wrong, "flipped_sign"), rng.standard_normal((6, 3)), labels)
    for settings in (
        {"activation": "relu"}, {"hidden": (8,) * 6}, {"weight_scale": 0.01},
        {"hidden": (64,) * 4, "data": "digits"}, {"use_l2": True, "l2": 1e-6, "l2_in_loss": False},
        {"dtype": "float32", "activation": "relu"}, {"weight_scale": 50.0, "measure": "norm_ratio"},
    ):  # fmt: skip
        yield LabState(**settings)


@cache
def shown():
    """Return results over scenarios, networks and steps, with what the banner says of each."""
    states = [LabState(scenario=name) for name in SCENARIOS] + list(_given())
    found = []
    for state in states:
        for eps in EPS:
            state.eps = eps
            state.refine()
            html = banner_html(state.result, state.error, state.settings)
            text = re.sub(r"<[^>]+>", "", html).replace("&nbsp;", " ").replace("‑", "-")
            found.append((state.result, unescape(text)))
    return found


def saying(pattern):
    """Return result and match of every banner that says this; there must be some."""
    found = [(r, m) for r, text in shown() if (m := re.search(pattern, text))]
    assert found, pattern
    return found


def relative(tensor):
    """Return the relative errors of a tensor's entries, not by the code that is tested."""
    a, n = tensor.analytic.ravel(), tensor.numerical.ravel()
    with np.errstate(all="ignore"):
        e = np.abs(a - n) / np.maximum(np.abs(a), np.abs(n))
    return np.where((a == 0) & (n == 0), 0.0, e)


def test_the_number_is_that_of_the_tensor_that_is_named_and_that_decides():
    for r, m in saying(
        r"At eps = (\S+) the largest (relative error|norm ratio) is (\S+), in (\w+)"
    ):
        tensor = r.report[m[4]]
        assert float(m[1]) == pytest.approx(r.settings.eps, rel=0.06)
        if m[2] == "relative error":
            errors = {t.name: relative(t).max() for t in r.report.tensors.values()}
        else:
            errors = {
                t.name: np.linalg.norm(t.analytic - t.numerical)
                / (np.linalg.norm(t.analytic) + np.linalg.norm(t.numerical))
                for t in r.report.tensors.values()
            }
        assert m[3] == f"{errors[m[4]]:.1e}"
        same = [n for n in r.report if r.report[n].verdict == r.report.verdict] or list(r.report)
        assert tensor.name in same
        assert not any(errors[n] > errors[m[4]] for n in same)
        assert r.tensor == r.report.deciding == m[4]  # agreement and heatmap show it
        assert m[4] in r.report.why or r.report.verdict == "correct"  # and the report names it


def test_the_sweeps_value_at_a_swept_step_is_the_reports():
    for r, _ in shown():
        at = np.flatnonzero(np.isclose(r.sweep.eps, r.settings.eps, rtol=1e-9))
        for name in r.report if len(at) and not isinstance(
            r.problem.masks(r.settings), np.random.Generator) else ():  # fmt: skip
            swept, checked = r.sweep.errors[name][at[0]], r.report[name].error
            # elsewhere round-off rules, and copies that run side by side share it otherwise
            if r.settings.eps >= 1e-3 and r.report.verdict == "correct":
                # which here, too, is all that there is of the smallest entries
                unit, sizes = np.finfo(r.net.dtype).eps, np.abs(r.report[name].analytic)
                noise = 8 * unit * r.net.loss(r.x, r.y) / r.settings.eps / sizes[sizes > 0].min()
                assert swept == pytest.approx(checked, rel=1e-2, abs=noise), (name, r.settings)


def test_the_bands_name_is_the_band_of_the_number():
    edges = {"happy": (0, 1e-7), "usually fine": (1e-7, 1e-4)}
    for r, m in saying(r"is (\S+), in (\w+): ([a-z ]+)\."):
        low, high = edges[m[3]]
        assert low <= r.report[m[2]].error <= high
        assert r.report.verdict == "correct"
        assert r.settings.measure == "max_relative"


def test_agreeing_entries_are_counted_without_those_that_prove_nothing():
    for r, m in saying(
        r"[. ](All )?(\d+)(?: of (\d+))? entries of (\d+) tensors (agree|were checked)"
    ):
        tensors = r.report.tensors.values()
        zero = sum(int(((t.analytic == 0) & (t.numerical == 0)).sum()) for t in tensors)
        checked = sum(t.analytic.size for t in tensors)
        assert int(m[4]) == len(r.report)
        if m[5] == "agree":
            assert int(m[2]) == checked - zero
            assert bool(m[1]) == (not zero)
        else:
            assert (int(m[2]), int(m[3])) == (checked, r.net.size)


def test_an_error_as_large_as_is_said_is_seen():
    rng = np.random.default_rng(0)
    for r, m in saying(r"an error of (\S+) would have been seen")[::4]:
        analytic = {name: value.copy() for name, value in r.analytic.items()}
        name = str(rng.choice(list(analytic)))
        entries = r.report[name].entries
        k = rng.integers(analytic[name].size) if entries is None else rng.choice(entries)
        if analytic[name].flat[k] == 0:
            continue
        analytic[name].flat[k] += 1.5 * float(m[1]) * np.abs(r.report[name].numerical).max()
        s = r.settings
        again = gl.check(r.net, r.x, r.y, eps=s.eps, scheme=s.scheme, analytic=analytic,
                         masks=r.problem.masks(s), **r.problem.sampling)  # fmt: skip
        assert again.verdict != "correct", (s, name)


def test_what_is_untested_is_counted_and_none_of_it_could_fail():
    for r, m in saying(r"here, and .*?(\d+) of (\d+) entries (?:is|are) exactly 0 on both sides"):
        tensors = r.report.tensors.values()
        zero = sum(int(((t.analytic == 0) & (t.numerical == 0)).sum()) for t in tensors)
        assert (int(m[1]), int(m[2])) == (zero, sum(t.analytic.size for t in tensors))
    for r, m in saying(r"here, and .*?(\d+) of (\d+) entries (?:is|are) too small to tell from 0"):
        assert 0 < int(m[1]) <= int(m[2])
        masks = too_small(r.report)
        assert int(m[1]) == sum(int(mask.sum()) for mask in masks.values())
        halved = {name: value.copy() for name, value in r.analytic.items()}
        for name, mask in masks.items():
            entries = r.report[name].entries
            at = mask.ravel() if entries is None else entries[mask.ravel()]
            halved[name].reshape(-1)[at] *= 0.5
        again = gl.check(r.net, r.x, r.y, eps=r.settings.eps, analytic=halved,
                         masks=r.problem.masks(r.settings), **r.problem.sampling)  # fmt: skip
        assert again.verdict == "correct", r.settings
    for r, m in saying(r"only (\d+) of (\d+) entries were checked"):
        checked = sum(t.analytic.size for t in r.report.tensors.values())
        assert (int(m[1]), int(m[2])) == (checked, r.net.size)


def test_of_what_it_is_blind_to_nothing_shows():
    planted = 0
    for r, m in saying(r"blind(?: at layer ([\d, ]+))? to a missing or wrong derivative"):
        layers = gl.bugs.layers(r.net, "missing_activation_derivative")
        named = [int(n) for n in m[1].split(", ")] if m[1] else layers
        hidden = []
        for layer in named:
            net = gl.bugs.plant(r.net, "missing_activation_derivative", layer)
            masks = r.problem.masks(r.settings)
            verdict = gl.check(net, r.x, r.y, eps=r.settings.eps, masks=masks).verdict
            hidden.append(verdict == "correct")
        planted += sum(hidden)
    assert planted


def test_of_two_planted_bugs_both_are_told():
    one, two = (gl.bugs.describe(name).summary for name in ("bias_mean", "flipped_sign"))
    assert one in unescape(banner(bug="bias_mean"))
    assert two not in unescape(banner(bug="bias_mean"))
    text = unescape(banner(bug="bias_mean", second_bug="flipped_sign"))
    assert "Two bugs are planted" in text
    assert one in text
    assert two in text


def test_a_kink_is_crossed_at_as_many_entries_as_are_told():
    for r, m in saying(r"At (\d+) of (\d+) entries the step crosses a kink"):
        assert r.report.verdict == "inconclusive"
        crossed = crossed_kinks(r.net, r.x, r.y, r.settings.eps, SCHEME_TABLE[r.settings.scheme],
                                r.problem.masks(r.settings))  # fmt: skip
        assert int(m[1]) == sum(int((c > 0).sum()) for c in crossed.values())
        assert int(m[1]) <= int(m[2]) == r.net.size
    assert not any(
        "kink" in text for r, text in shown()
        if r.settings.activation == "tanh" and r.settings.data != "yours"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "side"), [("far above|too long", -1), ("far below|too short", 1)]
)
def test_a_step_that_is_blamed_has_less_error_on_the_other_side(words, side):
    for r, _ in saying(f"The step is ({words})"):
        name, best = r.report.deciding, r.sweep.predicted_best_eps
        reach = np.logspace(np.log10(3), 2, 12) ** side
        errors = [
            gl.check(r.net, r.x, r.y, eps=float(r.settings.eps * k), scheme=r.settings.scheme,
                     measure=r.settings.measure, analytic=r.analytic,
                     masks=r.problem.masks(r.settings), **r.problem.sampling)[name].error
            for k in reach
        ]  # fmt: skip
        assert min(errors) < 0.6 * r.report[name].error, r.settings
        text = next(text for other, text in shown() if other is r)
        assert ("far above" not in text) or r.settings.eps > 30 * best
        assert ("far below" not in text) or r.settings.eps < best / 30


def test_entries_that_differ_by_much_of_their_size_are_counted():
    pattern = (r"(\d+) of (\d+) entries differs? by more than 1e-4 of their own size, but by at "
               r"most (\S+) of (their tensor's|the whole gradient's) largest")  # fmt: skip
    for r, m in saying(pattern):
        tensors = r.report.tensors.values()
        assert int(m[1]) == sum(int((relative(t) > 1e-4).sum()) for t in tensors)
        assert int(m[2]) == sum(t.analytic.size for t in tensors)
        whole = max(np.abs(t.numerical).max() for t in tensors)
        for t in tensors:
            large = relative(t) > 1e-4
            away = np.abs(t.analytic - t.numerical).ravel()[large].max(initial=0)
            size = np.abs(t.numerical).max() if m[4].startswith("their") else whole
            assert away <= float(m[3]) * size * (1 + 1e-6)


def test_what_l2_explains_is_lambda_times_w():
    for r, m in saying(r"L2 is in the (.*) loss but not in the|L2 is in the analytic gradient but"):
        if r.settings.bug != "none" or r.settings.eps != 1e-5 or r.report.verdict != "wrong":
            continue
        for name in r.net.weight_names:
            t, sign = r.report[name], 1 if m[1] else -1
            off = (t.numerical - t.analytic) * sign
            assert off == pytest.approx(r.settings.l2 * r.net.params[name], abs=1e-6)
    changes = {"dtype": "float32", "eps": 3e-2, "use_l2": True, "l2": 1e-6}
    text = unescape(banner(**changes, l2_in_loss=False))
    assert "and too small beside the data's gradient to show" in text
    assert compute(SMALL.replace(**changes, l2_in_loss=False)).report.verdict == "correct"


def test_l2_that_swamps_is_as_large_as_is_told():
    for r, m in saying(r"In ([\w, ]+) the L2 term is over (\S+) times .* at most (\S+) of the pl"):
        for name in m[1].split(", "):
            l2 = r.settings.l2 * r.net.params[name]
            data = np.linalg.norm(r.analytic[name] - l2)
            assert np.linalg.norm(l2) > float(m[2]) * data
            assert r.report[name].norm_ratio <= float(m[3]) * (1 + 1e-6)


def test_the_tensors_that_are_named_have_the_verdict_and_no_others():
    for r, m in saying(r"\. ([\w, ]+|Every tensor) (?:are|is) (wrong|inconclusive); in (\w+), "):
        which = [name for name in r.report if r.report[name].verdict == m[2]]
        assert re.split(", | and ", m[1]) == which or (m[1], which) == (
            "Every tensor", list(r.report))  # fmt: skip
        assert (r.report.verdict, r.report.deciding) == (m[2], m[3])


def test_a_bug_that_does_not_show_changes_less_than_is_seen():
    for r, _ in saying("A bug is planted: .* It does not show"):
        right = r.problem.in_gradient.gradient(r.x, r.y, r.problem.masks(r.settings))
        whole = max(np.abs(value).max() for value in right.values())
        for name, t in r.report.tensors.items():
            size = max(np.abs(t.numerical).max(), 1e-9 * whole)
            assert (np.abs(r.analytic[name] - right[name]) <= 2 * t.within * size).all()


def test_nothing_is_said_that_was_found_false_before():
    for r, text in shown():
        bad = (r"\(in \w+,|It hides:|\bB\d|1 kinks|any size of|leave it out|leave eps out|"
               r"ratio and cosine|as long as|probably wrong")  # fmt: skip
        assert not re.search(bad, text), (text, r.settings)


@pytest.mark.parametrize("k", range(3))
def test_a_caveat_is_the_same_in_banner_print_and_report(k):
    changes = ({"weight_scale": 0.01, "eps": 1e-4}, {"activation": "relu"}, {"data": "digits"})[k]
    state = LabState(**changes)
    caveats = state.result.report.caveats
    assert caveats
    html = state.result.report._repr_html_()
    report, text = (" ".join(str(one).split()) for one in (state.result.report, state))
    for caveat in caveats:
        assert caveat in unescape(banner_html(state.result, "", state.settings))
        assert caveat in text
        assert caveat in report
        assert caveat in unescape(html)
    assert f"correct here, and {caveats[0]}" in text
    assert f"✓ correct here, and {caveats[0]}" in report
    assert f"correct here, and {caveats[0]}" in said(state.result)


def test_a_healthy_lab_has_no_caveat_anywhere():
    state = LabState()
    assert state.result.report.caveats == ()
    for text in (repr(state), str(state.result.report), said(state.result), banner()):
        assert "here, and" not in text
        assert "correct" in text


@pytest.mark.parametrize(
    ("value", "words"),
    [(2.34e-9, "2.3e-09"), (1e-5, "1.0e-05"), (250.0, "2.5e+02"), (0.0, "0"), (-0.0, "0"),
     (math.inf, "infinite"), (math.nan, "not defined")],
)  # fmt: skip
def test_a_size_has_two_digits_or_a_word(value, words):
    assert two_digits(value) == words


@pytest.mark.parametrize("layer", range(5))
def test_a_bug_is_said_to_be_at_the_layer_where_it_is(layer):
    """Where a layer cannot have a bug the pictures keep the last result, which is of another."""
    images = np.random.default_rng(0).standard_normal((4, 1, 8, 8))
    net = gl.convnet((1, 8, 8), filters=(2, 3), padding=(1, 1), classes=3, seed=0)
    state = LabState(net, images, np.arange(4) % 3, bug="kernel_not_flipped")
    state.update(bug_layer=layer)
    text = " ".join(repr(state).split())
    if layer in (0, 2):
        planted = gl.bugs.plant(net, "kernel_not_flipped", layer or None)
        report = gl.check(planted, images, np.arange(4) % 3, eps=state.eps)
        assert state.result.report.wrong == report.wrong == ["conv1_W", "conv1_b"]
        assert ("at layer 2" in text) == (layer == 2)
        return
    with pytest.raises(ValueError, match="layer must be"):
        gl.bugs.plant(net, "kernel_not_flipped", layer)
    assert f"bug kernel_not_flipped, asked for at layer {layer}" in text
    assert "one of [2]" in text
    assert "verdict" not in text

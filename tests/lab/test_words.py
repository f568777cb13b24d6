import math
import re
from dataclasses import asdict

import pytest

from gradlab.lab import SCENARIOS
from gradlab.lab.model.result import compute
from gradlab.lab.model.settings import Settings
from gradlab.lab.text.banner import banner_html, explanation
from gradlab.lab.text.summary import summary

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


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"eps": 1e-12}, "? inconclusive"),
        ({"eps": 1e-12}, "Move eps to the right"),
        ({"eps": 1e-12}, "round-off"),
        ({"eps": 1e-1}, "Move eps to the left"),
        ({"eps": 1e-1}, "predicted best, 6e-06"),
        ({"scheme": "forward", "eps": 1e-3}, "predicted best, 1e-08"),
        ({"activation": "relu", "weight_scale": 1e-3, "eps": 1e-2}, "? inconclusive"),
        ({"activation": "relu", "weight_scale": 1e-3, "eps": 1e-2}, "The step crosses"),
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
            "A bug is planted and does not show: the activation is skipped",
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


def test_what_the_report_says_is_escaped():
    result = compute(SMALL)
    object.__setattr__(result.report.judgement, "why", "<img src=x>")
    assert "<img" not in banner_html(result, "", SMALL)


def test_the_complex_step_has_truncation_and_no_round_off():
    above, below = (SMALL.replace(scheme="complex_step", eps=eps) for eps in (1e-2, 1e-13))
    assert explanation(compute(above))[1] == "Move eps to the left."
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


def test_the_summary_tells_what_is_set_beyond_the_defaults():
    text = summary(SMALL.replace(dtype="float32", train_steps=20, bug="bias_mean", bug_layer=1),
                   None, "")  # fmt: skip
    assert "float32, 20 training steps" in text
    assert "bug bias_mean at layer 1" in text
    plain = summary(SMALL, None, "")
    assert not any(word in plain for word in ("float32", "training", "bug"))


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


def test_the_bands_name_never_stands_beside_inconclusive():
    assert "probably wrong" not in banner(eps=1e-12)
    assert "probably wrong" in banner(bug="flipped_sign")


def test_entries_too_small_to_tell_are_counted():
    text = banner(**asdict(SCENARIOS["saturated_tanh"].full()))
    found = re.search(r"(\d+) of 354 entries differ by more than 1e-4 of their own size", text)
    assert 0 < int(found[1]) < 354

import numpy as np
import pytest

from gradlab.lab.board.panels.measures import MeasuresPanel
from gradlab.plots.palette import MARKS
from tests.lab.panels.cases import NAMES, painted, result_of

PANEL = MeasuresPanel()


def marks(result, kind):
    return [m for m in PANEL.moving(result) if m["kind"] == kind]


def texts(result):
    """The words of each row: name, ratio, cosine, norm ratio."""
    return list(zip(*(m["texts"] for m in marks(result, "words")), strict=True))


def axis_marks(result):
    """Where the still picture has written which number: of the ratio's axis, of the cosine's."""
    written = [
        (m["texts"][0], float(m["x"][0])) for m in PANEL.still(result).marks if m["kind"] == "words"
    ]
    return dict(written[:5]), dict(written[5:8])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("eps", [1e-5, 1e-12])
def test_the_words_are_those_of_the_reports_table(name, eps):
    result = result_of(name, eps=eps)
    rows = texts(result)
    assert len(rows) == len(result.report)
    for row, tensor in zip(rows, result.report.tensors.values(), strict=True):
        _, _, _, norm, ratio, cosine, verdict = tensor.row()
        assert row[0] == f"{MARKS[tensor.verdict]} {tensor.name}"
        assert verdict.endswith(str(tensor.verdict))
        if tensor.analytic.any() and tensor.numerical.any():
            assert row[1:] == (ratio, cosine, norm)


@pytest.mark.parametrize("name", ["default", "bug", "lstm", "convnet"])
def test_the_dots_are_the_ratios_and_cosines_worked_out_by_hand(name):
    result = result_of(name)
    ratios, cosines = marks(result, "dots")
    axis, _ = axis_marks(result)
    octave = axis["2"] - axis["1"]
    assert octave == pytest.approx(axis["1"] - axis["½"])
    for row, (a, n) in enumerate((result.analytic[t], result.report[t].numerical)
                                 for t in result.report):  # fmt: skip
        an = sum(p * q for p, q in zip(a.ravel(), n.ravel(), strict=True))
        nn, aa = (sum(q * q for q in v.ravel()) for v in (n, a))
        assert ratios["y"][row] == cosines["y"][row] == row
        one = axis["1"] if an > 0 else axis["−1"]
        mirrored = (one - axis["0"]) / (axis["1"] - axis["0"])
        size = 2 ** ((ratios["x"][row] - one) / (octave * mirrored))
        assert np.sign(an) * size == pytest.approx(an / nn, rel=1e-9)
        low, high = (axis_marks(result)[1][text] for text in ("−1", "1"))
        cosine = 2 * (cosines["x"][row] - low) / (high - low) - 1
        assert cosine == pytest.approx(an / np.sqrt(aa * nn), rel=1e-9)


@pytest.mark.parametrize(
    ("bug", "mark"),
    [("flipped_sign", "−1"), ("accumulated_gradients", "2"), ("missing_factor_2", "½")],
)
def test_a_factor_stands_on_its_mark_in_every_tensor(bug, mark):
    loss = {"loss": "mse"} if bug == "missing_factor_2" else {}
    result = result_of("default", bug=bug, **loss)
    ratios, cosines = marks(result, "dots")
    axis, cosine_axis = axis_marks(result)
    np.testing.assert_allclose(ratios["x"], axis[mark], atol=1e-6)
    sign = "−1" if bug == "flipped_sign" else "1"
    np.testing.assert_allclose(cosines["x"], cosine_axis[sign], atol=1e-6)
    assert set(ratios["colours"]) == {"wrong"}


def test_places_keep_the_order_of_the_ratios_and_end_on_the_axis():
    from gradlab.lab.board.panels.measures import _RATIO, _ratio_x

    values = [-1e9, -3.0, -1.0, -0.01, 0.0, 0.01, 0.5, 1.0, 2.0, 30.0, 1e9]
    places = [_ratio_x(v) for v in values]
    assert places == sorted(places)
    assert (places[0], places[-1]) == _RATIO


def test_gradients_of_zeros_are_told_and_have_no_dot():
    # one class more than there are labels is no trouble; a dead unit is: its W and b get nothing
    result = result_of("one unit", activation="relu", weight_scale=0.5, seed=1, data="spirals")
    dead = [t for t in result.report.tensors.values() if not t.numerical.any()]
    rows = {row[0].split()[1]: row for row in texts(result)}
    for tensor in dead:
        assert rows[tensor.name][1] == ("n = 0" if tensor.analytic.any() else "0 = 0")
    ratios = marks(result, "dots")[0]
    assert len(ratios["x"]) == sum(t.row()[4] != "–" for t in result.report.tensors.values())


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_painted_and_told_for_every_network(name):
    result = result_of(name)
    assert PANEL.fits(result) == ""
    painted(PANEL, result, "dark" if len(name) % 2 else "light")
    alt = PANEL.alt(result)
    for tensor in result.report.tensors.values():
        assert f"{tensor.name} ratio" in alt
        assert tensor.row()[3] in alt


def test_a_click_on_a_row_looks_at_its_tensor():
    result = result_of("default")
    assert PANEL.pressed(result, 8.0, 2.2) == {"tensor": "W2"}
    assert PANEL.pressed(result, 8.0, -1.6) == {}
    assert PANEL.pressed(result, 8.0, 40.0) == {}


def test_only_what_is_above_stands_still():
    one, other = result_of("default", eps=1e-5), result_of("default", eps=1e-12)
    assert PANEL.key(one) == PANEL.key(other)
    assert texts(one) != texts(other)

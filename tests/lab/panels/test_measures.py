from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from gradlab.lab.board.panels.measures import _RATIO, MeasuresPanel, _ratio_x
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


# -- what is drawn where -------------------------------------------------------------------------


def still(result, kind):
    return [m for m in PANEL.still(result).marks if m["kind"] == kind]


def many(count):
    """Return a result of so many tensors, of which only every second one has an error."""
    result = result_of("default")
    tensors = {}
    for k in range(count):
        one = copy(result.report["W1"])
        object.__setattr__(one, "name", f"T{k}")
        numerical = one.analytic * (1 + (0.01 * (count - k) if k % 2 else 0.0))
        object.__setattr__(one, "numerical", numerical)
        tensors[f"T{k}"] = replace(one)
    return replace(result, report=replace(result.report, tensors=tensors))


def test_each_axis_has_its_marks_down_to_the_last_row_and_1_is_the_strong_one():
    result = result_of("default")
    lines, words = still(result, "segments"), still(result, "words")
    ratio, cosine = axis_marks(result)
    assert list(ratio) == ["−1", "0", "½", "1", "2"]
    assert list(ratio.values()) == sorted(ratio.values())
    assert list(cosine) == ["−1", "0", "1"]
    assert cosine["0"] == pytest.approx((cosine["−1"] + cosine["1"]) / 2)
    uprights = lines[:8]
    for line, (text, x) in zip(uprights, [*ratio.items(), *cosine.items()], strict=True):
        assert line["x0"] == line["x1"] == pytest.approx(x)
        assert (line["y0"], line["y1"]) == (-0.5, len(result.report) - 0.5)
        assert (line["colour"], line["width"] > 1) == (
            ("faint", True) if text == "1" else ("grid", False))  # fmt: skip
    heads = dict(zip(("ratio a : n", "cosine", "norm ratio"), words[8:], strict=True))
    assert {text: mark["texts"] for text, mark in heads.items()} == {t: [t] for t in heads}
    for line, head in zip(lines[8:], ("ratio a : n", "cosine"), strict=True):
        assert line["y0"] == line["y1"] == -0.5
        assert heads[head]["x"] == pytest.approx((line["x0"] + line["x1"]) / 2)
        assert heads[head]["dy"] < words[0]["dy"] < 0, "above the marks, and these above the rows"


def test_columns_stand_beside_each_other_in_their_order():
    result = result_of("default")
    names, ratios, cosines, norms = (m["x"][0] for m in marks(result, "words"))
    across, aside = still(result, "segments")[8:]
    order = [names, across["x0"][0], across["x1"][0], ratios, aside["x0"][0], aside["x1"][0],
             cosines, norms, PANEL.still(result).x.high]  # fmt: skip
    assert order == sorted(order)
    assert min(np.diff(order)) > 0.3
    assert PANEL.width > PANEL.still(result).x.high
    for mark in marks(result, "words"):
        assert mark["align"] == "left"
        np.testing.assert_array_equal(mark["y"], np.arange(len(result.report)))


@pytest.mark.parametrize(("count", "rows"), [(1, 8), (8, 8), (9, 9), (20, 20), (21, 20)])
def test_few_rows_are_no_higher_than_eight_and_many_have_room(count, rows):
    y = PANEL.still(many(count)).y
    assert y.low == rows - 0.5, "the first row is at the top"
    head = -0.5 - y.high
    assert head / rows == pytest.approx(2.6 / 15.6), "what stands above is as high as ever"


def test_of_many_tensors_those_with_the_largest_norm_ratios_are_shown_in_their_order():
    result = many(34)
    names = [row[0].split()[1] for row in texts(result)]
    assert len(names) == 20
    assert {f"T{k}" for k in range(1, 34, 2)} < set(names)
    assert names == sorted(names, key=lambda name: int(name[1:]))
    chart = PANEL.still(result)
    assert chart.note == "14 more tensors, with smaller norm ratios"
    assert PANEL.key(result) is result.problem, "which are shown may change with the step"
    assert PANEL.still(many(20)).note == ""
    assert PANEL.key(many(20)) == tuple(f"T{k}" for k in range(20))


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("a", "n", "told"),
    [
        (0.0, 0.0, ("0 = 0", "–")),
        (2.0, 0.0, ("n = 0", "–")),
        (0.0, 2.0, ("–", "a = 0")),
        (2.0, 2.0, ("1", "1")),
    ],
)
def test_what_is_0_is_told_instead_of_a_number(a, n, told):
    result = many(1)
    one = result.report["T0"]
    fresh = replace(one, analytic=0 * one.analytic + a, numerical=0 * one.numerical + n)
    result = replace(result, report=replace(result.report, tensors={"T0": fresh}))
    ((_, ratio, cosine, _),) = texts(result)
    assert (ratio[: len(told[0])], cosine[: len(told[1])]) == told
    dots = [len(m["x"]) for m in marks(result, "dots")]
    assert dots == [int(a != 0 and n != 0)] * 2


@pytest.mark.every_case
@pytest.mark.parametrize("octaves", [-6.0, -5.0, -1.0, 0.0, 3.0, 5.0, 6.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_ratio_stands_by_its_octaves_from_a_thirty_second_to_32(octaves, sign):
    start, end = _RATIO
    zero = _ratio_x(0.0)
    share = (np.clip(octaves, -5, 5) + 5) / 10
    side = end if sign > 0 else start
    assert _ratio_x(sign * 2.0**octaves) == pytest.approx(zero + share * (side - zero))
    assert start < zero < (start + end) / 2, "there is more room for factors above 0"


def test_the_row_nearest_to_a_click_is_chosen_from_the_first_to_the_last():
    result = result_of("default")
    names = list(result.report)
    for y, name in ((-0.4, names[0]), (0.4, names[0]), (0.6, names[1]), (5.4, names[5])):
        assert PANEL.pressed(result, 3.0, y) == {"tensor": name}
    assert PANEL.pressed(result, 3.0, 5.6) == {}

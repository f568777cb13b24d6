"""Max-pooling whose windows overlap, and numbers that are tied for a max."""

import numpy as np
import pytest

import gradlab as gl

SIZE, STRIDE = 3, 2


def windows(x):
    for i in range((x.shape[2] - SIZE) // STRIDE + 1):
        for j in range((x.shape[3] - SIZE) // STRIDE + 1):
            at = (slice(i * STRIDE, i * STRIDE + SIZE), slice(j * STRIDE, j * STRIDE + SIZE))
            yield i, j, (slice(None), slice(None), *at)


def forward(x):
    side = [(n - SIZE) // STRIDE + 1 for n in x.shape[2:]]
    out = np.zeros((*x.shape[:2], *side))
    for i, j, at in windows(x):
        out[:, :, i, j] = x[at].max(axis=(2, 3))
    return out, x


def backward_of(rule):
    def backward(dout, x):
        dx = np.zeros_like(x)
        for i, j, at in windows(x):
            flat = x[at].reshape(*x.shape[:2], -1)
            if rule == "all":
                mask = flat == flat.max(axis=2, keepdims=True)
            else:
                mask = np.eye(flat.shape[2])[flat.argmax(axis=2)]
            part = (mask * dout[:, :, i, j, None]).reshape(x[at].shape)
            if rule == "overwrites":  # what a pixel gets from one window is lost to the next
                dx[at] = np.where(part != 0, part, dx[at])
            else:
                dx[at] += part * (1.01 if rule == "a percent more" else 1)
        return dx

    return backward


@pytest.fixture
def tied():
    return np.random.default_rng(0).integers(0, 5, (2, 3, 7, 7)).astype(float)


def test_overlapping_windows_are_judged_where_nothing_is_tied():
    x = np.random.default_rng(0).standard_normal((2, 3, 7, 7))
    assert gl.check_layer(forward, backward_of("first"), x).verdict == "correct"
    for rule in ("overwrites", "a percent more"):
        assert gl.check_layer(forward, backward_of(rule), x).wrong == ["x"]


def test_tied_numbers_that_two_windows_share_are_judged_beside_the_tie(tied):
    """There the slopes of both sides bracket no rule's gradient: one window, or two, let go."""
    before = tied.copy()
    report = gl.check_layer(forward, backward_of("first"), tied)
    assert report.verdict == "correct"
    (remark,) = report.remarks
    assert "moved by up to 1%" in remark
    assert "what it returns at a tie" in remark
    assert np.array_equal(tied, before)


@pytest.mark.parametrize("rule", ["overwrites", "a percent more"])
def test_a_wrong_rule_is_seen_beside_the_tie(tied, rule):
    report = gl.check_layer(forward, backward_of(rule), tied)
    assert report.wrong == ["x"]


def test_a_gradient_for_all_of_the_tied_is_told_as_a_blind_spot(tied):
    """Two tied numbers, each with the whole gradient: each lies between the slopes of its sides."""
    report = gl.check_layer(forward, backward_of("all"), tied)
    kinks = int((report["x"].marks == "subgradient").sum())
    assert report.verdict == "correct"
    assert kinks > 0
    (remark,) = report.remarks
    assert f"are {kinks} of x" in remark
    assert "hands it to all of them" in remark


def test_where_nothing_is_tied_nothing_is_said():
    x = np.random.default_rng(1).standard_normal((2, 1, 7, 7))
    assert gl.check_layer(forward, backward_of("all"), x).remarks == ()


def test_a_layer_that_is_not_defined_beside_the_tie_keeps_its_verdict(tied):
    def picky(x):
        if not np.isin(x, np.round(x)).mean() > 0.9:
            raise ValueError("only a step in one entry is understood")
        return forward(x)

    report = gl.check_layer(picky, backward_of("first"), tied)
    assert report.verdict == "inconclusive"
    assert not any("moved" in remark for remark in report.remarks)

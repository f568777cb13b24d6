"""The entries of the heatmap: which is a bug's, which a kink's, which is noise."""

from types import SimpleNamespace

import numpy as np
import pytest

from gradlab.lab import LabState
from gradlab.lab.board.entry_marks import SIGNS, chosen_place, entry_at, in_place


def marks(name="", **settings):
    """Return the marks of a tensor, the worst unless one is named, and its report."""
    result = LabState(**settings).result
    tensor = result.report[name or result.tensor]
    return tensor.marks, tensor


def test_a_healthy_tensor_has_none():
    found, _ = marks("W1")
    assert set(found.ravel()) == {"ok"}


def test_entries_of_a_wrong_tensor_are_a_bugs():
    found, tensor = marks(bug="flipped_sign")
    assert found.shape == tensor.shape
    assert (found == "bug").all()


def test_an_entry_whose_step_crosses_a_kink_is_a_kinks():
    found, tensor = marks(scenario="kinks")
    assert (tensor.kinks > 0).any()
    np.testing.assert_array_equal(found == "kink", tensor.kinks > 0)
    assert "bug" not in found


@pytest.mark.parametrize("scenario", ["step_too_small", "step_too_large"])
def test_round_off_and_truncation_are_noise_and_the_rest_is_resolved(scenario):
    found, tensor = marks(scenario=scenario)
    assert set(found.ravel()) <= {"ok", "noise"}
    assert (found == "noise").mean() > 0.2
    off = np.abs(tensor.analytic - tensor.numerical)[found == "ok"]
    assert (off <= 1e-3 * np.abs(tensor.numerical).max()).all()


def test_zero_against_zero_has_a_mark_of_its_own():
    found, tensor = marks("W1", activation="relu", weight_scale=5.0, hidden=(16,), data="moons")
    dead = (tensor.analytic == 0) & (tensor.numerical == 0)
    np.testing.assert_array_equal(found == "zero", dead)


def test_every_mark_has_a_sign_of_its_own():
    assert set(SIGNS) >= {"bug", "kink", "noise", "zero"}
    assert len(set(SIGNS.values())) == len(SIGNS)


# -- which entry is which ------------------------------------------------------------------------


def tensor(entries=None, *, directional=False):
    """Return what a report knows of a tensor of 2 × 3 entries, of which some were checked."""
    errors = np.arange(6.0 if entries is None else len(entries))
    entries = None if entries is None else np.array(entries)
    return SimpleNamespace(shape=(2, 3), entries=entries, errors=errors, directional=directional)


@pytest.mark.parametrize(
    ("entry", "place", "sampled"), [(-1, None, None), (0, 0, None), (4, 4, 1), (5, 5, None),
                                    (6, None, None), (3, 3, 0)],
)  # fmt: skip
def test_an_entry_is_found_among_those_that_were_checked(entry, place, sampled):
    assert chosen_place(tensor(), entry) == place
    assert chosen_place(tensor([3, 4]), entry) == sampled
    assert chosen_place(tensor(directional=True), entry) is None
    if place is not None:
        assert entry_at(tensor(), place) == entry
    if sampled is not None:
        assert entry_at(tensor([3, 4]), sampled) == entry


def test_what_was_not_checked_has_a_value_of_its_own_in_its_place():
    values = np.array([7.0, 8.0])
    np.testing.assert_array_equal(
        in_place(tensor([1, 5]), values, -1.0), [[-1, 7, -1], [-1, -1, 8]]
    )
    whole = np.arange(6.0).reshape(2, 3)
    assert in_place(tensor(), whole, -1.0) is whole

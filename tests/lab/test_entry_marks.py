"""The entries of the heatmap: which is a bug's, which a kink's, which is noise."""

import numpy as np
import pytest

from gradlab.lab import LabState
from gradlab.lab.board.entry_marks import SIGNS


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

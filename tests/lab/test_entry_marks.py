"""The entries of the heatmap: which is a bug's, which a kink's, which is noise."""

import numpy as np
import pytest

from gradlab.lab import LabState
from gradlab.lab.entry_marks import SIGNS, entry_marks


def marks(name="", **settings):
    """Return the marks of a tensor, the worst unless one is named, and its report."""
    result = LabState(**settings).result
    tensor = result.report[name or result.tensor]
    return entry_marks(tensor), tensor


def test_a_healthy_tensor_has_none():
    found, _ = marks("W1")
    assert set(found.ravel()) == {"ok"}


def test_entries_of_a_wrong_tensor_are_a_bugs():
    found, tensor = marks(bug="flipped_sign")
    assert found.shape == tensor.shape
    assert (found == "bug").all()


def test_an_entry_whose_step_crosses_a_kink_is_a_kinks():
    found, tensor = marks(scenario="kinks")
    crossed = (tensor.kinks > 0) & (tensor.errors > 1e-7)
    assert crossed.any()
    np.testing.assert_array_equal(found == "kink", crossed)
    assert "bug" not in found


@pytest.mark.parametrize("scenario", ["step_too_small", "step_too_large"])
def test_round_off_and_truncation_are_noise(scenario):
    found, tensor = marks(scenario=scenario)
    np.testing.assert_array_equal(found == "noise", tensor.errors > 1e-7)
    assert (found == "noise").mean() > 0.5


def test_every_mark_has_a_sign_of_its_own():
    assert set(SIGNS) >= {"bug", "kink", "noise"}
    assert len(set(SIGNS.values())) == len(SIGNS)

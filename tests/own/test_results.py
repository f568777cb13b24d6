"""What is found stays what it is: results are frozen, and those with arrays can be compared."""

import re

import pytest

import gradlab.own
from tests.records import holds, records_of

ARRAYS = ("ndarray", "Report", "Network", "LSTMNet", "Point", "Finding", "Function")
#: Without the modules of PyTorch and JAX, which may be absent.
RECORDS = records_of(gradlab.own, lambda name: re.search(r"\.(torch|jax)_", name))


@pytest.mark.every_case
@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_results_are_frozen_and_those_with_arrays_are_compared_by_what_they_are(record):
    assert record.__dataclass_params__.frozen
    if holds(record, ARRAYS):
        assert not record.__dataclass_params__.eq

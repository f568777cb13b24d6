"""What is found stays what it is: results are frozen, and those with arrays can be compared."""

import pytest

import gradlab.checking
from tests.records import holds, records_of

ARRAYS = ("ndarray", "Report", "Network", "LSTMNet", "Point", "Finding", "Function")
#: Made step by step, and by nobody but the module that they are of.
MADE = {"Spot", "Statement", "OneRow"}


@pytest.mark.every_case
@pytest.mark.parametrize("record", records_of(gradlab.checking), ids=lambda record: record.__name__)
def test_results_are_frozen_and_those_with_arrays_are_compared_by_what_they_are(record):
    assert record.__dataclass_params__.frozen == (record.__name__ not in MADE)
    if holds(record, ARRAYS) and record.__name__ != "OneRow":  # whose == is asked by nobody
        assert not record.__dataclass_params__.eq

"""The lab's records: nobody changes one, and what holds arrays is compared by identity."""

import pytest

import gradlab.lab
from tests.records import holds, records_of

#: Of these somebody keeps count.
WRITTEN = {"Score", "_Known"}
#: == of arrays is no truth value; and of a whole network nobody asks.
ARRAYS = ("ndarray", "Network", "Report", "Result", "Run")


@pytest.mark.every_case
@pytest.mark.parametrize("record", records_of(gradlab.lab), ids=lambda record: record.__name__)
def test_a_record_is_not_changed_and_is_compared_as_it_can_be(record):
    assert record.__dataclass_params__.frozen == (record.__name__ not in WRITTEN)
    by_identity = not record.__dataclass_params__.eq
    assert by_identity == (holds(record, ARRAYS) or record.__name__ == "Frame")

"""The lab's records: nobody changes one, and what holds arrays is compared by identity."""

import dataclasses
import importlib
import pkgutil

import pytest

import gradlab.lab

#: Of these somebody keeps count.
WRITTEN = {"Score", "_Known"}
#: == of arrays is no truth value; and of a whole network nobody asks.
ARRAYS = ("ndarray", "Network", "Report", "Result", "Run")


def records():
    for module in pkgutil.walk_packages(gradlab.lab.__path__, "gradlab.lab."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and value.__module__ == module.name:
                yield from [value] * dataclasses.is_dataclass(value)


@pytest.mark.every_case
@pytest.mark.parametrize("record", list(records()), ids=lambda record: record.__name__)
def test_a_record_is_not_changed_and_is_compared_as_it_can_be(record):
    assert record.__dataclass_params__.frozen == (record.__name__ not in WRITTEN)
    holds = any(word in str(field.type) for field in dataclasses.fields(record) for word in ARRAYS)
    by_identity = not record.__dataclass_params__.eq
    assert by_identity == (holds or record.__name__ == "Frame")

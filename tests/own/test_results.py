"""What is found stays what it is: results are frozen, and those with arrays can be compared."""

import dataclasses
import importlib
import pkgutil
import re

import pytest

import gradlab.own


def classes(package):
    """Return the dataclasses of a package."""
    names = [m.name for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    names = [name for name in names if not re.search(r"\.(torch|jax)_", name)]  # may be absent
    modules = map(importlib.import_module, names)
    found = {thing for module in modules for thing in vars(module).values()
             if dataclasses.is_dataclass(thing) and isinstance(thing, type)
             and thing.__module__.startswith(package.__name__)}  # fmt: skip
    return sorted(found, key=lambda kind: f"{kind.__module__}.{kind.__name__}")


@pytest.mark.every_case
@pytest.mark.parametrize("kind", classes(gradlab.own), ids=lambda kind: kind.__name__)
def test_results_are_frozen_and_those_with_arrays_are_compared_by_what_they_are(kind):
    assert kind.__dataclass_params__.frozen
    holds_arrays = any(
        word in str(field.type)
        for field in dataclasses.fields(kind)
        for word in ("ndarray", "Report", "Network", "LSTMNet", "Point", "Finding", "Function")
    )
    if holds_arrays:
        assert not kind.__dataclass_params__.eq

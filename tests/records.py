"""The dataclasses of a room, and which of them hold arrays, whose == is no truth value."""

import dataclasses
import importlib
import pkgutil


def records_of(package, unless=lambda name: False):
    """Return the dataclasses of the package's modules but of those whose name is excluded."""
    found = []
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if unless(module.name):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and value.__module__ == module.name:
                found += [value] * dataclasses.is_dataclass(value)
    return found


def holds(record, words):
    """Tell whether the type of a field of `record` names one of `words`."""
    return any(word in str(field.type) for field in dataclasses.fields(record) for word in words)

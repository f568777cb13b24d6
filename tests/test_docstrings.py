"""What the docstrings show is what happens."""

import doctest
import importlib
import pkgutil

import gradlab


def test_the_examples_run():
    names = [module.name for module in pkgutil.walk_packages(gradlab.__path__, "gradlab.")]
    results = {name: doctest.testmod(importlib.import_module(name)) for name in names}
    assert [name for name, result in results.items() if result.failed] == []
    assert sum(result.attempted for result in results.values()) >= 15

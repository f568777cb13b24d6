"""What the docstrings show is what happens."""

import doctest
import importlib
import pkgutil

import gradlab

# These need what a plain `make test` has not: tests/frameworks runs their examples.
FRAMEWORKS = (
    "gradlab.own.in_torch",
    "gradlab.own.torch_",
    "gradlab.own.in_jax",
    "gradlab.own.jax_",
)


def test_the_examples_run():
    modules = pkgutil.walk_packages(gradlab.__path__, "gradlab.")
    names = [module.name for module in modules if not module.name.startswith(FRAMEWORKS)]
    results = {name: doctest.testmod(importlib.import_module(name)) for name in names}
    assert [name for name, result in results.items() if result.failed] == []
    assert sum(result.attempted for result in results.values()) >= 15

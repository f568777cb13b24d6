"""Where PyTorch or JAX is absent, the doors say what to install."""

import sys

import numpy as np
import pytest

import gradlab as gl


@pytest.mark.parametrize(
    ("check", "package", "name"),
    [(gl.check_torch, "torch", "PyTorch"), (gl.check_jax, "jax", "JAX")],
)
def test_what_is_missing_is_told(check, package, name, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)  # an import of it fails, installed or not
    monkeypatch.delitem(sys.modules, f"gradlab.own.{package}_code", raising=False)
    with pytest.raises(ImportError, match=rf"gl\.check_{package} needs {name}.*pip install"):
        check(np.sin, np.ones(3))

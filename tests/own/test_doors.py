"""The doors for one's own code: what is asked of all of them is asked in the same way."""

import inspect

import pytest

import gradlab as gl

DOORS = [gl.check_layer, gl.check_layers, gl.check_arrays, gl.check_torch, gl.check_jax]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_an_option_that_is_left_out_is_what_it_is_in_check_function(door):
    ours, theirs = (inspect.signature(f).parameters for f in (door, gl.check_function))
    shared = {name for name, p in theirs.items() if p.default is not p.empty} & ours.keys()
    assert {"method", "samples", "seed", "tolerance"} <= shared
    for name in shared:
        assert ours[name].default == theirs[name].default, name
        assert type(ours[name].default) is type(theirs[name].default)

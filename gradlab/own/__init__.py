"""One's own code in one line: a layer, a stack, arrays where they lie, PyTorch, JAX, a test.

`check_layer` is the door for one layer: `calls` finds out how its functions are called, `returned`
what backward returns, `code` makes a function of one vector of them, and `cause` looks for the
wrong line in the lines of the `known` layer that `match` finds. `check_layers` is the door for a
stack, whose layers `stages` reads. `check_arrays` moves the arrays of a person's network in place.
`in_torch` and `in_jax` are the doors for frameworks: `torch_code` and `jax_code` make a function of
one vector of what comes, and `lanes` evaluates it at many points at once; neither framework is
loaded before it is asked for. `assert_gradient` is for test suites.
"""

from gradlab.own.assertion import assert_gradient
from gradlab.own.check_arrays import check_arrays
from gradlab.own.in_jax import check_jax
from gradlab.own.in_torch import check_torch
from gradlab.own.layer import check_layer
from gradlab.own.layers import check_layers

__all__ = [
    "assert_gradient",
    "check_arrays",
    "check_jax",
    "check_layer",
    "check_layers",
    "check_torch",
]

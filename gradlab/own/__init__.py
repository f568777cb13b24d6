"""People's own code, checked in one line: PyTorch and JAX as they are written.

`in_torch` and `in_jax` are the doors; `torch_code` and `jax_code` make of what comes through them a
function of one vector, and `lanes` evaluates it at many points at once. Neither framework is loaded
before it is asked for.
"""

from gradlab.own.in_jax import check_jax
from gradlab.own.in_torch import check_torch

__all__ = ["check_jax", "check_torch"]

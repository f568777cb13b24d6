"""Gradient checking you can see.

    import gradlab as gl
    net = gl.mlp([2, 16, 16, 2])
    x, y = gl.data.moons(32)
    print(gl.check(net, x, y))

The lab (`gl.Lab`) and the course (`gl.exercise`, `gl.progress`) are loaded when first used, so that
`import gradlab` needs numpy alone and stays fast.
"""

from importlib import import_module

from gradlab import bugs, checking, nn, own
from gradlab.checking import (
    Report,
    Verdict,
    bisect,
    central_difference,
    check,
    check_function,
    complex_step,
    diagnose,
    explain,
    five_point,
    forward_difference,
    norm_ratio,
    numerical_gradient,
    relative_error,
    sweep_eps,
    sweep_weight_scale,
)
from gradlab.nn import data
from gradlab.nn.convnet import convnet
from gradlab.nn.lstm import lstm
from gradlab.nn.mlp import mlp
from gradlab.nn.training import train
from gradlab.own import (
    assert_gradient,
    check_arrays,
    check_jax,
    check_layer,
    check_layers,
    check_torch,
)

_LAZY = {
    "Lab": "gradlab.lab",
    "exercise": "gradlab.course",
    "predict": "gradlab.course",
    "progress": "gradlab.course",
}

__all__ = [
    "Lab",
    "Report",
    "Verdict",
    "assert_gradient",
    "bisect",
    "bugs",
    "central_difference",
    "check",
    "check_arrays",
    "check_function",
    "check_jax",
    "check_layer",
    "check_layers",
    "check_torch",
    "checking",
    "complex_step",
    "convnet",
    "data",
    "diagnose",
    "exercise",
    "explain",
    "five_point",
    "forward_difference",
    "lstm",
    "mlp",
    "nn",
    "norm_ratio",
    "numerical_gradient",
    "own",
    "predict",
    "progress",
    "relative_error",
    "sweep_eps",
    "sweep_weight_scale",
    "train",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        # here, because it takes longer to load than all of gradlab.nn
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("gradlab")
        except PackageNotFoundError:
            raise AttributeError("gradlab is not installed, so it has no version") from None
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'gradlab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

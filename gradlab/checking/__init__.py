"""Difference schemes, the fast numerical gradient, error measures, reports and sweeps."""

from gradlab.checking.check import check
from gradlab.checking.cuts import numerical_cut_gradients
from gradlab.checking.errors import MEASURES, absolute_error, norm_ratio, relative_error
from gradlab.checking.numerical import numerical_gradient
from gradlab.checking.report import Report, TensorReport
from gradlab.checking.schemes import (
    SCHEMES,
    central_difference,
    complex_step,
    five_point,
    forward_difference,
)
from gradlab.checking.sweep import EpsSweep, sweep_eps
from gradlab.checking.verdict import BANDS, Verdict

__all__ = [
    "BANDS",
    "MEASURES",
    "SCHEMES",
    "EpsSweep",
    "Report",
    "TensorReport",
    "Verdict",
    "absolute_error",
    "central_difference",
    "check",
    "complex_step",
    "five_point",
    "forward_difference",
    "norm_ratio",
    "numerical_cut_gradients",
    "numerical_gradient",
    "relative_error",
    "sweep_eps",
]

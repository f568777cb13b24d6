"""Difference schemes, the fast numerical gradient, error measures, reports and sweeps."""

from gradlab.checking.bisect import Bisection, bisect
from gradlab.checking.check import check
from gradlab.checking.check_function import check_function
from gradlab.checking.diagnosis import Diagnosis, diagnose
from gradlab.checking.errors import BANDS, MEASURES, norm_ratio, relative_error
from gradlab.checking.numerical_gradient import numerical_gradient
from gradlab.checking.recognise import Explanation, explain
from gradlab.checking.report import Report, TensorReport
from gradlab.checking.schemes import (
    SCHEMES,
    central_difference,
    complex_step,
    five_point,
    forward_difference,
)
from gradlab.checking.sweeps import EpsSweep, WeightScaleSweep, sweep_eps, sweep_weight_scale
from gradlab.checking.verdict import Verdict

__all__ = [
    "BANDS",
    "MEASURES",
    "SCHEMES",
    "Bisection",
    "Diagnosis",
    "EpsSweep",
    "Explanation",
    "Report",
    "TensorReport",
    "Verdict",
    "WeightScaleSweep",
    "bisect",
    "central_difference",
    "check",
    "check_function",
    "complex_step",
    "diagnose",
    "explain",
    "five_point",
    "forward_difference",
    "norm_ratio",
    "numerical_gradient",
    "relative_error",
    "sweep_eps",
    "sweep_weight_scale",
]

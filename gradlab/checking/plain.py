"""A report as plain data, for files and other programs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gradlab.checking.report import Report, TensorReport


def as_plain(report: Report) -> dict:
    """Return what a report says as dicts, lists, strings, numbers, True, False and None."""
    return _plain(
        {
            "verdict": report.verdict,
            "why": report.why,
            "advice": report.advice,
            "caveats": report.caveats,
            "warnings": report.warnings,
            "cures": report.cures,
            "wrong": report.wrong,
            "causes": [asdict(cause) for cause in report.diagnosis],
            "resolution": report.resolution,
            "relative_error": report.relative_error,
            "norm_ratio": report.norm_ratio,
            "measure": report.measure,
            "error": report.error,
            "subject": report.subject,
            "scheme": report.scheme,
            "eps": report.eps,
            "evaluations": report.evaluations,
            "seconds": report.seconds,
            "tensors": {name: _of_tensor(tensor) for name, tensor in report.tensors.items()},
        }
    )


def _of_tensor(tensor: TensorReport) -> dict:
    return {
        "verdict": tensor.verdict,
        "why": tensor.why,
        "advice": tensor.judgement.advice,
        "shape": tensor.shape,
        "coverage": tensor.coverage,
        "relative_error": tensor.relative_error,
        "norm_ratio": tensor.norm_ratio,
        "ratio": tensor.ratio,
        "cosine": tensor.cosine,
        "error": tensor.error,
        "resolution": tensor.resolution,
        "crossed_kinks": tensor.crossed_kinks,
        "marks": Counter(map(str, tensor.marks.ravel())),
        "worst": [
            {"index": index, "analytic": a, "numerical": n} for index, a, n in tensor.worst()
        ],
    }


def _plain(value: object) -> object:
    """Return a value as JSON has it; what is not finite as the text that `float` reads."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no nan and no infinity
    return str(value) if isinstance(value, str) else value  # a Verdict is a str of its own kind

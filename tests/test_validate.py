"""Checks on single numbers: every strange value gets an error that names the argument."""

import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import gradlab as gl
from gradlab._validate import check_integer, check_number, check_positive

NO_NUMBER = {
    "none": None,
    "bool": True,
    "numpy bool": np.True_,
    "array of a bool": np.array(True),
    "text": "3",
    "bytes": b"3",
    "array of text": np.array("3"),
    "list": [3],
    "ragged": [[1], [1, 2]],
    "array": np.array([3]),
    "empty": [],
    "complex": 1 + 0j,
    "time": np.timedelta64(3, "s"),
    "object": object(),
    "dict": {},
}
HUGE = {"400 digits": 10**400, "5000 digits": 10**5000, "negative": -(10**5000)}


@pytest.mark.parametrize("check", [check_integer, check_number, check_positive])
@pytest.mark.parametrize("value", NO_NUMBER)
def test_what_is_no_number_is_a_type_error(value, check):
    with pytest.raises(TypeError, match=r"^size must be .*, got "):
        check(NO_NUMBER[value], "size")


@pytest.mark.parametrize("check", [check_integer, check_number, check_positive])
@pytest.mark.parametrize("value", HUGE)
def test_what_no_float_and_no_array_can_hold_is_a_value_error(value, check):
    with pytest.raises(ValueError, match=r"^size must be .*, got "):
        check(HUGE[value], "size")


def test_what_is_one_number_passes():
    for value in (3, np.int8(3), np.array(3), Fraction(3), Decimal(3), 3.0, np.float32(3)):
        assert check_number(value, "size") == check_positive(value, "size") == 3.0
    assert check_integer(np.array(3), "size") == 3
    assert check_integer(sys.maxsize, "size") == sys.maxsize
    with pytest.raises(ValueError, match="size must be an integer >= 0 and <= "):
        check_integer(sys.maxsize + 1, "size")


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: gl.mlp([2, 10**400, 2]), r"sizes\[1\]"),
        (lambda: gl.mlp([2, 2], l2=10**400), "l2"),
        (lambda: gl.mlp([2, 2], weight_scale=10**400), "weight_scale"),
        (lambda: gl.lstm(2, 3, 10**400), "outputs"),
    ],
)
def test_callers_name_their_own_argument(call, name):
    with pytest.raises(ValueError, match=f"^{name} must be"):
        call()

"""One's own code in one line: arrays where they lie, and test suites."""

from gradlab.own.assertion import assert_gradient
from gradlab.own.check_arrays import check_arrays

__all__ = ["assert_gradient", "check_arrays"]

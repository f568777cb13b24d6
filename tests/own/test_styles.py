"""Code in the ways people write it, right and with bugs: verdicts and wrong tensors."""

import json

import numpy as np
import pytest

import gradlab as gl
from gradlab.own.nested import Nested
from tests.own.styles import BUGS, STYLES, with_bug

pytestmark = pytest.mark.every_case


def all_in(arguments):
    """Return all that the arguments of a check hold, by path, arrays with their bytes."""
    return [
        (path, id(leaf), leaf.tobytes() if isinstance(leaf, np.ndarray) else None)
        for argument in arguments[1:]
        for path, leaf in Nested(argument).leaves.items()
    ]


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
def test_right_code_is_correct(style):
    name, arguments = style()
    before = all_in(arguments)
    report = getattr(gl, name)(*arguments)
    assert report.verdict == "correct", str(report)
    assert all(t.resolution < 1e-3 for t in report.tensors.values())
    assert all_in(arguments) == before
    assert gl.assert_gradient(report) is report


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug[0].__name__}: {bug[2].strip()}")
def test_a_bug_is_wrong_where_it_is(bug):
    name, arguments = with_bug(bug)
    report = getattr(gl, name)(*arguments)
    assert report.wrong == bug[3], str(report)
    others = {t.verdict for n, t in report.tensors.items() if n not in bug[3]}
    assert others <= {"correct"}
    with pytest.raises(AssertionError) as caught:
        gl.assert_gradient(report)
    assert str(report) == str(caught.value)
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["wrong"] == bug[3]

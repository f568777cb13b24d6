"""What a function keeps outside of its arguments is put back where it stood."""

import functools
from collections import deque

import pytest

from gradlab.checking.own_code import surely
from gradlab.own.outside import Outside

LAST = None
SEEN = {"now": None}


class Keeper:
    def __init__(self):
        self.last, self.inner = None, {"all": []}

    def __call__(self, x):
        self.last = x
        self.inner["all"].append(x)
        return x


def into_globals(x):
    global LAST
    LAST = x
    SEEN["now"] = x


def test_places_of_all_kinds_are_put_back():
    keeper, box, queue, last = Keeper(), {}, deque([1, 2], maxlen=2), None

    def inner(x):
        nonlocal last
        last = x
        box[x] = x
        queue.append(x)

    def f(x):
        inner(x)
        keeper(x)
        into_globals(x)

    for function in (f, functools.partial(f), functools.wraps(f)(lambda x: f(x))):
        with Outside(function).kept():
            function("traced")
            assert (keeper.last, LAST) == ("traced", "traced")
        assert (keeper.last, keeper.inner, box, list(queue), last) == (
            None, {"all": []}, {}, [1, 2], None)  # fmt: skip
        assert (LAST, SEEN) == (None, {"now": None})


def test_the_objects_themselves_stay_where_they_are():
    keeper = Keeper()
    inner, everything = keeper.inner, keeper.inner["all"]
    with Outside(keeper).kept():
        keeper("traced")
    assert keeper.inner is inner
    assert inner["all"] is everything


@pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt])
def test_they_are_put_back_after_an_exception_too(raised):
    keeper = Keeper()

    def run():
        with Outside(keeper).kept():
            keeper("traced")
            raise raised

    with pytest.raises(raised):
        run()
    assert keeper.last is None


def test_ctrl_c_within_the_putting_back_does_not_stop_it():
    done = []

    def put_back():
        done.append("half")
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append("whole")

    with pytest.raises(KeyboardInterrupt):
        surely(put_back)
    assert done == ["half", "half", "whole"]


def test_a_function_that_leads_to_itself_is_gone_through_once():
    loop = []
    loop.append(loop)
    assert Outside(lambda: loop).places == [loop]

"""What a function keeps outside of its arguments is put back where it stood."""

import functools
from collections import deque
from types import ModuleType

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


# -- where a function leads to -------------------------------------------------------------------


class Writes:
    """Its call, a method of its class, writes into a global."""

    def __call__(self, x):
        SEEN["now"] = x

    def method(self, x):
        self.last = x


class Framework:
    """An object of a framework's."""

    __module__ = "torch.nn.modules"

    def __init__(self):
        self.history, self._cache, self.inner, self.pair = [], [], Keeper(), ([],)


def places_of(thing):
    return [id(place) for place in Outside(thing).places]


def test_a_function_leads_to_its_defaults_its_globals_and_what_it_closes_over():
    first, second, third, fourth = [1], {"a": 2}, deque([3]), [4]
    inside = (third, fourth)

    def f(x, one=first, *, two=second):
        return inside, SEEN

    assert {*places_of(f)} == {*map(id, (first, second, SEEN, third, fourth))}
    assert {*places_of(functools.partial(len, first, key=second))} == {id(first), id(second)}


def test_an_object_leads_to_its_attributes_and_to_what_its_call_reads():
    keeper, writes = Keeper(), Writes()
    assert {*places_of(keeper)} == {id(vars(keeper)), id(keeper.inner), id(keeper.inner["all"])}
    assert {*places_of(writes)} == {id(vars(writes)), id(SEEN)}
    assert {*places_of(writes.method)} >= {id(vars(writes))}
    with Outside(writes.method).kept():
        writes.method("traced")
    assert vars(writes) == {}


def test_of_a_frameworks_object_only_what_somebody_hung_onto_it_is_looked_into():
    theirs, module = Framework(), ModuleType("somebodys")
    module.kept = [1]
    assert places_of(theirs) == [id(theirs.history)]
    for thing in (module, Framework, functools, 3, "text", None):
        assert places_of(thing) == []


def test_no_more_than_ten_thousand_things_are_looked_into():
    many = [[] for _ in range(10_100)]
    assert len(Outside(many).places) == 10_000


def test_names_and_keys_come_back_where_they_were_deleted_or_renamed():
    given, here = {"a": 1, "b": 2}, "kept"

    def run():
        nonlocal here
        given["c"] = given.pop("a")
        del here
        del globals()["LAST"]

    def reads():
        return here, given, LAST

    order = [*given]
    with Outside(run, reads).kept():
        run()
        assert "LAST" not in globals()
    assert reads() == ("kept", {"a": 1, "b": 2}, None)
    assert [*given] == order


def test_a_global_that_is_gone_before_it_begins_is_no_obstacle(monkeypatch):
    outside = Outside(lambda: LAST)
    monkeypatch.delitem(globals(), "LAST")
    with outside.kept():
        pass
    assert "LAST" not in globals()


def test_a_variable_that_was_not_set_yet_stays_as_it_is_set():
    later = 1
    del later

    def run():
        nonlocal later
        later = 3

    with Outside(run).kept():
        run()
    assert later == 3  # noqa: F821 - it is, by run


def test_what_did_not_change_is_not_touched():
    class Watched(dict):
        def clear(self):
            raise AssertionError

    watched = Watched(a=[1])
    with Outside(lambda: watched).kept():
        pass
    assert watched == {"a": [1]}

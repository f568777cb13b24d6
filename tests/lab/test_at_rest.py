import asyncio
import gc
import weakref
from types import SimpleNamespace

import pytest

from gradlab.lab import at_rest
from gradlab.lab.at_rest import AtRest
from tests.lab.front_end import until


class Counter:
    def __init__(self, seconds=0.03):
        self.calls = []
        self.rest = AtRest(self.call, seconds)

    def call(self):
        self.calls.append(at_rest.time.monotonic())


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves, and a function that gives a loop's time to it."""
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(at_rest, "time", SimpleNamespace(monotonic=lambda: now.seconds))

    async def move(by):
        asyncio.get_running_loop().time = lambda: now.seconds
        now.seconds += by
        for _ in range(3):  # what is due is called
            await asyncio.sleep(0)

    return move


def test_it_is_called_once_after_the_last_touch(clock):
    counter = Counter(0.2)

    async def drag():
        await clock(0)
        for _ in range(5):
            assert counter.rest.touch()
            await clock(0.15)
        assert counter.calls == []
        await clock(0.06)
        assert counter.calls == [pytest.approx(0.81)]
        await clock(1.0)
        assert len(counter.calls) == 1
        counter.rest.touch()
        await clock(0.21)
        assert len(counter.calls) == 2

    asyncio.run(drag())


def test_many_touches_leave_one_pending_call():
    counter = Counter(10.0)

    async def drag():
        loop = asyncio.get_running_loop()
        pending = len(loop._scheduled)
        for _ in range(1000):
            counter.rest.touch()
        assert len(loop._scheduled) == pending + 1

    asyncio.run(drag())


def test_without_an_event_loop_it_says_so():
    counter = Counter()
    assert counter.rest.touch() is False
    assert counter.calls == []


def test_cancelled_it_comes_to_nothing(clock):
    counter = Counter()

    async def drag():
        await clock(0)
        counter.rest.touch()
        counter.rest.cancel()
        await clock(1.0)

    asyncio.run(drag())
    assert counter.calls == []


def test_it_keeps_nothing_alive(clock):
    counter = Counter()
    reference = weakref.ref(counter)

    async def drag():
        nonlocal counter
        await clock(0)
        counter.rest.touch()
        del counter
        gc.collect()
        assert reference() is None
        await clock(1.0)

    asyncio.run(drag())


def test_a_touch_on_another_threads_loop_takes_over():
    counter = Counter(0.5)

    async def touch_and_wait():
        counter.rest.touch()
        await until(lambda: counter.calls)

    async def main():
        counter.rest.touch()
        first, *_ = asyncio.get_running_loop()._scheduled
        await asyncio.to_thread(lambda: asyncio.run(touch_and_wait()))
        await until(lambda: not first._scheduled)  # it was due here, and came to nothing

    asyncio.run(main())
    assert len(counter.calls) == 1


def test_a_loop_that_ended_before_does_not_block_the_next():
    counter = Counter(0.5)

    async def touch():
        counter.rest.touch()

    asyncio.run(touch())  # ends with the call still pending
    counter.rest._seconds = 0.02

    async def again():
        counter.rest.touch()
        await until(lambda: counter.calls)

    asyncio.run(again())
    assert len(counter.calls) == 1

import asyncio
import gc
import threading
import time
import weakref

from gradlab.lab.at_rest import AtRest


class Counter:
    def __init__(self, seconds=0.03):
        self.calls = []
        self.rest = AtRest(self.call, seconds)

    def call(self):
        self.calls.append(time.monotonic())


def test_it_is_called_once_after_the_last_touch():
    counter = Counter(0.2)

    async def drag():
        for _ in range(5):
            last = time.monotonic()  # before the touch: a slow machine only makes the wait longer
            assert counter.rest.touch()
            await asyncio.sleep(0.01)
        assert counter.calls == []
        await asyncio.sleep(0.5)
        assert len(counter.calls) == 1
        assert counter.calls[0] - last >= 0.19
        counter.rest.touch()
        await asyncio.sleep(0.5)
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


def test_cancelled_it_comes_to_nothing():
    counter = Counter()

    async def drag():
        counter.rest.touch()
        counter.rest.cancel()
        await asyncio.sleep(0.08)

    asyncio.run(drag())
    assert counter.calls == []


def test_it_keeps_nothing_alive():
    counter = Counter()
    reference = weakref.ref(counter)

    async def drag():
        nonlocal counter
        counter.rest.touch()
        del counter
        gc.collect()
        assert reference() is None
        await asyncio.sleep(0.08)

    asyncio.run(drag())


def test_a_touch_on_another_threads_loop_takes_over():
    counter = Counter()

    async def touch_and_wait(seconds):
        counter.rest.touch()
        await asyncio.sleep(seconds)

    async def main():
        counter.rest.touch()
        thread = threading.Thread(target=lambda: asyncio.run(touch_and_wait(0.15)))
        thread.start()
        await asyncio.sleep(0.2)
        thread.join()

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
        await asyncio.sleep(0.08)

    asyncio.run(again())
    assert len(counter.calls) == 1

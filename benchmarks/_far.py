"""A line between a browser and a server that is far away: a TCP proxy that delays and limits.

    python benchmarks/_far.py HOST PORT [--round-trip 150] [--megabits 10]

Prints the port that it listens on, and runs until it is ended. Bytes leave in the order in which
they came, at the line's rate, and arrive half a round trip later; all connections of one direction
share the line. What TCP itself does at a distance (acknowledgements, slow start, losses) is not
there: what is, every message of a websocket pays.
"""

import argparse
import asyncio
import subprocess
import sys
from contextlib import contextmanager

CHUNK = 16 * 1024  # bytes: a few packets at a time
WAITING = 64  # chunks of a connection that may be under way; then its sender has to wait


class Line:
    """One direction: how long its bytes take.

    Parameters
    ----------
    delay : float
        Seconds between the last byte's departure and its arrival.
    rate : float
        Bytes per second.
    """

    def __init__(self, delay, rate):
        self.delay, self.rate, self.free_at = delay, rate, 0.0

    def arrival(self, size, now):
        """Return when `size` bytes arrive that are sent `now`, and take the line for them."""
        self.free_at = max(now, self.free_at) + size / self.rate
        return self.free_at + self.delay


async def carry(reader, writer, line):
    """Carry everything from `reader` to `writer`, each piece when it is due."""
    loop, under_way = asyncio.get_running_loop(), asyncio.Queue(WAITING)

    async def send():
        while (piece := await under_way.get()) is not None:
            data, due = piece
            await asyncio.sleep(max(0.0, due - loop.time()))
            writer.write(data)
            await writer.drain()
        writer.close()

    sending = asyncio.create_task(send())
    try:
        while data := await reader.read(CHUNK):
            await under_way.put((data, line.arrival(len(data), loop.time())))
    except ConnectionError:
        pass
    await under_way.put(None)
    await asyncio.gather(sending, return_exceptions=True)


async def serve(host, port, delay, rate):
    """Listen on a free port of this machine, and carry what comes to `host` and back."""
    there, back = Line(delay, rate), Line(delay, rate)

    async def connect(reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(
            carry(reader, far_writer, there),
            carry(far_reader, writer, back),
            return_exceptions=True,
        )

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def far(port, round_trip, megabits):
    """Run the proxy as a process of its own; gives the port that leads to `port` of this machine.

    Parameters
    ----------
    port : int
    round_trip : float
        Milliseconds.
    megabits : float
        Megabits per second, each way.
    """
    options = [f"--round-trip={round_trip}", f"--megabits={megabits}"]
    process = subprocess.Popen(
        [sys.executable, __file__, "127.0.0.1", str(port), *options],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def main():
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--round-trip", type=float, default=150.0, help="ms")
    parser.add_argument("--megabits", type=float, default=10.0, help="per second, each way")
    asked = parser.parse_args()
    asyncio.run(serve(asked.host, asked.port, asked.round_trip / 2e3, asked.megabits * 1e6 / 8))


if __name__ == "__main__":
    main()

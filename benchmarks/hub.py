"""What a class on one machine needs: many kernels with a lab in each, all in use at once.

    python benchmarks/hub.py [--kernels 30] [--seconds 60]

First one student alone, then all of them. A student drags the step for a second, twenty events, and
then looks for nine; who drags when is random. An event takes from the message that a browser sends
until the kernel is idle again; the way through the server and to the browser comes on top. Prints
memory a kernel (`own` is what another kernel adds: the rest is shared), the processor time of an
event, and its median and 95th percentile alone and with all the others.
"""

import argparse
import random
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from queue import Empty

import _one_core  # noqa: F401
import psutil
from jupyter_client.manager import start_new_kernel

MAKE = "import gradlab as gl\nlab = gl.Lab()\nlab"
ASK = {"id": "lab.board.model_id", "time": "__import__('time').process_time()"}
EVENTS, EVERY = 20, 0.05  # a drag
READS = 9.0  # seconds
LONGEST = 120.0  # seconds that an answer may take


class Student:
    """A kernel with a lab in it, and somebody who drags its step."""

    def __init__(self, number):
        self.random, self.times = random.Random(number), []
        self.manager, self.client = start_new_kernel(startup_timeout=1200)
        reply = self.client.execute_interactive(
            MAKE, user_expressions=ASK, timeout=1200, output_hook=lambda message: None
        )
        self.board = self.answer_of(reply, "id").strip("'")

    def answer_of(self, reply, name):
        """Return what an expression came to, as text."""
        return reply["content"]["user_expressions"][name]["data"]["text/plain"]

    def processor(self):
        """Return the seconds of a processor that the kernel has used."""
        reply = self.client.execute_interactive("", user_expressions=ASK, timeout=LONGEST)
        return float(self.answer_of(reply, "time"))

    def work(self, seconds):
        """Drag and read by turns, for so long."""
        end = time.monotonic() + seconds
        time.sleep(self.random.uniform(0, min(READS, seconds / 2)))
        while time.monotonic() < end:
            for _ in range(EVENTS):
                start = time.perf_counter()
                self.slide(self.random.uniform(-13, -1))
                taken = time.perf_counter() - start
                self.times.append(taken)
                time.sleep(max(0.0, EVERY - taken))
            time.sleep(self.random.uniform(0.5, 1.5) * READS)

    def slide(self, to):
        """Send what the board's script sends while a handle is dragged, and wait for the answer."""
        data = {"method": "custom", "content": {"slide": "eps", "to": to}}
        message = self.client.session.msg("comm_msg", {"comm_id": self.board, "data": data})
        self.client.shell_channel.send(message)
        updates, deadline = 0, time.monotonic() + LONGEST
        while True:
            try:
                answer = self.client.get_iopub_msg(timeout=deadline - time.monotonic())
            except (Empty, ValueError):
                raise TimeoutError(f"no answer within {LONGEST} s") from None
            if answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            updates += answer["msg_type"] == "comm_msg"
            if answer["content"].get("execution_state") == "idle":
                assert updates, "the lab did not answer"
                return

    def memory(self):
        """Return own, proportional and resident memory, in MB."""
        info = psutil.Process(self.manager.provisioner.pid).memory_full_info()
        return info.uss / 1e6, getattr(info, "pss", info.rss) / 1e6, info.rss / 1e6

    def close(self):
        """End the kernel."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernels", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each is at work")
    asked = parser.parse_args()
    students = []
    try:
        with ThreadPoolExecutor(4) as pool:
            for student in pool.map(Student, range(asked.kernels)):
                students.append(student)
                print(f"kernel {len(students)} of {asked.kernels}", file=sys.stderr)
        alone = at_work(students[:1], asked.seconds)
        before = [student.processor() for student in students]
        together = at_work(students, asked.seconds)
        used = sum(student.processor() for student in students) - sum(before)
        report(students, alone, together, used)
    finally:
        for student in students:
            student.close()
    return 0


def at_work(students, seconds):
    """Let students work at the same time; returns the seconds of all their events."""
    for student in students:
        student.times = []
    threads = [threading.Thread(target=student.work, args=(seconds,)) for student in students]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [taken for student in students for taken in student.times]


def report(students, alone, together, used):
    """Print the tables."""
    memory = [statistics.median(part) for part in zip(*map(Student.memory, students), strict=True)]
    load = " ".join(f"{value:.0f}" for value in psutil.getloadavg())
    print(f"\n{len(students)} kernels, {psutil.cpu_count()} processors; load average {load}, the"
          " kernels' own part included.\n")  # fmt: skip
    print("memory a kernel, MB: own {:.0f}, with its share of what is shared {:.0f}, resident"
          " {:.0f}".format(*memory))  # fmt: skip
    print(f"processor time of an event: {1e3 * used / len(together):.1f} ms\n")
    print(f"{'an event, ms':24}{'events':>8}{'median':>9}{'p95':>9}")
    for name, times in (("one at work", alone), (f"{len(students)} at work", together)):
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"{name:24}{len(times):8}{1e3 * statistics.median(times):9.0f}{1e3 * p95:9.0f}")
    ratio = statistics.quantiles(together, n=20)[-1] / statistics.quantiles(alone, n=20)[-1]
    print(f"\nthe p95 with all at work is {ratio:.1f} times that of one alone")


if __name__ == "__main__":
    sys.exit(main())

"""Only code that does nothing but compute runs with a line changed."""

import collections
import importlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import UserList, deque
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
from numpy.random import default_rng

import gradlab as gl
from gradlab.checking.source.functions import Code
from gradlab.checking.source.harmless import MOST_BODIES, written_by
from gradlab.checking.source.mended import leaves_alone
from gradlab.checking.source.objects import MOST
from gradlab.checking.source.silent import others_run
from gradlab.checking.source.untouched import MOST_LONG, untouched

A = np.array([[2.0, 0.3], [0.3, 1.0]])
FILES, STATE, QUEUE, SETTINGS = ["a", "b"], {"calls": 0}, deque(), os.environ
RNG = np.random.default_rng(0)
numbers = iter(range(100))
KEPT = UserList()  # appends as a list does, and is of another file


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def root(x, tol=1e-10):
    r = x
    while abs(r * r - x) > tol:
        r = (r + x / r) / 2
    return r


def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)


def ping(n):
    return n if n < 1 else pong(n - 1)


def pong(n):
    return ping(n - 1)


def removes(t):
    os.remove(FILES[0])
    return A @ t


def copies(t):
    shutil.copyfile(FILES[0], FILES[1])
    return A @ t


def opens(t):
    open(FILES[0], "w").write("x")  # noqa: SIM115
    return A @ t


def saves(t):
    np.save("last.npy", t)
    return A @ t


keep = np.save


def saves_by_another_name(t):
    keep("last.npy", t)
    return A @ t


def writes_to_file(t):
    t.tofile("last.bin")
    return A @ t


def ends(t):
    if np.abs(t).max() > 1e6:
        sys.exit("diverged")
    return A @ t


def sets_a_global(t):
    global scale
    scale = 1.0
    return A @ t


def sets_the_environment(t):
    SETTINGS["N"] = "3"
    return A @ t


def sets_numpys_state(t):
    np.random.seed(0)  # noqa: NPY002
    return A @ t


def draws(t):
    return A @ t + np.random.rand(2)  # noqa: NPY002


def draws_from_its_own(t):
    return A @ t + RNG.normal(size=2)


def waits(t):
    time.sleep(0.001)
    return A @ t


def fills_a_queue(t):
    QUEUE.append(t)
    QUEUE.rotate(1)
    return A @ t


def appends_to_a_queue(t):
    QUEUE.append(t)
    return A @ t


def appends_to_a_class_of_another_file(t):
    KEPT.append(t)
    return A @ t


def appends_under_another_name(t):
    for kept in [QUEUE]:
        kept.append(t)
    return A @ t


def appends_to_a_default(t, kept=QUEUE):
    kept.append(t)
    return A @ t


def adds_in_place(t):
    kept = QUEUE
    kept += [t]
    return A @ t


def hands_on_what_removes(t):
    return A @ t + len([*map(os.remove, FILES)])


def calls_what_has_a_while(t):
    return A @ t * root(2.0)


def calls_what_calls_itself(t):
    return A @ t * factorial(3)


def calls_what_goes_round(t):
    return A @ t * ping(3)


def makes_what_calls_itself(t):
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    return A @ t * fib(5)


def uses_up(t):
    return A @ t * sum(k for k in numbers)


def is_given_a_function(t, of=np.tanh):
    return A @ of(t)


class Net:
    lr = 1.0
    queue = QUEUE

    def __init__(self):
        self.W, self.max = np.ones(2), 6.0

    def of_class(self, t):
        Net.lr = Net.lr * 1.0
        return A @ t

    def fills_the_class_s(self, t):
        self.queue.append(t)
        return A @ t

    def of_its_type(self, t):
        type(self).lr = 2.0
        return A @ t

    def calls_what_its_method_has(self, t):
        self.helper.cache_clear()
        return A @ t

    @property
    def size(self):
        return len(self.W)

    def has_a_number_named_as_a_method(self, t):
        return np.abs(t).max() * self.size * self.max

    def plain(self, t):
        self.out = self.helper(t)
        return A @ self.out

    def helper(self, t):
        return np.tanh(t) * self.W


class Guesses:
    def __getattr__(self, name):
        raise AttributeError(name)


GUESSES = Guesses()
MODULE = ModuleType("a_persons")
MODULE.queue, MODULE.list, MODULE.tidy, MODULE.remove = QUEUE, [], np.tanh, os.remove


class Odd(tuple):
    def __new__(cls, a):
        FILES.append("made")
        return super().__new__(cls, a)


class OfItself(NamedTuple):
    a: object


class OddWithInit(collections.namedtuple("Pair", "a b")):
    def __init__(self, *_):
        FILES.append("made")


draw = np.random.rand


def asks_what_guesses(t):
    return A @ t + GUESSES.count


def fills_a_module_s_queue(t):
    kept = MODULE.queue
    kept.append(t)
    return A @ t


def sums_up_a_module_s_queue(t):
    kept = MODULE.queue
    kept += [t]
    return A @ t


def calls_what_a_module_has(t):
    MODULE.remove(FILES[0])
    return A @ t


def hands_on_what_a_module_has(t):
    return A @ t + len([*map(MODULE.remove, FILES)])


def sets_a_part_of_a_queue(t):
    for kept in [QUEUE]:
        kept[0] = t
    return A @ t


def deletes_a_part_of_a_queue(t):
    for kept in [QUEUE]:
        del kept[0]
    return A @ t


def makes_an_odd_tuple(t):
    return A @ Odd(t)[0]


def makes_a_pair_with_an_init(t):
    return A @ OddWithInit(t, t).a


def draws_by_another_name(t):
    return A @ t + draw(2)


def hands_on_what_opens(t):
    return A @ t + len([*map(open, FILES)])


def makes_a_lambda_that_calls_itself(t):
    fib = lambda n: n if n < 2 else fib(n - 1)  # noqa: E731
    return A @ t * fib(5)


def sets_anothers_attribute(t, net=None):
    net.lr = 1.0
    return A @ t


def calls_an_unknown_method(t):
    return A @ t.rotate(1)


def calls_an_unknown_builtin(t):
    return A @ t * len(dir())


class Half:
    def plain(self, t):
        return t / 2


class Reads:
    def __init__(self):
        self.inner, self.table = [Half()], {"a": 1.0}

    @property
    def lines(self):
        return len(open(FILES[0]).read())

    def by_property(self, t):
        return A @ t * self.lines

    def sets_its_own(self, t):
        self.out = self.table["a"] = t
        return A @ t

    def plain(self, t):
        """Of another object's method of the same name it does not go round."""
        return self.inner[0].plain(t)


HARMFUL = [
    asks_what_guesses, fills_a_module_s_queue, sums_up_a_module_s_queue,
    calls_what_a_module_has, hands_on_what_a_module_has,
    sets_a_part_of_a_queue, deletes_a_part_of_a_queue, makes_an_odd_tuple,
    makes_a_pair_with_an_init, draws_by_another_name, hands_on_what_opens,
    makes_a_lambda_that_calls_itself, sets_anothers_attribute, calls_an_unknown_method,
    calls_an_unknown_builtin, Reads().by_property,
    removes, copies, opens, saves, saves_by_another_name,
    writes_to_file, ends, sets_a_global, sets_the_environment,
    sets_numpys_state, draws, draws_from_its_own, waits, fills_a_queue, calls_what_has_a_while,
    appends_to_a_queue, appends_to_a_class_of_another_file, appends_under_another_name,
    appends_to_a_default, adds_in_place, hands_on_what_removes, Net().fills_the_class_s,
    calls_what_calls_itself, calls_what_goes_round, makes_what_calls_itself, uses_up,
    is_given_a_function, Net().of_class, Net().of_its_type,
    Net().calls_what_its_method_has,
]  # fmt: skip


@pytest.mark.every_case
@pytest.mark.parametrize("function", HARMFUL, ids=lambda f: f.__name__)
def test_what_could_do_more_than_compute_is_not_run(function):
    code = Code(function)
    assert code.functions, "it must be read to be judged"
    assert written_by([code]) is None


def loops(t):
    total = np.zeros(2)
    for k, row in enumerate(A):
        total[k] += row @ sigmoid(t)
    cache = {"t": t, "list": [t]}
    cache["list"].append(total)
    np.add.at(total, [0, 0], 1.0)
    square = lambda z: z**2  # noqa: E731
    rng = np.random.default_rng(3)
    total *= rng.random(2) < 0.5
    with np.errstate(all="ignore"):
        return square(np.linalg.norm(total)) * np.array([float(x) for x in t])


def starts_by_its_name(t):
    rng = default_rng(3)
    return A @ t + rng.random(2) + default_rng(3).random(2)


def of_a_module(t):
    kept = MODULE.list
    kept.append(1.0)
    return A @ t + sum(map(MODULE.tidy, t))


def of_a_named_tuple(t):
    return A @ OfItself(t).a


def calls_one_inside(t):
    square = lambda z: np.array([*map(float, z**2)])  # noqa: E731

    def half(z):
        return z / 2

    return square(half(A @ t))


@pytest.mark.every_case
@pytest.mark.parametrize(
    "function",
    [loops, sigmoid, Net().plain, Net().has_a_number_named_as_a_method, lambda t: A @ t,
     starts_by_its_name, of_a_module, of_a_named_tuple, calls_one_inside, Reads().sets_its_own,
     Reads().plain],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_what_computes_is_run(function):
    assert written_by([Code(function)]) is not None


def test_what_a_module_and_arguments_lead_to_may_be_written_into():
    found, handed = written_by([Code(of_a_module)]), [np.ones(2)]
    assert any(thing is MODULE.list for thing in found)
    assert not any(thing is MODULE.list for thing in written_by([Code(sigmoid)]))
    assert any(thing is handed[0] for thing in written_by([Code(sigmoid)], handed))
    assert written_by([Code(of_a_module)], [QUEUE]) is None  # a name may stand for it
    both = written_by([Code(sigmoid), Code(of_a_module)])
    assert any(thing is MODULE.list for thing in both)
    assert written_by([Code(sigmoid), Code(removes)]) is None


IN_PLACE = {
    "+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "**": "pow",
    "@": "matmul", "|": "or", "&": "and", "^": "xor", "<<": "lshift", ">>": "rshift",
}  # fmt: skip


def test_each_operator_that_changes_an_object_in_place_is_seen(tmp_path, monkeypatch):
    """Of a class that is not read, as it has no file; numbers and arrays have none that harms."""
    lines = ["KEPT = None"]
    for k, sign in enumerate(IN_PLACE):
        lines.append(f"def f{k}(t, kept=0):\n    kept {sign}= 2\n    return t")
        lines.append(f"def g{k}(t):\n    for kept in [KEPT]:\n        kept {sign}= 2\n    return t")
    (tmp_path / "in_place.py").write_text("\n\n\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    in_place = importlib.import_module("in_place")
    for k, method in enumerate(IN_PLACE.values()):
        kind = type("Kind", (), {f"__i{method}__": lambda self, other: self})
        in_place.KEPT = kind()
        harmless = [written_by([Code(getattr(in_place, f"g{j}"))]) is not None for j in range(13)]
        assert harmless == [j != k for j in range(13)], method
        assert written_by([Code(getattr(in_place, f"f{k}"))]) is not None


@pytest.mark.parametrize(("many", "is_run"), [(MOST_BODIES, True), (MOST_BODIES + 1, False)])
def test_so_many_functions_are_judged_and_no_more(many, is_run, tmp_path, monkeypatch):
    name = f"chain_of_{many}"
    lines = [f"def f{k}(t):\n    return f{k + 1}(t)" for k in range(many - 1)]
    text = "\n\n\n".join([*lines, f"def f{many - 1}(t):\n    return t"])
    (tmp_path / f"{name}.py").write_text(f"{text}\n")
    monkeypatch.syspath_prepend(tmp_path)
    code = Code(importlib.import_module(name).f0)
    assert (written_by([code]) is not None) == is_run


def test_a_report_of_a_gradient_that_deletes_files_deletes_no_others(tmp_path):
    files = [tmp_path / f"keep{k}" for k in range(3)]

    def grad(t):
        files[0].write_text("x")
        os.remove(files[0])
        return A @ t - np.tanh(t**2)

    for file in files:
        file.write_text("x")
    report = gl.check_function(lambda t: float(t @ A @ t) / 2, grad, np.array([0.4, -0.7]))
    assert report.verdict == "wrong"
    assert str(report)
    assert [file.exists() for file in files] == [False, True, True]


def test_a_forgotten_axis_of_a_long_array_takes_no_memory(tmp_path):
    """Of N numbers it makes N x N: the search is left where that would be too many."""
    program = f"""
import resource, numpy as np, gradlab as gl
rng = np.random.default_rng(0)
X = rng.standard_normal(({10 * MOST_LONG}, 5)); y = 1.0 * (rng.random({10 * MOST_LONG}) < 0.5)
def f(w):
    z = (X * w).sum(axis=1)
    return float(np.mean(np.logaddexp(0, z) - y * z))
def grad(w):
    z = (X * w).sum(axis=1)
    e = 1 / (1 + np.exp(-z)) - y
    return X.T @ e / len(y) + 0.1 * np.tanh(w)
report = gl.check_function(f, grad, rng.standard_normal(5))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
str(report)
print(report.verdict, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000)
"""
    path = tmp_path / "long.py"  # a file, so that its source can be read
    path.write_text(program)
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["wrong", "True"]


class Dense:
    def __init__(self):
        self.W, self.seen = A.copy(), [np.zeros(2), {"calls": 1}]

    def backward(self, dout):
        self.W += 1
        self.seen[0][:] = 7
        self.seen[1]["calls"] += 1
        self.seen.append(dout)
        self.new = dout
        STATE["calls"] += 1
        return dout @ self.W.T


def test_what_a_method_writes_into_its_object_and_around_is_put_back():
    dense, counted = Dense(), dict(STATE)
    with untouched(written_by([Code(dense.backward)])):
        dense.backward(np.ones(2))
        assert counted != STATE
    assert np.array_equal(dense.W, A)
    assert len(dense.seen) == 2
    assert not dense.seen[0].any()
    assert dense.seen[1] == {"calls": 1}
    assert not hasattr(dense, "new")
    assert counted == STATE


ORDER = {"a": 1, "b": 2}
SEEN, LOG = {1}, [0]


class Counter:
    log = LOG

    def count(self, t, every=[0]):  # noqa: B006
        self.log.append(t)
        every.append(t)
        SEEN.update([2])
        ORDER.pop("a")
        ORDER.setdefault("a", 3)
        return A @ t


def test_what_a_class_a_default_and_a_set_hold_is_put_back_in_the_same_order():
    counter = Counter()
    with untouched(written_by([Code(counter.count)])):
        counter.count(np.ones(2))
        assert len(Counter.log) == 2
    assert Counter.log == [0]
    assert Counter.count.__defaults__ == ([0],)
    assert {1} == SEEN
    assert [*ORDER.items()] == [("a", 1), ("b", 2)]


def test_more_than_can_be_looked_into_is_not_run():
    many = [[k] for k in range(MOST + 1)]
    assert written_by([Code(lambda t: A @ t * len(many))]) is None


def wrong_sigmoid(t):
    s = sigmoid(t)
    return s * s


def test_no_line_is_searched_while_another_thread_of_the_persons_runs():
    def report():
        return gl.check_function(lambda t: np.sum(sigmoid(t)), wrong_sigmoid, np.array([0.3, 1.0]))

    ends, begun = threading.Event(), threading.Event()

    def trains():
        begun.set()
        ends.wait()

    thread = threading.Thread(target=trains)
    thread.start()
    begun.wait()
    meanwhile = report().diagnosis[0].wrong_line
    ends.set()
    thread.join()
    assert meanwhile is None
    assert report().diagnosis[0].wrong_line == "return s * s"


def test_a_thread_that_runs_nothing_of_a_persons_disturbs_no_search():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(len, "").result()
        assert not others_run()


def test_a_timer_will_run_what_it_was_given():
    timer = threading.Timer(60, lambda: None)
    timer.start()
    runs = others_run()
    timer.cancel()
    timer.join()
    assert runs
    assert not others_run()


def tripled(t):
    return 3 * t


def with_a_while(t):
    k = 0
    while k < 1:
        k += 1
    return float(0.5 * np.sum(tripled(t) ** 2))


def grad_of_it(t):
    return tripled(t)


def test_a_loss_that_may_not_end_is_not_run_with_a_helper_changed():
    runs, helper = [], Code(grad_of_it).functions[1]
    keeps = leaves_alone(Code(with_a_while), lambda now, at: runs.append(now), np.ones(2))
    assert not keeps(helper)
    assert runs == []


def test_no_edit_is_told_with_which_a_loss_in_another_file_is_another(tmp_path, monkeypatch):
    (tmp_path / "helper_of_both.py").write_text(
        "def h(t):\n    return 3 * t\n\n\ndef g(t):\n    return h(t)\n"
    )
    loss = "def f(t):\n    return (helper_of_both.h(t) ** 2).sum() / 2\n"
    (tmp_path / "loss_of_both.py").write_text(f"import helper_of_both\n\n\n{loss}")
    monkeypatch.syspath_prepend(tmp_path)
    f, g = (importlib.import_module(f"{one}_of_both") for one in ("loss", "helper"))
    (cause,) = gl.check_function(f.f, g.g, np.array([0.4, -0.7])).diagnosis
    assert cause.wrong_line == "return h(t)"
    assert cause.alike == ()


def stops_at(theta):
    if theta.size == len(FILES) + 100:
        raise KeyboardInterrupt
    return theta


def refuses(theta):
    if theta.size == len(FILES) + 100:
        raise ValueError
    return theta


def test_no_edit_may_reach_what_ends_the_program():
    assert written_by([Code(stops_at)]) is None
    assert written_by([Code(refuses)]) is not None

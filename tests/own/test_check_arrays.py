"""`gl.check_arrays`: every array comes back, names and shapes are read, misuse is told."""

import logging
import signal
from collections import OrderedDict
from threading import Lock
from types import SimpleNamespace

import numpy as np
import pytest

import gradlab as gl
from gradlab.own import kept as kept_module
from gradlab.own.nested import Nested


def places():
    """Return arrays of every kind of memory, with a -0.0 each, and one more that is left alone."""
    rng = np.random.default_rng(0)
    buffer = rng.standard_normal(40)
    arrays = {
        "plain": rng.standard_normal((2, 3)),
        "fortran": np.asfortranarray(rng.standard_normal((2, 3))),
        "strided": rng.standard_normal((4, 6))[::2, 1::2],
        "backwards": rng.standard_normal(5)[::-1],
        "even": buffer[::2][:4],
        "odd": buffer[1::2][:4],
        "number": np.array(0.7),
        "diagonal": np.lib.stride_tricks.as_strided(np.eye(3), (3,), (32,)),
        "matrix": rng.standard_normal((2, 2)).view(np.matrix),
    }
    for array in arrays.values():
        array[(0,) * array.ndim] = -0.0
    return {**arrays, "cache": np.zeros(3), "steps": 0, "ints": np.arange(3), "text": "net"}


NAMES = list(places())[:-4]


def loss_of(net, at_call=None, error=None):
    calls = []

    def loss():
        calls.append(1)
        if at_call is not None and len(calls) >= at_call:
            raise error("planted")
        net["cache"] += 1
        net["ints"] += 1
        net["new"] = np.zeros(2)
        return float(sum(np.sum(np.sin(np.asarray(net[k]))) for k in NAMES))

    return loss


def state(net):
    return [(k, id(v), v.tobytes() if isinstance(v, np.ndarray) else v) for k, v in net.items()]


def cosines(net):
    return {k: np.cos(np.asarray(net[k])) for k in NAMES}


def test_arrays_of_every_kind_are_checked_and_come_back():
    net = places()
    before = state(net)
    report = gl.check_arrays(loss_of(net), net, lambda: cosines(net))
    assert report.verdict == "correct"
    assert list(report) == NAMES
    assert state(net) == before
    report = gl.check_arrays(loss_of(net), net, {**cosines(net), "odd": 1.01 * cosines(net)["odd"]})
    assert report.wrong == ["odd"]
    assert state(net) == before


@pytest.mark.every_case
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ZeroDivisionError, SystemExit])
@pytest.mark.parametrize("at_call", [1, 2, 3, 7, 20, 41])
def test_arrays_come_back_when_the_loss_raises(error, at_call):
    net = places()
    before = state(net)
    with pytest.raises(error, match="planted"):
        gl.check_arrays(loss_of(net, at_call, error), net, lambda: cosines(net))
    assert state(net) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("at_call", [1, 2, 3])
def test_arrays_come_back_when_the_gradient_raises(error, at_call):
    net, calls = places(), []
    before = state(net)

    def grads():
        calls.append(1)
        net["plain"] *= 2
        if len(calls) >= at_call:
            raise error("planted")
        return cosines(net)

    with pytest.raises(error, match="planted"):
        gl.check_arrays(loss_of(net), net, grads)
    assert state(net) == before


def test_ctrl_c_itself_and_a_second_one_while_arrays_are_put_back(monkeypatch):
    net, calls, tries = places(), [], []
    before, put_back = state(net), kept_module._put_back

    def loss():
        calls.append(1)
        if len(calls) == 30:
            signal.raise_signal(signal.SIGINT)
        return loss_of(net)()

    def interrupted(arrays, places):
        tries.append(1)
        if len(tries) == 1:
            raise KeyboardInterrupt
        put_back(arrays, places)

    monkeypatch.setattr(kept_module, "_put_back", interrupted)
    # what a shell starts in the background has this signal ignored
    before_that = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            gl.check_arrays(loss, net, cosines(net))
    finally:
        signal.signal(signal.SIGINT, before_that)
    assert len(tries) == 2
    assert len(calls) == 30
    assert state(net) == before


def test_while_the_loss_runs_one_entry_is_shifted_in_place():
    W, seen = np.array([0.5, 0.25]), []

    def loss():
        seen.append(W.copy())
        return np.sum(W**3)

    assert gl.check_arrays(loss, [W], [3 * W**2]).verdict == "correct"
    off = np.array(seen) != W
    assert (off.sum(axis=1) == 1).any()
    assert off.any(axis=0).all()


def test_copies_are_handed_to_a_loss_with_an_argument():
    params = {"W": np.ones(2), "deep": [np.zeros(1), (np.full(2, 0.5), 3)], "n": 4,
              "labels": np.arange(3)}  # fmt: skip
    params["W"].flags.writeable = False
    kinds = set()

    def loss(p):
        kinds.add((type(p), type(p["deep"][1]), p["deep"][1][1], p["n"]))
        assert p["W"] is not params["W"]
        value = np.sum(p["W"] ** 2) + np.sum(p["deep"][1][0] ** 3)
        p["W"][:] = p["deep"][0][:] = p["deep"][1][0][:] = 9.0
        p["n"] = 0
        assert p["labels"].tolist() == [0, 1, 2]
        p["labels"][:] = 0
        p["deep"].append(None)
        return value

    before = state({**params, "a": params["deep"][0], "b": params["deep"][1][0]})
    grads = {"W": np.full(2, 2.0), "deep": [None, (np.full(2, 0.75), None)]}
    report = gl.check_arrays(loss, params, grads)
    assert report.verdict == "correct"
    assert list(report) == ["W", "deep[1][0]"]
    assert kinds == {(dict, tuple, 3, 4)}
    assert before == state({**params, "a": params["deep"][0], "b": params["deep"][1][0]})
    assert len(params["deep"]) == 2
    told = " ".join(report.remarks)
    assert "grads has no gradient for deep[0]" in told
    assert "deep[1][1] (int), n (int)" in told


def test_containers_keep_their_kinds_and_what_they_share():
    class Layer:
        __slots__ = ("W", "__dict__")

    layer = SimpleNamespace(W=np.ones(2))
    layer.back = {"to": layer}  # a ring
    root = OrderedDict(first=layer, again=layer, rest=(layer.W, Layer))
    tree = Nested(root)
    assert tree.again == {"again": "first", "first.back.to": "first"}
    assert tree.first_path("again.back.to.W") == "first.W"
    new = tree.with_copies({"first.W": np.zeros(2)})
    assert type(new) is OrderedDict
    assert new["first"] is new["again"] is new["first"].back["to"]
    assert new["first"] is not layer
    assert not new["first"].W.any()
    assert layer.W.all()


def test_one_array_under_two_names_counts_once():
    W = np.array([0.3, -0.2])
    g = 2 * np.cos(2 * W)
    arrays = {"enc": W, "dec": W[:], "layers": [{"v": W}]}

    def loss():
        return np.sum(np.sin(arrays["enc"] + arrays["dec"]))

    report = gl.check_arrays(loss, arrays, {"dec": g})
    assert (list(report), report.verdict) == (["enc"], "correct")
    assert "dec is enc, layers[0].v is enc" in " ".join(report.remarks)
    assert gl.check_arrays(loss, arrays, {"enc": g, "dec": g.copy()}).verdict == "correct"
    assert gl.check_arrays(loss, arrays, {"enc": g / 2}).verdict == "wrong"

    def loss_of_copies(p):
        assert p["enc"] is p["dec"] is p["layers"][0]["v"]
        return np.sum(np.sin(p["enc"] + p["dec"]))

    assert gl.check_arrays(loss_of_copies, arrays, {"dec": g}).verdict == "correct"


def test_names_of_gradients():
    W, b = np.array([0.5, 1.5]), np.array([0.1])

    def loss():
        return np.sum(np.sin(W)) + np.sum(b**2)

    g, gb = np.cos(W), 2 * b
    net = SimpleNamespace(W=W, b=b)
    for named in ({"dW": g, "db": gb}, {"grad_W": g, "grad_b": gb}, {"W_grad": g, "b_grad": gb},
                  {"d_W": g, "db": gb}, SimpleNamespace(W=g, b=gb)):  # fmt: skip
        report = gl.check_arrays(loss, net, named)
        assert (list(report), report.verdict) == (["W", "b"], "correct")
    report = gl.check_arrays(loss, {"W": W, "dW": b}, {"W": g, "dW": gb})  # names of arrays
    assert (list(report), report.remarks) == (["W", "dW"], ())
    report = gl.check_arrays(loss, {"W": W, "b": b, "dW": g}, {"dW": g})  # of W, not of dW
    assert list(report) == ["W"]
    assert "dW as that of W" in " ".join(report.remarks)
    assert "not checked, because grads has no gradient for b" in report.remarks
    assert gl.check_arrays(loss, {"x.y": W, 3: b}, {"x.y": g, 3: gb}).verdict == "correct"


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("shape", "gradient", "fits"),
    [((3,), (1, 3), True), ((3,), (3, 1), True), ((1, 3), (3,), True), ((3, 1), (3,), True),
     ((), (1,), True), ((1,), (), True), ((1, 1), (), True), ((1, 1), (1, 1), True),
     ((1, 3), (3, 1), False), ((3, 1), (1, 3), False), ((2, 3), (3, 2), False),
     ((2, 3), (6,), False), ((6,), (2, 3), False), ((2, 2), (1, 2, 2), False), ((3,), (), False)],
)  # fmt: skip
def test_shapes_of_gradients(shape, gradient, fits):
    W = np.array(np.arange(1.0, 1 + np.prod(shape, dtype=int)).reshape(shape) / 7)
    g = np.resize(np.cos(W), gradient)
    if fits:
        report = gl.check_arrays(lambda: np.sum(np.sin(W)), {"W": W}, {"W": g})
        assert report.verdict == "correct"
        assert any(f"W ({gradient} for {shape})" in r for r in report.remarks) == (
            shape != gradient
        )
    else:
        with pytest.raises(ValueError, match="for W: must have shape") as caught:
            gl.check_arrays(lambda: np.sum(np.sin(W)), {"W": W}, {"W": g})
        assert str(shape) in str(caught.value)
        assert str(gradient) in str(caught.value)


def test_float32_gradients_beside_float64_are_judged_as_float32():
    W, v = np.linspace(0.1, 2, 8), np.linspace(0.3, 1, 5)
    g = {"W": np.cos(W).astype(np.float32), "v": -np.sin(v)}

    def loss():
        return np.sum(np.sin(W)) + np.sum(np.cos(v))

    assert gl.check_arrays(loss, {"W": W, "v": v}, g).verdict == "correct"
    g["v"] = g["v"] * 1.01
    assert gl.check_arrays(loss, {"W": W, "v": v}, g).wrong == ["v"]


def test_gradients_given_as_numbers_are_those_of_the_call():
    """Even if the loss overwrites them: what was handed over is judged, at kinks too."""
    W, g = np.array([0.5, 0.0, -0.5]), np.array([1.0, 0.5, -1.0])

    def loss():
        g[:] = 0.0
        return np.sum(np.abs(W))

    report = gl.check_arrays(loss, [W], [g])
    assert report.verdict == "correct"
    assert g.tolist() == [1.0, 0.5, -1.0]


def test_of_a_gradient_given_as_numbers_nothing_is_concluded_beside_a_kink():
    """A function is asked a small way off, where it must fit; numbers say nothing of there."""
    t = np.array([0.0, 0.5, -0.7])

    def f(t):
        return np.abs(t[0]) + 3 * t[1] - t[2]

    def off(t):
        return np.array([2.0, 3.0, -1.0])  # no slope of |t| is 2

    def wide_at_0(t):
        return np.array([np.sign(t[0]) or 2.0, 3.0, -1.0])

    for grad, verdict in ((off, "wrong"), (wide_at_0, "correct"), (off(t), "inconclusive")):
        assert gl.check_function(f, grad, t).verdict == verdict
        if callable(grad):
            there = gl.check_arrays(lambda: f(t), t, lambda grad=grad: grad(t))
            copied = gl.check_arrays(f, t, grad)
        else:
            there = gl.check_arrays(lambda: f(t), t, grad)
            copied = gl.check_arrays(f, t, lambda grad=grad: grad)  # reads what is not shifted
        assert (there.verdict, copied.verdict) == (verdict, verdict)


def test_numbers_that_f_writes_into_were_copied():
    g = np.cos([0.5, 0.6])

    def f(t):
        g[:] = 0.0
        return np.sum(np.sin(t))

    assert gl.check_function(f, g, [0.5, 0.6]).verdict == "correct"


def test_what_adds_up_or_is_stale_is_seen():
    W, kept = np.array([0.4, 0.9]), {"g": np.zeros(2)}

    def adds():
        kept["g"] = kept["g"] + np.cos(W)
        return {"W": kept["g"]}

    report = gl.check_arrays(lambda: np.sum(np.sin(W)), {"W": W}, adds)
    assert report.verdict == "wrong"

    def loss():
        kept["cos"] = np.cos(W)
        return np.sum(np.sin(W))

    report = gl.check_arrays(loss, {"W": W}, lambda: {"W": kept["cos"]})
    assert report.verdict == "correct"
    assert report.remarks[0].startswith(
        "grads() is another one after loss() was evaluated elsewhere: it uses what the last call "
        "of loss() left behind. It was judged as called right after loss(); call loss() before"
    )


def test_what_stands_beside_arrays_may_be_anything(tmp_path):
    """A logger leads to all loggers, a file cannot be copied, a list of numbers is long."""
    with open(tmp_path / "log", "w") as file:
        net = SimpleNamespace(
            W=np.array([0.5, 0.6]), logger=logging.getLogger("net"), file=file, lock=Lock(),
            rng=np.random.default_rng(0), losses=[0.1] * 3000, step=lambda: 0, rate=0.1,
            kind=SimpleNamespace, module=np, data=np.ma.masked_array([1.0]), empty=np.zeros(0),
            names=np.array(["a"]), objects=np.array([None, {}]), half=np.ones(2, np.float16),
        )  # fmt: skip

        def loss():
            net.losses.append(1.0)
            net.objects[1]["seen"] = True
            return np.sum(np.sin(net.W))

        assert gl.check_arrays(loss, net, {"W": np.cos(net.W)}).verdict == "correct"
        assert len(net.losses) == 3000
        report = gl.check_arrays(lambda n: np.sum(np.sin(n.W)), net, {"W": np.cos(net.W)})
        assert report.verdict == "correct"
        said = " ".join(report.remarks)
        assert "no gradient for data, empty, half" in said
        assert "rate (float)" not in said.split("left alone")[0]


def test_an_array_of_which_the_loss_has_a_copy_is_told():
    W, v = np.array([0.4]), np.array([0.2, 0.3])
    old = v.copy()

    def loss():
        return np.sum(np.sin(W)) + np.sum(np.sin(old))

    report = gl.check_arrays(loss, {"W": W, "v": v}, {"W": np.cos(W), "v": np.cos(v)})
    assert "v" in report.wrong
    assert "the loss does not move with v: does it read a copy?" in report.remarks


def test_options_reach_the_check():
    W = np.linspace(0, 3, 50).reshape(5, 10)
    arguments = (lambda: np.sum(np.sin(W)), {"W": W}, {"W": np.cos(W)})
    sampled = gl.check_arrays(*arguments, method="sampled", samples=7, seed=3)
    assert sampled["W"].coverage == "7 of 50 entries"
    assert gl.check_arrays(*arguments, method="directional").verdict == "correct"
    assert gl.check_arrays(*arguments, 1e-5).eps == 1e-5
    off = (arguments[0], arguments[1], {"W": 1.001 * np.cos(W)})
    assert gl.check_arrays(*off).verdict == "wrong"
    assert gl.check_arrays(*off, tolerance=0.01).verdict == "correct"
    with pytest.raises(ValueError, match="method must be"):
        gl.check_arrays(*arguments, method="half")


class Recording:
    """A tensor as torch has it: `np.asarray` refuses until it is detached, and brought near."""

    def __init__(self, data, steps=2):
        self.data, self.steps = data, steps

    def detach(self):
        return Recording(self.data, self.steps - 1)

    cpu = detach

    def __array__(self, dtype=None, copy=None):
        if self.steps > 0:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad")
        return np.asarray(self.data)


def test_tensors_of_frameworks_are_read():
    W = np.array([0.4, 0.9])
    report = gl.check_arrays(
        lambda: Recording(np.sum(np.sin(W))), {"W": Recording(W)}, {"W": Recording(np.cos(W))}
    )
    assert report.verdict == "correct"
    frozen = np.array([0.4, 0.9])
    frozen.flags.writeable = False  # as JAX's are
    for tensor in (Recording(frozen), Recording(frozen, 0)):
        report = gl.check_arrays(lambda p: np.sum(np.sin(p["W"])), {"W": tensor}, {"W": np.cos(W)})
        assert report.verdict == "correct"
    assert gl.check_function(
        lambda t: Recording(np.sum(np.sin(t))), lambda t: Recording(np.cos(t)), Recording(W)
    ).verdict == "correct"  # fmt: skip


def test_an_object_that_can_be_called_may_hold_its_gradients_itself():
    class Net:
        def __init__(self):
            self.W = np.array([0.4, 0.9])
            self.dW = np.cos(self.W)

        def __call__(self):
            raise AssertionError

    net = Net()
    report = gl.check_arrays(lambda: np.sum(np.sin(net.W)), net, net)
    assert (list(report), report.verdict) == (["W"], "correct")

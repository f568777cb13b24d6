"""The fast numerical gradient of convnets, LSTMs and batch norm, against the plain loop."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.fast import Copies, chunks
from gradlab.checking.fast.shifted_layers import perturb
from gradlab.nn.layers import Layer
from tests.checking.cases import flat
from tests.nn.network_cases import CASES, batch_norm_case, convnet_case, lstm_case

STEPS = {"forward": 1e-4, "central": 1e-4, "five_point": 1e-3, "complex_step": 1e-30}
SMALL = {
    "convnet max": lambda **s: convnet_case(**s),
    "convnet average": lambda **s: convnet_case(pool="average", **s),
    "lstm": lambda **s: lstm_case(**s),
    "lstm every step": lambda **s: lstm_case(every_step=True, **s),
    "batch norm": lambda **s: batch_norm_case(**s),
}

#: Like another one, and dear: in the soak.
LATER = ("convnet average", "lstm every step")


def both(case, eps, scheme="central"):
    return (
        flat(case.net, gl.numerical_gradient(case.net, case.x, case.y, eps, scheme, case.masks, m))
        for m in ("fast", "loop")
    )


@pytest.mark.parametrize("scheme", gl.checking.SCHEMES)
@pytest.mark.parametrize("name", CASES)
def test_agrees_with_the_plain_loop(name, scheme):
    fast, loop = both(CASES[name], STEPS[scheme], scheme)
    noise = 2e-15 if scheme == "complex_step" else 2e-14 / STEPS[scheme]
    assert abs(fast - loop).max() < noise * max(1, abs(loop).max())


@pytest.mark.parametrize("name", SMALL)
def test_a_vector_of_steps_is_an_axis_in_front(name):
    case = SMALL[name]()
    fast, loop = both(case, np.array([1e-2, 1e-4, 1e-6]))
    assert fast.shape == (3, case.net.size)
    assert (abs(fast - loop) < np.array([[1e-11], [1e-9], [1e-7]])).all()
    assert abs(fast[0] - fast[2]).max() > 1e-9  # the steps are really different


@pytest.mark.parametrize("name", SMALL)
def test_small_chunks_and_parts_of_the_batch_change_nothing(name, monkeypatch):
    case = SMALL[name]()
    whole, _ = both(case, 1e-30, "complex_step")
    monkeypatch.setattr(chunks, "CHUNK", 512)
    monkeypatch.setattr(chunks, "LONG", 4)
    parts, _ = both(case, 1e-30, "complex_step")
    assert abs(whole - parts).max() < 1e-15 * max(1, abs(whole).max())


@pytest.mark.parametrize("name", SMALL)
def test_float32(name):
    case = SMALL[name](dtype="float32")
    fast, loop = both(case, 1e-2)
    assert fast.dtype == np.float32
    assert abs(fast - loop).max() < 2e-4


def test_the_shortcuts_agree_with_a_layer_run_once_a_copy():
    """The registered shortcut of each layer against the general one, which only runs forward."""
    rng = np.random.default_rng(0)
    for name in SMALL:
        case = SMALL[name](seed=2)
        net = case.net
        a, target = net.prepare(case.x, case.y)
        copies = Copies(net, a, target, None)
        part = copies.whole
        for position, layer in enumerate(part.chain):
            size = sum(net.params[p].size for p in layer.param_names)
            if not size:
                continue
            index, step = rng.permutation(size), rng.normal(0, 1e-2, size)
            arguments = layer, net.params, *part.base[position : position + 2], index, step
            if layer is part.chain[-1]:
                continue  # its base is shifted, for the loss
            fast, slow = perturb(*arguments), perturb.dispatch(Layer)(*arguments)
            fast = fast if isinstance(fast, np.ndarray) else fast.full()
            assert np.allclose(fast, slow, rtol=0, atol=1e-14), (name, layer)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.soak] * (name in LATER)) for name in SMALL]
)
def test_the_left_arm_is_as_noisy_as_the_plain_loops(name):
    ratios, eps = [], np.logspace(-8, -11, 7)
    for seed in range(8):
        case = SMALL[name](n=16, seed=seed, l2=1e-3)
        analytic = case.net.unroll(case.net.gradient(case.x, case.y))
        fast, loop = (abs(n - analytic) for n in both(case, eps))
        ratios.append(np.median(fast, axis=1) / np.median(loop, axis=1))
    print(name, np.median(ratios))
    assert abs(np.median(ratios) - 1) < 0.05


def test_masks_drawn_anew_go_through_batch_norm():
    case = batch_norm_case(masked=True)
    norms = [
        np.linalg.norm(
            flat(
                case.net,
                gl.numerical_gradient(case.net, case.x, case.y, h, masks=np.random.default_rng(0)),
            )
        )
        for h in (1e-2, 1e-4)
    ]
    assert 50 < norms[1] / norms[0] < 200


@pytest.mark.parametrize("name", SMALL)
def test_check_says_correct_and_names_a_planted_bug(name):
    case = SMALL[name]()
    assert gl.check(case.net, case.x, case.y).verdict != "wrong"
    analytic = case.net.gradient(case.x, case.y)
    tensor = next(iter(analytic))
    analytic[tensor] = -analytic[tensor]
    report = gl.check(case.net, case.x, case.y, analytic=analytic)
    assert report.verdict == "wrong"
    assert report.wrong == [tensor]

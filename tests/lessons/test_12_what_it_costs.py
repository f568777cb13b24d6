"""What lesson 12 says in prose, held to what the product computes."""

import math
from time import perf_counter

import numpy as np
import pytest

import gradlab as gl
from tests.lessons.prose import book, says

LESSON = "12_what_it_costs"
BUG = "missing_activation_derivative"


@pytest.fixture(scope="module")
def digits():
    x, y = gl.data.load("digits", 30, seed=0)
    net = gl.mlp([64, 32, 10], weight_scale=0.2, seed=0)
    return net, net.loss_function(x, y), net.theta, net.unroll(net.gradient(x, y))


def error(digits, a, v, eps=1e-5):
    _, loss, theta, _ = digits
    n = (loss(theta + eps * v) - loss(theta - eps * v)) / (2 * eps)
    return abs(a @ v - n) / np.sqrt(np.mean(a**2))


def unit(v):
    return v / np.linalg.norm(v)


def test_the_puzzle(digits):
    says(LESSON, "2,410 parameters")
    says(LESSON, "the gradient of one bias is twice what it should be")
    says(LESSON, "what is below 1e-7 is round-off")
    says(LESSON, "found an error of a hundred thousand times the round-off")
    net, *_, right = digits
    assert net.size == 2410
    start, stop, _ = net.tensors["b2"]
    assert start <= 2400 < 2403 < stop
    rng = np.random.default_rng(3)
    noise = [error(digits, right, unit(rng.standard_normal(2410))) for _ in range(300)]
    noise += [error(digits, right, u) for u in np.eye(2410)[::10]]
    assert max(noise) < 1e-7
    a = right.copy()
    a[2403] *= 2
    seen = [error(digits, a, unit(rng.standard_normal(2410))) for _ in range(300)]
    assert 10 * np.median(seen) > 1e5 * 1e-7


def test_the_swapped_slopes(digits):
    says(LESSON, "The two slopes that are swapped differ by 2.2 typical entries, more than a")
    *_, right = digits
    apart = abs(right[2400] - right[2403]) / np.sqrt(np.mean(right**2))
    assert f"{apart:.1f}" == "2.2"
    assert apart > 100 * 0.01


def test_a_check_changes_nothing_and_costs_losses():
    says(LESSON, "all 354 parameters are the same to the last bit")
    says(LESSON, "708 losses for each gradient")
    assert 2 * gl.mlp([2, 16, 16, 2]).size == 708


def fastest(function, *arguments):
    times = []
    for _ in range(9):
        start = perf_counter()
        function(*arguments)
        times.append(perf_counter() - start)
    return min(times)


def test_all_entries_cost_about_as_much_as_p_gradients():
    says(LESSON, "a check of all entries costs about as much as P gradients")
    says(LESSON, "a gradient and two losses, are close together at every P")
    says(LESSON, "Batching saves a large factor, not the growth")
    moons = gl.data.moons(30, seed=0)
    batched = []
    for width in (5, 20, 64):
        net = gl.mlp([2, width, width, 2], seed=0)
        losses, gradient = 2 * fastest(net.loss, *moons), fastest(net.gradient, *moons)
        assert 0.3 < losses / gradient < 5
        batched.append(fastest(gl.numerical_gradient, net, *moons) / losses)
        assert batched[-1] < 0.5 * net.size
    assert batched == sorted(batched)


def test_each_loss_takes_longer_in_a_larger_network():
    says(LESSON, "In the end, when arithmetic is all that counts, it grows like P²")
    for width in (64, 256):  # multiply-adds for one example: one for each weight
        net = gl.mlp([2, width, width, 2])
        weights = sum(w.size for name, w in net.params.items() if name.startswith("W"))
        assert 0.95 < weights / net.size <= 1


def test_what_sampling_meets(digits):
    says(LESSON, "For 20 of 2,410 that is less than 1 %, and for 95 % you would need 2,290")
    says(LESSON, "(Where a hundredth of the entries is wrong, 299 are enough for 95 %.)")
    says(LESSON, "the 10 biases of the last layer are all looked at for 20 losses")
    assert 20 / 2410 < 0.01
    assert math.ceil(0.95 * 2410) == 2290
    assert 1 - 0.99**299 > 0.95 > 1 - 0.99**298
    assert digits[0].params["b2"].size == 10


def test_signs_miss_by_chance_and_normal_numbers_by_the_limit(digits):
    says(LESSON, "two random signs are the same every second time")
    says(LESSON, "is √(2/π), or 0.8, times limit · ‖a‖ / ‖Δ‖")
    says(
        LESSON,
        "a bug in two entries slips through every eighth time; at 1e-5 it is one direction in 8,0",
    )
    says(LESSON, "25 are expected at 1e-2, and 20 were counted")
    says(LESSON, "You can afford 1e-5, since the round-off here is below 1e-7")
    *_, right = digits
    a = right.copy()
    a[[2400, 2403]] = right[[2403, 2400]]
    rng = np.random.default_rng(5)
    errors = np.array([error(digits, a, unit(rng.standard_normal(2410))) for _ in range(1000)])
    chance = math.sqrt(2 / math.pi) * 1e-2 * np.linalg.norm(a) / np.linalg.norm(a - right)
    assert math.sqrt(2 / math.pi) == pytest.approx(0.8, abs=0.005)
    assert 1 / chance == pytest.approx(8, abs=0.5)
    assert round(200 * chance) == 25
    assert "normal  20 below" in book(LESSON).cells[10].outputs[0].text
    assert 90 < np.sum(errors < 1e-2) < 165
    assert np.sum(errors < 1e-5) == 0


def test_the_length_of_a_direction(digits):
    says(LESSON, "A vector of 2,410 numbers of size 1 has length 49")
    says(LESSON, "has a truncation error 2,410 times as large")
    assert round(math.sqrt(2410)) == 49
    *_, right = digits
    v = unit(np.random.default_rng(1).choice([-1.0, 1.0], 2410))
    ratio = error(digits, right, v, 1e-3 * math.sqrt(2410)) / error(digits, right, v, 1e-3)
    assert ratio == pytest.approx(2410, rel=0.05)


def test_directions_that_are_no_lottery(digits):
    says(LESSON, "Along $(1, \\dots, 1)$ every swap is invisible")
    says(LESSON, "Along $a$ itself you do not see it if every entry of b1's gradient is replaced")
    *_, right = digits
    swapped, mean = right.copy(), right.copy()
    swapped[[2400, 2403]] = right[[2403, 2400]]
    mean[2048:2080] = right[2048:2080].mean()
    assert error(digits, swapped, unit(np.ones(2410))) < 1e-7
    assert error(digits, mean, unit(mean)) < 1e-7
    rng = np.random.default_rng(2)
    for a in (swapped, mean):
        assert error(digits, a, unit(rng.standard_normal(2410))) > 1e-4


def lab(**changes):
    made = gl.Lab(hidden=(16, 16), l2=0.1, panels=("tensors", "network"))
    made.state.update(**changes)
    return made.state.result


def test_what_the_lab_shows():
    says(
        LESSON, "17,930 evaluations for 4,482 parameters, and some 100 for 20 directions, at any P"
    )
    says(LESSON, "From 1,418 to 17,930: 4P + 2 for P = 354 and for P = 4,482")
    says(LESSON, "With directions 99, in both networks")
    for hidden, size, count in (((16, 16), 354, 1418), ((64, 64), 4482, 17930)):
        result = lab(hidden=hidden)
        assert (result.net.size, result.report.evaluations) == (size, count)
        assert count == 4 * size + 2
        assert lab(hidden=hidden, method="directional").report.evaluations == 99


def test_what_the_lab_samples():
    says(LESSON, "8,970 entries would take 35,882 evaluations")
    says(LESSON, "even with *every entry* the lab takes up to 402 of each tensor, 1,344 in all")
    says(LESSON, "of `W1`, which has 4,096, is met with 10 %")
    result = lab(data="digits", hidden=(64, 64))
    assert result.net.size == 8970
    assert 4 * 8970 + 2 == 35882
    checked = sum(min(402, w.size) for w in result.net.params.values())
    assert checked == 1344
    assert "only 1344 of 8970 entries were checked" in str(result.report).replace("\n  ", " ")
    assert result.net.params["W1"].size == 4096
    assert f"{402 / 4096:.0%}" == "10%"
    assert max(w.size for name, w in result.net.params.items() if name[0] == "b") == 64


def test_a_bug_that_shows_after_one_step():
    says(LESSON, "*Correct*, with a warning")
    says(LESSON, "After one step it is not, and all three biases turn ✗. They stay so")
    before = lab(bug="l2_on_biases").report
    assert before.verdict == "correct"
    assert "all biases are 0" in str(before)
    for steps in (1, 10, 100):
        assert lab(bug="l2_on_biases", train_steps=steps).report.wrong == ["b1", "b2", "b3"]


def trained(data, sizes, seed, bug):
    x, y = data
    net = gl.mlp(sizes, weight_scale=0.5, seed=seed)
    net = gl.bugs.plant(net, BUG) if bug else net
    history = gl.train(net, x[:400], y[:400], steps=500, progress=False)
    return history.loss[-1], np.mean(net.predict(x[400:]).argmax(axis=1) != y[400:])


def test_the_loss_curve_neither_acquits_nor_convicts():
    says(LESSON, "ends with the *lower* training loss, 0.0013 instead of 0.0034")
    says(LESSON, "so it does for each of ten seeds")
    says(LESSON, "On 1,000 digits that it has not seen it is as good as the other one")
    says(LESSON, "on moons, and there the same bug ruins the training: its loss stays above 0.2")
    digits, moons = gl.data.load("digits", 1400, seed=0), gl.data.moons(1400, seed=0)
    pairs = []
    for seed in range(10):
        pairs.append([trained(digits, [64, 32, 32, 10], seed, bug) for bug in (False, True)])
        (right, _), (bug, _) = pairs[-1]
        assert bug < right
    (right, misread), (bug, also) = pairs[0]
    assert (f"{right:.2g}", f"{bug:.2g}") == ("0.0034", "0.0013")
    assert abs(misread - also) < 0.01
    for seed in range(3):
        (right, few), (bug, many) = (trained(moons, [2, 16, 2], seed, bug) for bug in (False, True))
        assert right < 0.1 < 0.2 < bug
        assert few < 0.02 < 0.1 < many


def test_how_to_spend_200_losses():
    says(LESSON, "A loss takes 0.1 s, and you have 20 s")
    says(LESSON, "That is 200 losses, 100 directions")
    says(LESSON, "20 halvings find one entry in a million")
    assert 20 / 0.1 == 200
    assert 3 + 60 + 20 < 100
    assert 2**20 > 1e6


def test_float32_is_too_coarse_for_a_direction():
    says(
        LESSON, "in float32 the loss has 7 digits, and the noise of a direction is as large as many"
    )
    x, y = gl.data.load("digits", 30, seed=0)
    net = gl.mlp([64, 32, 10], weight_scale=0.2, seed=0, dtype="float32")
    loss, theta, a = net.loss_function(x, y), net.theta, net.unroll(net.gradient(x, y))
    rng, errors = np.random.default_rng(0), []
    for _ in range(50):
        v = unit(rng.standard_normal(2410)).astype(np.float32)
        n = (float(loss(theta + np.float32(1e-2) * v)) - float(loss(theta - 1e-2 * v))) / 2e-2
        errors.append(abs(n - float(a @ v)) / np.sqrt(np.mean(a**2)))
    assert np.median(errors) > 1e-4

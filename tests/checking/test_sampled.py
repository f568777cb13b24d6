"""A few entries of every tensor: the same numbers as in the whole, and honest about the rest."""

import numpy as np
import pytest

import gradlab as gl

LSTM_X = gl.data.load("digits", 6)[0].reshape(6, 8, 8).transpose(1, 0, 2)
DIGITS = gl.data.load("digits", 6)
NETWORKS = {
    "mlp": (gl.mlp([64, 12, 9, 10], activation="relu", seed=1), *DIGITS),
    "batch norm": (gl.mlp([64, 7, 10], batch_norm=True), *DIGITS),
    "convnet": (gl.convnet((1, 8, 8), padding=(1, 0)), DIGITS[0].reshape(-1, 1, 8, 8), DIGITS[1]),
    "lstm": (gl.lstm(8, 5, 10), LSTM_X, DIGITS[1]),
}


WITHOUT_A_VERDICT = "batch norm"  # b1 has gradient 0 there: nothing at one step can show that


@pytest.fixture(params=NETWORKS)
def given(request):
    return NETWORKS[request.param]


@pytest.mark.every_case
@pytest.mark.parametrize("scheme", ["forward", "central", "five_point", "complex_step"])
def test_the_entries_and_their_kinks_are_those_of_the_whole_check(given, scheme):
    whole = gl.check(*given, eps=1e-2, scheme=scheme)
    some = gl.check(*given, eps=1e-2, scheme=scheme, method="sampled", samples=9, seed=3)
    for name in whole:
        entries = some[name].entries
        assert len(entries) == min(9, given[0].params[name].size)
        assert some[name].shape == given[0].params[name].shape
        np.testing.assert_array_equal(some[name].analytic, whole[name].analytic.ravel()[entries])
        # to the last digits of the losses: other copies go through the layers together
        np.testing.assert_allclose(
            some[name].numerical, whole[name].numerical.ravel()[entries], rtol=1e-9, atol=1e-11
        )
        np.testing.assert_array_equal(some[name].kinks, whole[name].kinks.ravel()[entries])


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != WITHOUT_A_VERDICT])
def test_the_report_says_how_much_it_looked_at(name):
    given = NETWORKS[name]
    report = gl.check(*given, eps=1e-5, method="sampled", samples=9)
    checked = sum(min(9, value.size) for value in given[0].params.values())
    assert report.verdict == "correct"
    assert f"{checked} of {given[0].size} entries" in report.why
    assert report.evaluations == 2 + 4 * checked
    large = max(given[0].params, key=lambda name: given[0].params[name].size)
    size = given[0].params[large].size
    assert f"9 of {size} entries were checked, and " in report[large].why
    assert f"only {checked} of {given[0].size} entries were checked" in report.caveats


def test_one_seed_is_one_sample_in_check_and_sweep(given):
    sampled = {"method": "sampled", "samples": 5, "seed": 7}
    sweep = gl.sweep_eps(*given, eps=np.array([1e-3, 1e-4]), **sampled)
    for i, eps in enumerate(sweep.eps):
        report = gl.check(*given, eps=eps, **sampled)
        for name in report:
            assert sweep.errors[name][i] == pytest.approx(report[name].error, rel=1e-3, abs=1e-9)
    checked = sum(min(5, value.size) for value in given[0].params.values())
    assert sweep.evaluations == 2 * 2 * checked


def test_a_bug_in_every_entry_is_found_in_a_few(given):
    planted = gl.bugs.plant(given[0], "missing_1_over_n")
    report = gl.check(planted, *given[1:], eps=1e-5, method="sampled", samples=3)
    assert report.verdict == "wrong"


@pytest.mark.parametrize("seed", range(3))
def test_one_wrong_entry_among_thousands_is_still_found_by_the_whole_check(seed):
    net, x, y = gl.mlp([64, 40, 10], seed=seed), *DIGITS
    gradient = net.gradient(x, y)
    place = np.unravel_index(np.abs(gradient["W1"]).argmax(), (64, 40))
    gradient["W1"][place] *= 1.5
    report = gl.check(net, x, y, eps=1e-5, analytic=gradient)
    assert report.wrong == ["W1"]


def test_a_small_error_of_a_whole_tensor_is_found_at_a_step_as_well():
    net, (x, y) = gl.mlp([64, 8, 10], activation="relu", weight_scale=0.3), DIGITS
    gradient = net.gradient(x, y)
    gradient["W1"] *= 1.0002
    full = gl.check(net, x, y, analytic=gradient)
    at_one = gl.check(net, x, y, eps=1e-5, analytic=gradient)
    assert full.wrong == at_one.wrong == ["W1"]


def test_a_sample_says_how_probably_it_met_a_bug():
    report = gl.check(*NETWORKS["mlp"], method="sampled", samples=5)
    met = min(t.chance_of_meeting(0.1) for t in report.tensors.values())
    assert f"in a tenth of the entries with a probability of {met:.2g}" in report.why
    name, tensor = max(report.tensors.items(), key=lambda item: np.prod(item[1].shape))
    total, rng = int(np.prod(tensor.shape)), np.random.default_rng(0)
    bad = -(-total // 10)
    draws = [rng.choice(total, 5, replace=False).min() < bad for _ in range(4000)]
    assert abs(np.mean(draws) - tensor.chance_of_meeting(0.1)) < 0.03
    assert gl.check(*NETWORKS["mlp"])[name].chance_of_meeting(1e-9) == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"method": "sampled", "samples": 0}, "samples"),
        ({"method": "sampled", "seed": -1}, "seed"),
        ({"method": "directional"}, "method"),
        ({"method": "sampled", "numerical": {}}, "numerical"),
    ],
)
def test_bad_arguments_are_named(arguments, named):
    net, x, y = NETWORKS["mlp"]
    with pytest.raises((ValueError, TypeError), match=named):
        gl.check(net, x, y, eps=1e-5, **arguments)


def test_a_sweep_knows_two_methods():
    with pytest.raises(ValueError, match="method"):
        gl.sweep_eps(*NETWORKS["mlp"], method="directional")

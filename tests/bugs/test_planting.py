"""A backward pass of lines says as much as the layers' own: at every cut, at every time step."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.planting import EditedPass, program_of, put, without_bugs
from gradlab.nn.network import Point
from tests.museum import MAKERS, case

RIGHT = EditedPass(lambda listing: {})


def assert_same(made, expected):
    assert list(made) == list(expected)
    for name, value in expected.items():
        assert made[name].shape == value.shape
        np.testing.assert_allclose(made[name], value, rtol=1e-9, atol=1e-13, err_msg=name)


@pytest.mark.every_case
@pytest.mark.parametrize("kind", MAKERS)
def test_with_no_line_edited_the_signal_is_that_of_the_layers(kind):
    net, x, y, masks = case(kind, 0)
    same, twice = put(net, RIGHT), {name: 2 * value for name, value in net.params.items()}
    assert_same(same.gradient(x, y, masks), net.gradient(x, y, masks))
    assert_same(same.gradient(x, y, masks, twice), net.gradient(x, y, masks, twice))
    assert_same(same.cut_gradients(x, y, masks), net.cut_gradients(x, y, masks))
    assert_same(same.cut_gradients(x, y, masks, twice), net.cut_gradients(x, y, masks, twice))
    if hasattr(net, "hidden"):
        assert_same(same.state_gradients(x, y), net.state_gradients(x, y))


@pytest.mark.every_case
@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_put_at_a_cut_is_what_the_layers_above_it_see(kind):
    """There the signal is that of examples which come to that cut."""
    net, x, y, masks = case(kind, 0)
    other = x[..., ::-1] if kind == "convnet" else -x
    seen, signals = net.cut_activations(other, masks), net.cut_gradients(other, y, masks)
    names = list(seen)
    for position, name in enumerate(names):
        made = RIGHT.cut_gradients(Point(net, x, y, masks), put=(position, seen[name]))
        for above, signal in zip(names[position:], made[position:], strict=True):
            expected = signals[above].reshape(signal.shape)
            np.testing.assert_allclose(signal, expected, rtol=1e-9, atol=1e-13, err_msg=name)


def test_a_bug_is_in_the_signal_below_it_and_not_above():
    net, x, y, masks = case("tanh", 0)
    planted = gl.bugs.plant(net, "missing_activation_derivative", 1)
    right, wrong = net.cut_gradients(x, y, masks), planted.cut_gradients(x, y, masks)
    same = {name for name, value in right.items() if np.allclose(wrong[name], value, rtol=1e-9)}
    assert set(right) - same == {"input", "z1"}
    assert np.allclose(wrong["z1"], right["a1"], rtol=1e-12)


def test_a_bug_in_time_is_in_the_states_before_the_last_step():
    net, x, y, _ = case("lstm", 0)
    planted = gl.bugs.plant(net, "lstm_cell_gradient_dropped")
    right, wrong = net.state_gradients(x, y), planted.state_gradients(x, y)
    last = len(x)
    assert np.allclose(wrong[f"c{last}"], right[f"c{last}"], rtol=1e-12)
    assert np.allclose(wrong[f"h{last}"], right[f"h{last}"], rtol=1e-12)
    assert not any(np.allclose(wrong[f"c{t}"], right[f"c{t}"]) for t in range(1, last))


def test_lines_are_run_on_the_parameters_that_are_given():
    net, x, y, masks = case("tanh", 0)
    other = {name: value + 0.1 for name, value in net.params.items()}
    program = program_of(Point(net, x, y, masks), other)
    assert_same(program.gradient, net.gradient(x, y, masks, other))
    assert program.net is not net
    assert program_of(Point(net, x, y, masks)).net is net


def test_a_network_without_its_bug_shares_the_parameters():
    net, x, y, masks = case("lstm", 0)
    planted = gl.bugs.plant(net, "lstm_cell_gradient_dropped")
    healed = without_bugs(planted)
    assert type(healed) is type(net)
    assert healed.reveal() is None
    assert planted.reveal() is not None
    assert all(healed.params[name] is value for name, value in net.params.items())
    assert_same(healed.gradient(x, y, masks), net.gradient(x, y, masks))

"""Arrays as a network: what each layout makes of them, layer by layer, and in which order."""

import itertools

import numpy as np
import pytest

from gradlab.checking.recognise import layouts as all_of_them
from gradlab.checking.recognise.layouts import (
    FIRST_ACTIVATIONS,
    MOST,
    SLOPES,
    Layout,
    Piece,
    _convnets,
    _filled,
    _gates,
    _lstms,
    _mlps,
    _stacks,
    _stacks_with_ones,
    _vectors,
    layouts,
)
from gradlab.nn.activations import ACTIVATION_FUNCTIONS
from gradlab.nn.layers import BatchNorm


def piece(name, *shape, start=0):
    return Piece(name, np.arange(start, start + int(np.prod(shape))).reshape(shape), name)


def texts(parts):
    return {name: p.text for name, p in parts.items()}


# -- dense layers --------------------------------------------------------------------------------


def test_a_stack_becomes_an_mlp_with_the_activations_that_are_tried():
    stack = [{"W": piece("V", 2, 3), "b": piece("c", 3)}, {"W": piece("U", 3, 4)}]
    (one,) = _mlps([stack], np.zeros((5, 2)))
    assert texts(one.parts) == {"W1": "V", "b1": "c", "W2": "U"}
    assert (one.hidden, one.rows, one.about, one.has_head) == (1, (5,), "", True)
    net = one.make(("tanh",), "mse", "sigmoid")
    assert [repr(layer) for layer in net.layers] == [
        "Dense(W1, b1)", "Activation(tanh)", "Dropout(index=0, features=3)", "Dense(W2, b2)",
        "Activation(sigmoid)",
    ]  # fmt: skip
    assert (net.input_shape, net.outputs, net.loss_name) == ((2,), 4, "mse")
    usual = one.make(("leaky_relu",), "mse", "identity")
    assert usual.layers[1].function.slope == ACTIVATION_FUNCTIONS["leaky_relu"].slope
    steep = one.make(("leaky_relu, slope 0.2",), "mse", "identity")
    assert steep.layers[1].function.slope == 0.2


def test_an_output_of_leaky_relu_has_the_slope_of_the_layers_below():
    stack = [{"W": piece("V", 2, 3)}, {"W": piece("U", 3, 4)}]
    (one,) = _mlps([stack], np.zeros((5, 2)))
    net = one.make(("leaky_relu, slope 0.2",), "mse", "leaky_relu")
    assert [layer.function.slope for layer in (net.layers[1], net.layers[-1])] == [0.2, 0.2]
    net = one.make(("tanh",), "mse", "leaky_relu")
    assert net.layers[-1].function.slope == ACTIVATION_FUNCTIONS["leaky_relu"].slope


def test_batch_norm_is_tried_with_two_small_numbers_below_its_root():
    stack = [
        {"W": piece("V", 2, 3), "gamma": piece("g", 3), "beta": piece("s", 3)},
        {"W": piece("U", 3, 4)},
    ]
    found = [*_mlps([stack], np.zeros((5, 2)))]
    assert [one.about for one in found] == [
        "eps = 1e-05 in batch norm",
        "eps = 1e-08 in batch norm",
    ]
    for one, eps in zip(found, (1e-5, 1e-8), strict=True):
        net = one.make(("relu",), "mse", "identity")
        (norm,) = [layer for layer in net.layers if isinstance(layer, BatchNorm)]
        assert norm.eps == eps
        assert texts(one.parts) == {"W1": "V", "gamma1": "g", "beta1": "s", "W2": "U"}


def test_a_batch_norm_needs_a_layer_below_the_last():
    found = [*_stacks([piece("W", 2, 3), piece("b", 3)], 2)]
    assert [[*map(texts, stack)] for stack in found] == [
        [{"W": "W", "b": "b"}], [{"W": "W"}, {"W": "b[:, None]"}],
    ]  # fmt: skip


def test_so_many_ways_and_dead_ends_are_tried_and_no_more(monkeypatch):
    """Square layers can be put in any order: of 5 there are 120, and twice that transposed."""
    squares = [piece(f"W{k}", 3, 3) for k in range(5)]
    found = [*_stacks(squares, 3)]
    assert len(found) == 2 * MOST
    assert [p["W"].text for p in found[0]] == [f"W{k}" for k in range(5)]
    assert [p["W"].text for p in found[MOST]] == [f"W{k}.T" for k in range(5)]
    assert len({tuple(p["W"].text for p in stack) for stack in found}) == 2 * MOST
    monkeypatch.setattr(all_of_them, "MOST", 1)
    misleading = [piece("A", 3, 5), piece("B", 3, 4), piece("C", 4, 3)]
    assert [*_stacks(misleading, 3)] == []  # the first way is a dead end
    monkeypatch.setattr(all_of_them, "MOST", 2)
    assert [[p["W"].text for p in stack] for stack in _stacks(misleading, 3)] == [["B", "C", "A"]]


def test_a_plan_is_filled_layer_by_layer_or_ends():
    pieces = [piece("A", 3, 5), piece("B", 3, 4)]
    assert [*_filled([[], []], pieces, 3, False)] == [None, None]
    assert [*_filled([["b"]], pieces[:1], 3, False)] == [None]  # no bias is left
    assert [*_filled([], pieces, 3, False)] == [[]]
    ((one,),) = _filled([["b"]], [pieces[0], piece("c", 5)], 3, False)
    assert texts(one) == {"W": "A", "b": "c"}


def test_a_vector_whose_name_says_another_kind_is_not_taken():
    W = piece("W1", 2, 3)
    named = [piece("x", 3), piece("beta1", 3), piece("gamma2", 3), piece("gamma1", 3)]
    first = lambda *roles: [p.text for p in next(_vectors([*roles], named, W))]  # noqa: E731
    assert first("gamma", "beta") == ["gamma1", "beta1"]
    assert first("b") == ["x"]
    assert first("b", "gamma", "beta") == ["x", "gamma1", "beta1"]
    every = [v[0].text for v in _vectors(["gamma"], named, W)]
    assert every == ["gamma1", "gamma2", "x"]  # one without a kind may be any, at last
    assert next(_vectors(["b"], [piece("v", 4), piece("M", 1, 3)], W))[0].text == "M"
    numbered = [piece("c2", 3), piece("c1", 3)]
    assert next(_vectors(["b"], numbered, W))[0].text == "c1"


def test_with_ones_before_x_every_layer_has_one_row_more():
    with_ones = [piece("V", 3, 4), piece("U", 5, 2)]
    found = [*_stacks_with_ones(with_ones, 2)]
    assert [stack[0]["b"].text for stack in found] == ["V[0]", "V[-1]"]
    assert [*_stacks_with_ones(with_ones, 3)] == []
    swapped = [*_stacks_with_ones(with_ones[::-1], 2)]
    assert [stack[0]["W"].array for stack in swapped] == ["V", "V"]
    assert [*_stacks_with_ones([piece("V", 3, 4), piece("U", 4, 2)], 2)] == []
    (last,) = [s for s in _stacks_with_ones([piece("V", 4, 3)], 2) if "-1" in s[0]["b"].text]
    assert texts(last[0]) == {"W": "V[:, :-1].T", "b": "V[:, -1]"}


# -- what may be chosen --------------------------------------------------------------------------


def test_usual_activations_come_first_and_none_is_left_out():
    assert FIRST_ACTIVATIONS[:4] == ("relu", "tanh", "sigmoid", "leaky_relu")
    assert FIRST_ACTIVATIONS[-1] == "identity"
    assert sorted(FIRST_ACTIVATIONS) == sorted(ACTIVATION_FUNCTIONS)
    one = [*Layout(None, 1, {}, np.zeros(1), (1,)).activations()]
    assert one == [(name,) for name in (*FIRST_ACTIVATIONS, *SLOPES)]
    two = [*Layout(None, 2, {}, np.zeros(1), (1,)).activations()]
    assert two[: len(one)] == [(name, name) for (name,) in one]
    assert two[len(one) :] == [*itertools.permutations(FIRST_ACTIVATIONS, 2)]
    assert len([*Layout(None, 3, {}, np.zeros(1), (1,)).activations()]) == len(one)
    assert [*Layout(None, 0, {}, np.zeros(1), (1,)).activations()] == [()]


def test_which_networks_are_thought_of_for_an_x():
    pieces = [piece("W", 4, 3), piece("b", 3)]
    mlp = lambda x: [(one.x.shape, one.rows) for one in layouts(pieces, x)]  # noqa: E731
    assert ((5, 4), (5,)) in mlp(np.zeros((5, 4)))
    assert ((5, 4), (5,)) in mlp(np.zeros((4, 5)))  # examples are columns
    assert ((5, 4), (5,)) in mlp(np.zeros((5, 2, 2)))  # images, unrolled
    assert mlp(np.zeros((4, 2, 2)))[0] == ((4, 4), (4,))
    assert {*mlp(np.zeros((5, 1, 2, 2)))} == {((5, 4), (5,))}
    assert mlp(np.zeros((5, 3))) == []
    lstm = lambda x: {one.x.shape for one in layouts([*GATES, *HEAD], x)}  # noqa: E731
    assert lstm(np.zeros((5, 6, 2))) >= {(5, 6, 2)}
    assert lstm(np.zeros((7, 2))) >= {(7, 1, 2)}  # one sequence
    assert lstm(np.zeros((5, 1, 6, 2))) == set()


# -- images --------------------------------------------------------------------------------------

IMAGES = np.zeros((5, 1, 8, 8))


def convs(*pieces, x=IMAGES):
    """Return the layouts that use the last two pieces as one dense layer."""
    return [one for one in _convnets([*pieces], x) if one.about.endswith("1 dense layer(s)")]


KERNELS = [piece("K1", 2, 1, 3, 3), piece("c1", 2), piece("K2", 4, 2, 3, 3), piece("c2", 4)]
DENSE = [piece("W", 16, 3), piece("b", 3)]


def test_convolutions_with_pools_are_tried_in_six_ways():
    found = convs(*KERNELS, *DENSE)
    assert [one.about for one in found] == [
        f"2 convolution(s), padding [1, 1], each with {way}; 1 dense layer(s)" for way in (
            "activation and max pool", "max pool and activation", "max pool, and one activation",
            "activation and average pool", "average pool and activation",
            "average pool, and one activation",
        )
    ]  # fmt: skip
    made = [
        [repr(layer).partition("(")[0] for layer in one.make(("relu",), "mse", "identity").layers]
        for one in found
    ]
    act, orders = "Activation", []
    for pool in ("MaxPool", "AveragePool"):
        orders += [
            ["Conv", act, pool, "Conv", act, pool, "Dense"],
            ["Conv", pool, act, "Conv", pool, act, "Dense"],
            ["Conv", pool, "Conv", pool, act, "Dense"],
        ]
    assert made == orders


def test_a_convnet_has_somebodys_arrays_in_its_layers():
    one = convs(*KERNELS, *DENSE)[0]
    assert texts(one.parts) == {
        "W1": "K1",
        "b1": "c1",
        "W2": "K2",
        "b2": "c2",
        "W3": "W",
        "b3": "b",
    }
    assert (one.hidden, one.rows, one.has_head) == (1, (5,), True)
    net = one.make(("tanh",), "mse", "sigmoid")
    assert [repr(layer) for layer in net.layers] == [
        "Conv(W1, b1, padding=1)", "Activation(tanh)", "MaxPool(2)",
        "Conv(W2, b2, padding=1)", "Activation(tanh)", "MaxPool(2)",
        "Dense(W3, b3)", "Activation(sigmoid)",
    ]  # fmt: skip
    assert [layer.name for layer in net.layers] == [
        "conv1", "a1", "pool1", "conv2", "a2", "pool2", "z3", "a3",
    ]  # fmt: skip
    assert {name: value.shape for name, value in net.params.items()} == {
        "W1": (2, 1, 3, 3), "b1": (2,), "W2": (4, 2, 3, 3), "b2": (4,), "W3": (16, 3), "b3": (3,),
    }  # fmt: skip
    assert (net.input_shape, net.outputs, net.loss_name) == ((1, 8, 8), 3, "mse")
    x = np.random.default_rng(0).standard_normal(IMAGES.shape)
    assert net.predict(x).shape == (5, 3)


def test_dense_layers_above_convolutions_have_activations_but_the_last():
    two = [piece("W", 16, 6), piece("b", 6), piece("V", 6, 3), piece("d", 3)]
    (one, *_) = [
        one for one in _convnets([*KERNELS, *two], IMAGES) if one.about.endswith("2 dense layer(s)")
    ]
    net = one.make(("tanh",), "mse", "identity")
    assert [repr(layer) for layer in net.layers[6:]] == [
        "Dense(W3, b3)", "Activation(tanh)", "Dense(W4, b4)",
    ]  # fmt: skip
    assert net.layers[7].name == "a3"
    assert net.outputs == 3
    bare = _convnets([*KERNELS, piece("W", 16, 6), piece("V", 6, 3)], IMAGES)
    net = next(bare).make(("tanh",), "mse", "identity")
    assert (net.params["b3"].shape, net.params["b4"].shape) == ((6,), (3,))


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("kernel", "side", "padding", "inputs"),
    [  # the outputs are 2 x (half of what is left) each way
        ((3, 3), (8, 8), 1, 2 * 4 * 4), ((3, 3), (10, 8), 0, 2 * 4 * 3),
        ((5, 5), (8, 8), 2, 2 * 4 * 4), ((5, 5), (8, 12), 0, 2 * 2 * 4),
        ((3, 3), (7, 8), None, 24), ((3, 3), (8, 7), None, 24), ((3, 3), (8, 7), None, 32),
        ((2, 2), (9, 7), 0, 2 * 4 * 3), ((3, 3), (4, 4), 0, 2 * 1 * 1), ((3, 3), (2, 2), 1, 2),
        ((3, 5), (6, 8), 0, 2 * 2 * 2),
    ],
)  # fmt: skip
def test_what_comes_out_of_a_convolution_and_a_pool(kernel, side, padding, inputs):
    pieces = [piece("K", 2, 1, *kernel), piece("c", 2), piece("W", inputs, 3), piece("b", 3)]
    found = convs(*pieces, x=np.zeros((5, 1, *side)))
    wanted = set() if padding is None else {f"padding [{padding}]"}
    assert {one.about.split(", ")[1] for one in found} == wanted
    for one in found:
        net = one.make(("relu",), "mse", "identity")
        assert net.predict(np.zeros((5, 1, *side))).shape == (5, 3)


def test_kernels_need_their_channels_and_a_bias_by_number_if_there_is_one():
    swapped = [KERNELS[0], KERNELS[2], piece("c2", 2), piece("c1", 2), *DENSE]
    assert convs(*swapped) == []  # the second kernel has 4 filters
    same = [piece("K1", 2, 1, 3, 3), piece("K2", 2, 2, 3, 3), piece("c2", 2), piece("c1", 2),
            piece("W", 8, 3), piece("b", 3)]  # fmt: skip
    one = convs(*same)[0]
    assert {k: one.parts[k].text for k in ("W1", "b1", "W2", "b2")} == {
        "W1": "K1", "b1": "c1", "W2": "K2", "b2": "c2",
    }  # fmt: skip
    assert convs(*KERNELS[:3], *DENSE) == []
    assert convs(*KERNELS[2:], *KERNELS[:2], *DENSE) == []  # in the order of the channels
    assert convs(*DENSE, x=IMAGES) == []


# -- sequences -----------------------------------------------------------------------------------

GATES = [piece("Wx", 2, 12), piece("Wh", 3, 12), piece("b", 12)]
HEAD = [piece("Wy", 3, 4), piece("by", 4)]


def test_the_gates_of_an_lstm_are_tried_in_every_order():
    found = [*_lstms([*GATES, *HEAD], np.zeros((5, 6, 2)))]
    same = [one for one in found if one.x.shape == (5, 6, 2)]
    assert len(same) == 48  # 24 orders, for the last step's target and for each step's
    assert [one.rows for one in same] == [(6,)] * 24 + [(5, 6)] * 24
    assert {one.x.shape for one in found} == {(5, 6, 2), (6, 5, 2)}
    orders = [one.about for one in same[:24]]
    assert orders[0] == "gates in the order i, f, g, o"
    assert len(set(orders)) == 24
    assert orders == [one.about for one in same[24:]]
    one = same[0]
    assert (one.hidden, one.has_head) == (0, False)
    assert texts(one.parts) == {
        f"{kind}_{gate}": f"{kind}[{':, ' * (kind != 'b')}{3 * k}:{3 * k + 3}]"
        for kind in ("Wx", "Wh", "b") for k, gate in enumerate("ifgo")
    } | {"Wy": "Wy", "by": "by"}  # fmt: skip
    other = next(one for one in same if one.about.endswith("o, g, f, i"))
    assert (other.parts["Wx_o"].text, other.parts["b_i"].text) == ("Wx[:, 0:3]", "b[9:12]")
    for k, every_step in ((0, False), (24, True)):
        net = same[k].make((), "mse", "identity")
        assert (net.hidden, net.outputs, net.every_step) == (3, 4, every_step)
        assert net.input_shape[-1] == 2


def test_the_axes_of_a_sequence_may_stand_in_any_order():
    for shape in ((2, 5, 6), (5, 2, 6), (6, 5, 2)):
        found = {one.x.shape for one in _lstms([*GATES, *HEAD], np.zeros(shape))}
        assert found == {(5, 6, 2), (6, 5, 2)}
    single = {one.x.shape for one in _lstms([*GATES, *HEAD], np.zeros((7, 2)))}
    assert single == {(7, 1, 2), (1, 7, 2)}
    assert [*_lstms([*GATES, *HEAD], np.zeros((5, 6, 4)))] == []


def test_weights_of_an_lstm_may_all_be_turned():
    turned = [piece("Wx", 12, 2), piece("Wh", 12, 3), piece("b", 12), piece("Wy", 4, 3), HEAD[1]]
    one = next(_lstms(turned, np.zeros((5, 6, 2))))
    assert one.parts["Wx_f"].text == "Wx.T[:, 3:6]"
    assert one.parts["Wy"].text == "Wy.T"
    half = [turned[0], GATES[1], GATES[2], *HEAD]
    assert [*_lstms(half, np.zeros((5, 6, 2)))] == []


def test_the_head_of_an_lstm_has_a_bias_as_long_as_its_output():
    assert [*_lstms([*GATES, HEAD[0], piece("by", 5)], np.zeros((5, 6, 2)))] == []
    assert [*_lstms([*GATES, HEAD[0]], np.zeros((5, 6, 2)))] == []
    more = [*GATES, *HEAD, piece("c", 4)]
    assert [*_lstms(more, np.zeros((5, 6, 2)))] == []
    column = [*GATES[:2], piece("b", 12, 1), HEAD[0], piece("by", 1, 4)]
    assert len([*_lstms(column, np.zeros((5, 6, 2)))]) == 96


def test_eight_matrices_are_four_gates_twice_by_halves_or_in_turn():
    Wx, Wh = (
        [piece(f"{kind}{k}", rows, 3) for k in range(4)] for kind, rows in (("x", 2), ("h", 3))
    )
    b = [piece(f"b{k}", 3) for k in range(4)]
    for given in ([*Wx, *Wh], [*Wh, *Wx], [m for pair in zip(Wx, Wh, strict=True) for m in pair],
                  [m for pair in zip(Wh, Wx, strict=True) for m in pair]):  # fmt: skip
        assert [*_gates(given, b, 2, 3)] == [(Wx, Wh, b)]
    assert [*_gates([*Wx, *Wh], b[:3], 2, 3)] == []
    assert [*_gates([*Wx, *Wh], [*b[:3], piece("b3", 4)], 2, 3)] == []
    assert [*_gates([*Wx, *Wh[:3]], b, 2, 3)] == []
    alike = [piece(f"m{k}", 3, 3) for k in range(8)]
    assert len([*_gates(alike, b, 3, 3)]) == 4


def test_the_rows_of_a_stacked_matrix_are_xs_first_or_hs():
    (x_first, h_first) = _gates([piece("W", 5, 12)], [piece("b", 12, 1)], 2, 3)
    assert x_first[0][1].text == "W[:2, 3:6]"
    assert x_first[1][1].text == "W[2:, 3:6]"
    assert h_first[0][1].text == "W[3:, 3:6]"
    assert h_first[1][1].text == "W[:3, 3:6]"
    assert x_first[2][1].where.shape == (3,)
    four = [piece(f"W{k}", 5, 3) for k in range(4)]
    assert [p.text for p in next(_gates(four, [piece("b", 12)], 2, 3))[0]] == [
        f"W{k}[:2]" for k in range(4)
    ]

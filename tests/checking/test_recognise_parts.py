"""Which array may be which layer, which loss is which, and what a factor is called."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.recognise.layouts import (
    Layout,
    Piece,
    _as_weight,
    _four,
    _gates,
    _number,
    _stacks,
    _stacks_with_ones,
    _vectors,
    layouts,
)
from gradlab.checking.recognise.network import (
    FIRST,
    LEAST,
    Work,
    _fit,
    _least_squares,
    _may_fit,
    _name_of,
    _named,
    _names,
    _targets,
)


def piece(name, *shape, start=0):
    return Piece(name, np.arange(start, start + int(np.prod(shape))).reshape(shape), name)


# -- pieces --------------------------------------------------------------------------------------


def test_a_piece_is_written_as_one_slices_and_turns_it():
    W = piece("W", 3, 8)
    assert W[1:].text == "W[1:]"
    assert W[:, 0:4].text == "W[:, 0:4]"
    assert W[:, 0].text == "W[:, 0]"
    assert W[:, 0:4][:2].text == "W[:2, 0:4]"
    assert np.array_equal(W[:, 0:4][:2].where, np.arange(24).reshape(3, 8)[:2, :4])
    assert W.turned.text == "W.T"
    assert W.turned.turned.text == "W"
    assert np.array_equal(W.turned.where, W.where.T)
    assert W.turned.array == W[1:].array == "W"
    vectors = {(3,): True, (1, 3): True, (3, 1): True, (): True, (1, 1): True, (2, 3): False}
    for shape, is_one in vectors.items():
        assert piece("b", *shape).is_vector == is_one
    assert [_number(name) for name in ("W12", "a1b2", "W")] == ["12", "2", ""]


def shapes(stack):
    return [{role: p.where.shape for role, p in layer.items()} for layer in stack]


def test_dense_layers_use_up_the_arrays():
    pieces = [piece("W1", 2, 3), piece("b1", 3), piece("W2", 3, 4), piece("b2", 4)]
    first = next(_stacks(pieces, 2))
    assert [{k: p.text for k, p in layer.items()} for layer in first] == [
        {"W": "W1", "b": "b1"}, {"W": "W2", "b": "b2"},
    ]  # fmt: skip
    assert [*_stacks(pieces, 5)] == []
    assert [*_stacks(pieces[:3], 2)] == []  # a bias in one of two layers
    without = next(_stacks([pieces[0], pieces[2]], 2))
    assert shapes(without) == [{"W": (2, 3)}, {"W": (3, 4)}]
    turned = next(_stacks([piece("W", 3, 2), piece("V", 4, 3)], 2))
    assert [layer["W"].text for layer in turned] == ["W.T", "V.T"]
    out = next(s for s in _stacks([piece("W", 2, 3), piece("w", 3)], 2) if len(s) == 2)
    assert out[1]["W"].where.shape == (3, 1)  # of a single output


def test_batch_norm_has_two_more_vectors_in_each_layer_but_the_last():
    pieces = [piece("W", 2, 3), piece("b", 3), piece("scale", 3), piece("shift", 3),
              piece("V", 3, 4), piece("c", 4)]  # fmt: skip
    first = next(s for s in _stacks(pieces, 2) if "gamma" in s[0])
    assert {k: p.text for k, p in first[0].items()} == {
        "W": "W", "b": "b", "gamma": "scale", "beta": "shift",
    }  # fmt: skip
    assert "gamma" not in first[1]


def test_vectors_come_by_their_kind_and_by_the_number_in_their_names():
    W = piece("W2", 2, 3)
    left = [piece("b1", 3), piece("b2", 3), piece("gamma2", 3), piece("d", 4)]
    assert [v[0].text for v in _vectors(["b"], left, W)] == ["b2", "b1"]
    assert next(v[0].text for v in _vectors(["gamma"], left, W)) == "gamma2"
    assert [*_vectors([], left, W)] == [()]
    assert all(len({*pair}) == 2 for pair in _vectors(["b", "b"], left, W))


def test_what_a_weight_may_be():
    assert _as_weight(piece("W", 2, 3), 2, False, False).text == "W"
    assert _as_weight(piece("W", 2, 3), 3, True, False).text == "W.T"
    assert _as_weight(piece("W", 2, 3), 3, False, False) is None
    assert _as_weight(piece("w", 3), 3, False, True).where.shape == (3, 1)
    assert _as_weight(piece("w", 3), 3, False, False) is None
    assert _as_weight(piece("w", 4), 3, False, True) is None


def test_a_bias_may_be_the_first_or_last_row_of_the_weights():
    found = [*_stacks_with_ones([piece("W", 3, 4), piece("V", 5, 2)], 2)]
    assert [[{k: p.text for k, p in layer.items()} for layer in stack] for stack in found] == [
        [{"W": "W[1:]", "b": "W[0]"}, {"W": "V[1:]", "b": "V[0]"}],
        [{"W": "W[:-1]", "b": "W[-1]"}, {"W": "V[:-1]", "b": "V[-1]"}],
    ]
    (turned, *_) = _stacks_with_ones([piece("W", 4, 3), piece("V", 2, 5)], 2)
    assert {k: p.text for k, p in turned[0].items()} == {"W": "W[:, 1:].T", "b": "W[:, 0]"}
    assert [*_stacks_with_ones([piece("W", 3, 4), piece("b", 4)], 2)] == []


def test_four_gates_stand_in_one_matrix_or_in_four():
    assert [p.text for p in _four([piece("W", 5, 12)], 5, 3)] == [
        "W[:, 0:3]", "W[:, 3:6]", "W[:, 6:9]", "W[:, 9:12]",
    ]  # fmt: skip
    four = [piece(f"W{k}", 5, 3) for k in range(4)]
    assert _four(four, 5, 3) == four
    assert _four(four[:3], 5, 3) is _four(four, 4, 3) is _four([piece("W", 5, 11)], 5, 3) is None
    D, H = 2, 3
    (apart, *_) = _gates([piece("Wx", D, 12), piece("Wh", H, 12)], [piece("b", 12)], D, H)
    assert [p.where.shape for p in apart[0]] == [(D, H)] * 4
    assert [p.where.shape for p in apart[1]] == [(H, H)] * 4
    assert [p.text for p in apart[2]] == ["b[0:3]", "b[3:6]", "b[6:9]", "b[9:12]"]
    other, *_ = _gates([piece("Wh", H, 12), piece("Wx", D, 12)], [piece("b", 1, 12)], D, H)
    assert other[0][0].array == "Wx"
    stacked = [*_gates([piece("W", D + H, 12)], [piece(f"b{k}", H) for k in range(4)], D, H)]
    assert [s[0][0].text for s in stacked] == ["W[:2, 0:3]", "W[3:, 0:3]"]
    assert [s[1][0].text for s in stacked] == ["W[2:, 0:3]", "W[:3, 0:3]"]
    assert [*_gates([piece("W", D + H, 12)], [piece("b", 11)], D, H)] == []
    assert [*_gates([piece("W", D, 12)], [piece("b", 12)], D, H)] == []


def test_a_layout_knows_where_each_parameter_stands():
    pieces = [piece("W", 2, 3), piece("b", 3, start=6)]
    first = next(layouts(pieces, np.zeros((5, 2))))
    net = first.make((), "mse", "identity")
    theta = np.arange(9.0)
    params = first.params(net, theta)
    assert np.array_equal(params["W1"], theta[:6].reshape(2, 3))
    assert np.array_equal(params["b1"], theta[6:])
    bare = next(layouts(pieces[:1], np.zeros((5, 2))))
    assert bare.places(net)["b1"].tolist() == [-1, -1, -1]
    assert bare.params(net, theta[:6])["b1"].tolist() == [0, 0, 0]
    columns = [one.x.shape for one in layouts(pieces, np.zeros((2, 5)))]
    assert (5, 2) in columns  # examples are columns
    assert first.rows == (5,)


def test_activations_are_the_same_everywhere_first_and_of_two_layers_all_pairs():
    make = lambda *_: None  # noqa: E731
    none, one, two, three = (
        [*Layout(make, hidden, {}, np.zeros(1), (1,)).activations()] for hidden in range(4)
    )
    assert none == [()]
    assert one[:2] == [("relu",), ("tanh",)]
    assert all(len(names) == 2 for names in two)
    assert ("relu", "tanh") in two
    assert two.index(("tanh", "tanh")) < two.index(("relu", "tanh"))
    assert all(len(set(names)) == 1 for names in three)
    assert len(one) == len(three) == len(set(one))


# -- the loss ------------------------------------------------------------------------------------


def test_what_a_factor_of_the_loss_is_called():
    sizes = {"N": 6, "K": 3, "T": 1}
    for value, called in ((1.0, ""), (0.5, "0.5"), (6.0, "N"), (1 / 6, "1 / N"), (3.0, "K"),
                          (2.0, "2"), (-1.0, "-1"), (1 / 18, "1 / N / K"),
                          (12.0, "2 * N")):  # fmt: skip
        name, exact = _name_of(value * (1 + 1e-5), sizes)
        assert (name, exact) == (called, pytest.approx(value, rel=1e-12)), value
    assert _name_of(6.03, sizes) == (None, 6.03)
    assert _name_of(0.7, sizes) == (None, 0.7)
    texts = [name for _, name, _ in _names((("N", 6), ("T", 1)))]
    assert not any("T" in text for text in texts)  # a size of 1 is no factor
    assert "0.5 * N" in texts


def losses(scale=1.0, lam=0.0, over_all=False):
    rng = np.random.default_rng(0)
    data = rng.uniform(0.5, 2.0, 6)
    squares = [rng.uniform(1.0, 3.0, 6) for _ in range(2)]
    values = scale * data + 0.5 * lam * squares[int(over_all)]
    return values, data, squares


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("scale", "lam", "over_all", "called"),
    [(1.0, 0.0, False, ""), (5.0, 0.0, False, "N"), (0.5, 0.3, False, "0.5"),
     (1.0, 0.1, True, ""), (-1.0, 0.0, False, "-1"), (1.0, -0.2, False, "")],
)  # fmt: skip
def test_a_loss_is_a_multiple_of_ours_and_a_sum_of_squares(scale, lam, over_all, called):
    values, data, squares = losses(scale, lam, over_all)
    sizes = {"N": 5, "K": 3, "T": 1}
    found = _fit(values, data, squares, sizes, 1e-11)
    assert (found.called, found.over_all) == (called, over_all and lam != 0)
    assert found.scale == pytest.approx(scale, rel=1e-12)
    assert found.lam == pytest.approx(lam, abs=1e-12)
    assert found.left < 1e-14
    assert _may_fit(values, data[:FIRST], squares, sizes, 1e-11)


def test_another_loss_is_none_and_one_that_is_nearly_ours_is_told_so():
    values, data, squares = losses()
    sizes = {"N": 5, "K": 3, "T": 1}
    rng = np.random.default_rng(1)
    other = values + 0.01 * rng.standard_normal(6)
    assert _fit(other, data, squares, sizes, 1e-11) is None
    assert _fit(1.7 * values, data, squares, sizes, 1e-11) is None  # a factor without a name
    near = _fit(values * (1 + 1e-7 * rng.standard_normal(6)), data, squares, sizes, 1e-11)
    assert 1e-9 < near.left < 1e-6
    assert _fit(values, data * np.nan, squares, sizes, 1e-11) is None
    assert _fit(values, 0 * data, squares, sizes, 1e-11) is None
    assert not _may_fit(values, 0 * data[:2], squares, sizes, 1e-11)
    assert not _may_fit(values, data[:2] * np.inf, squares, sizes, 1e-11)
    assert not _may_fit(
        1.7 * values, data[:2], [s * [1, 0, 1, 1, 1, 1] for s in squares], sizes, 1e-11
    )
    A = np.array([[1.0, 1e9], [2.0, 1e9], [3.0, -1e9]])
    np.testing.assert_allclose(_least_squares(A, A @ [2.0, 3e-9]), [2.0, 3e-9], rtol=1e-9)


def targets(y, rows, K, loss):
    return [t.tolist() for t in _targets(np.array(y, float), rows, K, loss)]


def test_what_y_may_mean():
    labels = [0, 2, 1]
    onehot = np.eye(3)[labels].tolist()
    assert targets(labels, (3,), 3, "softmax_cross_entropy") == [onehot]
    assert targets(onehot, (3,), 3, "softmax_cross_entropy") == [onehot]
    assert targets(np.transpose(onehot)[:, :2], (2,), 3, "mse") == [onehot[:2]]
    assert targets([0, 3, 1], (3,), 3, "mse") == []
    assert targets([0, 1.5, 1], (3,), 3, "mse") == []
    assert targets([-1, 0, 1], (3,), 3, "mse") == []
    assert targets([0.2, 3.0, -1.0], (3,), 1, "mse") == [[[0.2], [3.0], [-1.0]]]
    assert targets([0.2, 3.0, 1.0], (3,), 1, "binary_cross_entropy") == []
    assert targets([0.2, 1.0, 0.0], (3,), 1, "binary_cross_entropy") == [[[0.2], [1.0], [0.0]]]
    assert targets([0, 0, 0], (3,), 1, "softmax_cross_entropy") == []
    assert targets([[0.5, 0.6]], (1,), 2, "softmax_cross_entropy") == []
    assert targets([[0.4, 0.6]], (1,), 2, "softmax_cross_entropy") == [[[0.4, 0.6]]]
    column = np.arange(6.0).reshape(3, 2, 1)
    assert targets(column, (3,), 2, "mse") == [column[..., 0].tolist()]
    assert targets([1.0, 2.0], (3,), 1, "mse") == []


def test_a_search_ends_when_its_work_is_used_up():
    net, x = gl.mlp([2, 3, 2]), np.zeros((5, 2))
    work = Work(3 * LEAST)
    assert [work.allows(net, x) for _ in range(4)] == [True, True, True, False]
    large = np.zeros((10**6, 2))
    work = Work(1e12)
    work.allows(net, large)
    assert 1e12 - work.left == FIRST * 10**6 * (2 * 3 + 3 * 2)
    images = gl.convnet((1, 8, 8), padding=(1, 1), classes=2)
    many = np.zeros((1000, 1, 8, 8))
    work = Work(1e12)
    work.allows(images, many)
    weights = {name: w.size for name, w in images.params.items() if w.ndim > 1}
    conv = sum(size for name, size in weights.items() if "conv" in name) * 64
    dense = sum(size for name, size in weights.items() if "conv" not in name)
    assert 1e12 - work.left == FIRST * 1000 * (conv + dense)


def test_a_network_that_is_named_is_matched_by_names_else_by_order():
    net, x = gl.mlp([2, 3]), np.zeros((5, 2))
    by_order = _named(net, [piece("V", 2, 3), piece("c", 1, 3)], x)
    assert {k: p.text for k, p in by_order.parts.items()} == {"W1": "V", "b1": "c"}
    by_name = _named(net, [piece("b1", 3), piece("W1", 2, 3)], x)
    assert {k: p.text for k, p in by_name.parts.items()} == {"W1": "W1", "b1": "b1"}
    turned = _named(net, [piece("V", 3, 2), piece("c", 3)], x)
    assert turned.parts["W1"].text == "V.T"
    assert by_order.rows == (5,)
    for wrong in ([piece("V", 2, 3)], [piece("V", 2, 4), piece("c", 3)],
                  [piece("V", 2, 3), piece("c", 4)]):  # fmt: skip
        with pytest.raises(ValueError, match="like must have the arrays' shapes"):
            _named(net, wrong, x)
    steps = _named(gl.lstm(2, 3, 2, every_step=True),
                   [piece(n, *v.shape) for n, v in gl.lstm(2, 3, 2).params.items()],
                   np.zeros((4, 5, 2)))  # fmt: skip
    assert steps.rows == (4, 5)

"""The short ways of the fast gradient one by one, each against copies that are written out."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.fast import Copies, crossed_kinks
from gradlab.checking.fast.chunks import Plan
from gradlab.checking.fast.kinks import branches, crossings
from gradlab.checking.fast.shifted_layers import (
    Base,
    OneRow,
    add_channels,
    add_product,
    advance,
    is_constant,
    perturb,
)
from gradlab.checking.fast.shifted_losses import (
    SoftmaxOfLabels,
    _in_range,
    applies,
    loss_per_example,
    shifted_base,
)
from gradlab.checking.schemes import SCHEME_TABLE
from gradlab.nn.activations import ACTIVATION_FUNCTIONS
from gradlab.nn.convnet import AveragePool, Conv, MaxPool
from gradlab.nn.layers import Activation, BatchNorm, Dense, Layer, Mask
from gradlab.nn.losses import LOSS_TABLE
from tests.checking.cases import case

BATCH = 5
#: Of the row that each copy differs in: one for all, runs of neighbours, and out of order.
ROWS = {"one": [2, 2, 2, 2], "runs": [0, 0, 1, 3], "mixed": [3, 0, 3, 1]}


def rng():
    return np.random.default_rng(0)


def copies_of(shape, row, dtype=float):
    """Return a base of `shape` (features, …), and copies of it that differ in one row each."""
    draws = rng()
    base = Base(draws.standard_normal((*shape, BATCH, 1)))
    value = draws.standard_normal((*shape[1:], BATCH, len(row))).astype(dtype)
    if dtype is complex:
        value = value + 0.1j * draws.standard_normal(value.shape)
    return OneRow(base, np.array(row), value)


def full(state):
    return state.full() if isinstance(state, OneRow) else state


# -- one row that differs ------------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("shape", [(4,), (4, 2, 6)])
@pytest.mark.parametrize("rows", ROWS)
def test_copies_that_differ_in_one_row_are_written_out(rows, shape, dtype):
    state = copies_of(shape, ROWS[rows], dtype)
    written, changes = full(state), state.change()
    assert written.dtype == dtype
    for k, row in enumerate(ROWS[rows]):
        copy = state.base.a[..., 0].astype(dtype)
        assert np.array_equal(changes[..., k], state.value[..., k] - copy[row])
        copy[row] = state.value[..., k]
        assert np.array_equal(written[..., k], copy)


def test_where_a_run_of_the_same_row_begins():
    for row, starts in (([2, 2, 2], [0]), ([2, 2, 0, 0, 2], [0, 2, 4]), ([1], [0]),
                        ([0, 1, 2], [0, 1, 2])):  # fmt: skip
        assert copies_of((3,), row).starts().tolist() == starts
    for row, same in (([2, 2, 2], True), ([2, 0, 2], False), ([1, 1, 0], False), ([1], True)):
        assert is_constant(np.array(row)) == same


def test_a_base_is_looked_up_by_feature():
    base = Base(rng().standard_normal((4, 2, BATCH, 1)))
    assert np.array_equal(base.columns, np.moveaxis(base.a[..., 0], 0, -1))
    for row in ROWS.values():
        picked = np.broadcast_to(base.rows(np.array(row)), (2, BATCH, 4))
        for k, feature in enumerate(row):
            assert np.array_equal(picked[..., k], base.a[feature, ..., 0])
    flat = base.columns_and_one
    assert flat.shape == (BATCH, 9)
    assert np.array_equal(flat[:, :-1], base.a.reshape(8, BATCH).T)
    assert (flat[:, -1] == 1).all()


# -- through the layers --------------------------------------------------------------------------

PARAMS = {
    "W": rng().standard_normal((4, 3)), "b": rng().standard_normal(3),
    "wide": rng().standard_normal((4, 20)), "wide_b": rng().standard_normal(20),
    "flat": rng().standard_normal((48, 3)), "gamma": rng().standard_normal(4),
    "beta": rng().standard_normal(4), "K": rng().standard_normal((3, 4, 2, 3)),
}  # fmt: skip
LAYERS = {
    "tanh": (Activation(ACTIVATION_FUNCTIONS["tanh"]), (4,)),
    "relu": (Activation(ACTIVATION_FUNCTIONS["relu"]), (4,)),
    "relu of images": (Activation(ACTIVATION_FUNCTIONS["relu"]), (4, 2, 6)),
    "dense": (Dense("W", "b"), (4,)),
    "wide dense": (Dense("wide", "wide_b"), (4,)),
    "dense on images": (Dense("flat", "b"), (4, 2, 6)),
    "batch norm": (BatchNorm("gamma", "beta"), (4,)),
    "mask": (Mask(rng().integers(0, 2, (4, BATCH, 1)) * 2.0), (4,)),
    "a mask each": (Mask(rng().integers(0, 2, (4, BATCH, 4)) * 2.0), (4,)),
    "conv": (Conv("K", "b", 1), (4, 2, 6)),
    "max pool": (MaxPool(), (4, 2, 6)),
    "average pool": (AveragePool(), (4, 2, 6)),
}


@pytest.mark.every_case
@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_takes_one_row_where_the_copies_go_written_out(name, rows, dtype):
    layer, shape = LAYERS[name]
    state = copies_of(shape, ROWS[rows], dtype)
    single = Mask(layer.mask[..., :1]) if name == "a mask each" else layer
    out = Base(single.forward(PARAMS, state.base.a))
    expected = layer.forward(PARAMS, full(state))
    moved = advance(layer, copies_of(shape, ROWS[rows], dtype), PARAMS, out)
    np.testing.assert_allclose(full(moved), expected, rtol=0, atol=1e-13)
    if name in ("tanh", "relu", "relu of images", "batch norm", "mask", "max pool", "average pool"):
        assert isinstance(moved, OneRow)
    again = advance(layer, full(state), PARAMS, out)  # copies that differ everywhere
    np.testing.assert_allclose(again, expected, rtol=0, atol=1e-13)
    turned = np.moveaxis(np.ascontiguousarray(np.moveaxis(full(state), -2, 0)), 0, -2)
    if len(shape) == 1:  # that lie example by example
        by_example = advance(layer, turned, PARAMS, out)
        np.testing.assert_allclose(by_example, expected, rtol=0, atol=1e-13)


@pytest.mark.every_case
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("name", LAYERS)
def test_kinks_are_counted_alike_in_one_row_and_in_copies_written_out(name, rows):
    layer, shape = LAYERS[name]
    state = copies_of(shape, ROWS[rows])
    before = layer.branches(state.base.a)
    for one in (state, full(state)):
        crossed, sides = crossings(layer, one, state.base), branches(layer, one)
        if name not in ("relu", "relu of images", "max pool"):
            assert before is None
            assert (crossed, sides) == (0, None)
            continue
        changed = [layer.branches(full(state)[..., k : k + 1]) != before for k in range(4)]
        assert crossed.tolist() == [int(c.sum()) for c in changed]
        assert sum(crossed) > 0
        assert sides.shape[-1] == 4


def inputs_of(layer, shape, copies=1):
    a = rng().standard_normal((*shape, BATCH, copies))
    return Base(a), Base(layer.forward(PARAMS, a))


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("name", "copies"),
    [("dense", 1), ("wide dense", 1), ("dense on images", 1), ("batch norm", 1), ("conv", 1),
     ("dense", 6), ("batch norm", 6)],  # each with a dropout mask of its own
)  # fmt: skip
def test_a_shifted_parameter_is_that_layer_run_once_a_copy(name, copies):
    layer, shape = LAYERS[name]
    a, out = inputs_of(layer, shape, copies)
    size = sum(PARAMS[p].size for p in layer.param_names)
    for index in (np.arange(6), np.arange(size - 6, size), rng().permutation(size)[:6]):
        for step in (rng().normal(0, 0.1, 6), 1j * rng().normal(0, 0.1, 6)):
            arguments = layer, PARAMS, a, out, index, step
            short, slow = perturb(*arguments), perturb.dispatch(Layer)(*arguments)
            np.testing.assert_allclose(full(short), slow, rtol=0, atol=1e-13)


def test_one_product_of_small_matrices_adds_each_runs_change_to_the_base():
    draws = rng()
    change, base = draws.standard_normal((BATCH, 7)), draws.standard_normal((BATCH, 3))
    for w in (draws.standard_normal((3, 2)), draws.standard_normal((BATCH, 3, 2))):
        sums = add_product(w, change, np.array([0, 4]), base)
        each = np.broadcast_to(w, (BATCH, 3, 2))
        for k in range(7):
            expected = base + each[:, :, int(k >= 4)] * change[:, k, None]
            np.testing.assert_allclose(sums[:, :, k], expected, atol=1e-14)


def test_one_product_for_each_channel_adds_its_change_to_the_base():
    draws = rng()
    W, row = draws.standard_normal((3, 4, 2)), np.array([1, 3, 1, 0])
    change, out = draws.standard_normal((2, 6, BATCH, 4)), Base(
        draws.standard_normal((3, 6, BATCH, 1))
    )  # fmt: skip
    sums = add_channels(W, change, row, out)
    for k, channel in enumerate(row):
        moved = np.tensordot(W[:, channel], change[..., k], 1)
        np.testing.assert_allclose(sums[..., k], out.a[..., 0] + moved, atol=1e-14)
    assert add_channels(W, change * 1j, row, out).dtype == complex


# -- the losses ----------------------------------------------------------------------------------


def targets(loss, outputs):
    draws = rng()
    probabilities = draws.dirichlet(np.ones(outputs), BATCH).T[:, :, None]
    if loss == "softmax_cross_entropy":
        return [np.arange(BATCH) % outputs, probabilities]
    return [draws.random((outputs, BATCH, 1))]


@pytest.mark.every_case
@pytest.mark.parametrize("size", [1.0, 1e3])  # far out, where exponentials leave their range
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("loss", LOSS_TABLE)
def test_of_outputs_that_differ_in_one_row_only_its_term_is_new(loss, rows, size):
    for dtype in (float, complex):
        for target in targets(loss, 4):
            state = copies_of((4,), ROWS[rows], dtype)
            state.value *= size
            expected = LOSS_TABLE[loss].per_example(full(state), target)
            found = loss_per_example(LOSS_TABLE[loss], state, target)
            np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.every_case
@pytest.mark.parametrize("far", [0.0, 800.0, -800.0])
@pytest.mark.parametrize("loss", LOSS_TABLE)
def test_near_the_base_all_copies_have_its_shift_where_the_exponentials_allow_it(loss, far):
    rule = LOSS_TABLE[loss]
    for target in targets(loss, 4):
        out = shifted_base(rule, rng().standard_normal((4, BATCH, 1)) + 300)
        if loss == "softmax_cross_entropy":
            assert (out.max(axis=0) == 0).all()
        else:
            assert out.min() > 290
        copies = out + 0.1 * rng().standard_normal((4, BATCH, 3)) + far
        for near_base in (True, False):
            found = loss_per_example(rule, copies.copy(), target, near_base)
            np.testing.assert_allclose(found, rule.per_example(copies, target), rtol=1e-12)


def test_the_range_of_exponentials_is_far_from_the_ends_of_float32():
    for ends, inside in (([1e-29, 1e29], True), ([1e-31, 1.0], False), ([1.0, 1e31], False),
                         ([1.0, np.inf], False), ([0.0, 1.0], False)):  # fmt: skip
        assert _in_range(np.array(ends)) == inside
        assert _in_range(np.array(ends) + 0j) == inside


@pytest.mark.every_case
@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("outputs", [3, 2])
def test_the_last_layer_and_the_loss_in_one_are_the_one_after_the_other(outputs, dtype):
    W, b = PARAMS["W"][:, :outputs], PARAMS["b"][:outputs]
    params, layer, loss = {"W": W, "b": b}, Dense("W", "b"), LOSS_TABLE["softmax_cross_entropy"]
    state, labels = copies_of((4,), ROWS["one"], dtype), np.arange(BATCH) % outputs
    out = layer.forward(params, state.base.a)
    last = SoftmaxOfLabels(W, Base(shifted_base(loss, out)), labels)
    expected = loss.per_example(layer.forward(params, full(state)), labels)
    np.testing.assert_allclose(last.losses(state), expected, rtol=1e-12, atol=1e-14)
    state.value += 1e4  # one of the labels is no longer the largest by far
    assert last.losses(state) is None


def test_which_copies_the_last_layer_and_the_loss_in_one_are_for():
    softmax, dense, labels = LOSS_TABLE["softmax_cross_entropy"], Dense("W", "b"), np.zeros(5, int)
    one, images = copies_of((4,), ROWS["one"]), copies_of((4, 2, 6), ROWS["one"])
    assert applies(dense, one, softmax, labels)
    assert not applies(dense, full(one), softmax, labels)
    assert not applies(LAYERS["tanh"][0], one, softmax, labels)
    assert not applies(dense, one, LOSS_TABLE["mse"], labels)
    assert not applies(dense, one, softmax, targets("softmax_cross_entropy", 4)[1])
    assert not applies(dense, images, softmax, labels)
    assert not applies(dense, copies_of((4,), ROWS["runs"]), softmax, labels)


# -- which copies go together --------------------------------------------------------------------


@pytest.mark.every_case
@pytest.mark.parametrize("rows", [None, 1, 4])
@pytest.mark.parametrize("copies", [12, 600, 2400])
@pytest.mark.parametrize("widest", [2, 300, 40_000])
def test_every_copy_is_in_one_chunk_and_none_is_too_large(widest, copies, rows):
    entries = rng().permutation(12)
    for whole in (True, False):
        plan = Plan(widest, 50, whole, rows)
        assert plan.examples == (50 if whole else min(50, max(1, (1 << 19) // (widest * 64))))
        chunks = list(plan.chunks(copies, entries))
        assert sorted(np.concatenate(chunks)) == list(range(copies))
        most = max(16, (1 << 19) // (widest * plan.examples))
        assert plan.limit == most
        assert max(len(chunk) for chunk in chunks) <= most
        if rows is None:
            assert len(chunks) == -(-copies // most)
            continue
        many = copies * 50 * widest >= (1 << 16) * rows  # numbers that the copies of a row write
        for chunk in chunks:
            row = entries[chunk % 12] % rows
            assert (np.diff(row) >= 0).all()  # row by row
            assert not many or len(set(row)) == 1
        assert many or len(chunks) == -(-copies // most)


@pytest.mark.every_case
@pytest.mark.parametrize(("l2", "batch_norm"), [(0.0, False), (0.3, True)])
def test_the_loss_of_each_copy_is_the_networks_with_one_entry_moved(l2, batch_norm):
    net, x, y = case((3, 4, 2), 6, l2=l2, batch_norm=batch_norm)
    copies = Copies(net, *net.prepare(x, y), None)
    for position, layer in enumerate(copies.chain):
        place = 0
        for name in layer.param_names:
            for entry in range(0, net.params[name].size, 2):
                at = np.array([place + entry])
                losses = copies.losses(position, np.array([[0.3], [-0.2]]), at)
                for shift, loss in zip((0.3, -0.2), losses[:, 0], strict=True):
                    moved = net.copy()
                    moved.params[name] = net.params[name].copy()
                    moved.params[name].flat[entry] += shift
                    assert loss == pytest.approx(moved.loss(x, y), rel=1e-13)
            place += net.params[name].size


def test_parts_of_the_batch_are_cut_once_and_each_keeps_its_masks_and_labels():
    for loss in ("softmax_cross_entropy", "mse"):
        net, x, y = case((3, 4, 2), 7, loss=loss, dropout_rate=0.4)
        masks = net.draw_masks(7, rng())
        copies = Copies(net, *net.prepare(x, y), masks)
        parts = copies._parts(5, 3)
        assert parts is copies._parts(9, 3)
        assert [part.base[0].a.shape[-2] for part in parts] == [3, 3, 1]
        index, step = np.array([0, 3]), np.array([0.1, 0.2])
        whole = copies.whole.losses(0, index, step)
        joined = np.concatenate([part.losses(0, index, step) for part in parts])
        np.testing.assert_allclose(joined, whole, rtol=1e-13)


def test_the_widest_is_what_is_written_out_once_a_copy_no_longer_differs_in_one_row():
    def widest(net, x, y, masks=None):
        copies = Copies(net, *net.prepare(x, y), masks)
        return [copies._widest(k) for k, layer in enumerate(copies.chain) if layer.param_names]

    deep = case((3, 40, 30, 20, 2), 6)
    # W1 shifts one row of z1 and a1; z2 of 30 is the first that is written out
    assert widest(*deep) == [30, 20, 2, 2]
    assert widest(*case((3, 40, 30, 20, 2), 6, batch_norm=True))[0] == 30
    redrawn = case((3, 40, 30, 20, 2), 6, dropout_rate=0.5)
    assert widest(*redrawn, rng()) == [40, 30, 20, 2]  # copies differ everywhere from the start
    net, x, y = gl.lstm(3, 4, 2), rng().standard_normal((5, 6, 3)), np.zeros(6, int)
    assert widest(net, x, y)[0] == net.layers[0].scratch


@pytest.mark.every_case
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", SCHEME_TABLE)
def test_kinks_are_counted_at_the_schemes_own_points(name, dtype):
    """b moves z itself: of three examples two stand below the kink, one farther above it."""
    net = gl.mlp([1, 1, 1], "relu", loss="mse", dtype=dtype)
    net.params |= {"W1": np.ones((1, 1), dtype), "b1": np.zeros(1, dtype)}
    z, eps = np.array([-0.1, -0.15, 0.3]), 0.2
    offsets = SCHEME_TABLE[name].offsets if SCHEME_TABLE[name].subtracts else ()
    expected = sum(int(((z + offset * eps > 0) != (z > 0)).sum()) for offset in offsets)
    assert expected == {"forward": 2, "central": 2, "five_point": 5, "complex_step": 0}[name]
    arguments = net, z[:, None], np.zeros(3), eps, SCHEME_TABLE[name]
    assert crossed_kinks(*arguments)["b1"].tolist() == [expected]
    assert crossed_kinks(*arguments)["b2"].tolist() == [0]
    picked = {key: np.arange(value.size) for key, value in net.params.items()}
    sampled = crossed_kinks(*arguments, None, picked)
    assert {key: value.tolist() for key, value in sampled.items()} == {
        key: value.ravel().tolist() for key, value in crossed_kinks(*arguments).items()
    }

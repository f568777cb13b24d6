from importlib.resources import files

import numpy as np
import pytest

from gradlab.nn import data

GENERATED = [data.moons, data.spirals]


@pytest.mark.parametrize("generate", GENERATED)
def test_generated_sets_have_the_documented_shapes_and_types(generate):
    x, y = generate(n=31)
    assert x.shape == (31, 2)
    assert x.dtype == np.float64
    assert y.shape == (31,)
    assert y.dtype == np.int64
    assert np.isfinite(x).all()


@pytest.mark.parametrize("generate", GENERATED)
def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(generate):
    first, again, other = generate(n=20, seed=3), generate(n=20, seed=3), generate(n=20, seed=4)
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


def test_generating_leaves_the_global_generator_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002  it is the thing that is watched
    data.moons(), data.spirals(), data.load("iris", n=3)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize(
    ("x_y", "counts"),
    [
        (data.moons(n=200), [100, 100]),
        (data.moons(n=7), [4, 3]),
        (data.spirals(n=200), [67, 67, 66]),
        (data.spirals(n=10, classes=4), [3, 3, 2, 2]),
        (data.iris(), [50, 50, 50]),
        (data.digits(), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]),
    ],
)
def test_class_balance(x_y, counts):
    assert np.bincount(x_y[1]).tolist() == counts


def test_moons_without_noise_lie_on_their_half_circles():
    x, y = data.moons(n=51, noise=0)
    upper, lower = x[y == 0], x[y == 1] - [1, 0.5]
    assert np.hypot(*upper.T) == pytest.approx(1)
    assert np.hypot(*lower.T) == pytest.approx(1)
    assert upper[:, 1].min() > -1e-12
    assert lower[:, 1].max() < 1e-12


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_spirals_without_noise_are_one_arm_turned(classes):
    x, y = data.spirals(n=20 * classes, classes=classes, noise=0)
    arms = [(x[y == k] @ [1, 1j]) * np.exp(-2j * np.pi * k / classes) for k in range(classes)]
    arms = [arm[np.argsort(abs(arm))] for arm in arms]
    assert abs(arms[0][[0, -1]]) == pytest.approx([0.1, 1])
    for arm in arms[1:]:
        assert abs(arm - arms[0]).max() < 1e-12


def test_noise_is_the_standard_deviation_of_each_coordinate():
    clean, noisy = data.moons(n=4000, noise=0)[0], data.moons(n=4000, noise=0.2)[0]
    # The same seed gives the same order, so the difference is the noise alone.
    assert (noisy - clean).std(axis=0) == pytest.approx([0.2, 0.2], rel=0.05)


@pytest.mark.parametrize("generate", GENERATED)
def test_the_first_rows_hold_every_class(generate):
    labels = generate(n=90)[1]
    assert set(labels[:20]) == set(labels)


def test_iris_is_fishers_corrected_version():
    x, y = data.iris()
    assert x.shape == (150, 4)
    assert x.dtype == np.float64
    assert x[0].tolist() == [5.1, 3.5, 1.4, 0.2]
    assert x[-1].tolist() == [5.9, 3.0, 5.1, 1.8]
    assert y.tolist() == [0] * 50 + [1] * 50 + [2] * 50
    # The two rows in which UCI's iris.data is wrong, as bezdekIris.data and the paper have them.
    assert x[34].tolist() == [4.9, 3.1, 1.5, 0.2]
    assert x[37].tolist() == [4.9, 3.6, 1.4, 0.1]
    # Published summary statistics (iris.names); its mean sepal width, 3.05, is 3.054 in the
    # uncorrected file and 3.0573 here.
    assert x.min(axis=0).tolist() == [4.3, 2.0, 1.0, 0.1]
    assert x.max(axis=0).tolist() == [7.9, 4.4, 6.9, 2.5]
    assert x.mean(axis=0) == pytest.approx([5.8433, 3.0573, 3.7580, 1.1993], abs=5e-5)


def test_digits_are_the_test_file_of_uci():
    x, y = data.digits()
    assert x.shape == (1797, 64)
    assert x.dtype == np.float64
    assert y[:10].tolist() == list(range(10))
    assert (16 * x[0]).reshape(8, 8)[0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert x.min() == 0
    assert x.max() == 1
    assert (16 * x == np.rint(16 * x)).all()
    assert (16 * x).sum() == 561718


@pytest.mark.parametrize("read", [data.iris, data.digits])
def test_a_caller_may_change_what_it_got(read):
    read()[0][:] = -1
    assert read()[0].min() >= 0


@pytest.mark.parametrize("name", ["iris", "digits"])
def test_shipped_files_are_small_and_need_no_pickle(name):
    path = files("gradlab.nn").joinpath("datasets", f"{name}.npz")
    assert len(path.read_bytes()) < 64_000
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        assert {key: arrays[key].dtype for key in arrays} == {"x": np.uint8, "y": np.uint8}


@pytest.mark.parametrize(
    "said", ["CC BY 4.0", "10.24432/C56C76", "10.24432/C50P49", "bezdekIris.data", "Alpaydin"]
)
def test_source_and_licence_are_shipped_beside_the_files(said):
    text = files("gradlab.nn").joinpath("datasets", "README.md").read_text(encoding="utf-8")
    assert said in text


@pytest.mark.parametrize("name", data.DATASETS)
def test_load_gives_n_rows_of_any_set_by_name(name):
    x, y = data.load(name, n=30, seed=1)
    again, other = data.load(name, n=30, seed=1), data.load(name, n=30, seed=2)
    assert len(x) == len(y) == 30
    assert len(set(y)) > 1  # the iris file is sorted by species: rows must not be its first
    assert np.array_equal(x, again[0])
    assert np.array_equal(y, again[1])
    assert not np.array_equal(x, other[0])


def test_load_without_n_gives_the_whole_set_without_repetition():
    x, y = data.load("iris")
    whole = np.column_stack(data.iris())
    loaded = np.column_stack([x, y])
    assert len(x) == 150
    assert np.array_equal(
        loaded[np.lexsort(loaded.T)], whole[np.lexsort(whole.T)]
    )  # the same rows, in another order


def test_standardize_gives_mean_0_and_deviation_1_and_zeros_for_a_constant_column():
    x = np.column_stack([data.iris()[0], np.full(150, 0.1), np.zeros(150)])
    before = x.copy()
    z = data.standardize(x)
    assert abs(z.mean(axis=0)).max() < 1e-12
    assert z.std(axis=0) == pytest.approx([1, 1, 1, 1, 0, 0])
    assert (z[:, 4:] == 0).all()
    assert np.corrcoef(z[:, 0], x[:, 0])[0, 1] == pytest.approx(1)
    assert np.array_equal(x, before)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: data.moons(n=1), ValueError, "n must be an integer >= 2, got 1"),
        (lambda: data.moons(n=10.0), TypeError, "n must be an integer >= 2, got 10.0"),
        (lambda: data.moons(noise=-0.1), ValueError, "noise must be .* >= 0, got -0.1"),
        (lambda: data.moons(noise=float("nan")), ValueError, "noise must be .*, got nan"),
        (lambda: data.moons(noise="a lot"), TypeError, "noise must be a number.*'a lot'"),
        (lambda: data.moons(seed=-1), ValueError, "seed must be an integer >= 0, got -1"),
        (lambda: data.spirals(seed=None), TypeError, "seed must be an integer >= 0, got None"),
        (lambda: data.spirals(classes=1), ValueError, "classes must be an integer >= 2, got 1"),
        (lambda: data.spirals(n=2), ValueError, "n must be an integer >= 3, got 2"),
        (lambda: data.load("moon"), ValueError, "name must be one of .*did you mean 'moons'"),
        (lambda: data.load("iris", n=0), ValueError, "n must be an integer >= 1, got 0"),
        (lambda: data.load("iris", n=151), ValueError, "n must be at most 150, .*iris, got 151"),
        (lambda: data.standardize([1.0, 2.0]), ValueError, r"x must have shape .*, got \(2,\)"),
        (lambda: data.standardize(np.ones((0, 2))), ValueError, "x must hold at least one"),
        (lambda: data.load("digits", seed=-2), ValueError, "seed must be an integer >= 0, got -2"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()

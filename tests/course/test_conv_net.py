"""Lesson 10's exercises know the mistakes that people make; its predictions are computed."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import gradlab as gl
from gradlab.course.exercise import Exercise
from gradlab.course.tasks import QUESTIONS, TASKS
from gradlab.course.tasks.blame import blame
from gradlab.course.tasks.conv_backward import conv_backward

# -- conv_backward: right answers -----------------------------------------------------------------


def over_the_kernel(dz, x, W):
    dx, dW, (_, rows, columns) = np.zeros_like(x), np.zeros_like(W), dz.shape
    for k, l in np.ndindex(W.shape[2:]):  # noqa: E741
        at = slice(None), slice(k, k + rows), slice(l, l + columns)
        dW[:, :, k, l] = np.einsum("fij,cij->fc", dz, x[at])
        dx[at] += np.einsum("fij,fc->cij", dz, W[:, :, k, l])
    return dx, dW, dz.sum(axis=(1, 2))


def over_pixels_in_seven_loops(dz, x, W):
    dx, dW, db = 0 * x, 0 * W, [0.0] * len(W)
    F, C, kh, kw = W.shape
    for f in range(F):
        for i in range(dz.shape[1]):
            for j in range(dz.shape[2]):
                db[f] += dz[f, i, j]
                for c in range(C):
                    for k in range(kh):
                        for l in range(kw):  # noqa: E741
                            dW[f, c, k, l] += dz[f, i, j] * x[c, i + k, j + l]
                            dx[c, i + k, j + l] += dz[f, i, j] * W[f, c, k, l]
    return [dx, dW, db]


def full_correlation(dz, x, W):
    kh, kw = W.shape[2:]
    padded = np.pad(dz, ((0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
    patches = sliding_window_view(padded, (kh, kw), axis=(1, 2))
    dx = np.einsum("fijkl,fckl->cij", patches, W[:, :, ::-1, ::-1])
    dW = np.einsum("fij,cijkl->fckl", dz, sliding_window_view(x, (kh, kw), axis=(1, 2)))
    return dx, dW, np.array([one.sum() for one in dz])


def im2col(dz, x, W):
    index = sliding_window_view(np.arange(x.size).reshape(x.shape), W.shape[2:], axis=(1, 2))
    columns = index.transpose(0, 3, 4, 1, 2).reshape(W[0].size, -1)
    rows = dz.reshape(len(dz), -1)
    dx = np.bincount(columns.ravel(), (W.reshape(len(W), -1).T @ rows).ravel(), x.size)
    return dx.reshape(x.shape), (rows @ x.ravel()[columns].T).reshape(W.shape), rows.sum(axis=1)


def add_at(dz, x, W):
    index = sliding_window_view(np.arange(x.size).reshape(x.shape), W.shape[2:], axis=(1, 2))
    dx = np.zeros(x.size)
    np.add.at(dx, index, np.einsum("fij,fckl->cijkl", dz, W))
    dW = np.einsum("fij,cijkl->fckl", dz, x.ravel()[index])
    return dx.reshape(x.shape).tolist(), dW.tolist(), dz.sum(axis=(-1, -2)).tolist()


def fourier(dz, x, W):
    fz, fx, fw = (np.fft.fft2(part, x.shape[1:]) for part in (dz, x, W))
    dx = np.fft.ifft2(np.einsum("fij,fcij->cij", fz, fw)).real
    dW = np.fft.ifft2(np.einsum("fij,cij->fcij", fz.conj(), fx)).real
    return dx, dW[:, :, : W.shape[2], : W.shape[3]], dz.sum((1, 2))


def differences(dz, x, W):
    """Not a backward pass at all, and as right."""
    b = np.zeros(len(W))

    def loss(x, W, b):
        patches = sliding_window_view(x, W.shape[2:], axis=(1, 2))
        return (dz * (np.einsum("cijkl,fckl->fij", patches, W) + b[:, None, None])).sum()

    def slope(f, at):
        units = np.eye(at.size).reshape(-1, *at.shape)
        return np.array([f(at + u) - f(at) for u in units]).reshape(at.shape)

    return (slope(lambda q: loss(q, W, b), x), slope(lambda q: loss(x, q, b), W),
            slope(lambda q: loss(x, W, q), b))  # fmt: skip


RIGHT = (conv_backward, over_the_kernel, over_pixels_in_seven_loops, full_correlation, im2col,
         add_at, fourier, differences)  # fmt: skip


@pytest.mark.parametrize("answer", RIGHT)
def test_any_right_backward_pass_is_right(answer, store):
    note = Exercise(TASKS["conv_backward"], store).check(answer)
    assert note.solved, note


# -- and wrong ones -------------------------------------------------------------------------------


def but(**parts):
    """Return a backward pass with some of dx, dW, db made from (dz, x, W, the right ones)."""

    def answer(dz, x, W):
        right = dict(zip(("dx", "dW", "db"), conv_backward(dz, x, W), strict=True))
        return tuple(parts.get(k, lambda *a, k=k: right[k])(dz, x, W, right) for k in right)

    return answer


def assigned(dz, x, W):
    """Return what = makes of += in loops over the places."""
    dx, dW, db = np.zeros_like(x), np.zeros_like(W), np.zeros(len(W))
    kh, kw = W.shape[2:]
    for f, i, j in np.ndindex(dz.shape):
        dx[:, i : i + kh, j : j + kw] = dz[f, i, j] * W[f]
        dW[f] = dz[f, i, j] * x[:, i : i + kh, j : j + kw]
        db[f] = dz[f, i, j]
    return dx, dW, db


def assigned_over_the_kernel(dz, x, W, right):
    dx, (_, rows, columns) = np.zeros_like(x), dz.shape
    for k, l in np.ndindex(W.shape[2:]):  # noqa: E741
        dx[:, k : k + rows, l : l + columns] = np.einsum("fij,fc->cij", dz, W[:, :, k, l])
    return dx


def square_loops(dz, x, W):
    rows, seen = dz.shape[1], np.zeros_like(dz)
    seen[:, :, :rows] = dz[:, :, :rows]
    return conv_backward(seen, x, W)


def flipped(W):
    return W[:, :, ::-1, ::-1]


def in_place(dz, x, W):
    given = conv_backward(dz, x, W)
    dz *= 2
    return given


def fixed_sizes(dz, x, W):
    dx, dW, db = conv_backward(dz, x, W)
    return dx, dW, db if len(db) == 3 else 2 * db


WRONG = {
    "dx is that of the kernel turned": but(
        dx=lambda dz, x, W, right: conv_backward(dz, x, flipped(W))[0]
    ),
    "In dx later patches overwrite": but(dx=lambda dz, x, W, right: assigned(dz, x, W)[0]),
    "one filter alone, number 2": but(
        dx=lambda dz, x, W, right: conv_backward(dz[-1:], x, W[-1:])[0]
    ),
    "dx is 0 everywhere": but(dx=lambda dz, x, W, right: 0 * x),
    "dx has the shape (2, 4, 5)": but(dx=lambda dz, x, W, right: right["dx"][:, :4, :5]),
    "dW is turned": but(dW=lambda dz, x, W, right: flipped(right["dW"])),
    "dW has the last place alone": but(dW=lambda dz, x, W, right: assigned(dz, x, W)[1]),
    "dW is a mean over the 20 places": but(dW=lambda dz, x, W, right: right["dW"] / 20),
    "dW is 0 everywhere": but(dW=lambda dz, x, W, right: 0 * W),
    "db is a mean over the 20 places": but(db=lambda dz, x, W, right: dz.mean(axis=(1, 2))),
    "db is one sum over everything": but(db=lambda dz, x, W, right: np.full(len(W), dz.sum())),
    "db has the last place alone": but(db=lambda dz, x, W, right: dz[:, -1, -1]),
    "db has the shape ()": but(db=lambda dz, x, W, right: dz.sum()),
    "db is not there yet": but(db=lambda dz, x, W, right: ...),
    "db is 2 times": but(db=lambda dz, x, W, right: 2 * right["db"]),
    "over 4 x 4 of its 4 x 5 places": square_loops,
    "The sign of dx is flipped": but(dx=lambda dz, x, W, right: -right["dx"]),
    "entries of dx are off": but(dx=lambda dz, x, W, right: right["dx"] + 1),
    "dx is complex": but(dx=lambda dz, x, W, right: right["dx"] + 0j),
    "It changes dz": in_place,
    "three arrays are asked": lambda dz, x, W: conv_backward(dz, x, W)[:2],
    "Right for an image 2 x 5 x 7": fixed_sizes,
    "Hand over the function itself": np.zeros(3),
    "TypeError": lambda dz: dz,
}


def check_all(name, wrong, store):
    exercise, texts = Exercise(TASKS[name], store), set()
    for words, answer in wrong.items():
        note = exercise.check(answer)
        assert note.mark == "✗", words
        assert words in note.text, (words, note.text)
        texts.add(note.text)
    assert len(texts) == len(wrong)
    assert store.solved() == set()


def test_wrong_backward_passes_are_recognised(store):
    check_all("conv_backward", WRONG, store)


def test_overwriting_is_recognised_in_either_loop(store):
    exercise = Exercise(TASKS["conv_backward"], store)
    for answer in (assigned, but(dx=assigned_over_the_kernel)):
        assert "In dx later patches overwrite" in exercise.check(answer).text


def test_what_is_right_is_said(store):
    exercise = Exercise(TASKS["conv_backward"], store)
    assert "(dx and dW are right.)" in exercise.check(WRONG["db is 2 times"]).text
    assert "(dW and db are right.)" in exercise.check(WRONG["dx is 0 everywhere"]).text
    assert "right.)" not in exercise.check(lambda *a: [-p for p in conv_backward(*a)]).text


def test_what_the_messages_say_of_kernels():
    rng = np.random.default_rng(0)
    dz, x, W = (rng.standard_normal(shape) for shape in ((2, 3, 3), (1, 5, 5), (2, 1, 3, 3)))
    dW = conv_backward(dz, x, W)[1]
    right = np.isclose(flipped(dW), dW)  # "Only the middle weight of an odd kernel"
    assert np.argwhere(right.all(axis=(0, 1))).tolist() == [[1, 1]]
    assert right.sum() == 2
    square = square_loops(dz, x, W)  # "On a square image nobody would see it"
    for part, same in zip(square, conv_backward(dz, x, W), strict=True):
        assert np.array_equal(part, same)


def test_the_solution_as_a_textbook_writes_it():
    """The sum that the lesson prints, pixel by pixel: dz[r - k, s - l] W[k, l]."""
    rng = np.random.default_rng(1)
    dz, x, W = (rng.standard_normal(shape) for shape in ((2, 3, 4), (2, 4, 6), (2, 2, 2, 3)))
    dx = np.zeros_like(x)
    for f, c, k, l in np.ndindex(W.shape):  # noqa: E741
        for r, s in np.ndindex(x.shape[1:]):
            if 0 <= r - k < 3 and 0 <= s - l < 4:
                dx[c, r, s] += dz[f, r - k, s - l] * W[f, c, k, l]
    assert conv_backward(dz, x, W)[0] == pytest.approx(dx)


def test_an_untouched_backward_pass_is_a_stub(store):
    for stub in (lambda dz, x, W: (..., ..., ...), lambda *a: ...):
        assert Exercise(TASKS["conv_backward"], store).check(stub).mark == "○"


# -- blame ----------------------------------------------------------------------------------------


def by_index(cuts):
    names = list(cuts)
    wrong = [k for k in range(len(names)) if cuts[names[k]] == "wrong"]
    if not wrong:
        return []
    stages = [*names[1:], "loss"]
    k = end = max(wrong)
    while end + 1 < len(names) and cuts[names[end + 1]] != "correct":
        end += 1
    return stages[k : end + 1]


def from_the_input_up(cuts):
    found, last = (), None
    for name, verdict in cuts.items():
        if last is not None:
            found += (name,)
        if verdict == "wrong":
            found, last = (), name
        elif verdict == "correct" and last is not None:
            return found
    return (*found, "loss") if last is not None else ()


def by_text(cuts):
    marks = "".join(verdict[0] for verdict in cuts.values()) + "c"
    k = marks.rfind("w")
    stages = np.array([*cuts, "loss"])
    return stages[k + 1 : marks.index("c", k) + 1] if k >= 0 else np.array([], dtype=str)


def recursive(cuts):
    def above(rest):
        (_, verdict), *more = rest
        name = more[0][0] if more else "loss"
        rises = more and more[0][1] == "inconclusive"
        later = above(more) if more else None
        if later:
            return later
        if verdict != "wrong":
            return []
        found, k = [name], 0
        while rises:
            k += 1
            found.append(more[k][0] if k < len(more) else "loss")
            rises = k < len(more) and more[k][1] == "inconclusive"
        return found

    return above(list(cuts.items()))


RIGHT_BLAMES = (blame, by_index, from_the_input_up, by_text, recursive,
                lambda cuts: set(blame(cuts)), lambda cuts: (name for name in by_index(cuts)),
                lambda cuts: dict.fromkeys(blame(cuts)).keys())  # fmt: skip


@pytest.mark.parametrize("answer", RIGHT_BLAMES)
def test_any_right_way_to_blame_is_right(answer, store):
    note = Exercise(TASKS["blame"], store).check(answer)
    assert note.solved, note


def highest_wrong(cuts):
    return [name for name in cuts if cuts[name] == "wrong"][-1:]


def first_wrong_tensor(cuts):
    names = list(cuts)
    return names[1:2] if "wrong" in cuts.values() else []


def all_below(cuts):
    names = list(cuts)
    found = by_index(cuts)
    return names[1 : names.index(found[0])] + found if found and found[0] in names else found


def unjudged_is_wrong(cuts):
    return by_index({name: "correct" if v == "correct" else "wrong" for name, v in cuts.items()})


def unjudged_is_right(cuts):
    return by_index({n: "correct" if v == "inconclusive" else v for n, v in cuts.items()})


def only_the_nearest(cuts):
    return by_index(cuts)[-1:]


def no_loss(cuts):
    return [name for name in by_index(cuts) if name != "loss"]


def the_output_for_the_loss(cuts):
    return ["output" if name == "loss" else name for name in by_index(cuts)]


WRONG_BLAMES = {
    "pool1 is the highest wrong cut.": highest_wrong,
    "The lowest stage, conv1,": first_wrong_tensor,
    "Into conv1 and pool1 came a signal": all_below,
    "It lacks pool1: inconclusive is neither": unjudged_is_wrong,
    "It lacks conv2: inconclusive is neither": unjudged_is_right,
    "The signal is wrong at output: something above": no_loss,
    "output is the highest wrong cut": the_output_for_the_loss,
    "Conv2 is no stage: a stage has the name": lambda cuts: ["Conv2"] if by_index(cuts) else [],
    "A list is asked, even of one": lambda cuts: "".join(by_index(cuts)),
    "it returned nothing": lambda cuts: by_index(cuts) or None,
    "A list of names is asked": lambda cuts: [1, 2],
    "No cut is wrong, so nothing": lambda cuts: by_index(cuts) or ["conv1"],
    "Name each stage once": lambda cuts: 2 * by_index(cuts),
    "Not pool2: the signal is right at a cut below": lambda cuts: (
        [*by_index(cuts), "pool2"] if by_index(cuts) == ["conv2"] else by_index(cuts)
    ),
    "Hand over the function itself": ["conv2"],
    "TypeError": lambda: [],
}


def test_wrong_blames_are_recognised(store):
    check_all("blame", WRONG_BLAMES, store)


@pytest.mark.parametrize("seed", [3, 6, 16])
def test_blame_says_what_bisect_says(seed, case):
    net, _, x, y = case
    found = gl.bisect(gl.bugs.mystery(seed, net), x, y)
    verdicts = {name: str(cut.verdict) for name, cut in found.cuts.items()}
    assert blame(verdicts) == [found.between[1]]


# -- predictions ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def case():
    images, y = gl.data.load("digits", 8, seed=5)
    images = images.reshape(8, 1, 8, 8)
    net = gl.convnet((1, 8, 8), filters=(4, 6), padding=(1, 1), classes=10, seed=0)
    return net, images, images + 0.01 * np.random.default_rng(0).standard_normal(images.shape), y


def off_by(dz, net, x, y):
    """Return the norm ratios of the signal to Conv1, conv1_b and conv1_W, if the signal is dz."""
    right, padded = net.gradient(x, y), np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    patches = sliding_window_view(padded, (3, 3), axis=(2, 3))
    made = [
        (dz, net.cut_gradients(x, y)["conv1"]),
        (dz.sum(axis=(0, 2, 3)), right["conv1_b"]),
        (np.einsum("nfij,ncijkl->fckl", dz, patches), right["conv1_W"]),
    ]
    return [gl.norm_ratio(a.ravel(), b.ravel()) for a, b in made]


def to_the_top_left(net, x, y):
    dz = np.zeros_like(net.cut_gradients(x, y)["conv1"])
    dz[:, :, ::2, ::2] = net.cut_gradients(x, y)["pool1"]
    return dz


def test_a_gradient_one_pixel_off_spoils_the_weights_by_less_than_the_signal(case):
    net, images, _, y = case
    asked = QUESTIONS["always_the_first"]
    signal, bias, weights = off_by(to_the_top_left(net, images, y), net, images, y)
    assert asked.right == "about 0.45"
    assert abs(weights - 0.45) < 0.02
    assert bias < 1e-9  # "so it is for conv1_b: a sum forgets where"
    assert weights < signal - 0.1  # "less wrong than the signal it is made of"
    assert off_by(net.cut_gradients(images, y)["conv1"], net, images, y) == pytest.approx([0] * 3)
    assert gl.norm_ratio(np.array([1.0, 0]), np.array([0, 1.0])) == pytest.approx(0.7, abs=0.01)
    alike = [
        np.vdot(one, other) / np.linalg.norm(one) / np.linalg.norm(other)
        for one, other in (
            (images[..., 1:], images[..., :-1]),
            (images[..., 1:, :], images[..., :-1, :]),
            (images[..., 1:, 1:], images[..., :-1, :-1]),
        )
    ]
    assert all(0.5 < cosine < 0.9 for cosine in alike)  # alike, not equal
    for seed in (0, 1, 2):  # other digits
        x, labels = gl.data.load("digits", 8, seed=seed)
        x = x.reshape(images.shape)
        one = off_by(to_the_top_left(net, x, labels), net, x, labels)[2]
        assert min((0.1, 0.2, 0.45, 0.7), key=lambda choice: abs(choice - one)) == 0.45


def test_a_reversed_gradient_is_worse_than_none():
    asked = QUESTIONS["reversed_kernels"]
    x, y = gl.data.load("digits", 1500, seed=0)
    x, read = x.reshape(-1, 1, 8, 8), {}
    for name in ("right", "frozen", "reversed"):
        net, rng = (
            gl.convnet((1, 8, 8), filters=(4, 6), padding=(1, 1), classes=10, seed=0),
            (np.random.default_rng(1)),
        )  # other batches than the lesson's
        speed = {k: np.zeros_like(v) for k, v in net.params.items()}
        for _ in range(160):
            some = rng.choice(1000, 32, replace=False)
            for k, g in net.gradient(x[some], y[some]).items():
                if k in ("conv1_W", "conv2_W") and name != "right":
                    g = 0 * g if name == "frozen" else g[:, :, ::-1, ::-1]
                speed[k] = 0.9 * speed[k] - 0.05 * g
                net.params[k] += speed[k]
        read[name] = np.mean(net.predict(x[1000:]).argmax(axis=1) == y[1000:])
    assert read["right"] > 0.8
    assert 0.4 < read["frozen"] < 0.8
    assert read["reversed"] < 0.25
    assert asked.right == "about 1 in 10, as by guessing"
    assert "one weight in nine" in asked.choices["about 9 in 10, as with right code"]
    assert "at a learning rate of 0.05 with momentum 0.9" in asked.question
    kernel = np.arange(9).reshape(3, 3)
    assert np.sum(kernel == kernel[::-1, ::-1]) == 1

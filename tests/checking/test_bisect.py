from dataclasses import replace

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.planting import EditedPass, program_of, put
from gradlab.checking.bisect import Bisection, conclude, from_cut
from gradlab.checking.report import TensorReport
from gradlab.checking.time_steps import TimeSteps, _same
from gradlab.checking.verdict import Judgement, Verdict
from gradlab.nn.network import Point
from tests.museum import case, make

STEPS = {
    ("tanh", "missing_activation_derivative", 1): ("Activation(tanh)", ("z1", "a1")),
    ("tanh", "missing_dropout_mask", 2): ("Mask(6)", ("a2", "dropout2")),
    ("tanh", "updated_weights", 3): ("Dense(W3, b3)", ("dropout2", "output")),
    ("tanh", "softmax_derivative_twice", 3): ("loss", ("output",)),
    ("relu", "missing_transpose", 2): ("Dense(W2, b2)", ("a1", "z2")),
    ("relu", "flipped_sign", 3): ("loss", ("output",)),
    ("batch_norm", "batch_norm_missing_gamma", 2): ("BatchNorm(gamma2, beta2)", ("z2", "norm2")),
    ("convnet", "kernel_not_flipped", 2): (
        "Conv(conv2_W, conv2_b, padding=1)",
        ("pool1", "conv2"),
    ),
    ("lstm", "lstm_tanh_twice", 1): ("LSTM(every_step=False)", ("input", "hidden")),
    ("lstm_every_step", "missing_label", 2): ("loss", ("output",)),
}


@pytest.mark.every_case
@pytest.mark.parametrize(("kind", "name", "layer"), STEPS)
def test_the_step_with_the_bug_is_found(kind, name, layer):
    net, x, y, masks = case(kind, 1)
    found = gl.bisect(gl.bugs.plant(net, name, layer), x, y, masks, samples=40)
    step, between = STEPS[kind, name, layer]
    assert (found.step, found.between) == (step, between), found
    assert next(iter(found.cuts)) == "input"
    assert [report.verdict for report in found.cuts.values()][:-1] == ["wrong"] * (
        len(found.cuts) - 1
    )


@pytest.mark.parametrize("kind", ["tanh", "relu", "batch_norm", "convnet", "lstm_every_step"])
def test_a_right_path_ends_at_the_input(kind):
    net, x, y, masks = case(kind, 0)
    found = gl.bisect(net, x, y, masks, samples=40)
    assert (found.step, list(found.cuts)) == (None, ["input"])
    assert "right at the input" in found.why


@pytest.mark.parametrize("name", ["bias_mean", "missing_l2", "copied_bias_gradient"])
def test_a_green_path_says_what_it_does_not_prove(name):
    net, x, y, masks = case("tanh", 0)
    found = gl.bisect(gl.bugs.plant(net, name), x, y, masks)
    assert found.step is None
    assert "path only" in found.remark
    assert "gl.check looks at the parameters" in repr(found)
    assert "<pre>" in found._repr_html_()


def test_cut_gradients_from_elsewhere_are_checked():
    net, x, y, masks = case("tanh", 0)
    cuts = net.cut_gradients(x, y, masks)
    given = gl.bisect(net, x, y, masks, analytic=cuts)
    assert given.step is None
    assert given.why.endswith("right at the input; the cuts above it were not looked at.")
    assert gl.bisect(net, x, y, masks).why.endswith("so every step on its path is.")
    wrong = {**cuts, "input": 2 * cuts["input"]}
    assert gl.bisect(net, x, y, masks, analytic=wrong).step == "Dense(W1, b1)"


def test_bad_input_is_named():
    net, x, y, _ = case("tanh", 0)
    with pytest.raises(TypeError, match="masks must be frozen"):
        gl.bisect(net, x, y, np.random.default_rng(0))
    with pytest.raises(ValueError, match="analytic must have the keys"):
        gl.bisect(net, x, y, analytic={"input": x})
    with pytest.raises(ValueError, match="samples must be an integer >= 1"):
        gl.bisect(net, x, y, samples=0)
    short = net.cut_gradients(x, y)
    short["input"] = short["input"][:2]
    with pytest.raises(ValueError, match=r"analytic\['input'\] must have shape"):
        gl.bisect(net, x, y, analytic=short)


def test_the_gradient_above_a_cut_is_that_of_the_cut():
    net, x, y, _ = case("lstm_every_step", 0)
    places, cuts = net.cut_activations(x), net.cut_gradients(x, y)
    for position, name in enumerate(places):
        _, gradient = from_cut(Point(net, x, y, None), position)
        np.testing.assert_allclose(gradient(places[name].ravel()), cuts[name].ravel(), atol=1e-16)


# -- inside an LSTM --------------------------------------------------------------------------

DH, DC = "dh = dH[t] + dh_next", "dc = dc_next + dh * o[t] * (1 - tc[t] ** 2)"
DC_NEXT, HEAD = "dc_next = dc * f[t]", "for t in reversed(range(T)):"
OUT_OF_LINE = "The same lines are right at"


def of_gate(gate, formula):
    return (
        "h{T} and c{T} are right, x{T} and h{B} are wrong. Both are made from the dz of step {T}'s "
        f"gates: the {gate} gate's formula is wrong, as no other gate's dz explains both errors "
        f"({formula})."
    )


def of_h(missing):
    return "h{T}, c{T} and x{T} are right, h{B} is wrong.", "wrong is how they get to h{B}", missing


def of_c(missing):
    return "c{T} and h{B} are right and c{B}, which is made from them, is wrong", missing


LAST_C = "h{T} is right and c{T}, which is made from it, is wrong"
LAST_H = "h{T} is wrong, at the last time step"
DX = "h{B} is made from the dz of step {T}'s gates, so these are right; wrong is the line dx[t]"
I_GATE = of_gate("input", "di = dc * g[t], dz_i = di * i[t] * (1 - i[t])")
F_GATE = of_gate("forget", "df = dc * c[t - 1], dz_f = df * f[t] * (1 - f[t])")
G_GATE = of_gate("candidate", "dg = dc * i[t], dz_g = dg * (1 - g[t]**2)")
O_GATE = of_gate("output", "do = dh * tanh(c[t]), dz_o = do * o[t] * (1 - o[t])")
NOTHING = "It is 0: nothing gets there."
MANY = "gates: more than one gate's formula is wrong, or both ways down are."

#: What was edited, and what must be said where the last step alone is looked at, and where every
#: one is. {T} is the last step, {B} the one before.
MISTAKES = {
    "the cell's gradient dropped": (
        [(DC, "dc = dh * o[t] * (1 - tc[t] ** 2)")],
        of_c("What is missing is exactly what step {T} hands on: dc_next."),
    ),
    "the wrong step's forget gate": (
        [(DC_NEXT, "dc_next = dc * f[t + 1]")],
        of_c("What is missing is exactly what step {T} hands on: dc_next."),
    ),
    "no forget gate": (
        [(DC_NEXT, "dc_next = dc")],
        of_c("Step {T} hands on its dc without the factor f[t]."),
    ),
    "another gate": (
        [(DC_NEXT, "dc_next = dc * o[t]")],
        of_c("look at what step {T} hands on, or for an index."),
    ),
    "tanh(c) of the last step": (
        [(DC, DC.replace("tc[t]", "tc[T - 1]"))],
        of_c("look at what step {T} hands on, or for an index."),
    ),
    "nothing through h": ([(DC, "dc = dc_next")], (LAST_C,)),
    "tanh twice": ([(DC, DC.replace("tc[t]", "tanh(tc[t])"))], (LAST_C,)),
    "sigmoid for its derivative": (
        [("dz_i = di * i[t] * (1 - i[t])", "dz_i = di * i[t]")],
        (I_GATE,),
    ),
    "forget gate's derivative": (
        [("dz_f = df * f[t] * (1 - f[t])", "dz_f = df * (1 - f[t])")],
        (F_GATE,),
    ),
    "this step's c": ([("df = dc * c[t - 1]", "df = dc * c[t]")], (F_GATE,)),
    "g's gate": ([("dg = dc * i[t]", "dg = dc * f[t]")], (G_GATE,)),
    "o from c": ([("do = dh * tc[t]", "do = dh * c[t]")], (O_GATE,)),
    "three derivatives": (
        [(f"dz_{q} = d{q} * {q}[t] * (1 - {q}[t])", f"dz_{q} = d{q}") for q in "ifo"],
        (MANY,),
    ),
    "one gate by another's weights": (
        [
            ("dh_next += dz_i @ Wh_i.T", "dh_next += dz_i @ Wh_f.T"),
            ("dx[t] += dz_i @ Wx_i.T", "dx[t] += dz_i @ Wx_f.T"),
        ],
        (MANY,),
    ),
    "one gate in no sum": (
        [
            ("dh_next += dz_i @ Wh_i.T", "dh_next += 0 * dz_i @ Wh_i.T"),
            ("dx[t] += dz_i @ Wx_i.T", "dx[t] += 0 * dz_i @ Wx_i.T"),
        ],
        ("the input gate's part is missing in both.",),
    ),
    "one gate not handed on": (
        [("dh_next += dz_g @ Wh_g.T", "dh_next += 0 * dz_g @ Wh_g.T")],
        of_h("What is missing is exactly the candidate gate's part."),
    ),
    "not transposed": ([("dh_next += dz_i @ Wh_i.T", "dh_next += dz_i @ Wh_i")], of_h("dh_next.")),
    "one gate not in dx": ([("dx[t] += dz_f @ Wx_f.T", "dx[t] += 0 * dz_f @ Wx_f.T")], (DX,)),
    "nothing carried": (
        [(DH, "dh = dH[t]"), (DC, "dc = dh * o[t] * (1 - tc[t] ** 2)")],
        of_h(NOTHING),
        of_h("It is the output's part alone: nothing that is handed on gets there."),
    ),
    "the output's part at the last step only": (
        [(DH, "dh = dH[t] * (t == T - 1) + dh_next")],
        None,
        of_h("What is missing is exactly the output's part."),
    ),
    "the first step's dH": ([(DH, "dh = dH[0] + dh_next")], (LAST_H,)),
    "the loop runs up": ([(HEAD, "for t in range(T):")], of_h(NOTHING), (LAST_H,)),
    "sums overwritten": (
        [("dWh_i += h[t - 1].T @ dz_i", "dWh_i = h[t - 1].T @ dz_i")],
        None,
    ),
}


def edited(net, pairs):
    def edits(listing):
        return {line.index: new for old, new in pairs
                for line in listing.lines if line.text == old}  # fmt: skip

    return put(net, EditedPass(edits))


def small(every_step, T=3, H=3, **kwargs):
    net = gl.lstm(2, H, 2, every_step=every_step, weight_scale=0.7, seed=T, **kwargs)
    return make(net, 2, T, steps=T)


@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_said_about_the_time_steps_is_true(mistake, every_step):
    pairs, *said = MISTAKES[mistake]
    T, H = ((2, 4), (3, 3))[every_step]
    net, x, y, _ = small(every_step, T, H)
    wrong = edited(net, pairs)
    assert wrong.backward_pass.edits(program_of(Point(net, x, y, None)).listing), "no such line"
    found = gl.bisect(wrong, x, y)
    phrases = said[-1] if every_step else said[0]
    if phrases is None:
        assert (found.step, found.steps) == (None, {})
        assert found.why.endswith("Every time step's signal is right.")
        assert "summed over the steps (= where += belongs)" in found.remark
        return
    assert found.between == ("input", "hidden")
    for phrase in phrases:
        assert phrase.format(T=T, B=T - 1) in found.why, found
    assert OUT_OF_LINE not in found.why


def exactly(net, wrong, x, y):
    """Return the time steps with the right gradients for numerical ones: no differences taken."""
    given, right = (
        {**one.cut_gradients(x, y), **one.state_gradients(x, y)} for one in (wrong, net)
    )
    inside = TimeSteps(wrong, x, y, given, 100, 0)

    def told(name, analytic, numerical):
        same = np.allclose(analytic, numerical, rtol=1e-9, atol=1e-12)
        verdict = Judgement(Verdict.CORRECT if same else Verdict.WRONG, "")
        rest = [np.zeros(analytic.shape)] * 4
        return TensorReport(name, analytic, numerical, "max_relative", verdict, *rest, 0.0)

    def part(name, grads):
        return grads["input"][int(name[1:]) - 1] if name[0] == "x" else grads[name]

    vars(inside)["steps"] = {
        t: {p: told(f"{p}{t}", part(f"{p}{t}", given), part(f"{p}{t}", right)) for p in "hcx"}
        for t in range(len(x), 0, -1)
    }
    return inside


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("mistake", "every_step"),
    [(name, False) for name in MISTAKES] + [(m, True) for m, v in MISTAKES.items() if len(v) > 2],
)
def test_the_same_is_said_of_gradients_that_are_known_exactly(mistake, every_step):
    pairs, *said = MISTAKES[mistake]
    T, H = ((2, 4), (3, 3))[every_step]
    net, x, y, _ = small(every_step, T, H)
    told = exactly(net, edited(net, pairs), x, y).why
    for phrase in (said[-1] if every_step else said[0]) or ("Every time step's signal is right.",):
        assert phrase.format(T=T, B=T - 1) in told


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (DC_NEXT, DC_NEXT + " * (t > 1)", "right at c2: look for what is different at step 1"),
        (DH, DH + " * (t > 0)", "right at h2: look for what is different at step 1"),
        (HEAD, "for t in reversed(range(1, T)):", "It is 0: nothing gets there."),
        ("di = dc * g[t]", "di = dc * g[2]", "right at x3: look for what is different at step 2"),
    ],
)
def test_lines_that_were_right_at_a_later_step_are_not_called_wrong(old, new, said):
    net, x, y, _ = small(False)
    found = gl.bisect(edited(net, [(old, new)]), x, y)
    assert said in found.why, found


@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("T", [1, 2, 4])
def test_right_time_steps_are_called_right(T, dtype, every_step):
    net, x, y, _ = small(every_step, T, dtype=dtype)
    states = net.state_gradients(x, y)
    assert all(value.dtype == dtype for value in states.values())
    found = gl.bisect(net, x, y, analytic={**net.cut_gradients(x, y), **states})
    assert found.step is None
    assert list(found.steps) == list(range(T, 0, -1))
    assert {check.verdict for row in found.steps.values() for check in row.values()} == {"correct"}
    assert found.why.endswith("Every time step's signal is right.")


@pytest.mark.parametrize("every_step", [False, True])
def test_a_single_time_step(every_step):
    net, x, y, _ = small(every_step, T=1)
    assert gl.bisect(gl.bugs.plant(net, "lstm_cell_gradient_dropped"), x, y).step is None
    found = gl.bisect(gl.bugs.plant(net, "lstm_sigmoid_as_derivative"), x, y)
    assert "h1 and c1 are right, x1 is wrong: a gate's formula is, or the line dx" in found.why
    found = gl.bisect(gl.bugs.plant(net, "lstm_tanh_twice"), x, y)
    assert "h1 is right and c1, which is made from it, is wrong" in found.why


def test_float32_and_samples():
    net, x, y, _ = small(False, dtype="float32")
    found = gl.bisect(gl.bugs.plant(net, "lstm_cell_gradient_dropped"), x, y)
    assert "What is missing is exactly what step 3 hands on" in found.why
    found = gl.bisect(gl.bugs.plant(net, "lstm_sigmoid_as_derivative"), x, y, samples=3)
    assert "gates: a gate's formula is wrong, or both ways down are" in found.why
    assert found.steps[3]["x"].coverage == "3 of 4 entries"


def test_without_gradients_at_the_states_the_inputs_tell_less():
    net, x, y, _ = small(False)
    for name, said in (
        ("lstm_tanh_twice", "x3 is wrong, at the last time step already"),
        ("lstm_cell_gradient_dropped", "x3 is right, x2 is wrong: what step 3 hands on"),
    ):
        cuts = gl.bugs.plant(net, name).cut_gradients(x, y)
        found = gl.bisect(net, x, y, analytic=cuts)
        assert said in found.why
        assert {tuple(row) for row in found.steps.values()} == {("x",)}


def test_states_that_are_given_are_checked_where_the_input_is_right():
    net, x, y, _ = small(False)
    states = net.state_gradients(x, y)
    found = gl.bisect(net, x, y, analytic={**net.cut_gradients(x, y), **states, "c2": states["c3"]})
    assert found.step is None
    assert "But c2, as given, are not all" in found.why
    with pytest.raises(ValueError, match=r"and none or all of \['h1', 'h2', 'h3', 'c1'"):
        gl.bisect(net, x, y, analytic={**net.cut_gradients(x, y), "h1": states["h1"]})
    bad = {**net.cut_gradients(x, y), **states, "h2": states["h2"][:1]}
    with pytest.raises(ValueError, match=r"analytic\['h2'\] must have shape"):
        gl.bisect(net, x, y, analytic=bad)


def test_the_table_by_time_step_is_printed():
    net, x, y, _ = small(False)
    found = gl.bisect(gl.bugs.plant(net, "lstm_cell_gradient_dropped"), x, y)
    head, last, before, _ = repr(found).split("\n\n")[1].split("\n")
    assert head.split() == ["time", "step", "dL/dh", "dL/dc", "dL/dx"]
    assert last.split()[:2] + last.split()[3::2] == ["3", "✓", "✓", "✓"]
    assert before.split()[1::2] == ["✓", "✗", "✗"]
    assert before in found._repr_html_()


# -- words, from verdicts alone ------------------------------------------------------------------


class Cut:
    """What is said of a cut, as far as a conclusion asks."""

    def __init__(self, verdict, norm_ratio=0.5):
        self.verdict, self.norm_ratio = Verdict(verdict), norm_ratio


def concluded(*verdicts, layers=("one", "two", "three"), is_given=False):
    names = ["input", "a", "b", "output"][: len(verdicts)]
    cuts = {name: Cut(verdict) for name, verdict in zip(names, verdicts, strict=True)}
    return conclude(cuts, list(layers), is_given)


C, W, Q = "correct", "wrong", "inconclusive"


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("verdicts", "step", "between", "said"),
    [
        ((C,), None, (), "The signal is right at the input, so every step on its path is."),
        ((Q, C), None, (), "The signal is right at a; what lies below could not be judged."),
        ((Q, Q, Q, Q), None, (), "No cut could be judged: see the advice of each report."),
        ((W, C), "one", ("input", "a"), "The backward pass of one is wrong: it stands between "
         "input, where the signal is wrong, and a, where it is right."),
        ((W, W, C), "two", ("a", "b"), "The backward pass of two is wrong: it stands between a,"),
        ((W, Q, C), "one", ("input", "b"), "The backward pass is wrong between input, where the "
         "signal is wrong, and b; what lies in between could not be judged."),
        ((Q, W, W, C), "three", ("b", "output"), "The backward pass of three is wrong: it stands"),
        ((W, W, W, Q), "three", ("b", "output"), "wrong between b, where the signal is wrong, and "
         "output; what lies in between could not be judged."),
        ((W, W, W, W), "loss", ("output",), "The derivative of the loss is wrong: the signal is "
         "off at the output already."),
    ],
)  # fmt: skip
def test_what_the_verdicts_of_the_cuts_say(verdicts, step, between, said):
    found = concluded(*verdicts)
    assert (found.step, found.between) == (step, between)
    assert said in found.why
    if len(verdicts) == 1:
        given = concluded(*verdicts, is_given=True).why
        assert given == "The signal is right at the input; the cuts above it were not looked at."
        assert concluded(Q, C, is_given=True).why == concluded(Q, C).why


def test_the_walk_is_printed_cut_by_cut_and_escaped():
    cuts = {"input": Cut("wrong", 0.25), "a long name": Cut("correct", 3e-9)}
    found = Bisection(cuts, "one", ("input", "a long name"), "What 1 < 2 says.", "all of it")
    why, first, second, remark = repr(found).split("\n")
    assert (why, remark) == ("What 1 < 2 says.", "Remark: all of it.")
    assert first == "  input        ✗ wrong         norm ratio 2.5e-01"
    assert second == "  a long name  ✓ correct       norm ratio 3.0e-09"
    assert found._repr_html_().startswith("<pre>What 1 &lt; 2 says.\n")


def inside_of(verdicts, parts="hcx", every_step=False, T=3):
    """Return time steps with these verdicts, "c2": "wrong"; all others are correct."""
    net, x, y, _ = small(every_step, T)
    given = {**net.cut_gradients(x, y), **(net.state_gradients(x, y) if "h" in parts else {})}
    inside = TimeSteps(net, x, y, given, 100, 0)
    exact = exactly(net, net, x, y).steps
    vars(inside)["steps"] = {
        t: {
            p: replace(row[p], judgement=Judgement(Verdict(verdicts.get(f"{p}{t}", C)), ""))
            for p in parts
        }
        for t, row in exact.items()
    }
    return inside


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("verdicts", "options", "said"),
    [
        ({}, {}, "Every time step's signal is right."),
        ({"x2": Q, "h3": Q}, {}, "No time step is wrong, but h3, x2 could not be judged."),
        ({"h2": W, "c3": Q, "x1": Q}, {}, "h2 is the first that is wrong, from the last time step "
         "back; but c3 could not be judged, so this does not tell which line is."),
        ({"x3": W, "h2": Q}, {}, "x3 is wrong: a gate's formula is, or the line dx[t]"),
        ({"x3": W, "h2": C}, {}, "x3 is wrong and h2 is right. h2 is made from the dz of step 3's"),
        ({"x1": W}, {}, "h1 and c1 are right, x1 is wrong: a gate's formula is, or the line"),
        ({"x1": W, "h2": W}, {}, "h3, c3 and x3 are right, h2 is wrong."),
        ({"x3": W}, {"parts": "x"}, "x3 is wrong, at the last time step already, to which no step"),
        ({"x2": W}, {"parts": "x"}, "x3 is right, x2 is wrong: what step 3 hands on (dh_next, "
         "dc_next) is wrong, if no line"),
        ({"x1": W}, {"parts": "x"}, "x3 and x2 are right, x1 is wrong: what step 2 hands on"),
        ({"x1": W}, {"parts": "x", "T": 4}, "x4, x3 and x2 are right, x1 is wrong"),
        ({"x2": W}, {"parts": "x", "every_step": True}, "(dh_next, dc_next) or what comes in from "
         "the output at step 2 is wrong"),
        ({"c3": W}, {}, "h3 is right and c3, which is made from it, is wrong"),
    ],
)  # fmt: skip
def test_what_the_verdicts_of_the_time_steps_say(verdicts, options, said):
    assert said in inside_of(verdicts, **options).why


def test_the_same_lines_at_a_later_step_are_pointed_at_where_there_is_one():
    for part, t in (("x", 2), ("c", 1), ("h", 1)):
        said = f" The same lines are right at {part}{t + 1}: look for what is different at step {t}"
        assert said in inside_of({f"{part}{t}": W}).why
    for last in ("x3", "c2", "h2"):  # h and c of the last step have none after them
        assert "The same lines" not in inside_of({last: W}).why


def gate_told(spoil, near=None, T=2):
    """Return what is said of x and h before, both off by what dz of one gate and a rest make."""
    net, x, y, _ = small(False, T)
    draws = np.random.default_rng(0)
    if near is not None:
        for name in ("Wx", "Wh"):
            W = net.params[f"{name}_i"]
            net.params[f"{name}_f"] = W + near * np.abs(W).mean() * draws.standard_normal(W.shape)
    inside = exactly(net, net, x, y)
    W = np.concatenate([net.params["Wx_i"], net.params["Wh_i"]])
    error = W @ draws.standard_normal((3, 2))
    rest = np.linalg.svd(W)[0][:, 3:].sum(axis=1, keepdims=True) * np.ones((1, 2))
    error += spoil * np.linalg.norm(error) * rest / np.linalg.norm(rest)
    for part, t, off in (("x", T, error[:2].T), ("h", T - 1, error[2:].T)):
        one = inside.steps[t][part]
        inside.steps[t][part] = replace(one, analytic=one.numerical + off)
    return inside._gate(T)


def test_a_gate_is_named_where_its_dz_alone_explains_both_errors():
    named = "the input gate's formula is wrong, as no other gate's dz explains both errors"
    either = "a gate's formula is wrong, or both ways down are"
    for spoil, said in ((0.0, named), (0.9e-3, named), (1.1e-3, either), (0.029, either),
                        (0.032, "more than one gate's formula is wrong, or both")):  # fmt: skip
        assert gate_told(spoil).startswith(said), spoil
    assert gate_told(0.0, near=0.3).startswith(named)
    assert gate_told(0.0, near=1e-3).startswith(either)  # another gate's explains it nearly too


def test_two_parts_are_the_same_to_a_thousandth_of_the_longer():
    a = np.array([3.0, 4.0])
    for off, same in ((0.99e-3, True), (1.01e-3, False)):
        for factor in (1 + off, 1 - off):
            longer = max(1, factor)
            assert _same(a, a * (1 + (factor - 1) * longer)) == same
    assert _same(0 * a, 0 * a)
    assert not _same(a, 0 * a)

import ast

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import RANGES, SCENARIOS, LabState, Settings, read_line, settings_line
from gradlab.lab.model.settings import BUGS, validated_all


def keywords(line):
    """Return what a line passes, without running it and without `read_line`."""
    call = ast.parse(line, mode="eval").body
    assert ast.unparse(call.func) == "gl.Lab"
    return {k.arg: ast.literal_eval(k.value) for k in call.keywords}


def recreated(line, base=None):
    values = keywords(line)
    scenario = SCENARIOS[values.pop("scenario")].settings if "scenario" in values else {}
    return (base or Settings()).replace(**scenario).replace(**validated_all(values))


def random_settings(seed):
    rng = np.random.default_rng(seed)

    def log(name):
        low, high = np.log10(RANGES[name])
        return float(np.clip(10.0 ** rng.uniform(low, high), *RANGES[name]))

    some = {
        "data": str(rng.choice(gl.data.DATASETS)),
        "hidden": tuple(int(n) for n in rng.integers(1, 65, rng.integers(0, 9))),
        "activation": str(rng.choice(gl.nn.ACTIVATIONS)),
        "loss": str(rng.choice(gl.nn.LOSSES)),
        "seed": int(rng.integers(0, 10_000)),
        "eps": log("eps"),
        "weight_scale": log("weight_scale"),
        "scheme": str(rng.choice(["forward", "central", "five_point", "complex_step"])),
        "measure": str(rng.choice(["max_relative", "sum_relative", "norm_ratio"])),
        "dropout_rate": float(rng.uniform(0, 0.9)),
        "l2": log("l2"),
        "dtype": str(rng.choice(["float64", "float32"])),
        "train_steps": int(rng.integers(0, 501)),
        "bug": str(rng.choice(BUGS)),
        "bug_layer": int(rng.integers(0, 9)),
        "tensor": str(rng.choice(["", "W1", "it's", 'a "b"', "\\"])),
        "examples": int(rng.integers(1, 201)),
        "time_steps": int(rng.integers(0, 9)),
        "data_scale": log("data_scale"),
        "bias_scale": float(rng.uniform(0, 10)),
        "second_bug": str(rng.choice(BUGS[:-1])),
        "method": str(rng.choice(["full", "sampled", "directional"])),
        "entry": int(rng.integers(-1, 99)),
    }
    flags = ("use_dropout", "freeze_masks", "use_l2", "l2_in_loss", "l2_in_gradient")
    some |= {name: bool(rng.integers(2)) for name in flags}
    chosen = rng.choice(list(some), rng.integers(1, len(some)), replace=False)
    return Settings(**{name: some[name] for name in map(str, chosen)})


def test_the_defaults_need_no_words():
    assert settings_line(Settings()) == "gl.Lab()"


def test_only_what_differs_is_told():
    line = settings_line(Settings(eps=1e-7, activation="relu"))
    assert line == 'gl.Lab(activation="relu", eps=1e-07)'


@pytest.mark.every_case
@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "healthy"])
def test_a_scenario_is_told_by_its_name(name):
    line = settings_line(SCENARIOS[name].full())
    assert line == f'gl.Lab(scenario="{name}")'
    assert recreated(line) == SCENARIOS[name].full()
    assert read_line(line) == {"scenario": name}


@pytest.mark.every_case
@pytest.mark.parametrize("seed", range(50))
def test_the_line_recreates_the_settings(seed):
    settings = random_settings(seed)
    line = settings_line(settings)
    assert "\n" not in line
    assert recreated(line) == settings
    assert Settings().replace(**read_line(line)) == settings


@pytest.mark.parametrize("on", [False, True])
def test_a_rate_that_is_given_and_off_says_so(on):
    line = settings_line(Settings(l2=0.1, use_l2=on))
    assert line == ("gl.Lab(l2=0.1)" if on else "gl.Lab(l2=0.1, use_l2=False)")


def test_a_network_of_the_callers_is_named():
    x, y = gl.data.moons(20)
    state = LabState(gl.mlp([2, 5, 2], l2=0.1), x, y)
    assert settings_line(state.settings, state.base) == "gl.Lab(net, x, y)"
    state.update(eps=1e-7, use_l2=False)
    line = settings_line(state.settings, state.base)
    assert line == "gl.Lab(net, x, y, eps=1e-07, use_l2=False)"
    assert recreated(line, state.base) == state.settings


def test_a_mystery_is_not_told():
    state = LabState(bug="mystery")
    assert settings_line(state.settings) == 'gl.Lab(bug="mystery")'


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("line", "error", "words"),
    [
        ("gl.Lab(eps=-1.0)", ValueError, "eps must be a finite number"),
        ("gl.Lab(epsilon=1e-5)", ValueError, "did you mean 'eps'"),
        ('gl.Lab(hidden="16")', TypeError, "hidden must be a sequence"),
        ("gl.Lab(seed=__import__('os').getpid())", ValueError, "plain values"),
        ("gl.Lab(**{'eps': 1e-5})", ValueError, r"without \*\*"),
        ("os.remove('x')", ValueError, "line must be"),
        ("gl.Lab(eps=1e-5", ValueError, "line must be"),
        ("lab.state = gl.Lab()", ValueError, "line must be"),
        ("a, b = gl.Lab()", ValueError, "line must be"),
        ("lab[0] = gl.Lab()", ValueError, "line must be"),
        ("lab = gl.Lab(); import os", ValueError, "line must be"),
        ("lab += gl.Lab()", ValueError, "line must be"),
        ("lab: int = gl.Lab()", ValueError, "line must be"),
        ("lab = gl.Lab().state", ValueError, "line must be"),
        ("gl.Lab(tensors={'a': 1})", ValueError, "tensors"),
        ("gl.Lab(net, x)", ValueError, "line must be"),
        ("gl.Lab(net, y, x)", ValueError, "line must be"),
        ("gl.lab(eps=1e-5)", ValueError, "line must be"),
        ("gl.Lab(eps=1e-5, eps=1e-6)", ValueError, "line must be"),
        ("   ", ValueError, "line must be"),
        ("\x00", ValueError, "line must be"),
        ("gl.Lab(" * 200, ValueError, "line must be"),
        ("gl.Lab(hidden=" + "(" * 5000, ValueError, "line must be"),
        ("", ValueError, "line must be"),
        (5, TypeError, "line must be"),
    ],
    ids=str,
)
def test_what_is_pasted_is_validated_and_never_run(line, error, words):
    with pytest.raises(error, match=words):
        read_line(line)


@pytest.mark.parametrize(
    "line",
    ["gl.Lab(eps=1e-8)", "lab = gl.Lab(eps=1e-8)", "  lab=Lab(eps=1e-8)  ",
     "lab = gl.Lab(eps=1e-8)  # as in lesson 3", "my_lab = gl.Lab(\n    eps=1e-8,\n)",
     "lab = gl.Lab(eps=1e-8);"],
)  # fmt: skip
def test_a_line_may_have_a_name_as_lessons_write_it(line):
    assert read_line(line) == {"eps": 1e-8}
    state = LabState(hidden=(2,))
    state.load_line(line)
    assert state.settings == Settings(eps=1e-8)


def test_of_a_long_line_the_beginning_is_told():
    line = "gl.Lab(" + "x" * 200
    with pytest.raises(ValueError, match="line must be") as caught:
        read_line(line)
    assert repr(line[:80]) in str(caught.value)


def test_a_line_that_is_refused_leaves_everything_as_it_was():
    state = LabState(hidden=(2,))
    before, revision = state.result, state.revision
    for line in ("", "gl.Lab(", "lab = ", "gl.Lab(eps=9)", 'gl.Lab(scenario="no")', "gl.Lab(a=1)"):
        with pytest.raises(ValueError, match=r"must"):
            state.load_line(line)
        assert (state.result, state.revision, state.error) == (before, revision, "")
        assert not state.can_undo


def test_a_function_is_named():
    state = LabState(lambda t: float(t @ t), lambda t: 2 * t, np.ones(4))
    assert state.line == "gl.Lab(f, grad, theta)"
    state.update(eps=1e-7, method="directional")
    assert state.line == 'gl.Lab(f, grad, theta, eps=1e-07, method="directional")'
    assert read_line(state.line) == {"eps": 1e-7, "method": "directional"}
    parts = {"a": (0, 1, (1,)), "b": (1, 4, (3,))}
    state = LabState(lambda t: float(t @ t), lambda t: 2 * t, np.ones(4), tensors=parts)
    assert state.line == "gl.Lab(f, grad, theta, tensors=tensors)"
    state.load_line("lab = gl.Lab(f, grad, theta, tensors=tensors, eps=1e-3)")
    assert state.eps == 1e-3


def test_of_a_given_network_all_examples_need_no_words():
    x, y = gl.data.moons(20)
    state = LabState(gl.mlp([2, 5, 2]), x, y)
    assert (state.examples, state.line) == (20, "gl.Lab(net, x, y)")
    state.examples = 7
    assert state.line == "gl.Lab(net, x, y, examples=7)"
    assert len(state.result.x) == 7

import itertools

import numpy as np
import pytest

import gradlab as gl
from gradlab.lab import LabState, Mystery, Score, settings_line
from gradlab.lab.problem import pose
from gradlab.lab.scenarios import MLP_BUGS
from gradlab.lab.settings import Settings
from gradlab.lab.words import banner_html, cost_line, explanation

RICH = Settings(hidden=(4, 4), use_l2=True, l2=0.1, use_dropout=True, dropout_rate=0.3,
                train_steps=20)  # fmt: skip


@pytest.fixture
def state():
    return LabState(hidden=(6, 6), bug="mystery")


def right_guess(mystery):
    """Return a tensor and a cause that solve the round."""
    for tensor in mystery.tensors:
        feedback = twin(mystery).guess(tensor, gl.bugs.describe(mystery.secret.name).title)
        if feedback.solved:
            return tensor, gl.bugs.describe(mystery.secret.name).title
    raise AssertionError("no guess solves it")


def twin(mystery):
    """Return a round with the same bug and a score of its own."""
    return Mystery(mystery._case)


def wrong_guess(mystery):
    pairs = itertools.product(mystery.tensors, mystery.choices)
    return next(pair for pair in pairs if not twin(mystery).guess(*pair).solved)


def test_it_is_there_while_the_bug_is_a_mystery(state):
    assert isinstance(state.mystery, Mystery)
    state.bug = "none"
    assert state.mystery is None
    assert state.result.report.verdict == "correct"
    state.bug = "mystery"
    assert state.mystery is not None


@pytest.mark.parametrize("seed", range(40))
def test_the_bug_shows_and_can_be_found(seed):
    mystery = Mystery.pick(pose(RICH), RICH, seed)
    net = mystery._case.net
    assert mystery.secret.layer in gl.bugs.layers(net, mystery.secret.name)
    report = gl.check(net, mystery._case.x, mystery._case.y, masks=mystery._case.masks,
                      analytic=mystery._case._gradient(mystery.secret))  # fmt: skip
    assert report.verdict == "wrong"
    assert mystery.guess(*right_guess(mystery)).solved
    assert mystery.solved


def test_seeds_pick_different_bugs_and_the_same_seed_the_same():
    problem = pose(RICH)
    picked = [Mystery.pick(problem, RICH, seed).secret for seed in range(30)]
    assert picked[7] == Mystery.pick(problem, RICH, 7).secret
    assert len({place.name for place in picked}) > 10


def test_rounds_without_a_seed_do_not_repeat_a_bug():
    state = LabState(hidden=(3,), bug="mystery")
    places = [state.mystery.secret] + [state.new_mystery().secret for _ in range(8)]
    assert len(set(places)) == len(places)


def test_a_new_round_plants_another_bug_and_computes_the_gradient_anew(state):
    before, analytic = state.mystery, state.result.analytic
    mystery = state.new_mystery()
    assert mystery is state.mystery is not before
    assert any(not np.array_equal(state.result.analytic[n], analytic[n]) for n in analytic)
    fresh = LabState(hidden=(6, 6))
    assert fresh.new_mystery(seed=5).secret == LabState(hidden=(6, 6)).new_mystery(seed=5).secret


def test_moving_a_control_keeps_the_round_and_its_bug(state):
    mystery, wrong = state.mystery, state.result.report.wrong
    state.update(weight_scale=0.6, measure="norm_ratio")
    state.eps = 1e-6
    assert state.mystery is mystery
    assert state.result.report.wrong == wrong
    state.reset()
    assert state.mystery is mystery


@pytest.mark.parametrize(
    "change",
    [{"use_l2": False}, {"hidden": (6,)}, {"activation": "relu"}, {"loss": "mse"}],
    ids=str,
)
def test_another_network_starts_another_round_and_tells_nothing_of_the_bug(change):
    """Whatever the bug is: one that stayed would tell where it can be, and where not."""
    for seed in range(6):
        state = LabState(hidden=(6, 6), use_l2=True, l2=0.1)
        before = state.new_mystery(seed)
        state.update(**change)
        assert state.error == ""
        assert state.mystery is not before
        assert set(state.mystery.tensors) == set(state.result.report)


@pytest.mark.parametrize("seed", range(25))
def test_nothing_that_is_shown_gives_the_bug_away(seed):
    state = LabState(hidden=(4, 4), use_l2=True, l2=0.1, train_steps=20)
    state.new_mystery(seed)
    result, about = state.result, gl.bugs.describe(state.mystery.secret.name)
    shown = [
        repr(state), str(state), repr(state.mystery), str(state.settings),
        settings_line(state.settings), banner_html(result, state.error, state.settings),
        " ".join(explanation(result)), cost_line(result), str(result.report),
        repr(result.report), result.report._repr_html_(), str(state.score),
    ]  # fmt: skip
    secrets = (
        about.name,
        gl.bugs.describe(about.name).title,
        about.cause,
        about.summary,
        about.wrong,
    )
    for text in shown:
        assert not [secret for secret in secrets if secret in text]
        assert "at layer" not in text


def test_the_choices_are_short_and_each_a_bug_that_the_network_can_have(state):
    assert len(set(state.mystery.choices)) == len(state.mystery.choices)
    names = gl.bugs.names(state.result.net)
    assert state.mystery.choices == tuple(gl.bugs.describe(name).title for name in names)


def test_titles_are_short_and_no_two_alike():
    titles = [gl.bugs.describe(name).title for name in gl.bugs.names()]
    assert len(set(titles)) == len(titles)
    assert all(len(gl.bugs.describe(name).title) <= 40 for name in MLP_BUGS)
    assert all(gl.bugs.describe(name).family for name in gl.bugs.names())


# -- guesses ---------------------------------------------------------------------------------------


def planted(name, layer=None, **settings):
    """Return a round with a bug that the test knows."""
    settings = Settings(hidden=(6, 6)).replace(**settings)
    problem = pose(settings)
    layers = gl.bugs.layers(problem.in_gradient, name)
    for seed in range(400):
        mystery = Mystery.pick(problem, settings, seed)
        if mystery.secret.name == name and mystery.secret.layer == (layer or max(layers)):
            return mystery
    raise AssertionError(f"{name} was never picked")


def test_feedback_tells_tensor_cause_and_layer_apart():
    mystery = planted("missing_activation_derivative", layer=2)
    right, other = (
        gl.bugs.describe("missing_activation_derivative").title,
        gl.bugs.describe("flipped_sign").title,
    )

    def told(tensor, cause):
        f = mystery.guess(tensor, cause)
        return f.tensor_right, f.cause_right, f.layer_right, f.solved

    assert told("W3", other) == (False, False, False, False)
    assert told("W1", other) == (True, False, False, False)
    assert told("W2", other) == (True, False, True, False)
    assert told("W1", right) == (True, True, False, False)
    assert "further up" in mystery.guess("W1", right).words
    assert told("b2", right) == (True, True, True, True)


def test_a_bug_of_the_whole_gradient_has_no_layer():
    mystery = planted("flipped_sign")
    feedback = mystery.guess("b1", gl.bugs.describe("flipped_sign").title)
    assert feedback.solved
    assert feedback.layer_right is None


def test_a_bias_bug_is_not_in_the_weights():
    mystery = planted("bias_mean", layer=1)
    feedback = mystery.guess("W1", gl.bugs.describe("bias_mean").title)
    assert (feedback.tensor_right, feedback.layer_right) == (False, True)
    assert "its layer is" in feedback.words
    assert mystery.guess("b1", gl.bugs.describe("bias_mean").title).solved


def test_bugs_with_the_same_gradient_are_the_same_answer():
    mystery = planted("missing_factor_2", loss="mse")  # two outputs: divided by K is the same
    assert mystery.guess("W1", gl.bugs.describe("mean_over_outputs").title).solved


@pytest.mark.parametrize(
    ("tensor", "cause", "words"),
    [("W9", "1/N is missing", "tensor must be one of 'W1'"), ("W1", "gremlins", "cause must be")],
)
def test_a_guess_at_what_is_not_there_costs_nothing(state, tensor, cause, words):
    with pytest.raises(ValueError, match=words):
        state.mystery.guess(tensor, cause)
    assert (state.mystery.guesses, state.score.played) == (0, 0)


# -- hints and the reveal --------------------------------------------------------------------------


def test_hints_say_more_and_more_and_end_with_the_family():
    mystery = planted("activation_as_derivative", layer=1)
    first, second, third, again = (mystery.hint() for _ in range(4))
    assert "W1" in first
    assert "Activation(tanh)" in second
    assert "cosine" in second
    assert third == again == "It is about an activation's derivative."
    assert mystery.hints == 3
    name = gl.bugs.describe("activation_as_derivative").title
    assert name not in first + second + third


def test_the_hint_for_a_bug_off_the_signals_path_says_that_the_path_is_right():
    mystery = planted("bias_mean", layer=2)
    mystery.hint()
    assert "every step on its path is" in mystery.hint()


@pytest.mark.parametrize("seed", range(12))
def test_every_round_has_hints_also_with_dropout_redrawn(seed):
    settings = RICH.replace(freeze_masks=False)
    mystery = Mystery.pick(pose(settings), settings, seed)
    assert all(mystery.hint().endswith(".") for _ in range(3))


def test_the_reveal_tells_what_was_done_and_both_lines():
    mystery = planted("missing_transpose")
    told = mystery.reveal()
    about = gl.bugs.describe("missing_transpose")
    assert about.wrong in told
    assert about.right in told
    assert "at layer 2" in told
    assert "W1" in told
    assert "at layer" not in planted("flipped_sign").reveal()


# -- the score -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hints", "wrong", "points"), [(0, 0, 3), (1, 0, 2), (0, 2, 1), (1, 1, 1), (3, 0, 0), (2, 9, 0)]
)
def test_points_fall_with_hints_and_wrong_guesses(state, hints, wrong, points):
    mystery = state.mystery
    for _ in range(hints):
        mystery.hint()
    for _ in range(wrong):
        mystery.guess(*wrong_guess(mystery))
    assert mystery.worth == points
    mystery.guess(*right_guess(mystery))
    assert state.score == mystery.score == Score(points, 1, 1)


def test_the_score_is_that_of_all_rounds_and_a_reveal_ends_one_without_points(state):
    state.mystery.guess(*right_guess(state.mystery))
    second = state.new_mystery()
    second.reveal()
    assert second.guess(*right_guess(second)).cause_right, "it may still be tried out"
    state.new_mystery()  # not touched: not played
    state.new_mystery().hint()
    assert state.score == Score(points=3, solved=1, played=3)
    assert str(state.score) == "3 points, 1 of 3 solved"


def test_a_solved_round_gives_its_points_once(state):
    guess = right_guess(state.mystery)
    for _ in range(3):
        state.mystery.guess(*guess)
    state.mystery.hint()
    state.mystery.reveal()
    assert state.score == Score(3, 1, 1)


def test_where_no_bug_shows_there_is_no_round():
    state = LabState(hidden=(3,))
    state.update(weight_scale=1e-4, use_l2=True, l2=1e5)  # every gradient is L2's, but l2 bugs show
    assert state.new_mystery() is not None
    x = np.zeros((4, 2))
    state = LabState(gl.mlp([2, 3, 1], loss="mse"), x, np.zeros((4, 1)))
    assert state.new_mystery() is None
    assert "no bug of the museum shows" in state.error


@pytest.mark.parametrize("kind", ["convnet", "lstm"])
def test_a_round_on_another_kind_of_network(kind):
    rng = np.random.default_rng(0)
    if kind == "convnet":
        net, x = gl.convnet((1, 8, 8), padding=(1, 1)), rng.standard_normal((5, 1, 8, 8))
    else:
        net, x = gl.lstm(3, 4, 2), rng.standard_normal((4, 5, 3))
    state = LabState(net, x, np.arange(5) % 2)
    for seed in range(6):
        mystery = state.new_mystery(seed)
        assert state.result.report.verdict in ("wrong", "inconclusive")
        assert all(mystery.hint() for _ in range(3))
        assert mystery.guess(*right_guess(mystery)).solved

import itertools

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.choices import choices
from gradlab.bugs.lines.program import Program, listing_of
from gradlab.bugs.slip import Secret, Slip
from gradlab.lab import LabState, Mystery, Score, settings_line
from gradlab.lab.model.problem import pose
from gradlab.lab.model.scenarios import MLP_BUGS
from gradlab.lab.model.settings import Settings
from gradlab.lab.mystery.hidden_bug import HiddenBug
from gradlab.lab.text.banner import banner_html, cost_line, explanation
from gradlab.nn.network import Point

RICH = Settings(hidden=(4, 4), use_l2=True, l2=0.1, use_dropout=True, dropout_rate=0.3,
                train_steps=20)  # fmt: skip


def some(seeds):
    """Return the seeds, most of them for the soak."""
    return [pytest.param(s, marks=[pytest.mark.soak] * (s >= 12)) for s in seeds]


@pytest.fixture
def state():
    return LabState(hidden=(6, 6), bug="mystery")


def right_guess(mystery):
    """Return a tensor and a line that solve the round."""
    return next(pair for pair in pairs(mystery) if twin(mystery).guess(*pair).solved)


def pairs(mystery):
    return itertools.product(mystery.tensors, mystery.choices)


def twin(mystery):
    """Return a round with the same bug and a score of its own."""
    return Mystery(mystery._hidden)


def wrong_guess(mystery):
    return next(pair for pair in pairs(mystery) if not twin(mystery).guess(*pair).solved)


def test_it_is_there_while_the_bug_is_a_mystery(state):
    assert isinstance(state.mystery, Mystery)
    state.bug = "none"
    assert state.mystery is None
    assert state.result.report.verdict == "correct"
    state.bug = "mystery"
    assert state.mystery is not None


@pytest.mark.parametrize("seed", some(range(40)))
def test_the_bug_shows_and_can_be_found(seed):
    mystery = Mystery.pick(pose(RICH), RICH, seed)
    hidden = mystery._hidden
    report = gl.check(hidden.net, hidden.x, hidden.y, masks=hidden.masks, analytic=hidden.gradient)
    assert report.verdict == "wrong"
    assert set(report.wrong) >= {n for n in hidden.wrong if report[n].norm_ratio > 1e-2}
    assert mystery.guess(*right_guess(mystery)).solved
    assert mystery.solved


def test_seeds_pick_different_bugs_and_the_same_seed_the_same():
    problem = pose(RICH)
    rounds = [Mystery.pick(problem, RICH, seed) for seed in range(30)]
    again = Mystery.pick(problem, RICH, 7)
    assert (rounds[7].secret, rounds[7].choices) == (again.secret, again.choices)
    assert len({mystery.secret for mystery in rounds}) > 25
    from_museum = [mystery.secret.exhibit for mystery in rounds if mystery.secret.exhibit]
    assert 2 < len(from_museum) < 15


def test_rounds_without_a_seed_do_not_repeat_a_bug():
    state = LabState(hidden=(3,), bug="mystery")
    secrets = [state.mystery.secret] + [state.new_mystery().secret for _ in range(12)]
    assert len(set(secrets)) == len(secrets)


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


@pytest.mark.parametrize("seed", some(range(30)))
def test_nothing_that_is_shown_gives_the_bug_away(seed):
    state = LabState(hidden=(4, 4), use_l2=True, l2=0.1, train_steps=20)
    state.new_mystery(seed, count=1 + seed % 2)
    result, secret = state.result, state.mystery.secret
    shown = [
        repr(state), str(state), repr(state.mystery), str(state.settings),
        settings_line(state.settings), banner_html(result, state.error, state.settings),
        " ".join(explanation(result)), cost_line(result), str(result.report),
        repr(result.report), result.report._repr_html_(), str(state.score),
    ]  # fmt: skip
    about = secret.exhibit
    secrets = [about.name, about.title, about.cause, about.summary, about.wrong] if about else []
    for slip in secret.slips:
        secrets += [slip.wrong, slip.right, slip.where]
        assert not [line for line in state.mystery.choices if line.endswith(f": {slip.wrong}")]
    for text in shown:
        assert not [secret for secret in secrets if secret in text]
        assert "at layer" not in text
        assert "Planted" not in text


def test_the_choices_are_lines_of_this_network_with_their_places(state):
    assert len(set(state.mystery.choices)) == len(state.mystery.choices) == 5
    lines = {
        f"{line.where}: {text}"
        for line in listing_of(state.result.net, with_masks=False).lines
        for text in (line.text, *line.others)
    }
    for seed in range(20):
        assert lines.issuperset(state.new_mystery(seed).choices)


def test_titles_are_short_and_no_two_alike():
    titles = [gl.bugs.describe(name).title for name in gl.bugs.names()]
    assert len(set(titles)) == len(titles)
    assert all(len(gl.bugs.describe(name).title) <= 40 for name in MLP_BUGS)


# -- guesses ---------------------------------------------------------------------------------------


def hidden(*slips, **settings):
    """Return a round with wrong lines that the test knows, as (right line, wrong line)."""
    settings = Settings(hidden=(6, 6)).replace(**settings)
    problem = pose(settings)
    at = (problem.in_gradient, problem.x, problem.y, problem.masks(settings))
    lines = {line.text: line for line in listing_of(at[0], at[3] is not None).lines}
    written = tuple((line, text) for text, line in lines.items() if not line.step.form)
    secret = Secret.of_slips(tuple(Slip.of(lines[r], w, r) for r, w in slips), written)
    lines = choices(secret, Point(*at), np.random.default_rng(0))
    return Mystery(HiddenBug(*at, secret, tuple(lines), problem.sampling))


NO_DERIVATIVE = ("dz2 = da2 * (1 - a2 ** 2)", "dz2 = da2")
MEAN = ("db1 = dz1.sum(axis=0)", "db1 = dz1.mean(axis=0)")


def chosen(mystery, line):
    return next(choice for choice in mystery.choices if choice.endswith(f": {line}"))


def test_feedback_tells_tensor_line_and_layer_apart():
    mystery = hidden(NO_DERIVATIVE)
    right = chosen(mystery, NO_DERIVATIVE[0])
    other = next(choice for choice in mystery.choices if choice != right)

    def told(tensor, line):
        f = mystery.guess(tensor, line)
        return f.tensor_right, f.line_right, f.layer_right, f.solved

    assert told("W3", other) == (False, False, False, False)
    assert told("W1", other) == (True, False, False, False)
    assert told("W2", other) == (True, False, True, False)
    assert told("W1", right) == (True, True, False, False)
    assert "further up" in mystery.guess("W1", right).words
    assert told("b2", right) == (True, True, True, True)


def test_feedback_on_a_line_is_true():
    mystery = hidden(NO_DERIVATIVE)
    for choice in mystery.choices:
        words = mystery.guess("W2", choice).words
        assert ("written wrongly" in words) == choice.endswith(NO_DERIVATIVE[0])
        assert ("as it should be" in words) != choice.endswith(NO_DERIVATIVE[0])
        is_near = choice.startswith("layer 2") and not choice.endswith(NO_DERIVATIVE[0])
        assert ("another one of layer 2 is not" in words) == is_near
        assert NO_DERIVATIVE[1] not in words.replace(NO_DERIVATIVE[0], "")


def test_damage_that_is_handed_down_is_not_said_to_be_made_below():
    """The output layer hands a wrong signal down: W3 is right, W2 wrong, and its layer innocent."""
    handed = ("da2 = dlogits @ W3.T", "da2 = dlogits @ dW3.T")
    mystery = hidden(handed)
    for line in mystery.choices:
        feedback = mystery.guess("W2", line)
        assert feedback.layer_right
        assert "made in its layer or in the signal handed down to it" in feedback.words
        assert "begins" not in feedback.words
        assert line.startswith("output") == (
            "another one of output" in feedback.words or feedback.line_right)  # fmt: skip
    assert feedback.tensor_right
    words = mystery.guess("W1", mystery.choices[0]).words
    assert "further up: look for the wrong tensor that is nearest to the loss" in words


def test_a_bug_of_the_loss_is_in_no_layer():
    mystery = hidden(("dlogits = (p - y) / N", "dlogits = (p - y) * N"))
    feedback = mystery.guess("b1", chosen(mystery, "dlogits = (p - y) / N"))
    assert feedback.solved
    assert feedback.layer_right is None


def test_a_bias_bug_is_not_in_the_weights():
    mystery = hidden(MEAN)
    line = chosen(mystery, MEAN[0])
    feedback = mystery.guess("W1", line)
    assert (feedback.tensor_right, feedback.layer_right) == (False, True)
    assert "another one of its layer is the wrong one" in feedback.words
    assert mystery.guess("b1", line).solved


def test_a_line_that_explains_the_gradient_as_well_is_no_choice():
    """A factor 2 can stand in da1 or in dz1: who picks the other one would be right, too."""
    doubled = ("da1 = dz2 @ W2.T", "da1 = 2 * (dz2 @ W2.T)")
    assert not any("dz1 = da1" in choice for choice in hidden(doubled).choices)
    square = ("dz1 = da1 * (1 - a1 ** 2)", "dz1 = da1 * (1 - a1)")
    assert any("da1 = dz2" in choice for choice in hidden(square).choices)


def test_of_two_bugs_both_are_to_be_found():
    mystery = hidden(NO_DERIVATIVE, MEAN)
    assert mystery.count == 2
    assert len(mystery.choices) == 5
    first = mystery.guess("b2", chosen(mystery, MEAN[0]))
    assert (first.hit, first.solved) == (True, False)
    assert "now the other one" in first.words
    again = mystery.guess("b2", chosen(mystery, MEAN[0]))
    assert not again.solved
    assert mystery.guess("b2", chosen(mystery, NO_DERIVATIVE[0])).solved
    assert mystery.score == Score(3, 1, 1)
    told = mystery.reveal()
    assert all(line in told for slip in (NO_DERIVATIVE, MEAN) for line in slip)


@pytest.mark.parametrize(
    ("tensor", "line", "words"),
    [("W9", 0, "tensor must be one of 'W1'"), ("W1", "gremlins", "line must be")],
)
def test_a_guess_at_what_is_not_there_costs_nothing(state, tensor, line, words):
    line = line or state.mystery.choices[0]
    with pytest.raises(ValueError, match=words):
        state.mystery.guess(tensor, line)
    assert (state.mystery.guesses, state.score.played) == (0, 0)


@pytest.mark.parametrize(
    "settings", [{"hidden": (16, 16)}, {"hidden": (64,) * 4, "data": "digits"}]
)
def test_a_round_is_drawn_without_a_long_search(settings, monkeypatch):
    """Counted in backward passes, some 100 of them: a round is there at once."""
    settings, passes, run = Settings(**settings), [], Program.run

    def counted(*args, **more):
        passes[-1] += 1
        yield from run(*args, **more)

    monkeypatch.setattr(Program, "run", counted)
    problem = pose(settings)
    for seed in range(9):
        passes.append(0)
        Mystery.pick(problem, settings, seed, count=1 + seed % 2)
    assert 10 < np.median(passes) < 400


# -- hints and the reveal --------------------------------------------------------------------------


def test_hints_say_more_and_more_and_end_with_the_kind():
    mystery = hidden(("dz1 = da1 * (1 - a1 ** 2)", "dz1 = da1 * a1"))
    first, second, third, again = (mystery.hint() for _ in range(4))
    assert "W1" in first
    assert "Activation(tanh)" in second
    assert "cosine" in second
    assert third == again == "It is a line of tanh: something is missing in it."
    assert mystery.hints == 3
    assert "dz1" not in first + second + third


def test_the_last_hint_on_two_bugs_is_about_both():
    mystery = hidden(NO_DERIVATIVE, MEAN)
    mystery.hint(), mystery.hint()
    assert mystery.hint() == (
        "It is a line of tanh: something is missing in it. "
        "The other: a line of dense: a part of it was taken for another one."
    )


def test_the_hint_for_a_bug_off_the_signals_path_says_that_the_path_is_right():
    mystery = hidden(("db2 = dz2.sum(axis=0)", "db2 = dz2.mean(axis=0)"))
    mystery.hint()
    assert "every step on its path is" in mystery.hint()


@pytest.mark.parametrize("seed", range(12))
def test_every_round_has_hints_also_with_dropout_redrawn(seed):
    settings = RICH.replace(freeze_masks=False)
    mystery = Mystery.pick(pose(settings), settings, seed)
    assert all(mystery.hint().endswith(".") for _ in range(3))


def test_the_reveal_tells_where_and_both_lines_one_under_the_other():
    mystery = hidden(NO_DERIVATIVE)
    assert mystery.reveal() == (
        "It shows in W1, b1, W2, b2. Planted in layer 2, tanh:\n"
        "  wrong: dz2 = da2\n"
        "  right: dz2 = da2 * (1 - a2 ** 2)"
    )


def test_the_reveal_of_an_exhibit_names_it():
    problem = pose(RICH)
    rounds = [Mystery.pick(problem, RICH, seed) for seed in range(20)]
    known = [mystery for mystery in rounds if mystery.secret.exhibit]
    assert known
    for mystery in known:
        assert f"({mystery.secret.exhibit.name})" in mystery.reveal()
        assert mystery.secret.exhibit.name in gl.bugs.names(problem.in_gradient)


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
    assert second.guess(*right_guess(second)).line_right, "it may still be tried out"
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
    assert "no bug shows" in state.error


@pytest.mark.parametrize("kind", ["convnet", "lstm"])
def test_a_round_on_another_kind_of_network(kind):
    rng = np.random.default_rng(0)
    if kind == "convnet":
        net, x = gl.convnet((1, 8, 8), padding=(1, 1)), rng.standard_normal((5, 1, 8, 8))
    else:
        net, x = gl.lstm(3, 4, 2), rng.standard_normal((4, 5, 3))
    state = LabState(net, x, np.arange(5) % 2)
    for seed in range(3):
        mystery = state.new_mystery(seed)
        assert state.result.report.verdict in ("wrong", "inconclusive")
        assert all(mystery.hint() for _ in range(3))
        assert mystery.guess(*right_guess(mystery)).solved

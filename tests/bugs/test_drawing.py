"""The mystery's bugs: drawn from all the wrong lines that a person might write."""

import re

import numpy as np
import pytest

import gradlab as gl
from gradlab.bugs.choices import Trial, choices, trials_of
from gradlab.bugs.drawing import FROM_MUSEUM, Ground, draw, far, gradient_with
from gradlab.bugs.likely import is_likely, kind_of
from gradlab.bugs.lines.edits import Scope
from gradlab.bugs.lines.line import compiled
from gradlab.bugs.lines.program import Program, listing_of
from gradlab.bugs.planting import program_of
from gradlab.bugs.slip import key_of
from gradlab.nn.network import Point
from tests.museum import make

SAME = 1e-7  # round-off, of a bias below a batch norm too
RNG = np.random.default_rng(0)
NETS = {
    "tanh": gl.mlp([4, 6, 6, 3], l2=0.05, dropout_rate=0.3),
    "leaky": gl.mlp([3, 5, 5, 2], "leaky_relu", loss="mse"),
    "sigmoid": gl.mlp([3, 5, 1], "sigmoid", loss="binary_cross_entropy"),
    "batch_norm": gl.mlp([3, 5, 5, 2], "elu", batch_norm=True),
    "convnet": gl.convnet((1, 8, 8), padding=(1, 1), classes=3),
    "lstm": gl.lstm(3, 4, 2, l2=0.01),
}
for net in NETS.values():
    for value in net.params.values():
        value += 0.1 * RNG.standard_normal(value.shape)
SEEDS = {name: range(60 if name == "tanh" else 28) for name in NETS}  # 200 in all
#: 55 of them at once, the others in the soak.
EVERY = [
    pytest.param(name, seed, marks=[pytest.mark.soak] * (seed >= (15 if name == "tanh" else 8)))
    for name in NETS for seed in SEEDS[name]
]  # fmt: skip


@pytest.fixture(scope="module")
def cases():
    """Return for each network its examples, and what a bug has to show on."""
    found = {}
    for name, net in NETS.items():
        given = make(net.copy(), 9, 0)
        masks = given.masks if net.dropout_rate else None
        point = Point(given.net, given.x, given.y, masks)
        found[name] = Ground(point), (given.net, given.x, given.y, masks)
    return found


def drawn(case, seed, count=1, **more):
    return draw(Point(*case), np.random.default_rng(seed), count, **more)


@pytest.mark.parametrize(("name", "seed"), EVERY)
def test_a_bug_shows_and_what_is_told_of_it_is_true(cases, name, seed):
    ground, case = cases[name]
    net, x, y, masks = case
    secret = drawn(case, seed, is_of_lines=True)
    planted = secret.plant(net).gradient(x, y, masks)
    right = net.gradient(x, y, masks)
    ratios = far(planted, right)
    assert max(ratios.values()) > 1e-2
    assert all(np.isfinite(value).all() for value in planted.values())
    # the wrong lines, put in by hand where the right ones stand, give this gradient
    lines = {line.index: line for line, _ in secret.written}
    texts = {slip.key: slip.wrong for slip in secret.slips}
    changes = {k: texts[key_of(line)] for k, line in lines.items() if key_of(line) in texts}
    assert len(changes) == len(secret.slips) >= 1
    replayed = dict(ground.program.gradient)
    for layer in ground.program.run(changes):
        replayed.update(layer)
    assert max(far(replayed, planted).values()) < SAME
    # and the right ones give the right gradient
    changes = {line.index: text for line, text in secret.written}
    assert_same(ground.program, {k: t for k, t in changes.items() if not lines[k].is_head})
    # the museum has it, or it has not
    is_known = [ground.is_of_museum(slip) for slip in secret.slips]
    assert secret.exhibit is not None or not any(is_known)


def assert_same(program, changes):
    made = dict(program.gradient)
    for layer in program.run(changes):
        made.update(layer)
    assert max(far(made, program.gradient).values()) < SAME


@pytest.mark.parametrize(("name", "seed"), EVERY[::4])
def test_of_the_lines_to_choose_from_only_the_edited_one_can_be_wrong(cases, name, seed):
    case = cases[name][1]
    net = case[0]
    secret = drawn(case, seed, is_of_lines=True)
    lines = choices(secret, Point(*case), np.random.default_rng(seed))
    assert len(lines) == 5
    assert len({(line.where, text) for line, text in lines}) == 5
    own = {key_of(line): line for line in listing_of(net, case[3] is not None).lines}
    assert all(text in (own[key_of(line)].text, *own[key_of(line)].others) for line, text in lines)
    wrong = {slip.key for slip in secret.slips}
    assert sum(key_of(line) in wrong for line, _ in lines) == 1
    trial = trials_of(secret, Point(*case))[0]
    for line, _ in lines:
        if key_of(line) not in wrong:
            assert not trial.is_explained_by(line)
        elif secret.exhibit is None:  # the test is not blind: it does find the line that is
            assert trial.is_explained_by(line)


@pytest.mark.parametrize("seeds", [80, pytest.param(200, marks=pytest.mark.soak)])
def test_the_place_among_the_choices_tells_nothing(cases, seeds):
    case = cases["tanh"][1]
    places = []
    for seed in range(seeds):
        secret = drawn(case, seed, is_of_lines=True)
        wrong = {slip.key for slip in secret.slips}
        lines = choices(secret, Point(*case), np.random.default_rng((seed, 1)))
        places.append(next(k for k, (line, _) in enumerate(lines) if key_of(line) in wrong))
    assert min(np.bincount(places)) > seeds / 10


def test_of_a_wrong_bias_its_own_line_alone_is_an_explanation(cases):
    """Lines above it reach more, and not every edit of a line can run."""
    net, x, y, _ = cases["leaky"][1]
    for layer in (1, 2, 3):
        point = Point(net, x, y)
        wrong = gl.bugs.plant(net, "bias_mean", layer).gradient(x, y)
        trial = Trial(program_of(point), wrong)
        lines = [line for line in trial.program.lines if trial.is_explained_by(line)]
        assert [line.target for line in lines] == [f"db{layer}"]


@pytest.mark.parametrize("seeds", [4, pytest.param(12, marks=pytest.mark.soak)])
@pytest.mark.parametrize("name", NETS)
def test_two_bugs_at_a_time_both_show(cases, name, seeds):
    ground, case = cases[name]
    for seed in range(seeds):
        secret = drawn(case, seed, count=2)
        assert secret.exhibit is None
        one, two = secret.slips
        assert one.key != two.key
        both = secret.plant(case[0]).gradient(*case[1:])
        for slip in secret.slips:
            assert max(far(both, gradient_with(ground.program, (slip,))).values()) > 1e-2
            assert not ground.is_of_museum(slip)
        lines = choices(secret, Point(*case), np.random.default_rng(seed))
        assert sum(key_of(line) in (one.key, two.key) for line, _ in lines) == 2
        assert len(lines) == 5
        for trial, slip in zip(trials_of(secret, Point(*case)), (one, two), strict=True):
            explained = {key_of(line) for line, _ in lines if trial.is_explained_by(line)}
            assert slip.key in explained
            assert not explained - {one.key, two.key}


def test_a_mystery_is_kept_and_then_told():
    nets = [gl.bugs.mystery(seed) for seed in range(60)]
    told = [net.reveal() for net in nets]
    known = [secret for secret in told if secret.exhibit]
    assert 0.5 * FROM_MUSEUM < len(known) / 60 < 2 * FROM_MUSEUM
    assert len({secret.slips for secret in told}) > 45
    for seed, net in enumerate(nets[:12]):
        secret = net.reveal()
        assert gl.bugs.mystery(seed).reveal() == secret
        shown = repr(net) + repr(vars(net).keys()) + type(net).__name__
        for slip in secret.slips:
            assert slip.wrong not in shown
            assert slip.wrong in repr(secret)
            assert slip.right in repr(secret)
            assert slip.where in repr(secret)
        assert secret.exhibit is None or secret.exhibit.name in repr(secret)
        x, y = make(net, 6, 0)[1:3]
        assert gl.check(net, x, y).verdict == "wrong", secret
    own = gl.mlp([3, 4, 2], "relu")
    assert gl.bugs.mystery(1, own).params["W1"] is own.params["W1"]
    assert len(gl.bugs.mystery(1, own, count=2).reveal().slips) == 2


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((-1,), ValueError, "seed must be"),
        ((1, {}), TypeError, "net must be a network"),
        ((1, None, 3), ValueError, "count must be 1 or 2, got 3"),
        ((1, None, 0), ValueError, "count must be"),
        ((1, gl.bugs.plant(gl.mlp([2, 3, 2]), "bias_mean")), ValueError, "without a planted bug"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        gl.bugs.mystery(*arguments)


@pytest.mark.parametrize("name", NETS)
def test_a_mystery_outlives_other_numbers_and_settings(name):
    for seed in range(10):
        net = gl.bugs.mystery(seed, NETS[name], count=1 + seed % 2)
        other = net.copy()
        for key, value in other.params.items():
            value *= 1.5
            assert value is not net.params[key]
        variants = [other, net.replace(l2=0.0), net.replace(l2=0.3)]
        if net.dropout_rate:
            variants.append(net.replace(dropout_rate=0.6))
        for variant in variants:
            assert variant.reveal() is net.reveal()
            for n in (2, 7):
                x, y, masks = make(net.copy(), n, 1)[1:]
                wrong = variant.gradient(x, y, masks)
                assert all(np.isfinite(value).all() for value in wrong.values())


def test_a_slip_finds_its_line_under_its_new_name():
    """With L2 a weight's gradient is called data_dW1 until L2 is added; dropout puts h for a."""
    net = gl.mlp([3, 5, 5, 2], dropout_rate=0.5)
    plain = listing_of(net, with_masks=False)
    rich = listing_of(net.replace(l2=0.1), with_masks=True)
    line = next(line for line in plain.lines if line.text == "dW2 = a1.T @ dz2")
    slip = gl.bugs.Slip.of(line, "dW2 = 2 * (a1.T @ dz2)", line.text)
    assert list(slip.changes(plain).values()) == ["dW2 = 2 * (a1.T @ dz2)"]
    assert list(slip.changes(rich).values()) == ["data_dW2 = 2 * (h1.T @ dz2)"]
    l2 = next(line for line in rich.lines if line.text == "dW2 = data_dW2 + lam * W2")
    assert gl.bugs.Slip.of(l2, "dW2 = data_dW2", l2.text).changes(plain) == {}


@pytest.mark.parametrize("name", NETS)
def test_every_line_has_a_key_of_its_own(name):
    for with_masks in (False, True):
        lines = listing_of(NETS[name].replace(l2=0.1), with_masks).lines
        assert len({key_of(line) for line in lines}) == len(lines)


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("wrong", "is_one", "kind"),
    [
        ("da1", True, "missing"),
        ("da1 * (1 - a1)", True, "missing"),
        ("da1 * 1 - a1 ** 2", True, "order"),
        ("-(da1 * (1 - a1 ** 2))", True, "surplus"),
        ("da1 * (1 - z1 ** 2)", True, "other"),
        ("da1 * (1 - a1 ** 3)", True, "other"),
        ("1 - a1 ** 2", False, "missing"),  # the gradient is lost
        ("a1", False, "missing"),
        ("da1 * (1 - a1 ** 2) * dW1", False, "surplus"),  # it is not set yet
        ("da1 * (1 - a1 ** 0.1)", False, "other"),
        ("da1 * (a1 - a1)", False, "other"),
        ("first_half(da1 * (1 - a1 ** 2))", False, "surplus"),
        ("da1 * (z1 - x ** 2)", False, "other"),
    ],
)
def test_likely_and_absurd_lines(wrong, is_one, kind):
    net = gl.mlp([3, 5, 2])
    program = program_of(Point(net, *make(net, 4, 0)[1:3]))
    k, line = next((k, li) for k, li in enumerate(program.lines) if li.target == "dz1")
    before = {other.target for other in program.lines[:k]}
    wrong = compiled(f"dz1 = {wrong}")[0]
    assert is_likely(line, wrong, line.text, before, Scope(program)) == is_one
    assert kind_of(wrong, line.text) == kind


def test_lines_are_of_a_length_to_be_read(cases):
    for name in NETS:
        for seed in range(10):
            for slip in drawn(cases[name][1], seed).slips:
                assert len(slip.wrong) < 130
                assert not re.search(r"\bS\b|first|last|channels|square_part", slip.wrong)


@pytest.mark.parametrize("name", ["tanh", "convnet", "lstm"])
def test_a_round_does_not_keep_one_waiting(cases, name, monkeypatch):
    """Counted in backward passes, of which a search for the line would make thousands."""
    case, passes, run = cases[name][1], [], Program.run

    def counted(*args, **more):
        passes[-1] += 1
        yield from run(*args, **more)

    monkeypatch.setattr(Program, "run", counted)
    for seed in range(9):
        passes.append(0)
        secret = drawn(case, seed, count=1 + seed % 2, is_of_lines=True)
        choices(secret, Point(*case), np.random.default_rng(seed))
    assert 10 < np.median(passes) < 500

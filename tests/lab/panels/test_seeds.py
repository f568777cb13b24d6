import gradlab as gl
from gradlab.lab.board.panels.seeds import SeedsPanel
from gradlab.lab.model.seeds import seeds_of
from gradlab.plots import DARK, LIGHT, figure_of
from tests.lab.panels.results import given, of_convnet, own

PANEL = SeedsPanel()


def test_each_column_is_the_check_of_a_network_of_that_seed():
    result = own(activation="relu", eps=1e-4, seed=3)
    reports = seeds_of(result).reports
    assert list(reports) == list(range(3, 15))
    for seed, report in reports.items():
        net = gl.mlp([2, 16, 16, 2], activation="relu", weight_scale=0.5, seed=seed)
        alone = gl.check(net, result.x, result.y, eps=1e-4)
        assert (report.verdict, report.error) == (alone.verdict, alone.error)
        assert f"{seed} {alone.verdict}, {alone.error:.1e}" in PANEL.alt(result)


def test_the_verdicts_are_counted():
    result = own(activation="relu", eps=1e-4)
    verdicts = [str(r.verdict) for r in seeds_of(result).reports.values()]
    assert len({*verdicts}) > 1
    for verdict in {*verdicts}:
        assert f"{verdicts.count(verdict)} {verdict}" in PANEL.still(result).note


def test_the_bug_is_planted_at_every_seed():
    result = own(bug="missing_activation_derivative", bug_layer=1)
    assert seeds_of(result).counts == {"wrong": 12}


def test_a_click_on_a_column_goes_to_its_seed():
    result = own(seed=5)
    assert PANEL.pressed(result, 7.4, 1e-9) == {"seed": 7}
    assert PANEL.pressed(result, -3.0, 1.0) == {"seed": 5}
    assert PANEL.pressed(result, 99.0, 1.0) == {"seed": 16}


def test_a_large_network_is_checked_at_fewer_seeds():
    few = seeds_of(own(hidden=(64,) * 4, train_steps=1)).reports
    assert 3 <= len(few) < 12


def test_weights_that_are_the_callers_have_no_other_seeds():
    assert "its own" in PANEL.fits(of_convnet())
    net, (x, y) = gl.mlp([2, 6, 2], seed=4), gl.data.moons(12)
    result = given(net, x, y)
    assert PANEL.fits(result) == ""
    assert next(iter(seeds_of(result).reports)) == 4


def test_the_label_is_that_of_the_measure():
    assert PANEL.still(own(measure="norm_ratio")).y.label == "largest norm ratio"


def test_it_is_drawn_in_both_palettes():
    for result in (own(), own(seed=9995), own(eps=1e-12, dtype="float32")):
        for palette in (LIGHT, DARK):
            figure_of([(PANEL.still(result), [])], palette, widths=[22.0]).canvas.draw()

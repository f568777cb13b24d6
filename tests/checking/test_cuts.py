"""Cuts judged at a step of one's own: never at odds with `gl.bisect`, and by the plain loop."""

import numpy as np
import pytest

import gradlab as gl
from gradlab.checking.bisect import from_cut
from gradlab.checking.cuts import CutLosses
from gradlab.checking.schemes import SCHEME_TABLE, central_difference
from gradlab.nn.network import Point
from tests.museum import MAKERS, case

CENTRAL = SCHEME_TABLE["central"]


@pytest.mark.parametrize("kind", MAKERS)
def test_the_slopes_are_those_of_the_plain_loop(kind):
    net, x, y, masks = case(kind, 1)
    point = Point(net, x, y, masks)
    for position, (name, cut) in enumerate(CutLosses(point, 12).at(1e-4, CENTRAL).items()):
        f, _ = from_cut(point, position)
        theta = net.cut_activations(x, masks)[name].ravel()
        at = np.arange(theta.size) if cut.entries is None else cut.entries

        def along(moved, f=f, theta=theta, at=at):
            there = theta.copy()
            there[at] = moved
            return f(there)

        slopes = central_difference(along, theta[at], 1e-4)
        np.testing.assert_allclose(cut.numerical.ravel(), slopes, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("kind", ["tanh", "relu", "convnet"])
def test_no_verdict_contradicts_bisect(kind, every):
    net, x, y, masks = case(kind, 0)
    for bug in gl.bugs.names(net)[::every]:
        planted = gl.bugs.plant(net, bug)
        cuts = CutLosses(Point(planted, x, y, masks), 40)
        walked = gl.bisect(planted, x, y, masks, samples=40).cuts
        for eps in (1e-3, 1e-5):
            judged = cuts.at(eps, CENTRAL)
            for name, report in walked.items():
                assert {report.verdict, judged[name].verdict} != {"correct", "wrong"}, (bug, name)


def test_the_entries_that_are_looked_at_are_those_of_bisect():
    net, x, y, masks = case("tanh", 0)
    entries = gl.bisect(net, x, y, masks, samples=7).cuts["input"].tensors["theta"].entries
    cut = CutLosses(Point(net, x, y, masks), 7).at(1e-5, CENTRAL)["input"]
    np.testing.assert_array_equal(cut.entries, entries)

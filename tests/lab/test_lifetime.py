import gc
import sys
from types import SimpleNamespace

import IPython
import pytest

from gradlab.lab import lifetime


class Lab:
    def __init__(self):
        self.closed = False

    def close(self):
        self.closed = True


@pytest.fixture
def run(monkeypatch):
    """Return a function that pretends that a cell runs."""
    monkeypatch.setattr(lifetime, "_by_cell", {})

    def run(cell, number):
        parent = {"metadata": {"cellId": cell} if cell else {}, "header": {"msg_id": f"{number}"}}
        shell = SimpleNamespace(get_parent=lambda: parent)
        monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
        lab = Lab()
        lifetime.replace_earlier(lab)
        return lab

    return run


def test_running_a_cell_again_closes_its_lab(run):
    first, second = run("a", 1), run("a", 2)
    assert first.closed
    assert not second.closed
    run("a", 3)
    assert second.closed


def test_labs_of_one_run_and_of_other_cells_stay(run):
    labs = [run("a", 1), run("a", 1), run("b", 2)]
    assert not any(lab.closed for lab in labs)
    run("a", 3)
    assert [lab.closed for lab in labs] == [True, True, False]


def test_front_ends_that_do_not_name_cells_close_nothing(run):
    labs = [run(None, 1), run(None, 2)]
    assert not any(lab.closed for lab in labs)


def test_a_lab_that_is_gone_is_no_trouble(run):
    run("a", 1)
    gc.collect()
    assert not run("a", 2).closed


def test_outside_a_notebook_it_does_nothing(monkeypatch):
    monkeypatch.setattr(IPython, "get_ipython", lambda: None)
    lab = Lab()
    lifetime.replace_earlier(lab)
    assert not lab.closed


def test_where_ipython_was_never_imported_it_is_not_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython")
    lab = Lab()
    lifetime.replace_earlier(lab)
    assert "IPython" not in sys.modules
    assert not lab.closed


@pytest.mark.parametrize("parent", [{}, {"metadata": {"cellId": "a"}}, {"header": {"msg_id": "1"}}])
def test_a_cell_without_a_name_or_a_run_without_one_is_none(monkeypatch, parent):
    shell = SimpleNamespace(get_parent=lambda: parent)
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr(lifetime, "_by_cell", {})
    lifetime.replace_earlier(Lab())
    assert lifetime._by_cell == {}

import comm
import pytest
from ipywidgets.widgets.widget import _instances

from tests.lab.front_end import FrontEnd


@pytest.fixture
def front_end(monkeypatch):
    """A front end that records; every widget of the test is closed at its end."""
    before = set(_instances)
    recorder = FrontEnd()
    monkeypatch.setattr(comm, "create_comm", recorder.create_comm)
    yield recorder
    for model_id in set(_instances) - before:
        if model_id in _instances:  # closing one closes others
            _instances[model_id].close()

"""Every test of the course has a data folder of its own."""

import pytest

from gradlab.course.store import Store


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    monkeypatch.setenv("GRADLAB_HOME", str(folder))
    return folder


@pytest.fixture
def store():
    return Store()

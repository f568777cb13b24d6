import errno
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import gradlab as gl
from gradlab.course import store as storing
from gradlab.course.progress import Progress
from gradlab.course.store import EARLIER, SOLVED, Store
from gradlab.course.syllabus import LESSONS
from gradlab.course.tasks import TASKS

ROOT = Path(__file__).resolve().parents[2]


def kept(home):
    return sorted(path.name for path in (home / SOLVED).iterdir())


def test_looking_leaves_no_folder_behind(store, home):
    assert store.solved() == set()
    assert not home.exists()


def test_what_is_solved_stays_for_the_next_kernel(store, home):
    store.add("b")
    store.add("a")
    assert kept(home) == ["a", "b"]
    assert Store().solved() == {"a", "b"}
    assert store.news() == []


def test_every_exercise_can_name_a_file_on_every_platform():
    assert [name for name in TASKS if not re.fullmatch(r"[a-z][a-z0-9_]{1,60}", name)] == []


def test_what_an_earlier_release_wrote_still_counts_and_stays(store, home):
    home.mkdir()
    written = b'{\n "solved": [\n  "choose_eps",\n  "of_lesson_99"\n ]\n}'
    (home / EARLIER).write_bytes(written)
    store.add("a")
    assert kept(home) == ["a"]
    assert store.solved() == Store().solved() == {"a", "choose_eps", "of_lesson_99"}
    assert (home / EARLIER).read_bytes() == written
    assert store.news() == []


def test_deleted_files_are_a_fresh_start(store, home):
    store.add("a")
    (home / SOLVED / "a").unlink()
    assert store.solved() == set()


CORRUPT = (b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"solved": "a"}', b'{"solved": [1]}', b"{}")


@pytest.mark.parametrize(
    "content", [*CORRUPT, b"[" * 100_000], ids=lambda content: repr(content[:9])
)
def test_a_corrupt_file_is_kept_aside_and_said(content, store, home):
    store.add("before")
    (home / EARLIER).write_bytes(content)
    assert store.solved() == {"before"}
    (aside,) = home.glob("*unreadable*")
    assert aside.read_bytes() == content
    (said,) = store.news()
    assert str(aside) in said
    assert store.news() == []
    store.add("a")
    assert Store().solved() == {"a", "before"}


def test_two_corrupt_files_are_both_kept(store, home):
    home.mkdir()
    for content in (b"one", b"two"):
        (home / EARLIER).write_bytes(content)
        store.solved()
    aside = sorted(home.glob("*unreadable*"))
    assert [path.name for path in aside] == [f"progress.unreadable-{k}.json" for k in (1, 2)]
    assert [path.read_bytes() for path in aside] == [b"one", b"two"]


def test_a_corrupt_file_that_cannot_be_moved_costs_no_name(store, home, monkeypatch):
    store.add("a")
    (home / EARLIER).write_bytes(b"{")
    monkeypatch.setattr(Path, "rename", refused)
    assert store.solved() == {"a"}
    assert "Permission denied" in store.news()[0]


def test_a_folder_that_cannot_be_made_breaks_nothing(store, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GRADLAB_HOME", str(tmp_path / "file" / "below"))
    store.add("a")
    assert store.solved() == {"a"}
    (said,) = store.news()
    assert "cannot be saved" in said
    store.add("b")
    assert store.solved() == {"a", "b"}
    assert store.news() == []  # said once


def refused(*arguments, **more):
    raise PermissionError(13, "Permission denied")


def test_a_read_only_folder_still_tells_what_it_holds(store, home, monkeypatch):
    store.add("a")
    (home / EARLIER).write_text('{"solved": ["c"]}')
    with monkeypatch.context() as patch:
        patch.setattr(Path, "touch", refused)
        fresh = Store()
        fresh.add("b")
        assert fresh.solved() == {"a", "b", "c"}
        assert "Permission denied" in fresh.news()[0]
    assert fresh.solved() == {"a", "b", "c"}
    assert kept(home) == ["a", "b"]  # saved as soon as it can be


def test_threads_lose_nothing(home):
    names = [f"exercise_{i}" for i in range(40)]
    shared = Store()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: (Store().add(name), shared.add(f"shared_{name}")), names))
    assert kept(home) == sorted([*names, *(f"shared_{name}" for name in names)])


def test_several_kernels_lose_nothing(home):
    code = (
        "import sys\nfrom gradlab.course.store import Store\nstore = Store()\n"
        "for i in range(15): store.add(f'{sys.argv[1]}{i}')"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, letter], cwd=ROOT) for letter in "abc"]
    assert [process.wait(600) for process in running] == [0, 0, 0]
    assert kept(home) == sorted(f"{letter}{i}" for letter in "abc" for i in range(15))


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/gradlab"),
        ("linux", {"XDG_DATA_HOME": "relative"}, "/me/.local/share/gradlab"),
        ("linux", {}, "/me/.local/share/gradlab"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, "/me/Library/Application Support/gradlab"),
        ("win32", {"APPDATA": "/appdata"}, "/appdata/gradlab"),
        ("win32", {}, "/me/AppData/Roaming/gradlab"),
        ("win32", {"APPDATA": "/appdata", "GRADLAB_HOME": "/own"}, "/own"),
    ],
)
def test_each_platform_has_its_folder(platform, variables, expected, monkeypatch):
    for name in ("GRADLAB_HOME", "XDG_DATA_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(storing.sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/me"))
    assert storing.data_folder() == Path(expected)


def test_an_account_without_a_home_breaks_nothing(store, monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("GRADLAB_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    store.add("a")
    assert store.solved() == {"a"}
    assert "home directory" in store.news()[0]


def test_the_map_tells_how_far_a_learner_is():
    assert f"0 of {len(TASKS)}" in repr(gl.progress())
    gl.exercise("compare").check(TASKS["compare"].answer)
    shown = gl.progress()
    assert shown.solved == {"compare"}
    assert f"1 of {len(TASKS)}" in repr(shown)
    assert "1 of 2" in repr(shown)
    assert "✓" not in repr(shown)
    gl.exercise("choose_eps").check(lambda dtype, order: 1e-5)
    assert f"1 of {len(TASKS)}" in repr(gl.progress())


def test_a_finished_lesson_is_ticked_and_unknown_names_do_not_count():
    solved = {name for name, task in TASKS.items() if task.lesson == "02"}
    shown = Progress({*solved, "of_lesson_99"}, ["<b>"])
    assert "✓  02" in repr(shown)
    assert f"{len(solved)} of {len(TASKS)}" in shown._repr_html_()
    assert "&lt;b&gt;" in shown._repr_html_()


def test_the_map_agrees_with_the_lessons_on_disk():
    there = {path.stem for path in (ROOT / "lessons").glob("*.ipynb")}
    assert {lesson.name for lesson in LESSONS} == there


def test_every_lesson_is_linked():
    html = Progress(())._repr_html_()
    for lesson in LESSONS:
        assert f'href="{lesson.name}.ipynb"' in html
        assert lesson.title in html


# A limit on files' size stands for a disk without room: the write fails, half-way or at once.
def test_a_full_disk_keeps_what_was_written_and_saves_the_rest_later(store, home, monkeypatch):
    store.add("a")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "touch", refusing(errno.ENOSPC))
        store.add("b")
        assert store.solved() == {"a", "b"}
        assert [os.strerror(errno.ENOSPC) in said for said in store.news()] == [True]
        assert Store().solved() == {"a"}
    store.add("c")
    assert Store().solved() == {"a", "b", "c"}
    assert kept(home) == ["a", "b", "c"]


@pytest.mark.parametrize("kind", ["folder", "loop"])
def test_an_earlier_file_that_cannot_be_opened_does_not_keep_anything_from_being_saved(
    kind, store, home
):
    home.mkdir(parents=True)
    earlier = home / "progress.json"
    earlier.mkdir() if kind == "folder" else earlier.symlink_to(earlier)
    store.add("a")
    assert Store().solved() == {"a"}
    (said,) = store.news()
    assert "earlier progress could not be read" in said
    assert "cannot be saved" not in said


def refusing(number):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    return refuse

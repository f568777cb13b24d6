"""What waits for the soak; and a skipped test fails the run, because nobody reads what was left."""

from collections import defaultdict

import pytest

#: So many cases of one test run with `make test`, spread over all of them; the others in the soak.
MOST_CASES = 6
#: Not of these folders: who edits a lesson should not hear of it from the soak, and the course's
#: tables are quick (1 200 cases more take five seconds), each case the only one that reads a line.
WHOLE = ("lessons", "course")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    if config.option.keyword:  # who asks for a case by its name wants to see it run
        return
    cases = defaultdict(list)
    for item in items:
        if item.path.parent.name in WHOLE or not hasattr(item, "callspec"):
            continue
        if not item.get_closest_marker("soak") and not item.get_closest_marker("every_case"):
            cases[item.path, item.originalname].append(item)
    for many in cases.values():
        if len(many) > MOST_CASES:
            step = (len(many) - 1) / (MOST_CASES - 1)
            stay = {round(i * step) for i in range(MOST_CASES)}
            for i, item in enumerate(many):
                if i not in stay:
                    item.add_marker(pytest.mark.soak)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Share the browser's tests among two workers: each that has any starts a browser and a server.

    They mostly wait, so they come first and the others work meanwhile; `--dist loadscope` only.
    """
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class TwoBrowsers(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            if not file.startswith("tests/browser/"):
                return file
            return "browser, first half" if file < "tests/browser/test_g" else "browser, the rest"

    return TwoBrowsers(config, log)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == pytest.ExitCode.OK and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    if terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("gradlab: skipped tests count as failed", red=True)

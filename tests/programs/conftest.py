"""Fixtures of the program tests. To run a test by hand: python3 -m pytest tests/programs/asking/infer_test.py -k given"""
import pathlib
import tempfile

import pytest

BUILT = pathlib.Path(__file__).resolve().parent.parent.parent / "build/release/bin/vaec"
SKIPPED_WHOLE = 77  # the exit code that tells ctest that a file ran no test


def pytest_addoption(parser):
    parser.addoption("--vaec", type=pathlib.Path, default=BUILT, help="the compiler to test")


def pytest_sessionstart(session):
    vaec = session.config.getoption("--vaec")
    if not vaec.is_file():
        raise pytest.UsageError(f"there is no {vaec}: build it, or name another one by --vaec")


def pytest_sessionfinish(session, exitstatus):
    counts = session.config.pluginmanager.get_plugin("terminalreporter").stats
    if exitstatus == 0 and counts.get("skipped") and not counts.get("passed"):
        session.exitstatus = SKIPPED_WHOLE


@pytest.fixture(scope="session")
def vaec(request):
    """The path of the compiler."""
    return request.config.getoption("--vaec").resolve()


@pytest.fixture
def folder():
    """An empty folder for one test. It is deleted after the test."""
    with tempfile.TemporaryDirectory(prefix="vaec-test-") as name:
        yield pathlib.Path(name)

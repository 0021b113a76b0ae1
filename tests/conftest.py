"""What every test may rely on: no engine outlives the run, soak tests run only when asked for, a Docker engine.

With CI set, a test that is skipped for want of something fails: there everything must be.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator

import pytest

from tests.kit import engine
from tests.kit.docker import Docker


def pytest_configure(config: pytest.Config) -> None:
    """Names the marks that `--strict-markers` shall know."""
    config.addinivalue_line("markers", "slow: takes longer than ten seconds")
    config.addinivalue_line("markers", "soak: takes minutes; runs when DAEMUN_SOAK is set (`make soak`)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Soak tests are left out unless DAEMUN_SOAK is set."""
    if not os.environ.get("DAEMUN_SOAK"):
        for item in items:
            if item.get_closest_marker("soak"):
                item.add_marker(pytest.mark.skip(reason="set DAEMUN_SOAK=1, or run `make soak`"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skip is a failure in CI, soak tests and expected failures apart."""
    report = yield
    soak = item.get_closest_marker("soak") and not os.environ.get("DAEMUN_SOAK")
    if os.environ.get("CI") and report.skipped and not soak and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, and CI must have what it needs: {reason}"
    return report


@pytest.fixture(scope="session", autouse=True)
def no_engine_left_behind() -> Iterator[None]:
    """Every engine that a test started has ended when the last test has."""
    yield
    left = engine.survivors()
    assert not left, f"engines left behind: {left}"


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[Docker]:
    """The session's own Docker engine, started when the first test wants it."""
    with Docker() as running:
        yield running


@pytest.fixture
def docker(docker_engine: Docker) -> Iterator[Docker]:
    """The session's Docker engine, empty but for images; what the test leaves there is removed."""
    docker_engine.clear()
    yield docker_engine
    docker_engine.clear()

"""The real Lean as a fixture, and the figures that its tests print at the end."""

from __future__ import annotations

import pytest

from tests.real_lean.build import RealLean, Unavailable, build, home_folder, ready


class Figures:
    """Lines of what was measured."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        self.lines.append(line)


_FIGURES = Figures()


@pytest.fixture
def figures() -> Figures:
    """Where a test puts its figures; printed below the results of a run in one process."""
    return _FIGURES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _FIGURES.lines:
        terminalreporter.section("real Lean")
        for line in _FIGURES.lines:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def real_lean(request: pytest.FixtureRequest) -> RealLean:
    """A finished build. Made when these tests are asked for (`-m real_lean`), else only taken."""
    home = home_folder()
    asked = "real_lean" in request.config.getoption("markexpr")
    if not asked and not ready(home):
        pytest.skip("no real Lean here; `python -m tests.real_lean.build` makes one")
    try:
        return build(home)
    except Unavailable as reason:
        pytest.skip(f"no real Lean on this machine: {reason}")

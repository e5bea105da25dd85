"""The real Lean as a fixture: built when these tests are asked for, else used only where it is ready."""

from __future__ import annotations

import os

import pytest

from tests.real_lean.build import RealLean, Unavailable, build, home_folder, ready


@pytest.fixture(scope="session")
def real_lean(request: pytest.FixtureRequest) -> RealLean:
    """A finished build. Skips where there is none and none can be made."""
    home = home_folder()
    asked = "real_lean" in request.config.getoption("markexpr") or "CI" in os.environ
    if not asked and not ready(home):
        pytest.skip("no real Lean here; `python -m tests.real_lean.build` makes one")
    try:
        return build(home)
    except Unavailable as reason:
        pytest.skip(f"no real Lean on this machine: {reason}")

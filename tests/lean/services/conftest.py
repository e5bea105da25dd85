"""What the tests of several services share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lean.services.real_kimina import kimina_server, missing


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real Kimina server. Skips where there is none."""
    if why := missing():
        pytest.skip(why)
    with kimina_server(tmp_path_factory.mktemp("kimina")) as url:
        yield url

"""What was computed before, bounded: the entries used longest ago go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key")
Kept = TypeVar("Kept")


class Recent(Generic[Key, Kept]):
    """At most `most` entries. Whoever adds more than that at once still has them in hand, not here."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: OrderedDict[Key, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Kept | None:
        """The entry of `key`, which counts as used; None when it is not there."""
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key]

    def add(self, entries: Mapping[Key, Kept]) -> None:
        """Keep `entries`."""
        self._entries |= entries
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)

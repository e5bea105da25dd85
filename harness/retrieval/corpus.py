"""The declarations of a library, and which of them a theorem may use.

The file format is LeanDojo's `corpus.jsonl`: one Lean file a line with its `path`, its `imports` (paths that
stand above it) and its `premises` (`full_name`, `code`, `start`, `end`; places are [line, column] from 1).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import SpecError, UserError
from harness.types import Problem

Place = tuple[int, int]
"""Line and column, both from 1."""
Mask = np.ndarray[Any, np.dtype[np.bool_]]
"""(premises,): which of a corpus are meant."""
_IMPORT = re.compile(r"^\s*(?:public\s+|meta\s+)*import\s+(?:all\s+)?(\S+)", re.M)
ALWAYS = "Init.lean"
"""What every Lean file imports."""


@dataclass(frozen=True, slots=True)
class Premise:
    """One declaration."""

    name: str
    code: str
    path: str
    start: Place
    end: Place

    @property
    def text(self) -> str:
        """The code with its own name marked `<a>..</a>`, as ReProver's models read it: the longest part of
        the full name that stands after white space, wherever it does."""
        marked = f"<a>{self.name}</a>"
        code = self.code.replace(f"_root_.{self.name}", marked)
        parts = self.name.split(".")
        for first in range(len(parts)):
            spelt = re.escape(".".join(parts[first:]))
            found = re.sub(rf"(?<=\s)«?{spelt}»?", lambda _: marked, code)
            if found != code:
                return found
        return code


class Corpus:
    """Files in an order in which imports come first, and their premises."""

    def __init__(self, files: Iterable[Mapping[str, Any]], digest: str) -> None:
        """Raises `SpecError` for an entry that is none, or that imports what does not stand above it."""
        self.digest = digest
        self.premises: list[Premise] = []
        self._files: dict[str, int] = {}
        self._imported: list[int] = []  # of each file: itself and all that it imports, as a set of bits
        owners: list[int] = []
        for entry in files:
            try:
                number, path = len(self._files), str(entry["path"])
                bits = 1 << number
                for name in entry["imports"]:
                    bits |= self._imported[self._files[name]]
                found = [_premise(item, path) for item in entry["premises"] if _is_premise(item)]
            except (KeyError, TypeError, ValueError) as cause:
                raise SpecError(f"corpus: {entry.get('path')!r} cannot be read: {cause!r}") from cause
            self._files[path] = number
            self._imported.append(bits)
            self.premises += found
            owners += [number] * len(found)
        self._owners = np.array(owners, dtype=np.int64)
        self._masks: dict[tuple[int, int, Place], Mask] = {}

    @classmethod
    def read(cls, path: Path) -> Corpus:
        """The corpus in a file. Raises `UserError` where that is none."""
        try:
            text = path.read_bytes()
            files = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (OSError, ValueError) as cause:
            raise UserError(f"{path}: no corpus of premises can be read there: {cause}") from cause
        return cls(files, hashlib.sha256(text).hexdigest()[:16])

    def __contains__(self, path: str) -> bool:
        return path in self._files

    @cached_property
    def ends(self) -> list[Place]:
        """Where each premise ends in its file."""
        return [premise.end for premise in self.premises]

    def at(self, path: str, place: Place) -> int | None:
        """Which premise stands at a place of a file; None for none."""
        for number in np.flatnonzero(self._owners == self._files.get(path, -1)):
            if self.premises[number].start <= place <= self.premises[number].end:
                return int(number)
        return None

    def accessible(self, path: str, place: Place) -> Mask:
        """What a theorem that begins at `place` of a file may use: all that the file imports, directly or
        not, and what ends above it in the file."""
        number = self._files[path]
        return self._mask(self._imported[number] & ~(1 << number), number, place)

    def accessible_to(self, problem: Problem) -> Mask:
        """The same for a problem: by its place where its id is `name@path` of a file of the corpus, else by
        the imports of its header. Files that the corpus does not have add nothing."""
        _, at, path = problem.id.rpartition("@")
        if at and path in self._files:
            lines = problem.header.split("\n")
            return self.accessible(path, (len(lines), len(lines[-1]) + 1))
        modules = [f"{name.replace('.', '/')}.lean" for name in _IMPORT.findall(problem.header)]
        bits = 0
        for name in (ALWAYS, *modules):
            if name in self._files:
                bits |= self._imported[self._files[name]]
        return self._mask(bits, -1, (0, 0))

    def _mask(self, files: int, own: int, place: Place) -> Mask:
        key = (files, own, place)
        if key not in self._masks:
            bits = np.array([files >> number & 1 for number in range(len(self._files))], dtype=bool)
            mask = bits[self._owners] if len(self._owners) else np.zeros(0, dtype=bool)
            for number in np.flatnonzero(self._owners == own):
                mask[number] = self.ends[number] <= place
            if len(self._masks) > 4096:
                self._masks.clear()
            self._masks[key] = mask
        return self._masks[key]


def _is_premise(item: Mapping[str, Any]) -> bool:
    """Whether it has a name and a text: entries of a broken trace and mutual blocks have none."""
    name = item["full_name"]
    return bool(name) and bool(item["code"]) and "user__.n" not in name and not name.startswith("[")


def _premise(item: Mapping[str, Any], path: str) -> Premise:
    start, end = ((int(place[0]), int(place[1])) for place in (item["start"], item["end"]))
    return Premise(str(item["full_name"]), str(item["code"]), path, start, end)

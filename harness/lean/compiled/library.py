"""The modules that a candidate imports, indexed once per version and then read where asked.

The index is an SQLite file that is written once and opened read-only: for each constant its module, position
and axioms, for each module its file with size, time and SHA-256. Its name is a hash of all the files it was
made from, so another version of a library has another index.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.files import draft_of
from harness.lean.compiled.module import Module
from harness.lean.compiled.olean import PARTS, open_module
from harness.lean.compiled.stated import BadFile, BadLibrary, Stated, names_in
from harness.lean.core.declarations import Constant, KernelEnv
from harness.lean.core.kernel import with_library_operations
from harness.lean.core.level import TermTooLarge

INDEX_FORMAT = "1"
UNKNOWN = "?"
"""Stands among the axioms of a constant whose terms are too large to be read."""
_TABLES = """
create table modules (id integer primary key, name text unique, path text, signature text, sha256 text);
create table axioms (id integer primary key, names text);
create table constants (name text primary key, module integer, position integer, axioms integer)
    without rowid;
"""


@dataclass(frozen=True, slots=True)
class Source:
    """A module's file; `signature` tells sizes and times of its parts."""

    name: str
    path: Path
    signature: str


def find(roots: Sequence[Path], module: str) -> Source:
    """The module in the first folder that has its first component. Raises `BadFile` when there is none."""
    parts = module.replace("«", "").replace("»", "").split(".")
    for root in roots:
        if (root / parts[0]).is_dir() or (root / f"{parts[0]}.olean").is_file():
            path = root.joinpath(*parts).with_name(parts[-1] + PARTS[0])
            if path.is_file():
                return Source(module, path, _signature(path))
            break
    raise BadFile(f"module {module} is in none of {', '.join(map(str, roots))}")


def _signature(path: Path) -> str:
    stem = str(path).removesuffix(PARTS[0])
    out = []
    for end in PARTS:
        part = Path(stem + end)
        if end == PARTS[0] or part.is_file():
            known = part.stat()
            out.append(f"{known.st_size}:{known.st_mtime_ns}")
    return ",".join(out)


def closure(roots: Sequence[Path], imports: Sequence[str]) -> list[Source]:
    """All modules that the imports need, each after what it imports. Raises `BadFile`."""
    done: dict[str, Source] = {}
    open_: set[str] = set()
    stack: list[tuple[str, Source | None]] = [(name, None) for name in reversed(imports)]
    while stack:
        name, source = stack.pop()
        if source is not None:
            done[name] = source
            continue
        if name in done:
            continue
        if name in open_:
            raise BadFile(f"module {name} imports itself")
        open_.add(name)
        source = find(roots, name)
        stack.append((name, source))
        for each in reversed(Module(open_module(source.path)).imports):
            if each.module not in done:
                stack.append((each.module, None))
    return list(done.values())


def index_of(roots: Sequence[Path], imports: Sequence[str], folder: Path) -> Path:
    """The index for these imports, made now if `folder` has none. Raises `BadFile`, `OSError`."""
    sources = closure(roots, imports)
    parts = [INDEX_FORMAT, *[f"{s.name} {s.path} {s.signature}" for s in sources]]
    place = folder / f"{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:32]}.sqlite"
    if not place.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with draft_of(place) as made:
            made.unlink(missing_ok=True)
            _write(made, sources)
            made.chmod(0o444)
    return place


def _write(place: Path, sources: Sequence[Source]) -> None:
    known: dict[str, frozenset[str]] = {}
    ids: dict[frozenset[str], int] = {}
    with sqlite3.connect(place) as db:
        db.executescript(_TABLES)
        for number, source in enumerate(sources):
            digest = hashlib.sha256(source.path.read_bytes()).hexdigest()
            row = (number, source.name, str(source.path), source.signature, digest)
            db.execute("insert into modules values (?, ?, ?, ?, ?)", row)
            module = Module(open_module(source.path))
            _collect_axioms(module, known)
            rows = []
            for name, position in module.positions.items():
                axioms = known[name]
                if axioms not in ids:
                    ids[axioms] = len(ids)
                    db.execute("insert into axioms values (?, ?)", (ids[axioms], "\n".join(sorted(axioms))))
                rows.append((name, number, position, ids[axioms]))
            try:
                db.executemany("insert into constants values (?, ?, ?, ?)", rows)
            except sqlite3.IntegrityError as wrong:
                raise BadFile(f"module {source.name} declares a name again: {wrong}") from wrong
    db.close()


def _collect_axioms(module: Module, known: dict[str, frozenset[str]]) -> None:
    """The axioms below each constant of the module, added to `known` (which has all earlier modules')."""
    needs: dict[str, list[str]] = {}
    own: dict[str, frozenset[str]] = {}
    for name in module.positions:
        try:
            stated = module.get(name)
        except TermTooLarge:
            stated = None
        needs[name] = [] if stated is None else list(names_in(stated.constant))
        claim = {UNKNOWN} if stated is None else {name} if stated.constant.kind == "axiom" else ()
        own[name] = frozenset(claim)
    for group in _components(needs):
        found = frozenset[str]().union(*[own[name] for name in group])
        below = {n for name in group for n in needs[name]}
        found = found.union(*[known.get(n, frozenset()) for n in below])
        known.update(dict.fromkeys(group, found))


def _components(needs: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """What needs each other comes together, after what it needs (Tarjan's algorithm, without recursion)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    waiting: set[str] = set()
    for start in needs:
        if start in number:
            continue
        stack: list[tuple[str, Iterator[str]]] = []
        _enter(start, needs, stack, number, low, path, waiting)
        while stack:
            name, rest = stack[-1]
            below = next((n for n in rest if n in needs), None)
            if below is None:
                stack.pop()
                if stack:
                    parent = stack[-1][0]
                    low[parent] = min(low[parent], low[name])
                if low[name] == number[name]:
                    at = path.index(name)
                    group = path[at:]
                    del path[at:]
                    waiting.difference_update(group)
                    yield group
            elif below not in number:
                _enter(below, needs, stack, number, low, path, waiting)
            elif below in waiting:
                low[name] = min(low[name], number[below])


def _enter(
    name: str,
    needs: Mapping[str, Sequence[str]],
    stack: list[tuple[str, Iterator[str]]],
    number: dict[str, int],
    low: dict[str, int],
    path: list[str],
    waiting: set[str],
) -> None:
    number[name] = low[name] = len(number)
    path.append(name)
    waiting.add(name)
    stack.append((name, iter(needs[name])))


class Library:
    """An index and the modules behind it, decoded as asked. Theorems come without their proofs."""

    def __init__(self, index: Path) -> None:
        self._db = sqlite3.connect(f"file:{index}?mode=ro&immutable=1", uri=True)
        self._paths: dict[int, tuple[Path, str]] = {
            number: (Path(path), signature)
            for number, path, signature in self._db.execute("select id, path, signature from modules")
        }
        self._modules: dict[int, Module] = {}
        self._known: dict[str, Constant | None] = {}
        self.env = with_library_operations(KernelEnv(_Imported(self)))
        """What a candidate's declarations are checked against."""

    def has(self, name: str) -> bool:
        """Whether some module declares the name."""
        return self._row(name) is not None

    def get(self, name: str) -> Constant | None:
        """The constant as stated, or None. What Lean's own kernel has not checked does not exist."""
        if name not in self._known:
            stated = self.stated(name)
            sound = stated is not None and not stated.unchecked
            self._known[name] = stated.constant if stated is not None and sound else None
        return self._known[name]

    def stated(self, name: str) -> Stated | None:
        """The constant with what the file says about it; a theorem without its proof."""
        row = self._row(name)
        if row is None:
            return None
        try:
            return self._module(row[0]).at(row[1], name, proofs=False)
        except BadFile as wrong:
            raise BadLibrary(f"{self._paths[row[0]][0]}: {wrong}") from wrong

    def axioms(self, name: str) -> frozenset[str]:
        """The axioms below a constant of the library."""
        row = self._row(name)
        if row is None:
            return frozenset()
        ((names,),) = self._db.execute("select names from axioms where id = ?", (row[2],))
        return frozenset(names.split("\n")) if names else frozenset()

    def before(self, module: str) -> KernelEnv:
        """What the modules before this one declare, in the order of the index."""
        ((number,),) = self._db.execute("select id from modules where name = ?", (module,))
        return with_library_operations(KernelEnv(_Imported(self, number)))

    def module(self, name: str) -> Module:
        """One of the modules, whole."""
        ((number,),) = self._db.execute("select id from modules where name = ?", (name,))
        return self._module(number)

    def version(self) -> str:
        """Lean's version and commit, as the first module has it."""
        return self._module(min(self._paths)).version if self._paths else ""

    def place(self, name: str, absent: int) -> int:
        """The number of the module that declares a name, or `absent`."""
        row = self._row(name)
        return absent if row is None else row[0]

    def _row(self, name: str) -> tuple[int, int, int] | None:
        found: tuple[int, int, int] | None = self._db.execute(
            "select module, position, axioms from constants where name = ?", (name,)
        ).fetchone()
        return found

    def _module(self, number: int) -> Module:
        if number not in self._modules:
            path, signature = self._paths[number]
            if _signature(path) != signature:
                raise BadLibrary(f"{path} has changed since its index was made")
            self._modules[number] = Module(open_module(path))
        return self._modules[number]


class _Imported(dict[str, Constant]):
    """Constants of a library under a dict's `get`, which is all that the kernel calls."""

    def __init__(self, library: Library, before: int | None = None) -> None:
        super().__init__()
        self._library, self._before = library, before

    def get(self, name: str, default: object = None) -> Constant | None:  # type: ignore[override]
        """The constant, or None; also None for one of the module at `before` or of a later one."""
        if self._before is not None and self._library.place(name, self._before) >= self._before:
            return None
        return self._library.get(name)


__all__ = ["UNKNOWN", "Library", "closure", "find", "index_of"]

"""Stored runs, for everyone who reads them: finding, naming, and their figures.

`spec.json` of a run is laid out like an experiment file, with the keys resolved that the run depends on:

    experiment, seed, evaluation.{name,prover,samples,k}, evaluation.problems.{benchmark,split,limit,...},
    lean.{service,level,...}, search.{alpha,expansions,tactic_calls,...}, whole_proof.*, value.gamma,
    grpo.{kl,samples}, and what else is in its digest; keys that do not matter to the run may be absent.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from harness.analysis.metrics import summarize
from harness.analysis.scored import Scored, of_folder, of_records
from harness.analysis.settings import GIVEN
from harness.analysis.summarising import summarise_together
from harness.analysis.summary import SCHEMA, Summary
from harness.errors import StoreError, UserError
from harness.nested import get
from harness.paths import expanded
from harness.records.folder import (
    RECORDS,
    SPEC,
    SUMMARY,
    ProblemSet,
    each_record,
    ledger_of,
    read_problems,
    read_sessions,
)
from harness.records.inputs import INPUTS, inputs_digest
from harness.records.journal import read_json
from harness.records.stamp import Stamp, figures_hash, write_summary
from harness.types import ProblemRef, Record


@dataclass(frozen=True)
class RunView:
    """A run as readers see it: small facts at hand, records and figures when asked for."""

    name: str
    spec: Mapping[str, Any]
    sessions: Sequence[Mapping[str, Any]]
    """Provenance, one entry per session that wrote; the last is the latest."""
    problems: tuple[ProblemRef, ...]
    load: Callable[[], Sequence[Record]]
    """Reads the records."""
    stored: Callable[[], Summary | None] = lambda: None
    """Reads the stored summary, None when it is absent or older than the records."""
    summarise: Callable[[], Summary] | None = None
    """Computes the summary and keeps it where that is possible; None: from `records`."""
    folder: Path | None = None

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a dotted spec key, `default` when it is not there."""
        return get(self.spec, key, default)

    @functools.cached_property
    def records(self) -> Sequence[Record]:
        """Every record so far."""
        return self.load()

    @functools.cached_property
    def scored(self) -> Sequence[Scored]:
        """Every attempt that was judged, without its texts."""
        found = None
        if self.folder is not None and self.summary is not None:
            with _without_collection():
                found = of_folder(self.folder)
        return list(of_records(self.records)) if found is None else found

    @functools.cached_property
    def kept(self) -> Summary | None:
        """The figures as stored, where they match the records."""
        return self.stored()

    @functools.cached_property
    def summary(self) -> Summary:
        """The figures: as stored when they match the records, else computed from them."""
        found = self.kept
        if found is None and self.summarise is not None:
            found = self.summarise()
        return found or summarize_run(self.spec, self.problems, self.records)

    @property
    def benchmark(self) -> str:
        """Benchmark name."""
        return str(self.get("evaluation.problems.benchmark", ""))

    @property
    def split(self) -> str:
        """Split of the benchmark."""
        return str(self.get("evaluation.problems.split", ""))

    @property
    def session(self) -> Mapping[str, Any]:
        """The latest session's provenance; empty when none is known."""
        return self.sessions[-1] if self.sessions else {}

    @property
    def denominator(self) -> frozenset[tuple[str, str]]:
        """(id, revision) of every problem that counts: runs with the same one can be ranked together."""
        problems = self.problems
        return (problems if isinstance(problems, ProblemSet) else ProblemSet(problems)).denominator


def summarize_run(
    spec: Mapping[str, Any], problems: Sequence[ProblemRef], records: Iterable[Record]
) -> Summary:
    """The figures of a run with this spec. Raises UserError as `harness.analysis.metrics.summarize` does."""
    samples = int(get(spec, "evaluation.samples", 1))
    return summarize(problems, records, samples, _ks(spec), budget=budget(spec).expansions)


@dataclass(frozen=True, slots=True)
class Budget:
    """What one problem may cost; None where the prover has no such limit."""

    samples: int = 1
    expansions: int | None = None
    tactic_calls: int | None = None
    tokens: int | None = None
    """Generated tokens of one whole-proof attempt."""

    @property
    def text(self) -> str:
        """For people: `1 x 64 expansions, 1024 tactic calls`."""
        limits = {"expansions": self.expansions, "tactic calls": self.tactic_calls, "tokens": self.tokens}
        told = ", ".join(f"{limit} {name}" for name, limit in limits.items() if limit is not None)
        return f"{self.samples} x {told}" if told else f"{self.samples} x"


def budget(spec: Mapping[str, Any]) -> Budget:
    """The budget that a run's spec gives to one problem."""
    samples = int(get(spec, "evaluation.samples", 1))
    if get(spec, "evaluation.prover") == "whole_proof":
        return Budget(samples, tokens=get(spec, "whole_proof.max_new_tokens"))
    if get(spec, "evaluation.prover") == GIVEN:
        return Budget(samples, tokens=get(spec, f"{GIVEN}.max_tokens"))
    return Budget(samples, get(spec, "search.expansions"), get(spec, "search.tactic_calls"))


def open_run(folder: Path) -> RunView:
    """The run in a folder. Records are read when asked for. Raises StoreError when its files are broken."""
    spec = read_json(folder / SPEC)
    if not isinstance(spec, dict):
        raise StoreError(f"{folder / SPEC}: missing or not an object; is {folder} a run?")
    _check_counts(folder, spec)
    problems = read_problems(folder)
    sessions = read_sessions(folder)
    return RunView(
        name=folder.name,
        spec=spec,
        sessions=sessions,
        problems=problems,
        load=lambda: _records(folder, spec, problems),
        stored=lambda: _stored_summary(folder, spec),
        summarise=lambda: _summarise(folder, spec, problems),
        folder=folder,
    )


def _check_counts(folder: Path, spec: Mapping[str, Any]) -> None:
    samples, ks = get(spec, "evaluation.samples", 1), get(spec, "evaluation.k", [1])
    listed = ks if isinstance(ks, list) else [None]
    if not all(type(number) is int and number > 0 for number in (samples, *listed)):
        raise StoreError(
            f"{folder / SPEC}: evaluation.samples and evaluation.k: not a whole number and a list of them; "
            "restore the file"
        )


def _records(folder: Path, spec: Mapping[str, Any], problems: Sequence[ProblemRef]) -> list[Record]:
    with _without_collection():
        return list(each_record(folder / RECORDS, ledger_of(spec, problems)))


@contextmanager
def _without_collection() -> Iterator[None]:
    """A million records, none of them garbage, are made a fifth faster while nobody looks for any."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _summarise(folder: Path, spec: Mapping[str, Any], problems: Sequence[ProblemRef]) -> Summary:
    """The figures of the records, written back so that the next reader has them."""
    ledger = ledger_of(spec, problems)
    stamp = Stamp.of(folder / RECORDS, ledger.inputs)
    summary = summarize_run(spec, problems, each_record(folder / RECORDS, ledger))
    # Another user's folder, a full disk: the summary is disposable. While a run goes on the stamp is behind.
    with suppress(StoreError):
        if Stamp.of(folder / RECORDS, ledger.inputs) == stamp:
            write_summary(folder, dataclasses.asdict(summary), stamp, len(ledger))
    return summary


def _stored_summary(folder: Path, spec: Mapping[str, Any]) -> Summary | None:
    """The stored summary, untouched, of exactly the records that are there now and the k asked for now."""
    from pydantic import ValidationError

    try:
        stored = read_json(folder / SUMMARY)
    except StoreError:
        return None
    if not isinstance(stored, dict) or stored.get("schema") != SCHEMA:
        return None
    fields = {key: value for key, value in stored.items() if key != "records"}
    if get(stored, "records.summary") != figures_hash(fields) or not _in_step(folder, stored, fields):
        return None
    if get(stored, f"records.{INPUTS}") not in (None, inputs_digest(spec)):
        return None  # of another machine's run: reading the records says so
    try:
        summary = _summary_adapter().validate_python(fields)
    except ValidationError:
        return None
    return summary if [item.k for item in summary.passes] == _ks(spec) else None


def _in_step(folder: Path, stored: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    """Whether a stored summary is of the records as they are now; where a new time is all, it is noted."""
    stamp = Stamp.stored(stored)
    if stamp is None or stamp.in_time(folder / RECORDS):
        return stamp is not None
    now = Stamp.of(folder / RECORDS, stamp.inputs)
    if now.sha256 != stamp.sha256:
        return False
    with suppress(StoreError):
        write_summary(folder, fields, now, int(get(stored, "records.lines", 0)))
    return True


@functools.cache
def _summary_adapter() -> Any:
    """Making one costs ten milliseconds."""
    from pydantic import TypeAdapter

    return TypeAdapter(Summary)


def _ks(spec: Mapping[str, Any]) -> list[int]:
    return [int(k) for k in get(spec, "evaluation.k", [1])]


def find_runs(root: Path) -> list[Path]:
    """Folder of every run under `root`, sorted by name, broken ones too; stages and sweeps are none."""
    if not root.is_dir():
        return []
    return sorted({path.parent for name in (SPEC, RECORDS) for path in root.glob(f"*/{name}")})


def resolve(root: Path, text: str) -> Path:
    """The run that `text` names: a path, a name, or a prefix, else a part, that only one name has.

    Raises UserError naming the candidates of an ambiguous one, or the nearest run to an unknown one.
    """
    with suppress(OSError):  # what is too long for a path may yet be told to be no run
        for path in (expanded(text), root / text):
            if (path / SPEC).is_file():
                return path
    names = [folder.name for folder in find_runs(root)]
    matching = [name for name in names if name.startswith(text)] or [name for name in names if text in name]
    if len(matching) == 1:
        return root / matching[0]
    if matching:
        raise UserError(
            f"{text!r} names {len(matching)} runs: {', '.join(matching[:5])}; write more of the name"
        )
    if not names:
        raise UserError(f"no run called {text!r}: {root} holds no runs; make one with `harness run`")
    close = difflib.get_close_matches(text, names, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(names[:5])}"
    raise UserError(f"no run called {text!r} under {root}; {hint}")


def load_runs(root: Path) -> tuple[list[RunView], list[str]]:
    """Every run under `root` that can be read, and for each other one a line that says why it cannot.

    Raises `UserError` when `root` is a file.
    """
    if root.is_file():
        raise UserError(f"{root}: a file; --runs (or HARNESS_RUNS) names the folder that runs lie in")
    runs, broken = _each(open_run, find_runs(root))
    missing = [run.folder for run in runs if run.folder is not None and run.kept is None]
    if summarise_together(missing):
        runs = [run if run.kept is not None or run.folder is None else open_run(run.folder) for run in runs]
    runs, unread = _each(_with_summary, runs)
    return runs, sorted([*broken, *unread])


def _with_summary(run: RunView) -> RunView:
    _ = run.summary
    return run


Given = TypeVar("Given")


def _each(read: Callable[[Given], RunView], given: Sequence[Given]) -> tuple[list[RunView], list[str]]:
    """`read` of each, and for those that it raises `UserError` for what that says."""
    found, broken = [], []
    for one in given:
        try:
            found.append(read(one))
        except UserError as error:
            broken.append(str(error))
    return found, broken

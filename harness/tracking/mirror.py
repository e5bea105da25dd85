"""The process that mirrors a point's records into one W&B run, as they come.

    python -m harness.tracking.mirror SPOOL

Started by `harness.tracking.spool`, or by `harness publish` for records that are complete. It follows the
records until the spool says that its experiment ended, or until its standard input ends, which is how it
learns that the experiment is gone, however it went. Only here and in `artifacts` is wandb used.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, InfraError, StoreError, boundary
from harness.records.journal import FolderLock, write_json
from harness.tracking import artifacts
from harness.tracking.history import TAG_CHARS, HistoryRow, WandbTable, history, tables, unfinished
from harness.tracking.point import Point, TrackedSession, read_point, read_session, sessions, status_file

POLL_S = 0.5
FLUSH_S = 0.5
"""How often wandb writes its own file: without this a killed run leaves it empty."""
SEND_S = 5.0
"""How often rows are sent: as often as a sweep's agent asks whether to stop the run early."""
INIT_TIMEOUT_S = 20.0
"""How long wandb may look for its server."""
KILLED = 1
"""Exit code noted in W&B for an experiment that went without a word."""


class Mirror:
    """One W&B run, fed with the rows of a point."""

    def __init__(self, wandb: Any, point: Point, session: TrackedSession) -> None:
        """`wandb` is the module. Begins the run, or goes on with it. Raises whatever wandb raises."""
        self._wandb = wandb
        self._point = point
        self._session = session
        self._tags = [str(session.run.get("describe") or "")[:TAG_CHARS]]
        self._axes: set[str] = set()
        self.online = session.run.get("mode") != "offline"
        self.made = frozenset[str]().union(*(one.made for one in sessions(point.folder)))
        self.run = wandb.init(**self._given())
        # Rows that the server has are not sent again.
        self.sent = int(self.run.starting_step) if self.online else 0
        self._seen = 0

    def take(self, row: HistoryRow) -> None:
        """Pass on the next row. What is no row of the history is set again: setting it twice is harmless."""
        number, self._seen = self._seen, self._seen + 1
        if row.axis and row.axis not in self._axes:
            self._axes.add(row.axis)
            self.run.define_metric(f"{row.axis.rpartition('/')[0]}/*", step_metric=row.axis)
        shown = {key: self._table(table) for key, table in row.tables.items()}
        if number >= self.sent:
            self.run.log({**row.figures, **shown}, step=number, commit=True)
        if not row.axis:
            # Plain numbers under plain names: what a leaderboard sorts by and a sweep's `metric` names.
            self.run.summary.update({**row.figures, **row.facts, **(shown if number < self.sent else {})})
        self._tag(row.tags)
        if self.online:
            artifacts.link(self._wandb, self.run, row, self.made)

    def finish(self, exit_code: int) -> None:
        """End the run; attempts of an evaluation that was cut off get their table too."""
        for name, view in unfinished(self._point):
            shown = tables(name, view)
            self.run.summary.update({key: self._table(table) for key, table in shown.items()})
        self.run.finish(exit_code=exit_code)

    def where(self) -> dict[str, Any]:
        """Where the run is to be seen."""
        return {"id": self.run.id, "url": self.run.url, "folder": str(Path(self.run.dir).parent)}

    def _given(self) -> dict[str, Any]:
        told = self._session.run
        settings = self._wandb.Settings(
            mode=told.get("mode"),
            console="off",
            silent=True,
            init_timeout=INIT_TIMEOUT_S,
            x_transaction_log_flush_interval=FLUSH_S,
            x_file_stream_transmit_interval=SEND_S,
            x_disable_stats=not self.online,
            stop_fn=_left_to_the_agent,
        )
        given: dict[str, Any] = {"config": dict(self._point.config), "settings": settings, "resume": "allow"}
        given |= {"tags": [tag for tag in self._tags if tag]}
        if os.environ.get("WANDB_SWEEP_ID"):
            return given  # id, project and entity come from the environment, files go where the agent looks
        given |= {"dir": str(self._point.folder)}
        given |= {key: told.get(key) for key in ("id", "project", "entity", "name", "group", "job_type")}
        return given

    def _tag(self, tags: Sequence[str]) -> None:
        if not set(tags) <= set(self.run.tags or ()):
            self.run.tags = tuple(dict.fromkeys((*(self.run.tags or ()), *tags)))

    def _table(self, table: WandbTable) -> Any:
        return self._wandb.Table(columns=list(table.columns), data=[list(row) for row in table.rows])


def follow(rows: Iterator[HistoryRow | None], ended: Callable[[], bool]) -> Iterator[HistoryRow]:
    """The rows as they come, until no more are there and `ended` (which may wait) had said so before."""
    last = False
    for row in rows:
        if row is not None:
            yield row
        elif last:
            return
        else:
            last = ended()
    while not last:  # all is there, but how the experiment ends is not known yet
        last = ended()


def _left_to_the_agent() -> None:
    """What to do when the run is stopped in W&B, whose client would interrupt this process.

    Its agent stops the experiment; here remains to send what that left.
    """


def _input_ended() -> bool:
    """Whether standard input has ended; waits for that a short while."""
    ready, _, _ = select.select([0], [], [], POLL_S)
    return bool(ready) and not os.read(0, 4096)


def _alone(folder: Path) -> FolderLock | None:
    """The right to feed the point's run; None when another process kept it until our experiment ended."""
    ended = False
    while True:
        try:
            return FolderLock(folder / ".lock")
        except StoreError:
            if ended:
                return None
            ended = _input_ended()


def mirror(spool: Path, tell: Callable[[Mapping[str, Any]], None]) -> None:
    """Feed the W&B run of a spool until its experiment ends. Raises whatever records and wandb raise."""
    point = read_point(spool.parent)
    lock = _alone(spool.parent)
    if lock is None:
        return tell({"state": "left", "why": "another process sends these records"})
    with lock:
        import wandb

        sink = Mirror(wandb, point, read_session(spool))
        tell({"state": "running", **sink.where()})
        for row in follow(history(point), _input_ended):
            sink.take(row)
        code = read_session(spool).exit_code
        sink.finish(KILLED if code is None else code)
        tell({"state": "finished", **sink.where()})


def main(arguments: Sequence[str]) -> int:
    """Mirror one spool. 0 when all that is there was sent, 1 when W&B failed; the status file has why."""
    spool = Path(arguments[0])
    status = status_file(spool)
    try:
        with boundary(InfraError, "nothing more is sent"):
            mirror(spool, lambda said: write_json(status, said))
    except HarnessError as error:
        line = " ".join(str(error).removeprefix("nothing more is sent: ").split())
        write_json(status, {"state": "failed", "error": line})
        print(line, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The process that passes events on to W&B: reads a spool, as it grows, and mirrors it into one W&B run.

    python -m harness.tracking.wandb_sink SPOOL

Started by `harness.tracking.spool`, or by hand to send a spool again. It follows the spool until the run is
finished or its standard input ends, which is how it learns that the experiment is gone, however it went. (By
hand, give it `< /dev/null`.) This is the only module that imports wandb.
"""

from __future__ import annotations

import json
import os
import select
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, InfraError, boundary
from harness.records.journal import write_json
from harness.tracking.events import key_part as _name

POLL_S = 0.2
FLUSH_S = 0.5
"""How often wandb writes its own file: without this a killed run leaves it empty."""
INIT_TIMEOUT_S = 20.0
"""How long wandb may look for its server."""
MAX_ROWS = 10_000
"""Rows of one table; the record file has all of them."""
COLUMNS = ("problem", "sample", "status", "reason", "expansions", "tactic_calls", "verify_s", "proof")
KILLED = 1
"""Exit code noted in W&B for an experiment that went without a word."""


class Sink:
    """Mirrors events, in order, into one W&B run."""

    def __init__(self, wandb: Any, tell: Callable[[Mapping[str, Any]], None]) -> None:
        """`wandb` is the module; `tell` hears what became of the run."""
        self._wandb = wandb
        self._tell = tell
        self._settings: Mapping[str, Any] = {}
        self._run: Any = None
        self._rows: dict[str, list[Sequence[Any]]] = defaultdict(list)
        self._curves: set[str] = set()
        self.finished = False

    def take(self, row: Mapping[str, Any]) -> None:
        """Pass on one event; an event of no known name is passed over."""
        match row.get("event"):
            case "settings":
                self._settings = row
            case "run_started":
                self._init(row)
            case "curve":
                self._curve(row)
            case "stage":
                self._stage(row)
            case "attempt":
                self._rows[row["evaluation"]].append(row["row"])
            case "evaluation":
                self._evaluation(row)
            case "run_finished":
                self.finish(int(row["exit_code"]))

    def finish(self, exit_code: int) -> None:
        """End the W&B run; the attempts of an evaluation that was cut off still get their table."""
        if self._run is not None and not self.finished:
            for evaluation in list(self._rows):
                self._table(evaluation)
            self._run.finish(exit_code=exit_code)
            self._tell({"state": "finished", **self._where()})
        self.finished = True

    def _init(self, row: Mapping[str, Any]) -> None:
        offline = self._settings.get("mode") == "offline"
        settings = self._wandb.Settings(
            mode=self._settings.get("mode"),
            console="off",
            silent=True,
            init_timeout=INIT_TIMEOUT_S,
            x_transaction_log_flush_interval=FLUSH_S,
            x_disable_stats=offline,
        )
        given = {"config": row["config"], "settings": settings, "dir": self._settings.get("dir")}
        if os.environ.get("WANDB_SWEEP_ID"):
            # Under an agent the run exists already: its id, project and entity come from the environment,
            # and files belong where the agent looks for them.
            del given["dir"]
        else:
            given |= {"project": self._settings.get("project"), "entity": self._settings.get("entity")}
            given |= {"name": row["name"], "group": row["group"], "job_type": row["job_type"]}
            given["tags"] = [tag[:64] for tag in row["tags"]]
        self._run = self._wandb.init(**given)
        self._tell({"state": "running", **self._where()})

    def _curve(self, row: Mapping[str, Any]) -> None:
        # A prefix of their own: `define_metric` gives all that is under it the stage's steps as x axis.
        prefix = f"curve/{_name(row['stage'])}"
        if prefix not in self._curves:
            self._curves.add(prefix)
            self._run.define_metric(f"{prefix}/*", step_metric=f"{prefix}/step")
        figures = {f"{prefix}/{_name(key)}": value for key, value in row["figures"].items()}
        self._run.log({**figures, f"{prefix}/step": row["step"]})

    def _stage(self, row: Mapping[str, Any]) -> None:
        stage = _name(row["stage"])
        figures = {f"{stage}/{_name(key)}": value for key, value in row["metrics"].items()}
        figures |= {f"{stage}/seconds": row["seconds"], f"{stage}/cached": int(row["cached"])}
        self._run.log(figures)

    def _evaluation(self, row: Mapping[str, Any]) -> None:
        prefix = f"eval/{_name(row['evaluation'])}"
        known = {f"{prefix}/{key}": value for key, value in row["figures"].items() if value is not None}
        self._run.log(known)
        # Plain numbers under plain names: what a leaderboard sorts by and a sweep's `metric` names.
        self._run.summary.update({**known, f"{prefix}/folder": row["folder"]})
        self._table(row["evaluation"])

    def _table(self, evaluation: str) -> None:
        rows = self._rows.pop(evaluation, [])
        if rows:
            table = self._wandb.Table(columns=list(COLUMNS), data=[list(row) for row in rows[:MAX_ROWS]])
            self._run.log({f"problems/{_name(evaluation)}": table})

    def _where(self) -> dict[str, Any]:
        return {"id": self._run.id, "url": self._run.url, "folder": str(Path(self._run.dir).parent)}


def follow(spool: Path, ended: Callable[[float], bool]) -> Iterator[dict[str, Any]]:
    """Every whole line of the spool, as they come, until `ended(wait_s)` and nothing is left to read."""
    last = False
    with spool.open("rb") as file:
        kept = b""
        while True:
            chunk = file.read()
            *lines, kept = (kept + chunk).split(b"\n")
            yield from (json.loads(line) for line in lines)
            if last and not chunk:
                return
            last = last or ended(POLL_S)


def _input_ended(wait_s: float) -> bool:
    """Whether standard input has ended; waits for that at most `wait_s` seconds."""
    ready, _, _ = select.select([0], [], [], wait_s)
    return bool(ready) and not os.read(0, 4096)


def main(arguments: Sequence[str]) -> int:
    """Follow one spool. 0 when all of it was passed on, 1 when W&B failed; the status file has why."""
    spool = Path(arguments[0])
    status = spool.with_name("wandb-status.json")
    try:
        with boundary(InfraError, "nothing more is sent"):
            import wandb

            sink = Sink(wandb, lambda said: write_json(status, said))
            for row in follow(spool, _input_ended):
                sink.take(row)
                if sink.finished:
                    break
            sink.finish(KILLED)
    except HarnessError as error:
        write_json(status, {"state": "failed", "error": " ".join(str(error).split())})
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

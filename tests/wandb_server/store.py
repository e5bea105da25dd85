"""What the stand-in remembers: runs, sweeps, agents, artifacts, saved views. Plain objects, no protocol."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.wandb_server.graphql import Refused

Key = tuple[str, str]
"""Entity and project."""


def now() -> str:
    """The time, as W&B writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def opaque(kind: str, *parts: str) -> str:
    """An identifier that tells clients nothing."""
    return base64.b64encode(":".join((kind, *parts)).encode()).decode()


@dataclass
class Run:
    """One run. `history` holds the rows at the offsets where the client put them."""

    key: Key
    name: str
    state: str = "pending"
    display: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    console: dict[int, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    """Tags, group, job type, notes and the like, as sent."""
    sweep: str | None = None
    exit_code: int | None = None
    stopped: bool = False
    files: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    created: str = field(default_factory=now)

    @property
    def id(self) -> str:
        return opaque("Run", *self.key, self.name)

    @property
    def plain_config(self) -> dict[str, Any]:
        """The config without the client's own part and its wrapping."""
        return {name: item["value"] for name, item in self.config.items() if name != "_wandb"}

    def take(self, body: Mapping[str, Any]) -> None:
        """A message of the file stream. A repeated one is at the same offset, hence changes nothing."""
        for name, chunk in (body.get("files") or {}).items():
            offset, lines = chunk.get("offset", 0), chunk.get("content") or []
            if name == "wandb-summary.json":
                self.summary = json.loads(lines[-1])
            elif name == "output.log":
                self.console |= {offset + n: line for n, line in enumerate(lines)}
            else:
                rows = self.history if name == "wandb-history.jsonl" else self.events
                rows.extend({} for _ in range(offset + len(lines) - len(rows)))
                rows[offset : offset + len(lines)] = [json.loads(line) for line in lines]
        if body.get("complete"):
            self.exit_code = body.get("exitcode", 0)
            self.state = "finished" if not self.exit_code else "killed" if self.stopped else "failed"
        elif self.state in ("pending", "crashed"):
            self.state = "running"

    def dump(self) -> dict[str, Any]:
        """What a test looks at."""
        found = {k: v for k, v in vars(self).items() if k not in ("config", "console", "facts", "key")}
        console = [line for _, line in sorted(self.console.items())]
        return {
            **found,
            **self.facts,
            "project": self.key[1],
            "config": self.plain_config,
            "console": console,
        }


@dataclass
class Sweep:
    """One sweep, and how many of its points were handed out."""

    key: Key
    name: str
    state: str = "PENDING"
    text: str = "{}"
    config: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    handed_out: int = 0
    created: str = field(default_factory=now)

    @property
    def id(self) -> str:
        return opaque("Sweep", *self.key, self.name)

    def point(self) -> dict[str, Any] | None:
        """The next setting, nested; None when all were handed out. Bayes draws like random."""
        cap = self.config.get("run_cap")
        if cap is not None and self.handed_out >= cap:
            return None
        leaves = sorted(_leaves(self.config.get("parameters") or {}, ()))
        number = self.handed_out
        if self.config.get("method") == "grid":
            rows = itertools.product(*(_grid(name, leaf) for name, leaf in leaves))
            row = next(itertools.islice(rows, number, None), None)
            if row is None:
                return None
        else:
            dice = random.Random(f"{self.name}{number}")
            row = tuple(_drawn(leaf, dice) for _, leaf in leaves)
        self.handed_out += 1
        nested: dict[str, Any] = {}
        for (path, _), value in zip(leaves, row, strict=True):
            place = nested
            for part in path[:-1]:
                place = place.setdefault(part, {})
            place[path[-1]] = value
        return nested


def _leaves(parameters: Mapping[str, Any], before: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, leaf in parameters.items():
        if isinstance(leaf, dict) and "parameters" in leaf:
            yield from _leaves(leaf["parameters"], (*before, name))
        else:
            yield (*before, name), leaf


def _grid(name: tuple[str, ...], leaf: Mapping[str, Any]) -> list[Any]:
    if "value" in leaf:
        return [leaf["value"]]
    if "values" in leaf:
        return list(leaf["values"])
    if isinstance(leaf.get("min"), int) and isinstance(leaf.get("max"), int):
        return list(range(leaf["min"], leaf["max"] + 1))
    raise Refused(f"invalid sweep config: {'.'.join(name)} is not discrete")


def _drawn(leaf: Mapping[str, Any], dice: random.Random) -> Any:
    if "value" in leaf or "values" in leaf:
        return leaf["value"] if "value" in leaf else dice.choice(leaf["values"])
    whole = isinstance(leaf["min"], int) and isinstance(leaf["max"], int)
    return (dice.randint if whole else dice.uniform)(leaf["min"], leaf["max"])


@dataclass
class Agent:
    """One `wandb agent`."""

    name: str
    sweep: Sweep
    host: str
    runs: list[Run] = field(default_factory=list)
    created: str = field(default_factory=now)

    @property
    def id(self) -> str:
        return opaque("Agent", self.name)


@dataclass
class Artifact:
    """One version of an artifact."""

    key: Key
    collection: str
    type: str
    version: int
    digest: str
    given: dict[str, Any]
    made_by: str = ""
    state: str = "PENDING"
    aliases: list[str] = field(default_factory=list)
    manifest: str | None = None
    created: str = field(default_factory=now)

    @property
    def id(self) -> str:
        return opaque("Artifact", *self.key, self.collection, str(self.version))

    def dump(self) -> dict[str, Any]:
        """What a test looks at."""
        facts = {k: getattr(self, k) for k in ("type", "version", "state", "aliases", "made_by")}
        metadata = json.loads(self.given.get("metadata") or "{}")
        return {"id": self.id, "name": f"{self.collection}:v{self.version}", "metadata": metadata, **facts}


class Store:
    """Everything, behind one lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.projects: dict[Key, str] = {}
        self.runs: dict[tuple[Key, str], Run] = {}
        self.sweeps: dict[tuple[Key, str], Sweep] = {}
        self.agents: dict[str, Agent] = {}
        self.artifacts: dict[str, Artifact] = {}
        self.clients: dict[str, str] = {}
        """Artifacts by the id that the client gave them."""
        self.blobs: dict[str, bytes] = {}
        self.by_md5: dict[str, str] = {}
        self.manifests: dict[str, str] = {}
        """Artifact of each manifest."""
        self.views: dict[str, dict[str, Any]] = {}
        self.operations: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self._names = itertools.count(1)

    def fresh(self, kind: str) -> str:
        """A short name that was not given yet."""
        number = next(self._names)
        return hashlib.sha256(f"{kind}{number}".encode()).hexdigest()[:8]

    def project(self, entity: str | None, name: str | None) -> Key:
        """The key of a project, which this makes if need be."""
        key = (entity or "local", name or "uncategorized")
        self.projects.setdefault(key, now())
        return key

    def runs_of(self, key: Key, sweep: str | None = None) -> list[Run]:
        """Runs of a project, or of a sweep in it."""
        return [run for (at, _), run in self.runs.items() if at == key and sweep in (None, run.sweep)]

    def versions(self, key: Key, collection: str) -> list[Artifact]:
        """All versions of an artifact, the oldest first."""
        return [one for one in self.artifacts.values() if (one.key, one.collection) == (key, collection)]

    def named(self, key: Key, name: str) -> Artifact | None:
        """The artifact `collection:alias`, `:vN` or `:digest`."""
        collection, _, ref = name.partition(":")
        for one in self.versions(key, collection):
            known = (*one.aliases, f"v{one.version}", one.digest)
            if one.state == "COMMITTED" and (ref or "latest") in known:
                return one
        return None

    def move_aliases(self, to: Artifact, aliases: list[str]) -> None:
        """Give `to` the aliases, taking them from its other versions."""
        for one in self.versions(to.key, to.collection):
            one.aliases = [alias for alias in one.aliases if alias not in aliases]
        to.aliases = sorted({*to.aliases, *aliases})

    def heartbeat(self, agent_id: str, alive: Mapping[str, bool]) -> list[dict[str, Any]]:
        """What an agent is told: run this, stop that, or exit. It runs one at a time."""
        agent = self.agents.get(agent_id)
        if agent is None:
            raise Refused("no such agent", 404)
        sweep = agent.sweep
        if sweep.state == "CANCELED":
            return [{"type": "exit"}]
        live = [name for name, lives in alive.items() if lives]
        stopped = [name for name in live if self.runs[sweep.key, name].stopped]
        if live or sweep.state == "PAUSED":
            return [{"type": "stop", "run_id": name} for name in stopped]
        point = sweep.point() if sweep.state in ("PENDING", "RUNNING") else None
        if point is None:
            if all(run.state not in ("pending", "running") for run in self.runs_of(sweep.key, sweep.name)):
                sweep.state = "FINISHED"
            return [{"type": "exit"}]
        sweep.state = "RUNNING"
        config = {name: {"value": value} for name, value in point.items()}
        run = Run(sweep.key, self.fresh("run"), config=config, sweep=sweep.name)
        self.runs[sweep.key, run.name] = run
        agent.runs.append(run)
        program = sweep.config.get("program")
        facts = {"run_id": run.name, "run_storage_id": run.id, "program": program, "args": config}
        return [{"type": "run", **facts}]

    def dump(self) -> dict[str, Any]:
        """Everything that a test looks at, as plain data."""
        with self.lock:
            return {
                "runs": {run.name: run.dump() for run in self.runs.values()},
                "sweeps": {s.name: {"state": s.state, "config": s.config} for s in self.sweeps.values()},
                "artifacts": {one.id: one.dump() for one in self.artifacts.values()},
                "views": list(self.views.values()),
                "operations": dict(self.operations),
                "unknown": dict(self.unknown),
            }

"""Runs, sweeps, artifacts and views as GraphQL objects, with the fields that W&B's clients ask for."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from tests.wandb_server.graphql import page
from tests.wandb_server.store import Agent, Artifact, Key, Run, Store, Sweep, opaque

Object = dict[str, Any]
Given = Mapping[str, Any]


def lookup(run: Run, key: str) -> Any:
    """What a filter or an order of `Api().runs` names, such as `summary_metrics.eval/x/pass_at_1`."""
    head, _, rest = key.partition(".")
    if head in ("config", "summary_metrics"):
        place: Any = run.plain_config if head == "config" else run.summary
        for part in [rest] if rest in place else rest.removesuffix(".value").split("."):
            place = place.get(part) if isinstance(place, Mapping) else None
        return place
    named = {
        "created_at": run.created,
        "display_name": run.display,
        "state": run.state,
        "name": run.name,
        "sweep": run.sweep,
    }
    also = {"group": "groupName", "job_type": "jobType", "tags": "tags"}
    return named[key] if key in named else run.facts.get(also.get(key, key))


def matches(wanted: Any, run: Run) -> bool:
    """Whether a run passes a filter of MongoDB's kind."""
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "$eq": lambda a, b: a == b,
        "$ne": lambda a, b: a != b,
        "$in": lambda a, b: a in b,
        "$gt": lambda a, b: a is not None and a > b,
        "$gte": lambda a, b: a is not None and a >= b,
        "$lt": lambda a, b: a is not None and a < b,
        "$lte": lambda a, b: a is not None and a <= b,
        "$exists": lambda a, b: (a is not None) == b,
        "$regex": lambda a, b: re.search(b, str(a or "")) is not None,
    }
    for key, asked in (wanted or {}).items():
        if key in ("$and", "$or"):
            if not (all if key == "$and" else any)(matches(item, run) for item in asked):
                return False
            continue
        value = lookup(run, key)
        conditions = asked if isinstance(asked, dict) else {"$eq": asked}
        held = (value is not None and asked in value) if isinstance(value, list) else False
        if not held and not all(tests[name](value, item) for name, item in conditions.items()):
            return False
    return True


class Objects:
    """Builds objects over a store; `base` is the address that upload links begin with."""

    def __init__(self, store: Store, base: str) -> None:
        self.store, self.base = store, base

    def link(self, blob: str) -> str:
        return f"{self.base}/_blob/{quote(blob)}"

    def user(self) -> Object:
        none = page([], {}, lambda x: x)
        names = dict.fromkeys(("name", "entity", "username"), "local")
        facts = {
            "email": "local@localhost",
            "admin": False,
            "flags": "{}",
            "teams": none,
            "organizations": [],
        }
        return {"__typename": "User", "id": opaque("User", "local"), **names, **facts}

    def entity(self, name: str) -> Object:
        projects = [key for key in self.store.projects if key[0] == name]
        return {
            "__typename": "Entity", "id": opaque("Entity", name), "name": name, "isTeam": False,
            "organization": None, "project": lambda a: self.project((name, a["name"])),
            "projects": lambda a: page(projects, a, self.project),
        }  # fmt: skip

    def project(self, key: Key) -> Object | None:
        store = self.store
        if key not in store.projects:
            return None
        number = str(list(store.projects).index(key) + 1)
        sweeps = [one for (at, _), one in store.sweeps.items() if at == key]
        views = [view for view in store.views.values() if view["key"] == key]
        one: Callable[[Any, str], Any] = lambda a, where: getattr(store, where).get((key, a))  # noqa: E731
        return {
            "__typename": "Project", "id": opaque("Project", *key), "name": key[1], "entityName": key[0],
            "internalId": opaque("ProjectInternalId", number), "createdAt": store.projects[key],
            "isBenchmark": False, "readOnly": False, "user": self.user(),
            "entity": lambda a: self.entity(key[0]),
            "run": lambda a: self.run(one(a["name"], "runs")),
            "bucket": lambda a: self.run(one(a["name"], "runs")),
            "runs": lambda a: page(self.chosen(key, a), a, self.run),
            "runCount": lambda a: len(self.chosen(key, a)),
            "sweep": lambda a: self.sweep(one(a["sweepName"], "sweeps")),
            "sweeps": lambda a: page(sweeps, a, self.sweep), "totalSweeps": len(sweeps),
            "artifactType": lambda a: self.artifact_type(key, a["name"]),
            "artifact": lambda a: self.artifact(store.named(key, a["name"])),
            "artifactCollection": lambda a: self.collection(key, a["name"]),
            "artifactCollectionMembership": lambda a: self.membership(store.named(key, a["name"])),
            "allViews": lambda a: page(views, a, self.view),
        }  # fmt: skip

    def chosen(self, key: Key, given: Given, sweep: str | None = None) -> list[Run]:
        """Runs by filter and order."""
        wanted = json.loads(given.get("filters") or "{}")
        found = [run for run in self.store.runs_of(key, sweep) if matches(wanted, run)]
        for part in reversed((given.get("order") or "+created_at").split(",")):
            name = part.strip().lstrip("+-")
            known = [run for run in found if lookup(run, name) is not None]
            known.sort(key=lambda run, name=name: lookup(run, name), reverse=part.strip()[0] == "-")  # type: ignore[misc]
            found = known + [run for run in found if lookup(run, name) is None]
        return found

    def run(self, run: Run | None) -> Object | None:
        if run is None:
            return None
        facts, config = run.facts, run.config
        sweep = self.store.sweeps.get((run.key, run.sweep)) if run.sweep else None
        own = config.get("_wandb", {}).get("value", {})
        linked = lambda ids: lambda a: page([self.store.artifacts[i] for i in ids], a, self.artifact)  # noqa: E731
        names = {key: facts.get(key) for key in ("notes", "jobType", "commit", "host", "description")}
        return {
            "__typename": "Run", "id": run.id, "name": run.name, "internalId": run.id,
            "displayName": run.display or run.name, **names, "group": facts.get("groupName"),
            "groupName": facts.get("groupName"), "tags": facts.get("tags") or [], "state": run.state,
            "exitcode": run.exit_code, "stopped": run.stopped, "createdAt": run.created,
            "heartbeatAt": run.created, "updatedAt": run.created, "readOnly": False,
            "config": json.dumps(config), "summaryMetrics": json.dumps(run.summary),
            "wandbConfig": lambda a: json.dumps({k: own[k] for k in a.get("keys") or own if k in own}),
            "systemMetrics": json.dumps(run.events[-1] if run.events else {}),
            "sweepName": run.sweep, "sweep": lambda a: self.sweep(sweep), "user": self.user(),
            "historyLineCount": len(run.history), "eventsLineCount": len(run.events),
            "logLineCount": len(run.console),
            "historyTail": json.dumps([json.dumps(row) for row in run.history[-1:]]),
            "eventsTail": json.dumps([json.dumps(row) for row in run.events[-1:]]),
            "historyKeys": lambda a: history_keys(run),
            "history": lambda a: [json.dumps(row) for row in between(run, a)],
            "sampledHistory": lambda a: [sampled(run, text) for text in listed(a.get("specs"))],
            "parquetHistory": lambda a: {"parquetUrls": [], "liveData": run.history},
            "fileCount": len(run.files), "files": lambda a: page(self.files(run, a), a, lambda x: x),
            "project": lambda a: self.project(run.key), "projectId": "1",
            "outputArtifacts": linked(run.made), "inputArtifacts": linked(run.used),
        }  # fmt: skip

    def files(self, run: Run, given: Given) -> list[Object]:
        names = given.get("names") or sorted(run.files)
        return [self.file(f"run/{'/'.join(run.key)}/{run.name}/{name}", name) for name in names]

    def file(self, blob: str, name: str, digest: str | None = None) -> Object:
        data, link = self.store.blobs.get(blob, b""), self.link(blob)
        md5 = digest or base64.b64encode(hashlib.md5(data).digest()).decode()
        links = dict.fromkeys(("url", "directUrl", "uploadUrl"), link)
        facts = {"name": name, "displayName": name, "sizeBytes": len(data), "md5": md5, "digest": md5}
        more = {"uploadHeaders": [], "storagePath": blob, "uploadMultipartUrls": None}
        return {"__typename": "File", "id": opaque("File", blob), **links, **facts, **more}

    def sweep(self, sweep: Sweep | None) -> Object | None:
        if sweep is None:
            return None
        agents = [one for one in self.store.agents.values() if one.sweep is sweep]
        every = self.store.runs_of(sweep.key, sweep.name)
        facts = {key: sweep.facts.get(key) for key in ("displayName", "description", "controller")}
        return {
            "__typename": "Sweep", "id": sweep.id, "name": sweep.name, "state": sweep.state, **facts,
            "method": sweep.config.get("method"), "config": sweep.text, "createdAt": sweep.created,
            "updatedAt": sweep.created, "heartbeatAt": sweep.created, "runCount": len(every),
            "bestLoss": None, "runCountExpected": sweep.config.get("run_cap"), "scheduler": "{}",
            "runs": lambda a: page(self.chosen(sweep.key, a, sweep.name), a, self.run),
            "agents": lambda a: page(agents, a, self.agent), "priorRuns": lambda a: page([], a, self.run),
            "project": lambda a: self.project(sweep.key),
        }  # fmt: skip

    def agent(self, agent: Agent) -> Object:
        facts = {"name": agent.name, "host": agent.host, "state": "RUNNING", "totalRuns": len(agent.runs)}
        times = {"createdAt": agent.created, "heartbeatAt": agent.created, "metrics": "{}"}
        runs = lambda a: page(agent.runs, a, self.run)  # noqa: E731
        return {"__typename": "Agent", "id": agent.id, **facts, **times, "runs": runs}

    def view(self, view: Object | None) -> Object | None:
        if view is None:
            return None
        names = {"entityName": view["key"][0], "projectName": view["key"][1]}
        more = {"user": self.user(), "updatedBy": self.user(), "project": lambda a: self.project(view["key"])}
        return {"__typename": "View", **{k: v for k, v in view.items() if k != "key"}, **names, **more}

    def artifact_type(self, key: Key, name: str) -> Object:
        collections = sorted({one.collection for one in self.store.artifacts.values()
                              if (one.key, one.type) == (key, name)})  # fmt: skip
        listing = lambda a: page(collections, a, lambda c: self.collection(key, c))  # noqa: E731
        return {
            "__typename": "ArtifactType", "id": opaque("ArtifactType", *key, name), "name": name,
            "description": "", "createdAt": self.store.projects[key], "project": lambda a: self.project(key),
            "artifactCollections": listing, "artifactSequences": listing,
            "artifact": lambda a: self.artifact(self.store.named(key, a["name"])),
            "artifactCollection": lambda a: self.collection(key, a["name"]),
        }  # fmt: skip

    def collection(self, key: Key, name: str) -> Object | None:
        versions = [one for one in self.store.versions(key, name) if one.state == "COMMITTED"][::-1]
        if not versions:
            return None
        kind = versions[0].type
        aliases = [(one, alias) for one in versions for alias in one.aliases]
        return {
            "__typename": "ArtifactSequence ArtifactCollection", "id": opaque("Sequence", *key, name),
            "name": name, "description": "", "createdAt": versions[-1].created, "state": "READY",
            "updatedAt": versions[0].created, "type": lambda a: self.artifact_type(key, kind),
            "defaultArtifactType": lambda a: self.artifact_type(key, kind),
            "project": lambda a: self.project(key), "tags": lambda a: page([], a, lambda x: x),
            "aliases": lambda a: page(aliases, a, lambda pair: self.alias(*pair)),
            "artifacts": lambda a: page(versions, a, self.artifact),
            "artifactMembership": lambda a: self.membership(
                self.store.named(key, f"{name}:{a['aliasName']}")
            ),
        }  # fmt: skip

    def alias(self, one: Artifact, name: str) -> Object:
        facts = {"id": opaque("Alias", one.id, name), "alias": name}
        of = {"artifact": lambda a: self.artifact(one)}
        where = {"artifactCollection": lambda a: self.collection(one.key, one.collection)}
        return {"__typename": "ArtifactAlias", **facts, **of, **where}

    def membership(self, one: Artifact | None) -> Object | None:
        if one is None:
            return None
        return {
            "__typename": "ArtifactCollectionMembership", "id": opaque("Membership", one.id),
            "versionIndex": one.version, "createdAt": one.created,
            "aliases": [self.alias(one, name) for name in one.aliases],
            "artifact": lambda a: self.artifact(one), "files": lambda a: self.contents(one, a),
            "artifactCollection": lambda a: self.collection(one.key, one.collection),
        }  # fmt: skip

    def artifact(self, one: Artifact | None) -> Object | None:
        if one is None:
            return None
        users = [run for run in self.store.runs.values() if one.id in run.used]
        manifest = self.entries(one)
        facts = {name: one.given.get(name) for name in ("description", "metadata", "digest")}
        return {
            "__typename": "Artifact", "id": one.id, **facts, "state": one.state, "labels": "[]",
            "commitHash": one.digest, "versionIndex": one.version, "fileCount": len(manifest),
            "size": sum(entry.get("size") or 0 for entry in manifest.values()), "tags": [],
            "createdAt": one.created, "updatedAt": one.created, "ttlIsInherited": True,
            "ttlDurationSeconds": -2, "aliases": [self.alias(one, name) for name in one.aliases],
            "artifactType": lambda a: self.artifact_type(one.key, one.type),
            "artifactSequence": lambda a: self.collection(one.key, one.collection) or
            {"__typename": "ArtifactSequence", "id": opaque("Sequence", *one.key, one.collection),
             "name": one.collection, "latestArtifact": None},
            "artifactMemberships": lambda a: page([one], a, self.membership),
            "currentManifest": lambda a: self.manifest(one.manifest),
            "files": lambda a: self.contents(one, a),
            "filesByManifestEntries": lambda a: self.contents(one, a),
            "createdBy": lambda a: self.run(self.store.runs.get((one.key, one.made_by))),
            "usedBy": lambda a: page(users, a, self.run),
        }  # fmt: skip

    def manifest(self, name: str | None) -> Object | None:
        if name is None:
            return None
        file = self.file(f"manifest/{name}", "wandb_manifest.json")
        return {"__typename": "ArtifactManifest", "id": name, "file": file}

    def entries(self, one: Artifact) -> dict[str, Any]:
        stored = self.store.blobs.get(f"manifest/{one.manifest}", b"{}")
        return dict(json.loads(stored).get("contents", {}))

    def contents(self, one: Artifact, given: Given) -> Object:
        entries = self.entries(one)
        asked = given.get("manifestEntries") or given.get("entries") or []
        names = given.get("names") or [item["name"] for item in asked] or sorted(entries)
        found = []
        for name in names:
            born = entries[name].get("birthArtifactID") or one.id
            found.append(self.file(f"artifact/{born}/{name}", name, entries[name]["digest"]))
        return page(found, given, lambda x: x)


def listed(value: Any) -> list[Any]:
    """GraphQL takes a single value for a list of one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def between(run: Run, given: Given) -> list[Object]:
    """The history from `minStep` to before `maxStep`."""
    low, high = given.get("minStep") or 0, given.get("maxStep")
    return [row for row in run.history if row["_step"] >= low and (high is None or row["_step"] < high)]


def sampled(run: Run, text: str) -> list[Object]:
    """The rows that have all the keys asked for; never fewer than there are."""
    keys = json.loads(text or "{}").get("keys")
    if not keys:
        return run.history
    return [{k: row[k] for k in keys} for row in run.history if all(k in row for k in keys)]


def history_keys(run: Run) -> Object:
    """Which keys the history has."""
    counts: dict[str, int] = {}
    for row in run.history:
        for key in row:
            counts[key] = counts.get(key, 0) + 1
    keys = {
        key: {"typeCounts": [{"type": "number", "count": n}], "monotonic": True} for key, n in counts.items()
    }
    return {"sets": [], "keys": keys, "lastStep": run.history[-1]["_step"] if run.history else -1}

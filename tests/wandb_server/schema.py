"""The roots of the schema: what can be asked, and what each mutation changes."""

from __future__ import annotations

import json
from collections.abc import Callable

import yaml

from tests.wandb_server.graphql import Refused, page
from tests.wandb_server.objects import Given, Object, Objects
from tests.wandb_server.store import Agent, Artifact, Run, Store, Sweep, now, opaque


def queries(store: Store, base: str) -> Object:
    """The root of queries."""
    make = Objects(store, base)
    features = [{"name": "FILESTREAM_GZIP", "isEnabled": True}]
    server = {"cliVersionInfo": {"max_cli_version": "99.0.0"}, "latestLocalVersionInfo": None}
    project = lambda a: make.project((a.get("entityName") or "local", a.get("name")))  # noqa: E731
    named = lambda a: [key for key in store.projects if key[0] == (a.get("entityName") or "local")]  # noqa: E731
    introspected = {"inputFields": [], "enumValues": [], "fields": [{"name": "internalId"}]}
    return {
        "__typename": "Query", "viewer": lambda a: make.user(), "project": project, "model": project,
        "entity": lambda a: make.entity(a.get("name") or "local"),
        "models": lambda a: page(named(a), a, make.project),
        "organization": None, "serverInfo": {**server, "features": features},
        "artifact": lambda a: make.artifact(store.artifacts.get(a["id"])),
        "clientIDMapping": lambda a: {"serverID": store.clients.get(a["clientID"])},
        "view": lambda a: make.view(store.views.get(a["id"])),
        "__type": lambda a: {"name": a.get("name"), **introspected}, "__schema": {"types": []},
    }  # fmt: skip


def mutations(store: Store, base: str) -> Object:
    """The root of mutations; each takes one `input`."""
    writer = Writer(store, Objects(store, base))
    names = [name for name in dir(writer) if name[0].islower()]
    calls = {name: getattr(writer, name) for name in names if callable(getattr(writer, name))}

    def bound(call: Callable[[Given], Object]) -> Callable[[Given], Object]:
        return lambda a: call(a.get("input") or a)

    return {"__typename": "Mutation", **{name: bound(call) for name, call in calls.items()}}


class Writer:
    """The mutations, each under its own name in the schema."""

    def __init__(self, store: Store, make: Objects) -> None:
        self._store, self._make = store, make

    def upsertModel(self, given: Given) -> Object:
        key = self._store.project(given.get("entityName"), given.get("name"))
        return {"model": self._make.project(key), "inserted": True}

    def upsertBucket(self, given: Given) -> Object:
        store = self._store
        run = next((run for run in store.runs.values() if run.id == given.get("id")), None)
        inserted = False
        if run is None:
            key = store.project(given.get("entityName"), given.get("modelName"))
            name = given.get("name") or store.fresh("run")
            inserted = (key, name) not in store.runs
            run = store.runs.setdefault((key, name), Run(key, name))
        for field in ("tags", "groupName", "jobType", "notes", "host", "commit", "description"):
            if given.get(field) is not None:
                run.facts[field] = given[field]
        run.display = given.get("displayName") or run.display
        run.sweep = given.get("sweep") or run.sweep
        run.config = json.loads(given["config"]) if given.get("config") else run.config
        run.summary = json.loads(given["summaryMetrics"]) if given.get("summaryMetrics") else run.summary
        run.state = "running"
        return {"bucket": self._make.run(run), "inserted": inserted}

    def createRunFiles(self, given: Given) -> Object:
        run = self._store.runs[(given["entityName"], given["projectName"]), given["runName"]]
        run.files = sorted({*run.files, *given["files"]})
        files = self._make.files(run, {"names": given["files"]})
        return {"runID": run.id, "uploadHeaders": [], "files": files}

    def upsertSweep(self, given: Given) -> Object:
        store = self._store
        sweep = next((one for one in store.sweeps.values() if one.id == given.get("id")), None)
        if sweep is None:
            key = store.project(given.get("entityName"), given.get("projectName"))
            name = store.fresh("sweep")
            sweep = store.sweeps[key, name] = Sweep(key, name)
        if given.get("config"):
            config = yaml.safe_load(given["config"])
            if config.get("method") not in ("grid", "random", "bayes", "custom"):
                raise Refused(f"invalid sweep config: method {config.get('method')!r}")
            sweep.text, sweep.config = given["config"], config
        sweep.state = given.get("state") or sweep.state
        for field in ("displayName", "description", "controller"):
            sweep.facts[field] = given.get(field) or sweep.facts.get(field)
        return {"sweep": self._make.sweep(sweep), "configValidationWarnings": []}

    def createAgent(self, given: Given) -> Object:
        key = (given.get("entityName") or "local", given.get("projectName") or "uncategorized")
        sweep = self._store.sweeps.get((key, given["sweep"]))
        if sweep is None:
            raise Refused("no such sweep", 404)
        agent = Agent(self._store.fresh("agent"), sweep, given["host"])
        self._store.agents[agent.id] = agent
        return {"agent": self._make.agent(agent)}

    def agentHeartbeat(self, given: Given) -> Object:
        commands = self._store.heartbeat(given["id"], json.loads(given.get("runState") or "{}"))
        return {"agent": self._make.agent(self._store.agents[given["id"]]), "commands": json.dumps(commands)}

    def createArtifact(self, given: Given) -> Object:
        store = self._store
        key = store.project(given.get("entityName"), given.get("projectName"))
        names = given.get("artifactCollectionNames") or [given.get("artifactCollectionName")]
        aliases = [item["alias"] for item in given.get("aliases") or []]
        versions = store.versions(key, names[0])
        one = next((old for old in versions if old.digest == given["digest"]), None)
        if one is None:
            facts = (given["artifactTypeName"], len(versions), given["digest"], dict(given))
            one = Artifact(key, names[0], *facts, made_by=given.get("runName") or "")
            store.artifacts[one.id] = one
        elif one.state == "COMMITTED":
            store.move_aliases(one, aliases)  # the same content again is the same version
        store.clients[given.get("clientID") or ""] = one.id
        run = store.runs.get((key, given.get("runName") or ""))
        if run is not None and one.id not in run.made:
            run.made.append(one.id)
        return {"artifact": self._make.artifact(one)}

    def createArtifactManifest(self, given: Given) -> Object:
        name = self._store.fresh("manifest")
        self._store.manifests[name] = given["artifactID"]
        if given.get("type", "FULL") == "FULL":
            self._store.artifacts[given["artifactID"]].manifest = name
        return {"artifactManifest": self._make.manifest(name)}

    def createArtifactFiles(self, given: Given) -> Object:
        files = []
        for item in given["artifactFiles"]:
            blob = f"artifact/{item['artifactID']}/{item['name']}"
            self._store.by_md5[item.get("md5") or ""] = blob
            one = self._store.artifacts[item["artifactID"]]
            artifact = lambda a, one=one: self._make.artifact(one)  # type: ignore[misc]  # noqa: E731
            files.append({**self._make.file(blob, item["name"]), "artifact": artifact})
        return {"files": page(files, {}, lambda x: x)}

    def commitArtifact(self, given: Given) -> Object:
        one = self._store.artifacts[given["artifactID"]]
        one.state = "COMMITTED"
        asked = [item["alias"] for item in one.given.get("aliases") or []]
        self._store.move_aliases(one, list({*asked, "latest"}))
        return {"artifact": self._make.artifact(one)}

    def useArtifact(self, given: Given) -> Object:
        key = (given["entityName"], given["projectName"])
        run, one = self._store.runs[key, given["runName"]], self._store.artifacts[given["artifactID"]]
        if one.id not in run.used:
            run.used.append(one.id)
        return {"artifact": self._make.artifact(one)}

    def upsertView(self, given: Given) -> Object:
        store = self._store
        view = store.views.get(given.get("id") or "")
        inserted = view is None
        if view is None:
            key = store.project(given.get("entityName"), given.get("projectName"))
            name = given.get("name") or store.fresh("view")
            view = {"id": opaque("View", name), "key": key, "name": name, "createdAt": now()}
            store.views[view["id"]] = view
        for field in ("type", "displayName", "description", "spec", "name"):
            if given.get(field) is not None or field not in view:
                view[field] = given.get(field)
        view["updatedAt"] = now()
        return {"view": self._make.view(view), "inserted": inserted}

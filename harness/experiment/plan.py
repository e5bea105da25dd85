"""The stage graph of an experiment: what is trained from what, and the digest of each step.

    generator -> [trajectories -> value(gamma) -> improve(grpo | expert_iteration)] per round -> evaluations

A stage's key holds exactly what its result depends on, so a sweep over alpha trains nothing twice, and one
over gamma trains value models alone: trajectories are collected by log-probability unless asked otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import checkpoints, devices
from harness.errors import UserError
from harness.experiment.cache import StageKey
from harness.experiment.exclusions import check_leaks, check_settings, improving_asks_value
from harness.experiment.selection import Problems, gold_digest, problems_digest, sample, select
from harness.experiment.spec import ExperimentSpec, ImproveSpec
from harness.nested import digest
from harness.paths import expanded
from harness.policies import spec as policies
from harness.prompts.embedded import FORMAT
from harness.prompts.registry import family
from harness.provers.best_first import SearchSpec
from harness.records.provenance import versions
from harness.serving import hub
from harness.serving.weights import UNKNOWN
from harness.spec import LeanSpec, RuntimeSpec
from harness.types import Problem
from harness.values import spec as values

TRAINING_PACKAGES = ("lean-harness", "torch", "transformers", "trl", "tokenizers")
"""A new version of any of these may change what a training gives, so it is part of every stage's key."""


ADOPTED = "checkpoints"
"""Folder under the runs folder with checkpoints that were not made here."""

Stages = list[tuple[str, StageKey]]
"""Stages with their names for people, in the order in which they run."""


@dataclass(frozen=True, slots=True)
class Model:
    """A checkpoint (one that exists, that a stage will make, or on the hub), or a model from outside."""

    digest: str
    stage: StageKey | None = None
    path: Path | None = None
    on_hub: tuple[str, str] | None = None
    """Name there, and commit (`UNKNOWN` where nobody tells it)."""

    @classmethod
    def made_by(cls, stage: StageKey) -> Model:
        """What `stage` leaves behind."""
        return cls(stage.digest, stage)

    def weights(self, root: Path) -> str | None:
        """12 hex digits of the hash of the weights that its stage left; None before, and of a given model,
        whose digest is that hash or all that is known."""
        folder = self.folder(root) if self.stage is not None else None
        if folder is None or not (folder / checkpoints.SEAL).is_file():
            return None
        return checkpoints.read(folder).weights[:12]

    def folder(self, root: Path) -> Path:
        """Where the checkpoint lies, or will lie, under the runs folder `root`."""
        if self.stage is not None:
            return self.stage.folder(root)
        if self.on_hub is not None:
            name, commit = self.on_hub
            return root / ADOPTED / f"{name.replace('/', '--')}-{commit[:12]}"
        assert self.path is not None
        return self.path


@dataclass(frozen=True, slots=True)
class Round:
    """One co-training round; `number` counts from 1."""

    number: int
    generator: Model
    """The generator that it starts from."""
    guide: Model | None
    """The value model that helps to collect; None when log-probability alone does."""
    search: SearchSpec
    """The search that collects, where proofs are not sampled for it."""
    problems: tuple[Problem, ...]
    """The training theorems that are searched or sampled."""
    trajectories: StageKey
    value: StageKey
    improve: StageKey | None
    result: Model
    """The generator that it ends with."""

    def stages(self) -> Stages:
        """Its stages with their names for people, in the order in which they run."""
        found = [("trajectories", self.trajectories), ("value", self.value)]
        if self.improve is not None:
            found.append((self.improve.stage, self.improve))
        return [(f"round {self.number}: {name}", key) for name, key in found]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that an experiment trains."""

    spec: ExperimentSpec
    train: tuple[Problem, ...]
    warm_start: Model
    rounds: tuple[Round, ...]
    given_value: Model | None = None
    """An existing value model, used instead of a trained one."""

    @property
    def trained(self) -> Model:
        """The generator after the last round."""
        return self.trained_after(None)

    @property
    def value(self) -> Model | None:
        """The value model given, else that of the last round; None without either."""
        return self.value_after(None)

    def trained_after(self, number: int | None) -> Model:
        """The generator after round `number`; None: the last."""
        done = self.rounds[:number]
        return done[-1].result if done else self.warm_start

    def value_after(self, number: int | None) -> Model | None:
        """The value model given, else that of round `number` (None: the last); None without either."""
        if self.given_value is not None:
            return self.given_value
        done = self.rounds[:number]
        return Model.made_by(done[-1].value) if done else None

    def stages(self) -> Stages:
        """Every stage with its name for people, in the order in which they run."""
        first = self.warm_start.stage
        found = [] if first is None else [("generator", first)]
        return found + [stage for item in self.rounds for stage in item.stages()]

    def needed(self, models: Iterable[Model]) -> Stages:
        """The stages that `models` come from, in order."""
        wanted = {model.digest for model in models}
        for item in reversed(self.rounds):
            improves = item.improve is not None and item.improve.digest in wanted
            imitates = item.improve is not None and improves and item.improve.stage == "expert_iteration"
            if improves and improving_asks_value(self.spec):
                wanted.add(item.value.digest)
            if imitates or item.value.digest in wanted:
                wanted.update(earlier.trajectories.digest for earlier in self.rounds[: item.number])
            searches = item.trajectories.digest in wanted
            if improves or searches:
                wanted.add(item.generator.digest)
            if searches and item.guide is not None:
                wanted.add(item.guide.digest)
        return [(name, key) for name, key in self.stages() if key.digest in wanted]

    def up_to(self, kind: str) -> Stages:
        """All stages up to the last of this kind. Raises `UserError` when there is none."""
        stages = self.stages()
        last = max((place for place, (_, key) in enumerate(stages) if key.stage == kind), default=-1)
        if last < 0:
            kinds = ", ".join(dict.fromkeys(key.stage for _, key in stages)) or "none"
            raise UserError(f"no stage {kind!r} in this experiment; it has: {kinds}")
        return stages[: last + 1]


def plan(spec: ExperimentSpec) -> Plan:
    """The stages of `spec` with their keys; nothing is trained and no model is loaded.

    Raises `SpecError` for settings that cannot work together, for an unknown benchmark, and when a theorem
    that is evaluated is also trained on.
    """
    check_settings(spec)
    if spec.policy is not None:
        return Plan(spec, (), Model(digest(policies.identity(spec.policy))), (), _given_value(spec))
    train = select(spec.trained_on, spec.seed)
    check_leaks(spec, train)
    warm_start = _generator(spec, train)
    rounds: list[Round] = []
    for number in range(1, spec.rounds + 1):
        generator = rounds[-1].result if rounds else warm_start
        rounds.append(_round(spec, train, number, generator, rounds))
    return Plan(spec, train, warm_start, tuple(rounds), _given_value(spec))


def _given_value(spec: ExperimentSpec) -> Model | None:
    return None if spec.value_model is None else Model(digest(values.identity(spec.value_model)))


def lean_inputs(lean: LeanSpec) -> dict[str, Any]:
    """What of the Lean settings can change a verdict or a state; the number of workers cannot."""
    found = {"service": lean.service, "project": lean.project, "heartbeats": lean.heartbeats}
    step = {} if lean.step is None else {"step": {"service": lean.step.service, "project": lean.step.project}}
    return {**found, **step}


def environment(spec: ExperimentSpec) -> dict[str, Any]:
    """What every stage depends on beside its own settings."""
    return {
        "packages": versions(TRAINING_PACKAGES),
        "prompt_format": prompt_format(spec),
        "seed": spec.seed,
        **compute(spec.runtime),
        "lean": lean_inputs(spec.lean),
    }


def prompt_format(spec: ExperimentSpec) -> str:
    """What tells how the generator is asked, and in which numbers it answers."""
    asked = spec.generator.prompt
    return FORMAT if asked is None else f"{asked} {family(asked).digest}, {spec.generator.dtype}"


def serving(spec: ExperimentSpec) -> dict[str, str]:
    """Who answers for the experiment's own models where this process does not: a server draws other samples
    of the same weights."""
    how = spec.serving
    if how is None:
        return {}
    return {"served": "vllm" if how.context is None else f"vllm, context {how.context}"}


def compute(runtime: RuntimeSpec) -> dict[str, Any]:
    """What of the runtime can change a number: threads, and the device when it is not the CPU."""
    device = devices.resolve(runtime.device)
    return {"threads": runtime.threads} | ({} if device == "cpu" else {"device": device})


def _generator(spec: ExperimentSpec, train: Problems) -> Model:
    settings = spec.generator
    if settings.checkpoint is not None:
        named = settings.prompt is not None or spec.improve.backend == "openrlhf"
        return existing(settings.checkpoint, may_be_remote=named, revision=settings.revision)
    made = settings.model_dump(exclude={"checkpoint"})
    inputs = {"generator": made, "gold": gold_digest(train), **environment(spec)}
    return Model.made_by(StageKey("generator", inputs))


def existing(
    name: str,
    may_be_remote: bool = False,
    kind: checkpoints.Kind = "generator",
    revision: str | None = None,
) -> Model:
    """The model `name`: a checkpoint folder, or where it `may_be_remote` also a name on the hub.

    Raises `UserError` when it has to be a folder and is none, or an incomplete one.
    """
    path = expanded(name)
    if may_be_remote and not path.exists():
        named = _named(name, revision)
        return Model(digest(named), on_hub=(name, named["revision"]))
    return Model(checkpoints.read(path, kind).weights[:12], path=path)


def _round(
    spec: ExperimentSpec, train: Problems, number: int, generator: Model, before: Sequence[Round]
) -> Round:
    settings, shared = spec.trajectories, environment(spec)
    search = settings.search if before else settings.search.model_copy(update={"alpha": 1.0})
    # In the first round there is no value model yet, whatever alpha says.
    guide = Model.made_by(before[-1].value) if before and settings.asks_value else None
    problems = sample(train, min(settings.problems, len(train)), spec.seed * 1000 + number)
    inputs: dict[str, Any] = {
        "round": number,
        **_collecting(spec, search),
        "problems": problems_digest(problems),
        "generator": generator.digest,
        "value": guide.digest if guide else None,
        **serving(spec),
        **shared,
    }
    trajectories = StageKey("trajectories", inputs)
    seen = [*(item.trajectories.digest for item in before), trajectories.digest]
    made = spec.value.model_dump(exclude={"trainer": VALUE_LAYOUT_ALONE, "backbone_revision": True})
    inputs = {"value": made, "trajectories": seen, "backbone": _backbone(spec, generator), **shared}
    value = StageKey("value", inputs)
    improve = _improve(spec, train, number, generator, value, seen)
    result = generator if improve is None else Model.made_by(improve)
    return Round(number, generator, guide, search, problems, trajectories, value, improve, result)


def _collecting(spec: ExperimentSpec, search: SearchSpec) -> dict[str, Any]:
    samples = spec.trajectories.samples
    if samples is None:
        return {"search": search.model_dump()}
    return {"samples": samples, "whole_proof": spec.whole_proof.model_dump()}


def _backbone(spec: ExperimentSpec, generator: Model) -> str:
    """What tells the weights under the value model; of a model on the hub its name and commit."""
    given = spec.value.backbone
    if given is None:
        return generator.digest
    if spec.value.trainer is None:
        return existing(given).digest
    folder = expanded(given)
    if not folder.is_dir():
        return digest(_named(given, spec.value.backbone_revision))
    if missing := checkpoints.lacking(folder):
        raise UserError(f"value.backbone: {folder} lacks {', '.join(missing)}; name another folder")
    return checkpoints.weights_hash(folder)[:12]


def _named(name: str, revision: str | None) -> dict[str, str]:
    """A model on the hub. Where nobody tells its commit it can be planned with, and not begun."""
    return {"model": name, "revision": hub.commit_of(name, revision) or UNKNOWN}


def _improve(
    spec: ExperimentSpec,
    train: Problems,
    number: int,
    generator: Model,
    value: StageKey,
    seen: Sequence[str],
) -> StageKey | None:
    method = spec.improve.method
    if method == "none":
        return None
    inputs: dict[str, Any] = {"round": number, "parent": generator.digest, **environment(spec)}
    if method == "grpo":
        inputs |= {"grpo": spec.grpo.model_dump(), **_backend(spec.improve)}
        if improving_asks_value(spec):
            inputs["value"] = value.digest
        # The reward's sampling is GRPO's own, only the length limit is shared with whole-proof evaluation.
        inputs |= {
            "max_new_tokens": spec.whole_proof.max_new_tokens,
            "problems": problems_digest(train),
            **(serving(spec) if spec.grpo.frontier is not None else {}),
        }
    else:
        inputs |= {"expert_iteration": spec.expert_iteration.model_dump(), "trajectories": list(seen)}
        if spec.improve.backend == "openrlhf":
            inputs |= {
                "backend": "openrlhf",
                "openrlhf": spec.improve.openrlhf.model_dump(include=SUPERVISED),
                "max_new_tokens": spec.whole_proof.max_new_tokens,  # the longest text follows it
            }
    return StageKey(method, inputs)


SUPERVISED = {
    *("placement", "train_gpus", "engines", "tensor_parallel", "zero_stage", "attention", "packing"),
    *("micro_batch", "gradient_checkpointing", "max_grad_norm"),
}
"""OpenRLHF's settings that expert iteration by it depends on: how many GPUs train, and how they compute."""


LAYOUT_ALONE = {
    *("python", "keep", "save_every", "start_timeout_s", "step_timeout_s", "unscored_in_a_row"),
    *("verify_concurrency", "verify_deadline_s", "vllm_memory", "enforce_eager"),
}
"""OpenRLHF's settings that change how a training runs and not what it is."""


VALUE_LAYOUT_ALONE = {"python", "save_every", "start_timeout_s", "step_timeout_s"}
"""The same of `value.trainer`."""


def _backend(improve: ImproveSpec) -> dict[str, Any]:
    """What of GRPO's backend its result depends on; the plain local one adds nothing to older keys."""
    if improve.backend == "openrlhf":
        return {"backend": "openrlhf", "openrlhf": improve.openrlhf.model_dump(exclude=LAYOUT_ALONE)}
    lora = None if improve.lora is None else improve.lora.model_dump()
    vllm = None if improve.vllm_memory is None else True
    changed = {
        "bf16": improve.bf16 or None,
        "accumulation": improve.accumulation,
        "lora": lora,
        "vllm": vllm,
    }
    neutral = {"bf16": None, "accumulation": 1, "lora": None, "vllm": None}
    return {"backend": "local"} | {name: to for name, to in changed.items() if to != neutral[name]}

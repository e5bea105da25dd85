"""YAML to strict, typed specs: what an experiment is, in one object.

An experiment file fixes every value; unknown keys are errors that name the nearest known key. The CLI
builds the same `ExperimentSpec` that a Python user builds, and every stage is cached under the digest of
the parts it depends on. This module imports neither torch nor wandb nor httpx.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from harness.errors import SpecError
from harness.nested import Origins, nearest, origin_of
from harness.node_spec import NodeSpec, OpenRlhfSpec
from harness.strict import Spec

MAX_SEED = 4_000_000
"""A round trains with seed * 1000 + its number, and NumPy takes no seed above 2**32 - 1."""


class ProblemsSpec(Spec):
    """Which problems."""

    benchmark: str
    """Manifest name under `datasets/`."""
    split: str
    """Split of that benchmark."""
    limit: int | None = Field(default=None, ge=1)
    """Take this many, a seeded sample that does not depend on file order; null takes all."""
    max_difficulty: int | None = Field(default=None, ge=1)
    """Leave out problems graded harder than this; null keeps all."""


class LeanSpec(Spec):
    """Where Lean is, and how verdicts are reached."""

    service: Literal["core", "file", "repl", "kimina"]
    """`core`: the embedded fragment in process; `file`: one `lean` process a check;
    `repl`: own pool of REPLs; `kimina`: Kimina server(s)."""
    project: str | None = None
    """Lean project folder for `repl` (null: the embedded core's REPL program), for `file` (a folder with
    `bin/lean` will do) and for stronger judges."""
    urls: tuple[str, ...] = ()
    """Kimina servers, for `kimina`; the key is read from LEAN_SERVER_API_KEY."""
    workers: int = Field(default=1, ge=1)
    """Processes at once, or requests in flight per server."""
    timeout_s: float = Field(default=60.0, gt=0)
    """Seconds given to one check."""
    memory_mb: int = Field(default=8192, ge=64)
    """Memory limit of one Lean process."""
    heartbeats: int = Field(default=200_000, ge=1)
    """Deterministic step limit of one declaration or tactic."""
    recycle_after: int = Field(default=500, ge=1)
    """Checks after which a REPL process is replaced."""
    max_attempts: int = Field(default=3, ge=1)
    """Tries before a machine failure is recorded as INFRA."""
    level: Literal["fast", "strict"] = "strict"
    """Level of the verdicts that are reported; rewards always use `fast`."""
    judge: Literal["text", "compiled"] = "text"
    """What strict verdicts of real Lean rest on. `text`: on Lean's answers; `compiled`: the project's own
    kernel has to accept the compiled file too (`file`, and `repl` with a project)."""


class GeneratorSpec(Spec):
    """The tactic and proof generator: made here from a config, or an existing checkpoint."""

    checkpoint: str | None = None
    """Folder or model name of an existing generator; null makes one from the fields below and warms it up."""
    hidden_size: int = Field(default=96, ge=8)
    """Width of the Llama made at run time."""
    layers: int = Field(default=2, ge=1)
    """Its depth."""
    heads: int = Field(default=4, ge=1)
    """Its attention heads; must divide `hidden_size`."""
    vocab_size: int = Field(default=512, ge=260)
    """Byte-level BPE entries, the 256 bytes and the special tokens included."""
    context: int = Field(default=512, ge=64)
    """Longest sequence in tokens."""
    max_difficulty: int = Field(default=6, ge=1)
    """The warm start sees gold proofs of training theorems up to this difficulty (the easy part)."""
    steps: int = Field(default=3000, ge=0)
    """Warm-start optimizer steps; 0 leaves the weights random."""
    batch_size: int = Field(default=32, ge=1)
    """Examples a step."""
    learning_rate: float = Field(default=3.0e-3, gt=0)
    """Peak of the cosine schedule."""

    @model_validator(mode="after")
    def _divisible(self) -> GeneratorSpec:
        if self.hidden_size % self.heads:
            raise ValueError(f"hidden_size {self.hidden_size} must be a multiple of heads {self.heads}")
        return self


class SamplingSpec(Spec):
    """How tokens are drawn; the same words mean the same for every model, in this process or served."""

    _neutral: ClassVar[dict[str, Any]] = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0}

    temperature: float = Field(default=1.0, gt=0)
    """Sampling temperature; not used by `beam` and `greedy`."""
    top_k: int = Field(default=0, ge=0)
    """Draw from this many of the likeliest tokens; 0 from all."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Draw from the likeliest tokens that together reach this probability (nucleus); 1 from all."""
    min_p: float = Field(default=0.0, ge=0, lt=1)
    """Draw from tokens at least this probable relative to the likeliest; 0 from all."""
    repetition_penalty: float = Field(default=1.0, gt=0)
    """Divides the positive and multiplies the negative logits of tokens met before; 1 changes nothing."""

    @model_serializer(mode="wrap")
    def _without_neutral(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What changes nothing is not written, so that it is in no digest."""
        return {key: value for key, value in handler(self).items() if self._neutral.get(key, ...) != value}


class DecodeSpec(SamplingSpec):
    """How tactics are proposed."""

    method: Literal["beam", "greedy", "sample"] = "beam"
    """`beam`: the most likely tactics, deterministic; `greedy`: one tactic of the likeliest tokens;
    `sample`: distinct samples."""
    width: int = Field(default=8, ge=1)
    """Tactics proposed for a state (K)."""
    max_tactic_tokens: int = Field(default=32, ge=1)
    """Longest tactic in tokens."""


class SearchSpec(Spec):
    """Best-first search: priority = alpha * log-probability + (1 - alpha) * value, each on its scale."""

    alpha: float = Field(default=0.5, ge=0, le=1)
    """1 ranks by log-probability alone (the value model is never asked), 0 by value alone."""
    logprob_scale: Literal["sum", "mean", "length"] = "sum"
    """`sum` over the path as in the reference; `mean` per step; `length`: sum / steps**length_exponent."""
    length_exponent: float = Field(default=0.5, ge=0, le=1)
    """Exponent of `logprob_scale: length`."""
    value_scale: Literal["value", "distance"] = "distance"
    """`value`: raw V as in the reference; `distance`: log V / log(1/gamma), minus the tactics left."""
    expansions: int = Field(default=64, ge=1)
    """Budget: nodes for which the policy is asked. Exact, never one more."""
    tactic_calls: int = Field(default=1024, ge=1)
    """Budget: tactics applied in Lean."""
    wall_clock_s: float = Field(default=600.0, gt=0)
    """Safety net; a search that it stops says so."""
    decode: DecodeSpec = DecodeSpec()
    """How tactics are proposed."""


class WholeProofSpec(SamplingSpec):
    """Whole-proof sampling."""

    _neutral: ClassVar[dict[str, Any]] = {**SamplingSpec._neutral, "method": "sample"}

    method: Literal["greedy", "sample"] = "sample"
    """`greedy`: the one proof of the likeliest tokens; `sample`."""
    max_new_tokens: int = Field(default=64, ge=1)
    """Longest proof in tokens."""


class TrajectoriesSpec(Spec):
    """Search on training theorems that yields labelled states."""

    problems: int = Field(default=400, ge=1)
    """Training theorems searched a round."""
    search: SearchSpec = SearchSpec(alpha=1.0)
    """The search that collects; alpha 1 keeps it independent of the value model, hence of gamma."""


class ValueSpec(Spec):
    """The value model: sequence classification with one label, BCE-with-logits against gamma**d."""

    gamma: float = Field(default=0.95, gt=0, le=1)
    """Discount of the labels: a state d tactics from QED is labelled gamma**d (one left: gamma)."""
    other_states: Literal["unlabelled", "zero", "unprovable"] = "unlabelled"
    """States off the proofs: left out; labelled 0 as in the reference; or 0 only when shown unprovable
    (every tactic proposed for them failed or led to such a state)."""
    oversample: int = Field(default=1, ge=1)
    """How often each positive example is repeated in training; after the split by theorem."""
    held_out: float = Field(default=0.1, gt=0, lt=1)
    """Share of theorems kept back to measure calibration and rank correlation."""
    epochs: int = Field(default=8, ge=1)
    """Passes over the labelled states of all rounds so far."""
    batch_size: int = Field(default=64, ge=1)
    """States a step."""
    learning_rate: float = Field(default=1.0e-3, gt=0)
    """Peak of the cosine schedule."""
    warmup_steps: int = Field(default=10, ge=0)
    """Steps of linear warm-up."""
    weight_decay: float = Field(default=0.01, ge=0)
    """AdamW weight decay."""


class GrpoSpec(Spec):
    """GRPO on verified whole proofs."""

    kl: float = Field(default=0.0, ge=0)
    """Coefficient of the KL term against the generator that the round started from (beta)."""
    samples: int = Field(default=8, ge=2)
    """Proofs sampled per prompt: the group that the advantage is normalised over."""
    prompts: int = Field(default=16, ge=1)
    """Prompts a step; samples * prompts proofs are verified each step."""
    steps: int = Field(default=120, ge=1)
    """Optimizer steps."""
    learning_rate: float = Field(default=3.0e-4, gt=0)
    """Constant."""
    temperature: float = Field(default=1.0, gt=0)
    """Sampling temperature."""
    clip_low: float = Field(default=0.2, gt=0, lt=1)
    """Lower clip of the importance ratio."""
    clip_high: float = Field(default=0.28, gt=0)
    """Upper clip of the importance ratio."""
    weight_decay: float = Field(default=0.01, ge=0)
    """AdamW weight decay."""
    min_difficulty: int = Field(default=1, ge=1)
    """Prompts are training theorems from this difficulty ..."""
    max_difficulty: int = Field(default=8, ge=1)
    """... up to this one: a band that is solved sometimes."""


class ExpertIterationSpec(Spec):
    """Fine-tuning on the proofs that search found, one (the shortest) per theorem."""

    steps: int = Field(default=400, ge=1)
    """Optimizer steps."""
    batch_size: int = Field(default=32, ge=1)
    """Examples a step."""
    learning_rate: float = Field(default=1.0e-3, gt=0)
    """Peak of the cosine schedule."""


class ImproveSpec(Spec):
    """How a round trains the generator."""

    method: Literal["grpo", "expert_iteration", "none"] = "grpo"
    """`none` trains the value model alone."""
    backend: Literal["local", "openrlhf"] = "local"
    """`local`: TRL in this process; `openrlhf`: OpenRLHF on the GPUs of the node."""
    bf16: bool = False
    """`local`: compute in bfloat16, on a GPU."""
    accumulation: int = Field(default=1, ge=1)
    """`local`: a step's samples go through the model in this many parts, which needs less memory."""
    openrlhf: OpenRlhfSpec = OpenRlhfSpec()
    """Settings of that backend."""


class EvaluationSpec(Spec):
    """One measurement: a prover, run on problems, counted."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    """Name of the row: lower-case letters, digits, hyphens."""
    prover: Literal["best_first", "whole_proof", "portfolio"]
    """How each problem is attempted."""
    generator: Literal["trained", "warm_start"] = "trained"
    """Which generator: after the last round, or before the first."""
    problems: ProblemsSpec
    """What is proved; the denominator."""
    alpha: float | None = Field(default=None, ge=0, le=1)
    """Overrides `search.alpha` in this evaluation (a baseline row); null follows it."""
    samples: int = Field(default=1, ge=1)
    """Attempts per problem (n)."""
    k: tuple[int, ...] = (1,)
    """pass@k is reported for these; each at most `samples`."""

    @model_validator(mode="after")
    def _alpha_of_a_search(self) -> EvaluationSpec:
        if self.alpha is not None and self.prover != "best_first":
            raise ValueError(f"alpha: {self.prover} has no use for it; take it out")
        return self

    @model_validator(mode="after")
    def _k_within_n(self) -> EvaluationSpec:
        for k in self.k:
            if self.k.count(k) > 1:
                raise ValueError(f"k: {k} is listed twice; list it once")
            if not 1 <= k <= self.samples:
                raise ValueError(
                    f"k: {k} is not between 1 and samples ({self.samples}): pass@{k} would be undefined"
                )
        return self


class TrackingSpec(Spec):
    """Where events go besides the record files."""

    wandb: Literal["off", "offline", "online", "auto"] = "auto"
    """`auto`: online when logged in, else offline. Never asks, never stops a run."""
    project: str = "lean-harness"
    """W&B project."""
    entity: str | None = None
    """W&B entity; null is the account's default."""

    @field_validator("wandb", mode="before")
    @classmethod
    def _off(cls, value: Any) -> Any:
        """YAML reads an unquoted `off` as false."""
        return "off" if value is False else value


class RuntimeSpec(Spec):
    """How the work is spread over the machine. Nothing here changes a number but `threads` and `device`."""

    threads: int = Field(default=2, ge=1)
    """CPU threads of torch; training results are repeatable for a fixed number."""
    device: Literal["cpu", "cuda", "auto"] = "cpu"
    """Where models in this process compute; `auto`: on a GPU where there is one."""
    concurrency: int = Field(default=64, ge=1)
    """Attempts in flight."""
    max_unscored: float = Field(default=0.02, ge=0, le=1)
    """Share of INFRA attempts above which a run publishes no row and exits non-zero."""
    canaries: int = Field(default=0, ge=0)
    """False statements mixed into every evaluation; a proved one stops the run."""


class ExperimentSpec(Spec):
    """One experiment: what is trained, what is proved, what is reported."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the experiment; runs and W&B groups carry it."""
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    """Seed of everything random."""
    lean: LeanSpec
    train: ProblemsSpec
    """Training theorems; evaluation splits never overlap with them."""
    generator: GeneratorSpec = GeneratorSpec()
    rounds: int = Field(default=1, ge=0)
    """Co-training rounds: trajectories, value model, generator."""
    trajectories: TrajectoriesSpec = TrajectoriesSpec()
    value: ValueSpec = ValueSpec()
    improve: ImproveSpec = ImproveSpec()
    grpo: GrpoSpec = GrpoSpec()
    expert_iteration: ExpertIterationSpec = ExpertIterationSpec()
    search: SearchSpec = SearchSpec()
    whole_proof: WholeProofSpec = WholeProofSpec()
    evaluations: tuple[EvaluationSpec, ...] = Field(min_length=1)
    """What is measured; names must be distinct."""
    tracking: TrackingSpec = TrackingSpec()
    runtime: RuntimeSpec = RuntimeSpec()
    node: NodeSpec = NodeSpec()

    @field_validator("evaluations")
    @classmethod
    def _distinct(cls, evaluations: tuple[EvaluationSpec, ...]) -> tuple[EvaluationSpec, ...]:
        names = [evaluation.name for evaluation in evaluations]
        if len(set(names)) != len(names):
            raise ValueError(f"names must be distinct, got {names}")
        return evaluations


def build(data: Mapping[str, Any], source: str, origins: Origins = ()) -> ExperimentSpec:
    """Validate `data`; a message names what set the value, and `source` for what none of `origins` did."""
    try:
        return ExperimentSpec.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        items = error.errors()
        # An item that failed inside a tuple makes pydantic also call the tuple too short.
        told = [item for item in items if item["type"] != "too_short"] or items
        raise SpecError("\n".join(_explain(source, origins, item) for item in told)) from None
    except (TypeError, ValueError) as error:
        raise SpecError(f"{source}: {error}") from None


def _explain(source: str, origins: Origins, item: Any) -> str:
    """One line for one pydantic error."""
    location = [part for part in item["loc"] if part != "json-invalid"]
    key = ".".join(str(part) for part in location)
    source = origin_of(key, origins, source)
    if item["type"] == "extra_forbidden":
        known = _fields_at(location[:-1])
        return f"{source}: {key}: unknown key{nearest(str(location[-1]), known)}"
    if item["type"] == "missing":
        return f"{source}: {key}: missing; add it"
    where = f"{source}: {key}" if key else source
    if item["type"] == "too_short":
        return f"{where}: is empty; list at least one"
    message = item["msg"].removeprefix("Value error, ")
    given = "" if isinstance(item["input"], dict | list) else f", not {json.dumps(item['input'])}"
    return f"{where}: {message[0].lower()}{message[1:]}{given}"


def _fields_at(location: list[Any]) -> list[str]:
    """Known keys of the spec found by walking `location` from the experiment."""
    model: type[BaseModel] = ExperimentSpec
    for part in location:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return list(model.model_fields)

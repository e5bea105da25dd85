"""What an experiment is, in one object: what is trained, what is proved, what is reported.

An experiment file fixes every value. The CLI builds the same `ExperimentSpec` that a Python user builds, and
every stage is cached under the digest of the parts it depends on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from harness.errors import SpecError
from harness.experiment.node import NodeSpec, OpenRlhfSpec, ServingSpec, ValueTrainerSpec
from harness.nested import Origins
from harness.policies.spec import PolicySpec, known_family
from harness.provers.best_first import SearchSpec
from harness.provers.kinds import AnyProver, settled
from harness.spec import LeanSpec, ProblemsSpec, RuntimeSpec, Spec, TrackingSpec, WholeProofSpec, validated
from harness.values.spec import ValueModelSpec

MAX_SEED = 4_000_000
"""A round trains with seed * 1000 + its number, and NumPy takes no seed above 2**32 - 1."""


class GeneratorSpec(Spec):
    """The tactic and proof generator: made here from a config, or an existing checkpoint."""

    _neutral: ClassVar[dict[str, Any]] = {"revision": None, "prompt": None, "dtype": "float32"}

    checkpoint: str | None = None
    """Folder or model name of an existing generator; null makes one from the fields below and warms it up."""
    revision: str | None = Field(default=None, min_length=1)
    """Of a checkpoint that is a name on the hub: commit, branch or tag; null: the default branch. The commit
    that it stands for counts and is fetched."""
    prompt: str | None = None
    """How a checkpoint that was not made here is asked, in training, rounds and evaluations: a family of
    `harness prompts`. It then computes through transformers in this process; null: the harness's own prompts
    and a Llama in float64."""
    dtype: Literal["float64", "float32", "bfloat16", "float16"] = "float32"
    """Numbers that a checkpoint with a `prompt` computes with in this process."""
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

    @field_validator("prompt")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        return None if name is None else known_family(name)

    @model_validator(mode="after")
    def _asked_as_it_was_trained(self) -> GeneratorSpec:
        if self.prompt is not None and self.checkpoint is None:
            raise ValueError("prompt: a generator made here learns the harness's own prompts; leave it out")
        return self


class TrajectoriesSpec(Spec):
    """Search, or whole proofs, on training theorems that yield labelled states."""

    _neutral: ClassVar[dict[str, Any]] = {"samples": None}

    problems: int = Field(default=400, ge=1)
    """Training theorems that a round searches or samples."""
    samples: int | None = Field(default=None, ge=1)
    """Whole proofs sampled of each of them, as `whole_proof` says, instead of a search: for generators that
    write no tactics. The states on accepted proofs are labelled, no others; null: by search."""
    search: SearchSpec = SearchSpec(alpha=1.0)
    """The search that collects; alpha 1 keeps it independent of the value model, hence of gamma. Not used
    with `samples`."""

    @property
    def asks_value(self) -> bool:
        """Whether the value model of the round before helps to collect."""
        return self.samples is None and self.search.alpha < 1

    def told(self, theorems: int) -> str:
        """What is done with so many theorems, in words."""
        if self.samples is None:
            return f"search on {theorems} theorems"
        return f"{self.samples} proof{'s' if self.samples > 1 else ''} of each of {theorems} theorems"


class ValueSpec(Spec):
    """The value model: sequence classification with one label, BCE-with-logits against gamma**d."""

    _neutral: ClassVar[dict[str, Any]] = {"backbone": None, "backbone_revision": None, "trainer": None}

    backbone: str | None = None
    """Folder or model name whose trunk is trained; null: the round's generator. Without a `trainer` it has to
    be a generator made here."""
    backbone_revision: str | None = Field(default=None, min_length=1)
    """Commit of a `backbone` on the hub, or a branch or tag that stands for one, as `policy.revision`; the
    commit is what counts and what is trained."""
    trainer: ValueTrainerSpec | None = None
    """How another backbone is trained, in processes of its own; null: in this process."""
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

    @model_validator(mode="after")
    def _shared_out(self) -> ValueSpec:
        passed = 1 if self.trainer is None else self.trainer.processes * self.trainer.micro_batch
        if self.batch_size % passed:
            raise ValueError(
                f"batch_size {self.batch_size} cannot be shared by trainer.processes in passes of "
                f"trainer.micro_batch; make it a multiple of {passed}"
            )
        return self


class FrontierSpec(Spec):
    """Which theorems GRPO asks, by how often the generator proves them in whole proofs."""

    samples: int = Field(default=8, ge=1)
    """Proofs sampled of each theorem of the difficulty band, before a round's GRPO."""
    rounds: int = Field(default=1, ge=1)
    """Solve rates are over the proofs of so many last rounds."""
    least: float = Field(default=0.05, ge=0, le=1)
    """Theorems proved in a smaller share of the tries are left out ..."""
    most: float = Field(default=0.95, ge=0, le=1)
    """... and those proved in a larger one."""


class GrpoSpec(Spec):
    """GRPO on verified whole proofs."""

    _neutral: ClassVar[dict[str, Any]] = {"frontier": None, "format_penalty": 0.0}

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
    format_penalty: float = Field(default=0.0, ge=0, le=1)
    """Format shaping: a failed proof without any Lean that could be taken from it earns minus this instead of
    0; 0 turns it off. Proofs earn 1 whatever it is."""
    frontier: FrontierSpec | None = None
    """Of these only the ones that the generator proves sometimes; null: all of them."""


class ExpertIterationSpec(Spec):
    """Fine-tuning on the proofs that search found, one (the shortest) per theorem."""

    steps: int = Field(default=400, ge=1)
    """Optimizer steps."""
    batch_size: int = Field(default=32, ge=1)
    """Examples a step."""
    learning_rate: float = Field(default=1.0e-3, gt=0)
    """Peak of the cosine schedule."""


class LoraSpec(Spec):
    """Low-rank adapters (Hu et al. 2021, arXiv 2106.09685) on every linear layer but the last."""

    rank: int = Field(default=16, ge=1)
    """Rank of an adapter."""
    alpha: int = Field(default=32, ge=1)
    """An adapter's output is scaled by alpha / rank."""


class ImproveSpec(Spec):
    """How a round trains the generator."""

    _neutral: ClassVar[dict[str, Any]] = {"lora": None, "vllm_memory": None}

    method: Literal["grpo", "expert_iteration", "none"] = "grpo"
    """`none` trains the value model alone."""
    backend: Literal["local", "openrlhf"] = "local"
    """`local`: TRL on this machine; `openrlhf`: OpenRLHF on the GPUs of the node."""
    bf16: bool = False
    """`local`: compute in bfloat16, on a GPU."""
    accumulation: int = Field(default=1, ge=1)
    """`local`: a step's samples go through the model in this many parts, which needs less memory."""
    lora: LoraSpec | None = None
    """`local`: GRPO trains adapters, merged into the weights at the end; null trains the weights."""
    vllm_memory: float | None = Field(default=None, gt=0, lt=1)
    """`local`: GRPO generates by vLLM on the same GPU, which takes this share of its memory; null: by
    transformers."""
    openrlhf: OpenRlhfSpec = OpenRlhfSpec()
    """Settings of that backend."""


class EvaluationSpec(Spec):
    """One measurement: a prover, run on problems, counted."""

    _neutral: ClassVar[dict[str, Any]] = {"round": None}

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    """Name of the row: lower-case letters, digits, hyphens."""
    prover: AnyProver
    """How each problem is attempted: `kind` and that prover's settings, or its kind alone. What is not given
    follows the experiment's section of the same settings (`search`, `whole_proof`)."""
    generator: Literal["trained", "warm_start"] = "trained"
    """Which generator: after the last round, or before the first."""
    round: int | None = Field(default=None, ge=1)
    """Generator and value model as they were after this round; null: after the last. What is forgotten and
    what is gained from round to round is told of evaluations that differ in this alone."""
    problems: ProblemsSpec
    """What is proved; the denominator."""
    samples: int = Field(default=1, ge=1)
    """Attempts per problem (n)."""
    k: tuple[int, ...] = (1,)
    """pass@k is reported for these; each at most `samples`."""

    @model_validator(mode="after")
    def _one_generator(self) -> EvaluationSpec:
        if self.round is not None and self.generator == "warm_start":
            raise ValueError("round: the warm start is before every round; leave one of the two out")
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


class ExperimentSpec(Spec):
    """One experiment: what is trained, what is proved, what is reported."""

    _neutral: ClassVar[dict[str, Any]] = {"policy": None, "value_model": None}

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the experiment; runs and W&B groups carry it."""
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    """Seed of everything random."""
    lean: LeanSpec
    train: ProblemsSpec | None = None
    """Training theorems; evaluation splits never overlap with them. Not needed with a `policy`."""
    policy: PolicySpec | None = None
    """A model that is not trained here proves instead of the generator: served, or of Hugging Face."""
    value_model: ValueModelSpec | None = None
    """A value model that is not trained here guides searches instead of one that is."""
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

    @model_validator(mode="after")
    def _trained_or_from_outside(self) -> ExperimentSpec:
        if self.policy is None and self.train is None:
            raise ValueError("train: missing; add it, or a policy that is not trained here")
        if self.policy is not None and self.rounds:
            raise ValueError(f"rounds: {self.rounds} cannot train a policy that comes from outside; set 0")
        return self

    @model_validator(mode="after")
    def _rounds_there(self) -> ExperimentSpec:
        for item in self.evaluations:
            if item.round is not None and item.round > self.rounds:
                raise ValueError(f"evaluations: {item.name!r} is after round {item.round} of {self.rounds}")
        return self

    @property
    def trained_on(self) -> ProblemsSpec:
        """The training theorems. Raises `SpecError` where there are none, with a policy from outside."""
        if self.train is None:
            raise SpecError("train: missing; what is asked for here needs training theorems")
        return self.train

    @property
    def serving(self) -> ServingSpec | None:
        """How the run serves its own models; None: they compute in this process, or come from outside."""
        return self.node.serving if self.policy is None else None

    @property
    def discount(self) -> float | None:
        """gamma of the value model that guides searches; None where it does not say."""
        return self.value.gamma if self.value_model is None else self.value_model.gamma

    def prover(self, evaluation: EvaluationSpec) -> AnyProver:
        """The prover of one of the evaluations, every setting that it leaves to the experiment filled in.

        Raises `SpecError` when a setting of the experiment is none that this prover takes.
        """
        return settled(evaluation.prover, self, f"evaluations.{evaluation.name}.prover")


def build(data: Mapping[str, Any], source: str, origins: Origins = ()) -> ExperimentSpec:
    """The experiment that `data` describes. Raises `SpecError`, see `harness.spec.validated`."""
    return validated(ExperimentSpec, spelled_out(data, source), source, origins)


def spelled_out(data: Mapping[str, Any], source: str) -> dict[str, Any]:
    """`data` with every `prover: KIND` as `prover: {kind: KIND}`, so that settings can be laid over it.

    Raises `SpecError` for a prover's setting that stands beside it, with the line to write instead.
    """
    listed = data.get("evaluations")
    if not isinstance(listed, list):
        return dict(data)
    return {**data, "evaluations": [_with_kind(item, source) for item in listed]}


def _with_kind(item: Any, source: str) -> Any:
    if not isinstance(item, dict) or not isinstance(item.get("prover"), str | dict):
        return item
    given = item["prover"]
    prover = {"kind": given} if isinstance(given, str) else given
    if "alpha" in item:
        told = ", ".join(f"{key}: {value}" for key, value in {**prover, "alpha": item["alpha"]}.items())
        raise SpecError(
            f"{source}: evaluations.{item.get('name')}.alpha: is a setting of the prover; write "
            f"prover: {{{told}}}"
        )
    return {**item, "prover": prover}

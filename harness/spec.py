"""Settings as strict, typed, frozen data: the base of every spec, and those that several rooms read.

`validated` turns plain data into a spec; an unknown key is an error that names the nearest known one. What an
experiment is, as a whole, stands in `harness.experiment.spec`; a prover's settings stand with the prover.
This module imports neither torch nor wandb nor httpx.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
)

from harness.errors import SpecError
from harness.nested import Origins, nearest, origin_of


class Spec(BaseModel):
    """Base of every spec: frozen, strict, no unknown key; the string under a field is its help text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    _neutral: ClassVar[dict[str, Any]] = {}
    """Values that change nothing: they are not written, so that they are in no digest. Bases add theirs."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        every = [vars(base).get("_neutral", {}) for base in reversed(cls.__mro__)]
        cls._neutral = {name: value for neutral in every for name, value in neutral.items()}

    @model_serializer(mode="wrap")
    def _without_neutral(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if self._neutral.get(key, ...) != value}


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


class ServiceSpec(Spec):
    """One Lean service: where it is, and what it may use."""

    service: Literal["core", "file", "repl", "kimina"]
    """`core`: the embedded fragment in process; `file`: one `lean` process a check;
    `repl`: own pool of REPLs; `kimina`: Kimina server(s)."""
    project: str | None = None
    """Lean project folder for `repl` (null: the embedded core's REPL program), for `file` (a folder with
    `bin/lean` will do) and for stronger judges."""
    urls: tuple[str, ...] = ()
    """Kimina servers, for `kimina`; the key is read from LEAN_SERVER_API_KEY."""
    workers: int = Field(default=1, ge=1)
    """Processes at once, or requests in flight per server: with more of them than a Kimina server has REPLs
    none of these is idle between two checks. The tactics of a lone problem over `repl` are spread over the
    processes that are free. For `core`: processes that judge proofs beside the one that samples them, on a
    machine with several cores."""
    timeout_s: float = Field(default=60.0, gt=0)
    """Seconds given to one check or one tactic."""
    memory_mb: int = Field(default=8192, ge=64)
    """Memory limit of one Lean process."""
    recycle_after: int = Field(default=500, ge=1)
    """Checks after which a REPL process is replaced."""


class LeanSpec(ServiceSpec):
    """Where Lean is, and how verdicts are reached: the service named here judges."""

    _neutral: ClassVar[dict[str, Any]] = {"step": None, "judge": "text"}

    step: ServiceSpec | None = None
    """Another service that applies single tactics (search, initial goals); null: the one that judges."""
    heartbeats: int = Field(default=200_000, ge=1)
    """Deterministic step limit of one declaration or tactic."""
    max_attempts: int = Field(default=3, ge=1)
    """Tries before a machine failure is recorded as INFRA."""
    level: Literal["fast", "strict"] = "strict"
    """Level of the verdicts that are reported; rewards always use `fast`."""
    judge: Literal["text", "compiled"] = "text"
    """What strict verdicts of real Lean rest on. `text`: on Lean's answers; `compiled`: the project's own
    kernel has to accept the compiled file too (`file`, and `repl` with a project)."""

    @property
    def stepping(self) -> LeanSpec:
        """The service that applies tactics, with this section's common settings."""
        if self.step is None:
            return self
        return LeanSpec(**{**dict(self), **dict(self.step), "step": None})


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


class DecodeSpec(SamplingSpec):
    """How tactics are proposed."""

    method: Literal["beam", "greedy", "sample"] = "beam"
    """`beam`: the most likely tactics, deterministic; `greedy`: one tactic of the likeliest tokens;
    `sample`: distinct samples. Tokens are counted alike, served or in process: those of every completion that
    is returned, its terminator included, whether or not a tactic came of it; never those of dropped beams."""
    width: int = Field(default=8, ge=1)
    """Tactics proposed for a state (K)."""
    max_tactic_tokens: int = Field(default=32, ge=1)
    """Longest tactic in tokens."""


class WholeProofSpec(SamplingSpec):
    """Whole-proof sampling."""

    _neutral: ClassVar[dict[str, Any]] = {"method": "sample"}

    method: Literal["greedy", "sample"] = "sample"
    """`greedy`: the one proof of the likeliest tokens; `sample`."""
    max_new_tokens: int = Field(default=64, ge=1)
    """Longest proof in tokens."""


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
        """YAML reads an unquoted `off` as false and `on` as true."""
        return {False: "off", True: "on"}[value] if isinstance(value, bool) else value


class RuntimeSpec(Spec):
    """How the work is spread over the machine. Nothing here changes a number but `threads` and `device`."""

    _neutral: ClassVar[dict[str, Any]] = {"trees": False, "save_every_s": 30.0}

    threads: int = Field(default=2, ge=1)
    """CPU threads of torch; training results are repeatable for a fixed number. Stages of a round that run
    side by side share the cores, which changes no result."""
    device: Literal["cpu", "cuda", "auto"] = "cpu"
    """Where models in this process compute; `auto`: on a GPU where there is one."""
    concurrency: int = Field(default=64, ge=1)
    """Attempts in flight."""
    max_unscored: float = Field(default=0.02, ge=0, le=1)
    """Share of INFRA attempts above which a run publishes no row and exits non-zero."""
    canaries: int = Field(default=0, ge=0)
    """False statements mixed into every evaluation; a proved one stops the run."""
    trees: bool = False
    """Keep every search tree beside the records, compressed (`harness tree`, `harness replay-search`)."""
    save_every_s: float = Field(default=30.0, ge=0)
    """Seconds between what a training keeps to go on from after a kill; more where writing takes long."""


Model = TypeVar("Model", bound=Spec)


def validated(model: type[Model], data: Mapping[str, Any], source: str, origins: Origins = ()) -> Model:
    """`data` as a `model`; a message names what set the value, and `source` for what none of `origins` did.

    Raises `SpecError` with one line for each fault.
    """
    try:
        return model.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        items = error.errors()
        # An item that failed inside a tuple makes pydantic also call the tuple too short.
        shown = [item for item in items if item["type"] != "too_short"] or items
        raise SpecError("\n".join(_explain(model, source, origins, item) for item in shown)) from None
    except (TypeError, ValueError) as error:
        raise SpecError(f"{source}: {error}") from None


def _explain(model: type[Spec], source: str, origins: Origins, item: Any) -> str:
    """One line for one pydantic error."""
    location, known = _place(model, [part for part in item["loc"] if part != "json-invalid"])
    key = ".".join(str(part) for part in location)
    source = origin_of(key, origins, source)
    if item["type"] == "extra_forbidden":
        word = str(location[-1])
        inner = [] if difflib.get_close_matches(word, known, cutoff=0.5) else _deeper(model, word)
        hint = f"; did you mean {inner[0]!r}?" if inner else nearest(word, known)
        return f"{source}: {key}: unknown key{hint}"
    if item["type"] == "missing":
        return f"{source}: {key}: missing; add it"
    where = f"{source}: {key}" if key else source
    if item["type"] == "too_short":
        return f"{where}: is empty; list at least one"
    if item["type"] in ("union_tag_invalid", "union_tag_not_found"):
        tags = item["ctx"].get("expected_tags", "").replace("'", "")
        given = f"not {item['ctx']['tag']!r}" if "tag" in item["ctx"] else "which is missing"
        return f"{where}.kind: must be one of {tags}, {given}"
    message = item["msg"].removeprefix("Value error, ")
    given = "" if isinstance(item["input"], dict | list) else f", not {json.dumps(item['input'])}"
    return f"{where}: {message[0].lower()}{message[1:]}{given}"


def _deeper(model: type[BaseModel], word: str, prefix: str = "") -> list[str]:
    """Dotted keys under `model` whose last part is `word`, those of few parts first; lists are left out."""
    found = []
    for name, field in model.model_fields.items():
        if name == word and prefix:
            found.append(f"{prefix}{name}")
        if "tuple" not in str(field.annotation):
            for inner in models_in(field.annotation):
                found += _deeper(inner, word, f"{prefix}{name}.")
    return sorted(dict.fromkeys(found), key=lambda key: key.count("."))


def _place(model: type[BaseModel], path: list[Any]) -> tuple[list[Any], list[str]]:
    """`path` without the tags of unions, and the known keys where its last part stands."""
    location: list[Any] = []
    models: list[type[BaseModel]] = [model]
    known = list(model.model_fields)
    for part in path:
        if isinstance(part, int):
            location.append(part)
            continue
        tagged = [one for one in models if kind_of(one) == part]
        if tagged and not any(part in one.model_fields for one in models):
            models = tagged
            known = list(tagged[0].model_fields)
            continue
        location.append(part)
        known = sorted({name for one in models for name in one.model_fields})
        fields = [one.model_fields[part] for one in models if part in one.model_fields]
        models = [found for field in fields for found in models_in(field.annotation)]
    return location, known


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The specs that a field's type names, however deep in unions, tuples and annotations."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def kind_of(model: type[BaseModel]) -> str | None:
    """The tag of a member of a union: the default of its field `kind`."""
    field = model.model_fields.get("kind")
    return None if field is None else str(field.default)

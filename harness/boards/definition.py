"""What a file of `leaderboards/` says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from harness.analysis.costs import Prices
from harness.errors import SpecError
from harness.nested import nearest, read_yaml
from harness.paths import data_folder
from harness.spec import Spec

PASS = re.compile(r"pass@([1-9][0-9]*)")
LOWER_IS_BETTER = {
    "nodes_per_proof": "mean",
    "expansions_per_proof": "total",
    "mean_expansions": "censored",
}
"""Metrics other than pass@k, and the figure of `harness.analysis.summary.Nodes` that each is."""


class Published(Spec):
    """A figure that somebody else reported: shown, marked as reported, never ranked with ours."""

    system: str
    percent: float | None = Field(default=None, ge=0, le=100)
    solved: int | None = Field(default=None, ge=0)
    of: int | None = Field(default=None, ge=1)
    """Problems in the set that it was run on."""
    budget: str
    lineage: str
    """Which statements."""
    lean: str = "not stated"
    """Lean version that it was checked with."""
    nodes_per_proof: float | None = Field(default=None, ge=0)
    """Mean expansions of the proofs found, each system on its own solved problems."""
    source: str
    caveat: str = ""

    @model_validator(mode="after")
    def _a_figure(self) -> Published:
        if self.percent is None and self.solved is None:
            raise ValueError("give percent, or solved and of")
        return self

    @property
    def score(self) -> str:
        """The figure as reported."""
        told = "" if self.percent is None else f"{self.percent:g} %"
        count = "" if self.solved is None else f"{self.solved}" + ("" if self.of is None else f"/{self.of}")
        return f"{told} ({count})" if told and count else told or count


class BoardLimits(Spec):
    """The most that an attempt may cost on this board; null: no limit."""

    samples: int | None = Field(default=None, ge=1)
    expansions: int | None = Field(default=None, ge=1)
    tactic_calls: int | None = Field(default=None, ge=1)
    tokens: int | None = Field(default=None, ge=1)


class Select(Spec):
    """How one row of a sweep is chosen without looking at the split that is reported."""

    split: str
    """Split that the choice is made on."""
    metric: str = "pass@1"
    among: tuple[str, ...] = ("search.alpha",)
    """Settings that the choice is between; rows that agree in all others compete."""


class Board(Spec):
    """One file of `leaderboards/`."""

    name: str
    title: str
    benchmarks: tuple[str, ...] = Field(min_length=1)
    """Benchmarks (lineages, tracks) shown; each is ranked by itself."""
    split: str
    metric: str = "pass@1"
    """`pass@K`, or `nodes_per_proof`, `expansions_per_proof`, `mean_expansions` (fewer is better)."""
    level: Literal["fast", "strict"] = "strict"
    """Least level of the verdicts; a fast verdict never stands on a strict board."""
    tier: Literal["repl-checked", "kernel", "olean-replayed", "second-kernel", "comparator"] | None = None
    """Least evidence that proofs may rest on; null: any. Rows of unlike evidence are ranked apart."""
    budget: BoardLimits = BoardLimits()
    max_unscored: float = Field(default=0.02, ge=0, le=1)
    """Share of attempts that the machine may have failed."""
    select: Select | None = None
    baseline: dict[str, Any] = Field(default_factory=dict)
    """Settings of the row that the others are held against, by dotted key; empty: log-probability alone."""
    prices: Prices = Prices()
    """What turns tokens and seconds into dollars."""
    published: tuple[Published, ...] = ()
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known_metrics(self) -> Board:
        for metric in (self.metric, self.select.metric if self.select else "pass@1"):
            if not PASS.fullmatch(metric) and metric not in LOWER_IS_BETTER:
                known = ", ".join(["pass@K", *LOWER_IS_BETTER])
                raise ValueError(f"no metric {metric!r}; known: {known}")
        return self


def load_board(name: str) -> Board:
    """The board `name` of `leaderboards/`, or the file at that path. Raises SpecError naming file and key."""
    path = Path(name)
    if path.suffix != ".yaml":
        folder = data_folder("leaderboards")
        path = folder / f"{name}.yaml"
        if not path.is_file():
            raise SpecError(f"{folder}: no board {name!r}{nearest(name, board_names())}")
    data = read_yaml(path)
    try:
        return Board.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        raise SpecError("\n".join(_explain(path, item) for item in error.errors())) from None


def load_prices(path: Path) -> Prices:
    """Prices from a file of their own. Raises SpecError naming file and key."""
    try:
        return Prices.model_validate(read_yaml(path))
    except ValidationError as error:
        known = nearest(str(error.errors()[0]["loc"][-1]), Prices.model_fields)
        raise SpecError(f"{path}: {error.errors()[0]['loc'][-1]}: not a price in dollars{known}") from None


def own_board(benchmark: str, split: str) -> Board:
    """The board of a benchmark that has no file in `leaderboards/`."""
    return Board(name=benchmark, title=f"{benchmark}, split {split}", benchmarks=(benchmark,), split=split)


def board_names() -> list[str]:
    """Every board, sorted."""
    return sorted(path.stem for path in data_folder("leaderboards").glob("*.yaml"))


def _explain(path: Path, item: Any) -> str:
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        models: dict[str, type[Spec]] = {"published": Published, "budget": BoardLimits, "select": Select}
        models["prices"] = Prices
        known = list(models.get(str(item["loc"][0]), Board).model_fields)
        return f"{path}: {key}: unknown key{nearest(str(item['loc'][-1]), known)}"
    if item["type"] == "missing":
        return f"{path}: {key}: missing; add it"
    message = item["msg"].removeprefix("Value error, ")
    return f"{path}: {key + ': ' if key else ''}{message[0].lower()}{message[1:]}"

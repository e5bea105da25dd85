"""Rewards over HTTP, as OpenRLHF's `--reward.remote_url http://...` asks for them; simple enough for others.

POST / with {"query": [text], "prompts": [text], "labels": [name]} answers {"rewards", "scores",
"extra_logs"}: numbers for a list of one, else lists. What could not be judged is answered with 503, never
with a zero: the trainer asks again, or stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import InfraError, UserError
from harness.serving.web import JsonAnswer, application
from trainers.judge import Judge, Judged, logs_of
from trainers.reward_functions import name_of, response, scored

if TYPE_CHECKING:
    from starlette.applications import Starlette


def reward_server(judge: Judge) -> Starlette:
    """What a server runs. Raises `MissingExtra` without Starlette."""

    async def rewards(body: Any) -> JsonAnswer:
        try:
            pairs = _pairs(body)
            found = await asyncio.gather(*(judge.judge(name, text) for name, text in pairs))
            return JsonAnswer(200, _told([(judged, scored(judged)) for judged in found]))
        except InfraError as cause:
            return JsonAnswer(503, {"detail": str(cause)})
        except UserError as cause:
            return JsonAnswer(422, {"detail": str(cause)})

    return application({"/{path:path}": rewards})


def _pairs(body: Any) -> list[tuple[str, str]]:
    """(problem's name, the generator's text) of each sample. Raises `UserError` for another body."""
    if not isinstance(body, Mapping):
        raise UserError("the body is no JSON object")
    lists = [body.get(name) for name in ("query", "prompts", "labels")]
    if not all(isinstance(item, list) for item in lists) or len({len(item or []) for item in lists}) != 1:
        raise UserError("`query`, `prompts` and `labels` must be lists of one length")
    queries, prompts, labels = (item or [] for item in lists)
    if not queries or not all(isinstance(text, str) for text in [*queries, *prompts]):
        raise UserError("`query` and `prompts` must hold texts")
    return [
        (name_of(label), response(query, prompt))
        for query, prompt, label in zip(queries, prompts, labels, strict=True)
    ]


def _told(found: Sequence[tuple[Judged, float]]) -> dict[str, Any]:
    rewards = [worth for _, worth in found]
    scores = [float(judged.reward == 1.0) for judged, _ in found]
    logs = [logs_of(judged) for judged, _ in found]
    if len(found) == 1:
        return {"rewards": rewards[0], "scores": scores[0], "extra_logs": logs[0]}
    together = {name: [item[name] for item in logs] for name in logs[0]}
    return {"rewards": rewards, "scores": scores, "extra_logs": together}

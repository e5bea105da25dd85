"""`harness suggest`: tactics for a state, tried in Lean; `harness serve suggest`: the same for editors.

The server answers as llmstep's does, whose Lean tactic and scripts work with it: POST {"tactic_state",
"prefix"} gives {"suggestions": [text]}, each beginning with the prefix. Beside them stand `scores`
(log-probabilities), `checks` (`done`, `open`, `invalid`, `timeout`; null for what was not tried), `values`
and `goals`; with `context`, the Lean text up to the cursor, the state is the editor's own.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from harness.commands import common
from harness.commands.evaluation import lean_settings, outside_model, value_gamma
from harness.errors import InfraError, UserError
from harness.experiment import files
from harness.experiment.cache import finished
from harness.experiment.files import Setting
from harness.experiment.plan import Model, existing, plan
from harness.experiment.resources import Resources
from harness.experiment.spec import ExperimentSpec
from harness.experiment.tools import tools
from harness.lean.services.kimina_client import KEY_VARIABLE
from harness.policies.symbolic import SymbolicPolicy
from harness.prompts.registry import family
from harness.provers.portfolio import WIDTH
from harness.provers.priority import Ranking
from harness.provers.suggesting import Question, Suggester, Suggestion, Suggestions
from harness.serving.web import JsonAnswer, application, listening, until_stopped
from harness.types import Step

DEFAULT_SHOWN = 8
_PATIENCE_S = 10.0
"""Given to one tactic: a person waits for it."""


def main(args: argparse.Namespace) -> int:
    """Print the suggestions for one state."""
    question = dataclasses.replace(asked(args.state), prefix=args.prefix)

    async def run() -> Suggestions:
        async with suggester(args) as found:
            return await found.suggest(question)

    told = asyncio.run(run())
    if args.json:
        common.print_json({"state": list(told.goals), **_as_json(told)})
    else:
        _show(told)
    return 0


def serve(args: argparse.Namespace) -> None:
    """Answer over HTTP until Ctrl-C or SIGTERM."""
    asyncio.run(_serve(args))


async def _serve(args: argparse.Namespace) -> None:
    async with suggester(args) as found:
        server = application({"/": handler(found)}, os.environ.get(KEY_VARIABLE))
        async with listening(server, args.host, args.port) as url:
            print(f"suggestions on {url}", flush=True)
            await until_stopped()


def handler(found: Suggester) -> Any:
    """What answers a request; its refusals say `error`, as llmstep's server does."""

    async def suggest(body: Any) -> JsonAnswer:
        try:
            return JsonAnswer(200, _as_json(await found.suggest(_question(body))))
        except UserError as cause:
            return JsonAnswer(422, {"error": str(cause)})
        except InfraError as cause:
            return JsonAnswer(503, {"error": str(cause)})

    return suggest


def _question(body: Any) -> Question:
    if not isinstance(body, Mapping):
        raise UserError("the body is no JSON object")
    given = {name: body.get(name) or "" for name in ("tactic_state", "prefix", "context")}
    wrong = [name for name, text in given.items() if not isinstance(text, str)]
    if wrong:
        raise UserError(f"`{wrong[0]}` must be a text")
    return Question(given["tactic_state"], given["prefix"], given["context"])


def _as_json(told: Suggestions) -> dict[str, Any]:
    return {
        "suggestions": [item.tactic for item in told.found],
        "scores": [item.logprob for item in told.found],
        "checks": [item.check for item in told.found],
        "values": [item.value for item in told.found],
        "goals": [list(item.goals) for item in told.found],
        "messages": [item.message for item in told.found],
        "unchecked": told.unchecked,
    }


def asked(text: str | None) -> Question:
    """What a person gives: a state or a Lean text; itself, in a file, or on standard input (`-` or none)."""
    if text is None or text == "-":
        if sys.stdin.isatty():
            print("a state, or Lean up to the cursor; then Ctrl-D:", file=sys.stderr)
        text = sys.stdin.read()
    elif "\n" not in text and "⊢" not in text:
        try:
            text = Path(text).expanduser().read_text(encoding="utf-8")
        except (OSError, ValueError) as cause:
            raise UserError(f"{text}: neither a state (no ⊢ in it) nor a file: {cause}") from None
    is_state = any(line.startswith("⊢") for line in text.split("\n"))
    return Question(state=text) if is_state else Question(context=text)


@asynccontextmanager
async def suggester(args: argparse.Namespace) -> AsyncIterator[Suggester]:
    """The policy, value model and Lean that the options name.

    Raises `UserError` where there is no such model, or it writes no tactics.
    """
    common.need(args.count >= 1, f"--count {args.count}: must be at least 1")
    spec = _spec(args)
    resources = Resources(args.runs, common.resources(args).display)
    real = spec.lean.service == "kimina" or spec.lean.project is not None
    header = ("import Mathlib\n" if real else "") if args.header is None else args.header + "\n"
    async with resources.lean(spec.lean) as lean:
        if args.symbolic:
            by_cost = Ranking.of(spec.search.model_copy(update={"alpha": 1.0}), None)
            yield Suggester(SymbolicPolicy(), lean.sessions, by_cost, WIDTH, args.count, header)
            return
        generator, value = _models(args, spec, resources)
        search = spec.search if value is not None else spec.search.model_copy(update={"alpha": 1.0})
        async with resources.connected(spec):
            here = spec.model_copy(update={"node": spec.node.model_copy(update={"serving": None})})
            made = tools(here, generator, value, resources, lean)
            yield Suggester(
                made.policy(search.decode),
                made.sessions,
                Ranking.of(search, made.gamma),
                args.count,
                args.count,
                header,
                made.value(),
                spec.seed,
            )


def _spec(args: argparse.Namespace) -> ExperimentSpec:
    if args.model is not None and args.prompt is not None:
        common.need(
            family(args.prompt).tactic is not None,
            f"--prompt {args.prompt}: writes whole proofs, not tactics; `harness prompts` says which do",
        )
    changed = common.overrides(args)
    own = [
        Setting("lean.timeout_s", _PATIENCE_S, "harness suggest"),
        Setting("search.decode.width", args.count, f"--count {args.count}"),
    ]
    values = (*own, *outside_model(args), *lean_settings(args), *value_gamma(args), *changed.values)
    path = files.find(args.file or ("base/embedded" if args.model is None else "base/served"))
    return files.load(path, dataclasses.replace(changed, values=values))


def _models(
    args: argparse.Namespace, spec: ExperimentSpec, resources: Resources
) -> tuple[Model, Model | None]:
    made = plan(spec)
    generator = made.trained if args.generator is None else existing(args.generator, kind="generator")
    if generator.stage is not None and finished(resources.root, generator.stage) is None:
        raise UserError(
            f"the generator of {args.file or 'base/embedded'} is not trained yet under {resources.root}: "
            "`harness train all FILE` makes it; or give --generator, --model, or --symbolic"
        )
    value = made.value if args.value is None else existing(args.value, kind="value")
    if value is not None and value.stage is not None and finished(resources.root, value.stage) is None:
        value = None
    if value is None and spec.search.alpha < 1.0:
        resources.display.note("no value model: ranked by log-probability alone")
    return generator, value


_DID = {Step.DONE: "closes it", Step.INVALID: "refused", Step.TIMEOUT: "too slow", None: "not tried"}


def _show(told: Suggestions) -> None:
    print("\n\n".join(told.goals), end="\n\n")
    rows = [
        [_did(item), item.tactic, f"{item.logprob:.2f}", _value(item), _left(item)] for item in told.found
    ]
    if rows:
        print(common.table(("in Lean", "tactic", "log p", "V", "then"), rows))
    else:
        print("no suggestion")
    if told.unchecked:
        print(f"not tried in Lean: {told.unchecked}", file=sys.stderr)


def _did(item: Suggestion) -> str:
    if item.check is Step.OPEN:
        return f"{len(item.goals)} goal{'s' if len(item.goals) > 1 else ''}"
    return _DID[item.check]


def _value(item: Suggestion) -> str:
    return "-" if item.value is None else f"{item.value:.2f}"


def _left(item: Suggestion) -> str:
    text = item.goals[0] if item.goals else item.message
    return common.one_line(text)[:80]

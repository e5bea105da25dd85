"""`harness data`: the benchmarks, and the trajectories that training collected."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from harness.benchmarks import fetching, loading
from harness.benchmarks.manifest import manifest
from harness.benchmarks.overlap import Overlap, overlap
from harness.commands import common
from harness.errors import UserError
from harness.paths import expanded
from harness.terminal.progress import display
from harness.terminal.tables import aligned
from harness.types import Level, Problem

HITS_SHOWN = 20


def main(args: argparse.Namespace) -> int:
    """One of list, show, fetch, validate, overlap and trajectories."""
    if args.action != "fetch":
        common.need(args.origin is None and args.revision is None, "--from and --revision are for data fetch")
    if args.action == "trajectories":
        from harness.commands import trajectories

        return trajectories.main(args)
    common.need(args.parquet is None, "--parquet is for data trajectories")
    actions = {"list": _list, "show": _show, "fetch": _fetch, "validate": _validate, "overlap": _overlap}
    return actions[args.action](args)


def _list(args: argparse.Namespace) -> int:
    rows = [fetching.row_of(manifest(name)) for name in args.names] or fetching.listing()
    if args.json:
        common.print_json([dataclasses.asdict(row) for row in rows])
        return 0
    header = ("name", "problems", "purpose", "lean", "licence", "here", "title")
    lines = [
        (row.name, _sizes(row.splits), row.purpose, row.toolchain, row.licence, _here(row.here), row.title)
        for row in rows
    ]
    print(common.table(header, lines))
    absent = sum(not row.here for row in rows)
    if absent:
        print(f"{absent} are not on this machine; `harness data show NAME` says how to fetch one")
    return 0


def _here(here: bool) -> str:
    return "yes" if here else "no"


def _sizes(splits: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in splits.items()) or "not pinned"


def _show(args: argparse.Namespace) -> int:
    facts = [fetching.show(name) for name in _named(args)]
    if args.json:
        common.print_json(facts if len(facts) > 1 else facts[0])
        return 0
    print("\n\n".join(_facts(each) for each in facts))
    return 0


def _facts(found: Mapping[str, Any]) -> str:
    rows = [
        ("title", found["title"]),
        ("purpose", found["purpose"]),
        ("problems", _sizes(found["splits"])),
        ("lean", found["toolchain"]),
        ("licence", found["licence"]),
        ("content", found["content"] or "not pinned"),
        ("here", _here(found["here"])),
        ("data" if found["here"] else "fetch", found["where"]),
        ("manifest", found["manifest"]),
        *((f"source {key}", _plain(value)) for key, value in found["source"].items()),
        *((f"fact {key}", _plain(value)) for key, value in found["facts"].items()),
    ]
    lines = [found["name"], *(f"  {line}" for line in aligned(rows))]
    defects = found["defects"]
    if defects:
        lines.append(f"  known to be defective: {len(defects)}")
        lines += [f"    {item['split']}/{item['id']}: {item['kind']}: {item['reason']}" for item in defects]
    return "\n".join(lines)


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return common.one_line(str(value))


def _fetch(args: argparse.Namespace) -> int:
    names = _named(args)
    if len(names) > 1 and (args.origin or args.revision):
        raise UserError("data fetch: --from and --revision take one BENCHMARK")
    told, files = display(args.plain), {}
    for name in names:
        with told.task(f"fetching {name}"):
            files[name] = fetching.fetch(name, expanded(args.origin) if args.origin else None, args.revision)
    if args.json:
        common.print_json({name: str(path) for name, path in files.items()})
    else:
        for name, path in files.items():
            problems = loading.load(name, "all")
            print(f"{name}: {len(problems)} problems, content {loading.revision_of(problems)}, in {path}")
    return 0


def _validate(args: argparse.Namespace) -> int:
    """Data against its manifest, statements and gold proofs where the service speaks their Lean."""
    from harness.commands import validation
    from harness.commands.judges import lean_spec
    from harness.experiment.preflight import can_judge

    spec, results, failed = lean_spec(args), {}, False
    for name in _named(args):
        problems = loading.load(name, "all")
        golden = sum(problem.gold is not None for problem in problems)
        result: dict[str, Any] = {"problems": len(problems), "with_gold": golden, "gold": None}
        lines = [f"{name}: {len(problems)} problems agree with the manifest"]
        if can_judge(spec, problems):
            found = validation.check_gold(problems, spec, Level.STRICT, display(args.plain))
            result["gold"] = validation.as_json(found)
            failed = failed or not validation.sound(found)
            lines += validation.report(found)
        elif golden:
            lines.append(f"{name}: {golden} gold proofs need real Lean: --lean repl --project DIR")
        else:
            lines.append(f"{name}: no gold proofs; statements need real Lean: --lean repl --project DIR")
        results[name] = result
        if not args.json:
            print("\n".join(lines))
    if args.json:
        common.print_json(results)
    return 1 if failed else 0


def _overlap(args: argparse.Namespace) -> int:
    common.need(
        len(args.names) == 2, "data overlap: name a BENCHMARK and a training source, as NAME or NAME:SPLIT"
    )
    benchmark, source = args.names
    found = overlap(_problems(benchmark), _problems(source))
    if args.json:
        common.print_json(dataclasses.asdict(found))
    else:
        print("\n".join(_overlap_lines(found, benchmark, source)))
    return 0


def _problems(text: str) -> list[Problem]:
    name, _, split = text.partition(":")
    return loading.load(name, split or "all")


def _overlap_lines(found: Overlap, benchmark: str, source: str) -> list[str]:
    lines = [
        f"{benchmark} ({found.problems} problems) in {source} ({found.trained} problems)",
        f"  same statement, names of variables apart: {found.same_statement}",
        f"  at least one {found.n}-gram of tokens: {found.any_ngram}",
        f"  shorter than {found.n} tokens, compared whole: {found.too_short}",
    ]
    rows = [
        (
            f"{hit.split}/{hit.id}",
            "same" if hit.same_statement else "",
            f"{hit.share:.2f}",
            _seen(hit.seen_in),
        )
        for hit in found.hits[:HITS_SHOWN]
    ]
    if rows:
        lines += ["", common.table(("problem", "statement", "share", "seen in"), rows)]
    if len(found.hits) > HITS_SHOWN:
        lines.append(f"... and {len(found.hits) - HITS_SHOWN} more; --json lists all")
    return lines


def _seen(ids: Sequence[str]) -> str:
    return ", ".join(ids)


def _named(args: argparse.Namespace) -> list[str]:
    common.need(bool(args.names), f"data {args.action}: name a BENCHMARK; `harness data list` shows them")
    return list(args.names)

"""`harness premises`: how well premises are retrieved, and which ones for a state."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.benchmarks import core_library
from harness.benchmarks.sources import leandojo
from harness.commands import common
from harness.paths import expanded
from harness.retrieval.measuring import quality, queries
from harness.retrieval.opening import open_retriever
from harness.retrieval.retriever import Retriever
from harness.retrieval.spec import (
    LexicalEncoderSpec,
    RetrievalSpec,
    ServerEncoderSpec,
    TransformersEncoderSpec,
)

KS = (1, 10, 100)
CORE = "core"


def main(args: argparse.Namespace) -> int:
    """Measure; or answer for `--state`; or write the embedded core's corpus."""
    common.need(
        args.encoder is not None or not (args.server or args.revision),
        "--server, --revision: say something of a model; add --encoder NAME",
    )
    if args.write is not None:
        common.need(args.corpus == CORE, "--write: only the embedded core's library is made here")
        core_library.write(expanded(args.write))
        print(f"{args.write}: corpus.jsonl, random/test.json")
        return 0
    if args.corpus != CORE:
        return _answer(args, expanded(args.corpus))
    with tempfile.TemporaryDirectory() as scratch:
        core_library.write(Path(scratch))
        return _answer(args, Path(scratch))


def _answer(args: argparse.Namespace, folder: Path) -> int:
    retriever = open_retriever(RetrievalSpec(corpus=str(folder / "corpus.jsonl"), encoder=_encoder(args)))
    if args.state is not None:
        return _for_state(args, retriever)
    rows = leandojo.rows(folder / args.setting / f"{args.split}.json")[: args.limit]
    asked = queries(retriever.corpus, rows)

    async def measured() -> dict[str, Any]:
        began = time.perf_counter()
        await retriever.vectors()
        embedded = time.perf_counter()
        found = await quality(retriever, asked, args.k or KS)
        await retriever.close()
        seconds = {"embedding_s": embedded - began, "retrieving_s": time.perf_counter() - embedded}
        return {**dataclasses.asdict(found), **seconds}

    told = {"premises": len(retriever.corpus.premises), "theorems": len(rows), **asyncio.run(measured())}
    if args.json:
        common.print_json(told)
        return 0
    recalls = told["recall"].items()
    header = ("premises", "queries", *(f"R@{k} %" for k, _ in recalls), "MRR", "embedding s", "retrieving s")
    cells = [
        str(told["premises"]), str(told["queries"]), *(f"{100 * share:.1f}" for _, share in recalls),
        f"{told['mrr']:.3f}", f"{told['embedding_s']:.1f}", f"{told['retrieving_s']:.1f}",
    ]  # fmt: skip
    print(common.table(header, [cells]))
    return 0


def _for_state(args: argparse.Namespace, retriever: Retriever) -> int:
    everything = np.ones(len(retriever.corpus.premises), dtype=bool)

    async def run() -> Sequence[Any]:
        [found] = await retriever.nearest([args.state], [everything], max(args.k or (10,)))
        await retriever.close()
        return found

    found = asyncio.run(run())
    if args.json:
        names = [(item.premise.name, item.score, item.premise.code) for item in found]
        common.print_json([{"name": name, "score": score, "code": code} for name, score, code in names])
    else:
        rows = [[f"{item.score:.3f}", common.one_line(item.premise.code)] for item in found]
        print(common.table(("score", "premise"), rows))
    return 0


def _encoder(args: argparse.Namespace) -> LexicalEncoderSpec | TransformersEncoderSpec | ServerEncoderSpec:
    if args.encoder is None:
        return LexicalEncoderSpec()
    if args.server:
        return ServerEncoderSpec(urls=tuple(args.server), model=args.encoder, revision=args.revision)
    return TransformersEncoderSpec(model=args.encoder, revision=args.revision)

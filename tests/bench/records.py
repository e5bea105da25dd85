"""What storing and summarising records costs on this machine: python tests/bench/records.py [FOLDER]"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from harness.analysis.compare import compare
from harness.analysis.metrics import summarize
from harness.analysis.runs import open_run
from harness.boards.ranking import Board, rank
from harness.records.store import RunStore
from tests.making import record, refs, run, session, spec


def timed(label: str, count: int, work: Callable[[], object]) -> None:
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    print(f"{label:<48} {seconds:8.3f} s  {1e6 * seconds / count:10.1f} us each")


def main(place: Path) -> None:
    problems, count = refs(1000), 2000
    records = [
        record(f"p{i % 1000:03}", "proved" if i % 3 else "rejected", i // 1000, 1 + i % 60)
        for i in range(count)
    ]
    with RunStore.create_or_resume(place / "single", spec(), problems, session()) as store:
        timed("append, one record a sync", 200, lambda: [store.append(one) for one in records[:200]])
    with RunStore.create_or_resume(place / "batches", spec(), problems, session()) as store:
        batches = [records[i : i + 50] for i in range(0, count, 50)]
        timed(
            "append_many, 50 records a sync", count, lambda: [store.append_many(batch) for batch in batches]
        )
    timed("load records", count, lambda: open_run(place / "batches").records)
    timed("summarize, 1000 problems x 2", count, lambda: summarize(problems, records, 2, [1, 2], budget=64))
    runs = [
        run(str(seed), records[seed : seed + 1000], problems, {"seed": seed, "evaluation.samples": 2})
        for seed in range(10)
    ]
    timed("compare, 3 seeds x 1000 problems a side", 1, lambda: compare(runs[:3], runs[3:6]))
    board = Board(name="b", title="b", benchmarks=("toy",), split="test")
    timed("rank 10 runs (summaries cached)", 10, lambda: rank(board, runs))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder))

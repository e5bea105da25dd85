"""Batcher: who shares a batch, in which order, and who hears of a failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from harness.errors import BadReply, ServiceDown
from harness.serving.batching import Batcher


class Recorder:
    """Doubles its items and remembers the batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    async def __call__(self, items: list[int]) -> Sequence[int]:
        self.batches.append(items)
        return [2 * item for item in items]


def test_items_of_one_sweep_share_a_batch_in_order() -> None:
    run = Recorder()

    async def main() -> list[int]:
        batcher = Batcher(run)
        return list(await asyncio.gather(*(batcher(i) for i in range(50))))

    assert asyncio.run(main()) == [2 * i for i in range(50)]
    assert run.batches == [list(range(50))]


def test_a_waiter_that_yields_on_its_way_is_not_left_behind() -> None:
    run = Recorder()

    async def late(batcher: Batcher[int, int], item: int) -> int:
        for _ in range(2):
            await asyncio.sleep(0)
        return await batcher(item)

    async def main() -> list[int]:
        batcher = Batcher(run)
        return list(await asyncio.gather(batcher(1), late(batcher, 2)))

    assert asyncio.run(main()) == [2, 4]
    assert run.batches == [[1, 2]]


def test_searches_in_lockstep_stay_in_lockstep() -> None:
    run = Recorder()

    async def search(batcher: Batcher[int, int], start: int) -> int:
        for _ in range(5):
            start = await batcher(start)
        return start

    async def main() -> list[int]:
        batcher = Batcher(run)
        return list(await asyncio.gather(*(search(batcher, i) for i in range(1, 9))))

    assert asyncio.run(main()) == [32 * i for i in range(1, 9)]
    assert [len(batch) for batch in run.batches] == [8] * 5


def test_cap_splits_a_batch_and_nothing_waits_forever() -> None:
    run = Recorder()

    async def main() -> tuple[list[int], int, int]:
        batcher = Batcher(run, max_batch=4)
        results = list(await asyncio.gather(*(batcher(i) for i in range(10))))
        return results, batcher.batches, batcher.items

    assert asyncio.run(main()) == ([2 * i for i in range(10)], 3, 10)
    assert [len(batch) for batch in run.batches] == [4, 4, 2]


def test_a_failure_reaches_every_waiter_of_its_batch_and_no_other() -> None:
    async def run(items: list[int]) -> list[int]:
        if 3 in items:
            raise ServiceDown("gone")
        return items

    async def main() -> list[int | BaseException]:
        batcher = Batcher(run, max_batch=4)
        return list(await asyncio.gather(*(batcher(i) for i in range(6)), return_exceptions=True))

    results = asyncio.run(main())
    assert all(isinstance(result, ServiceDown) for result in results[:4])
    assert results[4:] == [4, 5]


def test_a_reply_of_the_wrong_length_is_a_bad_reply() -> None:
    async def run(items: list[int]) -> list[int]:
        return items[:-1]

    async def main() -> None:
        batcher = Batcher(run)
        await asyncio.gather(batcher(1), batcher(2))

    with pytest.raises(BadReply, match="2 items was answered with 1"):
        asyncio.run(main())


def test_a_cancelled_waiter_harms_nobody() -> None:
    run = Recorder()

    async def main() -> int:
        batcher = Batcher(run)
        gone = asyncio.ensure_future(batcher(1))
        kept = asyncio.ensure_future(batcher(2))
        await asyncio.sleep(0)
        gone.cancel()
        return await kept

    assert asyncio.run(main()) == 4
    assert run.batches == [[2]]


def test_batches_overlap_when_the_function_really_waits() -> None:
    running = 0
    most = 0

    async def run(items: list[int]) -> list[int]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return items

    async def main() -> None:
        batcher = Batcher(run, max_batch=2)
        await asyncio.gather(*(batcher(i) for i in range(6)))

    asyncio.run(main())
    assert most == 3


def test_what_computes_one_batch_at_a_time_gathers_while_it_is_busy() -> None:
    sizes: list[int] = []

    async def run(items: list[int]) -> list[int]:
        sizes.append(len(items))
        await asyncio.sleep(0.02)
        return items

    async def late(batcher: Batcher[int, int], item: int) -> int:
        await asyncio.sleep(0.002 * item)
        return await batcher(item)

    async def main() -> list[int]:
        batcher = Batcher(run, in_flight=1)
        return list(await asyncio.gather(batcher(0), *(late(batcher, i) for i in range(1, 6))))

    assert asyncio.run(main()) == list(range(6))
    assert sizes == [1, 5]


def test_a_full_batch_starts_at_once_and_the_rest_goes_on_gathering() -> None:
    run = Recorder()

    async def main() -> None:
        batcher = Batcher(run, max_batch=4)
        first = asyncio.ensure_future(batcher.all(range(6)))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(batcher.all(range(6, 9)))
        assert await first == [2 * i for i in range(6)]
        assert await second == [12, 14, 16]

    asyncio.run(main())
    assert run.batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]


def test_a_request_larger_than_a_batch_fails_as_a_whole_and_once() -> None:
    async def run(items: list[int]) -> list[int]:
        if 3 in items:
            raise ServiceDown("gone")
        return items

    async def main() -> None:
        batcher = Batcher(run, max_batch=2, in_flight=1)
        with pytest.raises(ServiceDown):
            await batcher.all(range(6))
        assert await batcher.all([7, 8]) == [7, 8]
        assert await batcher.all([]) == []
        assert batcher.items == 6  # 0 to 3, then 7 and 8

    asyncio.run(main())


def test_results_that_come_one_by_one_reach_their_waiters_one_by_one() -> None:
    """The batch goes on with the second item only once somebody has the result of the first."""

    async def main() -> None:
        had = asyncio.Event()

        async def run(items: list[int]) -> AsyncIterator[tuple[int, int]]:
            yield 1, 2 * items[1]
            await asyncio.wait_for(had.wait(), 60)
            if items[0] == 7:
                raise ServiceDown("gone")
            yield 0, 2 * items[0]

        batcher = Batcher(run)
        for first in (5, 7):
            had.clear()
            slow, quick = asyncio.ensure_future(batcher(first)), asyncio.ensure_future(batcher(6))
            assert await quick == 12
            had.set()
            if first == 5:
                assert await slow == 10
            else:
                with pytest.raises(ServiceDown):
                    await slow

    asyncio.run(main())


def test_a_batch_that_leaves_an_item_out_is_a_bad_reply() -> None:
    async def run(items: list[int]) -> AsyncIterator[tuple[int, int]]:
        yield 1, items[1]

    async def main() -> None:
        batcher = Batcher(run)
        left, had = await asyncio.gather(batcher(5), batcher(6), return_exceptions=True)
        assert had == 6 and isinstance(left, BadReply)

    asyncio.run(main())

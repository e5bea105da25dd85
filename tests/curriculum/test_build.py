"""The shipped curriculum is what the generator makes."""

import asyncio
import collections
import itertools

from harness.audits.gold import validate
from harness.benchmarks import loading
from harness.curriculum import build
from harness.lean.services.embedded import CoreVerifier
from harness.types import Level


def test_the_file_begins_as_the_generator_does():
    """Every family's stream is followed for a while: what the quotas let in must stand in the file.

    `python -m harness.curriculum` makes the whole file again and compares its sha256; that takes a minute.
    """
    shipped = {p.statement.split(" ", 2)[2]: p.gold for p in loading.load("core-curriculum", "all")}
    for stream, wanted in build.streams(build.SEED):
        taken = collections.Counter()
        for theorem in itertools.islice(stream, 150):
            length = len(theorem.proof)
            if taken[length] < wanted.get(length, 0):
                assert shipped[theorem.statement] == "\n".join(theorem.proof)
                taken[length] += 1
        assert taken.total() > 50


def test_lengths_and_families_are_as_the_quotas_say():
    problems = loading.load("core-curriculum", "all")
    stated = {"logic": build.LOGIC, "quantifiers": build.QUANTIFIERS, "equality": build.EQUALITY}
    stated |= {"nat": build.NAT, "list": build.LIST}
    for family, wanted in stated.items():
        assert collections.Counter(p.difficulty for p in problems if p.category == family) == wanted
    sizes = dict(build.SPLITS)
    splits = collections.Counter(p.split for p in problems)
    assert all(splits[name] == sizes[name] for name in sizes)


def test_the_split_is_dealt_by_theorem():
    """Each family is in each split, in about its share of the whole."""
    problems = loading.load("core-curriculum", "all")
    whole = collections.Counter(p.category for p in problems)
    test = collections.Counter(p.category for p in problems if p.split == "test")
    for family, count in whole.items():
        share = test[family] / test.total()
        assert abs(share - count / len(problems)) < 0.05 and test[family] > 0


def test_by_length_keeps_order_and_quota():
    made = build.by_length(build.streams(1)[3][0], {1: 3, 2: 2})
    assert [len(item.proof) for item in made] == [1, 1, 1, 2, 2]


def test_gold_proofs_pass_the_strict_verifier():
    """A sample; `harness validate core-curriculum` takes all of them."""
    problems = loading.load("core-curriculum", "all", limit=250, seed=3) + loading.load("smoke")
    found = asyncio.run(validate(problems, CoreVerifier(), Level.STRICT))
    assert found.failures == found.unjudged == ()
    assert found.proved == found.with_gold == len(problems)

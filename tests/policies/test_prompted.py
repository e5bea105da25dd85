"""A policy of engine and family: what is asked, what is taken, what is kept."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence

import pytest

from harness.errors import SpecError
from harness.policies.engine import Ask, Completion, Decoding, EngineAnswer
from harness.policies.history import ToldSessions
from harness.policies.prompted import Decodings, PromptedPolicy
from harness.prompts.probes import PROBLEMS, TURN
from harness.prompts.registry import family
from harness.provers.best_first import BestFirst, BestFirstSpec
from harness.provers.portfolio import PortfolioSpec
from harness.provers.prover import Tools
from harness.provers.tree_search import SearchSpec
from harness.provers.union import Union, UnionSpec
from harness.types import ProofState, Proposal, Sample
from tests.provers.toy_graph import PROBLEM, Toy
from tests.toy_logic import make, state_of

STATE = ProofState(("p : Prop\n⊢ p → p",))


class Scripted:
    """An engine that answers every question alike, and remembers what was asked."""

    def __init__(self, *completions: Completion, overflow: str = "") -> None:
        self.completions, self.overflow = completions, overflow
        self.asked: list[Ask] = []

    async def complete(self, asks: Sequence[Ask], decoding: Decoding) -> list[EngineAnswer]:
        self.asked += asks
        return [EngineAnswer(self.completions, 11, self.overflow) for _ in asks]


def said(text: str, *logprobs: float, cut: bool = False) -> Completion:
    return Completion(text, logprobs or (-1.0,), "length" if cut else "stop")


def policy(engine: Scripted, name: str, method: str = "sample") -> PromptedPolicy:
    how = Decoding(method, 32)  # type: ignore[arg-type]
    return PromptedPolicy(engine, family(name), Decodings(how, how))


def propose(made: PromptedPolicy, k: int = 8, seed: int = 0) -> list[Proposal]:
    [found] = asyncio.run(made.propose([STATE], [seed], k))
    return list(found.tactics)


def test_tactics_are_distinct_likeliest_first_and_none_is_cut() -> None:
    engine = Scripted(
        said(" intro h", -1.0, -1.0),
        said("simp", -0.5),
        said("intro h", -0.2, -0.1),
        said("x", cut=True),
        said(" "),
    )
    found = propose(policy(engine, "bfs-prover"))
    assert found == [Proposal("intro h", pytest.approx(-0.3), 2), Proposal("simp", -0.5, 1)]
    assert engine.asked[0].prompt.text == "p : Prop\n⊢ p → p:::"
    assert engine.asked[0].count == 8


def test_the_same_question_is_asked_once_and_seeds_count_when_sampling() -> None:
    for method, asked in (("sample", 2), ("beam", 1), ("greedy", 1)):
        engine = Scripted(said("simp"))
        made = policy(engine, "bfs-prover", method)
        for seed in (1, 2, 1):
            propose(made, seed=seed)
        assert len(engine.asked) == asked, method
        assert engine.asked[0].count == (1 if method == "greedy" else 8)


def test_a_state_beyond_the_context_gets_no_tactic() -> None:
    assert propose(policy(Scripted(overflow="too long"), "bfs-prover")) == []


def test_a_search_says_that_a_state_was_beyond_the_context() -> None:
    asking = policy(Scripted(overflow="too long"), "bfs-prover")
    for made in (BestFirst(SearchSpec(alpha=1.0), Toy({}), asking), _union_of(asking)):
        assert asyncio.run(made.attempt(PROBLEM, 0, 0)).usage.truncated
    read = BestFirst(SearchSpec(alpha=1.0), Toy({}), policy(Scripted(said("simp")), "bfs-prover"))
    assert not asyncio.run(read.attempt(PROBLEM, 0, 0)).usage.truncated


def _union_of(asking: PromptedPolicy) -> Union:
    tools = Tools(Toy({}), lambda _: asking, lambda: None)
    return UnionSpec(first=BestFirstSpec(alpha=1.0), second=PortfolioSpec()).build(tools)


def test_a_whole_proof_says_where_it_was_found() -> None:
    raw = "A plan.\n```lean4\ntheorem probe := by\n  omega\n```"
    made = policy(Scripted(said(raw, -0.5, -0.25)), "deepseek-prover-v2")
    [sample] = asyncio.run(made.sample(PROBLEMS[:1], [3]))
    assert sample.proof == "theorem probe := by\n  omega"
    assert (sample.raw, sample.origin) == (raw, "last of 1 Lean blocks")
    assert (sample.logprob, sample.token_logprobs) == (-0.75, (-0.5, -0.25))
    assert (sample.usage.prompt_tokens, sample.usage.completion_tokens, sample.usage.truncated) == (
        11,
        2,
        False,
    )


def test_an_answer_that_was_cut_or_never_begun_is_the_models_failure() -> None:
    cut = policy(Scripted(said("<think> hm", cut=True)), "kimina-prover")
    [sample] = asyncio.run(cut.sample(PROBLEMS[:1], [3]))
    assert (sample.proof, sample.usage.truncated) == ("", True)
    assert sample.origin == "the thinking section never ended"
    long = policy(Scripted(overflow="too long"), "kimina-prover")
    [sample] = asyncio.run(long.sample(PROBLEMS[:1], [3]))
    assert (sample.proof, sample.usage.truncated, sample.origin) == ("", True, "no answer: too long")


def test_a_family_is_asked_only_for_what_it_writes() -> None:
    with pytest.raises(SpecError, match="kimina-prover writes whole proofs, not tactics"):
        propose(policy(Scripted(), "kimina-prover"))
    with pytest.raises(SpecError, match="bfs-prover writes tactics"):
        asyncio.run(policy(Scripted(), "bfs-prover").sample(PROBLEMS[:1], [0]))


def test_a_repair_turn_shows_the_refused_answer_and_the_messages() -> None:
    engine = Scripted(said("```lean4\ntheorem probe := by\n  omega\n```"))
    made = policy(engine, "goedel-prover-v2")
    assert made.repairs

    async def repaired(made: PromptedPolicy) -> list[tuple[int, Sample]]:
        return [item async for item in made.repaired(PROBLEMS[:1] * 2, [[TURN], [TURN, TURN]], [3, 4])]

    found = asyncio.run(repaired(made))
    assert [(place, sample.proof) for place, sample in found] == [
        (0, "theorem probe := by\n  omega"),
        (1, "theorem probe := by\n  omega"),
    ]
    assert [message.role for message in engine.asked[0].prompt.messages] == ["user", "assistant", "user"]
    assert [(ask.seed, len(ask.prompt.messages)) for ask in engine.asked] == [(3, 3), (4, 5)]
    plain = policy(engine, "stp")
    assert not plain.repairs
    with pytest.raises(SpecError, match="stp has no repair turn"):
        asyncio.run(repaired(plain))


def test_proofs_by_the_initial_state_ask_a_session_for_it() -> None:
    world, problems = make(1)
    engine = Scripted(said("intro h1\nassumption"))
    how = Decoding()
    made = PromptedPolicy(engine, family("embedded"), Decodings(how, how), world)
    [sample, _] = asyncio.run(made.sample(problems * 2, [1, 2]))
    assert sample.proof == "intro h1\nassumption"
    goal = state_of((world.goals[problems[0].id],)).goals[0]
    assert [ask.prompt.text for ask in engine.asked] == [goal + "<sep>"] * 2


def test_states_of_told_sessions_say_how_they_were_reached() -> None:
    world, problems = make(30)
    problem = next(item for item in problems if (item.gold or "").startswith("intro"))

    async def walk() -> ProofState:
        session = await ToldSessions(world).open(problem)
        first = await session.start()
        assert (first.theorem, first.before) == (problem.theorem, ())
        second = (await session.apply(first, "intro")).state
        await session.close()
        assert second is not None
        return second

    state = asyncio.run(walk())
    assert (state.theorem, state.before) == (problem.theorem, ("intro",))
    engine = Scripted(said("assumption"))
    made = PromptedPolicy(engine, family("internlm2.5-stepprover"), Decodings(Decoding(), Decoding()))
    asyncio.run(made.propose([state], [0], 1))
    [message] = engine.asked[0].prompt.messages
    assert message.content.startswith(f"---\nNAME: {problem.theorem}\n\n---\nPROOF_BEFORE: intro\n\n")


def test_an_answer_goes_on_from_the_prefix_where_the_family_shows_it() -> None:
    begun = dataclasses.replace(STATE, prefix="exact")
    for name, told in (("llmstep", ["exact h"]), ("reprover", ["h"])):
        engine = Scripted(said(" h"))
        [found] = asyncio.run(policy(engine, name).propose([begun], [0], 4))
        assert [item.tactic for item in found.tactics] == told
        assert engine.asked[0].prompt.text.endswith("exact") is (name == "llmstep")

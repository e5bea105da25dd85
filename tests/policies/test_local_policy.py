"""LocalPolicy: proposals and samples that do not depend on their batch, against the model of transformers."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import math
from pathlib import Path

import pytest
import torch

from harness.errors import UserError
from harness.policies import local
from harness.policies.local import LocalPolicy
from harness.prompts import embedded
from harness.spec import DecodeSpec, WholeProofSpec
from harness.types import ProofState, Proposal, Sample
from tests.conftest import Trained
from tests.toy_logic import prove, state_of


def policy(generator: Trained, **decode: object) -> LocalPolicy:
    spec = DecodeSpec.model_validate({"max_tactic_tokens": 8, **decode})
    whole = WholeProofSpec(max_new_tokens=24)
    return LocalPolicy(generator.path, spec, whole, generator.world, threads=1)


def states(generator: Trained, count: int) -> list[ProofState]:
    return [state_of((goal,)) for goal in itertools.islice(generator.world.goals.values(), count)]


def propose(made: LocalPolicy, asked: list[ProofState], k: int, seed: int = 0) -> list[list[Proposal]]:
    found = asyncio.run(made.propose(asked, [seed] * len(asked), k))
    return [list(proposed.tactics) for proposed in found]


def test_log_probability_is_the_models_own_with_both_terminators(generator: Trained) -> None:
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(generator.path).double().eval()
    tokenizer = embedded.load_tokenizer(generator.path)
    newline = tokenizer.encode("\n").ids[0]
    for state in states(generator, 5):
        (proposals,) = propose(policy(generator), [state], 4)
        prompt = tokenizer.encode(embedded.tactic_prompt(state.goals)).ids
        for proposal in proposals:
            tactic = tokenizer.encode(proposal.tactic).ids
            with torch.no_grad():
                logits = model(torch.tensor([prompt + tactic])).logits[0]
            logprob = torch.log_softmax(logits, dim=-1)[len(prompt) - 1 :]
            total = sum(logprob[place, token] for place, token in enumerate(tactic))
            total += torch.logsumexp(logprob[-1, [embedded.END_ID, newline]], dim=0)
            assert proposal.logprob == pytest.approx(float(total), abs=1e-4)
            assert proposal.tokens == len(tactic) + 1


def test_proposals_are_distinct_ordered_and_few(generator: Trained) -> None:
    for method in ("beam", "sample"):
        for proposals in propose(policy(generator, method=method), states(generator, 20), 5):
            assert 1 <= len(proposals) <= 5
            assert len({p.tactic for p in proposals}) == len(proposals)
            assert [p.logprob for p in proposals] == sorted((p.logprob for p in proposals), reverse=True)
            assert all(p.tactic and "\n" not in p.tactic and p.logprob <= 0 for p in proposals)
            assert math.fsum(math.exp(p.logprob) for p in proposals) <= 1 + 1e-5


def test_beam_finds_the_likely_tactics_of_a_trained_model(generator: Trained) -> None:
    asked = states(generator, 60)
    found = propose(policy(generator), asked, 3)
    right = 0
    for state, proposals in zip(asked, found, strict=True):
        gold = prove(state.handle[0])
        assert gold is not None
        right += gold[0] in [p.tactic for p in proposals]
    assert right >= 55


@pytest.mark.parametrize("method", ["beam", "sample"])
def test_a_state_alone_and_in_a_batch_of_64(generator: Trained, method: str) -> None:
    asked = states(generator, 64)
    assert len({len(state.text) for state in asked}) > 5
    together = propose(policy(generator, method=method), asked, 8)
    alone = [propose(policy(generator, method=method), [state], 8)[0] for state in asked[::4]]
    assert together[::4] == alone


def test_sampled_tactics_follow_the_seed(generator: Trained) -> None:
    asked = states(generator, 20)
    made = policy(generator, method="sample", temperature=2.0)
    first, other = propose(made, asked, 4, seed=1), propose(made, asked, 4, seed=2)
    assert first == propose(policy(generator, method="sample", temperature=2.0), asked, 4, seed=1) != other
    beams = policy(generator)
    assert propose(beams, asked, 4, seed=1) == propose(beams, asked, 4, seed=2)


def test_whole_proofs_alone_and_in_a_batch(generator: Trained) -> None:
    pairs = list(itertools.product(generator.problems[:16], range(4)))
    together = asyncio.run(policy(generator).sample([p for p, _ in pairs], [seed for _, seed in pairs]))
    for (problem, seed), sample in list(zip(pairs, together, strict=True))[::7]:
        assert asyncio.run(policy(generator).sample([problem], [seed])) == [sample]
    assert len({sample.raw for sample in together}) >= 10


def test_whole_proofs_come_as_they_end_and_are_the_same(generator: Trained) -> None:
    pairs = [*itertools.product(generator.problems[:16], range(2)), (generator.problems[0], 0)]
    problems, seeds = [problem for problem, _ in pairs], [seed for _, seed in pairs]

    async def streamed() -> list[tuple[int, Sample]]:
        return [item async for item in policy(generator).samples(problems, seeds)]

    came = asyncio.run(streamed())
    tokens = [item.usage.completion_tokens for _, item in came]
    assert tokens == sorted(tokens) and len(set(tokens)) > 3
    assert dict(came) == dict(enumerate(asyncio.run(policy(generator).sample(problems, seeds))))


def test_whole_proofs_are_tactic_blocks_that_often_prove(generator: Trained) -> None:
    from harness.protocols import Candidate
    from harness.types import Level, Status

    problems = generator.problems[:60]
    samples = asyncio.run(policy(generator).sample(problems, [0] * 60))
    candidates = [Candidate(p, s.proof) for p, s in zip(problems, samples, strict=True)]
    verdicts = asyncio.run(generator.world.check(candidates, Level.FAST))
    assert sum(v.status is Status.PROVED for v in verdicts) >= 20
    for sample in samples:
        assert sample.usage.completion_tokens <= 24 and sample.usage.prompt_tokens > 0 > sample.logprob
        assert sample.usage.completion_tokens == 24 or not sample.usage.truncated


def test_the_sampled_log_probability_is_the_models_own(generator: Trained) -> None:
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(generator.path).double().eval()
    tokenizer = embedded.load_tokenizer(generator.path)
    problem = generator.problems[3]
    (sample,) = asyncio.run(policy(generator).sample([problem], [5]))
    prompt = tokenizer.encode(
        embedded.tactic_prompt(state_of((generator.world.goals[problem.id],)).goals)
    ).ids
    rest = [*tokenizer.encode(sample.raw).ids, embedded.END_ID]
    assert not sample.usage.truncated and sample.usage.completion_tokens == len(rest)
    with torch.no_grad():
        logits = model(torch.tensor([prompt + rest])).logits[0]
    logprob = torch.log_softmax(logits, dim=-1)[len(prompt) - 1 : -1]
    total = sum(float(logprob[place, token]) for place, token in enumerate(rest))
    assert sample.logprob == pytest.approx(total, abs=1e-4)


def test_asked_twice_computed_once(generator: Trained) -> None:
    made = policy(generator)
    asked = states(generator, 3)
    first = propose(made, asked, 4)
    del made._model
    assert propose(made, asked[::-1], 4) == first[::-1]


def test_a_prompt_longer_than_the_context_is_shortened(generator: Trained) -> None:
    goal = "\n".join(["P Q R : Prop", *(f"h{n} : P ∧ (Q → R)" for n in range(60)), "⊢ P → P"])
    (proposals,) = propose(policy(generator), [ProofState((goal,))], 4)
    assert "intro" in [p.tactic for p in proposals]


def test_missing_checkpoint_is_one_clear_line(generator: Trained, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such checkpoint folder; train it again"):
        LocalPolicy(tmp_path / "none", DecodeSpec(), WholeProofSpec(), generator.world, threads=1)


def test_tokens_are_counted_the_same_when_the_tactics_were_kept(generator: Trained) -> None:
    for method, answers in (("beam", 4), ("sample", 4), ("greedy", 1)):
        made = policy(generator, method=method)
        asked = states(generator, 3)
        first = asyncio.run(made.propose(asked, [0] * 3, 4))
        assert asyncio.run(made.propose(asked, [0] * 3, 4)) == first
        for proposed in first:
            written = sum(item.tokens for item in proposed.tactics)
            assert written <= proposed.usage.completion_tokens <= answers * 8
            assert proposed.usage.prompt_tokens > 0


def test_what_is_remembered_is_bounded_and_more_at_once_is_still_answered(
    generator: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "STATES_KEPT", 2)
    made = policy(generator)
    asked = states(generator, 5)
    assert propose(made, asked, 4) == propose(policy(generator), asked, 4)
    assert len(made._proposals) == 2


def test_a_prefix_is_what_the_tactic_begins_with(generator: Trained) -> None:
    """Its own tokens cost nothing: the rest has the log-probability that it has after them."""
    [state] = states(generator, 1)
    made = policy(generator)
    [free] = propose(made, [state], 4)
    begin = free[0].tactic[:2]
    [led] = propose(made, [dataclasses.replace(state, prefix=begin)], 4)
    assert led and all(item.tactic.startswith(begin) for item in led)
    assert propose(made, [state], 4) == [free], "and asking without it is another question"

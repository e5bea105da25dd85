"""Best-first search on toy graphs whose best course is known."""

import asyncio
from dataclasses import replace

import pytest

from harness.errors import InfraError, SpecError
from harness.protocols import Policy
from harness.provers.best_first import BestFirst, BestFirstSpec, SearchSpec
from harness.serving.batched import BatchedPolicy, BatchedValue
from harness.spec import DecodeSpec
from harness.types import Attempt, ProofState, Proposal, Step, StepResult, Usage
from tests.provers.toy_graph import PROBLEM, Toy

# root -likely-> trap -> trap2 -> trap3 (dead); root -unlikely-> good -> QED
TRAP = {
    "root": {"likely": (-0.1, "trap"), "unlikely": (-3.0, "good")},
    "trap": {"on": (-0.1, "trap2"), "x": (-0.2, "BAD")},
    "trap2": {"on": (-0.1, "trap3"), "back": (-0.2, "trap")},
    "trap3": {"x": (-0.1, "BAD")},
    "good": {"finish": (-0.1, "QED")},
}
GOOD = {"good": 0.95, "trap": 0.3, "trap2": 0.3, "trap3": 0.3}


def search(toy, value=True, observe=None, clock=None, **settings) -> Attempt:
    spec = SearchSpec(**settings)
    more = {} if clock is None else {"clock": clock}
    prover = BestFirst(spec, toy, toy, toy if value else None, 0.95, observe, **more)
    return asyncio.run(prover.attempt(PROBLEM, 0, 7))


def test_log_probability_alone_walks_the_trap_first_with_exact_counts():
    toy = Toy(TRAP)
    attempt = search(toy, value=False, alpha=1.0)
    assert attempt.proof == "unlikely\nfinish"
    assert toy.policy_calls == ["root", "trap", "trap2", "trap3", "good"]
    stats = attempt.search
    assert (stats.expanded, stats.created, stats.tactics_tried) == (5, 5, 8)
    assert (stats.invalid, stats.duplicates, stats.depth, stats.stopped) == (2, 1, 2, "proved")
    assert toy.opened == toy.closed == 1


def test_value_alone_goes_straight_to_the_proof():
    toy = Toy(TRAP, GOOD)
    attempt = search(toy, alpha=0.0)
    assert attempt.search.expanded == 2
    assert toy.policy_calls == ["root", "good"]


def test_alpha_one_never_asks_the_value_model():
    toy = Toy(TRAP, GOOD)
    search(toy, alpha=1.0)
    assert toy.value_calls == []


def test_new_states_of_an_expansion_are_scored_in_one_call_and_never_twice():
    toy = Toy(TRAP)
    search(toy, alpha=0.5)
    assert toy.value_calls[0] == ["trap", "good"]
    asked = [name for call in toy.value_calls for name in call]
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("scale", ["sum", "mean", "length"])
def test_a_constant_value_reproduces_the_order_of_the_log_probability(scale):
    for constant in (0.0, 0.4):
        plain, flat = Toy(TRAP), Toy(TRAP, dict.fromkeys(TRAP, constant))
        first = search(plain, alpha=1.0, logprob_scale=scale)
        second = search(flat, alpha=0.5, logprob_scale=scale)
        assert plain.policy_calls == flat.policy_calls
        assert first.proof == second.proof


def test_expansion_budget_is_exact_and_a_proof_on_the_last_one_counts():
    enough, short = Toy(TRAP), Toy(TRAP)
    found = search(enough, alpha=1.0, expansions=5)
    assert (found.proof, found.search.expanded) == ("unlikely\nfinish", 5)
    missed = search(short, alpha=1.0, expansions=4)
    assert (missed.proof, missed.search.expanded, missed.search.stopped) == (None, 4, "expansions")
    assert len(short.policy_calls) == 4


def test_tactic_budget_is_exact_and_a_proof_by_the_last_call_counts():
    assert search(Toy(TRAP), alpha=1.0, tactic_calls=8).proof is not None
    short = Toy(TRAP)
    missed = search(short, alpha=1.0, tactic_calls=7)
    assert (missed.proof, missed.search.tactics_tried, missed.search.stopped) == (None, 7, "tactic_calls")
    assert len(short.applied) == 7
    # The seventh call ends the fourth expansion: asking for a fifth would buy nothing.
    assert missed.search.expanded == 4


def test_an_exhausted_frontier_says_so():
    attempt = search(Toy({"root": {"x": (-1.0, "BAD")}}), alpha=1.0)
    assert (attempt.proof, attempt.search.stopped, attempt.search.expanded) == (None, "exhausted", 1)


def test_the_wall_clock_says_when_it_fired():
    ticks = iter(range(10_000))
    attempt = search(Toy(TRAP), alpha=1.0, wall_clock_s=5.0, clock=lambda: float(next(ticks)))
    assert (attempt.proof, attempt.search.stopped) == (None, "wall_clock")


def test_width_limits_the_tactics_tried():
    toy = Toy(TRAP)
    search(toy, alpha=1.0, decode=DecodeSpec(width=1))
    assert ("root", "unlikely") not in toy.applied


# "late" is met first over a costly way, then again over a cheap one while it still waits.
REFOUND = {
    "root": {"a": (-1.0, "mid"), "b": (-5.0, "late"), "c": (-2.0, "other")},
    "mid": {"d": (-0.1, "late")},
    "late": {"e": (-0.1, "QED")},
    "other": {"x": (-0.1, "BAD")},
}


def test_a_state_found_again_keeps_the_better_priority_and_its_way():
    toy = Toy(REFOUND)
    attempt = search(toy, alpha=1.0)
    assert toy.policy_calls == ["root", "mid", "late"]
    assert attempt.proof == "a\nd\ne"
    assert (attempt.search.duplicates, attempt.search.created) == (1, 4)


def test_a_worse_way_changes_nothing():
    moves = {**REFOUND, "root": {**REFOUND["root"], "b": (-1.05, "late")}}
    attempt = search(Toy(moves), alpha=1.0)
    assert attempt.proof == "b\ne"


def test_ties_are_broken_by_the_order_of_meeting():
    moves = {"root": {"a": (-1.0, "s1"), "b": (-1.0, "s2"), "c": (-1.0, "s3")}}
    toy = Toy(moves)
    search(toy, alpha=1.0)
    assert toy.policy_calls == ["root", "s1", "s2", "s3"]


class Renaming(Toy):
    """States that differ in the names of hypotheses alone, where tactics need the right name."""

    async def apply(self, state: ProofState, tactic: str) -> StepResult:
        result = await super().apply(state, tactic)
        if result.state is None:
            return result
        name = result.state.handle
        shown = {"far": "x : P\n⊢ P", "near": "y : P\n⊢ P"}.get(name, f"⊢ {name}")
        return StepResult(Step.OPEN, ProofState((shown,), name))


def test_states_equal_up_to_names_are_one_and_the_script_uses_the_names_of_its_own_way():
    moves = {
        "root": {"a": (-1.0, "mid"), "b": (-5.0, "far")},
        "mid": {"d": (-0.1, "near")},
        "near": {"exact y": (-0.1, "QED")},
        "far": {"exact x": (-0.1, "QED")},
    }
    attempt = search(Renaming(moves), alpha=1.0)
    assert attempt.proof == "a\nd\nexact y"
    assert attempt.search.duplicates == 1


def test_a_missing_value_model_is_refused_up_front():
    toy = Toy(TRAP)
    with pytest.raises(SpecError, match="needs a value model"):
        BestFirst(SearchSpec(alpha=0.5), toy, toy, None, 0.95)


class Broken(Toy):
    async def apply(self, state: ProofState, tactic: str) -> StepResult:
        raise InfraError("gone")


def test_a_machine_failure_passes_through_and_the_session_is_closed():
    toy = Broken(TRAP)
    with pytest.raises(InfraError):
        search(toy, alpha=1.0)
    assert toy.closed == 1


class Counting(Toy):
    sizes: list[int]

    async def propose(self, states, seeds, k):
        self.sizes.append(len(states))
        return await super().propose(states, seeds, k)


def test_concurrent_searches_share_batches_and_find_what_they_find_alone():
    toy = Counting(TRAP, GOOD)
    toy.sizes = []

    async def together() -> list[Attempt]:
        policy: Policy = BatchedPolicy(toy)
        prover = BestFirst(SearchSpec(alpha=0.5), toy, policy, BatchedValue(toy), 0.95)
        return list(await asyncio.gather(*(prover.attempt(PROBLEM, i, i) for i in range(20))))

    attempts = asyncio.run(together())
    alone = search(Toy(TRAP, GOOD), alpha=0.5)
    assert toy.sizes == [20] * alone.search.expanded
    assert {attempt.proof for attempt in attempts} == {alone.proof}


class Wordy(Toy):
    """Every tactic is three tokens long, of at most four."""

    def _proposals(self, name: str):
        return [Proposal(p.tactic, p.logprob, 3) for p in super()._proposals(name)]


def test_the_token_budget_is_never_gone_over_and_counted_in_the_attempt():
    # An expansion may cost 2 x 4 tokens; here each of the five costs 3 a tactic: 6, 6, 6, 3, 3.
    decode = DecodeSpec(width=2, max_tactic_tokens=4)
    for tokens, expanded, spent in ((26, 4, 21), (29, 5, 24), (13, 1, 6), (14, 2, 12)):
        attempt = search(Wordy(TRAP), alpha=1.0, tokens=tokens, decode=decode)
        assert (attempt.search.expanded, attempt.search.tokens) == (expanded, spent)
        assert attempt.usage == Usage(expanded, spent)
        assert attempt.search.stopped == ("proved" if expanded == 5 else "tokens")


def test_a_token_budget_below_one_expansion_is_the_users_mistake():
    spec = BestFirstSpec(tokens=7, decode=DecodeSpec(width=2, max_tactic_tokens=4))
    with pytest.raises(SpecError, match=r"7 is less than one expansion may cost .* = 8"):
        spec.check(0.95)


class Overlapping(Toy):
    """A session whose tactics end in the opposite of the order in which they were begun."""

    async def apply(self, state: ProofState, tactic: str) -> StepResult:
        place = list(self.moves[state.handle]).index(tactic)
        await asyncio.sleep(0.003 * (5 - place))
        return await super().apply(state, tactic)


def test_tactics_under_way_together_give_the_tree_of_one_after_the_other():
    found = {}
    for moves in (TRAP, REFOUND):
        for kind in (Toy, Overlapping):
            trees = []
            toy = kind(moves, overlaps=kind is Overlapping)
            attempt = search(
                toy, alpha=1.0, observe=lambda _problem, _index, tree, trees=trees: trees.append(tree)
            )
            stats = replace(attempt.search, policy_s=0, lean_s=0, value_s=0)
            edges = [(node.tactic, node.parent, node.edges) for node in trees[0].nodes]
            found[kind] = (attempt.proof, stats, edges)
        assert found[Toy] == found[Overlapping]


def test_tactics_overtaken_by_a_proof_count_against_the_budget_alone():
    moves = {"root": {"a": (-1.0, "BAD"), "b": (-2.0, "QED"), "c": (-3.0, "x"), "d": (-4.0, "BAD")}}
    for calls, overtaken in ((64, 2), (3, 1)):
        toy = Toy(moves, overlaps=True)
        stats = search(toy, alpha=1.0, tactic_calls=calls).search
        assert (stats.tactics_tried, stats.invalid, stats.overtaken) == (2, 1, overtaken)
        assert len(toy.applied) <= calls

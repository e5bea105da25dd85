"""Beam search, Monte-Carlo tree search and unions on toy graphs whose best course is known."""

import asyncio
import itertools
import random

import pytest

from harness.errors import SpecError
from harness.provers.beam import Beam, BeamSpec
from harness.provers.best_first import BestFirst, BestFirstSpec
from harness.provers.conjunction import above
from harness.provers.mcts import Mcts, MctsSpec, Puct, priors
from harness.provers.prover import Tools
from harness.provers.search_tree import Edge
from harness.provers.stored_tree import TreeStore, read
from harness.provers.union import Union, UnionSpec, left_of
from harness.spec import DecodeSpec
from harness.types import Attempt, ProofState, Proposal, Proposed, SearchStats, Step, StepResult
from tests.provers.test_best_first import GOOD, TRAP
from tests.provers.toy_graph import PROBLEM, Toy


def attempt(spec, toy, gamma=0.95, policy=None) -> Attempt:
    tools = Tools(toy, lambda sampling: policy or toy, lambda: toy, gamma)
    return asyncio.run(spec.build(tools).attempt(PROBLEM, 0, 7))


def counts(found: Attempt) -> tuple[int, int, int, str]:
    stats = found.search
    return stats.expanded, stats.created, stats.tactics_tried, stats.stopped


def test_a_beam_of_one_follows_the_likeliest_and_a_wider_one_keeps_the_proof():
    narrow, wide = Toy(TRAP), Toy(TRAP)
    assert counts(attempt(BeamSpec(alpha=1.0, beam=1), narrow)) == (4, 5, 7, "exhausted")
    assert narrow.policy_calls == ["root", "trap", "trap2", "trap3"]
    found = attempt(BeamSpec(alpha=1.0, beam=2), wide)
    # The second level is asked about together and applied in order: trap's two tactics, then good's one.
    assert (found.proof, counts(found)) == ("unlikely\nfinish", (3, 4, 5, "proved"))


def test_a_beam_stops_at_its_budget_in_the_middle_of_a_level():
    toy = Toy(TRAP)
    found = attempt(BeamSpec(alpha=1.0, beam=2, expansions=2), toy)
    assert (counts(found), toy.policy_calls) == ((2, 4, 4, "expansions"), ["root", "trap"])
    last = attempt(BeamSpec(alpha=1.0, beam=2, expansions=3), Toy(TRAP))
    assert last.proof == "unlikely\nfinish"


def test_a_level_is_finished_before_the_next_where_a_budget_lasts_longer_than_was_certain():
    moves = {
        "root": {"a": (-0.1, "one"), "b": (-0.2, "two")},
        "one": {"c": (-0.1, "deep")},
        "two": {"d": (-0.3, "deeper")},
    }
    toy = Toy(moves)
    # A state may cost 8 tokens and costs one or two: 10 are certain to last for one of the two.
    decode = DecodeSpec(width=2, max_tactic_tokens=4)
    attempt(BeamSpec(alpha=1.0, tokens=12, decode=decode), toy)
    assert toy.policy_calls == ["root", "one", "two", "deep", "deeper"]


@pytest.mark.parametrize("kind", [BeamSpec, MctsSpec, BestFirstSpec])
def test_alpha_one_never_asks_the_value_model(kind):
    toy = Toy(TRAP, GOOD)
    attempt(kind(alpha=1.0), toy)
    assert toy.value_calls == []


@pytest.mark.parametrize("kind", [BeamSpec, MctsSpec, BestFirstSpec])
def test_the_value_alone_goes_straight_to_the_proof(kind):
    toy = Toy(TRAP, GOOD)
    found = attempt(kind(alpha=0.0, **({"beam": 1} if kind is BeamSpec else {})), toy)
    assert (found.proof, toy.policy_calls) == ("unlikely\nfinish", ["root", "good"])


@pytest.mark.parametrize("kind", [BeamSpec, MctsSpec, BestFirstSpec])
def test_a_value_that_says_nothing_leaves_the_order_of_the_log_probability(kind):
    plain, flat = Toy(TRAP), Toy(TRAP, dict.fromkeys(TRAP, 0.0))
    attempt(kind(alpha=1.0), plain)
    attempt(kind(alpha=0.5), flat)
    assert plain.policy_calls == flat.policy_calls


@pytest.mark.parametrize("kind", [BeamSpec, MctsSpec, BestFirstSpec])
def test_no_search_goes_over_any_budget(kind):
    for expansions in range(1, 6):
        for calls in range(1, 9):
            toy = Toy(TRAP)
            decode = DecodeSpec(width=2, max_tactic_tokens=1)
            spec = kind(alpha=1.0, expansions=expansions, tactic_calls=calls, tokens=6, decode=decode)
            stats = attempt(spec, toy).search
            assert len(toy.policy_calls) == stats.expanded <= min(expansions, 4)
            assert len(toy.applied) == stats.tactics_tried <= calls
            assert stats.tokens <= 6


def test_simulations_leave_a_trap_once_their_visits_weigh_more_than_its_prior():
    # The likely tactic has a prior of 0.95 and every state is worth 0.5; a trap that is spent is masked.
    toy = Toy(TRAP)
    found = attempt(MctsSpec(alpha=0.5), toy)
    assert found.proof == "unlikely\nfinish"
    assert toy.policy_calls == ["root", "trap", "trap2", "trap3", "good"]
    assert counts(found) == (5, 5, 8, "proved")


def test_cycles_are_cut_and_an_exhausted_graph_says_so():
    moves = {"root": {"a": (-0.1, "s"), "b": (-1.0, "t")}, "s": {"c": (-0.1, "t")}, "t": {"d": (-0.1, "s")}}
    toy = Toy(moves)
    assert counts(attempt(MctsSpec(alpha=0.5), toy)) == (3, 3, 4, "exhausted")


def test_the_hardest_goal_is_what_a_state_is_worth():
    class Pair(Toy):
        async def apply(self, state: ProofState, tactic: str) -> StepResult:
            result = await super().apply(state, tactic)
            if result.state is not None and result.state.handle == "two":
                goals = ("⊢ easy", "⊢ hard")
                return StepResult(Step.OPEN, ProofState(goals, "two"))
            return result

        async def score(self, states):
            self.value_calls.append([state.text for state in states])
            worth = {"⊢ easy": 0.9, "⊢ hard": 0.2, "⊢ one": 0.6}
            return [worth.get(state.text, 0.8) for state in states]

    moves = {
        "root": {"a": (-1.0, "two"), "b": (-1.0, "one")},
        "one": {"x": (-1.0, "QED")},
        "two": {"x": (-1.0, "QED")},
    }
    whole, hardest = Pair(moves), Pair(moves)
    assert attempt(MctsSpec(alpha=0.0), whole).proof == "a\nx"
    assert attempt(MctsSpec(alpha=0.0, goals="hardest"), hardest).proof == "b\nx"
    assert hardest.value_calls[1] == ["⊢ easy", "⊢ hard", "⊢ one"]


@pytest.mark.parametrize("seed", range(50))
def test_worth_goes_up_as_a_recursion_over_goals_has_it(seed: int):
    """A random AND tree worked off first goal first, against the definition on the tree itself."""
    draw, gamma = random.Random(seed), 0.9
    names = itertools.count()

    def grow(depth: int) -> tuple[str, list | float]:
        """A goal with the goals that its tactic leaves, or with V where nobody worked on it."""
        name = f"g{next(names)}"
        if depth == 0 or draw.random() < 0.3:
            return name, draw.random()
        return name, [grow(depth - 1) for _ in range(draw.randrange(4))]

    def defined(goal: tuple[str, list | float], reached: set[str]) -> float:
        name, left = goal
        if isinstance(left, float) or name not in reached:
            return worth_of[name]
        return gamma * min((defined(item, reached) for item in left), default=1.0)

    trees = [grow(4) for _ in range(3)]
    states, reached = [trees], set()
    while states[-1] and isinstance(states[-1][0][1], list):
        (name, left), *waiting = states[-1]
        reached.add(name)
        states.append([*left, *waiting])
    worth_of = {f"g{number}": draw.random() for number in range(next(names))}
    worth = [worth_of[name] for name, _ in states[-1]]
    for state, below in zip(states[-2::-1], states[:0:-1], strict=True):
        worth = above([name for name, _ in state], [name for name, _ in below], worth, gamma)
    assert worth == pytest.approx([defined(goal, reached) for goal in trees])


def test_a_waiting_goal_is_not_discounted_and_a_tactic_on_all_counts_for_all():
    assert above(["a", "b"], ["c", "d", "b"], [0.9, 0.5, 0.3], 0.5) == [0.25, 0.3]
    assert above(["a", "b"], ["b"], [0.3], 0.5) == [0.5, 0.3]
    assert above(["a", "b"], ["c"], [0.6], 0.5) == [0.3, 0.3]
    assert above(["a", "b"], ["x", "y"], [0.6, 0.4], 0.5) == [0.2, 0.2]


class Drawn(Toy):
    """Another tactic for every seed."""

    async def propose(self, states, seeds, k):
        self.policy_calls += [f"{state.handle} {seed}" for state, seed in zip(states, seeds, strict=True)]
        found = await super().propose(states, seeds, 9)
        return [
            Proposed((one.tactics[(seed - 7) % len(one.tactics)],))
            for one, seed in zip(found, seeds, strict=True)
        ]


def test_progressive_sampling_asks_again_where_it_visits_often():
    moves = {
        "root": {"a": (-0.1, "s"), "b": (-1.0, "QED")},
        "s": {"c": (-0.1, "u")},
        "u": {"d": (-0.1, "BAD")},
    }
    decode = DecodeSpec(method="sample", width=1)
    once = attempt(MctsSpec(alpha=0.5, decode=decode), Toy(moves), policy=Drawn(moves))
    again = attempt(MctsSpec(alpha=0.5, decode=decode, progressive=1.0), Toy(moves), policy=Drawn(moves))
    assert (once.proof, once.search.stopped) == (None, "exhausted")
    assert again.proof == "b"
    with pytest.raises(SpecError, match="proposes the same tactics every time"):
        MctsSpec(progressive=1.0).check(0.95)


def test_priors_are_probabilities_of_all_tactics():
    edges = [
        Edge("a", Step.OPEN, 1, -1.0),
        Edge("b", Step.INVALID, None, -1.0),
        Edge("c", Step.OPEN, 2, -50.0),
    ]
    assert priors(edges, 1.0) == pytest.approx([0.5, 0.5, 0.0], abs=1e-9)
    assert sum(priors(edges, 20.0)) == pytest.approx(1.0)
    assert priors([], 1.0) == []


def union(first, second, toy, **settings) -> Attempt:
    spec = UnionSpec(first=first, second=second, **settings)
    return attempt(spec, toy)


def test_a_union_spends_one_budget_and_says_whose_proof_it_is():
    by_logprob, by_value = BestFirstSpec(alpha=1.0), BestFirstSpec(alpha=0.0)
    toy = Toy(TRAP, GOOD)
    found = union(by_logprob, by_value, toy, expansions=6)
    # Three of six go into the trap, and the value needs two.
    assert (found.proof, found.origin, found.search.expanded) == ("unlikely\nfinish", "second: best_first", 5)
    assert toy.policy_calls == ["root", "trap", "trap2", "root", "good"]
    assert found.usage.prompt_tokens == 5
    short = union(by_logprob, by_value, Toy(TRAP, GOOD), expansions=4, share=0.8)
    assert (short.proof, short.origin, short.search.expanded) == (None, "", 4)
    first = union(by_value, by_logprob, Toy(TRAP, GOOD), expansions=6)
    assert (first.origin, first.search.expanded) == ("first: best_first", 2)


def test_nothing_is_left_of_a_budget_that_is_spent():
    spec = UnionSpec(expansions=10, tactic_calls=20)
    spent = Attempt("p", 0, 0, None, search=SearchStats(expanded=4, tactics_tried=15, overtaken=2))
    left = left_of(spec, spent)
    assert (left.expansions, left.tactic_calls) == (6, 3)
    done = Attempt("p", 0, 0, None, search=SearchStats(expanded=4, tactics_tried=20))
    assert left_of(spec, done) is None


def test_a_union_is_as_careful_as_its_parts():
    alpha = BestFirstSpec(alpha=0.5)
    assert UnionSpec(second=alpha).asks_value and not UnionSpec(second=BestFirstSpec(alpha=1.0)).asks_value
    with pytest.raises(SpecError, match="needs the gamma"):
        UnionSpec(second=alpha).check(None)
    assert "expansions" not in UnionSpec().effective()["second"]


def test_a_union_refuses_a_token_budget_by_which_a_part_may_never_ask():
    dear = BestFirstSpec(alpha=1.0, tokens=1, decode=DecodeSpec(width=2, max_tactic_tokens=4))
    UnionSpec(first=dear, second=dear, tokens=16).check(None)
    with pytest.raises(SpecError, match=r"the first of the union: search.tokens: 7 is less .* = 8"):
        UnionSpec(first=dear, second=dear, tokens=15).check(None)
    UnionSpec(second=dear, tokens=8).check(None)
    with pytest.raises(SpecError, match=r"the second of the union: search.tokens: 7 is less"):
        UnionSpec(second=dear, tokens=7).check(None)


def test_states_asked_about_together_are_counted_with_what_they_cost():
    toy = Toy(TRAP)
    found = attempt(BestFirstSpec(alpha=1.0, at_once=3), toy)
    assert (found.proof, found.search.expanded) == ("unlikely\nfinish", 3)
    moves = {**TRAP, "root": {"good": (-0.1, "good"), "likely": (-0.2, "trap")}}
    beside = attempt(BestFirstSpec(alpha=1.0, at_once=3), Toy(moves)).search
    assert (beside.expanded, beside.speculated) == (3, 1)


# The proof found first goes a long way round to a state that a worse tactic reaches at once.
ROUND = {
    "root": {"a": (-0.1, "s"), "far": (-9.0, "u")},
    "s": {"b": (-0.1, "t")},
    "t": {"c": (-0.1, "u")},
    "u": {"d": (-0.1, "QED")},
}


def test_the_shortest_proof_inside_the_tree_is_reported_and_may_be_handed_in():
    found = attempt(BestFirstSpec(alpha=1.0), Toy(ROUND))
    assert (found.proof, found.search.shortest, found.search.replayed) == ("a\nb\nc\nd", 2, 2)
    short = attempt(BestFirstSpec(alpha=1.0, proof="shortest"), Toy(ROUND))
    assert (short.proof, short.search.expanded) == ("far\nd", found.search.expanded)


class Named(Toy):
    """Two ways into one state up to names; only the names of the long way suit the tactic that closes it."""

    async def apply(self, state: ProofState, tactic: str) -> StepResult:
        if (state.handle, tactic) == ("x", "d"):
            return StepResult(Step.INVALID)
        result = await super().apply(state, tactic)
        if result.state is None or result.state.handle not in ("u", "x"):
            return result
        name = "h" if result.state.handle == "u" else "g"
        return StepResult(Step.OPEN, ProofState((f"{name} : P\n⊢ P",), result.state.handle))


def test_a_shorter_way_that_names_a_hypothesis_wrongly_is_not_reported():
    moves = {**ROUND, "root": {"a": (-0.1, "s"), "far": (-9.0, "x")}, "x": {"d": (-0.1, "BAD")}}
    stats = attempt(BestFirstSpec(alpha=1.0), Named(moves)).search
    assert (stats.depth, stats.shortest, stats.replayed) == (4, 4, 2)


def test_tactics_that_a_proof_does_not_need_are_left_out():
    class Idle(Toy):
        async def apply(self, state: ProofState, tactic: str) -> StepResult:
            if tactic == "d":
                return StepResult(Step.DONE)
            return await super().apply(state, tactic)

    moves = {"root": {"a": (-0.1, "s")}, "s": {"d": (-0.1, "QED")}}
    assert attempt(BestFirstSpec(alpha=1.0, proof="shortest"), Idle(moves)).proof == "d"


def test_provers_can_be_made_by_hand():
    toy = Toy(TRAP, GOOD)
    for prover in (
        Beam(BeamSpec(alpha=1.0), toy, toy),
        Mcts(MctsSpec(alpha=1.0), toy, toy, how=Puct(alpha=1.0)),
        BestFirst(BestFirstSpec(alpha=1.0), toy, toy),
    ):
        assert asyncio.run(prover.attempt(PROBLEM, 0, 0)).proof == "unlikely\nfinish"
    both = Union(UnionSpec(), prover, prover)
    assert asyncio.run(both.attempt(PROBLEM, 0, 0)).origin == "first: portfolio"


def test_tokens_weigh_a_tactic_by_its_mean():
    class Long(Toy):
        def _proposals(self, name):
            return [
                Proposal(p.tactic, p.logprob, 4 if p.tactic == "long" else 1)
                for p in super()._proposals(name)
            ]

    moves = {
        "root": {"long": (-2.0, "s"), "short": (-1.0, "t")},
        "s": {"x": (-1.0, "QED")},
        "t": {"x": (-1.0, "BAD")},
    }
    by_sum, by_token = Long(moves), Long(moves)
    attempt(BestFirstSpec(alpha=1.0), by_sum)
    attempt(BestFirstSpec(alpha=1.0, logprob_scale="token_mean"), by_token)
    assert (by_sum.policy_calls, by_token.policy_calls) == (["root", "t", "s"], ["root", "s"])


def test_the_trees_of_a_union_lie_side_by_side(tmp_path):
    """The last one is read unless another is asked for: it has the proof."""
    spec = UnionSpec(first=BeamSpec(alpha=1.0, beam=1), second=BestFirstSpec(alpha=1.0))
    toy = Toy(TRAP)
    tools = Tools(toy, lambda sampling: toy, lambda: toy, 0.95, observe=TreeStore(tmp_path))
    found = asyncio.run(spec.build(tools).attempt(PROBLEM, 0, 7))
    assert found.origin == "second: best_first"
    first, last = read(tmp_path, "toy", 0, "first"), read(tmp_path, "toy", 0)
    assert (first.proof, last.proof) == (None, ("unlikely", "finish"))
    assert read(tmp_path, "toy", 0, "second").proof == last.proof

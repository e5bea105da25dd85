"""Trees on the disk, the search that another alpha would have made, and pictures."""

import asyncio
import dataclasses

import pytest

from harness.boards.tree_picture import lines, page
from harness.errors import StoreError, UserError
from harness.provers import stored_tree
from harness.provers.best_first import BestFirst, SearchSpec
from harness.provers.priority import Ranking
from harness.provers.replaying import replay
from harness.provers.search_tree import SearchTree
from tests.provers.test_best_first import GOOD, REFOUND, TRAP
from tests.provers.toy_graph import PROBLEM, Toy


def searched(moves, alpha, values=None, **settings) -> tuple[SearchTree, int, SearchSpec]:
    trees: list[SearchTree] = []
    spec = SearchSpec(alpha=alpha, **settings)
    toy = Toy(moves, values or {})
    prover = BestFirst(spec, toy, toy, toy, 0.95, observe=lambda problem, index, tree: trees.append(tree))
    attempt = asyncio.run(prover.attempt(PROBLEM, 0, 0))
    return trees[0], attempt.search.expanded, spec


def plain(tree: SearchTree) -> list[object]:
    return [dataclasses.replace(node, state=node.state.goals) for node in tree.nodes]


def test_a_tree_comes_back_as_it_was_stored(tmp_path):
    tree, _, _ = searched(TRAP, 0.5, GOOD)
    stored_tree.TreeStore(tmp_path)(PROBLEM, 3, tree)
    again = stored_tree.read(tmp_path, PROBLEM.id, 3)
    assert plain(again) == plain(tree)
    assert (again.proof, again.on_proof, again.shortest) == (tree.proof, tree.on_proof, tree.shortest)


def test_a_tree_that_is_not_there_says_how_to_keep_one_and_a_broken_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"runtime\.trees=true"):
        stored_tree.read(tmp_path, "toy", 0)
    path = stored_tree.place(tmp_path, "a/b", 0)
    assert path.parent == tmp_path / "trees"
    path.parent.mkdir()
    for content in (b"no gzip", b""):
        path.write_bytes(content)
        with pytest.raises(StoreError, match="a%2Fb"):
            stored_tree.read(tmp_path, "a/b", 0)


@pytest.mark.parametrize("moves", [TRAP, REFOUND])
@pytest.mark.parametrize("alpha", [1.0, 0.5, 0.0])
def test_the_same_alpha_replays_to_the_same_count(moves, alpha):
    for expansions in range(1, 7):
        tree, expanded, spec = searched(moves, alpha, GOOD, expansions=expansions)
        found = replay(tree, Ranking.of(spec, 0.95), spec)
        assert (found.expanded, found.proved, found.left_at) == (expanded, tree.proof is not None, None)


def test_another_alpha_is_answered_where_the_tree_suffices_and_only_there():
    wide, _, spec = searched(TRAP, 0.9, GOOD, value_scale="value")
    assert [node.expanded for node in wide.nodes].count(True) == 5
    by_value = Ranking.of(SearchSpec(alpha=0.0), 0.95)
    assert dataclasses.astuple(replay(wide, by_value, spec)) == (2, True, None)
    narrow, expanded, spec = searched(TRAP, 0.0, GOOD)
    assert expanded == 2
    left = replay(narrow, Ranking.of(SearchSpec(alpha=1.0), None), spec)
    assert (left.expanded, left.proved) == (1, False)
    assert narrow.nodes[left.left_at].state.goals == ("⊢ trap",)


def test_without_values_nothing_is_said_of_an_alpha_that_needs_them():
    tree, _, spec = searched(TRAP, 1.0)
    found = replay(tree, Ranking.of(SearchSpec(alpha=0.5), 0.95), spec)
    assert found.left_at is not None


def test_the_picture_shows_every_expanded_state_and_the_proof():
    tree, _, _ = searched(TRAP, 1.0)
    shown = list(lines(tree))
    assert len(shown) == 5 + 1
    assert [line.split()[1] for line in shown if line.startswith("*")] == ["start", "unlikely", "finish"]
    html = page(tree, "toy <1>")
    assert html.count("<details") == html.count("</details>") == len(tree.nodes)
    assert "toy &lt;1&gt;" in html and "<code>finish</code> QED" in html and "a proof of 2 tactics" in html
    assert "http" not in html
    alone = page(searched({"root": {"x": (-1.0, "BAD")}}, 1.0)[0], "t")
    assert "no proof" in alone and "refused: x" in alone

"""Boards: like is ranked with like, and what does not qualify says why."""

import csv
import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.compare import compare
from harness.analysis.comparison_tables import comparison_json, comparison_tables
from harness.analysis.runs import RunView
from harness.analysis.settings import fingerprint, varying
from harness.analysis.tables import runs_table
from harness.boards.definition import Board, board_names, load_board
from harness.boards.ranking import board_of, boards_for, rank
from harness.boards.rows import Row
from harness.boards.tables import sorted_by, standing_csv, standing_json, standing_tables
from harness.errors import SpecError, UserError
from harness.serving.weights import UNKNOWN
from harness.terminal.tables import markdown, plain_text
from harness.types import Level, Record
from tests.making import record, ref, refs, run, session, spec


def outcome(marks: str, expanded: int = 3) -> list[Record]:
    words = {"+": "proved", "-": "rejected", "?": "infra"}
    return [record(f"p{i:03}", words[m], expanded=expanded) for i, m in enumerate(marks) if m != " "]


def view(name: str, marks: str, expanded: int = 3, sessions: Any = None, **changes: Any) -> RunView:
    keys = {key.replace("__", "."): value for key, value in changes.items()}
    return run(name, outcome(marks, expanded), refs(len(marks)), keys, sessions)


def board(**changes: Any) -> Board:
    return Board.model_validate(
        {"name": "b", "title": "Toy", "benchmarks": ("toy",), "split": "test", **changes}
    )


def rows(standing: Any) -> list[Row]:
    (section,) = standing.sections
    return list(section.rows)


def test_rows_are_ranked_best_first_whatever_the_order() -> None:
    few, many, most = ("+" * solved + "-" * (40 - solved) for solved in (10, 12, 30))
    runs = [view("b", few, search__alpha=0.1), view("a", most, search__alpha=0.2)]
    runs.append(view("c", many, search__alpha=0.3))
    for given in (runs, runs[::-1]):
        found = rows(rank(board(), given))
        assert [(row.run.name, row.rank, row.ranks) for row in found] == [
            ("a", 1, (1, 1)),
            ("c", 2, (2, 3)),
            ("b", 2, (2, 3)),
        ], "two solved problems more could be chance"
    assert [row.settings for row in found] == [{"alpha": 0.2}, {"alpha": 0.3}, {"alpha": 0.1}]


def test_fewer_is_better_for_costs() -> None:
    runs = [view("a", "++--", 9, search__alpha=0.1), view("b", "++--", 3, search__alpha=0.2)]
    assert [row.run.name for row in rows(rank(board(metric="nodes_per_proof"), runs))] == ["b", "a"]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (view("x", "++- "), "1 of 4 attempts missing"),
        (view("x", "++-?"), "1 of 4 attempts unscored"),
        (view("x", "++--", lean__level="fast"), "verdicts at the fast level"),
        (view("x", "++--", sessions=[session(dirty=True)]), "uncommitted changes"),
        (view("x", "++--", sessions=[session(), session(commit="other")]), "made by 2 commits"),
        (view("x", "++--", sessions=[]), "no provenance"),
    ],
)
def test_a_row_that_does_not_qualify_is_shown_with_the_reason(made: RunView, reason: str) -> None:
    found = rows(rank(board(), [made, view("y", "+---", search__alpha=0.9)]))
    assert [row.run.name for row in found] == ["y", "x"], "shown, below the ranked ones"
    assert found[1].rank is None and reason in found[1].reason
    (table,) = standing_tables(rank(board(), [made]))
    assert table.grey == {0} and any(reason in note for note in table.notes)


def test_a_fast_board_takes_strict_verdicts_too() -> None:
    assert not rows(rank(board(level="fast"), [view("x", "++--", lean__level="strict")]))[0].reason


def test_few_unscored_attempts_rank_by_what_is_certain() -> None:
    found = rows(
        rank(
            board(max_unscored=0.3),
            [
                view("x", "++-?"),
                view("y", "+++-", search__alpha=0.1),
                view("z", "+---", search__alpha=0.2),
            ],
        )
    )
    assert [(row.run.name, row.sure) for row in found] == [("y", 0.75), ("x", 0.5), ("z", 0.25)]
    text = plain_text(standing_tables(rank(board(max_unscored=0.3), [view("x", "++-?")])))
    assert "at least 50.0 [" in text


def test_other_problems_and_other_budgets_are_other_sections() -> None:
    runs = [view("a", "++"), view("b", "+++"), view("c", "++", search__expansions=128)]
    runs.append(view("d", "++", evaluation__problems__benchmark="else"))
    runs.append(view("e", "++", evaluation__problems__split="valid"))
    found = rank(board(), runs).sections
    assert [[row.run.name for row in section.rows] for section in found] == [["b"], ["a"], ["c"]]
    whole = {"evaluation.prover": "whole_proof", "whole_proof.max_new_tokens": 64}
    runs.append(run("w", outcome("++"), refs(2), whole))
    assert [section.budget.split()[1] for section in rank(board(), runs).sections][1:3] == [
        "expansions,",
        "tokens",
    ]


def test_a_board_can_limit_the_budget() -> None:
    found = rows(rank(board(budget={"expansions": 32}), [view("a", "++")]))
    assert "64 expansions, the board allows 32" in found[0].reason


def test_a_board_ranks_by_the_k_it_names() -> None:
    records = [record("p000", "proved" if j == 0 else "rejected", index=j) for j in range(4)]
    made = run("a", records, refs(1), {"evaluation.samples": 4, "evaluation.k": [1, 4]})
    (row,) = rows(rank(board(metric="pass@4"), [made]))
    assert row.sure == 1.0 and row.passed is not None and row.passed.k == 4
    (row,) = rows(rank(board(metric="pass@8"), [made]))
    assert row.reason == "no pass@8"


def sweep(alphas: dict[float, tuple[str, str]]) -> list[RunView]:
    made = []
    for alpha, (valid, test) in alphas.items():
        for split, marks in (("valid", valid), ("test", test)):
            changes = {"search.alpha": alpha, "evaluation.problems.split": split, "evaluation.name": split}
            made.append(run(f"{split}-{alpha}", outcome(marks), refs(len(marks)), changes))
    return made


def test_alpha_is_chosen_on_validation_not_on_test() -> None:
    runs = sweep({0.2: ("+---", "++++"), 0.5: ("++--", "+---"), 1.0: ("----", "+++-")})
    found = rows(rank(board(select={"split": "valid"}), runs))
    assert [(row.run.name, row.chosen) for row in found] == [
        ("test-0.2", False),
        ("test-1.0", False),
        ("test-0.5", True),
    ]
    assert [row.selection for row in found] == [0.25, 0.0, 0.5]
    text = plain_text(standing_tables(rank(board(select={"split": "valid"}), runs)))
    assert "alpha 0.5, seed 0 *" in text and "alpha and value model chosen on valid by pass@1" in text


def chosen(runs: list[RunView]) -> tuple[list[str], tuple[str, ...]]:
    """The chosen rows and the notes, which must not depend on the order of the runs."""
    (section,) = rank(board(select={"split": "valid"}), runs).sections
    assert rank(board(select={"split": "valid"}), runs[::-1]).sections == (section,)
    return [row.run.name for row in section.rows if row.chosen], section.notes


def on_valid(alpha: float, marks: str, **changes: Any) -> RunView:
    given = {"search__alpha": alpha, "evaluation__problems__split": "valid", **changes}
    return view(f"more-{alpha}", marks, **given)


def test_alphas_are_chosen_on_the_same_validation_problems() -> None:
    runs = sweep({0.1: ("++++", "++"), 0.5: ("+++-", "++")})
    assert chosen(runs) == (["test-0.1"], ())
    runs[0] = on_valid(0.1, "++")
    assert chosen(runs) == (
        [],
        ("no row is chosen among 2: they were measured on different problems of valid",),
    )
    assert chosen([*runs, on_valid(0.5, "+-")])[0] == ["test-0.1"], "the problems that both share"


def test_no_row_is_chosen_by_a_validation_run_that_is_unfit() -> None:
    for unfit in (
        on_valid(0.1, "+++ "),
        on_valid(0.1, "+++?"),
        on_valid(0.1, "++++", sessions=[session(dirty=True)]),
        on_valid(0.1, "++++", lean__level="fast"),
    ):
        runs = sweep({0.1: ("++++", "++"), 0.5: ("+++-", "++")})
        runs[0] = unfit
        # At another level it is another setting, which no row of the board has.
        if unfit.get("lean.level") == "fast":
            assert chosen(runs) == ([], ())
        else:
            assert chosen(runs) == (
                [],
                ("no row is chosen among 2: no complete, clean run of alpha 0.1, seed 0 on valid",),
            )


def test_the_second_best_is_not_chosen_where_the_best_is_not_ranked() -> None:
    runs = sweep({0.1: ("++++", "+ "), 0.5: ("+++-", "++"), 0.9: ("++--", "++")})
    assert chosen(runs) == ([], ("no row is chosen: valid picks alpha 0.1, seed 0, which is not ranked",))


def test_a_row_without_the_value_model_competes_in_its_sweep() -> None:
    guided = spec(**{"search.alpha": 0.3, "value.digest": "v", "search.value_scale": "distance"})
    alone = spec(**{"search.alpha": 1.0})
    del alone["value"]
    assert fingerprint(guided, ["search.alpha"]) == fingerprint(alone, ["search.alpha"])
    assert fingerprint(guided) != fingerprint(alone)
    other = spec(**{"search.alpha": 1.0, "generator": {"digest": "g"}})
    assert fingerprint(other, ["search.alpha"]) != fingerprint(alone, ["search.alpha"])


def test_settings_that_vary_have_their_shortest_name() -> None:
    specs = [
        spec(**{"search.alpha": a, "grpo": {"samples": s}, "evaluation.samples": s})
        for a, s in ((0.1, 4), (0.2, 8))
    ]
    assert varying(specs)[0] == {"alpha": 0.1, "evaluation.samples": 4, "grpo.samples": 4}


def test_every_shipped_board_loads_and_states_its_sources() -> None:
    assert set(board_names()) >= {"core-curriculum", "smoke", "minif2f", "putnambench"}
    for name in board_names():
        loaded = load_board(name)
        assert loaded.name == name
        assert all(item.source and item.budget and item.lineage and item.score for item in loaded.published)
    assert len(load_board("minif2f").published) >= 20


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "name: b\ntitle: t\nbenchmarks: [toy]\nsplit: test\nmetrc: pass@1\n",
            "metrc: unknown key; did you mean 'metric'",
        ),
        ("name: b\ntitle: t\nbenchmarks: [toy]\n", "split: missing; add it"),
        (
            "name: b\ntitle: t\nbenchmarks: [toy]\nsplit: test\nmetric: speed\n",
            "no metric 'speed'; known: pass@K",
        ),
        ("name: b\ntitle: t\nbenchmarks: []\nsplit: test\n", "benchmarks: "),
        (
            "name: b\ntitle: t\nbenchmarks: [toy]\nsplit: test\n"
            "published: [{system: s, budget: x, lineage: y, source: z}]\n",
            "give percent, or solved",
        ),
        (
            "name: b\ntitle: t\nbenchmarks: [toy]\nsplit: test\nbudget: {expansion: 3}\n",
            r"budget\.expansion: unknown key; did you mean 'expansions'",
        ),
    ],
)
def test_a_wrong_board_is_named_with_its_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=rf"b\.yaml: .*{said}"):
        load_board(str(path))


def test_an_unknown_board_names_the_nearest() -> None:
    with pytest.raises(SpecError, match="no board 'minif2'; did you mean 'minif2f'"):
        load_board("minif2")


def test_the_boards_of_some_runs() -> None:
    assert boards_for([]) == []
    smoke = view("a", "+", evaluation__problems__benchmark="smoke")
    assert boards_for([smoke]) == ["smoke"]
    assert boards_for([view("a", "+"), view("b", "+"), smoke]) == ["toy", "smoke"], "its own board"
    (row,) = rows(rank(board_of("toy", [view("a", "+")]), [view("a", "+")]))
    assert row.rank == 1
    valid = view("v", "+", evaluation__problems__split="valid")
    assert board_of("toy", [view("a", "+"), view("b", "+"), valid]).split == "test"
    assert board_of("toy:valid", [view("a", "+"), valid]).split == "valid"


def test_published_rows_stand_apart_by_statements_and_lean() -> None:
    shared = {"budget": "8192", "source": "paper"}
    published = (
        {"system": "Theirs", "percent": 88.9, "lineage": "own", "lean": "4.9", **shared},
        {"system": "Others", "percent": 41.0, "lineage": "own", "lean": "3", **shared},
        {"system": "More", "percent": 90.0, "lineage": "own", "lean": "4.9", **shared, "budget": "1"},
    )
    ours, new, old = standing_tables(rank(board(published=published), [view("a", "+-")]))
    assert "Theirs" not in plain_text([ours]) and "not ranked" in new.title and "Lean: 4.9" in new.title
    assert "88.9 % (8192)" in plain_text([new]) and "90 % (1)" in plain_text([new])
    assert "Others" not in plain_text([new]) and "41 % (8192)" in plain_text([old])


def test_a_column_without_a_figure_is_left_out() -> None:
    (searched,) = standing_tables(rank(board(), [view("a", "+-")]))
    records = [record(f"p{i:03}", status, expanded=None) for i, status in enumerate(("proved", "rejected"))]
    (sampled,) = standing_tables(rank(board(), [run("a", records, refs(2))]))
    missing = {column.name for column in searched.columns} - {column.name for column in sampled.columns}
    assert missing == {"nodes/proof", "median", "p90", "expansions/proof"}
    assert all(len(row) == len(table.columns) for table in (searched, sampled) for row in table.rows)


def test_nothing_proved_is_a_result_and_no_empty_column() -> None:
    base = {"search__alpha": 1.0, "value": None}
    (table,) = standing_tables(rank(board(), [view("a", "---", **base), view("b", "---", search__alpha=0.5)]))
    assert {"pass@1 %", "solved", "points"} <= {column.name for column in table.columns}
    assert "0/3" in plain_text([table])


def test_an_empty_board_says_so() -> None:
    assert "no run on toy, split test, yet" in plain_text(standing_tables(rank(board(), [])))


def test_json_is_plain_and_whole() -> None:
    data = standing_json(
        rank(board(select={"split": "valid"}), sweep({0.2: ("+-", "++"), 0.5: ("++", "+-")}))
    )
    assert json.loads(json.dumps(data)) == data
    first = data["sections"][0]["rows"][0]
    assert first["figures"]["pass_at_1"] == 1.0 and first["settings"] == {"alpha": 0.2}
    assert first["code"]["commit"] == "c0ffee0000"


def test_tables_of_comparisons_runs_and_one_run() -> None:
    a, b = view("a", "++--+++-++---+++----", seed=1), view("b", "+++-+++-+++-+++-+---", seed=2)
    text = plain_text(comparison_tables(compare([a], [b])))
    assert "A = a" in text and "only B" in text and "p002, p010, p012, p016" in text
    assert "+15.0 [" in text and "points" in text and "undecided (+" in text
    assert "category" not in text
    kinds = [ref("p000", "nat"), ref("p001", "list"), ref("p002")]
    pair = [run(name, outcome(marks), kinds) for name, marks in (("a", "++-"), ("b", "-++"))]
    found = compare(pair[:1], pair[1:])
    lines = [line.split() for line in plain_text(comparison_tables(found)).splitlines()]
    assert ["nat", "1", "1", "0", "-1"] in lines and ["(none)", "1", "0", "1", "+1"] in lines
    row = json.loads(json.dumps(comparison_json(found)))["categories"][1]
    assert row == {"name": "list", "n": 1, "a": 1, "b": 1, "difference": 0}
    assert "B = b" in markdown(comparison_tables(compare([a], [b])))
    assert "toy/test" in plain_text([runs_table([a, b])])


def test_ranking_looks_at_each_run_a_fixed_number_of_times(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def counted(*given: Any) -> str:
        nonlocal calls
        calls += 1
        return fingerprint(*given)

    monkeypatch.setattr("harness.boards.ranking.fingerprint", counted)
    monkeypatch.setattr("harness.boards.choice.fingerprint", counted)
    counts = []
    for size in (10, 20):
        calls = 0
        rank(board(select={"split": "valid"}), sweep({i / 100: ("+-", "++") for i in range(size)}))
        counts.append(calls)
    assert counts[1] == 2 * counts[0]


def seeds(name: str, marks: list[str], **changes: Any) -> list[RunView]:
    return [
        view(
            f"{name}-{seed}",
            one,
            seed=seed,
            generator__digest=f"g{seed}",
            generator__hidden_size=8,
            **changes,
        )
        for seed, one in enumerate(marks)
    ]


def test_seeds_of_one_setting_are_one_row_that_opens() -> None:
    runs = seeds("a", ["++--", "+++-", "+---"], search__alpha=0.25, grpo={"kl": 0.0})
    (row,) = rows(rank(board(), runs[::-1]))
    assert [run.name for run in row.runs] == [
        "a-0",
        "a-1",
        "a-2",
    ] and row.name == "alpha 0.25, warm start, 3 seeds"
    assert row.sure == 0.5 and row.figure is not None and row.figure.n == 4, "four problems, not twelve"
    assert [part.name.rsplit(", ")[-1] for part in row.members] == ["seed 0", "seed 1", "seed 2"]
    assert row.summary.owed == 12 and row.cost.attempts == 12
    text = plain_text(standing_tables(rank(board(), runs)))
    assert "2.0/4" in text and "seed 1" not in text
    assert "seed 1" in plain_text(standing_tables(rank(board(), runs), seeds=True))


def test_a_seed_that_does_not_qualify_is_left_out_of_its_row() -> None:
    (row,) = rows(rank(board(), seeds("a", ["++--", "+++ ", "+---"])))
    assert row.sure == 0.375 and row.rank == 1
    text = plain_text(standing_tables(rank(board(), seeds("a", ["++--", "+++ "]))))
    assert "(a-1): not ranked, 1 of 4 attempts missing" in text


def test_runs_that_hold_the_same_attempts_are_one_row() -> None:
    def named(name: str, marks: str, **changes: Any) -> RunView:
        return view(name, marks, evaluation__name=name, search__alpha=1.0, **changes)

    runs = [named("points", "++--"), named("held", "++--"), view("x", "+++-", search__alpha=0.5)]
    standing = rank(board(), runs, baseline="points")
    assert {row.name: [one.name for one in row.same] for row in rows(standing)} == {
        "alpha 1, seed 0": ["points"],
        "alpha 0.5, seed 0": [],
    }
    assert next(row for row in rows(standing) if row.baseline).run.name == "held"
    told = "points holds the same attempts as alpha 1, seed 0\n"
    assert told in plain_text(standing_tables(standing))
    dirty = named("held", "++--", sessions=[session(dirty=True)])
    (row,) = rows(rank(board(), [dirty, runs[0]]))
    assert row.run.name == "points" and not row.reason, "the one that qualifies stands for both"
    pooled = [named(f"{name}-{seed}", "++--", seed=seed) for name in ("held", "points") for seed in (0, 1)]
    (row,) = rows(rank(board(), pooled))
    assert [(part.run.name, part.same[0].name) for part in row.parts] == [
        ("held-0", "points-0"),
        ("held-1", "points-1"),
    ]


def test_other_attempts_under_the_same_settings_are_a_row_of_their_own() -> None:
    found = rows(
        rank(board(), [view("a", "++--", evaluation__name="a"), view("b", "+---", evaluation__name="b")])
    )
    assert [(row.run.name, row.same) for row in found] == [("a", ()), ("b", ())]


def test_two_models_of_one_seed_are_two_rows() -> None:
    runs = [
        view(name, "++--", generator={"digest": digest, "warm_start": "w", "rounds": 0})
        for name, digest in (("a", "aaaa"), ("b", "bbbb"))
    ]
    found = rows(rank(board(), runs))
    assert [row.name for row in found] == [
        "alpha 0.5, seed 0, generator aaaa",
        "alpha 0.5, seed 0, generator bbbb",
    ]


def test_rows_are_held_against_the_baseline() -> None:
    marks = ["+" * solved + "-" * (40 - solved) for solved in (10, 12, 30)]
    runs = [view(f"a{i}", one, search__alpha=0.1 * i) for i, one in enumerate(marks)]
    assert all(row.delta is None for row in rows(rank(board(), runs)))
    found = rows(rank(board(), runs, baseline="a0"))
    assert [row.baseline for row in found] == [False, False, True]
    delta = found[0].delta
    assert delta is not None and delta.value == 0.5 and delta.p is not None and delta.p < 1e-4
    assert [row.baseline for row in rows(rank(board(baseline={"search.alpha": 0.1}), runs))][1]


def test_rows_of_unlike_evidence_are_ranked_apart() -> None:
    made = {}
    for name, tier in (("a", "kernel"), ("b", "kernel"), ("c", "repl-checked"), ("d", "")):
        records = [record("p000", "proved" if tier else "rejected", tier=tier)]
        made[name] = run(name, records, refs(1), {"search.alpha": ord(name) / 1000})
    found = rank(board(), list(made.values())).sections
    assert [(section.tier, len(section.rows)) for section in found] == [("kernel", 3), ("repl-checked", 1)]
    quick = dataclasses.replace(
        record("p000"), verdict=dataclasses.replace(record("p000").verdict, level=Level.FAST)
    )
    runs = [made["a"], run("q", [quick], refs(1), {"search.alpha": 0.9})]
    found = rank(board(level="fast"), runs).sections
    assert [section.tier for section in found] == ["kernel", "kernel, fast"]
    weak = rank(board(tier="kernel"), [made["c"]]).sections[0].rows[0]
    assert weak.rank is None and "proofs rest on repl-checked evidence" in weak.reason


def test_costs_pay_for_failures_and_have_a_price() -> None:
    priced = board(prices={"gpu_hour": 3.6, "million_completion_tokens": 1.0})
    timed = {
        **session(),
        "gpus": ["a", "b"],
        "started_at": "2026-01-01T00:00:00Z",
        "finished_at": "2026-01-01T00:01:00Z",
    }
    (row,) = rows(rank(priced, [view("a", "+---", sessions=[timed])]))
    assert row.cost.per("proof") == {
        "tokens": 28.0,
        "lean_s": 2.0,
        "gpu_s": 120.0,
        "dollars": pytest.approx(0.120028),
    }
    assert row.cost.per("attempt")["tokens"] == 7.0
    (cut,) = rows(rank(priced, [view("a", "+---", sessions=[{**timed, "finished_at": None}])]))
    assert cut.cost.gpu_s is None and cut.cost.dollars is None, "unknown is not zero"


def test_a_board_is_sorted_by_any_column() -> None:
    runs = [view("a", "+++-", 9, search__alpha=0.1), view("b", "++--", 3, search__alpha=0.2)]
    standing = rank(board(), runs)
    assert [row.run.name for row in rows(standing)] == ["a", "b"]
    assert [row.run.name for row in rows(sorted_by(standing, "nodes_per_proof"))] == ["b", "a"]
    with pytest.raises(
        UserError, match="--sort nods_per_proof: no such column; did you mean 'nodes_per_proof'"
    ):
        sorted_by(standing, "nods_per_proof")


def test_csv_holds_numbers_of_rows_and_seeds() -> None:
    text = standing_csv(rank(board(), seeds("a", ["++--", "+++-"])))
    lines = list(csv.DictReader(io.StringIO(text)))
    assert [line["kind"] for line in lines] == ["pooled", "seed", "seed"]
    assert float(lines[0]["pass"]) == 0.625 and lines[1]["run"] == "a-0"


def test_a_row_of_a_served_model_without_a_revision_is_marked() -> None:
    served = {"kind": "server", "model": "prover"}
    runs = [
        view("a", "++-", generator=served | {"revision": UNKNOWN}),
        view("b", "+--", generator=served | {"revision": "abc"}),
        view("c", "+--", value={"kind": "steps", "revision": None}),
    ]
    standing = rank(board(), runs)
    [table] = standing_tables(standing)
    text = plain_text([table])
    assert sum(f"({UNKNOWN})" in line for line in text.splitlines()) == 2
    assert any(note.startswith(UNKNOWN) for note in table.notes)
    told = standing_json(standing)["sections"][0]["rows"]
    assert {row["run"]: row["unknown_revision"] for row in told} == {"a": True, "b": False, "c": True}

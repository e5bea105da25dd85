"""The page of a board: whole in itself, nothing in it but text, and every figure of its rows."""

import json
import re
from pathlib import Path

import pytest

from harness.boards.charts import drawn, section_charts
from harness.boards.page import page
from harness.boards.ranking import rank
from harness.errors import UserError
from tests.boards.making import NASTY, board, outcome, packed, statements, sweep
from tests.making import refs, run


def made(**changes: object) -> str:
    return page(rank(board(**changes), sweep()), "2026-01-01", statements)


def test_equal_boards_give_equal_pages_that_need_nothing_else() -> None:
    html = made()
    assert html == page(rank(board(), sweep()[::-1]), "2026-01-01", statements)
    shown = re.sub(r'<script type="text/plain".*?</script>', "", html, flags=re.S)
    assert "http" not in shown.replace("http-equiv", ""), "nothing is fetched"
    assert "default-src 'none'" in shown and "connect-src" not in shown
    assert len(html) < 1_000_000


def test_no_text_becomes_markup_or_control() -> None:
    html = made(title=NASTY, notes=(NASTY,))
    assert "<script>alert" not in html and "&lt;script&gt;alert" in html
    assert "\x1b" not in html and "\u202e" not in html
    held = json.dumps(packed(html), ensure_ascii=False)
    assert "alert(1)" in held and "\x1b" not in held and "\u202e" not in held


def test_rows_open_into_their_seeds_and_grey_rows_say_why() -> None:
    html = made()
    assert html.count('class="open"') == 3 and html.count(">alpha 0.25, warm start, seed 1</a>") == 1
    assert '<a href="#run/a0.25-0">' in html and '<a href="#run/%3Cscript' in html
    assert 'title="uncommitted changes in the code"' in html


def test_the_page_holds_every_attempt_with_its_evidence() -> None:
    data = packed(made())
    run = data["runs"]["a0.25-0"]
    assert data["left_out"] == [] and len(data["runs"]) == 7
    assert [len(one["attempts"]) for one in run["problems"]] == [4] * 12
    best = run["problems"][1]["attempts"][0]
    assert (best["status"], best["expansions"], best["proof"]) == ("proved", 2, "intro h\nexact h")
    assert best["evidence"].startswith("strict; the embedded core's own kernel")
    assert data["texts"]["p001 rev-p001"]["statement"].startswith("theorem p1")
    assert ["commit", "c0ffee0000"] in run["facts"]


def test_a_big_board_holds_the_attempts_of_its_best_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.boards.details.board_details.__defaults__", (100,))
    data = packed(made())
    assert set(data["runs"]) == {"a0.25-0", "a0.25-1"} and len(data["left_out"]) == 5


def test_charts_show_what_the_rows_have() -> None:
    (section,) = rank(board(), sweep()).sections
    keys = [chart.key for chart in section_charts(section)]
    assert keys == [
        "pass-at-k",
        "solved-by-expansions",
        "solved-by-tokens",
        "solved-by-seconds",
        "nodes-per-proof",
        "alpha-solved",
        "alpha-spent",
    ]
    by_k = section_charts(section)[0].spec["data"]["values"]
    assert [point["x"] for point in by_k if point["row"] == "alpha 0.25, warm start, 2 seeds"] == [1, 2, 4]


def test_rounds_of_a_training_are_rows_of_their_own_with_a_figure() -> None:
    runs = [
        run(
            f"r{number}-{seed}",
            outcome(4 + 3 * number - seed, 12, 1),
            refs(12),
            {
                "search.alpha": 1.0,
                "value": None,
                "seed": seed,
                "generator": {"digest": f"g{number}{seed}", "steps": 8, "rounds": number},
                **({"improve.method": "grpo", "grpo": {"kl": 0.0, "samples": 8}} if number else {}),
            },
        )
        for number in (0, 1, 2)
        for seed in (0, 1)
    ]
    (section,) = rank(board(), runs).sections
    names = ["alpha 1, GRPO kl 0, round 2", "alpha 1, GRPO kl 0, round 1", "alpha 1, warm start"]
    assert [row.name for row in section.rows] == [f"{name}, 2 seeds" for name in names]
    assert [part.name for part in section.rows[0].members] == [f"{names[0]}, seed {n}" for n in (0, 1)]
    assert [row.baseline for row in section.rows] == [False, False, True]
    (figure,) = (chart for chart in section_charts(section) if chart.key == "co-training-round-solved")
    drawn = [(point["row"], point["x"], round(12 * point["y"], 9)) for point in figure.spec["data"]["values"]]
    assert drawn == [("alpha 1, 2 seeds", x, y) for x, y in ((0, 3.5), (1, 6.5), (2, 9.5))]


def test_charts_are_drawn_as_svg_and_png(tmp_path: Path) -> None:
    (section,) = rank(board(), sweep()).sections
    charts = section_charts(section)[:1]
    svg, png = drawn(charts, tmp_path / "new", ["svg", "png"])
    assert "<svg" in svg.read_text() and "alpha 0.25, warm start, 2 seeds" in svg.read_text()
    assert png.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UserError, match="--format pdf: charts are drawn as svg or png"):
        drawn(charts, tmp_path, ["pdf"])

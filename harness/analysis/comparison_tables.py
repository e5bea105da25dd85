"""Comparisons as tables and as JSON. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from harness.analysis.compare import Comparison, headline
from harness.analysis.figures import SECONDS, SIGN_FLIP, Figure
from harness.analysis.statistics import FLIPS
from harness.terminal.tables import Column, Table, number, percent, with_interval

INTERVALS = "95 % intervals over problems, by Student's t (ratios on the logarithm)"
NAMES_SHOWN = 8
APART = (
    "seconds are held together only of runs made in turn with generators of their own: the load of a machine "
    "differs, and a generator remembers what another run has asked"
)


def comparison_tables(found: Comparison, margin: float | None = None) -> list[Table]:
    """Who solves what, by category too, every figure with interval and p-value, and equal budgets."""
    return [
        _solved(found),
        *_category_tables(found),
        figures_table(found, margin),
        *_equal_tables(found),
        *_model_tables(found),
        *_union_tables(found),
    ]


def _solved(found: Comparison) -> Table:
    counts = {"both": found.both, "only A": found.only_a, "only B": found.only_b}
    counts |= {"neither": found.neither, "unscored": found.unscored}
    a, b = (f"{side}: {called}" for side, called in zip(_who(found), found.called, strict=True))
    return Table(
        f"A = {a}\nB = {b}\n{found.problems} problems",
        [Column("solved by"), Column("problems", True), Column("names")],
        [[name, str(len(ids)), _names(name, ids)] for name, ids in counts.items() if ids],
        notes=[f"warning: {warning}" for warning in found.warnings],
    )


def figures_table(found: Comparison, margin: float | None = None) -> Table:
    """Every figure paired by problem, with interval, p-value and verdict."""
    columns = [Column("figure"), Column("A", True), Column("B", True), Column("B against A")]
    columns += [Column("p", True), Column("p (Holm)", True, spare=1), Column("pairs", True, spare=2)]
    columns += [Column("test", spare=3), Column("verdict")]
    families = f", whose {found.families} families are the units of chance" if found.families else ""
    return Table(
        f"Paired by problem{families}; {INTERVALS}",
        columns,
        [_figure_cells(figure, margin) for figure in found.figures],
        notes=[
            "p (Holm): adjusted for all figures that this command looks at; the verdict goes by it",
            "(+n problems, or +m samples): about how many more would settle a difference of this size, four "
            "times in five",
            *(
                [APART]
                if any(one.name.startswith(SECONDS) and one.estimate.value is None for one in found.figures)
                else []
            ),
            *(
                f"seed pair {a} / {b}: {found.figures[0].name} {100 * difference:+.1f} points"
                for a, b, difference in found.seeds
            ),
        ],
    )


def _model_tables(found: Comparison) -> list[Table]:
    """How near both value models come to the tactics left, or why that cannot be told."""
    one = found.models
    if one is None:
        return []
    if one.why:
        return [Table(f"Value models: {one.why}", [], [])]
    columns = [Column("figure"), Column("A", True), Column("B", True), Column("B - A"), Column("p", True)]
    rows = [
        *(
            [
                score.name,
                f"{score.a:.4f}",
                f"{score.b:.4f}",
                with_interval(score.difference, sign=True, digits=4),
                f"{score.p:.2g}",
            ]
            for score in one.scores
        ),
        ["mean V minus mean label", f"{one.bias_a:+.4f}", f"{one.bias_b:+.4f}", "", ""],
    ]
    notes = [
        "label: gamma^d, d the fewest tactics to QED that either search knows; p not adjusted",
        "calibration error: of all states, in ten bins; the others are means over problems; 0 is best",
    ]
    title = f"Value models, on {one.states} states that both scored and a proof is known from"
    return [Table(title, columns, rows, notes=notes)]


def _union_tables(found: Comparison) -> list[Table]:
    """What the provers of a side that is a union add; none where no side is."""
    if not found.unions:
        return []
    rows = [
        [
            f"{part.of}, {part.adds.side}",
            part.adds.prover or "-",
            *map(str, (part.adds.problems, part.adds.only, part.beyond, part.adds.attempts)),
        ]
        for part in found.unions
    ]
    columns = [Column("prover"), Column("kind"), Column("proves", True), Column("alone in its union", True)]
    columns += [Column("not the other side", True), Column("proofs", True)]
    return [Table("What each prover of a union adds, problems", columns, rows)]


def _equal_tables(found: Comparison) -> list[Table]:
    """What both solve within the same spending; none where no measure is known of every attempt."""
    if not found.equal:
        return []
    columns = [Column("an attempt may spend", True), Column("A", True), Column("B", True)]
    columns += [Column("B - A"), Column("A failed sooner", True, spare=1), Column("B", True, spare=1)]
    rows = [
        [
            f"{number(one.budget)} {one.measure}",
            percent(one.a),
            percent(one.b),
            f"{with_interval(one.difference, share=True, sign=True)} points",
            percent(one.sooner_a),
            percent(one.sooner_b),
        ]
        for one in found.equal
    ]
    notes = [
        "tokens: written by the generator; a value model writes none, its time is in the seconds",
        "failed sooner: attempts that had ended without a proof; the share solved could be higher by as much",
    ]
    return [Table("Solved within the same spending, %; intervals not adjusted", columns, rows, notes=notes)]


def _category_tables(found: Comparison) -> list[Table]:
    """None where all problems are of one category."""
    if not found.categories:
        return []
    columns = [Column("category")]
    columns += [Column(name, True) for name in ("problems", "solved by A", "solved by B", "B - A")]
    rows = [
        [one.name or "(none)", str(one.n), str(one.a), str(one.b), f"{one.difference:+d}"]
        for one in found.categories
    ]
    return [Table("By category, solved in at least one attempt", columns, rows)]


def _who(found: Comparison) -> list[str]:
    """The runs of each side, behind the name that was given to it where that is another."""
    told = []
    for asked, runs in zip(found.asked, (found.a, found.b), strict=True):
        names = ", ".join(runs)
        known = not asked or names.startswith(asked.rsplit("/", 1)[-1])
        told.append(names if known else f"{asked} ({names})")
    return told


def _names(name: str, ids: Sequence[str]) -> str:
    if name in ("both", "neither"):
        return ""
    more = f" and {len(ids) - NAMES_SHOWN} more" if len(ids) > NAMES_SHOWN else ""
    return ", ".join(ids[:NAMES_SHOWN]) + more


def _figure_cells(figure: Figure, margin: float | None) -> list[str]:
    share = figure.name.startswith("pass@")
    difference = figure.kind == "difference"
    told = with_interval(figure.estimate, share=share, sign=difference)
    return [
        figure.name,
        percent(figure.a) if share else number(figure.a),
        percent(figure.b) if share else number(figure.b),
        told if told == "-" else f"{told} points" if share else told if difference else f"x {told}",
        _p_value(figure),
        "-" if figure.adjusted is None else f"{figure.adjusted:.2g}",
        str(figure.estimate.n),
        figure.test,
        _verdict(figure, margin),
    ]


def _p_value(figure: Figure) -> str:
    if figure.p is None:
        return "-"
    # The smallest p that so many random flips can give is a bound.
    bound = "< " if figure.p <= 1 / FLIPS and figure.test == SIGN_FLIP else ""
    return f"{bound}{figure.p:.2g}"


def _verdict(figure: Figure, margin: float | None) -> str:
    outcome = figure.verdict(margin)
    if outcome is None:
        return ""
    if outcome == "unclear":
        return "unclear: test and interval disagree"
    if outcome == "undecided" and figure.more:
        samples = f", or +{figure.more_samples} samples" if figure.more_samples else ""
        return f"undecided (+{figure.more} problems{samples})"
    return outcome


def comparison_json(found: Comparison, margin: float | None = None) -> dict[str, Any]:
    """A comparison as plain JSON, ids of every list included."""
    told = dataclasses.asdict(found)
    for figure, row in zip(found.figures, told["figures"], strict=True):
        row["verdict"] = figure.verdict(margin)
    return {"headline": headline(found, margin), **told}

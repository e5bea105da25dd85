"""Which figures may be ranked, and why others may not. Pure."""

from __future__ import annotations

from harness.analysis.runs import RunView, budget
from harness.analysis.settings import GIVEN
from harness.analysis.summary import PassAtK, Summary
from harness.boards.definition import LOWER_IS_BETTER, PASS, Board, BoardLimits
from harness.types import EVIDENCE, Estimate

TIERS = tuple(EVIDENCE)
"""From the weakest evidence to the strongest."""


def figure(summary: Summary, metric: str) -> tuple[Estimate, float | None] | None:
    """The estimate of a metric and the value that is certain; None when the run does not report it."""
    matched = PASS.fullmatch(metric)
    if matched is None:
        estimate: Estimate = getattr(summary.nodes, LOWER_IS_BETTER[metric])
        return None if estimate.value is None else (estimate, estimate.value)
    for item in summary.passes:
        if item.k == int(matched[1]):
            return item.estimate, item.floor
    return None


def passed(summary: Summary, metric: str) -> PassAtK | None:
    """pass@k at the metric's k, or at the smallest where the metric is another one."""
    matched = PASS.fullmatch(metric)
    if matched is None:
        return summary.passes[0] if summary.passes else None
    return next((item for item in summary.passes if item.k == int(matched[1])), None)


def tier(summary: Summary) -> str:
    """The weakest evidence that a proof of the run rests on; empty where nothing was proved."""
    known = [name for name in summary.tiers if name in TIERS and name]
    return min(known, key=TIERS.index, default="")


def evidence(summary: Summary) -> str:
    """What tells verdicts that are ranked apart: the tier, and the level where it is not strict."""
    weakest = tier(summary)
    return f"{weakest}, fast" if weakest and summary.levels.get("fast") else weakest


def reasons(board: Board, run: RunView) -> list[str]:
    """Why a run is not ranked; empty when it is."""
    limit = budget(run.spec)
    found = [] if figure(run.summary, board.metric) else [f"no {board.metric}"]
    found += _of_answers(run)
    for key in BoardLimits.model_fields:
        allowed, given = getattr(board.budget, key), getattr(limit, key)
        if allowed is not None and given is not None and given > allowed:
            found.append(f"{given} {key.replace('_', ' ')}, the board allows {allowed}")
    weakest = tier(run.summary)
    if board.tier is not None and weakest and TIERS.index(weakest) < TIERS.index(board.tier):
        found.append(f"proofs rest on {weakest} evidence, the board asks for {board.tier}")
    return found + faults(board, run)


def _of_answers(run: RunView) -> list[str]:
    """What answers from elsewhere do not say, and a rank would need."""
    if run.get("evaluation.prover") != GIVEN:
        return []
    chosen = run.get(f"{GIVEN}.chosen_from")
    if chosen is not None:
        return [f"each answer is the best of {chosen} attempts, which is no pass@1"]
    unstated = run.get(f"{GIVEN}.max_tokens") is None
    return ["what an attempt was allowed is not stated (harness judge --max-tokens)"] if unstated else []


def faults(board: Board, run: RunView) -> list[str]:
    """What makes a run's figures unfit to be reported or to choose by, whatever its metric and budget."""
    summary = run.summary
    found = []
    if summary.missing:
        found.append(f"{summary.missing} of {summary.owed} attempts missing")
    if summary.unscored > board.max_unscored * summary.owed:
        found.append(f"{summary.unscored} of {summary.owed} attempts unscored")
    if summary.canaries_proved:
        found.append("a canary was proved")
    if board.level == "strict" and (run.get("lean.level") != "strict" or summary.levels.get("fast")):
        found.append("verdicts at the fast level")
    commits = {str(session.get("code", {}).get("commit")) for session in run.sessions}
    if any(session.get("code", {}).get("dirty") for session in run.sessions):
        found.append("uncommitted changes in the code")
    if len(commits) > 1:
        found.append(f"made by {len(commits)} commits")
    if not run.sessions:
        found.append("no provenance")
    return found

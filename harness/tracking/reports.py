"""A board in W&B: a report with its tables and plots, and a saved view of the runs in the board's order.

Both are saved again under the ids that they got the first time, so that links to them stay good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import extras
from harness.errors import InfraError, boundary
from harness.nested import digest
from harness.records.journal import make_folder, read_json, write_json

API_TIMEOUT_S = 30
"""Given to one request."""


@dataclass(frozen=True, slots=True)
class BoardReport:
    """What is published of a board."""

    name: str
    title: str
    markdown: str
    """Its tables, as GitHub Markdown."""
    metric: str
    """Logged name of the figure that runs are sorted by."""
    ascending: bool
    columns: tuple[str, ...] = ()
    """Logged names of the figures shown beside it."""
    settings: tuple[str, ...] = ()
    """Dotted settings that the runs differ in."""


@dataclass(frozen=True, slots=True)
class Saved:
    """Where it can be looked at."""

    report: str
    view: str


def save_board(board: BoardReport, root: Path, project: str, entity: str | None = None) -> Saved:
    """Save report and view of the board; `root` is the runs folder, in which their ids are kept.

    Raises MissingExtra, InfraError when W&B cannot be reached or refuses, StoreError.
    """
    extras.need("wandb")
    with boundary(InfraError, "W&B: the board is not published"):
        import wandb
        import wandb_workspaces.reports.v2 as reports
        import wandb_workspaces.workspaces as workspaces

        api = wandb.Api(timeout=API_TIMEOUT_S)
        owner = entity or api.default_entity
        if not owner:
            raise InfraError("W&B: the board is not published: no entity; name one with --entity")
        kept = root / "tracking" / "boards" / f"{board.name}-{digest([owner, project])[:8]}.json"
        known = _known(kept)
        if all(one.name != project for one in api.projects(owner)):
            api.create_project(project, owner)
        report = _report(reports, board, owner, project, known)
        report.save()
        view = _view(workspaces, board, owner, project, known)
        view.save()
        saved = Saved(str(report.url), str(view.url))
    make_folder(kept.parent)
    ids = {"report_id": report.id, "view_id": view._internal_id, "view_name": view._internal_name}
    write_json(kept, {"report": saved.report, "view": saved.view, **ids})
    return saved


def _known(path: Path) -> Mapping[str, Any]:
    stored = read_json(path)
    return stored if isinstance(stored, dict) else {}


def _report(wr: Any, board: BoardReport, entity: str, project: str, known: Mapping[str, Any]) -> Any:
    metric = wr.SummaryMetric(board.metric)
    order = [wr.OrderBy(metric, ascending=board.ascending)]
    shown = [f"summary:{name}" for name in (board.metric, *board.columns)]
    # W&B keeps the value of a setting one level below its first name.
    shown += [f"config:{key.replace('.', '.value.', 1)}" for key in board.settings]
    runs = wr.Runset(
        entity=entity, project=project, name=board.title, order=order, pinned_columns=shown, lock_columns=True
    )
    panels = [
        wr.BarPlot(title=board.metric, metrics=[metric]),
        *(
            wr.ScatterPlot(title=f"{board.metric} by {key}", x=wr.Config(key), y=metric)
            for key in board.settings
        ),
        wr.RunComparer(diff_only=True),
    ]
    blocks = [
        wr.MarkdownBlock(text=board.markdown),
        wr.PanelGrid(runsets=[runs], panels=panels),
    ]
    report = wr.Report(project=project, entity=entity, title=board.title, blocks=blocks, width="fluid")
    report.id = str(known.get("report_id") or "")
    return report


def _view(ws: Any, board: BoardReport, entity: str, project: str, known: Mapping[str, Any]) -> Any:
    from wandb_workspaces.expr import Ordering, Summary

    view = ws.Workspace(entity=entity, project=project, name=board.title, auto_generate_panels=True)
    # The client has no public way to save a view again that was not read from the server before.
    view._internal_id = str(known.get("view_id") or "")
    view._internal_name = str(known.get("view_name") or "")
    view.runset_settings.order = [Ordering(Summary(board.metric), ascending=board.ascending)]
    view.runset_settings.pinned_columns = [f"summary:{name}" for name in (board.metric, *board.columns)]
    return view

"""How far values can be believed, as a picture: mean label against mean prediction, bin by bin."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from harness.errors import StoreError, boundary
from trainers import calibration
from trainers.calibration import Bin

DATA, PICTURE = "calibration.json", "calibration.svg"
"""Beside the value model's checkpoint."""
_SIZE, _MARGIN = 320, 44
_INK, _FAINT, _DOT = "#333", "#bbb", "#0072b2"


def write(folder: Path, predicted: Sequence[float], labels: Sequence[float]) -> None:
    """Leave the bins of held-out predictions and their picture in `folder`. Raises `StoreError`."""
    bins = calibration.reliability(predicted, labels)
    with boundary(StoreError, f"{folder}: cannot be written"):
        rows = [dataclasses.asdict(item) for item in bins]
        (folder / DATA).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        error = calibration.calibration_error(predicted, labels)
        (folder / PICTURE).write_text(picture(bins, error), encoding="utf-8")


def picture(bins: Sequence[Bin], error: float | None) -> str:
    """An SVG: one dot a bin, its area by the number of states in it, over the diagonal of perfect values."""
    most = max((item.count for item in bins), default=1)
    edge = _MARGIN + _SIZE
    parts = [
        f'<rect width="100%" height="100%" fill="#fff"/><g stroke="{_FAINT}" fill="none">'
        f'<rect x="{_MARGIN}" y="{_MARGIN}" width="{_SIZE}" height="{_SIZE}"/>'
        f'<path d="M{_MARGIN} {edge}L{edge} {_MARGIN}" stroke-dasharray="4 4"/></g>'
    ]
    for tick in range(0, 11, 2):
        at = tick / 10
        parts.append(_text(_x(at), edge + 16, f"{at:g}"))
        parts.append(_text(_MARGIN - 14, _y(at) + 4, f"{at:g}"))
    for item in bins:
        told = f"{item.count} states: predicted {item.predicted:.3f}, labelled {item.label:.3f}"
        radius = 3 + 9 * (item.count / most) ** 0.5
        parts.append(
            f'<circle cx="{_x(item.predicted):.1f}" cy="{_y(item.label):.1f}" r="{radius:.1f}" '
            f'fill="{_DOT}" fill-opacity="0.7"><title>{told}</title></circle>'
        )
    states = sum(item.count for item in bins)
    shown = "" if error is None else f", calibration error {error:.3f}"
    parts.append(_text(_MARGIN + _SIZE / 2, 24, f"{states} held-out states{shown}"))
    parts.append(_text(_MARGIN + _SIZE / 2, edge + 34, "mean predicted value"))
    parts.append(
        f'<g transform="rotate(-90 12 {_MARGIN + _SIZE / 2})">'
        f"{_text(12, _MARGIN + _SIZE / 2, 'mean label, gamma^d')}</g>"
    )
    whole = _SIZE + 2 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {whole}" width="{whole}" '
        f'height="{whole}" font-family="sans-serif" font-size="12">{"".join(parts)}</svg>\n'
    )


def _x(value: float) -> float:
    return _MARGIN + _SIZE * value


def _y(value: float) -> float:
    return _MARGIN + _SIZE * (1 - value)


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" fill="{_INK}">{text}</text>'

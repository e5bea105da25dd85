"""Learning curves as a table and as charts."""

from harness.boards.curves import curve_charts, curve_table, series, shape
from harness.terminal.tables import plain_text

ROWS = [{"step": step, "reward": step / 10, "note": "x", "kl": float("nan")} for step in range(1, 9)]


def test_figures_are_told_with_their_shape() -> None:
    assert list(series(ROWS)) == ["reward"]
    text = plain_text([curve_table("grpo-1", ROWS)])
    assert "steps 1 to 8" in text and "0.1" in text and "0.8" in text and "▁▂▃▄▅▆▇█" in text
    assert shape([2.0, 2.0]) == "▁▁"
    assert "no curve was noted" in plain_text([curve_table("grpo-1", [])])


def test_every_figure_has_a_chart() -> None:
    (chart,) = curve_charts("grpo-1", ROWS)
    assert chart.key == "reward" and len(chart.spec["data"]["values"]) == 8

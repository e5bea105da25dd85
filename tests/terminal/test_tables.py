"""Tables: the same words on a terminal, in a pipe and in Markdown."""

import io

import pytest

from harness.terminal.tables import Column, Table, markdown, number, percent, plain_text, show, with_interval
from harness.types import Estimate

TABLE = Table(
    "Title [x]",
    [Column("name"), Column("n", True)],
    [["a|b", "1"], ["[red]c[/red]", "23"]],
    grey={1},
    notes=["note"],
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_is_aligned_and_uncoloured() -> None:
    out = io.StringIO()
    show([TABLE], out)
    assert out.getvalue() == "Title [x]\n  name           n\n  a|b            1\n  [red]c[/red]  23\n  note\n"
    assert plain_text([TABLE, TABLE]).count("\n\n") == 1


def test_on_a_terminal_markup_in_cells_is_text() -> None:
    out = Terminal()
    show([TABLE], out)
    assert "[red]c[/red]" in out.getvalue() and "\x1b[" in out.getvalue()


def test_markdown_escapes_bars() -> None:
    assert "| a\\|b | 1 |" in markdown([TABLE]) and "|---|--:|" in markdown([TABLE])


@pytest.mark.parametrize(
    ("estimate", "share", "sign", "told"),
    [
        (Estimate(0.412, 0.35, 0.475), True, False, "41.2 [35.0, 47.5]"),
        (Estimate(-0.05, -0.1, 0.0), True, True, "-5.0 [-10.0, +0.0]"),
        (Estimate(3.5, 2.0, None), False, False, "3.50 [2.00, ?]"),
        (Estimate(None), True, False, "-"),
        (Estimate(None, 0.2, 0.4), True, False, "? [20.0, 40.0]"),
    ],
)
def test_intervals(estimate: Estimate, share: bool, sign: bool, told: str) -> None:
    assert with_interval(estimate, share, sign) == told


def test_numbers() -> None:
    assert (number(None), number(3.0), number(3.14159), percent(None), percent(0.5)) == (
        "-",
        "3",
        "3.14",
        "-",
        "50.0",
    )


def test_a_narrow_terminal_gets_fewer_columns_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    wide = Table(
        "t",
        [Column("name"), Column("first to go", spare=2), Column("second", spare=1)],
        [["x" * 25, "y" * 20, "z"]],
    )
    out = Terminal()
    show([wide], out)
    assert "x" * 25 in out.getvalue() and "z" in out.getvalue() and "yy" not in out.getvalue()
    assert "not shown for lack of width: first to go" in out.getvalue()
    assert "y" * 20 in plain_text([wide])

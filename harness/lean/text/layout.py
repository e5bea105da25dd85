"""Laying out a model's proof under a statement, where Lean's columns matter. Pure.

Lean reads the tactics of a block by their common column. A proof that is moved under another statement keeps
its columns when it had lines of its own (only a block in column 0 is indented); one that began in the middle
of a line gets a line of its own at the same column. A bare block, without `by`, is indented as a whole; its
first line often lost its indentation because the prompt had already written it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.lean.text.forbidden import ALLOWED_COMMANDS
from harness.lean.text.lexer import TRIVIA, LineMap, Token, TokenKind, lex, significant

_TACTICS_TEXT = """
abel abel_nf absurd ac_rfl aesop all_goals any_goals apply apply_fun apply_mod_cast assumption
assumption_mod_cast beta_reduce bitwise bound by_cases by_contra by_contra' calc case case' cases
cases' change choose clear clear_value compute_degree congr congrm constructor continuity
contradiction contrapose conv conv_lhs conv_rhs convert convert_to cutsat dbg_trace decide delta
done dsimp eapply econstructor eq_refl erw exact exact_mod_cast exacts exfalso exists existsi ext
ext1 extract_goal extract_lets fail fail_if_success field_simp filter_upwards fin_cases finiteness
first fun_cases fun_induction fun_prop funext gcongr generalize get_elem_tactic grewrite grind grw
guard_hyp guard_target haveI have hint induction induction' infer_instance injection injections
interval_cases intro intros isBoundedDefault iterate left let letI lift linarith linear_combination
ls match measurability mod_cast monotonicity mono native_decide next nlinarith noncomm_ring
norm_cast norm_num norm_num1 nofun nomatch nth_rewrite nth_rw obtain omega on_goal open peel
pick_goal plausible polyrith positivity pull push push_cast push_neg qify rcases rcongr refine
refine' reduce rel rename rename_i repeat repeat' repeat1 replace revert rewrite rfl rfl' right ring
ring1 ring_nf rintro rotate_left rotate_right rw rw_mod_cast rwa set set_option show show_term simp
simp_all simp_all_arith simp_arith simp_rw simpa simproc skip sleep slice_lhs slice_rhs smt solve
solve_by_elim sorry specialize split split_ifs stop subst subst_eqs subst_vars substs subsingleton
suffices sum_cases swap symm symm_saturate tauto tfae_finish tfae_have toggle trace trace_state
trans transitivity triv trivial try type_check unfold unfold_let unhygienic use use_discharger wlog
zify admit nontriviality group module ring! field bv_decide bv_omega bv_normalize simp_intro
apply_rules split_and and_intros decreasing_tactic inhabit itauto lia order rsuffices observe says
existsi field_simp_discharge abel1 cancel_denoms checkpoint positivity! algebraize assumption'
"""
TACTICS = frozenset(_TACTICS_TEXT.split())
"""First words of tactics, without a final `?` or `!`. Only used to tell a bare tactic block from a term."""

_BOTH = frozenset(
    {"have", "let", "show", "suffices", "calc", "match", "open", "set_option", "nofun", "nomatch", "if"}
)
"""Words that begin a term as well as a tactic."""

_BULLETS = frozenset({"·", "•", ".", "{", "(", "case", "next", "<;>"})

_OPENERS = frozenset(
    {"by", "=>", "↦", ":=", "with", "then", "else", "do", "(", "⟨", "[", "{", ",", "from", "of", "in"}
)
"""Tokens after which a deeper line is no tactic of the same block."""


def place_proof(source: str, tokens: Sequence[Token], start: int) -> str:
    """What follows the statement, for a proof that begins at token `start` of `source` and ends with it.

    `tokens` are all tokens of `source`; the one at `start` is significant and begins the proof proper: `by`
    or the first token of a term. The result begins with ` :=` and ends with a newline.
    """
    head, first = " :=", start
    if tokens[start].text == "by":
        head, first = " := by", start + 1
    gap_start = tokens[start - 1].end if first == start and start else tokens[start].end
    if first == start and not start:
        gap_start = 0
    following = next(
        (i for i in range(first, len(tokens)) if tokens[i].kind is not TokenKind.WHITESPACE), None
    )
    if following is None:
        return head + "\n"
    begin = tokens[following].start
    gap = source[gap_start:begin] if gap_start <= begin else ""
    column = LineMap(source).column(begin)
    if column == 0 and first > start:
        # Older Lean takes the tactics of a declaration in column 0, newer Lean only to the right of it.
        return _closed(f"{head}\n{_indented(source[begin:], lex(source[begin:]))}")
    # Without a line of its own the first token would change its column under another statement.
    lead = gap if "\n" in gap else "\n" + " " * max(column, 2)
    return _closed(head + lead + source[begin:])


def place_bare(text: str) -> str:
    """The same for an answer that is only a tactic block or a term, without `:=` and `by`."""
    tokens = lex(text)
    head = " := by\n" if is_tactic_block(tokens) else " :=\n"
    return _closed(head + _indented(text, tokens))


_AT_MARGIN = re.compile(r"\n[^\s@]")


def off_margin(text: str) -> str:
    """`text`, commands or a proof, with blocks of tactics that stand at the margin moved off it.

    Lean ends a block of tactics there; models write them there all the same. What belongs to one command
    moves as a whole, its first line apart, so columns stay what they are to each other.
    """
    if _AT_MARGIN.search(text) is None:
        return text
    tokens = lex(text)
    firsts = _firsts(tokens)
    lines = text.split("\n")
    fixed = _columns_of_strings(tokens)
    out: list[str] = []
    group: list[int] = []

    def flush() -> None:
        at_margin = any(number in firsts and firsts[number][0] == 0 for number in group)
        moves = at_margin and any(
            firsts[number][0] == 0 and (_is_tactic_word(firsts[number][1]) or firsts[number][1].text == "·")
            for number in group
            if number in firsts
        )
        for number in group:
            still = not moves or number in fixed or not lines[number].strip()
            out.append(lines[number] if still else "  " + lines[number])
        group.clear()

    for number, line in enumerate(lines):
        column, token = firsts.get(number, (1, None))
        if number == 0 or (column == 0 and token is not None and _begins_command(token)):
            flush()
            out.append(line)
        else:
            group.append(number)
    flush()
    return "\n".join(out)


def _begins_command(token: Token) -> bool:
    return token.text in _COMMAND_WORDS or (token.text[0] == "#" and len(token.text) > 1)


_COMMAND_WORDS = ALLOWED_COMMANDS | {"@[", "import", "axiom"}


def _firsts(tokens: Sequence[Token]) -> dict[int, tuple[int, Token]]:
    """Line number (0-based) to (column, token) of its first significant token."""
    firsts: dict[int, tuple[int, Token]] = {}
    number, column = 0, 0
    for token in tokens:
        if token.kind not in TRIVIA:
            firsts.setdefault(number, (column, token))
        newline = token.text.rfind("\n")
        if newline >= 0:
            number += token.text.count("\n")
            column = len(token.text) - newline - 1
        else:
            column += len(token.text)
    return firsts


def is_tactic_block(tokens: Sequence[Token]) -> bool:
    """Whether bare text reads as tactics rather than as one term."""
    code = significant(tokens)
    if not code:
        return False
    first = code[0]
    if first.text in ("·", "•", "<;>", "{") or (first.text == "." and len(code) > 1 and _gap(first, code[1])):
        return True
    if first.text == "(":
        return len(code) > 1 and _is_tactic_word(code[1])
    if not _is_tactic_word(first):
        return False
    if first.text not in _BOTH:
        return not (len(code) > 1 and first.kind is TokenKind.IDENT and code[1].text in ("|>.", "▸", "<|"))
    starts = _line_starts(tokens)
    column = min(column for column, _ in starts)
    last = [token for at, token in starts if at == column][-1]
    # `have h := ..` followed by a bare term is a term; followed by a tactic, or alone, it is a block.
    return last is first or _is_tactic_word(last) or last.text in _BULLETS | {"|", "_", ")", "⟩", "]"}


def _is_tactic_word(token: Token) -> bool:
    return token.text.rstrip("?!") in TACTICS or token.text in TACTICS


def _gap(left: Token, right: Token) -> bool:
    return left.end < right.start


def _line_starts(tokens: Sequence[Token]) -> list[tuple[int, Token]]:
    """(column, token) of the first significant token of every line that has one."""
    starts: list[tuple[int, Token]] = []
    column, fresh = 0, True
    for token in tokens:
        if token.kind not in TRIVIA and fresh:
            starts.append((column, token))
            fresh = False
        newline = token.text.rfind("\n")
        if newline >= 0:
            column, fresh = len(token.text) - newline - 1, True
        else:
            column += len(token.text)
    return starts


def _indented(text: str, tokens: Sequence[Token]) -> str:
    """`text` with its first line aligned to the block and everything indented by two."""
    body = text.strip("\n")
    tokens = lex(body)
    starts = _line_starts(tokens)
    if not starts:
        return body
    lost = _lost_indent(starts, tokens)
    fixed = _columns_of_strings(tokens)
    lines = body.split("\n")
    base = min(column for column, _ in starts)
    if lost:
        base = min((column for column, _ in starts[1:]), default=0)
    first = next(i for i, line in enumerate(lines) if _holds_code(i, lines, starts, tokens))
    out = []
    for number, line in enumerate(lines):
        if number in fixed or not line.strip():
            out.append(line)
        elif lost and number <= first:
            out.append("  " + line.lstrip(" "))
        else:
            indent = len(line) - len(line.lstrip(" "))
            out.append("  " + " " * max(indent - base, 0) + line.lstrip(" "))
    return "\n".join(out)


def _holds_code(
    number: int, lines: Sequence[str], starts: Sequence[tuple[int, Token]], tokens: Sequence[Token]
) -> bool:
    offset = sum(len(line) + 1 for line in lines[:number])
    return starts[0][1].start < offset + len(lines[number]) + 1


def _lost_indent(starts: Sequence[tuple[int, Token]], tokens: Sequence[Token]) -> int:
    """How far the first line is left of the tactics that belong beside it; 0 when it stands right."""
    if len(starts) < 2:
        return 0
    first, rest = starts[0][0], starts[1:]
    column = min(at for at, _ in rest)
    if column <= first:
        return 0
    beside = next(token for at, token in rest if at == column)
    if not (_is_tactic_word(beside) or beside.text in ("·", "•")):
        return 0
    before = [token for token in tokens if token.kind not in TRIVIA and token.end <= rest[0][1].start]
    if before[-1].text in _OPENERS and rest[0][0] <= column:
        return 0
    return column - first


def _columns_of_strings(tokens: Sequence[Token]) -> frozenset[int]:
    """Numbers (0-based) of lines that begin inside a string: their indentation is content."""
    inside: set[int] = set()
    line = 0
    for token in tokens:
        breaks = token.text.count("\n")
        if breaks and token.kind in (TokenKind.STRING, TokenKind.RAW_STRING, TokenKind.INTERPOLATED_STRING):
            inside.update(range(line + 1, line + breaks + 1))
        line += breaks
    return frozenset(inside)


def _closed(text: str) -> str:
    return text.rstrip() + "\n"

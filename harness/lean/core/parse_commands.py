"""Parsing of commands, with recovery: after an error the next word that opens a command goes on."""

from __future__ import annotations

from collections.abc import Iterator

from harness.lean.core import syntax_commands as c
from harness.lean.core.parse_base import SyntaxFailure, clean_name
from harness.lean.core.parse_tactics import TacticParser
from harness.lean.core.syntax import MatchAlt
from harness.lean.text.lexer import TokenKind

_MODIFIERS = frozenset(
    {"private", "protected", "noncomputable", "unsafe", "partial", "nonrec", "local", "scoped"}
)
_DECLARATIONS = frozenset({"theorem", "lemma", "def", "abbrev", "example", "axiom", "opaque", "instance"})
_FOREIGN = frozenset(
    {
        "structure",
        "class",
        "inductive",
        "mutual",
        "notation",
        "infix",
        "infixl",
        "infixr",
        "prefix",
        "postfix",
    }
) | {"macro", "macro_rules", "syntax", "elab", "elab_rules", "declare_syntax_cat", "attribute", "initialize"}
_FOREIGN_WORDS = _FOREIGN | {
    "builtin_initialize",
    "deriving",
    "export",
    "run_cmd",
    "prelude",
    "simproc",
    "coinductive",
}
_PLAIN = frozenset(
    {"import", "open", "namespace", "section", "end", "variable", "include", "omit", "set_option", "universe"}
)
_HASH = frozenset({"#check", "#print", "#eval", "#eval!", "#reduce", "#exit"})
STARTERS = _MODIFIERS | _DECLARATIONS | _FOREIGN_WORDS | _PLAIN | {"@["}
"""Words that open a command, besides `#...` and doc comments."""


class CommandParser(TacticParser):
    """Commands."""

    def commands(self) -> Iterator[c.ParsedCommand]:
        """Every command in turn; ends at the end of the text or at `#exit`."""
        while self.kinds[self.at] is not None:
            start_at, start = self.at, self.start
            self.column, self.depth, self._sections = 0, 0, None
            try:
                if not self._starts_command():
                    raise self.unexpected("command")
                command = self.command()
            except SyntaxFailure as failure:
                self._recover(start_at)
                end = self.ends[self.at - 1] if self.at else failure.error.end
                yield c.ParsedCommand(start, max(start, end), None, (failure.error,))
                continue
            yield c.ParsedCommand(command.start, command.end, command, ())
            if isinstance(command, c.Exit):
                return

    def _starts_command(self) -> bool:
        kind, text = self.kinds[self.at], self.texts[self.at]
        if kind is TokenKind.DOC_COMMENT or kind is TokenKind.MODULE_DOC:
            return True
        return text in STARTERS or (
            kind is TokenKind.SYMBOL and text.startswith("#") and len(text) > 2 and text[1] != "["
        )

    def _recover(self, start_at: int) -> None:
        """Go to the next word that opens a command, at least one token on."""
        self.at = max(self.at, start_at + 1) if self.at == start_at else self.at
        while self.kinds[self.at] is not None and not self._starts_command():
            self.at += 1

    def command(self) -> c.Command:
        """One command; `x in y` binds a command to the next."""
        command = self._single()
        if self.is_symbol("in"):
            if not isinstance(
                command, (c.Open, c.SetOption, c.Variable, c.Include, c.Universe, c.CommandOther)
            ):
                raise self.unexpected("command")
            self.at += 1
            self.enter()
            second = self.command()
            self.depth -= 1
            return c.InCommand(command.start, second.end, command, second)
        return command

    def _single(self) -> c.Command:
        start, word = self.start, self.text
        if self.kinds[self.at] is TokenKind.MODULE_DOC:
            self.at += 1
            return c.ModuleDoc(start, self.last_end)
        if word == "noncomputable" and self.texts[self.at + 1] == "section":
            self.at += 1
            word = "section"
        if word in _PLAIN:
            return self._plain_command(start, word)
        if self.kinds[self.at] is TokenKind.SYMBOL and word.startswith("#"):
            return self._hash_command(start, word)
        modifiers = self._modifiers()
        if self.text in _DECLARATIONS:
            return self._declaration(start, modifiers)
        if self.text in _FOREIGN_WORDS:
            return self._other_command(start)
        raise self.unexpected("command" if not modifiers.words else "'theorem', 'def' or another declaration")

    def _other_command(self, start: int) -> c.Command:
        """A command outside of the fragment runs to the next word that opens a command at a line's start."""
        name = self.text
        self.at += 1
        while self.kinds[self.at] is not None and not (self._starts_command() and self.on_new_line()):
            self.at += 1
        return c.CommandOther(start, self.last_end, name, self.source[start : self.last_end])

    # --- scopes and options --------------------------------------------------------------------

    def _plain_command(self, start: int, word: str) -> c.Command:
        self.at += 1
        if word == "import":
            if self.text in ("all", "public", "meta") and self.kinds[self.at + 1] is TokenKind.IDENT:
                self.at += 1
            return c.Import(start, self.ends[self.at], self.ident())
        if word == "namespace":
            return c.Namespace(start, self.ends[self.at], clean_name(self.ident()))
        if word in ("section", "end"):
            name = clean_name(self.ident()) if self.is_ident() and self.columns[self.at] > 0 else None
            make = c.Section if word == "section" else c.End
            return make(start, self.last_end, name)
        if word == "universe":
            names = self.names()
            return c.Universe(start, self.last_end, names)
        if word in ("include", "omit"):
            if word == "omit" and self.text == "[":
                self.at -= 1
                return self._other_command(start)
            names = self.names()
            return c.Include(start, self.last_end, names, word == "omit")
        if word == "variable":
            if self.text not in ("(", "{", "[", "⦃"):
                raise self.unexpected("bracketed binder")
            binders = self.declaration_binders()
            return c.Variable(start, self.last_end, binders)
        return self._open_command(start) if word == "open" else self._set_option(start)

    def _open_command(self, start: int) -> c.Command:
        scoped = self.accept("scoped")
        names: list[str] = []
        only: tuple[str, ...] = ()
        hiding: tuple[str, ...] = ()
        renaming: list[tuple[str, str]] = []
        while self.is_ident() and self.columns[self.at] > 0:
            names.append(clean_name(self.ident()))
        if not names:
            raise self.unexpected("identifier")
        if self.accept("("):
            saved, self.column = self.column, -1
            only = self.names()
            self.expect(")")
            self.column = saved
        elif self.accept("hiding"):
            hiding = self.names()
        elif self.accept("renaming"):
            while self.is_ident():
                old = clean_name(self.ident())
                if not self.accept("→") and not self.accept("->"):
                    raise self.unexpected("'→'")
                renaming.append((old, clean_name(self.ident())))
                self.accept(",")
        return c.Open(start, self.last_end, tuple(names), scoped, only, hiding, tuple(renaming))

    def _set_option(self, start: int) -> c.Command:
        name = self.ident()
        text = self.text
        value: bool | int | str
        if text in ("true", "false"):
            value = text == "true"
            self.at += 1
        elif self.kinds[self.at] is TokenKind.NUMBER:
            value = self.natural()
        elif self.kinds[self.at] is TokenKind.STRING:
            value = text[1:-1]
            self.at += 1
        else:
            raise self.unexpected("'false', 'true', numeral or string literal")
        return c.SetOption(start, self.last_end, name, value)

    def _hash_command(self, start: int, word: str) -> c.Command:
        if word not in _HASH:
            return self._other_command(start)
        self.at += 1
        if word == "#exit":
            return c.Exit(start, self.last_end)
        if word == "#print":
            axioms = self.text == "axioms" and self.accept_word("axioms")
            name_start, name_end = self.start, self.ends[self.at]
            if not axioms and not self.is_ident():
                self.at -= 1
                return self._other_command(start)
            name = clean_name(self.ident())
            if axioms:
                return c.PrintAxioms(start, self.last_end, name, name_start, name_end)
            return c.Print(start, self.last_end, name)
        term = self.term()
        if word == "#check":
            return c.Check(start, self.last_end, term)
        return c.Eval(start, self.last_end, term, word)

    # --- declarations --------------------------------------------------------------------------

    def _modifiers(self) -> c.Modifiers:
        start, doc = self.start, None
        attributes: list[str] = []
        words: list[str] = []
        if self.kinds[self.at] is TokenKind.DOC_COMMENT:
            doc = self.text[3:-2].strip()
            self.at += 1
        while True:
            if self.text == "@[" and self.kinds[self.at] is TokenKind.SYMBOL:
                attributes.extend(self._attributes())
            elif self.text in _MODIFIERS and self.kinds[self.at] in (TokenKind.KEYWORD, TokenKind.IDENT):
                words.append(self.text)
                self.at += 1
            else:
                return c.Modifiers(start, max(start, self.last_end), doc, tuple(attributes), tuple(words))

    def _attributes(self) -> list[str]:
        close = self.closing(self.at)
        if close is None:
            raise self.unexpected("']'")
        inner = self.source[self.ends[self.at] : self.starts[close]]
        self.at = close + 1
        return [part.strip() for part in inner.split(",")]

    def _declaration(self, start: int, modifiers: c.Modifiers) -> c.Command:
        kind = self.text
        name_start, name_end = self.start, self.ends[self.at]
        self.at += 1
        name: str | None = None
        levels: tuple[str, ...] = ()
        if kind not in ("example", "instance") or (kind == "instance" and self.is_ident()):
            name_start, name_end = self.start, self.ends[self.at]
            name = clean_name(self.ident())
            levels = self._universe_names()
        binders = self.declaration_binders()
        type_ = self.term() if self.accept(":") else None
        if kind in ("theorem", "lemma", "axiom") and type_ is None:
            raise self.unexpected("':'")
        value_start, value = self.start, None
        alts: tuple[MatchAlt, ...] = ()
        if kind == "axiom":
            value_start = -1
        elif self.accept(":="):
            value = self.term()
        elif self.is_symbol("|"):
            alts = self.match_alts(tactics=False)
        elif kind != "opaque":
            raise self.unexpected("':=', 'where' or '|'")
        if self.text in ("where", "termination_by", "decreasing_by", "deriving") and value_start >= 0:
            raise self.fail(f"not in the embedded fragment: `{self.text}`")
        return c.Decl(
            start, self.last_end, kind, modifiers, name, name_start, name_end, levels, binders, type_, value,
            alts, value_start,
        )  # fmt: skip

    def _universe_names(self) -> tuple[str, ...]:
        if self.text != ".{" or not self.adjacent():
            return ()
        self.at += 1
        names = [self.ident()]
        while self.accept(","):
            names.append(self.ident())
        self.expect("}")
        return tuple(names)

"""What the screen looks for: the words, names, options and attributes of Lean 4 and Mathlib, as data.

Commands, options and attributes go by lists of what is allowed. The lists of what is forbidden are the second
lock: they name words that run code of the candidate, change the syntax or switch the kernel off, wherever
these stand. The commands among them are those of Lean 4.35, Batteries, Aesop, ProofWidgets and Mathlib.
"""

from __future__ import annotations

SORRY = frozenset({"sorry", "admit", "sorryAx"})
"""Ways to leave a proof out. `stop` is another one, but also a name; Lean reports what it leaves out."""

_ALLOWED_COMMANDS = """
theorem lemma def abbrev example instance structure class inductive namespace section end open variable
universe include omit mutual attribute set_option alias
private protected noncomputable nonrec public local scoped
"""
ALLOWED_COMMANDS = frozenset(_ALLOWED_COMMANDS.split())
"""Words that may begin a command of a candidate: its declarations, their modifiers, scopes."""

_INSIDE = """
by fun let have show from match if then else do at with where deriving termination_by decreasing_by calc using
exists forall suffices nomatch nofun generalizing extends in finally catch for unless return try
"""
INSIDE = frozenset(_INSIDE.split())
"""Words that may begin a line at the margin inside a declaration."""

_COMMANDS = """
import prelude axiom unsafe opaque partial initialize builtin_initialize elab elab_rules elab_stx
macro macro_rules syntax declare_syntax_cat notation notation3 infix infixl infixr prefix postfix
elab_stx_quot binder_predicate
simproc dsimproc simproc_decl dsimproc_decl cbv_simproc cbv_simproc_decl simproc_pattern
grind_propagator grind_pattern grind_annotated init_grind_norm run_cmd run_tac run_conv run_elab run_meta
by_elab eval% sudo unif_hint include_str include_str% native_decide bv_decide bv_check implemented_by extern
csimp export aux_def reprove recall docs_to_verso tactic_extension recommended_spelling unlock_limits
coinductive init_quot gen_injective_theorems% add_decl_doc library_note initialize_simps_projections
mk_iff_of_inductive_prop compile_inductive compile_def% irreducible_def erase_aesop_rules add_aesop_rules
show_panel_widgets widget_module assert_not_exists assert_not_imported proof_wanted suppress_compilation
unsuppress_compilation seal unseal idbg with_weak_namespace set_library_suggestions set_premise_selector
deprecated_syntax deprecated_module end_local_scope command_code_action extend_docs restate_axiom
code_action private_decl%
"""
COMMANDS = frozenset(_COMMANDS.split())
"""Words that declare an axiom, run code at elaboration, change the syntax or trust compiled code."""

COMMAND_PREFIXES = ("builtin_", "register_", "declare_", "gen_cnstr", "make_elab_")
"""Beginnings of such words: every version adds some."""

DOORS = frozenset(
    {
        *("set_option", "include_str", "by_elab", "eval%", "run_tac", "run_conv", "run_cmd", "run_elab"),
        *("run_meta", "unsafe", "native_decide", "implemented_by", "macro_rules", "elab_rules"),
    }
)
"""Of these not even a longer name may end, where it touches a symbol: Lean may know a token `~m`."""

NOWHERE = ("skipKernelTC", "debug.", "include_str", "implemented_by", "ofReduceBool", "trustCompiler")
"""Refused as any part of the text, in strings and inside of names."""

_PARTS = """
sorryAx ofReduceBool ofReduceNat trustCompiler reduceBool reduceNat unsafeCast unsafeIO unsafeBaseIO
unsafeEIO lcProof lcUnreachable lcAny lcCast lcErased ptrAddrUnsafe modifyEnv setEnv addDecl addDeclCore
addAndCompile addDeclWithoutChecking mkSorry MetaM CoreM TacticM TermElabM CommandElabM EIO BaseIO
ProofWidgets Jsx Aesop Qq skipKernelTC
"""
PARTS = frozenset(_PARTS.split())
"""Forbidden as any part of a dotted name: compiler trust, casts, and the doors to the environment."""

NAMESPACES = frozenset({"Elab", "Meta"})
"""Forbidden as a part of a dotted name and behind `open` and `namespace`; alone they are ordinary names."""

FIRST_PARTS = frozenset({"IO", "System"})
"""The same, as the first part only; besides, nothing may be applied to them as to a type."""

HASH_COMMANDS = frozenset({"#check", "#check_failure", "#print", "#reduce", "#synth", "#[", "#"})
"""Tokens beginning with `#` that only print (`#[` is an array, `#` a cardinality); all others are refused."""

_OPTIONS = """
maxHeartbeats maxRecDepth maxSynthPendingDepth synthInstance. linter. pp. trace. autoImplicit
relaxedAutoImplicit profiler diagnostics exponentiation. tactic. backward. aesop. grind. push_neg. format.
simprocs says.
"""
OPTIONS = tuple(_OPTIONS.split())
"""Options a candidate may set, by prefix. Not among them: `debug.*`, `warn.*`, `compiler.*`, `Elab.*`."""

_ATTRIBUTES = """
simp simps ext aesop norm_cast push_cast reducible irreducible semireducible inline always_inline
noinline specialize instance default_instance refl symm trans congr gcongr mono elab_as_elim
elab_without_expected_type nolint deprecated inherit_doc fun_prop measurability continuity coe grind
simp_lemma match_pattern class reassoc elementwise nospecialize macro_inline abbrev to_additive bound
"""
ATTRIBUTES = frozenset(_ATTRIBUTES.split())
"""Attributes that only tell tactics, instances or the pretty printer about a declaration."""

_GLUE = """
( [ { ⟨ ⦃ ‹ ⌊ ⌈ ‖ ⟪ ⟦ #[ @[ .{ ) ] } ⟩ ⦄ › ⌋ ⌉ ⟫ ⟧ , ; : := :: = == ≠ != < > ≤ ≥ <= >= + - * / ^ % ∣ ∤ |
|| && ++ ∧ ∨ ¬ ! ∈ ∉ ⊆ ⊂ ∪ ∩ \\ ∘ • · . .. |>. |> <| $ @ ? ↑ ⇑ ↥ ← <- → -> ↔ <-> ↦ => λ ∀ ∃ ∃! ∑ ∏ ∫ ∂ √ ∛
& <;> <|> ▸ ⊢ ≡ ≈ × # ⋃ ⋂ ⨆ ⨅ ‼ ⁻¹
"""
GLUE = frozenset(_GLUE.split()) - {"\\"}
"""Symbols that a name may touch behind them. Any other one may be the start of a longer token of Lean."""

_PLAIN_GLUE = "( { ⟨ ⦃ ‹ , ; : := . @ ? ¬ ↑ ⇑ ↥ ← · | ∂ λ"
PLAIN_GLUE = frozenset(_PLAIN_GLUE.split())
"""Of `GLUE` those with which no known token of Lean begins that goes on with a letter."""

PRIMED = frozenset({"∑'", "∏'", "Σ'", "⁻¹'", "''", "×'"})
"""Mathlib's symbols that end in a prime; a blank or a bracket has to follow."""

/-! Syntax categories that Lean's own library declares; the ones of the compiler itself are there from the start. -/
namespace Lean.Parser.Tactic
declare_syntax_cat rcasesPat
declare_syntax_cat rintroPat
declare_syntax_cat mcasesPat
declare_syntax_cat mintroPat
declare_syntax_cat mrefinePat
declare_syntax_cat mrevertPat
declare_syntax_cat vcgenDischarge
end Lean.Parser.Tactic
namespace Lean.Parser.Tactic.Conv
declare_syntax_cat conv (behavior := both)
end Lean.Parser.Tactic.Conv
namespace Lean
declare_syntax_cat binderPred
declare_syntax_cat rawStx
end Lean
namespace Lean.Parser.Attr
declare_syntax_cat grind_mod
end Lean.Parser.Attr
namespace Lean.Parser.Tactic.Grind
declare_syntax_cat grind
declare_syntax_cat grind_filter
declare_syntax_cat grind_ref
end Lean.Parser.Tactic.Grind

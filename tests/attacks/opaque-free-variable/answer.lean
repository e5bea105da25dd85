open Lean in
run_elab addDecl (.opaqueDecl { name := `c, levelParams := [], type := .fvar ⟨`x⟩, value := .fvar ⟨`x⟩, isUnsafe := false, all := [`c] })

theorem foo : 1 = 2 := c

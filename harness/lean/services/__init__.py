"""Where Lean runs: the embedded core, own REPLs, Kimina servers; and the server over them."""

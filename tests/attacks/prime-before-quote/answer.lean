by
  have h := id ∘'"' " ; run_tac pure () ; " ∘'"' a'
  exact h

theorem foo {α : Type} (xs : List α) : xs ++ [] = xs := by
  exact List.append_nil xs

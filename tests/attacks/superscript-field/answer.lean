by
  have h : True ∧ True := ⟨trivial, trivial⟩
  exact h.«²»

theorem helper (P Q : Prop) (h : P ∧ Q) : Q := h.2

theorem foo (P Q : Prop) (h : P ∧ Q) : Q ∧ P := by
  exact ⟨helper P Q h, h.1⟩

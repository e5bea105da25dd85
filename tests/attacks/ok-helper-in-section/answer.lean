section
variable (P Q : Prop)
theorem helper (h : P ∧ Q) : Q := h.2
end

theorem foo (P Q : Prop) (h : P ∧ Q) : Q ∧ P :=
  ⟨helper P Q h, h.1⟩

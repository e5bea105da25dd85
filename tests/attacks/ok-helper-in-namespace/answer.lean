namespace Aux
theorem helper (P Q : Prop) (h : P ∧ Q) : Q := h.2
end Aux

theorem foo (P Q : Prop) (h : P ∧ Q) : Q ∧ P :=
  ⟨Aux.helper P Q h, h.1⟩

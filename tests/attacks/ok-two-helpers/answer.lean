theorem first' (P Q : Prop) (h : P ∧ Q) : P := h.1

theorem second' (P Q : Prop) (h : P ∧ Q) : Q := h.2

theorem foo (P Q : Prop) (h : P ∧ Q) : Q ∧ P := by
  constructor
  · exact second' P Q h
  · exact first' P Q h

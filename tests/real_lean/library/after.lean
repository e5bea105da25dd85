/-! What rests on the core's lemmas: choice as decisions, and the order as `calc` and `rfl` want it. -/
noncomputable scoped instance (priority := low) Classical.propDecidable (a : Prop) : Decidable a :=
  Classical.choice ((Classical.em a).elim (fun h => ⟨isTrue h⟩) (fun h => ⟨isFalse h⟩))
instance : Trans (α := Nat) (β := Nat) (γ := Nat) LE.le LE.le LE.le := ⟨Nat.le_trans⟩
instance : Trans (α := Nat) (β := Nat) (γ := Nat) LT.lt LT.lt LT.lt := ⟨Nat.lt_trans⟩
instance : Trans (α := Nat) (β := Nat) (γ := Nat) LE.le LT.lt LT.lt := ⟨Nat.lt_of_le_of_lt⟩
instance : Trans (α := Nat) (β := Nat) (γ := Nat) LT.lt LE.le LT.lt := ⟨Nat.lt_of_lt_of_le⟩
instance : Trans (α := Prop) (β := Prop) (γ := Prop) Iff Iff Iff := ⟨Iff.trans⟩
attribute [refl] Iff.refl Nat.le_refl
attribute [symm] Eq.symm Iff.symm HEq.symm

/-! Natural numbers. -/
universe u

def Nat.pred (n : Nat) : Nat := @Nat.rec (fun _ => Nat) Nat.zero (fun k _ => k) n
def Nat.add (n m : Nat) : Nat := @Nat.rec (fun _ => Nat) n (fun _ ih => Nat.succ ih) m
def Nat.mul (n m : Nat) : Nat := @Nat.rec (fun _ => Nat) Nat.zero (fun _ ih => ih + n) m
def Nat.sub (n m : Nat) : Nat := @Nat.rec (fun _ => Nat) n (fun _ ih => Nat.pred ih) m
def Nat.pow (n m : Nat) : Nat := @Nat.rec (fun _ => Nat) 1 (fun _ ih => ih * n) m
def Nat.lt (n m : Nat) : Prop := n + 1 ≤ m
abbrev GT.gt (a b : Nat) : Prop := b < a
abbrev GE.ge (a b : Nat) : Prop := b ≤ a
def Dvd.dvd (a b : Nat) : Prop := ∃ c, b = a * c

-- addition
theorem Nat.succ_eq_add_one (n : Nat) : n.succ = n + 1 := rfl
theorem Nat.add_one (n : Nat) : n + 1 = n.succ := rfl
theorem Nat.zero_eq : Nat.zero = 0 := rfl
@[simp] theorem Nat.add_zero (n : Nat) : n + 0 = n := rfl
theorem Nat.add_succ (n m : Nat) : n + m.succ = (n + m).succ := rfl
@[simp] theorem Nat.zero_add (n : Nat) : 0 + n = n := by
  induction n with
  | zero => rfl
  | succ n ih => exact congrArg Nat.succ ih
theorem Nat.succ_add (n m : Nat) : n.succ + m = (n + m).succ := by
  induction m with
  | zero => rfl
  | succ m ih => exact congrArg Nat.succ ih
theorem Nat.add_comm (n m : Nat) : n + m = m + n := by
  induction m with
  | zero => exact (Nat.zero_add n).symm
  | succ m ih => exact (congrArg Nat.succ ih).trans (Nat.succ_add m n).symm
theorem Nat.add_assoc (n m k : Nat) : n + m + k = n + (m + k) := by
  induction k with
  | zero => rfl
  | succ k ih => exact congrArg Nat.succ ih
theorem Nat.add_left_comm (n m k : Nat) : n + (m + k) = m + (n + k) := by
  rw [← Nat.add_assoc, Nat.add_comm n m, Nat.add_assoc]
theorem Nat.add_right_comm (n m k : Nat) : n + m + k = n + k + m := by
  rw [Nat.add_assoc, Nat.add_comm m k, ← Nat.add_assoc]
theorem Nat.add_add_add_comm (a b c d : Nat) : a + b + (c + d) = a + c + (b + d) := by
  rw [Nat.add_assoc, Nat.add_left_comm b c d, ← Nat.add_assoc]
theorem Nat.one_add (n : Nat) : 1 + n = n.succ := Nat.add_comm 1 n
theorem Nat.add_one_ne_zero (n : Nat) : n + 1 ≠ 0 := nofun
theorem Nat.succ_ne_zero (n : Nat) : n.succ ≠ 0 := nofun
theorem Nat.zero_ne_one : 0 ≠ 1 := nofun
theorem Nat.one_ne_zero : 1 ≠ 0 := nofun
theorem Nat.zero_ne_add_one (n : Nat) : 0 ≠ n + 1 := nofun
theorem Nat.succ.inj {m n : Nat} (h : m.succ = n.succ) : m = n := congrArg Nat.pred h
theorem Nat.succ.injEq (m n : Nat) : (m.succ = n.succ) = (m = n) := propext ⟨Nat.succ.inj, congrArg Nat.succ⟩
theorem Nat.succ_inj {m n : Nat} : m.succ = n.succ ↔ m = n := ⟨Nat.succ.inj, congrArg Nat.succ⟩
theorem Nat.succ_inj' {m n : Nat} : m.succ = n.succ ↔ m = n := Nat.succ_inj
theorem Nat.add_one_inj {m n : Nat} : m + 1 = n + 1 ↔ m = n := Nat.succ_inj
theorem Nat.pred_zero : Nat.pred 0 = 0 := rfl
theorem Nat.pred_succ (n : Nat) : Nat.pred n.succ = n := rfl
theorem Nat.add_left_cancel {n m k : Nat} (h : n + m = n + k) : m = k := by
  induction n with
  | zero => rw [Nat.zero_add, Nat.zero_add] at h; exact h
  | succ n ih => exact ih (Nat.succ.inj ((Nat.succ_add n m).symm.trans (h.trans (Nat.succ_add n k))))
theorem Nat.add_right_cancel {n m k : Nat} (h : n + m = k + m) : n = k := by
  induction m with
  | zero => exact h
  | succ m ih => exact ih (Nat.succ.inj h)
@[simp] theorem Nat.add_left_cancel_iff {m k n : Nat} : n + m = n + k ↔ m = k := ⟨Nat.add_left_cancel, fun h => h ▸ rfl⟩
@[simp] theorem Nat.add_right_cancel_iff {m k n : Nat} : m + n = k + n ↔ m = k := ⟨Nat.add_right_cancel, fun h => h ▸ rfl⟩
theorem Nat.eq_zero_of_add_eq_zero_left {n m : Nat} (h : n + m = 0) : n = 0 := by
  cases n with
  | zero => rfl
  | succ n => rw [Nat.add_comm] at h; cases h
theorem Nat.eq_zero_of_add_eq_zero_right {n m : Nat} (h : n + m = 0) : m = 0 := by
  cases m with
  | zero => rfl
  | succ m => cases h
theorem Nat.eq_zero_of_add_eq_zero {n m : Nat} (h : n + m = 0) : n = 0 ∧ m = 0 := ⟨Nat.eq_zero_of_add_eq_zero_left h, Nat.eq_zero_of_add_eq_zero_right h⟩
@[simp] theorem Nat.add_eq_zero {n m : Nat} : n + m = 0 ↔ n = 0 ∧ m = 0 := ⟨Nat.eq_zero_of_add_eq_zero, fun h => by rw [h.1, h.2]⟩
theorem Nat.add_eq_zero_iff {n m : Nat} : n + m = 0 ↔ n = 0 ∧ m = 0 := Nat.add_eq_zero

-- multiplication
@[simp] theorem Nat.mul_zero (n : Nat) : n * 0 = 0 := rfl
theorem Nat.mul_succ (n m : Nat) : n * m.succ = n * m + n := rfl
theorem Nat.mul_add_one (n m : Nat) : n * (m + 1) = n * m + n := rfl
@[simp] theorem Nat.zero_mul (n : Nat) : 0 * n = 0 := by
  induction n with
  | zero => rfl
  | succ n ih => exact ih
theorem Nat.succ_mul (n m : Nat) : n.succ * m = n * m + m := by
  induction m with
  | zero => rfl
  | succ m ih => rw [Nat.mul_succ, Nat.mul_succ, ih, Nat.add_succ, Nat.add_succ, Nat.add_right_comm]
theorem Nat.add_one_mul (n m : Nat) : (n + 1) * m = n * m + m := Nat.succ_mul n m
@[simp] theorem Nat.mul_one (n : Nat) : n * 1 = n := Nat.zero_add n
theorem Nat.mul_comm (n m : Nat) : n * m = m * n := by
  induction m with
  | zero => exact (Nat.zero_mul n).symm
  | succ m ih => rw [Nat.mul_add_one, ih, Nat.add_one_mul]
@[simp] theorem Nat.one_mul (n : Nat) : 1 * n = n := by rw [Nat.mul_comm, Nat.mul_one]
theorem Nat.left_distrib (n m k : Nat) : n * (m + k) = n * m + n * k := by
  induction k with
  | zero => rfl
  | succ k ih => rw [← Nat.add_assoc, Nat.mul_add_one, ih, Nat.mul_add_one, Nat.add_assoc]
theorem Nat.mul_add (n m k : Nat) : n * (m + k) = n * m + n * k := Nat.left_distrib n m k
theorem Nat.right_distrib (n m k : Nat) : (n + m) * k = n * k + m * k := by
  rw [Nat.mul_comm, Nat.mul_add, Nat.mul_comm k n, Nat.mul_comm k m]
theorem Nat.add_mul (n m k : Nat) : (n + m) * k = n * k + m * k := Nat.right_distrib n m k
theorem Nat.mul_assoc (n m k : Nat) : n * m * k = n * (m * k) := by
  induction k with
  | zero => rfl
  | succ k ih => rw [Nat.mul_add_one, ih, Nat.mul_add_one, Nat.mul_add]
theorem Nat.mul_left_comm (n m k : Nat) : n * (m * k) = m * (n * k) := by
  rw [← Nat.mul_assoc, Nat.mul_comm n m, Nat.mul_assoc]
theorem Nat.mul_right_comm (n m k : Nat) : n * m * k = n * k * m := by
  rw [Nat.mul_assoc, Nat.mul_comm m k, ← Nat.mul_assoc]
theorem Nat.two_mul (n : Nat) : 2 * n = n + n := by rw [Nat.mul_comm]; exact congrArg (fun x => x + n) (Nat.zero_add n)
theorem Nat.mul_two (n : Nat) : n * 2 = n + n := congrArg (fun x => x + n) (Nat.zero_add n)
theorem Nat.pow_zero (n : Nat) : n ^ 0 = 1 := rfl
theorem Nat.pow_succ (n m : Nat) : n ^ m.succ = n ^ m * n := rfl
theorem Nat.pow_one (n : Nat) : n ^ 1 = n := Nat.one_mul n
theorem Nat.pow_two (n : Nat) : n ^ 2 = n * n := congrArg (fun x => x * n) (Nat.one_mul n)

-- order
@[simp] theorem Nat.le_refl (n : Nat) : n ≤ n := Nat.le.refl
theorem Nat.le_rfl {n : Nat} : n ≤ n := Nat.le.refl
theorem Nat.le_of_eq {n m : Nat} (h : n = m) : n ≤ m := h ▸ Nat.le_refl n
theorem Nat.le_succ (n : Nat) : n ≤ n.succ := Nat.le.step Nat.le.refl
theorem Nat.le_add_one (n : Nat) : n ≤ n + 1 := Nat.le_succ n
theorem Nat.le_succ_of_le {n m : Nat} (h : n ≤ m) : n ≤ m.succ := Nat.le.step h
theorem Nat.le_trans {n m k : Nat} (h₁ : n ≤ m) (h₂ : m ≤ k) : n ≤ k := by
  induction h₂ with
  | refl => exact h₁
  | step _ ih => exact Nat.le.step ih
theorem Nat.le.trans {n m k : Nat} (h₁ : n ≤ m) (h₂ : m ≤ k) : n ≤ k := Nat.le_trans h₁ h₂
theorem Nat.le_of_succ_le {n m : Nat} (h : n.succ ≤ m) : n ≤ m := Nat.le_trans (Nat.le_succ n) h
@[simp] theorem Nat.zero_le (n : Nat) : 0 ≤ n := by
  induction n with
  | zero => exact Nat.le.refl
  | succ n ih => exact Nat.le.step ih
theorem Nat.succ_le_succ {n m : Nat} (h : n ≤ m) : n.succ ≤ m.succ := by
  induction h with
  | refl => exact Nat.le.refl
  | step _ ih => exact Nat.le.step ih
theorem Nat.pred_le_pred {n m : Nat} (h : n ≤ m) : n.pred ≤ m.pred := by
  induction h with
  | refl => exact Nat.le.refl
  | @step m h ih =>
    cases m with
    | zero => exact ih
    | succ m => exact Nat.le.step ih
theorem Nat.le_of_succ_le_succ {n m : Nat} (h : n.succ ≤ m.succ) : n ≤ m := Nat.pred_le_pred h
theorem Nat.le_of_lt_succ {m n : Nat} (h : m < n.succ) : m ≤ n := Nat.le_of_succ_le_succ h
theorem Nat.succ_le_succ_iff {n m : Nat} : n.succ ≤ m.succ ↔ n ≤ m := ⟨Nat.le_of_succ_le_succ, Nat.succ_le_succ⟩
theorem Nat.add_one_le_add_one_iff {n m : Nat} : n + 1 ≤ m + 1 ↔ n ≤ m := Nat.succ_le_succ_iff
theorem Nat.not_succ_le_zero (n : Nat) (h : n.succ ≤ 0) : False := by cases h
@[simp] theorem Nat.not_lt_zero (n : Nat) : ¬n < 0 := Nat.not_succ_le_zero n
theorem Nat.not_succ_le_self (n : Nat) : ¬n.succ ≤ n := by
  induction n with
  | zero => exact Nat.not_succ_le_zero 0
  | succ n ih => exact fun h => ih (Nat.le_of_succ_le_succ h)
@[simp] theorem Nat.lt_irrefl (n : Nat) : ¬n < n := Nat.not_succ_le_self n
theorem Nat.lt_succ_self (n : Nat) : n < n.succ := Nat.le.refl
theorem Nat.lt_add_one (n : Nat) : n < n + 1 := Nat.le.refl
theorem Nat.lt_succ_of_le {n m : Nat} (h : n ≤ m) : n < m.succ := Nat.succ_le_succ h
theorem Nat.lt_add_one_of_le {n m : Nat} (h : n ≤ m) : n < m + 1 := Nat.succ_le_succ h
theorem Nat.lt_succ_iff {m n : Nat} : m < n.succ ↔ m ≤ n := ⟨Nat.le_of_lt_succ, Nat.lt_succ_of_le⟩
theorem Nat.lt_succ {m n : Nat} : m < n.succ ↔ m ≤ n := Nat.lt_succ_iff
theorem Nat.lt_add_one_iff {m n : Nat} : m < n + 1 ↔ m ≤ n := Nat.lt_succ_iff
theorem Nat.succ_le_iff {n m : Nat} : n.succ ≤ m ↔ n < m := Iff.rfl
theorem Nat.add_one_le_iff {n m : Nat} : n + 1 ≤ m ↔ n < m := Iff.rfl
theorem Nat.succ_le_of_lt {n m : Nat} (h : n < m) : n.succ ≤ m := h
theorem Nat.lt_of_succ_le {n m : Nat} (h : n.succ ≤ m) : n < m := h
theorem Nat.le_of_lt {n m : Nat} (h : n < m) : n ≤ m := Nat.le_of_succ_le h
theorem LT.lt.le {n m : Nat} (h : n < m) : n ≤ m := Nat.le_of_lt h
theorem Nat.lt_trans {n m k : Nat} (h₁ : n < m) (h₂ : m < k) : n < k := Nat.le_trans (Nat.le.step h₁) h₂
theorem LT.lt.trans {n m k : Nat} (h₁ : n < m) (h₂ : m < k) : n < k := Nat.lt_trans h₁ h₂
theorem LE.le.trans {n m k : Nat} (h₁ : n ≤ m) (h₂ : m ≤ k) : n ≤ k := Nat.le_trans h₁ h₂
theorem Nat.lt_of_lt_of_le {n m k : Nat} (h₁ : n < m) (h₂ : m ≤ k) : n < k := Nat.le_trans h₁ h₂
theorem Nat.lt_of_le_of_lt {n m k : Nat} (h₁ : n ≤ m) (h₂ : m < k) : n < k := Nat.le_trans (Nat.succ_le_succ h₁) h₂
theorem LT.lt.trans_le {n m k : Nat} (h₁ : n < m) (h₂ : m ≤ k) : n < k := Nat.lt_of_lt_of_le h₁ h₂
theorem LE.le.trans_lt {n m k : Nat} (h₁ : n ≤ m) (h₂ : m < k) : n < k := Nat.lt_of_le_of_lt h₁ h₂
theorem Nat.lt_asymm {n m : Nat} (h₁ : n < m) (h₂ : m < n) : False := Nat.lt_irrefl n (Nat.lt_trans h₁ h₂)
theorem Nat.ne_of_lt {n m : Nat} (h : n < m) : n ≠ m := fun e => Nat.lt_irrefl m (e ▸ h)
theorem Nat.ne_of_gt {n m : Nat} (h : m < n) : n ≠ m := fun e => Nat.lt_irrefl n (e ▸ h)
theorem Nat.ne_of_lt' {n m : Nat} (h : m < n) : n ≠ m := Nat.ne_of_gt h
theorem LT.lt.ne {n m : Nat} (h : n < m) : n ≠ m := Nat.ne_of_lt h
theorem LT.lt.ne' {n m : Nat} (h : n < m) : m ≠ n := (Nat.ne_of_lt h).symm
theorem Nat.le_antisymm {n m : Nat} (h₁ : n ≤ m) (h₂ : m ≤ n) : n = m := by
  cases h₁ with
  | refl => rfl
  | step h => exact absurd (Nat.le_trans h₂ h) (Nat.not_succ_le_self _)
theorem LE.le.antisymm {n m : Nat} (h₁ : n ≤ m) (h₂ : m ≤ n) : n = m := Nat.le_antisymm h₁ h₂
theorem Nat.le_antisymm_iff {n m : Nat} : n = m ↔ n ≤ m ∧ m ≤ n := ⟨fun h => ⟨Nat.le_of_eq h, Nat.le_of_eq h.symm⟩, fun h => Nat.le_antisymm h.1 h.2⟩
theorem Nat.le_zero_eq (n : Nat) : (n ≤ 0) = (n = 0) := propext ⟨fun h => Nat.le_antisymm h (Nat.zero_le n), Nat.le_of_eq⟩
@[simp] theorem Nat.le_zero {n : Nat} : n ≤ 0 ↔ n = 0 := iff_of_eq (Nat.le_zero_eq n)
theorem Nat.eq_zero_of_le_zero {n : Nat} (h : n ≤ 0) : n = 0 := Nat.le_zero.mp h
@[simp] theorem Nat.zero_lt_succ (n : Nat) : 0 < n.succ := Nat.succ_le_succ (Nat.zero_le n)
theorem Nat.succ_pos (n : Nat) : 0 < n.succ := Nat.zero_lt_succ n
theorem Nat.zero_lt_one : 0 < 1 := Nat.le.refl
theorem Nat.one_pos : 0 < 1 := Nat.le.refl
theorem Nat.pos_of_ne_zero {n : Nat} (h : n ≠ 0) : 0 < n := by
  cases n with
  | zero => exact absurd rfl h
  | succ n => exact Nat.zero_lt_succ n
theorem Nat.ne_zero_of_lt {n m : Nat} (h : n < m) : m ≠ 0 := fun e => Nat.not_lt_zero n (e ▸ h)
theorem Nat.pos_iff_ne_zero {n : Nat} : 0 < n ↔ n ≠ 0 := ⟨Nat.ne_zero_of_lt, Nat.pos_of_ne_zero⟩
theorem Nat.zero_lt_of_ne_zero {n : Nat} (h : n ≠ 0) : 0 < n := Nat.pos_of_ne_zero h
theorem Nat.eq_zero_or_pos (n : Nat) : n = 0 ∨ 0 < n := by
  cases n with
  | zero => exact Or.inl rfl
  | succ n => exact Or.inr (Nat.zero_lt_succ n)
theorem Nat.lt_or_ge (n m : Nat) : n < m ∨ n ≥ m := by
  induction m with
  | zero => exact Or.inr (Nat.zero_le n)
  | succ m ih =>
    cases ih with
    | inl h => exact Or.inl (Nat.le.step h)
    | inr h =>
      cases h with
      | refl => exact Or.inl Nat.le.refl
      | step h => exact Or.inr (Nat.succ_le_succ h)
theorem Nat.lt_or_le (n m : Nat) : n < m ∨ m ≤ n := Nat.lt_or_ge n m
theorem Nat.le_or_lt (n m : Nat) : n ≤ m ∨ m < n := (Nat.lt_or_ge m n).symm
theorem Nat.le_total (n m : Nat) : n ≤ m ∨ m ≤ n := Or.elim (Nat.lt_or_ge n m) (fun h => Or.inl (Nat.le_of_lt h)) Or.inr
theorem Nat.eq_or_lt_of_le {n m : Nat} (h : n ≤ m) : n = m ∨ n < m := by
  cases h with
  | refl => exact Or.inl rfl
  | step h => exact Or.inr (Nat.succ_le_succ h)
theorem Nat.lt_or_eq_of_le {n m : Nat} (h : n ≤ m) : n < m ∨ n = m := (Nat.eq_or_lt_of_le h).symm
theorem Nat.lt_trichotomy (a b : Nat) : a < b ∨ a = b ∨ b < a :=
  Or.elim (Nat.lt_or_ge a b) Or.inl (fun h => Or.inr (Or.elim (Nat.eq_or_lt_of_le h) (fun e => Or.inl e.symm) Or.inr))
theorem Nat.lt_of_le_of_ne {n m : Nat} (h₁ : n ≤ m) (h₂ : n ≠ m) : n < m := (Nat.eq_or_lt_of_le h₁).resolve_left h₂
theorem Nat.not_le_of_gt {n m : Nat} (h : n > m) : ¬n ≤ m := fun h' => Nat.lt_irrefl n (Nat.lt_of_le_of_lt h' h)
theorem Nat.not_le_of_lt {n m : Nat} (h : m < n) : ¬n ≤ m := Nat.not_le_of_gt h
theorem Nat.not_lt_of_le {n m : Nat} (h : n ≤ m) : ¬m < n := fun h' => Nat.lt_irrefl m (Nat.lt_of_lt_of_le h' h)
theorem Nat.not_lt_of_ge {n m : Nat} (h : m ≥ n) : ¬m < n := Nat.not_lt_of_le h
@[simp] theorem Nat.not_le {n m : Nat} : ¬n ≤ m ↔ m < n := ⟨fun h => (Nat.lt_or_ge m n).resolve_right h, Nat.not_le_of_gt⟩
@[simp] theorem Nat.not_lt {n m : Nat} : ¬n < m ↔ m ≤ n := ⟨fun h => (Nat.lt_or_ge n m).resolve_left h, Nat.not_lt_of_le⟩
theorem Nat.lt_of_not_le {a b : Nat} (h : ¬a ≤ b) : b < a := Nat.not_le.mp h
theorem Nat.lt_of_not_ge {a b : Nat} (h : ¬b ≥ a) : b < a := Nat.not_le.mp h
theorem Nat.le_of_not_lt {a b : Nat} (h : ¬a < b) : b ≤ a := Nat.not_lt.mp h
theorem Nat.le_of_not_le {a b : Nat} (h : ¬b ≤ a) : a ≤ b := (Nat.le_total a b).resolve_right h
theorem Nat.lt_iff_le_not_le {m n : Nat} : m < n ↔ m ≤ n ∧ ¬n ≤ m := ⟨fun h => ⟨Nat.le_of_lt h, Nat.not_le_of_gt h⟩, fun h => Nat.not_le.mp h.2⟩
theorem Nat.lt_iff_le_and_ne {m n : Nat} : m < n ↔ m ≤ n ∧ m ≠ n := ⟨fun h => ⟨Nat.le_of_lt h, Nat.ne_of_lt h⟩, fun h => Nat.lt_of_le_of_ne h.1 h.2⟩
theorem Nat.le_add_right (n k : Nat) : n ≤ n + k := by
  induction k with
  | zero => exact Nat.le.refl
  | succ k ih => exact Nat.le.step ih
theorem Nat.le_add_left (n m : Nat) : n ≤ m + n := Nat.add_comm n m ▸ Nat.le_add_right n m
theorem Nat.le_add_right_of_le {n m k : Nat} (h : n ≤ m) : n ≤ m + k := Nat.le_trans h (Nat.le_add_right m k)
theorem Nat.le.intro {n m k : Nat} (h : n + k = m) : n ≤ m := h ▸ Nat.le_add_right n k
theorem Nat.le.dest {n m : Nat} (h : n ≤ m) : ∃ k, n + k = m := by
  induction h with
  | refl => exact ⟨0, rfl⟩
  | step _ ih => exact ih.elim (fun k hk => ⟨k + 1, congrArg Nat.succ hk⟩)
theorem Nat.exists_eq_add_of_le {m n : Nat} (h : m ≤ n) : ∃ k, n = m + k := (Nat.le.dest h).elim (fun k hk => ⟨k, hk.symm⟩)
theorem Nat.exists_eq_add_of_le' {m n : Nat} (h : m ≤ n) : ∃ k, n = k + m := (Nat.le.dest h).elim (fun k hk => ⟨k, hk.symm.trans (Nat.add_comm m k)⟩)
theorem Nat.le_iff_exists_add {m n : Nat} : m ≤ n ↔ ∃ k, n = m + k := ⟨Nat.exists_eq_add_of_le, fun h => h.elim (fun k hk => hk ▸ Nat.le_add_right m k)⟩
theorem Nat.exists_eq_succ_of_ne_zero {n : Nat} (h : n ≠ 0) : ∃ k, n = Nat.succ k := by
  cases n with
  | zero => exact absurd rfl h
  | succ n => exact ⟨n, rfl⟩
theorem Nat.exists_eq_add_one_of_ne_zero {n : Nat} (h : n ≠ 0) : ∃ k, n = k + 1 := Nat.exists_eq_succ_of_ne_zero h
theorem Nat.add_le_add_left {n m : Nat} (h : n ≤ m) (k : Nat) : k + n ≤ k + m := by
  induction h with
  | refl => exact Nat.le.refl
  | step _ ih => exact Nat.le.step ih
theorem Nat.add_le_add_right {n m : Nat} (h : n ≤ m) (k : Nat) : n + k ≤ m + k := by
  rw [Nat.add_comm n k, Nat.add_comm m k]; exact Nat.add_le_add_left h k
theorem Nat.add_le_add {a b c d : Nat} (h₁ : a ≤ b) (h₂ : c ≤ d) : a + c ≤ b + d := Nat.le_trans (Nat.add_le_add_right h₁ c) (Nat.add_le_add_left h₂ b)
theorem Nat.add_lt_add_left {n m : Nat} (h : n < m) (k : Nat) : k + n < k + m := Nat.add_le_add_left h k
theorem Nat.add_lt_add_right {n m : Nat} (h : n < m) (k : Nat) : n + k < m + k := by
  rw [Nat.add_comm n k, Nat.add_comm m k]; exact Nat.add_lt_add_left h k
theorem Nat.add_lt_add {a b c d : Nat} (h₁ : a < b) (h₂ : c < d) : a + c < b + d := Nat.lt_trans (Nat.add_lt_add_right h₁ c) (Nat.add_lt_add_left h₂ b)
theorem Nat.add_lt_add_of_le_of_lt {a b c d : Nat} (h₁ : a ≤ b) (h₂ : c < d) : a + c < b + d := Nat.lt_of_le_of_lt (Nat.add_le_add_right h₁ c) (Nat.add_lt_add_left h₂ b)
theorem Nat.add_lt_add_of_lt_of_le {a b c d : Nat} (h₁ : a < b) (h₂ : c ≤ d) : a + c < b + d := Nat.lt_of_lt_of_le (Nat.add_lt_add_right h₁ c) (Nat.add_le_add_left h₂ b)
theorem Nat.le_of_add_le_add_left {a b c : Nat} (h : a + b ≤ a + c) : b ≤ c := by
  induction a with
  | zero => rw [Nat.zero_add, Nat.zero_add] at h; exact h
  | succ a ih => rw [Nat.add_right_comm, Nat.add_right_comm a 1 c] at h; exact ih (Nat.le_of_succ_le_succ h)
theorem Nat.le_of_add_le_add_right {a b c : Nat} (h : a + b ≤ c + b) : a ≤ c := by
  rw [Nat.add_comm a b, Nat.add_comm c b] at h; exact Nat.le_of_add_le_add_left h
@[simp] theorem Nat.add_le_add_iff_left {m k n : Nat} : n + m ≤ n + k ↔ m ≤ k := ⟨Nat.le_of_add_le_add_left, fun h => Nat.add_le_add_left h n⟩
@[simp] theorem Nat.add_le_add_iff_right {m k n : Nat} : m + n ≤ k + n ↔ m ≤ k := ⟨Nat.le_of_add_le_add_right, fun h => Nat.add_le_add_right h n⟩
theorem Nat.lt_of_add_lt_add_left {a b c : Nat} (h : a + b < a + c) : b < c := Nat.le_of_add_le_add_left (a := a) (b := b + 1) h
theorem Nat.lt_of_add_lt_add_right {a b c : Nat} (h : a + b < c + b) : a < c := by
  rw [Nat.add_comm a b, Nat.add_comm c b] at h; exact Nat.lt_of_add_lt_add_left h
@[simp] theorem Nat.add_lt_add_iff_left {m k n : Nat} : n + m < n + k ↔ m < k := ⟨Nat.lt_of_add_lt_add_left, fun h => Nat.add_lt_add_left h n⟩
@[simp] theorem Nat.add_lt_add_iff_right {m k n : Nat} : m + n < k + n ↔ m < k := ⟨Nat.lt_of_add_lt_add_right, fun h => Nat.add_lt_add_right h n⟩
theorem Nat.lt_add_of_pos_right {n k : Nat} (h : 0 < k) : n < n + k := Nat.add_lt_add_left h n
theorem Nat.lt_add_of_pos_left {n k : Nat} (h : 0 < k) : n < k + n := Nat.add_comm n k ▸ Nat.lt_add_of_pos_right h
theorem Nat.lt_add_left {a b : Nat} (c : Nat) (h : a < b) : a < c + b := Nat.lt_of_lt_of_le h (Nat.le_add_left b c)
theorem Nat.lt_add_right {a b : Nat} (c : Nat) (h : a < b) : a < b + c := Nat.lt_of_lt_of_le h (Nat.le_add_right b c)
theorem Nat.mul_le_mul_left {m n : Nat} (k : Nat) (h : m ≤ n) : k * m ≤ k * n := by
  induction h with
  | refl => exact Nat.le.refl
  | step _ ih => exact Nat.le_trans ih (Nat.le_add_right _ k)
theorem Nat.mul_le_mul_right {m n : Nat} (k : Nat) (h : m ≤ n) : m * k ≤ n * k := by
  rw [Nat.mul_comm m k, Nat.mul_comm n k]; exact Nat.mul_le_mul_left k h
theorem Nat.mul_le_mul {p q m n : Nat} (h₁ : p ≤ m) (h₂ : q ≤ n) : p * q ≤ m * n := Nat.le_trans (Nat.mul_le_mul_right q h₁) (Nat.mul_le_mul_left m h₂)
theorem Nat.mul_pos {m n : Nat} (hm : 0 < m) (hn : 0 < n) : 0 < m * n := Nat.lt_of_lt_of_le hm (by have h := Nat.mul_le_mul_left m hn; rw [Nat.mul_one] at h; exact h)
theorem Nat.eq_zero_of_mul_eq_zero {m n : Nat} (h : n * m = 0) : n = 0 ∨ m = 0 := by
  cases n with
  | zero => exact Or.inl rfl
  | succ n =>
    cases m with
    | zero => exact Or.inr rfl
    | succ m => cases h
@[simp] theorem Nat.mul_eq_zero {m n : Nat} : n * m = 0 ↔ n = 0 ∨ m = 0 := ⟨Nat.eq_zero_of_mul_eq_zero, fun h => h.elim (fun e => by rw [e, Nat.zero_mul]) (fun e => by rw [e, Nat.mul_zero])⟩

-- truncated subtraction
@[simp] theorem Nat.sub_zero (n : Nat) : n - 0 = n := rfl
theorem Nat.sub_succ (n m : Nat) : n - m.succ = (n - m).pred := rfl
@[simp] theorem Nat.zero_sub (n : Nat) : 0 - n = 0 := by
  induction n with
  | zero => rfl
  | succ n ih => exact congrArg Nat.pred ih
theorem Nat.succ_sub_succ_eq_sub (n m : Nat) : n.succ - m.succ = n - m := by
  induction m with
  | zero => rfl
  | succ m ih => exact congrArg Nat.pred ih
theorem Nat.succ_sub_succ (n m : Nat) : n.succ - m.succ = n - m := Nat.succ_sub_succ_eq_sub n m
theorem Nat.add_sub_add_right (n k m : Nat) : n + k - (m + k) = n - m := by
  induction k with
  | zero => rfl
  | succ k ih => exact (Nat.succ_sub_succ (n + k) (m + k)).trans ih
theorem Nat.add_sub_add_left (k n m : Nat) : k + n - (k + m) = n - m := by rw [Nat.add_comm k n, Nat.add_comm k m, Nat.add_sub_add_right]
@[simp] theorem Nat.sub_self (n : Nat) : n - n = 0 := by
  induction n with
  | zero => rfl
  | succ n ih => exact (Nat.succ_sub_succ n n).trans ih
@[simp] theorem Nat.add_sub_cancel (n m : Nat) : n + m - m = n := by
  induction m with
  | zero => rfl
  | succ m ih => exact (Nat.succ_sub_succ (n + m) m).trans ih
theorem Nat.add_sub_cancel_left (n m : Nat) : n + m - n = m := by rw [Nat.add_comm, Nat.add_sub_cancel]
theorem Nat.sub_le (n m : Nat) : n - m ≤ n := by
  induction m with
  | zero => exact Nat.le.refl
  | succ m ih =>
    rw [Nat.add_one, Nat.sub_succ]
    exact Nat.le_trans (by cases n - m with | zero => exact Nat.le.refl | succ k => exact Nat.le_succ k) ih
theorem Nat.sub_eq_zero_of_le {n m : Nat} (h : n ≤ m) : n - m = 0 := by
  obtain ⟨k, hk⟩ := Nat.le.dest h
  subst hk
  induction n with
  | zero => exact Nat.zero_sub _
  | succ n ih => rw [Nat.add_right_comm]; exact (Nat.succ_sub_succ n (n + k)).trans (ih (Nat.le_add_right n k))
theorem Nat.sub_add_cancel {n m : Nat} (h : m ≤ n) : n - m + m = n := by
  obtain ⟨k, hk⟩ := Nat.le.dest h
  subst hk
  rw [Nat.add_comm m k, Nat.add_sub_cancel]
theorem Nat.add_sub_of_le {a b : Nat} (h : a ≤ b) : a + (b - a) = b := by rw [Nat.add_comm]; exact Nat.sub_add_cancel h
theorem Nat.add_sub_assoc {m k : Nat} (h : k ≤ m) (n : Nat) : n + m - k = n + (m - k) := by
  obtain ⟨d, hd⟩ := Nat.le.dest h
  subst hd
  rw [Nat.add_sub_cancel_left, Nat.add_left_comm, Nat.add_sub_cancel_left]
theorem Nat.sub_add_comm {n m k : Nat} (h : k ≤ n) : n + m - k = n - k + m := by
  rw [Nat.add_comm n m, Nat.add_sub_assoc h, Nat.add_comm]
theorem Nat.sub_sub (n m k : Nat) : n - m - k = n - (m + k) := by
  induction k with
  | zero => rfl
  | succ k ih => exact congrArg Nat.pred ih
theorem Nat.sub_eq_zero_iff_le {n m : Nat} : n - m = 0 ↔ n ≤ m := by
  constructor
  · intro h
    cases Nat.le_total n m with
    | inl h' => exact h'
    | inr h' =>
      have e := Nat.sub_add_cancel h'
      rw [h, Nat.zero_add] at e
      exact Nat.le_of_eq e.symm
  · exact Nat.sub_eq_zero_of_le
theorem Nat.sub_one_add_one {n : Nat} (h : n ≠ 0) : n - 1 + 1 = n := by
  cases n with
  | zero => exact absurd rfl h
  | succ n => rfl
theorem Nat.pred_eq_sub_one (n : Nat) : n.pred = n - 1 := rfl
@[simp] theorem Nat.add_one_sub_one (n : Nat) : n + 1 - 1 = n := rfl
theorem Nat.succ_sub_one (n : Nat) : n.succ - 1 = n := rfl
theorem Nat.sub_lt {n m : Nat} (hn : 0 < n) (hm : 0 < m) : n - m < n := by
  cases n with
  | zero => exact absurd hn (Nat.lt_irrefl 0)
  | succ n =>
    cases m with
    | zero => exact absurd hm (Nat.lt_irrefl 0)
    | succ m => rw [Nat.succ_sub_succ]; exact Nat.succ_le_succ (Nat.sub_le n m)

theorem Nat.strong_induction_aux {p : Nat → Prop} (h : ∀ n, (∀ m, m < n → p m) → p n) (n : Nat) : ∀ m, m < n → p m := by
  induction n with
  | zero => exact fun m hm => absurd hm (Nat.not_lt_zero m)
  | succ n ih => exact fun m hm => h m (fun k hk => ih k (Nat.lt_of_lt_of_le hk (Nat.le_of_lt_succ hm)))
theorem Nat.strongRecOn {motive : Nat → Prop} (n : Nat) (ind : ∀ n, (∀ m, m < n → motive m) → motive n) : motive n :=
  ind n (Nat.strong_induction_aux ind n)
theorem Nat.strong_induction_on {p : Nat → Prop} (n : Nat) (h : ∀ n, (∀ m, m < n → p m) → p n) : p n := h n (Nat.strong_induction_aux h n)
theorem Nat.strongInductionOn {p : Nat → Prop} (n : Nat) (h : ∀ n, (∀ m, m < n → p m) → p n) : p n := h n (Nat.strong_induction_aux h n)
theorem Nat.le_induction {m : Nat} {P : Nat → Prop} (base : P m) (succ : ∀ n, m ≤ n → P n → P (n + 1)) (n : Nat) (hn : m ≤ n) : P n := by
  induction hn with
  | refl => exact base
  | step h ih => exact succ _ h ih
@[simp] theorem Nat.add_one_ne_zero_eq (n : Nat) : (n + 1 = 0) = False := eq_false (Nat.add_one_ne_zero n)
@[simp] theorem Nat.zero_ne_add_one_eq (n : Nat) : (0 = n + 1) = False := eq_false (Nat.zero_ne_add_one n)
@[simp] theorem Nat.self_eq_add_right {m n : Nat} : m = m + n ↔ n = 0 := ⟨fun h => (Nat.add_left_cancel (n := m) (m := 0) h).symm, fun h => by rw [h, Nat.add_zero]⟩
@[simp] theorem Nat.add_eq_left {m n : Nat} : m + n = m ↔ n = 0 := ⟨fun h => Nat.add_left_cancel (n := m) (k := 0) h, fun h => by rw [h, Nat.add_zero]⟩
@[simp] theorem Nat.add_eq_right {m n : Nat} : m + n = n ↔ m = 0 := ⟨fun h => Nat.add_right_cancel (m := n) (h.trans (Nat.zero_add n).symm), fun h => by rw [h, Nat.zero_add]⟩
@[simp] theorem Nat.le_add_right_eq (n k : Nat) : (n ≤ n + k) = True := eq_true (Nat.le_add_right n k)
@[simp] theorem Nat.le_add_left_eq (n k : Nat) : (n ≤ k + n) = True := eq_true (Nat.le_add_left n k)
@[simp] theorem Nat.lt_add_one_eq (n : Nat) : (n < n + 1) = True := eq_true (Nat.lt_add_one n)

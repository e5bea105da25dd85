/-! What the proof terms of `omega` are made of. -/

theorem Omega.add (a b x y z : Nat) (ha : a = x) (hb : b = y) (h : x + y = z) : a + b = z := by
  rw [ha, hb]; exact h

theorem Omega.mul_left (a b c y z : Nat) (ha : a = c) (hb : b = y) (h : c * y = z) : a * b = z := by
  rw [ha, hb]; exact h

theorem Omega.mul_right (a b x c z : Nat) (ha : a = x) (hb : b = c) (h : c * x = z) : a * b = z := by
  rw [ha, hb, Nat.mul_comm]; exact h

theorem Omega.zero_mul (x : Nat) : 0 * x = 0 := Nat.zero_mul x

theorem Omega.atom (x : Nat) : x = 1 * x + 0 := (Nat.one_mul x).symm

theorem Omega.merge_same (a b c x r s t : Nat) (hc : a + b = c) (h : r + s = t) :
    (a * x + r) + (b * x + s) = c * x + t := by
  rw [← hc, ← h, Nat.add_mul, Nat.add_assoc, Nat.add_left_comm r, ← Nat.add_assoc]

theorem Omega.merge_left (a x r s t : Nat) (h : r + s = t) : (a * x + r) + s = a * x + t := by
  rw [Nat.add_assoc, h]

theorem Omega.merge_right (r b x s t : Nat) (h : r + s = t) : r + (b * x + s) = b * x + t := by
  rw [Nat.add_left_comm, h]

theorem Omega.scale (c a x r d s : Nat) (hd : c * a = d) (hs : c * r = s) :
    c * (a * x + r) = d * x + s := by
  rw [Nat.mul_add, ← Nat.mul_assoc, hd, hs]

theorem Omega.same (s t c : Nat) (hs : s = c) (ht : t = c) : s = t := Eq.trans hs (Eq.symm ht)

theorem Omega.cancel (l r x y c : Nat) (hl : l = x + c) (hr : r = y + c) (h : l ≤ r) : x ≤ y := by
  rw [hl, hr] at h
  exact Nat.le_of_add_le_add_right h

theorem Omega.combine (m n a b c d : Nat) (h : a ≤ b) (k : c ≤ d) : m * a + n * c ≤ m * b + n * d :=
  Nat.add_le_add (Nat.mul_le_mul_left m h) (Nat.mul_le_mul_left n k)

theorem Omega.tighten (g x y k c l r : Nat) (hk : k < g) (h : l ≤ r) (hl : g * x = l + c)
    (hr : g * y + k = r + c) : x ≤ y := by
  cases Nat.lt_or_ge y x with
  | inr h1 => exact h1
  | inl h1 =>
    have h2 : g * (y + 1) ≤ g * x := Nat.mul_le_mul_left g h1
    have h3 : g * x ≤ g * y + k := by
      rw [hl, hr]
      exact Nat.add_le_add_right h c
    have h4 : g * y + g ≤ g * y + k := Nat.le_trans h2 h3
    exact absurd hk (Nat.not_lt_of_le (Nat.le_of_add_le_add_left h4))

theorem Omega.absurd (d l : Nat) (e : l = d + 1) (h : l ≤ 0) : False := by
  rw [e] at h
  exact Nat.not_succ_le_zero d h

theorem Omega.not_le (a b : Nat) (h : ¬ a ≤ b) : b < a := by
  cases Nat.lt_or_ge b a with
  | inl h1 => exact h1
  | inr h1 => exact _root_.absurd h1 h

theorem Omega.not_lt (a b : Nat) (h : ¬ a < b) : b ≤ a := by
  cases Nat.lt_or_ge a b with
  | inl h1 => exact _root_.absurd h1 h
  | inr h1 => exact h1

theorem Omega.not_eq (a b : Nat) (h : ¬ a = b) : a < b ∨ b < a := by
  cases Nat.lt_or_ge a b with
  | inl h1 => exact Or.inl h1
  | inr h1 =>
    cases Nat.lt_or_ge b a with
    | inl h2 => exact Or.inr h2
    | inr h2 => exact _root_.absurd (Nat.le_antisymm h2 h1) h

theorem Omega.em_le (a b : Nat) : a ≤ b ∨ ¬ a ≤ b := by
  cases Nat.lt_or_ge b a with
  | inl h => exact Or.inr (Nat.not_le_of_lt h)
  | inr h => exact Or.inl h

theorem Omega.em_eq (a b : Nat) : a = b ∨ ¬ a = b := by
  cases Nat.lt_or_ge a b with
  | inl h => exact Or.inr (fun e => Nat.lt_irrefl b (e ▸ h))
  | inr h =>
    cases Nat.lt_or_ge b a with
    | inl k => exact Or.inr (fun e => Nat.lt_irrefl a (e.symm ▸ k))
    | inr k => exact Or.inl (Nat.le_antisymm k h)

theorem Omega.em_true : True ∨ ¬ True := Or.inl True.intro

theorem Omega.em_false : False ∨ ¬ False := Or.inr (fun h => h)

theorem Omega.em_not (p : Prop) (hp : p ∨ ¬ p) : ¬ p ∨ ¬ ¬ p := by
  cases hp with
  | inl h => exact Or.inr (fun k => k h)
  | inr h => exact Or.inl h

theorem Omega.em_and (p q : Prop) (hp : p ∨ ¬ p) (hq : q ∨ ¬ q) : (p ∧ q) ∨ ¬ (p ∧ q) := by
  cases hp with
  | inr h => exact Or.inr (fun k => h k.left)
  | inl h =>
    cases hq with
    | inl k => exact Or.inl ⟨h, k⟩
    | inr k => exact Or.inr (fun j => k j.right)

theorem Omega.em_or (p q : Prop) (hp : p ∨ ¬ p) (hq : q ∨ ¬ q) : (p ∨ q) ∨ ¬ (p ∨ q) := by
  cases hp with
  | inl h => exact Or.inl (Or.inl h)
  | inr h =>
    cases hq with
    | inl k => exact Or.inl (Or.inr k)
    | inr k => exact Or.inr (fun j => Or.elim j h k)

theorem Omega.em_imp (p q : Prop) (hp : p ∨ ¬ p) (hq : q ∨ ¬ q) : (p → q) ∨ ¬ (p → q) := by
  cases hp with
  | inr h => exact Or.inl (fun k => _root_.absurd k h)
  | inl h =>
    cases hq with
    | inl k => exact Or.inl (fun _ => k)
    | inr k => exact Or.inr (fun j => k (j h))

theorem Omega.em_iff (p q : Prop) (hp : p ∨ ¬ p) (hq : q ∨ ¬ q) : (p ↔ q) ∨ ¬ (p ↔ q) := by
  cases hp with
  | inl h =>
    cases hq with
    | inl k => exact Or.inl ⟨fun _ => k, fun _ => h⟩
    | inr k => exact Or.inr (fun j => k (j.mp h))
  | inr h =>
    cases hq with
    | inl k => exact Or.inr (fun j => h (j.mpr k))
    | inr k => exact Or.inl ⟨fun x => _root_.absurd x h, fun x => _root_.absurd x k⟩

theorem Omega.by_contra (p : Prop) (hp : p ∨ ¬ p) (h : ¬ p → False) : p := by
  cases hp with
  | inl k => exact k
  | inr k => exact False.elim (h k)

theorem Omega.not_not (p : Prop) (hp : p ∨ ¬ p) (h : ¬ ¬ p) : p := by
  cases hp with
  | inl k => exact k
  | inr k => exact _root_.absurd k h

theorem Omega.not_and (p q : Prop) (hp : p ∨ ¬ p) (h : ¬ (p ∧ q)) : ¬ p ∨ ¬ q := by
  cases hp with
  | inl k => exact Or.inr (fun j => h ⟨k, j⟩)
  | inr k => exact Or.inl k

theorem Omega.not_or (p q : Prop) (h : ¬ (p ∨ q)) : ¬ p ∧ ¬ q :=
  ⟨fun k => h (Or.inl k), fun k => h (Or.inr k)⟩

theorem Omega.not_imp (p q : Prop) (hp : p ∨ ¬ p) (h : ¬ (p → q)) : p ∧ ¬ q := by
  cases hp with
  | inl k => exact ⟨k, fun j => h (fun _ => j)⟩
  | inr k => exact _root_.absurd (fun j => _root_.absurd j k) h

theorem Omega.imp (p q : Prop) (hp : p ∨ ¬ p) (h : p → q) : ¬ p ∨ q := by
  cases hp with
  | inl k => exact Or.inr (h k)
  | inr k => exact Or.inl k

theorem Omega.iff (p q : Prop) (hp : p ∨ ¬ p) (h : p ↔ q) : (p ∧ q) ∨ (¬ p ∧ ¬ q) := by
  cases hp with
  | inl k => exact Or.inl ⟨k, h.mp k⟩
  | inr k => exact Or.inr ⟨k, fun j => k (h.mpr j)⟩

theorem Omega.not_iff (p q : Prop) (hp : p ∨ ¬ p) (hq : q ∨ ¬ q) (h : ¬ (p ↔ q)) :
    (p ∧ ¬ q) ∨ (¬ p ∧ q) := by
  cases hp with
  | inl k =>
    cases hq with
    | inl j => exact _root_.absurd ⟨fun _ => j, fun _ => k⟩ h
    | inr j => exact Or.inl ⟨k, j⟩
  | inr k =>
    cases hq with
    | inl j => exact Or.inr ⟨k, j⟩
    | inr j => exact _root_.absurd ⟨fun x => _root_.absurd x k, fun x => _root_.absurd x j⟩ h

theorem Omega.sub_cases (a b : Nat) : (a ≤ b ∧ a - b = 0) ∨ (b ≤ a ∧ a - b + b = a) := by
  cases Nat.le_total a b with
  | inl h => exact Or.inl ⟨h, Nat.sub_eq_zero_of_le h⟩
  | inr h => exact Or.inr ⟨h, Nat.sub_add_cancel h⟩

theorem Omega.le_of_eq (a b : Nat) (h : a = b) : a ≤ b := Nat.le_of_eq h

theorem Omega.ge_of_eq (a b : Nat) (h : a = b) : b ≤ a := Nat.le_of_eq (Eq.symm h)

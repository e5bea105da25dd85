/-! Facts that tactics put into proofs by name, where the lemmas of the harness's own core do not have them in the
form Lean wants (other universes, other arguments). The core's lemmas follow after this part. -/

/-! ## Equality, functions, choice -/
theorem funext {α : Sort u} {β : α → Sort v} {f g : (x : α) → β x} (h : ∀ x, f x = g x) : f = g :=
  congrArg (fun q x => @Quot.lift ((x : α) → β x) (fun f g => ∀ x, f x = g x) (β x) (fun k => k x) (fun _ _ h => h x) q)
    (@Quot.sound ((x : α) → β x) (fun f g => ∀ x, f x = g x) f g h)
theorem proof_irrel {a : Prop} (h₁ h₂ : a) : h₁ = h₂ := rfl
theorem Eq.propIntro {a b : Prop} (h₁ : a → b) (h₂ : b → a) : a = b := propext ⟨h₁, h₂⟩
theorem Lean.injEq_helper {P Q R : Prop} (h : P → Q → R) : P ∧ Q → R := fun p => h p.1 p.2
theorem eq_true {p : Prop} (h : p) : p = True := propext ⟨fun _ => trivial, fun _ => h⟩
theorem eq_false {p : Prop} (h : ¬p) : p = False := propext ⟨h, False.elim⟩
theorem eq_false' {p : Prop} (h : p → False) : p = False := eq_false h
theorem of_eq_true {p : Prop} (h : p = True) : p := h ▸ trivial
theorem of_eq_false {p : Prop} (h : p = False) : ¬p := fun hp => Eq.mp h hp
theorem of_not_eq_true {p : Prop} (h : (¬p) = True) : ¬p := of_eq_true h
theorem of_not_eq_false {p : Prop} (h : (¬p) = False) : ¬¬p := of_eq_false h
@[simp] theorem heq_eq_eq {α : Sort u} (a b : α) : (a ≍ b) = (a = b) := propext ⟨eq_of_heq, heq_of_eq⟩
@[simp] theorem ne_eq {α : Sort u} (a b : α) : (a ≠ b) = ¬(a = b) := rfl
theorem HEq.rfl' {α : Sort u} {a : α} : a ≍ a := HEq.rfl
noncomputable def Classical.indefiniteDescription {α : Sort u} (p : α → Prop) (h : ∃ x, p x) : {x // p x} :=
  Classical.choice (h.elim (fun w hw => ⟨⟨w, hw⟩⟩))
noncomputable def Classical.choose {α : Sort u} {p : α → Prop} (h : ∃ x, p x) : α := (Classical.indefiniteDescription p h).val
theorem Classical.choose_spec {α : Sort u} {p : α → Prop} (h : ∃ x, p x) : p (Classical.choose h) := (Classical.indefiniteDescription p h).property
class Subsingleton (α : Sort u) : Prop where
  intro ::
  allEq : (a b : α) → a = b
protected theorem Subsingleton.elim {α : Sort u} [h : Subsingleton α] (a b : α) : a = b := h.allEq a b
protected theorem Subsingleton.helim {α β : Sort u} [h₁ : Subsingleton α] (h₂ : α = β) (a : α) (b : β) : a ≍ b := by
  subst h₂
  exact heq_of_eq (Subsingleton.elim a b)
instance (p : Prop) : Subsingleton p := ⟨fun _ _ => rfl⟩
instance instSubsingletonDecidable (p : Prop) : Subsingleton (Decidable p) := ⟨fun a b =>
  match a, b with
  | isTrue _, isTrue _ => rfl
  | isFalse _, isFalse _ => rfl
  | isTrue h, isFalse n => absurd h n
  | isFalse n, isTrue h => absurd h n⟩

/-! ## What `simp` and `split` build their proofs from -/
theorem implies_congr {p₁ p₂ : Sort u} {q₁ q₂ : Sort v} (h₁ : p₁ = p₂) (h₂ : q₁ = q₂) : (p₁ → q₁) = (p₂ → q₂) := by
  subst h₁ h₂
  rfl
theorem implies_dep_congr_ctx {p₁ p₂ q₁ : Prop} (h₁ : p₁ = p₂) {q₂ : p₂ → Prop} (h₂ : (h : p₂) → q₁ = q₂ h) : (p₁ → q₁) = ((h : p₂) → q₂ h) := by
  subst h₁
  exact propext ⟨fun f h => Eq.mp (h₂ h) (f h), fun f h => Eq.mpr (h₂ h) (f h)⟩
theorem implies_congr_ctx {p₁ p₂ q₁ q₂ : Prop} (h₁ : p₁ = p₂) (h₂ : p₂ → q₁ = q₂) : (p₁ → q₁) = (p₂ → q₂) := implies_dep_congr_ctx h₁ h₂
theorem implies_congr_left {p₁ p₂ : Sort u} {q : Sort v} (h : p₁ = p₂) : (p₁ → q) = (p₂ → q) := h ▸ rfl
theorem implies_congr_right {p : Sort u} {q₁ q₂ : Sort v} (h : q₁ = q₂) : (p → q₁) = (p → q₂) := h ▸ rfl
theorem forall_congr {α : Sort u} {p q : α → Prop} (h : ∀ a, p a = q a) : (∀ a, p a) = (∀ a, q a) :=
  propext ⟨fun f x => Eq.mp (h x) (f x), fun f x => Eq.mpr (h x) (f x)⟩
theorem pi_congr {α : Sort u} {β β' : α → Sort v} (h : ∀ a, β a = β' a) : (∀ a, β a) = ∀ a, β' a := (funext h : β = β') ▸ rfl
theorem forall_prop_domain_congr {p₁ p₂ : Prop} {q : p₁ → Prop} (h : p₁ = p₂) : ((a : p₁) → q a) = ((a : p₂) → q (Eq.substr (p := fun x => x) h a)) := by
  subst h
  rfl
theorem forall_prop_congr_dom {p₁ p₂ : Prop} (h : p₁ = p₂) (q : p₁ → Prop) : ((a : p₁) → q a) = ((a : p₂) → q (Eq.substr (p := fun x => x) h a)) := by
  subst h
  rfl
theorem let_congr {α : Sort u} {β : Sort v} {a a' : α} {b b' : α → β} (h₁ : a = a') (h₂ : ∀ x, b x = b' x) : (let x := a; b x) = (let x := a'; b' x) :=
  (h₁ ▸ h₂ a : b a = b' a')
theorem let_val_congr {α : Sort u} {β : Sort v} {a a' : α} (b : α → β) (h : a = a') : (let x := a; b x) = (let x := a'; b x) := congrArg b h
theorem let_body_congr {α : Sort u} {β : α → Sort v} {b b' : (a : α) → β a} (a : α) (h : ∀ x, b x = b' x) : (let x := a; b x) = (let x := a; b' x) := h a
theorem ite_cond_eq_true {α : Sort u} {c : Prop} {x : Decidable c} (a b : α) (h : c = True) : (if c then a else b) = a :=
  match x with
  | isTrue _ => rfl
  | isFalse n => absurd (of_eq_true h) n
theorem ite_cond_eq_false {α : Sort u} {c : Prop} {x : Decidable c} (a b : α) (h : c = False) : (if c then a else b) = b :=
  match x with
  | isTrue p => absurd p (of_eq_false h)
  | isFalse _ => rfl
theorem dite_cond_eq_true {α : Sort u} {c : Prop} {x : Decidable c} {t : c → α} {e : ¬c → α} (h : c = True) : dite c t e = t (of_eq_true h) :=
  match x with
  | isTrue _ => rfl
  | isFalse n => absurd (of_eq_true h) n
theorem dite_cond_eq_false {α : Sort u} {c : Prop} {x : Decidable c} {t : c → α} {e : ¬c → α} (h : c = False) : dite c t e = e (of_eq_false h) :=
  match x with
  | isTrue p => absurd p (of_eq_false h)
  | isFalse _ => rfl
theorem if_pos {α : Sort u} {c : Prop} {h : Decidable c} (hc : c) {t e : α} : ite c t e = t := ite_cond_eq_true t e (eq_true hc)
theorem if_neg {α : Sort u} {c : Prop} {h : Decidable c} (hc : ¬c) {t e : α} : ite c t e = e := ite_cond_eq_false t e (eq_false hc)
theorem dif_pos {α : Sort u} {c : Prop} {h : Decidable c} (hc : c) {t : c → α} {e : ¬c → α} : dite c t e = t hc := dite_cond_eq_true (eq_true hc)
theorem dif_neg {α : Sort u} {c : Prop} {h : Decidable c} (hc : ¬c) {t : c → α} {e : ¬c → α} : dite c t e = e hc := dite_cond_eq_false (eq_false hc)
theorem ite_eq_left {α : Sort u} {c : Prop} [Decidable c] {t e : α} (hc : c) : ite c t e = t := if_pos hc
theorem ite_eq_right {α : Sort u} {c : Prop} [Decidable c] {t e : α} (hc : ¬c) : ite c t e = e := if_neg hc
theorem dite_eq_left {α : Sort u} {c : Prop} [Decidable c] {t : c → α} {e : ¬c → α} (hc : c) : dite c t e = t hc := dif_pos hc
theorem dite_eq_right {α : Sort u} {c : Prop} [Decidable c] {t : c → α} {e : ¬c → α} (hc : ¬c) : dite c t e = e hc := dif_neg hc
@[congr] theorem ite_congr {α : Sort u} {b c : Prop} {x y u v : α} {s : Decidable b} [Decidable c] (h₁ : b = c) (h₂ : c → x = u) (h₃ : ¬c → y = v) :
    ite b x y = ite c u v := by
  subst h₁
  cases s with
  | isTrue h => exact (if_pos h).trans ((h₂ h).trans (if_pos h).symm)
  | isFalse h => exact (if_neg h).trans ((h₃ h).trans (if_neg h).symm)
theorem beq_self_eq_true' {α : Type u} [DecidableEq α] (a : α) : (a == a) = true := of_decide_eq_self_eq_true a
theorem Bool.eq_false_of_not_eq_true {b : Bool} (h : ¬(b = true)) : b = false := eq_false_of_ne_true h
@[simp] theorem decide_eq_true_eq {p : Prop} [Decidable p] : (decide p = true) = p := propext ⟨of_decide_eq_true, decide_eq_true⟩
@[simp] theorem decide_eq_false_iff_not {p : Prop} [Decidable p] : (decide p = false) ↔ ¬p := ⟨of_decide_eq_false, decide_eq_false⟩
theorem Decidable.em (p : Prop) [d : Decidable p] : p ∨ ¬p :=
  match d with
  | isTrue h => Or.inl h
  | isFalse h => Or.inr h
theorem Decidable.byContradiction {p : Prop} [Decidable p] (h : ¬p → False) : p := (Decidable.em p).elim (fun hp => hp) (fun n => (h n).elim)
def Decidable.byCases {p : Prop} {q : Sort u} [d : Decidable p] (h₁ : p → q) (h₂ : ¬p → q) : q := dite p h₁ h₂
theorem Decidable.of_not_not {p : Prop} [Decidable p] (h : ¬¬p) : p := Decidable.byContradiction h

/-! ## Injectivity of the constructors declared before these facts existed -/
gen_injective_theorems% Prod
gen_injective_theorems% PProd
gen_injective_theorems% MProd
gen_injective_theorems% Subtype
gen_injective_theorems% Option
gen_injective_theorems% List
gen_injective_theorems% Nat

/-! Function extensionality from quotients, and excluded middle from choice (Diaconescu). -/
universe u v

theorem funext {α : Sort u} {β : α → Sort v} {f g : (x : α) → β x} (h : ∀ x, f x = g x) : f = g :=
  @congrArg (Quot (fun (f g : (x : α) → β x) => ∀ x, f x = g x)) ((x : α) → β x)
    (Quot.mk (fun (f g : (x : α) → β x) => ∀ x, f x = g x) f)
    (Quot.mk (fun (f g : (x : α) → β x) => ∀ x, f x = g x) g)
    (fun q x => @Quot.lift ((x : α) → β x) (fun (f g : (x : α) → β x) => ∀ x, f x = g x) (β x)
      (fun k => k x) (fun a b h => h x) q)
    (Quot.sound h)

theorem Classical.subtype_of_exists {α : Sort u} {p : α → Prop} (h : ∃ x, p x) : Nonempty (Subtype p) :=
  Exists.elim h (fun w hw => Nonempty.intro (Subtype.mk w hw))
def Subtype.val {α : Sort u} {p : α → Prop} (s : Subtype p) : α := @Subtype.rec α p (fun _ => α) (fun v _ => v) s
theorem Subtype.property {α : Sort u} {p : α → Prop} (s : Subtype p) : p s.val :=
  @Subtype.rec α p (fun s => p s.val) (fun _ h => h) s
def Classical.choose {α : Sort u} {p : α → Prop} (h : ∃ x, p x) : α := (Classical.choice (Classical.subtype_of_exists h)).val
theorem Classical.choose_spec {α : Sort u} {p : α → Prop} (h : ∃ x, p x) : p (Classical.choose h) :=
  (Classical.choice (Classical.subtype_of_exists h)).property

theorem true_ne_false : ¬(True = False) := fun h => Eq.mp h trivial

theorem Classical.choose_of_eq (p : Prop) (U V : Prop → Prop) (h : U = V) :
    ∀ (a : ∃ x, U x) (b : ∃ x, V x), Classical.choose a = Classical.choose b :=
  @Eq.rec (Prop → Prop) U (fun W _ => ∀ (a : ∃ x, U x) (b : ∃ x, W x), Classical.choose a = Classical.choose b)
    (fun _ _ => rfl) V h

theorem Classical.em (p : Prop) : p ∨ ¬p :=
  have exU : ∃ x, (fun (x : Prop) => x = True ∨ p) x := ⟨True, Or.inl rfl⟩
  have exV : ∃ x, (fun (x : Prop) => x = False ∨ p) x := ⟨False, Or.inl rfl⟩
  have u_def : Classical.choose exU = True ∨ p := Classical.choose_spec exU
  have v_def : Classical.choose exV = False ∨ p := Classical.choose_spec exV
  have not_uv_or_p : Classical.choose exU ≠ Classical.choose exV ∨ p :=
    Or.elim u_def
      (fun hu => Or.elim v_def
        (fun hv => Or.inl (fun huv => true_ne_false (Eq.trans (Eq.symm hu) (Eq.trans huv hv))))
        Or.inr)
      Or.inr
  have p_implies_uv : p → Classical.choose exU = Classical.choose exV := fun hp =>
    Classical.choose_of_eq p (fun (x : Prop) => x = True ∨ p) (fun (x : Prop) => x = False ∨ p)
      (funext (fun x => propext (Iff.intro (fun _ => Or.inr hp) (fun _ => Or.inr hp)))) exU exV
  Or.elim not_uv_or_p (fun hne => Or.inr (mt p_implies_uv hne)) Or.inl

theorem Classical.byContradiction {p : Prop} (h : ¬p → False) : p := Or.elim (Classical.em p) (fun hp => hp) (fun hn => False.elim (h hn))
theorem Classical.byCases {p q : Prop} (hpq : p → q) (hnpq : ¬p → q) : q := Or.elim (Classical.em p) hpq hnpq
theorem by_contradiction {p : Prop} (h : ¬p → False) : p := Classical.byContradiction h
theorem Classical.not_not {a : Prop} : ¬¬a ↔ a := ⟨Classical.byContradiction, not_not_intro⟩
@[simp] theorem not_not {a : Prop} : ¬¬a ↔ a := Classical.not_not
theorem of_not_not {a : Prop} : ¬¬a → a := Classical.byContradiction
theorem em (p : Prop) : p ∨ ¬p := Classical.em p
theorem Classical.not_forall {α : Sort u} {p : α → Prop} : (¬∀ x, p x) ↔ ∃ x, ¬p x :=
  ⟨fun h => Classical.byContradiction (fun hn => h (fun x => Classical.byContradiction (fun hx => hn ⟨x, hx⟩))), not_forall_of_exists_not⟩
@[simp] theorem not_forall {α : Sort u} {p : α → Prop} : (¬∀ x, p x) ↔ ∃ x, ¬p x := Classical.not_forall
theorem Classical.not_imp {a b : Prop} : ¬(a → b) ↔ a ∧ ¬b :=
  ⟨fun h => ⟨Classical.byContradiction (fun na => h (fun ha => absurd ha na)), fun hb => h (fun _ => hb)⟩, fun h f => h.2 (f h.1)⟩
@[simp] theorem not_imp {a b : Prop} : ¬(a → b) ↔ a ∧ ¬b := Classical.not_imp
theorem Classical.not_and_iff_or_not_not {a b : Prop} : ¬(a ∧ b) ↔ ¬a ∨ ¬b :=
  ⟨fun h => Or.elim (Classical.em a) (fun ha => Or.inr (fun hb => h ⟨ha, hb⟩)) Or.inl, fun h p => Or.elim h (fun na => na p.1) (fun nb => nb p.2)⟩
theorem not_and_or {a b : Prop} : ¬(a ∧ b) ↔ ¬a ∨ ¬b := Classical.not_and_iff_or_not_not
theorem Decidable.em (p : Prop) : p ∨ ¬p := Classical.em p
theorem Classical.or_iff_not_imp_left {a b : Prop} : a ∨ b ↔ (¬a → b) := ⟨Or.resolve_left, fun h => Or.elim (Classical.em a) Or.inl (fun na => Or.inr (h na))⟩
theorem or_iff_not_imp_left {a b : Prop} : a ∨ b ↔ (¬a → b) := Classical.or_iff_not_imp_left
theorem or_iff_not_imp_right {a b : Prop} : a ∨ b ↔ (¬b → a) := ⟨Or.resolve_right, fun h => Or.elim (Classical.em b) Or.inr (fun nb => Or.inl (h nb))⟩
theorem imp_iff_not_or {a b : Prop} : (a → b) ↔ ¬a ∨ b := ⟨fun h => Or.elim (Classical.em a) (fun ha => Or.inr (h ha)) Or.inl, fun h ha => h.neg_resolve_left ha⟩
theorem imp_iff_or_not {b a : Prop} : (b → a) ↔ a ∨ ¬b := ⟨fun h => Or.elim (Classical.em b) (fun hb => Or.inl (h hb)) Or.inr, fun h hb => h.neg_resolve_right hb⟩
theorem not_imp_not {a b : Prop} : (¬a → ¬b) ↔ (b → a) := ⟨fun h hb => Classical.byContradiction (fun na => h na hb), fun h na hb => na (h hb)⟩
theorem not_imp_comm {a b : Prop} : (¬a → b) ↔ (¬b → a) := ⟨fun h nb => Classical.byContradiction (fun na => nb (h na)), fun h na => Classical.byContradiction (fun nb => na (h nb))⟩
theorem by_cases_em {p q : Prop} (h₁ : p → q) (h₂ : ¬p → q) : q := Classical.byCases h₁ h₂
theorem Classical.not_exists_not {α : Sort u} {p : α → Prop} : (¬∃ x, ¬p x) ↔ ∀ x, p x := ⟨fun h x => Classical.byContradiction (fun hx => h ⟨x, hx⟩), fun h e => Exists.elim e (fun x hx => hx (h x))⟩
theorem not_exists_not {α : Sort u} {p : α → Prop} : (¬∃ x, ¬p x) ↔ ∀ x, p x := Classical.not_exists_not
theorem not_forall_not {α : Sort u} {p : α → Prop} : (¬∀ x, ¬p x) ↔ ∃ x, p x := ⟨fun h => Classical.byContradiction (fun hn => h (fun x hx => hn ⟨x, hx⟩)), fun h f => Exists.elim h f⟩
theorem peirce {a b : Prop} : ((a → b) → a) → a := fun h => Classical.byContradiction (fun na => na (h (fun ha => absurd ha na)))

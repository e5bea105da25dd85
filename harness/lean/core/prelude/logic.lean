/-! Propositional logic, quantifiers, equality. Names, argument order and implicitness are those of Lean 4. -/
universe u v w

axiom sorryAx (α : Sort u) (synthetic : Bool) : α
axiom propext {a b : Prop} : (a ↔ b) → a = b
axiom Classical.choice {α : Sort u} : Nonempty α → α
axiom Quot.sound {α : Sort u} {r : α → α → Prop} {a b : α} : r a b → Quot.mk r a = Quot.mk r b

def Not (a : Prop) : Prop := a → False
abbrev Ne {α : Sort u} (a b : α) : Prop := Not (a = b)
def id {α : Sort u} (a : α) : α := a
def Function.comp {α : Sort u} {β : Sort v} {δ : Sort w} (f : β → δ) (g : α → β) : α → δ := fun x => f (g x)

theorem trivial : True := True.intro
def False.elim {C : Sort u} (h : False) : C := @False.rec (fun _ => C) h
def absurd {a : Prop} {b : Sort v} (h₁ : a) (h₂ : ¬a) : b := False.elim (h₂ h₁)
theorem Not.elim {a : Prop} {b : Prop} (h₁ : ¬a) (h₂ : a) : b := False.elim (h₁ h₂)
theorem mt {a b : Prop} (h₁ : a → b) (h₂ : ¬b) : ¬a := fun ha => h₂ (h₁ ha)
theorem not_false : ¬False := fun h => h
@[simp] theorem not_false_eq_true : (¬False) = True := propext (Iff.intro (fun _ => True.intro) (fun _ h => h))
theorem not_not_intro {p : Prop} (h : p) : ¬¬p := fun hn => hn h
theorem Not.imp {a b : Prop} (h₂ : ¬b) (h₁ : a → b) : ¬a := fun ha => h₂ (h₁ ha)

-- equality
theorem rfl {α : Sort u} {a : α} : a = a := Eq.refl a
theorem Eq.subst {α : Sort u} {motive : α → Prop} {a b : α} (h₁ : a = b) (h₂ : motive a) : motive b :=
  @Eq.rec α a (fun x _ => motive x) h₂ b h₁
theorem Eq.symm {α : Sort u} {a b : α} (h : a = b) : b = a := @Eq.rec α a (fun x _ => x = a) (Eq.refl a) b h
theorem Eq.trans {α : Sort u} {a b c : α} (h₁ : a = b) (h₂ : b = c) : a = c := @Eq.rec α b (fun x _ => a = x) h₁ c h₂
def Eq.mp {α β : Sort u} (h : α = β) (a : α) : β := @Eq.rec (Sort u) α (fun x _ => x) a β h
def Eq.mpr {α β : Sort u} (h : α = β) (b : β) : α := Eq.mp (Eq.symm h) b
def cast {α β : Sort u} (h : α = β) (a : α) : β := Eq.mp h a
theorem congrArg {α : Sort u} {β : Sort v} {a₁ a₂ : α} (f : α → β) (h : a₁ = a₂) : f a₁ = f a₂ :=
  @Eq.rec α a₁ (fun x _ => f a₁ = f x) (Eq.refl (f a₁)) a₂ h
theorem congrFun {α : Sort u} {β : α → Sort v} {f g : (x : α) → β x} (h : f = g) (a : α) : f a = g a :=
  @Eq.rec ((x : α) → β x) f (fun k _ => f a = k a) (Eq.refl (f a)) g h
theorem congr {α : Sort u} {β : Sort v} {f₁ f₂ : α → β} {a₁ a₂ : α} (h₁ : f₁ = f₂) (h₂ : a₁ = a₂) : f₁ a₁ = f₂ a₂ :=
  Eq.trans (congrArg f₁ h₂) (congrFun h₁ a₂)
@[simp] theorem eq_self {α : Sort u} (a : α) : (a = a) = True := propext (Iff.intro (fun _ => True.intro) (fun _ => rfl))
theorem eq_comm {α : Sort u} {a b : α} : a = b ↔ b = a := Iff.intro Eq.symm Eq.symm
theorem Ne.symm {α : Sort u} {a b : α} (h : a ≠ b) : b ≠ a := fun h' => h (Eq.symm h')
theorem ne_comm {α : Sort u} {a b : α} : a ≠ b ↔ b ≠ a := Iff.intro Ne.symm Ne.symm
theorem Ne.elim {α : Sort u} {a b : α} (h : a ≠ b) : a = b → False := h
theorem Ne.irrefl {α : Sort u} {a : α} (h : a ≠ a) : False := h rfl
theorem Ne.intro {α : Sort u} {a b : α} (h : a = b → False) : a ≠ b := h
theorem ne_of_eq_of_ne {α : Sort u} {a b c : α} (h₁ : a = b) (h₂ : b ≠ c) : a ≠ c := fun h => h₂ (Eq.trans (Eq.symm h₁) h)
theorem ne_of_ne_of_eq {α : Sort u} {a b c : α} (h₁ : a ≠ b) (h₂ : b = c) : a ≠ c := fun h => h₁ (Eq.trans h (Eq.symm h₂))
@[simp] theorem ne_eq {α : Sort u} (a b : α) : (a ≠ b) = ¬(a = b) := rfl

-- and, or, iff
theorem And.left {a b : Prop} (h : a ∧ b) : a := @And.rec a b (fun _ => a) (fun ha _ => ha) h
theorem And.right {a b : Prop} (h : a ∧ b) : b := @And.rec a b (fun _ => b) (fun _ hb => hb) h
def And.elim {a b : Prop} {α : Sort u} (f : a → b → α) (h : a ∧ b) : α := f (And.left h) (And.right h)
theorem Or.elim {a b c : Prop} (h : a ∨ b) (left : a → c) (right : b → c) : c := @Or.rec a b (fun _ => c) left right h
theorem Iff.mp {a b : Prop} (h : a ↔ b) : a → b := @Iff.rec a b (fun _ => a → b) (fun f _ => f) h
theorem Iff.mpr {a b : Prop} (h : a ↔ b) : b → a := @Iff.rec a b (fun _ => b → a) (fun _ g => g) h
theorem Exists.elim {α : Sort u} {p : α → Prop} {b : Prop} (h₁ : ∃ x, p x) (h₂ : ∀ (a : α), p a → b) : b :=
  @Exists.rec α p (fun _ => b) h₂ h₁
theorem Nonempty.elim {α : Sort u} {p : Prop} (h₁ : Nonempty α) (h₂ : α → p) : p := @Nonempty.rec α (fun _ => p) h₂ h₁
theorem Iff.refl (a : Prop) : a ↔ a := ⟨fun h => h, fun h => h⟩
theorem Iff.rfl {a : Prop} : a ↔ a := Iff.refl a
theorem Iff.symm {a b : Prop} (h : a ↔ b) : b ↔ a := ⟨h.mpr, h.mp⟩
theorem Iff.trans {a b c : Prop} (h₁ : a ↔ b) (h₂ : b ↔ c) : a ↔ c := ⟨fun ha => h₂.mp (h₁.mp ha), fun hc => h₁.mpr (h₂.mpr hc)⟩
theorem Iff.comm {a b : Prop} : (a ↔ b) ↔ (b ↔ a) := ⟨Iff.symm, Iff.symm⟩
theorem iff_comm {a b : Prop} : (a ↔ b) ↔ (b ↔ a) := Iff.comm
theorem Iff.of_eq {a b : Prop} (h : a = b) : a ↔ b := h ▸ Iff.rfl
theorem iff_of_eq {a b : Prop} (h : a = b) : a ↔ b := h ▸ Iff.rfl
theorem Eq.to_iff {a b : Prop} (h : a = b) : a ↔ b := h ▸ Iff.rfl
theorem Iff.not {a b : Prop} (h : a ↔ b) : ¬a ↔ ¬b := ⟨fun ha hb => ha (h.mpr hb), fun hb ha => hb (h.mp ha)⟩
theorem not_congr {a b : Prop} (h : a ↔ b) : ¬a ↔ ¬b := Iff.not h
theorem iff_of_true {a b : Prop} (ha : a) (hb : b) : a ↔ b := ⟨fun _ => hb, fun _ => ha⟩
theorem iff_of_false {a b : Prop} (ha : ¬a) (hb : ¬b) : a ↔ b := ⟨fun h => absurd h ha, fun h => absurd h hb⟩
theorem And.symm {a b : Prop} (h : a ∧ b) : b ∧ a := ⟨h.right, h.left⟩
theorem And.comm {a b : Prop} : a ∧ b ↔ b ∧ a := ⟨And.symm, And.symm⟩
theorem and_comm {a b : Prop} : a ∧ b ↔ b ∧ a := And.comm
theorem And.imp {a b c d : Prop} (f : a → c) (g : b → d) (h : a ∧ b) : c ∧ d := ⟨f h.left, g h.right⟩
theorem And.imp_left {a b c : Prop} (h : a → b) : a ∧ c → b ∧ c := fun p => ⟨h p.1, p.2⟩
theorem And.imp_right {a b c : Prop} (h : a → b) : c ∧ a → c ∧ b := fun p => ⟨p.1, h p.2⟩
theorem and_assoc {a b c : Prop} : (a ∧ b) ∧ c ↔ a ∧ (b ∧ c) :=
  ⟨fun h => ⟨h.1.1, h.1.2, h.2⟩, fun h => ⟨⟨h.1, h.2.1⟩, h.2.2⟩⟩
theorem and_left_comm {a b c : Prop} : a ∧ (b ∧ c) ↔ b ∧ (a ∧ c) :=
  ⟨fun h => ⟨h.2.1, h.1, h.2.2⟩, fun h => ⟨h.2.1, h.1, h.2.2⟩⟩
@[simp] theorem and_imp {a b c : Prop} : (a ∧ b → c) ↔ (a → b → c) := ⟨fun h ha hb => h ⟨ha, hb⟩, fun h p => h p.1 p.2⟩
theorem Or.symm {a b : Prop} (h : a ∨ b) : b ∨ a := Or.elim h Or.inr Or.inl
theorem Or.comm {a b : Prop} : a ∨ b ↔ b ∨ a := ⟨Or.symm, Or.symm⟩
theorem or_comm {a b : Prop} : a ∨ b ↔ b ∨ a := Or.comm
theorem Or.imp {a b c d : Prop} (f : a → c) (g : b → d) (h : a ∨ b) : c ∨ d :=
  Or.elim h (fun x => Or.inl (f x)) (fun x => Or.inr (g x))
theorem Or.imp_left {a b c : Prop} (f : a → b) (h : a ∨ c) : b ∨ c := Or.imp f (fun x => x) h
theorem Or.imp_right {a b c : Prop} (f : b → c) (h : a ∨ b) : a ∨ c := Or.imp (fun x => x) f h
theorem or_assoc {a b c : Prop} : (a ∨ b) ∨ c ↔ a ∨ (b ∨ c) :=
  ⟨fun h => Or.elim h (fun h => Or.imp_right Or.inl h) (fun h => Or.inr (Or.inr h)),
   fun h => Or.elim h (fun h => Or.inl (Or.inl h)) (fun h => Or.imp_left Or.inr h)⟩
theorem Or.resolve_left {a b : Prop} (h : a ∨ b) (na : ¬a) : b := Or.elim h (fun ha => absurd ha na) (fun hb => hb)
theorem Or.resolve_right {a b : Prop} (h : a ∨ b) (nb : ¬b) : a := Or.elim h (fun ha => ha) (fun hb => absurd hb nb)
theorem Or.neg_resolve_left {a b : Prop} (h : ¬a ∨ b) (ha : a) : b := Or.elim h (fun na => absurd ha na) (fun hb => hb)
theorem Or.neg_resolve_right {a b : Prop} (h : a ∨ ¬b) (hb : b) : a := Or.elim h (fun ha => ha) (fun nb => absurd hb nb)
theorem or_imp {a b c : Prop} : (a ∨ b → c) ↔ (a → c) ∧ (b → c) :=
  ⟨fun h => ⟨fun x => h (Or.inl x), fun x => h (Or.inr x)⟩, fun h x => Or.elim x h.1 h.2⟩
theorem and_or_left {a b c : Prop} : a ∧ (b ∨ c) ↔ (a ∧ b) ∨ (a ∧ c) :=
  ⟨fun h => Or.imp (fun x => ⟨h.1, x⟩) (fun x => ⟨h.1, x⟩) h.2,
   fun h => Or.elim h (fun x => ⟨x.1, Or.inl x.2⟩) (fun x => ⟨x.1, Or.inr x.2⟩)⟩
theorem or_and_right {a b c : Prop} : (a ∨ b) ∧ c ↔ (a ∧ c) ∨ (b ∧ c) :=
  ⟨fun h => Or.imp (fun x => ⟨x, h.2⟩) (fun x => ⟨x, h.2⟩) h.1,
   fun h => Or.elim h (fun x => ⟨Or.inl x.1, x.2⟩) (fun x => ⟨Or.inr x.1, x.2⟩)⟩
theorem or_and_left {a b c : Prop} : a ∨ (b ∧ c) ↔ (a ∨ b) ∧ (a ∨ c) :=
  ⟨fun h => Or.elim h (fun x => ⟨Or.inl x, Or.inl x⟩) (fun x => ⟨Or.inr x.1, Or.inr x.2⟩),
   fun h => Or.elim h.1 Or.inl (fun hb => Or.imp_right (fun hc => ⟨hb, hc⟩) h.2)⟩
theorem and_or_right {a b c : Prop} : (a ∧ b) ∨ c ↔ (a ∨ c) ∧ (b ∨ c) :=
  ⟨fun h => Or.elim h (fun x => ⟨Or.inl x.1, Or.inl x.2⟩) (fun x => ⟨Or.inr x, Or.inr x⟩),
   fun h => Or.elim h.1 (fun ha => Or.imp_left (fun hb => ⟨ha, hb⟩) h.2) Or.inr⟩
@[simp] theorem not_or {p q : Prop} : ¬(p ∨ q) ↔ ¬p ∧ ¬q :=
  ⟨fun h => ⟨fun x => h (Or.inl x), fun x => h (Or.inr x)⟩, fun h x => Or.elim x h.1 h.2⟩
@[simp] theorem not_and {a b : Prop} : ¬(a ∧ b) ↔ (a → ¬b) := ⟨fun h ha hb => h ⟨ha, hb⟩, fun h p => h p.1 p.2⟩
theorem not_and' {a b : Prop} : ¬(a ∧ b) ↔ (b → ¬a) := ⟨fun h hb ha => h ⟨ha, hb⟩, fun h p => h p.2 p.1⟩
theorem not_and_self {a : Prop} : ¬(¬a ∧ a) := fun h => h.1 h.2
theorem and_not_self {a : Prop} : ¬(a ∧ ¬a) := fun h => h.2 h.1
@[simp] theorem not_exists {α : Sort u} {p : α → Prop} : (¬∃ x, p x) ↔ ∀ x, ¬p x := ⟨fun h x hx => h ⟨x, hx⟩, fun h e => Exists.elim e h⟩
theorem not_forall_of_exists_not {α : Sort u} {p : α → Prop} (h : ∃ x, ¬p x) : ¬∀ x, p x := fun f => Exists.elim h (fun x hx => hx (f x))
theorem imp_false {a : Prop} : (a → False) ↔ ¬a := Iff.rfl
theorem not_imp_not_of_imp {a b : Prop} (h : a → b) : ¬b → ¬a := mt h
theorem imp_not_comm {a b : Prop} : (a → ¬b) ↔ (b → ¬a) := ⟨fun h hb ha => h ha hb, fun h ha hb => h hb ha⟩
theorem not_iff_self {a : Prop} : ¬(¬a ↔ a) := fun h => (fun hn => hn (h.mp hn)) (fun ha => h.mpr ha ha)
theorem Function.mt {a b : Prop} (h₁ : a → b) (h₂ : ¬b) : ¬a := fun ha => h₂ (h₁ ha)
theorem imp_intro {a b : Prop} (h : a) : b → a := fun _ => h
theorem exists_or {α : Sort u} {p q : α → Prop} : (∃ x, p x ∨ q x) ↔ (∃ x, p x) ∨ ∃ x, q x :=
  ⟨fun h => Exists.elim h (fun x hx => Or.imp (fun a => ⟨x, a⟩) (fun b => ⟨x, b⟩) hx),
   fun h => Or.elim h (fun a => Exists.elim a (fun x hx => ⟨x, Or.inl hx⟩)) (fun a => Exists.elim a (fun x hx => ⟨x, Or.inr hx⟩))⟩
theorem forall_and {α : Sort u} {p q : α → Prop} : (∀ x, p x ∧ q x) ↔ (∀ x, p x) ∧ (∀ x, q x) :=
  ⟨fun h => ⟨fun x => (h x).1, fun x => (h x).2⟩, fun h x => ⟨h.1 x, h.2 x⟩⟩
theorem exists_imp {α : Sort u} {p : α → Prop} {b : Prop} : ((∃ x, p x) → b) ↔ ∀ x, p x → b := ⟨fun h x hx => h ⟨x, hx⟩, fun h e => Exists.elim e h⟩
theorem Exists.imp {α : Sort u} {p q : α → Prop} (h : ∀ a, p a → q a) : (∃ a, p a) → ∃ a, q a := fun e => Exists.elim e (fun x hx => ⟨x, h x hx⟩)
@[simp] theorem exists_eq {α : Sort u} {a' : α} : ∃ a, a = a' := ⟨a', rfl⟩
theorem exists_comm {α : Sort u} {β : Sort v} {p : α → β → Prop} : (∃ a, ∃ b, p a b) ↔ ∃ b, ∃ a, p a b :=
  ⟨fun h => Exists.elim h (fun a h => Exists.elim h (fun b h => ⟨b, a, h⟩)),
   fun h => Exists.elim h (fun b h => Exists.elim h (fun a h => ⟨a, b, h⟩))⟩
theorem forall_comm {α : Sort u} {β : Sort v} {p : α → β → Prop} : (∀ a, ∀ b, p a b) ↔ ∀ b, ∀ a, p a b := ⟨fun h b a => h a b, fun h a b => h b a⟩

-- propositions as equations, for simp
theorem eq_true {p : Prop} (h : p) : p = True := propext (Iff.intro (fun _ => True.intro) (fun _ => h))
theorem eq_false {p : Prop} (h : ¬p) : p = False := propext (Iff.intro (fun x => h x) (fun x => False.elim x))
theorem of_eq_true {p : Prop} (h : p = True) : p := Eq.mpr h True.intro
theorem of_eq_false {p : Prop} (h : p = False) : ¬p := fun hp => Eq.mp h hp
@[simp] theorem iff_self (p : Prop) : (p ↔ p) = True := eq_true (Iff.refl p)
@[simp] theorem and_true (p : Prop) : (p ∧ True) = p := propext ⟨fun h => h.1, fun h => ⟨h, trivial⟩⟩
@[simp] theorem true_and (p : Prop) : (True ∧ p) = p := propext ⟨fun h => h.2, fun h => ⟨trivial, h⟩⟩
@[simp] theorem and_false (p : Prop) : (p ∧ False) = False := eq_false (fun h => h.2)
@[simp] theorem false_and (p : Prop) : (False ∧ p) = False := eq_false (fun h => h.1)
@[simp] theorem and_self (p : Prop) : (p ∧ p) = p := propext ⟨fun h => h.1, fun h => ⟨h, h⟩⟩
@[simp] theorem or_self (p : Prop) : (p ∨ p) = p := propext ⟨fun h => Or.elim h (fun x => x) (fun x => x), Or.inl⟩
@[simp] theorem or_true (p : Prop) : (p ∨ True) = True := eq_true (Or.inr trivial)
@[simp] theorem true_or (p : Prop) : (True ∨ p) = True := eq_true (Or.inl trivial)
@[simp] theorem or_false (p : Prop) : (p ∨ False) = p := propext ⟨fun h => Or.elim h (fun x => x) False.elim, Or.inl⟩
@[simp] theorem false_or (p : Prop) : (False ∨ p) = p := propext ⟨fun h => Or.elim h False.elim (fun x => x), Or.inr⟩
@[simp] theorem iff_true (p : Prop) : (p ↔ True) = p := propext ⟨fun h => h.mpr trivial, fun h => ⟨fun _ => trivial, fun _ => h⟩⟩
@[simp] theorem true_iff (p : Prop) : (True ↔ p) = p := propext ⟨fun h => h.mp trivial, fun h => ⟨fun _ => h, fun _ => trivial⟩⟩
@[simp] theorem iff_false (p : Prop) : (p ↔ False) = ¬p := propext ⟨fun h => h.mp, fun h => ⟨h, False.elim⟩⟩
@[simp] theorem false_iff (p : Prop) : (False ↔ p) = ¬p := propext ⟨fun h => h.mpr, fun h => ⟨False.elim, h⟩⟩
@[simp] theorem imp_self (p : Prop) : (p → p) = True := eq_true (fun h => h)
@[simp] theorem implies_true (α : Sort u) : (α → True) = True := eq_true (fun _ => trivial)
@[simp] theorem true_imp (p : Prop) : (True → p) = p := propext ⟨fun h => h trivial, fun h _ => h⟩
@[simp] theorem false_imp (p : Prop) : (False → p) = True := eq_true False.elim
@[simp] theorem imp_false_eq (p : Prop) : (p → False) = ¬p := rfl
@[simp] theorem not_true_eq_false : (¬True) = False := eq_false (fun h => h trivial)
@[simp] theorem forall_const_true (α : Sort u) : (∀ (_ : α), True) = True := eq_true (fun _ => trivial)
@[simp] theorem exists_false {α : Sort u} : (∃ (_ : α), False) = False := eq_false (fun h => Exists.elim h (fun _ x => x))
@[simp] theorem and_not_self_eq (p : Prop) : (p ∧ ¬p) = False := eq_false and_not_self
@[simp] theorem not_and_self_eq (p : Prop) : (¬p ∧ p) = False := eq_false not_and_self
@[simp] theorem and_self_left {a b : Prop} : a ∧ a ∧ b ↔ a ∧ b := ⟨fun h => h.2, fun h => ⟨h.1, h⟩⟩
@[simp] theorem and_self_right {a b : Prop} : (a ∧ b) ∧ b ↔ a ∧ b := ⟨fun h => h.1, fun h => ⟨h, h.2⟩⟩
@[simp] theorem exists_eq_left {α : Sort u} {p : α → Prop} {a' : α} : (∃ a, a = a' ∧ p a) ↔ p a' :=
  ⟨fun h => Exists.elim h (fun x hx => hx.1 ▸ hx.2), fun h => ⟨a', rfl, h⟩⟩
@[simp] theorem exists_eq_right {α : Sort u} {p : α → Prop} {a' : α} : (∃ a, p a ∧ a = a') ↔ p a' :=
  ⟨fun h => Exists.elim h (fun x hx => hx.2 ▸ hx.1), fun h => ⟨a', h, rfl⟩⟩
@[simp] theorem exists_eq_left' {α : Sort u} {p : α → Prop} {a' : α} : (∃ a, a' = a ∧ p a) ↔ p a' :=
  ⟨fun h => Exists.elim h (fun x hx => hx.1 ▸ hx.2), fun h => ⟨a', rfl, h⟩⟩
@[simp] theorem forall_eq {α : Sort u} {p : α → Prop} {a' : α} : (∀ a, a = a' → p a) ↔ p a' := ⟨fun h => h a' rfl, fun h x e => e ▸ h⟩
@[simp] theorem forall_eq' {α : Sort u} {p : α → Prop} {a' : α} : (∀ a, a' = a → p a) ↔ p a' := ⟨fun h => h a' rfl, fun h x e => e ▸ h⟩
theorem exists_const_prop {a b : Prop} : (∃ (_ : a), b) ↔ a ∧ b := ⟨fun h => Exists.elim h (fun x y => ⟨x, y⟩), fun h => ⟨h.1, h.2⟩⟩
@[simp] theorem exists_prop {b a : Prop} : (∃ _h : a, b) ↔ a ∧ b := ⟨fun h => Exists.elim h (fun x y => ⟨x, y⟩), fun h => ⟨h.1, h.2⟩⟩

-- congruence of the connectives and quantifiers
theorem and_congr {a b c d : Prop} (h₁ : a ↔ c) (h₂ : b ↔ d) : a ∧ b ↔ c ∧ d := ⟨And.imp h₁.mp h₂.mp, And.imp h₁.mpr h₂.mpr⟩
theorem or_congr {a b c d : Prop} (h₁ : a ↔ c) (h₂ : b ↔ d) : a ∨ b ↔ c ∨ d := ⟨Or.imp h₁.mp h₂.mp, Or.imp h₁.mpr h₂.mpr⟩
theorem iff_congr {a b c d : Prop} (h₁ : a ↔ c) (h₂ : b ↔ d) : (a ↔ b) ↔ (c ↔ d) :=
  ⟨fun h => h₁.symm.trans (h.trans h₂), fun h => h₁.trans (h.trans h₂.symm)⟩
theorem imp_congr {a b c d : Prop} (h₁ : a ↔ c) (h₂ : b ↔ d) : (a → b) ↔ (c → d) := ⟨fun h x => h₂.mp (h (h₁.mpr x)), fun h x => h₂.mpr (h (h₁.mp x))⟩
theorem and_congr_right {a b c : Prop} (h : a → (b ↔ c)) : a ∧ b ↔ a ∧ c := ⟨fun p => ⟨p.1, (h p.1).mp p.2⟩, fun p => ⟨p.1, (h p.1).mpr p.2⟩⟩
theorem forall_congr {α : Sort u} {p q : α → Prop} (h : ∀ a, p a = q a) : (∀ a, p a) = ∀ a, q a :=
  propext ⟨fun f x => Eq.mp (h x) (f x), fun f x => Eq.mpr (h x) (f x)⟩
theorem forall_congr' {α : Sort u} {p q : α → Prop} (h : ∀ a, p a ↔ q a) : (∀ a, p a) ↔ ∀ a, q a :=
  ⟨fun f x => (h x).mp (f x), fun f x => (h x).mpr (f x)⟩
theorem exists_congr {α : Sort u} {p q : α → Prop} (h : ∀ a, p a ↔ q a) : (∃ a, p a) ↔ ∃ a, q a :=
  ⟨Exists.imp (fun a => (h a).mp), Exists.imp (fun a => (h a).mpr)⟩
theorem exists_congr_eq {α : Sort u} {p q : α → Prop} (h : ∀ a, p a = q a) : (∃ a, p a) = ∃ a, q a :=
  propext (exists_congr (fun a => iff_of_eq (h a)))
theorem implies_congr {p₁ p₂ : Prop} {q₁ q₂ : Prop} (h₁ : p₁ = p₂) (h₂ : q₁ = q₂) : (p₁ → q₁) = (p₂ → q₂) :=
  h₁ ▸ h₂ ▸ rfl

prelude
set_option linter.all false
set_option autoImplicit false
universe u v w

/-! Basic types and what the compiler, the elaborator and the kernel extensions look up by name.

No notation exists yet: the parsers that read it are registered further down, and registering them needs these
types. Bodies of what only compiled code runs are as short as the types allow. -/

/-! ## Names the compiler erases things to -/
unsafe axiom lcErased : Type
unsafe axiom lcAny : Type
unsafe axiom lcVoid : Type
unsafe axiom lcProof {p : Prop} : p
unsafe axiom lcUnreachable {α : Sort u} : α
unsafe axiom lcCast {α : Sort u} {β : Sort v} (a : α) : β

/-! ## Functions -/
@[inline] def id {α : Sort u} (a : α) : α := a
@[inline] def Function.comp {α : Sort u} {β : Sort v} {δ : Sort w} (f : β → δ) (g : α → β) : α → δ := fun x => f (g x)
@[inline] def Function.const {α : Sort u} (β : Sort v) (a : α) : β → α := fun _ => a
set_option checkBinderAnnotations false in
abbrev inferInstance {α : Sort u} [i : α] : α := i
set_option checkBinderAnnotations false in
abbrev «inferInstanceAs» (α : Sort u) [i : α] : α := i
@[reducible] def outParam (α : Sort u) : Sort u := α
@[reducible] def semiOutParam (α : Sort u) : Sort u := α
@[reducible] def optParam (α : Sort u) (default : α) : Sort u := α

/-! ## Units, truth, falsity -/
set_option bootstrap.inductiveCheckResultingUniverse false in
inductive PUnit : Sort u where
  | unit : PUnit
abbrev Unit : Type := PUnit
@[match_pattern] abbrev Unit.unit : Unit := PUnit.unit
inductive True : Prop where
  | intro : True
inductive False : Prop
inductive Empty : Type
set_option bootstrap.inductiveCheckResultingUniverse false in
inductive PEmpty : Sort u where
def Not (a : Prop) : Prop := a → False
@[macro_inline] def False.elim {C : Sort u} (h : False) : C := @False.rec (fun _ => C) h
@[macro_inline] def absurd {a : Prop} {b : Sort v} (h₁ : a) (h₂ : Not a) : b := False.elim (h₂ h₁)
theorem trivial : True := True.intro

/-! ## Equality -/
inductive Eq {α : Sort u} : α → α → Prop where
  | refl (a : α) : Eq a a
@[simp] abbrev Eq.ndrec.{r, s} {α : Sort s} {a : α} {motive : α → Sort r} (m : motive a) {b : α} (h : Eq a b) : motive b :=
  @Eq.rec α a (fun x _ => motive x) m b h
@[match_pattern] def rfl {α : Sort u} {a : α} : Eq a a := Eq.refl a
theorem Eq.subst {α : Sort u} {motive : α → Prop} {a b : α} (h₁ : Eq a b) (h₂ : motive a) : motive b := Eq.ndrec h₂ h₁
theorem Eq.symm {α : Sort u} {a b : α} (h : Eq a b) : Eq b a := Eq.ndrec (motive := fun x => Eq x a) rfl h
theorem Eq.trans {α : Sort u} {a b c : α} (h₁ : Eq a b) (h₂ : Eq b c) : Eq a c := Eq.ndrec (motive := fun x => Eq a x) h₁ h₂
@[macro_inline] def cast {α β : Sort u} (h : Eq α β) (a : α) : β := @Eq.rec (Sort u) α (fun x _ => x) a β h
@[macro_inline] def Eq.mp {α β : Sort u} (h : Eq α β) (a : α) : β := @Eq.rec (Sort u) α (fun x _ => x) a β h
@[macro_inline] def Eq.mpr {α β : Sort u} (h : Eq α β) (b : β) : α := Eq.mp (Eq.symm h) b
theorem Eq.substr {α : Sort u} {p : α → Prop} {a b : α} (h₁ : Eq b a) (h₂ : p a) : p b := Eq.subst (Eq.symm h₁) h₂
theorem congrArg {α : Sort u} {β : Sort v} {a₁ a₂ : α} (f : α → β) (h : Eq a₁ a₂) : Eq (f a₁) (f a₂) :=
  Eq.ndrec (motive := fun x => Eq (f a₁) (f x)) rfl h
theorem congrFun {α : Sort u} {β : α → Sort v} {f g : (x : α) → β x} (h : Eq f g) (a : α) : Eq (f a) (g a) :=
  @Eq.rec ((x : α) → β x) f (fun k _ => Eq (f a) (k a)) rfl g h
theorem congrFun' {α : Sort u} {β : Sort v} {f g : α → β} (h : Eq f g) (a : α) : Eq (f a) (g a) := congrFun h a
theorem congr {α : Sort u} {β : Sort v} {f₁ f₂ : α → β} {a₁ a₂ : α} (h₁ : Eq f₁ f₂) (h₂ : Eq a₁ a₂) : Eq (f₁ a₁) (f₂ a₂) :=
  Eq.trans (congrArg f₁ h₂) (congrFun h₁ a₂)
@[reducible] def Ne {α : Sort u} (a b : α) : Prop := Not (Eq a b)
theorem id_eq {α : Sort u} (a : α) : Eq (id a) a := rfl
theorem cast_eq {α : Sort u} (h : Eq α α) (a : α) : Eq (cast h a) a := rfl
inductive HEq : {α : Sort u} → α → {β : Sort u} → β → Prop where
  | refl {α : Sort u} (a : α) : HEq a a
@[match_pattern] protected def HEq.rfl {α : Sort u} {a : α} : HEq a a := HEq.refl a
theorem eq_of_heq {α : Sort u} {a b : α} (h : HEq a b) : Eq a b :=
  @HEq.rec α a (fun {β} b _ => (e : Eq α β) → Eq (cast e a) b) (fun _ => rfl) α b h rfl
theorem heq_of_eq {α : Sort u} {a b : α} (h : Eq a b) : HEq a b := Eq.ndrec (motive := fun x => HEq a x) (HEq.refl a) h
theorem HEq.subst {α β : Sort u} {p : (T : Sort u) → T → Prop} {a : α} {b : β} (h₁ : HEq a b) (h₂ : p α a) : p β b :=
  @HEq.rec α a (fun {T} t _ => p T t) h₂ β b h₁
theorem HEq.symm {α β : Sort u} {a : α} {b : β} (h : HEq a b) : HEq b a :=
  HEq.subst (p := fun T t => HEq t a) h (HEq.refl a)
theorem HEq.trans {α β φ : Sort u} {a : α} {b : β} {c : φ} (h₁ : HEq a b) (h₂ : HEq b c) : HEq a c :=
  HEq.subst (p := fun T t => HEq a t) h₂ h₁
theorem heq_of_heq_of_eq {α β : Sort u} {a : α} {b b' : β} (h₁ : HEq a b) (h₂ : Eq b b') : HEq a b' := HEq.trans h₁ (heq_of_eq h₂)
theorem heq_of_eq_of_heq {α β : Sort u} {a a' : α} {b : β} (h₁ : Eq a a') (h₂ : HEq a' b) : HEq a b := HEq.trans (heq_of_eq h₁) h₂
theorem type_eq_of_heq {α β : Sort u} {a : α} {b : β} (h : HEq a b) : Eq α β :=
  @HEq.rec α a (fun {T} _ _ => Eq α T) rfl β b h
theorem eqRec_heq {α : Sort u} {φ : α → Sort v} {a a' : α} : (h : Eq a a') → (p : φ a) → HEq (Eq.ndrec (motive := φ) p h) p :=
  fun h p => @Eq.rec α a (fun x e => HEq (Eq.ndrec (motive := φ) p e) p) (HEq.refl p) a' h
theorem heq_of_eqRec_eq {α β : Sort u} {a : α} {b : β} (h₁ : Eq α β) (h₂ : Eq (@Eq.rec (Sort u) α (fun x _ => x) a β h₁) b) : HEq a b :=
  @Eq.rec (Sort u) α (fun T e => (b : T) → Eq (@Eq.rec (Sort u) α (fun x _ => x) a T e) b → HEq a b) (fun _ h => heq_of_eq h) β h₁ b h₂
theorem cast_heq {α β : Sort u} (h : Eq α β) (a : α) : HEq (cast h a) a :=
  @Eq.rec (Sort u) α (fun T e => HEq (cast e a) a) (HEq.refl a) β h
set_option bootstrap.genMatcherCode false
set_option genCtorIdx false in
inductive Bool : Type where
  | false : Bool
  | true : Bool
export Bool (false true)
axiom sorryAx (α : Sort u) (synthetic : Bool) : α
init_quot
axiom Quot.sound : ∀ {α : Sort u} {r : α → α → Prop} {a b : α}, r a b → Eq (Quot.mk r a) (Quot.mk r b)
unsafe axiom Quot.lcInv {α : Sort u} {r : α → α → Prop} (q : Quot r) : α
protected abbrev Quot.liftOn {α : Sort u} {β : Sort v} {r : α → α → Prop} (q : Quot r) (f : α → β)
    (c : (a b : α) → r a b → Eq (f a) (f b)) : β := Quot.lift f c q

/-! ## Products, sums, connectives -/
structure Prod (α : Type u) (β : Type v) where
  fst : α
  snd : β
structure PProd (α : Sort u) (β : Sort v) where
  fst : α
  snd : β
structure MProd (α β : Type u) where
  fst : α
  snd : β
structure And (a b : Prop) : Prop where
  intro ::
  left : a
  right : b
inductive Or (a b : Prop) : Prop where
  | inl (h : a) : Or a b
  | inr (h : b) : Or a b
theorem Or.intro_left {a : Prop} (b : Prop) (h : a) : Or a b := Or.inl h
theorem Or.intro_right {b : Prop} (a : Prop) (h : b) : Or a b := Or.inr h
theorem Or.elim {a b c : Prop} (h : Or a b) (left : a → c) (right : b → c) : c := @Or.rec a b (fun _ => c) left right h
structure Iff (a b : Prop) : Prop where
  intro ::
  mp : a → b
  mpr : b → a
inductive Exists {α : Sort u} (p : α → Prop) : Prop where
  | intro (w : α) (h : p w) : Exists p
theorem Exists.elim {α : Sort u} {p : α → Prop} {b : Prop} (h₁ : Exists (fun x => p x)) (h₂ : ∀ (a : α), p a → b) : b :=
  @Exists.rec α p (fun _ => b) h₂ h₁
axiom propext {a b : Prop} : Iff a b → Eq a b
structure Subtype {α : Sort u} (p : α → Prop) where
  val : α
  property : p val
structure Sigma {α : Type u} (β : α → Type v) where
  fst : α
  snd : β fst
structure PSigma {α : Sort u} (β : α → Sort v) where
  fst : α
  snd : β fst
inductive Sum (α : Type u) (β : Type v) where
  | inl (val : α) : Sum α β
  | inr (val : β) : Sum α β
inductive PSum (α : Sort u) (β : Sort v) where
  | inl (val : α) : PSum α β
  | inr (val : β) : PSum α β
structure ULift.{r, s} (α : Type s) : Type (max s r) where
  up ::
  down : α
structure PLift (α : Sort u) : Type u where
  up ::
  down : α
set_option bootstrap.inductiveCheckResultingUniverse false in
structure PULift.{r, s} (α : Sort s) : Sort (max s r 1) where
  up ::
  down : α

/-! ## Booleans, decisions, choice -/
class Inhabited (α : Sort u) where
  default : α
export Inhabited (default)
class inductive Nonempty (α : Sort u) : Prop where
  | intro (val : α) : Nonempty α
axiom Classical.choice {α : Sort u} : Nonempty α → α
theorem Nonempty.elim {α : Sort u} {p : Prop} (h₁ : Nonempty α) (h₂ : α → p) : p := @Nonempty.rec α (fun _ => p) h₂ h₁
instance instNonemptyOfInhabited {α : Sort u} [Inhabited α] : Nonempty α := Nonempty.intro default
noncomputable def Classical.ofNonempty {α : Sort u} [h : Nonempty α] : α := Classical.choice h
instance : Inhabited Prop := ⟨True⟩
instance : Inhabited Bool := ⟨false⟩
instance {α : Sort u} {β : α → Sort v} [(a : α) → Inhabited (β a)] : Inhabited ((a : α) → β a) := ⟨fun _ => default⟩
@[macro_inline] def cond {α : Sort u} (c : Bool) (x y : α) : α :=
  match c with
  | true => x
  | false => y
@[macro_inline] def Bool.or (x y : Bool) : Bool :=
  match x with
  | true => true
  | false => y
@[macro_inline] def Bool.and (x y : Bool) : Bool :=
  match x with
  | true => y
  | false => false
@[inline] def Bool.not (x : Bool) : Bool :=
  match x with
  | true => false
  | false => true
export Bool (or and not)
theorem Bool.false_ne_true (h : Eq false true) : False :=
  @Eq.ndrec Bool false (fun b => @Bool.rec (fun _ => Prop) True False b) trivial true h
theorem ne_false_of_eq_true {b : Bool} (h : Eq b true) : Not (Eq b false) := fun e => Bool.false_ne_true (Eq.trans (Eq.symm e) h)
theorem ne_true_of_eq_false {b : Bool} (h : Eq b false) : Not (Eq b true) := fun e => Bool.false_ne_true (Eq.trans (Eq.symm h) e)
theorem eq_false_of_ne_true {b : Bool} : Not (Eq b true) → Eq b false :=
  @Bool.rec (fun b => Not (Eq b true) → Eq b false) (fun _ => rfl) (fun h => False.elim (h rfl)) b
theorem eq_true_of_ne_false {b : Bool} : Not (Eq b false) → Eq b true :=
  @Bool.rec (fun b => Not (Eq b false) → Eq b true) (fun h => False.elim (h rfl)) (fun _ => rfl) b
class inductive Decidable (p : Prop) where
  | isFalse (h : Not p) : Decidable p
  | isTrue (h : p) : Decidable p
@[inline_if_reduce] def Decidable.decide (p : Prop) [h : Decidable p] : Bool :=
  @Decidable.casesOn p (fun _ => Bool) h (fun _ => false) (fun _ => true)
export Decidable (isTrue isFalse decide)
abbrev DecidablePred {α : Sort u} (r : α → Prop) := (a : α) → Decidable (r a)
abbrev DecidableRel {α : Sort u} {β : Sort v} (r : α → β → Prop) := (a : α) → (b : β) → Decidable (r a b)
abbrev DecidableEq (α : Sort u) := (a b : α) → Decidable (Eq a b)
def decEq {α : Sort u} [inst : DecidableEq α] (a b : α) : Decidable (Eq a b) := inst a b
theorem decide_eq_true {p : Prop} [h : Decidable p] : p → Eq (decide p) true :=
  @Decidable.rec p (fun h => p → Eq (@decide p h) true) (fun h₁ h₂ => absurd h₂ h₁) (fun _ _ => rfl) h
theorem decide_eq_false {p : Prop} [h : Decidable p] : Not p → Eq (decide p) false :=
  @Decidable.rec p (fun h => Not p → Eq (@decide p h) false) (fun _ _ => rfl) (fun h₁ h₂ => absurd h₁ h₂) h
theorem of_decide_eq_true {p : Prop} [inst : Decidable p] : Eq (decide p) true → p :=
  @Decidable.rec p (fun h => Eq (@decide p h) true → p) (fun _ e => False.elim (Bool.false_ne_true e)) (fun h _ => h) inst
theorem of_decide_eq_false {p : Prop} [inst : Decidable p] : Eq (decide p) false → Not p :=
  @Decidable.rec p (fun h => Eq (@decide p h) false → Not p) (fun h _ => h) (fun _ e => False.elim (Bool.false_ne_true (Eq.symm e))) inst
theorem of_decide_eq_self_eq_true {α : Sort u} [inst : DecidableEq α] (a : α) : Eq (decide (Eq a a)) true := decide_eq_true rfl
def Decidable.falseTrueCases {p : Prop} [h : Decidable p] {motive : Sort u} (hf : Not p → motive) (ht : p → motive) : motive :=
  @Decidable.casesOn p (fun _ => motive) h hf ht
/-- What the kernel extension for deciding procedures writes its answers in. -/
inductive Bool.Reflects (p : Prop) : Bool → Prop where
  | isTrue (h : p) : Bool.Reflects p true
  | isFalse (h : Not p) : Bool.Reflects p false
theorem eq_true_of_decide {p : Prop} [Decidable p] (h : Eq (decide p) true) : Eq p True :=
  propext (Iff.intro (fun _ => trivial) (fun _ => of_decide_eq_true h))
theorem eq_false_of_decide {p : Prop} [Decidable p] (h : Eq (decide p) false) : Eq p False :=
  propext (Iff.intro (of_decide_eq_false h) False.elim)
@[macro_inline] def ite {α : Sort u} (c : Prop) [h : Decidable c] (t e : α) : α :=
  @Decidable.casesOn c (fun _ => α) h (fun _ => e) (fun _ => t)
@[macro_inline] def dite {α : Sort u} (c : Prop) [h : Decidable c] (t : c → α) (e : Not c → α) : α :=
  @Decidable.casesOn c (fun _ => α) h e t
class BEq (α : Type u) where
  beq : α → α → Bool
instance instBEqOfDecidableEq {α : Type u} [DecidableEq α] : BEq α := ⟨fun a b => decide (Eq a b)⟩
def Bool.decEq (a b : Bool) : Decidable (Eq a b) :=
  match a, b with
  | false, false => isTrue rfl
  | false, true => isFalse (fun h => Bool.false_ne_true h)
  | true, false => isFalse (fun h => Bool.false_ne_true (Eq.symm h))
  | true, true => isTrue rfl
instance : DecidableEq Bool := Bool.decEq
instance instDecidableTrue : Decidable True := isTrue trivial
instance instDecidableFalse : Decidable False := isFalse (fun h => h)
@[macro_inline] instance instDecidableAnd {p q : Prop} [dp : Decidable p] [dq : Decidable q] : Decidable (And p q) :=
  @Decidable.casesOn p (fun _ => Decidable (And p q)) dp (fun hp => isFalse (fun h => hp h.left))
    (fun hp => @Decidable.casesOn q (fun _ => Decidable (And p q)) dq (fun hq => isFalse (fun h => hq h.right)) (fun hq => isTrue ⟨hp, hq⟩))
@[macro_inline] instance instDecidableOr {p q : Prop} [dp : Decidable p] [dq : Decidable q] : Decidable (Or p q) :=
  @Decidable.casesOn p (fun _ => Decidable (Or p q)) dp
    (fun hp => @Decidable.casesOn q (fun _ => Decidable (Or p q)) dq (fun hq => isFalse (fun h => Or.elim h hp hq)) (fun hq => isTrue (Or.inr hq)))
    (fun hp => isTrue (Or.inl hp))
@[macro_inline] instance instDecidableNot {p : Prop} [dp : Decidable p] : Decidable (Not p) :=
  @Decidable.casesOn p (fun _ => Decidable (Not p)) dp (fun hp => isTrue hp) (fun hp => isFalse (fun h => h hp))
@[macro_inline] instance instDecidableForall {p q : Prop} [dp : Decidable p] [dq : Decidable q] : Decidable (p → q) :=
  @Decidable.casesOn q (fun _ => Decidable (p → q)) dq
    (fun hq => @Decidable.casesOn p (fun _ => Decidable (p → q)) dp (fun hp => isTrue (fun h => absurd h hp)) (fun hp => isFalse (fun h => hq (h hp))))
    (fun hq => isTrue (fun _ => hq))
instance instDecidableIff {p q : Prop} [dp : Decidable p] [dq : Decidable q] : Decidable (Iff p q) :=
  @Decidable.casesOn (And (p → q) (q → p)) (fun _ => Decidable (Iff p q)) inferInstance
    (fun h => isFalse (fun e => h ⟨e.mp, e.mpr⟩)) (fun h => isTrue ⟨h.left, h.right⟩)
instance instDecidableIteOfDecidable {c t e : Prop} [dc : Decidable c] [dt : Decidable t] [de : Decidable e] : Decidable (ite c t e) :=
  match dc with
  | isTrue _ => dt
  | isFalse _ => de
instance instDecidableNe {α : Sort u} [DecidableEq α] (a b : α) : Decidable (Ne a b) :=
  @Decidable.casesOn (Eq a b) (fun _ => Decidable (Ne a b)) (decEq a b) (fun h => isTrue h) (fun h => isFalse (fun n => n h))

/-! ## Natural numbers -/
set_option genCtorIdx false in
inductive Nat where
  | zero : Nat
  | succ (n : Nat) : Nat
class OfNat (α : Type u) (_ : Nat) where
  ofNat : α
@[default_instance 100] instance instOfNatNat (n : Nat) : OfNat Nat n := ⟨n⟩
instance : Inhabited Nat := ⟨Nat.zero⟩
class HAdd (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hAdd : α → β → γ
class HSub (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hSub : α → β → γ
class HMul (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hMul : α → β → γ
class HDiv (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hDiv : α → β → γ
class HMod (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hMod : α → β → γ
class HPow (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hPow : α → β → γ
class HAppend (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hAppend : α → β → γ
class Add (α : Type u) where
  add : α → α → α
class Sub (α : Type u) where
  sub : α → α → α
class Mul (α : Type u) where
  mul : α → α → α
class Div (α : Type u) where
  div : α → α → α
class Mod (α : Type u) where
  mod : α → α → α
class Neg (α : Type u) where
  neg : α → α
class Inv (α : Type u) where
  inv : α → α
class Dvd (α : Type u) where
  dvd : α → α → Prop
class Pow (α : Type u) (β : Type v) where
  pow : α → β → α
class NatPow (α : Type u) where
  pow : α → Nat → α
class Append (α : Type u) where
  append : α → α → α
class LE (α : Type u) where
  le : α → α → Prop
class LT (α : Type u) where
  lt : α → α → Prop
class Max (α : Type u) where
  max : α → α → α
export Max (max)
class Min (α : Type u) where
  min : α → α → α
export Min (min)
@[reducible] def GE.ge {α : Type u} [LE α] (a b : α) : Prop := LE.le b a
@[reducible] def GT.gt {α : Type u} [LT α] (a b : α) : Prop := LT.lt b a
abbrev DecidableLT (α : Type u) [LT α] := DecidableRel (LT.lt : α → α → Prop)
abbrev DecidableLE (α : Type u) [LE α] := DecidableRel (LE.le : α → α → Prop)
class Membership (α : outParam (Type u)) (γ : Type v) where
  mem : γ → α → Prop
@[default_instance] instance instHAdd {α : Type u} [Add α] : HAdd α α α := ⟨fun a b => Add.add a b⟩
@[default_instance] instance instHSub {α : Type u} [Sub α] : HSub α α α := ⟨fun a b => Sub.sub a b⟩
@[default_instance] instance instHMul {α : Type u} [Mul α] : HMul α α α := ⟨fun a b => Mul.mul a b⟩
@[default_instance] instance instHDiv {α : Type u} [Div α] : HDiv α α α := ⟨fun a b => Div.div a b⟩
@[default_instance] instance instHMod {α : Type u} [Mod α] : HMod α α α := ⟨fun a b => Mod.mod a b⟩
@[default_instance] instance instHPow {α : Type u} {β : Type v} [Pow α β] : HPow α β α := ⟨fun a b => Pow.pow a b⟩
@[default_instance] instance instPowNat {α : Type u} [NatPow α] : Pow α Nat := ⟨fun a n => NatPow.pow a n⟩
@[default_instance] instance instHAppendOfAppend {α : Type u} [Append α] : HAppend α α α := ⟨fun a b => Append.append a b⟩


/-! The kernel computes numerals by itself for the names below; the equations are what it must agree with. -/
@[extern "lean_nat_add"] protected def Nat.add : (n m : @& Nat) → Nat
  | n, .zero => n
  | n, .succ m => .succ (Nat.add n m)
@[extern "lean_nat_pred"] def Nat.pred : (n : @& Nat) → Nat
  | .zero => .zero
  | .succ n => n
@[extern "lean_nat_sub"] protected def Nat.sub : (n m : @& Nat) → Nat
  | n, .zero => n
  | n, .succ m => Nat.pred (Nat.sub n m)
@[extern "lean_nat_mul"] protected def Nat.mul : (n m : @& Nat) → Nat
  | _, .zero => .zero
  | n, .succ m => Nat.add (Nat.mul n m) n
@[extern "lean_nat_pow"] protected def Nat.pow (n : @& Nat) : (m : @& Nat) → Nat
  | .zero => 1
  | .succ m => Nat.mul (Nat.pow n m) n
@[extern "lean_nat_dec_eq"] def Nat.beq : (n m : @& Nat) → Bool
  | .zero, .zero => true
  | .zero, .succ _ => false
  | .succ _, .zero => false
  | .succ n, .succ m => Nat.beq n m
@[extern "lean_nat_dec_le"] def Nat.ble : (n m : @& Nat) → Bool
  | .zero, _ => true
  | .succ _, .zero => false
  | .succ n, .succ m => Nat.ble n m
instance instAddNat : Add Nat := ⟨Nat.add⟩
instance instMulNat : Mul Nat := ⟨Nat.mul⟩
instance instSubNat : Sub Nat := ⟨Nat.sub⟩
instance instNatPowNat : NatPow Nat := ⟨Nat.pow⟩
protected inductive Nat.le (n : Nat) : Nat → Prop where
  | refl : Nat.le n n
  | step {m : Nat} : Nat.le n m → Nat.le n (.succ m)
instance instLENat : LE Nat := ⟨Nat.le⟩
protected def Nat.lt (n m : Nat) : Prop := Nat.le (.succ n) m
instance instLTNat : LT Nat := ⟨Nat.lt⟩
theorem Nat.zero_le : (n : Nat) → LE.le 0 n
  | .zero => Nat.le.refl
  | .succ n => Nat.le.step (Nat.zero_le n)
theorem Nat.succ_le_succ {n m : Nat} (h : LE.le n m) : LE.le (Nat.succ n) (Nat.succ m) :=
  @Nat.le.rec n (fun m _ => Nat.le (.succ n) (.succ m)) Nat.le.refl (fun _ ih => Nat.le.step ih) m h
theorem Nat.pred_le_pred {n m : Nat} (h : LE.le n m) : LE.le (Nat.pred n) (Nat.pred m) :=
  @Nat.le.rec n (fun m _ => Nat.le (Nat.pred n) (Nat.pred m)) Nat.le.refl
    (fun {k} h ih => @Nat.rec (fun k => Nat.le n k → Nat.le (Nat.pred n) (Nat.pred k) → Nat.le (Nat.pred n) k) (fun _ ih => ih) (fun _ _ _ ih => Nat.le.step ih) k h ih) m h
theorem Nat.le_of_succ_le_succ {n m : Nat} (h : LE.le (Nat.succ n) (Nat.succ m)) : LE.le n m := Nat.pred_le_pred h
theorem Nat.not_succ_le_zero (n : Nat) (h : LE.le (Nat.succ n) 0) : False :=
  @Nat.le.rec (.succ n) (fun m _ => @Nat.rec (fun _ => Prop) False (fun _ _ => True) m) trivial (fun _ _ => trivial) 0 h
theorem Nat.eq_of_beq_eq_true : {n m : Nat} → Eq (Nat.beq n m) true → Eq n m
  | .zero, .zero, _ => rfl
  | .zero, .succ _, h => False.elim (Bool.false_ne_true h)
  | .succ _, .zero, h => False.elim (Bool.false_ne_true h)
  | .succ n, .succ m, h => congrArg Nat.succ (@Nat.eq_of_beq_eq_true n m h)
theorem Nat.beq_refl : (n : Nat) → Eq (Nat.beq n n) true
  | .zero => rfl
  | .succ n => Nat.beq_refl n
theorem Nat.beq_eq_true_of_eq {n m : Nat} (h : Eq n m) : Eq (Nat.beq n m) true := Eq.subst (motive := fun x => Eq (Nat.beq n x) true) h (Nat.beq_refl n)
theorem Nat.ne_of_beq_eq_false {n m : Nat} (h : Eq (Nat.beq n m) false) : Not (Eq n m) :=
  fun e => Bool.false_ne_true (Eq.trans (Eq.symm h) (Nat.beq_eq_true_of_eq e))
theorem Nat.le_of_ble_eq_true : {n m : Nat} → Eq (Nat.ble n m) true → LE.le n m
  | .zero, m, _ => Nat.zero_le m
  | .succ _, .zero, h => False.elim (Bool.false_ne_true h)
  | .succ n, .succ m, h => Nat.succ_le_succ (@Nat.le_of_ble_eq_true n m h)
theorem Nat.ble_succ_eq_true : {n m : Nat} → Eq (Nat.ble n m) true → Eq (Nat.ble n (.succ m)) true
  | .zero, _, _ => rfl
  | .succ _, .zero, h => False.elim (Bool.false_ne_true h)
  | .succ n, .succ m, h => @Nat.ble_succ_eq_true n m h
theorem Nat.ble_self_eq_true : (n : Nat) → Eq (Nat.ble n n) true
  | .zero => rfl
  | .succ n => Nat.ble_self_eq_true n
theorem Nat.ble_eq_true_of_le {n m : Nat} (h : LE.le n m) : Eq (Nat.ble n m) true :=
  @Nat.le.rec n (fun m _ => Eq (Nat.ble n m) true) (Nat.ble_self_eq_true n) (fun _ ih => Nat.ble_succ_eq_true ih) m h
theorem Nat.not_le_of_not_ble_eq_true {n m : Nat} (h : Not (Eq (Nat.ble n m) true)) : Not (LE.le n m) := fun e => h (Nat.ble_eq_true_of_le e)
theorem Nat.not_lt_of_not_ble_eq_true {n m : Nat} (h : Not (Eq (Nat.ble (.succ n) m) true)) : Not (LT.lt n m) := fun e => h (Nat.ble_eq_true_of_le e)
@[extern "lean_nat_dec_eq"] def Nat.decEq (n m : @& Nat) : Decidable (Eq n m) :=
  match h : Nat.beq n m with
  | true => isTrue (Nat.eq_of_beq_eq_true h)
  | false => isFalse (Nat.ne_of_beq_eq_false h)
instance instDecidableEqNat : DecidableEq Nat := Nat.decEq
instance instBEqNat : BEq Nat := ⟨Nat.beq⟩
@[extern "lean_nat_dec_le"] instance Nat.decLe (n m : @& Nat) : Decidable (LE.le n m) :=
  dite (Eq (Nat.ble n m) true) (fun h => isTrue (Nat.le_of_ble_eq_true h)) (fun h => isFalse (Nat.not_le_of_not_ble_eq_true h))
@[extern "lean_nat_dec_lt"] instance Nat.decLt (n m : @& Nat) : Decidable (LT.lt n m) := Nat.decLe (.succ n) m
theorem noConfusion_of_Nat_aux : (n : Nat) → @Bool.rec (fun _ => Prop) False True (Nat.beq n n)
  | .zero => trivial
  | .succ n => noConfusion_of_Nat_aux n
theorem noConfusion_of_Nat {α : Sort u} (f : α → Nat) {a b : α} (h : Eq a b) : @Bool.rec (fun _ => Prop) False True (Nat.beq (f a) (f b)) :=
  @Eq.ndrec α a (fun x => @Bool.rec (fun _ => Prop) False True (Nat.beq (f a) (f x))) (noConfusion_of_Nat_aux (f a)) b h
abbrev noConfusionTypeEnum {α : Sort u} {β : Sort v} [inst : DecidableEq β] (f : α → β) (P : Sort w) (x y : α) : Sort w :=
  @Decidable.casesOn (Eq (f x) (f y)) (fun _ => Sort w) (inst (f x) (f y)) (fun _ => P) (fun _ => P → P)
abbrev noConfusionEnum {α : Sort u} {β : Sort v} [inst : DecidableEq β] (f : α → β) {P : Sort w} {x y : α} (h : Eq x y) : noConfusionTypeEnum f P x y :=
  @Decidable.casesOn (Eq (f x) (f y)) (fun d => @Decidable.casesOn (Eq (f x) (f y)) (fun _ => Sort w) d (fun _ => P) (fun _ => P → P))
    (inst (f x) (f y)) (fun n => False.elim (n (congrArg f h))) (fun _ p => p)
attribute [gen_constructor_elims] Bool Nat
/-- `n / m` and `n % m` with `n` steps of fuel: enough when `m` is not zero. -/
def Nat.divFuel (m : Nat) : (fuel n : Nat) → Nat
  | .zero, _ => 0
  | .succ k, n => dite (And (LT.lt 0 m) (LE.le m n)) (fun _ => .succ (Nat.divFuel m k (Nat.sub n m))) (fun _ => 0)
@[extern "lean_nat_div"] protected def Nat.div (n m : @& Nat) : Nat := Nat.divFuel m n n
@[extern "lean_nat_mod"] protected def Nat.mod (n m : @& Nat) : Nat := Nat.sub n (Nat.mul m (Nat.div n m))
instance Nat.instDivNat : Div Nat := ⟨Nat.div⟩
instance Nat.instModNat : Mod Nat := ⟨Nat.mod⟩
instance Nat.instDvdNat : Dvd Nat := ⟨fun a b => Exists (fun c => Eq b (HMul.hMul a c))⟩
instance instMaxNat : Max Nat := ⟨fun n m => ite (LE.le n m) m n⟩
instance instMinNat : Min Nat := ⟨fun n m => ite (LE.le n m) n m⟩
@[elab_as_elim, induction_eliminator] protected def Nat.recAux {motive : Nat → Sort u} (zero : motive 0)
    (succ : (n : Nat) → motive n → motive (HAdd.hAdd n 1)) (t : Nat) : motive t :=
  match t with
  | .zero => zero
  | .succ n => succ n (Nat.recAux zero succ n)
@[elab_as_elim, cases_eliminator] protected abbrev Nat.casesAuxOn {motive : Nat → Sort u} (t : Nat) (zero : motive 0)
    (succ : (n : Nat) → motive (HAdd.hAdd n 1)) : motive t :=
  match t with
  | .zero => zero
  | .succ n => succ n

attribute [match_pattern] Nat.add Add.add HAdd.hAdd Neg.neg Mul.mul HMul.hMul

/-! ## Lists, options, characters, strings -/
inductive List (α : Type u) where
  | nil : List α
  | cons (head : α) (tail : List α) : List α
inductive Option (α : Type u) where
  | none : Option α
  | some (val : α) : Option α
export Option (none some)
instance {α : Type u} : Inhabited (List α) := ⟨List.nil⟩
instance {α : Type u} : Inhabited (Option α) := ⟨none⟩
protected def List.append {α : Type u} : (xs ys : List α) → List α
  | .nil, ys => ys
  | .cons x xs, ys => .cons x (List.append xs ys)
instance {α : Type u} : Append (List α) := ⟨List.append⟩
def List.length {α : Type u} : List α → Nat
  | .nil => 0
  | .cons _ xs => HAdd.hAdd (List.length xs) 1
def List.map {α : Type u} {β : Type v} (f : α → β) : (l : List α) → List β
  | .nil => .nil
  | .cons x xs => .cons (f x) (List.map f xs)
def List.reverseAux {α : Type u} : (xs ys : List α) → List α
  | .nil, ys => ys
  | .cons x xs, ys => List.reverseAux xs (.cons x ys)
def List.reverse {α : Type u} (xs : List α) : List α := List.reverseAux xs .nil
def List.foldr {α : Type u} {β : Type v} (f : α → β → β) (init : β) : (l : List α) → β
  | .nil => init
  | .cons x xs => f x (List.foldr f init xs)
def List.flatten {α : Type u} : (l : List (List α)) → List α
  | .nil => .nil
  | .cons x xs => HAppend.hAppend x (List.flatten xs)
def List.replicate {α : Type u} : (n : Nat) → (a : α) → List α
  | .zero, _ => .nil
  | .succ n, a => .cons a (List.replicate n a)
inductive List.Mem {α : Type u} (a : α) : List α → Prop where
  | head (as : List α) : List.Mem a (List.cons a as)
  | tail (b : α) {as : List α} : List.Mem a as → List.Mem a (List.cons b as)
instance {α : Type u} : Membership α (List α) := ⟨fun l a => List.Mem a l⟩
structure Char where
  val : Nat
def Char.ofNat (n : @& Nat) : Char := ⟨n⟩
inductive String where
  | ofList (data : List Char) : String
class ToString (α : Type u) where
  toString : α → String
class GetElem (coll : Type u) (idx : Type v) (elem : outParam (Type w)) (valid : outParam (coll → idx → Prop)) where
  getElem (xs : coll) (i : idx) (h : valid xs i) : elem
structure Array (α : Type u) where
  toList : List α
structure Fin (n : Nat) where
  mk ::
  val : Nat
  isLt : LT.lt val n

/-! ## Names that the front end evaluates or checks a type against -/
inductive Lean.Name where
  | anonymous : Lean.Name
  | str (pre : Lean.Name) (str : String)
  | num (pre : Lean.Name) (i : Nat)
abbrev Lean.Name.mkStr (p : Lean.Name) (s : String) : Lean.Name := .str p s
abbrev Lean.Name.mkSimple (s : String) : Lean.Name := .str .anonymous s
abbrev Lean.Name.mkStr1 (a : String) : Lean.Name := .str .anonymous a
abbrev Lean.Name.mkStr2 (a b : String) : Lean.Name := .str (.mkStr1 a) b
abbrev Lean.Name.mkStr3 (a b c : String) : Lean.Name := .str (.mkStr2 a b) c
abbrev Lean.Name.mkStr4 (a b c d : String) : Lean.Name := .str (.mkStr3 a b c) d
inductive Lean.ParserDescr where
  | const (name : Lean.Name)
  | unary (name : Lean.Name) (p : Lean.ParserDescr)
  | binary (name : Lean.Name) (p₁ p₂ : Lean.ParserDescr)
  | node (kind : Lean.Name) (prec : Nat) (p : Lean.ParserDescr)
  | trailingNode (kind : Lean.Name) (prec lhsPrec : Nat) (p : Lean.ParserDescr)
  | symbol (val : String)
  | nonReservedSymbol (val : String) (includeIdent : Bool)
  | cat (catName : Lean.Name) (rbp : Nat)
  | parser (declName : Lean.Name)
  | nodeWithAntiquot (name : String) (kind : Lean.Name) (p : Lean.ParserDescr)
  | sepBy (p : Lean.ParserDescr) (sep : String) (psep : Lean.ParserDescr) (allowTrailingSep : Bool)
  | sepBy1 (p : Lean.ParserDescr) (sep : String) (psep : Lean.ParserDescr) (allowTrailingSep : Bool)
  | unicodeSymbol (val asciiVal : String) (preserveForPP : Bool)
abbrev Lean.TrailingParserDescr : Type := Lean.ParserDescr
structure Lean.Parser.Category where
structure Lean.Syntax where
/-- Three arguments (syntax, context, state): the arity of the compiled code that runs in place of a stub. -/
abbrev Lean.Macro : Type := Lean.Syntax → Lean.Syntax → Lean.Syntax → Lean.Syntax
abbrev Lean.PrettyPrinter.Unexpander : Type := Lean.Syntax → Lean.Syntax → Lean.Syntax → Lean.Syntax
abbrev autoParam (α : Sort u) (tactic : Lean.Syntax) : Sort u := α
abbrev namedPattern {α : Sort u} (x a : α) (h : Eq x a) : α := a
instance : Inhabited Lean.Syntax := ⟨⟨⟩⟩

/-! ## Coercions: the chain of classes that the elaborator walks, from `CoeT` down to `Coe` -/
class Coe (α : semiOutParam (Sort u)) (β : Sort v) where
  coe : α → β
class CoeTC (α : Sort u) (β : Sort v) where
  coe : α → β
class CoeOut (α : Sort u) (β : semiOutParam (Sort v)) where
  coe : α → β
class CoeOTC (α : Sort u) (β : Sort v) where
  coe : α → β
class CoeHead (α : Sort u) (β : semiOutParam (Sort v)) where
  coe : α → β
class CoeHTC (α : Sort u) (β : Sort v) where
  coe : α → β
class CoeTail (α : semiOutParam (Sort u)) (β : Sort v) where
  coe : α → β
class CoeHTCT (α : Sort u) (β : Sort v) where
  coe : α → β
class CoeDep (α : Sort u) (_ : α) (β : Sort v) where
  coe : β
class CoeT (α : Sort u) (_ : α) (β : Sort v) where
  coe : β
class CoeFun (α : Sort u) (γ : outParam (α → Sort v)) where
  coe : (f : α) → γ f
class CoeSort (α : Sort u) (β : outParam (Sort v)) where
  coe : α → β
attribute [coe_decl] Coe.coe CoeTC.coe CoeOut.coe CoeOTC.coe CoeHead.coe CoeHTC.coe CoeTail.coe CoeHTCT.coe CoeDep.coe CoeT.coe CoeFun.coe CoeSort.coe
instance {α : Sort u} {β : Sort v} {γ : Sort w} [Coe β γ] [CoeTC α β] : CoeTC α γ := ⟨fun a => Coe.coe (CoeTC.coe a : β)⟩
instance {α : Sort u} {β : Sort v} [Coe α β] : CoeTC α β := ⟨fun a => Coe.coe a⟩
instance {α : Sort u} : CoeTC α α := ⟨fun a => a⟩
instance {α : Sort u} {β : Sort v} {γ : Sort w} [CoeOut α β] [CoeOTC β γ] : CoeOTC α γ := ⟨fun a => CoeOTC.coe (CoeOut.coe a : β)⟩
instance {α : Sort u} {β : Sort v} [CoeTC α β] : CoeOTC α β := ⟨fun a => CoeTC.coe a⟩
instance {α : Sort u} : CoeOTC α α := ⟨fun a => a⟩
instance {α : Sort u} {β : Sort v} {γ : Sort w} [CoeHead α β] [CoeOTC β γ] : CoeHTC α γ := ⟨fun a => CoeOTC.coe (CoeHead.coe a : β)⟩
instance {α : Sort u} {β : Sort v} [CoeOTC α β] : CoeHTC α β := ⟨fun a => CoeOTC.coe a⟩
instance {α : Sort u} : CoeHTC α α := ⟨fun a => a⟩
instance {α : Sort u} {β : Sort v} {γ : Sort w} [CoeTail β γ] [CoeHTC α β] : CoeHTCT α γ := ⟨fun a => CoeTail.coe (CoeHTC.coe a : β)⟩
instance {α : Sort u} {β : Sort v} [CoeHTC α β] : CoeHTCT α β := ⟨fun a => CoeHTC.coe a⟩
instance {α : Sort u} : CoeHTCT α α := ⟨fun a => a⟩
instance {α : Sort u} {β : Sort v} (a : α) [CoeDep α a β] : CoeT α a β := ⟨CoeDep.coe a⟩
instance {α : Sort u} {β : Sort v} (a : α) [CoeHTCT α β] : CoeT α a β := ⟨CoeHTCT.coe a⟩
instance {α : Sort u} (a : α) : CoeT α a α := ⟨a⟩
instance boolToProp : Coe Bool Prop := ⟨fun b => Eq b true⟩
instance boolToSort : CoeSort Bool Prop := ⟨fun b => Eq b true⟩
instance subtypeCoe {α : Sort v} {p : α → Prop} : CoeOut (Subtype p) α := ⟨fun s => s.val⟩
class Trans.{r₁, r₂, r₃, s₁, s₂, s₃} {α : Sort s₁} {β : Sort s₂} {γ : Sort s₃} (r : α → β → Sort r₁) (s : β → γ → Sort r₂)
    (t : outParam (α → γ → Sort r₃)) where
  trans {a : α} {b : β} {c : γ} : r a b → s b c → t a c
instance {α : Sort u} {γ : Sort v} (r : α → γ → Sort w) : Trans Eq r r := ⟨fun h k => @Eq.ndrec _ _ (fun x => r x _) k _ (Eq.symm h)⟩
instance {α : Sort u} {β : Sort v} (r : α → β → Sort w) : Trans r Eq r := ⟨fun h k => @Eq.ndrec _ _ (fun x => r _ x) h _ k⟩
class Pure (f : Type u → Type v) where
  pure {α : Type u} : α → f α
class Bind (m : Type u → Type v) where
  bind {α β : Type u} : m α → (α → m β) → m β
class Functor (f : Type u → Type v) where
  map {α β : Type u} : (α → β) → f α → f β
class Monad (m : Type u → Type v) extends Pure m, Bind m

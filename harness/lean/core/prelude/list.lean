/-! Lists and pairs. -/
universe u v w

def List.append {α : Type u} (xs ys : List α) : List α := @List.rec α (fun _ => List α) ys (fun x _ ih => x :: ih) xs
def List.length {α : Type u} (xs : List α) : Nat := @List.rec α (fun _ => Nat) 0 (fun _ _ ih => ih + 1) xs
def List.map {α : Type u} {β : Type v} (f : α → β) (l : List α) : List β := @List.rec α (fun _ => List β) [] (fun x _ ih => f x :: ih) l
def List.reverseAux {α : Type u} (xs ys : List α) : List α := @List.rec α (fun _ => List α → List α) (fun ys => ys) (fun x _ ih ys => ih (x :: ys)) xs ys
def List.reverse {α : Type u} (xs : List α) : List α := List.reverseAux xs []
def List.foldr {α : Type u} {β : Type v} (f : α → β → β) (init : β) (l : List α) : β := @List.rec α (fun _ => β) init (fun x _ ih => f x ih) l
def List.flatten {α : Type u} (l : List (List α)) : List α := @List.rec (List α) (fun _ => List α) [] (fun x _ ih => x ++ ih) l
def List.replicate {α : Type u} (n : Nat) (a : α) : List α := @Nat.rec (fun _ => List α) [] (fun _ ih => a :: ih) n
def Prod.fst {α : Type u} {β : Type v} (p : α × β) : α := @Prod.rec α β (fun _ => α) (fun a _ => a) p
def Prod.snd {α : Type u} {β : Type v} (p : α × β) : β := @Prod.rec α β (fun _ => β) (fun _ b => b) p

@[simp] theorem List.nil_append {α : Type u} (as : List α) : [] ++ as = as := rfl
@[simp] theorem List.cons_append {α : Type u} {a : α} {as bs : List α} : a :: as ++ bs = a :: (as ++ bs) := rfl
@[simp] theorem List.append_nil {α : Type u} (as : List α) : as ++ [] = as := by
  induction as with
  | nil => rfl
  | cons a as ih => exact congrArg (List.cons a) ih
@[simp] theorem List.append_assoc {α : Type u} (as bs cs : List α) : as ++ bs ++ cs = as ++ (bs ++ cs) := by
  induction as with
  | nil => rfl
  | cons a as ih => exact congrArg (List.cons a) ih
theorem List.singleton_append {α : Type u} {x : α} {l : List α} : [x] ++ l = x :: l := rfl
theorem List.append_cons {α : Type u} (as : List α) (b : α) (bs : List α) : as ++ b :: bs = as ++ [b] ++ bs := by
  rw [List.append_assoc]; rfl
theorem List.cons_ne_nil {α : Type u} (a : α) (l : List α) : a :: l ≠ [] := nofun
theorem List.nil_ne_cons {α : Type u} (a : α) (l : List α) : [] ≠ a :: l := nofun
theorem List.cons.inj {α : Type u} {a b : α} {as bs : List α} (h : a :: as = b :: bs) : a = b ∧ as = bs := by
  injection h with h₁ h₂
  exact ⟨h₁, h₂⟩
theorem List.cons_inj_right {α : Type u} (a : α) {l l' : List α} : a :: l = a :: l' ↔ l = l' := ⟨fun h => (List.cons.inj h).2, fun h => by rw [h]⟩
@[simp] theorem List.cons.injEq {α : Type u} (a : α) (as : List α) (b : α) (bs : List α) : (a :: as = b :: bs) = (a = b ∧ as = bs) :=
  propext ⟨List.cons.inj, fun h => by rw [h.1, h.2]⟩
theorem List.head_eq_of_cons_eq {α : Type u} {a b : α} {as bs : List α} (h : a :: as = b :: bs) : a = b := (List.cons.inj h).1
theorem List.tail_eq_of_cons_eq {α : Type u} {a b : α} {as bs : List α} (h : a :: as = b :: bs) : as = bs := (List.cons.inj h).2
theorem List.append_left_cancel {α : Type u} {as bs cs : List α} (h : as ++ bs = as ++ cs) : bs = cs := by
  induction as with
  | nil => exact h
  | cons a as ih => exact ih (List.cons.inj h).2
theorem List.append_cancel_left {α : Type u} {as bs cs : List α} (h : as ++ bs = as ++ cs) : bs = cs := List.append_left_cancel h
@[simp] theorem List.append_cancel_left_eq {α : Type u} (as bs cs : List α) : (as ++ bs = as ++ cs) = (bs = cs) := propext ⟨List.append_left_cancel, fun h => by rw [h]⟩
@[simp] theorem List.append_eq_nil_iff {α : Type u} {p q : List α} : p ++ q = [] ↔ p = [] ∧ q = [] := by
  constructor
  · intro h
    cases p with
    | nil => exact ⟨rfl, h⟩
    | cons a p => cases h
  · intro h
    rw [h.1, h.2, List.nil_append]
theorem List.append_eq_nil {α : Type u} {p q : List α} : p ++ q = [] ↔ p = [] ∧ q = [] := List.append_eq_nil_iff

@[simp] theorem List.length_nil {α : Type u} : ([] : List α).length = 0 := rfl
@[simp] theorem List.length_cons {α : Type u} {a : α} {as : List α} : (a :: as).length = as.length + 1 := rfl
theorem List.length_singleton {α : Type u} {a : α} : [a].length = 1 := rfl
@[simp] theorem List.length_append {α : Type u} {as bs : List α} : (as ++ bs).length = as.length + bs.length := by
  induction as with
  | nil => exact (Nat.zero_add _).symm
  | cons a as ih => rw [List.cons_append, List.length_cons, ih, List.length_cons, Nat.add_right_comm]
theorem List.eq_nil_of_length_eq_zero {α : Type u} {l : List α} (h : l.length = 0) : l = [] := by
  cases l with
  | nil => rfl
  | cons a l => cases h
@[simp] theorem List.length_eq_zero_iff {α : Type u} {l : List α} : l.length = 0 ↔ l = [] := ⟨List.eq_nil_of_length_eq_zero, fun h => by rw [h]; rfl⟩
theorem List.length_eq_zero {α : Type u} {l : List α} : l.length = 0 ↔ l = [] := List.length_eq_zero_iff
theorem List.ne_nil_of_length_pos {α : Type u} {l : List α} (h : 0 < l.length) : l ≠ [] := fun e => by subst e; exact Nat.lt_irrefl 0 h

@[simp] theorem List.map_nil {α : Type u} {β : Type v} {f : α → β} : List.map f [] = [] := rfl
@[simp] theorem List.map_cons {α : Type u} {β : Type v} {f : α → β} {a : α} {l : List α} : List.map f (a :: l) = f a :: List.map f l := rfl
@[simp] theorem List.map_append {α : Type u} {β : Type v} {f : α → β} {l₁ l₂ : List α} : List.map f (l₁ ++ l₂) = List.map f l₁ ++ List.map f l₂ := by
  induction l₁ with
  | nil => rfl
  | cons a l ih => exact congrArg (List.cons (f a)) ih
@[simp] theorem List.map_map {α : Type u} {β : Type v} {γ : Type w} {g : β → γ} {f : α → β} {l : List α} : List.map g (List.map f l) = List.map (g ∘ f) l := by
  induction l with
  | nil => rfl
  | cons a l ih => exact congrArg (List.cons (g (f a))) ih
theorem List.map_id_fun_apply {α : Type u} (l : List α) : List.map (fun x => x) l = l := by
  induction l with
  | nil => rfl
  | cons a l ih => exact congrArg (List.cons a) ih
@[simp] theorem List.map_id' {α : Type u} (l : List α) : List.map (fun x => x) l = l := List.map_id_fun_apply l
@[simp] theorem List.map_id {α : Type u} (l : List α) : List.map id l = l := by
  induction l with
  | nil => rfl
  | cons a l ih => exact congrArg (List.cons a) ih
theorem List.map_congr_left {α : Type u} {β : Type v} {f g : α → β} {l : List α} (h : ∀ a, a ∈ l → f a = g a) : List.map f l = List.map g l := by
  induction l with
  | nil => rfl
  | cons a l ih => rw [List.map_cons, List.map_cons, h a (List.Mem.head l), ih (fun b hb => h b (List.Mem.tail a hb))]
@[simp] theorem List.length_map {α : Type u} {β : Type v} {as : List α} (f : α → β) : (List.map f as).length = as.length := by
  induction as with
  | nil => rfl
  | cons a as ih => exact congrArg Nat.succ ih

@[simp] theorem List.reverse_nil {α : Type u} : ([] : List α).reverse = [] := rfl
theorem List.reverseAux_eq_append {α : Type u} {as bs : List α} : List.reverseAux as bs = List.reverseAux as [] ++ bs := by
  induction as generalizing bs with
  | nil => rfl
  | cons a as ih =>
    show List.reverseAux as (a :: bs) = List.reverseAux as [a] ++ bs
    rw [ih, @ih [a], List.append_assoc]
    rfl
@[simp] theorem List.reverse_cons {α : Type u} {a : α} {as : List α} : (a :: as).reverse = as.reverse ++ [a] := @List.reverseAux_eq_append α as [a]
theorem List.reverse_singleton {α : Type u} {a : α} : [a].reverse = [a] := rfl
@[simp] theorem List.reverse_append {α : Type u} {as bs : List α} : (as ++ bs).reverse = bs.reverse ++ as.reverse := by
  induction as with
  | nil => exact (List.append_nil _).symm
  | cons a as ih => rw [List.cons_append, List.reverse_cons, ih, List.reverse_cons, List.append_assoc]
@[simp] theorem List.reverse_reverse {α : Type u} (as : List α) : as.reverse.reverse = as := by
  induction as with
  | nil => rfl
  | cons a as ih => rw [List.reverse_cons, List.reverse_append, ih]; rfl
@[simp] theorem List.length_reverse {α : Type u} {as : List α} : as.reverse.length = as.length := by
  induction as with
  | nil => rfl
  | cons a as ih => rw [List.reverse_cons, List.length_append, ih]; rfl
theorem List.map_reverse {α : Type u} {β : Type v} {f : α → β} {l : List α} : List.map f l.reverse = (List.map f l).reverse := by
  induction l with
  | nil => rfl
  | cons a l ih => rw [List.reverse_cons, List.map_append, ih]; exact (@List.reverse_cons β (f a) (List.map f l)).symm
@[simp] theorem List.foldr_nil {α : Type u} {β : Type v} {f : α → β → β} {b : β} : List.foldr f b [] = b := rfl
@[simp] theorem List.foldr_cons {α : Type u} {β : Type v} {a : α} {l : List α} {f : α → β → β} {b : β} : List.foldr f b (a :: l) = f a (List.foldr f b l) := rfl
@[simp] theorem List.length_replicate {α : Type u} {n : Nat} {a : α} : (List.replicate n a).length = n := by
  induction n with
  | zero => rfl
  | succ n ih => exact congrArg Nat.succ ih

theorem List.not_mem_nil_aux {α : Type u} {a : α} (h : a ∈ []) : False := by cases h
@[simp] theorem List.not_mem_nil {α : Type u} {a : α} : ¬a ∈ [] := List.not_mem_nil_aux
@[simp] theorem List.mem_cons {α : Type u} {a b : α} {l : List α} : a ∈ b :: l ↔ a = b ∨ a ∈ l := by
  constructor
  · intro h
    cases h with
    | head => exact Or.inl rfl
    | tail _ h => exact Or.inr h
  · intro h
    cases h with
    | inl h => subst h; exact List.Mem.head l
    | inr h => exact List.Mem.tail b h
theorem List.mem_cons_self {α : Type u} {a : α} {l : List α} : a ∈ a :: l := List.Mem.head l
theorem List.mem_cons_of_mem {α : Type u} (y : α) {a : α} {l : List α} (h : a ∈ l) : a ∈ y :: l := List.Mem.tail y h
theorem List.mem_singleton {α : Type u} {a b : α} : a ∈ [b] ↔ a = b := by
  rw [List.mem_cons]
  exact ⟨fun h => h.elim (fun e => e) (fun e => absurd e List.not_mem_nil), Or.inl⟩
theorem List.mem_singleton_self {α : Type u} (a : α) : a ∈ [a] := List.Mem.head []
@[simp] theorem List.mem_append {α : Type u} {a : α} {s t : List α} : a ∈ s ++ t ↔ a ∈ s ∨ a ∈ t := by
  induction s with
  | nil => exact ⟨Or.inr, fun h => h.elim (fun e => absurd e List.not_mem_nil) (fun e => e)⟩
  | cons b s ih => rw [List.cons_append, List.mem_cons, ih, List.mem_cons, or_assoc]
theorem List.mem_append_left {α : Type u} {a : α} {l₁ : List α} (l₂ : List α) (h : a ∈ l₁) : a ∈ l₁ ++ l₂ := List.mem_append.mpr (Or.inl h)
theorem List.mem_append_right {α : Type u} {a : α} (l₁ : List α) {l₂ : List α} (h : a ∈ l₂) : a ∈ l₁ ++ l₂ := List.mem_append.mpr (Or.inr h)
@[simp] theorem List.mem_reverse {α : Type u} {x : α} {as : List α} : x ∈ as.reverse ↔ x ∈ as := by
  induction as with
  | nil => exact Iff.rfl
  | cons a as ih => rw [List.reverse_cons, List.mem_append, ih, List.mem_singleton, List.mem_cons, or_comm]
theorem List.ne_nil_of_mem {α : Type u} {a : α} {l : List α} (h : a ∈ l) : l ≠ [] := fun e => by subst e; exact List.not_mem_nil h

theorem Prod.ext {α : Type u} {β : Type v} {p q : α × β} (fst : p.fst = q.fst) (snd : p.snd = q.snd) : p = q := by
  cases p with
  | mk a b =>
    cases q with
    | mk c d => exact congr (congrArg Prod.mk fst) snd
theorem Prod.mk.inj {α : Type u} {β : Type v} {a c : α} {b d : β} (h : (a, b) = (c, d)) : a = c ∧ b = d := ⟨congrArg Prod.fst h, congrArg Prod.snd h⟩
@[simp] theorem Prod.mk.injEq {α : Type u} {β : Type v} (a : α) (b : β) (c : α) (d : β) : ((a, b) = (c, d)) = (a = c ∧ b = d) :=
  propext ⟨Prod.mk.inj, fun h => by rw [h.1, h.2]⟩

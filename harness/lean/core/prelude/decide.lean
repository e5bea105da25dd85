/-! What the proof terms of `decide` are made of, besides those of `omega`. -/

theorem Decide.true_ne_false (h : Bool.true = Bool.false) : False := by cases h

theorem Decide.false_ne_true (h : Bool.false = Bool.true) : False := by cases h

theorem Decide.nil_ne_cons {α : Type _} (a : α) (l : List α) (h : [] = a :: l) : False := by cases h

theorem Decide.cons_ne_nil {α : Type _} (a : α) (l : List α) (h : a :: l = []) : False := by cases h

theorem Decide.head_eq {α : Type _} (a b : α) (l m : List α) (h : a :: l = b :: m) : a = b :=
  congrArg (fun x => @List.rec α (fun _ => α) a (fun y _ _ => y) x) h

theorem Decide.tail_eq {α : Type _} (a b : α) (l m : List α) (h : a :: l = b :: m) : l = m :=
  congrArg (fun x => @List.rec α (fun _ => List α) l (fun _ t _ => t) x) h

theorem Decide.not_mem_nil {α : Type _} (a : α) (h : a ∈ []) : False := by cases h

theorem Decide.not_mem_cons {α : Type _} (a b : α) (l : List α) (h : a = b → False) (k : a ∈ l → False)
    (j : a ∈ b :: l) : False := Or.elim (List.mem_cons.mp j) h k

theorem Decide.not_imp (p q : Prop) (hp : p) (hq : ¬ q) (h : p → q) : False := hq (h hp)

theorem Decide.forall_lt_zero (p : Nat → Prop) (n : Nat) (h : n < 0) : p n := absurd h (Nat.not_lt_zero n)

theorem Decide.forall_lt_succ (p : Nat → Prop) (k : Nat) (h : ∀ n, n < k → p n) (hk : p k) :
    ∀ n, n < k + 1 → p n := by
  intro n hn
  cases Nat.lt_or_ge n k with
  | inl h1 => exact h n h1
  | inr h1 => exact (Nat.le_antisymm h1 (Nat.le_of_lt_succ hn)) ▸ hk

/-
A compiled candidate judged with Lean's own kernel, in a process in which nothing of it runs.

    lake env lean --run Recheck.lean TARGET.olean CANDIDATE.olean THEOREM CHECK

TARGET was compiled from the statement alone, CANDIDATE from the audit's file, both under one module name. The
candidate must be a copy that nobody writes to any more. Prints one line; exit status 0: proved, 1: not proved,
2: wrong use, or the trusted side is at fault.

Lean maps the file as it lies and checks no pointer in it, so one written by hand can do to this process what it
likes: run it where the candidate may run, and believe a "proved" of a file that Lean itself has written.

NOT RUN: written for Lean 4.35 where no full toolchain was at hand, and held against the sources of Lean's own
checker of compiled files. Read it before you rely on it. The project's own kernel
(`python -m harness.lean.compiled`) is what has been tested.
-/
import Lean
import Lean.Replay

open Lean

/-- What a proof may stand on. -/
def allowed : List Name := [``propext, ``Classical.choice, ``Quot.sound]

/-- A name built anew: the hash that the file caches is not believed. -/
def freshName : Name → Name
  | .anonymous => .anonymous
  | .str prefix_ part => .str (freshName prefix_) part
  | .num prefix_ part => .num (freshName prefix_) part

/-- A level built anew. -/
def freshLevel : Level → Level
  | .zero => .zero
  | .succ level => .succ (freshLevel level)
  | .max a b => .max (freshLevel a) (freshLevel b)
  | .imax a b => .imax (freshLevel a) (freshLevel b)
  | .param name => .param (freshName name)
  | .mvar id => .mvar id

/-- A term built anew: caches of hashes and loose variables come out right. Shared nodes are visited once. -/
unsafe def freshTerm (e : Expr) : StateM (Std.HashMap USize Expr) Expr := do
  if let some done := (← get).get? (ptrAddrUnsafe e) then return done
  let new : Expr ← match e with
    | .bvar i => pure (.bvar i)
    | .fvar id => pure (.fvar id)
    | .mvar id => pure (.mvar id)
    | .sort level => pure (.sort (freshLevel level))
    | .const name levels => pure (.const (freshName name) (levels.map freshLevel))
    | .app f a => do pure (.app (← freshTerm f) (← freshTerm a))
    | .lam n t b i => do pure (.lam (freshName n) (← freshTerm t) (← freshTerm b) i)
    | .forallE n t b i => do pure (.forallE (freshName n) (← freshTerm t) (← freshTerm b) i)
    | .letE n t v b d => do pure (.letE (freshName n) (← freshTerm t) (← freshTerm v) (← freshTerm b) d)
    | .lit (.natVal n) => pure (.lit (.natVal n))
    | .lit (.strVal s) => pure (.lit (.strVal s))
    | .mdata _ inner => freshTerm inner
    | .proj s i inner => do pure (.proj (freshName s) i (← freshTerm inner))
  modify (·.insert (ptrAddrUnsafe e) new)
  return new

/-- The terms of a constant built anew, and the names that it bears. -/
unsafe def freshConstant (info : ConstantInfo) : StateM (Std.HashMap USize Expr) ConstantInfo := do
  let base := info.toConstantVal
  let val : ConstantVal :=
    { name := freshName base.name, levelParams := base.levelParams.map freshName, type := ← freshTerm base.type }
  match info with
  | .axiomInfo v => return .axiomInfo { v with toConstantVal := val }
  | .defnInfo v => return .defnInfo { v with toConstantVal := val, value := ← freshTerm v.value }
  | .thmInfo v => return .thmInfo { v with toConstantVal := val, value := ← freshTerm v.value }
  | .opaqueInfo v => return .opaqueInfo { v with toConstantVal := val, value := ← freshTerm v.value }
  | .quotInfo v => return .quotInfo { v with toConstantVal := val }
  | .inductInfo v =>
    return .inductInfo { v with toConstantVal := val, all := v.all.map freshName, ctors := v.ctors.map freshName }
  | .ctorInfo v => return .ctorInfo { v with toConstantVal := val, induct := freshName v.induct }
  | .recInfo v => do
    let rules ← v.rules.mapM fun rule => do
      return { rule with ctor := freshName rule.ctor, rhs := ← freshTerm rule.rhs }
    return .recInfo { v with toConstantVal := val, all := v.all.map freshName, rules := rules }

/-- The constants of a compiled file, each under its own name. -/
unsafe def constantsOf (data : ModuleData) : Std.HashMap Name ConstantInfo :=
  let fresh := Id.run ((data.constants.toList.mapM freshConstant).run' {})
  fresh.foldl (init := {}) fun known info => known.insert info.name info

/-- Axioms below a constant, by a walk through types and values: the table in the file is not read. -/
partial def axiomsBelow (env : Kernel.Environment) (name : Name) : StateM (NameSet × List Name) Unit := do
  if (← get).1.contains name then return
  modify fun (seen, found) => (seen.insert name, found)
  let some info := env.find? name | return
  if info matches .axiomInfo _ then modify fun (seen, found) => (seen, name :: found)
  for below in info.getUsedConstantsAsSet do axiomsBelow env below

/-- The same statement, with level parameters compared by position. -/
def sameStatement (a b : ConstantInfo) : Bool :=
  a.levelParams.length == b.levelParams.length &&
    a.type.instantiateLevelParams a.levelParams (b.levelParams.map .param) == b.type

/-- The same term, with level parameters compared by position. -/
def sameValue (a b : ConstantInfo) (x y : Expr) : Bool :=
  x.instantiateLevelParams a.levelParams (b.levelParams.map .param) == y

/-- The same declaration below the statement. Recursors are made anew by the kernel and compared by `replay`. -/
def sameDeclaration (a b : ConstantInfo) : Bool :=
  sameStatement a b && match a, b with
    | .defnInfo x, .defnInfo y => sameValue a b x.value y.value
    | .opaqueInfo x, .opaqueInfo y => sameValue a b x.value y.value
    | .inductInfo x, .inductInfo y => x.numParams == y.numParams && x.ctors == y.ctors && x.all == y.all
    | .ctorInfo x, .ctorInfo y => x.induct == y.induct && x.cidx == y.cidx && x.numParams == y.numParams
    | .axiomInfo _, .axiomInfo _ | .thmInfo _, .thmInfo _ | .quotInfo _, .quotInfo _ | .recInfo _, .recInfo _ => true
    | _, _ => false

def notProved (why : String) : IO UInt32 := do
  IO.println s!"not proved: {why}"
  return 1

unsafe def judge (target candidate : System.FilePath) (theorem_ check : Name) : IO UInt32 := do
  let (ours, _) ← readModuleData target
  let (theirs, _) ← readModuleData candidate
  if ours.isModule || theirs.isModule then
    return ← notProved "a file with the keyword `module`, whose proofs lie in other files"
  if ours.imports.map (·.module) != theirs.imports.map (·.module) then
    return ← notProved "other imports"
  let wanted := constantsOf ours
  let given := constantsOf theirs
  let some stated := wanted.get? theorem_
    | do IO.println "the target states nothing"
         return 2
  let env ← importModules ours.imports {}
  for (name, _) in given.toList do
    if env.contains name then
      return ← notProved s!"{name} is declared again"
  let some proved := given.get? check
    | return ← notProved "no such theorem"
  unless proved matches .thmInfo _ do
    return ← notProved "no theorem"
  unless sameStatement proved stated do
    return ← notProved "another statement"
  let mut todo := stated.type.getUsedConstants.toList
  let mut seen : NameSet := {}
  while !todo.isEmpty do
    let name := todo.head!
    todo := todo.tail!
    if seen.contains name then
      continue
    seen := seen.insert name
    if let some a := wanted.get? name then
      let some b := given.get? name
        | return ← notProved s!"{name} is missing"
      unless sameDeclaration a b do
        return ← notProved s!"{name} is another one"
      todo := a.getUsedConstantsAsSet.toList ++ todo
  let mut replayed := env.toKernelEnv
  try
    replayed ← replayed.replay given
  catch wrong =>
    return ← notProved (toString wrong)
  let (_, (_, axioms)) := Id.run ((axiomsBelow replayed check).run ({}, []))
  for name in axioms do
    unless allowed.contains name do
      return ← notProved s!"depends on {name}"
  IO.println "proved"
  return 0

unsafe def main : List String → IO UInt32
  | [target, candidate, theorem_, check] => do
    initSearchPath (← findSysroot)
    judge target candidate theorem_.toName check.toName
  | _ => do
    IO.println "usage: Recheck.lean TARGET.olean CANDIDATE.olean THEOREM CHECK"
    return 2

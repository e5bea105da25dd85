namespace N
def good (n : Nat) : Prop := True
theorem foo (n : Nat) : good n := trivial
end N
open N

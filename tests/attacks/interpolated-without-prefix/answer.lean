by
  have h : 1 = 2 := dbg_trace "{(by run_tac pure () : Nat)}"; by decide
  exact h

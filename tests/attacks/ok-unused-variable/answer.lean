have unused : P → P := fun x => x
exact hp
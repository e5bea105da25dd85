by_cases hp : P
· exact Or.inl hp
· exact Or.inr hp
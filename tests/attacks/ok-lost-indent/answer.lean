cases h with
  | inl hp => exact Or.inr hp
  | inr hq => exact Or.inl hq
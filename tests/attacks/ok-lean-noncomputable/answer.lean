noncomputable def half (x : ℝ) : ℝ := x / 2

theorem foo (x : ℝ) : x / 2 + x / 2 = x := by
  have h : half x + half x = x := by
    unfold half
    ring
  simpa [half] using h

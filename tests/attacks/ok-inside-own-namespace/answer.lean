namespace X
theorem foo : 1 + 1 = 2 := rfl
end X

namespace X
theorem foo : 1 = 1 := rfl
end X

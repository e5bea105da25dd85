section
variable (p : 1 = 2)
include p
end
end

theorem foo : 1 = 2 := by exact p

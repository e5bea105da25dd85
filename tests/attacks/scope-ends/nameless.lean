variable (p : 1 = 2)
include p
end

theorem foo : 1 = 2 := p

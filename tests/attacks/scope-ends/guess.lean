theorem h (p : 1 = 2) : 1 = 2 := p
end _audit_0000000000000000
variable (p : 1 = 2)
include p

theorem foo : 1 = 2 := p

mutual
theorem foo : 1 = 2 := bar
theorem bar : 1 = 2 := foo
end

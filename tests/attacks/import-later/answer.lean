theorem foo : 1 = 2 := by
  rfl

import Evil

"""`python -m harness.lean.core`: the embedded core behind the Lean REPL's protocol."""

from __future__ import annotations

import sys

from harness.lean.core.repl import main

sys.exit(main())

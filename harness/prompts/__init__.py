"""How published provers are asked and how their answers are read: one family a file."""

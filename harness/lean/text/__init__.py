"""Lean source as text: tokens, commands, layout, and a model's answer under the stated theorem. Pure."""

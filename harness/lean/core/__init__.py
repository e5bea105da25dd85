"""The embedded Lean core fragment: parser, elaborator, tactics and a small independent kernel."""

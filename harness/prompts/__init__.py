"""The text between a model and a proof: one prompt family a file."""

"""The text between a model and a proof, and how answers are read: one prompt family a file."""

"""The arguments of every command; no command is imported for them."""

"""What scores proof states."""

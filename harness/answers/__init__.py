"""Proofs that were generated elsewhere: reading them, telling their columns, giving them to a problem."""

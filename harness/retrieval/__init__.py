"""Premise retrieval: a library's declarations, embedded once, the nearest accessible ones for a state."""

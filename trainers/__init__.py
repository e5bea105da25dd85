"""Trainers of the generator and the value model, and the co-training rounds."""

"""The files of a run: append-only records, their folder, and where a number comes from."""

"""One module per command: it builds what a Python user would build, calls it, prints, returns a code."""

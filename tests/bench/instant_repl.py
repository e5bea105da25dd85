"""A REPL that answers at once, whatever it is asked: measures what stands around a REPL, not the REPL.

For LEAN_SERVER_REPL_PATH, behind a two-line wrapper script. It proves nothing: its answers hold no evidence.
"""

import sys

for number, line in enumerate(sys.stdin):
    if not line.strip():
        sys.stdout.write(f'{{"env": {number}}}\n\n')
        sys.stdout.flush()

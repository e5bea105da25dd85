"""What is installed under another interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

UNKNOWN = "unknown"
"""A package that can be imported and has no version: a stand-in."""
_ASK_S = 60.0
_TELL = """
import importlib.metadata as m, importlib.util as u, json
def version(n):
    for d in (n, n + "-cpu"):  # vLLM's build for the CPU has that name
        try: return m.version(d)
        except m.PackageNotFoundError: pass
    return %r if n == "flash_attn" and u.find_spec(n) else None
print(json.dumps({n: version(n) for n in %r}))
"""


def versions(python: str | None, names: tuple[str, ...]) -> dict[str, str] | None:
    """Versions of those of `names` that are installed under that interpreter (None: this one).

    None where it does not run.
    """
    argv = [python or sys.executable, "-c", _TELL % (UNKNOWN, names)]
    try:
        asked = subprocess.run(argv, capture_output=True, text=True, timeout=_ASK_S, check=True)
        found = json.loads(asked.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return {name: version for name, version in found.items() if version is not None}

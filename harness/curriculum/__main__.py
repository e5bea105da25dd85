"""`python -m harness.curriculum [FILE]`: make the curriculum again, and compare it with what is shipped."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from harness.benchmarks.manifest import manifest
from harness.curriculum.build import text


def main() -> int:
    """Write the file when one is named. Exit code 1 when the sha256 is not the manifest's."""
    made = text().encode()
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_bytes(made)
    here, stated = hashlib.sha256(made).hexdigest(), manifest("core-curriculum").sha256
    print(f"generated {here}\nmanifest  {stated}")
    return int(here != stated)


if __name__ == "__main__":
    sys.exit(main())

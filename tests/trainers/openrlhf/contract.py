"""The wheel's own parser and checks, run on an argument list without any of the wheel's dependencies.

The body of `if __name__ == "__main__":` in `openrlhf/cli/<name>.py` is compiled alone; `train(args)` there
becomes a recorder. So an option that the installed release does not know, or a combination that it asserts
against, fails here in milliseconds instead of on the node.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

VARIABLE = "HARNESS_OPENRLHF_WHEEL"
"""Folder into which the wheel was installed without its dependencies, see `harness.paths`."""


def package() -> Path | None:
    """The folder `openrlhf`, if there is one."""
    named = os.environ.get(VARIABLE)
    if named:
        folder = Path(named) / "openrlhf"
        return folder if folder.is_dir() else None
    found = importlib.util.find_spec("openrlhf")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(next(iter(found.submodule_search_locations)))


def accepted(folder: Path, name: str, argv: Sequence[str]) -> Any:
    """The arguments as the program would train with them, nested. Raises ValueError with its complaint."""
    body = _main(folder / "cli" / f"{name}.py")
    config = _load(folder / "utils" / "config.py")
    stand_ins = {"openrlhf": ModuleType("openrlhf"), "openrlhf.utils": ModuleType("openrlhf.utils")}
    taken: list[Any] = []
    names = {
        "argparse": argparse,
        "os": os,
        "datetime": datetime,
        "train": taken.append,
        "__name__": "__main__",
    }
    said = StringIO()
    with (
        patch.dict(sys.modules, stand_ins | {"openrlhf.utils.config": config}),
        patch.object(sys, "argv", [name, *argv]),
        redirect_stdout(said),
        redirect_stderr(said),
    ):
        try:
            exec(compile(body, name, "exec"), names)
        except (SystemExit, AssertionError, ValueError) as cause:
            raise ValueError(f"{name}: {cause}: {said.getvalue()[-500:]}") from cause
    (arguments,) = taken
    return arguments


def _main(path: Path) -> ast.Module:
    guards = [
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)
    ]
    (guard,) = guards
    return ast.Module(body=guard.body, type_ignores=[])


def _load(path: Path) -> ModuleType:
    module = ModuleType("openrlhf.utils.config")
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module.__dict__)
    return module

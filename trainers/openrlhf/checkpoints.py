"""OpenRLHF's checkpoints: the last good one, found by content, and its adoption as one of ours.

    ckpt/_actor/global_stepN/, ckpt/_actor/latest   DeepSpeed's, to resume from; `latest` is written last
    ckpt/global_stepN/, ckpt/latest                 the same of supervised training
    ckpt/global_stepN_hf/                           Hugging Face's; the tokenizer is written last
    final/                                          Hugging Face's, after the last step

No save is atomic, so files are believed, not names.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness import checkpoints
from harness.errors import InfraError, StoreError, UserError, boundary

_STEP = re.compile(r"global_step(\d+)(_hf)?")
_LAST = "tokenizer_config.json"
"""What OpenRLHF writes last into a Hugging Face folder."""
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")


def complete(folder: Path) -> bool:
    """Whether a Hugging Face folder holds a whole model: every shard there and as long as it says."""
    if not all((folder / name).is_file() for name in ("config.json", _LAST)):
        return False
    try:
        return all(_whole(file) for file in checkpoints.weight_files(folder))
    except UserError:
        return False


def _whole(file: Path) -> bool:
    """Whether a safetensors file is as long as its header says."""
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
            return file.stat().st_size == 8 + length + max(ends, default=0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, MemoryError, OverflowError):
        return False


def saved(folder: Path) -> list[tuple[int, Path]]:
    """The complete Hugging Face checkpoints of a run's `ckpt`, by step."""
    found = []
    for path in folder.glob("global_step*_hf"):
        named = _STEP.fullmatch(path.name)
        if named and complete(path):
            found.append((int(named[1]), path))
    return sorted(found)


def resumable(folder: Path) -> int:
    """The step of the DeepSpeed checkpoint in `folder` that OpenRLHF would resume from, when whole; else 0.

    OpenRLHF loads what `latest` names and nothing else, and dies of a name without a whole folder.
    """
    latest = folder / "latest"
    try:
        named = _STEP.fullmatch(latest.read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return 0
    if named is None:
        return 0
    states = [*latest.with_name(named[0]).glob("*states.pt")]
    models = [path for path in states if path.name.endswith("model_states.pt")]
    # What torch writes is a ZIP file, whose directory stands at its end: a file cut short has none.
    return int(named[1]) if models and all(zipfile.is_zipfile(path) for path in states) else 0


def prune(folder: Path, keep: int) -> None:
    """Delete old Hugging Face checkpoints, which OpenRLHF never does; the newest `keep` whole ones stay."""
    for _, path in saved(folder)[:-keep]:
        shutil.rmtree(path, ignore_errors=True)


def adopt(found: Path, parent: Path, out: Path, metrics: Mapping[str, float | None]) -> float:
    """Make the checkpoint folder `out` of what training left at `found`; the share of weights that moved.

    The tokenizer is the parent's own. Raises `InfraError` when `found` is incomplete, of another shape than
    its parent, or no different from it: evaluating the parent under a new name would be a lie.
    """
    if not complete(found):
        raise InfraError(f"{found}: no complete model; see the log beside it")
    moved = _moved(found, parent)
    if moved == 0.0:
        raise InfraError(f"{found}: not one weight differs from {parent}: nothing was trained")
    with boundary(StoreError, f"{out}: the checkpoint cannot be written"):
        out.mkdir(parents=True, exist_ok=True)
        for file in checkpoints.weight_files(found):
            shutil.move(file, out / file.name)
        for name in ("config.json", "generation_config.json", "model.safetensors.index.json"):
            if (found / name).is_file():
                shutil.copy2(found / name, out / name)
        for name in _TOKENIZER:
            if (parent / name).is_file():
                shutil.copy2(parent / name, out / name)
    told = {**metrics, "moved": moved}
    asked = checkpoints.read(parent).prompt_format
    checkpoints.seal(out, "generator", prompt_format=asked, parent=parent, metrics=told)
    return moved


def _moved(found: Path, parent: Path) -> float:
    """Share of the weights that differ from the parent's as OpenRLHF loads them, in bfloat16."""
    import torch

    with boundary(InfraError, f"{found}: the weights cannot be read"):
        new, old = _Tensors(found), _Tensors(parent)
        strange = {name for name in new.place.keys() ^ old.place.keys() if name != "lm_head.weight"}
        common = sorted(new.place.keys() & old.place.keys())
        changed = total = 0
        for name in common:
            after, before = new.read(name), old.read(name)
            if after.shape != before.shape:
                strange.add(name)
                continue
            changed += int((after.to(torch.bfloat16) != before.to(torch.bfloat16)).sum())
            total += after.numel()
    if strange:
        named = ", ".join(sorted(strange)[:3])
        raise InfraError(f"{found}: not the parent's tensors ({named}): another model, or renamed weights")
    return changed / max(1, total)


class _Tensors:
    """The tensors of a folder, read one by one: two models of 7 billion weights would fill the memory."""

    def __init__(self, folder: Path) -> None:
        from safetensors import safe_open

        opened: list[Any] = [safe_open(path, framework="pt") for path in checkpoints.weight_files(folder)]
        self.place = {name: file for file in opened for name in list(file.keys())}

    def read(self, name: str) -> Any:
        """The tensor of that name."""
        return self.place[name].get_tensor(name)

"""Every prompt family by its name."""

from __future__ import annotations

from functools import lru_cache

from harness.errors import SpecError
from harness.nested import nearest
from harness.prompts.family import Family


@lru_cache(maxsize=1)
def families() -> dict[str, Family]:
    """All families, in the order in which they are listed to people."""
    from harness.prompts import (
        bfs_prover,
        deepseek_prover_v1_5,
        deepseek_prover_v2,
        embedded,
        goedel_prover_v2,
        internlm_stepprover,
        kimina_prover,
        llmstep,
        reprover,
        stp,
        theoremllama,
    )

    modules = (
        deepseek_prover_v2,
        goedel_prover_v2,
        kimina_prover,
        deepseek_prover_v1_5,
        stp,
        theoremllama,
        bfs_prover,
        internlm_stepprover,
        reprover,
        llmstep,
        embedded,
    )
    return {family.name: family for module in modules for family in module.FAMILIES}


def family(name: str) -> Family:
    """The family `name`. Raises `SpecError` naming the nearest known one."""
    known = families()
    if name not in known:
        raise SpecError(f"prompt: no family {name!r}{nearest(name, known)}")
    return known[name]

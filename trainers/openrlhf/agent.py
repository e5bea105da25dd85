"""The agent that OpenRLHF's rollout workers load by path: generate one proof, ask Lean, report.

OpenRLHF builds one `AgentExecutor` without arguments in each engine's process, inside its event loop, and
runs all samples of all prompts there at once. An exception ends the training with exit code 1, so a bad
proof raises none and a dead verifier does.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from openrlhf.utils.agent import SingleTurnAgentExecutor

from trainers.judge import SETTINGS_VARIABLE, Groups, Judge, Settings, filled, logs_of


class AgentExecutor(SingleTurnAgentExecutor):
    """OpenRLHF's generation of one turn, with the verdict on the proof as reward."""

    def __init__(self) -> None:
        """Reads the settings that the launcher wrote."""
        super().__init__(None)
        self._judge = Judge(Settings.read(Path(os.environ[SETTINGS_VARIABLE])))
        self._groups = Groups()

    async def execute(
        self,
        prompt: Any,
        label: Any,
        sampling_params: Any,
        max_length: int,
        hf_tokenizer: Any,
        llm_engine: Any,
        images: Any = None,
    ) -> dict[str, Any]:
        """One sample with its reward. Raises `InfraError` when the verifier is down."""
        # The samples of a prompt are one call's, which hands all of them the same object.
        token = id(sampling_params)
        group, earned = self._groups.join(token), None
        try:
            # All samples join before the first can be through.
            await asyncio.sleep(0)
            output: dict[str, Any] = await super().execute(
                prompt, label, sampling_params, max_length, hf_tokenizer, llm_engine, images
            )
            start, end = output["action_ranges"][-1]
            tokens = output["observation_tokens"][start:end]
            judged = await self._judge.judge(
                label["problem"], hf_tokenizer.decode(tokens, skip_special_tokens=False)
            )
            earned = judged.reward
        finally:
            self._groups.settle(token, group, earned)
        worth = await filled(group, earned)
        # The score filters groups and counts proofs; only the reward may hold a bonus.
        proved = worth if earned is None else float(judged.reward == 1.0)
        return output | {"reward": worth, "scores": proved, "extra_logs": logs_of(judged)}

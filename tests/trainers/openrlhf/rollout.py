"""Run under the Python of an environment with OpenRLHF, Ray and vLLM (its CPU build will do):

python rollout.py MODEL PROMPTS_JSONL SAMPLES

Starts Ray with a GPU that is not there, OpenRLHF's own rollout worker with the agent in it, and OpenRLHF's
own sample generator over its own data set; prints one JSON line a sample. What fails there fails here.
"""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

from trainers.openrlhf.plan import AGENT


def main(model: str, prompts: str, samples: int) -> None:
    import ray
    from openrlhf.datasets.prompts_dataset import PromptDataset
    from openrlhf.trainer.ppo_utils.samples_generator import SamplesGenerator
    from openrlhf.trainer.ray.vllm_engine import create_vllm_engines
    from torch.utils.data import DataLoader
    from transformers import AutoTokenizer

    from datasets import load_dataset

    ray.init(num_gpus=1, num_cpus=4, include_dashboard=False)
    tokenizer = AutoTokenizer.from_pretrained(model)
    engines = create_vllm_engines(
        num_engines=1,
        tensor_parallel_size=1,
        pretrain=model,
        seed=1,
        full_determinism=False,
        enable_prefix_caching=True,
        enforce_eager=True,
        max_model_len=256,
        gpu_memory_utilization=0.5,
        agent_func_path=str(AGENT),
    )
    args = SimpleNamespace(
        data=SimpleNamespace(input_key="prompt", label_key="label", apply_chat_template=False),
        rollout=SimpleNamespace(batch_size=4, n_samples_per_prompt=samples),
        vllm=SimpleNamespace(enable_sleep=False),
        algo=SimpleNamespace(
            dynamic_filtering_enable=False, advantage=SimpleNamespace(is_correction_level="off")
        ),
    )
    strategy: Any = SimpleNamespace(args=args, is_rank_0=lambda: True)
    rows = PromptDataset(load_dataset("json", data_files=prompts)["train"], tokenizer, strategy)
    loader = DataLoader(rows, batch_size=1, collate_fn=rows.collate_fn)
    maker = SamplesGenerator(strategy, loader, None, tokenizer, engines)
    exhausted = False
    while not exhausted:
        found, _, _, exhausted = maker.generate_samples(max_len=256, max_new_tokens=24, temperature=1.0)
        for item in found:
            told = {name: value.item() for name, value in item.info.items()}
            print(json.dumps({"label": item.labels[0], **told}), flush=True)
    ray.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))

"""A stand-in for OpenRLHF's command: takes its arguments, misbehaves as `STUB` says, prints what it would.

python stub.py -m openrlhf.cli.train_ppo_ray --option value ...
python stub.py -m torch.distributed.run ... -m openrlhf.cli.train_sft --option value ...
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

SLEEPER = "import time; time.sleep(600)"
ACTOR = "\x1b[36m(PPOTrainer pid=7)\x1b[0m INFO 11-26 10:00:00 ppo_trainer.py:1] "


def step(number: int, **changes: object) -> None:
    figures: dict[str, object] = {
        "policy_loss": -0.01,
        "actor_grad_norm": 0.5,
        "entropy_loss": 0.8,
        "kl": 0.0,
        "score": 0.25,
        "unscored": 0.0,
        "rollout/reward_mean": 0.25,
        "rollout/response_length_mean": 20.0,
        "rollout/truncated_rate": 0.1,
        "rollout/num_samples": 8.0,
        "timing/generation": 0.5,
        "timing/step_total": 1.5,
        **changes,
    }
    told = ", ".join(f"{name!r}: {value}" for name, value in figures.items())
    print(f"{ACTOR}✨ Global step {number}: {{{told}}}", flush=True)


def option(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1]


def train() -> None:
    """Steps for all rows, a checkpoint each, and at the end a model whose first tensor has moved."""
    import torch
    from safetensors.torch import load_file, save_file

    rows = Path(option("--data.prompt_dataset")).read_text(encoding="utf-8").splitlines()
    assert set(json.loads(rows[0])) == {"prompt", "label"}
    steps = len(rows) // int(option("--rollout.batch_size"))
    parent = Path(option("--actor.model_name_or_path"))
    saves, final = Path(option("--ckpt.path")), Path(option("--ckpt.output_dir"))
    first = 1
    if "--ckpt.load_enable" in sys.argv:
        first = 1 + int((saves / "_actor" / "latest").read_text().removeprefix("global_step"))
    weights = load_file(parent / "model.safetensors")
    for number in range(first, steps + 1):
        if "--eval.dataset" in sys.argv and number == 2:
            told = "{'eval_default_pass1': 0.5, 'eval_num_samples': 8.0}"
            print(f"{ACTOR}Evaluation completed in 0:00:01, global_step 1, eval_metrics: {told}", flush=True)
        name = min(weights)
        weights[name] = weights[name] + 0.125
        step(number)
        state = saves / "_actor" / f"global_step{number}"
        state.mkdir(parents=True)
        torch.save({}, state / "mp_rank_00_model_states.pt")
        (state.parent / "latest").write_text(state.name)
        for folder in (saves / f"global_step{number}_hf", *([final] if number == steps else [])):
            folder.mkdir(parents=True)
            save_file(weights, folder / "model.safetensors")
            for file in ("config.json", "tokenizer_config.json", "tokenizer.json"):
                shutil.copy(parent / file, folder / file)
        if os.environ.get("STUB_DIES_AFTER") == str(number):
            os.kill(os.getpid(), signal.SIGKILL)


def teach() -> None:
    """Supervised training: a bar with a line for each pass, and the same as `train` at the end."""
    import torch
    from safetensors.torch import load_file, save_file

    rows = [json.loads(line) for line in Path(option("--data.dataset")).read_text().splitlines()]
    assert all(set(row) == {"prompt", "label"} and row["label"] for row in rows)
    size, once = int(option("--train.batch_size")), int(option("--train.micro_batch_size"))
    gpus = int(next(word for word in sys.argv if word.startswith("--nproc-per-node=")).partition("=")[2])
    passes, steps = size // (once * gpus), len(rows) // size
    parent, saves = Path(option("--model.model_name_or_path")), Path(option("--ckpt.path"))
    first = 1
    if "--ckpt.load_enable" in sys.argv:
        first = 1 + int((saves / "latest").read_text().removeprefix("global_step"))
    weights = load_file(parent / "model.safetensors")
    shown = ""

    def bar(place: int) -> None:
        told = f"{place}/{steps * passes} [00:01<00:01,  1.30s/it{shown}]"
        sys.stderr.write(f"\rTrain step of epoch 0:  50%|##  | {told}")

    for number in range(first, steps + 1):
        for part in range(1, passes + 1):
            bar((number - first) * passes + part)
        for part in range(passes):
            loss = os.environ.get("STUB_LOSS", f"{3 - number + part / 4:.3g}")
            shown = f", gpt_loss={loss}, lr=1e-5, grad_norm=0.5"
            bar((number - first + 1) * passes)
        sys.stderr.flush()
        name = min(weights)
        weights[name] = weights[name] + 0.125
        state = saves / f"global_step{number}"
        state.mkdir(parents=True)
        torch.save({}, state / "mp_rank_00_model_states.pt")
        (saves / "latest").write_text(state.name)
        if os.environ.get("STUB_DIES_AFTER") == str(number):
            os.kill(os.getpid(), signal.SIGKILL)
    final = Path(option("--ckpt.output_dir"))
    final.mkdir(parents=True)
    save_file(weights, final / "model.safetensors")
    for file in ("config.json", "tokenizer_config.json", "tokenizer.json"):
        shutil.copy(parent / file, final / file)


def main() -> None:
    match os.environ.get("STUB", "train"):
        case "talk":
            sys.stdout.write(f"{'x' * 1023}\n" * 1024)
            print("ValueError: the last word")
            sys.exit(3)
        case "hang":
            print("waiting for a GPU", flush=True)
            time.sleep(600)
        case "stall":
            step(1)
            time.sleep(600)
        case "fork":
            for detached in (False, True):
                subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=detached)
            print("RuntimeError: gone", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        case "disk":
            with Path(os.environ["STUB_FILE"]).open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, int(os.environ["STUB_BYTES"]))
            time.sleep(600)
        case "nan":
            step(1)
            step(2, policy_loss="nan")
        case "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True)
            print("ready", flush=True)
            time.sleep(600)
        case "environment":
            print(json.dumps(dict(os.environ)), flush=True)
        case _ if "openrlhf.cli.train_sft" in sys.argv:
            teach()
        case _:
            train()


if __name__ == "__main__":
    main()

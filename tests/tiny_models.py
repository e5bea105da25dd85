"""Language models of a few thousand weights, made on the spot, that transformers and vLLM can both run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ("<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
TEXTS = (
    "theorem p (n : Nat) : n + 0 = n := by\n  intro h\n  exact h\n  simp\n  omega\n",
    "⊢ ∀ ∃ ∧ ∨ → ↔ ¬ h1 : p",
)


def make_tokenizer(path: Path, texts: Iterable[str] = TEXTS, vocabulary: int = 320) -> Any:
    """A byte-level tokenizer with a chat template, saved in the folder `path`."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=SPECIAL[0], eos_token=SPECIAL[1], clean_up_tokenization_spaces=False
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(path)
    return tokenizer


def llama_config(vocabulary: int, context: int = 512, **changes: Any) -> Any:
    """Two layers of two heads, 32 wide (vLLM's kernels on a CPU take no narrower ones)."""
    from transformers import LlamaConfig

    settings = {
        "vocab_size": vocabulary,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": context,
        "bos_token_id": None,
        "eos_token_id": 1,
        "pad_token_id": 0,
    }
    return LlamaConfig(**(settings | changes))


def make_causal_lm(path: Path, context: int = 512) -> Path:
    """A causal model with random weights, spread wide enough that its answers differ."""
    import torch
    from transformers import LlamaForCausalLM

    tokenizer = make_tokenizer(path)
    torch.manual_seed(0)
    LlamaForCausalLM(llama_config(len(tokenizer), context, initializer_range=0.2)).save_pretrained(path)
    return path


def make_classifier(path: Path, context: int = 512) -> Path:
    """A sequence classifier with one label and random weights."""
    import torch
    from transformers import LlamaForSequenceClassification

    tokenizer = make_tokenizer(path)
    torch.manual_seed(0)
    config = llama_config(len(tokenizer), context, initializer_range=0.2, num_labels=1)
    LlamaForSequenceClassification(config).save_pretrained(path)
    return path


def offline_hub(monkeypatch: Any, folder: Path, name: str, branches: dict[str, str]) -> Path:
    """A cache of the hub in `folder` that holds `name` at a commit for each branch, and no network.

    Returns the folder of its snapshots; they hold an empty `config.json`.
    """
    from huggingface_hub import constants

    from harness.serving import hub

    cache = folder / "hub"
    kept = cache / f"models--{name.replace('/', '--')}"
    for branch, commit in branches.items():
        (kept / "snapshots" / commit).mkdir(parents=True, exist_ok=True)
        (kept / "snapshots" / commit / "config.json").write_text("{}")
        (kept / "refs").mkdir(exist_ok=True)
        (kept / "refs" / branch).write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "commit_of", hub.commit_of.__wrapped__)  # and nothing is remembered
    return kept / "snapshots"

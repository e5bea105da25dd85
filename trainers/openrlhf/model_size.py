"""How big a Llama is, from its shape alone: what plans and checks reckon with. Pure."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.experiment.spec import ExperimentSpec, GeneratorSpec

BYTES_BF16 = 2
BYTES_TRAINED = 16
"""Of a weight in mixed-precision Adam: bf16 weight and gradient, float32 weight and two moments."""


@dataclass(frozen=True, slots=True)
class LlamaShape:
    """A Llama's dimensions."""

    hidden: int
    layers: int
    heads: int
    key_heads: int
    inner: int
    """Width of the MLP."""
    vocabulary: int
    context: int
    tied: bool
    """One matrix for both ends."""

    @property
    def parameters(self) -> int:
        """Weights, norms included."""
        head = self.hidden // self.heads
        attention = self.hidden * head * (2 * self.heads + 2 * self.key_heads)
        block = attention + 3 * self.hidden * self.inner + 2 * self.hidden
        ends = self.vocabulary * self.hidden * (1 if self.tied else 2)
        return self.layers * block + ends + self.hidden

    @property
    def cache_bytes_per_token(self) -> int:
        """Keys and values of one token, in bf16."""
        return 2 * self.layers * self.key_heads * (self.hidden // self.heads) * BYTES_BF16


KNOWN = {
    "DeepSeek-Prover-V2-7B": LlamaShape(4096, 30, 32, 32, 11008, 102400, 65536, tied=False),
    "Llama-3.2-1B": LlamaShape(2048, 16, 32, 8, 8192, 128256, 131072, tied=True),
}
"""Models that profiles name, by the end of their names, for plans that are made before they are fetched."""
_SIZE = re.compile(r"(\d+(?:\.\d+)?)[bB](?![a-zA-Z])")
_USUAL_LAYERS, _USUAL_BILLIONS = 32, 7.0


def shape_of(spec: ExperimentSpec) -> LlamaShape:
    """The generator's shape: from its `config.json` where that is at hand, else as it is known or described.

    Of a model from outside by its name, in the end by the billions that stand in it, and else that of 7B.
    """
    if spec.policy is not None:
        return named(spec.policy.model)
    name = spec.generator.checkpoint
    config = None if name is None else Path(name) / "config.json"
    return _described(spec.generator) if config is None or not config.is_file() else read(config)


def longest_text(spec: ExperimentSpec, context: int) -> int:
    """Tokens of the longest text that expert iteration trains on, of a model with that `context`: a prompt
    may be as long as the longest answer."""
    return min(context, 2 * spec.whole_proof.max_new_tokens)


def value_shape_of(spec: ExperimentSpec) -> LlamaShape:
    """The value model's shape: its backbone's, else the generator's."""
    return shape_of(spec) if spec.value.backbone is None else named(spec.value.backbone)


def named(model: str) -> LlamaShape:
    """The shape of a folder's or a named model; a guess from the size in its name where nothing is known."""
    config = Path(model) / "config.json"
    if config.is_file():
        return read(config)
    last = model.rstrip("/").rpartition("/")[2]
    if last in KNOWN:
        return KNOWN[last]
    found = _SIZE.search(last)
    billions = float(found[1]) if found else _USUAL_BILLIONS
    # A layer of a Llama has about 12 times its width squared.
    hidden = max(128, round(math.sqrt(billions * 1e9 / (12 * _USUAL_LAYERS)) / 128) * 128)
    heads = max(1, hidden // 128)
    return LlamaShape(hidden, _USUAL_LAYERS, heads, heads, hidden * 8 // 3, 128_000, 8192, tied=True)


def _described(generator: GeneratorSpec) -> LlamaShape:
    made_here = generator.checkpoint is None
    # A model that is only named has a Llama's usual proportions: an MLP of 8/3 the width, in steps of 256.
    step = 8 if made_here else 256
    inner = max(8, generator.hidden_size * 8 // 3 // step * step)
    return LlamaShape(
        hidden=generator.hidden_size,
        layers=generator.layers,
        heads=generator.heads,
        key_heads=generator.heads,
        inner=inner,
        vocabulary=generator.vocab_size,
        context=generator.context,
        tied=made_here,
    )


def read(path: Path) -> LlamaShape:
    """The shape that a `config.json` describes. Raises `UserError` when it is no Llama's."""
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        heads = int(config["num_attention_heads"])
        return LlamaShape(
            hidden=int(config["hidden_size"]),
            layers=int(config["num_hidden_layers"]),
            heads=heads,
            key_heads=int(config.get("num_key_value_heads") or heads),
            inner=int(config["intermediate_size"]),
            vocabulary=int(config["vocab_size"]),
            context=int(config["max_position_embeddings"]),
            tied=bool(config.get("tie_word_embeddings", False)),
        )
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise UserError(f"{path}: not a Llama's configuration ({cause}); name another checkpoint") from cause

"""A Llama forward pass for inference in float64, built from a Hugging Face checkpoint.

Why not the model class of transformers: its RMSNorm computes in float32 whatever the dtype, so the last
bits of a result depend on what else is in the batch, and a resumed run would not repeat itself. Here
everything is float64; a state's result differs between batches by about 1e-14, which rounding to 1e-6
removes. Decoding also shares each prompt's keys and values between its beams instead of copying them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from harness import checkpoints
from harness.errors import UserError
from harness.prompts import embedded

DTYPE = torch.float64
_TOKENS_AT_ONCE = 512
"""Tokens of prompts that go through the blocks together: so much stays in a core's cache on its way."""
_TOKENS_AT_ONCE_ON_A_GPU = 8192
_MASKED = -1.0e30
"""Finite, so that a fully masked row stays a number; its exponential is exactly 0 beside any other."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Weights of one block; `qkv` and `gate_up` are the stacked projections (out, in)."""

    norm_in: Tensor
    qkv: Tensor
    out: Tensor
    norm_mlp: Tensor
    gate_up: Tensor
    down: Tensor


@dataclass(slots=True)
class Prefix:
    """Keys and values of a batch of prompts, per layer (prompts, heads, length, head width)."""

    keys: list[Tensor]
    values: list[Tensor]
    lengths: Tensor
    """(prompts,) int64; positions from there on are padding."""

    def select(self, rows: Tensor) -> Prefix:
        """The prompts `rows` alone."""
        return Prefix([key[rows] for key in self.keys], [v[rows] for v in self.values], self.lengths[rows])


@dataclass(slots=True)
class Suffix:
    """Keys and values of what was decoded, per layer (prompts, beams, heads, steps, head width)."""

    keys: list[Tensor]
    values: list[Tensor]

    def select(self, rows: Tensor, beams: Tensor) -> Suffix:
        """Prompts `rows`, and within each the beams named by `beams` (len(rows), new beams)."""
        place = rows[:, None]
        return Suffix([key[place, beams] for key in self.keys], [v[place, beams] for v in self.values])


class Llama:
    """Weights and the three passes: `prefill` of prompts, `step` of decoding, `logits` / `score` on top."""

    def __init__(self, config: dict[str, Any], weights: dict[str, Tensor], device: str = "cpu") -> None:
        """`config`: a Hugging Face Llama config; `weights`: its state dict. KeyError on a missing weight.

        `device` is torch's name of where to compute; callers stand inside `scope()`.
        """
        self.device = device
        self.heads: int = config["num_attention_heads"]
        self.width: int = config["hidden_size"] // self.heads
        self.context: int = config["max_position_embeddings"]
        self.epsilon: float = config["rms_norm_eps"]
        rope = config.get("rope_parameters") or {"rope_theta": config.get("rope_theta", 10_000.0)}
        steps = torch.arange(0, self.width, 2, dtype=DTYPE) / self.width
        angles = torch.arange(self.context, dtype=DTYPE)[:, None] * rope["rope_theta"] ** -steps
        self._cos, self._sin = (wave.repeat(1, 2).to(device) for wave in (angles.cos(), angles.sin()))
        weights = {name: tensor.to(device, DTYPE) for name, tensor in weights.items()}
        shared = self.heads // config.get("num_key_value_heads", self.heads)
        self._embedding = weights["model.embed_tokens.weight"]
        self.vocabulary: int = self._embedding.shape[0]
        self._norm = weights["model.norm.weight"]
        self._layers = [self._layer(weights, n, shared) for n in range(config["num_hidden_layers"])]
        self._score = weights.get("score.weight")
        self._head = weights.get("lm_head.weight", self._embedding)

    def scope(self) -> AbstractContextManager[object]:
        """Inside it, new tensors are made on the model's device. Costs nothing on the CPU."""
        return nullcontext() if self.device == "cpu" else torch.device(self.device)

    def _layer(self, weights: dict[str, Tensor], number: int, shared: int) -> Layer:
        def take(name: str) -> Tensor:
            return weights[f"model.layers.{number}.{name}.weight"]

        def repeated(name: str) -> Tensor:
            # Grouped-query attention: each key head serves `shared` query heads, so it is spelled out.
            heads = take(name).view(self.heads // shared, self.width, -1)
            return heads.repeat_interleave(shared, dim=0).reshape(self.heads * self.width, -1)

        return Layer(
            norm_in=take("input_layernorm"),
            qkv=torch.cat(
                [take("self_attn.q_proj"), repeated("self_attn.k_proj"), repeated("self_attn.v_proj")]
            ),
            out=take("self_attn.o_proj"),
            norm_mlp=take("post_attention_layernorm"),
            gate_up=torch.cat([take("mlp.gate_proj"), take("mlp.up_proj")]),
            down=take("mlp.down_proj"),
        )

    def read(self, ids: Sequence[Sequence[int]]) -> Tensor:
        """Hidden state of each prompt's last token (prompts, hidden).

        None may be empty or longer than the context.
        """
        hidden = torch.empty(len(ids), self._embedding.shape[1], dtype=DTYPE)
        for places in self._portions(ids):
            hidden[places] = self._read([ids[place] for place in places])[0]
        return hidden

    def prefill(self, ids: Sequence[Sequence[int]]) -> tuple[Tensor, Prefix]:
        """As `read`, with the keys and values of every prompt."""
        lengths = torch.tensor([len(row) for row in ids])
        hidden = torch.empty(len(ids), self._embedding.shape[1], dtype=DTYPE)
        room = len(ids), self.heads, int(lengths.max()), self.width
        keys, values = ([torch.zeros(room, dtype=DTYPE) for _ in self._layers] for _ in range(2))
        for places in self._portions(ids):
            hidden[places], part = self._read([ids[place] for place in places])
            width = int(part.lengths.max())
            for whole, some in zip([*keys, *values], [*part.keys, *part.values], strict=True):
                whole[places, :, :width] = some
        return hidden, Prefix(keys, values, lengths)

    def _portions(self, ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """Places in `ids`: those of similar length together, within the limit when padded."""
        most = _TOKENS_AT_ONCE if self.device == "cpu" else _TOKENS_AT_ONCE_ON_A_GPU
        portion: list[int] = []
        for place in sorted(range(len(ids)), key=lambda place: len(ids[place])):
            # Ascending lengths: the newcomer is the longest, so it sets the padded width.
            if portion and (len(portion) + 1) * len(ids[place]) > most:
                yield portion
                portion = []
            portion.append(place)
        if portion:
            yield portion

    def _read(self, ids: Sequence[Sequence[int]]) -> tuple[Tensor, Prefix]:
        """One portion, padded on the right, where causal attention cannot see the padding."""
        lengths = torch.tensor([len(row) for row in ids])
        width = int(lengths.max())
        hidden = self._embedding[torch.tensor([[*row, *[0] * (width - len(row))] for row in ids])]
        prefix = Prefix([], [], lengths)
        cos, sin = self._cos[:width, None], self._sin[:width, None]
        ends = torch.arange(len(ids)), lengths - 1
        for number, layer in enumerate(self._layers, start=1):
            q, k, v = self._project(layer, hidden)
            k, v = _rotate(k, cos, sin).transpose(1, 2), v.transpose(1, 2)
            prefix.keys.append(k)
            prefix.values.append(v)
            if number < len(self._layers):
                q = _rotate(q, cos, sin).transpose(1, 2)
                attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
                hidden = self._finish(layer, hidden, attended.transpose(1, 2).flatten(2))
            else:
                # Nothing asks the last block for more than its last token.
                q = _rotate(q[ends], cos[ends[1]], sin[ends[1]])[:, :, None]
                seen = torch.arange(width)[None, :] < lengths[:, None]
                attended = F.scaled_dot_product_attention(q, k, v, attn_mask=seen[:, None, None])
                hidden = self._finish(layer, hidden[ends], attended.flatten(1))
        return self._rms(hidden, self._norm), prefix

    def step(self, tokens: Tensor, prefix: Prefix, suffix: Suffix | None) -> tuple[Tensor, Suffix]:
        """Decode one more token per beam.

        `tokens` (prompts, beams) follow `suffix` on their prompts. Returns hidden states
        (prompts, beams, hidden) and the longer suffix. The context must have room.
        """
        hidden = self._embedding[tokens]
        done = 0 if suffix is None else suffix.keys[0].shape[3]
        position = prefix.lengths + done
        cos, sin = self._cos[position][:, None, None], self._sin[position][:, None, None]
        steps = torch.arange(prefix.keys[0].shape[2])
        mask = torch.zeros(len(tokens), len(steps), dtype=DTYPE)
        mask.masked_fill_(steps[None] >= prefix.lengths[:, None], _MASKED)
        longer = Suffix([], [])
        for number, layer in enumerate(self._layers):
            q, k, v = self._project(layer, hidden)
            q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
            k, v = k[:, :, :, None], v[:, :, :, None]
            if suffix is not None:
                k = torch.cat([suffix.keys[number], k], dim=3)
                v = torch.cat([suffix.values[number], v], dim=3)
            longer.keys.append(k)
            longer.values.append(v)
            attended = self._attend(q, prefix.keys[number], prefix.values[number], mask, k, v)
            hidden = self._finish(layer, hidden, attended)
        return self._rms(hidden, self._norm), longer

    def _attend(self, q: Tensor, keys: Tensor, values: Tensor, mask: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attention of one query per beam over the shared prompt and the beam's own suffix.

        q (prompts, beams, heads, width); keys, values (prompts, heads, length, width);
        mask (prompts, length); k, v (prompts, beams, heads, steps, width).
        Returns (prompts, beams, heads * width).
        """
        scale = self.width**-0.5
        by_head = q.transpose(1, 2)
        on_prompt = by_head @ keys.transpose(2, 3) * scale + mask[:, None, None]
        on_suffix = (k @ q[..., None]).squeeze(-1).transpose(1, 2) * scale
        share = torch.softmax(torch.cat([on_prompt, on_suffix], dim=-1), dim=-1)
        length = keys.shape[2]
        own = share[..., length:].transpose(1, 2)[..., None, :] @ v
        return ((share[..., :length] @ values).transpose(1, 2) + own.squeeze(-2)).flatten(2)

    def _project(self, layer: Layer, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each (..., heads, head width)."""
        stacked = self._rms(hidden, layer.norm_in) @ layer.qkv.T
        q, k, v = stacked.view(*hidden.shape[:-1], 3, self.heads, self.width).unbind(dim=-3)
        return q, k, v

    def _finish(self, layer: Layer, hidden: Tensor, attended: Tensor) -> Tensor:
        """The rest of a block after attention, residuals included."""
        hidden = hidden + attended @ layer.out.T
        gate, up = (self._rms(hidden, layer.norm_mlp) @ layer.gate_up.T).chunk(2, dim=-1)
        return hidden + (F.silu(gate) * up) @ layer.down.T

    def _rms(self, x: Tensor, weight: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.epsilon) * weight

    def logits(self, hidden: Tensor) -> Tensor:
        """Next-token logits (..., vocabulary)."""
        return hidden @ self._head.T

    def score(self, hidden: Tensor) -> Tensor:
        """The classification head's one logit (...,). The checkpoint must have that head."""
        assert self._score is not None
        return (hidden @ self._score.T).squeeze(-1)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding (Su et al. 2021, arXiv 2104.09864, eq. 34), halves layout of Hugging Face."""
    low, high = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-high, low], dim=-1) * sin


def load(path: Path, kind: checkpoints.Kind, device: str = "cpu") -> Llama:
    """The model of a complete checkpoint, on torch's `device`.

    Raises `UserError` when the checkpoint is missing, incomplete or damaged, was trained with another prompt
    format, or is no Llama.
    """
    found = checkpoints.intact(path, kind)
    if found.prompt_format != embedded.FORMAT:
        raise UserError(
            f"{path}: trained with prompt format {found.prompt_format}, this version uses {embedded.FORMAT};"
            " train it again"
        )
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") != "llama":
        raise UserError(
            f"{path}: config.json: model_type {config.get('model_type')!r} does not run in process,"
            " only 'llama' does; serve it and name the server"
        )
    try:
        return Llama(config, checkpoints.weights(path), device)
    except KeyError as cause:
        raise UserError(
            f"{path}: model.safetensors lacks {cause}; train it again, or name another folder"
        ) from cause

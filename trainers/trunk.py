"""A Llama's trunk in training, where only some positions carry loss.

The last block's queries, output projection and MLP serve their own position alone, so they are computed for
the wanted positions and no others; its keys and values, and all earlier blocks, for every one. Of a
generator's examples a fifth of the positions is wanted.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def hidden_at(trunk: Any, ids: Tensor, wanted: Tensor) -> Tensor:
    """(wanted positions, width): what `trunk(ids)` has there in its last hidden state, row by row.

    trunk: a `LlamaModel` with attention by `sdpa`, as transformers makes it.
    ids: (rows, longest) int64, padded on the right, where causal attention needs no mask.
    wanted: (rows, longest) bool, one position at least.
    """
    places = torch.arange(ids.shape[1], device=ids.device)[None]
    hidden = trunk.embed_tokens(ids)
    turned = trunk.rotary_emb(hidden, position_ids=places)
    *earlier, last = trunk.layers
    for block in earlier:
        hidden = block(hidden, position_embeddings=turned, position_ids=places)
    here = hidden[wanted]
    here = here + last.self_attn.o_proj(_attended(last, hidden, here, wanted, turned))
    here = here + last.mlp(last.post_attention_layernorm(here))
    return trunk.norm(here)


def _attended(
    block: Any, hidden: Tensor, here: Tensor, wanted: Tensor, turned: tuple[Tensor, Tensor]
) -> Tensor:
    """(wanted positions, heads x head width): what the queries of `here` find in the whole `hidden`."""
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    attention = block.self_attn
    rows, columns = wanted.nonzero(as_tuple=True)
    slots = wanted.cumsum(1)[wanted] - 1
    per_head = (-1, attention.head_dim)
    seen = block.input_layernorm(hidden)
    keys = attention.k_proj(seen).unflatten(-1, per_head).transpose(1, 2)
    values = attention.v_proj(seen).unflatten(-1, per_head).transpose(1, 2)
    cos, sin = turned
    asked = attention.q_proj(block.input_layernorm(here)).unflatten(-1, per_head)
    asked, _ = apply_rotary_pos_emb(asked, asked, cos[0, columns], sin[0, columns])
    _, keys = apply_rotary_pos_emb(keys, keys, cos, sin)
    # Rows want unlike numbers of positions: their queries stand side by side, filled up to the most.
    most = int(slots.max()) + 1
    queries = asked.new_zeros(len(hidden), most, *asked.shape[1:])
    queries[rows, slots] = asked
    upto = columns.new_zeros(len(hidden), most)
    upto[rows, slots] = columns
    visible = torch.arange(hidden.shape[1], device=hidden.device) <= upto[..., None]
    found = F.scaled_dot_product_attention(
        queries.transpose(1, 2),
        keys,
        values,
        attn_mask=visible[:, None],
        scale=attention.scaling,
        enable_gqa=keys.shape[1] != queries.shape[2],
    )
    return found.transpose(1, 2)[rows, slots].flatten(1)

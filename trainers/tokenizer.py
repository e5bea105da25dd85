"""A byte-level BPE made from the training texts at run time: no download, no unknown character.

Texts are first cut into line breaks, words, and single symbols (a leading space stays with its piece), so
no token crosses a line break: that a tactic ends there is then the choice of one token.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from harness.prompts import embedded

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PIECES = r"\n| ?[\p{L}\p{N}_']+| ?(?::=|=>|<;>|\+\+|::|[^\s\p{L}\p{N}_'])| "


def build(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Train the tokenizer on `texts`; at most `vocab_size` entries (fewer when the texts hold fewer merges).

    The special tokens come first, in the order of `prompts.SPECIAL_TOKENS`. Equal texts give equal results.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(embedded.SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def wrap(tokenizer: Tokenizer, context: int) -> Any:
    """The same tokenizer as transformers knows it (padding on the left), ready to be saved with a model."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=embedded.PAD,
        eos_token=embedded.END,
        additional_special_tokens=[embedded.SEPARATOR],
        padding_side="left",
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )

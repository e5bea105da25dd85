"""The byte-level BPE: nothing is unknown, line breaks stand alone, the same texts give the same tokens."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.prompts import embedded
from trainers import tokenizer

TEXTS = ["P Q : Prop\nh1 : P ∧ Q\n⊢ ∀ x, Q → P", "obtain ⟨h2, h3⟩ := h1\nassumption"] * 20
MADE = tokenizer.build(TEXTS, 300)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_every_text_comes_back(text: str) -> None:
    ids = MADE.encode(text).ids
    if not any(special in text for special in embedded.SPECIAL_TOKENS):
        assert MADE.decode(ids, skip_special_tokens=False) == text


def test_special_tokens_have_their_ids_and_size_is_kept() -> None:
    assert [MADE.token_to_id(token) for token in embedded.SPECIAL_TOKENS] == [
        embedded.PAD_ID,
        embedded.END_ID,
        embedded.SEPARATOR_ID,
    ]
    assert MADE.get_vocab_size() <= 300
    assert MADE.encode("⊢ P<sep>").ids[-1] == embedded.SEPARATOR_ID


def test_a_line_break_is_one_token_of_its_own() -> None:
    (newline,) = MADE.encode("\n").ids
    ids = MADE.encode("assumption\n\nobtain").ids
    assert ids.count(newline) == 2
    others = [
        MADE.decode([i], skip_special_tokens=False) for i in range(MADE.get_vocab_size()) if i != newline
    ]
    assert not any("\n" in token for token in others)


def test_frequent_words_are_one_token() -> None:
    assert len(MADE.encode("assumption").ids) == 1


def test_the_same_texts_give_the_same_tokenizer() -> None:
    assert tokenizer.build(TEXTS, 300).to_str() == MADE.to_str()


def test_transformers_reads_it_alike() -> None:
    wrapped = tokenizer.wrap(MADE, 128)
    text = "P Q : Prop\n⊢ ∀ x, Q<sep>"
    assert wrapped(text)["input_ids"] == MADE.encode(text).ids
    assert (wrapped.pad_token_id, wrapped.eos_token_id, wrapped.padding_side) == (0, 1, "left")

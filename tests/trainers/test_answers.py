"""What a generator of another family is taught: its own answer where that was kept, else a plain one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import UserError
from harness.prompts.prompt import Prompt, user
from harness.prompts.registry import families, family
from harness.types import Attempt, Problem, SearchStats, Usage
from trainers import answers
from trainers.answers import written
from trainers.examples import tactic_block

PROBLEM = Problem(
    id="p", benchmark="b", split="s", header="import Mathlib\n\n", statement="theorem p : True ∧ True",
    theorem="p", placeholder=" := by sorry",
)  # fmt: skip
FENCED = family("deepseek-prover-v2-non-cot")
OPENED = family("deepseek-prover-v1.5")
FILE = "```lean4\nimport Mathlib\n\ntheorem p : True ∧ True := by\n  constructor\n  trivial\n  trivial\n```"
BLOCK = "constructor\ntrivial\ntrivial"


def attempt(proof: str, raw: str = "", **more: Any) -> Attempt:
    return Attempt("p", 0, 1, proof, raw=raw, **more)


def test_the_models_own_answer_is_taught_where_it_was_kept() -> None:
    raw = f"First I split it.\n\n{FILE}"
    read = FENCED.read_proof(raw).text
    assert written(FENCED, PROBLEM, attempt(read, raw)) == raw
    cut = written(FENCED, PROBLEM, attempt(read, raw, usage=Usage(1, 9, truncated=True)))
    assert cut is not None and cut != raw, "an answer that did not end teaches no end"


@pytest.mark.parametrize("name", [name for name, item in families().items() if item.proof is not None])
def test_what_a_search_found_becomes_an_answer_that_its_family_reads_back(name: str) -> None:
    found = attempt(BLOCK, search=SearchStats())
    text = written(family(name), PROBLEM, found)
    assert text is not None
    read = family(name).read_proof(text).text
    assert tactic_block(PROBLEM, read).split() == BLOCK.split()


def test_the_plain_forms_word_for_word() -> None:
    found = attempt(BLOCK, search=SearchStats())
    assert written(FENCED, PROBLEM, found) == FILE
    assert written(OPENED, PROBLEM, found) == "  constructor\n  trivial\n  trivial\n```"
    # Helpers do not fit behind a statement that the prompt holds already.
    cut = Usage(1, 9, truncated=True)
    helped = attempt("lemma h : True := trivial\n\ntheorem p : True ∧ True := ⟨h, h⟩", usage=cut)
    assert written(OPENED, PROBLEM, helped) is None
    fenced = written(FENCED, PROBLEM, helped)
    assert fenced is not None and "lemma h : True := trivial\ntheorem p" in fenced
    assert tactic_block(PROBLEM, FENCED.read_proof(fenced).text).split() == ["⟨h,", "h⟩"]


class Words:
    """A tokenizer of words, with a beginning of its own."""

    bos_token, bos_token_id, chat_template, name_or_path = "<s>", 1, "", "here"

    def __call__(self, text: str) -> Any:
        return SimpleNamespace(input_ids=[1, *range(len(text.split()))])


def test_plain_prompts_begin_as_the_server_begins_them() -> None:
    assert answers.prompt_text(Words(), Prompt(text="Prove it")) == "<s>Prove it"
    assert answers.prompt_text(Words(), Prompt(text="<s>Prove it")) == "<s>Prove it"
    with pytest.raises(UserError, match=r"generator\.prompt: needs a chat template and here has none"):
        answers.prompt_text(Words(), Prompt(user("Prove it")))


def test_of_a_theorem_the_shortest_that_fits_is_taught() -> None:
    texts = [attempt(f"{'skip' + chr(10) if n else ''}{BLOCK}", search=SearchStats()) for n in (1, 0)]
    proved = [(PROBLEM, text) for text in texts]
    tokenizer = Words()
    found, skipped = answers.taught(OPENED, proved, tokenizer, lambda text: True)
    assert skipped == 0 and [text.completion for text in found] == [written(OPENED, PROBLEM, texts[1])]
    found, skipped = answers.taught(OPENED, proved, tokenizer, lambda text: "skip" in text.completion)
    assert skipped == 0 and "skip" in found[0].completion
    assert answers.taught(OPENED, proved, tokenizer, lambda text: False) == ([], 1)

"""From accepted proofs to what a generator of another family is taught: its own prompts, its own answers.

An answer is the model's own text as it was accepted. Where that was not kept, or did not end by itself, it is
the accepted file in the plainest form that the family reads back as the same Lean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from harness.errors import UserError
from harness.lean.text.answer import read_answer
from harness.lean.text.assemble import assemble
from harness.prompts.family import Family
from harness.prompts.prompt import Prompt
from harness.types import Attempt, Problem
from trainers.collect import block_of
from trainers.examples import Example, shortest_first

Fits = Callable[[Example], bool]


def taught(
    family: Family, proved: Iterable[tuple[Problem, Attempt]], tokenizer: Any, fits: Fits
) -> tuple[list[Example], int]:
    """One text of each theorem, of its shortest proof that can be written and `fits`, and the number of
    theorems that have none. `tokenizer`: transformers' own, of the generator."""
    assert family.proof is not None
    attempts: dict[tuple[str, str], tuple[Problem, Attempt]] = {}
    for problem, attempt in proved:
        attempts.setdefault((problem.revision, block_of(problem, attempt)), (problem, attempt))
    theorems = shortest_first((problem, block) for (_, block), (problem, _) in attempts.items())
    found = []
    for problem, blocks in theorems:
        prompt = prompt_text(tokenizer, family.proof(problem))
        answers = (written(family, *attempts[problem.revision, block]) for block in blocks)
        texts = (Example(prompt, answer) for answer in answers if answer)
        chosen = next(filter(fits, texts), None)
        if chosen is not None:
            found.append(chosen)
    return found, len(theorems) - len(found)


def prompt_text(tokenizer: Any, prompt: Prompt) -> str:
    """All that stands before an answer, special tokens spelled out, as a server would send it to the model.

    Raises `UserError` for a conversation with a model that has no chat template.
    """
    if prompt.messages:
        if not tokenizer.chat_template:
            raise UserError(
                f"generator.prompt: needs a chat template and {tokenizer.name_or_path} has none; choose a "
                "family of plain text"
            )
        turns = [{"role": turn.role, "content": turn.content} for turn in prompt.messages]
        return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
    first, bos = tokenizer(prompt.text).input_ids[:1], tokenizer.bos_token
    begun = bos and first == [tokenizer.bos_token_id] and not prompt.text.startswith(bos)
    return f"{bos}{prompt.text}" if begun else prompt.text


def written(family: Family, problem: Problem, attempt: Attempt) -> str | None:
    """An answer that the family reads as the accepted proof; None where there is no such form."""
    proof = attempt.proof or ""
    own = attempt.raw or proof
    wrote_it = attempt.search is None and not attempt.usage.truncated
    if wrote_it and family.read_proof(own).text == proof:
        return own
    return next((text for text in _plain(problem, proof) if _says(family, problem, text, proof)), None)


def _plain(problem: Problem, proof: str) -> Iterator[str]:
    """The accepted file in a fence, and the proof as the rest of a block that the prompt has opened."""
    whole = assemble(problem, proof)
    if whole.refused is None and whole.other is None:
        yield f"```lean4\n{whole.text.rstrip()}\n```"
    read = read_answer(problem, proof)
    if not read.helpers and not read.values and read.proof.startswith(" := by\n"):
        yield f"{read.proof.removeprefix(' := by').strip(chr(10))}\n```"


def _says(family: Family, problem: Problem, text: str, proof: str) -> bool:
    """Whether the family reads `text` as the Lean of `proof`."""
    there, wanted = read_answer(problem, family.read_proof(text).text), read_answer(problem, proof)
    return [there.helpers, there.proof.split()] == [wanted.helpers, wanted.proof.split()]

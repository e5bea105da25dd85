"""Benchmarks that live elsewhere: read from a git checkout, a JSONL file, or the Hugging Face hub.

A manifest's `source` section says how its rows read:

    git, commit        where the files are, and the pinned commit
    files              {split: glob} when the checkout has one file per problem
    monolith           {split: path} when it has one file per split (the older layout)
    rows               {split: path} of JSONL files; the split `*` means that a column says it
    hub, hub_revision  Hugging Face data set and its pinned revision
    columns            names of the columns: name, split, text (or a list that makes the text), informal, gold
    split_names        {their name: our name}
    header             replaces the header of every problem
    track              PutnamBench: `with answer` or `without answer`
    words              keywords that start a problem, when not `theorem` and `lemma` only
    last_theorem       the problem is the last theorem of a row, earlier ones belong to its header
    skip_unported      leave out rows without any theorem (statements that are only commented out)
    repeats            rows repeat on purpose: keep one of each, and number equal names
    rows_kept          {column: [values]}: leave out rows with another value
    reader             `leandojo` for data that has no statement column
"""

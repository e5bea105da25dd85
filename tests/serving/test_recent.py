"""What is remembered, and what goes first."""

from harness.serving.recent import Recent


def test_what_was_used_longest_ago_goes_first():
    kept: Recent[str, int] = Recent(2)
    kept.add({"a": 1, "b": 2})
    assert kept.get("a") == 1
    kept.add({"c": 3})
    assert (kept.get("a"), kept.get("b"), kept.get("c"), len(kept)) == (1, None, 3, 2)

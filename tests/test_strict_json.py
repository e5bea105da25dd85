"""JSON as files of facts are read: the same value as the standard library's, or a refusal."""

import json

import pytest

from harness.strict_json import RepeatedKey, parse


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"b": [{"c": 1.5}, 2]}, "d": null}',
        '{"a": "\\\\", "b": ": c", "c\\\\": "said \\"x\\": y", ":": true}',
        '{"a" : 1, "b"\t:\r\n2}',
        '{"big": 1e308, "whole": 123456789012345678901234567890}',
        '[1.5, {"a": ""}, [], "lone \\ud800"]',
    ],
)
def test_any_object_reads_as_it_is(text: str) -> None:
    assert parse(text.encode()) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 1}',
        '{"a" : 1, "a": 2}',
        '{"x": [{"b": 0, "a": 1, "a": 2}]}',
        '{"a"\n: 1, "a"\n: 2, "text": "\\"q\\":"}',
        '{"a": 1, "\\u0061": 2}',
    ],
)
def test_a_key_that_stands_twice_is_named(text: str) -> None:
    with pytest.raises(RepeatedKey, match="key 'a' stands twice"):
        parse(text.encode())


@pytest.mark.parametrize("text", ["[1e999]", '{"a": -1e400}', "NaN", '{"a": Infinity}', "[" * 100_000])
def test_what_no_number_holds_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no JSON number|nested too deeply"):
        parse(text.encode())

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SpecError
from harness.experiment.spec import ExperimentSpec, build
from harness.nested import changed_keys, digest, nearest, override, read_yaml

MINIMAL = {
    "name": "tiny",
    "lean": {"service": "core"},
    "train": {"benchmark": "core-curriculum", "split": "train"},
    "evaluations": [
        {"name": "search", "prover": "best_first", "problems": {"benchmark": "smoke", "split": "test"}}
    ],
}


def test_the_smallest_experiment_needs_only_what_has_no_default() -> None:
    spec = build(MINIMAL, "tiny.yaml")
    assert spec.search.alpha == 0.5
    assert spec.value.gamma == 0.95


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("search.alfa", 0.5, "tiny.yaml: search.alfa: unknown key; did you mean 'alpha'?"),
        ("serch", {}, "tiny.yaml: serch: unknown key; did you mean 'search'?"),
        ("search.decode.widht", 4, "tiny.yaml: search.decode.widht: unknown key; did you mean 'width'?"),
        ("search.alpha", 1.5, "tiny.yaml: search.alpha: input should be less than or equal to 1, not 1.5"),
        ("search.alpha", -0.1, "input should be greater than or equal to 0"),
        ("value.gamma", 0, "value.gamma: input should be greater than 0, not 0"),
        ("value.gamma", 1.01, "value.gamma: input should be less than or equal to 1"),
        ("grpo.kl", "0.1x", 'grpo.kl: input should be a valid number, not "0.1x"'),
        ("grpo.samples", 1, "grpo.samples: input should be greater than or equal to 2"),
        ("grpo.clip_low", 1, "grpo.clip_low: input should be less than 1, not 1"),
        ("grpo.clip_high", 0, "grpo.clip_high: input should be greater than 0, not 0"),
        ("seed", -1, "seed: input should be greater than or equal to 0, not -1"),
        ("seed", 4_000_001, "seed: input should be less than or equal to 4000000, not 4000001"),
        ("seed", 10**20 - 1, "seed: input should be less than or equal to 4000000, not 99999999999999999999"),
        ("seed", True, "seed: input should be a valid integer"),
        ("lean.service", "lean4", "lean.service: input should be 'core', 'file', 'repl' or 'kimina'"),
        ("generator.heads", 5, "hidden_size 96 must be a multiple of heads 5"),
        ("evaluations", [], "evaluations: is empty; list at least one"),
        ("train", None, "train"),
    ],
)
def test_a_mistake_is_one_line_naming_file_key_and_fix(key: str, value: object, expected: str) -> None:
    with pytest.raises(SpecError) as error:
        build(override(MINIMAL, key, value), "tiny.yaml")
    assert expected in str(error.value)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("tiny.yaml: ")


def test_pass_at_k_beyond_the_samples_is_refused() -> None:
    row = {**MINIMAL["evaluations"][0], "samples": 4, "k": [1, 8]}  # type: ignore[index]
    with pytest.raises(SpecError, match=r"k: 8 is not between 1 and samples \(4\)"):
        build({**MINIMAL, "evaluations": [row]}, "tiny.yaml")


def test_pass_at_k_twice_is_refused() -> None:
    row = {**MINIMAL["evaluations"][0], "samples": 4, "k": [1, 4, 4]}  # type: ignore[index]
    with pytest.raises(SpecError, match="k: 4 is listed twice; list it once"):
        build({**MINIMAL, "evaluations": [row]}, "tiny.yaml")


def test_the_seed_of_every_round_is_one_that_numpy_takes() -> None:
    spec = build({**MINIMAL, "seed": 4_000_000}, "tiny.yaml")
    np.random.RandomState(spec.seed * 1000 + 999)


def test_two_evaluations_of_one_name_are_refused() -> None:
    row = MINIMAL["evaluations"][0]  # type: ignore[index]
    with pytest.raises(SpecError, match="names must be distinct"):
        build({**MINIMAL, "evaluations": [row, row]}, "tiny.yaml")


@pytest.mark.parametrize("text", ["off", "'off'", "false", "no"])
def test_tracking_is_switched_off_with_or_without_quotes(text: str) -> None:
    spec = build({**MINIMAL, "tracking": yaml.safe_load(f"wandb: {text}")}, "tiny.yaml")
    assert spec.tracking.wandb == "off"
    with pytest.raises(SpecError, match=r"tracking.wandb: input should be 'off', .* or 'auto', not \"on\""):
        build({**MINIMAL, "tracking": yaml.safe_load("wandb: on")}, "tiny.yaml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: [", "not valid YAML"),
        ("- 1", "must be a mapping of keys to values, not list"),
        ("", "must be a mapping of keys to values, not NoneType"),
    ],
)
def test_an_unreadable_file_is_one_line(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=expected):
        read_yaml(path)
    with pytest.raises(SpecError, match=r"absent\.yaml: cannot be read"):
        read_yaml(tmp_path / "absent.yaml")


def read(tmp_path: Path, text: str) -> dict[str, object]:
    path = tmp_path / "some.yaml"
    path.write_text(text)
    return read_yaml(path)


def test_a_number_may_be_written_as_in_yaml_1_2(tmp_path: Path) -> None:
    given = read(tmp_path, "value: {learning_rate: 1e-3, weight_decay: 0}\ngrpo: {learning_rate: 1.5E2}")
    spec = build({**MINIMAL, **given}, "some.yaml")
    assert (spec.value.learning_rate, spec.grpo.learning_rate) == (0.001, 150.0)
    assert read(tmp_path, "{a: '1e-3', b: e3, c: 1e, d: 12, e: 1.0e-3, f: 1e3-run, g: x1e3}") == {
        "a": "1e-3",
        "b": "e3",
        "c": "1e",
        "d": 12,
        "e": 0.001,
        "f": "1e3-run",
        "g": "x1e3",
    }


def test_a_date_is_text(tmp_path: Path) -> None:
    assert build({**MINIMAL, **read(tmp_path, "name: 2026-01-31")}, "some.yaml").name == "2026-01-31"


def test_a_repeated_key_is_one_line_with_its_lines(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as error:
        read(tmp_path, "name: x\nsearch:\n  alpha: 0.1\n  width: 2\n  alpha: 0.9\n")
    told = f"{tmp_path / 'some.yaml'}: alpha: stands in line 3 and again in line 5; keep one"
    assert str(error.value) == told


def test_a_key_over_a_merged_one_is_not_repeated(tmp_path: Path) -> None:
    text = "a: {x: &a {k: 1, m: 2}}\nb: {y: {z: &b {<<: *a, k: 3}}}\nc: {<<: *b, k: 4}"
    assert read(tmp_path, text)["c"] == {"k": 4, "m": 2}


def test_overrides_reach_their_field_dotted_or_nested() -> None:
    dotted = build(override(MINIMAL, "search.alpha", 0.25), "x")
    nested = build(override(MINIMAL, "search", {"alpha": 0.25}), "x")
    assert dotted == nested
    assert dotted.search.alpha == 0.25


def test_an_override_leaves_its_neighbours_alone() -> None:
    data = override(override(MINIMAL, "search.alpha", 0.25), "search", {"expansions": 3})
    assert data["search"] == {"alpha": 0.25, "expansions": 3}
    assert "search" not in MINIMAL


def test_an_override_reaches_into_a_list_by_number_and_by_name() -> None:
    data = override(override(MINIMAL, "evaluations.0.samples", 8), "evaluations.0.problems", {"limit": 5})
    (row,) = data["evaluations"]
    assert data == override(MINIMAL, "evaluations", {"0": {"samples": 8, "problems": {"limit": 5}}})
    assert (row["samples"], row["problems"]) == (8, {"benchmark": "smoke", "split": "test", "limit": 5})
    assert "samples" not in MINIMAL["evaluations"][0]  # type: ignore[index]
    assert override(MINIMAL, "evaluations.search.samples", 8) == override(MINIMAL, "evaluations.0.samples", 8)
    for key, known in (("1.k", "count from 0"), ("serach.k", "did you mean 'search'?"), ("-1", "there are")):
        with pytest.raises(SpecError, match=r"no item '.*' in this list of 1; ") as caught:
            override(MINIMAL, f"evaluations.{key}", 8)
        assert known in str(caught.value)


def test_the_digest_depends_on_values_alone() -> None:
    spec = build(MINIMAL, "a.yaml")
    again = ExperimentSpec.model_validate_json(spec.model_dump_json())
    assert digest(spec) == digest(again)
    assert digest(spec) != digest(build(override(MINIMAL, "seed", 1), "a.yaml"))
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers() | st.none(), max_size=4),
    st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers() | st.none(), max_size=4),
)
def test_changed_keys_names_exactly_the_differences(old: dict[str, object], new: dict[str, object]) -> None:
    expected = sorted(k for k in {*old, *new} if old.get(k) != new.get(k))
    assert changed_keys(old, new) == expected


def test_changed_keys_are_dotted() -> None:
    assert changed_keys({"search": {"alpha": 0.1}}, {"search": {"alpha": 0.2}}) == ["search.alpha"]


def test_nearest_lists_the_known_ones_when_none_is_close() -> None:
    assert nearest("zzz", ["beta", "alpha"]) == "; there are: alpha, beta"


def test_the_pure_rooms_import_no_heavy_package() -> None:
    code = (
        "import sys, harness.types, harness.spec, harness.errors, harness.protocols\n"
        "print([m for m in ('torch', 'wandb', 'httpx', 'transformers', 'datasets') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"

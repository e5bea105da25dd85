"""Sweep files and the experiments that their points mean, compared with what W&B does with the same file."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import SpecError
from harness.experiment import files
from harness.experiment.files import Overrides, resolve, setting
from harness.experiment.spec import ExperimentSpec
from harness.experiment.sweep import Sweep, label, points, read_sweep, samples
from harness.nested import read_yaml
from harness.paths import data_folder
from harness.spec import TrackingSpec


@pytest.fixture(autouse=True)
def _no_base_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARNESS_BASE", raising=False)


def read(tmp_path: Path, text: str) -> Sweep:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    return read_sweep(path)


STOP = "parameters: {a: {value: 1}}\nmethod: grid\nearly_terminate:"
RUN = "method: random\nrun_cap: 1\nparameters: "
WRONG = {
    "metod: grid\nparameters: {a: {value: 1}}": "metod: unknown key; did you mean 'method'?",
    "method: bayes\nparameters: {a: {value: 1}}": "run_cap: missing; a bayes sweep needs a number",
    "method: custom\nparameters: {a: {value: 1}}": "method: 'custom' is not run here; set one of",
    "method: bayes\nrun_cap: 3\nparameters: {a: {value: 1}}": "metric: missing; method: bayes needs a metric",
    f"{STOP} {{type: hyperband}}": "early_terminate: needs min_iter, or max_iter and s",
    f"{STOP} {{type: median}}": "early_terminate.type: 'median' is unknown; write hyperband",
    f"{STOP} {{tpe: hyperband}}": "early_terminate.tpe: unknown key; did you mean 'type'?",
    f"{STOP} {{type: hyperband, min_iter: 0}}": "min_iter: must be a whole number of at least 1, not 0",
    f"{STOP} {{type: hyperband, min_iter: 1}}": "metric: missing; early_terminate needs a metric to go by",
    "method: grid": "parameters: missing",
    "base: embedded\nsearch: {alpha: 0.5}": "s.yaml is an experiment file; use harness run",
    "method: grid\nparameters: {}": "parameters: missing",
    "method: grid\nparameters: {a: 3}": "parameters.a: must be a mapping such as `value: 3`",
    "method: grid\nparameters: {a: {vales: [1]}}": "parameters.a.vales: unknown key; did you mean 'values'?",
    "method: grid\nparameters: {a: {parameters: {b: {vlue: 1}}}}": "parameters.a.b.vlue: unknown key",
    "method: grid\nparameters: {a: {values: []}}": "parameters.a.values: must be a list with at least one",
    "method: grid\nparameters: {a: {value: 1, values: [1]}}": "parameters.a: give value or values, not both",
    "method: grid\nparameters: {a: {values: [1, 2], probabilities: [1]}}": "parameters.a.probabilities",
    "method: grid\nparameters: {a: {min: 0.0, max: 1.0}}": "uniform has no end of values",
    "method: random\nrun_cap: 1\nparameters: {a: {min: '0', max: 1.0}}": "a.min: needs a number, not '0'",
    "method: grid\nparameters:\n  a: {value: 1}\n  a: {value: 2}": "s.yaml: a: stands in line 3 and again in",
    "method: grid\nparameters: {a: {value: 1, value: 2}}": "value: stands in line 2 and again in line 2",
    "method: grid\nparameters: {a: {distribution: unifrm, min: 0, max: 1}}": "did you mean 'uniform'?",
    "method: grid\nrun_cap: 0\nparameters: {a: {value: 1}}": "run_cap: must be a whole number above 0",
    "method: random\nparameters: {a: {values: [1]}}": "run_cap: missing; a random sweep needs",
    "method: grid\nparameters: {a: {values: [0.5, 1, .5]}}": "parameters.a.values: 0.5 is listed twice",
    "method: grid\nparameters: {a: {values: [[1], [1]]}}": "parameters.a.values: [1] is listed twice",
    "method: grid\nparameters: {a: {min: 3, max: 1}}": "parameters.a: min 3 is above max 1; swap them",
    f"{RUN}{{a: {{min: 0.3, max: 0.1}}}}": "parameters.a: min 0.3 is above max 0.1; swap them",
    f"{RUN}{{a: {{min: 0, max: .inf}}}}": "parameters.a.max: needs a number, not inf",
    f"{RUN}{{a: {{distribution: int_uniform, min: 0.5, max: 2}}}}": "int_uniform needs a whole min and max",
    f"{RUN}{{a: {{distribution: log_uniform_values, min: 0, max: 2}}}}": "a.min: log_uniform_values needs a",
    f"{RUN}{{a: {{distribution: q_uniform, min: 0, max: 2, q: 0}}}}": "a.q: must be above 0, not 0",
    f"{RUN}{{a: {{values: [1, 2], probabilities: [0, 0]}}}}": "probabilities: must be numbers of at least 0",
    f"{RUN}{{a: {{values: [1, 2], probabilities: [-1, 2]}}}}": "probabilities: must be numbers of at least 0",
    "method: grid\nparameters: {a.b: {value: 1}, a: {parameters: {b: {value: 2}}}}": "a.b: is also set by",
    "method: grid\nparameters: {a.b: {values: [1, 2]}, a: {value: {c: 1}}}": "a.b: is also set by",
    "method: grid\nparameters: {search: {alpha: {values: [0]}, gamma: {value: 1}}}": (
        "parameters.search: write `parameters:` under it and alpha, gamma under that"
    ),
    "method: grid\nkind: launch\nparameters: {a: {value: 1}}": "kind: 'launch' is no sweep",
    "method: grid\nscheduler: {engine: wandb}\nparameters: {a: {value: 1}}": "scheduler: not supported here",
    "method: grid\nmetric: {goal: maximize}\nparameters: {a: {value: 1}}": "metric.name: missing; name a fig",
    f"{RUN}{{a: {{min: 0, max: 1.5}}}}": "min 0 and max 1.5: W&B takes two whole numbers or two with a point",
    f"{RUN}{{a: {{distribution: beta, a: 2, b: 0}}}}": "a.b: must be above 0, not 0",
    f"{RUN}{{a: {{distribution: beta, a: 2}}}}": "a.b: needs a number, not None",
    f"{RUN}{{a: {{distribution: constant}}}}": "distribution constant needs value",
    f"{RUN}{{a: {{distribution: q_int_uniform, min: 1, max: 2}}}}": "did you mean 'int_uniform'?",
    "method: grid\nmetric: {nam: x}\nparameters: {a: {value: 1}}": "metric.nam: unknown key; did you mean",
    "method: grid\nmetric: {name: x, goal: up}\nparameters: {a: {value: 1}}": "metric.goal: 'up'",
    "- 1": "must be a mapping",
}


@pytest.mark.parametrize("text", WRONG, ids=list(WRONG.values()))
def test_a_wrong_sweep_file_gives_one_line_with_file_key_and_fix(tmp_path: Path, text: str) -> None:
    with pytest.raises(SpecError) as caught:
        points(read(tmp_path, text))
    message = str(caught.value)
    assert str(tmp_path / "s.yaml") in message and "\n" not in message
    assert WRONG[text] in message


def test_a_grid_goes_by_sorted_names_with_the_last_one_fastest(tmp_path: Path) -> None:
    sweep = read(tmp_path, "method: grid\nparameters: {b: {values: [1, 2]}, a: {values: [y, x]}}")
    assert list(points(sweep)) == [
        {"a": "y", "b": 1},
        {"a": "y", "b": 2},
        {"a": "x", "b": 1},
        {"a": "x", "b": 2},
    ]


NESTED = """
method: grid
parameters:
  base: {value: embedded}
  seed: {min: 0, max: 1}
  search:
    parameters:
      alpha: {values: [0.0, 1.0]}
      decode: {parameters: {width: {value: 4}}}
"""


def test_nested_parameters_make_nested_points_and_dotted_names_mean_the_same(tmp_path: Path) -> None:
    nested = read(tmp_path, NESTED)
    dotted = read(
        tmp_path,
        "method: grid\nparameters: {base: {value: embedded}, seed: {values: [0, 1]},"
        " search.alpha: {values: [0.0, 1.0]}, search.decode.width: {value: 4}}",
    )
    assert list(points(nested)) == list(points(dotted))
    assert points(nested)[1] == {
        "base": "embedded",
        "search": {"alpha": 0.0, "decode": {"width": 4}},
        "seed": 1,
    }
    assert len(points(nested)) == 4
    assert nested.varied == ["search.alpha", "seed"]
    assert label(nested, points(nested)[1]) == "search.alpha=0.0 seed=1"


@pytest.mark.parametrize(
    ("leaf", "values"),
    [
        ("{min: 2, max: 5}", [2, 3, 4, 5]),
        ("{distribution: q_uniform, min: 0, max: 1, q: 0.25}", [0.0, 0.25, 0.5, 0.75]),
        ("{values: [1e-3, 1E+2, .5e1, -2.e-1, 1e]}", [0.001, 100.0, 5.0, -0.2, "1e"]),
        ("{value: null}", [None]),
        ("{values: [true, 1, '1']}", [True, 1, "1"]),
        ("{values: [true, no-base]}", [True, "no-base"]),
    ],
)
def test_the_values_of_a_grid_parameter(tmp_path: Path, leaf: str, values: list[Any]) -> None:
    sweep = read(tmp_path, f"method: grid\nparameters: {{a: {leaf}}}")
    assert [point["a"] for point in points(sweep)] == values


@pytest.mark.parametrize(
    ("leaf", "low", "high"),
    [
        ("{distribution: beta, a: 2, b: 2}", 0, 1),
        ("{distribution: q_beta, a: 2, b: 2, q: 0.25}", 0, 1),
        ("{distribution: q_log_normal, mu: 0, sigma: 1, q: 1}", 0, 1e9),
        ("{distribution: inv_log_uniform, min: 0, max: 2}", 0.13, 1),
        ("{distribution: inv_log_uniform_values, min: 0.01, max: 1}", 0.01, 1),
        ("{distribution: q_log_uniform_values, min: 1, max: 100, q: 5}", 0, 100),
        ("{distribution: categorical, values: [1, 2]}", 1, 2),
        ("{distribution: constant, value: 3}", 3, 3),
    ],
)
def test_every_distribution_of_wandb_is_drawn(tmp_path: Path, leaf: str, low: float, high: float) -> None:
    text = f"apiVersion: wandb/v1\nkind: sweep\nmethod: random\nrun_cap: 50\nparameters: {{a: {leaf}}}"
    drawn = [point["a"] for point in points(read(tmp_path, text))]
    assert len(drawn) == 50 and all(low <= value <= high for value in drawn)
    assert len(set(drawn)) > 1 or "value:" in leaf


def test_a_huge_grid_is_counted_and_not_listed(tmp_path: Path) -> None:
    axes = "a: {min: 0, max: 999999999}, c: {values: [x, y]}, "
    axes += "b: {distribution: q_uniform, min: 0, max: 1, q: 0.001}"
    sweep = read(tmp_path, f"method: grid\nparameters: {{{axes}}}")
    found = points(sweep)
    assert len(found) == 10**9 * 1000 * 2
    assert found[3] == {"a": 0, "b": 0.001, "c": "y"} and found[-1] == {"a": 999999999, "b": 0.999, "c": "y"}
    checked = samples(sweep, found, 4)
    assert {point["a"] for point in checked} == {0, 1, 2, 3, 999999999}
    assert {point["c"] for point in checked} == {"x", "y"}
    assert (
        len(points(read(tmp_path, "method: random\nrun_cap: 1000000000\nparameters: {a: {value: 1}}")))
        == 10**9
    )


@pytest.mark.parametrize("text", ["1e-4", "1E-4", "1.e-4", "0.1e-3", "+1e-4"])
def test_a_number_that_another_yaml_reads_as_text_is_that_number(text: str) -> None:
    made = resolve({"base": "embedded", "grpo": {"kl": text}, "search.alpha": "1e-1"}, "point")
    assert (made.grpo.kl, made.search.alpha) == (1e-4, 0.1)


def test_a_point_without_a_base_is_told_in_one_line() -> None:
    for data in ({"search": {"alpha": 1}}, {"name": "x", "lean": {}}):
        with pytest.raises(SpecError) as caught:
            resolve(data, "point")
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith(
            "point: base: missing; name the experiment that this is laid over"
        )


def test_run_cap_cuts_a_grid(tmp_path: Path) -> None:
    text = "method: grid\nrun_cap: 3\nparameters: {a: {values: [1, 2]}, b: {values: [1, 2]}}"
    assert list(points(read(tmp_path, text))) == [{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 1}]


RANDOM = """
method: random
run_cap: 300
parameters:
  choice: {values: [often, never], probabilities: [1.0, 0.0]}
  whole: {min: 1, max: 4}
  part: {min: 0.5, max: 0.75}
  rate: {distribution: log_uniform_values, min: 1.0e-5, max: 1.0e-1}
  step: {distribution: q_uniform, min: 0, max: 10, q: 5}
  bell: {distribution: normal, mu: 3.0, sigma: 0.1}
"""


def test_random_points_repeat_by_seed_and_keep_to_their_ranges(tmp_path: Path) -> None:
    sweep = read(tmp_path, RANDOM)
    drawn = list(points(sweep, seed=3))
    assert drawn == list(points(sweep, seed=3)) != list(points(sweep, seed=4))
    assert len(drawn) == 300
    assert {point["choice"] for point in drawn} == {"often"}
    assert set(Counter(point["whole"] for point in drawn)) == {1, 2, 3, 4}
    assert all(0.5 <= point["part"] <= 0.75 and 1e-5 <= point["rate"] <= 1e-1 for point in drawn)
    # Uniform in the exponent: half of the draws lie below the geometric mean.
    assert 110 < sum(point["rate"] < 1e-3 for point in drawn) < 190
    assert {point["step"] for point in drawn} == {0, 5, 10}
    assert 2.9 < sum(point["bell"] for point in drawn) / 300 < 3.1


def test_metric_and_name(tmp_path: Path) -> None:
    sweep = read(tmp_path, "method: grid\nmetric: {name: loss}\nparameters: {a: {value: 1}}")
    assert (sweep.name, sweep.metric, sweep.goal) == ("s", "loss", "minimize")  # W&B's default
    text = "name: mine\nmethod: grid\nmetric: {name: r, goal: maximize}\nparameters: {a: {value: 1}}"
    assert (read(tmp_path, text).name, read(tmp_path, text).goal) == ("mine", "maximize")


def given(*texts: str, base: str | None = None) -> Overrides:
    """As `--base BASE --set TEXT --set TEXT` gives them."""
    return Overrides(base, tuple(setting(text) for text in texts))


POINT = {"base": "embedded", "search": {"alpha": 0.25}, "grpo.samples": 4}


def test_a_point_changes_its_own_values_of_the_base_and_nothing_else() -> None:
    base = files.load(files.base_file("embedded"))
    made = resolve(POINT, "point")
    assert (made.search.alpha, made.grpo.samples) == (0.25, 4)
    search = made.search.model_copy(update={"alpha": base.search.alpha})
    grpo = made.grpo.model_copy(update={"samples": base.grpo.samples})
    assert made.model_copy(update={"search": search, "grpo": grpo}) == base


def test_a_point_as_json_file_as_the_agent_hands_it_over(tmp_path: Path) -> None:
    path = tmp_path / "args.json"
    path.write_text(json.dumps(POINT))
    assert files.load(files.find(str(path))) == resolve(POINT, "point")


@pytest.fixture
def other_base(tmp_path: Path) -> str:
    path = tmp_path / "other.yaml"
    data = read_yaml(files.base_file("embedded"))
    path.write_text(yaml.safe_dump({**data, "name": "other", "seed": 7}))
    return str(path)


def test_command_line_before_environment_before_file(
    tmp_path: Path, other_base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resolve(POINT, "point").name == "embedded"
    assert resolve(POINT, "point", Overrides(base=other_base)).name == "other"
    monkeypatch.setenv("HARNESS_BASE", other_base)
    made = resolve(POINT, "point")
    assert (made.name, made.seed, made.search.alpha) == ("other", 7, 0.25)
    assert resolve(POINT, "point", Overrides(base="embedded")).name == "embedded"
    # A complete experiment is nobody's point: the variable leaves it alone.
    assert files.load(files.base_file("embedded")).name == "embedded"


def test_set_wins_over_the_point() -> None:
    made = resolve(POINT, "point", given("search.alpha=0.75", "search.expansions=3"))
    assert (made.search.alpha, made.search.expansions) == (0.75, 3)


@pytest.mark.parametrize(
    ("data", "chosen", "told"),
    [
        ({"base": "embeded"}, None, "no 'embeded' in .*; did you mean 'embedded'"),
        ({"base": 3}, None, "point: base: must be the name of a file"),
        ({"base": "embedded", "search": {"alfa": 1}}, None, "search.alfa: unknown key; did you mean 'alpha'"),
        ({"base": "embedded", "search.alpha": 1.5}, None, "search.alpha: .*less than or equal to 1.*1.5"),
        ({"name": "x"}, "embedded", "--base embedded: this file fixes every value itself"),
    ],
)
def test_what_cannot_be_resolved_says_where_and_how(
    data: dict[str, Any], chosen: str | None, told: str
) -> None:
    with pytest.raises(SpecError, match=told):
        resolve(data, "point", Overrides(base=chosen))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["search.alpha=2"], "--set search.alpha=2: search.alpha: input should be less than or equal to 1"),
        (["search={alpha: 2}"], "--set search={alpha: 2}: search.alpha: input should be less"),
        (["serch.alpha=1"], "--set serch.alpha=1 over point over embedded: serch: unknown key; did you mean"),
        (["search.alpha=0", "search.alpha=2"], "--set search.alpha=2: search.alpha: "),
        (
            ["generator.heads=5"],
            "--set generator.heads=5 over point over embedded: generator: hidden_size 96",
        ),
        (
            ["evaluations.0.k=[1, 1]"],
            "--set evaluations.0.k=[1, 1] over point over embedded: evaluations.0: k:",
        ),
        (
            ["evaluations.1.name=search-valid"],
            "--set evaluations.1.name=search-valid over point over embedded:",
        ),
        (
            ["evaluations.9.k=[1]"],
            "--set evaluations.9.k=[1]: evaluations.9.k: no item '9' in this list of 5",
        ),
        (["train.benchmark=nope"], "--set train.benchmark=nope: train.benchmark: "),
        (
            ["evaluations.0.problems.split=x"],
            "--set evaluations.0.problems.split=x: evaluations.0.problems.spl",
        ),
        (["train.benchmark=smoke"], "--set train.benchmark=smoke: train.split: "),
        (
            ["search={expansions: 3}", "value.gamma=1"],
            "point over embedded: grpo.kl: input should be greater",
        ),
    ],
)
def test_a_message_begins_with_what_set_the_value(settings: list[str], told: str) -> None:
    point = {**POINT, "grpo.kl": -1} if told.startswith("point") else POINT
    with pytest.raises(SpecError) as caught:
        resolve(point, "point", given(*settings))
    assert str(caught.value).startswith(told) and "\n" not in str(caught.value)


def test_an_unknown_base_is_told_with_where_it_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(overrides: Overrides) -> str:
        with pytest.raises(SpecError) as caught:
            resolve({"base": "embeded"}, "point.yaml", overrides)
        return str(caught.value)

    assert told(Overrides()).startswith("point.yaml: base: no 'embeded' in ")
    monkeypatch.setenv("HARNESS_BASE", "nosuch")
    assert told(Overrides()).startswith("HARNESS_BASE=nosuch: no 'nosuch' in ")
    assert told(Overrides(base="nod8")).startswith("--base nod8: no 'nod8' in ")
    assert told(Overrides(base="nod8")).endswith("did you mean 'node8'?")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"train": {"split": "trian"}}, "point over embedded: train.split: .*did you mean 'train'"),
        ({"train.benchmark": "smok"}, "point over embedded: train.benchmark: .*did you mean 'smoke'"),
        (
            {
                "evaluations": [
                    {"name": "a", "prover": "portfolio", "problems": {"benchmark": "x", "split": "y"}}
                ]
            },
            r"point over embedded: evaluations\.0\.problems\.benchmark: .*no benchmark 'x'",
        ),
    ],
)
def test_unknown_problems_are_told_with_file_and_key(data: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        resolve({"base": "embedded", **data}, "point")


def test_a_base_names_no_base(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("base: embedded\nname: x\n")
    with pytest.raises(SpecError, match="a base fixes every value itself"):
        resolve({"base": str(tmp_path / "b.yaml")}, "point")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=0.5", 0.5),
        ("a.b=1e-5", 1e-5),
        ("a.b={c: 1e-5}", {"c": 1e-5}),
        ("a.b='1e-5'", "1e-5"),
        ("a.b=nan", "nan"),
        ("a.b=3", 3),
        ("a.b=true", True),
        ("a.b=null", None),
        ("a.b=[1, 8]", [1, 8]),
        ("a.b={c: x}", {"c": "x"}),
        ("a.b=grpo", "grpo"),
        ("a.b=x=y", "x=y"),
        ("a.b=", ""),
        (" a.b =1", 1),
    ],
)
def test_a_setting_reads_its_value_as_yaml(text: str, value: Any) -> None:
    read = setting(text)
    assert (read.key, read.value, type(read.value)) == ("a.b", value, type(value))


@pytest.mark.parametrize("text", ["search.alpha", "=3", "a=[1", "a={b: 1, b: 2}"])
def test_a_setting_that_is_none(text: str) -> None:
    with pytest.raises(SpecError, match=f"^--set {re.escape(text)}: "):
        setting(text)


def test_find_takes_paths_and_shipped_names(tmp_path: Path) -> None:
    shipped = data_folder("sweeps") / "base" / "embedded.yaml"
    for name in ("base/embedded", "base/embedded.yaml", "sweeps/base/embedded.yaml", str(shipped)):
        assert files.find(name).resolve() == shipped.resolve()
    with pytest.raises(SpecError, match=r"did you mean 'base/embedded.yaml'"):
        files.find("base/embeded.yaml")


SWEEPS = sorted(data_folder("sweeps").glob("*.yaml"))
BASES = sorted((data_folder("sweeps") / "base").glob("*.yaml"))


TRAINED = ("train", "generator", "trajectories", "value", "improve", "grpo", "expert_iteration")
"""Sections that have no say where a policy comes from outside."""


@pytest.mark.parametrize("path", BASES, ids=lambda path: path.stem)
def test_a_shipped_base_fixes_every_value(path: Path) -> None:
    made = files.load(path)
    complete = made.model_dump(mode="json")
    if made.improve.backend != "openrlhf":
        del complete["node"], complete["improve"]["openrlhf"]  # No node is planned for.
    if made.policy is not None:
        for section in TRAINED:
            del complete[section]
    missing = _unset(complete, read_yaml(path), "")
    assert not missing, f"{path.name} leaves to the defaults: {', '.join(missing)}"


def _unset(complete: dict[str, Any], given: dict[str, Any], prefix: str) -> list[str]:
    found = []
    for key, value in complete.items():
        if key not in given:
            found.append(prefix + key)
        elif isinstance(value, dict) and isinstance(given[key], dict):
            found += _unset(value, given[key], f"{prefix}{key}.")
    return found


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
@pytest.mark.parametrize("base", [None, *BASES], ids=lambda path: path.stem if path else "own")
def test_every_point_of_a_shipped_sweep_is_an_experiment(path: Path, base: Path | None) -> None:
    sweep = read_sweep(path)
    listed = points(sweep)
    assert listed and all("base" in point for point in listed)
    chosen = Overrides(base=None if base is None else base.stem)
    if base is not None and base.stem == "served" and any("variants" in point for point in listed):
        with pytest.raises(SpecError, match="cannot train a policy that comes from outside"):
            [resolve(json.loads(json.dumps(point)), str(path), chosen) for point in listed]
        return
    made = [resolve(json.loads(json.dumps(point)), str(path), chosen) for point in listed]
    assert len({spec.model_dump_json() for spec in made}) == len(made), "two points are the same experiment"
    assert all(isinstance(spec, ExperimentSpec) for spec in made)
    assert len({label(sweep, point) for point in listed}) == len(listed)


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_a_shipped_sweep_is_started_by_wandbs_agent_where_reports_look(path: Path) -> None:
    told = read_yaml(path)
    assert told["command"][-3:] == ["harness", "run", "${args_json_file}"]
    assert told["project"] == TrackingSpec().project

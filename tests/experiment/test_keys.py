"""`harness spec`: keys, types, defaults and help texts come from the specs, and nothing is left out."""

from __future__ import annotations

import json

import pytest

from harness import cli
from harness.experiment import files
from harness.experiment.keys import keys, schema
from harness.nested import read_yaml
from harness.paths import data_folder


def test_every_key_of_the_shipped_files_is_told_with_help() -> None:
    told = {key.name: key for key in keys()}
    assert all(key.help for key in told.values())
    for path in (data_folder("sweeps") / "base").glob("*.yaml"):
        for name, section in read_yaml(path).items():
            assert name in told
            if isinstance(section, dict):
                assert {f"{name}.{inner}" for inner in section} <= set(told)


def test_a_key_says_its_type_default_unit_and_kind() -> None:
    (alpha,) = keys("search.alpha")
    assert (alpha.type, alpha.default, alpha.unit, alpha.only) == ("number", "0.5", "", "")
    (timeout,) = keys("lean.timeout_s")
    assert (timeout.type, timeout.default, timeout.unit) == ("number", "60.0", "seconds")
    (service,) = keys("lean.service")
    assert (service.type, service.default) == ("core | file | repl | kimina", "")
    only = {key.only for key in keys("evaluations.NAME.prover") if key.name.endswith(".expansions")}
    assert {"best_first", "portfolio"} <= set(", ".join(only).split(", "))


def test_the_command_prints_one_key_and_refuses_unknown_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["spec", "value.gamma"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("value.gamma  (number, default 0.95)\n    Discount of the labels")
    assert cli.main(["spec", "value.gama"]) == 2
    assert "did you mean 'value.gamma'" in capsys.readouterr().err


def test_the_schema_takes_the_shipped_files_and_refuses_a_misspelt_key() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    described = json.loads(json.dumps(schema()))
    for path in (data_folder("sweeps") / "base").glob("*.yaml"):
        data = read_yaml(path)
        jsonschema.validate(data, described)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**data, "serch": {}}, described)


def test_a_base_is_found_by_its_name_alone() -> None:
    assert files.find("embedded") == data_folder("sweeps") / "base" / "embedded.yaml"
    assert files.find("alpha") == data_folder("sweeps") / "alpha.yaml"

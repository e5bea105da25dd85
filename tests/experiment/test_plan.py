"""What trains again when a setting changes, and the way of each swept setting to the object that uses it."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest

from harness.errors import SpecError, UserError
from harness.experiment import files
from harness.experiment import plan as planned
from harness.experiment.cache import build
from harness.experiment.evaluation import Evaluation, evaluations
from harness.experiment.exclusions import check_leaks
from harness.experiment.files import Overrides, setting
from harness.experiment.plan import Plan, plan
from harness.experiment.preflight import obstacles
from harness.experiment.preview import preview_plan
from harness.experiment.resources import Resources
from harness.experiment.selection import select
from harness.experiment.spec import ExperimentSpec, GrpoSpec
from harness.protocols import Candidate
from harness.provers.best_first import BestFirst
from harness.provers.priority import Ranking
from harness.spec import ProblemsSpec
from harness.terminal.progress import Plain
from harness.tracking.trackers import NullTracker
from harness.types import Attempt, Level, Problem, ProofState, Proposed, Status, Verdict
from tests.tiny_models import offline_hub

TINY = """
name: tiny
seed: 3
lean: {service: core, level: strict}
train: {benchmark: core-curriculum, split: train, max_difficulty: 3, limit: 60}
trajectories: {problems: 12}
search: {alpha: 0.5, expansions: 8}
evaluations:
  - {name: search, prover: best_first, problems: {benchmark: core-curriculum, split: valid, limit: 5}}
  - name: logprob
    prover: {kind: best_first, alpha: 1.0}
    problems: {benchmark: smoke, split: test, limit: 5}
  - {name: whole, prover: whole_proof, problems: {benchmark: smoke, split: test, limit: 5}}
tracking: {wandb: "off"}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


def loaded(file: Path, *settings: str) -> ExperimentSpec:
    """The file as `harness run FILE --set ...` reads it."""
    return files.load(file, Overrides(values=tuple(setting(text) for text in settings)))


def digests(made: Plan) -> dict[str, str]:
    return {name: key.digest for name, key in made.stages()}


def changed(file: Path, *settings: str, base: tuple[str, ...] = ()) -> set[str]:
    """Names of the stages that are made anew when `settings` are laid over `base`."""
    old, new = (digests(plan(loaded(file, *base, *more))) for more in ((), settings))
    assert list(old) == list(new)
    return {name for name in old if old[name] != new[name]}


ALL = {"generator", "round 1: trajectories", "round 1: value", "round 1: grpo"}


def test_the_stages_of_one_round_stand_in_the_order_of_their_making(file: Path) -> None:
    made = plan(loaded(file))
    assert list(digests(made)) == [
        "generator",
        "round 1: trajectories",
        "round 1: value",
        "round 1: grpo",
    ]
    assert made.trained.stage == made.rounds[0].improve
    assert made.value is not None and made.value.stage == made.rounds[0].value
    assert len(made.train) == 60 and len(made.rounds[0].problems) == 12
    assert {problem.id for problem in made.rounds[0].problems} <= {problem.id for problem in made.train}


@pytest.mark.parametrize(
    ("settings", "anew"),
    [
        (["search.alpha=0.1"], set()),
        (["search.alpha=1"], set()),
        (["search.value_scale=value", "search.expansions=2"], set()),
        (["runtime.concurrency=1", "lean.workers=3", "runtime.canaries=2", "tracking.project=x"], set()),
        (["name=other"], set()),
        (["value.gamma=0.9"], {"round 1: value"}),
        (["value.other_states=zero"], {"round 1: value"}),
        (["grpo.kl=0.1"], {"round 1: grpo"}),
        (["grpo.samples=4"], {"round 1: grpo"}),
        (["expert_iteration.steps=7"], set()),
        (["trajectories.problems=13"], {"round 1: trajectories", "round 1: value"}),
        (["trajectories.search.expansions=3"], {"round 1: trajectories", "round 1: value"}),
        (["seed=4"], ALL),
        (["runtime.threads=1"], ALL),
        (["generator.steps=5"], ALL),
        (["lean.heartbeats=1000"], ALL),
        (["train.limit=61"], ALL),
    ],
    ids=lambda item: item[0] if isinstance(item, list) else "",
)
def test_a_setting_makes_anew_exactly_what_depends_on_it(
    file: Path, settings: list[str], anew: set[str]
) -> None:
    assert changed(file, *settings) == anew


def test_without_an_improving_step_the_generator_stays_the_warm_start(file: Path) -> None:
    made = plan(loaded(file, "improve.method=none"))
    assert made.trained == made.warm_start
    assert list(digests(made)) == ["generator", "round 1: trajectories", "round 1: value"]
    assert list(digests(plan(loaded(file, "rounds=0")))) == ["generator"]
    assert plan(loaded(file, "rounds=0")).value is None


def test_expert_iteration_and_grpo_start_from_the_same_stages(file: Path) -> None:
    one, two = plan(loaded(file)), plan(loaded(file, "improve.method=expert_iteration"))
    shared = ["generator", "round 1: trajectories", "round 1: value"]
    assert [digests(one)[name] for name in shared] == [digests(two)[name] for name in shared]
    assert two.rounds[0].improve is not None and two.rounds[0].improve.stage == "expert_iteration"
    again = plan(loaded(file, "improve.method=expert_iteration", "trajectories.problems=13"))
    assert again.trained.digest != two.trained.digest, "it learns from the trajectories"


def test_expert_iteration_by_openrlhf_is_another_stage_that_knows_its_own_settings(file: Path) -> None:
    def made(*settings: str) -> str:
        return plan(loaded(file, "improve.method=expert_iteration", *settings)).trained.digest

    there = "improve.backend=openrlhf"
    assert made() != made(there) == made(there, "improve.openrlhf.value_bonus=0.5")
    assert made(there) == made(there, "improve.openrlhf.save_every=7", "improve.openrlhf.python=x")
    changed = ("improve.openrlhf.micro_batch=8", "expert_iteration.steps=7", "whole_proof.max_new_tokens=9")
    assert len({made(there), *(made(there, other) for other in changed)}) == 4


def test_a_second_round_goes_on_where_the_first_ends(file: Path) -> None:
    made = plan(loaded(file, "rounds=2"))
    first, second = made.rounds
    assert second.generator == first.result != made.warm_start
    assert second.guide is None, "log-probability alone collects unless asked otherwise"
    assert digests(made).items() >= digests(plan(loaded(file))).items()
    assert first.problems != second.problems
    assert second.value.inputs["trajectories"] == [first.trajectories.digest, second.trajectories.digest]
    assert changed(file, "value.gamma=0.9", base=("rounds=2",)) == {"round 1: value", "round 2: value"}


def test_a_guided_second_collection_depends_on_the_first_value_model(file: Path) -> None:
    guided = ("rounds=2", "trajectories.search.alpha=0.5")
    made = plan(loaded(file, *guided))
    first, second = made.rounds
    assert (first.guide, first.search.alpha) == (None, 1.0), "there is no value model yet"
    assert second.guide is not None and second.guide.stage == first.value
    assert second.trajectories.inputs["value"] == first.value.digest
    assert changed(file, "value.gamma=0.9", base=guided) == {
        "round 1: value",
        "round 2: trajectories",
        "round 2: value",
    }


def test_trajectories_from_whole_proofs_depend_on_their_sampling_and_on_no_search(
    file: Path, tmp_path: Path
) -> None:
    by_proofs = ("rounds=2", "trajectories.samples=8")
    collected = {"round 1: trajectories", "round 1: value", "round 2: trajectories", "round 2: value"}
    assert changed(file, "trajectories.samples=null", base=("rounds=2",)) == set()
    assert changed(file, "trajectories.samples=8", base=("rounds=2",)) == collected
    assert changed(file, "trajectories.samples=4", base=by_proofs) == collected
    assert changed(file, "whole_proof.temperature=0.8", base=by_proofs) == collected
    assert changed(file, "trajectories.search.expansions=3", base=by_proofs) == set()
    made = plan(loaded(file, *by_proofs, "trajectories.search.alpha=0.5"))
    assert digests(made) == digests(plan(loaded(file, *by_proofs)))
    assert [item.guide for item in made.rounds] == [None, None], "nothing guides a proof written in one go"
    assert "search" not in made.rounds[0].trajectories.inputs
    assert made.value is not None
    assert "round 1: value" not in dict(made.needed([made.trained, made.value]))
    lines = {line.name: line.why for line in preview_plan(made, [], tmp_path)}
    assert lines["round 1: trajectories"] == (
        "8 proofs of each of 12 theorems; no trajectories stage was made yet"
    )


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            ["trajectories.samples=2", "value.other_states=unprovable"],
            r"value.other_states: unprovable labels states off the proofs, and trajectories.samples",
        ),
        (
            ["trajectories.samples=2", "whole_proof.method=greedy"],
            r"trajectories.samples: 2 proofs by whole_proof.method: greedy are the same every time; set 1",
        ),
        (
            ["train.split=valid", "train.limit=null"],
            r"train: '\S+' .*is also evaluated, as '\S+' in 'search'",
        ),
        (["value.gamma=1"], "distance needs a gamma below 1"),
        (["grpo.min_difficulty=5", "grpo.max_difficulty=4"], "grpo.min_difficulty: 5 is above"),
        (["train.benchmark=core-curiculum"], "did you mean 'core-curriculum'"),
        (["train.split=trian"], "trian"),
        (["train.benchmark=smoke", "train.split=test"], r"\(smoke/test\) is also evaluated, .* in 'logprob'"),
        (["generator.checkpoint=/nowhere"], "/nowhere"),
    ],
    ids=lambda item: item[0] if isinstance(item, list) else "",
)
def test_what_cannot_work_is_found_before_anything_is_trained(
    file: Path, settings: list[str], told: str
) -> None:
    with pytest.raises(UserError, match=told) as caught:
        plan(loaded(file, *settings))
    assert "\n" not in str(caught.value)


def test_a_leak_is_found_under_another_name(file: Path) -> None:
    spec = loaded(file)
    evaluated = select(spec.evaluations[1].problems)[0]
    statement = evaluated.statement.replace(evaluated.theorem, "renamed", 1).replace(" : ", "  :\n ", 1)
    train = [
        Problem("renamed", "mine", "train", evaluated.header, statement, "renamed"),
        *select(spec.train, spec.seed),
    ]
    with pytest.raises(SpecError, match=f"'renamed' .*'{evaluated.id}' in 'logprob'"):
        check_leaks(spec, train)


def test_gamma_one_is_fine_where_nothing_divides_by_its_logarithm(file: Path) -> None:
    assert plan(loaded(file, "value.gamma=1", "search.value_scale=value")).rounds
    assert plan(loaded(file, "value.gamma=1", "search.alpha=1")).rounds


def test_evaluations_keep_their_problems_whatever_the_seed(file: Path) -> None:
    wanted = ProblemsSpec(benchmark="core-curriculum", split="valid", limit=5)
    assert select(wanted) == select(wanted, 0) != select(wanted, 1)
    one, two = (evaluations(plan(loaded(file, text))) for text in ("seed=3", "seed=4"))
    assert [evaluation.problems for evaluation in one] == [evaluation.problems for evaluation in two]


# The way of what is swept, from the command line to the object that uses it.


class Model:
    """Policy, value model, sessions and verifier in one; only what was asked of it matters."""

    sessions: Any
    verifier: Any

    def __init__(self) -> None:
        self.sessions = self.verifier = self

    async def check(self, candidates: list[Candidate], level: Level) -> list[Verdict]:
        return [Verdict(Status.REJECTED, "error") for _ in candidates]


def prover_of(evaluation: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BestFirst:
    from harness.experiment.measure import _prover

    monkeypatch.setattr(Resources, "policy", lambda self, folder, spec, decode, sessions: Model())
    monkeypatch.setattr(Resources, "value", lambda self, folder, threads: Model())
    lean: Any = Model()
    made = _prover(evaluation, Resources(tmp_path, Plain()), lean)
    assert isinstance(made, BestFirst)
    return made


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_alpha_reaches_the_ranking_of_the_search(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alpha: float
) -> None:
    search, logprob, _ = evaluations(plan(loaded(file, f"search.alpha={alpha}")))
    made = prover_of(search, tmp_path, monkeypatch)
    ranking = Ranking.of(made.spec, made.gamma)
    assert (ranking.alpha, made.value is None) == (alpha, alpha == 1.0)
    logprob_term, value_term = -2.0, math.log(0.5) / math.log(1 / 0.95)
    wanted = alpha * logprob_term + (1 - alpha) * value_term
    assert ranking.priority(-2.0, 3, None if alpha == 1 else 0.5) == pytest.approx(wanted, abs=1e-3)
    baseline = prover_of(logprob, tmp_path, monkeypatch)
    assert (baseline.spec.alpha, baseline.value) == (1.0, None)


def test_alpha_tells_runs_apart_and_leaves_the_baseline_alone(file: Path, tmp_path: Path) -> None:
    one, two = (evaluations(plan(loaded(file, text))) for text in ("search.alpha=0.25", "search.alpha=0.75"))
    same = [a.folder(tmp_path) == b.folder(tmp_path) for a, b in zip(one, two, strict=True)]
    assert same == [False, True, True]
    assert one[0].run_spec["search"]["alpha"] == 0.25


@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_gamma_reaches_the_labels_and_the_distance(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gamma: float
) -> None:
    from trainers.trajectories import LabelledState, label

    made = plan(loaded(file, f"value.gamma={gamma}"))
    assert made.rounds[0].value.inputs["value"]["gamma"] == gamma
    state = LabelledState("p", "r", "⊢ P", 3, "proof", "intro", 0)
    assert label(state, made.spec.value) == pytest.approx(gamma**3)
    search = prover_of(evaluations(made)[0], tmp_path, monkeypatch)
    assert Ranking.of(search.spec, search.gamma).value_term(gamma**3) == pytest.approx(-3.0)


def test_gamma_tells_value_guided_runs_apart_and_leaves_the_others_alone(file: Path, tmp_path: Path) -> None:
    one, two = (evaluations(plan(loaded(file, text))) for text in ("value.gamma=0.9", "value.gamma=0.95"))
    same = [a.folder(tmp_path) == b.folder(tmp_path) for a, b in zip(one, two, strict=True)]
    assert same == [False, True, True]


def test_only_what_a_model_comes_from_is_needed(file: Path) -> None:
    def names(*models: planned.Model | None) -> list[str]:
        return [name for name, _ in made.needed(model for model in models if model is not None)]

    made = plan(loaded(file, "rounds=2"))
    first = made.rounds[0]
    assert names() == []
    assert names(made.warm_start) == ["generator"]
    assert names(first.result) == ["generator", "round 1: grpo"]
    assert names(made.trained) == ["generator", "round 1: grpo", "round 2: grpo"]
    assert names(made.trained, made.value) == [name for name, _ in made.stages() if name != "round 1: value"]

    guided = plan(loaded(file, "rounds=2", "trajectories.search.alpha=0.5"))
    assert guided.value is not None
    assert guided.needed([guided.trained, guided.value]) == guided.stages(), "the first guides the second"
    taught = plan(loaded(file, "rounds=2", "improve.method=expert_iteration"))
    assert [name for name, _ in taught.needed([taught.trained])] == [
        "generator",
        "round 1: trajectories",
        "round 1: expert_iteration",
        "round 2: trajectories",
        "round 2: expert_iteration",
    ]
    same = plan(loaded(file, "improve.method=none"))
    assert [name for name, _ in same.needed([same.trained])] == ["generator"]


def test_the_samples_of_a_collection_and_their_temperature_reach_it(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainers import collect_proofs, stages

    given: list[Any] = []

    async def collect(how: Any, problems: Any, tools: Any, *_: Any) -> dict[str, float]:
        given.extend([how, len(problems), tools.policy])
        return {}

    monkeypatch.setattr(collect_proofs, "collect", collect)
    monkeypatch.setattr(stages, "_ready", lambda model, resources: tmp_path)
    monkeypatch.setattr(Resources, "policy", lambda self, checkpoint, spec, sampling, sessions: sampling)
    made = plan(loaded(file, "rounds=2", "trajectories.samples=5", "whole_proof.temperature=0.7"))
    stages.make_trajectories(made, Resources(tmp_path, Plain()), made.rounds[1], tmp_path, lambda *_: None)
    how, problems, sampling = given
    assert how == collect_proofs.Sampling(5, 1, 3, 64, 3, 0.02) and problems == 12
    assert sampling == made.spec.whole_proof and sampling.temperature == 0.7


def test_a_value_model_is_compared_with_the_one_before_only_where_that_was_made(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainers import stages, trajectories, value

    compared: list[Path | None] = []

    def train(*_: Any, before: Path | None, **__: Any) -> dict[str, float]:
        compared.append(before)
        return {}

    monkeypatch.setattr(value, "train", train)
    monkeypatch.setattr(stages, "_ready", lambda model, resources: tmp_path)
    made, resources = plan(loaded(file, "rounds=2")), Resources(tmp_path, Plain())
    for item in made.rounds:
        trajectories.write(item.trajectories.folder(tmp_path) / trajectories.STATES, [])
    last = made.rounds[1]
    stages.make_value(made, resources, last, tmp_path, lambda *_: None)
    earlier = build(tmp_path, made.rounds[0].value, lambda folder: {})
    stages.make_value(made, resources, last, tmp_path, lambda *_: None)
    assert compared == [None, earlier.folder]


def test_kl_and_samples_reach_the_trainer(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainers import grpo, stages

    asked: list[GrpoSpec] = []

    def train(spec: GrpoSpec, *_: Any, **__: Any) -> dict[str, float]:
        asked.append(spec)
        return {}

    monkeypatch.setattr(grpo, "train", train)
    monkeypatch.setattr(stages, "_ready", lambda model, resources: tmp_path)
    made = plan(loaded(file, "grpo.kl=0.07", "grpo.samples=5"))
    resources = Resources(tmp_path, Plain())
    stages.make_grpo(made, resources, made.rounds[0], tmp_path, lambda done, total, figures: None)
    (spec,) = asked
    assert (spec.kl, spec.samples) == (0.07, 5)
    arguments: dict[str, Any] = {}
    monkeypatch.setattr("trl.GRPOConfig", lambda **given: arguments.update(given))
    grpo._config(spec, 24, 0, tmp_path)
    assert (arguments["beta"], arguments["num_generations"]) == (0.07, 5)
    assert arguments["per_device_train_batch_size"] == 5 * spec.prompts


def test_the_samples_of_an_evaluation_are_its_records(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.experiment import measure as measuring

    class Guess:
        async def attempt(self, problem: Problem, index: int, seed: int) -> Attempt:
            return Attempt(problem.id, index, seed, f"sorry -- {seed}")

    monkeypatch.setattr(measuring, "_prover", lambda evaluation, resources, lean: Guess())
    text = file.read_text().replace("prover: whole_proof,", "prover: whole_proof, samples: 3, k: [1, 3],")
    file.write_text(text)
    evaluation = evaluations(plan(loaded(file)))[-1]
    made = measuring.measure(evaluation, Resources(tmp_path, Plain()), NullTracker())
    assert made.made == 5 * 3 == len(made.view.records)
    assert {record.attempt.index for record in made.view.records} == {0, 1, 2}
    assert len({record.attempt.seed for record in made.view.records}) == 15
    assert made.view.summary.samples == 3


def test_a_search_uses_the_width_and_the_budget_of_its_own_section(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = loaded(file, "search.expansions=2", "search.decode.width=3", "search.alpha=1")
    made = prover_of(evaluations(plan(spec))[0], tmp_path, monkeypatch)
    asked: list[int] = []

    class Nothing(Model):
        overlaps = False

        async def propose(self, states: list[ProofState], seeds: list[int], k: int) -> list[Proposed]:
            asked.append(k)
            return [Proposed(()) for _ in states]

        async def open(self, problem: Problem) -> Nothing:
            return self

        async def start(self) -> ProofState:
            return ProofState(("⊢ P",))

        async def close(self) -> None:
            return None

    toy: Any = Nothing()
    search = BestFirst(made.spec, toy, toy)
    asyncio.run(search.attempt(select(spec.train)[0], 0, 0))
    assert asked == [3]
    assert made.spec.expansions == 2


def test_a_dry_run_without_the_data_lists_the_plan_and_everything_that_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from harness import cli

    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    offline_hub(monkeypatch, tmp_path, "org/other", {})
    for argv in (["run", "base/node8"], ["sweep", "alpha", "--base", "node8"]):
        assert cli.main([*argv, "--dry-run", "--runs", str(tmp_path)]) == 0
        told = capsys.readouterr().out
        assert "round 5: grpo" in told and "whole-putnam" in told
        assert "8 proofs of each of 5000 theorems of kimina-promptset/train" in told
        for name in ("kimina-promptset", "minif2f", "putnambench"):
            assert f"harness data fetch {name}" in told
        assert "node.gpus: " in told and "node.serving" in told
        for key in ("generator.checkpoint: 'deepseek-ai", "value.backbone: 'meta-llama"):
            assert key in told
    assert cli.main(["run", "base/node8", "--runs", str(tmp_path)]) == 2
    ablation = ["sweep", "co-training-ablation", "--base", "node8", "--dry-run", "--runs", str(tmp_path)]
    assert cli.main(ablation) == 0
    told = capsys.readouterr().out
    assert "seed=2 variant=expert-iteration" in told and "round 4: expert_iteration" in told
    lines = {line.split("  ")[-1] for line in told.splitlines() if line.startswith("cannot start")}
    keys = ("train.", "generator.checkpoint:", "value.backbone:", "node.gpus:", "node.serving", "lean.urls:")
    assert all(line.strip().startswith((*keys, "improve.backend: /")) for line in lines), (
        "this machine's alone"
    )
    assert list(tmp_path.iterdir()) == []


def test_settings_that_exclude_each_other_are_all_told_at_once(file: Path) -> None:
    settings = ("evaluations.search.samples=2", "evaluations.search.k=[1]", "grpo.min_difficulty=5")
    with pytest.raises(SpecError) as caught:
        plan(loaded(file, *settings, "grpo.max_difficulty=4"))
    first, second = str(caught.value).splitlines()
    assert "'search' asks for 2 samples" in first and "grpo.min_difficulty: 5 is above" in second


def test_a_backbone_from_the_hub_counts_by_its_commit_and_is_not_trained_without_one(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline_hub(monkeypatch, tmp_path, "org/base", {"main": "a" * 40, "new": "b" * 40})

    def made(name: str, *more: str) -> Plan:
        return plan(loaded(file, f"value.backbone={name}", "value.trainer={}", *more))

    def value(made: Plan) -> str:
        return digests(made)["round 1: value"]

    branch = made("org/base")
    assert value(branch) == value(made("org/base", f"value.backbone_revision={'a' * 40}"))
    assert value(branch) != value(made("org/base", "value.backbone_revision=new"))
    assert not any("value.backbone" in line for line in obstacles(branch, [], branch.stages(), tmp_path))
    nobody = made("org/unheard")
    [line] = [line for line in obstacles(nobody, [], nobody.stages(), tmp_path) if "value.backbone" in line]
    assert "'org/unheard' is no folder here" in line

"""`harness plan`: the processes of an experiment or a sweep and their cost, before anything starts."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.commands import common
from harness.experiment import files
from harness.experiment.files import Overrides
from harness.experiment.servers import ModelServer, on_gpus, planned
from harness.experiment.spec import ExperimentSpec
from harness.experiment.sweep import label, points, read_sweep
from harness.nested import read_yaml
from harness.processes.kept import Process
from harness.terminal.progress import duration
from trainers import value_text, value_trainer
from trainers.openrlhf import checks, engines, estimates, imitation, plan, rates, supervised
from trainers.openrlhf.estimates import PieceCost
from trainers.openrlhf.launch import shown
from trainers.openrlhf.model_size import shape_of
from trainers.openrlhf.rates import Rates

_GIB = 2**30


@dataclass(frozen=True, slots=True)
class PlannedPoint:
    """One experiment of what was asked for."""

    name: str
    spec: ExperimentSpec
    servers: Sequence[ModelServer]
    """What answers while rounds collect and evaluations measure; ended before training."""
    processes: Sequence[Process]
    """Of each round; without any, everything runs in the process of `harness run`."""
    refusals: Sequence[str]
    costs: Sequence[PieceCost]
    """Without the work that an earlier point does."""
    rates: Rates


def main(args: argparse.Namespace) -> int:
    """Print the plan; 0 also where it could not be carried out here, which it says."""
    found = _points(files.find(args.file), common.overrides(args), args.seed)
    if args.json:
        common.print_json(_json(found))
        return 0
    for number, point in enumerate(found):
        _print(point, found[:number])
    _print_total(found)
    return 0


def _points(path: Path, asked: Overrides, seed: int) -> list[PlannedPoint]:
    if "parameters" not in read_yaml(path):
        spec = files.load(path, asked)
        return [_point(spec.name, spec, set())]
    sweep = read_sweep(path)
    seen: set[str] = set()
    found = []
    for point in points(sweep, seed):
        spec = files.resolve(point, str(path), asked)
        found.append(_point(label(sweep, point) or spec.name, spec, seen))
    return found


def _point(name: str, spec: ExperimentSpec, seen: set[str]) -> PlannedPoint:
    reckoned = rates.rates_of(spec)
    costs = [cost for cost in estimates.costs(spec, reckoned) if cost.key not in seen]
    seen.update(cost.key for cost in costs)
    openrlhf = spec.improve.backend == "openrlhf" and spec.improve.method != "none" and spec.rounds > 0
    processes = [_valuing(spec)] if spec.value.trainer is not None and spec.rounds else []
    if openrlhf:
        processes.append(_improving(spec))
    refusals = [*(checks.arithmetic(spec) if openrlhf else []), *engines.arithmetic(spec)]
    served = [] if spec.serving is None else planned(spec)
    return PlannedPoint(name, spec, served, processes, refusals, costs, reckoned)


def _valuing(spec: ExperimentSpec) -> Process:
    """The processes that train the value model, one a GPU where the node has any."""
    how = spec.value.trainer
    assert how is not None
    run = Path("RUNS/stages/value-DIGEST") / (value_text.RUN if how.target == "text" else value_trainer.RUN)
    device = "cuda" if spec.node.gpus else "cpu"
    if how.target == "text":
        backbone = spec.value.backbone or "RUNS/stages/generator-DIGEST"
        text = value_text.planned(spec.value, run, backbone, rows=0, seed=spec.seed)
        made = supervised.process(text)
    else:
        made = value_trainer.process(how, value_trainer.Hardware(device, spec.runtime.threads), run)
    return dataclasses.replace(made, argv=(how.python or "python", *made.argv[1:]))


def _improving(spec: ExperimentSpec) -> Process:
    """What trains the generator, the parts that only a finished parent tells in capitals."""
    run = Path(f"RUNS/stages/{spec.improve.method}-DIGEST/openrlhf")
    model = spec.generator.checkpoint or "RUNS/stages/generator-DIGEST"
    python = spec.improve.openrlhf.python or "python"
    context, seed = shape_of(spec).context, spec.seed * 1000 + 1
    if spec.improve.method == "expert_iteration":
        taught = imitation.planned(spec, run, model, context, seed)
        return supervised.process(dataclasses.replace(taught, python=python))
    layout = plan.Layout(
        run=run,
        model=model,
        python=python,
        scratch=Path("/tmp/hr-NEW"),
        context=context,
        max_new_tokens=min(spec.whole_proof.max_new_tokens, context // 2),
        seed=seed,
    )
    return plan.trainer(spec, layout)


def _print(point: PlannedPoint, before: Sequence[PlannedPoint]) -> None:
    """The first point in full, of a later one what differs."""
    print(f"{chr(10) if before else ''}{point.name}")
    for line in point.refusals:
        print(f"  cannot start: {line}")
    _print_servers(point.servers, before[0].servers if before else [])
    known = {process.name: process for process in before[0].processes} if before else {}
    for process in point.processes:
        _print_process(process, known.get(process.name))
    print(f"  rates: {point.rates.name}, scaled to {shape_of(point.spec).parameters:.3g} parameters")
    header = ("work", "wall", "GPU-hours", "Lean CPU-hours", "GiB kept", "GiB meanwhile")
    rows = [_row(cost) for cost in point.costs]
    rows.append(_summed([point]) if rows else ["nothing that an earlier point does not make", *[""] * 5])
    print("\n".join(f"  {line}" for line in common.table(header, rows).split("\n")))
    told = {line for other in before for cost in other.costs for line in cost.arithmetic}
    for cost in point.costs:
        for line in cost.arithmetic:
            if line not in told:
                told.add(line)
                print(f"    {cost.name}: {line}")


def _print_servers(servers: Sequence[ModelServer], known: Sequence[ModelServer]) -> None:
    """Of each kind the first in full; those of a later point where they are others."""
    if [item.process for item in servers] == [item.process for item in known]:
        return
    first: dict[str, Process] = {}
    for item in servers:
        process = item.process
        lines = shown(process.argv).split("\n")
        if (like := first.setdefault(item.kind, process)) is process:
            print(f"  server {item.name}{on_gpus(process.gpus)}, for trajectories and evaluations:")
        else:
            lines = [line for line in lines if line not in set(shown(like.argv).split("\n"))]
            print(f"  server {item.name}{on_gpus(process.gpus)} as {like.name} with")
        for line in lines:
            print(f"    {line}")


def _print_process(process: Process, known: Process | None) -> None:
    """All of the first point's arguments, of a later one those that the first has not."""
    lines = shown(process.argv).split("\n")
    if known is None:
        print(f"  process {process.name}{on_gpus(process.gpus)}, {process.cpus} cores, each round:")
    else:
        lines = [line for line in lines if line not in set(shown(known.argv).split("\n"))]
        print(f"  process {process.name} as that of the first point{' with' if lines else ''}")
    for line in lines:
        print(f"    {line}")
    if known is None:
        print(f"    environment: {', '.join(sorted(process.environment))}")
        print(f"    without: {', '.join(process.dropped)}")
        print(f"    files: {', '.join(path.name for path in process.files)} in {process.log.parent}")


def _summed(found: Sequence[PlannedPoint]) -> list[str]:
    told = _total(found)
    numbers = [told[name] for name in ("gpu_hours", "lean_cpu_hours", "kept_gib", "meanwhile_gib")]
    return ["in all", duration(told["wall_s"]), *(f"{number:.1f}" for number in numbers)]


def _row(cost: PieceCost) -> list[str]:
    return [
        cost.name,
        duration(cost.wall_s),
        f"{cost.gpu_hours:.1f}",
        f"{cost.lean_cpu_s / 3600:.1f}",
        f"{cost.kept_bytes / _GIB:.1f}",
        f"{cost.passing_bytes / _GIB:.1f}",
    ]


def _print_total(found: Sequence[PlannedPoint]) -> None:
    told = _total(found)
    print(
        f"\nin all {len(found)} point{'' if len(found) == 1 else 's'}: {duration(told['wall_s'])}, "
        f"{told['gpu_hours']:.1f} GPU-hours, {told['lean_cpu_hours']:.1f} Lean CPU-hours, "
        f"{told['kept_gib']:.1f} GiB kept and {told['meanwhile_gib']:.1f} meanwhile"
    )
    row = found[0].rates
    assumed = sorted(
        set(type(row).model_fields) - {"name", "parameters", "lean", "measured"} - set(row.measured)
    )
    if assumed:
        print(f"assumed, not measured: {', '.join(assumed)}; rows of your own: {rates.VARIABLE}=FILE")


def _total(found: Sequence[PlannedPoint]) -> dict[str, float]:
    costs = [cost for point in found for cost in point.costs]
    return {
        "wall_s": sum(cost.wall_s for cost in costs),
        "gpu_hours": sum(cost.gpu_hours for cost in costs),
        "lean_cpu_hours": sum(cost.lean_cpu_s for cost in costs) / 3600,
        "kept_gib": sum(cost.kept_bytes for cost in costs) / _GIB,
        "meanwhile_gib": max((cost.passing_bytes for cost in costs), default=0.0) / _GIB,
    }


def _json(found: Sequence[PlannedPoint]) -> Mapping[str, Any]:
    return {"points": [_point_json(point) for point in found], "total": _total(found)}


def _process_json(process: Process) -> dict[str, Any]:
    return {
        "name": process.name,
        "argv": list(process.argv),
        "environment": sorted(process.environment),
        "gpus": list(process.gpus),
        "cpus": process.cpus,
        "files": [str(path) for path in process.files],
        "log": str(process.log),
    }


def _point_json(point: PlannedPoint) -> Mapping[str, Any]:
    return {
        "name": point.name,
        "refusals": list(point.refusals),
        "servers": [_process_json(item.process) | {"port": item.port} for item in point.servers],
        "processes": [_process_json(process) for process in point.processes],
        "rates": point.rates.model_dump(mode="json"),
        "costs": [
            {
                "name": cost.name,
                "wall_s": cost.wall_s,
                "gpu_hours": cost.gpu_hours,
                "lean_cpu_hours": cost.lean_cpu_s / 3600,
                "kept_gib": cost.kept_bytes / _GIB,
                "meanwhile_gib": cost.passing_bytes / _GIB,
                "arithmetic": list(cost.arithmetic),
            }
            for cost in point.costs
        ],
    }

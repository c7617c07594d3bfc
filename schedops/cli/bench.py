"""``schedops bench``: a policy against the default scheduler and the informed default, without a pull request."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedops.cli.common import answers, output_option
from schedops.cli.places import place_options
from schedops.cli.sizes import size_options
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.bench.programs import Installed
    from schedops.model.jobs import Hints
    from schedops.model.workload import Workload
    from schedops.pipeline.compare import Size
    from schedops.ports import KernelImage, World

_EARLIER = 3  # comparisons that are read for their noise; each takes 0.1 s


@click.command()
@click.argument("policy")
@click.option("-w", "--workload", required=True, metavar="NAME", help="`schedops workload list` names them")
@click.option("--rounds", type=click.IntRange(1, 200), help="measured rounds at most [default: what the workload says]")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="parameter of the policy; repeatable")
@click.option("--cold", is_flag=True, help="without hints, as on the first run of a workload")
@place_options("sim")
@click.option("--programs", is_flag=True, help="the workload's real programs, also where its model has jobs to run")
@click.option("--search", is_flag=True, help="to choose among candidates: the samples then prove nothing, so no PASS")
@size_options
@output_option
@answers("bench")
def bench(
    *,
    policy: str,
    workload: str,
    rounds: int | None,
    params: tuple[str, ...],
    cold: bool,
    place: str,
    quiet_host: bool,
    programs: bool,
    search: bool,
    kernel: str | None,
    cpus: int,
    scale: float,
    seed: int,
) -> Answer:
    """Measure POLICY against the default scheduler and the informed default: in a micro-VM, on this host, or simulated.

    POLICY is a library name, a directory with policy.yaml, or a bare .bpf.c.

    Runs are interleaved, every round has jobs of its own, and the policy is proved to be in charge around each of its
    runs. It ends at the first look of the workload's plan where the answer is clear, and says before it starts how long
    the smallest effect worth having may take. It is kept in .schedops/runs/ for `schedops gate --replay`.

    What runs are the jobs of the workload's model where it has some (builds, batch), else its real programs, and those
    with --programs in any case: they come from Debian's packages.

    Hints come from policies/hints/, else from one profile run first. The verdict is of the measurements alone;
    `schedops verify` says whether the policy is safe, `schedops propose` does both. With --on sim there is no verdict:
    `schedops simulate` has more to say.

    With --on host it needs root, a kernel that `schedops verify` has passed the policy on, and no other policy in
    charge; what makes the host noisy is told with the command that mends it. The default scheduler is back when it
    ends, however it ends: docs/host.md.

    \b
    Example:
      schedops bench build-order --workload ci-builds
      schedops bench build-order --workload ci-builds --on sim
      sudo schedops bench build-order --workload ci-builds --on host --quiet-host
      schedops bench interactive --workload nginx-like --rounds 10
      schedops bench long-first --workload uneven-batch --rounds 20 --param slice_us=3000

    Exit codes: 0 PASS, 1 FAIL, 2 bad input, 3 INCONCLUSIVE, 69 could not measure.
    """
    if place == "sim":
        if kernel is not None or programs or quiet_host or search:
            raise click.UsageError("--on sim knows no --kernel, --programs, --quiet-host or --search")
        return _simulated(policy, workload, rounds=rounds, params=params, cold=cold, cpus=cpus, scale=scale, seed=seed)
    from schedops.adapters.clock import SystemClock
    from schedops.adapters.console import console_progress
    from schedops.adapters.disk.runs import Runs
    from schedops.cli.installed import installed_programs
    from schedops.cli.places import at
    from schedops.model.kept import Kept
    from schedops.model.measurements import FRESH, SEARCH, Measurements
    from schedops.pipeline.compare import Size, build, compare
    from schedops.pipeline.foretell import foretell
    from schedops.pipeline.parameters import parameters
    from schedops.report.bench_page import bench_page
    from schedops.repository import load_workload, open_tree, resolve_policy
    from schedops.schema.decode import encode

    tree = open_tree(Path.cwd())
    wanted, source = load_workload(tree.root, workload), resolve_policy(tree.root, policy, cwd=Path.cwd())
    programs = _runs_programs(wanted, asked=programs)
    chosen, looks = parameters(source.policy, params), wanted.looks_until(rounds)
    runs = Runs(Path.cwd() if tree.starter else tree.root, clock=SystemClock())
    with (
        console_progress() as progress,
        at(place, root=tree.root, kernel=kernel, cpus=cpus, quiet=quiet_host, progress=progress) as there,
        ExitStack() as stack,
    ):
        size = Size(cpus=there.cpus, scale=scale, seed=seed)
        same_size = {"workload": workload, "on": place, "cpus": there.cpus, "scale": scale, "programs": programs}
        asked = {**same_size, "policy": policy, "rounds": rounds, "seed": seed, "params": list(params), "cold": cold}
        run = stack.enter_context(runs.new_run(command="bench", parameters=asked))
        joined, image = there.world, there.image()
        built = build(source, chosen, image, world=joined)
        there.require_proved(source, chosen, built)
        earlier = runs.documents("measurements", Measurements, same_size, at_most=_EARLIER)
        power = foretell(wanted, looks, image, cpus=there.cpus, earlier=earlier, world=joined)
        installed = installed_programs(wanted, progress) if programs else None
        hints = None if cold else _hints(tree.root, wanted, installed, image, size, world=joined)
        found = compare(
            wanted,
            source,
            built,
            hints,
            image,
            size,
            looks=looks,
            world=joined,
            origin=SEARCH if search else FRESH,
            installed=installed,
        )
        for name, document in (
            ("workload", wanted),
            ("measurements", found.measurements),
            ("decision", found.decision),
        ):
            run.keep(name, run.id, Kept(value=document, seconds=found.measurements.seconds, usd=0.0))
    data = {
        "verdict": found.decision.verdict.value,
        "verified": False,
        "run": run.id,
        "params": {value.name: value.value for value in chosen},
        "power": [asdict(one) for one in power],
        "decision": encode(found.decision),
        "measurements": encode(found.measurements),
    }
    kept = os.path.relpath(run.directory)
    text = f"{bench_page(wanted, found.measurements, found.decision)}\n\nAgain: schedops gate --replay {kept}"
    return Answer(data, text, found.decision.verdict.exit_code)


def _simulated(
    policy: str,
    workload: str,
    *,
    rounds: int | None,
    params: tuple[str, ...],
    cold: bool,
    cpus: int,
    scale: float,
    seed: int,
) -> Answer:
    # The same three arms, with a seed for each round; two comparisons instead of one verdict.
    from schedops.adapters.console import console_progress
    from schedops.model.machine import flat_machine
    from schedops.pipeline.parameters import parameters
    from schedops.pipeline.simulation import Contest, exit_code_of, simulate
    from schedops.ports import SimScheduler
    from schedops.report.simulation import simulation_page
    from schedops.repository import load_workload, open_tree, resolve_policy
    from schedops.schema.decode import encode
    from schedops.wiring import crew, simulator

    tree = open_tree(Path.cwd())
    wanted, source = load_workload(tree.root, workload), resolve_policy(tree.root, policy, cwd=Path.cwd())
    contests = {
        arm: Contest(
            workload=wanted,
            machine=flat_machine(cpus),
            policy=SimScheduler(source.policy.name, source, parameters(source.policy, params)),
            baseline=SimScheduler("eevdf"),
            baseline_arm=arm,
            seeds=tuple(range(seed, seed + (rounds or wanted.rounds))),
            scale=scale,
            cold=cold,
        )
        for arm in ("eevdf", "informed")
    }
    with console_progress() as progress:
        engine = simulator()
        found = {
            arm: simulate(contest, simulator=engine, crew=crew(), progress=progress).comparison
            for arm, contest in contests.items()
        }
    data = {"rung": "simulated", "verified": False, "against": {arm: encode(one) for arm, one in found.items()}}
    text = "\n\n".join(simulation_page(one, brief=True) for one in found.values())
    return Answer(data, text, exit_code_of(found["eevdf"].policy_end))


def _runs_programs(workload: Workload, *, asked: bool) -> bool:
    # :raises InputError: there is nothing to run, or not what is asked for.
    from schedops.model.workload import JOB_KINDS
    from schedops.workloads.expand import require_jobs
    from schedops.workloads.real_setup import require_programs

    if asked or (workload.real is not None and workload.model_kind not in JOB_KINDS):
        require_programs(workload)
        return True
    require_jobs(workload)
    return False


def _hints(
    root: Path, workload: Workload, installed: Installed | None, image: KernelImage, size: Size, *, world: World
) -> Hints:
    from schedops.pipeline.compare import learn_programs, profile
    from schedops.repository import load_hints

    if installed is not None:  # what the repository knows are the model's jobs
        return learn_programs(workload, installed, image, size, world=world)
    known = load_hints(root, workload.name)
    return known if known is not None else profile(workload, image, size, world=world)[1]

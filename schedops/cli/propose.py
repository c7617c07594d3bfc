"""``schedops propose``: the whole line, from a workload to a pull request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schedops.cli.agents import Transcribed, agent_options, planner_for
from schedops.cli.common import FiniteRange, answers, output_option, program_name
from schedops.cli.forges import chosen_forge, forge_options, forge_words
from schedops.errors import InputError
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.adapters.disk.runs import OpenRun
    from schedops.model.pull import Published
    from schedops.pipeline.measure import Request
    from schedops.ports import Progress
    from schedops.propose.dossier import Dossier


@click.command()
@click.option("-w", "--workload", metavar="NAME", help="a workload of policies/workloads/ (`schedops workload list`)")
@click.option(
    "--group", metavar="NAME", help="host group that is to run the policy [default: the one with the workload]"
)
@click.option("--kernel", metavar="K", help="kernel to measure on [default: the newest that the fleet file names]")
@click.option("--cpus", type=click.IntRange(1, 64), default=2, show_default=True, help="CPUs of the guest")
@click.option(
    "--scale", type=FiniteRange(0.25, 16), default=1.0, show_default=True, help="factor on the number of jobs"
)
@click.option("--rounds", type=click.IntRange(1, 200), help="measured rounds [default: what the workload says]")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="of job lengths and arrivals")
@click.option(
    "--trials",
    type=click.IntRange(0, 10000),
    default=40,
    show_default=True,
    help="candidates that are tried in the simulator first; 0: rules alone decide",
)
@click.option("--budget-s", type=FiniteRange(0), default=0.0, help="seconds for that at most [default: no limit]")
@click.option(
    "--pathway",
    type=click.Choice(["configure", "create"]),
    help="a policy of the library, or a new one, composed of rules [default: whatever is better]",
)
@agent_options
@click.option("--fresh", is_flag=True, help="measure again, also what did not change since an earlier run")
@click.option("--dry-run", is_flag=True, help="stop before the pull request and print what its body would say")
@click.option("--resume", metavar="RUN", help="go on with a run that was stopped; finished stages are not repeated")
@forge_options
@output_option
@answers("propose")
def propose(
    *,
    resume: str | None,
    dry_run: bool,
    fresh: bool,
    record: Path | None,
    replay: Path | None,
    **asked: Any,
) -> Answer:
    """Propose a scheduler policy for a workload, with the evidence, as a pull request.

    Runs the workload once in a micro-VM, plans a policy, verifies it on the fleet's kernels, measures it against the
    default scheduler and against what an expert would try first, and opens a pull request when the figures are good
    enough. Nothing of your work tree, index or branches is touched.

    \b
    Examples:
      schedops propose --workload ci-builds
      schedops propose --workload uneven-batch --rounds 20 --dry-run
      schedops propose --workload ci-builds --pathway create --trials 60
      schedops propose --workload ci-builds --agent anthropic --budget-usd 0.50
      schedops propose --workload ci-builds --forge github
      schedops propose --resume 20261121-093000-1f3a

    Exit codes: 0 pull request opened, updated or unchanged, 1 not good enough, 2 bad input, 3 a draft without a
    verdict, 69 could not measure.
    """
    from schedops.adapters.clock import SystemClock
    from schedops.adapters.console import console_progress
    from schedops.adapters.disk.runs import Runs
    from schedops.adapters.forge.git import GitCheckout
    from schedops.pipeline.measure import Request

    checkout = GitCheckout(Path.cwd())
    runs = Runs(checkout.root, clock=SystemClock())
    if resume is None and asked["workload"] is None:
        raise click.UsageError("--workload NAME (or --resume RUN) is missing; `schedops workload list` names them")
    if resume is None:
        context = runs.new_run(command="propose", parameters=asked, fresh=fresh)
        request = Request(**asked)
    else:
        request = _recorded(runs, resume)
        context = runs.open_run(resume, fresh=fresh)
    with console_progress() as progress, context as run:
        kept = Transcribed(replay or record or run.directory / "model", only=replay is not None)
        return _line(request, run, checkout, kept, progress=progress, dry_run=dry_run)


def _recorded(runs: Any, resume: str) -> Request:
    from schedops.pipeline.measure import Request

    record = runs.record(resume)
    try:
        return Request(**record.parameters)
    except TypeError:
        raise InputError("bad-run", f"run {resume} was not made by this version of propose") from None


def _line(
    request: Request, run: OpenRun, checkout: Any, kept: Transcribed, *, progress: Progress, dry_run: bool
) -> Answer:
    from schedops.adapters.package import package_digest
    from schedops.pipeline.line import Line
    from schedops.pipeline.measure import measure
    from schedops.pipeline.publish import dossier_of, group_of, publish, reads
    from schedops.propose.stage import refuse_uncommitted
    from schedops.repository import load_assignments
    from schedops.wiring import tools, world

    inputs = _inputs(request, checkout.root)
    base_commit = checkout.head()
    group = group_of(request, inputs)
    forge = None if dry_run else chosen_forge(checkout.root)  # what is missing for it is said before anything is run
    if not dry_run:
        refuse_uncommitted(reads(request, group), checkout=checkout)
    joined = world(progress)
    line = Line(run=run, clock=joined.clock, progress=progress, tool_sha256=package_digest())
    if checkout.branch() is None:
        text = f"HEAD is detached at {base_commit[:12]}: the pull request will be against the forge's default branch"
        line.tell("note", "propose", text)
    planner = planner_for(request, inputs.policies, root=checkout.root, kept=kept, world=joined)
    results = measure(request, inputs, line=line, world=joined, planner=planner)
    desired = [one for one in load_assignments(checkout.root) if (one.group, one.workload) == (group, request.workload)]
    dossier = dossier_of(
        request,
        inputs,
        results,
        line=line,
        clock=joined.clock,
        base_commit=base_commit,
        tools=lambda: tools(joined),
        desired=desired[0] if desired else None,
    )
    if forge is None:
        return _dry(dossier, run)
    published = publish(request, inputs, results, dossier, forge=forge, checkout=checkout)
    line.tell("finished", "propose", f"pull request {published.pull.number} {published.action}")
    return _answer(dossier, published, run, address=forge.address(published.pull.number))


def _inputs(request: Request, root: Path) -> Any:
    from schedops.pipeline.measure import Inputs
    from schedops.repository import load_active, load_fleet, load_hints, load_workload, open_tree
    from schedops.workloads.expand import require_jobs

    tree = open_tree(root)
    if tree.starter:
        raise InputError(
            "no-policies",
            "this repository has no policies/ directory",
            where=str(root),
            hint="run it in a checkout with policies/library, policies/workloads and policies/fleet.yaml",
        )
    workload = load_workload(tree.root, request.workload)
    require_jobs(workload)
    return Inputs(
        workload=workload,
        fleet=load_fleet(tree.root),
        policies=load_active(tree.root),
        hints=load_hints(tree.root, request.workload),
        memory=_memory(tree.root),
    )


def _memory(root: Path) -> Any:
    from schedops.agent.lessons import MAX_BYTES, PATH
    from schedops.pipeline.learning import Memory
    from schedops.repository import load_outcomes
    from schedops.repository.history import history_files
    from schedops.schema.files import read_bounded

    lessons = root / PATH
    return Memory(
        outcomes=load_outcomes(root),
        histories=history_files(root),
        lessons=read_bounded(lessons, root=root / "policies", limit=MAX_BYTES).decode("utf-8", "replace")
        if lessons.exists()
        else "",
    )


def _dry(dossier: Dossier, run: OpenRun) -> Answer:
    from schedops.propose.body import body
    from schedops.schema.decode import encode

    decision = dossier.decision
    data = {"run": run.id, "decision": encode(decision), "pull": None}
    return Answer(data, body(dossier), decision.verdict.exit_code)


def _answer(dossier: Dossier, published: Published, run: OpenRun, *, address: str) -> Answer:
    from schedops.schema.decode import encode

    pull = published.pull
    draft = " as a draft" if pull.draft else ""
    program, to = program_name(), forge_words()
    lines = [
        f"Pull request {pull.number} {published.action}{draft}: {pull.title}",
        f"  branch {pull.branch}, run {run.id}",
        *([f"  {address}"] if address else []),
        "",
        "Next:",
        f"  {program} pr list{to}",
        f"  {program} pr show {pull.number}{to}        the body as a reviewer reads it",
        f"  {program} pr checkout {pull.number}{to}    look at the change in your work tree",
        f"  {program} pr merge {pull.number}{to}",
    ]
    data = {
        "run": run.id,
        "action": published.action,
        "pull": encode(pull),
        "decision": encode(dossier.decision),
        "evidence": encode(dossier.evidence),
    }
    return Answer(data, "\n".join(lines), pull.verdict.exit_code)

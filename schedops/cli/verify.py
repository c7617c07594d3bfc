"""``schedops verify``: does a policy compile, load, take charge, keep tasks running and go away cleanly?"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from schedops.cli.common import answers
from schedops.errors import InputError, SchedopsError, Unavailable
from schedops.report.envelope import Answer
from schedops.verify.stages import FULL, LOAD, QUICK, SOURCE, STATIC, up_to

if TYPE_CHECKING:
    from schedops.cli.verify_output import Verified
    from schedops.model.policy import ParamValue, PolicySource, PrebuiltPolicy
    from schedops.ports import KernelImage, Progress, World
    from schedops.repository.includes import Headers

F = TypeVar("F", bound=Callable[..., Any])
_MAX_STDIN = (1 << 20) + 1
_DECLARABLE = ("weights", "hotplug", "partial")


def _depth(flag: str, text: str) -> Callable[[F], F]:
    return click.option(f"--{flag}", "depth", flag_value=flag, help=text)


@click.command()
@click.argument("policies", nargs=-1, metavar="POLICY...")
@click.option("--kernel", "kernels", multiple=True, metavar="K", help="a kernel, fetched if missing [default: fleet's]")
@_depth("full", "all stages; this is the default")
@_depth("quick", "load it, put it in charge, two seconds of mixed load")
@_depth("static", "no guest: source, compiler, object; of these what this machine has the tools and kernels for")
@click.option("--stage", type=click.Choice(FULL), help="the stages up to this one")
@click.option("--declare", "declared", multiple=True, type=click.Choice(_DECLARABLE), help="what a bare file honours")
@click.option(
    "--include",
    "includes",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="headers that a source may include, such as scheds/include of sched-ext/scx",
)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="a parameter other than its default")
@click.option("--base", metavar="OBJ", help="a .bpf.o to compare with: what the kernel's verifier says of both")
@click.option("--cpus", type=click.IntRange(2, 64), default=2, show_default=True, help="CPUs of the guest")
@click.option("--keep-going", is_flag=True, help="run on after an error, on all kernels, to find all there is")
@click.option("--no-cache", is_flag=True, help="ask again, even where nothing changed since an earlier run")
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="write JUnit XML as well"
)
@click.option("--sarif", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="write SARIF as well")
@click.option("--verbose", "-v", is_flag=True, help="also what each stage came to")
@click.option("--explain", metavar="RULE", help="print the page of a rule")
@click.option("--rules", is_flag=True, help="list all rules with their level and stage")
@click.option("--write-docs", type=click.Path(file_okay=False, path_type=Path), hidden=True)
@click.option(
    "--output",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="text for people, json for scripts (one envelope on stdout), sarif for editors and code scanning",
)
@answers("verify")
def verify(
    *, policies: tuple[str, ...], explain: str | None, rules: bool, write_docs: Path | None, output: str, **options: Any
) -> Answer:
    """Look at a policy, compile it for each kernel's own types, load it in a micro-VM, and see that it does its work.

    POLICY is a name of the library, a directory with policy.yaml, a .bpf.c file, a built .bpf.o, or - for a source on
    standard input (which gets the static stages unless told otherwise). Nothing is ever loaded on this machine.

    \b
    Examples:
      schedops verify build-order
      schedops verify build-order --kernel 6.16 --quick --param max_wait_ms=800
      schedops verify ./my-policy.bpf.c --declare weights --declare hotplug
      schedops verify - --output sarif < my-policy.bpf.c
      schedops verify scx_simple.bpf.c --include scx/scheds/include
      schedops verify --explain DSQ-NOT-CONSUMED

    Exit codes: 0 PASS, 1 FAIL, 2 the input cannot be read, 3 INCONCLUSIVE, 69 could not be measured.
    """
    if explain is not None or rules or write_docs is not None:
        from schedops.cli.rules import explained, listed, written

        if explain is not None:
            return explained(explain)
        return listed() if write_docs is None else written(write_docs)
    if not policies:
        raise click.UsageError("what is to be verified? give a POLICY; `schedops library list` names some")
    try:
        return _verify(policies, output=output, **options)
    except SchedopsError as error:
        if output == "sarif":
            from schedops.cli.verify_output import say_failure

            say_failure(error)
        raise


def _verify(
    wanted: tuple[str, ...],
    *,
    kernels: tuple[str, ...],
    depth: str | None,
    stage: str | None,
    declared: tuple[str, ...],
    includes: tuple[Path, ...],
    params: tuple[str, ...],
    base: str | None,
    cpus: int,
    keep_going: bool,
    no_cache: bool,
    junit: Path | None,
    sarif: Path | None,
    verbose: bool,
    output: str,
) -> Answer:
    from schedops.adapters.console import console_progress
    from schedops.cli.verify_output import answer, writable
    from schedops.pipeline.base import against_base
    from schedops.pipeline.verification import verify_policy
    from schedops.repository import ignored_includes, open_tree, read_includes
    from schedops.wiring import world

    if depth is not None and stage is not None:
        raise click.UsageError(f"--{depth} and --stage both say how far to go; give one")
    writable(junit)
    writable(sarif)
    root, headers = open_tree(Path.cwd()).root, read_includes(includes)
    subjects = [_subject(root, one, declared, headers) for one in wanted]
    other = None if base is None else _base(root, base)
    values = [_values(subject, params) for subject in subjects]
    verified: list[Verified] = []
    with console_progress() as progress:
        joined = world(progress)
        if ignored := ignored_includes(includes):
            _noter(progress)(f"not used, each kernel's own types and libbpf's headers are: {', '.join(ignored[:5])}")
        stages = up_to(stage) if stage else _STAGES[depth or ("static" if "-" in wanted else "full")]
        if other is not None and LOAD not in stages:
            raise click.UsageError("--base compares what the kernel's verifier says: --stage load at least")
        images, missing, stages = images_for(kernels, stages, joined, root, can_do_less=depth == "static")
        for subject, chosen in zip(subjects, values, strict=True):
            report = verify_policy(
                joined,
                subject,
                params=chosen,
                images=images,
                missing=missing,
                stages=stages,
                cpus=cpus,
                keep_going=keep_going,
                cached=not no_cache,
            )
            if other is not None:
                report = against_base(joined, report, subject, other, images, params=chosen, cpus=cpus)
            verified.append((report, subject))
    return answer(verified, output=output, junit=junit, sarif=sarif, verbose=verbose)


_STAGES = {"full": FULL, "quick": QUICK, "static": STATIC}


def _subject(root: Path, wanted: str, declared: tuple[str, ...], headers: Headers) -> PolicySource | PrebuiltPolicy:
    from schedops.model.policy import PrebuiltPolicy
    from schedops.repository import resolve_subject, with_includes

    stdin = sys.stdin.buffer.read(_MAX_STDIN) if wanted == "-" else b""
    found = resolve_subject(root, wanted, cwd=Path.cwd(), declared=declared, stdin=stdin)
    return found if isinstance(found, PrebuiltPolicy) or not headers else with_includes(found, headers)


def _base(root: Path, wanted: str) -> PrebuiltPolicy:
    from schedops.model.policy import PrebuiltPolicy
    from schedops.repository import resolve_subject

    found = resolve_subject(root, wanted, cwd=Path.cwd()) if wanted.endswith(".bpf.o") else None
    if isinstance(found, PrebuiltPolicy):
        return found
    raise InputError("not-an-object", f"{wanted[:200]!r} is no .bpf.o", hint="--base wants an object that loads")


def _values(subject: PolicySource | PrebuiltPolicy, params: tuple[str, ...]) -> tuple[ParamValue, ...]:
    if not params:
        return ()  # an answer that was kept comes without loading what measures
    from schedops.pipeline.parameters import parameters

    return parameters(subject.policy, params)


def images_for(
    wanted: tuple[str, ...], stages: tuple[str, ...], joined: World, root: Path, *, can_do_less: bool
) -> tuple[tuple[KernelImage, ...], tuple[str, ...], tuple[str, ...]]:
    """Kernels, those missing, and the stages to run: without any kernel, what needs none may be all there is."""
    from schedops.pipeline.kernels import default_images, fleet_kernels, fleet_of
    from schedops.wiring import archive

    if set(stages) <= {SOURCE}:
        return (), (), stages
    fleet = fleet_of(root)
    source = None if can_do_less else archive(joined)
    try:
        if can_do_less:
            joined.toolchain.versions()
        found = default_images(wanted, fleet, joined.kernels, archive=source, note=_noter(joined.progress))
    except (InputError, Unavailable) as error:
        if can_do_less and not wanted:
            _noter(joined.progress)(f"{error.message}: only the rules on the source are checked")
            return (), (), (SOURCE,)
        if wanted or error.code != "no-kernel":
            raise
        # What needs no kernel is said all the same; the verdict is not a pass.
        _noter(joined.progress)(error.message)
        found = fleet_kernels(fleet, joined.kernels)
    return *found, stages


def _noter(progress: Progress) -> Callable[[str], None]:
    from schedops.model.event import Event

    return lambda text: progress.emit(Event(kind="note", stage="verify", text=text))

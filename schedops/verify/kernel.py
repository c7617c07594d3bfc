"""One policy on one kernel: the stages in order, in one guest, tried again where a second look is due."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.errors import GuestLost, Unavailable
from schedops.model.event import Event
from schedops.model.guest import LoadPlan
from schedops.model.policy import ParamValue, PolicySource
from schedops.model.verdict import Verdict
from schedops.model.verification import BuildFailure, BuiltObject, Check, ObjectRef
from schedops.ports import Clock, Guest, KernelImage, Machines, Progress, Toolchain
from schedops.verify import judge, mix
from schedops.verify.judge import Outcome
from schedops.verify.record import STAGES, Record

ATTACH_S = 20.0
DETACH_S = 10.0
_LOAD_GRACE_S = 15.0
_TRIES = 2


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything that is the same for all kernels."""

    source: PolicySource
    params: tuple[ParamValue, ...]
    cpus: int
    toolchain: Toolchain
    machines: Machines
    clock: Clock
    progress: Progress

    def note(self, text: str) -> None:
        """Tell the user something on the way."""
        self.progress.emit(Event(kind="note", stage="verify", text=text))


@dataclass(frozen=True, slots=True)
class KernelOutcome:
    """:param object: what was verified; None when nothing was built."""

    checks: tuple[Check, ...]
    object: ObjectRef | None


def on_kernel(bench: Bench, image: KernelImage) -> KernelOutcome:
    """All stages, up to the first that does not pass. Never raises for what the policy or the machine did."""
    record = Record(bench.source, image.kernel.name, bench.clock, bench.clock.monotonic_s())
    try:
        built = bench.toolchain.build(bench.source, bench.params, image)
    except Unavailable as error:
        record.add("compile", _unavailable(error))
        return KernelOutcome(tuple(record.checks), None)
    if isinstance(built, BuildFailure):
        record.add_failure(built)
        return KernelOutcome(tuple(record.checks), None)
    record.add("compile", _compiled(built))
    reference = ObjectRef(kernel=image.kernel.name, btf_sha256=image.kernel.btf_sha256, sha256=built.sha256)
    return KernelOutcome(tuple(_in_guests(bench, image, built, record)), reference)


def _in_guests(bench: Bench, image: KernelImage, built: BuiltObject, compiled: Record) -> list[Check]:
    """The stages in a guest. A lost guest is started again once: what shows twice is a finding."""
    lost: GuestLost | None = None
    for _ in range(_TRIES):
        record = Record(compiled.source, compiled.kernel, bench.clock, bench.clock.monotonic_s(), [*compiled.checks])
        try:
            with bench.machines.boot(image, cpus=bench.cpus) as guest:
                record.restart()  # making the guest is no stage of the policy's
                _in_guest(bench, guest, built, record)
        except GuestLost as gone:
            if lost is not None:
                record.add(_next_stage(record), _lost_twice(lost, gone))
                return record.checks
            bench.note(f"{gone.message}; tried once more")
            lost = gone
        except Unavailable as error:
            record.add(_next_stage(record), _unavailable(error))
            return record.checks
        else:
            return _with_doubt(record, lost)
    raise AssertionError("the last try returns")


def _in_guest(bench: Bench, guest: Guest, built: BuiltObject, record: Record) -> None:
    attached = guest.attach(built.elf, deadline_s=ATTACH_S)
    if not record.add("load", judge.load(attached)):
        return
    log = guest.kernel_log()
    if not record.add("enable", judge.enable(attached, bench.source.policy, log)):
        return
    alive, log = _liveness(bench, guest, log, seq=attached.after.enable_seq)
    if not record.add("liveness", alive):
        return
    gone = guest.detach(deadline_s=DETACH_S)
    log += guest.kernel_log()
    if record.add("unload", judge.unload(gone, log)):
        record.add("kernel-log", judge.kernel_log(log))


def _liveness(bench: Bench, guest: Guest, log: str, *, seq: int) -> tuple[Outcome, str]:
    """Under load, twice when the first look may have been the host's doing; with all that was logged so far."""
    groups = mix.mixed(bench.cpus)
    finding = None
    for _ in range(_TRIES):
        plan = LoadPlan(groups=groups, duration_ms=mix.DURATION_MS)
        reading = guest.mixed_load(plan, deadline_s=mix.DURATION_MS / 1000 + _LOAD_GRACE_S)
        after = guest.state()
        if after.state != "enabled":
            guest.detach(deadline_s=DETACH_S)  # waits until the kernel is done with it, and has logged why
        log += guest.kernel_log()
        finding = judge.liveness(groups, reading, after, bench.source.policy, seq=seq, log=log)
        if finding.verdict is Verdict.PASS or finding.final:
            break
        bench.note(f"{finding.text}; looked at once more")
    assert finding is not None
    return finding, log


def _with_doubt(record: Record, lost: GuestLost | None) -> list[Check]:
    """A guest that died under the policy once and not the second time proves neither."""
    passed = all(check.verdict is Verdict.PASS for check in record.checks)
    if lost is None or not lost.attached or lost.known_emulator_fault or not passed:
        return record.checks
    text = f"once the guest was lost with the policy attached ({lost.message}), once all went well"
    finding = Outcome(verdict=Verdict.INCONCLUSIVE, text=text, advice="verify it again on a quiet host")
    record.add(STAGES[-1], finding)
    return record.checks


def _lost_twice(first: GuestLost, second: GuestLost) -> Outcome:
    if second.attached and first.attached and not (first.known_emulator_fault or second.known_emulator_fault):
        text = f"the guest hung or died with the policy attached, twice: {second.message}"
        return Outcome(verdict=Verdict.FAIL, text=text, advice=_last_line(second.detail))
    return _unavailable(second)


def _unavailable(error: Unavailable) -> Outcome:
    return Outcome(verdict=Verdict.ERROR, text=f"{error.message} ({error.code})", advice=error.hint)


def _compiled(built: BuiltObject) -> Outcome:
    warnings = f", {len(built.warnings)} warnings" if built.warnings else ""
    return Outcome(verdict=Verdict.PASS, text=f"object {built.sha256[:12]}, {len(built.elf)} bytes{warnings}")


def _next_stage(record: Record) -> str:
    """The stage that was under way: the one after the last that was noted."""
    done = {check.stage for check in record.checks}
    return next((stage for stage in STAGES if stage not in done), STAGES[-1])


def _last_line(detail: str) -> str:
    lines = [line.strip() for line in detail.splitlines() if line.strip()]
    return f"the console's last line: {lines[-1][:200]}" if lines else ""

"""One policy on one kernel: the stages in order, in one guest, tried again where a second look is due."""

from __future__ import annotations

from dataclasses import dataclass, replace

from schedops.errors import GuestLost, Unavailable
from schedops.model.event import Event
from schedops.model.policy import ParamValue, Policy, PolicySource
from schedops.model.verdict import Verdict
from schedops.model.verification import BuiltObject, Check
from schedops.ports import Clock, Guest, KernelImage, Machines, Progress, Toolchain
from schedops.verify import judge, stages
from schedops.verify.dynamic import rules_charge as rules
from schedops.verify.dynamic import stages as dynamic
from schedops.verify.dynamic.limits import MAX_JITTER_MS, TIMEOUT_MS
from schedops.verify.dynamic.look import ATTACH_S, Session
from schedops.verify.judge import Outcome
from schedops.verify.object.elf import BadObject, ObjectFacts, inspect
from schedops.verify.object.patch import with_timeout
from schedops.verify.record import Record

_TRIES = 3  # lost once, and once a finding that a second guest has to confirm
MANY_CPUS = 4  # two pairs, so that what two CPUs share is not what all share
PROGRAM_NAME = 15  # characters, BPF_OBJ_NAME_LEN - 1


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
    sockets: int = 1

    def note(self, text: str) -> None:
        """Tell the user something on the way."""
        self.progress.emit(Event(kind="note", stage="verify", text=text))


def in_guests(
    bench: Bench, image: KernelImage, built: BuiltObject, compiled: Record, wanted: tuple[str, ...]
) -> list[Check]:
    """The stages from "load" on that are in *wanted*, up to the first that does not pass.

    :param compiled: what was noted before; it is not changed.
    :return: all checks, those of *compiled* first.
    """
    checks = compiled.checks
    narrow = tuple(stage for stage in wanted if stage != stages.TOPOLOGY)
    if set(narrow) - set(stages.STATIC):
        checks = _in_fresh_guests(bench, image, built, compiled, narrow)
    if stages.TOPOLOGY in wanted and all(check.verdict is Verdict.PASS for check in checks):
        larger, so_far = replace(bench, cpus=MANY_CPUS, sockets=2), replace(compiled, checks=checks)
        checks = _in_fresh_guests(larger, image, built, so_far, (stages.TOPOLOGY,))
    return checks


def _in_fresh_guests(
    bench: Bench, image: KernelImage, built: BuiltObject, compiled: Record, wanted: tuple[str, ...]
) -> list[Check]:
    """All in one guest.

    A lost guest is started again once: what shows twice is a finding. So is what only a clock says, outside of loads
    that watch whether the host ran the guest.
    """
    lost: GuestLost | None = None
    doubted: Check | None = None
    for _ in range(_TRIES):
        record = replace(compiled, since_s=bench.clock.monotonic_s(), checks=[*compiled.checks])
        try:
            with bench.machines.boot(image, cpus=bench.cpus, sockets=bench.sockets) as guest:
                record.restart()  # making the guest is no stage of the policy's
                _in_guest(bench, image, guest, built, record, wanted)
        except GuestLost as gone:
            if lost is not None:
                record.add(_next_stage(record, wanted), _lost_twice(lost, gone))
                return record.checks
            bench.note(f"{gone.message}; tried once more")
            lost = gone
        except Unavailable as error:
            record.add(_next_stage(record, wanted), _unavailable(error))
            return record.checks
        else:
            if record.timed and doubted is None:
                doubted = record.checks[-1]
                bench.note(f"{doubted.text}; looked at once more in a fresh guest")
                continue
            return _with_doubt(record, lost, doubted)
    raise AssertionError("the last try returns")


def _in_guest(
    bench: Bench, image: KernelImage, guest: Guest, built: BuiltObject, record: Record, wanted: tuple[str, ...]
) -> None:
    """Loading and enabling are always done, and noted when they fail: nothing else can be asked without them."""
    elf, facts = _impatient(built.elf), _facts(built.elf)
    attached = guest.attach(elf, deadline_s=ATTACH_S)
    session = Session(
        guest=guest,
        policy=_named(bench.source.policy, facts),
        elf=elf,
        cpus=bench.cpus,
        note=bench.note,
        release=image.kernel.release,
        today=bench.clock.now_utc()[:10],
        callbacks=_callbacks(facts),
        seq=attached.after.enable_seq,
    )
    session.read_log()
    loaded = judge.load(attached)
    if not _note(record, stages.LOAD, loaded, wanted):
        return
    if not _note(record, stages.ENABLE, judge.enable(attached, session.policy, session.log), wanted):
        return
    _under_load(session, record, wanted)


def _under_load(session: Session, record: Record, wanted: tuple[str, ...]) -> None:
    table = dynamic.UNDER_LOAD if stages.CHURN in wanted else dynamic.BRIEF
    for stage, run in table.items():
        if stage in wanted and not record.add(stage, _if_the_host_let_it(session, run(session))):
            return


def _if_the_host_let_it(session: Session, outcome: Outcome) -> Outcome:
    """What took too long outside of loads proves nothing in a guest that was seen to stand still."""
    if outcome.verdict is not Verdict.FAIL or not outcome.timed or session.most_late_ms <= MAX_JITTER_MS:
        return outcome
    text = f"the host was too busy: CPUs of the guest stood still for {session.most_late_ms:.0f} ms; seen: "
    return replace(judge.unknown(Verdict.INCONCLUSIVE, text + outcome.text), timed=True)


def _note(record: Record, stage: str, outcome: Outcome, wanted: tuple[str, ...]) -> bool:
    passed = outcome.verdict is Verdict.PASS
    return record.add(stage, outcome) if stage in wanted or not passed else passed


def _with_doubt(record: Record, lost: GuestLost | None, doubted: Check | None) -> list[Check]:
    """A guest that died under the policy once and not the second time proves neither; nor does what took too long."""
    seen = doubted.text if doubted is not None and doubted.verdict is Verdict.FAIL else ""
    if lost is not None and lost.attached and not lost.known_emulator_fault:
        seen = f"the guest was lost with the policy attached ({lost.message})"
    if not seen or any(check.verdict is not Verdict.PASS for check in record.checks):
        return record.checks
    text = f"once {seen}, once all went well"
    finding = Outcome(verdict=Verdict.INCONCLUSIVE, text=text, advice="verify it again on a quiet host")
    record.add(record.checks[-1].stage, finding)
    return record.checks


def _lost_twice(first: GuestLost, second: GuestLost) -> Outcome:
    if second.attached and first.attached and not (first.known_emulator_fault or second.known_emulator_fault):
        text = f"the guest hung or died with the policy attached, twice: {second.message}"
        advice = _last_line(second.detail) or rules.GUEST_HUNG.fix
        return Outcome(verdict=Verdict.FAIL, text=text, rule=rules.GUEST_HUNG.id, advice=advice)
    return _unavailable(second)


def _unavailable(error: Unavailable) -> Outcome:
    return Outcome(verdict=Verdict.ERROR, text=f"{error.message} ({error.code})", advice=error.hint)


def _next_stage(record: Record, wanted: tuple[str, ...]) -> str:
    """The stage that was under way: the one after the last that was noted."""
    done = {check.stage for check in record.checks}
    left = [stage for stage in stages.FULL if stage in wanted and stage not in done and stage not in stages.STATIC]
    return left[0] if left else wanted[-1]


def _last_line(detail: str) -> str:
    lines = [line.strip() for line in detail.splitlines() if line.strip()]
    return f"the console's last line: {lines[-1][:200]}" if lines else ""


def _impatient(elf: bytes) -> bytes:
    """A copy whose watchdog speaks while the guest runs; what is signed is the object itself."""
    try:
        return with_timeout(elf, TIMEOUT_MS)
    except BadObject:
        return elf


def _facts(elf: bytes) -> ObjectFacts | None:
    """None when they cannot be read: what is wrong with the object is said by its rules, or at loading."""
    try:
        return inspect(elf)
    except BadObject:
        return None


def _named(policy: Policy, facts: ObjectFacts | None) -> Policy:
    """Of a bare object nobody has said under which name the kernel is to know it: it says so itself."""
    return policy if policy.ops_name or facts is None else replace(policy, ops_name=facts.ops_name)


def _callbacks(facts: ObjectFacts | None) -> dict[str, str]:
    """Ops member -> name of its program, as the kernel keeps it."""
    return {member: program[:PROGRAM_NAME] for member, program in facts.callbacks} if facts is not None else {}

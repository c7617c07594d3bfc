"""The stages in guests on all kernels: one after the other, or side by side where that cannot change a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from schedops.errors import Unavailable
from schedops.model.event import Event
from schedops.model.policy import PolicySource, PrebuiltPolicy
from schedops.model.verdict import Verdict
from schedops.model.verification import Check
from schedops.ports import Crew, Verdicts
from schedops.verify import kept, kernel
from schedops.verify.dynamic import rules_charge
from schedops.verify.kernel import Bench
from schedops.verify.record import Record
from schedops.verify.stages import QUICK, on_kernel
from schedops.verify.static import Static


@dataclass(slots=True)
class Guests:
    """One verification's guests.

    :param stages: those in guests that are asked for.
    :param verdicts: what earlier runs found; *cached* False: not asked, but added to.
    """

    subject: PolicySource | PrebuiltPolicy
    bench: Bench
    stages: tuple[str, ...]
    crew: Crew
    verdicts: Verdicts | None
    keep_going: bool
    cached: bool
    over: bool = False  # a kernel failed, so those not begun are left out
    running: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    total: int = 1
    last: str = ""  # of the kernels

    def run(self, objects: Sequence[Static]) -> list[Check]:
        """What the guests said, in the order of the kernels, up to the first that fails."""
        ready = [one for one in objects if one.built is not None]
        self.total = max(len(ready), 1)
        self.last = objects[-1].image.kernel.name if objects else ""
        known = [self._known(one) for one in ready]
        fresh = [one for one, checks in zip(ready, known, strict=True) if checks is None]
        early = self._in_company(fresh)
        width = self.crew.guests_at_once(cpus=self.bench.cpus)

        def settle(at: int) -> list[Check]:
            return self._settled(ready[at], known[at] or early.get(ready[at].image.kernel.name))

        parts = self.crew.each(settle, range(len(ready)), at_once=width)
        return [check for part in parts for check in part]

    def _in_company(self, ready: Sequence[Static]) -> dict[str, list[Check]]:
        """Brief stages in guests that share the cores. What passes there passes, what depends on no clock stands; all
        else is asked again alone.

        Sharing can make a task wait longer, never less: it finds too much, not too little. Stages that measure shares
        and costs, or count on a number of events, are never run like that.
        """
        shared = self.crew.guests_at_once(cpus=1)
        alone = self.crew.guests_at_once(cpus=self.bench.cpus)
        if not set(self.stages) <= set(QUICK) or len(ready) < 2 or shared <= alone:
            return {}
        found = self.crew.each(self._ask, ready, at_once=shared)
        named = zip((one.image.kernel.name for one in ready), found, strict=True)
        return {name: checks for name, checks in named if self._passed(name, checks) or _is_sure(checks)}

    def _settled(self, one: Static, known: Sequence[Check] | None) -> list[Check]:
        if self.over:
            return []
        checks = list(known) if known is not None else self._ask(one)
        if known is not None:
            self.done.add(one.image.kernel.name)
        if not self.keep_going and any(check.verdict is Verdict.FAIL for check in checks):
            self.over = True
        if not any(check.text.endswith(kept.MARK) for check in checks):
            self._keep(one, checks)
        return checks

    def _ask(self, one: Static) -> list[Check]:
        assert one.built is not None  # only those are asked
        name, clock = one.image.kernel.name, self.bench.clock
        self.running.append(name)
        self.done.discard(name)
        text = f"{self.subject.policy.name} on {', '.join(self.running)}"
        progress = Event(kind="progress", stage="verify", text=text, fraction=len(self.done) / self.total)
        self.bench.progress.emit(progress)
        record = Record(self.bench.source, name, clock, clock.monotonic_s())
        checks = kernel.in_guests(self.bench, one.image, one.built, record, self._asked(name))
        self.running.remove(name)
        self.done.add(name)
        return checks

    def _asked(self, kernel: str) -> tuple[str, ...]:
        return on_kernel(self.stages, last=kernel == self.last)

    def _passed(self, kernel: str, checks: Sequence[Check]) -> bool:
        ran = {check.stage for check in checks}
        return set(self._asked(kernel)) <= ran and all(check.verdict is Verdict.PASS for check in checks)

    def _known(self, one: Static) -> list[Check] | None:
        keys = self._keys(one)
        found = kept.find_guests(self.verdicts, keys) if self.verdicts and keys and self.cached else None
        return list(found) if found is not None else None

    def _keep(self, one: Static, checks: Sequence[Check]) -> None:
        # A pass that left a stage out is nobody's answer.
        complete = self._passed(one.image.kernel.name, checks) or any(check.verdict is Verdict.FAIL for check in checks)
        keys = self._keys(one)
        if self.verdicts and keys and one.reference and complete:
            report = kept.of_kernel(self.subject.policy.name, self._asked(one.image.kernel.name), checks, one.reference)
            kept.keep_guests(self.verdicts, keys, report)

    def _keys(self, one: Static) -> kept.GuestKeys | None:
        """None: nothing is kept, since it is not known what the object does or what would run it."""
        if self.verdicts is None or one.built is None:
            return None
        from schedops.verify.object.identity import behaviour_digest  # noqa: PLC0415 - only objects need it

        behaviour = kept.quietly(partial(behaviour_digest, one.built.elf))
        try:
            emulator = self.bench.machines.accelerator()
        except Unavailable:
            return None
        if behaviour is None:
            return None
        tools = (emulator.name, emulator.qemu_version)
        asked = self._asked(one.image.kernel.name)
        return kept.guest_keys(self.subject, behaviour, one.image, stages=asked, cpus=self.bench.cpus, tools=tools)


def _is_sure(checks: Sequence[Check]) -> bool:
    """Refused or put out by the kernel itself: a quieter machine changes nothing."""
    errors = {finding.rule for check in checks for finding in check.findings if finding.level == "error"}
    return bool(errors & {rules_charge.VERIFIER_REFUSED.id, rules_charge.EJECTED.id})

"""One look at a policy under load, and how many looks make a verdict. Pure, but for the guest that is handed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from schedops.model.guest import AttachReading, LoadPlan, LoadReading, SchedState
from schedops.model.policy import Policy
from schedops.model.verdict import Verdict
from schedops.ports import Guest
from schedops.verify.dynamic.rules_charge import EJECTED
from schedops.verify.dynamic.rules_load import STALL
from schedops.verify.judge import Outcome

ATTACH_S = 10.0
DETACH_S = 10.0
_LOAD_GRACE_S = 15.0
_LOOKS = 3
_STARVED_LOOKS = 3  # so many in which the host starved the guest, beside those that count
_PUT_OUT = {f"FAIL {rule.id}" for rule in (EJECTED, STALL)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A load, and what the kernel said before and after it.

    :param log: everything the kernel logged since the policy was attached.
    :param dump: what sched_ext dumped when it put the policy out; empty while it stayed.
    :param seq: what ``enable_seq`` must be as long as the policy is there.
    """

    plan: LoadPlan
    before: SchedState
    reading: LoadReading
    after: SchedState
    policy: Policy
    seq: int
    log: str
    dump: str = ""


@dataclass(slots=True)
class Session:
    """A policy that is attached in a guest.

    :param release: of the kernel, and *today* the date: some splats are allowed on some kernels for some time.
    :param callbacks: ops member -> name of its program as the kernel keeps it.
    :param log: what the kernel logged since it was attached last; *earlier_log*: before.
    :param fresh: it was attached anew, and has not been under load since.
    :param lost: it was gone after the last load.
    :param last: the last look.
    :param most_late_ms: the worst that the guest's tickers saw in all loads.
    :param kept: looks that later stages judge as well, by name.
    """

    guest: Guest
    policy: Policy
    elf: bytes
    cpus: int
    note: Callable[[str], None]
    release: str = ""
    today: str = ""
    callbacks: Mapping[str, str] = field(default_factory=dict)
    seq: int = 0
    log: str = ""
    earlier_log: str = ""
    fresh: bool = False
    lost: bool = False
    last: Look | None = None
    most_late_ms: float = 0.0
    kept: dict[str, Look] = field(default_factory=dict)

    def look(self, plan: LoadPlan) -> Look:
        """Run a load. A policy that was lost is waited for until the kernel is done with it, and has logged why.

        One that was lost in the look before is attached anew: what happened to it may not count.
        """
        if self.lost:
            self.attach()
        before = self.guest.state()
        longest_ms = max(plan.duration_ms, plan.max_ms)
        reading = self.guest.mixed_load(plan, deadline_s=longest_ms / 1000 + _LOAD_GRACE_S)
        after = self.guest.state()
        self.most_late_ms = max(self.most_late_ms, reading.harness_jitter_ms)
        self.lost = after.state != "enabled"
        if self.lost:
            self.guest.detach(deadline_s=DETACH_S)
        self.read_log()
        self.last = Look(
            plan=plan,
            before=before,
            reading=reading,
            after=after,
            policy=self.policy,
            seq=self.seq,
            log=self.log,
            dump=self.guest.dump() if self.lost else "",
        )
        return self.last

    def attach(self) -> AttachReading:
        """Attach it, again; what was logged about an earlier end stays out of the log from here on."""
        reading = self.guest.attach(self.elf, deadline_s=ATTACH_S)
        self.earlier_log, self.log = self.earlier_log + self.log, self.guest.kernel_log()
        self.seq, self.lost = reading.after.enable_seq, False
        return reading

    def without_policy(self, plan: LoadPlan) -> LoadReading:
        """The same load on the kernel's own scheduler; for the next look the policy is attached anew."""
        self.guest.detach(deadline_s=DETACH_S)
        self.lost = True
        alone = replace(plan, hotplug=(), until_runs=0, of_program="", max_ms=0, program_stats=False)
        return self.guest.mixed_load(alone, deadline_s=alone.duration_ms / 1000 + _LOAD_GRACE_S)

    def read_log(self) -> None:
        """Take in what the kernel logged since it was last asked."""
        self.log += self.guest.kernel_log()


def settle(look: Callable[[], Outcome], note: Callable[[str], None]) -> Outcome:
    """A finding counts when it shows twice, or at once when it is final; so does passing after one that did not count.

    Two looks in which nothing could be measured are enough; three when it was the host that was late, and those do not
    count as looks. Having been put out is outweighed by no number of passes: the policy that passed was a fresh one.
    """
    seen: Counter[str] = Counter()
    looks = starved = 0
    while True:
        last = look()
        starved += last.starved
        looks += not last.starved
        if last.final and last.verdict is not Verdict.PASS:
            return last
        seen[_key(last)] += 1
        if _decided(seen, last) or starved == _STARVED_LOOKS:
            return last
        if looks == _LOOKS:
            break
        note(f"{last.text}; looked at once more")
    text = f"seen in some of {_LOOKS} looks only: {last.text}"
    return replace(last, verdict=Verdict.INCONCLUSIVE, text=text)


def _decided(seen: Counter[str], last: Outcome) -> bool:
    if last.verdict is Verdict.PASS:
        failures = [key for key in seen.elements() if key.startswith("FAIL")]
        return seen[_key(last)] > len(failures) and not _PUT_OUT & set(failures)
    return seen[_key(last)] == 2 and not last.starved


def _key(outcome: Outcome) -> str:
    if outcome.starved:
        return "starved"
    return f"FAIL {outcome.rule}" if outcome.verdict is Verdict.FAIL else outcome.verdict.value

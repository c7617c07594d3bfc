"""Everything a proposal is written from."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.errors import InputError
from schedops.model.decision import Decision
from schedops.model.evidence import Evidence
from schedops.model.fleet import Assignment, Fleet
from schedops.model.jobs import Hints
from schedops.model.measurements import Measurements
from schedops.model.plan import Plan
from schedops.model.policy import Policy, PolicySource
from schedops.model.profile import Profile
from schedops.model.pull import FileChange
from schedops.model.search import Search
from schedops.model.verdict import Verdict
from schedops.model.verification import VerificationReport
from schedops.model.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """:param group: host group that is to run it.
    :param hints: what history knows about the workload's jobs; None: nothing.
    :param commands: what to type to get the same, in order.
    :param desired: what the base already says for this group and workload; None: nothing.
    :param search: all that was tried in the simulator; None: nothing was.
    :param created: the policy's source, when the base has no such policy.
    :param learnt: files that remember what was measured.
    """

    workload: Workload
    group: str
    policy: Policy
    profile: Profile
    hints: Hints | None
    plan: Plan
    verification: VerificationReport
    measurements: Measurements
    decision: Decision
    evidence: Evidence
    commands: tuple[str, ...]
    desired: Assignment | None = None
    search: Search | None = None
    created: PolicySource | None = None
    learnt: tuple[FileChange, ...] = ()

    @property
    def settings_only(self) -> bool:
        """The informed default is enough: no policy is proposed."""
        return self.decision.recommendation == "settings"

    @property
    def verdict(self) -> Verdict:
        """On what is proposed: the gate recommends settings only when they passed every rule of their own."""
        return Verdict.PASS if self.settings_only else self.decision.verdict

    @property
    def arm(self) -> str:
        """The arm of the comparison that is proposed."""
        return "informed" if self.settings_only else "candidate"


def group_for(fleet: Fleet, workload: str, wanted: str | None = None) -> str:
    """The host group that runs *workload*.

    :raises InputError: none does, several do and none was named, or the one named does not.
    """
    groups = [group.name for group in fleet.groups if workload in group.workloads]
    if wanted is not None and wanted in groups:
        return wanted
    if wanted is None and len(groups) == 1:
        return groups[0]
    what = f"group {wanted!r} does not run {workload}" if wanted else f"{len(groups)} host groups run {workload}"
    raise InputError(
        "no-group",
        what,
        where="policies/fleet.yaml::$.groups",
        hint=f"--group {groups[0]}" if groups else f"list {workload} under the workloads of a group",
    )

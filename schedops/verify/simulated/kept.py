"""A simulation that an earlier run may have done: it is the same each time, so it is kept as long as anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from schedops.errors import Unavailable
from schedops.model.kernel import follows
from schedops.model.policy import PolicySource
from schedops.model.verdict import worst
from schedops.model.verification import BuiltObject, Check, NotRun, VerificationReport
from schedops.ports import Crew, Simulator, Verdicts
from schedops.verify import kept
from schedops.verify.kernel import Bench
from schedops.verify.stages import IN_GUESTS, QUICK, SIMULATE

_CUSTODY_SINCE = (7, 1)  # kernel/sched/ext.c: SCX_TASK_IN_CUSTODY


@dataclass(frozen=True, slots=True)
class Simulation:
    """One verification's.

    :param source: None: there is only an object.
    :param wanted: the stages that are asked for.
    :param kernels: releases that are verified, by whose newest rules is simulated; none: the newest that are known.
    :param verdicts: what earlier runs found; *cached* False: not asked, but added to.
    """

    source: PolicySource | None
    bench: Bench
    simulator: Simulator | None
    crew: Crew
    verdicts: Verdicts | None
    wanted: tuple[str, ...]
    kernels: tuple[str, ...]
    cached: bool

    def run(self, built: BuiltObject | None) -> Check | NotRun:
        """What it comes to.

        :param built: for any kernel: equal objects do the same, whatever their sources look like.
        """
        from schedops.verify.simulated import stage  # noqa: PLC0415 - most of it is for here only

        if self.source is None:
            return NotRun(stage=SIMULATE, text=stage.NO_SOURCE)
        if self.simulator is None:
            return NotRun(stage=SIMULATE, text=stage.NO_SIMULATOR)
        keys = self._keys(self.source, built)
        if self.cached and (known := self._known(keys)) is not None:
            return known
        found = stage.simulate(self.bench, self.simulator, self.crew, deep=self._deep(), custody=self._custody())
        self._keep(keys, found)
        return found

    def _deep(self) -> bool:
        """Who waits for guests briefly waits for this briefly; who asks for nothing beyond it wants to know."""
        return not set(self.wanted) <= set(QUICK) or not set(self.wanted) & set(IN_GUESTS)

    def _custody(self) -> bool:
        return not self.kernels or any(follows(release, _CUSTODY_SINCE) for release in self.kernels)

    def _known(self, keys: kept.GuestKeys | None) -> Check | NotRun | None:
        if self.verdicts is None or keys is None:
            return None
        for key in (keys.behaviour, keys.exact):
            report = self.verdicts.find(key)
            if report is not None and report.not_run:
                return report.not_run[0]
            if report is not None and kept.is_settled(report.checks):
                return kept.marked(report.checks)[0]
        return None

    def _keep(self, keys: kept.GuestKeys | None, found: Check | NotRun) -> None:
        if self.verdicts is None or keys is None:
            return
        checks: Sequence[Check] = (found,) if isinstance(found, Check) else ()
        report = VerificationReport(
            policy=self.bench.source.policy.name,
            source_sha256=kept.subject_digest(self.bench.source),
            stages=(SIMULATE,),
            verdict=worst(check.verdict for check in checks),
            checks=tuple(checks),
            objects=(),
            not_run=(found,) if isinstance(found, NotRun) else (),
        )
        if isinstance(found, NotRun):
            self.verdicts.keep(keys.exact, report)
        else:
            kept.keep_guests(self.verdicts, keys, report)

    def _keys(self, source: PolicySource, built: BuiltObject | None) -> kept.GuestKeys | None:
        if self.verdicts is None or built is None:
            return None
        from schedops.verify.object.identity import behaviour_digest  # noqa: PLC0415 - only objects need it

        behaviour = kept.quietly(partial(behaviour_digest, built.elf))
        try:
            versions = self.bench.toolchain.versions()
        except Unavailable:
            return None
        if behaviour is None:
            return None
        asked = {"deep": self._deep(), "custody": self._custody()}
        return kept.simulation_keys(source, behaviour, self.bench.params, asked=asked, clang=versions["clang"])

"""The verifier, in process, as the benchmarks of it run it."""

from __future__ import annotations

from collections.abc import Sequence

from schedops.errors import InputError
from schedops.model.event import Event
from schedops.model.policy import PolicySource
from schedops.model.verification import VerificationReport
from schedops.pipeline.verification import verify_policy
from schedops.verify.stages import FULL
from schedops.wiring import world


class Silent:
    """Progress that nobody reads."""

    def emit(self, event: Event) -> None:
        """See the port ``Progress``."""


class Judge:
    """Verifies policies on the kernels that were asked for, or the oldest and the newest of the store."""

    def __init__(self, kernels: Sequence[str] = (), stages: Sequence[str] = FULL) -> None:
        """:raises InputError: a kernel is not in the store."""
        self.world = world(Silent())
        self._stages = tuple(stages)
        stored = self.world.kernels.list()
        if not stored:
            raise InputError("no-kernel", "there is no kernel in the store", hint="schedops kernel fetch")
        found = {name: self.world.kernels.find(name) for name in kernels}
        if missing := [name for name, image in found.items() if image is None]:
            raise InputError("no-kernel", f"not in the store: {', '.join(missing)}")
        ends = stored if len(stored) == 1 else (stored[0], stored[-1])
        self.images = tuple(image for image in found.values() if image) or ends

    def verify(self, source: PolicySource) -> VerificationReport:
        """No further than the first sure failure, and nothing from an earlier run but compiled objects."""
        return verify_policy(self.world, source, images=self.images, stages=self._stages, cached=False)

"""One stage after the other: kept from the same inputs, or made now; what each cost is remembered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from schedops.model.event import Event
from schedops.model.evidence import StageCost
from schedops.model.kept import Kept
from schedops.ports import Clock, Progress

T = TypeVar("T")


class Run(Protocol):
    """Where a run's documents are kept; an earlier run with the same input digest may answer too."""

    def recall(self, stage: str, input_digest: str, type_: type[Any]) -> Kept | None:
        """The document, or None when it has to be made."""

    def keep(self, stage: str, input_digest: str, kept: Kept) -> None:
        """Store it whole or not at all."""


@dataclass(slots=True)
class Line:
    """Runs stages and remembers their costs.

    :param tool_sha256: of schedops itself; part of every input digest, so a changed tool never reuses old answers.
    """

    run: Run
    clock: Clock
    progress: Progress
    tool_sha256: str
    costs: list[StageCost] = field(default_factory=list)

    def stage(
        self,
        room: str,
        name: str,
        inputs: Mapping[str, Any],
        type_: type[T],
        make: Callable[[], T],
        say: Callable[[T], str],
    ) -> T:
        """The stage's document.

        :param room: who makes it; what people see as the stage.
        :param name: of the document; what it is kept under.
        :param inputs: JSON-able; everything the document depends on.
        :param say: what to tell people about it, in a few words.
        """
        digest = self._digest(name, inputs)
        kept = self.run.recall(name, digest, type_)
        reused = kept is not None
        if kept is None:
            kept = self._make(room, make)
            self.run.keep(name, digest, kept)
        self.tell("reused" if reused else "finished", room, say(kept.value), kept.seconds)
        self.costs.append(StageCost(stage=room, seconds=kept.seconds, usd=kept.usd, reused=reused))
        value: T = kept.value
        return value

    def tell(self, kind: str, room: str, text: str = "", seconds: float | None = None) -> None:
        """Emit an event."""
        self.progress.emit(Event(kind=kind, stage=room, text=text, seconds=seconds))

    def _make(self, room: str, make: Callable[[], Any]) -> Kept:
        self.tell("started", room)
        started = self.clock.monotonic_s()
        try:
            value = make()
        except BaseException:
            self.tell("failed", room, seconds=self.clock.monotonic_s() - started)
            raise
        seconds = round(self.clock.monotonic_s() - started, 3)
        return Kept(value=value, seconds=seconds, usd=getattr(value, "cost_usd", 0.0))

    def _digest(self, name: str, inputs: Mapping[str, Any]) -> str:
        body = json.dumps({"stage": name, "schedops": self.tool_sha256, "inputs": inputs}, sort_keys=True)
        return f"sha256:{hashlib.sha256(body.encode()).hexdigest()}"

"""Fuzzed sources through the compiler, and what comes out of it, wounded or not, into one guest."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from labels import read_labels

from fuzzing.making import fuzzed_object, nudged_source
from fuzzing.watch import told
from schedops.adapters.compiler.clang import Clang
from schedops.adapters.vm.qemu import Qemu
from schedops.errors import GuestLost
from schedops.model.verification import BuiltObject
from schedops.ports import Guest, KernelImage

ATTACH_S = 20.0
DETACH_S = 15.0
GRACE_S = 15.0  # what a starved host may add
COMPILE_S = 75.0

Note = Callable[[str, bytes, str], None]


class Bed:
    """A compiler and one guest, made anew when the last policy took it down."""

    def __init__(self, image: KernelImage) -> None:
        self._image = image
        self._clang = Clang()
        self._sources = [one.source() for one in read_labels() if one.good]
        self._stack = ExitStack()
        self._guest: Guest | None = None
        self.seen: Counter[str] = Counter()

    def run(self, count: int, seed: int, note: Note) -> dict[str, int]:
        """Every third is an object with wrong bytes, the others are sources with one small wound."""
        here = _listing()
        with self._stack:
            for number in range(count):
                chance = random.Random(f"{seed}/guest/{number}")
                self._one(number, chance, note)
        if strangers := _listing() - here:
            note("files", b"", f"files appeared: {sorted(strangers)[:5]}")
        return dict(self.seen)

    def _one(self, number: int, chance: random.Random, note: Note) -> None:
        source = replace(base := chance.choice(self._sources), text=nudged_source(chance, [base.text]))
        if number % 3 == 2:
            source = base
        made: list[bytes] = []
        wrong, _ = told(lambda: self._compile(source, made), (), COMPILE_S)
        if wrong:
            note(f"guest-{number}.c", source.text.encode(), wrong)
        if not made:
            self.seen["did not compile"] += 1
            return
        elf = fuzzed_object(chance, made) if source is base else made[0]
        started = time.monotonic()
        wrong, _ = told(lambda: self._load(elf), (), ATTACH_S + DETACH_S + GRACE_S)
        if wrong:
            note(f"guest-{number}.o", elf, f"after {time.monotonic() - started:.0f} s: {wrong}")

    def _compile(self, source: object, made: list[bytes]) -> None:
        built = self._clang.build(source, (), self._image)  # type: ignore[arg-type]
        if isinstance(built, BuiltObject):
            made.append(built.elf)

    def _load(self, elf: bytes) -> None:
        try:
            if self._guest is None:
                self._guest = self._stack.enter_context(Qemu().boot(self._image, cpus=2))
            outcome = self._guest.attach(elf, deadline_s=ATTACH_S).outcome
            self.seen[outcome] += 1
            if outcome in ("attached", "not-enabled", "attach-failed"):
                self._guest.detach(deadline_s=DETACH_S)
            self._guest.kernel_log()
        except GuestLost:
            self.seen["guest lost"] += 1
            self._guest = None


def _listing() -> set[str]:
    """Names in the places where a careless compiler would leave something."""
    return {str(path) for place in (Path(), Path.home()) for path in place.iterdir() if path.name != ".schedops"}

"""Values of an rt-app file, held to their types, and its errors."""

from __future__ import annotations

import re
from dataclasses import dataclass

from schedops.errors import InputError
from schedops.sim.programs.lenient_json import Pair, Table

_LARGEST = 2**31 - 1  # rt-app reads C ints (get_int_value_from())


@dataclass(frozen=True, slots=True)
class Values:
    """:param name: of the workload, for messages."""

    name: str

    def bad(self, what: str, line: int) -> InputError:
        """rt-app itself would refuse it."""
        return InputError("bad-rt-app", what[:300], where=f"{self.name}, line {line} of the rt-app file")

    def refused(self, what: str, line: int) -> InputError:
        """rt-app has it, or a newer one may; the simulator has not."""
        return InputError(
            "not-simulated",
            f"the simulator does not have {what[:300]}",
            where=f"{self.name}, line {line} of the rt-app file",
            hint="docs/workloads.md lists what of rt-app is simulated",
        )

    def table(self, pair: Pair | None, name: str, line: int) -> Table:
        """An object."""
        if pair is None or not isinstance(pair.value, Table):
            raise self.bad(f"{name!r} must be an object", line if pair is None else pair.line)
        return pair.value

    def integer(self, pair: Pair) -> int:
        """A whole number."""
        if type(pair.value) is not int or abs(pair.value) > _LARGEST:
            raise self.bad(f"{pair.key!r} must be a whole number of 32 bits", pair.line)
        return pair.value

    def of(self, table: Table, key: str, default: int, *, least: int = -1) -> int:
        """The whole number of that key, *least* or more."""
        pair = table.get(key)
        if pair is None:
            return default
        found = self.integer(pair)
        if found < least:
            raise self.bad(f"{key!r} is {found}, at least {least} is wanted", pair.line)
        return found

    def integers(self, pair: Pair) -> tuple[int, ...]:
        """A list of whole numbers."""
        if not isinstance(pair.value, tuple) or any(type(one) is not int for one in pair.value):
            raise self.bad(f"{pair.key!r} must be a list of whole numbers", pair.line)
        return tuple(int(str(one)) for one in pair.value)

    def text(self, pair: Pair) -> str:
        """A string."""
        if not isinstance(pair.value, str):
            raise self.bad(f"{pair.key!r} must be a string", pair.line)
        return pair.value

    def cpu_name(self, pair: Pair, cpus: int) -> int:
        """The number in a name such as ``CPU0``."""
        found = re.fullmatch(r"CPU(\d{1,4})", self.text(pair))
        if not found or int(found[1]) >= cpus:
            raise self.bad(f"{pair.key} {self.text(pair)!r} names no CPU of this machine", pair.line)
        return int(found[1])

"""Rules that only a simulation reports. What tasks see has the same rules as in guests."""

from __future__ import annotations

from schedops.verify import stages
from schedops.verify.rule import Rule

FAULT = Rule(
    id="FAULT",
    level="error",
    stage=stages.SIMULATE,
    title="A callback does not end, or reads where nothing is",
    why="""\
The policy's own code ran in a sandbox, on machines of many shapes, and broke: an endless loop or recursion, a null
pointer, an index out of bounds, a pointer to outside of its memory. The finding has the line.

The kernel's verifier refuses most of this at load. What it lets through (a loop with a bound of millions, a pointer
that it takes for valid) holds a CPU with interrupts off there.""",
    fix="Check pointers and indexes right before their use, and bound loops by what is really there.",
    source="the policy's code as WebAssembly: a trap, or no end within 100,000 units of work an event",
)

RULES = (FAULT,)

"""The exit codes, and one exception per party that has to act on a failure.

Verdicts are values (``schedops.model.verdict``); exceptions are for what could not be judged at all.
"""

from __future__ import annotations

EXIT_DONE = 0
EXIT_FAIL = 1
EXIT_INPUT = 2
EXIT_INCONCLUSIVE = 3
EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h
EXIT_BUG = 70
EXIT_INTERRUPTED = 130


class SchedopsError(Exception):
    """What happened, where, and what to do next.

    :param code: stable kebab-case name that scripts may key on.
    :param message: one line: what happened, with the number.
    :param where: document as ``file::$.path``, or stage, policy and kernel.
    :param hint: the next command to type.
    :param detail: longer text (a log tail); already bounded and free of control characters.
    """

    exit_code = EXIT_BUG

    def __init__(self, code: str, message: str, *, where: str = "", hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        self.hint = hint
        self.detail = detail


class InputError(SchedopsError):
    """The caller's input is wrong; nothing was done."""

    exit_code = EXIT_INPUT


class Unavailable(SchedopsError):
    """It could not be measured (VM lost, tool missing, disk full); safe to retry."""

    exit_code = EXIT_UNAVAILABLE


class Refused(SchedopsError):
    """The answer is no, and it was measured: what was proposed is not good enough."""

    exit_code = EXIT_FAIL


class Undecided(SchedopsError):
    """It was measured, and there is no verdict."""

    exit_code = EXIT_INCONCLUSIVE


class GuestLost(Unavailable):
    """The micro-VM, or the agent on a host, stopped answering or died.

    :param attached: a policy was attached when it happened, so the policy may be to blame.
    :param known_emulator_fault: the console shows a fault of the emulator itself (``Oops: int3`` under
        multi-threaded TCG of QEMU < 10), which says nothing about the policy.
    """

    def __init__(
        self,
        message: str,
        *,
        attached: bool,
        known_emulator_fault: bool = False,
        where: str = "",
        detail: str = "",
        hint: str = "run it again; `schedops doctor` checks the emulator",
    ) -> None:
        super().__init__("vm-lost", message, where=where, detail=detail, hint=hint)
        self.attached = attached
        self.known_emulator_fault = known_emulator_fault

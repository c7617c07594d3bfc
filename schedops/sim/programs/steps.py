"""The steps of programs by name, and lengths as the integers that the engine wants."""

from __future__ import annotations

from schedops.model.simulation import Instruction, Op, Program

FOREVER = 0


def ns_of_us(us: float) -> int:
    """Microseconds as whole nanoseconds."""
    return round(us * 1_000)


def ns_of_ms(ms: float) -> int:
    """Milliseconds as whole nanoseconds."""
    return round(ms * 1_000_000)


def run(work_ns: int) -> Program:
    """Work; nothing when there is none."""
    return (Instruction(Op.RUN, work_ns),) if work_ns > 0 else ()


def wait(semaphore: int, times: int = 1) -> Program:
    """Take a token, so often: the task wakes up for each one, as a parent does that reaps its children."""
    return (Instruction(Op.WAIT, semaphore),) * times


def post(semaphore: int, tokens: int = 1) -> Program:
    """Give tokens."""
    return (Instruction(Op.POST, semaphore, tokens),) if tokens else ()


def fork(first: int, count: int = 1) -> Program:
    """Let tasks arrive."""
    return (Instruction(Op.FORK, first, count),)


def looped(body: Program, times: int, counter: int, at: int) -> Program:
    """*body*, which begins at program counter *at*, so often; :data:`FOREVER` for ever."""
    if times == 1 or not body:
        return body
    last = Instruction(Op.JUMP, at) if times == FOREVER else Instruction(Op.LOOP, at, times, counter)
    return (*body, last)

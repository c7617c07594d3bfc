"""Run in a guest, which is the host here: measures on it, is killed meanwhile, or looks at what is left."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from schedops.adapters.host.machines import this_host
from schedops.adapters.vm.guest_session import GuestSession
from schedops.model.event import Event
from schedops.model.jobs import Group, Job, JobPlan, RunSetup
from schedops.model.programs import ProgramJob, ProgramPlan
from schedops.model.simulation import Instruction, Op, SimCgroup, SimPlan, SimTask

SETTING = Path("/proc/sys/kernel/timer_migration")
STATE = Path("/sys/kernel/sched_ext/state")


class Told:
    """The port Progress."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def emit(self, event: Event) -> None:
        self.texts.append(event.text)


def main(what: str, wait_ms: str = "0", victim: str = "tool") -> None:
    """:param what: measure | die | begin | look.

    :param victim: who is killed: this tool, or one of those that outlive it: host (and its agent), keep.
    """
    found: dict[str, object] = {}
    if what != "look":
        told = Told()
        with this_host(told, quiet=True, program=Path("/init")) as machines:
            found |= {"rung": machines.accelerator().rung, "told": told.texts, "quiet": SETTING.read_text().strip()}
            if what != "begin":
                with machines.boot(machines.image, cpus=machines.cpus) as guest:
                    found |= _measure(guest) if what == "measure" else _die(guest, int(wait_ms), victim)
            programs = Path("/test/programs.cpio")
            if what == "measure":
                with machines.boot(machines.image, cpus=machines.cpus, programs=programs) as guest:
                    found |= _run_programs(guest)
    sys.stdout.write(json.dumps(found | _look()))


def _measure(guest: GuestSession) -> dict[str, object]:
    attached = guest.attach(Path("/test/policy.bpf.o").read_bytes(), deadline_s=60)
    jobs, state = _jobs(guest, 2_000_000), guest.state()
    detached = guest.detach(deadline_s=30)
    played = guest.play(_plan(), name_seed=1, deadline_s=30)
    again = guest.attach(Path("/test/policy.bpf.o").read_bytes(), deadline_s=60)  # and left so
    return {
        "outcomes": [attached.outcome, again.outcome],
        "during": [state.state, state.ops, state.task_on_ext],
        "detached": [detached.was_attached, detached.state.state, detached.programs_left],
        "exit_codes": jobs.exit_codes,
        "machine_cpu_us": jobs.machine_cpu_us,
        "log": guest.kernel_log(),
        "cpu_us": sum(jobs.cpu_us),
        "played": [played.result.end.verdict, played.clean, [task.cpu_ns for task in played.result.tasks]],
    }


def _run_programs(guest: GuestSession) -> dict[str, object]:
    """Two archives, one behind the other, and what a program in there may do."""
    line = (
        "cat made more; busybox grep -E 'Cap(Inh|Eff|Bnd|Amb)' /proc/self/status; echo /boot/*; head -n 1 /dev/kmsg; "
    )
    line += f"for file in {SETTING} /proc/irq/default_smp_affinity; do echo 0 > $file; done"
    jobs = (ProgramJob(argv=("sh", "-c", line)),)
    reading = guest.run_programs(ProgramPlan(shell=("echo prepared > made",), jobs=jobs), deadline_s=60)
    assert reading is not None
    return {"said": reading.outputs[0], "programs_clean": reading.clean}


def _die(guest: GuestSession, wait_ms: int, victim: str) -> dict[str, object]:
    def end() -> None:
        time.sleep(wait_ms / 1000)
        victims = [os.getpid()] if victim == "tool" else _started_as(f"/init {victim} ")
        for pid in victims:
            os.kill(pid, signal.SIGKILL)

    assert guest.attach(Path("/test/policy.bpf.o").read_bytes(), deadline_s=60).outcome == "attached"
    threading.Thread(target=end).start()
    _jobs(guest, 2_000_000 if victim == "keep" else 100_000_000_000)
    return {"outlived": True}


def _jobs(guest: GuestSession, work: int):
    plan = JobPlan(
        seed=1,
        cpus=2,
        groups=(Group(arrival_us=0, parallel=(2,)), Group(arrival_us=100, parallel=(2,))),
        jobs=tuple(Job(key=f"k{at}", group=at % 2, phase=0, work=work) for at in range(4)),
    )
    setup = RunSetup(cgroup_per_group=True, nice=(0,) * 4, hint_ns=(0,) * 4, name_seed=5)
    return guest.run_jobs(plan, setup, deadline_s=60)


def _plan() -> SimPlan:
    """Two that compete on one CPU for half a second, one of them in a cgroup with nine times the weight."""
    cgroups = (SimCgroup(name="/", parent=-1), SimCgroup(name="a", weight=900), SimCgroup(name="b", weight=100))
    return SimPlan(
        seed=1,
        tasks=tuple(SimTask(name="hog", program=0, cpuset=0, cgroup=at) for at in (1, 2)),
        programs=((Instruction(Op.RUN, 1_000_000), Instruction(Op.LOOP, 0, 0)),),
        labels=("hog",),
        cgroups=cgroups,
        cpusets=((0,),),
        end_ns=300_000_000,
    )


def _look() -> dict[str, object]:
    """What anybody sees on this machine, when what is being undone is undone."""
    until = time.monotonic() + 20
    while _started_as("/init host ", "/init keep ") and time.monotonic() < until:
        time.sleep(0.02)
    return {
        "state": STATE.read_text().strip(),
        "cgroups": [path.name for path in Path("/sys/fs/cgroup").glob("schedops*")],
        "setting": SETTING.read_text().strip(),
        "journal": Path("/run/schedops-host/settings").exists(),
        "programs": _started_as("/init host ", "/init keep "),
        "traces": [path.name for path in Path("/sys/kernel/tracing/instances").glob("*")],
    }


def _started_as(*words: str) -> list[int]:
    # Not the outer guest's, whose agent is the same program.
    lines = {path: path.read_bytes().replace(b"\0", b" ").decode() for path in Path("/proc").glob("[0-9]*/cmdline")}
    return sorted(int(path.parent.name) for path, line in lines.items() if line.startswith(words))


if __name__ == "__main__":
    main(*sys.argv[1:])

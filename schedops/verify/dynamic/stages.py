"""The stages under load: which loads each runs, and what it asks of them."""

from __future__ import annotations

from collections.abc import Callable

from schedops.model.guest import LoadPlan
from schedops.model.verdict import Verdict
from schedops.verify import judge
from schedops.verify import stages as names
from schedops.verify.dynamic import costs, leaving, limits, loads, shares, waits
from schedops.verify.dynamic.blame import settled
from schedops.verify.dynamic.look import Look, Session
from schedops.verify.judge import Outcome

_STORM, _CHANGES, _HOGS = "storm", "changes", "hogs"


def liveness(session: Session) -> Outcome:
    """The mix."""
    return settled(session, lambda: _mixed(session, loads.mixed(session.cpus)))


def brief_liveness(session: Session) -> Outcome:
    """As :func:`liveness`, and shorter: a second look takes its time."""
    plans = [loads.mixed(session.cpus), loads.mixed(session.cpus, loads.QUICK_MS)]
    return settled(session, lambda: _mixed(session, plans.pop() if len(plans) > 1 else plans[0]))


def crowd(session: Session) -> Outcome:
    """Hundreds of tasks at once."""

    def once() -> Outcome:
        look = session.look(loads.crowd(session.cpus))
        return (
            waits.survived(look, limits.CROWDED)
            or _equal(session, look, limits.MIN_JAIN_CROWD)
            or judge.passed(waits.summary(look))
        )

    return settled(session, once)


def churn(session: Session) -> Outcome:
    """As many enqueues as it takes for late flaws, then a load in which their waits show.

    A policy that had to be attached anew has seen none: then it is all done again.
    """
    storms: list[str] = []

    def once() -> Outcome:
        if session.lost or not storms:
            stormy = _storm(session)
            if stormy.verdict is not Verdict.PASS:
                return stormy
            storms.append(stormy.text)
        changed = _changes(session)
        if changed.verdict is not Verdict.PASS:
            return changed
        return judge.passed(f"{storms[-1]}; then {changed.text}")

    return settled(session, once)


def fairness(session: Session) -> Outcome:
    """Who gets what, when hogs start on one CPU, when tasks are alone, and by weight when that is declared."""
    found = []
    for asked in _questions(session):
        outcome = settled(session, asked)
        if outcome.verdict is not Verdict.PASS:
            return outcome
        found.append(outcome.text)
    return judge.passed("; ".join(found))


def topology(session: Session) -> Outcome:
    """What shows only where some CPUs share what others do not: the mix, and hogs that start on one CPU.

    Nobody is asked for equal shares: a host with fewer CPUs than the guest has decides about them as much.
    """
    found = []
    for asked in (
        lambda: _lived(session, loads.mixed(session.cpus, loads.QUICK_MS)),
        lambda: _spread(session, start_on=0),
        lambda: _spread(session, start_on=session.cpus - 1),
        lambda: leaving.kernel_log(session),
    ):
        outcome = settled(session, asked)
        if outcome.verdict is not Verdict.PASS:
            return outcome
        found.append(outcome.text)
    return judge.passed("; ".join((f"{session.cpus} CPUs", *found)))


def overhead(session: Session) -> Outcome:
    """What was counted in the loads before; loads of its own only where there is none, or for a second look."""

    def once() -> Outcome:
        hogs = session.kept.pop(_HOGS, None) or session.look(loads.bunched(session.cpus))
        storm = session.kept.pop(_STORM, None) or session.look(loads.storm(session.cpus, ""))
        changes = session.kept.pop(_CHANGES, None)
        looks = tuple(look for look in (hogs, storm, changes) if look is not None)
        gone = next((lost for look in looks if (lost := waits.lost(look)) is not None), None)
        return (
            gone
            or costs.counted(looks, session.callbacks)
            or costs.callbacks_cost(looks, session.callbacks)
            or costs.switches(hogs)
            or costs.summary(looks, hogs)
        )

    return settled(session, once)


UNDER_LOAD: dict[str, Callable[[Session], Outcome]] = {
    names.LIVENESS: liveness,
    names.CROWD: crowd,
    names.CHURN: churn,
    names.FAIRNESS: fairness,
    names.OVERHEAD: overhead,
    names.UNLOAD: leaving.unload_and_return,
    names.HOTPLUG: leaving.hotplug,
    names.KERNEL_LOG: leaving.kernel_log,
    names.TOPOLOGY: topology,
}
BRIEF: dict[str, Callable[[Session], Outcome]] = {
    **UNDER_LOAD,
    names.LIVENESS: brief_liveness,
    names.UNLOAD: leaving.unload,
}


def _mixed(session: Session, plan: LoadPlan) -> Outcome:
    look = session.look(plan)
    return waits.survived(look, limits.FEW) or shares.upside_down(look) or judge.passed(waits.summary(look))


def _storm(session: Session) -> Outcome:
    """A policy that is too slow to be called so often is told that it is slow."""
    look = _most_enqueues(session, session.callbacks.get("enqueue", ""))
    session.kept[_STORM] = look
    return (
        waits.survived(look, limits.FEW)
        or (costs.enough(look) and costs.callbacks_cost((look,), session.callbacks))
        or costs.enough(look)
        or judge.passed(_storm_summary(look))
    )


def _most_enqueues(session: Session, of_program: str) -> Look:
    """A policy that does not let go of a task that yields shows as well as one that is slow: by too few enqueues."""
    if "yield" not in session.callbacks:
        look = session.look(loads.storm(session.cpus, of_program))
        if session.lost or waits.survived(look, limits.FEW) or not costs.enough(look):
            return look
    return session.look(loads.storm(session.cpus, of_program, yields=False))


def _changes(session: Session) -> Outcome:
    look = session.look(loads.changes(session.cpus))
    session.kept[_CHANGES] = look
    return waits.lived(look, limits.CROWDED)


def _storm_summary(look: Look) -> str:
    runs = next((one.runs for one in look.reading.programs if one.name == look.plan.of_program), 0)
    return f"{runs} enqueues in {look.reading.duration_ms / 1000:.1f} s" if runs else waits.summary(look)


def _questions(session: Session) -> tuple[Callable[[], Outcome], ...]:
    always = (
        lambda: _bunched(session),
        lambda: _kindred(session),
        lambda: _dropped(session),
        lambda: _late(session),
        *((lambda: _lived(session, loads.jobs(session.cpus)),) if _knows_jobs(session) else ()),
    )
    by_cgroup = "cgroup_set_weight" in session.callbacks
    if not session.policy.capabilities.weights:
        return (*always, lambda: _not_against_cgroups(session)) if by_cgroup else always
    nice = (loads.NICE_0, loads.NICE_5)
    by_nice = (lambda: _weights(session, loads.pair(), *nice), lambda: _weights(session, loads.several(), *nice))
    if not by_cgroup:
        return (*always, *by_nice)
    return (*always, *by_nice, lambda: _weights(session, loads.two_cgroups(), loads.HEAVY, loads.LIGHT))


def _knows_jobs(session: Session) -> bool:
    return session.policy.capabilities.hints or session.policy.capabilities.cgroups


def _lived(session: Session, plan: LoadPlan) -> Outcome:
    return waits.lived(session.look(plan), limits.FEW)


def _kindred(session: Session) -> Outcome:
    look = session.look(loads.kindred(session.cpus))
    return waits.survived(look, limits.FEW) or shares.each_served(look) or judge.passed(f"kin: {waits.summary(look)}")


def _dropped(session: Session) -> Outcome:
    look = session.look(loads.dropped(session.cpus))
    return (
        waits.survived(look, limits.FEW)
        or shares.conserving(look, session.cpus)
        or judge.passed(f"{shares.cpu_used(look, session.cpus):.0%} used when nothing else wakes a CPU")
    )


def _late(session: Session) -> Outcome:
    look = session.look(loads.late(session.cpus))
    names = (loads.LATE, loads.FAVOURED_LATE, loads.NICED_LATE)
    upside_down = shares.upside_down(look, *names) if session.cpus > 1 else None
    return waits.survived(look, limits.FEW) or upside_down or judge.passed(waits.summary(look))


def _spread(session: Session, start_on: int) -> Outcome:
    look = session.look(loads.bunched(session.cpus, loads.BRIEF_SHARE_MS, start_on))
    used = shares.cpu_used(look, session.cpus)
    return (
        waits.survived(look, limits.FEW)
        or shares.conserving(look, session.cpus)
        or judge.passed(f"{used:.0%} of the CPUs used")
    )


def _bunched(session: Session) -> Outcome:
    look = session.look(loads.bunched(session.cpus))
    session.kept[_HOGS] = look
    used = f"{shares.cpu_used(look, session.cpus):.0%} of the CPUs used"
    return (
        waits.survived(look, limits.FEW)
        or shares.conserving(look, session.cpus)
        or _equal(session, look, limits.MIN_JAIN)
        or shares.answered(look)
        or judge.passed(f"{used}, {waits.summary(look)}")
    )


def _equal(session: Session, look: Look, least: float) -> Outcome | None:
    """Policies that know tasks by their cgroup may let them run one after the other; nobody may wait too long."""
    return None if session.policy.capabilities.cgroups else shares.equal(look, least)


def _not_against_cgroups(session: Session) -> Outcome:
    """It wants to know the weights of cgroups, and does not say that it follows them."""
    look = session.look(loads.two_cgroups())
    return (
        waits.survived(look, limits.FEW)
        or shares.against(look, loads.HEAVY, loads.LIGHT)
        or judge.passed(f"{loads.HEAVY} : {loads.LIGHT} = {shares.ratio(look, loads.HEAVY, loads.LIGHT):.2f}")
    )


def _weights(session: Session, plan: LoadPlan, heavy: str, light: str) -> Outcome:
    look = session.look(plan)
    return (
        waits.survived(look, limits.FEW)
        or shares.weighted(look, heavy, light)
        or judge.passed(f"{heavy} : {light} = {shares.ratio(look, heavy, light):.2f}")
    )

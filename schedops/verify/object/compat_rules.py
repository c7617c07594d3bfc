"""Rules on what one kernel lacks of what the object needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from schedops.model.kernel import KernelApi, Kfunc
from schedops.model.verification import Finding, Place
from schedops.verify.object.facts import Call, KernelFunction, ObjectFacts, OpsTable
from schedops.verify.object.names import current, essential
from schedops.verify.object.prototypes import differs
from schedops.verify.object.reach import live_calls

# `struct scx_bpf_dsq_insert_vtime_args` is there where `__scx_bpf_dsq_insert_vtime()` takes it (Linux 7.0).
_ARGUMENTS = re.compile(r"scx_bpf_(\w+)_args")
_GUARD = (
    "Guard the call with `bpf_ksym_exists()` and declare the kfunc `__weak`, or leave this kernel out of the fleet."
)


def of_kfuncs(facts: ObjectFacts, api: KernelApi) -> Iterator[Finding]:
    """Kfuncs that are not there, or have another prototype there."""
    offer = _Offer(facts, api)
    wanted = [one for one in facts.kernel_functions if offer.why_not(one)]
    if not wanted:
        return
    sure, perhaps = (_places(calls) for calls in _live(facts, offer))
    anywhere = _places(call for function in facts.functions.values() for call in function.calls)
    for one in wanted:
        rule = "COMPAT-SIG" if offer.kfunc(one.name) else "COMPAT-KFUNC"
        if not one.weak:
            place = sure.get(one.name) or perhaps.get(one.name) or anywhere.get(one.name)
            yield _finding(rule, one, offer, place, "error", "and the object does not load without it")
        elif one.name in sure:
            yield _finding(rule, one, offer, sure[one.name], "error", "and the call is not guarded")
        elif one.name in perhaps:
            words = "and whether the call is guarded cannot be seen"
            yield _finding(rule, one, offer, perhaps[one.name], "warning", words)


def of_members(ops: OpsTable, api: KernelApi) -> Iterator[Finding]:
    """Members of the ops table that the kernel does not have. libbpf leaves out those that are zero."""
    for member in ops.members:
        if member not in api.ops_members:
            text = f"ops.{member} does not exist in this kernel's struct sched_ext_ops, and the object sets it"
            advice = (
                "Leave it out, let the loader set it to 0 where it is missing, or leave this kernel out of the fleet."
            )
            yield Finding(rule="COMPAT-OP", level="error", text=text, advice=advice)


def live(facts: ObjectFacts, api: KernelApi) -> frozenset[Call] | None:
    """Calls that may run on this kernel; None when it would take too long to find out."""
    offer = _Offer(facts, api)
    calls = live_calls(facts, offer.has, offer.exists)
    return None if calls is None else frozenset(calls)


@dataclass(slots=True)
class _Offer:
    facts: ObjectFacts
    api: KernelApi
    _kfuncs: dict[str, Kfunc] = field(init=False)
    _declared: dict[str, KernelFunction] = field(init=False)

    def __post_init__(self) -> None:
        self._kfuncs = {kfunc.name: kfunc for kfunc in self.api.kfuncs}
        self._declared = {one.name: one for one in self.facts.kernel_functions}

    def kfunc(self, name: str) -> Kfunc | None:
        return self._kfuncs.get(essential(name))

    def now_called(self, name: str) -> str:
        """The name that this kernel has instead, or nothing."""
        now = current(essential(name))
        return now if now != essential(name) and now in self._kfuncs else ""

    def why_not(self, one: KernelFunction) -> str:
        """Why libbpf does not find it; nothing when it does."""
        there = self.kfunc(one.name)
        if there is None:
            return f"{essential(one.name)}() is not one of this kernel's kfuncs"
        what = differs((one.params, one.returns), (there.params, there.returns))
        return f"{one.name}() is declared unlike this kernel's {there.name}(): {what}" if what else ""

    def has(self, name: str) -> bool:
        """As the loader sees it; variables and what is not declared as a function are taken to be there."""
        declared = self._declared.get(name)
        return declared is None or not self.why_not(declared)

    def exists(self, question: str) -> int | None:
        """The answer to a CO-RE question, as far as the kernel's offer tells."""
        kind, _, path = question.partition(" ")
        if kind == "enum" and path.startswith("SCX_"):
            return int(path in dict(self.api.enums))
        if kind == "type" and (of := _ARGUMENTS.fullmatch(path.split("___")[0])):
            return int(f"__scx_bpf_{of[1]}" in self._kfuncs)
        owner, _, member = path.partition(".")
        if kind == "field" and owner.split("___")[0] == "sched_ext_ops" and "." not in member:
            return int(member in self.api.ops_members)
        return None


def _live(facts: ObjectFacts, offer: _Offer) -> tuple[tuple[Call, ...], tuple[Call, ...]]:
    """Calls that run whatever the answers are that we do not know, and calls that run for some answer."""
    perhaps = live_calls(facts, offer.has, offer.exists)
    without = live_calls(facts, offer.has, lambda question: offer.exists(question) or 0)
    within = live_calls(facts, offer.has, lambda question: 0 if offer.exists(question) == 0 else 1)
    if perhaps is None or without is None or within is None:
        every = tuple(call for function in facts.functions.values() for call in function.calls)
        return (), every
    names = {call.name for call in without} & {call.name for call in within}
    return tuple(call for call in perhaps if call.name in names), perhaps


def _finding(rule: str, one: KernelFunction, offer: _Offer, place: Place | None, level: str, words: str) -> Finding:
    now = offer.now_called(one.name)
    advice = f"It is called {now}() here. {_GUARD}" if now else _GUARD
    if rule == "COMPAT-SIG":
        advice = (
            "Take the declaration from this kernel's vmlinux.h, or declare both as `___flavours` and ask which exists."
        )
    return Finding(rule=rule, level=level, text=f"{offer.why_not(one)}, {words}", place=place, advice=advice)


def _places(calls: Iterable[Call]) -> dict[str, Place | None]:
    """Name -> where it is called first in the source."""
    found: dict[str, Place | None] = {}
    for call in calls:
        known = found.get(call.name)
        found[call.name] = call.place if known is None or (call.place and _order(call.place) < _order(known)) else known
    return found


def _order(place: Place) -> tuple[str, int, int]:
    return place.file, place.line, place.column

"""What the tools do: values in, words out. All that the model hands in is checked before it goes anywhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from schedops.agent.claude.dialogue import as_json
from schedops.agent.claude.tools import ALL
from schedops.agent.claude.untrusted import quoted, tame
from schedops.agent.lab import DEFAULT_SCHEDULER, SETTINGS_ALONE, Candidate, Lab
from schedops.agent.value import Metrics, value_of
from schedops.errors import InputError
from schedops.model.conversation import Tool
from schedops.model.policy import Capabilities, Param, ParamValue, Policy, PolicySource, Provenance
from schedops.model.workload import Workload
from schedops.schema.canonical import digest_of
from schedops.schema.read import load
from schedops.schema.validate import problems_of
from schedops.schema.write import yaml_bytes

MAX_WRITES = 6  # sources that are handed in, repairs included
_SEARCH_HITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """:param words: what was found, as the verifier says it; for one that passed too."""

    passed: bool
    words: str


class Shelf(Protocol):
    """The library, read only."""

    def search(self, words: str, limit: int) -> Sequence[tuple[str, str]]:
        """(policy, why), best first."""

    def find(self, name: str) -> PolicySource | None:
        """The policy of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """:param value: what a search makes small, negative is better; None where an objective has no figure."""

    candidate: Candidate
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the model proposed, its words made harmless."""

    candidate: Candidate
    hypothesis: str
    metric: str
    expected_change: float
    reasons: tuple[str, ...]


@dataclass(slots=True)
class PolicyTools:
    """Implements ``Toolbox``.

    :param classes: of the workload, best first; a new policy is meant for them.
    :param headers: (name, text) of the library's headers that a new source may include.
    :param check: rules and compiler, out of the model's reach.
    :param seeds: of the simulator; training seeds, the gate uses others.
    """

    workload: Workload
    classes: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    shelf: Shelf
    lab: Lab
    check: Callable[[PolicySource], Checked]
    seeds: tuple[int, ...]
    tools: tuple[Tool, ...] = ALL
    written: dict[str, PolicySource] = field(default_factory=dict)
    tried: list[Tried] = field(default_factory=list)
    wish: Wish | None = None
    writes: int = 0
    _defaults: tuple[list[Metrics], list[Metrics]] | None = None

    def done(self) -> bool:
        """It proposed something that could be measured."""
        return self.wish is not None

    def use(self, name: str, arguments: Mapping[str, Any]) -> str:
        """See the protocol. :raises InputError: what to tell the model."""
        tool = next((one for one in self.tools if one.name == name), None)
        if tool is None:
            raise InputError("no-such-tool", f"there is no tool {name[:64]!r}")
        if problems := problems_of(tool.input_schema, arguments):
            raise InputError(
                "bad-arguments", f"{name}: {'; '.join(f'{one.path} {one.message}' for one in problems[:5])}"
            )
        does = {
            "search_library": self._search,
            "show_policy": self._show,
            "simulate": self._simulate,
            "write_policy": self._write,
            "propose": self._propose,
        }
        return does[name](arguments)

    def best(self) -> Candidate | None:
        """The best that it had simulated, if it was better than the default scheduler."""
        better = [one for one in self.tried if one.value is not None and one.value < 0]
        return min(better, key=lambda one: one.value or 0.0).candidate if better else None

    def _search(self, asked: Mapping[str, Any]) -> str:
        hits = self.shelf.search(asked["words"], _SEARCH_HITS)
        return quoted("library", as_json([{"policy": name, "why": why} for name, why in hits]))

    def _show(self, asked: Mapping[str, Any]) -> str:
        source = self._source(asked["name"])
        policy = source.policy
        facts = {
            "name": policy.name,
            "description": policy.description,
            "loses_when": policy.loses_when,
            "classes": policy.classes,
            "capabilities": {name: getattr(policy.capabilities, name) for name in Capabilities.__slots__},
            "params": [
                {"name": p.name, "default": p.default, "min": p.min, "max": p.max, "unit": p.unit, "meaning": p.meaning}
                for p in policy.params
            ],
        }
        return quoted("policy", f"{as_json(facts)}\n{source.text}")

    def _simulate(self, asked: Mapping[str, Any]) -> str:
        candidate = self._candidate(asked)
        base, informed = self._default_runs()
        readings = self.lab.run([(candidate, seed) for seed in self.seeds])
        failed = next((one.why for one in readings if one.metrics is None), None)
        if failed is not None:
            self.tried.append(Tried(candidate=candidate, value=None))
            return quoted("simulator", f"it did not get through: {failed}")
        found = value_of(self.workload, base, informed, [one.metrics for one in readings if one.metrics is not None])
        self.tried.append(Tried(candidate=candidate, value=found.value))
        changes = {f"{one.role} {one.metric}": f"{one.change:+.1%}" for one in found.figures}
        broken = f"; guards or bounds are broken by {math.expm1(found.broken):.1%} in all" if found.broken > 0 else ""
        return f"simulated, {len(self.seeds)} seeds, change against EEVDF: {as_json(changes)}{broken}"

    def _write(self, asked: Mapping[str, Any]) -> str:
        if self.writes >= MAX_WRITES:
            raise InputError(
                "too-many-sources", f"at most {MAX_WRITES} sources may be handed in; propose what you have"
            )
        self.writes += 1
        source = self._handed_in(asked)
        checked = self.check(source)
        if not checked.passed:
            self.written.pop(source.policy.name, None)
            raise InputError("source-refused", "the source does not pass", detail=quoted("verifier", checked.words))
        self.written[source.policy.name] = source
        return f"{source.policy.name} compiles and breaks no rule. {quoted('verifier', checked.words)}"

    def _propose(self, asked: Mapping[str, Any]) -> str:
        metrics = [one.metric for one in self.workload.objectives]
        if asked["metric"] not in metrics:
            raise InputError("bad-arguments", f"the objectives are {', '.join(metrics)}")
        self.wish = Wish(
            candidate=self._candidate(asked),
            hypothesis=tame(asked["hypothesis"], limit=600),
            metric=asked["metric"],
            expected_change=float(asked["expected_change"]),
            reasons=tuple(tame(one, limit=300) for one in asked["reasons"]),
        )
        return "taken"

    def _default_runs(self) -> tuple[list[Metrics], list[Metrics]]:
        if self._defaults is None:
            both = [self.lab.run([(one, seed) for seed in self.seeds]) for one in (DEFAULT_SCHEDULER, SETTINGS_ALONE)]
            plain, informed = ([one.metrics for one in side if one.metrics is not None] for side in both)
            if len(plain) < len(self.seeds):
                raise InputError("no-simulation", "the simulator cannot run this workload; propose without figures")
            self._defaults = (plain, informed if len(informed) == len(plain) else [])
        return self._defaults

    def _candidate(self, asked: Mapping[str, Any]) -> Candidate:
        source = self._source(asked.get("policy", ""))
        known = {param.name: param for param in source.policy.params}
        values: dict[str, int] = {}
        for one in asked.get("params", ()):
            param = known.get(one["name"])
            if param is None:
                raise InputError("bad-arguments", f"{source.policy.name} has no parameter {one['name']!r}")
            if not param.min <= one["value"] <= param.max:
                raise InputError(
                    "bad-arguments", f"{param.name} is {param.min} to {param.max} {param.unit}, not {one['value']}"
                )
            values[param.name] = one["value"]
        changed = {name: value for name, value in values.items() if value != known[name].default}
        params = tuple(ParamValue(name=name, value=value) for name, value in sorted(changed.items()))
        return Candidate(source.policy.name, source, params)

    def _source(self, name: str) -> PolicySource:
        source = self.written.get(name) or self.shelf.find(name)
        if source is None:
            raise InputError("no-such-policy", f"there is no policy {name[:64]!r}; ask search_library")
        return source

    def _handed_in(self, asked: Mapping[str, Any]) -> PolicySource:
        name = asked["name"]
        if self.shelf.find(name) is not None:
            raise InputError("name-taken", f"{name} is a policy of the library; choose another name")
        base = self.shelf.find(asked["base"]) if asked["base"] else None
        if asked["base"] and base is None:
            raise InputError("no-such-policy", f"the base {asked['base'][:64]!r} is no policy of the library")
        params = tuple(Param(**{key: one[key] for key in Param.__slots__}) for one in asked["params"])
        wrong = [one.name for one in params if not one.min <= one.default <= one.max]
        if wrong or len({one.name for one in params}) < len(params):
            raise InputError("bad-arguments", f"parameters must be distinct, with min <= default <= max: {wrong}")
        policy = Policy(
            name=name,
            description=tame(asked["description"], limit=600),
            tags=("created",),
            classes=self.classes,
            source=f"{name}.bpf.c",
            ops_name=name.replace("-", "_")[:60],
            params=tuple(sorted(params, key=lambda one: one.name)),
            capabilities=base.policy.capabilities if base else Capabilities(),
            loses_when=tame(asked["loses_when"], limit=600),
            provenance=Provenance(
                author="agent",
                pathway="modify" if base else "create",
                base=base.policy.name if base else None,
                base_sha256=digest_of(base) if base else None,
            ),
        )
        # As strict as with anybody's file: what is wrong with the description is told to the model.
        policy = load(yaml_bytes(policy), Policy, where="policy.yaml")
        text = "".join(c for c in asked["source"] if c.isprintable() or c in "\n\t")
        path = f"policies/library/{name}/{name}.bpf.c"
        return PolicySource(policy=policy, path=path, text=text, headers=self.headers)

"""A recipe to a policy with its C. The same recipe gives the same bytes. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from string import Template

from schedops.agent.compose import callbacks, group_parts, parts
from schedops.agent.compose.description import described
from schedops.agent.compose.recipe import Recipe, words
from schedops.model.policy import Param, Policy, PolicySource

_WIDTH = 117


def compose(recipe: Recipe, headers: Mapping[str, str], *, classes: tuple[str, ...] = ("mixed",)) -> PolicySource:
    """The policy.

    :param headers: of the library, by name.
    :param classes: of workloads, what it is made for.
    """
    needed = ("fair.h", *(("burst.h",) if recipe.bursts else ()))
    policy = described(recipe, classes)
    return PolicySource(
        policy=policy,
        path=f"policies/library/{policy.name}/{policy.source}",
        text=_text(recipe, policy, needed),
        headers=tuple(sorted((name, text) for name, text in headers.items() if _is_used(name, needed))),
    )


def _is_used(name: str, needed: tuple[str, ...]) -> bool:
    return name in (*needed, "schedops.h") or "/" in name


def _text(recipe: Recipe, policy: Policy, needed: tuple[str, ...]) -> str:
    sections = [
        _comment(recipe, policy),
        "".join(f'#include "{name}"\n' for name in needed),
        parts.HEAD + (parts.JOB_DEFINES if recipe.jobs else ""),
        *_defines(recipe),
        "".join(f"const volatile u64 {one.name} = {one.default};\n" for one in policy.params),
        "struct exit_record exit_record;\n",
        "HINTS_MAP;\n" if recipe.hints else "",
        _task(recipe),
        parts.STORAGE,
        *_state(recipe),
        parts.TASK_OF,
        *_rules(recipe),
        callbacks.select_cpu(recipe),
        callbacks.runnable(recipe),
        callbacks.quiescent(recipe),
        callbacks.enqueue(recipe),
        callbacks.goes_on(recipe),
        callbacks.dispatch(recipe),
        callbacks.running(recipe),
        *_ends(recipe, policy),
    ]
    return "\n".join(section for section in sections if section)


def _filled(text: str, **values: str) -> str:
    return Template(text).substitute(values)


def _comment(recipe: Recipe, policy: Policy) -> str:
    said = textwrap.wrap(f"{policy.name}: {words(recipe)}.", _WIDTH, break_on_hyphens=False)
    why = textwrap.wrap(
        "Composed of rules of a small grammar and chosen among others like it by simulation; the next line is the "
        "sentence. Keys grow with time and every wait is bounded, so nobody waits forever. Nothing of a task is looked "
        f"at but {_looked_at(recipe)}.",
        _WIDTH,
    )
    lines = [*said, "", *why, "", str(recipe)]
    body = "".join(f" * {line}".rstrip() + "\n" for line in lines)
    return f"/* SPDX-License-Identifier: GPL-2.0-only */\n/*\n{body} */\n"


def _looked_at(recipe: Recipe) -> str:
    found = ["its cgroup"] if recipe.groups else []
    found += ["its weight"] if recipe.plain == "fair" else []
    found += ["its hint"] if recipe.hints else []
    return ", ".join([*found, "the CPU time it used"]).replace(", the CPU", " and the CPU")


def _defines(recipe: Recipe) -> list[str]:
    inside = recipe.groups and recipe.inside != "turns"
    return [
        parts.CREDIT if recipe.plain == "fair" else "",
        group_parts.GROUP_DEFINES if recipe.groups else "",
        parts.LENGTH_DEFINES if inside else "",
        parts.HALF_DEFINE if recipe.order in ("longest-first", "shortest-first") else "",
        parts.BURST_DEFINE if recipe.plain == "short-bursts" else "",
        parts.KICK_DEFINE if recipe.kick == "latency" else "",
    ]


def _task(recipe: Recipe) -> str:
    fields = ["struct fair_task fair;"]
    fields += ["struct burst burst;"] if recipe.bursts else []
    fields += ["u64 used_ns; /* CPU time since the policy knows the task */"] if callbacks.counts_used(recipe) else []
    fields += ["u64 turn_ns; /* CPU time since it last woke up */"] if callbacks.counts_turn(recipe) else []
    if recipe.groups:
        fields += [
            "u64 group;   /* arrival number of its group, 0: none */",
            "u64 counted; /* arrival number under which it is counted as runnable, 0: not counted */",
        ]
    elif recipe.jobs:
        fields.append("u64 hint_ns; /* as first seen; 0: not a job */")
    fields += ["u64 place; /* number in order of submission, from 1; 0: none */"] if callbacks.in_places(recipe) else []
    fields += ["bool is_long; /* once long, long until it ends */"] if recipe.order == "long-first" else []
    fields += ["bool placed; /* an idle CPU is being woken up for it */"] if recipe.place == "whoever-is-first" else []
    return "struct made_task {\n" + "".join(f"\t{field}\n" for field in fields) + "};\n"


def _state(recipe: Recipe) -> list[str]:
    by_hints = recipe.order == "groups-by-remaining"
    return [
        _filled(group_parts.GROUP_STATE, fields=group_parts.SLOT_HINTS if by_hints else "") if recipe.groups else "",
        "/* Somebody hands over hints. */\nstatic bool hinted;\n" if recipe.groups and recipe.hints else "",
        parts.ALIVE if recipe.order == "long-first" else "",
        parts.PLACES if callbacks.in_places(recipe) else "",
        parts.USED if recipe.jobs else "",
        parts.KICKED if recipe.kick == "latency" else "",
    ]


def _rules(recipe: Recipe) -> list[str]:
    found = [*(_group_rules(recipe) if recipe.groups else []), *(_hint_rules(recipe) if not recipe.groups else [])]
    if recipe.jobs:
        job = "t->group" if recipe.groups else "t->hint_ns"
        found += [
            f"static __always_inline bool is_job(struct made_task *t)\n{{\n\treturn {job};\n}}\n",
            parts.JOBS_TURN,
        ]
    found += [callbacks.plain_key(recipe)]
    if recipe.hints and not recipe.groups:
        found.append(_first_key(recipe))
    if callbacks.counts_turn(recipe):
        found.append(_turn())
    return [*found, callbacks.charge(recipe), callbacks.find_cpu(recipe)]


def _group_rules(recipe: Recipe) -> list[str]:
    by_hints = recipe.order == "groups-by-remaining"
    learn = group_parts.LEARN_GROUP if by_hints else ""
    learn += "\tif (!hinted && hint_ns(p))\n\t\thinted = true;\n" if recipe.hints else ""
    inside = (parts.HINTED_TURN if recipe.hints else "") + (
        parts.WOKEN_TURN + parts.INSIDE[recipe.inside] if recipe.inside != "turns" else ""
    )
    return [
        _filled(group_parts.GROUP_OF, anew=group_parts.ANEW if by_hints else "", learn=learn),
        group_parts.BY_REMAINING if by_hints else group_parts.BY_ARRIVAL,
        group_parts.RANK,
        parts.LEFT if recipe.inside == "shortest-first" else "",
        _filled(group_parts.GROUP_KEY, inside=inside),
    ]


def _hint_rules(recipe: Recipe) -> list[str]:
    if not recipe.jobs:
        return []
    places, by_length = callbacks.in_places(recipe), recipe.order == "long-first"
    learn = "\tif (!t->hint_ns) {\n\t\tt->hint_ns = hint_ns(p);\n\t\tif (!t->hint_ns)\n\t\t\treturn;\n"
    if by_length:
        learn += "\t\t__sync_fetch_and_add(&jobs_alive, 1);\n\t\t__sync_fetch_and_add(&hints_alive_ns, t->hint_ns);\n"
    learn += "\t}\n"
    if by_length:
        back = "\t\tgive_back_place(t);\n" if places else ""
        learn += f"\tif (!t->is_long && long_by_hint(t->hint_ns)) {{\n\t\tt->is_long = true;\n{back}\t}}\n"
    if places:
        shorter = "!t->is_long && " if by_length else ""
        learn += f"\tif ({shorter}!t->place)\n\t\tt->place = __sync_fetch_and_add(&places_given, 1) + 1;\n"
    said = "/* Take note of a task's hint as soon as there is one. A later change of it changes nothing. */\n"
    learns = f"{said}static __always_inline void learn(struct task_struct *p, struct made_task *t)\n{{\n{learn}}}\n"
    key = "/* When a job is due. */\nstatic u64 job_key(struct task_struct *p, struct made_task *t, u64 now)\n{\n"
    return [
        parts.IS_LONG if by_length else "",
        parts.GIVE_BACK if places else "",
        learns,
        parts.PLACE_RANK if places else "",
        parts.LEFT if recipe.order == "shortest-first" else "",
        f"{key}{parts.HINT_KEYS[recipe.order, recipe.inside]}}}\n",
    ]


def _first_key(recipe: Recipe) -> str:
    ahead = "fair_now - CREDIT_NS" if recipe.plain == "fair" else "bpf_ktime_get_ns() - first_turn_us * NSEC_PER_USEC"
    return (
        "/* A new task goes ahead of others for its first turn: a launcher may be about to hand over its hint. */\n"
        "static __always_inline u64 first_key(struct made_task *t)\n{\n"
        f"\treturn t->used_ns < first_turn_us * NSEC_PER_USEC ? {ahead} : plain_key(t);\n}}\n"
    )


def _turn() -> str:
    return (
        "/* Short after a wake-up; it goes on at once when nobody else is due. */\n"
        "static __always_inline u64 turn_ns(struct made_task *t)\n{\n"
        "\treturn (t->turn_ns < first_turn_us * NSEC_PER_USEC ? first_turn_us : slice_us) * NSEC_PER_USEC;\n}\n"
    )


def _ends(recipe: Recipe, policy: Policy) -> list[str]:
    checks = " ||\n\t    ".join(_check(one) for one in policy.params)
    create = (
        "\terr = scx_bpf_create_dsq(PLAIN_DSQ, -1);\n\treturn err ? err : scx_bpf_create_dsq(JOB_DSQ, -1);\n"
        if recipe.jobs
        else "\treturn scx_bpf_create_dsq(PLAIN_DSQ, -1);\n"
    )
    ops = [
        "select_cpu",
        "runnable",
        "quiescent",
        "enqueue",
        "dispatch",
        "running",
        "stopping",
        "init_task",
        "exit_task",
    ]
    absent = {
        "runnable": not recipe.groups,
        "quiescent": not (recipe.groups or recipe.bursts),
        "exit_task": not callbacks.exit_task(recipe),
    }
    named = [one for one in (*ops, "enable", "init", "exit") if not absent.get(one)]
    table = "".join(f"\t.{one}{_tabs(one)}= (void *)made_{one},\n" for one in named)
    declared = "\ts32 err;\n\n" if recipe.jobs else ""
    init = f"s32 OP_SLEEPABLE(made_init)\n{{\n{declared}\tif ({checks})\n\t\treturn -EINVAL;\n{create}}}\n"
    struct = f'SEC(".struct_ops.link")\nstruct sched_ext_ops made_ops = {{\n{table}\t.timeout_ms\t= 5000,\n'
    struct += f'\t.name\t\t= "{policy.ops_name}",\n}};\n'
    return [parts.STOPPING, parts.INIT_TASK, callbacks.exit_task(recipe), parts.ENABLE, init, parts.EXIT, struct]


def _tabs(op: str) -> str:
    return "\t" * (2 - (len(op) + 1) // 8) or "\t"


def _check(param: Param) -> str:
    if param.min == 0:
        return f"{param.name} > {param.max}"
    return f"OUT_OF_RANGE({param.name}, {param.min}, {param.max})"

"""Rules on CPUs: chosen without looking, kicked without need, forgotten when they go."""

from __future__ import annotations

from schedops.verify.source.builtins import BUILTIN_BIT, CONSUME, INSERTS, MOVES
from schedops.verify.source.model import Call, Model
from schedops.verify.source.origins import behind, called, computed, looks_at_masks
from schedops.verify.source.pages_cpus import (
    AFFINITY,
    CPU_LITERAL,
    HOTPLUG,
    LOCAL_ON,
    MIGRATION_DISABLED,
    NO_BALANCE,
    ONE_CPU,
)
from schedops.verify.source.queues import queues
from schedops.verify.source.report import ERROR, WARNING, Check, Findings, found, via
from schedops.verify.source.tree import Node, bare
from schedops.verify.source.values import constant, dsq_arg

_LOCAL = BUILTIN_BIT | 2


def local_on(call: Call) -> Node | None:
    """The CPU of ``SCX_DSQ_LOCAL_ON | cpu``."""
    target = call.arg(1 if call.name in INSERTS else 2)
    if target is None or target.kind != "binary_expression" or target.sign not in ("|", "+"):
        return None
    named = [kid for kid in target.kids if "LOCAL_ON" in kid.shown]
    others = [kid for kid in target.kids if kid not in named]
    return bare(others[0]) if named and others else None


def _local_on(model: Model) -> Findings:
    for call in model.calls(*INSERTS, *MOVES):
        cpu = local_on(call)
        if cpu is None:
            continue
        members = model.members_reaching(call.function)
        by = computed(model, cpu, call.function)
        literal = constant(model, cpu, call.function)
        checked = looks_at_masks(model, members) or not members
        if literal is not None:
            text = f"every task goes to CPU {literal}, also those that may not run there: the kernel ends the scheduler"
            rule_ = CPU_LITERAL if checked else LOCAL_ON
            yield found(rule_, call.node, text, "look at p->cpus_ptr first")
        elif by is not None and not checked:
            text = (
                f"the CPU is computed ({by.shown}) and neither checked to exist nor against p->cpus_ptr: the kernel "
                "ends the scheduler"
            )
            yield found(LOCAL_ON, by, text, "bpf_cpumask_test_cpu(cpu, p->cpus_ptr) first")
        yield from _hotplug(model, call, by)


def _hotplug(model: Model, call: Call, by: Node | None) -> Findings:
    handlers = [*model.callbacks.get("cpu_online", ()), *model.callbacks.get("cpu_offline", ())]
    acts = any(
        True for one in handlers for _ in one.body.find("call_expression", "assignment_expression", "update_expression")
    )
    if not handlers or acts or by is None or any(True for _ in model.calls("scx_bpf_get_online_cpumask")):
        return
    level = ERROR if model.source.policy.capabilities.hotplug else WARNING
    text = (
        f"tasks are sent to a computed CPU, and {handlers[0].name}() does nothing: when that CPU is off they wait "
        "in its queue for ever"
    )
    yield found(HOTPLUG, call.node, text, "keep track of online CPUs, or drop cpu_online and cpu_offline", level=level)


def _affinity(model: Model) -> Findings:
    used = queues(model)
    own = {f.params[0][0] for f in model.callbacks.get("dispatch", ()) if f.params}
    consuming = list(model.calls(*CONSUME, *MOVES))
    own_only = bool(consuming) and all(
        call.name in CONSUME and (arg := call.arg(0)) is not None and arg.text in own for call in consuming
    )
    for call in used.inserted.unknown:
        members = model.members_reaching(call.function)
        target = call.arg(1)
        if "enqueue" not in members or call.name not in INSERTS or target is None or local_on(call) is not None:
            continue
        by = computed(model, target, call.function)
        if by is None or looks_at_masks(model, ["enqueue"]):
            continue
        task = any(part.has_text("cpus_ptr") or called(part) == "scx_bpf_task_cpu" for part, _ in
                   behind(model, target, call.function))  # fmt: skip
        if own_only and not task:
            text = (
                f"the queue is chosen by {by.shown} without asking where the task may run, and each CPU takes from "
                "its own queue only"
            )
            yield found(AFFINITY, by, text, "bpf_cpumask_test_cpu(cpu, p->cpus_ptr) first")
        elif not task:
            text = (
                f"the queue is chosen by {by.shown}: a task that may use one CPU only can land where no allowed CPU "
                "looks"
            )
            yield found(ONE_CPU, by, text, "treat p->nr_cpus_allowed == 1 apart, or look at p->cpus_ptr")


def _literal(model: Model) -> Findings:
    for call in model.calls("scx_bpf_kick_cpu"):
        cpu = constant(model, call.arg(0), call.function)
        if cpu is not None and cpu >= 0:
            text = f"{call.node.shown} names CPU {cpu}, which may be offline or not there"
            yield found(CPU_LITERAL, call.node, text, "derive the CPU from the task or the topology")


def _balance(model: Model) -> Findings:
    inserts = [c for c in model.calls(*INSERTS) if "enqueue" in model.members_reaching(c.function)]
    select = model.callbacks.get("select_cpu", [])
    if not inserts or not select or any(True for _ in model.calls(*CONSUME, *MOVES)):
        return
    if any(dsq_arg(model, call, 1) != {_LOCAL: True} for call in inserts):
        return
    for function in select:
        previous = function.params[1][0] if len(function.params) > 1 else ""
        returns = [one for one in function.body.find("return_statement") if one.kids]
        stays = returns and all(bare(one.kids[0]).text == previous for one in returns)
        inserts_too = any(call.name in INSERTS for call in function.calls)
        if not stays or previous in function.values or inserts_too:
            return
    call = inserts[0]
    text = (
        f"{via(model, call.function)} inserts only where the task is, and ops.select_cpu() never moves it: other "
        "CPUs idle beside a busy one"
    )
    yield found(NO_BALANCE, call.node, text, "let ops.select_cpu() pick an idle CPU, or share a queue")


def _migration_disabled(model: Model) -> Findings:
    for function in model.functions.values():
        if "enqueue" not in model.members_reaching(function) or function.body.has_text("bpf_get_current_task_btf"):
            continue
        for node in function.body.find("field_expression"):
            if node.kids[-1].text == "migration_disabled":
                text = f"{node.shown} is 1 whenever the current task comes off the CPU, since BPF runs in its context"
                yield found(MIGRATION_DISABLED, node, text, "bpf_get_current_task_btf() != p")


CHECKS = (
    Check((LOCAL_ON, HOTPLUG), _local_on),
    Check((AFFINITY, ONE_CPU), _affinity),
    Check((CPU_LITERAL,), _literal),
    Check((NO_BALANCE,), _balance),
    Check((MIGRATION_DISABLED,), _migration_disabled),
)

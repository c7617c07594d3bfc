"""The rule on idle tracking that is switched off and used."""

from __future__ import annotations

from schedops.verify.source.model import Model, Table
from schedops.verify.source.pages_idle import IDLE_OFF
from schedops.verify.source.report import Check, Findings, found, via
from schedops.verify.source.tree import bare
from schedops.verify.source.values import constant

_ASKS = ("scx_bpf_select_cpu_dfl", "scx_bpf_select_cpu_and", "scx_bpf_pick_idle_cpu", "scx_bpf_pick_idle_cpu_node",
         "scx_bpf_test_and_clear_cpu_idle", "scx_bpf_get_idle_cpumask", "scx_bpf_get_idle_smtmask")  # fmt: skip
_KEEP = 1


def _find(model: Model) -> Findings:
    if len(model.tables) != 1 or not _switched_off(model, model.tables[0]):
        return
    for call in model.calls(*_ASKS):
        if model.members_reaching(call.function):
            text = (
                f"{call.name}() in {via(model, call.function)} asks the kernel's idle tracking, which ops.update_idle "
                "switches off: the kernel ends the scheduler"
            )
            yield found(IDLE_OFF, call.node, text, "set SCX_OPS_KEEP_BUILTIN_IDLE in .flags")


def _switched_off(model: Model, table: Table) -> bool:
    handler = table.members.get("update_idle")
    if handler is None or bare(handler).text not in model.functions:
        return False
    flags = constant(model, table.members["flags"]) if "flags" in table.members else 0
    return flags is not None and not flags & _KEEP


CHECKS = (Check((IDLE_OFF,), _find),)

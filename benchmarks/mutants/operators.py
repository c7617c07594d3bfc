"""Mutation operators: each yields small edits that a tired author, or a model, could have made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tree_sitter import Node

from mutants.syntax import Edit, Source, body_of, calls, nodes, statement

Operator = Callable[[Source], Iterator[Edit]]

INSERTS = ("scx_bpf_dsq_insert", "scx_bpf_dsq_insert_vtime")
PUTS = (
    "scx_bpf_put_cpumask",
    "scx_bpf_put_idle_cpumask",
    "bpf_task_release",
    "bpf_cgroup_release",
    "bpf_rcu_read_unlock",
    "bpf_cpumask_release",
)
MOVES = ("scx_bpf_dsq_move_to_local",)
HOT = ("select_cpu", "enqueue", "dispatch", "running", "stopping")
# Without these the kernel's own does as well, or nothing is scheduled differently: no flaw to find.
_OPTIONAL = (
    "select_cpu",
    "exit",
    "dump",
    "dump_cpu",
    "dump_task",
    "yield",
    "runnable",
    "quiescent",
    "core_sched_before",
)


def _gone(source: Source, node: Node, what: str) -> Edit:
    return Edit(node.start_byte, node.end_byte, ";", f"{what}: `{_short(source, node)}` is gone")


def _became(source: Source, node: Node, new: str) -> Edit:
    return Edit(node.start_byte, node.end_byte, new, f"`{_short(source, node)}` became `{new}`")


def _short(source: Source, node: Node) -> str:
    return " ".join(source.text(node).split())[:70]


def drop_put(source: Source) -> Iterator[Edit]:
    """A reference is not given back."""
    for call, _ in calls(source, *PUTS):
        if (whole := statement(call)) is not None:
            yield _gone(source, whole, "put")


def swap_dsq(source: Source) -> Iterator[Edit]:
    """Another queue than the one that was meant."""
    ids = sorted(set(re.findall(r"#define\s+(\w+_DSQ)\b", source.data.decode())))
    for call, given in calls(source, *INSERTS, *MOVES, "scx_bpf_create_dsq"):
        where = given[1] if len(given) > 3 else given[0]
        written = source.text(where)
        if written.startswith("SCX_DSQ"):
            continue
        other = next((name for name in ids if name != written and "(" not in written), None)
        yield _became(source, where, other or f"({written}) + 7")
        del call


def drop_null_check(source: Source) -> Iterator[Edit]:
    """`if (!x) return` goes, and `if (x)` is no longer asked."""
    for node in nodes(source.root, "if_statement"):
        asked = node.child_by_field_name("condition")
        then = node.child_by_field_name("consequence")
        if asked is None or then is None:
            continue
        words = source.text(asked)
        if re.fullmatch(r"\(!\w+\)", words) and re.search(r"return|continue|break", source.text(then)):
            yield _gone(source, node, "check")
        elif re.fullmatch(r"\(\w+\)", words) and node.child_by_field_name("alternative") is None:
            yield Edit(node.start_byte, then.start_byte, "", f"`if {words}` is not asked")


def widen_bound(source: Source) -> Iterator[Edit]:
    """One too far."""
    for node in nodes(source.root, "binary_expression"):
        sign, right = node.child_by_field_name("operator"), node.child_by_field_name("right")
        if sign is None or right is None or source.text(sign) not in ("<", ">="):
            continue
        if re.fullmatch(r"[A-Z][A-Z0-9_]+|nr_\w+", source.text(right)):
            yield _became(source, right, f"{source.text(right)} * 2")


def skip_cpu(source: Source) -> Iterator[Edit]:
    """The first or the last of a loop is left out."""
    for found in re.finditer(rb"\bbpf_for\((\w+), (\w+), ([^()]*(?:\([^()]*\))?)\)", source.data):
        first, last = found[2].decode(), found[3].decode()
        line = source.line(found.start())
        yield Edit(found.start(2), found.end(2), f"{first} + 1", f"the loop of line {line} leaves out the first")
        yield Edit(found.start(3), found.end(3), f"{last} - 1", f"the loop of line {line} leaves out the last")


def forget_clamp(source: Source) -> Iterator[Edit]:
    """A correction that is made under a condition is not made."""
    for node in nodes(source.root, "if_statement"):
        then = node.child_by_field_name("consequence")
        if then is not None and then.type == "expression_statement" and "=" in source.text(then):
            yield _gone(source, node, "clamp")


def drop_insert(source: Source) -> Iterator[Edit]:
    """A branch forgets its task. (In select_cpu the task then comes to enqueue, which is no flaw.)"""
    chosen = body_of(source, "select_cpu")
    for call, _ in calls(source, *INSERTS):
        if chosen is not None and chosen.start_byte <= call.start_byte < chosen.end_byte:
            continue
        if (whole := statement(call)) is not None:
            yield _gone(source, whole, "insert")


def lose_some(source: Source) -> Iterator[Edit]:
    """Some tasks, at some time, are forgotten."""
    body = body_of(source, "enqueue")
    for call, _ in calls(source, *INSERTS) if body is not None else ():
        whole = statement(call)
        if whole is None or body is None or not body.start_byte <= whole.start_byte < body.end_byte:
            continue
        for only in ("p->scx.weight >= 100", "p->nr_cpus_allowed > 1", "p->pid % 61", "bpf_get_prandom_u32() & 1023"):
            yield Edit(whole.start_byte, whole.start_byte, f"if ({only}) ", f"inserted only if `{only}`")


def drop_callback(source: Source) -> Iterator[Edit]:
    """The ops table forgets a callback."""
    for found in re.finditer(rb"^\t\.(\w+)\s*= \(void \*\)\w+,\n", source.data, re.MULTILINE):
        if (name := found[1].decode()) not in _OPTIONAL:
            yield Edit(found.start(), found.end(), "", f".{name} is not in the ops table")


def drop_dispatch(source: Source) -> Iterator[Edit]:
    """A queue is not consumed."""
    for call, _ in calls(source, *MOVES):
        whole = statement(call)
        yield _gone(source, whole, "move") if whole is not None else _became(source, call, "false")


def negate(source: Source) -> Iterator[Edit]:
    """A condition the other way round."""
    for node in nodes(source.root, "if_statement"):
        asked = node.child_by_field_name("condition")
        if asked is not None:
            yield _became(source, asked, f"(!{source.text(asked)})")


def odd_slice(source: Source) -> Iterator[Edit]:
    """No slice, one without end, one a thousand times too long."""
    for _, given in calls(source, *INSERTS):
        if len(given) >= 4:
            for new in ("0", "SCX_SLICE_INF", f"1000 * ({source.text(given[2])})"):
                yield _became(source, given[2], new)


def drop_weight(source: Source) -> Iterator[Edit]:
    """All weigh the same, or the heavy pay more."""
    for node in nodes(source.root, "field_expression"):
        if source.text(node).endswith("->scx.weight"):
            yield _became(source, node, "100")
            yield _became(source, node, f"(10000 / ({source.text(node)} ?: 1))")


def drop_kick(source: Source) -> Iterator[Edit]:
    """Nobody is woken, or all are."""
    for call, given in calls(source, "scx_bpf_kick_cpu"):
        if (whole := statement(call)) is not None:
            yield _gone(source, whole, "kick")
        if len(given) == 2:
            yield _became(source, given[1], "SCX_KICK_PREEMPT | SCX_KICK_WAIT")


def odd_flags(source: Source) -> Iterator[Edit]:
    """Flags that mean something else, or nothing."""
    found = re.search(rb"^\t\.name\s*=", source.data, re.MULTILINE)
    if found is not None and b"\t.flags" not in source.data:
        for flags in ("SCX_OPS_SWITCH_PARTIAL", "1ULL << 40", "SCX_OPS_BUILTIN_IDLE_PER_NODE | 1ULL << 19"):
            yield Edit(found.start(), found.start(), f"\t.flags = {flags},\n", f"flags {flags}")


def long_timeout(source: Source) -> Iterator[Edit]:
    """More than the kernel allows."""
    for found in re.finditer(rb"\.timeout_ms\s*= (\w+)", source.data):
        yield Edit(found.start(1), found.end(1), "90000", "timeout_ms is 90000")


def swap_args(source: Source) -> Iterator[Edit]:
    """Two numbers of a call change places."""
    for call, given in calls(source, *INSERTS):
        if len(given) >= 4:
            left, right = given[1], given[2]
            new = f"{source.text(right)}, {source.text(left)}"
            yield Edit(left.start_byte, right.end_byte, new, f"queue and slice change places: `{_short(source, call)}`")
    for call, given in calls(source, "before"):
        if len(given) == 2:
            new = f"{source.text(given[1])}, {source.text(given[0])}"
            what = f"the other way round: `{_short(source, call)}`"
            yield Edit(given[0].start_byte, given[1].end_byte, new, what)


def return_early(source: Source) -> Iterator[Edit]:
    """A callback that does nothing."""
    for name in (*HOT, "init"):
        body = body_of(source, name)
        if body is not None:
            early = {"select_cpu": "return prev_cpu;", "init": "return 0;"}.get(name, "return;")
            yield Edit(body.start_byte + 1, body.start_byte + 1, f"\n\t{early}", f"{name} returns at once")


def drop_error_check(source: Source) -> Iterator[Edit]:
    """An error of a call is not looked at, and init goes on without the queue."""
    for call, given in calls(source, "scx_bpf_create_dsq"):
        yield _became(source, call, "0")
        del given


def other_sign(source: Source) -> Iterator[Edit]:
    """Plus for minus, more for less."""
    turned = {"<": ">", ">": "<", "-": "+", "&&": "||"}
    for node in nodes(source.root, "binary_expression"):
        sign = node.child_by_field_name("operator")
        if sign is not None and (new := turned.get(source.text(sign))):
            edit = _became(source, sign, new)
            yield Edit(edit.start, edit.end, new, f"{edit.what} in `{_short(source, node)}`")


def wrong_cpu(source: Source) -> Iterator[Edit]:
    """A CPU that was not asked for."""
    for call, _ in calls(source, "scx_bpf_task_cpu"):
        yield _became(source, call, "0")
    body = body_of(source, "select_cpu")
    for node in nodes(body, "return_statement") if body is not None else ():
        yield _became(source, node, "return -1;")


def insert_twice(source: Source) -> Iterator[Edit]:
    """The same task twice."""
    for call, _ in calls(source, *INSERTS):
        if (whole := statement(call)) is not None:
            yield Edit(
                whole.start_byte,
                whole.end_byte,
                f"{{ {source.text(whole)} {source.text(whole)} }}",
                f"twice: `{_short(source, whole)}`",
            )


def heavy_loop(source: Source) -> Iterator[Edit]:
    """A hot callback that computes."""
    for name in HOT:
        body = body_of(source, name)
        if body is not None:
            loop = "\n\t{ u32 n_; static volatile u64 h_; bpf_for(n_, 0, 20000) h_ = (h_ ^ n_) * 1099511628211ULL; }"
            yield Edit(body.start_byte + 1, body.start_byte + 1, loop, f"20000 rounds of hashing in {name}")


OPERATORS: tuple[tuple[str, Operator], ...] = tuple(
    (one.__name__.replace("_", "-"), one)
    for one in (
        drop_put,
        swap_dsq,
        drop_null_check,
        widen_bound,
        skip_cpu,
        forget_clamp,
        drop_insert,
        lose_some,
        drop_callback,
        drop_dispatch,
        negate,
        odd_slice,
        drop_weight,
        drop_kick,
        odd_flags,
        long_timeout,
        swap_args,
        return_early,
        drop_error_check,
        other_sign,
        wrong_cpu,
        insert_twice,
        heavy_loop,
    )
)

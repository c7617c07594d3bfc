"""The callbacks of a composed policy, as C, by its recipe."""

from __future__ import annotations

from schedops.agent.compose.recipe import Recipe

_SLICE = "slice_us * NSEC_PER_USEC"


def select_cpu(recipe: Recipe) -> str:
    """Where a task that wakes up goes."""
    head = "s32 OP(made_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)\n{\n"
    if recipe.place == "previous-idle":
        return head + (
            "\t/* Elsewhere its caches would be cold; who idles there finds it in the queue. */\n"
            "\tif (bpf_cpumask_test_cpu(prev_cpu, p->cpus_ptr) && scx_bpf_test_and_clear_cpu_idle(prev_cpu))\n"
            f"\t\tscx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, {_SLICE}, 0);\n"
            "\treturn prev_cpu;\n}\n"
        )
    if recipe.place == "whoever-is-first":
        return head + (
            "\tstruct made_task *t = task_of(p);\n"
            "\tbool idle = false;\n"
            "\ts32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);\n\n"
            "\t/* Not inserted into that CPU's own queue: from there nobody else could take it. */\n"
            "\tif (t)\n\t\tt->placed = idle;\n"
            "\treturn cpu;\n}\n"
        )
    return head + (
        "\tbool idle = false;\n"
        "\ts32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);\n\n"
        "\tif (idle)\n"
        f"\t\tscx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, {_SLICE}, 0);\n"
        "\treturn cpu;\n}\n"
    )


def runnable(recipe: Recipe) -> str:
    """A task wakes up; only where somebody counts that."""
    if not recipe.groups:
        return ""
    return (
        "void OP(made_runnable, struct task_struct *p, u64 enq_flags)\n{\n"
        "\tstruct made_task *t = task_of(p);\n\n"
        "\tif (!t)\n\t\treturn;\n"
        f"{_line('t->turn_ns = 0;', wanted=recipe.inside != 'turns')}"
        "\tsettle(p, t, bpf_ktime_get_ns());\n}\n"
    )


def quiescent(recipe: Recipe) -> str:
    """A task goes to sleep; only where somebody counts that."""
    if not recipe.groups and not recipe.bursts:
        return ""
    groups = "\tif (t && t->counted)\n\t\tcount_out(t, bpf_ktime_get_ns());\n" if recipe.groups else ""
    bursts = "\tif (t)\n\t\tburst_ends(&t->burst, deq_flags);\n" if recipe.bursts else ""
    return (
        "void OP(made_quiescent, struct task_struct *p, u64 deq_flags)\n{\n"
        f"\tstruct made_task *t = task_of(p);\n\n{groups}{bursts}}}\n"
    )


def plain_key(recipe: Recipe) -> str:
    """When a task that is no job is due; in virtual time or in time, the same for all of one policy."""
    key = {
        "fair": "fair_key(&t->fair, CREDIT_NS)",
        "turns": "bpf_ktime_get_ns()",
        "short-bursts": (
            "bpf_ktime_get_ns() + burst_wait_ms * NSEC_PER_MSEC * burst_left_ns(&t->burst) /\n"
            "\t\t\t\t\t(BURST_HALF_NS + burst_left_ns(&t->burst))"
        ),
    }[recipe.plain]
    return f"static __always_inline u64 plain_key(struct made_task *t)\n{{\n\treturn {key};\n}}\n"


def charge(recipe: Recipe) -> str:
    """What a task has used, told to everybody who counts it."""
    jobs = ("\tif (is_job(t))\n\t\t__sync_fetch_and_add(&jobs_used_ns, ran_ns);\n"
            "\telse\n\t\t__sync_fetch_and_add(&plain_used_ns, ran_ns);\n") if recipe.jobs else ""  # fmt: skip
    group = "\tif (t->group)\n\t\t__sync_fetch_and_add(&slot_of(t->group)->used_ns, ran_ns);\n"
    body = (
        f"{_line('t->used_ns += ran_ns;', wanted=counts_used(recipe))}"
        f"{_line('t->turn_ns += ran_ns;', wanted=counts_turn(recipe))}"
        f"{_line('t->burst.used_ns += ran_ns;', wanted=recipe.bursts)}"
        f"{group if recipe.order == 'groups-by-remaining' else ''}{jobs}"
    )
    head = "static __always_inline void charge(struct task_struct *p, struct made_task *t)\n{\n"
    if not body:
        return f"{head}\tfair_charge(p, &t->fair);\n}}\n"
    return f"{head}\tu64 ran_ns = fair_charge(p, &t->fair);\n\n{body}}}\n"


def counts_used(recipe: Recipe) -> bool:
    """CPU time of a task since the policy knows it matters."""
    return recipe.hints or recipe.inside == "begun-first"


def counts_turn(recipe: Recipe) -> bool:
    """CPU time since the last wake-up matters."""
    return recipe.groups and recipe.inside != "turns"


def find_cpu(recipe: Recipe) -> str:
    """Whose CPU looks at the queue now."""
    if recipe.kick != "latency":
        return ""
    return """\
/* A CPU for the task: an idle one, else the one it ran on last if it never needs one for long. */
static __always_inline void find_cpu(struct task_struct *p, struct made_task *t, u64 enq_flags)
{
	s32 cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	u64 now = bpf_ktime_get_ns();

	if (cpu >= 0) {
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
		return;
	}
	if (!t || !(enq_flags & SCX_ENQ_WAKEUP) || !t->burst.mean_ns || t->burst.mean_ns > latency_us * NSEC_PER_USEC)
		return;
	if (before(now, kicked_ns + KICK_GAP_NS))
		return;
	kicked_ns = now;
	scx_bpf_kick_cpu(scx_bpf_task_cpu(p), SCX_KICK_PREEMPT);
}
"""


def enqueue(recipe: Recipe) -> str:
    """A task goes to its queue."""
    learn = "settle(p, t, bpf_ktime_get_ns());" if recipe.groups else "learn(p, t);"
    wake = "find_cpu(p, t, enq_flags);" if recipe.kick == "latency" else "wake_idle_cpu(p);"
    out = ["void OP(made_enqueue, struct task_struct *p, u64 enq_flags)\n{\n\tstruct made_task *t = task_of(p);\n\n"]
    if recipe.jobs:
        out.append(f"\tif (t)\n\t\t{learn}\n\tif (t && is_job(t))\n")
        out.append(f"\t\tscx_bpf_dsq_insert_vtime(p, JOB_DSQ, {_slice(recipe)}, job_key(p, t, bpf_ktime_get_ns()),\n")
        out.append("\t\t\t\t\t enq_flags);\n\telse\n\t")
    out.append(
        f"\tscx_bpf_dsq_insert_vtime(p, PLAIN_DSQ, {_SLICE}, t ? {_plain(recipe)} : {_nobody(recipe)}, enq_flags);\n"
    )
    if recipe.place == "whoever-is-first":
        out.append("\t/* The kernel wakes up the CPU that ops.select_cpu() named. */\n")
        out.append(f"\tif (!t || !t->placed)\n\t\t{wake}\n\tif (t)\n\t\tt->placed = false;\n}}\n")
    else:
        out.append(f"\t{wake}\n}}\n")
    return "".join(out)


def goes_on(recipe: Recipe) -> str:
    """May the task that used up its slice go on?"""
    head = "/* May the task that used up its slice go on, or is somebody else due? */\n"
    plain = "t->fair.vtime" if recipe.plain == "fair" else "plain_key(t)"
    if not recipe.jobs:
        return (
            f"{head}static __always_inline bool goes_on(struct made_task *t, s32 cpu)\n{{\n"
            f"\treturn leads(PLAIN_DSQ, {plain}, cpu);\n}}\n"
        )
    return (
        f"{head}static __always_inline bool goes_on(struct task_struct *p, struct made_task *t, s32 cpu)\n{{\n"
        "\tif (is_job(t))\n"
        "\t\treturn (!scx_bpf_dsq_nr_queued(PLAIN_DSQ) || jobs_turn()) &&\n"
        "\t\t       leads(JOB_DSQ, job_key(p, t, bpf_ktime_get_ns()), cpu);\n"
        "\treturn (!scx_bpf_dsq_nr_queued(JOB_DSQ) || !jobs_turn()) && leads(PLAIN_DSQ, " + plain + ", cpu);\n}\n"
    )


def dispatch(recipe: Recipe) -> str:
    """A CPU asks for work."""
    learn = "settle(prev, t, bpf_ktime_get_ns());" if recipe.groups else "learn(prev, t);"
    more = f"\t\t{learn}\n" if recipe.jobs else ""
    asked = "goes_on(prev, t, cpu)" if recipe.jobs else "goes_on(t, cpu)"
    running = "\t\t\tfair_running(&t->fair, CREDIT_NS);\n" if recipe.plain == "fair" and not recipe.jobs else ""
    take = (
        "\t/* The second attempt: what the first queue holds may not be allowed on this CPU, or there is nothing. */\n"
        "\tif (jobs_turn()) {\n"
        "\t\tif (!scx_bpf_dsq_move_to_local(JOB_DSQ))\n\t\t\tscx_bpf_dsq_move_to_local(PLAIN_DSQ);\n"
        "\t} else if (!scx_bpf_dsq_move_to_local(PLAIN_DSQ)) {\n\t\tscx_bpf_dsq_move_to_local(JOB_DSQ);\n\t}\n"
        if recipe.jobs
        else "\tscx_bpf_dsq_move_to_local(PLAIN_DSQ);\n"
    )
    return (
        "void OP(made_dispatch, s32 cpu, struct task_struct *prev)\n{\n\tstruct made_task *t;\n\n"
        "\tif (wants_more(prev) && (t = task_of(prev))) {\n\t\tcharge(prev, t);\n"
        f"{more}\t\tif ({asked}) {{\n{running}\t\t\tset_slice(prev, {_SLICE});\n\t\t\treturn;\n\t\t}}\n\t}}\n{take}}}\n"
    )


def running(recipe: Recipe) -> str:
    """A task gets a CPU."""
    head = "void OP(made_running, struct task_struct *p)\n{\n\tstruct made_task *t = task_of(p);\n\n"
    if recipe.plain != "fair":
        return f"{head}\tif (t)\n\t\tt->fair.started_ns = bpf_ktime_get_ns();\n}}\n"
    if not recipe.jobs:
        return f"{head}\tif (t)\n\t\tfair_running(&t->fair, CREDIT_NS);\n}}\n"
    return (
        f"{head}\tif (!t)\n\t\treturn;\n\t/* The plain queue's virtual time is of plain tasks only. */\n"
        "\tif (is_job(t))\n\t\tt->fair.started_ns = bpf_ktime_get_ns();\n"
        "\telse\n\t\tfair_running(&t->fair, CREDIT_NS);\n}\n"
    )


def exit_task(recipe: Recipe) -> str:
    """A job ends; only where somebody counts jobs."""
    if recipe.order not in ("long-first", "in-order"):
        return ""
    alive = (
        "\t__sync_fetch_and_sub(&jobs_alive, 1);\n\t__sync_fetch_and_sub(&hints_alive_ns, t->hint_ns);\n"
        if recipe.order == "long-first"
        else ""
    )
    back = "\tgive_back_place(t);\n" if in_places(recipe) else ""
    return (
        "void OP(made_exit_task, struct task_struct *p, struct scx_exit_task_args *args)\n{\n"
        "\tstruct made_task *t = task_of(p);\n\n\tif (!t || !t->hint_ns)\n\t\treturn;\n"
        f"{alive}{back}}}\n"
    )


def in_places(recipe: Recipe) -> bool:
    """Jobs have places in order of submission."""
    return "in-order" in (recipe.order, recipe.inside)


def takes_first_turn(recipe: Recipe) -> bool:
    """A new task gets a short turn ahead of others, so that its hint is known before it has to wait."""
    return recipe.hints or counts_turn(recipe)


def _slice(recipe: Recipe) -> str:
    return "turn_ns(t)" if counts_turn(recipe) else _SLICE


def _plain(recipe: Recipe) -> str:
    return "first_key(t)" if recipe.hints and not recipe.groups else "plain_key(t)"


def _nobody(recipe: Recipe) -> str:
    return "fair_now" if recipe.plain == "fair" else "bpf_ktime_get_ns()"


def _line(text: str, *, wanted: bool) -> str:
    return f"\t{text}\n" if wanted else ""

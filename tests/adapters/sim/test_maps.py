"""LRU hashes and ring buffers: what a policy sees of them, and what becomes of one that misuses them."""

from __future__ import annotations

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.simulation import Op, SimPlan, SimTask, SimVerdict
from schedops.ports import SimScheduler
from tests.adapters.sim.conftest import MS, mixed_plan, policy, run, step
from tests.adapters.sim.hostile import DONE, FAULT, UNSUPPORTED, Hostile, Wrong, check_accounts

SOURCE = """
#include <scx/common.bpf.h>
char _license[] SEC("license") = "GPL";
struct item { u64 key; };
struct held { u64 number; struct item __kptr *item; };
#define MAP(name, kind, entries, value_) \\
	struct { __uint(type, kind); __uint(max_entries, entries); __type(key, u32); __type(value, value_); } \\
		name SEC(".maps")
MAP(lru, BPF_MAP_TYPE_LRU_HASH, 4, struct held);
MAP(each, BPF_MAP_TYPE_LRU_PERCPU_HASH, 2, u64);
MAP(churned, BPF_MAP_TYPE_LRU_HASH, 8, u64);
MAP(two, BPF_MAP_TYPE_LRU_HASH, 2, u32);
MAP(three, BPF_MAP_TYPE_LRU_HASH, 3, u32);
MAP(plain, BPF_MAP_TYPE_HASH, 2, u32);
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ring SEC(".maps");
const volatile u32 which = 9999, runs = 0;
#define SAY(format, args...) scx_bpf_error(format, ##args)
static struct item *item(void) { return bpf_obj_new(struct item); }
u32 hits, misses, kept, lost;
static long put(u32 key, u64 flags)
{
	struct held value = { .number = key };

	return bpf_map_update_elem(&lru, &key, &value, flags);
}
static struct held *get(u32 key) { return bpf_map_lookup_elem(&lru, &key); }
static u32 all(void) /* which of eight there are; a lookup counts as use */
{
	u32 found = 0;

	for (u32 key = 0; key < 8; key++)
		found = found * 10 + (get(key) && get(key)->number == key);
	return found;
}
/* Random use of a map of 8 beside a list of all keys with the moments of their last use: how often they differ. */
static __noinline u32 churn(void)
{
	u64 last[24] = {}, seed = 1, now = 0;
	u32 wrong = 0, count = 0, op, key, oldest, i;

	while (++now < 5000) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		key = (seed >> 40) % 24;
		op = (seed >> 50) % 4;
		if (!op) {
			wrong += !bpf_map_delete_elem(&churned, &key) != !!last[key];
			count -= !!last[key];
			last[key] = 0;
		} else if (op == 1) {
			u64 *value = bpf_map_lookup_elem(&churned, &key);

			wrong += value ? *value != key || !last[key] : !!last[key];
			last[key] = value ? now : 0;
		} else {
			u64 value = key;

			if (!last[key] && count++ == 8) {
				for (oldest = 24, i = 0; i < 24; i++)
					if (last[i] && (oldest == 24 || last[i] < last[oldest]))
						oldest = i;
				last[oldest] = 0;
				count--;
			}
			wrong += !!bpf_map_update_elem(&churned, &key, &value, 0);
			last[key] = now;
		}
	}
	return wrong;
}
static void record(u64 what)
{
	u64 *event = bpf_ringbuf_reserve(&ring, 24, 0);

	if (!event) {
		lost++;
		return;
	}
	kept++;
	event[0] = what;
	bpf_ringbuf_submit(event, 0);
}
#define REMEMBERED(in) (bpf_map_lookup_elem(&in, &pid) || (bpf_map_update_elem(&in, &pid, &one, 0), false))
void BPF_STRUCT_OPS(m_enqueue, struct task_struct *p, u64 flags) { scx_bpf_dsq_insert(p, 7, 1000000, flags); }
void BPF_STRUCT_OPS(m_dispatch, s32 cpu, struct task_struct *prev) { scx_bpf_dsq_move_to_local(7); }
void BPF_STRUCT_OPS(m_running, struct task_struct *p)
{
	u32 pid = p->pid, one = 1;
	bool known;

	if (runs == 1 || runs == 2)
		record(pid);
	if (runs == 2 && lost == 100)
		SAY("%d", kept);
	if (runs == 3)
		known = REMEMBERED(two);
	else if (runs == 4)
		known = REMEMBERED(three);
	else if (runs == 5)
		known = REMEMBERED(plain);
	else
		return;
	hits += known;
	misses += !known;
	if (hits + misses == 30)
		SAY("%d %d", hits, misses);
}
s32 BPF_STRUCT_OPS_SLEEPABLE(m_init)
{
	u64 *a, *b, number = 5;
	struct item *i;
	u32 key;

	switch (which) {
@CASES@
	}
	return scx_bpf_create_dsq(7, -1);
}
SCX_OPS_DEFINE(m_ops, .enqueue = (void *)m_enqueue, .dispatch = (void *)m_dispatch, .running = (void *)m_running,
	.init = (void *)m_init, .name = "m");
"""
FILL = "for (key = 0; key < 4; key++) put(key, 0); "
QUERY = "(int)bpf_ringbuf_query(&ring, {})"
SAID = {
    "the oldest goes": (FILL + 'put(6, 0); SAY("%d %d", 0, all())', "0 1110010"),
    "a lookup is a use": (FILL + 'get(0); get(1); put(6, 0); SAY("%d", all())', "11010010"),
    "an update is a use": (FILL + 'put(0, BPF_EXIST); put(6, 0); SAY("%d", all())', "10110010"),
    "an update that fails": (
        FILL + 'SAY("%d %d %d", put(0, BPF_NOEXIST), put(6, BPF_EXIST), all())',
        "-17 -2 11110000",
    ),
    "a deletion makes room": (
        FILL + 'key = 2; bpf_map_delete_elem(&lru, &key); put(6, 0); SAY("%d", all())',
        "11010010",
    ),
    "as a list says": ('SAY("%d", churn())', "0"),
    "what is evicted drops what it owns": (
        FILL + "i = item(); bpf_kptr_xchg(&get(0)->item, i); for (key = 1; key < 4; key++) get(key);"
        'put(6, 0); SAY("%d %d", item() == i, !get(6)->item)',
        "1 1",
    ),
    "of each CPU": (
        (
            "for (key = 0; key < 3; key++) bpf_map_update_elem(&each, &key, &number, 0); key = 0;"
            "a = bpf_map_lookup_percpu_elem(&each, &key, 1); key = 2; b = bpf_map_lookup_percpu_elem(&each, &key, 1);"
            'SAY("%d %d %d", !a, (int)*b, (int)*(u64 *)bpf_map_lookup_elem(&each, &key))'
        ),
        "1 0 5",
    ),
    "a ring fills up": (
        (
            f'for (key = 0; key < 200; key++) record(key); SAY("%d %d %d %d %d %d", kept, lost, {QUERY.format(0)},'
            f" {QUERY.format(1)}, {QUERY.format(2)}, {QUERY.format(3)})"
        ),
        "127 73 4064 4096 0 4064",  # of 32 bytes each, and never the whole of it
    ),
    "records in a row": (
        (
            "a = bpf_ringbuf_reserve(&ring, 5, 0); b = bpf_ringbuf_reserve(&ring, 0, 0); key = *(u32 *)(a - 1) >> 28;"
            "bpf_ringbuf_discard(a, 0); bpf_ringbuf_submit(b, BPF_RB_NO_WAKEUP);"
            'SAY("%d %d %x %x", (int)(b - a), key, *(u32 *)(a - 1), *(u32 *)(b - 1))'
        ),
        "2 8 40000005 0",
    ),
    "what does not fit": (
        (
            f'SAY("%d %d %d %d %d %d", !bpf_ringbuf_reserve(&ring, 4088, 0), !bpf_ringbuf_reserve(&ring, ~0ULL, 0),'
            " !bpf_ringbuf_reserve(&ring, 8, 1), (int)bpf_ringbuf_output(&ring, &number, 1 << 20, 0),"
            f" (int)bpf_ringbuf_output(&ring, &number, 8, 4), {QUERY.format(3)})"
        ),
        "1 1 1 -11 -22 0",
    ),
    "output is a copy": (
        (
            "a = bpf_ringbuf_reserve(&ring, 8, 0); bpf_ringbuf_discard(a, 0); bpf_ringbuf_output(&ring, &number, 8, 0);"
            'SAY("%d %d", (int)a[1], (int)a[2])'
        ),
        "8 5",
    ),
}


def scheduler(*params: tuple[str, int]) -> SimScheduler:
    cases = "\n".join(f"\tcase {number}: {code}; break;" for number, (code, _) in enumerate(SAID.values()))
    return policy(SOURCE.replace("@CASES@", cases), *params)


@pytest.mark.parametrize("what", SAID)
def test_what_the_policy_saw(simulator: WasmSimulator, what: str) -> None:
    chosen = scheduler(("which", list(SAID).index(what)))
    end = run(simulator, mixed_plan(end_ns=10 * MS), chosen, 3).end
    assert (end.verdict, end.kind) == (SimVerdict.EJECTED, 1025), end
    assert end.message == f"scx_bpf_error: {SAID[what][1]}"


@pytest.mark.parametrize(("runs", "words"), [(3, "0 30"), (4, "27 3"), (5, "18 12")])
def test_three_in_turn_and_who_is_remembered(simulator: WasmSimulator, runs: int, words: str) -> None:
    """With room for two, an LRU hash evicts each of three just before its turn; a hash keeps the first two."""
    tasks = tuple(SimTask(name=f"t{number}", program=0) for number in range(3))
    plan = SimPlan(seed=1, end_ns=100 * MS, programs=((step(Op.RUN, 100 * MS),),), tasks=tasks)
    assert run(simulator, plan, scheduler(("runs", runs)), 1).end.message == f"scx_bpf_error: {words}"


def test_a_policy_goes_on_when_its_ring_is_full(simulator: WasmSimulator) -> None:
    through, full, without = (run(simulator, mixed_plan(), scheduler(("runs", runs)), 2) for runs in (1, 2, 0))
    assert full.end.message == "scx_bpf_error: 127"
    assert through.end.verdict == DONE
    assert through.tasks == without.tasks


@pytest.mark.parametrize("size", ["0", "12288"])
def test_rings_of_other_sizes(simulator: WasmSimulator, size: str) -> None:
    text = SOURCE.replace("@CASES@", "").replace("max_entries, 4096", f"max_entries, {size}")
    end = run(simulator, mixed_plan(end_ns=MS), policy(text), 2).end
    assert end.verdict == UNSUPPORTED
    assert "ring buffer ring" in end.message


MORE = """
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ring SEC(".maps");
MAP(lru, BPF_MAP_TYPE_LRU_HASH, 2, u64);
#define BEYOND (1ULL << 40)
static void *record(void) { return bpf_ringbuf_reserve(&ring, 8, 0) ?: (void *)forged; }
"""
NONE, NO_MAP, OUTSIDE = "no open record", "a map that is none", "outside of its memory"
WRONGS = {
    "submitted-twice": Wrong(
        "{ void *q = record(); bpf_ringbuf_submit(q, 0); bpf_ringbuf_submit(q, 0); }", FAULT, NONE
    ),
    "and-discarded": Wrong("{ void *q = record(); bpf_ringbuf_submit(q, 0); bpf_ringbuf_discard(q, 0); }", FAULT, NONE),
    "nothing": Wrong("bpf_ringbuf_submit(nothing, 0)", FAULT, NONE),
    "a-task": Wrong("bpf_ringbuf_submit(p0, 0)", FAULT, NONE),
    "a-wild-pointer": Wrong("bpf_ringbuf_discard((void *)BEYOND, 0)", FAULT, NONE),
    "the-middle": Wrong("bpf_ringbuf_submit(record() + 4, 0)", FAULT, NONE),
    "the-header": Wrong("bpf_ringbuf_submit(record() - 8, 0)", FAULT, NONE),
    "forged-header": Wrong("if (!once++) { u32 *q = record(); q[-2] = ~0U; bpf_ringbuf_submit(q, ~0ULL); }", DONE),
    "huge": Wrong("sink = 1 + (u64)bpf_ringbuf_reserve(&ring, ~0ULL, 0); ZERO", DONE),
    "huge-output": Wrong("sink = bpf_ringbuf_output(&ring, nothing, ~0ULL - 20, 0)", DONE),
    "output-from-outside": Wrong("bpf_ringbuf_output(&ring, (void *)BEYOND, 2, 0)", FAULT, OUTSIDE),
    "no-ring": Wrong("bpf_ringbuf_reserve(&array, 8, 0)", FAULT, NO_MAP),
    "no-map": Wrong("bpf_ringbuf_query(small, 0)", FAULT, NO_MAP),
    "query-of-nothing": Wrong("sink = bpf_ringbuf_query(&ring, ~0ULL)", DONE),
    "ring-as-a-queue": Wrong("bpf_map_push_elem(&ring, small, 0); bpf_map_pop_elem(&ring, small)", DONE),
    "key-outside": Wrong("bpf_map_update_elem(&lru, (void *)BEYOND, small, 0)", FAULT, OUTSIDE),
    "evicted-and-used": Wrong(
        "{ u64 *v = NULL; for (u32 k = 0; k < 9; k++) { bpf_map_update_elem(&lru, &k, small, 0);"
        " v = v ?: bpf_map_lookup_elem(&lru, &k); } *v = 1; }",
        DONE,
    ),
}


@pytest.fixture(scope="module")
def hostile(simulator: WasmSimulator) -> Hostile:
    return Hostile(simulator, WRONGS, MORE)


@pytest.mark.parametrize("callback", ["enqueue", "init"])
@pytest.mark.parametrize("wrong", WRONGS)
def test_misuse(hostile: Hostile, wrong: str, callback: str) -> None:
    result = hostile.run(wrong, callback)
    check_accounts(result)
    assert result.end.verdict == WRONGS[wrong].verdict, result.end
    assert WRONGS[wrong].words in result.end.message
    if result.end.verdict != DONE:
        assert hostile.near(wrong, result.end.place), result.end

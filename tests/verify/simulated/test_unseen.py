"""What no simulation shows is no pass without guests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.policy import Capabilities, PolicySource
from schedops.model.verdict import Verdict
from schedops.model.verification import Check
from schedops.ports import Alone
from schedops.repository import resolve_policy
from schedops.verify import stages
from schedops.verify.kernel import Bench
from schedops.verify.simulated.stage import simulate
from schedops.verify.simulated.unseen import unseen
from schedops.verify.stage import verdict_of
from tests.fakes.guest import Clock, Progress
from tests.verify.fakes import Machines, Toolchain

ROOT = Path(__file__).parents[3]


def written(text: str = "", **promised: bool) -> PolicySource:
    found = resolve_policy(ROOT, str(ROOT / "tests/data/corpus/good/fifo.bpf.c"), cwd=ROOT)
    return replace(found, text=found.text + text, policy=replace(found.policy, capabilities=Capabilities(**promised)))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("void OP(x_cpu_online, s32 cpu) {}  ops = { .cpu_online = x };", "offline"),
        ("ops = { .cpu_release = (void *)x };", "above sched_ext"),
        ("if (p->comm[0] == 'm') return;", "by exec"),
        ("ops = { .cgroup_move = x };", "another cgroup"),
        ("if (is_migration_disabled(p)) return;", "migration disabled"),
        ('bpf_printk("%d", 1);', "printed"),
        ("#define ROUNDS 6000\nbpf_for(i, 0, ROUNDS) x++;", "many rounds"),
        ("enum { ROUNDS = 4000 }; for (int i = 0; i < ROUNDS; i++) x++;", "many rounds"),
        ("for (u32 i = 0; i < 1024; i++) x++;", "many rounds"),
        (
            (
                "#define ROUNDS 20000\nstatic u32 stir(u32 x, u32 n) { u32 i; bpf_for(i, 0, n) x++; return x; }"
                "\nvoid g(u32 x) { last = stir(x, ROUNDS); }"
            ),
            "many rounds",
        ),
    ],
)
def test_what_is_not_shown_is_named(text: str, what: str) -> None:
    assert what in unseen(written("\n" + text))


def test_what_is_shown_is_not() -> None:
    assert not unseen(written("\n// cpu_online, p->comm\n/* bpf_printk */ for (int i = 0; i < 64; i++) x++;"))
    going = "\n// .\nops = { .cpu_offline = x };"
    assert unseen(written(going)) == "no simulated CPU goes offline for a policy that does not declare hotplug"
    assert not unseen(written(going, hotplug=True))


@pytest.mark.parametrize(
    ("text", "verdict"), [("", Verdict.PASS), ("\n#define NEVER bpf_printk", Verdict.INCONCLUSIVE)]
)
def test_a_clean_run_of_what_is_not_shown_is_inconclusive_without_guests(
    simulator: WasmSimulator, text: str, verdict: Verdict
) -> None:
    bench = Bench(written(text), (), 2, Toolchain(), Machines([]), Clock(), Progress())
    check = simulate(bench, simulator, Alone(), deep=False, custody=True)
    assert isinstance(check, Check)
    assert check.verdict is Verdict.PASS
    assert verdict_of([check], (stages.SIMULATE,), ()) is verdict
    with_guests = [check, replace(check, stage=stages.LOAD, kernel="6.18.0", findings=())]
    assert verdict_of(with_guests, (stages.SIMULATE, stages.LOAD), ("6.18.0",)) is Verdict.PASS

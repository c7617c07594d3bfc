"""Exit kinds by word and number, and what to do about the kernel's messages."""

from __future__ import annotations

import pytest

from schedops.verify.exits import KINDS, exit_advice, kind_of, words_of


def test_kinds_by_number() -> None:
    assert [kind_of(kind.number) for kind in KINDS] == list(KINDS)
    assert kind_of(1026).says == "runnable task stall"
    assert (kind_of(70).words, kind_of(1030).words) == ("it was let go", "an error")


def test_words_keep_the_kernels_own() -> None:
    assert words_of("unregistered from BPF") == "it gave up by itself (scx_bpf_exit) (unregistered from BPF)"
    assert words_of("new") == "the kernel put it out (new)"


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("invalid CPU 99 from ops.select_cpu()", "nr_cpu_ids"),
        ("SCX_DSQ_LOCAL[_ON] target CPU 1 not allowed for hog[3]", "p->cpus_ptr"),
        ("SCX_DSQ_LOCAL[_ON] cannot move migration disabled hog[3] from CPU 0 to 1", "is_migration_disabled"),
        ("non-existent DSQ 0x7 for hog[3]", "scx_bpf_create_dsq"),
        ("DSQ ID 0x0000000000000007 already had FIFO-enqueued tasks", "never both"),
        ("cannot use vtime ordering for built-in DSQs", "queue of your own"),
        ("hog[3] already direct-dispatched", "twice"),
        ("dispatch buffer overflow", "dispatch_max_batch"),
        ("kfunc with mask 0x8 called from an operation only allowing 0x2", "another callback"),
        ("ops.init_task() failed (-12) for hog[3]", "returned an error"),
        ("hog[412] failed to run for 5.012s", "before the timeout"),
        ("cpu 1 going offline, exiting scheduler", "cpu_offline"),
        ("something new", ""),
    ],
)
def test_advice(message: str, advice: str) -> None:
    found = exit_advice(message)
    assert advice in found
    assert bool(advice) is bool(found)

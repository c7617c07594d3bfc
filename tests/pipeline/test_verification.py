"""The same question twice boots nothing the second time; another comment boots nothing either; another policy does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from schedops.adapters.clock import SystemClock
from schedops.adapters.compiler.clang import Clang
from schedops.adapters.disk.verdicts import DiskVerdicts
from schedops.adapters.kernel.kernels import KernelStore
from schedops.adapters.vm.qemu import Qemu
from schedops.errors import InputError, Unavailable
from schedops.model.policy import ParamValue, PrebuiltPolicy
from schedops.model.verdict import Verdict
from schedops.pipeline.verification import verify_policy
from schedops.ports import Guest, KernelImage, World
from schedops.repository import find_policy
from schedops.verify.kept import MARK
from schedops.verify.stages import SIMULATE, STATIC
from tests.fakes.guest import IMAGE, Clock, Progress
from tests.verify.fakes import Guest as PlayedGuest
from tests.verify.fakes import Machines, Simulator, Toolchain
from tests.verify.readings import POLICY, SOURCE
from tests.verify.rules_fakes import Kernels, Rules

ROOT = Path(__file__).parents[2]
OBJECT = PrebuiltPolicy(policy=POLICY, path="ours.bpf.o", elf=b"an object")


def played(tmp_path: Path, machines: Machines, toolchain: Toolchain) -> World:
    return World(
        clock=Clock(),
        progress=Progress(),
        toolchain=toolchain,
        machines=machines,
        kernels=Kernels(),
        verdicts=DiskVerdicts(tmp_path / "v", tool=lambda: "t"),
    )


def test_a_second_run_needs_neither_compiler_nor_guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Rules().install(monkeypatch)
    builds: list[str] = []

    class Counting(Toolchain):
        def build(self, source, params, image):
            builds.append(image.kernel.name)
            return super().build(source, params, image)

    machines = Machines([PlayedGuest(), PlayedGuest()])
    joined = played(tmp_path, machines, Counting())
    first = verify_policy(joined, SOURCE, images=(IMAGE,))
    second = verify_policy(joined, SOURCE, images=(IMAGE,), missing=("7.9",))
    assert (first.verdict, second.verdict, machines.boots, builds) == (
        Verdict.PASS,
        Verdict.PASS,
        1,
        [IMAGE.kernel.name],
    )
    assert all(check.text.endswith(MARK) for check in second.checks)
    assert (second.objects, second.kernels_missing) == (first.objects, ("7.9",))
    assert [replace(check, text=check.text.removesuffix(MARK)) for check in second.checks] == list(first.checks)
    again = verify_policy(joined, SOURCE, images=(IMAGE,), cached=False)
    assert not any(check.text.endswith(MARK) for check in again.checks)
    assert machines.boots == 2


def test_a_second_run_simulates_nothing_and_knows_whether_the_first_one_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Rules().install(monkeypatch)
    simulator = Simulator()
    machines = Machines([PlayedGuest(), PlayedGuest()])
    without = played(tmp_path, machines, Toolchain())
    joined = replace(without, simulator=simulator)
    assert [one.stage for one in verify_policy(without, SOURCE, images=(IMAGE,)).not_run] == [SIMULATE]
    first = verify_policy(joined, SOURCE, images=(IMAGE,))
    asked = len(simulator.asked)
    assert (first.not_run, asked > 0) == ((), True)
    second = verify_policy(joined, SOURCE, images=(IMAGE,))
    assert (second.verdict, len(simulator.asked)) == (Verdict.PASS, asked)
    assert SIMULATE in {check.stage for check in second.checks}
    changed = verify_policy(joined, SOURCE, params=(ParamValue(name="n", value=1),), images=(IMAGE,))
    assert len(simulator.asked) == 2 * asked
    assert {scheduler.params for _, _, scheduler in simulator.asked[asked:]} == {(ParamValue(name="n", value=1),)}
    assert changed.verdict is Verdict.PASS


def test_no_verdict_and_a_missing_tool_are_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Rules().install(monkeypatch)
    machines = Machines([Unavailable("qemu-failed", "QEMU did not start"), PlayedGuest()])
    joined = played(tmp_path, machines, Toolchain())
    assert verify_policy(joined, SOURCE, images=(IMAGE,)).verdict is Verdict.ERROR
    assert verify_policy(joined, SOURCE, images=(IMAGE,)).verdict is Verdict.PASS
    toolless = played(tmp_path, Machines([]), Toolchain(missing=True))
    changed = replace(SOURCE, text="int x;")
    assert verify_policy(toolless, changed, images=(IMAGE,)).verdict is Verdict.ERROR
    assert verify_policy(toolless, changed, images=(IMAGE,), stages=STATIC).verdict is Verdict.ERROR


def test_what_cannot_be_asked_of_an_object_is_bad_input(tmp_path: Path) -> None:
    joined = played(tmp_path, Machines([]), Toolchain())
    with pytest.raises(InputError) as none:
        verify_policy(joined, OBJECT, images=(IMAGE,), stages=("source", "compile"))
    with pytest.raises(InputError) as params:
        verify_policy(joined, OBJECT, images=(IMAGE,), params=(ParamValue(name="n", value=1),))
    assert (none.value.code, params.value.code) == ("no-such-stage", "object-has-no-parameters")


class Counted:
    """Real machines that count."""

    def __init__(self) -> None:
        self.inner = Qemu()
        self.boots = 0

    @contextmanager
    def boot(self, image: KernelImage, *, cpus: int, sockets: int = 1, programs: Path | None = None) -> Iterator[Guest]:
        self.boots += 1
        with self.inner.boot(image, cpus=cpus) as guest:
            yield guest

    def accelerator(self):
        return self.inner.accelerator()


@pytest.mark.vm
def test_a_changed_comment_boots_no_real_guest_and_a_changed_constant_does(
    tmp_path: Path, newest_kernel: KernelImage
) -> None:
    machines = Counted()
    joined = World(
        clock=SystemClock(),
        progress=Progress(),
        toolchain=Clang(),
        machines=machines,
        kernels=KernelStore(),
        verdicts=DiskVerdicts(tmp_path / "v"),
    )
    source = find_policy(ROOT, "fifo")
    upto_enable = ("compile", "object", "load", "enable")
    texts = {
        "as it is": source.text,
        "a comment more": f"/* another\n * comment */\n{source.text}",
        "another constant": source.text.replace(".timeout_ms\t= 5000", ".timeout_ms\t= 4000"),
    }
    boots = {}
    for name, text in texts.items():
        before = machines.boots
        report = verify_policy(joined, replace(source, text=text), images=(newest_kernel,), stages=upto_enable)
        assert report.verdict is Verdict.PASS, report
        boots[name] = machines.boots - before
    assert boots["a comment more"] == 0
    assert boots["as it is"] >= 1
    assert boots["another constant"] >= 1

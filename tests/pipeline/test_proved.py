"""Which policies are let onto a host: those that passed in a guest with its very kernel."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from schedops.adapters.disk.verdicts import DiskVerdicts
from schedops.errors import Refused, Unavailable
from schedops.model.verification import BuildFailure, BuiltObject
from schedops.pipeline.proved import require_proved
from schedops.pipeline.verification import verify_policy
from schedops.ports import KernelImage, World
from schedops.verify.stages import FULL, QUICK, STATIC
from tests.fakes.guest import IMAGE, Clock, Progress
from tests.verify.fakes import Guest, Machines, Toolchain, build_well
from tests.verify.readings import SOURCE
from tests.verify.rules_fakes import Kernels, Rules

HOSTS = KernelImage(replace(IMAGE.kernel, name="running", vmlinux_sha256="", source="running"), Path("/nowhere"))


class Store(Kernels):
    def __init__(self, *images: KernelImage) -> None:
        super().__init__()
        self.images = images

    def find(self, wanted: str) -> KernelImage | None:
        return next((image for image in self.images if image.kernel.btf_sha256 == wanted), None)


@pytest.fixture(autouse=True)
def _objects_do_what_their_bytes_say(monkeypatch: pytest.MonkeyPatch) -> None:
    Rules().install(monkeypatch)
    for place in ("schedops.verify.object.identity", "schedops.pipeline.proved"):
        monkeypatch.setattr(f"{place}.behaviour_digest", lambda elf: hashlib.sha256(elf).hexdigest())


@pytest.fixture
def joined(tmp_path: Path) -> World:
    return World(
        clock=Clock(),
        progress=Progress(),
        toolchain=Toolchain(),
        machines=Machines([Guest() for _ in range(4)]),
        kernels=Store(IMAGE),
        verdicts=DiskVerdicts(tmp_path / "v", tool=lambda: "t"),
    )


def built() -> BuiltObject:
    found = build_well(SOURCE, IMAGE)
    assert isinstance(found, BuiltObject)
    return found


def refusal(joined: World, object_: BuiltObject) -> Unavailable:
    with pytest.raises(Unavailable) as refused:
        require_proved(joined, SOURCE, (), object_, HOSTS)
    assert refused.value.code == "not-verified"
    return refused.value


@pytest.mark.parametrize("stages", [QUICK, FULL])
def test_a_pass_of_its_kernel_lets_it_run_and_boots_nothing(joined: World, stages: tuple[str, ...]) -> None:
    verify_policy(joined, SOURCE, images=(IMAGE,), stages=stages, keep_going=True)
    boots = joined.machines.boots
    require_proved(joined, SOURCE, (), built(), HOSTS)
    assert joined.machines.boots == boots


def test_without_a_pass_it_says_which_command_gives_one(joined: World) -> None:
    verify_policy(joined, SOURCE, images=(IMAGE,), stages=STATIC)
    assert refusal(joined, built()).hint.startswith(
        f"schedops verify {SOURCE.policy.name} --kernel {IMAGE.kernel.name}"
    )


def test_another_object_is_another_policy(joined: World) -> None:
    verify_policy(joined, SOURCE, images=(IMAGE,), stages=QUICK)
    refusal(joined, replace(built(), elf=b"another"))


def test_another_kernel_of_this_release_is_another_kernel(joined: World) -> None:
    verify_policy(joined, SOURCE, images=(IMAGE,), stages=QUICK)
    other = KernelImage(replace(IMAGE.kernel, btf_sha256="d" * 64), IMAGE.directory)
    found = refusal(replace(joined, kernels=Store(other)), built())
    assert "kernel add /boot/vmlinuz-" in found.hint


def test_what_is_not_remembered_counts_for_nothing(joined: World) -> None:
    verify_policy(joined, SOURCE, images=(IMAGE,), stages=QUICK)
    refusal(replace(joined, verdicts=None), built())


def test_what_is_found_without_a_guest_now_is_a_no(joined: World) -> None:
    verify_policy(joined, SOURCE, images=(IMAGE,), stages=QUICK)
    failure = BuildFailure(kernel=IMAGE.kernel.name, problems=())
    broken = replace(joined, toolchain=Toolchain(make=lambda *_: failure))
    with pytest.raises(Refused) as refused:
        require_proved(broken, replace(SOURCE, text="broken"), (), built(), HOSTS)
    assert refused.value.code == "not-verified"

from __future__ import annotations

from pathlib import Path

import pytest

from schedops.adapters.toolbox.tools import FoundTool
from schedops.adapters.vm import accelerator


def qemu(version: str) -> FoundTool:
    path = Path("/usr/bin/qemu-system-x86_64")
    return FoundTool(name="qemu-system-x86_64", path=path, version=version, origin="system", argv=(str(path),))


@pytest.fixture
def kvm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /dev/kvm that opens."""
    device = tmp_path / "kvm"
    device.write_bytes(b"")
    monkeypatch.setattr(accelerator, "_KVM", device)
    return device


def test_kvm_is_proved_once_and_remembered(kvm: Path) -> None:
    calls: list[int] = []

    def proof() -> str:
        calls.append(1)
        return ""

    assert [accelerator.choose(qemu("10.0.2"), proof).name for _ in range(3)] == ["kvm"] * 3
    assert len(calls) == 1


def test_a_dev_kvm_that_boots_nothing_is_not_kvm(kvm: Path) -> None:
    found = accelerator.choose(qemu("10.0.2"), lambda: "no KVM: the guest did not come up")
    assert found.name == "tcg-multi"
    assert found.reason == "no KVM: the guest did not come up; TCG with one thread per CPU"


def test_without_a_kernel_nothing_is_proved_and_nothing_remembered(kvm: Path) -> None:
    assert accelerator.choose(qemu("10.0.2"), None).reason.startswith("KVM not proved yet: no kernel to boot")
    assert accelerator.choose(qemu("10.0.2"), lambda: "").name == "kvm"


def test_another_qemu_is_proved_again(kvm: Path) -> None:
    accelerator.choose(qemu("10.0.2"), lambda: "")
    assert accelerator.choose(qemu("10.0.3"), lambda: "no KVM: why").name == "tcg-multi"


def test_old_qemu_runs_single_threaded_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "_KVM", tmp_path / "absent")
    found = accelerator.choose(qemu("7.2.19"), lambda: "")
    assert found.name == "tcg-single"
    assert "/dev/kvm is missing" in found.reason
    assert "QEMU 7.2.19 (< 10) kills guests" in found.reason

"""Machines: templates, clones, and every way to lose a guest."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from schedops.adapters.vm import guest_image, template
from schedops.adapters.vm.guest_session import GuestSession
from schedops.adapters.vm.qemu import Qemu
from schedops.errors import GuestLost, Unavailable
from schedops.ports import KernelImage

pytestmark = pytest.mark.vm

HOSTILE = Path(__file__).parents[2] / "data" / "hostile_init.c"


@pytest.fixture
def hostile(request: pytest.FixtureRequest) -> Qemu:
    """Machines whose guest answers the first request by misbehaving, in the way the test names."""
    sources = {"init.c": f"#define {request.param}\n".encode() + HOSTILE.read_bytes()}
    return Qemu(initramfs=lambda: guest_image.image_of(sources))


def test_clones_of_one_template_have_their_own_time_and_do_not_touch_it(
    newest_kernel: KernelImage, vm_cache: Path
) -> None:
    with Qemu().boot(newest_kernel, cpus=2) as one, Qemu().boot(newest_kernel, cpus=2) as two:
        files = {path: path.stat().st_mtime_ns for path in vm_cache.glob("templates/*/*")}
        assert one.state() == two.state()
    assert {path: path.stat().st_mtime_ns for path in vm_cache.glob("templates/*/*")} == files
    assert {path.name for path in files} == {"ram", "state"}


def test_a_guest_is_gone_when_its_context_ends(newest_kernel: KernelImage) -> None:
    with Qemu().boot(newest_kernel, cpus=1) as guest:
        process = guest._machine.process
        assert process.poll() is None
    assert process.returncode == -signal.SIGKILL


def test_a_guest_is_gone_after_an_interrupt(newest_kernel: KernelImage) -> None:
    seen = []

    def interrupted() -> None:
        with Qemu().boot(newest_kernel, cpus=2) as guest:
            seen.append(guest._machine.process)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert seen[0].returncode == -signal.SIGKILL


def test_a_killed_qemu_is_a_lost_guest(guest: GuestSession) -> None:
    os.kill(guest._machine.process.pid, signal.SIGKILL)
    with pytest.raises(GuestLost) as lost:
        guest.state()
    assert (lost.value.attached, lost.value.known_emulator_fault, lost.value.exit_code) == (False, False, 69)
    with pytest.raises(GuestLost):
        guest.detach(deadline_s=1)


def test_losing_a_guest_with_a_policy_says_so(guest: GuestSession, fifo) -> None:
    guest.attach(fifo(), deadline_s=20)
    os.kill(guest._machine.process.pid, signal.SIGKILL)
    with pytest.raises(GuestLost) as lost:
        guest.state()
    assert lost.value.attached is True


def test_a_guest_that_hangs_is_killed_at_its_deadline(guest: GuestSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schedops.adapters.vm.guest_session._GRACE_S", 0.2)
    guest._machine.qmp.execute("stop")
    with pytest.raises(GuestLost, match=r"no answer to 'detach' within 0.5 s"):
        guest.detach(deadline_s=0.3)
    assert not guest._machine.alive


@pytest.mark.parametrize("hostile", ["FLOODS_CONSOLE", "SAYS_NONSENSE", "PROMISES_TOO_MUCH", "DIES"], indirect=True)
def test_a_hostile_guest_is_a_lost_guest(
    hostile: Qemu, newest_kernel: KernelImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schedops.adapters.vm.guest_session._SHORT_S", 1.0)
    monkeypatch.setattr("schedops.adapters.vm.guest_session._GRACE_S", 0.0)
    with pytest.raises(GuestLost) as lost, hostile.boot(newest_kernel, cpus=1):
        pass
    detail = lost.value.detail
    assert len(detail) <= 9000
    assert all(c.isprintable() or c in "\n\t" for c in detail)


@pytest.mark.parametrize("hostile", ["NEVER_READY"], indirect=True)
def test_a_kernel_that_does_not_come_up(
    hostile: Qemu, newest_kernel: KernelImage, monkeypatch: pytest.MonkeyPatch, vm_cache: Path
) -> None:
    before = set(vm_cache.glob("templates/*"))
    with pytest.raises(Unavailable) as error, hostile.boot(newest_kernel, cpus=1):
        pass
    assert error.value.code == "guest-not-up"
    assert "this is the end" in error.value.detail
    assert set(vm_cache.glob("templates/*")) == before


def test_a_damaged_template_is_made_again(newest_kernel: KernelImage, vm_cache: Path) -> None:
    with Qemu().boot(newest_kernel, cpus=1):
        pass
    just_used = max(vm_cache.glob("templates/*"), key=lambda path: path.stat().st_mtime_ns)
    (just_used / "state").chmod(0o644)
    (just_used / "state").write_bytes(b"not a state at all")
    with Qemu().boot(newest_kernel, cpus=1) as guest:
        assert guest.state().state == "disabled"


def test_templates_nobody_has_used_for_a_fortnight_go(newest_kernel: KernelImage, vm_cache: Path) -> None:
    old, recent = (vm_cache / "templates" / name for name in ("old", "recent"))
    for path in (old, recent):
        path.mkdir(parents=True)
        (path / "ram").write_bytes(b"")
    os.utime(old, (time.time() - 15 * 86400,) * 2)
    template._forget_unused(vm_cache / "templates")
    assert (old.exists(), recent.exists()) == (False, True)
    recent.joinpath("ram").unlink()
    recent.rmdir()


def test_a_cache_that_cannot_be_written(
    newest_kernel: KernelImage, vm_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "templates").write_text("a file where a directory should be")
    (tmp_path / "tools").symlink_to(vm_cache / "tools")
    monkeypatch.setenv("SCHEDOPS_CACHE", str(tmp_path))
    with pytest.raises(Unavailable) as error, Qemu().boot(newest_kernel, cpus=2):
        pass
    assert error.value.code == "cache-not-writable"


def test_a_full_disk_makes_no_template(newest_kernel: KernelImage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "_NEEDED_BYTES", 1 << 60)
    with pytest.raises(Unavailable, match="No space left") as error, Qemu().boot(newest_kernel, cpus=3):
        pass
    assert error.value.code == "cache-not-writable"


def test_qemu_killed_while_the_template_is_made(
    newest_kernel: KernelImage, vm_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name for path in vm_cache.glob("templates/*")}
    original = template.running

    def doomed(*args, **kwargs):
        context = original(*args, **kwargs)
        enter = context.__enter__

        def entered():
            machine = enter()
            threading.Timer(0.3, machine.kill).start()
            return machine

        context.__enter__ = entered  # type: ignore[method-assign]
        return _Entered(context, entered)

    monkeypatch.setattr(template, "running", doomed)
    with pytest.raises(Unavailable) as error, Qemu().boot(newest_kernel, cpus=3):
        pass
    assert error.value.code == "guest-not-up"
    assert {path.name for path in vm_cache.glob("templates/*")} == before


class _Entered:
    def __init__(self, context, enter) -> None:
        self._context, self._enter = context, enter

    def __enter__(self):
        return self._enter()

    def __exit__(self, *exc):
        return self._context.__exit__(*exc)


def test_a_missing_qemu(newest_kernel: KernelImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SCHEDOPS_CACHE", str(tmp_path / "cache"))
    with pytest.raises(Unavailable) as error, Qemu().boot(newest_kernel, cpus=2):
        pass
    assert error.value.code == "tool-missing"


def test_two_boots_at_once_make_one_template(
    newest_kernel: KernelImage, vm_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in ("tools", "guest"):
        (tmp_path / part).symlink_to(vm_cache / part)
    monkeypatch.setenv("SCHEDOPS_CACHE", str(tmp_path))
    states: list[str] = []

    def boot() -> None:
        with Qemu().boot(newest_kernel, cpus=2) as guest:
            states.append(guest.state().state)

    threads = [threading.Thread(target=boot) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states == ["disabled", "disabled"]
    assert len([path for path in (tmp_path / "templates").iterdir() if not path.name.startswith(".")]) == 1
    assert not [path for path in (tmp_path / "templates").iterdir() if path.name.startswith(".")]


def test_boot_once_says_how_long_and_leaves_nothing(newest_kernel: KernelImage, vm_cache: Path) -> None:
    before = time.monotonic()
    seconds = Qemu().boot_once(newest_kernel, accelerator="tcg-multi", deadline_s=60)
    assert 0 < seconds <= time.monotonic() - before
    assert not list(vm_cache.glob(".boot-*"))

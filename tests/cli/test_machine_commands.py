"""setup, doctor and kernel, as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from schedops.adapters.kernel.kernel_file import KernelFile
from schedops.adapters.kernel.kernels import KernelStore
from schedops.adapters.kernel.known_offers import remember_offers, remember_refusal
from schedops.adapters.toolbox.examine import Finding, can_run_demo, examine
from schedops.errors import Unavailable
from schedops.model.guest import Accelerator
from tests.fakes.kernels import BROKEN, GOOD, btf, bzimage, vmlinux

ROOT = Path(__file__).parents[2]


class Told:
    """Machines that were told what they run on."""

    def __init__(self, name: str) -> None:
        self.name = name

    def accelerator(self) -> Accelerator:
        if not self.name:
            raise Unavailable("tool-missing", "qemu-system-x86_64 (>= 10.0) was not found")
        return Accelerator(name=self.name, qemu_version="7.2.22", reason="as it is told")


def schedops(tmp_path: Path, *words: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    env = {
        "PATH": path if path is not None else os.environ["PATH"],
        "HOME": str(tmp_path),
        "SCHEDOPS_CACHE": str(tmp_path / "cache"),
    }
    argv = [sys.executable, "-m", "schedops", *words]
    return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_doctor_on_a_machine_without_tools(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = schedops(tmp_path, "doctor", "--output", "json", path=str(tmp_path / "empty"))
    envelope = json.loads(done.stdout)
    findings = {finding["name"]: finding for finding in envelope["data"]["findings"]}
    assert (done.returncode, envelope["exit_code"], envelope["data"]["ready"]) == (69, 69, False)
    assert findings["clang-19"]["status"] == "missing"
    assert findings["clang-19"]["mend"] == "schedops setup"
    assert findings["busybox"]["status"] == "optional"
    assert findings["accelerator"]["status"] == "missing"
    assert findings["kernel 7.3"]["mend"] == "schedops kernel fetch 7.3"
    assert findings["python"]["status"] == "ok"
    assert findings["guest program"]["status"] == "missing"
    assert not (tmp_path / "cache" / "kernels").exists()  # looking changes nothing


def test_doctor_says_in_words_what_mends_it(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = schedops(tmp_path, "doctor", path=str(tmp_path / "empty"))
    assert done.returncode == 69
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if "clang-19" in line)
    assert lines[at].startswith("missing")
    assert lines[at].endswith("needed: >= 19")
    assert "without it: library, workload, validate, kernel and pr work" in lines[at + 1]
    assert lines[at + 2].strip() == "mend: schedops setup"
    assert done.stdout.endswith("not ready: `schedops setup`\n")


@pytest.mark.parametrize(
    ("name", "status", "mend"), [("kvm", "ok", ""), ("tcg-multi", "less", ""), ("tcg-single", "less", "schedops setup")]
)
def test_accelerator_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, status: str, mend: str
) -> None:
    monkeypatch.setenv("SCHEDOPS_CACHE", str(tmp_path))
    (found,) = [finding for finding in examine((), Told(name)) if finding.name == "accelerator"]  # type: ignore[arg-type]
    assert (found.status, found.found, found.where, found.mend) == (status, name, "as it is told", mend)


def test_one_kernel_is_enough_for_the_demo_and_none_is_not() -> None:
    def finding(name: str, status: str) -> Finding:
        return Finding(name=name, status=status)

    tools = [finding("git", "ok"), finding("busybox", "optional"), finding("accelerator", "less")]
    old, new = finding("kernel 6.16", "missing"), finding("kernel 7.3", "ok")
    assert can_run_demo([*tools, old, new], ["6.16", "7.3"])
    assert not can_run_demo([*tools, old], ["6.16"])
    assert not can_run_demo(tools, [])
    assert not can_run_demo([*tools, new, finding("clang-19", "missing")], ["7.3"])


def test_a_cache_that_is_no_directory_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch(mode=0o600)
    monkeypatch.setenv("SCHEDOPS_CACHE", str(tmp_path / "file" / "cache"))
    (found,) = [finding for finding in examine((), Told("")) if finding.name == "cache directory"]  # type: ignore[arg-type]
    assert (found.status, found.found) == ("missing", "not writable")


def test_setup_of_who_is_not_root_prints_the_line(tmp_path: Path) -> None:
    program = (
        "import os, sys; os.geteuid = lambda: 1000\n"
        "from schedops.adapters.toolbox import needs, tools\n"
        "tools._SBIN = (); needs._ARCHIVE_DIRS = ()\n"
        "from schedops.cli.main import main; main(['setup'])"
    )
    (tmp_path / "empty").mkdir()
    env = {"PATH": str(tmp_path / "empty"), "HOME": str(tmp_path), "SCHEDOPS_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (69, "")
    assert "try:   sudo apt-get install -y --no-install-recommends clang-19 lld-19 busybox-static git" in done.stderr


def test_kernel_add_list_and_what_is_refused(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(bzimage(vmlinux("7.3.4-ours", btf(GOOD))))
    (tmp_path / "broken").write_bytes(vmlinux("7.1.13", btf(BROKEN)))
    (tmp_path / "junk").write_bytes(b"junk" * 1000)
    assert schedops(tmp_path, "kernel", "list").stdout.startswith("no kernel yet")
    added = schedops(tmp_path, "kernel", "add", str(tmp_path / "good"), "--name", "ours")
    assert (added.returncode, added.stdout.split()[0]) == (0, "7.3.4-ours")
    refused = schedops(tmp_path, "kernel", "add", str(tmp_path / "broken"), "--output", "json")
    assert (refused.returncode, json.loads(refused.stdout)["errors"][0]["code"]) == (1, "kernel-unfit")
    junk = schedops(tmp_path, "kernel", "add", str(tmp_path / "junk"), "--output", "json")
    assert (junk.returncode, json.loads(junk.stdout)["errors"][0]["code"]) == (2, "bad-kernel-image")
    missing = schedops(tmp_path, "kernel", "add", str(tmp_path / "none"), "--output", "json")
    assert (missing.returncode, json.loads(missing.stdout)["errors"][0]["code"]) == (2, "no-kernel-file")
    listed = json.loads(schedops(tmp_path, "kernel", "list", "--output", "json").stdout)
    good = listed["data"]["kernels"]
    assert [(kernel["name"], kernel["source"], kernel["state"]) for kernel in good] == [("ours", "added", "good")]
    assert (listed["data"]["broken"], listed["data"]["absent"]) == ([], [])
    seen = [(f"7.{minor}.{patch}-cloud", "1", 14_100_000) for minor in (1, 2) for patch in (9, 8)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCHEDOPS_CACHE", str(tmp_path / "cache"))
        remember_offers("forky", seen)
        remember_refusal("7.1.9-cloud", "1", "7.1.9-cloud: its BTF is broken")
    lines = schedops(tmp_path, "kernel", "list").stdout.splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["broken", "7.1.9-cloud", "its", "BTF", "is", "broken"],
        ["absent", "7.2.9-cloud", "14.1", "MB", "from", "forky"],
        ["absent", "7.1.8-cloud", "14.1", "MB", "from", "forky"],
    ]
    assert lines[0].startswith("good    7.")
    assert lines[4].startswith("1 more of the same series")


def test_two_processes_put_the_same_kernel_at_once(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(bzimage(vmlinux("7.3.4-ours", btf(GOOD)) + bytes(8 << 20)))
    argv = [sys.executable, "-m", "schedops", "kernel", "add", str(tmp_path / "good")]
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SCHEDOPS_CACHE": str(tmp_path / "cache")}
    both = [subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    store = KernelStore(tmp_path / "cache" / "kernels")
    assert len(store.list()) == 1
    assert [path.name for path in store.root.iterdir()] == [store.list()[0].directory.name]


def test_a_kernel_in_the_store_is_found_by_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHEDOPS_CACHE", str(tmp_path))
    file = KernelFile(release="7.3.4-ours", vmlinux=vmlinux("7.3.4-ours"), btf=btf(GOOD), config=None)
    KernelStore().put(file, source="added")
    (found,) = [finding for finding in examine(("7.3",), Told("kvm")) if finding.name == "kernel 7.3"]  # type: ignore[arg-type]
    assert (found.status, found.found) == ("ok", f"7.3.4-ours, btf {file.btf_sha256[:8]}")

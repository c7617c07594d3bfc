"""``--on host`` from the command line to the envelope; the host and its guests are played by a model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from schedops.cli.main import main
from schedops.errors import Unavailable
from schedops.model.guest import Accelerator
from schedops.model.rung import BARE_METAL
from schedops.ports import KernelImage, World
from tests.cli.test_measuring import Kernels, Toolchain
from tests.fakes.guest import IMAGE, Clock, Host, Machines, Script

ROOT = Path(__file__).parents[2]
RUNNING = KernelImage(replace(IMAGE.kernel, name="7.1.0-own", release="7.1.0-own", source="running"), Path("/nowhere"))
Run = Callable[..., tuple[int, str, str]]


class HostMachines(Machines):
    image = RUNNING
    cpus = 4

    def accelerator(self) -> Accelerator:
        return Accelerator(name="none", qemu_version="", reason="this host itself", rung=BARE_METAL)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """:param fit: why the host cannot be measured on. *verified*: why the policy may not run there."""
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    monkeypatch.chdir(tmp_path)
    script = Script(ops="build_order", us_per_work=0.004)

    def world(progress) -> World:
        return World(
            clock=Clock(),
            progress=progress,
            toolchain=Toolchain(),
            machines=Machines(script),
            kernels=Kernels(IMAGE),
            host=Host(),
        )

    def run(words: str, *, fit: Unavailable | None = None, verified: Unavailable | None = None) -> tuple[int, str, str]:
        seen: list[object] = []

        @contextmanager
        def this_host(progress, *, quiet: bool) -> Iterator[HostMachines]:
            if fit is not None:
                raise fit
            yield HostMachines(script)

        def require_proved(joined, source, params, built, image) -> None:
            seen.append((source.policy.name, image, type(joined.machines)))
            if verified is not None:
                raise verified

        monkeypatch.setattr("schedops.wiring.world", world)
        monkeypatch.setattr("schedops.wiring.this_host", this_host)
        monkeypatch.setattr("schedops.pipeline.proved.require_proved", require_proved)
        with pytest.raises(SystemExit) as done:
            main(words.split())
        # With the machines that verifications use, and for the kernel that runs.
        assert seen in ([], [("build-order", RUNNING, Machines)])
        captured = capsys.readouterr()
        return done.value.code, captured.out, captured.err

    return run


def test_bench_on_a_host_says_so_in_every_document(run: Run) -> None:
    code, out, _ = run("bench build-order -w ci-builds --on host --cold --rounds 2 --output json")
    found = json.loads(out)["data"]["measurements"]
    assert code == 3  # two rounds are no proof
    assert (found["rung"], found["kernel"], found["cpus"]) == (BARE_METAL, "7.1.0-own", 4)
    assert (found["accelerator"], found["environment"]["accelerator"], found["environment"]["cpus"]) == (
        "none",
        "none",
        4,
    )


def test_nothing_runs_that_was_not_verified(run: Run) -> None:
    words = "bench build-order -w ci-builds --on host --cold --rounds 2"
    code, _, err = run(words, verified=Unavailable("not-verified", "it may not run here", hint="schedops verify"))
    assert (code, "error[not-verified]" in err) == (69, True)


@pytest.mark.parametrize(
    "words", ["bench build-order -w ci-builds", "profile -w ci-builds", "workload run xz-gzip-mix"]
)
def test_a_host_that_is_unfit_says_why(run: Run, words: str) -> None:
    code, _, err = run(f"{words} --on host", fit=Unavailable("other-policy", "another policy schedules it"))
    assert (code, "error[other-policy]: another policy schedules it" in err) == (69, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--on host --cpus 2", "--cpus: a host has what it has"),
        ("--on host --kernel 7.3", "--kernel: a host has what it has"),
        ("--quiet-host", "--quiet-host goes with --on host"),
    ],
)
def test_what_only_one_place_has(run: Run, words: str, said: str) -> None:
    for command in ("bench build-order -w ci-builds", "profile -w ci-builds", "workload run xz-gzip-mix"):
        code, _, err = run(f"{command} {words}")
        assert (code, said in err) == (2, True)


def test_a_profile_of_a_host_is_kept_apart(run: Run) -> None:
    assert run("profile -w ci-builds --on host")[0] == 0
    assert [path.name[:12] for path in Path(".schedops/profiles-host").iterdir()] == ["ci-builds-4-"]
    assert not Path(".schedops/profiles").exists()

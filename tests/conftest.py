"""No test sees the user's home or cache; tests marked ``vm`` share one cache of frozen guests."""

from __future__ import annotations

import functools
import itertools
import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from schedops.adapters.compiler.clang import Clang
from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.kernel.kernels import KernelStore
from schedops.adapters.toolbox.tools import find_tool, libbpf_prefix
from schedops.adapters.vm.guest_session import GuestSession
from schedops.adapters.vm.qemu import Qemu
from schedops.errors import Unavailable
from schedops.model.policy import Policy, PolicySource, Provenance
from schedops.model.verification import BuiltObject
from schedops.ports import KernelImage

# What the machine offers, looked up before any test hides it.
_USER_CACHE = cache_dir()
_VM_REQUIRED = os.environ.get("SCHEDOPS_REQUIRE_VM") == "1"
_NO_SKIP = os.environ.get("SCHEDOPS_NO_SKIP") == "1"
_DATA = Path(__file__).parent / "data"
_count = itertools.count()

# CI asks the same questions each time; whoever works on the code gets new ones. No deadline: the machine is shared.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("vm") is None:
        return
    reason = _why_no_vm()
    if reason and _VM_REQUIRED:
        pytest.fail(f"SCHEDOPS_REQUIRE_VM=1, but {reason}", pytrace=False)
    if reason:
        pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With SCHEDOPS_NO_SKIP=1 a test that would be skipped, for whatever reason, fails with that reason."""
    report = yield
    if report.skipped and _NO_SKIP:
        report.outcome, report.longrepr = "failed", f"SCHEDOPS_NO_SKIP=1, but {report.longrepr}"
    return report


@functools.cache
def _why_no_vm() -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCHEDOPS_CACHE", str(_USER_CACHE))
        if find_tool("qemu-system-x86_64") is None:
            return "no usable QEMU; `schedops setup`"
        if not KernelStore().list():
            return "no kernel in the store; `schedops kernel fetch`"
        try:
            libbpf_prefix()
        except Unavailable as error:
            return error.message
    return ""


@pytest.fixture(autouse=True)
def _own_world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith(("SCHEDOPS_", "GIT_"))]:
        monkeypatch.delenv(name)
    base = tmp_path_factory.getbasetemp()
    (base / "home").mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(base / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    marked = request.node.get_closest_marker("vm") is not None
    cache = request.getfixturevalue("vm_cache") if marked else base / f"cache-{next(_count)}"
    monkeypatch.setenv("SCHEDOPS_CACHE", str(cache))


@pytest.fixture(scope="session")
def vm_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's tools and kernels, read only in spirit; templates, guest image and objects of this session's own."""
    cache = tmp_path_factory.mktemp("vm-cache")
    for part in ("tools", "kernels"):
        (cache / part).symlink_to(_USER_CACHE / part)
    return cache


@pytest.fixture(scope="session")
def sim_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled modules of the simulator, shared by all tests."""
    for tool in ("clang-19", "wasm-ld-19"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    return tmp_path_factory.mktemp("simulator")


@pytest.fixture
def kernels() -> tuple[KernelImage, ...]:
    """The oldest and the newest kernel of the user's store; `make matrix` is for those between."""
    stored = KernelStore(_USER_CACHE / "kernels").list()
    return stored if len(stored) < 3 else (stored[0], stored[-1])


@pytest.fixture
def newest_kernel(kernels: tuple[KernelImage, ...]) -> KernelImage:
    return kernels[-1]


@pytest.fixture
def guest(newest_kernel: KernelImage) -> Iterator[GuestSession]:
    """A fresh guest with two CPUs on the newest kernel."""
    with Qemu().boot(newest_kernel, cpus=2) as session:
        yield session


class FifoPolicies:
    """Compiles ``tests/data/fifo.bpf.c``, whole or with a planted flaw."""

    def __init__(self, image: KernelImage) -> None:
        self._image = image

    def __call__(self, *defines: str) -> bytes:
        text = "".join(f"#define {name}\n" for name in defines) + (_DATA / "fifo.bpf.c").read_text()
        built = Clang().build(PolicySource(policy=_POLICY, path="fifo.bpf.c", text=text), (), self._image)
        assert isinstance(built, BuiltObject), built
        return built.elf


_POLICY = Policy(
    name="test-fifo",
    description="first come first served",
    tags=(),
    classes=(),
    source="fifo.bpf.c",
    ops_name="test_fifo",
    loses_when="never, it is for tests",
    provenance=Provenance(author="human", pathway="create"),
)


@pytest.fixture
def fifo(newest_kernel: KernelImage) -> FifoPolicies:
    return FifoPolicies(newest_kernel)

"""Jails that isolate compile the same bytes, and keep the compiler from everything else."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from schedops import proc
from schedops.adapters.compiler import jail
from schedops.adapters.compiler.clang import Clang
from schedops.adapters.compiler.jail import Jail, cell_in, find_jail, forget
from schedops.adapters.toolbox.tools import require_tool
from schedops.errors import Unavailable
from schedops.model.verification import BuiltObject
from schedops.ports import KernelImage
from schedops.repository import load_policies

pytestmark = pytest.mark.vm
FIFO = next(source for source in load_policies(Path(__file__).parents[3]) if source.policy.name == "fifo")
COMPILE = ("-target", "bpf", "-nostdinc", "-c", "a.c", "-o", "../out/a.o")


@pytest.fixture
def isolating(tmp_path: Path) -> tuple[Jail, ...]:
    """Those that work on this machine; a container may allow none."""
    clang = require_tool("clang-19")
    names = [name for name in ("bubblewrap", "namespaces") if jail._holds(name, clang, tmp_path / "try")]
    return tuple(Jail(name, isolates=True) for name in names)


def test_the_best_that_holds_is_found_remembered_and_forgotten(isolating: tuple[Jail, ...], tmp_path: Path) -> None:
    best = isolating[0] if isolating else Jail("rlimits", isolates=False)
    assert find_jail(tmp_path) == best
    memory = tmp_path / f"{os.geteuid()}.json"
    memory.write_text(memory.read_text().replace(best.name, "namespaces"))
    assert find_jail(tmp_path).name == "namespaces"  # not tried again
    memory.write_text(memory.read_text().replace('"asked": "', '"asked": "of another boot '))
    assert find_jail(tmp_path) == best
    forget(tmp_path)
    assert not memory.exists()
    memory.write_text('{"asked": 1')
    assert find_jail(tmp_path) == best


def test_every_jail_gives_the_same_bytes(
    isolating: tuple[Jail, ...], newest_kernel: KernelImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {}
    for one in (*isolating, Jail("rlimits", isolates=False)):
        monkeypatch.setattr("schedops.adapters.compiler.clang.find_jail", lambda _cache, one=one: one)
        built = Clang(tmp_path / one.name).build(FIFO, (), newest_kernel)
        assert isinstance(built, BuiltObject), built
        found[built.jail] = built.elf
    assert set(found) == {*(one.name for one in isolating), "rlimits"}
    open_to_all = found.pop("rlimits")
    assert len(set(found.values())) <= 1
    # Without isolation the path of the scratch directory is another one each time, and clang 19 orders some types of
    # .BTF by where they happen to lie in memory.
    for isolated in found.values():
        assert _without_btf(open_to_all) == _without_btf(isolated)


def _without_btf(elf: bytes) -> list[tuple[str, bytes]]:
    sections = ELFFile(io.BytesIO(elf)).iter_sections()
    return [(one.name, b"" if one.name == ".BTF" else one.data()) for one in sections]


def test_an_isolating_jail_shows_and_writes_nothing_else(isolating: tuple[Jail, ...], tmp_path: Path) -> None:
    secret = tmp_path / "secret.h"
    secret.write_text("int root_of_all_evil;\n")
    sources = {
        "include": f'#include "{secret}"\n',
        "link": '#include "link.h"\n',
        "embed": f'const char x[] = {{\n#embed "{secret}"\n}};\n',
        "incbin": f'asm(".incbin \\"{secret}\\"");\n',
        "dependency": f'#pragma GCC dependency "{secret}"\nint x;\n',
        "exists": f'#if !__has_include("{secret}")\n#error it is not there\n#endif\n',
    }
    for one in isolating:
        for name, text in sources.items():
            place = tmp_path / f"{one.name}-{name}"
            place.mkdir()
            cell = cell_in(place)
            (cell.inside / "a.c").write_text(text)
            (cell.inside / "link.h").symlink_to(secret)
            done = one.run(cell, COMPILE)
            assert (done.returncode, b"evil" in done.stderr, (cell.out / "a.o").exists()) == (1, False, False), name
        (cell.inside / "a.c").write_text("int x;\n")
        for target in (str(tmp_path / "out.o"), "/in/out.o", "a.o", "/usr/out.o", "/out.o"):
            assert not one.run(cell, (*COMPILE[:-1], target)).ok
        assert one.run(cell, COMPILE).ok
        assert not (tmp_path / "out.o").exists()


def test_a_jail_that_stopped_working_is_no_fault_of_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    argv = ("sh", "-c", "echo bwrap: no more user namespaces >&2; exit 1")
    monkeypatch.setitem(jail._WAYS, "bubblewrap", lambda _clang, _cell: argv)
    with pytest.raises(Unavailable, match="no more user namespaces") as caught:
        Jail("bubblewrap", isolates=True).run(cell_in(tmp_path), COMPILE)
    assert caught.value.code == "jail-broken"


@pytest.fixture
def everyones() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_an_ordinary_user_gets_the_same_bytes(isolating: tuple[Jail, ...], everyones: Path) -> None:
    """As root, by becoming another user; an ordinary user has had these bytes in the other tests."""
    clang, found = require_tool("clang-19"), set()
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--") if os.geteuid() == 0 else ()
    ways = {"": (), **{one.name: () for one in isolating if one.name == "bubblewrap"}}
    for name, before in [("root", ()), *((name, user) for name in ways)]:
        place = everyones / f"cell-{name}"
        place.mkdir()
        cell = cell_in(place)
        cell.out.chmod(0o777)
        (cell.inside / "a.c").write_text("struct s { int a; } x; int f(void) { return x.a; }\n")
        jailed = jail._WAYS.get(name, jail._nothing)(clang, cell)
        words = (*before, *jailed, str(clang.path.resolve()), "-g", "-O2", "-fdebug-compilation-dir=.", *COMPILE)
        proc.checked(words, deadline_s=60, cwd=cell.inside)
        found.add((cell.out / "a.o").read_bytes())
    assert len(found) == 1

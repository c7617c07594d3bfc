"""Headers reach a policy whole, bounded and from where they may; nothing else does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schedops.errors import InputError
from schedops.model.policy import PolicySource
from schedops.repository import find_policy, ignored_includes, read_includes, resolve_policy, with_includes
from schedops.schema.files import data_dir

BARE = '#include "{name}"\nstruct sched_ext_ops ops = {{\n\t.name\t= "bare_ops",\n}};\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("scx/common.bpf.h", "scx/inner.h", "lib/deep/own.h", "scx/notes.md", ".hidden/x.h"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"/* {name} */\n")
    return tmp_path


def names(source: PolicySource) -> list[str]:
    return [name for name, _ in source.headers]


def test_every_header_below_with_its_name_and_text(tree: Path) -> None:
    assert read_includes([tree]) == (
        ("lib/deep/own.h", "/* lib/deep/own.h */\n"),
        ("scx/common.bpf.h", "/* scx/common.bpf.h */\n"),
        ("scx/inner.h", "/* scx/inner.h */\n"),
    )


def test_the_first_directory_that_has_a_name_wins(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "scx").mkdir()
    (other / "scx/inner.h").write_text("first\n")
    assert dict(read_includes([other, tree]))["scx/inner.h"] == "first\n"
    assert dict(read_includes([tree, other]))["scx/inner.h"] == "/* scx/inner.h */\n"


def test_the_kernels_types_and_libbpf_are_not_taken_and_that_is_told(tree: Path) -> None:
    for name in ("vmlinux.h", "arch/x86/vmlinux-v6.16.h", "bpf/bpf_helpers.h"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("#error\n")
    assert len(read_includes([tree])) == 3
    assert ignored_includes([tree]) == tuple(
        str(tree / name) for name in ("arch/x86/vmlinux-v6.16.h", "bpf/bpf_helpers.h", "vmlinux.h")
    )


def code(*dirs: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_includes(dirs)
    return caught.value.code


def test_what_cannot_be_an_include_directory(tree: Path) -> None:
    assert code(tree / "nowhere") == "include-missing"
    (tree / "leak.h").symlink_to("/etc/passwd")
    assert code(tree) == "file-outside"


def test_too_many_headers_or_bytes(tree: Path) -> None:
    for number in range(9):
        (tree / f"big{number}.h").write_bytes(b" " * (1 << 20))
    assert code(tree) == "includes-too-many"
    for number in range(9):
        (tree / f"big{number}.h").unlink()
    for number in range(2001):
        (tree / f"n{number}.h").touch()
    assert code(tree) == "includes-too-many"


def test_a_link_to_a_directory_is_not_followed(tree: Path) -> None:
    (tree / "away").symlink_to("/usr/include")
    (tree / "again").symlink_to(tree)
    assert len(read_includes([tree])) == 3


def test_only_what_is_reached_goes_with_the_policy(tree: Path, maker) -> None:
    root = maker.sound()
    (tree / "scx/common.bpf.h").write_text('#include "inner.h"\n#include "../lib/deep/own.h"\n')
    (tree / "unused.h").write_text("\n")
    source = replace(find_policy(root, "one"), text="#include <scx/common.bpf.h>\n", headers=())
    found = with_includes(source, read_includes([tree]))
    assert names(found) == ["lib/deep/own.h", "scx/common.bpf.h", "scx/inner.h"]


def test_headers_of_ours_step_back_when_theirs_are_there(maker, tmp_path: Path) -> None:
    root = maker.sound()
    place = tmp_path / "foreign.bpf.c"
    place.write_text(BARE.format(name="scx/common.bpf.h"))
    ours = resolve_policy(root, str(place), cwd=root)
    shipped = (data_dir("policies") / "include/scx/common.bpf.h").read_text()
    assert dict(ours.headers)["scx/common.bpf.h"] == shipped
    theirs = with_includes(ours, (("scx/common.bpf.h", "theirs\n"),))
    assert [(name, text) for name, text in theirs.headers if name.startswith("scx/")] == [
        ("scx/common.bpf.h", "theirs\n")
    ]
    assert dict(theirs.headers)["own.h"] == "/* nothing */\n"
    assert with_includes(ours, (("lib/other.h", ""),)) == ours


def test_a_policy_that_includes_nothing_of_them_gets_none_of_them(maker) -> None:
    assert names(find_policy(maker.sound(), "one")) == ["own.h"]


def test_headers_beside_the_source_go_with_it(maker, tmp_path: Path) -> None:
    root = maker.sound()
    (tmp_path / "a.bpf.c").write_text(BARE.format(name="my.h"))
    (tmp_path / "my.h").write_text("#include <parts/b.h>\n")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/b.h").write_text('#include "c.h"\n')
    (tmp_path / "parts/c.h").write_text("int c;\n")
    (tmp_path / "other.h").write_text("int other;\n")
    assert names(resolve_policy(root, "./a.bpf.c", cwd=tmp_path)) == ["my.h", "own.h", "parts/b.h", "parts/c.h"]


def test_headers_in_a_policys_directory_go_with_it_and_take_the_librarys_place(maker) -> None:
    root = maker.sound()
    text = (root / "policies/library/one/one.bpf.c").read_text()
    maker.file("library/one/one.bpf.c", '#include "own.h"\n' + text)
    assert dict(find_policy(root, "one").headers) == {"own.h": "/* nothing */\n"}
    maker.file("library/one/own.h", "/* closer */\n")
    assert dict(find_policy(root, "one").headers) == {"own.h": "/* closer */\n"}


@pytest.mark.parametrize("plant", [lambda p: p.symlink_to("/etc/passwd"), lambda p: p.write_bytes(b"\xff\xfe\x00")])
def test_a_header_beside_the_source_that_cannot_be_read_is_said(maker, plant) -> None:
    root = maker.sound()
    text = (root / "policies/library/one/one.bpf.c").read_text()
    maker.file("library/one/one.bpf.c", '#include "mine.h"\n' + text)
    plant(root / "policies/library/one/mine.h")
    with pytest.raises(InputError) as caught:
        find_policy(root, "one")
    assert (caught.value.code, "mine.h" in caught.value.detail) == ("invalid-document", True)
    assert "root:" not in caught.value.detail


def test_includes_that_lead_out_or_around_end(maker, tmp_path: Path) -> None:
    root = maker.sound()
    (tmp_path / "secret.h").write_text("secret\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "a.bpf.c").write_text(BARE.format(name="../secret.h") + '#include "/etc/passwd"\n#include "loop.h"\n')
    (inner / "loop.h").write_text('#include "loop.h"\n#include "../../secret.h"\n')
    assert names(resolve_policy(root, "./a.bpf.c", cwd=inner)) == ["loop.h", "own.h"]

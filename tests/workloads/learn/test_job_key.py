from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.workloads.learn.job_key import key_of_command, key_of_name, key_of_output, plain_word

COMPILE = ("gcc", "-O2", "-I{top}/include", '-DTOP="{top}"', "-c", "{top}/src/{name}.c", "-o", "{name}.o")


def compile_key(top: str, name: str = "a", *, build: str = "build", program: str = "gcc") -> str:
    words = [word.format(top=top, name=name) for word in COMPILE]
    return key_of_command([program, *words[1:]], cwd=f"{top}/{build}", root=top)


@pytest.mark.parametrize("top", ["/home/b/other", "/tmp/x7", "/var/tmp/ci/1234/deep/er", "/r"])
def test_the_key_of_a_compile_job_is_the_same_in_every_checkout(top):
    assert compile_key(top) == compile_key("/home/a/project")


def test_it_is_another_for_every_source_program_and_directory():
    top = "/home/a/project"
    keys = [compile_key(top), compile_key(top, "b"), compile_key(top, program="clang"), compile_key(top, build="b2")]
    assert len(set(keys)) == 4
    assert compile_key(top, program="/usr/bin/gcc") == keys[0]


def test_a_recursive_make_compiles_files_of_one_name_in_several_directories():
    one, two = (key_of_command(["cc", "-c", "main.c"], cwd=f"/p/{sub}", root="/p") for sub in ("one", "two"))
    assert one != two
    # Without a top nobody knows which part of the path is the project's own.
    unknown = {key_of_command(["cc", "-c", "main.c"], cwd=f"/p/{sub}") for sub in ("one", "two")}
    assert len(unknown) == 1
    assert key_of_command(["cc"], cwd="/p", root="/") == key_of_command(["cc"], cwd="/p")
    assert key_of_command(["cc"], cwd="/project/x", root="/p") == key_of_command(["cc"], cwd="/elsewhere")


@pytest.mark.parametrize(
    ("word", "plain"),
    [
        ("/h/a/p/b/x.c", "x.c"),
        ("/h/a/p/b", "."),
        ("/h/a/p/s/x.c", "../s/x.c"),
        ("/h/a/q/x.c", "../../q/x.c"),
        ("-I/h/a/p/b/inc:/h/a/p", "-I./inc:.."),
        ("-Wl,-rpath,/h/a/p/lib,-z", "-Wl,-rpath,../lib,-z"),
        ("cc -I/h/a/p/inc -c x-I/h/a/p", "cc -I../inc -c x-I/h/a/p"),
        ("--prefix=/h/a/p", "--prefix=.."),
        ("/h/a/pp/x.c", "../../pp/x.c"),
        ("sub/h/a/p/b/x.c", "sub/h/a/p/b/x.c"),
        ("/usr/include/x.h", "/usr/include/x.h"),
        ("/tmp/ccXyz1.o", "/tmp/*"),
        ("-plugin-opt=-fresolution=/tmp/cc9.res,-z", "-plugin-opt=-fresolution=/tmp/*,-z"),
        ("@/var/tmp/x/y.rsp", "@/tmp/*"),
        ("src/tmp/x.c", "src/tmp/x.c"),
        ("/tmpx/x.c", "/tmpx/x.c"),
        ("", ""),
    ],
)
def test_what_differs_between_checkouts_is_taken_out(word, plain):
    wanted = plain if not plain.startswith("x.c") else "./x.c"
    assert plain_word(word.encode(), b"/h/a/p/b") == wanted.encode()


def test_a_checkout_below_tmp_is_a_checkout_and_its_neighbours_are_temporary():
    assert plain_word(b"/tmp/t1/p/a.c", b"/tmp/t1/p") == b"./a.c"
    assert plain_word(b"/tmp/t1/a.c", b"/tmp/t1/p") == b"../a.c"
    assert plain_word(b"/tmp/cc1.o", b"/tmp/t1/p") == b"/tmp/*"


def test_keys_of_names_outputs_and_commands_are_of_three_kinds():
    keys = {key_of_name("a"), key_of_output("a"), key_of_command(["a"], cwd="/")}
    assert len(keys) == 3
    assert all(re.fullmatch("[0-9a-f]{16}", key) for key in keys)


WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=5)


@given(WORDS, st.sampled_from(["/", "/a", "/a/b", "/tmp/x"]))
def test_any_command_has_a_key(words, cwd):
    assert re.fullmatch("[0-9a-f]{16}", key_of_command(words, cwd=cwd, root="/a"))


@given(st.lists(st.text("abc/-.", max_size=12), min_size=1, max_size=4), st.text("xyz", min_size=1, max_size=4))
def test_only_the_place_of_the_checkout_changes_nothing(words, top):
    def key(where: str) -> str:
        return key_of_command(["cc", *(f"/{where}/w/{word}" for word in words)], cwd=f"/{where}/w", root=f"/{where}")

    assert key(top) == key("elsewhere")

"""A small C project built for real: what the first build took is known to the second, in another checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from schedops.model.jobs import Hints
from schedops.pipeline.hints import BuildFacts, HistoryFile, learn
from schedops.workloads.learn.launches import launches
from schedops.workloads.learn.table import table_bytes
from tests.host.loader import Loader

DAY = "2026-11-21"
NAMES = ("alpha", "beta", "gamma", "delta")
MAKEFILE = """
app: main.o alpha.o beta.o gamma.o sub/delta.o
\t$(CC) -o $@ $^
%.o: %.c
\t$(CC) -O2 -I$(CURDIR)/include -c -o $@ $<
"""
CMAKE_LISTS = """
cmake_minimum_required(VERSION 3.13)
project(app C)
include_directories(include)
add_executable(app main.c alpha.c beta.c gamma.c sub/delta.c)
"""
NINJA = """
rule cc
  command = $launcher gcc -O2 -I$top/include -c $top/$in -o $out
rule link
  command = $launcher gcc -o $out $in
build main.o: cc main.c
build alpha.o: cc alpha.c
build beta.o: cc beta.c
build gamma.o: cc gamma.c
build sub/delta.o: cc sub/delta.c
build app: link main.o alpha.o beta.o gamma.o sub/delta.o
"""


def checkout(top: Path) -> Path:
    (top / "include").mkdir(parents=True)
    (top / "sub").mkdir()
    (top / ".schedops").mkdir()
    calls = " + ".join(f"{name}(n)" for name in NAMES)
    (top / "include/all.h").write_text("".join(f"int {name}(int n);\n" for name in NAMES))
    (top / "main.c").write_text(f'#include "all.h"\nint main(int n, char **v)\n{{\n\treturn !v || {calls} < 0;\n}}\n')
    for name in NAMES:
        place = top / "sub" if name == "delta" else top
        (place / f"{name}.c").write_text(f'#include "all.h"\nint {name}(int n)\n{{\n\treturn n * {len(name)};\n}}\n')
    (top / "Makefile").write_text(MAKEFILE)
    (top / "CMakeLists.txt").write_text(CMAKE_LISTS)
    return top


def run(*words: object, cwd: Path, **env: str) -> None:
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def with_make(top: Path, launcher: Path, **env: str) -> None:
    run("make", "-j4", f"CC={launcher} gcc", cwd=top, **env)


def with_cmake(top: Path, launcher: Path, **env: str) -> None:
    where = ("-S", top, "-B", top / "build", "-G", "Ninja")
    run("cmake", *where, f"-DCMAKE_C_COMPILER_LAUNCHER={launcher}", f"-DCMAKE_C_LINKER_LAUNCHER={launcher}", cwd=top)
    run("ninja", "-C", top / "build", cwd=top, **env)


def with_a_shell_for_make(top: Path, launcher: Path, **env: str) -> None:
    run("make", "-j4", f"SHELL={launcher}", ".SHELLFLAGS=-- /bin/sh -c", cwd=top, **env)


BUILDS = [with_make, with_a_shell_for_make] + [with_cmake] * bool(shutil.which("cmake") and shutil.which("ninja"))


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.__name__)
def test_the_second_build_finds_what_the_first_one_took(launcher, tmp_path, build):
    first, second = checkout(tmp_path / "first"), checkout(tmp_path / "elsewhere" / "second")
    build(first, launcher)
    log = (first / ".schedops/hints.log").read_bytes()
    measured, broken = launches(log, today="9999-12-31")
    assert (len({one.key for one in measured}), broken) == (6, 0)
    old = Hints(workload="this-project", hints=())
    known = learn(old, [HistoryFile(name="log", data=log, date=DAY)], BuildFacts()).hints
    (second / ".schedops/hints.table").write_bytes(table_bytes(known))
    with Loader(tmp_path / "socket") as loader:
        build(second, launcher, SCHEDOPS_HINT_SOCKET=str(loader.path))
    assert sorted(ns for _, ns in loader.heard) == sorted(hint.cpu_us * 1000 for hint in known.hints)
    again, _ = launches((second / ".schedops/hints.log").read_bytes(), today="9999-12-31")
    assert {one.key for one in again} == {one.key for one in measured}


@pytest.mark.parametrize("with_commands", [True, False])
@pytest.mark.skipif(shutil.which("ninja") is None, reason="ninja is not installed")
def test_the_log_of_ninja_says_the_longest_chains_of_the_next_build(launcher, tmp_path, with_commands):
    top = checkout(tmp_path / "top")
    (top / "build.ninja").write_text(f"launcher = {launcher}\ntop = {top}\n{NINJA}")
    run("ninja", cwd=top)
    said = {
        tool: subprocess.run(["ninja", "-t", tool], cwd=top, capture_output=True, check=True).stdout
        for tool in ("graph", "compdb")
    }
    facts = BuildFacts(graph=said["graph"], commands=said["compdb"] if with_commands else b"", root=str(top))
    old = Hints(workload="this-project", hints=())
    log = HistoryFile(name="log", data=(top / ".ninja_log").read_bytes(), date=DAY)
    known = learn(old, [log], facts).hints
    link = min(known.hints, key=lambda hint: hint.chain_us or 0)
    assert [hint.chain_us == hint.cpu_us + (link.chain_us or 0) for hint in known.hints if hint is not link] == [
        True
    ] * 5
    (top / ".schedops/hints.table").write_bytes(table_bytes(known))
    with Loader(tmp_path / "socket") as loader:
        run("ninja", "-t", "clean", cwd=top)
        run("ninja", cwd=top, SCHEDOPS_HINT_SOCKET=str(loader.path))
    assert sorted(ns for _, ns in loader.heard) == sorted((hint.chain_us or 0) * 1000 for hint in known.hints)

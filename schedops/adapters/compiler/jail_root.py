"""Stands alone: turns fresh namespaces into a root that holds a few files, and becomes the program to run there.

Run by ``unshare``, as the first process of its namespaces, with ``python -I -S``; imports nothing of schedops.
``jail_root.py IN OUT FILE... -- NAME=VALUE... -- PROGRAM WORD...``
"""

from __future__ import annotations

import ctypes
import os
import sys

_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_DETACH = 2  # umount2(2)
_SYS_PIVOT_ROOT = 155  # x86-64
_SET_NO_NEW_PRIVS, _CAPBSET_DROP = 38, 24  # prctl(2)
_libc = ctypes.CDLL(None, use_errno=True)


def main(argv: list[str]) -> None:
    """Never returns: the program runs, or a message says why not and the exit code is 97."""
    split = argv.index("--")
    again = argv.index("--", split + 1)
    inside, out, *files = argv[:split]
    env = dict(word.split("=", 1) for word in argv[split + 1 : again])
    program = argv[again + 1 :]
    try:
        _enter(inside, out, files)
        os.execve(program[0], program, env)  # noqa: S606 - there is no shell in here
    except OSError as error:
        sys.stderr.write(f"jail_root: {error}\n")
        sys.exit(97)


def _enter(inside: str, out: str, files: list[str]) -> None:
    _mount("none", "/", None, _REC | _PRIVATE)
    root = os.path.join(os.path.dirname(out), "root")  # noqa: PTH118, PTH120 - few imports start quickly
    os.makedirs(root, exist_ok=True)  # noqa: PTH103 - there from the run before
    _mount("tmpfs", root, "tmpfs", _NOSUID | _NODEV)
    for file in files:
        _show(file, root + file, _RDONLY | _NOSUID | _NODEV)
    _show(inside, root + "/in", _RDONLY | _NOSUID | _NODEV | _NOEXEC)
    _show(out, root + "/out", _NOSUID | _NODEV | _NOEXEC)
    os.chdir(root)
    _checked(_libc.syscall(_SYS_PIVOT_ROOT, b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", _DETACH), "umount")
    _mount("none", "/", None, _REMOUNT | _RDONLY | _NOSUID | _NODEV)
    os.chdir("/in")
    # From here on nothing can be gained: not even this user namespace's own root may mount anything again.
    _libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for capability in range(64):
        _libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)


def _show(source: str, target: str, flags: int) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
    if os.path.isdir(source):  # noqa: PTH112
        os.mkdir(target)  # noqa: PTH102
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
    _mount(source, target, None, _BIND)
    _mount("none", target, None, _BIND | _REMOUNT | flags)


def _mount(source: str, target: str, kind: str | None, flags: int) -> None:
    words = (source.encode(), target.encode(), kind.encode() if kind else None)
    _checked(_libc.mount(*words, flags, None), f"mount {target}")


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main(sys.argv[1:])

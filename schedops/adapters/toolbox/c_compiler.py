"""The C compiler for programs of our own that run on this machine or in a guest."""

from __future__ import annotations

import shutil

from schedops.errors import Unavailable

_COMPILERS = ("gcc", "clang-19", "cc")


def c_compiler() -> str:
    """Its path. :raises Unavailable: ``tool-missing``."""
    for name in _COMPILERS:
        if path := shutil.which(name):
            return path
    raise Unavailable("tool-missing", "no C compiler (gcc or clang-19) was found", hint="`schedops setup`")

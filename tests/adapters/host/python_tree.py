"""This Python and what some modules import, as an archive for a guest: to run code of ours in there."""

from __future__ import annotations

import json
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from schedops.adapters.vm.cpio import tree_archive

_TELL = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps([m.__file__ for m in list(sys.modules.values()) if getattr(m, "__file__", None)]))
"""
PYTHON = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
ROOT = Path(__file__).parents[3]
_SITE = next(path for path in sys.path if path.endswith(("site-packages", "dist-packages")))
_RUN = "import sys; sys.path[:0] = {paths!r}; exec(compile(open('/test/{script}').read(), '{script}', 'exec'))"


def command(script: str, *words: str) -> tuple[str, ...]:
    """argv that runs a script of ``/test`` in the guest."""
    return str(PYTHON), "-I", "-S", "-c", _RUN.format(paths=[str(ROOT), _SITE], script=script), *words


def python_archive(target: Path, modules: Sequence[str], files: dict[str, bytes]) -> Path:
    """:param modules: importable in the guest, with all that they import. *files*: for ``/test``."""
    tree = target / "tree"
    (tree / "job").mkdir(parents=True)
    (tree / "test").mkdir()
    for name, data in files.items():
        (tree / "test" / name).write_bytes(data)
    sources = _imported(modules)
    for source in sources:
        _take(tree, source)
    for library in _libraries([PYTHON, *(path for path in sources if ".so" in path.suffixes)]):
        _take(tree, library)
    _take(tree, PYTHON)
    data = b"".join(tree_archive(tree, lambda name: True))
    shutil.rmtree(tree)
    archive = target / "archive.cpio"
    archive.write_bytes(data)
    return archive


def _imported(modules: Sequence[str]) -> list[Path]:
    done = subprocess.run(
        [sys.executable, "-c", _TELL, *modules], cwd=ROOT, capture_output=True, text=True, check=True
    )  # fmt: skip
    return [Path(name) for name in json.loads(done.stdout)]


def _libraries(programs: Iterable[Path]) -> set[Path]:
    done = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=True)
    words = (word for line in done.stdout.splitlines() if "=>" in line or "/ld-" in line for word in line.split())
    return {Path(word) for word in words if word.startswith("/") and not word.endswith(":")}


def _take(tree: Path, path: Path) -> None:
    into = tree / path.relative_to("/")
    into.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, into)
    if path.suffix == ".py":
        # An archive has no dates, so what was compiled must not ask for them.
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        cached = into.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
        py_compile.compile(str(path), cfile=str(cached), dfile=str(path), invalidation_mode=mode)

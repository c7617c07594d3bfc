"""The guest's user space: our own C sources, compiled into one static program, packed as an initramfs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from schedops import proc
from schedops.adapters.disk.cachedir import cache_dir, write_whole
from schedops.adapters.disk.staging import staging
from schedops.adapters.toolbox.c_compiler import c_compiler
from schedops.adapters.toolbox.tools import libbpf_archive, libbpf_prefix
from schedops.adapters.vm import cpio
from schedops.errors import Unavailable
from schedops.ports import KernelImage

_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror=implicit", "-Wno-unused-command-line-argument", "-static")
_DIRECTORIES = ("dev", "proc", "sys", "run")


def guest_image() -> Path:
    """The initramfs, built once per content of its sources, libraries and compiler.

    :raises Unavailable: no C compiler, no static libraries, or the cache cannot be written.
    """
    return image_of(guest_sources())


def guest_sources() -> Mapping[str, bytes]:
    """File name -> content of what the package carries."""
    package = files("schedops.guest")
    nodes = sorted(package.iterdir(), key=lambda node: node.name)
    return {node.name: node.read_bytes() for node in nodes if node.name.endswith((".c", ".h"))}


def image_of(sources: Mapping[str, bytes]) -> Path:
    """As :func:`guest_image`, for any sources that make a static ``/init``."""
    program = program_of(sources)
    image = program.with_name("initramfs")
    if not image.exists():
        try:
            write_whole(image, cpio.archive(_DIRECTORIES, {"init": program.read_bytes()}), mode=0o444)
        except OSError as error:
            raise _cannot_write(image, error) from None
    return image


def program_of(sources: Mapping[str, bytes]) -> Path:
    """The static program itself, which runs on a host as well. Raises as :func:`guest_image`."""
    prefix, compiler = libbpf_prefix(), c_compiler()
    library = libbpf_archive(prefix)
    program = cache_dir() / "guest" / _digest(sources, library, compiler) / "init"
    if not program.exists():
        try:
            write_whole(program, _compile(sources, prefix, library, compiler), mode=0o555)
        except OSError as error:
            raise _cannot_write(program, error) from None
    return program


def with_config(image: Path, kernel: KernelImage) -> Path:
    """The initramfs with the kernel's configuration where libbpf looks for it: ``extern bool CONFIG_X __kconfig``.

    A kernel without one leaves the image as it is.
    """
    source = kernel.directory / "config"
    if not source.is_file():
        return image
    config = source.read_bytes()
    target = image.with_name(f"{image.name}-{kernel.kernel.release}-{hashlib.sha256(config).hexdigest()[:8]}")
    if not target.exists():
        # Archives may follow each other.
        more = cpio.archive(("boot",), {f"boot/config-{kernel.kernel.release}": config})
        try:
            write_whole(target, image.read_bytes() + more, mode=0o444)
        except OSError as error:
            raise _cannot_write(target, error) from None
    return target


def with_programs(image: Path, programs: Path) -> Path:
    """The initramfs followed by an archive of programs. ``/init`` and the devices stay ours.

    :raises Unavailable: the cache cannot be written.
    """
    status = programs.stat()
    content = _content(programs.resolve(), status.st_ino, status.st_size, status.st_mtime_ns)
    target = image.with_name(f"{image.name}-{content}")
    if not target.exists():
        try:
            write_whole(target, programs.read_bytes() + image.read_bytes(), mode=0o444)
        except OSError as error:
            raise _cannot_write(target, error) from None
    return target


@lru_cache(maxsize=32)
def _content(path: Path, *_version: int) -> str:
    # An archive is booted many times and is large: read once as long as the file is the same.
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def _digest(sources: Mapping[str, bytes], library: Path, compiler: str) -> str:
    version = proc.checked([compiler, "--version"], deadline_s=20).stdout
    digest = hashlib.sha256(repr((_FLAGS, _DIRECTORIES, version)).encode() + library.read_bytes())
    for name, data in sources.items():
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()[:32]


def _compile(sources: Mapping[str, bytes], prefix: Path, library: Path, compiler: str) -> bytes:
    with staging(cache_dir() / "scratch") as directory:
        for file, data in sources.items():
            (directory / file).write_bytes(data)
        program = directory / "init"
        units = [directory / file for file in sources if file.endswith(".c")]
        # libelf of newer distributions needs zstd; the linker takes from an archive only what is asked for.
        zstd = ["-lzstd"] if _has_archive(compiler, "libzstd.a") else []
        libraries: list[str | Path] = ["-Wl,--start-group", library, "-lelf", "-lz", *zstd, "-Wl,--end-group"]
        command = [compiler, *_FLAGS, "-I", prefix / "include", "-o", program, *units, *libraries]
        proc.checked(command, deadline_s=120)
        return program.read_bytes()


def _has_archive(compiler: str, name: str) -> bool:
    found = proc.checked([compiler, f"-print-file-name={name}"], deadline_s=20).stdout
    return Path(found.decode(errors="replace").strip()).is_absolute()


def _cannot_write(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        "cache-not-writable",
        f"the guest's image could not be written: {error.strerror}",
        where=str(path),
        hint="make room, or point SCHEDOPS_CACHE somewhere writable",
    )

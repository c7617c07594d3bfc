"""wasmtime: one store with the engine and, when there is one, the policy; compiled code from the cache."""

from __future__ import annotations

import functools
import hashlib
import hmac
from pathlib import Path
from threading import Lock
from typing import Any

import wasmtime

from schedops.adapters.disk.cachedir import write_whole

MEMORY_BYTES = 8 << 30  # of the engine; the policy's own limit is in its module
TABLE_ELEMENTS = 1 << 16  # of each table


_one_at_a_time = Lock()


def _machine() -> wasmtime.Engine:
    # The first runs of a batch come at once, and a module of one engine is none of another's.
    with _one_at_a_time:
        return _engine()


@functools.cache
def _engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    config.wasm_memory64 = True
    config.consume_fuel = True
    config.cranelift_opt_level = "speed"
    # A policy may do what the kernel would not let it, but nothing whose outcome depends on this machine.
    config.cranelift_nan_canonicalization = True
    config.wasm_relaxed_simd = False
    config.wasm_threads = False
    return wasmtime.Engine(config)


def compiled(wasm: bytes, cache: Path) -> wasmtime.Module:
    """The module, compiled for this machine; kept by its digest. wasmtime refuses what another version of it made.

    What is kept is machine code, so it is only taken when it is the user's own and whole.
    """
    name = hashlib.sha256(wasm).hexdigest()
    path = cache / "native" / name
    try:
        data = path.read_bytes()
        seal, code = data[:32], data[32:]
        if path.stat().st_uid == path.parent.stat().st_uid and hmac.compare_digest(hashlib.sha256(code).digest(), seal):
            return wasmtime.Module.deserialize(_machine(), code)
    except (OSError, wasmtime.WasmtimeError):
        pass
    module = wasmtime.Module(_machine(), wasm)
    code = bytes(module.serialize())
    write_whole(path, hashlib.sha256(code).digest() + code, mode=0o600, sync=False)
    return module


class Sandbox:
    """A store and one instance in it; :meth:`join` adds another that may call the first."""

    def __init__(self, module: wasmtime.Module) -> None:
        self.store = wasmtime.Store(_machine())
        self.store.set_limits(memory_size=MEMORY_BYTES, table_elements=TABLE_ELEMENTS)
        self.refuel(1 << 40)
        self.exports = wasmtime.Instance(self.store, module, []).exports(self.store)
        self.memory = self._export("memory")
        self.table = self._export("__indirect_function_table")

    def refuel(self, amount: int) -> None:
        """So many instructions may be executed from now on."""
        self.store.set_fuel(amount)

    def call(self, name: str, *arguments: int) -> int:
        """Call an export of the engine. :raises wasmtime.Trap: it, or the policy, trapped."""
        return int(self._export(name)(self.store, *arguments) or 0)

    def function(self, name: str) -> Any:
        """An export of the engine, for another instance; None when there is none."""
        found = self.exports.get(name)
        return found if isinstance(found, wasmtime.Func) else None

    def callable(self, function: Any) -> int:
        """Put a function of another instance into the engine's table: what C takes for a pointer to it."""
        return int(self.table.grow(self.store, 1, function))

    def read(self, address: int, size: int) -> bytes:
        """Out of the engine's memory."""
        return bytes(self.memory.read(self.store, address, address + size))

    def write(self, address: int, data: bytes) -> None:
        """Into the engine's memory."""
        self.memory.write(self.store, data, address)

    def _export(self, name: str) -> Any:
        return self.exports[name]

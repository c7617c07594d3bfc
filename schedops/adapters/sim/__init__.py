"""The simulator's outside: clang, wasmtime and the cache of what they made."""

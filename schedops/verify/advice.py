"""What an author can do about a refusal: pattern in the verifier's or libbpf's words -> advice."""

from __future__ import annotations

import re
from collections.abc import Mapping

# The first that matches wins.
ADVICE: Mapping[str, str] = {
    r"invalid CO-RE relocation|failed to resolve CO-RE|unknown#195896080": (
        "this kernel has no such type, field or enumerator: ask bpf_core_field_exists() or "
        "bpf_core_enum_value_exists() before it is used"
    ),
    r"GPL": 'state a licence the kernel accepts: char _license[] SEC("license") = "GPL"',
    r"map_value_or_null|ptr_\w*or_null|Possibly NULL pointer": "check the pointer for NULL before it is used",
    r"invalid mem access 'scalar'": "this is a number and no pointer: check where it comes from, and for NULL",
    r"min value is negative": "an index may be negative here: make it unsigned, or check that it is >= 0",
    r"variable \S+ access|pointer arithmetic on \S+ prohibited|bitwise operator .* on pointer|pointer \+= pointer": (
        "reckon with numbers and not with this pointer: an index into an array of a map or of .bss is checked, such a "
        "pointer cannot be"
    ),
    r"unbounded memory access|math between .* pointer|invalid access to map value|outside of the (?:allowed|array)": (
        "bound the index visibly before it is used: `if (i >= N) return`"
    ),
    r"rcu_read_unlock is missing|unmatched rcu": "leave every path between the lock and its unlock through the unlock",
    r"spin_lock is missing|while holding a lock|cannot call .* in(?:side)? (?:a )?lock": (
        "between bpf_spin_lock() and bpf_spin_unlock() nothing may be called, and every path must unlock"
    ),
    r"must be referenced or trusted|must be a rcu pointer|trusted or rcu|expected=(?:trusted|rcu|ptr_)\w*": (
        "this pointer may be stale: use the callback's own argument, take a reference (bpf_task_acquire(), "
        "bpf_task_from_pid()), or read it between bpf_rcu_read_lock() and bpf_rcu_read_unlock()"
    ),
    r"!read_ok|invalid (?:indirect )?read from stack|uninitialized": (
        "on some path this is used before it was set: give it a value where it is declared"
    ),
    r"At program exit the register R0|should have been in \[": (
        "return only what this callback may return, on every path"
    ),
    r"invalid bpf_context access|doesn't have \d+-th argument": (
        "the callback takes other arguments on this kernel: compare it with struct sched_ext_ops in its vmlinux.h"
    ),
    r"access beyond struct|access beyond the end of member": (
        "the field lies elsewhere on this kernel: keep preserve_access_index (vmlinux.h has it) or use BPF_CORE_READ()"
    ),
    r"write into map forbidden|cannot change read-only|rdonly": (
        "a `const` variable cannot be written once the policy is loaded; drop `const`, or write it before"
    ),
    r"leaks addr": "a pointer may not be kept as a number: keep the task's pid, or a kptr",
    r"Unreleased reference|unreleased iter|reference leak": "release it on every path, early returns included",
    r"infinite loop detected|back-edge": ("the verifier sees no end of this loop: use bpf_for() with a constant bound"),
    r"combined stack size|stack .* too large|call stack of \d+ frames": (
        "there are 512 bytes of stack for a function and all it calls, eight deep: keep large values in a map"
    ),
    r"too large|too complex|The sequence of \d+ jumps": (
        "less state in loops: bpf_for(), fewer live variables, smaller functions"
    ),
    r"attach to unsupported member|Cannot find member": (
        "this kernel has no such callback, or not in that kind of section (`struct_ops.s/` is for those that may sleep)"
    ),
    r"calling kernel function \S+ is not allowed|cannot call kernel function": (
        "this kfunc may not be called from here: wrong callback, or wrong kernel"
    ),
    r"not found in kernel or module BTFs|wasn't resolved": (
        "this kernel does not have it: declare it __weak and ask bpf_ksym_exists() first"
    ),
    r"func_proto incompatible with vmlinux": (
        "the declaration is not this kernel's: take it from its vmlinux.h; or the kernel's BTF is broken"
    ),
    r"sleepable|might_sleep": (
        'put the callback in a section that fits: "struct_ops.s/" may sleep, "struct_ops/" may not'
    ),
    r"cannot write into|only read is supported": (
        "that field is not the policy's to write; keep state in task storage"
    ),
    r"cannot use helper|unknown func|helper access": "this helper is not for schedulers",
    r"invalid .*stack": "there are 512 bytes of stack: keep large values in a map",
    r"expected an? (?:un)?initialized (?:iter|dynptr)|Dynptr has to be": (
        "an iterator is made by its _new(), used, and ended by its _destroy() on every path; bpf_for_each() does that"
    ),
    r"reference type\('\w+ *'\) size cannot be determined|Caller passes invalid args|arg#\d.*(?:must|expected)": (
        "a global function's pointer arguments are checked without its callers: make the function static, or tag the "
        "argument (__arg_trusted, __arg_nonnull)"
    ),
    r"unreachable insn": "code after an endless loop or an unconditional return: the verifier refuses what never runs",
    r"BTF is required|missing or corrupted|no BTF": "compile with -g, so that the object has BTF",
    r"failed to create|Cannot allocate memory": "a map is larger than the guest's memory allows: lower max_entries",
}


def advice_for(text: str) -> str:
    """Advice for a message; empty when there is none."""
    return next((advice for pattern, advice in ADVICE.items() if re.search(pattern, text)), "")


def known(text: str) -> bool:
    """Is this one of the messages that there is advice for?"""
    return bool(advice_for(text))

"""What an author can do about a refusal: pattern in the verifier's or libbpf's words -> advice."""

from __future__ import annotations

import re
from collections.abc import Mapping

# The first that matches wins.
ADVICE: Mapping[str, str] = {
    r"GPL": 'state a licence the kernel accepts: char _license[] SEC("license") = "GPL"',
    r"map_value_or_null|ptr_\w*or_null|Possibly NULL pointer": "check the pointer for NULL before it is used",
    r"invalid mem access 'scalar'": "this is a number and no pointer: check where it comes from, and for NULL",
    r"unbounded memory access|math between .* pointer|invalid access to map value|outside of the (?:allowed|array)": (
        "bound the index visibly before it is used: `if (i >= N) return`"
    ),
    r"Unreleased reference|reference leak": "release it on every path, early returns included",
    r"infinite loop detected|back-edge": ("the verifier sees no end of this loop: use bpf_for() with a constant bound"),
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
    r"combined stack size|stack .* too large|invalid .*stack": (
        "there are 512 bytes of stack: keep large values in a map"
    ),
}


def advice_for(text: str) -> str:
    """Advice for a message; empty when there is none."""
    return next((advice for pattern, advice in ADVICE.items() if re.search(pattern, text)), "")


def known(text: str) -> bool:
    """Is this one of the messages that there is advice for?"""
    return bool(advice_for(text))

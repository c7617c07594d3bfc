"""Names of kfuncs: what the loader looks for, and what it was called before."""

from __future__ import annotations

# Up to 6.12 | what it is called now; the old names were there until 7.0 or so.
_RENAMED = {
    "scx_bpf_dispatch": "scx_bpf_dsq_insert",
    "scx_bpf_dispatch_vtime": "scx_bpf_dsq_insert_vtime",
    "scx_bpf_consume": "scx_bpf_dsq_move_to_local",
    "scx_bpf_dispatch_from_dsq": "scx_bpf_dsq_move",
    "scx_bpf_dispatch_vtime_from_dsq": "scx_bpf_dsq_move_vtime",
}


def essential(name: str) -> str:
    """What libbpf looks for in the kernel: the name without its last ``___flavour``."""
    return name.rpartition("___")[0] or name


def current(name: str) -> str:
    """Today's name of a kfunc that was renamed."""
    return _RENAMED.get(name, name)

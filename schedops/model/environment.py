"""The environment fingerprint: what else a figure depends on than the scheduler, so that it is compared first."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """The machine at hand, in the kernel's own words; an empty string: it does not say.

    :param cpus: online.
    :param governor: of all CPUs, several joined by a comma; ``none``: nobody scales the frequency here.
    :param smt: ``on``, ``off``, ``forceoff``, ``notsupported`` or ``notimplemented``.
    :param turbo: ``on`` or ``off``.
    :param mitigations: one ``vulnerability: state`` each, sorted.
    :param virtualisation: ``none``, or what it runs on.
    """

    kernel: str
    cpu_model: str
    cpus: int
    governor: str
    smt: str
    turbo: str
    mitigations: tuple[str, ...]
    microcode: str
    virtualisation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where the runs of a comparison ran.

    :param kernel: release of the kernel that scheduled; in a micro-VM that of the guest.
    :param cpus: that it had.
    :param accelerator: kvm | tcg-multi | tcg-single; ``none`` without an emulator.
    :param qemu: version; empty without an emulator.
    """

    kernel: str
    cpus: int
    accelerator: str
    qemu: str
    host: HostFacts


def differences(first: Environment, second: Environment) -> tuple[str, ...]:
    """What differs, a line each; empty when figures of the two may be compared. Unknown on both sides is the same."""
    own = [
        _line(name, getattr(first, name), getattr(second, name)) for name in ("kernel", "cpus", "accelerator", "qemu")
    ]
    hosts = [
        _line(f"host {field.name.replace('_', ' ')}", getattr(first.host, field.name), getattr(second.host, field.name))
        for field in fields(HostFacts)
    ]
    return tuple(line for line in (*own, *hosts) if line)


def _line(name: str, first: object, second: object) -> str:
    if first == second:
        return ""
    if isinstance(first, tuple) and isinstance(second, tuple):
        first = "; ".join(one for one in first if one not in second)
        second = "; ".join(one for one in second if one not in first)
    return f"{name}: {_shown(first)} and {_shown(second)}"


def _shown(value: object) -> str:
    return "not known" if value == "" else str(value)

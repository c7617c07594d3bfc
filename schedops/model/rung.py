"""Where figures come from. A figure of one rung says nothing about one of another, so they are never compared."""

from __future__ import annotations

SIMULATED = "simulated"
MICRO_VM = "micro-vm"
VIRTUAL_HOST = "virtual-host"
BARE_METAL = "bare-metal"
MEASURED = (MICRO_VM, VIRTUAL_HOST, BARE_METAL)
RUNGS = (SIMULATED, *MEASURED)  # each costs more than the one before it, and proves more
WORDS = {
    SIMULATED: "simulated, not measured",
    MICRO_VM: "measured on a real kernel in a micro-VM",
    VIRTUAL_HOST: "measured on this machine's own kernel, and the machine is virtual",
    BARE_METAL: "measured on the runner's own hardware",
}

"""Before a policy is let onto a machine that is no micro-VM: it has passed on this very kernel in one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from schedops.errors import Unavailable
from schedops.model.policy import ParamValue, PolicySource
from schedops.model.verdict import Verdict
from schedops.model.verification import BuiltObject
from schedops.pipeline.measure import stop_unless_verified
from schedops.pipeline.verification import verify_policy
from schedops.ports import KernelImage, World
from schedops.verify import kept
from schedops.verify.object.identity import behaviour_digest
from schedops.verify.stage import CPUS
from schedops.verify.stages import IN_GUESTS, QUICK, STATIC, on_kernel

# Of a whole verification, on the last of its kernels and on the others; of a quick one.
_ASKED = (IN_GUESTS, on_kernel(IN_GUESTS, last=False), tuple(stage for stage in QUICK if stage in IN_GUESTS))


def require_proved(
    joined: World, source: PolicySource, params: Sequence[ParamValue], built: BuiltObject, image: KernelImage
) -> None:
    """Rules on its text and its object are asked now; what guests said must be there from an earlier verification.

    :param joined: with the machines that verifications use.
    :param built: for *image*, the kernel that is to run it; kernels are the same when their BTF is.
    :raises Unavailable: ``not-verified``: nobody has verified it there, with the commands that do.
    :raises Refused: ``not-verified``: it did not pass.
    """
    stored = joined.kernels.find(image.kernel.btf_sha256)
    release, name = image.kernel.release, source.policy.name
    if stored is None:
        hint = f"schedops kernel add /boot/vmlinuz-{release}, then schedops verify {name} --kernel {release}"
        raise _not_verified(name, f"this host's kernel ({release}) is not in the kernel store", hint)
    stop_unless_verified(verify_policy(joined, source, params=params, images=(stored,), stages=STATIC))
    if not _passed(joined, source, built, stored):
        chosen = "".join(f" --param {param.name}={param.value}" for param in params)
        hint = f"schedops verify {name} --kernel {stored.kernel.name}{chosen}   (as the same user: root)"
        raise _not_verified(name, f"there is no PASS of it on {release} with this BTF", hint)


def _passed(joined: World, source: PolicySource, built: BuiltObject, stored: KernelImage) -> bool:
    behaviour = kept.quietly(partial(behaviour_digest, built.elf))
    if behaviour is None or joined.verdicts is None:
        return False
    emulator = joined.machines.accelerator()
    tools = (emulator.name, emulator.qemu_version)
    for asked in _ASKED:
        keys = kept.guest_keys(source, behaviour, stored, stages=asked, cpus=CPUS, tools=tools)
        checks = kept.find_guests(joined.verdicts, keys) or ()
        if set(asked) <= {check.stage for check in checks} and all(check.verdict is Verdict.PASS for check in checks):
            return True
    return False


def _not_verified(name: str, why: str, hint: str) -> Unavailable:
    text = f"{name} may not run on this machine itself: {why}; it could hang it"
    return Unavailable("not-verified", text, hint=hint)

"""The rooms' static rules, played: what they find is said by the test."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from schedops.errors import InputError
from schedops.model.kernel import KernelApi
from schedops.model.verification import Finding
from schedops.ports import KernelImage
from schedops.verify import kernel


class BadObject(ValueError):
    pass


@dataclass
class Rules:
    """:param on_object: findings by the name of the kernel; an exception is raised by whoever reads the object.

    :param digest_of_text: behaviour digests by the object's bytes; by default the bytes' own.
    """

    on_source: tuple[Finding, ...] = ()
    on_object: dict[str, tuple[Finding, ...] | Exception] = field(default_factory=dict)
    between: tuple[Finding, ...] = ()
    ops_name: str = "from_the_object"
    same_behaviour: bool = False
    calls: list[str] = field(default_factory=list)

    def check_source(self, source):
        self.calls.append("source")
        return self.on_source

    def inspect(self, elf):
        for name, found in self.on_object.items():
            if isinstance(found, Exception) and elf.endswith(name.encode()):
                raise found
        return SimpleNamespace(elf=elf, ops_name=self.ops_name, callbacks=())

    def check_object(self, facts, policy, api):
        self.calls.append(f"object {api.btf_sha256[:1]}")
        found = [given for name, given in self.on_object.items() if facts.elf.endswith(name.encode())]
        return found[0] if found else ()

    def differences(self, objects):
        self.calls.append(f"between {len(objects)}")
        return self.between

    def behaviour_digest(self, elf):
        return "same" if self.same_behaviour else hashlib.sha256(elf).hexdigest()

    def install(self, patch: pytest.MonkeyPatch) -> None:
        check = SimpleNamespace(check_object=self.check_object, RULES=(1, 2, 3))
        modules = {
            "source": SimpleNamespace(__path__=[]),
            "source.check": SimpleNamespace(check_source=self.check_source),
            "source.rules": SimpleNamespace(RULES=(1, 2)),
            "object": SimpleNamespace(__path__=[], check=check),
            "object.check": check,
            "object.elf": SimpleNamespace(inspect=self.inspect, BadObject=BadObject),
            "object.differ": SimpleNamespace(differences=self.differences),
            "object.identity": SimpleNamespace(behaviour_digest=self.behaviour_digest),
        }
        for name, module in modules.items():
            patch.setitem(sys.modules, f"schedops.verify.{name}", module)
        patch.setattr(kernel, "inspect", self.inspect)


@dataclass
class Kernels:
    """Reads every kernel's interface but that of *unreadable*."""

    unreadable: str = ""

    def api(self, image: KernelImage) -> KernelApi:
        if image.kernel.name == self.unreadable:
            raise InputError("bad-btf", "its BTF cannot be read", hint="schedops kernel fetch")
        return KernelApi(btf_sha256=image.kernel.btf_sha256, kfuncs=(), ops_members=(), enums=())

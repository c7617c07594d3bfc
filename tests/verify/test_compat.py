"""What the compiler says of one kernel's header, told as what that kernel lacks and another has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.kernel import KernelApi, Kfunc
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, Finding
from schedops.ports import KernelImage
from schedops.verify.compat import told
from schedops.verify.static import Static
from tests.fakes.guest import IMAGE

OLD = replace(IMAGE, kernel=replace(IMAGE.kernel, name="6.16", btf_sha256="a" * 64))
NEW = replace(IMAGE, kernel=replace(IMAGE.kernel, name="7.3", btf_sha256="b" * 64))
BOTH = (Kfunc(name="scx_bpf_now", params=(), returns="u64"),)
PEEK = Kfunc(name="scx_bpf_dsq_peek", params=("u64",), returns="struct task_struct *")


class Apis:
    def api(self, image: KernelImage) -> KernelApi:
        new = image is NEW
        return KernelApi(
            btf_sha256=image.kernel.btf_sha256,
            kfuncs=(*BOTH, *((PEEK,) if new else ())),
            ops_members=("enqueue", *(("cgroup_set_idle",) if new else ())),
            enums=(("SCX_OPS_ENQ_LAST", 2), *((("SCX_OPS_ALWAYS_ENQ_IMMED", 128),) if new else ())),
        )


def failed(image: KernelImage, text: str) -> Static:
    finding = Finding(rule="COMPILE-ERROR", level="error", text=text)
    check = Check(
        stage="compile", kernel=image.kernel.name, verdict=Verdict.FAIL, text=text, seconds=0.1, findings=(finding,)
    )
    return Static(image, (check,))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("field designator 'cgroup_set_idle' does not refer to any field in type 'struct sched_ext_ops'", "COMPAT-OP"),
        ("use of undeclared identifier 'SCX_OPS_ALWAYS_ENQ_IMMED'", "COMPAT-FLAG"),
        ("call to undeclared function 'scx_bpf_dsq_peek'; ISO C99 and later do not support it", "COMPAT-KFUNC"),
    ],
)
def test_what_another_kernel_has_is_told_as_compatibility(text: str, rule: str) -> None:
    first, second = told([failed(OLD, text), Static(NEW, ())], Apis())
    (check,) = first.checks
    assert (check.verdict, check.findings[0].rule, check.findings[0].level) == (Verdict.FAIL, rule, "error")
    assert "6.16" in check.text
    assert "7.3 has it" in check.text
    assert second.checks == ()


@pytest.mark.parametrize("text", ["use of undeclared identifier 'SCX_NO_SUCH'", "expected ';' after expression"])
def test_what_no_kernel_has_stays_a_mistake(text: str) -> None:
    objects = [failed(OLD, text), failed(NEW, text)]
    assert told(objects, Apis()) == objects


def test_a_kernel_that_has_it_is_not_said_to_lack_it() -> None:
    text = "use of undeclared identifier 'SCX_OPS_ALWAYS_ENQ_IMMED'"
    assert told([Static(OLD, ()), failed(NEW, text)], Apis())[1].checks[0].findings[0].rule == "COMPILE-ERROR"

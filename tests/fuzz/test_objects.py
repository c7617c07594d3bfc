"""Object rules read anything without a fault, and a wounded object is refused in words or judged."""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fuzzing.making import fuzzed_object
from benchmarks.labels import read_labels
from schedops.adapters.compiler.clang import Clang
from schedops.adapters.kernel.kernels import KernelStore
from schedops.model.verification import BuiltObject
from schedops.ports import KernelImage
from schedops.verify.object.check import check_object
from schedops.verify.object.differ import differences
from schedops.verify.object.elf import BadObject, inspect
from schedops.verify.object.identity import behaviour_digest
from schedops.verify.object.patch import with_timeout

NAMES = ("corpus/params", "corpus/minimal", "corpus2/timer_preempt")
LABELS = {label.name: label for label in read_labels()}


@given(st.binary(max_size=300))
def test_any_bytes_are_no_object(data: bytes) -> None:
    with pytest.raises(BadObject, match=r"\S"):
        inspect(data)


@pytest.mark.vm  # for the kernel's types; nothing is booted
def test_a_wounded_object(kernels: tuple[KernelImage, ...]) -> None:
    image = kernels[-1]
    api = KernelStore().api(image)
    built = [Clang().build(LABELS[name].source(), (), image) for name in NAMES]
    elves = [one.elf for one in built if isinstance(one, BuiltObject)]
    assert len(elves) == len(NAMES)
    policy = LABELS[NAMES[0]].source().policy
    read = []

    @settings(max_examples=60)
    @given(st.integers(min_value=0))
    def judged_or_refused(seed: int) -> None:
        data = fuzzed_object(random.Random(seed), elves)
        with contextlib.suppress(BadObject):
            facts = inspect(data)
            check_object(facts, policy, api)
            differences({"one": facts, "other": facts})
            behaviour_digest(data)
            with_timeout(data, 3000)
            read.append(seed)

    judged_or_refused()
    assert read, "not one of them was read: then the rules were not tried"

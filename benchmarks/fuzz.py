"""Fuzzed sources and objects through the static stages, and some through the compiler and a guest.

    python benchmarks/fuzz.py [--static N] [--guest N] [--seed S] [--from I] [--keep DIR]

The bar: 10,000 through the static stages (half sources, half objects) and 300 through compile and load: no traceback,
no file written outside, no time-out missed. What breaks is kept in DIR with the number that makes it again.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fuzzing.guests import Bed
from fuzzing.making import fuzzed_object, fuzzed_source
from fuzzing.watch import Watch, told
from labels import read_labels
from measuring import show

from schedops.adapters.compiler.clang import Clang
from schedops.adapters.kernel.kernels import KernelStore
from schedops.model.kernel import KernelApi
from schedops.model.policy import PolicySource
from schedops.model.verification import BuiltObject
from schedops.repository import load_policies
from schedops.verify.object.check import check_object
from schedops.verify.object.differ import differences
from schedops.verify.object.elf import BadObject, inspect
from schedops.verify.object.identity import behaviour_digest
from schedops.verify.object.patch import with_timeout
from schedops.verify.source.check import check_source

ROOT = Path(__file__).parent.parent
SECONDS = 5.0  # generous: a busy host; the slowest is printed
SHOWN = 10


@dataclass(slots=True)
class Broken:
    """What broke, by what it said, each with the inputs that do it."""

    keep: Path
    kinds: Counter[str] = field(default_factory=Counter)

    def note(self, name: str, data: bytes, wrong: str) -> None:
        """Keep the first few of each kind."""
        kind = wrong.strip().splitlines()[-1][:160]
        self.kinds[kind] += 1
        if self.kinds[kind] <= 3:
            self.keep.mkdir(parents=True, exist_ok=True)
            (self.keep / name).write_bytes(data)
            (self.keep / f"{name}.txt").write_text(wrong, "utf-8", "replace")
            print(f"{name}: {kind}", file=sys.stderr, flush=True)


def main(words: Sequence[str] | None = None) -> int:
    asked = _asked(words)
    started = time.monotonic()
    broken = Broken(asked.keep)
    slowest = _static(asked, broken)
    guest = Bed(KernelStore().list()[-1]).run(asked.guest, asked.seed, broken.note) if asked.guest else {}
    data = {
        "seed": asked.seed,
        "static": asked.static,
        "slowest_ms": round(1000 * slowest),
        "guest": guest,
        "broken": dict(broken.kinds),
        "seconds": round(time.monotonic() - started, 1),
    }
    rows = [[str(count), kind.replace("|", "/")] for kind, count in broken.kinds.most_common(SHOWN)]
    show(["times", "what broke"], rows or [["0", "nothing"]], data)
    return 1 if broken.kinds else 0


def _static(asked: argparse.Namespace, broken: Broken) -> float:
    sources = [one.source() for one in read_labels()] + list(load_policies(ROOT))
    texts = [one.text for one in sources]
    elves, api = _objects(sources) if asked.static else ([], None)
    watch = Watch()
    slowest = 0.0
    for number in range(asked.first, asked.first + asked.static):
        chance = random.Random(f"{asked.seed}/{number}")
        base = sources[number % len(sources)]
        with watch():
            if number % 2:
                data = fuzzed_object(chance, elves)
                wrong, took = told(lambda d=data, b=base: _object(d, b, api), (BadObject,), SECONDS)  # type: ignore[misc]
            else:
                text = fuzzed_source(chance, texts)
                data = text.encode("utf-8", "replace")
                source = replace(base, text=text)
                wrong, took = told(lambda s=source: check_source(s), (), SECONDS)  # type: ignore[misc]
        slowest = max(slowest, took)
        wrong = wrong or "; ".join(watch.touched)
        watch.touched.clear()
        if wrong:
            broken.note(f"{asked.seed}-{number}" + (".o" if number % 2 else ".c"), data, wrong)
    return slowest


def _object(data: bytes, source: PolicySource, api: KernelApi | None) -> None:
    """Everything that is done to an object without running it."""
    facts = inspect(data)
    check_object(facts, source.policy, api)
    differences({"a": facts, "b": facts})
    behaviour_digest(data)
    with_timeout(data, 3000)


def _objects(sources: Sequence[PolicySource]) -> tuple[list[bytes], KernelApi]:
    """Objects of good and bad policies alike."""
    store = KernelStore()
    image = store.list()[-1]
    built = [Clang().build(source, (), image) for source in sources[::4]]
    return [one.elf for one in built if isinstance(one, BuiltObject)], store.api(image)


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fuzzed policies through the verifier's stages")
    parser.add_argument("--static", type=int, default=10_000, help="inputs for the static stages")
    parser.add_argument("--guest", type=int, default=300, help="inputs for compile and load")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--from", type=int, default=0, dest="first", help="number of the first static input")
    parser.add_argument("--keep", type=Path, default=ROOT / ".schedops/fuzz", help="folder for what breaks")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())

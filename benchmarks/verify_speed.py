"""How long `schedops verify` takes, as a user waits for it: the whole process, guests frozen, objects not compiled yet.

    python benchmarks/verify_speed.py [--policy NAME] [--times N] [--kernels K...] [--skip-four]

The best of N runs counts: what another process took from a run is no property of the program.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess  # noqa: TID251 - runs the command as a user does
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from measuring import ROOT, show

from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.kernel.kernels import KernelStore


@dataclass(frozen=True, slots=True)
class Bar:
    """:param words: after ``schedops verify POLICY``. :param anew: the object is compiled and everything is asked."""

    name: str
    words: tuple[str, ...]
    limit_s: float
    anew: bool = True


def main(words: Sequence[str] | None = None) -> int:
    asked = _asked(words)
    names = asked.kernels or _spread([image.kernel.name for image in KernelStore().list()])
    ends = _kernels(names[0], names[-1])
    bars = [
        Bar("static, compiled before", ("--static", "--no-cache", *ends), 0.5, anew=False),
        Bar("compile, load, in charge", ("--stage", "enable", *_kernels(names[-1])), 2.0),
        Bar("--quick, two kernels", ("--quick", *ends), 6.0),
        Bar("cached", ("--quick", *ends), 0.5, anew=False),
        Bar("--full, one kernel", ("--full", *_kernels(names[-1])), 40.0),
    ]
    if not asked.skip_four and len(names) > 3:
        bars.append(Bar("--full, four kernels", ("--full", *_kernels(*names[:4])), 100.0))
    with tempfile.TemporaryDirectory(dir=cache_dir().parent) as place:
        run = _runner(Path(place), asked.policy)
        run(("--stage", "load", *_kernels(*names[:4])), anew=True)  # the guests are frozen, the types dumped
        rows, data, missed = [], {}, False
        for bar in bars:
            times = [run(bar.words, anew=bar.anew) for _ in range(asked.times)]
            best = min(seconds for seconds, _ in times)
            codes = sorted({code for _, code in times})
            good = best <= bar.limit_s and codes == [0]
            missed |= not good
            shown = ", ".join(f"{seconds:.2f}" for seconds, _ in times)
            rows.append([bar.name, f"{bar.limit_s:g}", f"{best:.2f}", shown, "yes" if good else f"NO (exit {codes})"])
            data[bar.name] = best
    load = f"{os.getloadavg()[0]:.1f}"
    show(["what", "at most, s", "best, s", "all, s", f"met (load {load})"], rows, data)
    return 1 if missed else 0


def _runner(place: Path, policy: str) -> Callable[..., tuple[float, int]]:
    """Runs with a cache of its own, but this machine's tools and kernels; a changed comment makes a source new."""
    for part in ("tools", "kernels"):
        (place / part).symlink_to(cache_dir() / part)
    library = ROOT / "policies"
    copy = place / "tree" / "policies"
    shutil.copytree(library, copy)
    (source,) = (copy / "library" / policy).glob("*.bpf.c")
    text = source.read_text(encoding="utf-8")
    count = 0

    def run(words: Sequence[str], *, anew: bool) -> tuple[float, int]:
        nonlocal count
        if anew:
            count += 1
            # A constant, so that not even what the object does is known.
            changed = re.sub(r"(\.timeout_ms\s*=\s*)5000", rf"\g<1>{5000 - count}", text)
            source.write_text(changed, encoding="utf-8")
        argv = [sys.executable, "-m", "schedops", "verify", policy, *words]
        env = {**os.environ, "SCHEDOPS_CACHE": str(place), "PYTHONPATH": str(ROOT)}
        started = time.monotonic()
        done = subprocess.run(argv, cwd=copy.parent, env=env, capture_output=True, check=False)
        return time.monotonic() - started, done.returncode

    return run


def _spread(names: Sequence[str]) -> list[str]:
    """The first, the last and what lies between, the ends kept."""
    return list(names) if len(names) < 5 else [names[0], names[len(names) // 3], names[2 * len(names) // 3], names[-1]]


def _kernels(*names: str) -> tuple[str, ...]:
    return tuple(word for name in dict.fromkeys(names) for word in ("--kernel", name))


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", default="fifo")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--kernels", nargs="+", help="names in the store; default: four of them, the ends among them")
    parser.add_argument("--skip-four", action="store_true", help="not the one with four kernels")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())

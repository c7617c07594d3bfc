"""Every policy of the library on every good kernel on offer, through the real command; writes docs/matrix.md.

    python benchmarks/matrix.py [--policy NAME...] [--kernel K...] [--quick] [--no-fetch] [--to FILE]

Without --kernel the archive is asked what it offers, and of each series (6.16, 6.17, ...) the newest kernel that
policies can run on is fetched. Exits with 1 when anything is not PASS.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess  # noqa: TID251 - runs the command as a user does
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_WORST = ("FAIL", "ERROR", "INCONCLUSIVE", "PASS")


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one policy.

    :param cells: by kernel: verdict and seconds of its stages; no entry where nothing was run.
    :param problems: what did not pass, one line each.
    """

    policy: str
    verdict: str
    seconds: float
    cells: dict[str, tuple[str, float]]
    problems: tuple[str, ...]


def main(words: Sequence[str] | None = None) -> int:
    asked = _asked(words)
    if not asked.no_fetch and not asked.kernel:
        for series in _series():
            _schedops("kernel", "fetch", series)  # one that has only broken kernels says so in the list
    listed = _schedops("kernel", "list")["data"]
    kernels = asked.kernel or [one["name"] for one in listed["kernels"] if one["source"] == "debian"]
    policies = asked.policy or [one["name"] for one in _schedops("library", "list")["data"]["policies"]]
    depth = "quick" if asked.quick else "full"
    started = time.monotonic()
    rows = [_verified(policy, kernels, depth) for policy in policies]
    page = _page(rows, kernels, listed["broken"], depth, time.monotonic() - started)
    asked.to.parent.mkdir(exist_ok=True)
    asked.to.write_text(page, encoding="utf-8")
    print(page)
    return 0 if all(row.verdict == "PASS" for row in rows) else 1


def _verified(policy: str, kernels: Sequence[str], depth: str) -> Row:
    chosen = [word for kernel in kernels for word in ("--kernel", kernel)]
    started = time.monotonic()
    done = _schedops("verify", policy, *chosen, f"--{depth}", "--keep-going", "--no-cache")
    seconds = time.monotonic() - started
    report = done["data"]
    if report is None:
        problems = tuple(f"{error['code']}: {error['message']}" for error in done["errors"])
        return Row(policy, "ERROR", seconds, {}, problems)
    cells = {kernel: _cell(report["checks"], kernel) for kernel in kernels}
    problems = tuple(_words(check) for check in report["checks"] if check["verdict"] != "PASS")
    return Row(policy, report["verdict"], seconds, {k: cell for k, cell in cells.items() if cell}, problems)


def _cell(checks: Sequence[dict[str, Any]], kernel: str) -> tuple[str, float] | None:
    mine = [check for check in checks if check["kernel"] == kernel]
    if not mine:
        return None
    verdicts = {check["verdict"] for check in mine}
    return next(verdict for verdict in _WORST if verdict in verdicts), sum(check["seconds"] for check in mine)


def _words(check: dict[str, Any]) -> str:
    where = f" on {check['kernel']}" if check["kernel"] else ""
    return f"{check['verdict']} {check['stage']}{where}: {check['text']}"


def _page(
    rows: Sequence[Row], kernels: Sequence[str], broken: Sequence[dict[str, str]], depth: str, seconds: float
) -> str:
    today = f"{datetime.now(tz=UTC):%Y-%m-%d}"  # noqa: TID251 - the day the table is of
    asked = f"`schedops verify POLICY --{depth}` on {len(kernels)} kernels, {seconds:.0f} s in all"
    lines = [
        "# The library on every good kernel on offer",
        "",
        f"Made by `make matrix` on {today}: {asked}. Seconds are those of the stages on that kernel.",
        f"{_tools()}; {len(os.sched_getaffinity(0))} CPUs.",
        "",
        _line(["policy", *(kernel.removesuffix("-cloud-amd64") for kernel in kernels), "all", "seconds"]),
        _line(["---"] * (len(kernels) + 3)),
        *(_line(_texts(row, kernels)) for row in rows),
    ]
    problems = [f"- {row.policy}: {_plain(problem)}" for row in rows for problem in row.problems]
    lines += ["", "What did not pass:", "", *problems] if problems else []
    newest = {".".join(one["release"].split(".")[:2]): one for one in reversed(broken)}
    if newest:
        lines += ["", "Kernels that the archive offers and no policy can run on:", ""]
        lines += [f"- {_plain(one['reason'])}" for one in newest.values()]
    return "\n".join(lines) + "\n"


def _texts(row: Row, kernels: Sequence[str]) -> list[str]:
    cells = [
        f"{row.cells[kernel][0]} {row.cells[kernel][1]:.0f} s" if kernel in row.cells else "-" for kernel in kernels
    ]
    return [f"`{row.policy}`", *cells, row.verdict, f"{row.seconds:.0f}"]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).replace("|", "\\|").replace("<", "&lt;")[:400]


def _tools() -> str:
    findings = {one["name"]: one["found"] for one in _schedops("doctor")["data"]["findings"]}
    version = _run("--version").stdout.split()[-1]
    names = {"QEMU": "qemu-system-x86_64", "clang": "clang-19", "bpftool": "bpftool", "libbpf": "libbpf"}
    tools = [f"{name} {findings.get(tool, '?')}" for name, tool in names.items()]
    return ", ".join([f"schedops {version}", *tools, findings.get("accelerator", "")]).rstrip(", ")


def _series() -> list[str]:
    offers = _schedops("kernel", "list", "--available")["data"]["available"]
    series = {tuple(int(part) for part in offer["release"].split(".")[:2]) for offer in offers}
    return [f"{major}.{minor}" for major, minor in sorted(series)]


def _schedops(*words: str) -> dict[str, Any]:
    done = _run(*words, "--output", "json")
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        sys.exit(f"schedops {' '.join(words)} exited with {done.returncode} and no answer")
    return answer


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "schedops", *words]
    return subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", nargs="+", help="default: the whole library")
    parser.add_argument("--kernel", nargs="+", help="names in the store; default: all that the archive offers")
    parser.add_argument("--quick", action="store_true", help="the quick stages instead of all")
    parser.add_argument("--no-fetch", action="store_true", help="what is in the store is all")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "matrix.md")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())

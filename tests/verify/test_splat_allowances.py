"""Known splats: each with a reason, a link and an end; past its end an entry is an error."""

from __future__ import annotations

import datetime as dt

from schedops.verify.kernel_log import splats
from schedops.verify.splat_allowances import ALLOWED, Allowance, problems

KNOWN = Allowance(
    pattern=r"WARNING: .* at kernel/sched/ext\.c:1234 ",
    reason="a counter that is read without its lock",
    link="https://lore.kernel.org/all/1",
    until="2027-03-31",
    kernels=("6.16.",),
)
LINE = "WARNING: CPU: 1 PID: 77 at kernel/sched/ext.c:1234 do_enqueue_task+0x1/0x2"
OTHER = "WARNING: CPU: 1 PID: 77 at kernel/sched/ext.c:99 do_enqueue_task+0x1/0x2"


def test_the_list_is_in_order_today() -> None:
    assert problems(ALLOWED, today=dt.datetime.now(tz=dt.UTC).date().isoformat()) == ()


def test_an_expired_or_careless_entry_is_an_error() -> None:
    assert problems([KNOWN], today="2027-03-31") == ()
    assert problems([KNOWN], today="2027-04-01T00:00:00Z") == (f"{KNOWN.pattern}: past its date, 2027-03-31",)
    careless = Allowance(pattern=".*", reason="noise", link="", until="soon")
    assert len(problems([careless], today="2026-01-01")) == 4


def test_what_is_allowed_is_left_out_where_and_while_it_is() -> None:
    def found(*, release: str = "6.16.12", today: str = "2027-01-01T00:00:00Z") -> tuple[str, ...]:
        return splats(f"{LINE}\n{OTHER}\n", release=release, today=today, allowed=[KNOWN])

    assert found() == (OTHER,)
    assert found(today="") == (OTHER,)
    assert found(release="6.17.1") == (LINE, OTHER)
    assert found(today="2027-04-01") == (LINE, OTHER)

"""build-order on ci-builds, held to its bars.

python benchmarks/build_order.py --busy 2
"""

from __future__ import annotations

import sys

from bars import Bar, arguments, hold

BARS = (
    Bar("mean_build_time_per_floor", "eevdf", -0.18, -0.05),
    Bar("mean_build_time_per_floor", "informed", -0.12, -0.05),
    Bar("all_done_per_floor", "eevdf", 0.06),
)

if __name__ == "__main__":
    sys.exit(hold(arguments(__doc__ or "", workload="ci-builds", rounds=10), "build-order", BARS))

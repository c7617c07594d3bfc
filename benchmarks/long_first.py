"""long-first on uneven-batch, held to its bars.

python benchmarks/long_first.py --busy 2
"""

from __future__ import annotations

import sys

from bars import Bar, arguments, hold

BARS = (
    Bar("makespan_per_floor", "eevdf", -0.15),
    Bar("mean_completion_per_floor", "informed", -0.20),
)

if __name__ == "__main__":
    sys.exit(hold(arguments(__doc__ or "", workload="uneven-batch", rounds=10), "long-first", BARS))

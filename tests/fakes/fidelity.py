"""Runs of the benchmark of fidelity: one figure of one workload, EEVDF at 0.5, policies by their ratio to it."""

from __future__ import annotations

WORKLOAD, FIGURE = "nice-hogs", "share@heavy"


def runs(*, rounds: int = 8, noise: float = 0.0, **ratios: float) -> dict[str, dict[int, dict[str, dict[str, float]]]]:
    """:param noise: ratios are so much larger and smaller in turn. The second EEVDF is 1 % above the first."""
    found = {}
    for number in range(rounds):
        wrong = 1 + (noise if number % 2 else -noise)
        arms = {"eevdf": 0.5, "eevdf again": 0.505, **{arm: 0.5 * ratio * wrong for arm, ratio in ratios.items()}}
        found[number] = {arm: {FIGURE: value, "utilisation": 0.9, "loop_ns": 5.0} for arm, value in arms.items()}
    return {WORKLOAD: found}


def simulated(**ratios: float) -> dict[str, dict[int, dict[str, dict[str, float]]]]:
    """As :func:`runs`, with EEVDF once."""
    found = runs(**ratios)
    for arms in found[WORKLOAD].values():
        del arms["eevdf again"]
    return found

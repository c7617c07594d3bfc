"""A profile as people read it."""

from __future__ import annotations

from schedops.model.jobs import Hints
from schedops.model.profile import Profile
from schedops.report.table import paragraph, table

_QUANTILES = ("min", "25 %", "50 %", "75 %", "95 %", "max")


def profile_page(profile: Profile, hints: Hints) -> str:
    """Classes with the figures that decided them, all figures, the distribution of the jobs' CPU times."""
    head = (
        f"{profile.workload} on {profile.kernel}, {profile.cpus} CPUs, seed {profile.seed}, {profile.accelerator}, "
        "under the default scheduler"
    )
    classes = [(found.name, found.because) for found in profile.classes]
    figures = [(one.name, number(one.value), one.unit, one.how) for one in profile.figures]
    spread = ", ".join(
        f"{name} {number(ms)}" for name, ms in zip(_QUANTILES, profile.cpu_ms_quantiles, strict=False)
    )  # fmt: skip
    return "\n\n".join(
        [
            paragraph(head),
            "CLASSES\n" + table(("CLASS", "BECAUSE"), classes, indent=2),
            "FIGURES\n" + table(("FIGURE", "VALUE", "UNIT", "HOW"), figures, indent=2),
            paragraph(f"CPU time per job, ms: {spread}"),
            paragraph(f"hints: expected CPU time of {len(hints.hints)} jobs, measured"),
        ]
    )


def number(value: float) -> str:
    """Four significant digits, whole numbers whole."""
    return f"{value:.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.4g}"

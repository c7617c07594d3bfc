"""One figure as every list of them has it. Pure."""

from __future__ import annotations

from schedops.model.profile import Figure


def figure(name: str, value: float, unit: str, how: str) -> Figure:
    """Six digits are more than any clock here can tell, and keep the document short."""
    return Figure(name=name, value=float(f"{value:.6g}"), unit=unit, how=how)

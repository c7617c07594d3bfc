"""Pure numbers: quantiles, and an exact interval for paired comparisons. Standard library only."""

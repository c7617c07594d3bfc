"""The order of the stages from workload to pull request: skips what is unchanged, stops at the first no."""

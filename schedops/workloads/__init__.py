"""Workload and seed to the jobs of one run; readings of that run to metrics and hints. Pure."""

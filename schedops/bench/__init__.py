"""Workload and compiled policy in, Measurements out: three arms in one boot, in alternating order."""

"""Workload in, Profile and Hints out: one measured run under the default scheduler."""

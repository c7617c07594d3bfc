"""Runs as one SVG picture: who was on which CPU, and when each group was done."""
